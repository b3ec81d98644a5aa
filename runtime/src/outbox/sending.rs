//! What is being sent out of the outbox right now, and how much more may be.
//!
//! An entry in the state `sending` is either held here by a task that lives, or nobody sends it: the loop that took it was
//! stopped before it began, the task ended in a panic, the process is gone. By that difference the loop finds what it has to
//! take up again, and never touches what is on its way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::HashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::call::TenantId;
use crate::carrier::EffectKey;

/// Entries that are being sent at one time.
const SENDING_MAX: u32 = 16;
/// The same of one tenant: where its account is slow, the others' entries go on.
const SENDING_PER_TENANT_MAX: usize = 4;

/// What the tasks of this process are sending.
pub(super) struct Sending {
    places: Arc<Semaphore>,
    held: Mutex<HashMap<EffectKey, TenantId>>,
}

/// An entry that a task is sending, until this is dropped.
pub(super) struct Held {
    sending: Arc<Sending>,
    key: EffectKey,
    _place: OwnedSemaphorePermit,
}

impl Sending {
    /// Nothing so far.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { places: Arc::new(Semaphore::new(SENDING_MAX as usize)), held: Mutex::default() })
    }

    /// Places to send more for a tenant, as many as it may have now. Whoever ends gives his back.
    pub(super) fn places(&self, tenant: &TenantId) -> Vec<OwnedSemaphorePermit> {
        let more = SENDING_PER_TENANT_MAX.saturating_sub(self.held_by(tenant));
        let place = || Arc::clone(&self.places).try_acquire_owned().ok();
        std::iter::repeat_with(place).take(more).map_while(|place| place).collect()
    }

    /// How many of a tenant's entries are held.
    pub(super) fn held_by(&self, tenant: &TenantId) -> usize {
        self.lock().values().filter(|holder| *holder == tenant).count()
    }

    /// Says that a task is about to send `key` for `tenant`.
    pub(super) fn hold(
        self: &Arc<Self>,
        key: EffectKey,
        tenant: &TenantId,
        place: OwnedSemaphorePermit,
    ) -> Held {
        self.lock().insert(key, tenant.clone());
        Held { sending: Arc::clone(self), key, _place: place }
    }

    /// What is held, at most as many as there are places.
    pub(super) fn held(&self) -> Vec<EffectKey> {
        self.lock().keys().copied().collect()
    }

    /// Waits until nothing is held; false where that takes longer than `within`.
    pub(super) async fn settled(&self, within: Duration) -> bool {
        tokio::time::timeout(within, self.places.acquire_many(SENDING_MAX)).await.is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EffectKey, TenantId>> {
        // Every change is one insertion or removal.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.sending.lock().remove(&self.key);
    }
}
