//! The lock that makes a data folder one host's.
//!
//! `flock` belongs to the open file, not to the process: passed to another process together with the listening sockets,
//! it is held by both, and until the last of them is gone. A process that dies lets go of it, however it died.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::HandoverError;

const LOCK: &str = "lock";

/// A data folder that is ours for as long as this lives.
#[derive(Debug)]
pub struct DataLock {
    dir: PathBuf,
    file: File,
}

impl DataLock {
    /// Locks `dir`, which is made if it is not there.
    ///
    /// # Errors
    /// [`HandoverError::Held`] where another host has it, [`HandoverError::File`] where it can't be written.
    pub fn take(dir: &Path) -> Result<Self, HandoverError> {
        let path = dir.join(LOCK);
        let explain = |cause| HandoverError::File { path: path.clone(), cause };
        // Keys and every tenant's code will be in it.
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(explain)?;
        // Never truncated before it is ours: what stands in it says who has it. Never removed either: whoever had it
        // open already would lock a file that nobody else finds.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(explain)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                let lock = Self { dir: dir.to_owned(), file };
                lock.sign().map_err(explain)?;
                Ok(lock)
            }
            Err(error) if io::Error::from(error).kind() == io::ErrorKind::WouldBlock => {
                Err(HandoverError::Held { dir: dir.to_owned(), holder: holder(&file) })
            }
            Err(error) => Err(explain(error.into())),
        }
    }

    /// A lock that the running host has passed on.
    pub(super) fn passed_on(dir: &Path, file: OwnedFd) -> Self {
        Self { dir: dir.to_owned(), file: file.into() }
    }

    /// The folder that is locked.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Notes this process as the one that has it.
    pub(super) fn sign(&self) -> io::Result<()> {
        let pid = format!("{}\n", std::process::id());
        self.file.write_all_at(pid.as_bytes(), 0)?;
        self.file.set_len(pid.len() as u64)
    }
}

impl AsFd for DataLock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Who signed the lock. For people: it is read without holding anything.
fn holder(file: &File) -> String {
    let mut buffer = [0; 32];
    let signed = file.read_at(&mut buffer, 0).ok().and_then(|count| buffer.get(..count));
    match signed.and_then(|text| std::str::from_utf8(text).ok()).map(str::trim) {
        Some(pid) if !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("process {pid}")
        }
        _ => "just starting".to_owned(),
    }
}
