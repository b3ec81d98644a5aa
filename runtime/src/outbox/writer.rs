//! The thread that has the outbox's file: work comes in, is done in one transaction with whatever else waits, and is
//! answered once that is on the disk.
//!
//! A sync costs milliseconds and is paid once for all that came meanwhile. While the disk stands still only so much is let in:
//! what is refused was not begun, and nobody is told of anything that is not on the disk. What belongs to something that was
//! let in, such as the result of what was claimed, is never refused. A file that fails is opened anew for the next
//! work, so that whatever was repaired is in use without a restart.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Marks a database as an outbox: `hswo`.
const APPLICATION_ID: i32 = 0x6873_776f;
/// Brings the schema from its place in this list to the next number. Never changed once released; only added to.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];
/// How long a transaction waits for another process's lock: while one host takes over from another, both write.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// What is new and waits, at most. An invocation waits for one thing at a time, so more means that the disk stands still.
pub(super) const WAITING_MAX: usize = 4_096;
/// Most work of one transaction.
const BATCH_MAX: usize = 128;

/// The outbox's file can't be used. For the log and for the operator.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the outbox can't be used: {0}")]
pub struct OutboxError(String);

impl From<rusqlite::Error> for OutboxError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<serde_json::Error> for OutboxError {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// One piece of work, which may be run again in a transaction of its own.
trait Work: Send {
    fn run(&mut self, transaction: &Transaction<'_>) -> Result<(), OutboxError>;
    /// Answers whoever waits: with what came of the run, once that is on the disk, or with why it is not.
    fn answer(self: Box<Self>, outcome: Result<(), OutboxError>);
}

struct Asked<T, F> {
    work: F,
    value: Option<T>,
    _room: Option<OwnedSemaphorePermit>,
    reply: oneshot::Sender<Result<T, OutboxError>>,
}

impl<T: Send, F: FnMut(&Transaction<'_>) -> Result<T, OutboxError> + Send> Work for Asked<T, F> {
    fn run(&mut self, transaction: &Transaction<'_>) -> Result<(), OutboxError> {
        self.value = Some((self.work)(transaction)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), OutboxError>) {
        let none = || OutboxError("it was not run".to_owned());
        let Self { value, reply, .. } = *self;
        // Whoever asked may be gone; what was written stays.
        let _nobody_waits = reply.send(outcome.and_then(|()| value.ok_or_else(none)));
    }
}

/// The way to the thread.
pub(super) struct Writer {
    work: Option<Sender<Box<dyn Work>>>,
    /// For what is new.
    room: Arc<Semaphore>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. The file is opened, and made where there is none, when there is first something to do.
    pub(super) fn start(path: PathBuf) -> std::io::Result<Self> {
        let (work, waiting) = mpsc::channel();
        let thread = thread::Builder::new().name("outbox".into()).spawn(move || serve(&path, &waiting))?;
        Ok(Self { work: Some(work), room: Arc::new(Semaphore::new(WAITING_MAX)), thread: Some(thread) })
    }

    /// Has `work` done that is new; on the disk when this returns. Refused where too much waits already.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnMut(&Transaction<'_>) -> Result<T, OutboxError> + Send + 'static,
    ) -> Result<T, OutboxError> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            OutboxError(format!(
                "{WAITING_MAX} things wait to be written to it already; its disk is slow or stands still"
            ))
        })?;
        self.have_done(Some(room), work).await
    }

    /// Has `work` done that follows from what was let in before, or that the host itself does one after the other; on the
    /// disk when this returns.
    pub(super) async fn follow_up<T: Send + 'static>(
        &self,
        work: impl FnMut(&Transaction<'_>) -> Result<T, OutboxError> + Send + 'static,
    ) -> Result<T, OutboxError> {
        self.have_done(None, work).await
    }

    async fn have_done<T: Send + 'static>(
        &self,
        room: Option<OwnedSemaphorePermit>,
        work: impl FnMut(&Transaction<'_>) -> Result<T, OutboxError> + Send + 'static,
    ) -> Result<T, OutboxError> {
        let gone = || OutboxError("its thread has ended".to_owned());
        let (reply, answered) = oneshot::channel();
        let asked = Box::new(Asked { work, value: None, _room: room, reply });
        self.work.as_ref().ok_or_else(gone)?.send(asked).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Ends the thread, after what it still has to do.
        self.work = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(path: &Path, waiting: &Receiver<Box<dyn Work>>) {
    let mut open: Option<Connection> = None;
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(BATCH_MAX - 1));
        let outcome = together(path, &mut open, &mut batch);
        if outcome.is_ok() || batch.len() == 1 {
            for work in batch {
                work.answer(outcome.clone());
            }
            continue;
        }
        // One of them fails; the others shall not fail with it.
        for mut work in batch {
            let outcome = together(path, &mut open, std::slice::from_mut(&mut work));
            work.answer(outcome);
        }
    }
}

/// Does all of `batch` in one transaction, or nothing of it.
fn together(
    path: &Path,
    open: &mut Option<Connection>,
    batch: &mut [Box<dyn Work>],
) -> Result<(), OutboxError> {
    // A file that was taken away is not written into any more.
    let taken = open.take().filter(|_| path.exists());
    let mut connection = taken.map_or_else(|| connect(path), Ok)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for work in batch {
        work.run(&transaction)?;
    }
    transaction.commit()?;
    *open = Some(connection);
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, OutboxError> {
    // Made for its owner only: it holds numbers and texts.
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    made.map_err(|error| OutboxError(format!("{}: {error}", path.display())))?;
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OutboxError(format!("journal_mode stays {mode:?}, expected \"wal\"")));
    }
    // FULL: a claim that was acknowledged survives a power cut, or the effect could happen twice.
    for (name, value) in [("synchronous", "FULL"), ("cell_size_check", "ON"), ("trusted_schema", "OFF")] {
        connection.pragma_update(None, name, value)?;
    }
    let whose: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if whose != 0 && whose != APPLICATION_ID {
        return Err(OutboxError(format!("{} is another program's database", path.display())));
    }
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let known = usize::try_from(version).ok();
        let Some(step) = known.and_then(|version| MIGRATIONS.get(version)) else {
            if known != Some(MIGRATIONS.len()) {
                return Err(OutboxError(format!(
                    "its schema is {version}, this host knows {}; a newer one wrote it",
                    MIGRATIONS.len()
                )));
            }
            break;
        };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
    Ok(connection)
}
