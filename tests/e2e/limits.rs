//! Whatever a guest does, its caller hears the fallback document and its neighbour's call goes through.

use http::StatusCode;

use crate::support::{Heard, TestHost, misbehave, on_host_runtime};

const FALLBACK: &str = "something went wrong on our side";

async fn host() -> TestHost {
    let host = TestHost::start().await;
    host.deploy("acme", "guest", misbehave(), "").expect("it loads");
    host.deploy("other", "guest", misbehave(), "").expect("it loads");
    host
}

async fn step(host: &TestHost, path: &str) -> Heard {
    let params = [
        ("CallSid", "CA00000000000000000000000000000042"),
        ("AccountSid", "AC00000000000000000000000000000001"),
        ("From", "+12025550123"),
        ("To", "+12025550199"),
        ("CallStatus", "in-progress"),
    ];
    host.post(path, &params).await
}

#[test]
fn each_misbehaviour_ends_in_its_outcome_and_the_fallback_document() {
    on_host_runtime(async {
        let host = host().await;
        let cases = [
            ("spin", "HS203"),
            ("spin-log", "HS203"),
            ("backtrack", "HS203"),
            ("memory-fill", "HS203"),
            ("recurse-in-memory", "HS202"),
            ("recurse", "HS205"),
            ("alloc-until-fail", "HS204"),
            ("grow-large", "HS204"),
            ("panic", "HS213"),
            ("trap", "HS202"),
            ("huge-document", "HS207"),
            ("billion-laughs", "HS206"),
            ("doctype", "HS206"),
            ("empty", "HS206"),
            ("not-xml", "HS206"),
            ("wrong-root", "HS206"),
            ("outside-grammar", "HS208"),
            ("failure", "HS209"),
        ];
        for (name, code) in cases {
            let heard = step(&host, &format!("/acme/guest/voice/{name}")).await;
            assert_eq!((heard.status, heard.code()), (StatusCode::OK, code), "{name}: {}", heard.body);
            assert!(heard.body.contains(FALLBACK), "{name}: {}", heard.body);
            assert_eq!(heard.revision(), "1", "{name}");

            let neighbour = step(&host, "/other/guest/voice/ok").await;
            assert_eq!((neighbour.status, neighbour.code()), (StatusCode::OK, ""), "the neighbour of {name}");
        }
    });
}

#[test]
fn what_is_within_the_limits_is_answered() {
    on_host_runtime(async {
        let host = host().await;
        // Growth that is denied is an answer that a guest can live with; a full log loses entries, not the call.
        for name in ["ok", "slow-but-ok", "grow-small", "memory-touch", "log-flood"] {
            let heard = step(&host, &format!("/acme/guest/voice/{name}")).await;
            assert_eq!((heard.status, heard.code()), (StatusCode::OK, ""), "{name}: {}", heard.body);
            assert!(!heard.body.contains(FALLBACK), "{name}: {}", heard.body);
        }
    });
}

#[test]
fn a_document_outside_the_grammar_is_served_where_strictness_is_off() {
    on_host_runtime(async {
        let host = TestHost::start().await;
        host.deploy("acme", "guest", misbehave(), "strict = false").expect("it loads");
        let heard = step(&host, "/acme/guest/voice/outside-grammar").await;
        assert_eq!((heard.status, heard.code()), (StatusCode::OK, ""));
        assert!(!heard.body.contains(FALLBACK), "{}", heard.body);

        // Just under 64 KiB; longer than the carrier would speak, which it would only warn about.
        let heard = step(&host, "/acme/guest/voice/largest-document").await;
        assert_eq!((heard.status, heard.code()), (StatusCode::OK, ""));
        assert!(heard.body.len() > 60_000, "{} bytes", heard.body.len());
    });
}

#[test]
fn a_failing_status_callback_is_204_with_its_code() {
    on_host_runtime(async {
        let host = host().await;
        let params = [("CallSid", "CA00000000000000000000000000000042"), ("CallStatus", "completed")];
        let heard = host.post("/acme/guest/status/panic", &params).await;
        assert_eq!((heard.status, heard.code(), heard.body.as_str()), (StatusCode::NO_CONTENT, "HS213", ""));
    });
}

#[test]
fn a_failing_message_is_answered_with_a_message() {
    on_host_runtime(async {
        let host = host().await;
        let params = [
            ("MessageSid", "SM00000000000000000000000000000042"),
            ("From", "+12025550123"),
            ("To", "+12025550199"),
            ("Body", "panic"),
        ];
        let heard = host.post("/acme/guest/sms", &params).await;
        assert_eq!((heard.status, heard.code()), (StatusCode::OK, "HS213"));
        assert!(heard.body.contains("<Message>"), "{}", heard.body);
    });
}

#[test]
fn a_deadline_ends_an_invocation_that_its_cpu_limit_would_not() {
    on_host_runtime(async {
        let host = TestHost::start().await;
        host.deploy("acme", "guest", misbehave(), "[limits]\ndeadline_ms = 60\ncpu_ms = 5000")
            .expect("it loads");
        let heard = step(&host, "/acme/guest/voice/spin").await;
        assert_eq!((heard.status, heard.code()), (StatusCode::OK, "HS201"));
    });
}

#[test]
fn a_handler_at_its_concurrency_answers_the_fallback_and_its_neighbour_does_not_notice() {
    on_host_runtime(async {
        let host = TestHost::start().await;
        host.deploy("acme", "guest", misbehave(), "[limits]\nconcurrency = 1\ncpu_ms = 400")
            .expect("it loads");
        host.deploy("other", "guest", misbehave(), "").expect("it loads");
        let (first, second, neighbour) = tokio::join!(
            step(&host, "/acme/guest/voice/spin"),
            async {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                step(&host, "/acme/guest/voice/ok").await
            },
            step(&host, "/other/guest/voice/ok"),
        );
        assert_eq!(first.code(), "HS203");
        assert_eq!((second.status, second.code()), (StatusCode::OK, "HS211"));
        assert!(second.body.contains(FALLBACK));
        assert_eq!(neighbour.code(), "");
    });
}
