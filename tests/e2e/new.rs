//! From nothing to a handler that answers, outside of this repository, with the SDK that the binary carries.
//!
//! The projects share one target folder, beside the binary's, so that the SDK is compiled once for all and for later runs.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hookswitch::carrier::twilio::signature::AuthToken;
use hookswitch::dev::board::Board;
use hookswitch::dev::{Workshop, keep_up};

use super::dev::wait_for;
use crate::support::{Served, TOKEN, TestHost, binary, hookswitch, on_host_runtime, scale};

const TEMPLATES: [&str; 4] = ["ivr", "sms", "voicemail", "forward"];

/// Tests here build in one target folder, in which cargo works for one at a time.
static BUILDS: Mutex<()> = Mutex::new(());

fn run(args: &[&str], at: &Path) -> (bool, String) {
    let Output { status, stdout, stderr } =
        hookswitch().current_dir(at).args(args).output().expect("it starts");
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.success(), said)
}

fn ok(args: &[&str], at: &Path) -> String {
    let (success, said) = run(args, at);
    assert!(success, "{args:?}: {said}");
    said
}

/// An empty folder for handlers, with the SDK and the target folder that they share.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let all = binary().parent().unwrap().parent().unwrap().join("new-handlers");
        let folder = all.join(name);
        let _not_there = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        ok(&["new", "--sdk-only", all.to_str().unwrap()], &all);
        Self(folder)
    }

    /// A handler of this template, with its name.
    fn make(&self, template: &str) -> PathBuf {
        let said = ok(&["new", template, "--template", template], &self.0);
        assert!(said.contains("hookswitch dev") && said.contains("shares the SDK"), "{said}");
        let handler = self.0.join(template);
        let target = self.0.parent().unwrap().join("target");
        std::fs::create_dir_all(&target).unwrap();
        symlink(target, handler.join("target")).unwrap();
        handler
    }
}

#[test]
fn every_template_builds_outside_of_the_repository_and_passes_its_own_calls() {
    let _alone = BUILDS.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Folder::new("templates");
    let handlers: Vec<PathBuf> = TEMPLATES.iter().map(|template| folder.make(template)).collect();
    for handler in &handlers {
        let said = ok(&["build", handler.to_str().unwrap()], &folder.0);
        assert!(said.contains("exports hookswitch:handler/"), "{said}");
        // Its own tests, natively, as its author runs them. What they need was downloaded for the build, and their lock file
        // fits as it is.
        let mut cargo = Command::new("cargo");
        cargo.current_dir(handler).args(["test", "--locked", "--offline", "--quiet", "--target-dir"]);
        let tested = cargo.arg(handler.join("target/native")).output().unwrap();
        let said = String::from_utf8_lossy(&tested.stdout);
        assert!(
            tested.status.success() && said.contains("test result: ok"),
            "{said}{}",
            String::from_utf8_lossy(&tested.stderr)
        );
    }
    let tested: serde_json::Value =
        serde_json::from_str(&stdout(&["test", ".", "--json"], &folder.0)).expect("one JSON object");
    assert_eq!(tested["failed"], 0, "{tested}");
    assert!(tested["passed"].as_u64() >= Some(10), "{tested}");

    let heard = ok(&["call", "ivr", "--digits", "2"], &folder.0);
    assert!(heard.contains("nine to five"), "{heard}");
    let (success, said) = run(&["new", "ivr"], &folder.0);
    assert!(!success && said.contains("is not empty"), "{said}");
}

fn stdout(args: &[&str], at: &Path) -> String {
    let output = hookswitch().current_dir(at).args(args).output().expect("it starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Prints how long it takes from saving a line to the revision that has it.
#[test]
fn a_compile_error_is_on_the_board_with_its_place_and_gone_when_it_is_mended() {
    let _alone = BUILDS.lock().unwrap_or_else(PoisonError::into_inner);
    on_host_runtime(async {
        let handler = Folder::new("changes").make("forward");
        let source = handler.join("src/lib.rs");
        let good = std::fs::read_to_string(&source).unwrap();
        let host = TestHost::start().await;
        let board = Board::default();
        let mut seen = board.watch();
        let shop = Workshop::new(Arc::clone(&host.host), AuthToken::new(TOKEN).unwrap(), board).unwrap();
        keep_up(shop, handler.clone(), Arc::new(|_, _| {})).unwrap();
        wait_for(&mut seen, "the first build", |board| {
            board.first().is_some_and(|it| it.revision == Some(1))
        })
        .await;

        std::fs::write(&source, good.replace("=> ring(),", "=> rign(),")).unwrap();
        let now = wait_for(&mut seen, "the error", |board| board[0].problem.is_some()).await;
        let problem = now[0].problem.as_ref().unwrap();
        let line = good.lines().position(|line| line.contains("=> ring(),")).unwrap() + 1;
        let place = &problem.places[0];
        assert_eq!((place.file.as_str(), place.line as usize), ("src/lib.rs", line), "{problem:?}");
        assert!(place.message.contains("rign") && place.column > 1, "{place:?}");
        assert!(problem.text.contains("rign") && !problem.text.contains('\u{1b}'), "{}", problem.text);
        assert_eq!(host.call("dev/forward").start().await.revision(), "1", "the one before goes on");

        std::fs::write(&source, good.replace("Nobody answers.", "They are all out.")).unwrap();
        wait_for(&mut seen, "what was mended", |board| {
            board[0].revision == Some(2) && board[0].problem.is_none()
        })
        .await;

        let mut took_ms = Vec::new();
        for change in 3..3 + u32::try_from(scale(1, 5)).unwrap() {
            std::fs::write(&source, good.replace("Nobody answers.", &format!("Change {change}."))).unwrap();
            let saved = Instant::now();
            wait_for(&mut seen, "the change", |board| board[0].revision == Some(change)).await;
            let mut call = host.call("dev/forward");
            call.start().await;
            let heard = call.follow("Dial", "action", &[("DialCallStatus", "no-answer")]).await;
            assert!(heard.body.contains(&format!("Change {change}.")), "{}", heard.body);
            took_ms.push(saved.elapsed().as_millis());
        }
        println!("a changed line was heard {took_ms:?} ms after it was saved");
        if scale(0, 1) == 1 {
            assert!(took_ms.iter().all(|ms| *ms <= 3_000), "{took_ms:?}");
        }
    });
}

#[test]
fn a_scripted_call_that_fails_keeps_a_deploy_from_being_uploaded() {
    let _alone = BUILDS.lock().unwrap_or_else(PoisonError::into_inner);
    let handler = Folder::new("gate").make("forward");
    let data = tempfile::tempdir().unwrap();
    let host = Served::start(&data.path().join("data"));
    host.tenant("acme");
    let path = handler.to_str().unwrap();
    let calls = handler.join("calls/ring.toml");
    let good = std::fs::read_to_string(&calls).unwrap();
    std::fs::write(&calls, good.replace("hear = \"Nobody answers.\"", "hear = \"Somebody answers.\""))
        .unwrap();
    let refused = host.run(&["deploy", path, "--tenant", "acme"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    for expected in
        ["\u{201c}nobody answers\u{201d}", "Somebody answers.", "1 of 3", "nothing was uploaded", "--no-test"]
    {
        assert!(said.contains(expected), "{expected} in {said}");
    }
    let status = host.run(&["status", "forward", "--tenant", "acme"]);
    assert_ne!(status.status.code(), Some(0), "it is not there: {}", String::from_utf8_lossy(&status.stdout));

    let unplayed = host.run(&["deploy", path, "--tenant", "acme", "--no-test"]);
    let said = String::from_utf8_lossy(&unplayed.stderr);
    assert!(unplayed.status.success() && said.contains("not played"), "{said}");
    std::fs::write(&calls, good).unwrap();
    let played = host.run(&["deploy", path, "--tenant", "acme"]);
    let said = String::from_utf8_lossy(&played.stderr);
    assert!(played.status.success() && said.contains("3 scripted calls passed"), "{said}");
}

/// A thousand conversations of five webhooks each.
#[test]
fn a_thousand_scripted_calls_are_played_in_seconds() {
    let _alone = BUILDS.lock().unwrap_or_else(PoisonError::into_inner);
    let handler = Folder::new("many").make("ivr");
    let call = |number: usize| {
        let begin = "{ hear = \"Thank you for calling.\" }, { press = \"9\" }, { hear = \"Sorry\" }, { press = \"9\" }, \
            { hear = \"Sorry\" }, { press = \"2\" }, { hear = \"nine to five\" }, { ends = \"handler\" }";
        format!("[[call]]\nname = \"caller {number}\"\nsteps = [{begin}]\n")
    };
    let calls: String = (0..1_000).map(call).collect();
    std::fs::write(handler.join("calls/menu.toml"), calls).unwrap();
    ok(&["build", handler.to_str().unwrap()], &handler);
    let tested: serde_json::Value =
        serde_json::from_str(&stdout(&["test", "--json"], &handler)).expect("one JSON object");
    assert_eq!((&tested["passed"], &tested["failed"]), (&1_000.into(), &0.into()));
    assert!(tested["webhooks"].as_u64() >= Some(5_000), "{}", tested["webhooks"]);
    println!("1 000 scripted calls, {} webhooks: {} ms", tested["webhooks"], tested["ms"]);
    if scale(0, 1) == 1 {
        assert!(tested["ms"].as_f64().unwrap() <= 5_000.0, "{}", tested["ms"]);
    }
}

/// Only where the numbers are asked for: it compiles the SDK anew.
#[test]
fn from_nothing_to_the_first_answered_call_takes_less_than_a_minute() {
    if scale(0, 1) == 0 {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    ok(&["new", "front-desk"], folder.path());
    let heard = ok(&["call", "front-desk", "--digits", "2"], folder.path());
    let took = began.elapsed();
    assert!(heard.contains("nine to five"), "{heard}");
    println!("from `new` to the first answered call: {:.1} s", took.as_secs_f64());
    assert!(took <= Duration::from_secs(60), "{took:?}");
    // And once more, with nothing left to build.
    let began = Instant::now();
    ok(&["call", "front-desk", "--digits", "2"], folder.path());
    println!("a call with nothing to build: {} ms", began.elapsed().as_millis());
}
