//! Calls that were kept, and what other revisions would answer to them.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::deploys::{OPEN, front_desk, greeting, ready};
use crate::outbound::caller;
use crate::state::remember;
use crate::support::{Client, Served, Upstream, on_host_runtime};

/// A caller who wants sales and talks to them, one who leaves a message, and one who hangs up.
async fn three_calls(host: &Served) {
    let client = Client::new(host.webhooks);
    let mut sales = client.call("acme/front-desk");
    sales.start().await;
    sales.press("1").await;
    let heard = sales.follow("Dial", "action", &[("DialCallStatus", "completed")]).await;
    assert!(heard.body.contains("<Hangup/>"), "{}", heard.body);
    let mut message = client.call("acme/front-desk").from("+12025550144");
    message.start().await;
    let heard = message.press("3").await;
    assert!(heard.body.contains("<Record"), "{}", heard.body);
    client.call("acme/front-desk").start().await;
}

fn settings(folder: &Path, name: &str, toml: &str) -> String {
    ready(&folder.join(name), "front-desk", front_desk(), toml).to_str().unwrap().to_owned()
}

fn said(output: &Output) -> String {
    [&*output.stdout, &*output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// Kind, webhook and place of each group.
fn groups(report: &Value) -> Vec<(String, String, String)> {
    let text = |group: &Value, key: &str| group[key].as_str().unwrap().to_owned();
    let groups = report["groups"].as_array().unwrap().iter();
    groups.map(|group| (text(group, "kind"), text(group, "webhook"), text(group, "at"))).collect()
}

fn replay(host: &Served, revision: &str) -> (Option<i32>, Value) {
    let args = ["replay", "front-desk", "--tenant", "acme", "--revision", revision, "--json"];
    let output = host.run(&args);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    (output.status.code(), report)
}

fn triple(kind: &str, webhook: &str, at: &str) -> (String, String, String) {
    (kind.to_owned(), webhook.to_owned(), at.to_owned())
}

#[test]
fn kept_calls_tell_what_a_revision_changes_and_stop_its_deploy() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let one = greeting(folder.path(), front_desk(), "One.");
        let deploy = |path: &str, more: &[&str]| {
            let args = [&["deploy", path, "--tenant", "acme", "--no-canary"], more].concat();
            host.run(&args)
        };
        assert!(
            deploy(one.to_str().unwrap(), &["--replay", "100"]).status.success(),
            "nobody has called it yet"
        );

        three_calls(&host).await;
        let kept = host.json(&["tenant", "record", "acme"]);
        assert_eq!((&kept["settings"]["on"], &kept["calls"]), (&false.into(), &0.into()), "{kept}");
        let refused = deploy(one.to_str().unwrap(), &["--replay", "100"]);
        assert!(!refused.status.success() && said(&refused).contains("--on"), "{}", said(&refused));

        host.ok(&["tenant", "record", "acme", "--on"]);
        // Nothing is kept yet, so nothing says that callers would hear the same.
        let live = || host.json(&["revisions", "front-desk", "--tenant", "acme"]).as_array().unwrap().len();
        let other = settings(folder.path(), "other", &format!("[config]\n{OPEN}\nwords = \"other\""));
        let refused = deploy(&other, &["--replay", "100"]);
        assert_eq!((refused.status.code(), live()), (Some(1), 1), "{}", said(&refused));
        for part in
            ["no call of acme/front-desk is kept yet", "--replay-allow none-kept", "nothing was changed"]
        {
            assert!(said(&refused).contains(part), "{part} is not in\n{}", said(&refused));
        }
        let meant = deploy(one.to_str().unwrap(), &["--replay", "100", "--replay-allow", "text,none-kept"]);
        assert!(meant.status.success(), "{}", said(&meant));
        assert!(
            said(&meant).contains("warning: no call is kept, so nothing was compared"),
            "{}",
            said(&meant)
        );
        three_calls(&host).await;
        let kept = host.json(&["tenant", "record", "acme"]);
        assert_eq!((&kept["calls"], &kept["webhooks"]), (&3.into(), &6.into()), "{kept}");
        let mut file = std::fs::read(host.data.join("recordings.db")).unwrap();
        file.extend(std::fs::read(host.data.join("recordings.db-wal")).unwrap_or_default());
        for word in ["2025550123", "2025550144", "5550144", "CallSid", "CA0000", "press 1"] {
            let found = file.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} can be read in the file");
        }

        let webhooks =
            || host.json(&["status", "front-desk", "--tenant", "acme"])["serving"][0]["webhooks"].clone();
        let before = webhooks();
        let (code, report) = replay(&host, "1");
        assert_eq!((code, groups(&report)), (Some(0), vec![]), "{report}");
        assert_eq!((&report["same_calls"], &report["webhooks"]), (&3.into(), &6.into()), "{report}");
        assert_eq!(webhooks(), before, "a replay is no call");
        assert_eq!(host.json(&["tenant", "record", "acme"])["webhooks"], 6, "and is not kept");

        // The gate: other words.
        let two = greeting(&folder.path().join("two"), front_desk(), "Two.");
        let stopped = deploy(two.to_str().unwrap(), &["--replay", "100"]);
        assert_eq!(stopped.status.code(), Some(1));
        let said_then = said(&stopped);
        for part in ["text  voice Gather/Say  3 times in 3 calls", "- <Say>One.</Say>", "+ <Say>Two.</Say>"] {
            assert!(said_then.contains(part), "{part} is not in\n{said_then}");
        }
        let client = Client::new(host.webhooks);
        let heard = client.call("acme/front-desk").start().await.clone();
        assert!(heard.revision() == "1" && heard.body.contains("One."), "no call was moved: {}", heard.body);
        assert_eq!(host.json(&["revisions", "front-desk", "--tenant", "acme"]).as_array().unwrap().len(), 1);
        let passed = deploy(two.to_str().unwrap(), &["--replay", "100", "--replay-allow", "text", "--json"]);
        let deployed: Value =
            serde_json::from_slice(&passed.stdout).unwrap_or_else(|_| panic!("{}", said(&passed)));
        assert_eq!((&deployed["revision"], &deployed["live"]), (&2.into(), &true.into()), "{deployed}");
        assert_eq!(groups(&deployed["replay"]), [triple("text", "voice", "Gather/Say")]);
        assert!(
            said(&passed).contains("warning: 4 calls are kept and were played, of the 100 asked for"),
            "{}",
            said(&passed)
        );

        // No number to connect to: one caller would hear the fallback document.
        let lost = settings(
            folder.path(),
            "lost",
            "[config]\ngreeting = \"One.\"\nopen = 0\nclose = 24\nweekends = true",
        );
        assert!(deploy(&lost, &[]).status.success());
        let (code, report) = replay(&host, "3");
        assert_eq!((code, groups(&report)), (Some(1), vec![triple("fails", "voice/menu", "")]), "{report}");
        let group = &report["groups"][0];
        assert!(group["new"].as_str().unwrap().starts_with("HS209") && group["calls"] == 1, "{group}");

        // Closed: nobody is asked for a key any more.
        let closed = settings(
            folder.path(),
            "closed",
            &format!("[config]\n{OPEN}").replace("close = 24", "close = 0"),
        );
        assert!(deploy(&closed, &[]).status.success());
        let (code, report) = replay(&host, "4");
        let kinds = groups(&report);
        assert_eq!(code, Some(1), "{report}");
        assert!(kinds.contains(&triple("unreached", "voice", "voice/menu")), "{report}");
        assert!(kinds.contains(&triple("verb-removed", "voice", "Gather")), "{report}");
        assert_eq!(report["followed_in_part"], 2, "{report}");

        host.ok(&["tenant", "record", "acme", "--off", "--forget"]);
        assert_eq!(host.json(&["tenant", "record", "acme"])["calls"], 0);
        let (code, said) = {
            let output = host.run(&["replay", "front-desk", "--tenant", "acme", "--revision", "1"]);
            (output.status.code(), said(&output))
        };
        assert!(code == Some(1) && said.contains("no call of acme/front-desk is kept"), "{said}");
    });
}

#[test]
fn what_redaction_changes_is_not_held_against_a_revision() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let one = greeting(folder.path(), front_desk(), "One.");
        host.ok(&["deploy", one.to_str().unwrap(), "--tenant", "acme"]);
        host.ok(&["tenant", "record", "acme", "--on", "--digits", "mask"]);
        three_calls(&host).await;
        // A `0` is kept where a `1` was pressed, so neither revision connects anybody.
        let (code, report) = replay(&host, "1");
        assert_eq!((code, groups(&report)), (Some(0), vec![]), "{report}");
        assert!(report["unstable"].as_u64() >= Some(2) && report["followed_in_part"] == 1, "{report}");

        let two = greeting(&folder.path().join("two"), front_desk(), "Two.");
        host.ok(&["deploy", two.to_str().unwrap(), "--tenant", "acme"]);
        let (code, report) = replay(&host, "2");
        assert_eq!(
            (code, groups(&report)),
            (Some(1), vec![triple("text", "voice", "Gather/Say")]),
            "{report}"
        );

        // Kept calls outlive the process that kept them, and what was set does.
        let data = host.kill();
        let host = Served::start(&data);
        assert_eq!(host.json(&["tenant", "record", "acme"])["settings"]["digits"], "mask");
        assert_eq!(replay(&host, "1").0, Some(0));
    });
}

/// Webhooks of one call to `handler`, each a step and what the caller says there.
async fn call(host: &Served, handler: &str, id: &str, steps: &[(&str, &str)]) -> Vec<String> {
    let client = Client::new(host.webhooks);
    let mut heard = Vec::new();
    for (step, speech) in steps {
        let params = [
            ("CallSid", id),
            ("From", "+12025550123"),
            ("To", "+12025550199"),
            ("Direction", "inbound"),
            ("CallStatus", "in-progress"),
            ("SpeechResult", speech),
        ];
        heard.push(client.post(&format!("/acme/{handler}/voice/{step}"), &params).await.body);
    }
    heard
}

fn replayed(host: &Served, handler: &str, revision: &str) -> (Option<i32>, Value) {
    let args = ["replay", handler, "--tenant", "acme", "--revision", revision, "--json"];
    let output = host.run(&args);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    (output.status.code(), report)
}

#[test]
fn requests_are_answered_from_the_record_and_nothing_is_sent() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let upstream = Upstream::start().await;
        let config = folder.path().join("hookswitch.toml");
        let allowed = format!("outbound_allow_private = [\"{}\"]\n", upstream.address);
        std::fs::write(&config, allowed).unwrap();
        let host = Served::start_with(&folder.path().join("data"), &["--config", config.to_str().unwrap()]);
        host.tenant("acme");
        // The second may call nobody.
        let toml = format!("[outbound]\nallow = [\"{}\"]", upstream.url(""));
        for (name, toml) in [("one", toml.as_str()), ("two", "")] {
            let ready = ready(&folder.path().join(name), "caller", caller(), toml);
            host.ok(&["deploy", ready.to_str().unwrap(), "--tenant", "acme", "--no-canary"]);
        }
        host.ok(&["rollback", "caller", "--tenant", "acme"]);
        // What callers say is kept as it is: here it is the URL to be called.
        host.ok(&["tenant", "record", "acme", "--on", "--texts", "keep"]);
        let (found, echo) = (upstream.url("/status/404?of=%2B12025550123"), upstream.url("/echo?of=desk"));
        let heard = call(&host, "caller", "CA1", &[("get", found.as_str()), ("post", echo.as_str())]).await;
        assert!(heard[0].contains("404, 4 bytes, said"), "{heard:?}");
        assert!(heard[1].contains("200, ") && heard[1].contains("xxxxx"), "{heard:?}");

        let (code, report) = replayed(&host, "caller", "1");
        assert_eq!((code, groups(&report)), (Some(0), vec![]), "{report}");
        assert_eq!((&report["same_calls"], &report["unstable"]), (&1.into(), &0.into()), "{report}");

        let found = upstream.url("/status/404?of=%2B12025550123");
        call(&host, "caller", "CA2", &[("get", found.as_str())]).await;
        let arrived = upstream.seen().len();
        assert_eq!(arrived, 3);
        let (code, report) = replayed(&host, "caller", "2");
        let found = groups(&report);
        assert_eq!(code, Some(1), "{report}");
        let origin = upstream.url("");
        for (method, webhook) in [("GET", "voice/get"), ("POST", "voice/post")] {
            assert!(found.contains(&triple("effects", webhook, &format!("{method} {origin}"))), "{report}");
            assert!(found.contains(&triple("text", webhook, "Say")), "{report}");
        }
        let gone = report["groups"].as_array().unwrap().iter().find(|group| group["kind"] == "effects");
        let gone = gone.unwrap();
        assert_eq!(gone["new"], "no longer does", "{gone}");
        assert!(!gone["old"].as_str().unwrap().contains("2025550123"), "{gone}");
        assert_eq!(upstream.seen().len(), arrived, "nothing is sent");
    });
}

#[test]
fn a_store_answers_as_it_did_and_what_a_revision_would_write_besides_is_told() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        for (name, toml) in [("one", ""), ("two", "[config]\nend = \"store,set,last,x\"")] {
            let ready = ready(&folder.path().join(name), "remember", remember(), toml);
            host.ok(&["deploy", ready.to_str().unwrap(), "--tenant", "acme", "--no-canary"]);
        }
        host.ok(&["rollback", "remember", "--tenant", "acme"]);
        let visit = "store,add,visits,1~store,get,visits~store,keys,v";
        // Before anybody records: a replay that began with an empty store would count from one again.
        let heard = call(&host, "remember", "CA1", &[(visit, "")]).await;
        assert!(heard[0].contains("[1][1][visits]"), "{heard:?}");
        host.ok(&["tenant", "record", "acme", "--on"]);
        let heard = call(&host, "remember", "CA2", &[(visit, ""), ("store,swap,visits,2,40", "")]).await;
        assert!(heard[0].contains("[2][2][visits]") && heard[1].contains("[true]"), "{heard:?}");

        let (code, report) = replayed(&host, "remember", "1");
        assert_eq!((code, groups(&report)), (Some(0), vec![]), "{report}");
        assert_eq!((&report["same_calls"], &report["unstable"]), (&1.into(), &0.into()), "{report}");

        let (code, report) = replayed(&host, "remember", "2");
        assert_eq!(code, Some(1), "{report}");
        let effects: Vec<_> =
            report["groups"].as_array().unwrap().iter().filter(|group| group["kind"] == "effects").collect();
        assert_eq!(effects.len(), 2, "{report}");
        for group in effects {
            assert_eq!(
                (&group["at"], &group["new"]),
                (&"store set".into(), &"would also do: store set: last".into())
            );
        }
        let heard = call(&host, "remember", "CA3", &[("store,get,visits~store,get,last", "")]).await;
        assert!(heard[0].contains("[40][-]"), "a replay leaves the real store alone: {heard:?}");
    });
}
