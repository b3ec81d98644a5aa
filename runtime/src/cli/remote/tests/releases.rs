//! What a deploy of code alone asks, what a promote and a rollback are bound to, and what a delete says.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::testing::{Answer, FakeHost, Run, json as answer, other, problem};
use super::{changed, deployed, handler_view, revision, token};
use crate::digest::Digest;

const HANDLER: &str = "tenants/acme/handlers/front-desk";

#[tokio::test]
async fn a_component_alone_keeps_the_settings_in_force_unless_the_defaults_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let component = b"\0asm\x0d\0\x01\0";
    let file = folder.path().join("front_desk.wasm");
    std::fs::write(&file, component).unwrap();
    let path = file.display().to_string();
    let digest = Digest::of(component).to_string();
    let release = format!("POST {HANDLER}/revisions");
    let mut kept = deployed(8);
    (kept["settings_of"], kept["ended_canary"]) = (json!(7), json!(6));
    let answers = || {
        let view = json!({ "digest": digest, "bytes": component.len() });
        vec![
            answer("GET token", 200, &token("deploy", Some("acme"))),
            answer(&format!("GET tenants/acme/components/{digest}"), 200, &view),
            answer(&release, 201, &kept),
        ]
    };
    for (more, has_settings) in [(None, false), (Some("--default-settings"), true)] {
        let host = FakeHost::start(answers()).await;
        let args: Vec<&str> = ["deploy", path.as_str()].into_iter().chain(more).collect();
        let ran = Run::new(&host, &args).run().await;
        assert!(ran.result.is_ok(), "{:?}", ran.result);
        let asked = host.asked();
        let sent = asked.last().unwrap().strip_prefix(&release).unwrap().trim_end_matches(" [T]");
        let sent: Value = serde_json::from_str(sent).unwrap();
        assert_eq!(
            (sent.get("settings").is_some(), &sent["digest"]),
            (has_settings, &json!(digest)),
            "{sent}"
        );
        assert!(ran.out.contains("\n  settings   of revision 7: there is no handler.toml"), "{}", ran.out);
        assert!(ran.out.contains("\n  ends       canary 6\n"), "{}", ran.out);
    }

    std::fs::write(folder.path().join("handler.toml"), "name = 'front-desk'").unwrap();
    let host = FakeHost::start(answers()).await;
    let ran = Run::new(&host, &["deploy", &path, "--default-settings"]).run().await;
    let said = ran.result.unwrap_err();
    assert_eq!(said.exit_code(), ExitCode::from(2));
    assert!(said.to_string().contains("--default-settings is for a handler without"), "{said}");
}

/// The handler as the host's own change of `revision` left it, so many seconds before the command.
fn after_the_host(change: &str, revision: u32, seconds: u32) -> Value {
    let mut view = handler_view();
    view["canary"] = Value::Null;
    view["generation"] = json!(13);
    let at = format!("2026-05-04T11:{:02}:{:02}Z", 59 - seconds / 60, (60 - seconds % 60) % 60);
    view["history"] =
        json!([{ "at": at, "change": change, "revision": revision, "by": "host", "reason": "why" }]);
    view
}

/// A name, the command, what it is answered, what it asks for last, and what is said (ends the command with 1) or nothing.
type Case = (&'static str, &'static [&'static str], Vec<Answer>, &'static str, &'static str);

#[tokio::test]
async fn what_the_host_did_by_itself_a_moment_ago_is_not_done_once_more() {
    let view = |view: &Value| answer(&format!("GET {HANDLER}"), 200, view);
    let done = |what: &str| answer(&format!("POST {HANDLER}/{what}"), 200, &changed(7, "done"));
    let conflict =
        |what: &str| problem(&format!("POST {HANDLER}/{what}"), 409, "Conflict", "changed meanwhile");
    let stepped = {
        let mut view = handler_view();
        view["generation"] = json!(13);
        view
    };
    let other_canary = {
        let mut view = stepped.clone();
        view["canary"]["revision"] = json!(9);
        view
    };
    let looked = "GET tenants/acme/handlers/front-desk [T]";
    let cases: Vec<Case> = vec![
        (
            "taken back just now",
            &["rollback", "front-desk"],
            vec![view(&after_the_host("taken_back", 8, 2))],
            looked,
            "the host took canary 8 back 2 s ago, and revision 7 takes all new calls; `hookswitch rollback front-desk --to 6` goes \
             further",
        ),
        (
            "promoted just now",
            &["rollback", "front-desk"],
            vec![view(&after_the_host("promoted", 7, 30))],
            looked,
            "the host promoted canary 7 30 s ago, and revision 7 takes all new calls; `hookswitch rollback front-desk --to 6` takes \
             it back",
        ),
        (
            "promoted just now, to be promoted",
            &["promote", "front-desk"],
            vec![view(&after_the_host("promoted", 7, 30))],
            looked,
            "the host promoted canary 7 30 s ago",
        ),
        (
            "a while ago",
            &["rollback", "front-desk"],
            vec![view(&after_the_host("taken_back", 8, 61)), done("rollback")],
            "POST tenants/acme/handlers/front-desk/rollback {\"generation\":13} [T]",
            "",
        ),
        (
            "to a number",
            &["rollback", "front-desk", "--to", "6"],
            vec![view(&after_the_host("taken_back", 8, 2)), done("rollback")],
            "POST tenants/acme/handlers/front-desk/rollback {\"to\":6} [T]",
            "",
        ),
        (
            "taken back between the look and the change",
            &["rollback", "front-desk"],
            vec![view(&handler_view()), view(&after_the_host("taken_back", 8, 1)), conflict("rollback")],
            looked,
            "the host took canary 8 back 1 s ago",
        ),
        (
            "only stepped between the look and the change",
            &["rollback", "front-desk"],
            vec![view(&handler_view()), view(&stepped), conflict("rollback"), done("rollback")],
            "POST tenants/acme/handlers/front-desk/rollback {\"generation\":13} [T]",
            "",
        ),
        (
            "another canary between the look and the change",
            &["promote", "front-desk"],
            vec![view(&handler_view()), view(&other_canary), conflict("promote"), done("promote")],
            looked,
            "changed meanwhile",
        ),
        (
            "nothing to go back to",
            &["rollback", "front-desk"],
            vec![view(&handler_view()), conflict("rollback")],
            looked,
            "changed meanwhile",
        ),
    ];
    for (name, args, answers, last, said) in cases {
        let host = FakeHost::start(answers).await;
        let ran = Run::new(&host, &[args, &["--tenant", "acme"]].concat()).run().await;
        assert_eq!(host.asked().last().unwrap(), last, "{name}");
        match ran.result {
            Ok(()) => assert!(said.is_empty(), "{name}"),
            Err(error) => {
                assert!(!said.is_empty() && error.to_string().contains(said), "{name}: {error}");
                assert_eq!(error.exit_code(), ExitCode::from(1), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_delete_says_what_goes_and_stops_where_numbers_lead_to_it() {
    let mut view = handler_view();
    view["numbers"] = json!([]);
    let waiting = |handler: &str, state: &str| {
        json!({
            "id": "ob_1", "handler": handler, "kind": "call", "to": "+12025550123", "state": state, "tries": 0, "result": null,
            "note": "", "due_at": "2026-05-04T13:00:00Z", "created_at": "2026-05-04T11:00:00Z",
            "changed_at": "2026-05-04T11:00:00Z"
        })
    };
    let outbox = json!([waiting("front-desk", "waiting")]);
    let answers = |view: &Value| {
        vec![
            answer(&format!("GET {HANDLER}"), 200, view),
            answer(
                &format!("GET {HANDLER}/revisions?limit=1000"),
                200,
                &json!([revision(8, "canary"), revision(7, "stable")]),
            ),
            answer("GET tenants/acme/outbox?handler=front-desk&state=waiting&limit=1000", 200, &outbox),
            other(&format!("DELETE {HANDLER}"), 204, "text/plain", ""),
        ]
    };
    let goes = "2 revisions, what it has stored, its kept calls, 1 waiting entry of its outbox, never sent then, 44 calls in \
                progress, heard as an error";

    let host = FakeHost::start(answers(&view)).await;
    let ran = Run::new(&host, &["delete", "front-desk", "--tenant", "acme"]).run().await;
    let error = ran.result.unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::from(2));
    assert_eq!(
        error.to_string(),
        format!("deleting front-desk removes it for good: {goes}; add --yes where nobody can be asked")
    );
    assert!(!host.asked().iter().any(|asked| asked.starts_with("DELETE")));

    let host = FakeHost::start(answers(&view)).await;
    let ran = Run::new(&host, &["delete", "front-desk", "--tenant", "acme", "--yes"]).run().await;
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    assert!(
        ran.notes.ends_with(&format!("\nhandler front-desk of acme is deleted: {goes}\n")),
        "{}",
        ran.notes
    );
    assert_eq!(host.asked().last().unwrap(), "DELETE tenants/acme/handlers/front-desk [T]");

    let host = FakeHost::start(answers(&handler_view())).await;
    let ran = Run::new(&host, &["delete", "front-desk", "--tenant", "acme", "--yes"]).run().await;
    let error = ran.result.unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::from(1));
    assert!(
        error.to_string().starts_with("+12025550123 leads to front-desk; nothing was deleted"),
        "{error}"
    );
    assert_eq!(host.asked().len(), 1, "nothing but a look");
}

#[tokio::test]
async fn status_shows_the_revisions_with_calls_and_the_newest_of_the_others() {
    let mut view = handler_view();
    let draining = (1..=12).rev().map(|number| {
        json!({
            "revision": number, "state": "draining", "percent": 0.0, "calls": u32::from(number == 2), "webhooks": 0, "failed": 0,
            "breaker": "closed", "until": "2026-05-05T11:30:00Z"
        })
    });
    view["serving"] = draining.collect();
    let host = FakeHost::start(vec![answer(&format!("GET {HANDLER}"), 200, &view)]).await;
    let ran = Run::new(&host, &["status", "front-desk", "--tenant", "acme"]).run().await;
    let rows: Vec<&str> = ran
        .out
        .lines()
        .filter(|line| line.contains("draining") && line.contains("in 23 h"))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(rows, ["12", "11", "10", "9", "8", "2"], "{}", ran.out);
    assert!(ran.out.contains("and 6 older draining without calls"), "{}", ran.out);
}
