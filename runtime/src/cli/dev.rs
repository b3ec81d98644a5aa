//! `hookswitch dev`: builds a handler, serves it on this machine, says what to try, and keeps up with changes.
//!
//! The same host, sandbox and signature checks as in production, with one tenant called `dev`; what works here
//! works there.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;
use tracing::warn;

use super::{asked_to_stop, failed};
use crate::build::BuildProgress;
use crate::carrier::twilio::signature::{self, AuthToken, EmptySecret};
use crate::config::{self, Config};
use crate::dev::{Watch, Workbench};
use crate::host::{self, Host};
use crate::pin::PinKey;
use crate::revision::Revision;
use crate::telemetry::{self, LogFormat};

/// Build a handler, serve it on this machine, and follow its changes
#[derive(Args)]
#[command(after_help = "Example:\n  hookswitch dev guest-examples/front-desk --listen 127.0.0.1:8080")]
pub struct DevArgs {
    /// Folder with a handler.toml or Cargo.toml, or a component
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Address to serve on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value_t = config::LISTEN)]
    listen: SocketAddr,
    /// Auth token that webhooks are signed with; one is made and printed without it
    #[arg(long, value_name = "TOKEN", env = "HOOKSWITCH_AUTH_TOKEN", hide_env_values = true)]
    auth_token: Option<String>,
    /// Scheme and host that the carrier calls, where a tunnel stands before this machine
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// How log lines look
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

impl DevArgs {
    pub(super) fn run(self) -> ExitCode {
        let _logs = telemetry::log_to_stderr(self.log_format, "warn,webhook=debug,handler=debug");
        match self.serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(error.as_ref()),
        }
    }

    fn serve(self) -> Result<(), Box<dyn Error>> {
        let public_url = self.public_url.as_deref().map(config::public_url).transpose()?;
        let token = match self.auth_token {
            Some(token) => token,
            None => random_token()?,
        };
        let key = AuthToken::new(&token)?;
        let runtime = host::runtime()?;
        // Bound before anything is built: a taken port shall not cost a minute to find.
        let listener = runtime
            .block_on(TcpListener::bind(self.listen))
            .map_err(|error| format!("{}: {error}; `--listen 127.0.0.1:0` takes a free port", self.listen))?;
        let host = Host::new(&Config { public_url, ..Config::default() }, PinKey::random()?)?;
        let bench = Workbench::open(Arc::clone(&host), self.path, key, &mut progress)?;
        print_what_to_try(&host, bench.current(), listener.local_addr()?, &token)?;
        match bench.watch() {
            // Not waited for at the end: a build may take minutes, and nothing of it is worth keeping.
            Ok(watch) => {
                drop(std::thread::Builder::new().name("watch".into()).spawn(move || keep_up(bench, &watch))?)
            }
            Err(error) => warn!("{error}"),
        }
        runtime.block_on(host.serve(listener, asked_to_stop()));
        Ok(())
    }
}

/// Rebuilds after every change and says what became of it.
fn keep_up(mut bench: Workbench, watch: &Watch) {
    loop {
        // Before the first wait too: the first build takes minutes where the compiler is fetched, and nothing was
        // watched meanwhile.
        match bench.rebuild(&mut progress) {
            Ok(None) => {}
            Ok(Some(revision)) => {
                println!("revision {} takes new calls; calls in progress stay on theirs", revision.id);
            }
            Err(error) => {
                eprintln!(
                    "error: {error}\nrevision {} goes on; save again when it is mended",
                    bench.current().id
                );
            }
        }
        if !watch.wait() {
            return;
        }
    }
}

fn progress(progress: BuildProgress) {
    eprintln!("{progress}");
}

/// 32 hex digits, as the carrier's own tokens are.
fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn print_what_to_try(
    host: &Host,
    revision: &Revision,
    address: SocketAddr,
    token: &str,
) -> Result<(), EmptySecret> {
    let here = format!("http://{address}");
    let public = host.public_url.as_deref().unwrap_or(&here);
    let prefix = &revision.prefix;
    let exports = revision.code().map(|code| code.exports()).unwrap_or_default();
    println!("{} answers, revision {}. Signatures are checked.\n", revision.handler, revision.id);
    for (has, entry, what) in [
        (exports.voice, "voice", "calls"),
        (exports.messaging, "sms", "messages"),
        (exports.events, "status", "status callbacks"),
    ] {
        if has {
            println!("  {what:17} {public}{prefix}/{entry}");
        }
    }
    println!("  {:17} {token}\n", "auth token");
    let (entry, params) = if exports.voice {
        ("voice", CALL)
    } else if exports.messaging {
        ("sms", MESSAGE)
    } else {
        ("status", STATUS)
    };
    let url = format!("{public}{prefix}/{entry}");
    let signature = signature::sign(&url, params.iter().copied(), &AuthToken::new(token)?);
    println!("Try it, as the carrier would:\n");
    println!("  curl {here}{prefix}/{entry} \\\n    -H 'X-Twilio-Signature: {signature}' \\");
    for (position, (name, value)) in params.iter().enumerate() {
        let end = if position + 1 < params.len() { " \\" } else { "" };
        println!("    --data-urlencode '{name}={value}'{end}");
    }
    println!("\nOther parameters need another signature: `hookswitch signature --help`.");
    println!("Save a change and the next call hears it. Ctrl-C stops.");
    Ok(())
}

const CALL: &[(&str, &str)] = &[
    ("CallSid", "CA00000000000000000000000000000001"),
    ("AccountSid", "AC00000000000000000000000000000001"),
    ("From", "+12025550123"),
    ("To", "+12025550199"),
    ("CallStatus", "ringing"),
    ("Direction", "inbound"),
];

const MESSAGE: &[(&str, &str)] = &[
    ("MessageSid", "SM00000000000000000000000000000001"),
    ("AccountSid", "AC00000000000000000000000000000001"),
    ("From", "+12025550123"),
    ("To", "+12025550199"),
    ("Body", "HELP"),
    ("NumMedia", "0"),
    ("NumSegments", "1"),
];

const STATUS: &[(&str, &str)] = &[
    ("CallSid", "CA00000000000000000000000000000001"),
    ("AccountSid", "AC00000000000000000000000000000001"),
    ("CallStatus", "completed"),
    ("SequenceNumber", "0"),
];
