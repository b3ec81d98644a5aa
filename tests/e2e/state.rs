//! What handlers remember: from one webhook to the next, over failures, kills and handovers, and within their limits.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use hookswitch::call::{HandlerName, RevisionId, TenantId};
use hookswitch::carrier::twilio::signature::{AuthToken, Keys};
use hookswitch::pin::PinKey;
use hookswitch::release::Share;
use hookswitch::router::share::Draw;
use hookswitch::router::{Canary, Handler, Snapshot, Tenant};
use hookswitch::state::{SESSION_FILE, STORE_FILE};

use crate::deploys::ready;
use crate::support::{
    Client, Heard, ROOT, Served, TOKEN, TestHost, alone_on_host_runtime, on_host_runtime, percentile,
    wait_for,
};

/// The guest that reads and writes what the step of the URL says.
pub fn remember() -> &'static [u8] {
    static REMEMBER: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let built =
            hookswitch::build::build(&ROOT.join("tests/guests/remember"), &mut |_| {}).expect("it builds");
        std::fs::read(built.component).expect("it was built")
    });
    &REMEMBER
}

/// A voice webhook of the call `id`; what its handler said, or the code of its failure.
async fn voice(client: &Client, handler: &str, id: &str, step: &str) -> String {
    let params =
        [("CallSid", id), ("From", "+12025550123"), ("To", "+12025550199"), ("CallStatus", "in-progress")];
    said(&client.post(&format!("/{handler}/voice/{step}"), &params).await)
}

fn said(heard: &Heard) -> String {
    if !heard.code().is_empty() {
        return heard.code().to_owned();
    }
    let text = heard.body.split(['>', '<']).find(|text| text.starts_with('['));
    text.unwrap_or_else(|| panic!("{heard:?}")).to_owned()
}

async fn with_remember() -> TestHost {
    let host = TestHost::start().await;
    host.deploy("acme", "ivr", remember(), "").expect("it loads");
    host
}

#[test]
fn a_session_lasts_from_webhook_to_webhook_of_one_conversation() {
    on_host_runtime(async {
        let host = with_remember().await;
        let menu = "session,add,tries,1~session,set,step,menu";
        assert_eq!(voice(&host, "acme/ivr", "CA1", menu).await, "[1][ok]");
        assert_eq!(
            voice(&host, "acme/ivr", "CA1", "session,add,tries,1~session,keys").await,
            "[2][step tries]"
        );
        assert_eq!(voice(&host, "acme/ivr", "CA2", "session,add,tries,1").await, "[1]", "another call");
        let progress = [("CallSid", "CA1"), ("CallStatus", "completed"), ("SequenceNumber", "3")];
        let told = host.post("/acme/ivr/status/session,add,tries,40", &progress).await;
        assert_eq!((told.status.as_u16(), told.code()), (204, ""));
        assert_eq!(
            voice(&host, "acme/ivr", "CA1", "session,get,tries").await,
            "[42]",
            "a late webhook still has it"
        );

        let sms = async |id: &str, from: &str, to: &str, body: &str| {
            let params = [("MessageSid", id), ("From", from), ("To", to), ("Body", body), ("NumMedia", "0")];
            said(&host.post("/acme/ivr/sms", &params).await)
        };
        let (one, other) = ("+12025550101", "+12025550102");
        assert_eq!(sms("SM1", one, other, "session,set,topic,refund").await, "[ok]");
        assert_eq!(sms("SM2", one, other, "session,get,topic").await, "[refund]");
        assert_eq!(sms("SM3", other, one, "session,get,topic").await, "[refund]", "whichever of them writes");
        assert_eq!(sms("SM4", "+12025550103", other, "session,get,topic").await, "[-]");
        // The same webhook once more is answered as before, and adds nothing.
        assert_eq!(sms("SM5", one, other, "session,add,n,1").await, "[1]");
        assert_eq!(sms("SM5", one, other, "session,add,n,1").await, "[1]");
        assert_eq!(sms("SM6", one, other, "session,get,n").await, "[1]");
    });
}

#[test]
fn a_handler_that_fails_leaves_nothing_in_its_session_and_what_it_stored_stays() {
    on_host_runtime(async {
        let host = with_remember().await;
        assert_eq!(voice(&host, "acme/ivr", "CA1", "session,set,step,one").await, "[ok]");
        for (end, code) in [
            ("fail", "HS209"),
            ("panic", "HS213"),
            ("spin", "HS203"),
            ("bad-document", "HS206"),
            ("nonsense", "HS209"),
        ] {
            let step = format!("session,set,step,two~session,set,{end},x~store,add,runs,1~{end}");
            assert_eq!(voice(&host, "acme/ivr", "CA1", &step).await, code);
        }
        let left = voice(&host, "acme/ivr", "CA1", "session,keys~session,get,step~store,get,runs").await;
        assert_eq!(left, "[step][one][5]");
    });
}

#[test]
fn of_two_webhooks_at_once_the_one_whose_swap_no_longer_holds_is_run_again() {
    on_host_runtime(async {
        let host = Arc::new(TestHost::start().await);
        let limits = "[limits]\ndeadline_ms = 14000\ncpu_ms = 5000";
        host.deploy("acme", "ivr", remember(), limits).expect("it loads");
        // The first one has its session and waits; meanwhile the second one takes what both want.
        let slow = tokio::spawn({
            let host = Arc::clone(&host);
            async move {
                let step = "session,swap,agent,-,ann~session,add,n,1~until,go~session,get,agent";
                voice(&host, "acme/ivr", "CA1", step).await
            }
        });
        wait_for("the first one to run", 20, || (host.host.places.running() > 0).then_some(()));
        // Nothing tells from outside that its session has been read; were it read later, it would answer the same.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(
            voice(&host, "acme/ivr", "CA1", "session,swap,agent,-,bob~session,add,n,10").await,
            "[true][10]"
        );
        assert_eq!(voice(&host, "acme/ivr", "CA2", "store,set,go,1").await, "[ok]");
        // What it says is true: it was run again with what the session was by then.
        assert_eq!(slow.await.unwrap(), "[false][11][there][bob]");
        assert_eq!(voice(&host, "acme/ivr", "CA1", "session,get,agent~session,get,n").await, "[bob][11]");
    });
}

#[test]
fn a_canary_that_fails_leaves_nothing_and_one_that_has_acted_is_not_repeated() {
    on_host_runtime(async {
        let host = with_remember().await;
        host.deploy("acme", "ivr", remember(), "[config]\nend = \"fail\"").expect("it loads");
        let (acme, ivr) = (TenantId::new("acme").unwrap(), HandlerName::new("ivr").unwrap());
        let mut handler = Handler::clone(&host.host.router.tenant("acme").unwrap().handlers[&ivr]);
        let canary = Arc::clone(&handler.stable);
        handler.stable = Arc::clone(&handler.revisions[&RevisionId(1)]);
        let draw = Draw::new(&PinKey::new([7; 32]), &acme, &ivr, canary.id);
        handler.canary = Some(Canary { revision: canary, share: Share(10_000), draw });
        let keys = Keys { tokens: vec![AuthToken::new(TOKEN).unwrap()], shared: Vec::new() };
        let mut tenant = Tenant::new(acme, keys, None, 256);
        tenant.put(handler);
        host.host.router.publish(Snapshot::new([tenant]));
        // The canary adds and fails, the stable revision adds and answers: one of the two counts.
        assert_eq!(voice(&host, "acme/ivr", "CA1", "session,add,n,1").await, "[1]");
        assert_eq!(voice(&host, "acme/ivr", "CA1", "session,add,n,1~session,get,n").await, "[2][2]");
        // Reading acts on nothing.
        assert_eq!(voice(&host, "acme/ivr", "CA3", "store,get,n~store,delete,n").await, "[-][false]");
        assert_eq!(
            voice(&host, "acme/ivr", "CA4", "store,add,n,1").await,
            "HS209",
            "it is not run a second time"
        );
        assert_eq!(voice(&host, "acme/ivr", "CA5", "store,get,n").await, "[1]");
    });
}

#[test]
fn a_value_is_gone_when_its_time_is_over() {
    on_host_runtime(async {
        let host = with_remember().await;
        let began = Instant::now();
        let set = "session,set-for,a,x,2~store,set-for,a,x,2~session,get,a~store,get,a";
        assert_eq!(voice(&host, "acme/ivr", "CA1", set).await, "[ok][ok][x][x]");
        loop {
            let left = voice(&host, "acme/ivr", "CA1", "session,get,a~store,get,a~store,keys,").await;
            if left == "[-][-][]" {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{left}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(began.elapsed() >= Duration::from_secs(2), "not before");
        let refused = voice(&host, "acme/ivr", "CA1", "store,set-for,a,x,0").await;
        assert_eq!(refused, "HS209");
    });
}

/// Times of webhooks of the neighbour, one after the other for as long as the flood goes on; sorted by [`percentile`].
async fn neighbour(host: &TestHost, floods: &[tokio::task::JoinHandle<String>]) -> Vec<u32> {
    let mut took_us = Vec::new();
    while floods.iter().any(|flood| !flood.is_finished()) || took_us.len() < 20 {
        let began = Instant::now();
        let heard = voice(host, "other/ivr", "CA1", "session,add,n,1~store,add,n,1").await;
        took_us.push(u32::try_from(began.elapsed().as_micros()).unwrap());
        let n = took_us.len();
        assert_eq!(heard, format!("[{n}][{n}]"), "the neighbour's webhook");
    }
    took_us
}

#[test]
fn a_flood_ends_at_its_limit_and_the_neighbour_goes_on() {
    alone_on_host_runtime(async {
        let host = Arc::new(TestHost::start().await);
        let limits = "[limits]\ndeadline_ms = 14000\ncpu_ms = 5000";
        host.deploy("acme", "ivr", remember(), limits).expect("it loads");
        host.deploy("other", "ivr", remember(), limits).expect("it loads");
        let flood = |number: usize, step: &'static str| {
            let host = Arc::clone(&host);
            tokio::spawn(async move { voice(&host, "acme/ivr", &format!("CA{number}"), step).await })
        };
        for (kind, step, expected) in [
            ("many", "store,flood,10", "1000 an invocation has 1000 operations"),
            ("large", "store,flood,65000", "64 an invocation writes at most 4194304 bytes"),
            ("listings", "list", "20 an invocation has 1000 operations"),
            ("its session", "session,flood", "a session has at most"),
        ] {
            let step = if step == "list" { "store,list-flood" } else { step };
            let floods: Vec<_> = (0..8).map(|number| flood(number, step)).collect();
            let took_us = neighbour(&host, &floods).await;
            for flood in floods {
                let heard = flood.await.unwrap();
                assert!(heard.contains(expected), "{kind}: {heard}");
            }
            let (p50, p99) = (percentile(&took_us, 50.0), percentile(&took_us, 99.0));
            println!("{kind}: {} webhooks of the neighbour, p50 {p50} µs, p99 {p99} µs", took_us.len());
            assert!(p99 < 1_000_000, "{kind}: the neighbour waited {p99} µs");
            voice(&host, "other/ivr", "CA1", "session,delete,n~store,delete,n").await;
        }
        // Invocation after invocation: the store itself is full at some point, and says so.
        let mut heard = String::new();
        for number in 0..40 {
            heard = voice(&host, "acme/ivr", &format!("CA{number}"), "store,flood,65000").await;
            if heard.contains("a store has at most 67108864 bytes") {
                break;
            }
        }
        assert!(heard.contains("a store has at most 67108864 bytes"), "{heard}");
        assert_eq!(voice(&host, "other/ivr", "CA2", "store,add,n,1").await, "[1]");
    });
}

#[test]
fn a_key_with_another_tenants_name_reaches_nothing() {
    on_host_runtime(async {
        let host = with_remember().await;
        host.deploy("other", "ivr", remember(), "").expect("it loads");
        host.deploy("acme", "ivr-2", remember(), "").expect("it loads");
        assert_eq!(
            voice(&host, "other/ivr", "CA1", "store,set,pin,1234~session,set,pin,1234").await,
            "[ok][ok]"
        );
        for key in ["pin", "other-ivr-pin", "other:ivr:pin", "..:other:ivr:pin", "%25", "call:3:CA1"] {
            let step = format!(
                "store,get,{key}~session,get,{key}~store,keys,{key}~store,delete,{key}~session,delete,{key}"
            );
            // The same call id, too: a carrier's ids are no secret.
            for handler in ["acme/ivr", "acme/ivr-2"] {
                let heard = voice(&host, handler, "CA1", &step).await;
                assert_eq!(heard, "[-][-][][false][false]", "{handler}: {key}");
            }
        }
        assert_eq!(voice(&host, "other/ivr", "CA1", "store,get,pin~session,get,pin").await, "[1234][1234]");
    });
}

#[test]
fn a_session_that_can_not_be_read_or_kept_is_told_and_costs_nobody_else() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = served(folder.path());
        let client = Client::new(host.webhooks);
        assert_eq!(voice(&client, "acme/remember", "CA1", "session,add,n,1").await, "[1]");
        let file = host.data.join(SESSION_FILE);
        // Somebody holds the file for longer than a webhook waits.
        let other = rusqlite::Connection::open(&file).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(voice(&client, "acme/remember", "CA1", "session,get,n").await, "[1]", "reading goes on");
        let heard = client
            .post(
                "/acme/remember/voice/session,add,n,1",
                &[
                    ("CallSid", "CA1"),
                    ("From", "+12025550123"),
                    ("To", "+12025550199"),
                    ("CallStatus", "in-progress"),
                ],
            )
            .await;
        assert_eq!((heard.status.as_u16(), heard.code()), (200, "HS217"));
        assert!(heard.body.contains("This is the fallback of remember"), "{}", heard.body);
        other.execute_batch("ROLLBACK").unwrap();
        drop(other);
        assert_eq!(voice(&client, "acme/remember", "CA1", "session,add,n,1").await, "[2]");
        // The file is lost. What needs it fails, what does not goes on; and it is in use once it is back.
        let aside = host.data.join("aside");
        std::fs::rename(&file, &aside).unwrap();
        assert_eq!(voice(&client, "acme/remember", "CA1", "session,add,n,1").await, "HS209");
        assert_eq!(voice(&client, "acme/remember", "CA1", "store,add,n,1").await, "[1]");
        assert!(host.logged().contains("sessions or stores can't be used"), "{}", host.logged());
        std::fs::rename(&aside, &file).unwrap();
        assert_eq!(voice(&client, "acme/remember", "CA1", "session,get,n").await, "[2]");
    });
}

/// A host with the handler `acme/remember`.
fn served(folder: &Path) -> Served {
    let host = Served::start(&folder.join("data"));
    host.tenant("acme");
    deploy(&host, folder);
    host
}

fn deploy(host: &Served, folder: &Path) {
    let path = ready(folder, "remember", remember(), "fallback = \"fallback.xml\"");
    std::fs::copy(ROOT.join("tests/guests/remember/fallback.xml"), path.join("fallback.xml")).unwrap();
    host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme", "--no-canary"]);
}

/// Removes a handler of `acme`.
fn delete(host: &Served, handler: &str) {
    let token = std::fs::read_to_string(host.data.join("operator-token")).unwrap();
    let bearer = format!("authorization: Bearer {}", token.trim());
    let url = format!("http://{}/api/v1/tenants/acme/handlers/{handler}", host.control);
    let deleted =
        std::process::Command::new("curl").args(["-sf", "-X", "DELETE", "-H", &bearer, &url]).status();
    assert!(deleted.unwrap().success());
}

#[test]
fn a_handler_finds_nothing_of_another_that_had_its_name_and_still_writes() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let limits = "[limits]\ndeadline_ms = 14000\ncpu_ms = 5000";
        let deploy = |name: &str, more: &str| {
            let path = ready(folder.path(), name, remember(), &format!("{limits}\n{more}"));
            host.run(&["deploy", path.to_str().unwrap(), "--tenant", "acme", "--no-canary"])
        };
        assert!(deploy("remember", "").status.success());
        let client = Client::new(host.webhooks);
        let floods: Vec<_> = (0..4)
            .map(|n| {
                let client = client.clone();
                tokio::spawn(async move {
                    let step = if n % 2 == 0 { "store,flood,10" } else { "session,set,k,old~store,flood,10" };
                    voice(&client, "acme/remember", &format!("CA{n}"), step).await
                })
            })
            .collect();
        let file = rusqlite::Connection::open(host.data.join(STORE_FILE)).unwrap();
        file.busy_timeout(Duration::from_secs(10)).unwrap();
        let count = |sql: &str| file.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
        let written = "SELECT count(*) FROM entry WHERE key LIKE 'flood%'";
        wait_for("what is written", 20, || (count(written) > 10).then_some(()));
        delete(&host, "remember");
        assert!(deploy("remember", "").status.success());
        for (n, flood) in floods.into_iter().enumerate() {
            let heard = flood.await.unwrap();
            // What wanted to keep a session, too, could not do that either.
            let expected = if n % 2 == 0 { "the handler was deleted" } else { "HS217" };
            assert!(heard.contains(expected), "{heard}");
        }
        assert_eq!(count(written), 0);
        let step = "store,keys,~session,get,k~store,set,k,new~session,set,k,new";
        assert_eq!(voice(&client, "acme/remember", "CA0", step).await, "[][-][ok][ok]");

        // Where that can't be settled, a handler does not begin; one that is there goes on.
        file.execute_batch("BEGIN IMMEDIATE").unwrap();
        let refused = deploy("second", "");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains("so second can't begin"), "{said}");
        assert!(deploy("remember", "[config]\na = \"b\"").status.success());
        file.execute_batch("ROLLBACK").unwrap();
        assert!(deploy("second", "").status.success());
        assert_eq!(voice(&client, "acme/remember", "CA0", "store,get,k~session,get,k").await, "[new][new]");
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let mut host = served(folder.path());
        let (callers, mut before) = (16, vec![0_u64; 16]);
        for kill in 0..3 {
            let client = Client::new(host.webhooks);
            let acknowledged: Arc<Vec<AtomicU64>> =
                Arc::new(before.iter().map(|count| AtomicU64::new(*count)).collect());
            let calling: Vec<_> = (0..callers)
                .map(|caller| {
                    let (client, acknowledged) = (client.clone(), Arc::clone(&acknowledged));
                    tokio::spawn(async move {
                        let (id, step) =
                            (format!("CA{caller}"), format!("session,add,n,1~store,add,n-{caller},1"));
                        loop {
                            let heard = voice(&client, "acme/remember", &id, &step).await;
                            let next = acknowledged[caller].load(Ordering::Relaxed) + 1;
                            assert_eq!(heard, format!("[{next}][{next}]"), "{id} after kill {kill}");
                            acknowledged[caller].store(next, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            let all = || acknowledged.iter().map(|count| count.load(Ordering::Relaxed)).sum::<u64>();
            let enough = before.iter().sum::<u64>() + 300 + kill * 50;
            wait_for("the callers", 60, || (all() >= enough).then_some(()));
            let data = host.kill();
            for caller in calling {
                // Its last webhook was not answered; whatever else ended it was wrong.
                caller.abort();
                let _ended = caller.await;
            }
            host = Served::start(&data);
            let client = Client::new(host.webhooks);
            for caller in 0..callers {
                let told = acknowledged[caller].load(Ordering::Relaxed);
                let step = format!("session,get,n~store,get,n-{caller}");
                let heard = voice(&client, "acme/remember", &format!("CA{caller}"), &step).await;
                let counts: Vec<u64> = heard
                    .trim_matches(['[', ']'])
                    .split("][")
                    .map(|count| count.parse().unwrap_or_else(|_| panic!("{heard}")))
                    .collect();
                // One webhook may have been kept whose answer nobody got.
                for count in &counts {
                    assert!(
                        (told..=told + 1).contains(count),
                        "kill {kill}: {heard}, {told} were acknowledged"
                    );
                }
                let even = told + 1;
                let step = format!("session,set,n,{even}~store,set,n-{caller},{even}");
                assert_eq!(voice(&client, "acme/remember", &format!("CA{caller}"), &step).await, "[ok][ok]");
                before[caller] = even;
            }
        }
    });
}

#[test]
fn a_store_is_in_a_backup_outlives_a_handover_and_goes_with_its_handler() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = served(folder.path());
        let client = Client::new(host.webhooks);
        assert_eq!(voice(&client, "acme/remember", "CA1", "store,set,k,v~session,set,k,v").await, "[ok][ok]");
        let (tar, restored) = (folder.path().join("all.tar"), folder.path().join("restored"));
        host.ok(&["backup", tar.to_str().unwrap(), "--data", host.data.to_str().unwrap()]);

        // Another process takes the folder over; the call goes on with what it had.
        let next = Served::start_with(&host.data, &["--take-over"]);
        assert_eq!(voice(&client, "acme/remember", "CA1", "store,get,k~session,get,k").await, "[v][v]");
        drop(host);
        delete(&next, "remember");
        deploy(&next, folder.path());
        let client = Client::new(next.webhooks);
        assert_eq!(voice(&client, "acme/remember", "CA1", "store,get,k~session,get,k").await, "[-][-]");

        std::fs::create_dir(&restored).unwrap();
        let unpacked =
            std::process::Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(&restored).status();
        assert!(unpacked.unwrap().success() && restored.join(STORE_FILE).is_file());
        let back = Served::start(&restored);
        let client = Client::new(back.webhooks);
        // Its code is compiled anew when somebody first calls.
        let began = Instant::now();
        loop {
            match voice(&client, "acme/remember", "CA1", "store,get,k~session,get,k").await.as_str() {
                "HS216" if began.elapsed() < Duration::from_secs(120) => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                heard => break assert_eq!(heard, "[v][-]"),
            }
        }
    });
}
