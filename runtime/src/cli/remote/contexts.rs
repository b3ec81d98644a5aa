//! Saved hosts: a name for a control URL, a token and a tenant, in the user's configuration folder.
//!
//! The file holds tokens, so only its owner reads it; it is written whole and renamed.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::{RemoteError, Surroundings, control_url};
use crate::call::TenantId;

/// All saved hosts of one user.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contexts {
    /// The one that commands use unless told otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// By name.
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

/// One saved host.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Its control port.
    #[serde(serialize_with = "write_url", deserialize_with = "read_url")]
    pub control: Url,
    /// What opens it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Whose handlers, unless told otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Context({}, {:?})", self.control, self.tenant)
    }
}

impl Contexts {
    /// Where the file is, whether it exists or not.
    ///
    /// # Errors
    /// Where the environment names neither a configuration folder nor a home.
    pub fn path(surroundings: &Surroundings) -> Result<PathBuf, RemoteError> {
        // The XDG specification wants relative paths ignored.
        let absolute = |name| surroundings.var(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder =
            absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
        folder.map(|folder| folder.join("hookswitch/contexts.toml")).ok_or_else(|| {
            RemoteError::Local(
                "no folder for saved contexts: neither XDG_CONFIG_HOME nor HOME is an absolute path"
                    .to_owned(),
            )
        })
    }

    /// Reads the file; one that is not there is empty.
    ///
    /// # Errors
    /// When it can't be read or understood.
    pub fn load(path: &Path) -> Result<Self, RemoteError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Self::default());
            }
            Err(error) => return Err(at(path, &error)),
        };
        // Without the source line that toml shows: it may hold a token.
        toml::from_str(&text).map_err(|error| at(path, &error.message()))
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn save(&self, path: &Path) -> Result<(), RemoteError> {
        let text = toml::to_string(self).map_err(|error| at(path, &error))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let partial = path.with_extension(format!("{}.partial", std::process::id()));
        let write = || {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mut file = std::fs::OpenOptions::new();
            let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&partial, path)
        };
        write().map_err(|error| at(path, &error))
    }

    /// The context of that name.
    ///
    /// # Errors
    /// Where there is none: names those that there are.
    pub fn named(&self, name: &str) -> Result<&Context, RemoteError> {
        self.contexts.get(name).ok_or_else(|| RemoteError::Usage(self.unknown(name)))
    }

    /// Says that there is no such context, and which there are.
    pub fn unknown(&self, name: &str) -> String {
        let names: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
        if names.is_empty() {
            format!(
                "no context {name:?}: none is saved; `hookswitch context add {name} --control URL` saves one"
            )
        } else {
            format!("no context {name:?}; saved are {}", names.join(", "))
        }
    }
}

fn write_url<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(url.as_str())
}

fn read_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    control_url(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn at(path: &Path, error: &dyn std::fmt::Display) -> RemoteError {
    RemoteError::Local(format!("{}: {error}", path.display()))
}
