//! What is known of each schedule's last run, in memory: for the keeper, and for whoever shows it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use jiff::Timestamp;

use super::store::{Key, Known, State};
use crate::call::{HandlerName, TenantId};

/// What became of the last run of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// The moment that it was for.
    pub moment: Timestamp,
    /// `running`, `done`, `again`, `failed` or `missed`.
    pub state: &'static str,
    /// How often it was tried.
    pub attempts: u32,
}

/// What the keeper knows, for whoever shows it.
#[derive(Debug, Default)]
pub struct LastRuns(Mutex<HashMap<Key, Entry>>);

/// One schedule.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) known: Known,
    /// When it is worth another look; none for the next one.
    pub(super) look_at: Option<Timestamp>,
    /// Since when it is seen that another process runs it.
    pub(super) elsewhere_since: Option<Timestamp>,
}

impl Entry {
    /// As it is read.
    pub(super) fn new(known: Known) -> Self {
        Self { known, look_at: None, elsewhere_since: None }
    }
}

impl LastRuns {
    /// The last run of a schedule; none where there was none since it is in force.
    #[must_use]
    pub fn last(&self, tenant: &TenantId, handler: &HandlerName, schedule: &Arc<str>) -> Option<LastRun> {
        let key = Key { tenant: tenant.clone(), handler: handler.clone(), schedule: Arc::clone(schedule) };
        let entries = self.lock();
        let known = &entries.get(&key)?.known;
        let state = match known.state {
            State::New => return None,
            State::Running => "running",
            State::Done => "done",
            State::Again { .. } => "again",
            State::Failed => "failed",
            State::Missed => "missed",
        };
        let moment = Timestamp::from_second(known.moment_s).ok()?;
        Some(LastRun { moment, state, attempts: known.attempts })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        // Every change is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes one that is known.
    pub(super) fn change(&self, key: &Key, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.lock().get_mut(key) {
            change(entry);
        }
    }
}
