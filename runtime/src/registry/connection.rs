//! One connection to the registry's file that repairs itself.
//!
//! A connection that met a damaged or vanished file is thrown away, and the next operation opens the file anew: a restored
//! file is in use at once, without a restart. SQLite trusts that nobody else touches its file: it would go on writing into one
//! that was removed or overwritten, and what it acknowledged would be lost. So a file that is not as it was left is looked at
//! as if it were new before anything is written.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::RegistryError;
use super::schema;

/// How long an operation waits for another process's lock.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How long after a write the journal is emptied.
const SETTLE_AFTER: Duration = Duration::from_millis(50);

/// Statements kept ready on each connection; there are about as many.
const STATEMENTS: usize = 64;

/// A connection, or the place of one.
pub(super) struct Slot {
    path: PathBuf,
    key_check: [u8; 32],
    watch: Watch,
    open: Mutex<Option<Open>>,
}

struct Open {
    connection: Connection,
    left: FileState,
}

/// What a change of the file means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    /// Any change that is not ours needs a look: for the connection that writes.
    Content,
    /// Only another file in its place does; content changes with each write of the other connection.
    Identity,
}

/// A file at a path, as it is at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileState {
    device_and_inode: (u64, u64),
    bytes: u64,
    changed_at: (i64, i64),
}

/// How thoroughly a file is looked at before it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// All of it.
    Whole,
    /// Not at all: another connection has just done so.
    Done,
}

impl Slot {
    /// The place of a connection, not opened yet.
    pub(super) fn new(path: &Path, key_check: [u8; 32], watch: Watch) -> Self {
        Self { path: path.to_owned(), key_check, watch, open: Mutex::new(None) }
    }

    /// Opens the file now, so that what is wrong with it is found now.
    pub(super) fn open(&self, look: Look) -> Result<(), RegistryError> {
        let open = self.reopen(look).map_err(|error| error.at(&self.path))?;
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
        Ok(())
    }

    /// Reads at one moment: what others write meanwhile is not seen.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            work(&transaction)
        })
    }

    fn write<T, E: From<RegistryError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<Result<T, E>, RegistryError>,
    ) -> Result<T, E> {
        let written = self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            if result.is_ok() {
                transaction.commit()?;
            }
            Ok(result)
        });
        written.map_err(E::from)?
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        // A panic in `work` has dropped the connection that it was using; the place is empty and fit for the next.
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = slot.take().filter(|open| match (FileState::of(&self.path), self.watch) {
            (Ok(now), Watch::Content) => now == open.left,
            (Ok(now), Watch::Identity) => now.device_and_inode == open.left.device_and_inode,
            (Err(_), _) => false,
        });
        let opened = taken.map_or_else(|| self.reopen(Look::Whole), Ok);
        let mut open = opened.map_err(|error| error.at(&self.path))?;
        let result = work(&mut open.connection).map_err(|error| error.at(&self.path));
        if let Err(error) = &result
            && error.breaks_connection()
        {
            return result;
        }
        match FileState::of(&self.path) {
            Ok(now) if now.device_and_inode == open.left.device_and_inode => {
                *slot = Some(Open { left: now, ..open });
                result
            }
            _ => Err(RegistryError::Replaced { path: self.path.clone() }),
        }
    }

    fn reopen(&self, look: Look) -> Result<Open, RegistryError> {
        if look == Look::Whole {
            schema::look(&self.path)?;
        }
        let left = FileState::of(&self.path)?;
        let mut connection =
            Connection::open_with_flags(&self.path, schema::flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
        prepare(&connection)?;
        schema::whose(&connection)?;
        schema::migrate(&mut connection, schema::MIGRATIONS)?;
        let key_check: Vec<u8> = connection.query_row("SELECT key_check FROM mark", [], |row| row.get(0))?;
        if key_check != self.key_check {
            return Err(RegistryError::WrongKey { path: self.path.clone() });
        }
        Ok(Open { connection, left })
    }
}

/// The connection that writes, and a thread that tidies up after it.
pub(super) struct Writer {
    slot: Arc<Slot>,
    written: Option<SyncSender<()>>,
    settling: Option<JoinHandle<()>>,
}

impl Writer {
    /// A writer whose file is not opened yet.
    pub(super) fn new(path: &Path, key_check: [u8; 32]) -> Result<Self, RegistryError> {
        let slot = Arc::new(Slot::new(path, key_check, Watch::Content));
        let (written, awaited) = mpsc::sync_channel(1);
        let settling = thread::Builder::new().name("registry-settle".into()).spawn({
            let slot = Arc::clone(&slot);
            move || settle_after_writes(&slot, &awaited)
        });
        let settling = settling.map_err(|error| RegistryError::io(path, error))?;
        Ok(Self { slot, written: Some(written), settling: Some(settling) })
    }

    /// Opens the file now, so that what is wrong with it is found now.
    pub(super) fn open(&self) -> Result<(), RegistryError> {
        self.slot.open(Look::Whole)
    }

    /// Writes all that `work` writes, or nothing where it fails or refuses. On the disk when this returns.
    pub(super) fn write<T, E: From<RegistryError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<Result<T, E>, RegistryError>,
    ) -> Result<T, E> {
        let result = self.slot.write(work);
        // A full channel means that the thread is about to look anyway.
        let _ = self.written.as_ref().map(|written| written.try_send(()));
        result
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Ends the thread, after what it still has to do.
        self.written = None;
        let _ = self.settling.take().map(JoinHandle::join);
    }
}

/// Moves what was committed from the journal into the file itself, shortly after the last write.
///
/// Whoever then copies or restores that one file has all of it, and no old journal is played into a restored one. It costs
/// three syncs that nobody who waits for an acknowledgement should pay. While a reader holds it up the journal stays and the
/// next write tries again; what was committed is safe either way, so a failure here is nobody's.
fn settle_after_writes(slot: &Slot, written: &Receiver<()>) {
    while written.recv().is_ok() {
        let until = Instant::now() + SETTLE_AFTER;
        // Further writes within that time are settled together; the end of the writer is not waited out.
        while written.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok() {}
        let _ = slot.with(|connection| {
            connection.busy_timeout(Duration::ZERO)?;
            let moved = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            connection.busy_timeout(BUSY_TIMEOUT)?;
            Ok(moved?)
        });
    }
}

/// Sets what every connection needs, and reads it back: SQLite ignores a setting that it does not know.
fn prepare(connection: &Connection) -> Result<(), RegistryError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // The last to leave would otherwise write the journal into a file that was found damaged.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(RegistryError::damaged(format!("journal_mode stays {mode:?}, expected \"wal\"")));
    }
    for (name, value) in [
        ("synchronous", 2), // FULL: what was acknowledged survives a power cut
        ("foreign_keys", 1),
        ("cell_size_check", 1),
        ("trusted_schema", 0),
        ("temp_store", 2), // no file beside the database
    ] {
        connection.pragma_update(None, name, value)?;
        let found = schema::pragma(connection, name)?;
        if found != value {
            return Err(RegistryError::io(
                Path::new(super::FILE_NAME),
                format!("PRAGMA {name} is {found} after it was set to {value}"),
            ));
        }
    }
    Ok(())
}

impl FileState {
    fn of(path: &Path) -> Result<Self, RegistryError> {
        match fs::metadata(path) {
            Ok(found) => Ok(Self {
                device_and_inode: (found.dev(), found.ino()),
                bytes: found.len(),
                changed_at: (found.mtime(), found.mtime_nsec()),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(RegistryError::Missing { path: path.to_owned() })
            }
            Err(error) => Err(RegistryError::io(path, error)),
        }
    }
}
