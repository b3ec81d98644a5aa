//! The files: components as they were uploaded, and what was compiled from them.
//!
//! A component is named by its digest and kept for as long as a revision needs it, since everything else can be made from
//! it again. An artifact is named by the component's digest and by what compiled it, so that a new binary beside an old one
//! finds nothing of the other's. Files appear whole or not at all; the folders belong to us alone.
//!
//! What is in an artifact is `seal`'s and `map`'s business, who makes it `jail`'s.

use std::collections::HashSet;
use std::fmt::Display;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tracing::{info, warn};

use super::partial::{self, Keep, Partial};
use super::seal::SealKey;
use crate::call::TenantId;
use crate::digest::Digest;

/// How long a file that nothing needs is left alone: what was uploaded a moment ago is about to be needed.
const GRACE: Duration = Duration::from_secs(60 * 60);
/// How long artifacts of another engine are kept: going back to the binary of last week compiles nothing.
const FOREIGN_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The folders under one data folder.
#[derive(Debug)]
pub struct Store {
    components: PathBuf,
    artifacts: PathBuf,
    pub(super) functions: PathBuf,
    pub(super) key: SealKey,
    engine: String,
}

/// Why the folders can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// As the operating system has it.
    #[error("{}: {cause}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Somebody else could change what we load.
    #[error(
        "{}: {found}; code is loaded from there, so it has to be ours and closed to others: \
         `chown` it to the user of this process and `chmod 700` it",
        path.display()
    )]
    Open {
        /// Which folder.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
}

/// Why an upload was not taken. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// More bytes than are allowed.
    #[error(
        "the component has more than {bytes_max} bytes; build with optimisation and strip debug sections"
    )]
    TooLarge {
        /// The most.
        bytes_max: u64,
    },
    /// Other bytes than were announced.
    #[error("the uploaded bytes have the digest {found}, announced was {expected}; upload it again")]
    Digest {
        /// What was announced.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// The sender stopped.
    #[error("the upload broke off: {0}")]
    Body(String),
    /// No room.
    #[error("the disk is full; calls go on, and uploads do when there is room")]
    DiskFull,
    /// As the operating system has it.
    #[error("the component can't be stored: {0}")]
    Io(io::Error),
}

impl From<io::Error> for ReceiveError {
    fn from(error: io::Error) -> Self {
        if is_full(&error) { Self::DiskFull } else { Self::Io(error) }
    }
}

/// Whether the disk, or our part of it, is full.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl Store {
    /// Makes the folders where they are missing, and removes what a process that was killed left behind. `engine` names
    /// what this host compiles to, `key` seals it; the key has to come from outside of `data`'s folders.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Open`] where somebody else owns a folder or may write to it.
    pub fn open(data: &Path, key: [u8; 32], engine: String) -> Result<Self, StoreError> {
        let store = Self {
            components: data.join("components"),
            artifacts: data.join("artifacts"),
            functions: data.join("functions"),
            key: SealKey::new(key),
            engine,
        };
        for folder in [&store.components, &store.artifacts, &store.functions] {
            let explain = |cause| StoreError::Io { path: folder.clone(), cause };
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(explain)?;
            check_closed(folder)?;
            let removed = partial::remove_leftovers(folder).map_err(explain)?;
            if removed > 0 {
                info!(folder = %folder.display(), "removed {removed} unfinished files of an earlier process");
            }
        }
        Ok(store)
    }

    /// Takes an upload: checks length and digest while it comes in, and keeps it when it is whole. How many bytes it has.
    /// Two uploads of the same component at one time are both taken.
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub async fn receive<E: Display>(
        &self,
        body: impl Stream<Item = Result<Bytes, E>>,
        expected: Digest,
        bytes_max: u64,
    ) -> Result<u64, ReceiveError> {
        let partial = Partial::new(&self.components)?;
        let mut file = tokio::fs::File::from_std(partial.file().try_clone()?);
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        let mut body = pin!(body);
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| ReceiveError::Body(error.to_string()))?;
            bytes = bytes.saturating_add(piece.len() as u64);
            if bytes > bytes_max {
                return Err(ReceiveError::TooLarge { bytes_max });
            }
            hash.update(&piece);
            file.write_all(&piece).await?;
        }
        file.flush().await?;
        let found = Digest::from_bytes(hash.finalize().into());
        if found != expected {
            return Err(ReceiveError::Digest { expected, found });
        }
        let name = component_name(&found);
        blocking(move || partial.keep_as(&name, Keep::Durably)).await?;
        Ok(bytes)
    }

    /// Opens a component.
    ///
    /// # Errors
    /// As the operating system has it; `NotFound` where it was never uploaded.
    pub fn component(&self, digest: &Digest) -> io::Result<File> {
        read_only(&self.components.join(component_name(digest)))
    }

    /// Whether a component is there.
    #[must_use]
    pub fn has_component(&self, digest: &Digest) -> bool {
        self.components.join(component_name(digest)).exists()
    }

    /// Removes a component and all that was compiled from it.
    ///
    /// # Errors
    /// As the operating system has it; what is not there is no error.
    pub fn remove(&self, digest: &Digest) -> io::Result<()> {
        let prefix = digest.to_string();
        for folder in [&self.artifacts, &self.components] {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                if entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()) {
                    remove_if_there(&entry.path())?;
                }
            }
        }
        Ok(())
    }

    /// Removes components and artifacts of digests that are not in `keep`, artifacts of other engines that are old, and
    /// functions beyond `functions_bytes_max`, least recently used first. Files of the last hour stay. How many files.
    ///
    /// # Errors
    /// As the operating system has it.
    pub fn collect_garbage(&self, keep: &HashSet<Digest>, functions_bytes_max: u64) -> io::Result<usize> {
        let now = SystemTime::now();
        let age = |modified| now.duration_since(modified).unwrap_or_default();
        let mut removed = 0;
        for folder in [&self.components, &self.artifacts] {
            for (path, _, modified) in files(folder)? {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let digest = name.get(..64).and_then(|digits| digits.parse::<Digest>().ok());
                // What is not named by a digest is not ours to remove.
                let Some(digest) = digest else { continue };
                let foreign = folder == &self.artifacts
                    && !name.get(65..).unwrap_or_default().starts_with(&self.engine)
                    && age(modified) > FOREIGN_KEPT;
                if foreign || (!keep.contains(&digest) && age(modified) > GRACE) {
                    remove_if_there(&path)?;
                    removed += 1;
                }
            }
        }
        let mut functions = files(&self.functions)?;
        functions.sort_by_key(|(_, _, modified)| std::cmp::Reverse(*modified));
        let mut total = 0;
        for (path, bytes, _) in functions {
            total += bytes;
            if total > functions_bytes_max {
                remove_if_there(&path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Removes the artifacts used longest ago, by the time of their files, until the others have `bytes_max` bytes at most.
    pub(super) fn forget_oldest(&self, bytes_max: u64) -> io::Result<()> {
        let mut artifacts = files(&self.artifacts)?;
        artifacts.sort_by_key(|(_, _, modified)| std::cmp::Reverse(*modified));
        let mut total = 0;
        for (path, bytes, _) in artifacts {
            total += bytes;
            if total > bytes_max {
                remove_if_there(&path)?;
            }
        }
        Ok(())
    }

    /// Opens an artifact.
    pub(super) fn artifact(&self, digest: &Digest, owner: Option<&TenantId>) -> io::Result<File> {
        read_only(&self.artifacts.join(self.artifact_name(digest, owner)))
    }

    pub(super) fn has_artifact(&self, digest: &Digest, owner: Option<&TenantId>) -> bool {
        self.artifacts.join(self.artifact_name(digest, owner)).exists()
    }

    /// The name of an artifact. One that was made with the help of a tenant's function cache is that tenant's alone.
    pub(super) fn artifact_name(&self, digest: &Digest, owner: Option<&TenantId>) -> String {
        match owner {
            None => format!("{digest}-{}", self.engine),
            Some(tenant) => format!("{digest}-{}-{tenant}", self.engine),
        }
    }

    pub(super) fn new_artifact(&self) -> io::Result<Partial> {
        Partial::new(&self.artifacts)
    }

    pub(super) fn new_functions(&self) -> io::Result<Partial> {
        Partial::new(&self.functions)
    }

    pub(super) fn functions_path(&self, tenant: &TenantId) -> PathBuf {
        self.functions.join(self.functions_name(tenant))
    }

    pub(super) fn functions_name(&self, tenant: &TenantId) -> String {
        format!("{tenant}-{}", self.engine)
    }

    pub(super) fn engine(&self) -> &str {
        &self.engine
    }
}

fn component_name(digest: &Digest) -> String {
    format!("{digest}.wasm")
}

/// Never through a link: nobody of ours makes one here.
fn read_only(path: &Path) -> io::Result<File> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    std::fs::OpenOptions::new().read(true).custom_flags(no_follow).open(path)
}

/// Ours, and nobody else may write to it.
fn check_closed(folder: &Path) -> Result<(), StoreError> {
    let explain = |cause| StoreError::Io { path: folder.into(), cause };
    let metadata = std::fs::symlink_metadata(folder).map_err(explain)?;
    let us = rustix::process::geteuid().as_raw();
    let found = if !metadata.is_dir() {
        "it is no folder".to_owned()
    } else if metadata.uid() != us {
        format!("it belongs to user {}, this process runs as {us}", metadata.uid())
    } else if metadata.mode() & 0o022 != 0 {
        format!("others may write to it (mode {:o})", metadata.mode() & 0o777)
    } else {
        return Ok(());
    };
    Err(StoreError::Open { path: folder.into(), found })
}

/// The files in a folder: path, bytes, when written.
fn files(folder: &Path) -> io::Result<Vec<(PathBuf, u64, SystemTime)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // Gone meanwhile.
        let Ok(metadata) = entry.metadata() else { continue };
        files.push((entry.path(), metadata.len(), metadata.modified()?));
    }
    Ok(files)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            warn!("{} can't be removed: {error}", path.display());
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Runs what waits for the disk where waiting is allowed.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(io::Error::other(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_what_is_old_and_needed_by_nothing() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), [1; 32], "0f".repeat(16)).unwrap();
        let (kept, dropped) = (Digest::of(b"kept"), Digest::of(b"dropped"));
        let day = Duration::from_secs(24 * 60 * 60);
        let file = |folder: &str, name: String, age: Duration| {
            let path = data.path().join(folder).join(name);
            std::fs::write(&path, [0; 100]).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
            path
        };
        let (foreign, older) = ("f0".repeat(16), "e0".repeat(16));
        let acme = TenantId::new("acme").unwrap();
        let stays = [
            file("components", component_name(&kept), day),
            file("components", component_name(&dropped), Duration::ZERO),
            file("artifacts", store.artifact_name(&kept, None), day),
            file("artifacts", store.artifact_name(&kept, Some(&acme)), 30 * day),
            file("artifacts", format!("{kept}-{foreign}"), 6 * day),
            file("artifacts", "not-ours".to_owned(), 30 * day),
            file("functions", "young".to_owned(), Duration::ZERO),
        ];
        let goes = [
            file("components", component_name(&Digest::of(b"old")), day),
            file("artifacts", store.artifact_name(&dropped, None), day),
            file("artifacts", store.artifact_name(&dropped, Some(&acme)), day),
            file("artifacts", format!("{kept}-{older}"), 8 * day),
            file("functions", "old".to_owned(), day),
        ];
        assert_eq!(store.collect_garbage(&HashSet::from([kept]), 150).unwrap(), goes.len());
        assert!(stays.iter().all(|path| path.exists()), "{stays:?}");
        assert!(goes.iter().all(|path| !path.exists()), "{goes:?}");

        store.remove(&kept).unwrap();
        assert!(!stays[0].exists() && !stays[2].exists() && !stays[3].exists());
    }
}
