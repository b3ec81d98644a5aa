//! Tenants, handlers, revisions, releases, tokens, credentials and numbers, kept in one embedded database.
//!
//! The one place with SQL. What was acknowledged survives a power cut: every change is one transaction, synced before its
//! function returns. Nothing on the path of a call asks the registry: a host loads [`Registry::everything`], serves from
//! memory, and when the file is locked, full or damaged only changes fail, each with a text that says what to do. The next
//! operation tries anew, so whatever was repaired is in use without a restart.
//!
//! Calls block for as long as a disk does: from asynchronous code, through `spawn_blocking`. When a release changes is
//! decided in `release` and `deploy`; the closures that they pass run inside the transaction that keeps their decision.

mod accounts;
mod backup;
mod connection;
mod error;
mod files;
mod handlers;
mod journal;
mod key;
mod local;
pub mod model;
mod numbers;
mod prune;
mod releases;
mod rows;
mod schema;
mod secrets;
mod snapshot;
mod tenants;
#[cfg(test)]
mod tests;
mod tokens;

use std::path::Path;

pub use backup::{BackupError, BackupReport, backup};
pub use error::RegistryError;
pub use journal::{Applied, AppliedAs, PendingJournal};
pub use key::{KEY_FILE, KeyError, MasterKey, SecretsKey};
pub use local::{LAST_KNOWN_FILE, LocalError, read_last_known, write_last_known};
pub use tokens::{FILE_LABEL, OperatorToken};

use connection::{Look, Slot, Watch, Writer};
pub(crate) use files::{Partial, Present, create_private, write_whole};
pub(crate) use key::Sealer;

/// The database's file in the data folder.
pub const FILE_NAME: &str = "registry.db";

/// How long a revision is kept for the calls that are pinned to it after it stopped to take new ones, in milliseconds: no
/// carrier keeps a call for longer.
pub const PINNED_MS: u64 = 24 * 60 * 60 * 1_000;

/// All that outlives the process, but components and compiled files.
pub struct Registry {
    /// Waits for other writers; readers do not wait for it.
    writer: Writer,
    reader: Slot,
    credentials: Sealer,
    secrets: SecretsKey,
    token_key: [u8; 32],
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry")
    }
}

impl Registry {
    /// Opens the registry of a data folder, and makes one in a new folder.
    ///
    /// # Errors
    /// A damaged, foreign or newer file is refused and left exactly as it was found. A file that is missing where one was
    /// ([`RegistryError::Missing`]) is not replaced by an empty one: that would be the end of every tenant's calls.
    pub fn open(data: &Path, key: &MasterKey) -> Result<Self, RegistryError> {
        let path = data.join(FILE_NAME);
        let key_check = key.derive("registry: check of the key");
        let absent =
            std::fs::symlink_metadata(&path).is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound);
        if absent && !data.join(LAST_KNOWN_FILE).exists() {
            files::create_folder(data).map_err(|error| RegistryError::io(data, error))?;
            schema::create(&path, &key_check).map_err(|error| error.at(&path))?;
        }
        let registry = Self::unopened(data, key)?;
        registry.writer.open()?;
        registry.reader.open(Look::Done)?;
        Ok(registry)
    }

    /// A registry whose file can't be used yet: each operation tries anew to open it.
    ///
    /// # Errors
    /// Where there is no thread to be had.
    pub fn unopened(data: &Path, key: &MasterKey) -> Result<Self, RegistryError> {
        let path = data.join(FILE_NAME);
        let key_check = key.derive("registry: check of the key");
        Ok(Self {
            writer: Writer::new(&path, key_check)?,
            reader: Slot::new(&path, key_check, Watch::Identity),
            credentials: Sealer::new(key, "registry: credentials"),
            secrets: SecretsKey::new(key),
            token_key: key.derive("registry: hashes of tokens"),
        })
    }

    /// Opens the secrets of revisions.
    #[must_use]
    pub fn secrets_key(&self) -> SecretsKey {
        self.secrets.clone()
    }

    /// Whether it can be used now; an empty write, which a lock or a full disk stops as it would any other.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), RegistryError> {
        self.writer.write(|_| Ok(Ok::<_, RegistryError>(())))
    }
}
