//! Schedules: a run happens at its moment, once, whatever happens to the host.

use std::path::Path;
use std::time::Duration;

use crate::support::{Served, wait_for};
use crate::web::pages;

fn folder(dir: &Path, toml: &str) -> String {
    std::fs::write(dir.join("pages.wasm"), pages()).unwrap();
    std::fs::write(dir.join("handler.toml"), format!("name = \"pages\"\n{toml}")).unwrap();
    dir.join("pages.wasm").display().to_string()
}

const EACH_MINUTE: &str = "[[schedule]]\nname = \"tick\"\ncron = \"* * * * *\"\n\
                           [[schedule]]\nname = \"fails-once\"\ncron = \"* * * * *\"\ntimezone = \"Europe/Berlin\"\n";

/// The runs that the host has logged: the subject, and which attempt.
fn runs(log: &str, name: &str) -> Vec<(String, String)> {
    let of_one = |line: &str| {
        let rest = line.split_once(&format!("ran {name} "))?.1;
        let mut words = rest.split_whitespace();
        let subject = words.next()?.to_owned();
        Some((subject, words.nth(1)?.chars().take_while(char::is_ascii_digit).collect()))
    };
    log.lines().filter_map(of_one).collect()
}

#[test]
fn a_moment_is_run_once_also_over_a_crash_and_a_failure_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut host = Served::start(&data);
    host.tenant("acme");
    let component = folder(dir.path(), EACH_MINUTE);
    host.ok(&["deploy", &component, "--tenant", "acme"]);

    // Into the next minute: both run, and the one that fails runs again.
    wait_for("the runs of a minute", 75, || {
        let log = host.logged();
        (!runs(&log, "tick").is_empty() && runs(&log, "fails-once").len() >= 2).then_some(())
    });
    let status = wait_for("an end that is kept", 10, || {
        let status = host.json(&["status", "pages", "--tenant", "acme"]);
        let schedules = status["schedules"].as_array().unwrap().clone();
        schedules.iter().all(|schedule| schedule["last"]["state"] == "done").then_some(schedules)
    });
    assert_eq!((&status[0]["name"], &status[0]["last"]["attempts"]), (&"tick".into(), &1.into()));
    assert_eq!(
        (&status[1]["timezone"], &status[1]["last"]["attempts"]),
        (&"Europe/Berlin".into(), &2.into())
    );
    assert_eq!(status[0]["next"].as_array().unwrap().len(), 3);

    // A crash and a new process: what was run is not run again, what comes next is.
    let before = runs(&host.logged(), "tick");
    host = Served::start(&host.kill());
    wait_for("the next minute's run", 75, || {
        (runs(&host.logged(), "tick").len() > before.len()).then_some(())
    });
    std::thread::sleep(Duration::from_secs(3)); // a second run of it would come with one of the next looks
    let mut subjects: Vec<_> = runs(&host.logged(), "tick").into_iter().map(|(subject, _)| subject).collect();
    let all = subjects.len();
    subjects.sort_unstable();
    subjects.dedup();
    assert_eq!(subjects.len(), all, "{subjects:?}");
    let attempts = runs(&host.logged(), "fails-once");
    let (first, again) = (&attempts[0], &attempts[1]);
    assert_eq!((&first.0, first.1.as_str(), again.1.as_str()), (&again.0, "1", "2"));
}

#[test]
fn a_schedule_that_can_not_be_is_refused_at_the_deploy() {
    let dir = tempfile::tempdir().unwrap();
    let host = Served::start(&dir.path().join("data"));
    host.tenant("acme");
    for (toml, says) in [
        ("[[schedule]]\nname = \"a\"\ncron = \"* * * * * *\"", "seconds are not offered"),
        ("[[schedule]]\nname = \"a\"\ncron = \"@every 1s\"", "is not known"),
        (
            "[[schedule]]\nname = \"a\"\ncron = \"@daily\"\ntimezone = \"Mars\"",
            "not in the time zone database",
        ),
    ] {
        let component = folder(dir.path(), toml);
        let refused = host.run(&["deploy", &component, "--tenant", "acme"]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(says), "{toml}: {said}");
    }
}
