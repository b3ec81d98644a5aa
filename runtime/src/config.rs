//! The operator's file, `hookswitch.toml`: what was written (`Raw…`) and what it means ([`Config`]).
//!
//! Everything has a working default, so an empty file starts a host. Tenants, their handlers and their secrets are not
//! written here: the registry holds them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

use crate::handler_toml::LimitsMax;
use crate::outbound;
use crate::recording::{OutOfRange, RecordingSettings};
use crate::release::plan::{ReleaseRules, RulesError};

/// Where the data plane listens unless told otherwise.
pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
/// Where metrics and health listen unless told otherwise.
pub const CONTROL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8081);

/// What a host needs to know, checked.
#[derive(Debug)]
pub struct Config {
    /// Address of the data plane.
    pub listen: SocketAddr,
    /// Address of metrics and health.
    pub control: SocketAddr,
    /// Folder of what outlives the process.
    pub data: PathBuf,
    /// Scheme and authority the carrier calls, without a trailing slash; `None`: what the request says.
    pub public_url: Option<String>,
    /// Peers whose `X-Forwarded-*` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Private addresses that handlers may call all the same, where their own allow-lists say so.
    pub outbound_allow_private: Vec<outbound::Exception>,
    /// Most invocations at the same time, over all tenants.
    pub concurrency: u32,
    /// Most memory of all guests together, in bytes.
    pub guest_memory_bytes: u64,
    /// Most components whose code is kept in memory; those that were called longest ago are mapped again when needed.
    pub components_loaded_max: usize,
    /// Largest component that is taken, in bytes.
    pub component_bytes_max: u64,
    /// Compiles at one time.
    pub compiles: usize,
    /// Revisions of a handler that are kept, besides those that may have calls.
    pub revisions_kept: usize,
    /// How high handlers' limits may go.
    pub limits_max: LimitsMax,
    /// How revisions are released.
    pub release: ReleaseRules,
    /// Whether and how calls are kept, of tenants for which nothing else was set.
    pub recording: RecordingSettings,
    /// Scheme and authority of the carrier's API, for a region or a test; none takes the carrier's own.
    pub carrier_api_url: Option<String>,
}

/// A text that never prints.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` out of every log.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one who computes with it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What is wrong with the operator's file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{}: {source}; `hookswitch serve` without --config starts with defaults", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, or a key that is not ours; the message shows line and column.
    #[error("{}: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// `public_url` is not scheme and authority.
    #[error(
        "public_url = {found:?}: expected scheme and host such as \"https://calls.example.com\", without a path ({why})"
    )]
    PublicUrl {
        /// What was written.
        found: String,
        /// What about it.
        why: String,
    },
    /// `carrier_api_url` is not scheme and authority, or would give credentials away.
    #[error(
        "carrier_api_url = {found:?}: expected scheme and host such as \"https://api.dublin.ie1.example.com\" ({why})"
    )]
    CarrierApiUrl {
        /// What was written.
        found: String,
        /// What about it.
        why: String,
    },
    /// A number out of range.
    #[error("{key} = {found}: expected {expected}")]
    Range {
        /// The key.
        key: &'static str,
        /// What was written.
        found: u64,
        /// What would do.
        expected: &'static str,
    },
    /// `outbound_allow_private` names no address.
    #[error("outbound_allow_private: {0}")]
    Outbound(#[from] outbound::ExceptionError),
    /// The numbers of `[release]` do not fit together.
    #[error(transparent)]
    Release(#[from] RulesError),
    /// A bound of `[recording]`.
    #[error(transparent)]
    Recording(#[from] OutOfRange),
    /// Tenants stood in this file before there was a registry.
    #[error(
        "[[tenant]] no longer stands in this file: make tenants with `hookswitch tenant create` and deploy their handlers \
         with `hookswitch deploy`"
    )]
    TenantsMoved,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawConfig {
    listen: SocketAddr,
    control: SocketAddr,
    data: PathBuf,
    public_url: Option<String>,
    trusted_proxies: Vec<IpNet>,
    /// What stands here can be reached by every tenant whose allow-list names it.
    outbound_allow_private: Vec<String>,
    /// Raising it costs memory: each place holds a 2 MiB stack and a warm memory of its own.
    concurrency: u32,
    guest_memory_mib: u64,
    /// Raising it costs memory: about a third of a MiB each, more for a language runtime.
    components_loaded_max: usize,
    component_mib_max: u64,
    /// Each takes a core at the lowest priority, and up to 2 GiB of memory.
    compiles: usize,
    revisions_kept: usize,
    limits: RawLimits,
    release: ReleaseRules,
    recording: RecordingSettings,
    carrier_api_url: Option<String>,
    tenant: Option<toml::Value>,
}

/// How high handlers' limits may go.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLimits {
    deadline_ms: u64,
    cpu_ms: u64,
    memory_mib: u64,
    concurrency: u64,
    web_deadline_ms: u64,
}

impl Default for RawLimits {
    fn default() -> Self {
        let LimitsMax { deadline_ms, cpu_ms, memory_mib, concurrency, web_deadline_ms } =
            LimitsMax::default();
        Self { deadline_ms, cpu_ms, memory_mib, concurrency, web_deadline_ms }
    }
}

impl Default for RawConfig {
    fn default() -> Self {
        Self {
            listen: LISTEN,
            control: CONTROL,
            data: PathBuf::from("hookswitch-data"),
            public_url: None,
            trusted_proxies: Vec::new(),
            outbound_allow_private: Vec::new(),
            concurrency: 256,
            guest_memory_mib: 2048,
            components_loaded_max: 1_000,
            component_mib_max: 64,
            compiles: std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1)),
            revisions_kept: 20,
            limits: RawLimits::default(),
            release: ReleaseRules::default(),
            recording: RecordingSettings::default(),
            carrier_api_url: None,
            tenant: None,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        // The defaults hold no tenant and no URL, so nothing of them can fail the check.
        Self::check(RawConfig::default(), Path::new(""))
            .unwrap_or_else(|_| unreachable!("defaults are checked by a test"))
    }
}

impl Config {
    /// Reads and checks `path`; paths inside are relative to its folder.
    ///
    /// # Errors
    /// [`ConfigError`], naming the key, what was found and what would do.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.into(), source })?;
        let raw = toml::from_str(&text)
            .map_err(|source| ConfigError::Malformed { path: path.into(), source: Box::new(source) })?;
        Self::check(raw, path.parent().unwrap_or(Path::new("")))
    }

    fn check(raw: RawConfig, folder: &Path) -> Result<Self, ConfigError> {
        if !(1..=2_500).contains(&raw.concurrency) {
            let found = raw.concurrency.into();
            return Err(ConfigError::Range { key: "concurrency", found, expected: "1 to 2500 invocations" });
        }
        if !(64..=1 << 20).contains(&raw.guest_memory_mib) {
            let found = raw.guest_memory_mib;
            return Err(ConfigError::Range { key: "guest_memory_mib", found, expected: "64 to 1048576 MiB" });
        }
        let counts = [
            (
                "components_loaded_max",
                raw.components_loaded_max as u64,
                1..=1_000_000,
                "1 to 1000000 components",
            ),
            ("component_mib_max", raw.component_mib_max, 1..=1024, "1 to 1024 MiB"),
            ("compiles", raw.compiles as u64, 1..=64, "1 to 64 compiles at one time"),
            ("revisions_kept", raw.revisions_kept as u64, 1..=1_000_000, "1 to 1000000 revisions"),
            // The pool of the sandbox is made for so much.
            ("limits.memory_mib", raw.limits.memory_mib, 1..=256, "1 to 256 MiB"),
            (
                "limits.deadline_ms",
                raw.limits.deadline_ms,
                1..=14_000,
                "1 to 14000 ms: a carrier waits 15 s in all",
            ),
        ];
        for (key, found, range, expected) in counts {
            if !range.contains(&found) {
                return Err(ConfigError::Range { key, found, expected });
            }
        }
        if raw.tenant.is_some() {
            return Err(ConfigError::TenantsMoved);
        }
        raw.release.check()?;
        raw.recording.check()?;
        let outbound_allow_private =
            raw.outbound_allow_private.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
        let RawLimits { deadline_ms, cpu_ms, memory_mib, concurrency, web_deadline_ms } = raw.limits;
        Ok(Self {
            listen: raw.listen,
            control: raw.control,
            data: folder.join(raw.data),
            public_url: raw.public_url.as_deref().map(public_url).transpose()?,
            trusted_proxies: raw.trusted_proxies,
            outbound_allow_private,
            concurrency: raw.concurrency,
            guest_memory_bytes: raw.guest_memory_mib << 20,
            components_loaded_max: raw.components_loaded_max,
            component_bytes_max: raw.component_mib_max << 20,
            compiles: raw.compiles,
            revisions_kept: raw.revisions_kept,
            limits_max: LimitsMax { deadline_ms, cpu_ms, memory_mib, concurrency, web_deadline_ms },
            release: raw.release,
            recording: raw.recording,
            carrier_api_url: raw.carrier_api_url.as_deref().map(carrier_api_url).transpose()?,
        })
    }
}

/// As [`public_url`], for an address that credentials are sent to: in clear to nobody but this machine.
fn carrier_api_url(text: &str) -> Result<String, ConfigError> {
    let refuse = |why: String| ConfigError::CarrierApiUrl { found: text.to_owned(), why };
    let checked = public_url(text).map_err(|error| match error {
        ConfigError::PublicUrl { why, .. } => refuse(why),
        other => refuse(other.to_string()),
    })?;
    let url = Url::parse(&checked).map_err(|error| refuse(error.to_string()))?;
    if url.scheme() == "http" && !matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
        return Err(refuse(
            "credentials would travel in clear; only this machine itself is reached by http".to_owned(),
        ));
    }
    Ok(checked)
}

/// Checks scheme and authority, gives them back as `https://host[:port]`.
///
/// # Errors
/// [`ConfigError::PublicUrl`] for anything with a path, a query, a user name, or another scheme.
pub fn public_url(text: &str) -> Result<String, ConfigError> {
    let refuse = |why: &str| ConfigError::PublicUrl { found: text.to_owned(), why: why.to_owned() };
    let url = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("the scheme is neither http nor https"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it goes on after the host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it holds a user name"));
    }
    // As it was written, not as `Url` normalises it: the carrier signs what it was told.
    Ok(text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hookswitch.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_starts_a_host() {
        let config = check("").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(Config::default().concurrency, config.concurrency);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        let cases: &[(&str, &str, &str)] = &[
            ("unknown key", "lisen = \"x\"", "unknown field `lisen`"),
            ("address", "listen = \"here\"", "listen"),
            ("zero places", "concurrency = 0", "concurrency = 0: expected 1 to 2500"),
            ("little memory", "guest_memory_mib = 1", "guest_memory_mib = 1: expected 64"),
            ("url with path", "public_url = \"https://a.example/x\"", "without a path"),
            ("credentials in clear", "carrier_api_url = \"http://api.example\"", "would travel in clear"),
            ("url without scheme", "public_url = \"a.example\"", "expected scheme and host"),
            ("tenants of old", "[[tenant]]\nid = \"a\"", "hookswitch tenant create"),
            ("no compile", "compiles = 0", "compiles = 0: expected 1 to 64"),
            (
                "too patient",
                "[limits]\ndeadline_ms = 20000",
                "limits.deadline_ms = 20000: expected 1 to 14000",
            ),
            (
                "private name",
                "outbound_allow_private = [\"db.local:80\"]",
                "outbound_allow_private: \"db.local:80\" is no address",
            ),
            ("unknown limit", "[limits]\nseconds = 1", "unknown field `seconds`"),
            ("no hour", "[recording]\nhours_max = 0", "recording.hours_max = 0: expected 1 to 8760 hours"),
            ("unknown redaction", "[recording]\nnames = \"hide\"", "unknown variant `hide`"),
            ("unknown rule", "[release]\nseconds = 1", "unknown field `seconds`"),
        ];
        for (name, text, expected) in cases {
            let error = check(text).expect_err(name);
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
