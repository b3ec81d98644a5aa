//! A server in a process of its own: this same program, started again with other arguments.

use std::fmt::Display;
use std::future::Future;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::machine::{Pinned, SERVER_CORE};

/// The first word of the line by which a server says that it is ready.
const READY: &str = "listening";

/// Ticks of `/proc/PID/stat` a second, on every Linux that Rust has a target for.
const TICKS_PER_SECOND: u64 = 100;

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it said about itself when it was ready.
    pub note: String,
}

impl Server {
    /// Starts this program with `arguments` and waits until it is ready. Its log goes nowhere, and is written all the same.
    ///
    /// # Errors
    /// What the server said instead.
    pub fn start(arguments: &[&str], pinned: Pinned) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = match pinned {
            Pinned::No => Command::new(program),
            Pinned::Yes => {
                let mut command = Command::new("taskset");
                command.args(["-c", &SERVER_CORE.to_string()]).arg(program);
                command
            }
        };
        let mut child = command
            .args(arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("a server can't be started: {error}"))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            // An error leaves the line empty, which is told below.
            let _count = BufReader::new(stdout).read_line(&mut line);
        }
        let mut words = line.trim().splitn(3, ' ');
        let ready = words.next() == Some(READY);
        match words.next().and_then(|address| address.parse().ok()) {
            Some(address) if ready => {
                Ok(Self { child, address, note: words.next().unwrap_or_default().to_owned() })
            }
            _ => {
                let _killed = child.kill().and_then(|()| child.wait());
                Err(format!("server {}: {}", arguments.join(" "), line.trim()))
            }
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Processor time that it has used, user and system, in steps of 10 ms.
    ///
    /// # Errors
    /// It is gone.
    pub fn cpu(&self) -> Result<Duration, String> {
        let path = format!("/proc/{}/stat", self.id());
        let stat = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        // Fields 14 and 15, counted behind the name, which may hold spaces.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _killed = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The server's own side: binds, tells that it is ready, runs `serve` until the one who started it is gone.
pub fn listen<F: Future>(runtime: &Runtime, note: &str, serve: impl FnOnce(TcpListener) -> F) -> ExitCode {
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        // Ends when the other end of the pipe does, however that came about.
        let _end = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    runtime.block_on(async {
        let bound = TcpListener::bind("127.0.0.1:0").await;
        match bound.and_then(|listener| Ok((listener.local_addr()?, listener))) {
            Ok((address, listener)) => {
                println!("{READY} {address} {note}");
                serve(listener).await;
                ExitCode::SUCCESS
            }
            Err(error) => failed(error),
        }
    })
}

/// A server that does not come up says why where it would have said that it is ready.
pub fn failed(why: impl Display) -> ExitCode {
    println!("{why}");
    ExitCode::FAILURE
}
