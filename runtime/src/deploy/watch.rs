//! Looks after every canary: judges it, moves it on, takes it back.
//!
//! A look a second over the handlers that have one. What is decided goes the way of every other change, so that it is
//! committed before it is in force; a canary that has to go is taken back even while the registry can't be reached.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{error, warn};

use super::change::Without;
use super::{DeployError, Deployer};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::clock;
use crate::registry::model::HandlerRecord;
use crate::release::Canary;
use crate::release::change::HOST;
use crate::release::judge::{Counts, Judgement};
use crate::release::watch::{Counters, Look, Move, Watch};
use crate::revision::Revision;
use crate::router::Handler;
use crate::telemetry::JudgementGauge;

/// How often canaries are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Which handler.
pub(super) type Name = (TenantId, HandlerName);

/// What was found at the last look at a canary.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// Of the release that was looked at.
    pub(super) generation: u64,
    /// What it waits for, for people.
    pub(super) waits_for: String,
    /// What its failures say, for people.
    pub(super) judgement: String,
}

/// The canaries under watch.
#[derive(Default)]
pub(super) struct Watching(Mutex<HashMap<Name, Watched>>);

impl Watching {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Name, Watched>> {
        // What a panic leaves is at worst a look that is missing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A canary under watch.
pub(super) struct Watched {
    /// Which: a later canary of the same handler is watched anew.
    pub(super) canary: RevisionId,
    pub(super) started_at: u64,
    pub(super) watch: Watch,
    raised: bool,
}

impl Deployer {
    /// Looks after canaries for ever.
    pub async fn watch_canaries(self: Arc<Self>) {
        self.take_up_evidence().await;
        loop {
            let on_trial = self.on_trial();
            self.watching.lock().retain(|name, _| on_trial.iter().any(|(other, ..)| other == name));
            let mut judged = HashMap::with_capacity(on_trial.len());
            for (name, handler, canary) in on_trial {
                let Some(look) = self.look(&name, &handler, &canary) else { continue };
                let generation = handler.release.as_ref().map_or(0, |release| release.generation);
                let found = Judged {
                    generation,
                    waits_for: look.waits_for.clone(),
                    judgement: look.judgement.to_string(),
                };
                judged.insert(name.clone(), found);
                if let Some(next) = look.next {
                    self.carry_out(&name, generation, next).await;
                }
            }
            self.judged.store(Arc::new(judged));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub(super) fn on_trial(&self) -> Vec<(Name, Arc<Handler>, Canary)> {
        let snapshot = self.host.router.snapshot();
        let handlers = snapshot
            .tenants()
            .flat_map(|tenant| tenant.handlers.values().map(|handler| (tenant.id.clone(), handler)));
        handlers
            .filter_map(|(tenant, handler)| {
                let canary = handler.release.as_ref()?.canary.clone()?;
                Some(((tenant, handler.stable.handler.clone()), Arc::clone(handler), canary))
            })
            .collect()
    }

    /// Does what a look found, unless somebody changed the release since.
    async fn carry_out(&self, (tenant, handler): &Name, generation: u64, next: Move) {
        let without = match next {
            Move::TakeBack(_) => Without::AnythingKept,
            Move::Step(_) | Move::Promote(_) => Without::TheRegistryNot,
        };
        let taken_back = if let Move::TakeBack(why) = &next { Some(why.clone()) } else { None };
        if taken_back.is_none() && self.unreachable().is_some() {
            return;
        }
        let now = clock::unix_ms();
        let change = move |release: &crate::release::Release| {
            if release.generation != generation {
                return Ok(None);
            }
            let changed = match &next {
                Move::Step(why) => release.step(HOST, why, now),
                Move::Promote(why) => release.promote(HOST, why, now),
                Move::TakeBack(why) => release.take_back(why, now),
            };
            changed.map(Some).map_err(DeployError::from)
        };
        match (self.change(tenant, handler, without, change).await, taken_back) {
            (Ok(_), Some(why)) => {
                warn!(%tenant, %handler, "the canary was taken back: {why}");
                metrics::counter!("hookswitch_canaries_taken_back_total").increment(1);
            }
            (Ok(_), None) => {}
            (Err(why), _) => {
                error!(%tenant, %handler, "the canary stays as it is and is looked at again: {why}");
            }
        }
    }

    /// Begins to watch a canary before it takes its first call, or its first failures would count as having been there.
    pub(super) fn begin_to_watch(&self, record: &HandlerRecord) {
        let Some(canary) = &record.release.canary else { return };
        let handler = self.in_force(&record.tenant, &record.name).ok();
        let so_far = |id: RevisionId| {
            let revision = handler.as_ref().and_then(|handler| handler.revisions.get(&id));
            revision.map(|revision| counts(revision)).unwrap_or_default()
        };
        let counters = Counters { canary: so_far(canary.revision), stable: so_far(record.release.stable) };
        let mut watching = self.watching.lock();
        let name = (record.tenant.clone(), record.name.clone());
        if !watching.get(&name).is_some_and(|known| known.is_of(canary)) {
            watching.insert(name, Watched::begin(canary, counters));
        }
    }

    /// One look at one canary.
    pub(super) fn look(&self, name: &Name, handler: &Handler, canary: &Canary) -> Option<Look> {
        let on_trial = handler.canary.as_ref()?;
        let counters = Counters { canary: counts(&on_trial.revision), stable: counts(&handler.stable) };
        let mut watching = self.watching.lock();
        if !watching.get(name).is_some_and(|known| known.is_of(canary)) {
            // One that was on before this process was, and of which nothing was kept.
            watching.insert(name.clone(), Watched::begin(canary, counters));
        }
        let known = watching.get_mut(name)?;
        let look = known.watch.look(canary, counters, clock::unix_ms(), &self.rules);
        let raised = matches!(look.judgement, Judgement::Raised(_));
        if raised && !known.raised {
            let (tenant, handler) = name;
            warn!(%tenant, %handler, revision = canary.revision.0, "the canary is not promoted by itself: {}", look.judgement);
        }
        known.raised = raised;
        on_trial.revision.counters.set_judgement(Some(match look.judgement {
            Judgement::TooFew(_) => JudgementGauge::TooFew,
            Judgement::Fine(_) => JudgementGauge::Fine,
            Judgement::Raised(_) => JudgementGauge::Raised,
            Judgement::Bad(_) => JudgementGauge::Bad,
        }));
        Some(look)
    }
}

impl Watched {
    fn begin(canary: &Canary, counters: Counters) -> Self {
        let watch = Watch::begin(canary, counters, clock::unix_ms());
        Self { canary: canary.revision, started_at: canary.started_at, watch, raised: false }
    }

    /// One that an earlier process watched.
    pub(super) fn taken_up(canary: RevisionId, started_at: u64, watch: Watch) -> Self {
        Self { canary, started_at, watch, raised: false }
    }

    pub(super) fn is_of(&self, canary: &Canary) -> bool {
        (self.canary, self.started_at) == (canary.revision, canary.started_at)
    }
}

fn counts(revision: &Revision) -> Counts {
    let (webhooks, failed) = revision.counters.verdicts();
    Counts { calls: revision.counters.calls(), webhooks, failed }
}
