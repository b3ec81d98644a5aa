//! What canaries have shown so far, kept for the process that comes next.
//!
//! One small file, written anew every few seconds where a canary is on and has moved, and when a process ends or hands over.
//! It stands beside the registry and not in it: it is no record of anything, a host that has lost it only watches its canaries
//! longer, and it is there while the registry is not.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::watch::{Name, Watched};
use super::{DeployError, Deployer, blocking};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::clock;
use crate::registry::{Present, write_whole};
use crate::release::watch::Watch;

/// The file in the data folder.
const FILE: &str = "canaries.json";

/// How often it is written, where something has changed: so much of a trial a crash may cost.
const KEEP_EVERY: Duration = Duration::from_secs(2);

/// One canary's watch.
#[derive(Serialize, Deserialize)]
struct Kept {
    tenant: TenantId,
    handler: HandlerName,
    /// Which canary: a later one of the same revision begins at another time.
    canary: RevisionId,
    started_at: u64,
    watch: Watch,
}

/// The file.
pub(super) struct EvidenceFile {
    path: PathBuf,
    /// What stands in it; none where there is none. Held while it is written, so that what is written last is newest.
    written: Mutex<Option<Written>>,
}

/// What stands in the file.
struct Written {
    whole: Vec<u8>,
    /// The same without the times of the last looks, which differ each second.
    shown: Vec<u8>,
}

impl Written {
    fn new(kept: Vec<Kept>) -> io::Result<Self> {
        let whole = serde_json::to_vec(&kept)?;
        let untimed = kept.into_iter().map(|one| Kept { watch: one.watch.untimed(), ..one });
        Ok(Self { whole, shown: serde_json::to_vec(&untimed.collect::<Vec<_>>())? })
    }
}

/// When the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    /// Where a canary has shown something more, and once a minute for the time, which each watch notes then: disks are asked
    /// to sync for callers' sessions, too.
    IfMoved,
    /// With the time of the last look: whoever goes on with it counts none twice and leaves none out.
    ToTheLast,
}

impl EvidenceFile {
    /// In this data folder.
    pub(super) fn in_folder(data: &Path) -> Self {
        Self { path: data.join(FILE), written: Mutex::default() }
    }

    fn read(&self) -> io::Result<Vec<Kept>> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let kept = serde_json::from_slice(&bytes)?;
        *written = Some(Written { shown: Vec::new(), whole: bytes });
        Ok(kept)
    }

    /// Writes what `kept` gives, unless it stands there.
    fn write(&self, kept: impl FnOnce() -> Vec<Kept>, when: Write) -> io::Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept();
        let new = if kept.is_empty() { None } else { Some(Written::new(kept)?) };
        let is_there = match (&new, &*written) {
            (Some(new), Some(there)) if when == Write::IfMoved => new.shown == there.shown,
            (Some(new), Some(there)) => new.whole == there.whole,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if is_there {
            return Ok(());
        }
        match &new {
            Some(new) => write_whole(&self.path, &new.whole, Present::Replace)?,
            None => match fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
        }
        *written = new;
        Ok(())
    }
}

impl Deployer {
    /// Keeps what canaries have shown, every few seconds, for ever.
    pub async fn keep_evidence(self: Arc<Self>) {
        let mut failed = false;
        loop {
            tokio::time::sleep(KEEP_EVERY).await;
            let kept = Arc::clone(&self).write_evidence(Write::IfMoved).await;
            if let Err(why) = &kept
                && !failed
            {
                warn!("a restart would begin to watch canaries anew: {why}");
            }
            failed = kept.is_err();
        }
    }

    /// Looks at all canaries once more and keeps what they have shown: the last thing before another process goes on with them.
    pub async fn keep_last_evidence(self: &Arc<Self>) {
        for (name, handler, canary) in self.on_trial() {
            let _nobody_acts_on_it = self.look(&name, &handler, &canary);
        }
        if let Err(why) = Arc::clone(self).write_evidence(Write::ToTheLast).await {
            warn!("what canaries have shown since a moment ago is not kept: {why}");
        }
    }

    async fn write_evidence(self: Arc<Self>, when: Write) -> Result<(), DeployError> {
        blocking(move || {
            let written = self.evidence.write(|| kept(&self.watching.lock()), when);
            written.map_err(|error| DeployError::Unavailable(error.to_string()))
        })
        .await
    }

    /// Goes on with the canaries that an earlier process watched.
    pub(super) async fn take_up_evidence(self: &Arc<Self>) {
        let deployer = Arc::clone(self);
        let read =
            move || deployer.evidence.read().map_err(|error| DeployError::Unavailable(error.to_string()));
        let found = match blocking(read).await {
            Ok(found) => found,
            Err(why) => return warn!("canaries are watched anew, what they have shown can't be read: {why}"),
        };
        let on_trial = self.on_trial();
        let mut watching = self.watching.lock();
        for Kept { tenant, handler, canary, started_at, watch } in found {
            let watched = Watched::taken_up(canary, started_at, watch.taken_up(clock::unix_ms()));
            let name = (tenant, handler);
            let is_on = on_trial.iter().any(|(other, _, canary)| *other == name && watched.is_of(canary));
            // What this process watches itself is newer.
            if is_on && !watching.contains_key(&name) {
                info!(tenant = %name.0, handler = %name.1, revision = canary.0, "the canary's trial goes on where it was");
                watching.insert(name, watched);
            }
        }
    }
}

/// In the order of names, so that what did not change reads the same.
fn kept(watching: &HashMap<Name, Watched>) -> Vec<Kept> {
    let mut kept: Vec<Kept> = watching
        .iter()
        .map(|((tenant, handler), watched)| Kept {
            tenant: tenant.clone(),
            handler: handler.clone(),
            canary: watched.canary,
            started_at: watched.started_at,
            watch: watched.watch.clone(),
        })
        .collect();
    kept.sort_by(|one, other| (&one.tenant, &one.handler).cmp(&(&other.tenant, &other.handler)));
    kept
}
