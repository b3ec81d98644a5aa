//! A handler's settings: `handler.toml`, read and checked in one step.
//!
//! What was written (`RawHandler`) becomes what it means ([`HandlerSettings`]), and afterwards code trusts
//! it. Every key has a default, so a handler needs no file at all; a key that nobody knows is refused,
//! because a mistyped limit that is silently ignored is found out during somebody's call.
//!
//! How high limits may go is the operator's decision, applied by whoever runs the handler
//! ([`Limits::check`]). Whether the fallback is a good document is `twiml`'s, whether the component is
//! one `artifact`'s.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Spanned;
use utoipa::ToSchema;

use crate::call::HandlerName;
use crate::schedule::ScheduleSettings;

pub use local_secrets::LOCAL_SECRETS;
use place::Place;
pub(crate) use place::said_of;
pub use revision::{RevisionSettings, SecretGrant};

mod check;
mod local_secrets;
mod place;
mod revision;
#[cfg(test)]
mod tests;

/// The name of the file beside a handler's sources.
pub const FILE_NAME: &str = "handler.toml";

/// Longest `handler.toml`, in bytes. Many times what a handler with long greetings needs; it bounds what
/// one upload can make the host parse.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Longest fallback document, in bytes: the carrier's limit for any document.
const FALLBACK_BYTES_MAX: u64 = 64 * 1024;

/// One handler's settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerSettings {
    /// The file they come from, or where it would be. For messages.
    pub file: PathBuf,
    /// Whether they were written there, or are all defaults because there is no such file.
    pub written: bool,
    /// The handler's name in URLs; the folder's name unless the file says otherwise.
    pub name: HandlerName,
    /// How its component is made.
    pub build: BuildMethod,
    /// What a caller hears when the handler fails; the host's own document if none.
    pub fallback: Option<Fallback>,
    /// What is answered when the handler fails.
    pub on_failure: OnFailure,
    /// Whether a document outside the grammar counts as a failure; none leaves it to the mode
    /// (`dev` and tests do, `serve` does not).
    pub strict: Option<bool>,
    /// What one invocation may use.
    pub limits: Limits,
    /// The `[config]` table, sorted by key; values as `wit/config.wit` describes.
    pub config: Vec<(String, String)>,
    /// Origins the handler may call, as `scheme://host[:port]`.
    pub outbound_allow: Vec<String>,
    /// When it runs by itself.
    pub schedule: Vec<ScheduleSettings>,
    /// Names of the secrets it is granted, sorted.
    pub secrets: Vec<String>,
    /// How carefully a new revision is released.
    pub risk: Risk,
}

/// How a handler's component is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildMethod {
    /// By cargo, for wasm32-unknown-unknown; the default beside a `Cargo.toml`.
    Cargo,
    /// By a command line of the author's, which leaves the component at a path.
    Command {
        /// Run by `sh -c` in the handler's folder.
        line: String,
        /// Where the line leaves the `.wasm`.
        component: PathBuf,
    },
    /// Not at all: the component is there.
    Ready {
        /// Where; none if nothing says so.
        component: Option<PathBuf>,
    },
}

/// A handler's own fallback document, read and not yet checked against the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// Where it was read.
    pub path: PathBuf,
    /// The document as written.
    pub text: String,
}

/// What the carrier is answered when a handler fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// The fallback document, so that the caller hears the tenant's wording.
    #[default]
    Fallback,
    /// `502`, so that the carrier uses the number's own fallback URL.
    Error,
}

/// How carefully a new revision is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Found out by comparing with the revision it replaces.
    #[default]
    Auto,
    /// As if only words had changed.
    Content,
    /// As if code had changed.
    Code,
    /// As if imports, limits or the contract's version had changed.
    Contract,
}

/// What one invocation of a handler may use. Each is at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Wall time of a voice webhook, in milliseconds. The strictest carriers hang up at 5 s.
    pub deadline_ms: u64,
    /// Time the guest itself runs, in milliseconds.
    pub cpu_ms: u64,
    /// All memories of the guest together, in MiB.
    pub memory_mib: u64,
    /// Invocations at one time; more wait briefly and then hear the fallback. Web requests may have half of them.
    pub concurrency: u64,
    /// Wall time of a web request, and of a run of a schedule, in milliseconds. Left out where it is the default, so that
    /// an older host reads it.
    #[serde(skip_serializing_if = "is_default_web_deadline")]
    pub web_deadline_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let web_deadline_ms = WEB_DEADLINE_MS;
        Self { deadline_ms: 3_000, cpu_ms: 100, memory_mib: 32, concurrency: 100, web_deadline_ms }
    }
}

/// The wall time of a web request where nothing is said, in milliseconds: as long as people look at a page that loads.
const WEB_DEADLINE_MS: u64 = 10_000;

fn is_default_web_deadline(ms: &u64) -> bool {
    *ms == WEB_DEADLINE_MS
}

/// How high the operator lets a handler's limits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitsMax {
    /// Milliseconds. A carrier waits 15 s in all, so more than 14 s can only be silence.
    pub deadline_ms: u64,
    /// Milliseconds of a core. Raising it lets one call keep a core from its neighbours for longer.
    pub cpu_ms: u64,
    /// MiB. Filling memory cannot be interrupted, so more of it also means longer pauses for neighbours.
    pub memory_mib: u64,
    /// Invocations of one handler at one time. Raising it lets one handler take more of the host's memory.
    pub concurrency: u64,
    /// Milliseconds. A host that is replaced lets what runs go on for 30 s; whatever takes longer is cut off.
    pub web_deadline_ms: u64,
}

impl Default for LimitsMax {
    fn default() -> Self {
        Self {
            deadline_ms: 14_000,
            cpu_ms: 5_000,
            memory_mib: 256,
            concurrency: 256,
            web_deadline_ms: 30_000,
        }
    }
}

/// Why a handler's settings cannot be used. The text says where, what was found and what to try.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file, or a file it names, could not be read.
    #[error("{}: could not be read: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Not TOML, or a key or value that means nothing.
    #[error("{}{}: {problem}", file.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Invalid {
        /// Which file.
        file: PathBuf,
        /// Line from 1, where one is to blame.
        line: Option<usize>,
        /// What was found, what was expected, what to try.
        problem: String,
    },
    /// More than the operator allows.
    #[error(
        "[limits] {key} is {value}; this host allows at most {max}. Lower it, or ask the operator to raise the maximum"
    )]
    OverMax {
        /// The key in `[limits]`.
        key: &'static str,
        /// What the handler asks for.
        value: u64,
        /// What the operator allows.
        max: u64,
    },
}

impl Limits {
    /// Holds these limits against what the operator allows.
    ///
    /// # Errors
    /// [`SettingsError::OverMax`] for the first key beyond its maximum.
    pub fn check(&self, max: &LimitsMax) -> Result<(), SettingsError> {
        let pairs = [
            ("deadline_ms", self.deadline_ms, max.deadline_ms),
            ("cpu_ms", self.cpu_ms, max.cpu_ms),
            ("memory_mib", self.memory_mib, max.memory_mib),
            ("concurrency", self.concurrency, max.concurrency),
            ("web_deadline_ms", self.web_deadline_ms, max.web_deadline_ms),
        ];
        match pairs.into_iter().find(|(_, value, max)| value > max) {
            Some((key, value, max)) => Err(SettingsError::OverMax { key, value, max }),
            None => Ok(()),
        }
    }
}

/// `handler.toml` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawHandler {
    name: Option<Spanned<String>>,
    build: Option<Spanned<String>>,
    component: Option<Spanned<PathBuf>>,
    fallback: Option<Spanned<PathBuf>>,
    on_failure: OnFailure,
    strict: Option<bool>,
    limits: RawLimits,
    secrets: Vec<Spanned<String>>,
    config: BTreeMap<String, toml::Value>,
    outbound: RawOutbound,
    schedule: Vec<Spanned<RawSchedule>>,
    release: RawRelease,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLimits {
    deadline_ms: Option<Spanned<u64>>,
    cpu_ms: Option<Spanned<u64>>,
    memory_mib: Option<Spanned<u64>>,
    concurrency: Option<Spanned<u64>>,
    web_deadline_ms: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSchedule {
    name: Spanned<String>,
    cron: Spanned<String>,
    timezone: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawOutbound {
    allow: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawRelease {
    risk: Risk,
}

impl HandlerSettings {
    /// Reads the settings of the handler at `path`: a folder with the sources, or a `.wasm` file with
    /// `handler.toml` beside it. Without the file everything has its default, the name that of the
    /// folder or of the `.wasm` file, in lower case and with `-` for `_`.
    ///
    /// # Errors
    /// [`SettingsError`]: what is wrong, where, and what to try.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let unreadable = |path: &Path, cause| SettingsError::Unreadable { path: path.to_owned(), cause };
        // The real path, because `.` has no name of its own.
        let path = fs::canonicalize(path).map_err(|cause| unreadable(path, cause))?;
        let (dir, default_name) = if path.is_dir() {
            (path.as_path(), path.file_name())
        } else {
            (path.parent().unwrap_or(Path::new("/")), path.file_stem())
        };
        let file = dir.join(FILE_NAME);
        let text = match read_text(&file, FILE_BYTES_MAX) {
            Err(SettingsError::Unreadable { cause, .. }) if cause.kind() == std::io::ErrorKind::NotFound => {
                None
            }
            read => Some(read?),
        };
        let default_name =
            default_name.unwrap_or_default().to_string_lossy().to_lowercase().replace('_', "-");
        let settings = Self::parse(text.as_deref().unwrap_or_default(), &file, &default_name)?;
        Ok(Self { written: text.is_some(), ..settings })
    }

    /// Reads `text`, the content of `file`; relative paths in it begin at the file's folder.
    fn parse(text: &str, file: &Path, default_name: &str) -> Result<Self, SettingsError> {
        let place = Place { file, text };
        let raw: RawHandler = toml::from_str(text).map_err(|error| place.toml_error(&error))?;
        let dir = file.parent().unwrap_or(Path::new(""));
        Ok(Self {
            name: check::name(raw.name, default_name, &place)?,
            build: check::build(raw.build, raw.component, dir, &place)?,
            fallback: raw.fallback.map(|path| check::fallback(&path, dir, &place)).transpose()?,
            on_failure: raw.on_failure,
            strict: raw.strict,
            limits: check::limits(&raw.limits, &place)?,
            config: raw.config.into_iter().map(|(key, value)| (key, check::config_text(value))).collect(),
            outbound_allow: check::allow(&raw.outbound.allow, &place)?,
            schedule: check::schedules(raw.schedule, &place)?,
            secrets: check::secrets(&raw.secrets, &place)?,
            risk: raw.release.risk,
            file: file.to_owned(),
            written: true,
        })
    }
}

/// Reads at most `bytes_max` bytes of UTF-8 text.
fn read_text(path: &Path, bytes_max: u64) -> Result<String, SettingsError> {
    let unreadable = |cause| SettingsError::Unreadable { path: path.to_owned(), cause };
    let mut text = String::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(bytes_max + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > bytes_max {
        return Err(SettingsError::Invalid {
            file: path.to_owned(),
            line: None,
            problem: format!("longer than {bytes_max} bytes, the most this file may have"),
        });
    }
    Ok(text)
}
