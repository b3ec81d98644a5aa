//! From the registry's records to the router's snapshot.
//!
//! A change is a new snapshot in which everything that did not change is the same object as before: revisions keep their
//! code, counters and breaker, and places that are taken stay taken, whatever is deployed beside them. What can't be
//! used is left out and logged, never half published: the rest goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tracing::error;

use crate::call::{HandlerName, RevisionId, TenantId};
use crate::carrier::account::Account;
use crate::carrier::twilio::signature::{AuthToken, EmptySecret, Keys, SharedKey};
use crate::host::Host;
use crate::pin::PinKey;
use crate::registry::SecretsKey;
use crate::registry::model::{
    Everything, HandlerRecord, NumberRecord, RevisionRecord, TenantRecord, Unreadable,
};
use crate::release::Share;
use crate::revision::Revision;
use crate::router::share::Draw;
use crate::router::{Canary, Handler, Snapshot, Tenant};
use crate::sandbox::Prepared;

/// Puts records in force.
pub struct Publisher {
    host: Arc<Host>,
    secrets: SecretsKey,
    /// One change at a time: each begins with what the one before it published.
    turn: Mutex<()>,
    /// Counts what was published.
    changes: watch::Sender<u64>,
}

impl Publisher {
    /// Publishes to the router of `host`; opens what revisions are granted with `secrets`.
    #[must_use]
    pub fn new(host: Arc<Host>, secrets: SecretsKey) -> Self {
        Self { host, secrets, turn: Mutex::new(()), changes: watch::Sender::new(0) }
    }

    /// Opens what revisions are granted.
    #[must_use]
    pub fn secrets(&self) -> &SecretsKey {
        &self.secrets
    }

    /// Wakes whoever waits for a change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn publish(&self, snapshot: Snapshot) {
        self.host.router.publish(snapshot);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Puts all of `everything`, and nothing else, in force.
    pub fn all(&self, everything: Everything) {
        let _turn = self.turn();
        let before = self.host.router.snapshot();
        let mut revisions: BTreeMap<(TenantId, HandlerName), Vec<RevisionRecord>> = BTreeMap::new();
        for record in everything.revisions {
            revisions.entry((record.tenant.clone(), record.handler.clone())).or_default().push(record);
        }
        let mut tenants: BTreeMap<TenantId, Tenant> = BTreeMap::new();
        for record in &everything.tenants {
            let old = before.tenant(record.id.as_str()).map(Arc::as_ref);
            if let Some(mut tenant) = tenant(record, old) {
                tenant.handlers.clear();
                tenants.insert(record.id.clone(), tenant);
            }
        }
        for record in &everything.handlers {
            let Some(tenant) = tenants.get_mut(&record.tenant) else { continue };
            let old = before
                .tenant(record.tenant.as_str())
                .and_then(|tenant| tenant.handlers.get(record.name.as_str()))
                .map(Arc::as_ref);
            let records = revisions.remove(&(record.tenant.clone(), record.name.clone())).unwrap_or_default();
            let mut kept: BTreeMap<RevisionId, Arc<Revision>> = BTreeMap::new();
            for revision in records {
                let known = old.and_then(|old| old.revisions.get(&revision.id)).cloned();
                if let Some(known) = &known {
                    known.set_retired_at(revision.retired_at);
                }
                if let Some(revision) = known.or_else(|| self.revision(revision)) {
                    kept.insert(revision.id, revision);
                }
            }
            if let Some(handler) = handler(record, kept, old, &self.host.pin_key) {
                tenant.handlers.insert(record.name.clone(), Arc::new(handler));
            }
        }
        // What can't be read goes on as it was.
        for Unreadable { tenant: owner, handler: name, .. } in &everything.unreadable {
            let Some(old) = before.tenant(owner) else { continue };
            match (name, tenants.get_mut(owner.as_str())) {
                (Some(name), Some(tenant)) => {
                    let old = old.handlers.get_key_value(name.as_str());
                    tenant.handlers.extend(old.map(|(name, handler)| (name.clone(), Arc::clone(handler))));
                }
                _ => drop(tenants.insert(old.id.clone(), Tenant::clone(old))),
            }
        }
        let mut snapshot = Snapshot::new(tenants.into_values());
        let mut numbers: BTreeMap<TenantId, Vec<(String, HandlerName)>> = BTreeMap::new();
        for NumberRecord { number, tenant, handler } in everything.numbers {
            numbers.entry(tenant).or_default().push((number, handler));
        }
        for (tenant, numbers) in numbers {
            snapshot.put_numbers(&tenant, numbers);
        }
        self.publish(snapshot);
    }

    /// Puts a tenant's keys, URL, quota and numbers in force; its handlers stay as they are.
    pub fn tenant(&self, record: &TenantRecord, numbers: Vec<NumberRecord>) {
        let _turn = self.turn();
        let mut snapshot = Snapshot::clone(&self.host.router.snapshot());
        let old = snapshot.tenant(record.id.as_str()).cloned();
        let Some(tenant) = tenant(record, old.as_deref()) else { return };
        snapshot.put(Arc::new(tenant));
        let numbers = numbers.into_iter().map(|number| (number.number, number.handler));
        snapshot.put_numbers(&record.id, numbers);
        self.publish(snapshot);
    }

    /// Takes a tenant and all it has out of force.
    pub fn remove_tenant(&self, tenant: &TenantId) {
        let _turn = self.turn();
        let mut snapshot = Snapshot::clone(&self.host.router.snapshot());
        snapshot.remove(tenant);
        self.publish(snapshot);
    }

    /// Takes a handler out of force.
    pub fn remove_handler(&self, tenant: &TenantId, handler: &HandlerName) {
        self.change_handlers(tenant, |tenant| drop(tenant.handlers.remove(handler)));
    }

    /// Puts a handler's release in force, as it was changed at `at` (Unix milliseconds). A revision that was not there before
    /// comes with its record, and with its code where that is at hand.
    pub fn handler(
        &self,
        record: &HandlerRecord,
        at: u64,
        revision: Option<RevisionRecord>,
        code: Option<Arc<Prepared>>,
    ) {
        self.change_handlers(&record.tenant, |tenant| {
            let old = tenant.handlers.get(&record.name).map(Arc::as_ref);
            let mut revisions = old.map(|old| old.revisions.clone()).unwrap_or_default();
            if let Some(new) = revision {
                let id = new.id;
                if let Some(revision) = revisions.get(&id).cloned().or_else(|| self.revision(new)) {
                    if let Some(code) = code {
                        revision.put_code(code, self.host.now_s());
                    }
                    revisions.insert(id, revision);
                }
            }
            if let Some(handler) = handler(record, revisions, old, &self.host.pin_key) {
                stamp(&handler, old, at);
                tenant.handlers.insert(record.name.clone(), Arc::new(handler));
            }
        });
    }

    fn change_handlers(&self, tenant: &TenantId, change: impl FnOnce(&mut Tenant)) {
        let _turn = self.turn();
        let mut snapshot = Snapshot::clone(&self.host.router.snapshot());
        let Some(old) = snapshot.tenant(tenant.as_str()) else {
            error!(%tenant, "a handler of a tenant that is not published changed");
            return;
        };
        let mut new = Tenant::clone(old);
        change(&mut new);
        snapshot.put(Arc::new(new));
        self.publish(snapshot);
    }

    fn revision(&self, record: RevisionRecord) -> Option<Arc<Revision>> {
        let (tenant, handler, id) = (record.tenant.clone(), record.handler.clone(), record.id);
        match Revision::of_record(record, &self.secrets, &self.host.pin_key) {
            Ok(revision) => Some(Arc::new(revision)),
            Err(error) => {
                error!(%tenant, %handler, revision = id.0, "the revision is left out: {error}");
                None
            }
        }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        // What a panic interrupted was not published.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes which revisions take new calls from now on, and when the others stopped to: as the registry does it.
fn stamp(handler: &Handler, old: Option<&Handler>, at: u64) {
    let takes = |handler: &Handler, id: RevisionId| {
        handler.stable.id == id || handler.canary.as_ref().is_some_and(|canary| canary.revision.id == id)
    };
    for revision in handler.revisions.values() {
        if takes(handler, revision.id) {
            revision.set_retired_at(None);
        } else if old.is_some_and(|old| takes(old, revision.id)) {
            revision.set_retired_at(Some(at));
        }
    }
}

/// The tenant of a record, with the handlers and places that it has already.
fn tenant(record: &TenantRecord, old: Option<&Tenant>) -> Option<Tenant> {
    let keys = match keys(record) {
        Ok(keys) => keys,
        Err(error) => {
            error!(tenant = %record.id, "its webhooks are refused: {error}");
            Keys { tokens: Vec::new(), shared: Vec::new() }
        }
    };
    let id = record.id.clone();
    let mut new = Tenant::new(id, keys, record.public_url.clone(), record.quota.concurrency);
    new.account = account(record).map(Arc::new);
    Some(match old {
        None => new,
        Some(old) => {
            let new = new.with_places_of(old, record.quota.concurrency);
            Tenant { handlers: old.handlers.clone(), ..new }
        }
    })
}

/// How the host signs in for a tenant; none where it has no credentials to do so.
fn account(record: &TenantRecord) -> Option<Account> {
    let account = record.account.as_ref()?;
    let login = match (&account.api_key, record.auth_tokens.first()) {
        (Some(key), _) => key.clone(),
        (None, Some(token)) => (account.sid.clone(), token.clone()),
        (None, None) => {
            error!(tenant = %record.id, "its account can't be used: it has neither an API key nor an auth token");
            return None;
        }
    };
    let (sid, api_key) = (account.sid.clone(), account.api_key.clone());
    Some(Account { sid, login, api_key, allowance: account.allowance.clone() })
}

fn keys(record: &TenantRecord) -> Result<Keys, EmptySecret> {
    let tokens = record.auth_tokens.iter().map(|token| AuthToken::new(token.expose()));
    let shared = record.shared_keys.iter().map(|(id, secret)| SharedKey::new(id, secret.expose()));
    Ok(Keys { tokens: tokens.collect::<Result<_, _>>()?, shared: shared.collect::<Result<_, _>>()? })
}

/// The handler of a record. None, and a line in the log, where the stable revision is not among `revisions`.
fn handler(
    record: &HandlerRecord,
    revisions: BTreeMap<RevisionId, Arc<Revision>>,
    old: Option<&Handler>,
    key: &PinKey,
) -> Option<Handler> {
    let Some(stable) = revisions.get(&record.release.stable).cloned() else {
        error!(
            tenant = %record.tenant, handler = %record.name, revision = record.release.stable.0,
            "the handler stays as it is: the revision that shall take its calls is not there"
        );
        return old.cloned();
    };
    let canary = record.release.canary.as_ref().and_then(|canary| {
        let revision = revisions.get(&canary.revision).cloned()?;
        let draw = Draw::new(key, &record.tenant, &record.name, revision.id);
        Some(Canary { revision, share: canary.present().share, draw })
    });
    let concurrency = canary.as_ref().map_or(0, |canary| canary.revision.concurrency).max(stable.concurrency);
    let new = Handler::new(stable);
    let walls = old.unwrap_or(&new);
    walls.set_places(concurrency);
    let (places, web_places) = (Arc::clone(&walls.places), Arc::clone(&walls.web_places));
    for revision in revisions.values() {
        let share = record.release.share(revision.id);
        revision.counters.set_share((share != Share::NONE).then_some(share));
        if record.release.canary.as_ref().is_none_or(|canary| canary.revision != revision.id) {
            revision.counters.set_judgement(None);
        }
    }
    Some(Handler {
        canary,
        revisions,
        places,
        web_places,
        release: Some(Arc::new(record.release.clone())),
        ..new
    })
}
