//! One database, in a file or in memory, and a connection to it that is opened anew where it broke.
//!
//! A file that is damaged, foreign or gone never ends the host: what needs it is refused, the log says why, and each operation
//! tries anew, so that a file that was put back is in use at once.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::registry::{Partial, Present, create_private};

/// Marks a database as ours: `hsws`.
const APPLICATION_ID: i32 = 0x6873_7773;
/// The schema this code reads and writes.
const SCHEMA: i32 = 1;
/// How long the writer waits for the one of another process, which there is while a host is replaced. Less than anybody waits
/// for the writer: who is refused then knows that nothing was done.
const BUSY_TIMEOUT: Duration = Duration::from_millis(500);
/// Pages in the journal after which they are moved into the file. Fewer cost more syncs, more cost disk.
const JOURNAL_PAGES: i32 = 4_000;
/// Page cache of a connection, in KiB.
const CACHE_KIB: i32 = 8 * 1024;

/// When what was written is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durable {
    /// Before it is acknowledged: nothing takes it back.
    AtOnce,
    /// When the operating system writes it: survives the end of the process, not that of the machine.
    Soon,
}

/// Where a database is.
#[derive(Debug, Clone)]
pub(super) enum Place {
    File { path: PathBuf, durable: Durable },
    Memory,
}

/// What is wrong with a database, for the operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: std::io::Error },
    #[error("{}: it is not one of this host's: application_id is {found:#x}, expected {APPLICATION_ID:#x}", path.display())]
    Foreign { path: PathBuf, found: i32 },
    #[error("{}: its schema is {found}, this version knows {SCHEMA}; it was written by a newer one", path.display())]
    Newer { path: PathBuf, found: i32 },
    #[error("{}: it is damaged: {found}", path.display())]
    Damaged { path: PathBuf, found: String },
    #[error("{0}")]
    Sql(#[from] rusqlite::Error),
}

/// A database and, most of the time, a connection to it.
pub(super) struct Database {
    place: Place,
    open: Option<Open>,
}

struct Open {
    connection: Connection,
    /// Device and inode of its file.
    file: Option<(u64, u64)>,
}

impl Database {
    /// A database that is opened when it is first needed.
    pub(super) fn new(place: Place) -> Self {
        Self { place, open: None }
    }

    /// Where it is, for the log.
    pub(super) fn name(&self) -> String {
        match &self.place {
            Place::File { path, .. } => path.display().to_string(),
            Place::Memory => "memory".to_owned(),
        }
    }

    /// Runs `work` in one transaction and commits it.
    pub(super) fn transact<T>(
        &mut self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        // Somebody who removes or replaces the file leaves us with one that nobody finds again.
        if let (Some(open), Place::File { path, .. }) = (&self.open, &self.place)
            && identity(path).ok() != open.file
        {
            self.open = None;
        }
        let open = match &mut self.open {
            Some(open) => open,
            place => place.insert(open(&self.place)?),
        };
        let done = open.connection.transaction_with_behavior(behavior).and_then(|transaction| {
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        if let (Err(error), Place::File { .. }) = (&done, &self.place)
            && !matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::DiskFull)
            )
        {
            self.open = None;
        }
        Ok(done?)
    }
}

/// Makes the file with its schema, unless it is there: whole, or not at all.
pub(super) fn create(path: &Path) -> Result<(), DatabaseError> {
    let io = |cause| DatabaseError::File { path: path.to_owned(), cause };
    if path.exists() {
        return Ok(());
    }
    let partial = Partial::beside(path);
    // SQLite would make it readable for all. Its journals get the same mode.
    create_private(&partial.path).map_err(io)?;
    let mut connection = Connection::open_with_flags(&partial.path, flags())?;
    // Born in the journal mode it stays in.
    connection.pragma_update(None, "journal_mode", "wal")?;
    make(&mut connection)?;
    connection.close().map_err(|(_, error)| error)?;
    fs::File::open(&partial.path).and_then(|file| file.sync_all()).map_err(io)?;
    match partial.put(path, Present::Keep) {
        // Another process was quicker.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        put => put.map_err(io),
    }
}

/// Copies a database as it is at one moment into a new file, and looks whether the copy is sound; false where there is none.
pub(super) fn copy(from: &Path, to: &Path) -> Result<bool, DatabaseError> {
    if !from.exists() {
        return Ok(false);
    }
    let io = |cause| DatabaseError::File { path: to.to_owned(), cause };
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(io)?;
    let source = open(&Place::File { path: from.to_owned(), durable: Durable::Soon })?.connection;
    // Whoever leaves last would otherwise write the journal back, and a host that serves shall not notice.
    source.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let mut copy = Connection::open_with_flags(to, flags())?;
    let backup = Backup::new(&source, &mut copy)?;
    // All pages in one step: in this journal mode no writer waits for a reader.
    if backup.step(-1)? != StepResult::Done {
        return Err(DatabaseError::File { path: from.to_owned(), cause: ErrorKind::ResourceBusy.into() });
    }
    drop(backup);
    let found: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    // In several lines, of which a log would make several entries.
    let found = found.replace('\n', "; ");
    if found == "ok" { Ok(true) } else { Err(DatabaseError::Damaged { path: from.to_owned(), found }) }
}

/// Makes the schema, unless another process has just done so.
fn make(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if pragma(&transaction, "user_version")? == 0 {
        transaction.execute_batch(include_str!("schema.sql"))?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA)?;
    }
    transaction.commit()
}

fn open(place: &Place) -> Result<Open, DatabaseError> {
    let (path, durable) = match place {
        Place::Memory => {
            let mut connection = Connection::open_in_memory()?;
            prepare(&connection, Durable::Soon)?;
            make(&mut connection)?;
            return Ok(Open { connection, file: None });
        }
        Place::File { path, durable } => (path, *durable),
    };
    let file = identity(path).map_err(|cause| DatabaseError::File { path: path.clone(), cause })?;
    let connection = Connection::open_with_flags(path, flags())?;
    prepare(&connection, durable)?;
    let found = pragma(&connection, "application_id")?;
    if found != APPLICATION_ID {
        return Err(DatabaseError::Foreign { path: path.clone(), found });
    }
    match pragma(&connection, "user_version")? {
        SCHEMA => Ok(Open { connection, file: Some(file) }),
        found => Err(DatabaseError::Newer { path: path.clone(), found }),
    }
}

/// Sets what every connection needs.
fn prepare(connection: &Connection, durable: Durable) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    let synchronous = match durable {
        Durable::AtOnce => 2, // FULL: a sync for each commit
        Durable::Soon => 1, // NORMAL: syncs when the journal is moved into the file, and stays whole in any case
    };
    for (name, value) in [
        ("synchronous", synchronous),
        ("foreign_keys", 1), // entries go with their area
        ("cell_size_check", 1),
        ("trusted_schema", 0),
        ("temp_store", 2), // no file beside the database
        ("wal_autocheckpoint", JOURNAL_PAGES),
        ("cache_size", -CACHE_KIB),
    ] {
        connection.pragma_update(None, name, value)?;
    }
    Ok(())
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// Never makes a file: an empty one in the place of one that was lost would be taken for all there is. Each connection is one
/// thread's.
fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}
