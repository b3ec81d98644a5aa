//! Who is let in, which revision answers, and what happens to the second delivery.

use std::sync::Arc;

use hookswitch::call::{HandlerName, RevisionId, TenantId};
use hookswitch::carrier::twilio::signature::{self, AuthToken, Keys};
use hookswitch::router::{Snapshot, Tenant};
use http::{Request, StatusCode};

use crate::support::{METRICS, TOKEN, TestHost, example, misbehave, on_host_runtime};

const CALL: &[(&str, &str)] = &[
    ("CallSid", "CA00000000000000000000000000000042"),
    ("AccountSid", "AC00000000000000000000000000000001"),
    ("From", "+12025550123"),
    ("To", "+12025550199"),
    ("CallStatus", "ringing"),
];

const MESSAGE: &[(&str, &str)] = &[
    ("MessageSid", "SM00000000000000000000000000000042"),
    ("AccountSid", "AC00000000000000000000000000000001"),
    ("From", "+12025550123"),
    ("To", "+12025550199"),
    ("Body", "random"),
    ("NumMedia", "0"),
];

async fn host() -> TestHost {
    let host = TestHost::start().await;
    host.deploy("acme", "ivr", misbehave(), "").expect("it loads");
    host
}

#[test]
fn a_request_that_the_carrier_did_not_sign_runs_nothing() {
    on_host_runtime(async {
        let host = host().await;
        let path = "/acme/ivr/voice/ok";
        let sign = |token: &str, url: &str, params: &[(&str, &str)]| {
            signature::sign(url, params.iter().copied(), &AuthToken::new(token).unwrap())
        };
        let url = host.url(path);
        let other: Vec<_> = CALL.iter().copied().chain([("Digits", "1")]).collect();
        let cases = [
            ("no signature", None),
            ("empty", Some(String::new())),
            ("another token", Some(sign("another", &url, CALL))),
            ("another URL", Some(sign(TOKEN, &host.url("/acme/ivr/voice/menu"), CALL))),
            ("another scheme", Some(sign(TOKEN, &url.replace("http:", "https:"), CALL))),
            ("another body", Some(sign(TOKEN, &url, &other))),
            ("genuine", Some(sign(TOKEN, &url, CALL))),
        ];
        for (name, signature) in cases {
            let mut request = Request::post(path);
            if let Some(signature) = &signature {
                request = request.header("X-Twilio-Signature", signature);
            }
            let heard = host.send_form(request, CALL).await;
            if name == "genuine" {
                assert_eq!(heard.status, StatusCode::OK, "{name}: {}", heard.body);
            } else {
                assert_eq!((heard.status, heard.code()), (StatusCode::FORBIDDEN, "HS101"), "{name}");
                assert_eq!(heard.revision(), "", "{name}: nothing ran");
            }
        }
    });
}

#[test]
fn forwarded_headers_of_a_peer_that_nobody_trusts_change_nothing() {
    on_host_runtime(async {
        let host = host().await;
        let path = "/acme/ivr/voice/ok";
        let forwarded = [("x-forwarded-proto", "https"), ("x-forwarded-host", "calls.example.com")];
        let heard = host.post_with(path, CALL, &forwarded).await;
        assert_eq!(heard.status, StatusCode::OK, "signed for the URL that was called");

        let trusting = hookswitch::config::Config {
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
            ..Default::default()
        };
        let host = TestHost::start_with(trusting).await;
        host.deploy("acme", "ivr", misbehave(), "").expect("it loads");
        let token = AuthToken::new(TOKEN).unwrap();
        let signature =
            signature::sign(&format!("https://calls.example.com{path}"), CALL.iter().copied(), &token);
        let request = Request::post(path)
            .header("x-twilio-signature", signature)
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "calls.example.com");
        assert_eq!(
            host.send_form(request, CALL).await.status,
            StatusCode::OK,
            "signed for the URL at the proxy"
        );
    });
}

#[test]
fn a_tenant_without_a_token_is_refused_and_never_let_through() {
    on_host_runtime(async {
        let host = host().await;
        let acme = host.host.router.tenant("acme").expect("it was deployed");
        let keyless = Tenant { keys: Keys::default(), ..Tenant::clone(&acme) };
        host.host.router.publish(Snapshot::new([keyless]));
        for signature in ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
            let request = Request::post("/acme/ivr/voice").header("x-twilio-signature", signature);
            let heard = host.send_form(request, CALL).await;
            assert_eq!((heard.status, heard.code()), (StatusCode::FORBIDDEN, "HS102"), "{signature:?}");
        }
    });
}

#[test]
fn what_is_not_there_is_404_and_what_is_unreadable_says_so() {
    on_host_runtime(async {
        let host = host().await;
        for path in [
            "/",
            "/acme",
            "/acme/ivr",
            "/nobody/ivr/voice",
            "/acme/other/voice",
            "/acme/ivr/fax",
            "/acme/ivr/voice/",
        ] {
            let heard = host.post(path, CALL).await;
            assert_eq!((heard.status, heard.code()), (StatusCode::NOT_FOUND, "HS103"), "{path}");
        }
        let heard = host.post("/acme/ivr/voice", &[("From", "+12025550123")]).await;
        assert_eq!((heard.status, heard.code()), (StatusCode::BAD_REQUEST, "HS105"));
        assert!(heard.body.contains("CallSid"), "{}", heard.body);
    });
}

#[test]
fn a_caller_stays_on_one_revision_through_a_deploy() {
    on_host_runtime(async {
        let host = TestHost::start().await;
        host.deploy_folder("acme", &example("front-desk")).expect("it loads");
        let mut call = host.call("acme/front-desk");
        assert_eq!(call.start().await.revision(), "1");
        host.deploy_folder("acme", &example("front-desk")).expect("it loads");

        assert_eq!(call.press("1").await.revision(), "1", "the call goes on where it began");
        assert_eq!(
            host.call("acme/front-desk").start().await.revision(),
            "2",
            "a new call begins on the new one"
        );
    });
}

#[test]
fn a_pin_that_is_not_ours_is_refused_and_one_whose_revision_is_gone_is_answered() {
    on_host_runtime(async {
        let host = host().await;
        host.deploy("acme", "other", misbehave(), "").expect("it loads");
        let [acme, ivr] = ["acme", "ivr"];
        let key = &host.host.pin_key;
        let tenant = TenantId::new(acme).unwrap();
        let pin = |handler: &str, id| key.pin(&tenant, &HandlerName::new(handler).unwrap(), RevisionId(id));
        let cases = [
            ("ours", pin(ivr, 1), StatusCode::OK),
            ("ours, its revision gone", pin(ivr, 9), StatusCode::OK),
            ("another handler's", pin("other", 1), StatusCode::FORBIDDEN),
            ("invented", "1.AAAAAAAAAAAAAAAA".to_owned(), StatusCode::FORBIDDEN),
            ("empty", String::new(), StatusCode::FORBIDDEN),
            ("two of them", format!("{0}&hs={0}", pin(ivr, 1)), StatusCode::FORBIDDEN),
        ];
        for (name, pin, status) in cases {
            let heard = host.post(&format!("/acme/ivr/voice/ok?hs={pin}"), CALL).await;
            assert_eq!(heard.status, status, "{name}");
            assert_eq!(heard.code(), if status.is_success() { "" } else { "HS104" }, "{name}");
        }
    });
}

#[test]
fn a_repeated_delivery_gets_the_stored_answer() {
    on_host_runtime(async {
        let host = host().await;
        let retry = [("I-Twilio-Idempotency-Token", "e7a1")];
        let path = "/acme/ivr/voice/random";
        let first = host.post_with(path, CALL, &retry).await;
        assert_eq!((first.status, first.code()), (StatusCode::OK, ""), "{}", first.body);
        let again = host.post_with(path, CALL, &retry).await;
        assert_eq!(first.body, again.body, "the handler did not run again");
        let next = host.post_with(path, CALL, &[("I-Twilio-Idempotency-Token", "e7a2")]).await;
        assert_ne!(first.body, next.body, "another token is another webhook");

        let menu = host.post(path, CALL).await;
        assert_ne!(
            menu.body,
            host.post(path, CALL).await.body,
            "a step without a token is never a duplicate"
        );

        let text = host.post("/acme/ivr/sms", MESSAGE).await;
        assert_eq!(text.code(), "", "{}", text.body);
        assert_eq!(text.body, host.post("/acme/ivr/sms", MESSAGE).await.body, "a message names itself");
    });
}

#[test]
fn a_thousand_concurrent_deliveries_of_one_webhook_run_the_handler_once() {
    on_host_runtime(async {
        let host = Arc::new(host().await);
        let deliveries: Vec<_> = (0..1_000)
            .map(|_| {
                let host = Arc::clone(&host);
                tokio::spawn(async move {
                    // Far below the cap of connections for one address: closed ones count until the host has seen it.
                    static AT_ONCE: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(64);
                    let _place = AT_ONCE.acquire().await.unwrap();
                    let retry = [("I-Twilio-Idempotency-Token", "once")];
                    host.post_with("/acme/ivr/voice/random", CALL, &retry).await.body
                })
            })
            .collect();
        let mut bodies = std::collections::BTreeSet::new();
        for delivery in deliveries {
            bodies.insert(delivery.await.unwrap());
        }
        assert_eq!(bodies.len(), 1, "{bodies:?}");
    });
}

#[test]
fn a_delivery_whose_connection_breaks_runs_to_its_end_and_is_answered_from_it() {
    on_host_runtime(async {
        let host = TestHost::start().await;
        host.deploy("acme", "broken", misbehave(), "").expect("it loads");
        let path = "/acme/broken/voice/slow-but-ok";
        let retry = [("I-Twilio-Idempotency-Token", "once")];
        let broken = host.post_with(path, CALL, &retry);
        // The guest works for about 20 ms; the carrier's side is gone after 5.
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), broken).await.is_err());
        let again = host.post_with(path, CALL, &retry).await;
        assert_eq!((again.status, again.code()), (StatusCode::OK, ""));
        let counted = |outcome: &str| {
            let labels = format!("tenant=\"acme\",handler=\"broken\",revision=\"1\",outcome=\"{outcome}\"");
            METRICS.render().contains(&format!("hookswitch_webhooks_total{{{labels}}} 1\n"))
        };
        assert!(counted("ok") && counted("repeated"), "one run, one stored answer: {}", METRICS.render());
    });
}

#[test]
fn get_webhooks_and_status_callbacks_are_answered() {
    on_host_runtime(async {
        let host = host().await;
        let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(CALL).finish();
        let path = format!("/acme/ivr/voice/ok?{query}");
        let token = AuthToken::new(TOKEN).unwrap();
        let signature = signature::sign(&host.url(&path), [], &token);
        let request = Request::get(&path)
            .header("x-twilio-signature", signature)
            .header("host", host.address.to_string());
        let heard = host.send(request.body(http_body_util::Full::default()).unwrap()).await;
        assert_eq!(heard.status, StatusCode::OK, "{}", heard.body);
        assert_eq!(heard.header("content-type"), "text/xml; charset=utf-8");

        let status = host.post("/acme/ivr/status", CALL).await;
        assert_eq!((status.status, status.body.as_str(), status.code()), (StatusCode::NO_CONTENT, "", ""));
    });
}

#[test]
fn a_handler_that_asks_for_errors_gets_502_and_runs_again_on_the_retry() {
    on_host_runtime(async {
        let host = TestHost::start().await;
        host.deploy("acme", "ivr", misbehave(), "on_failure = \"error\"").expect("it loads");
        let retry = [("I-Twilio-Idempotency-Token", "e7a1")];
        let heard = host.post_with("/acme/ivr/voice/panic", CALL, &retry).await;
        assert_eq!((heard.status, heard.code(), heard.body.as_str()), (StatusCode::BAD_GATEWAY, "HS213", ""));
        let heard = host.post_with("/acme/ivr/voice/ok", CALL, &retry).await;
        assert_eq!((heard.status, heard.code()), (StatusCode::OK, ""), "a failure is not stored");
    });
}

#[test]
fn a_host_that_is_told_to_stop_finishes_the_calls_it_has() {
    on_host_runtime(async {
        let host = Arc::new(host().await);
        let slow = tokio::spawn({
            let host = Arc::clone(&host);
            async move { host.post("/acme/ivr/voice/slow-but-ok", CALL).await }
        });
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let address = host.address;
        host.begin_to_stop();
        assert_eq!(slow.await.unwrap().status, StatusCode::OK);
        let refused = async {
            while tokio::net::TcpStream::connect(address).await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(5), refused)
            .await
            .expect("no new connection is taken");
    });
}
