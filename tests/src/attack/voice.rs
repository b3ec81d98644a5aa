//! Voice handlers from core WAT: the smallest that answers, and what attacks are made of.
//!
//! The core module exports what the canonical ABI asks for: `memory`, `cabi_realloc`, and
//! `hookswitch:handler/voice@0.1.0#answer`, which gets the address of a `call` record (its fields are
//! more than 16 values) and returns the address of a `result<document, failure>`:
//!
//! | offset | ok | error |
//! | --- | --- | --- |
//! | 0 | discriminant 0 | discriminant 1 |
//! | 4, 8 | address and bytes of the document | address and bytes of `message` |
//! | 12, 16 | | address and count of `causes` |
//!
//! Imports are core imports named after the interface: `(import "hookswitch:handler/log@0.1.0" "write"
//! (func $log (param $level i32) (param $text i32) (param $bytes i32)))`.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The core export that answers a call.
pub const ANSWER: &str = "hookswitch:handler/voice@0.1.0#answer";

/// A core module that answers every call with `<Response/>`.
pub const OK_VOICE_CORE: &str = r#"(module
  (memory (export "memory") 32)
  (global $free (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param $old i32) (param $old_bytes i32) (param $align i32) (param $bytes i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and
      (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $at) (local.get $bytes)))
    (local.get $at))
  (func (export "hookswitch:handler/voice@0.1.0#answer") (param $call i32) (result i32)
    (i32.const 16))
  (data (i32.const 16) "\00\00\00\00\20\00\00\00\0b\00\00\00")
  (data (i32.const 32) "<Response/>"))"#;

/// [`OK_VOICE_CORE`] with `answer` run before the answer is given and `fields` beside it.
///
/// `answer` is a sequence of instructions that leaves nothing on the stack; `$call` is the record's
/// address, and fields may be called by name. `fields` come first in the module, so that they may be
/// imports. The memory has 2 MiB; bytes 64 to 4 095 are the attack's own, `cabi_realloc` gives out
/// what follows.
pub fn core(answer: &str, fields: &str) -> String {
    OK_VOICE_CORE.replacen("(i32.const 16))", &format!("{answer} (i32.const 16))"), 1).replacen(
        "(module",
        &format!("(module {fields}"),
        1,
    )
}

/// Makes core WAT a component that exports `hookswitch:handler/voice@0.1.0`.
///
/// # Panics
/// Where the text does not parse or lacks an export named above: a mistake in the attack.
pub fn voice_component(core_wat: &str) -> Vec<u8> {
    encode(core_wat, &[], "include hookswitch:handler/voice-handler@0.1.0;")
}

/// Makes core WAT a component of a world with these `items`, beside the contract's own packages.
///
/// # Panics
/// As [`voice_component`], and where a package or the world does not parse.
pub fn encode(core_wat: &str, packages: &[&str], items: &str) -> Vec<u8> {
    let core = typed(core_wat, packages, items);
    ComponentEncoder::default()
        .module(&core)
        .expect("the core module exports what the world asks for")
        .validate(false)
        .encode()
        .expect("the core module becomes a component")
}

/// Core WAT as a module that carries the types of a world with these `items`, as bindings leave it: no component yet.
///
/// # Panics
/// As [`encode`].
pub fn typed(core_wat: &str, packages: &[&str], items: &str) -> Vec<u8> {
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let mut resolve = Resolve::default();
    resolve.push_path(contract).expect("the contract parses");
    for (number, package) in packages.iter().enumerate() {
        resolve.push_str(format!("{number}.wit"), package).expect("the attack's package parses");
    }
    let guest = format!("package attack:guest; world guest {{ {items} }}");
    let guest = resolve.push_str("guest.wit", &guest).expect("the attack's world parses");
    let world = resolve.select_world(&[guest], None).expect("there is one world");

    let mut core = wat::parse_str(core_wat).expect("the attack is a core module's text");
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)
        .expect("the world can be written into the module");
    core
}
