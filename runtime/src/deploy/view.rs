//! What is in force, as people and programs read it.

use std::iter;

use hashbrown::HashMap;
use jiff::Timestamp;

use super::{DeployError, Deployer};
use crate::admission::breaker;
use crate::call::{RevisionId, TenantId};
use crate::clock;
use crate::control::model::{
    CanaryView, Deployed, HandlerView, HistoryView, LastRunView, RevisionView, ScheduleView, ServingView,
    Urls,
};
use crate::registry::PINNED_MS;
use crate::registry::model::{HandlerRecord, RevisionRecord};
use crate::release::{Release, ReleaseChange, ReleaseEvent, StepEnd};
use crate::revision::Revision;
use crate::router::Handler;
use crate::schedule::Schedule;

/// Runs ahead that a schedule's view has.
const NEXT_RUNS: usize = 3;

/// Lines of history that a handler's view has.
pub const HISTORY_MAX: u32 = 20;

impl Deployer {
    pub(super) fn deployed(
        &self,
        handler: &HandlerRecord,
        revision: &RevisionRecord,
        known: bool,
        changes: Vec<String>,
    ) -> Deployed {
        let share = handler.release.share(revision.id);
        Deployed {
            tenant: handler.tenant.to_string(),
            handler: handler.name.to_string(),
            revision: revision.id.0,
            digest: revision.digest.to_string(),
            risk: revision.risk,
            reason: revision.risk_reason.clone(),
            changes,
            settings_of: None,
            ended_canary: None,
            what: None,
            replay: None,
            live: share.0 > 0,
            percent: share.percent(),
            next: next(&handler.release, revision.id),
            known,
            urls: self.urls(
                &handler.tenant,
                &format!("/{}/{}", handler.tenant, handler.name),
                &revision.exports,
            ),
        }
    }

    pub(super) fn view(
        &self,
        tenant: &TenantId,
        handler: &Handler,
        calls: &HashMap<u32, u64>,
        history: Result<Vec<ReleaseEvent>, DeployError>,
    ) -> HandlerView {
        let (history, lost) = match history {
            Ok(history) => (history, None),
            // Found out just now, before the next look at the registry.
            Err(DeployError::Unavailable(why)) => (Vec::new(), Some(why)),
            Err(_) => (Vec::new(), None),
        };
        let now = clock::unix_ms();
        // What is kept for `rollback` alone takes nothing.
        let serving: Vec<_> = handler
            .revisions
            .values()
            .rev()
            .map(|revision| self.serving(handler, revision, calls, now))
            .filter(|serving| serving.calls > 0 || serving.state != KEPT)
            .collect();
        let snapshot = self.host.router.snapshot();
        let name = &handler.stable.handler;
        let mut numbers: Vec<String> = snapshot
            .numbers()
            .filter(|(_, owner, target)| *owner == tenant && *target == name)
            .map(|(number, ..)| number.to_owned())
            .collect();
        numbers.sort();
        let exports = handler.stable.record.as_ref().map(|record| record.exports.clone()).unwrap_or_default();
        HandlerView {
            tenant: tenant.to_string(),
            handler: name.to_string(),
            generation: handler.release.as_ref().map_or(0, |release| release.generation),
            at: clock::moment(now),
            stable: handler.stable.id.0,
            previous: handler.release.as_ref().and_then(|release| release.previous).map(|id| id.0),
            canary: handler.release.as_ref().and_then(|release| self.canary(handler, release)),
            serving,
            registry: lost.or_else(|| self.unreachable()),
            history: history.into_iter().map(history_line).collect(),
            numbers,
            urls: self.urls(tenant, &handler.stable.prefix, &exports),
            schedules: self.schedules(handler),
        }
    }

    /// When the stable revision runs by itself.
    fn schedules(&self, handler: &Handler) -> Vec<ScheduleView> {
        let Revision { tenant, handler: name, schedules, .. } = &*handler.stable;
        let view = |schedule: &Schedule| {
            let next = iter::successors(schedule.next_after(Timestamp::now()), |at| schedule.next_after(*at));
            let last = self.host.last_runs.last(tenant, name, &schedule.name);
            ScheduleView {
                name: schedule.name.to_string(),
                cron: schedule.cron.to_string(),
                timezone: schedule.timezone.to_string(),
                next: next.take(NEXT_RUNS).map(|at| at.to_string()).collect(),
                last: last.map(|last| LastRunView {
                    at: last.moment.to_string(),
                    state: last.state.to_owned(),
                    attempts: last.attempts,
                }),
            }
        };
        schedules.iter().map(view).collect()
    }

    fn serving(
        &self,
        handler: &Handler,
        revision: &Revision,
        calls: &HashMap<u32, u64>,
        now: u64,
    ) -> ServingView {
        let (state, until) = state(handler, revision.id, now);
        ServingView {
            revision: revision.id.0,
            state: state.to_owned(),
            percent: handler.share_of(revision.id).percent(),
            calls: calls.get(&revision.uid).copied().unwrap_or_default(),
            webhooks: revision.counters.webhooks(),
            failed: revision.counters.failures(),
            breaker: breaker_word(revision.breaker.state(self.host.now_ms())).to_owned(),
            until: until.map(clock::moment),
        }
    }

    fn canary(&self, handler: &Handler, release: &Release) -> Option<CanaryView> {
        let canary = release.canary.as_ref()?;
        let judged = self.judged.load();
        let name = (handler.stable.tenant.clone(), handler.stable.handler.clone());
        let (waits_for, judgement) = match judged.get(&name) {
            Some(judged) if judged.generation == release.generation => {
                (judged.waits_for.clone(), judged.judgement.clone())
            }
            _ => ("the first look at it".to_owned(), "not judged yet".to_owned()),
        };
        Some(CanaryView {
            revision: canary.revision.0,
            risk: canary.risk,
            reason: canary.reason.clone(),
            percent: canary.present().share.percent(),
            step: canary.step + 1,
            steps: canary.steps.len(),
            waits_for,
            judgement,
            started_at: clock::moment(canary.started_at),
        })
    }

    /// The URLs of the entries that a component with these exports answers.
    fn urls(&self, tenant: &TenantId, prefix: &str, exports: &[String]) -> Urls {
        let own = self.host.router.tenant(tenant.as_str()).and_then(|tenant| tenant.public_url.clone());
        let base = own.or_else(|| self.host.public_url.clone());
        let base = base.or_else(|| self.host.own_url.get().cloned()).unwrap_or_default();
        let url = |interface: &str, entry: &str| {
            let has = exports.iter().any(|export| export.contains(&format!("/{interface}@")));
            has.then(|| format!("{base}{prefix}/{entry}"))
        };
        Urls {
            voice: url("voice", "voice"),
            sms: url("messaging", "sms"),
            status: url("events", "status"),
            web: url("incoming-handler", "web"),
        }
    }
}

/// What happens next with a revision, for people.
fn next(release: &Release, revision: RevisionId) -> String {
    match &release.canary {
        Some(canary) if canary.revision == revision => {
            let share = canary.present().share;
            match canary.present().ends {
                StepEnd::Promote => format!("takes {share} of new calls until `hookswitch promote`"),
                StepEnd::After { calls, bake_ms } => format!(
                    "takes {share} of new calls; goes on by itself after {calls} calls or {} min without a raised failure \
                     rate, and is taken back where that stands out",
                    bake_ms.div_ceil(60_000)
                ),
            }
        }
        _ if release.stable == revision => {
            "takes all new calls; calls in progress stay where they are".to_owned()
        }
        _ => "takes no new calls".to_owned(),
    }
}

/// What a promote or a rollback changed, for people.
pub(super) fn happened(before: Option<&Release>, after: &Release) -> String {
    let stable = after.stable;
    let now = format!("revision {stable} takes all new calls");
    let Some(before) = before else { return now };
    let was = match &before.canary {
        None if before.stable == stable => return format!("{now} already"),
        None => format!("was: revision {}", before.stable),
        Some(canary) => {
            let share = canary.present().share;
            if before.stable == stable {
                format!("canary {}, which took {share}, was taken back", canary.revision)
            } else {
                format!("was: revision {}, with {share} for canary {}", before.stable, canary.revision)
            }
        }
    };
    format!("{now} ({was})")
}

/// The state of a revision that no call can be on any more.
const KEPT: &str = "kept";

/// What a revision is to its handler, and until when its calls are kept on it where it takes no new ones.
fn state(handler: &Handler, revision: RevisionId, now: u64) -> (&'static str, Option<u64>) {
    if handler.stable.id == revision {
        return ("stable", None);
    }
    if handler.canary.as_ref().is_some_and(|canary| canary.revision.id == revision) {
        return ("canary", None);
    }
    let retired_at = handler.revisions.get(&revision).and_then(|revision| revision.retired_at());
    match retired_at.map(|at| at.saturating_add(PINNED_MS)).filter(|until| *until > now) {
        Some(until) => ("draining", Some(until)),
        None => (KEPT, None),
    }
}

pub(super) fn revision(
    mut record: RevisionRecord,
    handler: &Handler,
    calls: &HashMap<u32, u64>,
) -> RevisionView {
    record.settings.secrets.values_mut().for_each(|grant| grant.sealed.clear());
    let (state, until) = state(handler, record.id, clock::unix_ms());
    let uid = handler.revisions.get(&record.id).map(|revision| revision.uid);
    RevisionView {
        revision: record.id.0,
        digest: record.digest.to_string(),
        bytes: record.component_bytes,
        state: state.to_owned(),
        calls: uid.and_then(|uid| calls.get(&uid).copied()).unwrap_or_default(),
        until: until.map(clock::moment),
        risk: record.risk,
        reason: record.risk_reason,
        created_at: clock::moment(record.created_at),
        created_by: record.created_by,
        settings: record.settings,
    }
}

fn history_line(event: ReleaseEvent) -> HistoryView {
    HistoryView {
        at: clock::moment(event.at),
        change: event.change,
        revision: event.revision.0,
        by: event.by,
        reason: event.reason,
    }
}

/// The word for a change in logs and metrics.
pub(super) fn change_word(change: ReleaseChange) -> &'static str {
    match change {
        ReleaseChange::Released => "released",
        ReleaseChange::CanaryStarted => "canary_started",
        ReleaseChange::CanaryStepped => "canary_stepped",
        ReleaseChange::Promoted => "promoted",
        ReleaseChange::RolledBack => "rolled_back",
        ReleaseChange::TakenBack => "taken_back",
    }
}

fn breaker_word(state: breaker::State) -> &'static str {
    match state {
        breaker::State::Closed => "closed",
        breaker::State::Open { .. } => "open",
        breaker::State::Probing => "probing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::ReleaseRisk;
    use crate::release::plan::{ReleaseRules, Start, plan};
    use crate::release::risk::Assessment;

    #[test]
    fn a_promote_and_a_rollback_say_who_takes_calls_now_and_who_did() {
        let deploy = |present: Option<&Release>, revision, risk| {
            let assessment = Assessment { risk, reason: "why".into(), changes: Vec::new() };
            let steps = plan(risk, &ReleaseRules::default(), Start::ByRisk);
            Release::deploy(present, RevisionId(revision), &assessment, steps, "ann", 1).unwrap().0
        };
        let first = deploy(None, 1, ReleaseRisk::Code);
        let canary = deploy(Some(&first), 2, ReleaseRisk::Code);
        let promoted = canary.promote("ann", "", 2).unwrap().0;
        let back = |release: &Release, to: Option<u32>| {
            release.rollback(to.map(RevisionId), "ann", 3).unwrap().unwrap().0
        };
        for (before, after, said) in [
            (
                Some(&canary),
                &promoted,
                "revision 2 takes all new calls (was: revision 1, with 10 % for canary 2)",
            ),
            (Some(&promoted), &back(&promoted, None), "revision 1 takes all new calls (was: revision 2)"),
            (
                Some(&canary),
                &back(&canary, None),
                "revision 1 takes all new calls (canary 2, which took 10 %, was taken back)",
            ),
            (Some(&promoted), &promoted, "revision 2 takes all new calls already"),
            (None, &promoted, "revision 2 takes all new calls"),
        ] {
            assert_eq!(happened(before, after), said);
        }
    }
}
