//! What can go wrong with the registry, in words for people.
//!
//! Two kinds: what was asked for does not fit (a name that is taken, an older generation), and the file can't be used now.
//! The second kind never ends the host: calls go on from memory, and each operation tries anew.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::FILE_NAME;

/// Free space below which a failed write is put down to a full disk, in bytes: SQLite does not always hand on the reason.
const FREE_BYTES_MIN: u64 = 256 * 1024;

/// Why the registry did not do what it was asked for. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No such tenant, handler, revision, token or number.
    #[error("{0}")]
    NotFound(String),
    /// It is there already, or something else stands in the way.
    #[error("{0}")]
    Conflict(String),
    /// Somebody else changed the release since it was looked at.
    #[error(
        "the release is at generation {present}, and this change would be {found}; look again and decide anew"
    )]
    Generation {
        /// What is in force.
        present: u64,
        /// What the change would have been.
        found: u64,
    },
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Another process holds the write lock.
    #[error("{} is locked by another process for over 2 s; end what holds it (a database shell?) and try again", path.display())]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// No space left to write.
    #[error("{}: the disk is full; free some space and try again", path.display())]
    DiskFull {
        /// The database.
        path: PathBuf,
    },
    /// The file is not what was written.
    #[error(
        "{} is damaged: {found}; it was left untouched. Put a backup in its place: it is used as soon as it is there",
        path.display()
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What was found.
        found: String,
    },
    /// A database of another program.
    #[error(
        "{} is a database, but none of hookswitch: its application id is {found:#x}, expected {expected:#x}; it was left untouched. Give another --data folder",
        path.display()
    )]
    Foreign {
        /// The database.
        path: PathBuf,
        /// Its application id.
        found: i32,
        /// Ours.
        expected: i32,
    },
    /// A later hookswitch wrote it.
    #[error(
        "{} was written by a newer hookswitch: its schema is {found}, this one knows up to {known}; it was left untouched. Start the newer hookswitch, or restore a backup made before it",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// The newest that this host knows.
        known: i32,
    },
    /// The file is gone, and it should not be.
    #[error(
        "{} is gone, though this folder held a registry; restore it from a backup. To begin with nothing, start on an empty folder",
        path.display()
    )]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// The key file is another one.
    #[error(
        "{} was written with another key than the one beside it; restore the file `key` that belongs to it",
        path.display()
    )]
    WrongKey {
        /// The database.
        path: PathBuf,
    },
    /// Another file took the database's place during the operation.
    #[error("{} was replaced or removed at the same moment; look whether the change is there, and try again", path.display())]
    Replaced {
        /// The database.
        path: PathBuf,
    },
    /// One of the files beside the database can't be used.
    #[error(transparent)]
    Local(#[from] super::LocalError),
    /// The disk or the operating system refused.
    #[error("{}: {what}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was refused.
        what: String,
    },
}

impl RegistryError {
    /// Whether the registry can't be used now, whatever is asked of it: calls go on, changes wait.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::NotFound(_) | Self::Conflict(_) | Self::Generation { .. } | Self::Invalid(_) => false,
            Self::Locked { .. }
            | Self::DiskFull { .. }
            | Self::Damaged { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Missing { .. }
            | Self::WrongKey { .. }
            | Self::Replaced { .. }
            | Self::Local(_)
            | Self::Io { .. } => true,
        }
    }

    /// Whether the connection can't be trusted any more. A locked file or a full disk leave it as good as it was.
    pub(super) fn breaks_connection(&self) -> bool {
        self.is_unavailable() && !matches!(self, Self::Locked { .. } | Self::DiskFull { .. })
    }

    /// The same, about the database at `place`: SQLite's errors do not say which file.
    pub(super) fn at(mut self, place: &Path) -> Self {
        if let Self::Io { path, .. } = &self
            && path.as_os_str() == FILE_NAME
            && is_full(place)
        {
            return Self::DiskFull { path: place.to_owned() };
        }
        match &mut self {
            Self::Locked { path }
            | Self::DiskFull { path }
            | Self::Damaged { path, .. }
            | Self::Foreign { path, .. }
            | Self::Newer { path, .. }
            | Self::Io { path, .. }
                if path.as_os_str() == FILE_NAME =>
            {
                place.clone_into(path);
            }
            _ => {}
        }
        self
    }

    /// The same, or a full disk where there is no space left beside `place`.
    pub(super) fn at_full_disk(self, place: &Path) -> Self {
        if is_full(place) { Self::DiskFull { path: place.to_owned() } } else { self }
    }

    /// What the operating system refused.
    pub(super) fn io(path: &Path, what: impl std::fmt::Display) -> Self {
        Self::Io { path: path.to_owned(), what: what.to_string() }
    }

    /// A row that says something it can't.
    pub(super) fn damaged(found: impl Into<String>) -> Self {
        Self::Damaged { path: FILE_NAME.into(), found: on_one_line(&found.into()) }
    }
}

/// What SQLite says in several lines, as one: a log has a line for each thing that happened.
fn on_one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join("; ")
}

impl From<rusqlite::Error> for RegistryError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        let path = PathBuf::from(FILE_NAME);
        let what = on_one_line(&error.to_string());
        match &error {
            E::SqliteFailure(cause, _) => match cause.code {
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Locked { path },
                ErrorCode::DiskFull => Self::DiskFull { path },
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged { path, found: what },
                _ => Self::Io { path, what },
            },
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..) => Self::Damaged { path, found: format!("a row can't be read: {what}") },
            _ => Self::Io { path, what },
        }
    }
}

fn is_full(place: &Path) -> bool {
    let folder = place.parent().unwrap_or(Path::new("."));
    rustix::fs::statvfs(folder)
        .is_ok_and(|space| space.f_bavail.saturating_mul(space.f_frsize) < FREE_BYTES_MIN)
}
