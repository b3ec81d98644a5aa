//! `logs`: what is shown of a stream, and what happens when it ends.

use std::fmt::Write as _;

use super::super::testing::{FakeHost, Run, cut, other, problem};

const WEBHOOK: &str = r#"{"kind":"webhook","at":"2026-05-04T12:00:01.234Z","handler":"ivr","revision":7,"request":"r1","entry":"voice","subject":"CA1","step":"menu","outcome":"ok","wall_us":1234,"cpu_us":100,"memory_kib":64}"#;
const FAILED: &str = r#"{"kind":"webhook","at":"2026-05-04T12:00:02Z","handler":"ivr","revision":7,"entry":"sms","subject":"SM1","step":"","outcome":"failed","code":"HS202","wall_us":900,"cpu_us":100,"memory_kib":64}"#;
const LINE: &str = r#"{"kind":"log","at":"2026-05-04T12:00:03Z","handler":"ivr","revision":7,"subject":"CA1","level":"warn","source":"stdout","text":"no \u001b[2J luck"}"#;
const RELEASE: &str = r#"{"kind":"release","at":"2026-05-04T12:00:04Z","handler":"ivr","revision":8,"change":"taken_back","reason":"20 of 40 failed"}"#;
const DROPPED: &str = r#"{"kind":"dropped","count":12}"#;
const NEWER: &str = r#"{"kind":"eclipse","sun":0}"#;

fn stream(events: &[&str]) -> String {
    let mut text = ": alive\n\n".to_owned();
    for data in events {
        let kind: serde_json::Value = serde_json::from_str(data).unwrap();
        write!(text, "event: {}\ndata: {data}\n\n", kind["kind"].as_str().unwrap()).unwrap();
    }
    text
}

#[tokio::test]
async fn events_are_lines_and_a_lost_connection_is_made_again() {
    let request = "GET tenants/acme/logs?handler=ivr";
    let first = stream(&[WEBHOOK, DROPPED, FAILED, LINE]);
    let host = FakeHost::start(vec![
        other(request, 200, "text/event-stream", &first),
        other(request, 200, "text/event-stream", &stream(&[RELEASE, NEWER])),
    ])
    .await;
    let ran =
        Run { prints_max: 5, ..Run::new(&host, &["logs", "ivr", "-f", "--tenant", "acme"]) }.run().await;
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    assert_eq!(
        ran.out,
        "12:00:01.234  ivr 7  voice/menu  ok  1.2 ms  CA1\n\
         12:00:02.000  ivr 7  sms  failed HS202  0.9 ms  SM1\n\
         12:00:03.000  ivr 7  warn  stdout: no \\u{1b}[2J luck  CA1\n\
         12:00:04.000  ivr 8  taken back  20 of 40 failed\n\
         eclipse {\"kind\":\"eclipse\",\"sun\":0}\n"
    );
    for said in [
        "12 events missing here",
        "12 events missing in all",
        "the host ended the stream; looking for it again in 0.",
        "connected again",
    ] {
        assert!(ran.notes.contains(said), "{said}: {}", ran.notes);
    }
}

#[tokio::test]
async fn a_host_that_is_killed_is_said_to_have_gone_and_is_looked_for_again() {
    let request = "GET tenants/acme/logs?handler=ivr";
    let quick = WEBHOOK.replace("1234,", "46,");
    let host = FakeHost::start(vec![
        cut(request, "text/event-stream", &stream(&[&quick])),
        other(request, 200, "text/event-stream", &stream(&[RELEASE])),
    ])
    .await;
    let args = ["logs", "ivr", "-f", "--for", "60", "--tenant", "acme"];
    let ran = Run { prints_max: 2, ..Run::new(&host, &args) }.run().await;
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    assert!(ran.out.starts_with("12:00:01.234  ivr 7  voice/menu  ok  46 µs  CA1\n"), "{}", ran.out);
    assert!(ran.notes.contains("the host went away; looking for it again in 0."), "{}", ran.notes);
}

#[tokio::test]
async fn json_lines_pass_everything_on() {
    let host = FakeHost::start(vec![other(
        "GET tenants/acme/logs",
        200,
        "text/event-stream",
        &stream(&[WEBHOOK, DROPPED, NEWER]),
    )])
    .await;
    let ran = Run { prints_max: 3, ..Run::new(&host, &["logs", "--tenant", "acme", "--json"]) }.run().await;
    let kinds: Vec<String> = ran
        .out
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(kinds, ["webhook", "dropped", "eclipse"]);
}

#[tokio::test]
async fn a_refusal_ends_it_at_once_also_in_the_middle() {
    let request = "GET tenants/acme/logs";
    let gone = || problem(request, 404, "There is no such thing", "no tenant acme");
    for answers in [vec![gone()], vec![other(request, 200, "text/event-stream", ""), gone()]] {
        let host = FakeHost::start(answers).await;
        let ran = Run::new(&host, &["logs", "--tenant", "acme"]).run().await;
        assert!(ran.result.unwrap_err().to_string().contains("no tenant acme"));
    }
    let host = FakeHost::start(vec![other(request, 200, "text/html", "hi")]).await;
    let ran = Run::new(&host, &["logs", "--tenant", "acme"]).run().await;
    assert!(ran.result.unwrap_err().to_string().contains("no hookswitch control port"));
}
