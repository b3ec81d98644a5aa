//! What each command asks, and what it prints.

use std::os::unix::fs::PermissionsExt as _;

use clap::CommandFactory as _;
use serde_json::{Value, json};

use super::super::testing::{Answer, FakeHost, Run, json as answer, other};
use super::{changed, deployed, handler_view, revision, tenant, token};
use crate::cli::Cli;
use crate::digest::Digest;

/// A command line, what the host answers, what it is asked, what is printed.
type Case<'a> = (&'a [&'a str], Vec<Answer>, &'a [&'a str], &'a str);

#[tokio::test]
async fn each_command_asks_for_one_thing_and_prints_it() {
    const HANDLER: &str = "tenants/acme/handlers/front-desk";
    let created = json!({ "id": "t2", "scope": "deploy", "tenant": "acme", "label": "ci", "created_at": "2026-05-04T11:00:00Z", "token": "hs_secret" });
    let number = json!({ "number": "+12025550123", "tenant": "acme", "handler": "front-desk" });
    let cases: &[Case<'_>] = &[
        (
            &["promote", "front-desk", "--tenant", "acme"],
            vec![
                answer(&format!("GET {HANDLER}"), 200, &handler_view()),
                answer(
                    &format!("POST {HANDLER}/promote"),
                    200,
                    &changed(8, "revision 8 takes all new calls (was: revision 7, with 10 % for canary 8)"),
                ),
            ],
            &[
                "GET tenants/acme/handlers/front-desk [T]",
                "POST tenants/acme/handlers/front-desk/promote {\"generation\":12} [T]",
            ],
            "acme/front-desk revision 8 takes all new calls (was: revision 7, with 10 % for canary 8)\n  \
             calls in progress stay on the revision that they began with\n",
        ),
        (
            // A host that does not say what it changed.
            &["promote", "front-desk", "--tenant", "acme"],
            vec![
                answer(&format!("GET {HANDLER}"), 200, &handler_view()),
                answer(&format!("POST {HANDLER}/promote"), 200, &deployed(8)),
            ],
            &[
                "GET tenants/acme/handlers/front-desk [T]",
                "POST tenants/acme/handlers/front-desk/promote {\"generation\":12} [T]",
            ],
            "acme/front-desk revision 8: live, takes 10 % of new calls\n  component  000000000000\n  risk       code: the component changed\n  \
             changed    component 0000 → 0001\n             config: greeting\n  next       10 % until 100 calls or 10 min, then promoted\n  \
             voice      https://calls.test/acme/front-desk/voice\n",
        ),
        (
            &["rollback", "front-desk", "--to", "7", "--tenant", "acme", "--json"],
            vec![answer(&format!("POST {HANDLER}/rollback"), 200, &deployed(7))],
            &["POST tenants/acme/handlers/front-desk/rollback {\"to\":7} [T]"],
            "JSON",
        ),
        (
            &["rollback", "front-desk", "--tenant", "acme", "--json"],
            vec![
                answer(&format!("GET {HANDLER}"), 200, &handler_view()),
                answer(&format!("POST {HANDLER}/rollback"), 200, &deployed(7)),
            ],
            &[
                "GET tenants/acme/handlers/front-desk [T]",
                "POST tenants/acme/handlers/front-desk/rollback {\"generation\":12} [T]",
            ],
            "JSON",
        ),
        (
            &["status", "front-desk", "--tenant", "acme"],
            vec![answer(&format!("GET {HANDLER}"), 200, &handler_view())],
            &["GET tenants/acme/handlers/front-desk [T]"],
            "acme/front-desk\n  voice    https://calls.test/acme/front-desk/voice\n  sms      https://calls.test/acme/front-desk/sms\n  \
             numbers  +12025550123\n\n  \
             REVISION  STATE     SHARE  CALLS  WEBHOOKS      FAILED  BREAKER  KEPT\n         \
             8  canary     10 %      3       120   1 (0.8 %)  closed\n         \
             7  stable     90 %     40     10200  2 (<0.1 %)  probing\n         \
             6  draining    0 %      1        88           0  closed   in 23 h\n\n\
             canary 8, step 1 of 1\n  takes      10 % of new calls, since 3 min ago\n  risk       code: the component changed\n  \
             so far     1 of 34 failed, 2 of 310 on revision 7\n  waits for  100 calls or 10 min: 34 calls so far\n\n  \
             HISTORY    WHAT            REVISION  BY    WHY\n  3 min ago  canary started         8  ci    code changed\n  \
             24 h ago   taken back             5  host  20 of 40 failed\n",
        ),
        (
            &["status", "--tenant", "acme"],
            vec![answer("GET tenants/acme/handlers", 200, &json!([handler_view()]))],
            &["GET tenants/acme/handlers [T]"],
            "HANDLER     STABLE    CANARY  CALLS  WEBHOOKS      FAILED  BREAKER  NUMBERS       CHANGED\n\
             front-desk       7  8 (10 %)     44     10408  3 (<0.1 %)  probing  +12025550123  3 min ago\n",
        ),
        (
            &["revisions", "front-desk", "--tenant", "acme", "--before", "9"],
            vec![answer(
                &format!("GET {HANDLER}/revisions?limit=100&before=9"),
                200,
                &json!([revision(8, "canary"), revision(7, "draining")]),
            )],
            &["GET tenants/acme/handlers/front-desk/revisions?limit=100&before=9 [T]"],
            "REVISION  STATE     CALLS  KEPT     CREATED  BY  COMPONENT        SIZE  RISK  WHY\n       \
             8  canary        2           2 h ago  ci  000000000000  46.1 kB  code  the component changed\n       \
             7  draining      2  in 23 h  2 h ago  ci  000000000000  46.1 kB  code  the component changed\n",
        ),
        (
            &["number", "add", "+1 (202) 555-0123", "front-desk", "--tenant", "acme"],
            vec![answer("PUT tenants/acme/numbers/+12025550123", 200, &number)],
            &["PUT tenants/acme/numbers/+12025550123 {\"handler\":\"front-desk\"} [T]"],
            "+12025550123 is answered by acme/front-desk\n",
        ),
        (
            &["number", "add", "+12025550123", "front-desk", "--tenant", "acme"],
            vec![answer(
                "PUT tenants/acme/numbers/+12025550123",
                200,
                &json!({ "number": "+12025550123", "tenant": "acme", "handler": "front-desk", "before": "jsh" }),
            )],
            &["PUT tenants/acme/numbers/+12025550123 {\"handler\":\"front-desk\"} [T]"],
            "+12025550123 is answered by acme/front-desk (before: acme/jsh)\n",
        ),
        (
            &["number", "list", "--tenant", "acme"],
            vec![answer("GET tenants/acme/numbers", 200, &json!([number]))],
            &["GET tenants/acme/numbers [T]"],
            "NUMBER        HANDLER\n+12025550123  front-desk\n",
        ),
        (
            &["number", "remove", "+12025550123", "--tenant", "acme"],
            vec![other("DELETE tenants/acme/numbers/+12025550123", 204, "text/plain", "")],
            &["DELETE tenants/acme/numbers/+12025550123 [T]"],
            "",
        ),
        (
            &["token", "create", "--tenant", "acme", "--scope", "deploy", "--label", "ci"],
            vec![answer("POST tokens", 201, &created)],
            &["POST tokens {\"scope\":\"deploy\",\"tenant\":\"acme\",\"label\":\"ci\"} [T]"],
            "hs_secret\n",
        ),
        (
            &["token", "list", "--tenant", "acme"],
            vec![answer("GET tokens?tenant=acme", 200, &json!([token("deploy", Some("acme"))]))],
            &["GET tokens?tenant=acme [T]"],
            "TOKEN  SCOPE   TENANT  LABEL  CREATED\nt1     deploy  acme    ci     60 min ago\n",
        ),
        (
            &["token", "revoke", "t1"],
            vec![other("DELETE tokens/t1", 204, "text/plain", "")],
            &["DELETE tokens/t1 [T]"],
            "",
        ),
        (
            &[
                "tenant",
                "create",
                "acme",
                "--twilio-auth-token",
                "new",
                "--twilio-auth-token",
                "old",
                "--concurrency",
                "64",
            ],
            vec![answer("POST tenants", 201, &tenant("acme"))],
            &[
                "POST tenants {\"id\":\"acme\",\"twilio_auth_tokens\":[\"new\",\"old\"],\"shared_keys\":[],\"quota\":\
               {\"concurrency\":64,\"revisions\":2000,\"bytes\":4294967296,\"compile_ms_per_hour\":1800000}} [T]",
            ],
            "acme\n  created      3 days ago\n  public URL   the host's own\n  signed with  1 auth token, 1 shared key (k1)\n  \
             account      none: its handlers place no calls and send nothing\n  concurrency  64 invocations at one time\n  handlers     2\n  revisions    9 of 5000\n  stored       1.5 MB of 4.3 GB\n  \
             compiling    1.0 of 30.0 min of CPU within an hour\n",
        ),
        (
            &["tenant", "list"],
            vec![answer("GET tenants", 200, &json!([tenant("acme")]))],
            &["GET tenants [T]"],
            "TENANT  HANDLERS  REVISIONS  STORED  AUTH TOKENS  KEYS  CREATED\nacme           2          9  1.5 MB            1     1  3 days ago\n",
        ),
        (
            // What is not said stays as it is there.
            &["tenant", "update", "acme", "--revisions", "10", "--json"],
            vec![
                answer("GET tenants/acme", 200, &tenant("acme")),
                answer("PATCH tenants/acme", 200, &tenant("acme")),
            ],
            &[
                "GET tenants/acme [T]",
                "PATCH tenants/acme {\"quota\":{\"concurrency\":64,\"revisions\":10,\"bytes\":4294967296,\"compile_ms_per_hour\":1800000}} [T]",
            ],
            "JSON",
        ),
        (
            &["tenant", "delete", "acme", "--yes"],
            vec![other("DELETE tenants/acme", 204, "text/plain", "")],
            &["DELETE tenants/acme [T]"],
            "",
        ),
        (
            &["config", "show", "front-desk", "--tenant", "acme"],
            vec![
                answer(&format!("GET {HANDLER}"), 200, &handler_view()),
                answer(
                    &format!("GET {HANDLER}/revisions?before=9&limit=1"),
                    200,
                    &json!([revision(8, "canary")]),
                ),
            ],
            &[
                "GET tenants/acme/handlers/front-desk [T]",
                "GET tenants/acme/handlers/front-desk/revisions?before=9&limit=1 [T]",
            ],
            "KEY       VALUE\ngreeting  Hello\nlang      en\n",
        ),
    ];
    for (args, answers, asked, printed) in cases {
        let host = FakeHost::start(answers.clone()).await;
        let ran = Run::new(&host, args).run().await;
        assert!(ran.result.is_ok(), "{args:?}: {:?}", ran.result);
        assert_eq!(host.asked(), *asked, "{args:?}");
        if *printed == "JSON" {
            assert!(serde_json::from_str::<Value>(&ran.out).unwrap().is_object(), "{args:?}");
        } else {
            assert_eq!(ran.out, *printed, "{args:?}");
        }
    }
}

#[tokio::test]
async fn status_says_that_the_registry_is_away_instead_of_losing_the_history() {
    let mut view = handler_view();
    view["history"] = json!([]);
    view["registry"] = json!("the registry can't be used: it is locked");
    let answers = vec![
        answer("GET tenants/acme/handlers/front-desk", 200, &view),
        answer("GET tenants/acme/handlers", 200, &json!([view])),
    ];
    let host = FakeHost::start(answers).await;
    let one = Run::new(&host, &["status", "front-desk", "--tenant", "acme"]).run().await.out;
    let said = "changes wait and the history is not known: the registry can't be used: it is locked\n";
    assert!(one.contains(&format!("\n  registry  {said}")), "{one}");
    let all = Run::new(&host, &["status", "--tenant", "acme"]).run().await;
    assert!(all.notes.contains("changes wait") && all.notes.contains("it is locked"), "{}", all.notes);
    assert!(!all.out.contains("wait"), "{}", all.out);
}

#[tokio::test]
async fn config_changes_one_value_and_keeps_everything_else() {
    const HANDLER: &str = "tenants/acme/handlers/front-desk";
    for (args, config) in [
        (
            &["config", "set", "front-desk", "greeting=a=b", "x="][..],
            json!({ "greeting": "a=b", "lang": "en", "x": "" }),
        ),
        (&["config", "unset", "front-desk", "lang"], json!({ "greeting": "Hello" })),
    ] {
        let host = FakeHost::start(vec![
            answer(&format!("GET {HANDLER}"), 200, &handler_view()),
            answer(
                &format!("GET {HANDLER}/revisions?before=9&limit=1"),
                200,
                &json!([revision(8, "canary")]),
            ),
            answer(&format!("POST {HANDLER}/revisions"), 201, &deployed(9)),
        ])
        .await;
        let ran = Run::new(&host, &[args, &["--tenant", "acme"]].concat()).run().await;
        assert!(ran.result.is_ok(), "{:?}", ran.result);
        let asked = host.asked();
        let sent =
            asked[2].strip_prefix(&format!("POST {HANDLER}/revisions ")).unwrap().trim_end_matches(" [T]");
        let sent: Value = serde_json::from_str(sent).unwrap();
        assert_eq!(sent["settings"]["config"], config);
        assert_eq!(sent["settings"]["outbound_allow"], json!(["https://api.test"]));
        // The component in force, not that of the newest revision, which may have been taken back.
        assert_eq!(sent["digest"], json!(format!("{:064x}", 8)));
    }
}

#[tokio::test]
async fn deploy_uploads_what_is_not_there_and_releases_it() {
    let folder = tempfile::tempdir().unwrap();
    let component = b"\0asm\x0d\0\x01\0";
    let file = folder.path().join("front_desk.wasm");
    std::fs::write(&file, component).unwrap();
    std::fs::write(
        folder.path().join("handler.toml"),
        "[config]\ngreeting = 'Hi'\n[release]\nrisk = 'contract'",
    )
    .unwrap();
    let digest = Digest::of(component).to_string();
    let (there, release) =
        (format!("tenants/acme/components/{digest}"), "POST tenants/acme/handlers/front-desk/revisions");
    let view = json!({ "digest": digest, "bytes": component.len() });
    let path = file.display().to_string();

    for known in [false, true] {
        let mut answers = vec![
            answer("GET token", 200, &token("deploy", Some("acme"))),
            answer(release, 201, &deployed(8)),
        ];
        answers.push(answer(&format!("PUT {there}"), 201, &view));
        if known {
            answers.push(answer(&format!("GET {there}"), 200, &view));
        }
        let host = FakeHost::start(answers).await;
        let ran =
            Run::new(&host, &["deploy", &path, "--risk", "code", "--percent", "5%", "--json"]).run().await;
        assert!(ran.result.is_ok(), "{:?}", ran.result);
        let printed: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(
            (&printed["revision"], &printed["live"], &printed["urls"]["voice"]),
            (&json!(8), &json!(true), &json!("https://calls.test/acme/front-desk/voice"))
        );
        let asked = host.asked();
        let upload = format!("PUT {there} {} [T]", String::from_utf8_lossy(component));
        assert_eq!(asked.contains(&upload), !known, "{asked:?}");
        let sent = asked.last().unwrap().strip_prefix(release).unwrap().trim_end_matches(" [T]");
        let sent: Value = serde_json::from_str(sent).unwrap();
        assert_eq!(sent["digest"], json!(digest));
        assert_eq!((&sent["risk"], &sent["percent"]), (&json!("code"), &json!(5.0)));
        assert_eq!(sent["settings"]["config"], json!({ "greeting": "Hi" }));
    }
}

#[tokio::test]
async fn secrets_come_by_file_or_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    std::fs::write(&file, "new\n\n  old \n").unwrap();
    for (path, input, sent) in
        [(file.display().to_string(), "", "[\"new\",\"old\"]"), ("-".to_owned(), "one\n", "[\"one\"]")]
    {
        let host = FakeHost::start(vec![answer("PATCH tenants/acme", 200, &tenant("acme"))]).await;
        let args = ["tenant", "update", "acme", "--twilio-auth-token-file", &path];
        let ran = Run { input, ..Run::new(&host, &args) }.run().await;
        assert!(ran.result.is_ok(), "{:?}", ran.result);
        assert_eq!(host.asked(), [format!("PATCH tenants/acme {{\"twilio_auth_tokens\":{sent}}} [T]")]);
        assert!(!format!("{}{}", ran.out, ran.notes).contains("new"));
    }
}

#[tokio::test]
async fn contexts_are_saved_for_their_owner_only_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let host = FakeHost::start(vec![answer("GET tenants/acme/numbers", 200, &json!([]))]).await;
    let run = async |args: &[&str], input| {
        let variables = vec![("XDG_CONFIG_HOME", folder.path().display().to_string())];
        Run { variables, input, ..Run::new(&host, args) }.run().await
    };
    let added = run(
        &["context", "add", "prod", "--control", &host.url, "--token-file", "-", "--tenant", "acme"],
        " S \n",
    )
    .await;
    assert!(added.result.is_ok(), "{:?}", added.result);
    let file = folder.path().join("hookswitch/contexts.toml");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(run(&["context", "add", "other", "--control", "http://192.0.2.1:1"], "").await.result.is_ok());

    // The first one is in use, and its token and tenant with it.
    assert!(run(&["number", "list"], "").await.result.is_ok());
    assert_eq!(host.asked(), ["GET tenants/acme/numbers [S]"]);
    let shown = run(&["context", "list", "--json"], "").await.out;
    assert!(!shown.contains("\"S\""), "{shown}");
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (&shown[0]["name"], &shown[0]["current"], &shown[1]["current"]),
        (&json!("other"), &json!(false), &json!(true))
    );
    assert!(run(&["context", "use", "other"], "").await.result.is_ok());
    assert_eq!(
        run(&["context", "show"], "").await.out,
        "other\n  control  http://192.0.2.1:1\n  token    none\n"
    );
    assert!(run(&["context", "remove", "other"], "").await.result.is_ok());
    assert!(run(&["context", "show"], "").await.result.is_err());
    assert!(run(&["context", "use", "other"], "").await.result.is_err());
}

#[test]
fn every_command_shows_an_example() {
    let mut cli = Cli::command();
    cli.clone().debug_assert();
    cli.build();
    let mut left: Vec<_> = cli
        .get_subcommands()
        .filter(|command| command.get_name() != "help" && !command.is_hide_set())
        .collect();
    assert!(left.len() > 10);
    while let Some(command) = left.pop() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.contains("Example") && help.contains("hookswitch "), "{}: {help:?}", command.get_name());
        left.extend(command.get_subcommands().filter(|command| command.get_name() != "help"));
    }
}
