//! Whom a handler may call: the `[outbound] allow` of its `handler.toml`.
//!
//! An entry is scheme, host, port and the beginning of a path, each of which a URL has to meet. Both sides are compared
//! after the URL standard's normalisation, and what is compared is what is sent, so that no spelling of a URL means one
//! thing here and another thing to the server.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use url::{Host, Url};

/// Entries of one list.
pub const ENTRIES_MAX: usize = 64;
/// Characters of one entry.
const ENTRY_CHARS_MAX: usize = 500;

/// Ports of protocols that a request could be made to speak by accident; browsers refuse the same.
const PORTS_REFUSED: &[u16] = &[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
    104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514,
    515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723,
    2049, 3306, 3659, 4045, 5060, 5061, 5432, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6697, 10080,
    11211, 27017,
];

/// Which hosts an entry means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    One(Host<String>),
    /// Every host below this one, not the one itself: `.example.com`.
    Below(String),
}

/// One entry of an allow-list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    scheme: &'static str,
    hosts: Hosts,
    port: u16,
    /// `/` or the path that has to be the beginning, at a `/`.
    path: String,
}

/// An entry that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} {why}; write `https://host`, with `:port` or the beginning of a path after it where only that is meant, or \
     `https://*.host` for every host below it"
)]
pub struct EntryError {
    found: String,
    why: String,
}

impl FromStr for Entry {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, EntryError> {
        let refuse = |why: &str| EntryError { found: text.chars().take(120).collect(), why: why.to_owned() };
        if text.chars().count() > ENTRY_CHARS_MAX {
            return Err(refuse(&format!("has more than {ENTRY_CHARS_MAX} characters")));
        }
        let url = Url::parse(text).map_err(|error| refuse(&format!("is not a URL ({error})")))?;
        let scheme = match url.scheme() {
            "https" => "https",
            "http" => "http",
            _ => return Err(refuse("has a scheme that handlers cannot call")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("carries a user name or password, which belong into the request"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("has a query or a fragment, which are not looked at"));
        }
        if url.path().contains('*') {
            return Err(refuse(
                "has a wildcard in its path, which allows everything that begins with it anyway",
            ));
        }
        if hides_a_slash(url.path()) {
            return Err(refuse("has an escaped slash or dot in its path, which servers read differently"));
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if PORTS_REFUSED.contains(&port) {
            return Err(refuse(&format!("has port {port}, which is another protocol's")));
        }
        let hosts = match url.host().ok_or_else(|| refuse("has no host"))? {
            Host::Domain(name) => hosts(name).map_err(refuse)?,
            literal => Hosts::One(literal.to_owned()),
        };
        Ok(Self { scheme, hosts, port, path: url.path().to_owned() })
    }
}

fn hosts(name: &str) -> Result<Hosts, &'static str> {
    if name.ends_with('.') {
        return Err("has a host that ends with a dot");
    }
    match name.strip_prefix('*') {
        Some(below) if !below.starts_with('.') || below.contains('*') => {
            Err("has a wildcard that is not the whole first part of its host")
        }
        Some(below) if !below.get(1..).is_some_and(|rest| rest.contains('.')) => {
            Err("has a wildcard over everything or a whole top-level domain")
        }
        Some(below) => Ok(Hosts::Below(below.to_owned())),
        None if name.contains('*') => Err("has a wildcard that is not the whole first part of its host"),
        None => Ok(Hosts::One(Host::Domain(name.to_owned()))),
    }
}

/// Whether a server might find another folder in this path than we do.
fn hides_a_slash(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ["%2f", "%5c", "%2e", "%252f", "%255c", "%252e", "\\"].iter().any(|hidden| path.contains(hidden))
}

impl fmt::Display for Entry {
    /// The one way to write what it means.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        match &self.hosts {
            Hosts::One(host) => write!(f, "{host}")?,
            Hosts::Below(below) => write!(f, "*{below}")?,
        }
        let usual = if self.scheme == "https" { 443 } else { 80 };
        if self.port != usual {
            write!(f, ":{}", self.port)?;
        }
        if self.path != "/" {
            f.write_str(&self.path)?;
        }
        Ok(())
    }
}

impl Entry {
    /// Whether a request to `url` is meant.
    #[must_use]
    pub fn permits(&self, url: &Url) -> bool {
        let host = match (&self.hosts, url.host()) {
            (Hosts::One(one), Some(host)) => *one == host.to_owned(),
            (Hosts::Below(below), Some(Host::Domain(name))) => {
                name.strip_suffix(below.as_str()).is_some_and(|first| !first.is_empty())
            }
            _ => false,
        };
        host && url.scheme() == self.scheme
            && url.port_or_known_default() == Some(self.port)
            && self.permits_path(url.path())
    }

    /// `/v1` means `/v1` and what is below it, not `/v10`; `/v1/` only what is below it.
    fn permits_path(&self, path: &str) -> bool {
        if self.path == "/" {
            return true;
        }
        match path.strip_prefix(self.path.as_str()) {
            Some(rest) => {
                (rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/')) && !hides_a_slash(path)
            }
            None => false,
        }
    }
}

/// Everybody a handler may call. Cloning costs a counter.
#[derive(Debug, Clone, Default)]
pub struct AllowList(Option<Arc<[Entry]>>);

impl AllowList {
    /// Of entries that were checked when they were deployed. One that can't be read any more permits nothing.
    #[must_use]
    pub fn of_checked(entries: &[String]) -> Self {
        let entries: Arc<[Entry]> = entries.iter().filter_map(|entry| entry.parse().ok()).collect();
        Self((!entries.is_empty()).then_some(entries))
    }

    /// Whether there is nobody in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a request to `url` is meant by one of the entries.
    #[must_use]
    pub fn permits(&self, url: &Url) -> bool {
        self.0.iter().flat_map(|entries| entries.iter()).any(|entry| entry.permits(url))
    }
}

/// Checks a list as it is deployed.
///
/// # Errors
/// A sentence with the entry and what to write instead, or how many there may be.
pub fn check(entries: &[String]) -> Result<(), String> {
    if entries.len() > ENTRIES_MAX {
        return Err(format!(
            "{} entries, at most {ENTRIES_MAX}; `https://*.host` allows every host below one",
            entries.len()
        ));
    }
    entries.iter().try_for_each(|entry| entry.parse::<Entry>().map(|_| ())).map_err(|error| error.to_string())
}
