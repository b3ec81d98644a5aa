//! `hookswitch deploy`: from sources to a revision that takes calls.
//!
//! Builds, plays the scripted calls, hashes, uploads what the host does not have yet, and waits until the revision is live. Every step may be done
//! twice: the same component with the same settings is the same revision, so whatever breaks, deploying again is right.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use super::remote::output::{self, Paint, fields, percent, printable};
use super::remote::{Client, Console, RemoteCommand, RemoteError, Repeat, Session, TenantArgs};
use super::status::risk as risk_word;
use super::test::gate;
use crate::build::{self, BuiltHandler};
use crate::call::{HandlerName, InvalidName, TenantId};
use crate::control::model::{ComponentView, Deploy, Deployed, ReplayGate, TokenScope, Urls};
use crate::digest::Digest;
use crate::handler_toml::{RevisionSettings, Risk};
use crate::recording::replay::{DifferenceKind, ReplayReport};

/// Bytes that are read and sent at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// Build a handler, upload it, and release it to its callers
///
/// Returns when the revision is live. Calls in progress stay on the revision that they began with. How new calls come to it
/// depends on the risk: changed words at once, changed code through a canary, changed permissions in steps.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch deploy guest-examples/front-desk --tenant acme\n  \
    hookswitch deploy front-desk.wasm --tenant acme --name front-desk --no-canary --json\n\n\
    A .wasm file without a handler.toml beside it brings code alone: a handler that is there keeps the settings of its\n\
    stable revision, a new one has the defaults.\n\n\
    The scripted calls in calls/*.toml of the handler's folder are played first; one that fails keeps everything where it is.\n\
    Exit code: 0 the revision is live, 1 it was refused or the host can't be reached, 2 usage.")]
pub struct DeployArgs {
    /// The handler's folder, or a component
    #[arg(default_value = ".", value_name = "PATH|FILE.wasm")]
    path: PathBuf,
    /// Name of the handler; left out, that of handler.toml, or the folder's or file's
    #[arg(long, value_parser = handler_name)]
    name: Option<HandlerName>,
    /// How carefully it is released; left out, what handler.toml says, or found by comparing
    #[arg(long, value_name = "content|code|contract", value_parser = risk)]
    risk: Option<Risk>,
    /// Share of new calls that the canary begins with, 0.01 to 99.99
    #[arg(long, value_name = "P", value_parser = canary_share)]
    percent: Option<f64>,
    /// Take all new calls at once, whatever the risk
    #[arg(long, conflicts_with = "percent")]
    no_canary: bool,
    /// Take the defaults for all settings where there is no handler.toml, instead of those in force
    #[arg(long)]
    default_settings: bool,
    /// Play the newest N kept calls on it first, and deploy only if they sound the same; where none is kept it is refused
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    replay: Option<u32>,
    /// Differences that are meant and do not stop it, such as `text,attribute`; `none-kept`: nor that no call is kept
    #[arg(long, value_name = "KINDS", value_delimiter = ',', requires = "replay", value_parser = allowed)]
    replay_allow: Vec<Allowed>,
    /// Do not play the handler's scripted calls before
    #[arg(long)]
    no_test: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: TenantArgs,
}

/// What does not stop a deploy that is tried on kept calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allowed {
    Differs(DifferenceKind),
    NoneKept,
}

const NONE_KEPT: &str = "none-kept";

fn allowed(name: &str) -> Result<Allowed, String> {
    match name {
        NONE_KEPT => Ok(Allowed::NoneKept),
        name => super::replay::kind(name)
            .map(Allowed::Differs)
            .map_err(|expected| format!("{expected}, or {NONE_KEPT}")),
    }
}

/// A handler's name on the command line.
pub(super) fn handler_name(text: &str) -> Result<HandlerName, InvalidName> {
    HandlerName::new(text)
}

fn risk(text: &str) -> Result<Risk, String> {
    match text {
        "auto" => Ok(Risk::Auto),
        "content" => Ok(Risk::Content),
        "code" => Ok(Risk::Code),
        "contract" => Ok(Risk::Contract),
        _ => Err("expected content, code, contract or auto".to_owned()),
    }
}

fn canary_share(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').trim().parse() {
        Ok(share) if (0.01..=99.99).contains(&share) => Ok(share),
        _ => Err("expected 0.01 to 99.99; `--no-canary` takes all new calls at once".to_owned()),
    }
}

impl RemoteCommand for DeployArgs {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let (client, console) = (session.connect_for_tenant(&self.remote)?, session.console);
        // Before the build, which may take a minute: a wrong token shall not cost it.
        let who = client.who().await?;
        if who.scope == TokenScope::Read {
            return Err(RemoteError::Usage(
                "this token only reads; a deploy needs one of scope deploy".to_owned(),
            ));
        }
        let tenant = client.tenant_of(&who).await?;
        let built = build::build(&self.path, &mut |progress| console.note(progress))
            .map_err(|error| RemoteError::Local(error.to_string()))?;
        if built.settings.written && self.default_settings {
            return Err(RemoteError::Usage(format!(
                "--default-settings is for a handler without {0}, and there is {0}; leave out one of the two",
                built.settings.file.display()
            )));
        }
        self.play_scripts(console).await?;
        let handler = self.name.clone().unwrap_or_else(|| built.settings.name.clone());
        let component = Component::read(&built.component)?;
        component.upload(&client, console, &tenant).await?;
        let deploy = self.deploy(&built, &component);
        let deployed = match release(&client, console, &tenant, &handler, &deploy).await {
            Ok(deployed) => deployed,
            Err(error) => {
                super::replay::tell_why(console, &error, self.json)?;
                return Err(error);
            }
        };
        if deploy.settings.is_none() && deployed.settings_of.is_none() {
            console.note("there is no handler.toml and no handler of this name was there: all settings have their defaults");
        }
        if let Some(what) = self.not_tried(deployed.replay.as_ref()) {
            console.note(what);
        }
        print(console, &deployed, self.json)
    }
}

impl DeployArgs {
    /// Plays the scripted calls in the handler's folder: one that fails keeps everything where it is.
    async fn play_scripts(&self, console: &Console) -> Result<(), RemoteError> {
        if self.no_test {
            console.note("the handler's scripted calls are not played (--no-test)");
            return Ok(());
        }
        let path = self.path.clone();
        // On a runtime of its own, as hosts have it; this one waits for the network.
        let played = tokio::task::spawn_blocking(move || {
            let mut said = String::new();
            let played = gate(path, &mut |text| said.push_str(text));
            (played, said)
        });
        let (played, said) = played.await.map_err(|error| RemoteError::Local(error.to_string()))?;
        if !said.is_empty() {
            console.note(said.trim_end());
        }
        match played {
            Ok(0) => {}
            Ok(count) => console.note(format_args!("{count} scripted calls passed")),
            Err(why) => {
                let what = "nothing was uploaded; `--no-test` deploys all the same";
                return Err(RemoteError::Local(format!("{why}; {what}")));
            }
        }
        Ok(())
    }

    /// None keeps those in force: whoever names a component alone says nothing about them.
    fn settings(&self, built: &BuiltHandler) -> Option<RevisionSettings> {
        let only_code = !built.settings.written && !self.default_settings;
        (!only_code).then(|| built.settings.of_revision())
    }

    fn deploy(&self, built: &BuiltHandler, component: &Component) -> Deploy {
        Deploy {
            digest: Some(component.digest.to_string()),
            settings: self.settings(built),
            risk: self.risk.unwrap_or(built.settings.risk),
            percent: self.percent,
            no_canary: self.no_canary,
            replay: self.replay.map(|calls| self.gate(calls)),
        }
    }

    fn gate(&self, calls: u32) -> ReplayGate {
        let kind = |allowed: &Allowed| match allowed {
            Allowed::Differs(kind) => Some(*kind),
            Allowed::NoneKept => None,
        };
        ReplayGate {
            calls,
            allow: self.replay_allow.iter().filter_map(kind).collect(),
            none_kept: self.replay_allow.contains(&Allowed::NoneKept),
        }
    }

    /// What a gate that let the revision pass has not tried.
    fn not_tried(&self, replay: Option<&ReplayReport>) -> Option<String> {
        let asked = u64::from(self.replay?);
        match replay.map(|report| report.calls) {
            None => Some(
                "nothing was replayed: this is the handler's first revision, and nobody has called it".into(),
            ),
            Some(0) => Some("warning: no call is kept, so nothing was compared".into()),
            Some(calls) if calls < asked => Some(format!(
                "warning: {} kept and {} played, of the {asked} asked for",
                if calls == 1 { "1 call is".to_owned() } else { format!("{calls} calls are") },
                if calls == 1 { "was" } else { "were" },
            )),
            Some(_) => None,
        }
    }
}

/// Releases settings on a component that is there, and waits for as long as the host compiles.
pub(super) async fn release(
    client: &Client<'_>,
    console: &Console,
    tenant: &TenantId,
    handler: &HandlerName,
    deploy: &Deploy,
) -> Result<Deployed, RemoteError> {
    let path = ["tenants", tenant.as_str(), "handlers", handler.as_str(), "revisions"];
    let spinner = console.animated.then(|| {
        let spinner = ProgressBar::new_spinner().with_message("checking and compiling on the host");
        spinner.enable_steady_tick(std::time::Duration::from_millis(100));
        spinner
    });
    // The same component with the same settings is the same revision, however often it is asked for.
    let deployed = client.release(Repeat::Safe, &path, deploy).await;
    if let Some(spinner) = spinner {
        spinner.finish_and_clear();
    }
    deployed
}

/// A component on this machine.
struct Component {
    path: PathBuf,
    bytes: u64,
    digest: Digest,
}

impl Component {
    fn read(path: &Path) -> Result<Self, RemoteError> {
        let explain = |error: std::io::Error| RemoteError::Local(format!("{}: {error}", path.display()));
        let mut file = std::fs::File::open(path).map_err(explain)?;
        let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE_BYTES]);
        loop {
            match file.read(&mut piece).map_err(explain)? {
                0 => break,
                count => {
                    hash.update(piece.get(..count).unwrap_or_default());
                    bytes += count as u64;
                }
            }
        }
        Ok(Self { path: path.to_owned(), bytes, digest: Digest::from_bytes(hash.finalize().into()) })
    }

    /// Uploads it unless the host has it.
    async fn upload(
        &self,
        client: &Client<'_>,
        console: &Console,
        tenant: &TenantId,
    ) -> Result<(), RemoteError> {
        let digest = self.digest.to_string();
        let path = ["tenants", tenant.as_str(), "components", &digest];
        match client.get::<ComponentView>(&path).await {
            Ok(_) => {
                console.note(format_args!("component {} is there already", short(&digest)));
                return Ok(());
            }
            Err(error) if error.status() == Some(404) => {}
            Err(error) => return Err(error),
        }
        let bar = if console.animated { ProgressBar::new(self.bytes) } else { ProgressBar::hidden() };
        let style =
            ProgressStyle::with_template("uploading  {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let request = || {
            let file = std::fs::File::open(&self.path)
                .map_err(|error| RemoteError::Local(format!("{}: {error}", self.path.display())))?;
            // Another try begins at the first byte.
            bar.set_position(0);
            Ok(client
                .request(Method::PUT, &path)
                .header(CONTENT_TYPE, "application/wasm")
                .header(CONTENT_LENGTH, self.bytes)
                .body(pieces(file, bar.clone())))
        };
        let stored = match client.send(Repeat::Safe, request).await {
            Ok(response) => client.read::<ComponentView>(response).await,
            Err(error) => Err(error),
        };
        bar.finish_and_clear();
        let stored = stored?;
        console.note(format_args!("uploaded {} ({})", short(&stored.digest), output::bytes(self.bytes)));
        Ok(())
    }
}

/// A file as a body that is read while it is sent.
fn pieces(file: std::fs::File, bar: ProgressBar) -> reqwest::Body {
    let file = tokio::fs::File::from_std(file);
    reqwest::Body::wrap_stream(stream::unfold((file, bar), async |(mut file, bar)| {
        let mut piece = vec![0; PIECE_BYTES];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                bar.inc(count as u64);
                Some((Ok(piece), (file, bar)))
            }
            Err(error) => Some((Err::<Vec<u8>, _>(error), (file, bar))),
        }
    }))
}

/// The first digits of a digest, which are enough for people.
pub(super) fn short(digest: &str) -> String {
    printable(digest.get(..12).unwrap_or(digest))
}

/// Prints what became of a deploy, a promote or a rollback.
pub(super) fn print(console: &Console, deployed: &Deployed, json: bool) -> Result<(), RemoteError> {
    if json {
        return console.json(deployed);
    }
    let Deployed { tenant, handler, revision, .. } = deployed;
    let handler = printable(&format!("{tenant}/{handler}"));
    // Of a revision that was deployed long ago, its risk and the like would only confuse.
    if let Some(what) = &deployed.what {
        let what = console.paint(Paint::Good, &printable(what));
        console.print(format_args!(
            "{handler} {what}\n  calls in progress stay on the revision that they began with\n"
        ));
        return Ok(());
    }
    let headline = format!("{handler} revision {revision}");
    let state = if deployed.live {
        console.paint(Paint::Good, &format!("live, takes {} of new calls", percent(deployed.percent)))
    } else {
        console.paint(Paint::Warn, "takes no new calls")
    };
    let risk = risk_word(deployed.risk);
    let component = if deployed.known {
        format!("{}, deployed before with these settings", short(&deployed.digest))
    } else {
        short(&deployed.digest)
    };
    let mut rows = vec![
        ("component", component),
        ("settings", deployed.settings_of.map(kept).unwrap_or_default()),
        (
            "risk",
            if deployed.reason.is_empty() { risk.to_owned() } else { format!("{risk}: {}", deployed.reason) },
        ),
        ("changed", deployed.changes.join("\n")),
        ("replayed", deployed.replay.as_ref().map(ReplayReport::summary).unwrap_or_default()),
        ("ends", deployed.ended_canary.map(|canary| format!("canary {canary}")).unwrap_or_default()),
        ("next", deployed.next.clone()),
    ];
    rows.extend(url_rows(&deployed.urls));
    console.print(format_args!("{headline}: {state}\n{}", fields(&rows)));
    Ok(())
}

/// Whose settings were kept, and how not to.
fn kept(revision: u32) -> String {
    format!("of revision {revision}: there is no handler.toml (--default-settings takes none)")
}

/// The URLs that there are, by entry.
pub(super) fn url_rows(urls: &Urls) -> impl Iterator<Item = (&'static str, String)> {
    let entries = [("voice", &urls.voice), ("sms", &urls.sms), ("status", &urls.status), ("web", &urls.web)];
    entries.map(|(entry, url)| (entry, url.clone().unwrap_or_default())).into_iter()
}
