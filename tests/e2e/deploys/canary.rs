//! A revision on trial: its share, its end, and what callers hear of it.

use super::{front_desk, greeting, ready, variation};
use crate::support::{Client, Served, misbehave, on_host_runtime, wait_for};

#[test]
fn a_canary_takes_its_share_and_callers_stay_on_the_side_that_they_began_on() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let deploy = |component: &[u8], more: &[&str]| {
            let path = greeting(folder.path(), component, "Welcome.");
            let mut args = vec!["deploy", path.to_str().unwrap(), "--tenant", "acme"];
            args.extend(more);
            host.json(&args)
        };
        deploy(front_desk(), &[]);
        let second = deploy(&variation(front_desk(), "two"), &["--percent", "50"]);
        assert_eq!(
            (&second["revision"], &second["live"], &second["percent"]),
            (&2.into(), &true.into(), &50.0.into())
        );

        let client = Client::new(host.webhooks);
        let mut on = [0, 0];
        for _ in 0..40 {
            let mut call = client.call("acme/front-desk");
            let first = call.start().await.revision().to_owned();
            assert_eq!(call.press("9").await.revision(), first);
            assert_eq!(call.start().await.revision(), first, "the first URL again");
            on[usize::from(first == "2")] += 1;
        }
        assert!(on[0] >= 5 && on[1] >= 5, "of 40 calls at 50 %: {on:?}");
        let status = host.json(&["status", "front-desk", "--tenant", "acme"]);
        assert_eq!((&status["stable"], &status["canary"]["revision"]), (&1.into(), &2.into()), "{status}");

        host.ok(&["promote", "front-desk", "--tenant", "acme"]);
        for _ in 0..10 {
            assert_eq!(client.call("acme/front-desk").start().await.revision(), "2");
        }
        host.ok(&["rollback", "front-desk", "--tenant", "acme"]);
        assert_eq!(client.call("acme/front-desk").start().await.revision(), "1");
    });
}

#[test]
fn a_canary_that_fails_is_answered_by_the_stable_revision_and_taken_back() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let host = Served::start(&data);
        host.tenant("acme");
        let good = ready(folder.path(), "ivr", misbehave(), "");
        host.ok(&["deploy", good.to_str().unwrap(), "--tenant", "acme"]);
        // Other code that does the same for most steps: what fails is in the settings of the second one.
        let bad = ready(folder.path(), "ivr", &variation(misbehave(), "bad"), "[config]\ntrap = \"always\"");
        host.ok(&["deploy", bad.to_str().unwrap(), "--tenant", "acme", "--percent", "90"]);

        let client = Client::new(host.webhooks);
        let taken_back = wait_for_calls(&host, &client).await;
        let history = taken_back["history"].as_array().unwrap();
        assert_eq!(history[0]["change"], "taken_back", "{taken_back}");
        assert!(history[0]["reason"].as_str().unwrap().contains("failed"), "{taken_back}");
        assert!(host.get("/metrics").contains("hookswitch_canaries_taken_back_total"), "counted");
        wait_for("the log line", 5, || host.logged().contains("taken back").then_some(()));

        let data = host.kill();
        let host = Served::start(&data);
        let status = host.json(&["status", "ivr", "--tenant", "acme"]);
        assert_eq!((&status["stable"], &status["canary"]), (&1.into(), &serde_json::Value::Null), "{status}");
    });
}

/// Calls until the canary is gone; each caller hears a document of the handler's own.
async fn wait_for_calls(host: &Served, client: &Client) -> serde_json::Value {
    for _ in 0..60 {
        for _ in 0..5 {
            let heard = client.call("acme/ivr/voice/ok").start().await.clone();
            assert_eq!(
                (heard.code(), heard.revision()),
                ("", "1"),
                "answered by the stable one: {}",
                heard.body
            );
        }
        let status = host.json(&["status", "ivr", "--tenant", "acme"]);
        if status["canary"].is_null() {
            return status;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("the canary is still there: {}", host.json(&["status", "ivr", "--tenant", "acme"]));
}
