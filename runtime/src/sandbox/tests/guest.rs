//! Guests written by hand: core modules in text form, made components against the contract in `wit/`.
//!
//! A compiler would not write most of what is here, a hostile author would.

use crate::attack::voice::encode;

/// The parts of WASI 0.2 that guests here import, in as far as they do.
const PACKAGES: [&str; 7] = [
    "package acme:other; interface thing { do-it: func(); }",
    "package wasi:io@0.2.6;
    interface poll {
        resource pollable { block: func(); }
        poll: func(in: list<borrow<pollable>>) -> list<u32>;
    }
    interface error { resource error; }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource output-stream {
            write: func(contents: list<u8>) -> result<_, stream-error>;
            write-zeroes: func(len: u64) -> result<_, stream-error>;
        }
    }",
    "package wasi:clocks@0.2.6;
    interface monotonic-clock {
        use wasi:io/poll@0.2.6.{pollable};
        now: func() -> u64;
        subscribe-duration: func(when: u64) -> pollable;
    }",
    "package wasi:random@0.2.6;
    interface random { get-random-bytes: func(len: u64) -> list<u8>; }",
    "package wasi:cli@0.2.6;
    interface exit { exit: func(status: result); }
    interface stdout { use wasi:io/streams@0.2.6.{output-stream}; get-stdout: func() -> output-stream; }
    interface environment { get-environment: func() -> list<tuple<string, string>>; }",
    "package wasi:filesystem@0.2.6;
    interface types { resource descriptor; }
    interface preopens {
        use types.{descriptor};
        get-directories: func() -> list<tuple<descriptor, string>>;
    }",
    "package wasi:sockets@0.2.6;
    interface network {
        resource network;
        enum error-code {
            unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout, concurrency-conflict,
            not-in-progress, would-block, invalid-state, new-socket-limit, address-not-bindable, address-in-use,
            remote-unreachable, connection-refused, connection-reset, connection-aborted, datagram-too-large,
            name-unresolvable, temporary-resolver-failure, permanent-resolver-failure,
        }
        enum ip-address-family { ipv4, ipv6 }
    }
    interface instance-network { use network.{network}; instance-network: func() -> network; }
    interface tcp { resource tcp-socket; }
    interface tcp-create-socket {
        use network.{error-code, ip-address-family};
        use tcp.{tcp-socket};
        create-tcp-socket: func(address-family: ip-address-family) -> result<tcp-socket, error-code>;
    }
    interface udp { resource udp-socket; }
    interface udp-create-socket {
        use network.{error-code, ip-address-family};
        use udp.{udp-socket};
        create-udp-socket: func(address-family: ip-address-family) -> result<udp-socket, error-code>;
    }
    interface ip-name-lookup {
        use network.{network, error-code};
        resource resolve-address-stream;
        resolve-addresses: func(network: borrow<network>, name: string) -> result<resolve-address-stream, error-code>;
    }",
];

/// What a guest may import; only what its module imports becomes an import of the component.
const IMPORTS: &str = "
    include hookswitch:handler/imports@0.1.0;
    import acme:other/thing;
    import wasi:io/poll@0.2.6;
    import wasi:io/streams@0.2.6;
    import wasi:clocks/monotonic-clock@0.2.6;
    import wasi:random/random@0.2.6;
    import wasi:cli/exit@0.2.6;
    import wasi:cli/stdout@0.2.6;
    import wasi:cli/environment@0.2.6;
    import wasi:filesystem/preopens@0.2.6;
    import wasi:sockets/instance-network@0.2.6;
    import wasi:sockets/tcp-create-socket@0.2.6;
    import wasi:sockets/udp-create-socket@0.2.6;
    import wasi:sockets/ip-name-lookup@0.2.6;
";

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
        component(&self.module(), "export hookswitch:handler/voice@0.1.0;")
    }
}

/// Makes a core module in text form a component with these exports.
pub fn component(module: &str, exports: &str) -> Vec<u8> {
    encode(module, &PACKAGES, &format!("{IMPORTS}{exports}"))
}
