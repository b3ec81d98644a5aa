//! Files that are there whole or not at all, and that only we read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What to do with a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Present {
    /// It is replaced in one step.
    Replace,
    /// It stays, and the write fails with [`io::ErrorKind::AlreadyExists`].
    Keep,
}

/// Writes a file that only its owner may read; on the disk when this returns, and never seen half-written.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], present: Present) -> io::Result<()> {
    let partial = Partial::beside(path);
    let mut file = create_private(&partial.path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    partial.put(path, present)
}

/// A new file that only its owner may read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).read(true).create_new(true).mode(0o600).open(path)
}

/// Makes the folder of what outlives the process, for its owner only, unless it is there.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes the entries of the folder of `path` survive a power cut.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

/// A name for a file that is being written, beside its place; removed when dropped.
pub(crate) struct Partial {
    pub(crate) path: PathBuf,
}

impl Partial {
    /// A name that nobody else uses, in the folder of `path` so that a rename puts it there in one step.
    pub(crate) fn beside(path: &Path) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}-{count}.partial", std::process::id()));
        let path = path.with_file_name(name);
        // Left by a process that was killed and had our number, as in a container the first one always has.
        for end in ["", "-wal", "-shm"] {
            let mut left = path.as_os_str().to_owned();
            left.push(end);
            let _there_or_not = fs::remove_file(left);
        }
        Self { path }
    }

    /// Puts what was written (and synced) in its place.
    pub(crate) fn put(self, path: &Path, present: Present) -> io::Result<()> {
        match present {
            Present::Replace => fs::rename(&self.path, path)?,
            Present::Keep => fs::hard_link(&self.path, path)?,
        }
        sync_folder(path)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After a rename there is nothing to remove.
        let _ = fs::remove_file(&self.path);
    }
}
