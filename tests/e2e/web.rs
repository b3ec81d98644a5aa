//! Web requests: what reaches the handler, what comes back, and that its callers do not hear of it.

use std::sync::LazyLock;

use bytes::Bytes;
use hookswitch::call::Event;
use hookswitch::schedule::{Schedule, ScheduleSettings};
use hookswitch::webhook;
use http::Request;
use http_body_util::Full;

use crate::support::{Heard, ROOT, TestHost, misbehave, on_host_runtime};

pub fn pages() -> &'static [u8] {
    static PAGES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let built =
            hookswitch::build::build(&ROOT.join("tests/guests/pages"), &mut |_| {}).expect("it builds");
        std::fs::read(built.component).expect("it was built")
    });
    &PAGES
}

async fn host(toml: &str) -> TestHost {
    let host = TestHost::start().await;
    host.deploy("acme", "pages", pages(), toml).expect("it loads");
    host
}

async fn ask(host: &TestHost, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Heard {
    let mut request = Request::builder().method(method).uri(path).header("host", "pages.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    host.send(request.body(Full::new(Bytes::copy_from_slice(body))).expect("a request")).await
}

#[test]
fn a_request_reaches_the_handler_as_it_was_sent() {
    on_host_runtime(async {
        let host = host("").await;
        let headers = [("x-own", "mine"), ("connection", "x-dropped"), ("x-hookswitch-forged", "1")];
        let place = "/acme/pages/web";
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let body: &[u8] = if method == "GET" { b"" } else { b"some body" };
            let heard =
                ask(&host, method, &format!("{place}/echo/caf%C3%A9/?a=1&b=%20"), &headers, body).await;
            assert_eq!((heard.status.as_u16(), heard.code(), heard.revision()), (200, "", "1"), "{method}");
            let lines: Vec<&str> = heard.body.split('\n').collect();
            let sent = std::str::from_utf8(body).unwrap();
            let length = body.len().to_string();
            let link = format!("{place}/x");
            let expected = [
                method,
                "/echo/caf%C3%A9/",
                "a=1&b=%20",
                &link,
                "127.0.0.1",
                "mine",
                "-",
                "-",
                &length,
                sent,
            ];
            assert_eq!(lines, expected, "{method}");
        }
        // The place alone, with and without a slash.
        for path in [place.to_owned(), format!("{place}/")] {
            let heard = ask(&host, "GET", &path, &[], b"").await;
            assert_eq!((heard.status.as_u16(), heard.body.as_str()), (200, "<p>hello</p>"), "{path}");
            assert_eq!(heard.header("content-type"), "text/html; charset=utf-8");
        }
        let mebibyte = vec![b'y'; 1 << 20];
        let heard = ask(&host, "POST", &format!("{place}/echo"), &[], &mebibyte).await;
        assert!(heard.body.contains("\n1048576\nyyyy"), "{}", heard.body);
        // Only behind `web` are other methods the handler's.
        let heard = ask(&host, "DELETE", "/acme/pages/voice", &[], b"").await;
        assert_eq!((heard.status.as_u16(), heard.code()), (405, "HS106"));
        let heard = ask(&host, "GET", &format!("{place}?hs=1.forged"), &[], b"").await;
        assert_eq!((heard.status.as_u16(), heard.code()), (403, "HS104"));
    });
}

#[test]
fn an_answer_is_sent_whole_and_framed_by_the_host() {
    on_host_runtime(async {
        let host = host("").await;
        let web = |path: &str| format!("/acme/pages/web/{path}");
        for (code, body) in [(200, "a body"), (404, "a body"), (500, "a body"), (204, ""), (304, "")] {
            let heard = ask(&host, "GET", &web(&format!("status?code={code}")), &[], b"").await;
            assert_eq!((heard.status.as_u16(), heard.body.as_str()), (code, body), "{code}");
            assert_eq!((heard.header("x-own"), heard.code(), heard.revision()), ("1", "", "1"), "{code}");
        }
        let heard = ask(&host, "HEAD", &web("status"), &[], b"").await;
        assert_eq!(
            (heard.status.as_u16(), heard.body.as_str(), heard.header("content-length")),
            (200, "", "6")
        );

        // Just below and just above what may be answered.
        let heard = ask(&host, "GET", &web("large?kib=1023"), &[], b"").await;
        assert_eq!((heard.status.as_u16(), heard.body.len()), (200, 1023 * 1024 + 1), "{}", heard.code());
        for (path, code) in [("large?kib=1024", "HS218"), ("header?name=transfer-encoding", "HS209")] {
            let heard = ask(&host, "GET", &web(path), &[], b"").await;
            assert_eq!((heard.status.as_u16(), heard.code()), (502, code), "{path}");
        }
    });
}

#[test]
fn a_failing_handler_is_an_http_error_that_tells_nothing() {
    on_host_runtime(async {
        let host = host("[limits]\nweb_deadline_ms = 200\ncpu_ms = 5000").await;
        host.deploy("acme", "quick", pages(), "[limits]\ncpu_ms = 20").expect("it loads");
        host.deploy("acme", "mute", misbehave(), "").expect("it loads");
        for (path, status, code) in [
            ("pages/web/fail", 502, "HS209"),
            ("pages/web/panic", 502, "HS213"),
            ("pages/web/spin", 504, "HS201"),
            ("quick/web/spin", 502, "HS203"),
            ("mute/web/", 404, "HS210"),
            ("nobody/web/", 404, "HS103"),
        ] {
            let heard = ask(&host, "GET", &format!("/acme/{path}"), &[], b"").await;
            assert_eq!((heard.status.as_u16(), heard.code()), (status, code), "{path}: {}", heard.body);
            assert!(
                heard.body.starts_with(code) && !heard.body.contains("as asked"),
                "{path}: {}",
                heard.body
            );
            assert!(heard.header("content-type").starts_with("text/plain"), "{path}");
        }
    });
}

#[test]
fn web_requests_that_fail_do_not_keep_callers_from_being_answered() {
    on_host_runtime(async {
        let host = host("").await;
        let call = [
            ("CallSid", "CA00000000000000000000000000000042"),
            ("AccountSid", "AC00000000000000000000000000000001"),
            ("From", "+12025550123"),
            ("To", "+12025550199"),
            ("CallStatus", "ringing"),
        ];
        let mut refused = None;
        for _ in 0..40 {
            let heard = ask(&host, "GET", "/acme/pages/web/fail", &[], b"").await;
            if heard.code() == "HS215" {
                refused = Some(heard);
            }
            let heard = host.post("/acme/pages/voice", &call).await;
            assert_eq!((heard.status.as_u16(), heard.code()), (200, ""), "{}", heard.body);
        }
        let tenant = host.host.router.tenant("acme").expect("it is there");
        let handler = tenant.handlers.values().next().expect("it is there");
        assert_eq!(handler.stable.counters.verdicts(), (40, 0), "a revision is judged by its calls");
        let refused = refused.expect("what always fails is not run for ever");
        assert_eq!(refused.status.as_u16(), 503);
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds >= 1));
    });
}

#[test]
fn schedules_that_fail_do_not_keep_callers_from_being_answered() {
    on_host_runtime(async {
        let host = TestHost::start().await;
        host.deploy("acme", "guest", misbehave(), "").expect("it loads");
        let tenant = host.host.router.tenant("acme").expect("it is there");
        let handler = tenant.handlers.values().next().expect("it is there");
        let written = ScheduleSettings {
            name: "every-minute".to_owned(),
            cron: "* * * * *".to_owned(),
            timezone: "UTC".to_owned(),
        };
        let event = Schedule::new(&written)
            .expect("it is one")
            .event("2026-11-23T09:00:00Z".parse().expect("a moment"), 1);
        let mut codes = Vec::new();
        for _ in 0..40 {
            let run = Event { step: "trap".to_owned(), ..event.clone() };
            codes.push(webhook::fire(&host.host, &tenant, handler, run).await.code);
            let heard = host.call("acme/guest/voice/ok").start().await.clone();
            assert_eq!(heard.code(), "", "{}", heard.body);
        }
        assert_eq!(
            (codes[0], codes[39]),
            (Some("HS202"), Some("HS215")),
            "what always fails is left out at last"
        );
    });
}

#[test]
fn web_requests_have_at_most_half_of_their_handlers_places() {
    on_host_runtime(async {
        let host = host("[limits]\nconcurrency = 4\nweb_deadline_ms = 1500\ncpu_ms = 5000").await;
        let ask = |path: &'static str| ask(&host, "GET", path, &[], b"");
        let spin = "/acme/pages/web/spin";
        let (a, b, c, d) = tokio::join!(ask(spin), ask(spin), ask(spin), ask(spin));
        let mut codes = [a.code(), b.code(), c.code(), d.code()];
        codes.sort_unstable();
        assert_eq!(codes, ["HS201", "HS201", "HS211", "HS211"]);
    });
}
