//! The files themselves: made whole or not at all, and a disk that stands still.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::task::{Context, Poll, Waker};

use super::super::worker::WAITING_MAX;
use super::*;

const FOLDER: &str = "HOOKSWITCH_TEST_STATE_FOLDER";
const KILLS: u64 = 12;

#[tokio::test]
async fn a_host_that_is_killed_while_it_makes_its_files_leaves_a_folder_that_can_be_used() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return make_until_killed(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut made = 0;
    for kill in 0..KILLS {
        let within = folder.path().join(kill.to_string());
        std::fs::create_dir(&within).unwrap();
        let name = std::thread::current().name().unwrap().to_owned();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([name.as_str(), "--exact", "--nocapture"])
            .env(FOLDER, &within)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        lines.next().unwrap().unwrap();
        // Making one takes some milliseconds, so this is in the middle of one more often than not.
        std::thread::sleep(Duration::from_micros(300 * kill));
        child.kill().unwrap();
        child.wait().unwrap();
        for entry in std::fs::read_dir(&within).unwrap() {
            let data = entry.unwrap().path();
            let state = State::open(&data).unwrap();
            let kept = state.change(owner("acme", "ivr"), "n".into(), add(1)).await;
            assert_eq!(kept, Ok(Reply::Sum(1)), "{}", data.display());
            let session = state.session(ringing(), soon()).await;
            assert!(session.is_ok(), "{}: {session:?}", data.display());
            made += 1;
        }
    }
    assert!(made >= KILLS, "{made} folders");
}

/// This test once more, as a process that makes the files of one folder after the other.
fn make_until_killed(folder: &Path) {
    // An end of its own, should nobody kill it.
    for n in 0..2_000 {
        let data = folder.join(n.to_string());
        std::fs::create_dir(&data).unwrap();
        drop(State::open(&data).unwrap());
        if n == 0 {
            eprintln!("begun");
        }
    }
}

#[tokio::test]
async fn while_the_disk_stands_still_what_is_too_much_is_refused_and_the_rest_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(folder.path()).unwrap();
    state.change(owner("acme", "ivr"), "n".into(), add(1)).await.unwrap();
    let other = rusqlite::Connection::open(folder.path().join(STORE_FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (mut waiting, mut refused) = (Vec::new(), 0);
    // What the thread has taken out of the queue leaves room for as many again.
    for _ in 0..WAITING_MAX + 1_000 {
        let mut change = Box::pin(state.change(owner("acme", "ivr"), "n".into(), add(1)));
        match change.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => waiting.push(change),
            Poll::Ready(Err(StorageError::Unavailable(why))) => {
                assert_eq!(why, "too much waits to be read or written already");
                refused += 1;
            }
            Poll::Ready(other) => panic!("{other:?}"),
        }
    }
    assert!(refused > 0 && waiting.len() >= WAITING_MAX, "{refused} refused, {} wait", waiting.len());
    other.execute_batch("ROLLBACK").unwrap();
    let mut done = 0;
    for change in waiting {
        // Those that were begun while the lock was held for long are told so, too.
        done += u32::from(change.await.is_ok());
    }
    let sum = state.change(owner("acme", "ivr"), "n".into(), add(0)).await.unwrap();
    assert_eq!(sum, Reply::Sum(i64::from(done) + 1), "what was acknowledged, and nothing else");
}
