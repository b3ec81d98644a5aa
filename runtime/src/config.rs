//! The operator's file, `hookswitch.toml`: what was written (`Raw…`) and what it means ([`Config`]).
//!
//! Everything has a working default, so an empty file starts a host. Secrets are named by file or environment
//! variable, never written here, and print as `[redacted]`. Tenants and their handlers stand in this file until a
//! registry holds them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

use crate::call::{InvalidName, TenantId};

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
    /// Most invocations at the same time, over all tenants.
    pub concurrency: u32,
    /// Most memory of all guests together, in bytes.
    pub guest_memory_bytes: u64,
    /// Who is served.
    pub tenants: Vec<TenantConfig>,
}

/// One tenant of the file.
#[derive(Debug)]
pub struct TenantConfig {
    /// Its name.
    pub id: TenantId,
    /// Auth tokens its carrier signs with, newest first; none means that every webhook is refused.
    pub auth_tokens: Vec<Secret>,
    /// Keys for webhooks signed with HMAC-SHA256: key id and secret.
    pub shared_keys: Vec<(String, Secret)>,
    /// As in [`Config::public_url`], for this tenant.
    pub public_url: Option<String>,
    /// Handler folders or components.
    pub handlers: Vec<PathBuf>,
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
    /// A tenant's name can't stand in a URL.
    #[error("[[tenant]] id: {0}")]
    Name(#[from] InvalidName),
    /// Two tenants of one name.
    #[error("[[tenant]] id = {0:?} stands twice; each tenant is one table")]
    TenantTwice(String),
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
    /// A secret's file or variable is missing or empty.
    #[error("{key} of tenant {tenant}: {why}")]
    Secret {
        /// The key that names the secret.
        key: &'static str,
        /// Whose.
        tenant: String,
        /// What is wrong, without the secret.
        why: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawConfig {
    listen: SocketAddr,
    control: SocketAddr,
    data: PathBuf,
    public_url: Option<String>,
    trusted_proxies: Vec<IpNet>,
    /// Raising it costs memory: each place holds a 2 MiB stack and a warm memory of its own.
    concurrency: u32,
    guest_memory_mib: u64,
    tenant: Vec<RawTenant>,
}

impl Default for RawConfig {
    fn default() -> Self {
        Self {
            listen: LISTEN,
            control: CONTROL,
            data: PathBuf::from("hookswitch-data"),
            public_url: None,
            trusted_proxies: Vec::new(),
            concurrency: 256,
            guest_memory_mib: 2048,
            tenant: Vec::new(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTenant {
    id: String,
    /// File whose first line is the auth token.
    twilio_auth_token_file: Option<PathBuf>,
    /// Environment variable that holds the auth token.
    twilio_auth_token_env: Option<String>,
    /// While a token is being rotated: the other one, by file.
    twilio_secondary_auth_token_file: Option<PathBuf>,
    #[serde(default)]
    shared_key: Vec<RawSharedKey>,
    public_url: Option<String>,
    #[serde(default)]
    handlers: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSharedKey {
    id: String,
    secret_file: PathBuf,
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
        let mut tenants: Vec<TenantConfig> = Vec::new();
        for tenant in raw.tenant {
            let tenant = TenantConfig::check(tenant, folder)?;
            if tenants.iter().any(|other| other.id == tenant.id) {
                return Err(ConfigError::TenantTwice(tenant.id.to_string()));
            }
            tenants.push(tenant);
        }
        Ok(Self {
            listen: raw.listen,
            control: raw.control,
            data: folder.join(raw.data),
            public_url: raw.public_url.as_deref().map(public_url).transpose()?,
            trusted_proxies: raw.trusted_proxies,
            concurrency: raw.concurrency,
            guest_memory_bytes: raw.guest_memory_mib << 20,
            tenants,
        })
    }
}

impl TenantConfig {
    fn check(raw: RawTenant, folder: &Path) -> Result<Self, ConfigError> {
        let id = TenantId::new(&raw.id)?;
        let secret_error = |key, why| ConfigError::Secret { key, tenant: raw.id.clone(), why };
        let from_file = |key: &'static str, path: &Path| {
            let path = folder.join(path);
            let text = std::fs::read_to_string(&path)
                .map_err(|error| secret_error(key, format!("{}: {error}", path.display())))?;
            match text.trim() {
                "" => Err(secret_error(key, format!("{} is empty", path.display()))),
                secret => Ok(Secret::new(secret.to_owned())),
            }
        };

        let mut auth_tokens = Vec::new();
        if let Some(path) = &raw.twilio_auth_token_file {
            auth_tokens.push(from_file("twilio_auth_token_file", path)?);
        }
        if let Some(name) = &raw.twilio_auth_token_env {
            match std::env::var(name) {
                Ok(token) if !token.trim().is_empty() => {
                    auth_tokens.push(Secret::new(token.trim().to_owned()))
                }
                _ => {
                    return Err(secret_error("twilio_auth_token_env", format!("variable {name} is not set")));
                }
            }
        }
        if let Some(path) = &raw.twilio_secondary_auth_token_file {
            auth_tokens.push(from_file("twilio_secondary_auth_token_file", path)?);
        }
        let shared_keys = raw
            .shared_key
            .iter()
            .map(|key| Ok((key.id.clone(), from_file("secret_file", &key.secret_file)?)))
            .collect::<Result<_, ConfigError>>()?;
        Ok(Self {
            id,
            auth_tokens,
            shared_keys,
            public_url: raw.public_url.as_deref().map(public_url).transpose()?,
            handlers: raw.handlers.iter().map(|path| folder.join(path)).collect(),
        })
    }
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
        std::fs::write(folder.path().join("token"), "12345\n").unwrap();
        std::fs::write(folder.path().join("empty"), "\n").unwrap();
        let path = folder.path().join("hookswitch.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_starts_a_host() {
        let config = check("").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert!(config.tenants.is_empty());
        assert_eq!(Config::default().concurrency, config.concurrency);
    }

    #[test]
    fn a_tenant_is_read_and_its_token_never_prints() {
        let config = check("[[tenant]]\nid = \"acme\"\ntwilio_auth_token_file = \"token\"\npublic_url = \"https://calls.example.com/\"\nhandlers = [\"ivr\"]").unwrap();
        let acme = &config.tenants[0];
        assert_eq!(acme.auth_tokens[0].expose(), "12345");
        assert_eq!(acme.public_url.as_deref(), Some("https://calls.example.com"));
        assert!(acme.handlers[0].ends_with("ivr"));
        assert!(!format!("{config:?}").contains("12345"));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        let cases: &[(&str, &str, &str)] = &[
            ("unknown key", "lisen = \"x\"", "unknown field `lisen`"),
            ("address", "listen = \"here\"", "listen"),
            ("zero places", "concurrency = 0", "concurrency = 0: expected 1 to 2500"),
            ("little memory", "guest_memory_mib = 1", "guest_memory_mib = 1: expected 64"),
            ("url with path", "public_url = \"https://a.example/x\"", "without a path"),
            ("url without scheme", "public_url = \"a.example\"", "expected scheme and host"),
            ("tenant name", "[[tenant]]\nid = \"Acme Corp\"", "\"Acme Corp\" is not a tenant name"),
            ("twice", "[[tenant]]\nid = \"a\"\n[[tenant]]\nid = \"a\"", "stands twice"),
            (
                "no token file",
                "[[tenant]]\nid = \"a\"\ntwilio_auth_token_file = \"gone\"",
                "twilio_auth_token_file of tenant a",
            ),
            ("empty token", "[[tenant]]\nid = \"a\"\ntwilio_auth_token_file = \"empty\"", "is empty"),
            (
                "no variable",
                "[[tenant]]\nid = \"a\"\ntwilio_auth_token_env = \"HOOKSWITCH_NOT_SET\"",
                "HOOKSWITCH_NOT_SET is not set",
            ),
        ];
        for (name, text, expected) in cases {
            let error = check(text).expect_err(name);
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
