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

use super::{failed, failed_because, keep_code};
use crate::build::{Found, find};
use crate::call::TenantId;
use crate::capability::Reach;
use crate::carrier::twilio::signature::AuthToken;
use crate::clock;
use crate::config::Config;
use crate::dev::{TENANT, Workbench};
use crate::handler_toml::HandlerSettings;
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

Exit code: 0 all came true, 1 one did not or nothing could be built, 2 a script is not one or there is nothing to play.";

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

/// One handler and what came of its scripts, or why they could not be played.
struct Tested {
    handler: String,
    played: Result<Vec<Played>, String>,
    took: Duration,
}

impl Tested {
    fn outcome(&self) -> Result<&[Played], &str> {
        self.played.as_deref().map_err(String::as_str)
    }
}

pub(super) fn run(args: &TestArgs) -> ExitCode {
    // What fails is told beside its script.
    let _logs = telemetry::log_to_stderr(LogFormat::Text, "error,handler=off");
    let scripts = match to_play(&args.path, args.only.as_deref()) {
        Ok(scripts) => scripts,
        Err(why) => {
            failed_because(why);
            return ExitCode::from(2);
        }
    };
    match test(args, scripts) {
        Ok(passed) => ExitCode::from(u8::from(!passed)),
        Err(error) => failed(error.as_ref()),
    }
}

/// The scripts of the handler at `path`, or of all in the folder that it is; of those only the ones whose name contains `only`.
/// At least one: a misspelt path on a build machine shall not look like scripts that pass.
///
/// # Errors
/// A sentence: what is there instead, or which script is none.
fn to_play(path: &Path, only: Option<&str>) -> Result<Vec<(PathBuf, Scripts)>, String> {
    let shown = path.display();
    if !path.exists() {
        return Err(format!("{shown} is not there; expected {EXPECTED}"));
    }
    let handlers = match find(path) {
        Found::One(handler) => vec![handler],
        Found::Many(handlers) if handlers.is_empty() => {
            return Err(format!("{shown} is a folder without a handler in it; expected {EXPECTED}"));
        }
        Found::Many(handlers) => handlers,
    };
    let (mut scripts, mut in_all) = (Vec::new(), 0);
    for handler in handlers {
        let read = script::read_folder(&folder(&handler).join("calls")).map_err(|error| error.to_string())?;
        in_all += read.len();
        scripts.push((handler, only.map_or(read.clone(), |only| read.named(only))));
    }
    match only {
        _ if scripts.iter().any(|(_, scripts)| !scripts.is_empty()) => Ok(scripts),
        Some(only) if in_all > 0 => {
            Err(format!("no script of {shown} has {only:?} in its name; there are {in_all}"))
        }
        _ => Err(format!("{shown} has no scripts to play; expected some in {}", places(&scripts))),
    }
}

/// What a path has to lead to.
const EXPECTED: &str = "a handler's folder, its component, or a folder of handlers";

/// Where the scripts of these handlers would be.
fn places(handlers: &[(PathBuf, Scripts)]) -> String {
    let place = |(path, _): &(PathBuf, Scripts)| folder(path).join("calls/*.toml").display().to_string();
    handlers.iter().map(place).collect::<Vec<_>>().join(" or ")
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
        let tested = match open(path.clone()) {
            Ok((handler, stage)) => {
                let began = Instant::now();
                let played = runtime.block_on(Arc::new(stage).play(&Arc::new(scripts), at_once()));
                Tested { handler, played: Ok(played), took: began.elapsed() }
            }
            // One that is broken shall not hide what comes of the others.
            Err(error) => {
                failed(error.as_ref());
                Tested { handler: name_of(&path), played: Err(error.to_string()), took: Duration::ZERO }
            }
        };
        if !args.json {
            say(&script::text(&tested.handler, tested.outcome(), colour()));
        }
        all.push(tested);
    }
    let played = || all.iter().filter_map(|one| one.played.as_ref().ok()).flatten();
    let (whole, wrong) = (played().count(), played().filter(|one| one.failure.is_some()).count());
    let errors = all.iter().filter(|one| one.played.is_err()).count();
    let webhooks: usize = played().map(Played::webhooks).sum();
    let ms = all.iter().map(|one| one.took).sum::<Duration>().as_secs_f64() * 1e3;
    // Before the file, which may be in a place that is not there.
    if args.json {
        let handlers: Vec<Value> = all.iter().map(|one| script::json(&one.handler, one.outcome())).collect();
        let whole = json!({
            "handlers": handlers, "passed": whole - wrong, "failed": wrong, "errors": errors, "webhooks": webhooks, "ms": ms
        });
        say(&format!("{}\n", serde_json::to_string_pretty(&whole)?));
    } else {
        let errors = match errors {
            0 => String::new(),
            1 => "; 1 handler could not be played".to_owned(),
            many => format!("; {many} handlers could not be played"),
        };
        say(&format!(
            "{} of {whole} scripts passed; {webhooks} webhooks in {ms:.0} ms{errors}\n",
            whole - wrong
        ));
    }
    if let Some(file) = &args.junit {
        let suites: String = all.iter().map(|one| script::junit(&one.handler, one.outcome())).collect();
        let text =
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n{suites}</testsuites>\n");
        std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(wrong == 0 && errors == 0)
}

/// What a handler is called that can't be asked: as its settings say, or else as its folder is.
fn name_of(path: &Path) -> String {
    let settings = HandlerSettings::load(path);
    settings.map_or_else(|_| path.display().to_string(), |settings| settings.name.to_string())
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
    tell(&script::text(&handler, Ok(&wrong), false));
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

#[cfg(test)]
mod tests {
    use super::to_play;

    #[test]
    fn a_path_at_which_nothing_is_played_is_an_error_that_says_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let script = "[[call]]\nname = \"a caller asks\"\nsteps = [{ ends = \"handler\" }]";
        write("empty/x.txt", "");
        write("many/mute/handler.toml", "");
        write("many/ivr/handler.toml", "");
        write("many/ivr/calls/a.toml", script);
        for (path, only, played) in [
            ("many", None, Ok(1)),
            ("many/ivr", Some("asks"), Ok(1)),
            ("many/ivr", Some("sales"), Err("\"sales\" in its name; there are 1")),
            ("many/mute", None, Err("many/mute/calls/*.toml")),
            ("many/mute", Some("asks"), Err("many/mute/calls/*.toml")),
            ("nosuch", None, Err("nosuch is not there; expected a handler's folder")),
            ("empty", None, Err("without a handler in it; expected a handler's folder")),
            ("empty/x.txt", None, Err("empty/calls/*.toml")),
        ] {
            let found = to_play(&folder.path().join(path), only);
            let found = found.map(|all| all.iter().map(|(_, scripts)| scripts.len()).sum::<usize>());
            match (found, played) {
                (Ok(count), Ok(expected)) => assert_eq!(count, expected, "{path}"),
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{why}"),
                (found, _) => panic!("{path}: {found:?}"),
            }
        }
    }
}
