//! The last known good copy: what a host starts from when the registry can't be opened.
//!
//! One file, encrypted and proven as a whole, because it holds every tenant's credentials and decides whose code answers.
//! Changes that were made meanwhile are in the [`PendingJournal`], and reading applies them.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::error;

use super::files::{self, Present};
use super::journal::PendingJournal;
use super::key::{MasterKey, Sealer};
use super::model::{
    AccountRecord, Everything, HandlerRecord, NumberRecord, PendingChange, Quota, RevisionRecord,
    TenantRecord,
};
use crate::call::TenantId;
use crate::carrier::account::Allowance;
use crate::config::Secret;

/// The copy's file in the data folder.
pub const LAST_KNOWN_FILE: &str = "last-known";

/// The first byte of the file: how the rest is written.
const FORMAT: u8 = 1;

/// What is wrong with a file beside the registry.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The disk or the operating system refused.
    #[error("{}: {cause}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// It is not what was written, or was written under another key.
    #[error(
        "{} can't be used: {found}. Restore a backup with the key that belongs to it, or remove the file to go on without it",
        path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What was found.
        found: String,
    },
}

impl LocalError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self::Io { path: path.to_owned(), cause }
    }
}

/// What stands in the file. Only here are credentials serialised, and only to be sealed.
#[derive(Serialize, Deserialize)]
struct Copy {
    tenants: Vec<CopiedTenant>,
    handlers: Vec<HandlerRecord>,
    revisions: Vec<RevisionRecord>,
    numbers: Vec<NumberRecord>,
}

#[derive(Serialize, Deserialize)]
struct CopiedTenant {
    id: TenantId,
    public_url: Option<String>,
    auth_tokens: Vec<String>,
    shared_keys: Vec<(String, String)>,
    #[serde(default)]
    account: Option<CopiedAccount>,
    quota: Quota,
    created_at: u64,
}

#[derive(Serialize, Deserialize)]
struct CopiedAccount {
    sid: String,
    api_key: Option<(String, String)>,
    allowance: Allowance,
}

/// Keeps a copy for a start without the registry; on the disk when this returns. Worth doing some time after a change, not at
/// each one: it writes everything. What the registry can't read stays as the copy before this one has it.
///
/// # Errors
/// [`LocalError::Io`]; the copy before it is still there then.
pub fn write_last_known(data: &Path, key: &MasterKey, everything: &Everything) -> Result<(), LocalError> {
    let path = data.join(LAST_KNOWN_FILE);
    let mut everything = Cow::Borrowed(everything);
    if !everything.unreadable.is_empty() {
        match read_copy(&path, key) {
            Ok(before) => everything.to_mut().fill_from(&before.unwrap_or_default()),
            Err(error) => error!("what the registry can't read is not in the new copy either: {error}"),
        }
    }
    let write = || {
        let copy = Copy {
            tenants: everything.tenants.iter().map(CopiedTenant::of).collect(),
            handlers: everything.handlers.clone(),
            revisions: everything.revisions.clone(),
            numbers: everything.numbers.clone(),
        };
        let sealed = sealer(key).seal(&[LAST_KNOWN_FILE], &serde_json::to_vec(&copy)?)?;
        files::write_whole(&path, &[&[FORMAT][..], &sealed].concat(), Present::Replace)
    };
    write().map_err(LocalError::io(&path))
}

/// The last copy, with all that waits in the [`PendingJournal`] applied to it: whoever calls this does not apply the journal
/// again. None where no copy was ever written. A journal that can't be read is logged, and the copy is given back as it is.
///
/// # Errors
/// [`LocalError`] where the copy is not what was written.
pub fn read_last_known(data: &Path, key: &MasterKey) -> Result<Option<Everything>, LocalError> {
    let Some(mut everything) = read_copy(&data.join(LAST_KNOWN_FILE), key)? else { return Ok(None) };
    match PendingJournal::new(data, key).read() {
        Ok(changes) => changes.iter().for_each(|change| apply(&mut everything, change)),
        Err(error) => error!("what was changed without the registry is not in force: {error}"),
    }
    Ok(Some(everything))
}

/// The copy as it was written.
fn read_copy(path: &Path, key: &MasterKey) -> Result<Option<Everything>, LocalError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LocalError::io(path)(error)),
    };
    let damaged = |found: String| LocalError::Damaged { path: path.to_owned(), found };
    let copy: Copy = match bytes.split_first() {
        Some((&FORMAT, sealed)) => {
            let plain = sealer(key)
                .open(&[LAST_KNOWN_FILE], sealed)
                .map_err(|_| damaged("it is not what this host wrote under its key".into()))?;
            serde_json::from_slice(&plain).map_err(|error| damaged(error.to_string()))?
        }
        Some((found, _)) => return Err(damaged(format!("its format is {found}, expected {FORMAT}"))),
        None => return Err(damaged("it is empty".into())),
    };
    Ok(Some(Everything {
        tenants: copy.tenants.into_iter().map(CopiedTenant::record).collect(),
        handlers: copy.handlers,
        revisions: copy.revisions,
        numbers: copy.numbers,
        unreadable: Vec::new(),
    }))
}

/// As the registry would apply it.
fn apply(everything: &mut Everything, change: &PendingChange) {
    let PendingChange { tenant, handler: name, release, event } = change;
    let handler = everything.handlers.iter_mut().find(|h| h.tenant == *tenant && h.name == *name);
    let Some(handler) = handler.filter(|handler| handler.release.generation < release.generation) else {
        return;
    };
    let takes = |handler: &HandlerRecord, revision: &RevisionRecord| {
        let canary = handler.release.canary.as_ref().map(|canary| canary.revision);
        revision.id == handler.release.stable || Some(revision.id) == canary
    };
    let before = handler.clone();
    handler.release = release.clone();
    for revision in everything.revisions.iter_mut().filter(|r| r.tenant == *tenant && r.handler == *name) {
        if takes(handler, revision) {
            revision.retired_at = None;
        } else if takes(&before, revision) {
            revision.retired_at = Some(event.at);
        }
    }
}

fn sealer(key: &MasterKey) -> Sealer {
    Sealer::new(key, "registry: last known good copy")
}

impl CopiedTenant {
    fn of(tenant: &TenantRecord) -> Self {
        Self {
            id: tenant.id.clone(),
            public_url: tenant.public_url.clone(),
            auth_tokens: tenant.auth_tokens.iter().map(|token| token.expose().to_owned()).collect(),
            shared_keys: tenant
                .shared_keys
                .iter()
                .map(|(name, secret)| (name.clone(), secret.expose().to_owned()))
                .collect(),
            account: tenant.account.as_ref().map(|account| CopiedAccount {
                sid: account.sid.clone(),
                api_key: account
                    .api_key
                    .as_ref()
                    .map(|(id, secret)| (id.clone(), secret.expose().to_owned())),
                allowance: account.allowance.clone(),
            }),
            quota: tenant.quota,
            created_at: tenant.created_at,
        }
    }

    fn record(self) -> TenantRecord {
        TenantRecord {
            id: self.id,
            public_url: self.public_url,
            auth_tokens: self.auth_tokens.into_iter().map(Secret::new).collect(),
            shared_keys: self
                .shared_keys
                .into_iter()
                .map(|(name, secret)| (name, Secret::new(secret)))
                .collect(),
            account: self.account.map(|account| AccountRecord {
                sid: account.sid,
                api_key: account.api_key.map(|(id, secret)| (id, Secret::new(secret))),
                allowance: account.allowance,
            }),
            quota: self.quota,
            created_at: self.created_at,
        }
    }
}
