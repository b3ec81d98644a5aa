//! Memories that are too large or too many at the start (W25, W41).

use super::voice::{OK_VOICE_CORE, voice_component};
use super::{bare_component, component};

/// W25: a handler whose memory begins with `pages` pages of 64 KiB.
pub fn initial_pages(pages: u64) -> Vec<u8> {
    voice_component(&OK_VOICE_CORE.replace("\"memory\") 32)", &format!("\"memory\") {pages})")))
}

/// W25: a memory that begins empty and may grow to 4 GiB: fine, as the host's limit clamps it. The
/// handler grows by what it needs and answers.
pub fn empty_and_unbounded() -> Vec<u8> {
    voice_component(
        r#"(module
  (memory (export "memory") 0 65536)
  (func $ready (if (i32.eqz (memory.size)) (then (drop (memory.grow (i32.const 2))))))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (call $ready)
    (i32.const 4096))
  (func (export "hookswitch:handler/voice@0.1.0#answer") (param i32) (result i32)
    (call $ready)
    (memory.init $answer (i32.const 16) (i32.const 0) (i32.const 27))
    (i32.const 16))
  (data $answer "\00\00\00\00\20\00\00\00\0b\00\00\00\00\00\00\00<Response/>"))"#,
    )
}

/// W25, W27: two memories in one core module.
pub fn two_memories() -> Vec<u8> {
    bare_component("(memory 1) (memory 1)")
}

/// W25 with 9, W41 with 8 and pages up to the limit: `memories` core modules with one memory each.
/// All are instantiated; not a handler.
pub fn memories(memories: usize, pages: u64) -> Vec<u8> {
    let one = format!("(core module (memory {pages})) ");
    let instances: String =
        (0..memories).map(|module| format!("(core instance (instantiate {module})) ")).collect();
    component(&format!("{}{instances}", one.repeat(memories)))
}

/// A sibling of W41: one core module, instantiated `instances` times.
pub fn instances(instances: usize, pages: u64) -> Vec<u8> {
    let all = "(core instance (instantiate 0)) ".repeat(instances);
    component(&format!("(core module (memory {pages})) {all}"))
}
