//! `hookswitch test`, and what it says of a script that does not come true. Scripts that do stand beside the guests and the
//! examples.

use serde_json::Value;

use std::path::Path;

use crate::support::{ROOT, example, hookswitch};

/// What comes of `scripts` for the guest called `name`, as JSON, as text, and as JUnit XML.
fn played(name: &str, settings: &str, scripts: &str) -> (Value, String, String) {
    played_with(&ROOT.join("tests/guests").join(name), settings, "", scripts)
}

/// The same for any guest, on a machine that knows `secrets`.
fn played_with(guest: &Path, settings: &str, secrets: &str, scripts: &str) -> (Value, String, String) {
    let built = hookswitch::build::build(guest, &mut |_| {}).expect("it builds");
    let name = guest.file_name().unwrap().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join(format!("{name}.wasm"));
    std::fs::copy(built.component, &component).unwrap();
    std::fs::write(folder.path().join("handler.toml"), format!("name = \"{name}\"\n{settings}")).unwrap();
    std::fs::write(folder.path().join(".secrets.toml"), secrets).unwrap();
    std::fs::create_dir(folder.path().join("calls")).unwrap();
    std::fs::write(folder.path().join("calls/a.toml"), scripts).unwrap();
    let run = |args: &[&str]| {
        let output = hookswitch().arg("test").arg(&component).args(args).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let junit = folder.path().join("junit.xml");
    let text = run(&["--junit", junit.to_str().unwrap()]);
    let json = serde_json::from_str(&run(&["--json"])).expect("one JSON object");
    (json, text, std::fs::read_to_string(junit).unwrap())
}

/// The failures in the order of the scripts; `-` where there is none.
fn failures(json: &Value) -> Vec<String> {
    let scripts = json["handlers"][0]["scripts"].as_array().unwrap();
    let text = |failure: &Value| {
        let found: Vec<&str> =
            failure["found"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        format!(
            "{}: {} | {} | {}",
            failure["line"],
            failure["expected"].as_str().unwrap(),
            found.join("; "),
            failure["hint"].as_str().unwrap_or_default()
        )
    };
    scripts
        .iter()
        .map(|one| if one["failure"].is_null() { "-".into() } else { text(&one["failure"]) })
        .collect()
}

fn check(json: &Value, expected: &[&[&str]]) {
    let failures = failures(json);
    assert_eq!(failures.len(), expected.len(), "{failures:#?}");
    for (failure, parts) in failures.iter().zip(expected) {
        for part in *parts {
            assert!(failure.contains(part), "{failure}\n  expected {part}");
        }
    }
}

#[test]
fn a_request_that_nothing_answers_and_one_that_was_not_sent_are_named() {
    let (json, text, junit) = played(
        "caller",
        "[outbound]\nallow = [\"https://crm.example.com\"]\n",
        r#"
[[call]]
name = "nothing answers"
url = "voice/once"
params = { SpeechResult = "https://crm.example.com/people?key=1" }
steps = [{ hear = "Unreachable" }]

[[call]]
name = "sent more often"
url = "voice/get"
params = { SpeechResult = "https://crm.example.com/people" }
http = [{ request = "GET https://crm.example.com/*", status = 503 }]
steps = [
  { hear = "503" },
  { requested = "GET https://crm.example.com/people", times = 2 },
]

[[call]]
name = "sent otherwise"
url = "voice/post"
params = { SpeechResult = "https://crm.example.com/leads", Bytes = "2" }
http = [{ request = "POST https://crm.example.com/leads", status = 201 }]
steps = [
  { requested = "POST https://crm.example.com/leads", body = "name" },
  { hear = "201" },
]

[[call]]
name = "in order"
url = "voice/post"
params = { SpeechResult = "https://crm.example.com/leads" }
http = [{ request = "POST https://crm.example.com/leads", status = 201 }]
steps = [{ hear = "201" }, { requested = "POST https://crm.example.com/leads" }]
"#,
    );
    check(
        &json,
        &[
            &[
                "a request has no answer: GET https://crm.example.com/people |",
                "no rule of `http` answers it",
                "add to `http`",
            ],
            &[
                "15: expected to have GET https://crm.example.com/people requested, 2 in all, and it is 3 times",
            ],
            &["24: expected to have", "\u{201c}name\u{201d}", "\u{201c}xx\u{201d}: 201"],
            &["-"],
        ],
    );
    let events = json["handlers"][0]["scripts"][3]["events"].as_array().unwrap();
    let requested: Vec<&Value> = events.iter().filter(|event| event["kind"] == "requested").collect();
    assert_eq!(requested.len(), 1);
    assert_eq!(requested[0]["came_to"], serde_json::json!({ "status": 201 }));
    assert!(
        text.contains("request  POST https://crm.example.com/leads with \u{201c}xx\u{201d}: 201"),
        "{text}"
    );
    assert!(junit.contains("failures=\"3\"") && junit.contains("2 in all, and it is 3 times"), "{junit}");
}

#[test]
fn what_a_store_and_a_page_have_instead_is_said() {
    let (json, ..) = played(
        "remember",
        "",
        r#"
[[call]]
name = "another value"
url = "voice/store,set,note,nine"
steps = [
  { hear = "[" },
  { stored = "note", value = "ten" },
]

[[messages]]
name = "each script has a store of its own"
steps = [{ stored = "note" }]
"#,
    );
    check(
        &json,
        &[
            &[
                "7: expected to have \"note\" stored \u{201c}ten\u{201d}",
                "the store has under \"note\": \u{201c}nine\u{201d}",
            ],
            &["the store has nothing under \"note\""],
        ],
    );
    let (json, ..) = played(
        "pages",
        "",
        r#"
[[web]]
name = "another status"
steps = [{ web = "GET /status?code=404" }, { answered = 200, hear = "a body" }]

[[web]]
name = "another header"
steps = [{ web = "GET /status" }, { answered = 200, header = { x-own = "2" } }]

[[web]]
name = "a failure is not passed over"
steps = [{ web = "POST /fail" }, { answered = 502 }]

[[web]]
name = "no page"
steps = [{ answered = 200 }]

[[web]]
name = "elsewhere"
steps = [{ web = "GET /../voice" }]
"#,
    );
    check(
        &json,
        &[
            &["expected an answer 200 with \u{201c}a body\u{201d}", "answered 404", "x-own: 1"],
            &["x-own: 2 |", "x-own: 1"],
            &["a webhook failed: HS209"],
            &["no step asks for a page before"],
            &["leads out of the handler's pages"],
        ],
    );
}

#[test]
fn a_handler_has_the_secrets_that_its_script_gives_and_none_of_the_machine() {
    let (json, text, junit) = played_with(
        &ROOT.join("tests/guests/misbehave"),
        "secrets = [\"crm-key\", \"second\"]\n",
        "crm-key = \"a-real-one\"\nsecond = \"another-real-one\"",
        r#"
secrets = { crm-key = "made-up-for-all" }

[[call]]
name = "that of the file"
url = "voice/say-secret"
steps = [{ hear = "made-up-for-all" }]

[[call]]
name = "its own"
url = "voice/say-secret"
secrets = { crm-key = "made-up-for-this" }
never = ["made-up-for-all"]
steps = [{ hear = "made-up-for-this" }]

[[call]]
name = "one that is not listed"
secrets = { hubspot = "x-made-up" }
steps = [{ hear = "anything" }]

[[call]]
name = "one that is not granted"
url = "voice/foreign-secret"
steps = [{ hear = "anything" }]
"#,
    );
    check(
        &json,
        &[
            &["-"],
            &["-"],
            &[
                "16: there is a value for the secret \"hubspot\", and handler.toml lists crm-key, second",
                "secrets = [\"hubspot\"]",
            ],
            &["failed: HS209", "the codes"],
        ],
    );
    for report in [json.to_string(), text, junit] {
        assert!(!report.contains("real-one"), "{report}");
    }
    let (json, text, _) = played_with(
        &ROOT.join("tests/guests/misbehave"),
        "secrets = [\"crm-key\"]\n",
        "crm-key = \"a-real-one\"",
        r#"
[[call]]
name = "none"
url = "voice/say-secret"
steps = [{ error = "HS209" }, { hear = "a-real-one" }]
"#,
    );
    check(&json, &[&["expected to hear", "no value for crm-key here: `secrets = { crm-key"]]);
    assert!(text.contains("the script gives crm-key no value"), "{text}");
}

#[test]
fn a_number_that_a_host_may_refuse_is_told_in_the_conversation() {
    let (json, text, _) = played(
        "outward",
        "",
        r#"
[[call]]
name = "a stranger's number"
url = "voice/place-from-a-strangers-number"
steps = [{ placed = "+12025550100" }, { hear = "Something else" }]

[[call]]
name = "its own"
url = "voice/place"
steps = [{ placed = "+12025550100" }, { hear = "Something else" }]
"#,
    );
    check(&json, &[&["expected to hear"], &["expected to hear"]]);
    let remarks =
        |at: usize| json["handlers"][0]["scripts"][at]["events"].to_string().matches("(not-yours)").count();
    assert_eq!((remarks(0), remarks(1)), (1, 0), "{json}");
    assert!(text.contains("from +12025550111, which is not the number of this conversation"), "{text}");
}

#[test]
fn a_call_comes_at_the_time_of_day_that_its_script_says() {
    let hours = "[config]\nopen = 9\nclose = 17\nutc_offset_hours = -5\nsales = \"+12025550123\"";
    let (json, ..) = played_with(
        &example("front-desk"),
        hours,
        "",
        r#"
at = "2026-11-23T09:00:00-05:00"

[[call]]
name = "at nine on a Monday"
steps = [{ hear = "press 1 or say sales" }]

[[call]]
name = "a minute before"
at = "2026-11-23T08:59:00-05:00"
steps = [{ hear = "outside our opening hours" }]

[[call]]
name = "on a Saturday"
at = "2026-11-28T12:00:00[America/New_York]"
steps = [{ hear = "outside our opening hours" }]

[[call]]
name = "not at five"
at = 2026-11-23T22:00:00Z
steps = [{ hear = "press 1 or say sales" }]
"#,
    );
    check(&json, &[&["-"], &["-"], &["-"], &["21: expected to hear", "outside our opening hours"]]);
}

#[test]
fn a_schedule_is_run_at_the_moments_at_which_it_is_due() {
    // A run of the schedule `fail` fails, so that it is seen that there was one.
    let (json, ..) = played(
        "remember",
        "[[schedule]]\nname = \"fail\"\ncron = \"0 9 * * *\"\ntimezone = \"America/New_York\"\n",
        r#"
[[web]]
name = "day after day"
steps = [
  { fire = "fail", at = "2026-11-23T09:00:00" },
  { error = "HS209" },
  { fire = "fail", at = "2026-11-24T14:00:00Z" },
  { error = "HS209" },
]

[[web]]
name = "not at half past nine"
steps = [{ fire = "fail", at = "2026-11-23T09:30:00" }]

[[web]]
name = "not when it is over"
at = "2026-11-23T14:01:00Z"
steps = [{ fire = "fail", at = "2026-11-23T09:00:00" }]

[[web]]
name = "not twice"
steps = [
  { fire = "fail", at = "2026-11-23T09:00:00" },
  { error = "HS209" },
  { fire = "fail", at = "2026-11-23T09:00:00" },
]

[[web]]
name = "not another"
steps = [{ fire = "remind", at = "2026-11-23T09:00:00" }]
"#,
    );
    check(
        &json,
        &[
            &["-"],
            &[
                "13: expected the schedule fail to be run for 2026-11-23T09:30:00",
                "not due at 2026-11-23T09:30:00-05:00; the next time after that is 2026-11-24T09:00:00-05:00",
            ],
            &["18: ", "that moment is over, it is 2026-11-23T14:01:00.000Z by now"],
            &["25: ", "it was run for this moment already"],
            &["has no [[schedule]] with the name \"remind\"; it has: fail"],
        ],
    );
}

#[test]
fn other_hosts_answer_as_the_script_says_and_are_named_where_it_does_not() {
    let (json, text, junit) = played(
        "misbehave",
        "",
        r#"
[[call]]
name = "a document of another host"
url = "https://other.example.com/voice?from=here"
http = [
  { request = "POST https://other.example.com/voice", headers = { content-type = "text/xml" }, body = "<Response><Say>From elsewhere</Say><Redirect method='GET'>/next</Redirect></Response>" },
  { request = "GET https://other.example.com/next", error = "refused" },
]
fallback_url = "voice"
steps = [{ hear = "From elsewhere" }, { ends = "handler" }]

[[call]]
name = "nobody says what"
url = "https://other.example.com/voice?from=here"
steps = [
  { hear = "From elsewhere" },
]

[[messages]]
name = "our name with another scheme is another host"
url = "https://localhost/dev/misbehave/sms"
steps = [{ write = "x" }]

[[call]]
name = "it panics"
url = "voice/panic"
steps = [{ hear = "Something else" }]
"#,
    );
    let reach = "which a script can't reach; add an entry to `http`";
    check(
        &json,
        &[
            &["-"],
            &[
                "16: expected to hear \u{201c}From elsewhere\u{201d}",
                "the carrier would ask POST https://other.example.com/voice, ",
                reach,
                "{ request = \"POST https://other.example.com/voice\", headers = { content-type",
            ],
            &["the carrier would ask POST https://localhost/dev/misbehave/sms, ", reach],
            &["failed: HS213"],
        ],
    );
    assert!(
        text.contains(&format!("the carrier would ask POST https://other.example.com/voice, {reach}")),
        "{text}"
    );
    for why in ["the host says: HS213: ", "misbehaving on purpose", "`{ error = \u{2026} }` expects one"] {
        assert!(junit.contains(why) && text.contains(why), "{why} is not in\n{junit}\n{text}");
    }
}

#[test]
fn a_handler_that_does_not_build_hides_no_other() {
    let built =
        hookswitch::build::build(&ROOT.join("tests/guests/misbehave"), &mut |_| {}).expect("it builds");
    let folder = tempfile::tempdir().unwrap();
    for (name, settings) in [
        ("a-broken", "build = \"echo 'no such <thing>'; exit 3\"\ncomponent = \"code.wasm\""),
        ("b-whole", "component = \"code.wasm\""),
    ] {
        let handler = folder.path().join(name);
        std::fs::create_dir_all(handler.join("calls")).unwrap();
        std::fs::write(handler.join("handler.toml"), settings).unwrap();
        let script = "[[call]]\nname = 'hello'\nsteps = [{ hear = 'Something else' }]";
        std::fs::write(handler.join("calls/a.toml"), script).unwrap();
    }
    std::fs::copy(built.component, folder.path().join("b-whole/code.wasm")).unwrap();
    let run = |args: &[&str]| {
        let output = hookswitch().arg("test").arg(folder.path()).args(args).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let file = folder.path().join("m.xml");
    let [text, _] = run(&["--junit", file.to_str().unwrap()]);
    assert!(text.contains("a-broken\n  ERROR its scripts are not played: "), "{text}");
    assert!(
        text.contains("of 1 scripts passed") && text.contains("; 1 handler could not be played"),
        "{text}"
    );
    let junit = std::fs::read_to_string(file).unwrap();
    for part in [
        "<testsuite name=\"a-broken\" tests=\"1\" failures=\"0\" errors=\"1\"",
        "<error message=\"",
        "<testsuite name=\"b-whole\" tests=\"1\"",
    ] {
        assert!(junit.contains(part), "{part} is not in\n{junit}");
    }

    // What was asked for first comes, whatever becomes of the file.
    let nowhere = folder.path().join("nowhere/m.xml");
    let [json, said] = run(&["--json", "--junit", nowhere.to_str().unwrap()]);
    let json: Value = serde_json::from_str(&json).expect("one JSON object");
    assert_eq!((&json["errors"], json["handlers"].as_array().unwrap().len()), (&1.into(), 2), "{json}");
    assert!(json["handlers"][0]["error"].is_string() && json["handlers"][1]["error"].is_null(), "{json}");
    assert!(said.contains("nowhere/m.xml"), "{said}");
}
