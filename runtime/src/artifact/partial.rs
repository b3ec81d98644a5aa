//! A file on its way into a folder: under another name until it is whole, and gone if it never becomes so.
//!
//! Whatever stops us — an error, a dropped future, `kill -9`, a power cut — a reader sees the whole file or none. Whoever
//! writes holds a lock on the file, and the operating system lets go of it with the process: so a start can tell what a
//! dead process left behind from what a process beside us is writing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, flock};

/// How names of unfinished files end.
const ENDING: &str = ".partial";

/// An unfinished file, removed when it is dropped.
#[derive(Debug)]
pub struct Partial {
    file: File,
    path: PathBuf,
    finished: bool,
}

impl Partial {
    /// A new file in `folder`, readable and writable by us alone.
    ///
    /// # Errors
    /// As the operating system has it.
    pub fn new(folder: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{}-{count}{ENDING}", std::process::id()));
            match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => {
                    let partial = Self { file, path, finished: false };
                    flock(&partial.file, FlockOperation::LockExclusive)?;
                    return Ok(partial);
                }
                // Of a process that had our number before.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Where it is for now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, in the same folder. Replaces what had that name.
    ///
    /// # Errors
    /// As the operating system has it; the old file is still there then, or the new one already.
    pub fn keep_as(mut self, name: &str, keep: Keep) -> io::Result<()> {
        if keep == Keep::Durably {
            self.file.sync_all()?;
        }
        let folder = self.path.parent().unwrap_or(Path::new(""));
        std::fs::rename(&self.path, folder.join(name))?;
        self.finished = true;
        if keep == Keep::Durably { File::open(folder)?.sync_all() } else { Ok(()) }
    }
}

/// What a kept file survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// A power cut, from when it is kept.
    Durably,
    /// The end of the process: for what can be made again, and proves itself when it is read.
    ForNow,
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.finished {
            // Removed at the next start, should it fail now.
            let _removed = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes what processes that are no more left in `folder`; how many files.
///
/// # Errors
/// As the operating system has it.
pub fn remove_leftovers(folder: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.as_os_str().as_encoded_bytes().ends_with(ENDING.as_bytes()) {
            continue;
        }
        // Gone meanwhile: its writer has finished.
        let Ok(file) = File::open(&path) else { continue };
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            std::fs::remove_file(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_has_its_name_when_it_is_whole_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let partial = Partial::new(folder.path()).unwrap();
        partial.file().write_all(b"whole").unwrap();
        assert!(!folder.path().join("it").exists());
        partial.keep_as("it", Keep::Durably).unwrap();
        assert_eq!(std::fs::read(folder.path().join("it")).unwrap(), b"whole");
        drop(Partial::new(folder.path()).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "what was dropped is gone");
    }

    #[test]
    fn leftovers_of_the_dead_go_and_files_of_the_living_stay() {
        let folder = tempfile::tempdir().unwrap();
        let living = Partial::new(folder.path()).unwrap();
        std::fs::write(folder.path().join("1-1.partial"), "half").unwrap();
        std::fs::write(folder.path().join("kept"), "whole").unwrap();
        assert_eq!(remove_leftovers(folder.path()).unwrap(), 1);
        assert!(living.path().exists() && folder.path().join("kept").exists());
    }
}
