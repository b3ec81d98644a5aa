//! Handlers call services: what is allowed arrives, what is not does not, and whoever is on the line hears the handler's
//! own words whatever the service does.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use hookswitch::call::{Call, CallStatus, Direction, HandlerName, RevisionId, TenantId, Webhook};
use hookswitch::capability::{ConfigValues, Context, Grants, Reach};
use hookswitch::config::Config;
use hookswitch::outbound::{AllowList, Client};
use hookswitch::sandbox::{Limits, RunError, Sandbox, SandboxSettings};
use hookswitch::secrets::SecretValues;
use http::StatusCode;

use crate::support::{Heard, ROOT, TestHost, Upstream, on_host_runtime};

/// The component that makes the requests a test asks for.
pub fn caller() -> &'static [u8] {
    static CALLER: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let built =
            hookswitch::build::build(&ROOT.join("tests/guests/caller"), &mut |_| {}).expect("it builds");
        std::fs::read(built.component).expect("it was built")
    });
    &CALLER
}

/// A host whose handlers may be connected to `upstream`, and one handler that may call it.
async fn host(upstream: &Upstream, toml: &str) -> TestHost {
    let outbound_allow_private = vec![upstream.address.to_string().parse().expect("an address")];
    let host = TestHost::start_with(Config { outbound_allow_private, ..Config::default() }).await;
    deploy(&host, "acme", upstream, toml);
    host
}

fn deploy(host: &TestHost, tenant: &str, upstream: &Upstream, toml: &str) {
    let toml = format!("{toml}\n[outbound]\nallow = [\"{}\", \"http://*.test.example\"]", upstream.url(""));
    host.deploy(tenant, "caller", caller(), &toml).expect("it loads");
}

async fn ask(host: &TestHost, tenant: &str, step: &str, url: &str, more: &[(&str, &str)]) -> Heard {
    let mut params = vec![
        ("CallSid", "CA00000000000000000000000000000042"),
        ("AccountSid", "AC00000000000000000000000000000001"),
        ("From", "+12025550123"),
        ("To", "+12025550199"),
        ("CallStatus", "in-progress"),
        ("SpeechResult", url),
    ];
    params.extend_from_slice(more);
    host.post(&format!("/{tenant}/caller/voice/{step}"), &params).await
}

/// What the handler said.
async fn said(host: &TestHost, step: &str, url: &str) -> String {
    let heard = ask(host, "acme", step, url, &[]).await;
    assert_eq!((heard.status, heard.code()), (StatusCode::OK, ""), "{step} {url}: {}", heard.body);
    heard
        .body
        .split("<Say>")
        .nth(1)
        .and_then(|rest| rest.split("</Say>").next())
        .expect("it speaks")
        .to_owned()
}

#[test]
fn what_is_allowed_arrives_and_its_answer_too() {
    on_host_runtime(async {
        let upstream = Upstream::start().await;
        let host = host(&upstream, "").await;
        assert_eq!(said(&host, "get", &upstream.url("/ok")).await, "200, 5 bytes, hello");
        assert_eq!(said(&host, "get", &upstream.url("/status/404")).await, "404, 4 bytes, said");
        assert_eq!(said(&host, "post", &upstream.url("/echo")).await, "200, 16 bytes, POST /echo\nxxxxx");
        let large = ask(&host, "acme", "post", &upstream.url("/large"), &[("Bytes", "700000")]).await;
        assert!(large.body.contains("200, 5 bytes"), "{}", large.body);
        assert_eq!(upstream.seen().last().expect("it arrived").body.len(), 700_000);
        let larger = ask(&host, "acme", "post", &upstream.url("/large"), &[("Bytes", "1100000")]).await;
        assert!(larger.body.contains("Limit"), "{}", larger.body);
        // All in fresh instances, over connections that stay.
        assert!(
            upstream.seen().iter().all(|seen| seen.connection == 0),
            "{} connections",
            upstream.connections()
        );
    });
}

#[test]
fn a_handler_without_a_list_calls_nobody_and_still_answers() {
    on_host_runtime(async {
        let upstream = Upstream::start().await;
        let host = host(&upstream, "").await;
        host.deploy("acme", "caller", caller(), "").expect("it loads");
        assert_eq!(said(&host, "get", &upstream.url("/ok")).await, "Denied");
        assert_eq!(upstream.connections(), 0);
    });
}

#[test]
fn the_machines_own_networks_are_out_of_reach_by_name_by_address_and_by_redirect() {
    on_host_runtime(async {
        let upstream = Upstream::start().await;
        let outbound_allow_private = vec![upstream.address.to_string().parse().expect("an address")];
        let host = TestHost::start_with(Config { outbound_allow_private, ..Config::default() }).await;
        let metadata = "http://169.254.169.254/latest/meta-data/";
        let port = upstream.address.port();
        let inside = [
            metadata.to_owned(),
            "http://[::ffff:169.254.169.254]/".to_owned(),
            "http://[::ffff:a9fe:a9fe]/".to_owned(),
            "http://[64:ff9b::a9fe:a9fe]/".to_owned(),
            "http://[fd00:ec2::254]/".to_owned(),
            "http://2852039166/".to_owned(),
            "http://0xa9fea9fe/".to_owned(),
            "http://0/".to_owned(),
            "http://10.0.0.1/".to_owned(),
            // By name, and on another port of this machine than the one that is excepted.
            "http://localhost/".to_owned(),
            format!("http://127.0.0.2:{port}/"),
            format!("http://[::1]:{port}/"),
        ];
        // The tenant allows itself everything; it is the host that does not.
        let list = inside.iter().map(|url| format!("\"{url}\"")).collect::<Vec<_>>().join(", ");
        let toml = format!("[outbound]\nallow = [\"{}\", {list}]", upstream.url(""));
        host.deploy("acme", "caller", caller(), &toml).expect("it loads");
        for url in &inside {
            assert_eq!(said(&host, "get", url).await, "Prohibited", "{url}");
        }
        let redirect = upstream.url(&format!("/redirect?to={metadata}"));
        assert_eq!(said(&host, "follow", &redirect).await, "Prohibited");
        let unlisted = upstream.url("/redirect?to=http://198.51.100.1/");
        assert_eq!(said(&host, "follow", &unlisted).await, "Denied");
        assert_eq!(upstream.seen().len(), 2);
    });
}

#[test]
fn a_service_that_is_slow_or_never_ends_leaves_the_handler_time_to_answer() {
    on_host_runtime(async {
        let upstream = Upstream::start().await;
        let host = host(&upstream, "[limits]\ndeadline_ms = 2000\ncpu_ms = 1000").await;
        for (step, path, expected) in [
            ("get", "/silent", "Timeout"),
            ("get", "/drip", "Timeout"),
            ("get", "/drip-head", "Timeout"),
            ("patient", "/silent", "Timeout"),
            ("get", "/endless", "Limit"),
        ] {
            let began = Instant::now();
            assert_eq!(said(&host, step, &upstream.url(path)).await, expected, "{step} {path}");
            assert!(began.elapsed() < Duration::from_millis(2_000), "{path}: {:?}", began.elapsed());
        }
        let began = Instant::now();
        assert_eq!(said(&host, "impatient", &upstream.url("/silent")).await, "Timeout");
        assert!(began.elapsed() < Duration::from_millis(1_200), "{:?}", began.elapsed());
    });
}

#[test]
fn what_may_pass_is_tried_again_within_the_call() {
    on_host_runtime(async {
        let upstream = Upstream::start().await;
        let host = host(&upstream, "").await;
        assert_eq!(said(&host, "get", &upstream.url("/flaky/2/503/a")).await, "200, 5 bytes, hello");
        assert_eq!(said(&host, "once", &upstream.url("/flaky/2/503/b")).await, "503, 0 bytes, ");
        assert_eq!(said(&host, "post", &upstream.url("/flaky/1/503/c")).await, "503, 0 bytes, ");
        assert_eq!(said(&host, "get", &upstream.url("/resets/1/d")).await, "200, 5 bytes, hello");
        let before = upstream.seen().len();
        assert_eq!(said(&host, "get", &upstream.url("/busy/1/e")).await, "200, 5 bytes, hello");
        let seen = upstream.seen();
        assert!(seen[before + 1].at - seen[before].at >= Duration::from_secs(1));
        // Longer than the call has: the handler hears it at once.
        let began = Instant::now();
        assert_eq!(said(&host, "get", &upstream.url("/busy/60/f")).await, "503, 0 bytes, ");
        assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
    });
}

#[test]
fn ten_thousand_requests_are_as_many_as_one_invocation_may_make() {
    on_host_runtime(async {
        let upstream = Upstream::start().await;
        let host = host(&upstream, "[limits]\ncpu_ms = 2500").await;
        assert_eq!(said(&host, "flood", &upstream.url("/ok")).await, "32 answered");
        assert_eq!(upstream.seen().len(), 32);
        // Eight at once; a place is free a moment before its connection is.
        assert!(upstream.connections() <= 16, "{} connections", upstream.connections());
        let heard = ask(&host, "acme", "flood-kept", &upstream.url("/slow/50"), &[]).await;
        assert_eq!((heard.status, heard.code()), (StatusCode::OK, "HS214"), "{}", heard.body);
        // Its neighbour is not concerned.
        deploy(&host, "other", &upstream, "");
        let neighbour = ask(&host, "other", "get", &upstream.url("/ok"), &[]).await;
        assert!(neighbour.body.contains("200, 5 bytes"), "{}", neighbour.body);
    });
}

#[test]
fn a_storm_of_repeats_ends_with_what_its_tenant_saved_and_tenants_share_nothing() {
    on_host_runtime(async {
        let upstream = Upstream::start().await;
        let host = host(&upstream, "[limits]\ndeadline_ms = 14000").await;
        deploy(&host, "other", &upstream, "");
        let mut requests = 0;
        for round in 0..3 {
            assert_eq!(
                said(&host, "storm", &upstream.url(&format!("/flaky/9/503/{round}"))).await,
                "32 answered"
            );
            requests += 32;
        }
        let repeats = upstream.seen().len() - requests;
        assert!(repeats <= 20 + requests / 10, "{repeats} repeats of {requests} requests");
        let mine = upstream.connections();
        let other = ask(&host, "other", "get", &upstream.url("/flaky/2/503/other"), &[]).await;
        assert!(other.body.contains("200, 5 bytes"), "{}", other.body);
        assert!(upstream.connections() > mine, "a connection of one tenant's was used for another");
    });
}

#[test]
fn what_may_have_changed_something_is_known_when_its_handler_fails() {
    on_host_runtime(async {
        let upstream = Upstream::start().await;
        let outbound = Client::new(vec![upstream.address.to_string().parse().expect("an address")]);
        let reach = Arc::new(Reach { outbound: Some(Arc::new(outbound)), ..Reach::default() });
        let sandbox = Sandbox::new(&SandboxSettings::default()).expect("a sandbox");
        let prepared = sandbox.load(caller()).expect("it loads");
        let grants = Arc::new(Grants {
            tenant: TenantId::new("acme").expect("a name"),
            handler: HandlerName::new("caller").expect("a name"),
            revision: RevisionId(1),
            pin: "1".into(),
            config: ConfigValues::default(),
            outbound: AllowList::of_checked(&[upstream.url("")]),
            secrets: SecretValues::default(),
        });
        for (step, path, acted) in [
            ("post-then-trap", "/ok", true),
            ("get-then-trap", "/ok", false),
            // Refused before it was sent.
            ("post-then-trap", "http://198.51.100.1/", false),
        ] {
            let url = if path.starts_with('/') { upstream.url(path) } else { path.to_owned() };
            let until = Instant::now() + Duration::from_secs(3);
            let context = Context { grants: &grants, reach: &reach, cause: None, effects: None, until };
            let outcome = sandbox.run(&prepared, &Limits::default(), context, &webhook(step, &url)).await;
            assert!(matches!(outcome.result, Err(RunError::Panicked { .. })), "{step}: {:?}", outcome.result);
            assert_eq!(outcome.acted, acted, "{step} {url}");
            let line = &outcome.log.first().expect("it is noted").text;
            let expected =
                if path.starts_with('/') { "/ok: 200 after " } else { "http://198.51.100.1/: refused, " };
            assert!(line.contains(expected), "{line}");
        }
    });
}

fn webhook(step: &str, url: &str) -> Webhook {
    Webhook::Voice(Call {
        id: "CA00000000000000000000000000000042".into(),
        account: "AC00000000000000000000000000000001".into(),
        from: "+12025550123".into(),
        to: "+12025550199".into(),
        direction: Direction::Inbound,
        status: CallStatus::InProgress,
        step: step.into(),
        digits: None,
        speech: Some(url.into()),
        form: String::new(),
    })
}
