//! Secrets: granted by name, set by the tenant, versioned with the calls that use them, and shown to nobody.

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::deploys::ready;
use crate::support::{Client, Served, misbehave, on_host_runtime, wait_for};

const FIRST: &str = "sk-live-0815-first";
const SECOND: &str = "sk-live-4711-second";
const GRANTED: &str = "secrets = [\"crm-key\"]";

fn set(host: &Served, value: &str) -> serde_json::Value {
    let output = try_to_set(host, value);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn try_to_set(host: &Served, value: &str) -> Output {
    let args = ["secret", "set", "crm-key", "--tenant", "acme", "--json"];
    let mut child = host
        .command(&args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{value}").unwrap();
    child.wait_with_output().unwrap()
}

/// Every file below `folder` that has `text` in it.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read(&path)
            .is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_secret_is_granted_by_name_and_set_anew_without_a_deploy_of_code() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let handler = ready(folder.path(), "guest", misbehave(), GRANTED);
        let deploy = ["deploy", handler.to_str().unwrap(), "--tenant", "acme"];
        let refused = host.run(&deploy);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("hookswitch secret set crm-key"), "{said}");

        assert_eq!(set(&host, FIRST)["secret"]["version"], 1);
        host.ok(&deploy);
        let client = Client::new(host.webhooks);
        let mut first = client.call("acme/guest/voice/say-secret");
        assert!(first.start().await.body.contains(FIRST), "{}", first.last().body);

        let anew = set(&host, SECOND);
        assert_eq!(
            (&anew["secret"]["version"], &anew["revisions"][0]["revision"]),
            (&2.into(), &2.into()),
            "{anew}"
        );
        assert_eq!(anew["revisions"][0]["risk"], "content", "{anew}");
        let second = client.call("acme/guest/voice/say-secret").start().await.clone();
        assert!(second.body.contains(SECOND), "{}", second.body);
        assert!(first.start().await.body.contains(FIRST), "the call in progress keeps its value");

        host.ok(&["rollback", "guest", "--tenant", "acme"]);
        let back = client.call("acme/guest/voice/say-secret").start().await.clone();
        assert!(back.body.contains(FIRST), "going back brings back what that revision worked with");

        // While a canary is on, the calls of the stable revision would go on with a value that is perhaps revoked.
        let other =
            ready(folder.path(), "guest", misbehave(), &format!("{GRANTED}\n[config]\ntrap = \"never\""));
        host.ok(&["deploy", other.to_str().unwrap(), "--tenant", "acme", "--percent", "50"]);
        let refused = try_to_set(&host, "sk-live-1234-third");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("guest: a canary is on"), "{said}");
        let listed = host.json(&["secret", "list", "--tenant", "acme"]);
        assert_eq!(listed[0]["version"], 2, "{listed}");
        host.ok(&["promote", "guest", "--tenant", "acme"]);
        assert_eq!(set(&host, "sk-live-1234-third")["secret"]["version"], 3);
    });
}

#[test]
fn a_secret_is_shown_to_nobody() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        set(&host, FIRST);
        let handler = ready(folder.path(), "guest", misbehave(), GRANTED);
        let deployed = host.ok(&["deploy", handler.to_str().unwrap(), "--tenant", "acme"]);
        let client = Client::new(host.webhooks);
        for (step, code) in [
            ("log-secret", ""),
            ("fail-with-secret", "HS209"),
            ("panic-with-secret", "HS213"),
            ("foreign-secret", "HS209"),
        ] {
            let heard = client.call(&format!("acme/guest/voice/{step}")).start().await.clone();
            assert_eq!(heard.code(), code, "{step}: {}", heard.body);
        }
        let log = wait_for("what was logged", 10, || {
            Some(host.logged()).filter(|log| log.contains("secrets: other"))
        });
        assert!(log.contains("the key is [secret crm-key], I repeat: [secret crm-key]"), "{log}");
        assert!(log.matches("the key [secret crm-key] does not work").count() >= 2, "{log}");
        assert!(log.contains(r#"the secret "other" is not granted: this handler has crm-key"#), "{log}");
        let listed = host.ok(&["secret", "list", "--tenant", "acme"]);
        let revisions = host.ok(&["revisions", "guest", "--tenant", "acme", "--json"]);
        assert!(listed.contains("crm-key") && listed.contains("guest"), "{listed}");
        for said in [&deployed, &log, &listed, &revisions] {
            assert!(!said.contains(FIRST) && !said.contains("sealed"), "{said}");
        }
        assert_eq!(files_with(&host.data, FIRST), [""; 0]);

        let refused = host.run(&["secret", "delete", "crm-key", "--tenant", "acme"]);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("granted to guest"), "{said}");
    });
}

#[test]
fn scripts_before_a_deploy_are_played_with_their_own_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let host = Served::start(&folder.path().join("data"));
    host.tenant("acme");
    set(&host, FIRST);
    let handler = ready(folder.path(), "guest", misbehave(), GRANTED);
    std::fs::write(handler.join(".secrets.toml"), format!("crm-key = \"{SECOND}\"")).unwrap();
    std::fs::create_dir(handler.join("calls")).unwrap();
    let script = |expected: &str| {
        let text = format!(
            "secrets = {{ crm-key = \"made-up\" }}\n[[call]]\nname = \"a\"\nurl = \"voice/say-secret\"\n\
             steps = [{{ hear = \"{expected}\" }}]"
        );
        std::fs::write(handler.join("calls/a.toml"), text).unwrap();
    };
    let deploy = ["deploy", handler.to_str().unwrap(), "--tenant", "acme"];
    for real in [FIRST, SECOND] {
        script(real);
        let refused = host.run(&deploy);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("\u{201c}made-up\u{201d}"), "{said}");
    }
    script("made-up");
    host.ok(&deploy);
    on_host_runtime(async {
        let heard = Client::new(host.webhooks).call("acme/guest/voice/say-secret").start().await.clone();
        assert!(heard.body.contains(FIRST), "callers are answered with the tenant's: {}", heard.body);
    });
}
