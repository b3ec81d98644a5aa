//! The carrier's official library signs, the host answers: our own signing proves nothing about our own checking.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{ROOT, TOKEN, TestHost, example, on_host_runtime};

/// Runs one of the official clients on all cases and returns its answers.
fn answers(program: &str, args: &[&str], host: &TestHost, cases: &Value) -> Vec<Value> {
    let folder = ROOT.join("tests/official");
    let mut client = Command::new(program)
        .args(args)
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; `tests/run` installs the official libraries"));
    let asked = json!({ "base_url": host.url(""), "auth_token": TOKEN, "cases": cases });
    client.stdin.take().unwrap().write_all(asked.to_string().as_bytes()).unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} failed; `tests/run` installs the official libraries");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn agrees_with(program: &str, args: &[&str]) {
    on_host_runtime(async {
        let host = TestHost::start().await;
        host.deploy_folder("acme", &example("front-desk")).expect("it loads");
        let text = std::fs::read_to_string(ROOT.join("tests/official/cases.json")).unwrap();
        let cases: Value = serde_json::from_str(&text.replace("/VOICE", "/acme/front-desk/voice")).unwrap();
        // A thread that blocks is fine here: the host runs on the runtime's own.
        let answers = answers(program, args, &host, &cases);
        let cases = cases.as_array().unwrap();
        assert_eq!(answers.len(), cases.len());
        for (case, answer) in cases.iter().zip(&answers) {
            let name = &case["name"];
            if case["refused"] == true {
                assert_eq!(answer["status"], 403, "{name}: {answer}");
                assert_eq!(answer["headers"]["x-hookswitch-error"], "HS101", "{name}");
            } else {
                assert_eq!(answer["status"], 200, "{name}: {answer}");
                assert!(answer["body"].as_str().unwrap().contains("<Response>"), "{name}: {answer}");
            }
        }
        let first = answers[0]["body"].as_str().unwrap();
        assert!(first.contains("Thank you for calling Acme."), "{first}");
        assert!(first.contains("action=\"/acme/front-desk/voice/menu?hs=1."), "{first}");
    });
}

#[test]
fn the_official_python_library_signs_and_the_host_answers() {
    agrees_with(".venv/bin/python", &["client.py"]);
}

#[test]
fn the_official_node_library_signs_and_the_host_answers() {
    agrees_with("node", &["client.mjs"]);
}
