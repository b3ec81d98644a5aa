//! From nothing to an answered call, and what a call hears while revisions change around it.

use http::StatusCode;

use super::{front_desk, greeting, ready, variation};
use crate::support::{Client, Served, misbehave, on_host_runtime};

#[test]
fn from_nothing_to_an_answered_call_with_four_commands() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let path = greeting(folder.path(), front_desk(), "One.");
        let deployed = host.json(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
        assert_eq!(deployed["tenant"], "acme", "{deployed}");
        assert_eq!((&deployed["handler"], &deployed["revision"]), (&"front-desk".into(), &1.into()));
        assert_eq!((&deployed["live"], &deployed["percent"]), (&true.into(), &100.0.into()));
        assert!(
            deployed["urls"]["voice"].as_str().unwrap().ends_with("/acme/front-desk/voice"),
            "{deployed}"
        );

        let mut call = Client::new(host.webhooks).call("acme/front-desk");
        let heard = call.start().await;
        assert_eq!((heard.status, heard.revision()), (StatusCode::OK, "1"), "{}", heard.body);
        assert!(heard.body.contains("One."), "{}", heard.body);

        let again = host.json(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
        assert_eq!((&again["revision"], &again["known"]), (&1.into(), &true.into()), "the same is the same");
    });
}

#[test]
fn a_call_stays_on_its_revision_whatever_link_or_none_it_follows() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let deploy = |component: &[u8], words: &str| {
            let path = greeting(folder.path(), component, words);
            host.json(&["deploy", path.to_str().unwrap(), "--tenant", "acme", "--no-canary"])
        };
        deploy(front_desk(), "One.");
        let client = Client::new(host.webhooks);
        let mut call = client.call("acme/front-desk");
        assert_eq!(call.start().await.revision(), "1");

        let second = deploy(&variation(front_desk(), "two"), "Two.");
        assert_eq!((&second["revision"], &second["risk"]), (&2.into(), &"code".into()), "{second}");

        assert_eq!(call.press("9").await.revision(), "1", "the link names the revision");
        let heard = call.start().await;
        assert!(
            heard.revision() == "1" && heard.body.contains("One."),
            "the first URL again: {}",
            heard.body
        );
        let told = client
            .post(
                "/acme/front-desk/status",
                &[("CallSid", call.id()), ("AccountSid", "AC1"), ("CallStatus", "completed")],
            )
            .await;
        assert_eq!(
            (told.status, told.revision()),
            (StatusCode::NO_CONTENT, "1"),
            "a status callback has no pin"
        );
        assert_eq!(client.call("acme/front-desk").start().await.revision(), "2", "a new call");

        host.ok(&["rollback", "front-desk", "--tenant", "acme"]);
        assert_eq!(client.call("acme/front-desk").start().await.revision(), "1", "back");
        host.ok(&["rollback", "front-desk", "--tenant", "acme", "--to", "2"]);
        assert_eq!(client.call("acme/front-desk").start().await.revision(), "2", "and forth");
        let status = host.json(&["status", "front-desk", "--tenant", "acme"]);
        assert_eq!(status["stable"], 2, "{status}");
    });
}

#[test]
fn only_words_changed_takes_all_calls_at_once_and_nothing_is_compiled() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let path = greeting(folder.path(), front_desk(), "One.");
        host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
        let compiled = compiles(&host);
        host.ok(&["config", "set", "front-desk", "greeting=Two.", "--tenant", "acme"]);
        let heard = Client::new(host.webhooks).call("acme/front-desk").start().await.clone();
        assert!(heard.revision() == "2" && heard.body.contains("Two."), "{}", heard.body);
        assert_eq!(compiles(&host), compiled, "the component is the same");
        let metrics = host.get("/metrics");
        for line in [
            "hookswitch_deploys_total{outcome=\"live\"} 2",
            "hookswitch_release_switch_seconds_count 2",
            "hookswitch_artifact_lookups_total{to_be=\"admitted\",found=\"missing\"} 1",
            "hookswitch_artifact_lookups_total{to_be=\"admitted\",found=\"file\"} 1",
            "hookswitch_tenant_running_invocations{tenant=\"acme\"} 0",
        ] {
            assert!(metrics.lines().any(|shown| shown == line), "{line} is not in\n{metrics}");
        }
        let helped = |name: &str| metrics.contains(&format!("# HELP {name} "));
        let unhelped: Vec<_> = metrics
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
            .filter(|name| !helped(name))
            .collect();
        assert!(unhelped.is_empty(), "nobody says what these mean: {unhelped:?}");
    });
}

fn compiles(host: &Served) -> u64 {
    let metrics = host.get("/metrics");
    let lines = metrics.lines().filter(|line| line.starts_with("hookswitch_compiles_total"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[test]
fn a_number_leads_to_its_handler() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let path = greeting(folder.path(), front_desk(), "One.");
        host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
        let client = Client::new(host.webhooks);
        let call =
            [("CallSid", "CA7"), ("AccountSid", "AC1"), ("From", "+12025550123"), ("To", "+12025550199")];
        assert_eq!(client.post("/voice", &call).await.status, StatusCode::NOT_FOUND);
        host.ok(&["number", "add", "+12025550199", "front-desk", "--tenant", "acme"]);
        let heard = client.post("/voice", &call).await;
        assert_eq!((heard.status, heard.revision()), (StatusCode::OK, "1"), "{}", heard.body);
        host.ok(&["number", "remove", "+12025550199", "--tenant", "acme"]);
        assert_eq!(client.post("/voice", &call).await.status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn what_is_wrong_with_a_component_is_said_at_the_deploy_and_changes_nothing() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let refused = |component: &[u8], toml: &str| {
            let path = ready(folder.path(), "front-desk", component, toml);
            let output = host.run(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
            assert_eq!(output.status.code(), Some(1));
            String::from_utf8_lossy(&output.stderr).into_owned()
        };
        let bomb = hookswitch_tests::attack::compile::functions(100_000);
        let cases: &[(&str, &[u8], &str, &str)] = &[
            ("bomb", &bomb, "", "functions"),
            ("core module", b"\0asm\x01\0\0\0", "", "component"),
            ("over the operator's limit", front_desk(), "[limits]\nmemory_mib = 4096", "memory_mib"),
        ];
        for (name, component, toml, expected) in cases {
            let said = refused(component, toml);
            assert!(said.contains(expected), "{name}: {said}");
        }
        std::fs::write(folder.path().join("front-desk/sorry.xml"), "<Response><Say>").unwrap();
        let said = refused(front_desk(), "fallback = \"sorry.xml\"");
        assert!(said.contains("fallback"), "{said}");
        let status = host.run(&["status", "front-desk", "--tenant", "acme"]);
        assert_eq!(status.status.code(), Some(1), "no handler came of it");
    });
}

#[test]
fn a_tenant_at_its_limit_hears_its_fallback_and_its_neighbour_nothing_of_it() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        for tenant in ["acme", "busy"] {
            host.tenant(tenant);
            let path = ready(folder.path(), "ivr", misbehave(), "[limits]\nconcurrency = 4");
            host.ok(&["deploy", path.to_str().unwrap(), "--tenant", tenant]);
        }
        let client = Client::new(host.webhooks);
        let mut sleepers = tokio::task::JoinSet::new();
        for call in 0..24 {
            let client = client.clone();
            sleepers.spawn(async move {
                let id = format!("CA{call}");
                let params = [
                    ("CallSid", id.as_str()),
                    ("AccountSid", "AC1"),
                    ("From", "+12025550123"),
                    ("To", "+12025550199"),
                ];
                client.post("/busy/ivr/voice/slow-but-ok", &params).await
            });
        }
        let heard = client.call("acme/ivr/voice/ok").start().await.clone();
        assert_eq!((heard.status, heard.code()), (StatusCode::OK, ""), "{}", heard.body);
        let codes: Vec<String> =
            sleepers.join_all().await.iter().map(|heard| heard.code().to_owned()).collect();
        assert!(codes.iter().any(|code| code == "HS211"), "more than its places: {codes:?}");
    });
}
