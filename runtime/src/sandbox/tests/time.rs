//! Guests that take time: their own, their neighbours', or nobody's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::guest::Guest;
use super::{House, code, ms};
use crate::attack::{voice, voice_component};
use crate::capability::{ConfigValues, Nobody};
use crate::sandbox::{Answer, Limits, RunError};

const SPIN: &str = "(loop $again (br $again)) (unreachable)";
const SLEEP: &str = r#"
    (import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $subscribe (param i64) (result i32)))
    (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func $block (param i32)))"#;
const HOUR: &str = "(call $block (call $subscribe (i64.const 3600000000000))) (call $document)";

fn spin() -> Vec<u8> {
    Guest::answering(SPIN)
}

/// The runtime that guests want: everybody has a turn at each tick.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .event_interval(1)
        .global_queue_interval(1)
        .enable_all()
        .build()
        .unwrap()
}

/// How long the neighbour's calls take, one every 2 ms for `during`, seen from outside the runtime: the slowest but one
/// in a hundred.
async fn neighbour_p99(house: &Arc<House>, during: Duration) -> Duration {
    let end = Instant::now() + during;
    let mut took = Vec::new();
    while Instant::now() < end {
        std::thread::sleep(ms(2));
        let house = Arc::clone(house);
        let started = Instant::now();
        tokio::spawn(async move { house.neighbour_is_answered().await }).await.unwrap();
        took.push(started.elapsed());
    }
    took.sort_unstable();
    took[took.len() * 99 / 100]
}

fn neighbours_are_answered_beside(hogs: usize) {
    runtime().block_on(async {
        let house = Arc::new(House::new());
        let spin = house.load(&spin());
        let undisturbed = neighbour_p99(&house, ms(300)).await;
        let limits = Limits { cpu: ms(5_000), deadline: ms(1_500), ..Limits::default() };
        let hogs: Vec<_> = (0..hogs)
            .map(|_| {
                let (house, spin) = (Arc::clone(&house), Arc::clone(&spin));
                tokio::spawn(async move { house.run(&spin, &limits).await })
            })
            .collect();
        let disturbed = neighbour_p99(&house, ms(1_000)).await;
        for hog in hogs {
            assert_eq!(code(&hog.await.unwrap()), "HS201");
        }
        println!("neighbour's p99: {undisturbed:?} undisturbed, {disturbed:?} disturbed");
        // The promise is 10 ms on an idle machine and has a check of its own. Here other tests run meanwhile, so this
        // is a bound that no hogged runtime keeps: a hog that did not yield would hold its worker for 1.5 s.
        assert!(disturbed < ms(200), "{undisturbed:?} → {disturbed:?}");
    });
}

#[tokio::test]
async fn a_busy_loop_ends_with_its_cpu_time() {
    let house = House::new();
    let outcome = house.try_out(&spin()).await;
    let Err(RunError::OutOfCpu { cpu, trap }) = &outcome.result else { panic!("{:?}", outcome.result) };
    assert_eq!(*cpu, ms(100));
    assert_eq!(trap.frames, ["guest!answer"]);
    assert_eq!(outcome.used.cpu, ms(101));
    assert!(outcome.used.wall >= ms(95), "{:?}", outcome.used);
}

#[test]
fn neighbours_are_answered_beside_2_busy_loops() {
    neighbours_are_answered_beside(2);
}

#[test]
fn neighbours_are_answered_beside_32_busy_loops() {
    neighbours_are_answered_beside(32);
}

#[tokio::test]
async fn a_busy_loop_of_host_calls_ends_with_its_cpu_time() {
    let house = House::new();
    let outcome = house
        .try_out(&voice_component(&voice::core(
            "(loop $again (call $log (i32.const 1) (i32.const 64) (i32.const 5)) (br $again))",
            r#"(import "hookswitch:handler/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#,
        )))
        .await;
    assert_eq!(code(&outcome), "HS203");
    assert!(outcome.log_dropped_entries > 1_000);
}

#[tokio::test]
async fn a_start_that_spins_ends_with_its_cpu_time() {
    let house = House::new();
    let fields = "(func $spin (loop $again (br $again))) (start $spin)";
    assert_eq!(code(&house.try_out(&Guest { fields, ..Guest::default() }.build()).await), "HS203");
}

#[tokio::test]
async fn allocating_for_the_call_counts_as_the_guest_s_time() {
    let house = House::new();
    let module =
        Guest::default().module().replace("(local $place i32)", "(local $place i32) (loop $l (br $l))");
    let component = super::guest::component(&module, "export hookswitch:handler/voice@0.1.0;");
    assert_eq!(code(&house.try_out(&component).await), "HS203");
}

#[tokio::test]
async fn a_wait_of_an_hour_ends_at_the_deadline() {
    let house = House::new();
    let guest = Guest { imports: SLEEP, answer: HOUR, ..Guest::default() }.build();
    let limits = Limits { deadline: ms(50), ..Limits::default() };
    let outcome = house.try_out_under(&guest, &limits).await;
    let Err(RunError::PastDeadline { deadline, cpu }) = outcome.result else { panic!() };
    assert_eq!(deadline, ms(50));
    assert!(cpu <= ms(5), "waiting is not running: {cpu:?}");
    assert!(outcome.used.wall >= ms(50) && outcome.used.busy < ms(40), "{:?}", outcome.used);
    assert_eq!(outcome.used.memory_bytes, 65_536, "the count outlives the guest");
}

#[tokio::test]
async fn a_short_wait_is_waited_and_seen_by_the_clock() {
    let house = House::new();
    let imports =
        format!(r#"{SLEEP} (import "wasi:clocks/monotonic-clock@0.2.6" "now" (func $now (result i64)))"#);
    // Traps unless two readings are equal before the wait and 20 ms apart after it.
    let answer = "(local $t i64) (local $n i32)
        (local.set $t (call $now))
        (loop $again
          (if (i64.ne (call $now) (local.get $t)) (then unreachable))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const 20000))))
        (call $block (call $subscribe (i64.const 20000000)))
        (if (i64.lt_u (i64.sub (call $now) (local.get $t)) (i64.const 20000000)) (then unreachable))
        (call $document)";
    let guest = Guest { imports: &imports, answer, ..Guest::default() }.build();
    let outcome = house.try_out(&guest).await;
    assert_eq!(code(&outcome), "ok", "{:?}", outcome.result);
    assert!(outcome.used.wall >= ms(20));
}

#[tokio::test]
async fn a_hundred_short_waits_are_not_the_guest_s_time() {
    let house = House::new();
    let answer = "(local $n i32)
        (loop $again
          (call $block (call $subscribe (i64.const 2000000)))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const 100))))
        (call $document)";
    let guest = Guest { imports: SLEEP, answer, ..Guest::default() }.build();
    let limits = Limits { cpu: ms(50), deadline: ms(10_000), ..Limits::default() };
    let outcome = house.try_out_under(&guest, &limits).await;
    assert_eq!(code(&outcome), "ok", "{:?}", outcome.result);
    assert!(outcome.used.wall >= ms(200), "{:?}", outcome.used);
    assert!(outcome.used.cpu <= outcome.used.busy + ms(1), "{:?}", outcome.used);
}

#[tokio::test]
async fn work_between_waits_adds_up_to_the_guest_s_time() {
    let house = House::new();
    // Each piece is shorter than a tick, each wait longer.
    let answer = "(local $n i32)
        (loop $again
          (local.set $n (i32.const 0))
          (loop $work
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $work (i32.lt_u (local.get $n) (i32.const 200000))))
          (call $block (call $subscribe (i64.const 1500000)))
          (br $again))
        (unreachable)";
    let guest = Guest { imports: SLEEP, answer, ..Guest::default() }.build();
    let limits = Limits { cpu: ms(10), deadline: ms(60_000), ..Limits::default() };
    let outcome = house.try_out_under(&guest, &limits).await;
    assert_eq!(code(&outcome), "HS203", "{:?}", outcome.used);
}

#[tokio::test]
async fn an_invocation_may_be_dropped_while_it_runs() {
    let house = House::new();
    let waits = house.load(&Guest { imports: SLEEP, answer: HOUR, ..Guest::default() }.build());
    let spins = house.load(&spin());
    for prepared in [waits, spins] {
        let limits = Limits::default();
        let run = house.run(&prepared, &limits);
        assert!(tokio::time::timeout(ms(20), run).await.is_err());
        house.neighbour_is_answered().await;
        assert_eq!(house.sandbox.guest_memory_bytes(), 0);
    }
}

#[tokio::test]
async fn filling_memory_and_tables_again_and_again_ends_with_the_cpu_time() {
    let house = House::new();
    let rounds = [
        ("memory.fill", "(memory.fill (i32.const 65536) (i32.const 7) (i32.const 33488896))"),
        ("memory.copy", "(memory.copy (i32.const 65536) (i32.const 131072) (i32.const 33423360))"),
        ("memory.init", "(memory.init $bytes (i32.const 65536) (i32.const 0) (i32.const 4096))"),
        ("table.fill", "(table.fill $table (i32.const 0) (ref.null func) (i32.const 20000))"),
        ("table.copy", "(table.copy $table $table (i32.const 0) (i32.const 1) (i32.const 19999))"),
        ("table.init", "(table.init $table $functions (i32.const 0) (i32.const 0) (i32.const 2))"),
    ];
    let fields = format!(
        r#"(table $table 20000 funcref) (elem $functions func $document $text) (data $bytes "{}")"#,
        "x".repeat(4096)
    );
    for (what, round) in rounds {
        let answer = format!("(loop $again {round} (br $again)) (unreachable)");
        let guest = Guest { fields: &fields, answer: &answer, memory: "512", ..Guest::default() };
        let limits = Limits { memory_mib: 33, ..Limits::default() };
        let outcome = house.try_out_under(&guest.build(), &limits).await;
        assert_eq!(code(&outcome), "HS203", "{what}: {:?}", outcome.result);
        assert!(outcome.used.wall < ms(2_000), "{what}: {:?}", outcome.used.wall);
    }
}

#[test]
fn a_hundred_at_once_are_all_answered() {
    runtime().block_on(async {
        let sandbox = super::sandbox_with(crate::sandbox::SandboxSettings {
            concurrency_max: 100,
            ..crate::sandbox::SandboxSettings::default()
        });
        let house = House::on(sandbox);
        // All wait at the same time, so a hundred instances exist at once.
        let answer = "(call $block (call $subscribe (i64.const 30000000))) (call $document)";
        let guest = house.load(&Guest { imports: SLEEP, answer, ..Guest::default() }.build());
        let runs: Vec<_> = (0..100)
            .map(|_| {
                let (sandbox, guest) = (Arc::clone(&house.sandbox), Arc::clone(&guest));
                tokio::spawn(async move {
                    let nobody = Nobody::new(ConfigValues::default());
                    sandbox.run(&guest, &Limits::default(), nobody.context(), &super::call()).await
                })
            })
            .collect();
        for run in runs {
            assert_eq!(run.await.unwrap().result, Ok(Answer::Document(super::HELLO.into())));
        }
    });
}
