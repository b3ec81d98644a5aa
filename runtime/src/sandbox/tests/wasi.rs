//! WASI as guests get it, and guests that ask it for too much.

use super::guest::Guest;
use super::{House, code, ms};
use crate::capability::{LogLevel, LogSource};
use crate::sandbox::{Bound, Limits, RunError};

const RANDOM: &str =
    r#"(import "wasi:random/random@0.2.6" "get-random-bytes" (func $random (param i64 i32)))"#;
const STDOUT: &str = r#"
    (import "wasi:cli/stdout@0.2.6" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.6" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.6" "[method]output-stream.write-zeroes" (func $zeroes (param i32 i64 i32)))"#;
const SUBSCRIBE: &str = r#"
    (import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $subscribe (param i64) (result i32)))"#;

#[tokio::test]
async fn stdout_goes_to_the_log_line_by_line() {
    let house = House::new();
    let guest = Guest {
        imports: STDOUT,
        fields: r#"(data (i32.const 100) "first line\0asecond \ff line\0athird")"#,
        answer: "(call $write (call $stdout) (i32.const 100) (i32.const 30) (i32.const 2048)) (call $document)",
        memory: "1",
    };
    let outcome = house.try_out(&guest.build()).await;
    assert_eq!(code(&outcome), "ok", "{:?}", outcome.result);
    let lines: Vec<_> = outcome.log.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(lines, ["first line", "second \u{fffd} line", "third"]);
    assert_eq!((outcome.log[0].level, outcome.log[0].source), (LogLevel::Info, LogSource::Stdout));
}

#[tokio::test]
async fn a_flood_of_stdout_costs_the_guest_its_time_and_the_log_its_budget() {
    let house = House::new();
    let answer = "(local $out i32) (local.set $out (call $stdout))
        (loop $l (call $write (local.get $out) (i32.const 0) (i32.const 4000) (i32.const 2048)) (br $l))
        (unreachable)";
    let outcome = house.try_out(&Guest { imports: STDOUT, answer, ..Guest::default() }.build()).await;
    assert_eq!(code(&outcome), "HS203");
    assert!(outcome.used.log_bytes <= 64 * 1024);
    assert!(outcome.log_dropped_bytes > 0);
}

#[tokio::test]
async fn writing_beyond_what_is_permitted_is_a_trap() {
    let house = House::new();
    for write in [
        "(call $zeroes (call $stdout) (i64.const 4294967296) (i32.const 2048))",
        "(call $zeroes (call $stdout) (i64.const 65537) (i32.const 2048))",
        "(call $write (call $stdout) (i32.const 0) (i32.const 65537) (i32.const 2048))",
    ] {
        let answer = format!("{write} (call $document)");
        let guest = Guest { imports: STDOUT, answer: &answer, memory: "4", ..Guest::default() };
        assert_eq!(code(&house.try_out(&guest.build()).await), "HS202", "{write}");
    }
}

#[tokio::test]
async fn random_bytes_are_given_in_portions() {
    let house = House::new();
    let ask = |bytes: u64| {
        let answer = format!("(call $random (i64.const {bytes}) (i32.const 2048)) (call $document)");
        Guest { imports: RANDOM, answer: &answer, memory: "4", ..Guest::default() }.build()
    };
    assert_eq!(code(&house.try_out(&ask(65_536)).await), "ok");
    for bytes in [65_537, 64 << 20, u64::MAX] {
        let error = house.try_out(&ask(bytes)).await.result.unwrap_err();
        assert_eq!(error.code(), "HS202");
        assert!(error.to_string().contains("the limit is 65536"), "{error}");
    }
    let again = "(loop $l
        (global.set $heap (i32.const 8192)) (call $random (i64.const 1) (i32.const 2048)) (br $l))
        (unreachable)";
    let outcome = house.try_out(&Guest { imports: RANDOM, answer: again, ..Guest::default() }.build()).await;
    assert_eq!(code(&outcome), "HS203", "a million times one byte");
}

#[tokio::test]
async fn ten_thousand_pollables_are_too_many() {
    let house = House::new();
    let answer = "(loop $l (drop (call $subscribe (i64.const 3600000000000))) (br $l)) (unreachable)";
    let outcome = house.try_out(&Guest { imports: SUBSCRIBE, answer, ..Guest::default() }.build()).await;
    let Err(RunError::Beyond { bound, limit, .. }) = outcome.result else { panic!("{:?}", outcome.result) };
    assert_eq!((bound, limit), (Bound::Resources, 1_024));
}

#[tokio::test]
async fn polling_without_end_ends_with_the_cpu_time() {
    let house = House::new();
    let imports =
        format!(r#"{SUBSCRIBE} (import "wasi:io/poll@0.2.6" "poll" (func $poll (param i32 i32 i32)))"#);
    // One pollable that is ready at once, polled for ever.
    let answer = "(i32.store (i32.const 2048) (call $subscribe (i64.const 0)))
        (loop $l
          (global.set $heap (i32.const 8192))
          (call $poll (i32.const 2048) (i32.const 1) (i32.const 3000)) (br $l)) (unreachable)";
    let guest = Guest { imports: &imports, answer, ..Guest::default() }.build();
    assert_eq!(code(&house.try_out(&guest).await), "HS203");
    let never = answer.replace("(i64.const 0)", "(i64.const -1)");
    let guest = Guest { imports: &imports, answer: &never, ..Guest::default() }.build();
    let limits = Limits { deadline: ms(50), ..Limits::default() };
    assert_eq!(code(&house.try_out_under(&guest, &limits).await), "HS201");
    let nothing = "(call $poll (i32.const 2048) (i32.const 0) (i32.const 3000)) (call $document)";
    let guest = Guest { imports: &imports, answer: nothing, ..Guest::default() }.build();
    assert_eq!(code(&house.try_out(&guest).await), "HS202");
}

#[tokio::test]
async fn exit_is_told_as_what_it_is() {
    let house = House::new();
    let imports = r#"(import "wasi:cli/exit@0.2.6" "exit" (func $exit (param i32)))"#;
    let answer = "(call $exit (i32.const 0)) (call $document)";
    let error =
        house.try_out(&Guest { imports, answer, ..Guest::default() }.build()).await.result.unwrap_err();
    assert_eq!(error.code(), "HS202");
    assert!(error.to_string().contains("called exit(0) instead of answering"), "{error}");
}

#[tokio::test]
async fn there_is_no_environment_and_no_folder() {
    let house = House::new();
    let imports = r#"
        (import "wasi:cli/environment@0.2.6" "get-environment" (func $environment (param i32)))
        (import "wasi:filesystem/preopens@0.2.6" "get-directories" (func $folders (param i32)))"#;
    let answer = "(call $environment (i32.const 2048)) (call $folders (i32.const 2056))
        (if (i32.or (i32.load (i32.const 2052)) (i32.load (i32.const 2060))) (then unreachable))
        (call $document)";
    let outcome = house.try_out(&Guest { imports, answer, ..Guest::default() }.build()).await;
    assert_eq!(code(&outcome), "ok", "{:?}", outcome.result);
}

#[tokio::test]
async fn there_is_no_socket_and_no_name_is_looked_up() {
    let house = House::new();
    let tcp =
        r#"(import "wasi:sockets/tcp-create-socket@0.2.6" "create-tcp-socket" (func $open (param i32 i32)))"#;
    let udp =
        r#"(import "wasi:sockets/udp-create-socket@0.2.6" "create-udp-socket" (func $open (param i32 i32)))"#;
    let name = r#"
        (import "wasi:sockets/instance-network@0.2.6" "instance-network" (func $network (result i32)))
        (import "wasi:sockets/ip-name-lookup@0.2.6" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))"#;
    let (v4, v6) =
        ("(call $open (i32.const 0) (i32.const 2048))", "(call $open (i32.const 1) (i32.const 2048))");
    // "localhost", of the text that lies at 100.
    let resolve = "(call $resolve (call $network) (i32.const 100) (i32.const 9) (i32.const 2048))";
    let fields = r#"(data (i32.const 100) "localhost")"#;
    // An error and no handle, of the kind `access-denied`, or for a name the code that resolvers have for never.
    for (imports, ask, code_of) in
        [(tcp, v4, 1), (tcp, v6, 1), (udp, v4, 1), (udp, v6, 1), (name, resolve, 20)]
    {
        let answer = format!(
            "{ask}
            (if (i32.ne (i32.load8_u (i32.const 2048)) (i32.const 1)) (then unreachable))
            (if (i32.ne (i32.load8_u (i32.const 2052)) (i32.const {code_of})) (then unreachable))
            (call $document)"
        );
        let outcome = house.try_out(&Guest { imports, fields, answer: &answer, memory: "1" }.build()).await;
        assert_eq!(code(&outcome), "ok", "{ask}: {:?}", outcome.result);
    }
}
