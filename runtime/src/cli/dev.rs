//! `hookswitch dev`: builds a handler, serves it on this machine, says what to try.
//!
//! The same host, sandbox and signature checks as in production, with one tenant called `dev`; what works here
//! works there.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use super::{asked_to_stop, failed, failed_because};
use crate::build::{self, BuiltHandler};
use crate::call::{RevisionId, TenantId};
use crate::carrier::twilio::signature::{self, AuthToken, EmptySecret, Keys};
use crate::config::{self, Config};
use crate::host::{self, Host, Strict};
use crate::pin::PinKey;
use crate::revision::Revision;
use crate::router::{Handler, Snapshot, Tenant};
use crate::telemetry::{self, LogFormat};

/// Build a handler and serve it on this machine
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
        telemetry::log_to_stderr(self.log_format, "warn,webhook=info,handler=debug");
        let public_url = match self.public_url.as_deref().map(config::public_url).transpose() {
            Ok(url) => url,
            Err(error) => return failed(&error),
        };
        let token = match self.auth_token {
            Some(token) if token.trim().is_empty() => {
                return failed_because("--auth-token is empty: leave it out to have one made");
            }
            Some(token) => token,
            None => match random_token() {
                Ok(token) => token,
                Err(error) => return failed_because(format!("no random numbers for an auth token: {error}")),
            },
        };
        let runtime = match host::runtime() {
            Ok(runtime) => runtime,
            Err(error) => return failed(&error),
        };
        // Bound before anything is built: a taken port shall not cost a minute to find.
        let listener = match runtime.block_on(TcpListener::bind(self.listen)) {
            Ok(listener) => listener,
            Err(error) => {
                return failed_because(format!(
                    "{}: {error}; `--listen 127.0.0.1:0` takes a free port",
                    self.listen
                ));
            }
        };
        let built = match build::build(&self.path, &mut |progress| eprintln!("{progress}")) {
            Ok(built) => built,
            Err(error) => return failed(&error),
        };
        let config = Config { public_url, ..Config::default() };
        let served = PinKey::random()
            .map_err(|error| format!("no random numbers for links: {error}"))
            .and_then(|key| Host::new(&config, key).map_err(|error| error.to_string()))
            .and_then(|host| publish(&host, &built, &token).map(|revision| (host, revision)));
        let (host, revision) = match served {
            Ok(served) => served,
            Err(why) => return failed_because(why),
        };
        let printed = listener.local_addr().map_err(|error| error.to_string()).and_then(|address| {
            print_what_to_try(&host, &revision, address, &token).map_err(|error| error.to_string())
        });
        if let Err(why) = printed {
            return failed_because(why);
        }
        runtime.block_on(host.serve(listener, asked_to_stop()));
        ExitCode::SUCCESS
    }
}

/// Loads the handler as revision 1 of tenant `dev` and puts it in force.
fn publish(host: &Host, built: &BuiltHandler, token: &str) -> Result<Arc<Revision>, String> {
    let explain = |error: &dyn std::error::Error| error.to_string();
    let tenant = TenantId::new("dev").map_err(|error| explain(&error))?;
    let revision = host.load(&tenant, RevisionId(1), built, Strict::Yes).map_err(|error| explain(&error))?;
    let token = AuthToken::new(token).map_err(|error| explain(&error))?;
    let handler = Handler::new(Arc::clone(&revision));
    host.router.publish(Snapshot::new([Tenant {
        id: tenant,
        keys: Keys { tokens: vec![token], shared: Vec::new() },
        public_url: None,
        handlers: [(revision.handler.clone(), handler)].into_iter().collect(),
    }]));
    Ok(revision)
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
    let exports = revision.prepared.exports();
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
    println!("\nOther parameters need another signature: `hookswitch signature --help`. Ctrl-C stops.");
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
