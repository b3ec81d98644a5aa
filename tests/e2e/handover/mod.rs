//! The host's binary is replaced while webhooks come in; a new one that is broken changes nothing.
//!
//! The short form runs with the other tests. `HOOKSWITCH_HANDOVER_REQUESTS=60000` makes it the measurement in PROMISES.md:
//! `cargo test --release --test e2e handover -- --nocapture`.

mod load;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hookswitch::carrier::twilio::signature::{self, AuthToken};
use hookswitch::handover::DataLock;

use self::load::Load;
use crate::support::{ROOT, TOKEN, alone_on_host_runtime, example};

/// How long any single thing may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host in a folder of its own, started through a link that can be turned to another binary.
struct Running {
    folder: tempfile::TempDir,
    first: Child,
    webhooks: SocketAddr,
    control: String,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        link(folder.path(), &binary());
        let mut command = serve(folder.path());
        let mut first = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
        let mut addresses = Vec::new();
        while addresses.len() < 2 {
            let line = lines.next().expect("the host says where it listens").unwrap();
            let named = line.split("http://").skip(1);
            addresses.extend(named.filter_map(|rest| {
                let end = rest
                    .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ':')))
                    .unwrap_or(rest.len());
                rest[..end].trim_end_matches('.').parse::<SocketAddr>().ok()
            }));
        }
        // What it says later is read too, or the pipe would fill up.
        std::thread::spawn(move || lines.for_each(drop));
        Self { folder, first, webhooks: addresses[0], control: format!("http://{}", addresses[1]) }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The process that is the host now.
    fn pid(&self) -> u32 {
        std::fs::read_to_string(self.data().join("lock")).unwrap().trim().parse().unwrap()
    }

    /// A command that talks to the host.
    fn command(&self, args: &[&str]) {
        let token = std::fs::read_to_string(self.data().join("operator-token")).unwrap_or_default();
        let mut command = Command::new(binary());
        command.args(args).current_dir(&*ROOT);
        command.env("HOOKSWITCH_CONTROL", &self.control).env("HOOKSWITCH_TOKEN", token.trim());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.pid());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits until another process than `old` is the host.
    fn replaced(&self, old: u32) {
        let began = Instant::now();
        while self.pid() == old {
            assert!(began.elapsed() < PATIENCE, "process {old} is still the host");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A webhook on a connection of its own.
    fn is_answered(&self) -> bool {
        let mut stream = std::net::TcpStream::connect(self.webhooks).unwrap();
        stream.write_all(&webhook(self.webhooks, u64::MAX)).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        &start == b"HTTP/1.1 200"
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.signal("KILL");
        }
        let _killed = self.first.kill().and_then(|()| self.first.wait());
    }
}

/// The binary that was built beside this test.
fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let binary = test.parent().and_then(|deps| deps.parent()).unwrap().join("hookswitch");
    assert!(binary.is_file(), "{} is not there: build it first, as tests/run does", binary.display());
    binary
}

/// Lets the path that hosts are started by lead to `binary`.
fn link(folder: &Path, binary: &Path) {
    std::os::unix::fs::symlink(binary, folder.join("partial")).unwrap();
    std::fs::rename(folder.join("partial"), folder.join("hookswitch")).unwrap();
}

fn serve(folder: &Path) -> Command {
    let mut command = Command::new(folder.join("hookswitch"));
    command.arg("serve").arg("--data").arg(folder.join("data"));
    command
        .args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"])
        .current_dir(&*ROOT)
        .env_remove("RUST_LOG");
    command
}

/// An incoming call, signed.
fn webhook(address: SocketAddr, number: u64) -> Vec<u8> {
    let call = format!("CA{number:032x}");
    let params = [
        ("CallSid", call.as_str()),
        ("AccountSid", "AC00000000000000000000000000000001"),
        ("From", "+12025550123"),
        ("To", "+12025550199"),
        ("Direction", "inbound"),
        ("CallStatus", "ringing"),
        ("ApiVersion", "2010-04-01"),
    ];
    let path = "/acme/front-desk/voice";
    let token = AuthToken::new(TOKEN).unwrap();
    let signature = signature::sign(&format!("http://{address}{path}"), params.iter().copied(), &token);
    let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nX-Twilio-Signature: {signature}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A document of the handler's own, not what is said for it when it fails.
fn judge(head: &str, body: &str) -> Result<(), String> {
    if head.starts_with("http/1.1 200 ")
        && !head.contains("x-hookswitch-error")
        && body.contains("<Response>")
    {
        Ok(())
    } else {
        Err(format!("{head}\n{body}"))
    }
}

/// Poses as a new process that gets the listening sockets and then breaks off.
fn break_off_after_the_offer(data: &Path) {
    let mut stream = UnixStream::connect(data.join("handover.sock")).unwrap();
    let hello = br#"{"say":"hello","protocol":1,"protocol_min":1,"version":"broken","pid":1}"#;
    stream.write_all(&[&(hello.len() as u32).to_be_bytes(), hello.as_slice()].concat()).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut offer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut offer).unwrap();
    let offer = String::from_utf8(offer).unwrap();
    assert!(offer.contains(r#""say":"offer""#), "{offer}");
}

#[test]
fn the_binary_is_replaced_under_load_and_no_webhook_fails() {
    alone_on_host_runtime(async { replace_under_load() });
}

fn replace_under_load() {
    let requests = std::env::var("HOOKSWITCH_HANDOVER_REQUESTS").ok().and_then(|count| count.parse().ok());
    let requests: u64 = requests.unwrap_or(10_000);
    let part = requests / 6;
    let mut running = Running::start();
    running.command(&["tenant", "create", "acme", "--twilio-auth-token", TOKEN]);
    running.command(&["deploy", example("front-desk").to_str().unwrap(), "--tenant", "acme"]);
    assert!(running.is_answered());

    let second = serve(running.folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(second.status.code() == Some(1) && said.contains("--take-over"), "a second host: {said}");

    let address = running.webhooks;
    let load = Load::start(address, Box::new(move |number| webhook(address, number)), Box::new(judge));
    load.wait_for(part);

    // Broken ones: one that ends at once, and one that breaks off when it has the sockets.
    let first = running.pid();
    link(running.folder.path(), Path::new("/bin/false"));
    running.signal("USR2");
    load.wait_for(part / 2);
    break_off_after_the_offer(&running.data());
    load.wait_for(part / 2);
    assert_eq!(running.pid(), first, "a broken binary changes nothing");

    // The operator starts the new binary.
    link(running.folder.path(), &binary());
    let mut by_hand = serve(running.folder.path()).arg("--take-over").stdout(Stdio::null()).spawn().unwrap();
    running.replaced(first);
    assert_eq!(running.pid(), by_hand.id());
    load.wait_for(part);

    // The host starts whatever stands where it was started from.
    for _ in 0..2 {
        let old = running.pid();
        running.signal("USR2");
        running.replaced(old);
        load.wait_for(part);
    }
    assert!(running.first.wait().unwrap().success(), "the first host drained and ended");
    assert!(by_hand.wait().unwrap().success(), "the second host drained and ended");
    while load.sent() < requests {
        load.wait_for(requests - load.sent());
    }
    let tally = load.end();
    println!(
        "3 handovers, 2 broken ones: {} webhooks answered, {} failed; {} connections, {} of the kept ones ended by the \
         host; p50 {} us, p99 {} us, longest {} us",
        tally.answered,
        tally.failed,
        tally.connections,
        tally.ended_by_server,
        tally.quantile_us(0.5),
        tally.quantile_us(0.99),
        tally.quantile_us(1.0)
    );
    assert_eq!(tally.failed, 0, "{:#?}", tally.causes);
    assert!(tally.answered >= requests && tally.ended_by_server > 0, "{tally:?}");

    running.signal("TERM");
    let began = Instant::now();
    while DataLock::take(&running.data()).is_err() {
        assert!(began.elapsed() < PATIENCE, "the last host does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}
