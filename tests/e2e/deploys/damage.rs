//! Files that are damaged, missing, locked or can't be written: calls go on, deploys say why they don't, and when it is
//! mended nothing has to be restarted.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use hookswitch::call::RevisionId;
use hookswitch::registry::{MasterKey, read_last_known};

use super::{front_desk, greeting, variation};
use crate::support::{Client, Served, on_host_runtime, scale, wait_for};

fn artifacts(data: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(data.join("artifacts")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).collect()
}

#[test]
fn a_flipped_bit_in_compiled_code_is_never_run() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut host = Served::start(&data);
        host.tenant("acme");
        let path = greeting(folder.path(), front_desk(), "One.");
        host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
        for flip in 0..scale(3, 20) {
            host.kill();
            let file = artifacts(&data).pop().expect("what was compiled");
            let mut file = std::fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
            let length = file.metadata().unwrap().len();
            let at = (flip as u64).wrapping_mul(2_654_435_761) % length;
            let mut byte = [0];
            file.seek(SeekFrom::Start(at)).unwrap();
            file.read_exact(&mut byte).unwrap();
            file.seek(SeekFrom::Start(at)).unwrap();
            file.write_all(&[byte[0] ^ 1 << (flip % 8)]).unwrap();
            drop(file);
            host = Served::start(&data);
            assert_eq!(answered_at_last(&host).await, "1", "flip at {at}");
        }
        host.kill();
        for file in artifacts(&data) {
            std::fs::remove_file(file).unwrap();
        }
        let host = Served::start(&data);
        assert_eq!(answered_at_last(&host).await, "1", "compiled again");
    });
}

/// Which revision answers, as soon as it is compiled; until then callers hear the fallback and nothing else.
async fn answered_at_last(host: &Served) -> String {
    let client = Client::new(host.webhooks);
    let begun = std::time::Instant::now();
    loop {
        let heard = client.call("acme/front-desk").start().await.clone();
        match heard.code() {
            "" => return heard.revision().to_owned(),
            code => assert!(code == "HS216" && begun.elapsed().as_secs() < 60, "{code}: {}", heard.body),
        }
    }
}

#[test]
fn a_damaged_registry_stops_deploys_and_no_call_and_heals_without_a_restart() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let host = Served::start(&data);
        host.tenant("acme");
        let deploy = |host: &Served, words: &str| {
            let path = greeting(folder.path(), &variation(front_desk(), words), words);
            host.run(&["deploy", path.to_str().unwrap(), "--tenant", "acme", "--no-canary"])
        };
        assert!(deploy(&host, "One.").status.success());
        assert!(deploy(&host, "Two.").status.success());
        let answered_by = async |host: &Served| {
            let heard = Client::new(host.webhooks).call("acme/front-desk").start().await.clone();
            assert_eq!(heard.code(), "", "{}", heard.body);
            heard.revision().to_owned()
        };
        let backup = folder.path().join("backup.tar");
        host.ok(&["backup", backup.to_str().unwrap(), "--data", data.to_str().unwrap()]);

        let key = MasterKey::open(&data).unwrap();
        wait_for("what is in force to be written down", 60, || {
            let known = read_last_known(&data, &key).ok()??;
            known.handlers.iter().any(|handler| handler.release.stable == RevisionId(2)).then_some(())
        });

        // Its file is overwritten while the host is down: it starts from what it knew last.
        host.kill();
        for file in ["registry.db-wal", "registry.db-shm"] {
            let _not_there = std::fs::remove_file(data.join(file));
        }
        std::fs::write(data.join("registry.db"), b"this is no database, whatever it was before").unwrap();
        let host = Served::start(&data);
        assert_eq!(answered_by(&host).await, "2");
        let output = deploy(&host, "Three.");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains("registry"), "{said}");
        host.ok(&["rollback", "front-desk", "--tenant", "acme"]);
        assert_eq!(answered_by(&host).await, "1", "back without the registry");
        assert_eq!(
            std::fs::read(data.join("registry.db")).unwrap(),
            b"this is no database, whatever it was before"
        );

        // What the backup has is put back under the running host.
        let restored = folder.path().join("restored");
        std::fs::create_dir(&restored).unwrap();
        let tar = std::process::Command::new("tar").arg("-xf").arg(&backup).arg("-C").arg(&restored).status();
        assert!(tar.unwrap().success());
        std::fs::rename(restored.join("registry.db"), data.join("registry.db")).unwrap();
        wait_for("the registry to be found again", 30, || {
            deploy(&host, "Four.").status.success().then_some(())
        });
        assert_eq!(answered_by(&host).await, "3");
    });
}

#[test]
fn a_restored_backup_answers_as_the_host_did_that_it_was_taken_from() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let host = Served::start(&data);
        host.tenant("acme");
        let path = greeting(folder.path(), front_desk(), "One.");
        host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
        let mut call = Client::new(host.webhooks).call("acme/front-desk");
        call.start().await;
        let link = call.link("Gather", "action");
        let backup = folder.path().join("backup.tar");
        let said = host.json(&["backup", backup.to_str().unwrap(), "--data", data.to_str().unwrap()]);
        let left_out = said["left_out"].as_array().unwrap();
        let tar = std::process::Command::new("tar").arg("-tf").arg(&backup).output().unwrap();
        let taken = String::from_utf8(tar.stdout).unwrap();
        for file in std::fs::read_dir(&data).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".db") {
                let is_taken = taken.lines().any(|taken| taken == name);
                let is_left_out = left_out.iter().any(|left_out| left_out == &name);
                assert!(
                    is_taken != is_left_out,
                    "{name}: whoever makes a backup knows whether it is in it: {taken}"
                );
            }
        }
        host.kill();

        let restored = folder.path().join("restored");
        std::fs::create_dir(&restored).unwrap();
        let tar = std::process::Command::new("tar").arg("-xf").arg(&backup).arg("-C").arg(&restored).status();
        assert!(tar.unwrap().success());
        let host = Served::start(&restored);
        let params = [
            ("CallSid", call.id()),
            ("AccountSid", "AC1"),
            ("From", "+12025550123"),
            ("To", "+12025550199"),
            ("Digits", "1"),
        ];
        let heard = Client::new(host.webhooks).post(&link, &params).await;
        assert_eq!(
            (heard.code(), heard.revision()),
            ("", "1"),
            "the link of a call in progress: {}",
            heard.body
        );
    });
}

#[test]
fn on_a_full_disk_calls_go_on_and_the_deploy_says_so_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = folder.path().join("small");
    std::fs::create_dir(&mounted).unwrap();
    // A disk of a few MiB, which only the host sees; we look through its eyes.
    let mount = format!(
        "mount -t tmpfs -o size=6m none {0} && mkdir {0}/data && exec \"$0\" \"$@\"",
        mounted.display()
    );
    let allowed = std::process::Command::new("unshare").args(["-rm", "true"]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        eprintln!("no disk of its own can be made here; not tried");
        return;
    }
    on_host_runtime(async {
        let host = Served::start_within(
            &["unshare", "-rm", "sh", "-c", &mount],
            &mounted.join("data"),
            folder.path(),
        );
        host.tenant("acme");
        let deploy = |words: &str| {
            let path = greeting(folder.path(), &variation(front_desk(), words), words);
            host.run(&["deploy", path.to_str().unwrap(), "--tenant", "acme", "--no-canary"])
        };
        assert!(deploy("One.").status.success());
        let client = Client::new(host.webhooks);
        let filler = host.data.with_file_name("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        let output = deploy("Two.");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains("disk"), "{said}");
        let heard = client.call("acme/front-desk").start().await.clone();
        assert_eq!((heard.code(), heard.revision()), ("", "1"), "{}", heard.body);
        std::fs::remove_file(&filler).unwrap();
        drop(file);
        let output = deploy("Two.");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(client.call("acme/front-desk").start().await.revision(), "2");
    });
}

#[test]
fn a_registry_that_somebody_else_has_locked_delays_deploys_and_no_call() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let host = Served::start(&data);
        host.tenant("acme");
        let path = greeting(folder.path(), front_desk(), "One.");
        host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
        let mut shell = Shell::that_locks(&data);
        let args = ["config", "set", "front-desk", "greeting=Two.", "--tenant", "acme"];
        let output = host.run(&args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains("locked"), "{said}");
        let heard = Client::new(host.webhooks).call("acme/front-desk").start().await.clone();
        assert_eq!((heard.code(), heard.revision()), ("", "1"), "{}", heard.body);
        shell.close();
        host.ok(&args);
        assert_eq!(Client::new(host.webhooks).call("acme/front-desk").start().await.revision(), "2");
    });
}

/// Stands for the database shell that somebody left open: holds the registry's write lock.
struct Shell(std::process::Child);

impl Shell {
    fn that_locks(data: &Path) -> Self {
        let script = "import sqlite3,sys\ndb=sqlite3.connect(sys.argv[1],isolation_level=None)\ndb.execute('BEGIN IMMEDIATE')\n\
                      print('locked',flush=True)\nsys.stdin.read()";
        let mut shell = std::process::Command::new("python3")
            .args(["-c", script])
            .arg(data.join("registry.db"))
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdout.as_mut().unwrap().read_exact(&mut [0; 7]).unwrap();
        Self(shell)
    }

    fn close(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.close();
    }
}

#[test]
fn a_rollback_made_while_the_registry_was_locked_is_kept() {
    on_host_runtime(async {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let host = Served::start(&data);
        host.tenant("acme");
        for words in ["One.", "Two."] {
            let path = greeting(folder.path(), front_desk(), words);
            host.ok(&["deploy", path.to_str().unwrap(), "--tenant", "acme"]);
        }
        let mut shell = Shell::that_locks(&data);
        host.ok(&["rollback", "front-desk", "--tenant", "acme"]);
        assert_eq!(
            Client::new(host.webhooks).call("acme/front-desk").start().await.revision(),
            "1",
            "at once"
        );
        shell.close();
        let status = wait_for("the registry to be told", 20, || {
            let status = host.json(&["status", "front-desk", "--tenant", "acme"]);
            (status["history"][0]["change"] == "rolled_back").then_some(status)
        });
        assert_eq!(status["stable"], 1, "{status}");
        let host = Served::start(&host.kill());
        assert_eq!(
            Client::new(host.webhooks).call("acme/front-desk").start().await.revision(),
            "1",
            "after a crash"
        );
    });
}
