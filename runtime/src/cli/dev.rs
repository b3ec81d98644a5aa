//! `hookswitch dev`: builds handlers, serves them on this machine, says what to try, and keeps up with changes.
//!
//! The same host, sandbox and signature checks as in production, with one tenant called `dev`; what works here
//! works there. It serves from its first moment, and each handler from when it builds.

use std::error::Error;
use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use clap::Args;
use tokio::net::TcpListener;
use url::Url;

use super::test::ACCOUNT;
use super::{about_secrets, asked_to_stop, failed, keep_code};
use crate::build::{Found, find};
use crate::capability::Reach;
use crate::carrier::twilio::signature::{self, AuthToken, EmptySecret};
use crate::config::{self, Config};
use crate::dev::board::Board;
use crate::dev::page::{self, Page};
use crate::dev::{News, Workshop, keep_up};
use crate::host::{self, Host};
use crate::outbound;
use crate::phone::carrier::OfflineCarrier;
use crate::phone::{Account, Ids};
use crate::pin::PinKey;
use crate::revision::Revision;
use crate::schedule::Keeper;
use crate::state::State;
use crate::telemetry::{self, LogFormat};

/// Where the phone page is, unless somebody else is there.
const CONTROL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

/// Build handlers, serve them on this machine, and follow their changes
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hookswitch dev guest-examples/front-desk\n  hookswitch dev guest-examples --listen 127.0.0.1:9090"
)]
pub struct DevArgs {
    /// A handler (a folder with a handler.toml or Cargo.toml, or a component), or a folder of handlers
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Address to serve webhooks on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value_t = config::LISTEN)]
    listen: SocketAddr,
    /// Address of the phone page; port 0 takes a free one [default: 127.0.0.1:8081, or a free port where that is taken]
    #[arg(long, value_name = "ADDR")]
    control: Option<SocketAddr>,
    /// A service on this machine or in its network that handlers may call, such as 127.0.0.1:9000; may be repeated
    #[arg(long, value_name = "ADDR")]
    allow_outbound: Vec<outbound::Exception>,
    /// Do not open the phone page in the browser
    #[arg(long)]
    no_open: bool,
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
        let began = Instant::now();
        if !self.path.exists() {
            let path = self.path.display();
            return Err(format!("{path} is not there; `hookswitch new {path}` makes a handler").into());
        }
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
        let control = runtime.block_on(bind_control(self.control))?;
        let address = listener.local_addr()?;
        let account = Account { sid: ACCOUNT.to_owned(), token: key.clone() };
        // No carrier stands behind `dev`: what handlers ask for is taken, answered and logged.
        let carrier = OfflineCarrier::new(account.clone(), Ids::random()?);
        let opt_outs = carrier.opt_outs();
        let reach = Reach {
            carrier: Some(carrier),
            outbound: Some(Arc::new(outbound::Client::new(self.allow_outbound))),
            state: Some(State::in_memory()?),
            ..Reach::default()
        };
        let host =
            Host::reaching(&Config { public_url, ..Config::default() }, PinKey::random()?, None, reach)?;
        keep_code(&host);
        let board = Board::default();
        let shop = Workshop::new(Arc::clone(&host), key.clone(), board.clone())?;
        let teller = Teller::new(&host, &self.path, address, &token, began);
        teller.begin();
        keep_up(shop, self.path, Arc::new(move |path, news| teller.tell(path, news)))?;
        let page_at = control.local_addr()?;
        let here = format!("http://{address}");
        let page = Page {
            host: Arc::clone(&host),
            board,
            account,
            opt_outs,
            base: Url::parse(host.public_url.as_deref().unwrap_or(&here))?,
            data_plane: address,
            address: page_at,
        };
        // It ends with the process: whoever is on a line here holds nothing that would be lost.
        runtime.spawn(page::serve(control, page, std::future::pending()));
        println!("  {:17} http://{page_at}\n", "phone page");
        if !self.no_open && std::io::stdout().is_terminal() {
            open_in_browser(&format!("http://{page_at}/"));
        }
        runtime.spawn(Keeper::in_memory(Arc::clone(&host)).keep());
        runtime.block_on(host.serve(listener, asked_to_stop()));
        Ok(())
    }
}

/// The port of the phone page: the one that was asked for, or else the usual one, or else any.
async fn bind_control(asked: Option<SocketAddr>) -> Result<TcpListener, String> {
    match asked {
        Some(address) => TcpListener::bind(address)
            .await
            .map_err(|error| format!("{address}: {error}; `--control 127.0.0.1:0` takes a free port")),
        None => match TcpListener::bind(CONTROL).await {
            Ok(listener) => Ok(listener),
            // Another `dev` is there, mostly.
            Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| error.to_string()),
        },
    }
}

/// Opens the page where somebody sits before a screen. It is a convenience: what stands in its way is not said.
fn open_in_browser(url: &str) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some()) {
        "xdg-open"
    } else {
        // Without a screen it would find a browser for terminals, and take this one.
        return;
    };
    let mut command = Command::new(program);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(mut browser) = command.spawn() {
        // Somebody has to take note of its end.
        drop(std::thread::Builder::new().name("browser".into()).spawn(move || browser.wait()));
    }
}

/// Says what happens, on the terminal.
struct Teller {
    host: Arc<Host>,
    address: SocketAddr,
    token: String,
    began: Instant,
    path: PathBuf,
    /// Whether there is one handler, whose name need not stand before each line.
    alone: bool,
    /// Whether it was said what to try.
    tried: AtomicBool,
    /// Lines of several handlers shall not get into each other.
    line: Mutex<()>,
}

impl Teller {
    fn new(host: &Arc<Host>, path: &Path, address: SocketAddr, token: &str, began: Instant) -> Self {
        Self {
            host: Arc::clone(host),
            address,
            token: token.to_owned(),
            began,
            path: path.to_owned(),
            alone: matches!(find(path), Found::One(_)),
            tried: AtomicBool::new(false),
            line: Mutex::default(),
        }
    }

    fn begin(&self) {
        if let Found::Many(handlers) = find(&self.path) {
            let path = self.path.display();
            match handlers.len() {
                0 => eprintln!(
                    "no handler in {path} yet; `hookswitch new {path}/NAME` makes one, and it is served at once"
                ),
                count => eprintln!(
                    "{count} handlers in {path}; those that are made while this runs are served, too"
                ),
            }
        }
    }

    fn tell(&self, path: &Path, news: News) {
        let _whole = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let of = if self.alone { String::new() } else { format!("{name}: ") };
        match news {
            News::Progress(progress) => {
                for line in progress.to_string().lines() {
                    eprintln!("{of}{line}");
                }
            }
            News::Answers { revision, took } if revision.id.0 == 1 => {
                Self::tell_of_secrets(&of, path, &revision);
                if let Err(error) = self.print_what_to_try(&revision) {
                    eprintln!("{of}error: {error}");
                }
                let ready = self.began.elapsed();
                eprintln!(
                    "{of}built in {:.1} s, {:.1} s after the start",
                    took.as_secs_f64(),
                    ready.as_secs_f64()
                );
            }
            News::Answers { revision, took } => {
                Self::tell_of_secrets(&of, path, &revision);
                println!(
                    "{of}revision {} takes new calls after {:.1} s; calls in progress stay on theirs",
                    revision.id,
                    took.as_secs_f64()
                );
            }
            News::Failed { error, in_force } => {
                eprintln!("{of}error: {error}");
                match in_force {
                    Some(revision) => {
                        eprintln!("{of}revision {revision} goes on; save again when it is mended")
                    }
                    None => eprintln!("{of}nothing answers yet; it is built again when you save"),
                }
            }
            News::Unwatched(error) => eprintln!("{of}warning: {error}"),
            News::Gone => println!("{name} was removed, and answers no more"),
        }
    }

    /// Says which secrets have no value, and which values nobody reads: the handler starts, and fails where it needs them.
    fn tell_of_secrets(of: &str, path: &Path, revision: &Revision) {
        for what in about_secrets(revision.grants.secrets.without_value(), path) {
            eprintln!("{of}warning: {what} (a change is taken in at once)");
        }
    }

    fn print_what_to_try(&self, revision: &Revision) -> Result<(), EmptySecret> {
        let here = format!("http://{}", self.address);
        let public = self.host.public_url.as_deref().unwrap_or(&here);
        let prefix = &revision.prefix;
        let exports = revision.code().map(|code| code.exports()).unwrap_or_default();
        println!("{} answers, revision {}. Signatures are checked.\n", revision.handler, revision.id);
        for (has, entry, what) in [
            (exports.voice, "voice", "calls"),
            (exports.messaging, "sms", "messages"),
            (exports.events, "status", "status callbacks"),
            (exports.web, "web", "web requests"),
        ] {
            if has {
                println!("  {what:17} {public}{prefix}/{entry}");
            }
        }
        // For the others it is the same.
        if self.tried.swap(true, Ordering::Relaxed) {
            println!();
            return Ok(());
        }
        println!("  {:17} {}\n", "auth token", self.token);
        let (entry, params) = if exports.voice {
            ("voice", CALL)
        } else if exports.messaging {
            ("sms", MESSAGE)
        } else {
            ("status", STATUS)
        };
        let url = format!("{public}{prefix}/{entry}");
        let signature = signature::sign(&url, params.iter().copied(), &AuthToken::new(&self.token)?);
        println!("Try it, as the carrier would:\n");
        println!("  curl {here}{prefix}/{entry} \\\n    -H 'X-Twilio-Signature: {signature}' \\");
        for (position, (name, value)) in params.iter().enumerate() {
            let end = if position + 1 < params.len() { " \\" } else { "" };
            println!("    --data-urlencode '{name}={value}'{end}");
        }
        println!("\nOther parameters need another signature: `hookswitch signature --help`.");
        println!("Save a change and the next call hears it. Ctrl-C stops.\n");
        Ok(())
    }
}

/// 32 hex digits, as the carrier's own tokens are.
fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
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
