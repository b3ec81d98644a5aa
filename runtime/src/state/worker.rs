//! A thread that has a database to itself, and does what waits for it in one transaction.
//!
//! What arrives while a commit is written is committed together next: the more wait, the more share a commit, and nobody waits
//! for company. Whoever has gone meanwhile, because an invocation ended at its deadline, is not served any more.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;
use tracing::error;

use super::database::{Database, DatabaseError, Place};
use super::operation::StorageError;
use super::records;
use crate::clock::TimeOfDay;

/// Operations that wait at most. Each invocation waits for one at a time, so more means that the disk stands still.
pub(super) const WAITING_MAX: usize = 4_096;
/// Operations in one transaction at most: what comes next waits for all of them.
const TOGETHER_MAX: usize = 256;
/// How often what has expired is looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// How much of it is deleted at a time: others wait for that.
const SWEEP_MAX: usize = 200;
/// How often the log says that a database can't be used.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What a worker does with its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    Reads,
    /// And deletes what has expired.
    Writes,
}

/// A queue and the thread that empties it.
pub(super) struct Worker {
    queue: Option<SyncSender<Box<dyn Work>>>,
    thread: Option<JoinHandle<()>>,
}

/// Something to do with a connection.
trait Work: Send {
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self) -> bool;
    /// Does it, within a transaction.
    fn run(&mut self, connection: &Connection, now: u64) -> rusqlite::Result<()>;
    /// Tells whoever waits, once the transaction is committed or has failed.
    fn answer(self: Box<Self>, committed: bool);
}

struct Asked<T, F> {
    work: F,
    result: Option<T>,
    answer: oneshot::Sender<T>,
}

impl<T: Send, F: FnMut(&Connection, u64) -> rusqlite::Result<T> + Send> Work for Asked<T, F> {
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run(&mut self, connection: &Connection, now: u64) -> rusqlite::Result<()> {
        self.result = Some((self.work)(connection, now)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: bool) {
        if let (true, Some(result)) = (committed, self.result) {
            // Whoever has gone meanwhile does not need it.
            let _ = self.answer.send(result);
        }
    }
}

impl Worker {
    /// Starts a thread of this name, for which it is `time`.
    pub(super) fn start(name: &str, place: Place, duty: Duty, time: TimeOfDay) -> io::Result<Self> {
        let (queue, waiting) = mpsc::sync_channel(WAITING_MAX);
        let own = Loop { database: Database::new(place), duty, time, waiting, said: None };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || own.run())?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Has `work` done, which gets the connection and the time in Unix milliseconds. What it gives is committed when it is
    /// given here.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`].
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection, u64) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (answer, answered) = oneshot::channel();
        let asked = Box::new(Asked { work, result: None, answer });
        let queue = self.queue.as_ref().ok_or_else(fault)?;
        queue.try_send(asked).map_err(|why| match why {
            TrySendError::Full(_) => {
                StorageError::unavailable("too much waits to be read or written already")
            }
            TrySendError::Disconnected(_) => fault(),
        })?;
        answered.await.map_err(|_| fault())
    }
}

/// What a handler is told: which file and why is the operator's to know.
fn fault() -> StorageError {
    StorageError::unavailable("what is stored can't be read or written now")
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Ends the thread, after what it still has to do.
        self.queue = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The thread's own.
struct Loop {
    database: Database,
    duty: Duty,
    time: TimeOfDay,
    waiting: Receiver<Box<dyn Work>>,
    said: Option<Instant>,
}

impl Loop {
    fn run(mut self) {
        let mut sweep_at = Instant::now() + SWEEP_EVERY;
        loop {
            match self.waiting.recv_timeout(sweep_at.saturating_duration_since(Instant::now())) {
                Ok(first) => self.serve(first),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if Instant::now() >= sweep_at {
                let more = self.duty == Duty::Writes && self.sweep();
                sweep_at = Instant::now() + if more { Duration::from_millis(10) } else { SWEEP_EVERY };
            }
        }
    }

    /// Serves `first` and whatever else waits.
    fn serve(&mut self, first: Box<dyn Work>) {
        let waiting = std::iter::once(first).chain(self.waiting.try_iter()).take(TOGETHER_MAX);
        let mut together: Vec<_> = waiting.filter(|work| !work.is_abandoned()).collect();
        let behavior = match self.duty {
            Duty::Reads => TransactionBehavior::Deferred,
            Duty::Writes => TransactionBehavior::Immediate,
        };
        let done = self.database.transact(behavior, |transaction| {
            let now = self.time.unix_ms();
            // Once more: what gave up while this waited for the lock is told that it was not done.
            together
                .iter_mut()
                .filter(|work| !work.is_abandoned())
                .try_for_each(|work| work.run(transaction, now))
        });
        let committed = done.is_ok();
        self.say(done);
        let group = together.len();
        if self.duty == Duty::Writes && committed {
            metrics::counter!("hookswitch_state_commits_total").increment(1);
            metrics::counter!("hookswitch_state_writes_total").increment(group as u64);
        }
        together.into_iter().for_each(|work| work.answer(committed));
    }

    /// Deletes some of what has expired; whether there is more.
    fn sweep(&mut self) -> bool {
        let swept = self.database.transact(TransactionBehavior::Immediate, |transaction| {
            records::sweep(transaction, SWEEP_MAX, self.time.unix_ms())
        });
        let more = swept.as_ref().copied().unwrap_or(false);
        self.say(swept.map(drop));
        more
    }

    /// Says what is wrong with the database, once in a while.
    fn say(&mut self, done: Result<(), DatabaseError>) {
        let Err(why) = done else { return };
        metrics::counter!("hookswitch_state_errors_total").increment(1);
        if self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            error!("sessions or stores can't be used: {}: {why}", self.database.name());
        }
    }
}
