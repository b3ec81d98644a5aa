//! Looks once a second what is due, and runs it.
//!
//! Each run is a task of its own that claims its moment first. So whoever stops the keeper (a handover, a stop) stops what
//! has not begun; what runs goes on to its end, as webhooks do, and [`Keeper::finish`] waits for it. What another process
//! runs, as the one before this does for a while, is read from the store at each look: how it ended, or after a while that
//! nobody will say.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{error, info, warn};

use super::Schedule;
use super::due::{Due, Found, LATE_MAX_S, Missed, WITHIN_MS, due, ended};
use super::last::Entry;
use super::store::{Key, Known, State, Store, StoreError};
use crate::call::TenantId;
use crate::host::Host;
use crate::router::{Handler, Tenant};
use crate::webhook;

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A run that another process began, and that nobody has ended so long after this one began to keep the schedules, is ended
/// by nobody any more: a process that hands over is gone by then.
const ELSEWHERE_MAX_S: i64 = 60;

/// Runs at one time, of all tenants. What is due meanwhile begins a little later: at nine o'clock everybody has something to
/// do, and callers shall not wait for it.
const RUNS_MAX: u32 = 32;

/// The same of one tenant.
const RUNS_PER_TENANT_MAX: usize = 4;

/// The pause after the store failed.
const STORE_PAUSE_MS: i64 = 5_000;

/// Runs what is due on one host.
pub struct Keeper {
    host: Arc<Host>,
    /// The data folder; none keeps everything in memory.
    folder: Option<PathBuf>,
    /// All runs.
    running: Arc<Semaphore>,
    /// Runs of each tenant.
    of_tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
    /// How many tasks of this process are about each schedule.
    own: Arc<Mutex<HashMap<Key, u32>>>,
}

/// Says that a task of this process is about a schedule, until it is dropped.
pub(super) struct Own {
    all: Arc<Mutex<HashMap<Key, u32>>>,
    key: Key,
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.key);
            }
        }
    }
}

/// One run, ready to begin.
struct Run {
    store: Arc<Store>,
    tenant: Arc<Tenant>,
    handler: Arc<Handler>,
    schedule: Schedule,
    key: Key,
    due: Due,
    missed: Option<Missed>,
    /// The moment before it, where nobody knows how its run ended.
    unended: Option<Timestamp>,
    _own: Own,
    _permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

impl Keeper {
    /// For the handlers of `host`; what was run is remembered in `folder`.
    #[must_use]
    pub fn new(host: Arc<Host>, folder: PathBuf) -> Arc<Self> {
        Self::with(host, Some(folder))
    }

    /// For the handlers of `host`, as long as this process lives.
    #[must_use]
    pub fn in_memory(host: Arc<Host>) -> Arc<Self> {
        Self::with(host, None)
    }

    fn with(host: Arc<Host>, folder: Option<PathBuf>) -> Arc<Self> {
        let running = Arc::new(Semaphore::new(RUNS_MAX as usize));
        Arc::new(Self { host, folder, running, of_tenants: Mutex::default(), own: Arc::default() })
    }

    /// Runs what is due, for ever. Dropping the future begins no more runs.
    pub async fn keep(self: Arc<Self>) {
        // Opened here and not before: while another process keeps the schedules it is none of ours.
        let store = loop {
            match self.open().await {
                Ok(store) => break store,
                Err(why) => {
                    error!("no schedule runs: {why}");
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
            }
        };
        loop {
            self.look(&store, Timestamp::now()).await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Opens the store and takes up what it has.
    pub(super) async fn open(self: &Arc<Self>) -> Result<Arc<Store>, String> {
        let keeper = Arc::clone(self);
        let opened = blocking(move || {
            let store = match &keeper.folder {
                Some(folder) => Store::open(folder)?,
                None => Store::in_memory()?,
            };
            let all = store.all()?;
            Ok((Arc::new(store), all))
        });
        let (store, all) = opened.await?;
        *self.host.last_runs.lock() = all.into_iter().map(|(key, known)| (key, Entry::new(known))).collect();
        Ok(store)
    }

    /// Waits for what runs, at most `within`.
    pub async fn finish(&self, within: Duration) {
        if tokio::time::timeout(within, self.running.acquire_many(RUNS_MAX)).await.is_err() {
            warn!("runs of schedules are cut off at the end of the time for shutting down");
        }
    }

    /// Begins what is due at `now`.
    pub(super) async fn look(self: &Arc<Self>, store: &Arc<Store>, now: Timestamp) {
        let snapshot = self.host.router.snapshot();
        let mut in_force = HashSet::new();
        let mut tenants: Vec<_> = snapshot.tenants().collect();
        // Another one first each time: those who always have something due shall not take every free place.
        let first = usize::try_from(now.as_second()).unwrap_or_default() % tenants.len().max(1);
        tenants.rotate_left(first);
        for tenant in tenants {
            let handlers = tenant.handlers.values().filter(|handler| !handler.stable.schedules.is_empty());
            for handler in handlers {
                for schedule in handler.stable.schedules.iter() {
                    let key = Key {
                        tenant: tenant.id.clone(),
                        handler: handler.stable.handler.clone(),
                        schedule: Arc::clone(&schedule.name),
                    };
                    in_force.insert(key.clone());
                    self.look_at(store, (tenant, handler, schedule), key, now).await;
                }
            }
        }
        let gone: Vec<Key> =
            self.host.last_runs.lock().keys().filter(|key| !in_force.contains(*key)).cloned().collect();
        for key in gone {
            self.host.last_runs.lock().remove(&key);
            let store = Arc::clone(store);
            if let Err(why) = blocking(move || store.forget(&key)).await {
                warn!("a schedule that is gone is not forgotten: {why}");
            }
        }
    }

    async fn look_at(
        self: &Arc<Self>,
        store: &Arc<Store>,
        (tenant, handler, schedule): (&Arc<Tenant>, &Arc<Handler>, &Schedule),
        key: Key,
        now: Timestamp,
    ) {
        let entry = self.host.last_runs.lock().get(&key).cloned();
        let entry = entry.filter(|entry| entry.known.expression == schedule.expression());
        let Some(Entry { mut known, look_at, elsewhere_since }) = entry else {
            // In force from now on, not since it was first thought of.
            let known = Known {
                expression: schedule.expression(),
                moment_s: now.as_second(),
                state: State::New,
                attempts: 0,
                began_ms: now.as_millisecond(),
            };
            let (store, begun, written) = (Arc::clone(store), key.clone(), known.clone());
            match blocking(move || store.begin(&begun, &written)).await {
                Ok(()) => drop(self.host.last_runs.lock().insert(key, Entry::new(known))),
                Err(why) => error!(
                    tenant = %key.tenant, handler = %key.handler, schedule = %key.schedule, "it does not run: {why}"
                ),
            }
            return;
        };
        let elsewhere = known.state == State::Running && !self.is_own(&key);
        if elsewhere {
            known = self.look_elsewhere(store, &key, known, elsewhere_since.unwrap_or(now), now).await;
        }
        let is_quiet = !elsewhere && !matches!(known.state, State::Again { .. });
        if is_quiet && look_at.is_some_and(|look_at| look_at > now) {
            return;
        }
        let Found { due, missed, next: look_at } = due(&known, schedule, now);
        let unended = Timestamp::from_second(known.moment_s)
            .ok()
            .filter(|_| known.state == State::Running && !self.is_own(&key));
        let Some(due) = due else {
            self.host.last_runs.change(&key, |entry| entry.look_at = look_at);
            match missed {
                Some(missed) => self.leave_out(store, &key, &known, (missed, unended), now).await,
                None => self.give_up_late(store, &key, &known, now).await,
            }
            return;
        };
        // Not now means at the next look: it stays due.
        let Some(permits) = self.permits(&key.tenant) else { return };
        let running = Known {
            moment_s: due.moment.as_second(),
            state: State::Running,
            attempts: due.attempt,
            began_ms: due.began_ms,
            ..known.clone()
        };
        let own = self.own(&key);
        self.host
            .last_runs
            .change(&key, |entry| *entry = Entry { known: running, look_at, elsewhere_since: None });
        let run = Run {
            store: Arc::clone(store),
            tenant: Arc::clone(tenant),
            handler: Arc::clone(handler),
            schedule: schedule.clone(),
            key,
            due,
            missed,
            unended,
            _own: own,
            _permits: permits,
        };
        let host = Arc::clone(&self.host);
        // A task of its own, so that stopping the keeper does not stop a run between its claim and its end.
        drop(tokio::spawn(async move { run.run_out(&host, &known).await }));
    }

    /// What is known by now of a run that is another process's, or nobody's any more.
    async fn look_elsewhere(
        &self,
        store: &Arc<Store>,
        key: &Key,
        known: Known,
        since: Timestamp,
        now: Timestamp,
    ) -> Known {
        let (reads, wanted, before) = (Arc::clone(store), key.clone(), known.clone());
        let is_over = now.as_second() - since.as_second() >= ELSEWHERE_MAX_S;
        let read = blocking(move || {
            let given_up = is_over && reads.give_up(&wanted, before.moment_s, before.attempts)?;
            Ok((given_up, reads.get(&wanted)?))
        });
        // What can't be read now is read at the next look.
        let Ok((given_up, Some(read))) = read.await else { return known };
        if given_up {
            error!(
                tenant = %key.tenant, handler = %key.handler, schedule = %key.schedule, attempt = read.attempts,
                "the run of {} was cut off by the end of its process; nobody knows how far it got, so it is not run again",
                shown(read.moment_s)
            );
        }
        let changed = read != known;
        self.host.last_runs.change(key, |entry| {
            entry.elsewhere_since = Some(since);
            if changed {
                *entry = Entry::new(read.clone());
            }
        });
        read
    }

    /// Notes that moments were missed and nothing of it is made up.
    async fn leave_out(
        &self,
        store: &Arc<Store>,
        key: &Key,
        known: &Known,
        (missed, unended): (Missed, Option<Timestamp>),
        now: Timestamp,
    ) {
        let moment_s = missed.last.map_or(now.as_second() - LATE_MAX_S, Timestamp::as_second);
        let (writes, written, before_s) = (Arc::clone(store), key.clone(), known.moment_s);
        let noted = blocking(move || {
            let noted = writes.missed(&written, before_s, moment_s)?;
            Ok((noted, writes.get(&written)?))
        });
        match noted.await {
            Ok((true, Some(known))) => {
                say_unended(key, unended);
                say_missed(key, missed);
                self.host.last_runs.change(key, |entry| entry.known = known);
            }
            // Another process was here: what it wrote counts.
            Ok((_, Some(known))) => self.host.last_runs.change(key, |entry| *entry = Entry::new(known)),
            Ok((_, None)) => drop(self.host.last_runs.lock().remove(key)),
            // It is found again at the next look, and said then.
            Err(_) => self.host.last_runs.change(key, |entry| entry.look_at = None),
        }
    }

    /// Gives up a run that was to be tried again when nobody was there to do it.
    async fn give_up_late(&self, store: &Arc<Store>, key: &Key, known: &Known, now: Timestamp) {
        let over = now.as_millisecond() - known.began_ms > WITHIN_MS;
        if !matches!(known.state, State::Again { .. }) || !over {
            return;
        }
        let (writes, written) = (Arc::clone(store), key.clone());
        let (moment_s, attempt) = (known.moment_s, known.attempts);
        if let Ok(true) = blocking(move || writes.give_up(&written, moment_s, attempt)).await {
            error!(
                tenant = %key.tenant, handler = %key.handler, schedule = %key.schedule, attempt,
                "the run of {} failed, and its minute was over before it could be tried again", shown(moment_s)
            );
            self.host.last_runs.change(key, |entry| entry.known.state = State::Failed);
        }
    }

    /// Whether a task of this process is about the schedule.
    fn is_own(&self, key: &Key) -> bool {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).contains_key(key)
    }

    /// For a task of this process that is about the schedule.
    pub(super) fn own(&self, key: &Key) -> Own {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default() += 1;
        Own { all: Arc::clone(&self.own), key: key.clone() }
    }

    fn permits(&self, tenant: &TenantId) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let of_tenant = {
            let mut tenants = self.of_tenants.lock().unwrap_or_else(PoisonError::into_inner);
            let semaphore = || Arc::new(Semaphore::new(RUNS_PER_TENANT_MAX));
            Arc::clone(tenants.entry(tenant.clone()).or_insert_with(semaphore))
        };
        let of_tenant = of_tenant.try_acquire_owned().ok()?;
        Some((Arc::clone(&self.running).try_acquire_owned().ok()?, of_tenant))
    }
}

fn say_missed(key: &Key, missed: Missed) {
    let Key { tenant, handler, schedule } = key;
    let Missed { count, first, last } = missed;
    match last {
        Some(last) if last == first => {
            warn!(%tenant, %handler, %schedule, "the run of {first} was missed and is left out");
        }
        Some(last) => {
            warn!(%tenant, %handler, %schedule, "{count} runs, of {first} to {last}, were missed and are left out");
        }
        None => {
            warn!(%tenant, %handler, %schedule, "more than {count} runs, the first of {first}, were missed and are left out");
        }
    }
}

fn say_unended(key: &Key, unended: Option<Timestamp>) {
    if let (Some(moment), Key { tenant, handler, schedule }) = (unended, key) {
        warn!(%tenant, %handler, %schedule, "nobody has said how the run of {moment} ended before the next moment came");
    }
}

/// A moment as the log shows it.
fn shown(moment_s: i64) -> Timestamp {
    Timestamp::from_second(moment_s).unwrap_or_default()
}

impl Run {
    async fn run_out(self, host: &Arc<Host>, before: &Known) {
        let Self { store, key, due, .. } = &self;
        let moment_s = due.moment.as_second();
        let (tenant, handler, schedule) = (&key.tenant, &key.handler, &key.schedule);
        let (claims, claimed) = (Arc::clone(store), key.clone());
        let (attempt, began_ms) = (due.attempt, due.began_ms);
        match blocking(move || claims.claim(&claimed, moment_s, attempt, began_ms)).await {
            Ok(true) => {}
            Ok(false) => {
                // Another process has it, or had it: what it wrote counts.
                let (reads, wanted) = (Arc::clone(store), key.clone());
                if let Ok(Some(known)) = blocking(move || reads.get(&wanted)).await {
                    host.last_runs.change(key, |entry| *entry = Entry::new(known));
                }
                return;
            }
            Err(why) => {
                error!(%tenant, %handler, %schedule, "the run of {} waits: {why}", due.moment);
                // Held for a while, in place of the look at the next second.
                tokio::time::sleep(Duration::from_millis(STORE_PAUSE_MS.unsigned_abs())).await;
                host.last_runs.change(key, |entry| *entry = Entry::new(before.clone()));
                return;
            }
        }
        say_unended(key, self.unended);
        if let Some(missed) = self.missed {
            say_missed(key, missed);
        }
        let late_s = Timestamp::now().as_second() - moment_s;
        if due.attempt == 1 && late_s > 60 {
            info!(%tenant, %handler, %schedule, "the run of {} was missed and is made up {late_s} s late", due.moment);
        }
        let event = self.schedule.event(due.moment, due.attempt);
        let answer = webhook::fire(host, &self.tenant, &self.handler, event).await;
        let state = ended(answer.code, due, Timestamp::now().as_millisecond());
        match state {
            State::Again { .. } => {
                warn!(%tenant, %handler, %schedule, attempt, "the run of {} failed and is tried again", due.moment);
            }
            State::Failed => {
                error!(%tenant, %handler, %schedule, attempt, "the run of {} failed for good", due.moment);
            }
            State::New | State::Running | State::Done | State::Missed => {}
        }
        let (writes, written) = (Arc::clone(store), key.clone());
        if let Err(why) = blocking(move || writes.ended(&written, moment_s, state)).await {
            error!(%tenant, %handler, %schedule, "the end of the run of {} is not kept: {why}", due.moment);
        }
        host.last_runs.change(key, |entry| {
            if entry.known.moment_s == moment_s {
                entry.known.state = state;
            }
        });
    }
}

/// Runs `work` where waiting for a disk holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(error) => Err(format!("a fault of the host: {error}")),
    }
}
