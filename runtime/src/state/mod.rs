//! What handlers remember: a session for each conversation, a store for each handler.
//!
//! Two SQLite files, because they promise different things. A store is acknowledged when it is on the disk (a sync for each
//! commit). A session is acknowledged when the operating system has it: a host that is killed loses nothing of it, and after a
//! power cut the calls that it was about are over anyway. Both are read and written by threads of their own, which do
//! together what waits together; no async worker ever waits for a disk.
//!
//! A session is read whole before its handler starts and kept whole when it has succeeded. Who may see what is decided by
//! [`Owner`], which only a revision's grants make: no text of a guest's becomes part of it.
//!
//! What a guest calls is in `capability`, what keeping a session means for the caller in `webhook`.

mod database;
mod operation;
mod records;
mod session;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::error;

pub use self::operation::{
    Change, Entry, KEY_BYTES_MAX, Quota, Reply, StorageError, VALUE_BYTES_MAX, check_key, entry, expiry,
};
pub use self::records::Page;
pub use self::session::{Owner, Session, SessionName};

use self::database::{Durable, Place};
use self::records::{AreaName, Refused, Swaps};
use self::session::{KeyedChange, SESSION_QUOTA};
use self::worker::{Duty, Worker};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::clock::TimeOfDay;

/// The file of the stores in the data folder. Backups have it.
pub const STORE_FILE: &str = "store.db";
/// The file of the sessions in the data folder. Backups have it not: their calls are over when one is restored.
pub const SESSION_FILE: &str = "sessions.db";

/// What a handler's store holds at most.
pub const STORE_QUOTA: Quota = Quota { of: "a store", keys: 100_000, bytes: 64 * 1024 * 1024 };
/// Keys in one listing at most.
pub const LISTING_MAX: u32 = 1_000;

/// How long a webhook waits for its session. A handler that starts without it can still say something of its own.
const SESSION_WAIT: Duration = Duration::from_millis(500);
/// How long an answer waits for its session to be kept.
const KEEP_WAIT: Duration = Duration::from_secs(1);
/// How long a handler waits for one operation on its store.
const STORE_WAIT: Duration = Duration::from_secs(2);
/// How long whoever deletes a handler, or makes one, waits for its name to be free of what was stored under it.
const FORGET_WAIT: Duration = Duration::from_secs(10);

/// Sessions and stores of one host.
pub struct State {
    sessions: Area,
    stores: Area,
}

/// One database with its threads.
struct Area {
    writes: Worker,
    /// None where there is but one connection.
    reads: Option<Worker>,
}

/// Why a session was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// Another invocation changed it so that this one's changes do not fit any more.
    #[error("another webhook of the same conversation changed the session at the same time{}", why.as_ref().map_or(String::new(), |why| format!(": {why}")))]
    Changed {
        /// What does not fit; none for a swap.
        why: Option<StorageError>,
    },
    /// It can't be written.
    #[error("{0}")]
    Unavailable(StorageError),
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("State")
    }
}

impl State {
    /// Of a host that keeps them in the folder `data`. A file that can't be used does not keep the host from starting: what
    /// needs it is refused until it is mended.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn open(data: &Path) -> io::Result<Arc<Self>> {
        let sessions = Area::in_file(data.join(SESSION_FILE), Durable::Soon, "session")?;
        let stores = Area::in_file(data.join(STORE_FILE), Durable::AtOnce, "store")?;
        Ok(Arc::new(Self { sessions, stores }))
    }

    /// Of a host that forgets them when it ends.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn in_memory() -> io::Result<Arc<Self>> {
        Self::at_time(&TimeOfDay::default())
    }

    /// The same, where it is `time`: what expires, expires by it.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn at_time(time: &TimeOfDay) -> io::Result<Arc<Self>> {
        let (sessions, stores) = (Area::in_memory("session", time)?, Area::in_memory("store", time)?);
        Ok(Arc::new(Self { sessions, stores }))
    }

    /// Reads a session, an empty one where nothing was kept of it; waits until `until` at most.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`].
    pub async fn session(&self, name: SessionName, until: Instant) -> Result<Session, StorageError> {
        let asked =
            self.sessions.reads().ask(move |connection, now| records::session(connection, name.clone(), now));
        within(SESSION_WAIT.min(left(until)), asked).await?
    }

    /// Keeps what was changed in a session: all of it or nothing. Waits until `until` at most; where that is not enough, it may
    /// be kept all the same.
    ///
    /// # Errors
    /// [`KeepError`].
    pub async fn keep(&self, session: Session, until: Instant) -> Result<(), KeepError> {
        let Session { name, changes, .. } = session;
        let kept = self.sessions.writes.ask(move |connection, now| {
            let expires_at = |before| Some(name.lifetime.expires_at(now, before));
            let area = AreaName::session(&name);
            // The handler has seen each swap hold, and its document may say so.
            records::change(connection, area, &changes, Swaps::Hold, &SESSION_QUOTA, expires_at, now)
        });
        match within(KEEP_WAIT.min(left(until)), kept)
            .await
            .and_then(|kept| kept)
            .map_err(KeepError::Unavailable)?
        {
            Ok(_) => Ok(()),
            Err(Refused::Swap) => Err(KeepError::Changed { why: None }),
            // Nothing that running once more could change.
            Err(Refused::By(why @ StorageError::Unavailable(_))) => Err(KeepError::Unavailable(why)),
            Err(Refused::By(why)) => Err(KeepError::Changed { why: Some(why) }),
        }
    }

    /// The value of `key` in a store.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn get(&self, owner: Owner, key: String) -> Result<Option<Arc<[u8]>>, StorageError> {
        check_key(&key)?;
        let asked = self
            .stores
            .reads()
            .ask(move |connection, now| records::get(connection, AreaName::store(&owner), &key, now));
        within(STORE_WAIT, asked).await?
    }

    /// At most `limit` keys of a store that begin with `prefix`, from behind the key `after`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn keys(
        &self,
        owner: Owner,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, StorageError> {
        if !(1..=LISTING_MAX).contains(&limit) {
            return Err(StorageError::Invalid(format!("the limit is {limit}; use 1 to {LISTING_MAX}")));
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let asked = self.stores.reads().ask(move |connection, now| {
            records::keys(connection, AreaName::store(&owner), &prefix, after.as_deref(), limit, now)
        });
        within(STORE_WAIT, asked).await?
    }

    /// Changes `key` of a store. On the disk when this returns.
    ///
    /// # Errors
    /// [`StorageError`]; with [`StorageError::Unavailable`] it may have been done all the same.
    pub async fn change(&self, owner: Owner, key: String, change: Change) -> Result<Reply, StorageError> {
        check_key(&key)?;
        let changes = [KeyedChange { key: key.into(), change }];
        let asked = self.stores.writes.ask(move |connection, now| {
            let area = AreaName::store(&owner);
            records::change(connection, area, &changes, Swaps::MayFail, &STORE_QUOTA, |_| None, now)
        });
        match within(STORE_WAIT, asked).await?? {
            Ok(replies) => {
                replies.first().copied().ok_or_else(|| StorageError::unavailable("a fault of the host"))
            }
            Err(Refused::By(why)) => Err(why),
            Err(Refused::Swap) => Ok(Reply::Swapped(false)),
        }
    }

    /// Forgets all of a handler, and everything that its revisions up to `last` still want to keep: they find nothing any more,
    /// and are refused what they write. Once for a handler that is deleted, and once more before another gets its name.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`].
    pub async fn forget(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        last: Option<RevisionId>,
    ) -> Result<(), StorageError> {
        for area in [&self.sessions, &self.stores] {
            let (tenant, handler) = (tenant.clone(), handler.clone());
            let forgotten = area.writes.ask(move |connection, now| {
                records::forget(connection, (tenant.as_str(), handler.as_str()), last, now)
            });
            within(FORGET_WAIT, forgotten).await??;
        }
        Ok(())
    }

    /// Forgets all of a tenant whose handlers were deleted.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`].
    pub async fn forget_tenant(&self, tenant: &TenantId) -> Result<(), StorageError> {
        for area in [&self.sessions, &self.stores] {
            let tenant = tenant.clone();
            let forgotten =
                area.writes.ask(move |connection, _| records::forget_tenant(connection, tenant.as_str()));
            within(FORGET_WAIT, forgotten).await??;
        }
        Ok(())
    }

    /// Forgets the handlers that are not among these: those that were deleted when this could not be done.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`].
    pub async fn retain(&self, handlers: BTreeSet<(TenantId, HandlerName)>) -> Result<(), StorageError> {
        let handlers = Arc::new(handlers);
        for area in [&self.sessions, &self.stores] {
            let handlers = Arc::clone(&handlers);
            let retained = area.writes.ask(move |connection, now| {
                for (tenant, handler) in records::owners(connection)? {
                    let name = TenantId::new(&tenant).ok().zip(HandlerName::new(&handler).ok());
                    if name.is_none_or(|name| !handlers.contains(&name)) {
                        records::forget(connection, (&tenant, &handler), None, now)?;
                    }
                }
                Ok(())
            });
            retained.await?;
        }
        Ok(())
    }
}

/// Copies the stores of the data folder as they are at one moment, beside a host that serves; the name of the file. None where
/// there are none. Sessions are left: their calls are over when a backup is put back.
///
/// # Errors
/// Why they can't be copied, for the operator.
pub fn copy(data: &Path, to: &Path) -> Result<Option<&'static str>, impl std::error::Error + use<>> {
    database::copy(&data.join(STORE_FILE), to).map(|copied| copied.then_some(STORE_FILE))
}

impl Area {
    fn in_file(path: PathBuf, durable: Durable, name: &str) -> io::Result<Self> {
        if let Err(why) = database::create(&path) {
            error!("{}: {why}", path.display());
        }
        let place = Place::File { path, durable };
        let start = |name: &str, duty| Worker::start(name, place.clone(), duty, TimeOfDay::default());
        let reads = start(&format!("{name}-read"), Duty::Reads)?;
        Ok(Self { writes: start(&format!("{name}-write"), Duty::Writes)?, reads: Some(reads) })
    }

    fn in_memory(name: &str, time: &TimeOfDay) -> io::Result<Self> {
        Ok(Self { writes: Worker::start(name, Place::Memory, Duty::Writes, time.clone())?, reads: None })
    }

    fn reads(&self) -> &Worker {
        self.reads.as_ref().unwrap_or(&self.writes)
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

async fn within<T>(wait: Duration, asked: impl Future<Output = T>) -> Result<T, StorageError> {
    tokio::time::timeout(wait, asked).await.map_err(|_| {
        StorageError::unavailable(format!(
            "what is stored could not be reached within {} ms",
            wait.as_millis()
        ))
    })
}
