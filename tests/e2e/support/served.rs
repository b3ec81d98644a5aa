//! `hookswitch serve` as a process of its own, and the commands that talk to it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{ROOT, TOKEN};

/// The binary that was built beside this test.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile: PathBuf = test.parent().and_then(|deps| deps.parent()).unwrap().to_owned();
    let binary = profile.join("hookswitch");
    assert!(binary.is_file(), "{} is not there: build it first, as tests/run does", binary.display());
    binary
}

/// A command of that binary, which knows of no host yet.
pub fn hookswitch() -> Command {
    let mut command = Command::new(binary());
    command.current_dir(&*ROOT).env_remove("RUST_LOG").env_remove("HOOKSWITCH_CONTROL");
    command.env_remove("HOOKSWITCH_TOKEN").env_remove("HOOKSWITCH_TENANT");
    command
}

/// A command that serves, ended when dropped.
pub struct Serving(pub Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _already_ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// A host with a data folder of its own.
pub struct Served {
    process: Serving,
    /// Where carriers reach it.
    pub webhooks: SocketAddr,
    /// Where commands reach it.
    pub control: SocketAddr,
    /// Its data folder.
    pub data: PathBuf,
    /// What it wrote to standard error goes there.
    pub log: PathBuf,
}

impl Served {
    /// Starts on free ports with an empty or an earlier data folder.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// As [`Served::start`], with more arguments.
    pub fn start_with(data: &Path, args: &[&str]) -> Self {
        Self::try_start(data, args).unwrap_or_else(|said| panic!("it does not start: {said}"))
    }

    /// As [`Served::start_with`]; what it said where it ended before it served.
    pub fn try_start(data: &Path, args: &[&str]) -> Result<Self, String> {
        Self::begin(hookswitch(), data, data.with_extension("log"), args)
    }

    /// As [`Served::start`], by a command that gives it a world of its own; its files are then seen through that.
    pub fn start_within(outer: &[&str], data: &Path, logs: &Path) -> Self {
        let mut command = Command::new(outer[0]);
        command.args(&outer[1..]).arg(binary());
        let log = logs.join("within.log");
        let mut host =
            Self::begin(command, data, log, &[]).unwrap_or_else(|said| panic!("it does not start: {said}"));
        let root = PathBuf::from(format!("/proc/{}/root", host.pid()));
        host.data = root.join(data.strip_prefix("/").unwrap());
        host
    }

    fn begin(mut command: Command, data: &Path, log: PathBuf, args: &[&str]) -> Result<Self, String> {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(args)
            .stdout(Stdio::piped())
            .stderr(std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let process = Serving(child);
        let line = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("webhooks on "));
        let Some(line) = line else {
            return Err(std::fs::read_to_string(&log).unwrap_or_default());
        };
        // Whatever else it prints has to be read by somebody.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let addresses: Vec<SocketAddr> = line
            .split("http://")
            .skip(1)
            .map(|url| url.split([',', ' ', '\n']).next().unwrap().parse().unwrap())
            .collect();
        Ok(Self { process, webhooks: addresses[0], control: addresses[1], data: data.to_owned(), log })
    }

    /// Runs a command against this host with the operator's token.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// A command against this host with the operator's token.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = hookswitch();
        command
            .args(args)
            .env("HOOKSWITCH_CONTROL", format!("http://{}", self.control))
            .env(
                "HOOKSWITCH_TOKEN",
                std::fs::read_to_string(self.data.join("operator-token")).unwrap().trim(),
            )
            .stdin(Stdio::null());
        command
    }

    /// As [`Served::run`], for a command that has to work; what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// As [`Served::ok`] with `--json`, read.
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let mut all = args.to_vec();
        all.push("--json");
        let said = self.ok(&all);
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{args:?}: {error} in {said}"))
    }

    /// Makes a tenant whose webhooks are signed with [`TOKEN`].
    pub fn tenant(&self, name: &str) {
        self.ok(&["tenant", "create", name, "--twilio-auth-token", TOKEN]);
    }

    /// The host's process id.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Ends it at once, as a crash does.
    pub fn kill(mut self) -> PathBuf {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
        self.data.clone()
    }

    /// Whether its process still runs.
    pub fn runs(&mut self) -> bool {
        self.process.0.try_wait().unwrap().is_none()
    }

    /// What it has logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The body of a GET to the control port.
    pub fn get(&self, path: &str) -> String {
        get(self.control, path)
    }

    /// The body of an unsigned GET to the data plane.
    pub fn data_plane(&self, path: &str) -> String {
        get(self.webhooks, path)
    }
}

fn get(address: SocketAddr, path: &str) -> String {
    let url = format!("http://{address}{path}");
    let output = Command::new("curl").args(["-s", "--max-time", "20", &url]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits until `found` finds something, for at most `seconds`.
pub fn wait_for<T>(what: &str, seconds: u64, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(seconds), "waited {seconds} s for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// `short` in an ordinary run, `full` where `HOOKSWITCH_TESTS=full` asks for the numbers that PROMISES.md quotes.
pub fn scale(short: usize, full: usize) -> usize {
    if std::env::var("HOOKSWITCH_TESTS").is_ok_and(|scale| scale == "full") { full } else { short }
}
