//! `hookswitch test`: plays the scripted conversations of handlers on the real sandbox, in this process.
//!
//! Scripts are read before anything is built, so that a misspelt key costs no minute. The handler is loaded as `dev` loads
//! it; webhooks go straight into the hot path, signed and checked.

use std::error::Error;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use url::Url;

use super::{failed, keep_code};
use crate::build::{Found, find};
use crate::call::TenantId;
use crate::capability::Reach;
use crate::carrier::twilio::signature::AuthToken;
use crate::clock;
use crate::config::Config;
use crate::dev::{TENANT, Workbench};
use crate::host::{self, Host};
use crate::phone::Account;
use crate::phone::script::{self, Played, Scripts, Stage};
use crate::pin::PinKey;
use crate::telemetry::{self, LogFormat};

/// Conversations at one time, for each core: some wait for a guest that yields.
const AT_ONCE_PER_CORE: usize = 8;

/// What the carrier would call the host in this process.
const URL: &str = "http://localhost";

const MORE: &str = "Example:
  hookswitch test guest-examples/front-desk

Scripts are calls/*.toml in the handler's folder:
  [[call]]
  name = \"a caller asks for sales\"
  steps = [{ hear = \"Welcome\" }, { press = \"1\" }, { verb = \"Dial\" }, { dial = \"busy\" }, { ends = \"handler\" }]

Exit code: 0 all came true, 1 one did not or nothing could be built, 2 a script is not one.";

/// Play a handler's scripted calls
#[derive(Debug, Args)]
#[command(after_help = MORE)]
pub struct TestArgs {
    /// A handler's folder, its component, or a folder of handlers
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Only scripts whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Print one JSON object, with everything that happened
    #[arg(long)]
    json: bool,
    /// Also write a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// One handler and what came of its scripts.
struct Tested {
    handler: String,
    played: Vec<Played>,
    took: Duration,
}

pub(super) fn run(args: &TestArgs) -> ExitCode {
    // What fails is told beside its script.
    let _logs = telemetry::log_to_stderr(LogFormat::Text, "error,handler=off");
    let mut scripts = Vec::new();
    for path in handlers(&args.path) {
        match script::read_folder(&folder(&path).join("calls")) {
            Ok(read) => {
                scripts.push((path, args.only.as_ref().map_or(read.clone(), |only| read.named(only))))
            }
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::from(2);
            }
        }
    }
    match test(args, scripts) {
        Ok(passed) => ExitCode::from(u8::from(!passed)),
        Err(error) => failed(error.as_ref()),
    }
}

/// The handler at `path`, or all in the folder that it is.
fn handlers(path: &Path) -> Vec<PathBuf> {
    match find(path) {
        Found::One(handler) => vec![handler],
        // Nothing there: let the build say what it expects.
        Found::Many(handlers) if handlers.is_empty() => vec![path.to_owned()],
        Found::Many(handlers) => handlers,
    }
}

/// The folder of the handler at `path`.
pub(super) fn folder(path: &Path) -> &Path {
    if path.is_file() { path.parent().unwrap_or(Path::new(".")) } else { path }
}

fn test(args: &TestArgs, scripts: Vec<(PathBuf, Scripts)>) -> Result<bool, Box<dyn Error>> {
    let runtime = host::runtime()?;
    let mut all = Vec::new();
    for (path, scripts) in scripts {
        if scripts.is_empty() {
            eprintln!("{}: no scripted calls to play", folder(&path).join("calls").display());
            continue;
        }
        let (handler, stage) = open(path)?;
        let began = Instant::now();
        let played = runtime.block_on(Arc::new(stage).play(&Arc::new(scripts), at_once()));
        let tested = Tested { handler, played, took: began.elapsed() };
        if !args.json {
            say(&script::text(&tested.handler, &tested.played, colour()));
        }
        all.push(tested);
    }
    let count = |keep: &dyn Fn(&Played) -> bool| {
        all.iter().flat_map(|one| &one.played).filter(|one| keep(one)).count()
    };
    let (whole, wrong) = (count(&|_| true), count(&|one| one.failure.is_some()));
    let webhooks: usize = all.iter().flat_map(|one| &one.played).map(Played::webhooks).sum();
    let ms = all.iter().map(|one| one.took.as_secs_f64() * 1e3).sum::<f64>();
    if let Some(file) = &args.junit {
        let suites: String = all.iter().map(|one| script::junit(&one.handler, &one.played)).collect();
        let text =
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n{suites}</testsuites>\n");
        std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    if args.json {
        let handlers: Vec<Value> = all.iter().map(|one| script::json(&one.handler, &one.played)).collect();
        let whole = json!({ "handlers": handlers, "passed": whole - wrong, "failed": wrong, "webhooks": webhooks, "ms": ms });
        say(&format!("{}\n", serde_json::to_string_pretty(&whole)?));
    } else {
        say(&format!("{} of {whole} scripts passed; {webhooks} webhooks in {ms:.0} ms\n", whole - wrong));
    }
    Ok(wrong == 0)
}

fn at_once() -> usize {
    AT_ONCE_PER_CORE * std::thread::available_parallelism().map_or(1, usize::from)
}

/// Plays the scripts beside the handler at `path`, as a deploy does before anything is uploaded; tells what it sees. How many
/// there are; none is no failure.
///
/// # Errors
/// A sentence for the author: which fail, or why they can't be played.
pub(super) fn gate(path: PathBuf, tell: &mut dyn FnMut(&str)) -> Result<usize, String> {
    let scripts = script::read_folder(&folder(&path).join("calls")).map_err(|error| error.to_string())?;
    if scripts.is_empty() {
        return Ok(0);
    }
    let runtime = host::runtime().map_err(|error| error.to_string())?;
    let (handler, stage) = open(path).map_err(|error| error.to_string())?;
    let played = runtime.block_on(Arc::new(stage).play(&Arc::new(scripts), at_once()));
    let (whole, wrong): (usize, Vec<Played>) =
        (played.len(), played.into_iter().filter(|one| one.failure.is_some()).collect());
    if wrong.is_empty() {
        return Ok(whole);
    }
    tell(&script::text(&handler, &wrong, false));
    let names: Vec<String> = wrong.iter().map(|one| format!("\u{201c}{}\u{201d}", one.name)).collect();
    Err(format!("{} of {whole} scripted calls of {handler} fail: {}", wrong.len(), names.join(", ")))
}

/// Prints to standard output. A reader that has seen enough, such as `head`, closes the pipe; the exit code is still right.
pub(super) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Whether standard output is a terminal whose owner likes colours.
pub(super) fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Builds the handler at `path` and puts it on a host in this process; gives its name and where to call it.
pub(super) fn open(path: PathBuf) -> Result<(String, Stage), Box<dyn Error>> {
    let config = Config { public_url: Some(URL.to_owned()), ..Config::default() };
    let mut secret = [0; 16];
    getrandom::fill(&mut secret)?;
    let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = AuthToken::new(&secret)?;
    let account = Account { sid: ACCOUNT.to_owned(), token: token.clone() };
    // Nothing of its own to reach: each script brings what it needs.
    let host = Host::reaching(&config, PinKey::random()?, None, Reach::default())?;
    keep_code(&host);
    let bench =
        Workbench::open(Arc::clone(&host), path, token.clone(), &mut |progress| eprintln!("{progress}"))?;
    let revision = bench.current().ok_or("nothing was built")?;
    let (handler, base) = (revision.handler.to_string(), Url::parse(&format!("{URL}{}/", revision.prefix))?);
    let stage =
        Stage { host, tenant: TenantId::new(TENANT)?, account, base, began_unix_ms: clock::unix_ms() };
    Ok((handler, stage))
}

/// The account of all numbers that are not there.
pub(super) const ACCOUNT: &str = "AC00000000000000000000000000000001";
