//! A host that is killed at any moment has kept what it acknowledged, and nothing by halves.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::*;

const FOLDER: &str = "HOOKSWITCH_TEST_CRASH_FOLDER";
const KILLS: u64 = 20;

#[test]
fn what_was_acknowledged_survives_kill_9() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return deploy_until_killed(Path::new(&folder));
    }
    let (folder, registry) = Folder::with_tenant();
    drop(registry);
    let mut acknowledged = 0;
    for round in 0..KILLS {
        acknowledged = acknowledged.max(kill_one(&folder, round));
        check(&folder, acknowledged);
    }
    assert!(
        acknowledged > 100,
        "{acknowledged} deploys are too few to have been killed in the middle of one"
    );
}

/// This test once more, as a process that deploys; killed after some acknowledgements and a moment. Gives back the last one.
fn kill_one(folder: &Folder, round: u64) -> u32 {
    let name = std::thread::current().name().unwrap().to_owned();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([name.as_str(), "--exact", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut last = 0;
    for _ in 0..10 {
        last = lines.next().unwrap().unwrap().parse().unwrap();
    }
    // Anywhere within two deploys or so: in the middle of one, of its sync, between commit and checkpoint.
    std::thread::sleep(std::time::Duration::from_micros(137 * round));
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines.map_while(Result::ok) {
        // The last line may be cut off.
        last = line.parse().unwrap_or(last).max(last);
    }
    last
}

fn deploy_until_killed(folder: &Path) {
    let registry = Registry::open(folder, &MasterKey::open(folder).unwrap()).unwrap();
    let mut out = std::io::stderr();
    // An end of its own, should nobody kill it.
    for _ in 0..100_000 {
        let next = registry.revisions(&id("acme"), &name("ivr")).unwrap().first().map_or(0, |r| r.id.0) + 1;
        let mut new = revision("acme", "ivr", &next.to_string());
        new.settings.fallback = Some("x".repeat(9_000));
        let outcome = registry.deploy(&new, at_once).unwrap();
        if out.write_all(format!("{}\n", outcome.revision.id).as_bytes()).is_err() {
            return;
        }
    }
}

fn check(folder: &Folder, acknowledged: u32) {
    let registry = folder.open().unwrap();
    let revisions = registry.revisions(&id("acme"), &name("ivr")).unwrap();
    let newest = revisions[0].id.0;
    assert!(newest >= acknowledged, "{acknowledged} was acknowledged, {newest} is the newest");
    assert_eq!(revisions.len(), newest as usize);
    let handler = registry.handler(&id("acme"), &name("ivr")).unwrap().unwrap();
    assert_eq!((handler.release.stable.0, handler.release.generation), (newest, u64::from(newest)));
    for revision in &revisions {
        assert_eq!(revision.digest, Digest::of(revision.id.to_string().as_bytes()));
        assert_eq!(revision.retired_at.is_none(), revision.id.0 == newest);
    }
    assert_eq!(registry.history(&id("acme"), &name("ivr"), u32::MAX).unwrap().len(), newest as usize);
}
