//! Picks the revision that takes a webhook.
//!
//! A call stays on the revision that took its first webhook; otherwise a deploy would change the menu under a
//! caller between two key presses. Picks read a snapshot in memory that whoever deploys replaces whole, so the
//! hot path takes no lock and never waits for a database.
//!
//! Loading code is `artifact`'s business, proving a pin `pin`'s, deciding shares `release`'s.

pub mod calls;
pub mod share;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hashbrown::HashMap;
use subtle::ConstantTimeEq as _;

use self::calls::Calls;
use self::share::{Draw, Drawn};
use crate::admission::places::Places;
use crate::call::{CallStatus, EventKind, HandlerName, RevisionId, TenantId, Webhook};
use crate::carrier::account::Account;
use crate::carrier::twilio::signature::Keys;
use crate::pin::PinKey;
use crate::release::{Release, Share};
use crate::revision::Revision;
use crate::webhook::route::Pinned;

/// All that takes webhooks, at one moment. Never changed: a change is a new snapshot.
#[derive(Default, Clone)]
pub struct Snapshot {
    tenants: HashMap<TenantId, Arc<Tenant>>,
    numbers: HashMap<Box<str>, (TenantId, HandlerName)>,
}

/// One tenant's part of a snapshot.
#[derive(Clone)]
pub struct Tenant {
    /// Its name.
    pub id: TenantId,
    /// What its carrier's signatures are checked with.
    pub keys: Keys,
    /// Scheme and authority (`https://calls.example.com`) that the carrier was told; `None` uses the host's.
    pub public_url: Option<String>,
    /// Its account at the carrier, as far as the host may use it.
    pub account: Option<Arc<Account>>,
    /// How many invocations it may have at one time. Lives on from snapshot to snapshot.
    pub places: Arc<Places>,
    /// How many of these web requests may have: half, because anybody can send them and calls shall go on.
    pub web_places: Arc<Places>,
    /// Its handlers by name.
    pub handlers: HashMap<HandlerName, Arc<Handler>>,
}

/// One handler and the revisions that still take its calls.
#[derive(Clone)]
pub struct Handler {
    /// Takes all new calls that the canary does not.
    pub stable: Arc<Revision>,
    /// Takes a share of the new calls, on trial.
    pub canary: Option<Canary>,
    /// Take the calls that are pinned to them; the two above are among them.
    pub revisions: BTreeMap<RevisionId, Arc<Revision>>,
    /// How many invocations it may have at one time, over all revisions. Lives on from snapshot to snapshot.
    pub places: Arc<Places>,
    /// How many of these web requests may have.
    pub web_places: Arc<Places>,
    /// What all this follows; none where no registry stands behind it.
    pub release: Option<Arc<Release>>,
}

/// A revision on trial.
#[derive(Clone)]
pub struct Canary {
    /// Which.
    pub revision: Arc<Revision>,
    /// Of the new calls.
    pub share: Share,
    /// Says which.
    pub draw: Draw,
}

/// The revision that takes a webhook.
pub struct Picked<'a> {
    /// Which.
    pub revision: &'a Arc<Revision>,
    /// Whether this is the first that is heard of the call.
    pub begins: bool,
}

/// A pin that this host did not write for this handler.
#[derive(Debug, PartialEq, Eq)]
pub struct ForeignPin;

impl Snapshot {
    /// Puts these tenants in the place of all.
    #[must_use]
    pub fn new(tenants: impl IntoIterator<Item = Tenant>) -> Self {
        let tenants = tenants.into_iter().map(|tenant| (tenant.id.clone(), Arc::new(tenant))).collect();
        Self { tenants, numbers: HashMap::new() }
    }

    /// Puts `tenant` in the place of the one with its name.
    pub fn put(&mut self, tenant: Arc<Tenant>) {
        self.tenants.insert(tenant.id.clone(), tenant);
    }

    /// Takes a tenant out, with its numbers.
    pub fn remove(&mut self, tenant: &TenantId) {
        self.tenants.remove(tenant);
        self.numbers.retain(|_, (owner, _)| owner != tenant);
    }

    /// Puts these numbers in the place of all that `tenant` has.
    pub fn put_numbers(
        &mut self,
        tenant: &TenantId,
        numbers: impl IntoIterator<Item = (String, HandlerName)>,
    ) {
        self.numbers.retain(|_, (owner, _)| owner != tenant);
        self.numbers.extend(
            numbers.into_iter().map(|(number, handler)| (number.into_boxed_str(), (tenant.clone(), handler))),
        );
    }

    /// The tenant called `name`.
    #[must_use]
    pub fn tenant(&self, name: &str) -> Option<&Arc<Tenant>> {
        self.tenants.get(name)
    }

    /// All tenants.
    pub fn tenants(&self) -> impl Iterator<Item = &Arc<Tenant>> {
        self.tenants.values()
    }

    /// Numbers and who answers them.
    pub fn numbers(&self) -> impl Iterator<Item = (&str, &TenantId, &HandlerName)> {
        self.numbers.iter().map(|(number, (tenant, handler))| (&**number, tenant, handler))
    }
}

impl Tenant {
    /// A tenant without handlers.
    #[must_use]
    pub fn new(id: TenantId, keys: Keys, public_url: Option<String>, concurrency: u32) -> Self {
        let places = Arc::new(Places::new("the tenant", concurrency));
        let web_places = Arc::new(Places::new("the tenant's web", for_web(concurrency)));
        Self { id, keys, public_url, account: None, places, web_places, handlers: HashMap::new() }
    }

    /// The same with the places of `old`, now `concurrency` of them.
    #[must_use]
    pub fn with_places_of(self, old: &Self, concurrency: u32) -> Self {
        old.places.set_max(concurrency);
        old.web_places.set_max(for_web(concurrency));
        Self { places: Arc::clone(&old.places), web_places: Arc::clone(&old.web_places), ..self }
    }

    /// Puts `handler` in the place of the one with its name.
    pub fn put(&mut self, handler: Handler) {
        self.handlers.insert(handler.stable.handler.clone(), Arc::new(handler));
    }
}

impl Handler {
    /// A handler with one revision.
    #[must_use]
    pub fn new(stable: Arc<Revision>) -> Self {
        let places = Arc::new(Places::new("the handler", stable.concurrency));
        let web_places = Arc::new(Places::new("the handler's web", for_web(stable.concurrency)));
        let revisions = BTreeMap::from([(stable.id, Arc::clone(&stable))]);
        Self { stable, canary: None, revisions, places, web_places, release: None }
    }

    /// Gives it `concurrency` places.
    pub fn set_places(&self, concurrency: u32) {
        self.places.set_max(concurrency);
        self.web_places.set_max(for_web(concurrency));
    }

    /// Lets `revision` take all new calls; calls in progress stay where they are.
    pub fn put_in_force(&mut self, revision: Arc<Revision>) {
        self.set_places(revision.concurrency);
        self.revisions.insert(revision.id, Arc::clone(&revision));
        self.stable = revision;
        self.canary = None;
    }

    /// Whether `revision` is on trial.
    #[must_use]
    pub fn is_canary(&self, revision: &Revision) -> bool {
        self.canary.as_ref().is_some_and(|canary| canary.revision.uid == revision.uid)
    }

    /// The share of new calls that `revision` takes.
    #[must_use]
    pub fn share_of(&self, revision: RevisionId) -> Share {
        match &self.canary {
            Some(canary) if canary.revision.id == revision => canary.share,
            Some(canary) if self.stable.id == revision => canary.share.rest(),
            None if self.stable.id == revision => Share::ALL,
            _ => Share::NONE,
        }
    }

    /// The revision that takes `webhook`: the one that its link names, else the one that is known to have its call,
    /// else one by share.
    ///
    /// A pin of ours whose revision is gone (a call that outlived it) is answered as a new call is: somebody is on the line.
    ///
    /// # Errors
    /// [`ForeignPin`] where we did not write the pin.
    pub fn pick(
        &self,
        tenant: &TenantId,
        pin: Pinned<'_>,
        webhook: &Webhook,
        key: &PinKey,
        calls: &Calls,
        minute: u32,
    ) -> Result<Picked<'_>, ForeignPin> {
        let pinned = match pin {
            Pinned::No => None,
            Pinned::Ambiguous => return Err(ForeignPin),
            // The usual case costs a comparison: the pin is the stable revision's own, already proven.
            Pinned::To(pin) if bool::from(pin.as_bytes().ct_eq(self.stable.pin.as_bytes())) => {
                Some(&self.stable)
            }
            Pinned::To(pin) => {
                let revision = key.read(pin, tenant, &self.stable.handler).ok_or(ForeignPin)?;
                self.revisions.get(&revision)
            }
        };
        match webhook {
            Webhook::Voice(call) => {
                let id = calls.key(tenant, &self.stable.handler, &call.id);
                let known = pinned.or_else(|| self.by_uid(calls.get(id, minute)?));
                let revision = known.unwrap_or_else(|| self.by_share(Drawn::Call(&call.id)));
                calls.note(id, revision.uid, minute);
                if is_over(call.status) {
                    calls.end(id);
                }
                Ok(Picked { revision, begins: known.is_none() })
            }
            Webhook::Message(message) => {
                let pair = Drawn::Conversation(&message.from, &message.to);
                let revision = pinned.unwrap_or_else(|| self.by_share(pair));
                Ok(Picked { revision, begins: pinned.is_none() })
            }
            Webhook::Event(event) => {
                let id = calls.key(tenant, &self.stable.handler, &event.subject);
                let known = pinned.or_else(|| self.by_uid(calls.get(id, minute)?));
                if event.kind == EventKind::Call && event.ends_call {
                    calls.end(id);
                }
                let revision = known.unwrap_or_else(|| {
                    self.by_share(match &event.parties {
                        Some((from, to)) => Drawn::Conversation(from, to),
                        None => Drawn::Call(&event.subject),
                    })
                });
                Ok(Picked { revision, begins: false })
            }
            Webhook::Web(request) => {
                let revision = pinned.unwrap_or_else(|| self.by_share(Drawn::Client(request.client)));
                // No call: nobody shall bring a canary to its end by asking for a page a hundred times.
                Ok(Picked { revision, begins: false })
            }
        }
    }

    /// The revision that takes new calls of this kind.
    fn by_share(&self, drawn: Drawn<'_>) -> &Arc<Revision> {
        match &self.canary {
            Some(canary) if canary.draw.takes(drawn, canary.share) => &canary.revision,
            _ => &self.stable,
        }
    }

    fn by_uid(&self, uid: u32) -> Option<&Arc<Revision>> {
        let in_force = [Some(&self.stable), self.canary.as_ref().map(|canary| &canary.revision)];
        let found = in_force.into_iter().flatten().find(|revision| revision.uid == uid);
        found.or_else(|| self.revisions.values().find(|revision| revision.uid == uid))
    }
}

/// Of so many places those that web requests may have.
fn for_web(concurrency: u32) -> u32 {
    (concurrency / 2).max(1)
}

fn is_over(status: CallStatus) -> bool {
    match status {
        CallStatus::Completed
        | CallStatus::Busy
        | CallStatus::Failed
        | CallStatus::NoAnswer
        | CallStatus::Canceled => true,
        CallStatus::Queued
        | CallStatus::Initiated
        | CallStatus::Ringing
        | CallStatus::InProgress
        | CallStatus::Other => false,
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

    /// Who answers `number`.
    #[must_use]
    pub fn number(&self, number: &str) -> Option<(Arc<Tenant>, HandlerName)> {
        let snapshot = self.snapshot.load();
        let (tenant, handler) = snapshot.numbers.get(number)?;
        Some((Arc::clone(snapshot.tenants.get(tenant)?), handler.clone()))
    }

    /// All that is in force.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Puts `snapshot` in force. Webhooks that began with the old one end with it.
    pub fn publish(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }
}
