//! What is said when a host can't be asked or says no.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;

use super::super::testing::{Answer, FakeHost, Run, json as answer, other, problem};
use super::{deployed, tenant, token};

#[tokio::test]
async fn a_failure_says_what_was_found_and_what_to_try() {
    const NUMBERS: &str = "GET tenants/acme/numbers";
    let refused = json!({ "type": "urn:x", "title": "Refused", "status": 422, "detail": "too \u{1b}[31mmany", "reason": "limit:functions" });
    let cases: Vec<(&str, Answer, u8, &[&str])> = vec![
        (
            "unauthorized",
            problem(NUMBERS, 401, "The token is not known", ""),
            1,
            &["The token is not known (401)", "token of HOOKSWITCH_TOKEN was not accepted"],
        ),
        (
            "forbidden",
            problem(NUMBERS, 403, "No", "it reads only"),
            1,
            &["it reads only", "token of HOOKSWITCH_TOKEN does not allow"],
        ),
        ("problem", answer(NUMBERS, 422, &refused), 1, &["too \\u{1b}[31mmany", "\nreason: limit:functions"]),
        (
            "a web page",
            other(NUMBERS, 200, "text/html; charset=utf-8", "<h1>Hi</h1>"),
            1,
            &["no hookswitch control port: it answered 200 OK, text/html", "8081"],
        ),
        (
            "another server",
            other(NUMBERS, 404, "text/plain", "gone"),
            1,
            &["no hookswitch control port: it answered 404"],
        ),
        ("a redirect", other(NUMBERS, 301, "text/html", ""), 1, &["redirects to https://else.test/"]),
        (
            "other JSON",
            answer(NUMBERS, 200, &json!({ "hello": 1 })),
            1,
            &["does not understand", "older or newer"],
        ),
        ("half JSON", other(NUMBERS, 200, "application/json", "[{"), 1, &["does not understand"]),
        (
            "a problem that is none",
            other(NUMBERS, 500, "application/problem+json", "oops"),
            1,
            &["no hookswitch control port"],
        ),
    ];
    for (name, reply, code, said) in cases {
        let host = FakeHost::start(vec![reply]).await;
        let ran = Run::new(&host, &["number", "list", "--tenant", "acme"]).run().await;
        let error = ran.result.unwrap_err();
        for part in said {
            assert!(error.to_string().contains(part), "{name}: {error}");
        }
        assert_eq!(error.exit_code(), ExitCode::from(code), "{name}");
        assert_eq!(host.asked().len(), 1, "{name}");
        assert_eq!(ran.out, "", "{name}");
    }
}

#[tokio::test]
async fn a_missing_token_is_asked_for() {
    let host = FakeHost::start(vec![problem("GET tenants", 401, "A token is needed", "")]).await;
    let mut run = Run::new(&host, &["tenant", "list"]);
    run.variables.truncate(1);
    let error = run.run().await.result.unwrap_err().to_string();
    assert!(
        error.contains("No token was sent") && error.contains("hookswitch-data/operator-token"),
        "{error}"
    );
    assert_eq!(host.asked(), ["GET tenants []"]);
}

#[tokio::test]
async fn the_tenant_is_found_where_only_one_is_possible() {
    let one = || answer("GET tenants", 200, &json!([tenant("acme")]));
    let numbers = || answer("GET tenants/acme/numbers", 200, &json!([]));
    let operator = || answer("GET token", 200, &token("operator", None));
    for (name, answers, expected) in [
        ("a tenant's token", vec![answer("GET token", 200, &token("read", Some("acme"))), numbers()], Ok(())),
        ("the only tenant", vec![operator(), one(), numbers()], Ok(())),
        (
            "no tenant",
            vec![operator(), answer("GET tenants", 200, &json!([]))],
            Err("hookswitch tenant create NAME"),
        ),
        (
            "two",
            vec![operator(), answer("GET tenants", 200, &json!([tenant("acme"), tenant("globex")]))],
            Err("2 tenants: acme, globex. Add --tenant NAME"),
        ),
    ] {
        let host = FakeHost::start(answers).await;
        let ran = Run::new(&host, &["number", "list"]).run().await;
        match (ran.result, expected) {
            (Ok(()), Ok(())) => {
                assert_eq!(host.asked().last().unwrap(), "GET tenants/acme/numbers [T]", "{name}")
            }
            (Err(error), Err(said)) => {
                assert!(error.to_string().contains(said), "{name}: {error}");
                assert_eq!(error.exit_code(), ExitCode::from(2), "{name}");
            }
            (result, _) => panic!("{name}: {result:?}"),
        }
    }
}

#[tokio::test]
async fn nobody_there_names_the_url_and_how_to_start_a_host() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let host = FakeHost::start(vec![]).await;
    let run = Run {
        patience: Duration::from_millis(150),
        ..Run::new(&host, &["tenant", "list", "--control", &url])
    };
    let ran = run.run().await;
    let error = ran.result.unwrap_err().to_string();
    for part in [&*url, "refused", "hookswitch serve", "--control"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(ran.notes.contains("trying for"), "{}", ran.notes);
}

#[tokio::test]
async fn a_host_that_starts_late_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}");
    let args = ["tenant", "list", "--json", "--control", &url];
    let elsewhere = FakeHost::start(vec![]).await;
    let late = async {
        // Later than the first try: the command has said by then that it waits.
        tokio::time::sleep(Duration::from_millis(50)).await;
        FakeHost::on(TcpListener::bind(address).await.unwrap(), vec![answer("GET tenants", 200, &json!([]))])
    };
    let (ran, _host) = tokio::join!(Run::new(&elsewhere, &args).run(), late);
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    assert_eq!(ran.out, "[]\n");
}

#[tokio::test]
async fn busy_is_asked_again_only_where_that_is_harmless() {
    const HANDLER: &str = "tenants/acme/handlers/front-desk";
    for (args, request, tries) in [
        (&["status", "front-desk"][..], format!("GET {HANDLER}"), 2),
        (&["rollback", "front-desk", "--to", "7"], format!("POST {HANDLER}/rollback"), 2),
        (&["rollback", "front-desk"], format!("POST {HANDLER}/rollback"), 1),
        (&["promote", "front-desk"], format!("POST {HANDLER}/promote"), 1),
    ] {
        let view = if args[0] == "status" { super::handler_view() } else { deployed(7) };
        let host = FakeHost::start(vec![
            problem(&request, 503, "Later", "the disk is full"),
            answer(&request, 200, &view),
        ])
        .await;
        let ran = Run::new(&host, &[args, &["--tenant", "acme"]].concat()).run().await;
        assert_eq!(host.asked().len(), tries, "{args:?}");
        assert_eq!(ran.result.is_ok(), tries == 2, "{args:?}");
    }
    // Not for ever, and then with what the host said.
    let host = FakeHost::start(vec![problem("GET tenants", 503, "Later", "the disk is full")]).await;
    let run = Run { patience: Duration::from_millis(300), ..Run::new(&host, &["tenant", "list"]) };
    let error = run.run().await.result.unwrap_err().to_string();
    assert!(error == "the disk is full", "{error}");
    assert!((2..=6).contains(&host.asked().len()));
}

#[tokio::test]
async fn a_command_that_would_do_harm_or_nothing_asks_no_host() {
    let host = FakeHost::start(vec![]).await;
    for (args, said) in [
        (&["tenant", "delete", "acme"][..], "add --yes"),
        (&["tenant", "update", "acme"], "nothing to change"),
        (&["token", "create", "--scope", "operator", "--tenant", "acme"], "leave --tenant out"),
        (&["tenant", "list", "--token-file", "/surely/not/there"], "/surely/not/there"),
        (&["tenant", "list", "--token", "two words\n3"], "characters that no token has"),
        (&["tenant", "list", "--context", "prod"], "neither XDG_CONFIG_HOME nor HOME"),
    ] {
        let error = Run::new(&host, args).run().await.result.unwrap_err();
        assert!(error.to_string().contains(said), "{args:?}: {error}");
        assert_eq!(host.asked().len(), 0, "{args:?}");
    }
}
