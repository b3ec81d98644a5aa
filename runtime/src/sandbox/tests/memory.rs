//! Guests that take space: memory, tables, stack, handles.

use std::sync::Arc;

use wasmtime::component::Component;

use super::guest::Guest;
use super::{House, code, ms, sandbox_with};
use crate::attack::memory::empty_and_unbounded;
use crate::capability::{ConfigValues, LogBuffer, Nobody};
use crate::sandbox::outcome::explain;
use crate::sandbox::{Bound, Limits, RunError, SandboxSettings, store};

/// Grows by a page until it gets no more.
const GROW: &str = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))";

#[tokio::test]
async fn a_guest_that_is_given_no_more_memory_may_go_on() {
    let house = House::new();
    // Then it writes one byte to each page but its own first, the last one first.
    let answer = format!(
        "(local $at i32) {GROW}
        (local.set $at (i32.mul (memory.size) (i32.const 65536)))
        (loop $next
          (local.set $at (i32.sub (local.get $at) (i32.const 65536)))
          (if (local.get $at) (then (i32.store8 (local.get $at) (i32.const 1)) (br $next))))
        (call $document)"
    );
    let outcome = house.try_out(&Guest::answering(&answer)).await;
    assert_eq!(code(&outcome), "ok", "{:?}", outcome.result);
    assert_eq!(outcome.used.memory_bytes, 32 << 20);

    let outcome = house.try_out(&empty_and_unbounded()).await;
    assert_eq!(code(&outcome), "ok", "{:?}", outcome.result);
}

#[tokio::test]
async fn a_guest_that_fails_for_want_of_memory_is_told_so() {
    let house = House::new();
    let large = "(drop (memory.grow (i32.const 60000)))";
    for (what, grow) in [("small steps", GROW), ("one large step", large)] {
        let outcome = house.try_out(&Guest::answering(&format!("{grow} unreachable"))).await;
        let error = outcome.result.unwrap_err();
        assert_eq!(error.code(), "HS204", "{what}: {error}");
        assert!(error.to_string().contains("32768 KiB"), "{what}: {error}");
    }
}

#[tokio::test]
async fn the_memory_of_all_guests_is_bounded_too() {
    let settings = SandboxSettings { memory_mib_total: 4, ..SandboxSettings::default() };
    let house = House::on(sandbox_with(settings));
    let outcome = house.try_out(&Guest::answering(&format!("{GROW} unreachable"))).await;
    let error = outcome.result.unwrap_err();
    assert_eq!(error.code(), "HS211");
    assert!(error.to_string().contains("4 MiB"), "{error}");
    let outcome = house.try_out(&Guest { memory: "65", ..Guest::default() }.build()).await;
    assert_eq!(code(&outcome), "HS211", "one that does not even start: {:?}", outcome.result);
}

#[test]
fn what_256_guests_touch_stays_within_the_budget() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let settings = SandboxSettings { memory_mib_total: 256, ..SandboxSettings::default() };
        let house = Arc::new(House::on(sandbox_with(settings)));
        // Fills its 32 MiB and answers, or is told that there is no room.
        let answer = "(if (i32.eq (memory.grow (i32.const 511)) (i32.const -1)) (then unreachable))
            (memory.fill (i32.const 65536) (i32.const 1) (i32.const 33488896)) (call $document)";
        let guest = house.load(&Guest::answering(answer));
        let limits = Limits { deadline: ms(30_000), cpu: ms(5_000), ..Limits::default() };
        let runs: Vec<_> = (0..256)
            .map(|_| {
                let (house, guest) = (Arc::clone(&house), Arc::clone(&guest));
                tokio::spawn(async move { code(&house.run(&guest, &limits).await) })
            })
            .collect();
        let mut answered = 0;
        for run in runs {
            match run.await.unwrap() {
                "ok" => answered += 1,
                other => assert_eq!(other, "HS211"),
            }
        }
        assert!(answered >= 1);
        house.neighbour_is_answered().await;
        assert_eq!(house.sandbox.guest_memory_bytes(), 0);
    });
}

#[tokio::test]
async fn a_table_has_a_largest_size() {
    let house = House::new();
    let fields = "(table $table 10 funcref)";
    let grow = "(drop (table.grow $table (ref.null func) (i32.const 20000)))";
    let denied = Guest { fields, answer: &format!("{grow} (call $document)"), ..Guest::default() };
    assert_eq!(code(&house.try_out(&denied.build()).await), "ok");
    let failing = Guest { fields, answer: &format!("{grow} unreachable"), ..Guest::default() };
    let Err(RunError::Beyond { bound, limit, .. }) = house.try_out(&failing.build()).await.result else {
        panic!()
    };
    assert_eq!((bound, limit), (Bound::TableElements, 20_000));
}

#[tokio::test]
async fn recursion_without_end_is_a_stack_overflow() {
    let house = House::new();
    let direct = "(func $again (call $again))";
    let indirect = "(type $none (func)) (table $table 1 funcref) (elem (i32.const 0) $again)
        (func $again (call_indirect $table (type $none) (i32.const 0)))";
    for (what, fields) in [("direct", direct), ("indirect", indirect)] {
        let guest = Guest { fields, answer: "(call $again) (call $document)", ..Guest::default() };
        let outcome = house.try_out(&guest.build()).await;
        let error = outcome.result.unwrap_err();
        assert_eq!(error.code(), "HS205", "{what}: {error}");
        assert_eq!(error.trap().unwrap().frames.len(), 20, "{what}: a backtrace is bounded");
    }
}

#[tokio::test]
async fn recursion_through_the_host_does_not_deepen_its_stack() {
    let house = House::new();
    // The host allocates in the guest for what `get-environment` returns; the guest's allocator asks again.
    let imports = r#"(import "wasi:random/random@0.2.6" "get-random-bytes" (func $random (param i64 i32)))"#;
    let module = Guest {
        imports,
        answer: "(call $random (i64.const 8) (i32.const 2048)) (call $document)",
        ..Guest::default()
    }
    .module()
    .replace(
        "(local $place i32)",
        "(local $place i32) (if (global.get $on) (then (call $random (i64.const 8) (i32.const 2048))))",
    )
    .replace(
        "(call $random (i64.const 8) (i32.const 2048)) (call $document)",
        "(global.set $on (i32.const 1)) (call $random (i64.const 8) (i32.const 2048)) (call $document)",
    )
    .replace("(global $heap", "(global $on (mut i32) (i32.const 0)) (global $heap");
    let component = super::guest::component(&module, "export hookswitch:handler/voice@0.1.0;");
    let outcome = house.try_out(&component).await;
    assert_eq!(code(&outcome), "HS202", "{:?}", outcome.result);
}

#[tokio::test]
async fn handles_of_the_guest_s_own_are_bounded() {
    let house = House::new();
    let bytes = crate::attack::component(
        r#"(type $thing (resource (rep i32)))
           (core func $new (canon resource.new $thing))
           (core module $m
             (import "host" "new" (func $new (param i32) (result i32)))
             (func (export "f") (loop $again (drop (call $new (i32.const 1))) (br $again))))
           (core instance $host (export "new" (func $new)))
           (core instance $i (instantiate $m (with "host" (instance $host))))
           (func (export "f") (canon lift (core func $i "f")))"#,
    );
    let limits = Limits::default();
    let component = Component::from_binary(&house.sandbox.engine, &bytes).unwrap();
    let mut store = store::new(&house.sandbox, &limits, Nobody::new(ConfigValues::default()).context());
    let instance = house.sandbox.linker.instantiate_async(&mut store, &component).await.unwrap();
    let function = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    let error = function.call_async(&mut store, ()).await.unwrap_err();
    let RunError::Beyond { bound, limit, .. } = explain(&error, store.data(), &limits, &LogBuffer::default())
    else {
        panic!("{error:?}")
    };
    assert_eq!((bound, limit), (Bound::Resources, 2_048));
}

#[tokio::test]
async fn more_invocations_than_places_are_told_so() {
    let settings = SandboxSettings { concurrency_max: 2, ..SandboxSettings::default() };
    let house = House::on(sandbox_with(settings));
    let imports = r#"
        (import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $subscribe (param i64) (result i32)))
        (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))"#;
    let answer = "(call $block (call $subscribe (i64.const 50000000))) (call $document)";
    let guest = house.load(&Guest { imports, answer, ..Guest::default() }.build());
    let limits = Limits::default();
    let run = async || code(&house.run(&guest, &limits).await);
    // Two, and a quarter more.
    let codes = tokio::join!(run(), run(), run(), run());
    assert_eq!(codes, ("ok", "ok", "ok", "HS211"));
    house.neighbour_is_answered().await;
}
