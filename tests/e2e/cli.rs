//! The commands as a person types them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Served, Serving, TOKEN, Upstream, example, hookswitch, misbehave, on_host_runtime};

fn run(args: &[&str], input: &str) -> Output {
    let mut child = hookswitch()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn lint_names_line_and_column_and_exits_by_severity() {
    let cases: &[(&str, &[&str], &str, i32, &str)] = &[
        ("good", &["lint", "-"], "<Response><Say>Hi</Say></Response>", 0, ""),
        ("warned", &["lint", "-"], "<Response>\n <Say vioce=\"alice\">Hi</Say></Response>", 0, "-:2:"),
        (
            "strict",
            &["lint", "--strict", "-"],
            "<Response><Say vioce=\"alice\">Hi</Say></Response>",
            1,
            "warning: ",
        ),
        ("refused", &["lint", "-"], "<Response><Say>Hi</Response>", 1, "error: "),
        ("no file", &["lint"], "", 2, ""),
        ("unreadable", &["lint", "/nonexistent/x.xml"], "", 2, ""),
    ];
    for (name, args, input, code, expected) in cases {
        let output = run(args, input);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(*code), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
    let output = run(&["lint", "--json", "-"], "<Response><Speak/></Response>");
    let problems: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&problems[0]["line"], &problems[0]["severity"]),
        (&1.into(), &"warning".into()),
        "{problems}"
    );
}

#[test]
fn signature_tells_a_match_from_a_mismatch() {
    // The worked example of the carrier's security guide.
    let ask = |signature: &str| {
        let header = format!("X-Twilio-Signature: {signature}");
        let args = [
            "signature",
            "--url",
            "https://example.com/myapp.php?foo=1&bar=2",
            "--auth-token",
            "12345",
            "--header",
            &header,
            "--body",
            "-",
        ];
        let body = "Digits=1234&To=%2B18005551212&From=%2B14158675310&Caller=%2B14158675310&CallSid=CA1234567890ABCDE";
        run(&args, body)
    };
    assert_eq!(ask("L/OH5YylLD5NRKLltdqwSvS0BnU=").status.code(), Some(0));
    let wrong = ask("LAOH5YylLD5NRKLltdqwSvS0BnU=");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&wrong.stdout).contains("L/OH5YylLD5NRKLltdqwSvS0BnU="),
        "says what it should be"
    );
    assert_eq!(run(&["signature"], "").status.code(), Some(2));
}

#[test]
fn dev_prints_a_webhook_that_it_answers_and_stops_when_asked() {
    let mut serving = Serving(
        hookswitch()
            .arg("dev")
            .arg(example("front-desk"))
            .args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--auth-token", TOKEN])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(serving.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let curl: Vec<String> = lines
        .by_ref()
        .skip_while(|line| !line.trim_start().starts_with("curl"))
        .take_while(|line| !line.is_empty())
        .collect();
    let answer = Command::new("sh").args(["-c", &format!("{} -s -i", curl.join("\n"))]).output().unwrap();
    let answer = String::from_utf8_lossy(&answer.stdout);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("<Gather"), "{answer}\nto {curl:?}");

    let told = Command::new("kill").args(["-TERM", &serving.0.id().to_string()]).status().unwrap();
    assert!(told.success());
    let asked = Instant::now();
    while serving.0.try_wait().unwrap().is_none() {
        assert!(asked.elapsed() < Duration::from_secs(20), "it goes on after SIGTERM");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(serving.0.wait().unwrap().code(), Some(0));
}

#[test]
fn serve_needs_no_file_and_says_what_to_do_first() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let host = Served::start(&data);
    let unsigned = host.data_plane("/acme/sms-keywords/sms");
    assert!(unsigned.contains("HS103"), "nobody is here: {unsigned}");
    assert!(host.get("/readyz").contains("ready"), "{}", host.get("/readyz"));
    assert!(
        host.get("/metrics").contains("hookswitch_refused_total{code=\"HS103\"} 1"),
        "{}",
        host.get("/metrics")
    );
    for secret in ["pin-key", "key", "operator-token"] {
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&data.join(secret).metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{secret} is read by nobody else");
    }
    let second = Served::try_start(&data, &[]).err().expect("one host a folder");
    assert!(second.contains("another"), "{second}");
}

#[test]
fn a_message_is_written_to_a_handler_without_a_carrier() {
    let output = hookswitch()
        .args(["call", "guest-examples/sms-keywords", "--text", "HOURS", "--text", "NONSENSE"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches("incoming message POST /dev/sms-keywords/sms").count(), 2, "{said}");
    assert!(said.matches("message to +12025550177: “").count() >= 2, "{said}");
}

#[test]
fn a_conversation_shows_what_is_logged() {
    let call = |args: &[&str]| {
        let args = [&["call", "guest-examples/sms-keywords", "--text", "HOURS"], args].concat();
        let output = hookswitch().args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = call(&[]);
    assert!(shown.contains("the handler logs: +12025550177 wrote 1 segments"), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&call(&["--json"])).expect("one JSON object");
    let logged = json["events"].as_array().unwrap().iter().find(|event| event["kind"] == "logged");
    let logged = logged.expect("a line of the handler's");
    assert_eq!(
        (&logged["by"], logged["text"].as_str().unwrap().contains("wrote 1")),
        (&"handler".into(), true)
    );
}

#[test]
fn a_failure_and_a_missing_secret_are_told_with_their_reason() {
    let built = hookswitch::build::build(&example("crm-lookup"), &mut |_| {}).expect("it builds");
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::copy(built.component, folder.path().join("code.wasm")).unwrap();
    write(
        "handler.toml",
        "name = \"crm\"\ncomponent = \"code.wasm\"\nsecrets = [\"crm-key\"]\n[config]\ncrm = \"https://a.example.com\"\n\
         agent = \"+12025550123\"",
    );
    write(".secrets.toml", "crm-kye = \"hunter2\"");
    let call = || {
        let output = hookswitch().args(["call", "--dial", "busy"]).arg(folder.path()).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!format!("{out}{err}").contains("hunter2"), "{out}{err}");
        (out.into_owned(), err.into_owned())
    };
    let (shown, warned) = call();
    assert!(shown.contains("crm-key is not in ") && shown.contains("add crm-key = "), "{shown}{warned}");
    for part in ["no value for crm-key", "\"crm-kye\" is read by nobody: did you mean `crm-key`?"] {
        assert!(warned.contains(part), "{warned}");
    }
    // What it asks for is refused: handler.toml does not allow it.
    write(".secrets.toml", "crm-key = \"hunter2\"");
    let (shown, warned) = call();
    assert!(shown.contains("the host says: ") && shown.contains("allow"), "{shown}{warned}");
    assert!(!warned.contains("warning"), "{warned}");
}

#[test]
fn what_can_not_be_meant_is_an_error_and_not_a_success() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    for (args, expected) in [
        (&["test", "nosuch"][..], "nosuch is not there; expected a handler's folder"),
        (&["test", empty], "a folder without a handler in it"),
        (&["test", "guest-examples/front-desk", "--only", "no such script"], "in its name"),
        (&["call", "guest-examples/front-desk", "--from", "banana"], "a number in E.164"),
        (&["call", "guest-examples/sms-keywords", "--text", "x", "--media", "banana"], "such as image/jpeg"),
        (&["number", "add", "2025550124", "jsh"], "expected a number in E.164, such as +12025550123"),
    ] {
        let output = run(args, "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.contains(expected)), (Some(2), true), "{args:?}: {said}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("passed"), "{args:?}");
    }
}

#[test]
fn a_document_that_is_refused_is_complained_about_once() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("calls")).unwrap();
    std::fs::write(folder.path().join("code.wasm"), misbehave()).unwrap();
    write("handler.toml", "name = \"m\"\ncomponent = \"code.wasm\"");
    write(
        "calls/a.toml",
        "[[call]]\nname = \"odd\"\nurl = \"voice/outside-grammar\"\nsteps = [{ error = \"HS208\" }]",
    );
    let output = hookswitch().arg("test").arg(folder.path()).env("RUST_LOG", "warn").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((said.matches("`volume`").count(), said.contains("`strict = true`")), (1, true), "{said}");
}

#[test]
fn a_call_tells_its_end_and_a_message_brings_its_media() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("code.wasm"), misbehave()).unwrap();
    std::fs::write(folder.path().join("handler.toml"), "name = \"m\"\ncomponent = \"code.wasm\"").unwrap();
    let said = |output: &Output| {
        [&*output.stdout, &*output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
    };
    let output = run(&["call", folder.path().to_str().unwrap()], "");
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("status: completed POST /dev/m/status \u{2192} 204"), "{}", said(&output));

    on_host_runtime(async {
        let upstream = Upstream::start().await;
        let call = |path: &str, more: &[&str]| {
            run(&[&["call", &upstream.url(path), "--auth-token", TOKEN][..], more].concat(), "")
        };
        // Another host is asked over the wire, also where the call is to a folder.
        let elsewhere = upstream.url("/status/204?from=folder");
        let output = run(&["call", folder.path().to_str().unwrap(), "--status-callback", &elsewhere], "");
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(upstream.seen().pop().unwrap().line, "POST /status/204?from=folder");
        let output = call("/circle", &["--status-callback", "/status/204"]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains("the documents led on without end"), "{}", said(&output));
        let last = upstream.seen().pop().unwrap();
        let body = String::from_utf8_lossy(&last.body).into_owned();
        assert!(
            last.line == "POST /status/204" && body.contains("CallStatus=completed"),
            "{}: {body}",
            last.line
        );

        call(
            "/circle",
            &["--text", "Look", "--text", "again", "--media", "image/png", "--media", "audio/ogg"],
        );
        let media = |body: &[u8]| {
            let fields = form_urlencoded::parse(body).into_owned();
            let of_media =
                |(name, _): &(String, String)| name.starts_with("MediaContentType") || name == "NumMedia";
            fields.filter(of_media).map(|(_, value)| value).collect::<Vec<_>>().join(" ")
        };
        let seen = upstream.seen();
        assert!(
            seen.iter().any(|seen| media(&seen.body) == "2 image/png audio/ogg"),
            "it comes with the first"
        );
        assert_eq!(
            seen.last().map(|seen| media(&seen.body)).as_deref(),
            Some("0"),
            "and not with the second"
        );
    });
}
