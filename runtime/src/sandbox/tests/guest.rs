//! Guests written by hand: core modules in text form, made components against the contract in `wit/`.
//!
//! A compiler would not write most of what is here, a hostile author would.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The parts of WASI that guests here import, as WASI 0.2 has them, and the worlds of these guests.
const WORLDS: &str = r#"
package test:guests;

world voice-and-wasi {
    include hookswitch:handler/voice-handler@0.1.0;
    import wasi:io/poll@0.2.6;
    import wasi:io/streams@0.2.6;
    import wasi:clocks/monotonic-clock@0.2.6;
    import wasi:clocks/wall-clock@0.2.6;
    import wasi:random/random@0.2.6;
    import wasi:cli/exit@0.2.6;
    import wasi:cli/stdout@0.2.6;
    import wasi:cli/environment@0.2.6;
    import wasi:filesystem/preopens@0.2.6;
    import wasi:sockets/instance-network@0.2.6;
    import acme:other/thing;
}

world messaging { include hookswitch:handler/messaging-handler@0.1.0; }
world events { include hookswitch:handler/events-handler@0.1.0; }
world nothing { export hello: func(); }

package acme:other { interface thing { do-it: func(); } }

package wasi:io@0.2.6 {
    interface poll {
        resource pollable { block: func(); }
        poll: func(in: list<borrow<pollable>>) -> list<u32>;
    }
    interface error { resource error; }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource output-stream {
            check-write: func() -> result<u64, stream-error>;
            write: func(contents: list<u8>) -> result<_, stream-error>;
            write-zeroes: func(len: u64) -> result<_, stream-error>;
        }
    }
}
package wasi:clocks@0.2.6 {
    interface monotonic-clock {
        use wasi:io/poll@0.2.6.{pollable};
        type instant = u64;
        type duration = u64;
        now: func() -> instant;
        subscribe-duration: func(when: duration) -> pollable;
    }
    interface wall-clock {
        record datetime { seconds: u64, nanoseconds: u32 }
        now: func() -> datetime;
    }
}
package wasi:random@0.2.6 {
    interface random { get-random-bytes: func(len: u64) -> list<u8>; get-random-u64: func() -> u64; }
}
package wasi:cli@0.2.6 {
    interface exit { exit: func(status: result); }
    interface stdout { use wasi:io/streams@0.2.6.{output-stream}; get-stdout: func() -> output-stream; }
    interface environment { get-environment: func() -> list<tuple<string, string>>; }
}
package wasi:filesystem@0.2.6 {
    interface types { resource descriptor; }
    interface preopens {
        use types.{descriptor};
        get-directories: func() -> list<tuple<descriptor, string>>;
    }
}
package wasi:sockets@0.2.6 {
    interface network { resource network; }
    interface instance-network { use network.{network}; instance-network: func() -> network; }
}
"#;

/// A guest: what differs from the plainest one.
pub struct Guest<'a> {
    /// Fields of the module before its functions: imports.
    pub imports: &'a str,
    /// Fields of the module after its functions: tables, globals, a start function.
    pub fields: &'a str,
    /// The body of `voice.answer`, which gets `$call`, a pointer to the record, and leaves a pointer to its result.
    pub answer: &'a str,
    /// Limits of the memory, in pages.
    pub memory: &'a str,
}

impl Default for Guest<'_> {
    fn default() -> Self {
        Self { imports: "", fields: "", answer: "(call $document)", memory: "1" }
    }
}

impl Guest<'_> {
    /// The plainest guest with another body.
    pub fn answering(answer: &str) -> Vec<u8> {
        Guest { answer, ..Guest::default() }.build()
    }

    /// The core module.
    pub fn module(&self) -> String {
        let Self { imports, fields, answer, memory } = self;
        format!(
            r#"(module $guest
  {imports}
  (memory (export "memory") {memory})
  (global $heap (mut i32) (i32.const 8192))
  (data (i32.const 0) "<Response><Say>Hello</Say></Response>")
  (func $cabi_realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $place i32)
    (local.set $place (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.set $heap (i32.add (local.get $place) (local.get 3)))
    (local.get $place))
  ;; ok(document) with the text at $at
  (func $text (param $at i32) (param $len i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store (i32.const 1028) (local.get $at))
    (i32.store (i32.const 1032) (local.get $len))
    (i32.const 1024))
  (func $document (result i32) (call $text (i32.const 0) (i32.const 37)))
  (func $answer (export "hookswitch:handler/voice@0.1.0#answer") (param $call i32) (result i32)
    {answer})
  {fields}
)"#
        )
    }

    /// The component.
    pub fn build(&self) -> Vec<u8> {
        // Only what a module imports becomes an import of its component, so one world serves all; exports have to be there.
        component(&self.module(), "voice-and-wasi")
    }
}

/// Makes a component of a core module in text form.
pub fn component(module: &str, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    resolve.push_dir(&contract).unwrap();
    let package = resolve.push_str("worlds.wit", WORLDS).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut module = wat::parse_str(module).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}
