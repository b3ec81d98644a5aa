//! `hookswitch test`, and what it says of a script that does not come true. Scripts that do stand beside the guests and the
//! examples.

use serde_json::Value;

use crate::support::{ROOT, hookswitch};

/// What comes of `scripts` for the guest called `name`, as JSON, as text, and as JUnit XML.
fn played(name: &str, allow: &str, scripts: &str) -> (Value, String, String) {
    let built =
        hookswitch::build::build(&ROOT.join("tests/guests").join(name), &mut |_| {}).expect("it builds");
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join(format!("{name}.wasm"));
    std::fs::copy(built.component, &component).unwrap();
    std::fs::write(folder.path().join("handler.toml"), format!("name = \"{name}\"\n{allow}")).unwrap();
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
