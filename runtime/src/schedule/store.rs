//! What has been run and when: one row for each schedule in force, in a small database of its own.
//!
//! Of its own, so that a registry that is lost or locked stops no schedule. It is no part of a backup: a host without it
//! begins anew, makes up for nothing and repeats nothing.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::call::{HandlerName, TenantId};

/// The database's file in the data folder.
const FILE_NAME: &str = "schedules.db";

/// How long an operation waits for another process's lock, as for a moment in a handover.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// A schedule of a handler of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Whose it is.
    pub tenant: TenantId,
    /// Of which handler.
    pub handler: HandlerName,
    /// Its name.
    pub schedule: Arc<str>,
}

/// How the run of a moment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There was none yet: it is the moment since which the schedule is in force.
    New,
    /// Claimed. Where its process is gone, nobody knows what became of it.
    Running,
    /// It worked.
    Done,
    /// It failed, and is tried again.
    Again {
        /// When, in Unix milliseconds.
        at_ms: i64,
    },
    /// It failed, and that is that.
    Failed,
    /// It came and went while nobody was there to run it, and it is too late to make up for it.
    Missed,
}

/// What is known of one schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Cron and zone, as they were.
    pub expression: String,
    /// The last moment that was claimed, in Unix seconds.
    pub moment_s: i64,
    /// What became of it.
    pub state: State,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried first, in Unix milliseconds.
    pub began_ms: i64,
}

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", path.display())]
pub struct StoreError {
    path: PathBuf,
    cause: rusqlite::Error,
}

/// The database.
pub struct Store {
    path: PathBuf,
    connection: Mutex<Connection>,
}

/// SQLite's name for a database that is in no file.
const IN_MEMORY: &str = ":memory:";

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS run (
    tenant TEXT NOT NULL,
    handler TEXT NOT NULL,
    schedule TEXT NOT NULL,
    expression TEXT NOT NULL,
    moment_s INTEGER NOT NULL,
    state TEXT NOT NULL,
    again_at_ms INTEGER,
    attempts INTEGER NOT NULL,
    began_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, handler, schedule)
) WITHOUT ROWID, STRICT;
";

impl Store {
    /// Opens the database in `folder`, or makes it. A damaged one is put aside.
    ///
    /// # Errors
    /// [`StoreError`], where the folder can't be written or another process holds it.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        match Self::at(&path) {
            Err(error) if error.is_damage() => {
                let aside = path.with_extension(format!("db.damaged-{}", crate::clock::unix_ms()));
                tracing::error!("{error}; it is put aside as {} and begun anew", aside.display());
                // Their own journals would be taken for the new file's.
                for end in ["", "-wal", "-shm"] {
                    let with = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
                    let _there_or_not = std::fs::rename(with(&path), with(&aside));
                }
                Self::at(&path)
            }
            opened => opened,
        }
    }

    /// One that ends with the process, as `dev` has it.
    ///
    /// # Errors
    /// [`StoreError`], for want of memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::at(Path::new(IN_MEMORY))
    }

    fn at(path: &Path) -> Result<Self, StoreError> {
        if path != Path::new(IN_MEMORY) {
            // Ours alone, as everything in the folder. Where that can't be, opening it says why.
            let _made = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        }
        let opened = Connection::open(path).and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            // What was claimed stays so when the power goes.
            connection.pragma_update(None, "synchronous", "full")?;
            let sound: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if sound != "ok" {
                let damage = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
                return Err(rusqlite::Error::SqliteFailure(damage, Some(sound.replace('\n', "; "))));
            }
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) }),
            Err(cause) => Err(StoreError { path: path.to_owned(), cause }),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        // Each operation is one statement: a panic leaves nothing half done.
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        work(&connection).map_err(|cause| StoreError { path: self.path.clone(), cause })
    }

    /// Everything that is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn all(&self) -> Result<Vec<(Key, Known)>, StoreError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM run")?;
            let rows = statement.query_map([], |row| Ok(key(row)?.zip(Some(known(row)?))))?;
            // A row whose names are none is no schedule of ours.
            rows.filter_map(Result::transpose).collect()
        })
    }

    /// What is known of one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn get(&self, key: &Key) -> Result<Option<Known>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT * FROM run WHERE tenant = ?1 AND handler = ?2 AND schedule = ?3")?
                .query_row(params![key.tenant.as_str(), key.handler.as_str(), &*key.schedule], known)
                .optional()
        })
    }

    /// Lets a schedule begin with `known`, whatever was known before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin(&self, key: &Key, known: &Known) -> Result<(), StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO run VALUES (?1, ?2, ?3, ?4, ?5, 'new', NULL, 0, ?6)")?
                .execute(params![
                    key.tenant.as_str(),
                    key.handler.as_str(),
                    &*key.schedule,
                    known.expression,
                    known.moment_s,
                    known.began_ms,
                ])
                .map(|_| ())
        })
    }

    /// Takes a moment, or its next attempt, for one process. False: somebody else has it, or it is past.
    ///
    /// # Errors
    /// [`StoreError`]; it may or may not be taken.
    pub fn claim(&self, key: &Key, moment_s: i64, attempt: u32, began_ms: i64) -> Result<bool, StoreError> {
        self.with(|connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE run SET moment_s = ?4, state = 'running', again_at_ms = NULL, attempts = ?5, began_ms = ?6 \
                     WHERE tenant = ?1 AND handler = ?2 AND schedule = ?3 AND \
                     ((?5 = 1 AND moment_s < ?4) OR (moment_s = ?4 AND state = 'again' AND attempts = ?5 - 1))",
                )?
                .execute(params![
                    key.tenant.as_str(),
                    key.handler.as_str(),
                    &*key.schedule,
                    moment_s,
                    attempt,
                    began_ms
                ])?;
            Ok(changed == 1)
        })
    }

    /// Notes how the claimed attempt at a moment ended.
    ///
    /// # Errors
    /// [`StoreError`]; it then counts as one that nobody knows the end of.
    pub fn ended(&self, key: &Key, moment_s: i64, state: State) -> Result<(), StoreError> {
        let (word, again_at_ms) = match state {
            State::New => ("new", None),
            State::Running => ("running", None),
            State::Done => ("done", None),
            State::Again { at_ms } => ("again", Some(at_ms)),
            State::Failed => ("failed", None),
            State::Missed => ("missed", None),
        };
        self.with(|connection| {
            connection
                .prepare_cached(
                    "UPDATE run SET state = ?5, again_at_ms = ?6 WHERE tenant = ?1 AND handler = ?2 AND schedule = ?3 \
                     AND moment_s = ?4 AND state = 'running'",
                )?
                .execute(params![
                    key.tenant.as_str(),
                    key.handler.as_str(),
                    &*key.schedule,
                    moment_s,
                    word,
                    again_at_ms
                ])
                .map(|_| ())
        })
    }

    /// Gives up an attempt that nobody ends any more, or that nobody can follow up any more. False: somebody has, meanwhile.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn give_up(&self, key: &Key, moment_s: i64, attempt: u32) -> Result<bool, StoreError> {
        self.with(|connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE run SET state = 'failed', again_at_ms = NULL WHERE tenant = ?1 AND handler = ?2 \
                     AND schedule = ?3 AND moment_s = ?4 AND attempts = ?5 AND state IN ('running', 'again')",
                )?
                .execute(params![
                    key.tenant.as_str(),
                    key.handler.as_str(),
                    &*key.schedule,
                    moment_s,
                    attempt
                ])?;
            Ok(changed == 1)
        })
    }

    /// Notes that the moments after `before_s` were missed, up to `moment_s`. False: somebody has, or it is not so any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn missed(&self, key: &Key, before_s: i64, moment_s: i64) -> Result<bool, StoreError> {
        self.with(|connection| {
            let changed = connection
                .prepare_cached(
                    "UPDATE run SET moment_s = ?5, state = 'missed', again_at_ms = NULL, attempts = 0 \
                     WHERE tenant = ?1 AND handler = ?2 AND schedule = ?3 AND moment_s = ?4",
                )?
                .execute(params![
                    key.tenant.as_str(),
                    key.handler.as_str(),
                    &*key.schedule,
                    before_s,
                    moment_s
                ])?;
            Ok(changed == 1)
        })
    }

    /// Forgets one that is no longer in force.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget(&self, key: &Key) -> Result<(), StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached("DELETE FROM run WHERE tenant = ?1 AND handler = ?2 AND schedule = ?3")?
                .execute(params![key.tenant.as_str(), key.handler.as_str(), &*key.schedule])
                .map(|_| ())
        })
    }
}

impl StoreError {
    fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        matches!(self.cause.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
    }
}

fn key(row: &Row<'_>) -> rusqlite::Result<Option<Key>> {
    let (tenant, handler): (String, String) = (row.get("tenant")?, row.get("handler")?);
    let schedule: String = row.get("schedule")?;
    let names = TenantId::new(&tenant).ok().zip(HandlerName::new(&handler).ok());
    Ok(names.map(|(tenant, handler)| Key { tenant, handler, schedule: schedule.into() }))
}

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    let word: String = row.get("state")?;
    let at_ms: Option<i64> = row.get("again_at_ms")?;
    let state = match (word.as_str(), at_ms) {
        ("new", _) => State::New,
        ("done", _) => State::Done,
        ("again", Some(at_ms)) => State::Again { at_ms },
        ("failed", _) => State::Failed,
        ("missed", _) => State::Missed,
        // The careful reading: it is not run again.
        _ => State::Running,
    };
    Ok(Known {
        expression: row.get("expression")?,
        moment_s: row.get("moment_s")?,
        state,
        attempts: row.get("attempts")?,
        began_ms: row.get("began_ms")?,
    })
}
