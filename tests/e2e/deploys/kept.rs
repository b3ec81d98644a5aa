//! What a handler has besides its code, and what is known of its revisions, goes on: over a deploy of code alone, over a restart.

use std::process::Command;

use serde_json::{Value, json};

use super::{front_desk, greeting, ready, variation};
use crate::support::{Client, Served, on_host_runtime, wait_for};

const STATUS: [&str; 4] = ["status", "front-desk", "--tenant", "acme"];

#[test]
fn a_component_alone_keeps_the_settings_and_taking_them_away_is_tried_out_first() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let whole = greeting(folder.path(), front_desk(), "One.");
        host.ok(&["deploy", whole.to_str().unwrap(), "--tenant", "acme"]);

        let bare = folder.path().join("bare.wasm");
        std::fs::write(&bare, variation(front_desk(), "two")).unwrap();
        let deploy = |more: &[&str]| {
            let args = ["deploy", bare.to_str().unwrap(), "--name", "front-desk", "--tenant", "acme"];
            host.json(&[&args, more].concat())
        };
        let second = deploy(&["--no-canary"]);
        assert_eq!(
            (&second["settings_of"], &second["reason"]),
            (&json!(1), &json!("code changed")),
            "{second}"
        );
        assert_eq!(second["changes"].as_array().unwrap().len(), 1, "{second}");
        let heard = Client::new(host.webhooks).call("acme/front-desk").start().await.clone();
        assert!(heard.revision() == "2" && heard.body.contains("One."), "{}", heard.body);
        let again = deploy(&["--no-canary"]);
        assert_eq!(
            (&again["revision"], &again["known"]),
            (&json!(2), &json!(true)),
            "the same is the same: {again}"
        );

        let emptied = deploy(&["--default-settings"]);
        assert_eq!((&emptied["risk"], &emptied["percent"]), (&json!("code"), &json!(10.0)), "{emptied}");
        assert_eq!(
            (&emptied["reason"], &emptied["settings_of"]),
            (&json!("config key removed"), &Value::Null)
        );
        let over = deploy(&["--percent", "20"]);
        assert_eq!(
            (&over["revision"], &over["settings_of"]),
            (&json!(2), &json!(2)),
            "of the stable one: {over}"
        );
        assert_eq!(over["ended_canary"], 3, "{over}");

        let first = ["deploy", bare.to_str().unwrap(), "--name", "another", "--tenant", "acme"];
        let first = host.json(&first);
        assert_eq!(
            (&first["revision"], &first["settings_of"]),
            (&json!(1), &Value::Null),
            "a first one: {first}"
        );
    });
}

#[test]
fn a_revision_that_drains_is_listed_with_its_end_before_and_after_a_restart() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        for (code, words) in [("one", "One."), ("two", "Two."), ("three", "Three.")] {
            let path = greeting(folder.path(), &variation(front_desk(), code), words);
            host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme", "--no-canary"]);
        }
        let mut call = Client::new(host.webhooks).call("acme/front-desk");
        call.start().await;
        host.ok(&["rollback", "front-desk", "--tenant", "acme", "--to", "1"]);

        let draining = |host: &Served| -> Vec<(Value, Value)> {
            let status = host.json(&STATUS);
            let serving = status["serving"].as_array().unwrap();
            let draining = serving.iter().filter(|one| one["state"] == "draining");
            draining.map(|one| (one["revision"].clone(), one["until"].clone())).collect()
        };
        let before = draining(&host);
        let numbers: Vec<_> = before.iter().map(|(number, _)| number.as_u64().unwrap()).collect();
        assert_eq!(numbers, [3, 2], "in force before, called or not; the first takes calls again");
        assert!(before.iter().all(|(_, until)| until.is_string()), "{before:?}");
        let listed = host.json(&["revisions", "front-desk", "--tenant", "acme"]);
        assert_eq!((&listed[0]["calls"], &listed[0]["until"]), (&json!(1), &before[0].1), "{listed}");
        assert_eq!((&listed[2]["state"], &listed[2]["until"]), (&json!("stable"), &Value::Null), "{listed}");

        let host = Served::start(&host.kill());
        assert_eq!(draining(&host), before);
    });
}

#[test]
fn what_a_canary_has_shown_outlives_the_process() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        for (code, share) in [("one", "--no-canary"), ("two", "--percent=50")] {
            let path = greeting(folder.path(), &variation(front_desk(), code), "Hello.");
            host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme", share]);
        }
        let mut calls = 0;
        // What an earlier process knew comes first; then what this one adds to it.
        let mut grows = async |host: &Served, by: u64| {
            let (client, until) = (Client::new(host.webhooks), calls + by);
            while calls < until {
                calls += u64::from(client.call("acme/front-desk").start().await.revision() == "2");
            }
            calls
        };
        let shows = |host: &Served, calls: u64| {
            wait_for(&format!("{calls} calls in status"), 30, || {
                let canary = &host.json(&STATUS)["canary"];
                let waits =
                    canary["waits_for"].as_str()?.starts_with(&format!("{} more calls or ", 100 - calls));
                let judged = canary["judgement"].as_str()?.contains(&format!("of {calls} webhooks"));
                (waits && judged).then_some(())
            });
        };
        let file = folder.path().join("data/canaries.json");
        let kept = |calls: u64| {
            wait_for(&format!("{calls} calls in the file"), 30, || {
                let kept: Value = serde_json::from_slice(&std::fs::read(&file).ok()?).ok()?;
                (kept[0]["watch"]["counted"]["canary"]["calls"] == calls).then_some(())
            });
        };
        let calls_now = grows(&host, 12).await;
        shows(&host, calls_now);
        kept(calls_now);

        let killed = Served::start(&host.kill());
        shows(&killed, calls_now);
        let calls_now = grows(&killed, 5).await;
        shows(&killed, calls_now);

        // Handed over at once: what was not in the file yet goes along.
        let next = Served::start_with(&folder.path().join("data"), &["--take-over"]);
        shows(&next, calls_now);

        next.ok(&["promote", "front-desk", "--tenant", "acme"]);
        wait_for("no file without a canary", 30, || (!file.exists()).then_some(()));
    });
}

#[test]
fn a_handler_is_deleted_with_what_it_has_once_no_number_leads_to_it() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let path = greeting(folder.path(), front_desk(), "One.");
        host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
        host.ok(&["number", "add", "+12025550199", "front-desk", "--tenant", "acme"]);
        let delete = ["delete", "front-desk", "--tenant", "acme", "--yes"];
        let refused = host.run(&delete);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(
            refused.status.code() == Some(1) && said.contains("+12025550199 leads to front-desk"),
            "{said}"
        );
        host.ok(&["number", "remove", "+12025550199", "--tenant", "acme"]);
        host.ok(&delete);
        let heard = Client::new(host.webhooks).call("acme/front-desk").start().await.clone();
        assert_eq!(heard.status, http::StatusCode::NOT_FOUND);
        assert_eq!(host.run(&STATUS).status.code(), Some(1));
    });
}

#[test]
fn a_rollback_right_after_the_host_took_the_canary_back_changes_nothing() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let deploy = |code: &str, toml: &str, share: &str| {
            let component = variation(crate::support::misbehave(), code);
            let path = ready(folder.path(), "ivr", &component, toml);
            host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme", share]);
        };
        deploy("one", "", "--no-canary");
        deploy("two", "", "--no-canary");
        deploy("three", "[config]\ntrap = \"always\"", "--percent=90");
        let seen = host.json(&["status", "ivr", "--tenant", "acme"]);

        let client = Client::new(host.webhooks);
        for _ in 0..20 {
            client.call("acme/ivr/voice/ok").start().await;
        }
        wait_for("the take-back", 30, || {
            host.json(&["status", "ivr", "--tenant", "acme"])["canary"].is_null().then_some(())
        });
        // Asked of what was seen before, whoever asks.
        let body = json!({ "generation": seen["generation"] }).to_string();
        for change in ["rollback", "promote"] {
            assert_eq!(asked(&host, &format!("tenants/acme/handlers/ivr/{change}"), &body), "409");
        }
        let output = host.run(&["rollback", "ivr", "--tenant", "acme"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            said.contains("the host took canary 3 back") && said.contains("rollback ivr --to 1"),
            "{said}"
        );
        assert_eq!(host.json(&["status", "ivr", "--tenant", "acme"])["stable"], 2);
        host.ok(&["rollback", "ivr", "--tenant", "acme", "--to", "1"]);
        assert_eq!(host.json(&["status", "ivr", "--tenant", "acme"])["stable"], 1);
    });
}

/// The status of the answer to a POST.
fn asked(host: &Served, path: &str, body: &str) -> String {
    let token = std::fs::read_to_string(host.data.join("operator-token")).unwrap();
    let output = Command::new("curl")
        .args(["-s", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}", "--json", body])
        .args(["-H", &format!("authorization: Bearer {}", token.trim())])
        .arg(format!("http://{}/api/v1/{path}", host.control))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
