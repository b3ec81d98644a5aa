//! What callers feel of a compile: next to nothing, and nothing at all of a bomb.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hookswitch_tests::attack::compile;
use tokio::task::JoinSet;

use super::{front_desk, greeting, ready};
use crate::support::{Callers, Client, Served, TOKEN, alone_on_host_runtime, misbehave, percentile, scale};

/// Webhooks a second and their p99 in microseconds, over so many seconds.
async fn load(host: &Served, callers: usize, seconds: u64) -> (f64, u32) {
    let callers = Callers::start(host.webhooks, "acme/front-desk", callers, 50);
    let began = Instant::now();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let tally = callers.stop().await;
    tally.assert_clean();
    (tally.webhooks as f64 / began.elapsed().as_secs_f64(), percentile(&tally.took_us, 99.0))
}

#[test]
fn compiles_and_compile_bombs_do_not_delay_calls() {
    alone_on_host_runtime(async {
        let (folder, seconds) = (tempfile::tempdir().unwrap(), scale(2, 4) as u64);
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        host.tenant("bomber");
        let path = greeting(folder.path(), front_desk(), "Welcome.");
        host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
        load(&host, 2, 1).await;
        let (alone, p99_alone) = load(&host, 2, seconds).await;
        let (_, p99_few) = load(&host, 1, seconds).await;

        // Passes the structural look, and costs the compiler seconds.
        let bomb = ready(folder.path(), "bomb", &compile::deep_operand_stack(20_000), "");
        let mut bombing = host.command(&["deploy", bomb.to_str().unwrap(), "--tenant", "bomber"]);
        let bombing = tokio::task::spawn_blocking(move || (bombing.output().unwrap(), Instant::now()));
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (during, p99_during) = load(&host, 2, seconds).await;
        let (_, p99_few_during) = load(&host, 1, seconds).await;
        let loaded = Instant::now();
        let (output, bombed) = bombing.await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            bombed > loaded || output.status.code() == Some(1),
            "it was over too soon to be felt: {said}"
        );
        println!(
            "saturated: {alone:.0}/s, p99 {p99_alone} us; beside a compile {during:.0}/s ({:.0} %), p99 {p99_during} us. \
             One caller: p99 {p99_few} us, beside a compile {p99_few_during} us. The compile: {}",
            100.0 * during / alone,
            said.lines().last().unwrap_or_default()
        );
        let most = (3 * p99_few).max(10_000);
        assert!(p99_few_during <= most, "p99 {p99_few_during} us beside a compile, {p99_few} us without");
        assert!(during >= 0.5 * alone, "{during:.0}/s beside a compile, {alone:.0}/s without");
    });
}

#[test]
fn a_tenant_at_its_limits_does_not_slow_its_neighbour() {
    alone_on_host_runtime(async {
        let (folder, seconds) = (tempfile::tempdir().unwrap(), scale(2, 20) as u64);
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        host.ok(&["tenant", "create", "busy", "--twilio-auth-token", TOKEN, "--concurrency", "1"]);
        let path = greeting(folder.path(), front_desk(), "Welcome.");
        host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
        let path = ready(folder.path(), "ivr", misbehave(), "");
        host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "busy"]);
        load(&host, 1, 1).await;
        let (_, alone) = load(&host, 1, seconds).await;
        // Each of its webhooks takes 20 ms of CPU; of four callers one has the place, the others wait or hear the fallback.
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for caller in 0..4 {
            let (client, stop) = (Client::new(host.webhooks), Arc::clone(&stop));
            callers.spawn(async move {
                let (mut answered, mut turned_away) = (0, 0);
                while !stop.load(Relaxed) {
                    let id = format!("CAb{caller}");
                    let call = [
                        ("CallSid", id.as_str()),
                        ("AccountSid", "AC1"),
                        ("From", "+12025550123"),
                        ("To", "+12025550199"),
                    ];
                    let heard = client.post("/busy/ivr/voice/slow-but-ok", &call).await;
                    if heard.code() == "HS211" { turned_away += 1 } else { answered += 1 }
                }
                (answered, turned_away)
            });
        }
        let (_, beside) = load(&host, 1, seconds).await;
        stop.store(true, Relaxed);
        let busy = callers.join_all().await;
        let sum = busy.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        println!(
            "one caller: p99 {alone} us alone, {beside} us beside a tenant at its limits ({} answered, {} turned away)",
            sum.0, sum.1
        );
        assert!(beside <= (3 * alone).max(10_000), "p99 {beside} us beside, {alone} us alone");
    });
}
