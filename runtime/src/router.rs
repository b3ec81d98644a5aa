//! Picks the revision that takes a webhook.
//!
//! A call stays on the revision that took its first webhook; otherwise a deploy would change the menu under a
//! caller between two key presses. Picks read a snapshot in memory that whoever deploys replaces whole, so the
//! hot path takes no lock and never waits for a database.
//!
//! Loading code is `artifact`'s business, proving a pin `pin`'s.

pub mod calls;
pub mod share;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hashbrown::HashMap;
use subtle::ConstantTimeEq as _;

use crate::call::{HandlerName, RevisionId, TenantId};
use crate::carrier::twilio::signature::Keys;
use crate::pin::PinKey;
use crate::revision::Revision;
use crate::webhook::route::Pinned;

/// All that takes webhooks, at one moment. Never changed: a change is a new snapshot.
#[derive(Default)]
pub struct Snapshot {
    tenants: HashMap<TenantId, Arc<Tenant>>,
}

/// One tenant's part of a snapshot.
pub struct Tenant {
    /// Its name.
    pub id: TenantId,
    /// What its carrier's signatures are checked with.
    pub keys: Keys,
    /// Scheme and authority (`https://calls.example.com`) that the carrier was told; `None` uses the host's.
    pub public_url: Option<String>,
    /// Its handlers by name.
    pub handlers: HashMap<HandlerName, Handler>,
}

/// One handler and the revisions that still take its calls.
#[derive(Clone)]
pub struct Handler {
    /// Takes new calls.
    pub current: Arc<Revision>,
    /// Take the calls that are pinned to them; `current` is among them.
    pub revisions: BTreeMap<RevisionId, Arc<Revision>>,
}

/// A pin that this host did not write for this handler.
#[derive(Debug, PartialEq, Eq)]
pub struct ForeignPin;

impl Snapshot {
    /// Puts these tenants in the place of all.
    #[must_use]
    pub fn new(tenants: impl IntoIterator<Item = Tenant>) -> Self {
        let tenants = tenants.into_iter().map(|tenant| (tenant.id.clone(), Arc::new(tenant))).collect();
        Self { tenants }
    }
}

impl Handler {
    /// A handler with one revision.
    #[must_use]
    pub fn new(current: Arc<Revision>) -> Self {
        let revisions = BTreeMap::from([(current.id, Arc::clone(&current))]);
        Self { current, revisions }
    }

    /// The revision that takes a webhook with this pin.
    ///
    /// A pin of ours whose revision is gone (a call that outlived it) is answered by the current one: somebody is on the line.
    ///
    /// # Errors
    /// [`ForeignPin`] where we did not write the pin.
    pub fn pick(
        &self,
        tenant: &TenantId,
        pin: Pinned<'_>,
        key: &PinKey,
    ) -> Result<&Arc<Revision>, ForeignPin> {
        match pin {
            Pinned::No => Ok(&self.current),
            Pinned::Ambiguous => Err(ForeignPin),
            // The usual case costs a comparison: the pin is the current revision's own, already proven.
            Pinned::To(pin) if bool::from(pin.as_bytes().ct_eq(self.current.pin.as_bytes())) => {
                Ok(&self.current)
            }
            Pinned::To(pin) => {
                let revision = key.read(pin, tenant, &self.current.handler).ok_or(ForeignPin)?;
                Ok(self.revisions.get(&revision).unwrap_or(&self.current))
            }
        }
    }
}

/// The snapshot in force.
#[derive(Default)]
pub struct Router {
    snapshot: ArcSwap<Snapshot>,
}

impl Router {
    /// The tenant called `name`, as it is now; what holds it goes on with it whatever is published meanwhile.
    #[must_use]
    pub fn tenant(&self, name: &str) -> Option<Arc<Tenant>> {
        self.snapshot.load().tenants.get(name).cloned()
    }

    /// Puts `snapshot` in force. Webhooks that began with the old one end with it.
    pub fn publish(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }
}
