//! Every change that a release can go through, as a pure function: the release before, what is wanted, the release after.
//!
//! A release has one stable revision and at most one canary, so its shares are 100 % together whatever happens. Each
//! change raises the generation by one and gives the line of history that goes with it; whoever keeps releases refuses a
//! change whose generation is not one above what it has, and so two people can't undo each other unseen. Asking for what
//! is already so gives no change and no error: a command that was repeated because its answer was lost does nothing twice.
//!
//! Whether a revision exists, and whether it is loaded, is the caller's to know.

use super::risk::Assessment;
use super::{Canary, Release, ReleaseChange, ReleaseEvent, Share, Step};
use crate::call::RevisionId;

/// The release after a change, and its line of history.
pub type Changed = (Release, ReleaseEvent);

/// Who makes changes that nobody asked for.
pub const HOST: &str = "host";

/// A change that does not fit what is in force.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Nothing is on trial.
    #[error("there is no canary: revision {stable} takes all new calls. `hookswitch deploy` begins one")]
    NoCanary {
        /// What is in force.
        stable: RevisionId,
    },
    /// The canary has no step left.
    #[error("canary {canary} is on its last step, {share} of new calls; `promote` gives it all")]
    LastStep {
        /// Which.
        canary: RevisionId,
        /// Its share.
        share: Share,
    },
    /// Nothing is known to go back to.
    #[error(
        "no revision was in force before {stable}, or it was itself gone back to; name one: `hookswitch rollback --to N` \
         (`hookswitch revisions` lists them)"
    )]
    NoPrevious {
        /// What is in force.
        stable: RevisionId,
    },
    /// It was asked of another one.
    #[error(
        "what is in force changed meanwhile: it is generation {present}, the change was asked of {asked}; look with \
         `hookswitch status` and ask again"
    )]
    OtherGeneration {
        /// In force.
        present: u64,
        /// What was seen.
        asked: u64,
    },
    /// It is ahead, not behind.
    #[error(
        "revision {canary} is the canary; `promote` gives it all new calls, `rollback` without a number takes it back"
    )]
    IsCanary {
        /// Which.
        canary: RevisionId,
    },
}

impl Release {
    /// A revision was deployed: `assessment` against the stable revision, `steps` as planned (none: all new calls at once).
    ///
    /// - The first revision of a handler takes all calls, whatever the steps: nobody else is there to take the rest.
    /// - While a canary is on, the new revision replaces it; the stable one stays.
    /// - Deploying the stable revision again takes the canary back, and changes nothing where none is on.
    /// - Deploying the canary again with the same steps changes nothing; with others it begins anew with those, with none
    ///   it takes all calls.
    #[must_use]
    pub fn deploy(
        present: Option<&Self>,
        revision: RevisionId,
        assessment: &Assessment,
        steps: Vec<Step>,
        by: &str,
        now_ms: u64,
    ) -> Option<Changed> {
        let reason = &assessment.reason;
        let Some(present) = present else {
            let release = Self { generation: 1, stable: revision, previous: None, canary: None };
            return Some((release, event(ReleaseChange::Released, revision, by, reason.clone(), now_ms)));
        };
        let replaced = match &present.canary {
            Some(canary) if revision == present.stable => {
                let reason = format!("revision {revision}, which is stable, was deployed again");
                return Some(present.without_canary(
                    ReleaseChange::RolledBack,
                    canary.revision,
                    by,
                    reason,
                    now_ms,
                ));
            }
            None if revision == present.stable => return None,
            Some(canary) if revision == canary.revision && steps == canary.steps => return None,
            Some(canary) if revision != canary.revision => format!("; ends canary {}", canary.revision),
            _ => String::new(),
        };
        let Some(first) = steps.first() else {
            let reason = format!("{reason}; takes all new calls at once{replaced}");
            return Some(present.with_stable(ReleaseChange::Released, revision, by, reason, now_ms));
        };
        let event_reason = format!("{reason}; begins with {} of new calls{replaced}", first.share);
        let canary = Canary {
            revision,
            risk: assessment.risk,
            reason: reason.clone(),
            steps,
            step: 0,
            started_at: now_ms,
            step_started_at: now_ms,
        };
        let release = Self { generation: present.generation + 1, canary: Some(canary), ..present.clone() };
        Some((release, event(ReleaseChange::CanaryStarted, revision, by, event_reason, now_ms)))
    }

    /// Whether it is the one that a change was asked of; none asks of any.
    ///
    /// # Errors
    /// [`ChangeError::OtherGeneration`].
    pub fn is_at(&self, generation: Option<u64>) -> Result<(), ChangeError> {
        match generation {
            Some(asked) if asked != self.generation => {
                Err(ChangeError::OtherGeneration { present: self.generation, asked })
            }
            _ => Ok(()),
        }
    }

    /// The canary takes its next share; `why` the present one ended.
    ///
    /// # Errors
    /// [`ChangeError::NoCanary`], [`ChangeError::LastStep`].
    pub fn step(&self, by: &str, why: &str, now_ms: u64) -> Result<Changed, ChangeError> {
        let canary = self.canary()?;
        let Some(next) = canary.following() else {
            return Err(ChangeError::LastStep { canary: canary.revision, share: canary.present().share });
        };
        let reason = format!("{why}; takes {} of new calls", next.share);
        let event = event(ReleaseChange::CanaryStepped, canary.revision, by, reason, now_ms);
        let canary = Canary { step: canary.step + 1, step_started_at: now_ms, ..canary.clone() };
        Ok((Self { generation: self.generation + 1, canary: Some(canary), ..self.clone() }, event))
    }

    /// The canary becomes the stable revision and takes all new calls, whatever step it was on: who promotes has seen
    /// enough. Single steps are the host's to take.
    ///
    /// # Errors
    /// [`ChangeError::NoCanary`].
    pub fn promote(&self, by: &str, why: &str, now_ms: u64) -> Result<Changed, ChangeError> {
        let revision = self.canary()?.revision;
        Ok(self.with_stable(ReleaseChange::Promoted, revision, by, why.to_owned(), now_ms))
    }

    /// Goes back. Without a number: takes the canary back where one is on, otherwise puts `previous` in force. With one:
    /// puts that revision in force and ends any canary.
    ///
    /// A rollback leaves no `previous` behind: the revision that was just gone back from would be a strange thing to go
    /// "back" to, and a command that is sent twice would put it in force again.
    ///
    /// # Errors
    /// [`ChangeError::NoPrevious`], [`ChangeError::IsCanary`].
    pub fn rollback(
        &self,
        to: Option<RevisionId>,
        by: &str,
        now_ms: u64,
    ) -> Result<Option<Changed>, ChangeError> {
        let taken_back = |canary: &Canary| {
            let reason = format!("canary taken back; revision {} takes all new calls", self.stable);
            self.without_canary(ReleaseChange::RolledBack, canary.revision, by, reason, now_ms)
        };
        let to = match (to, &self.canary) {
            (None, Some(canary)) => return Ok(Some(taken_back(canary))),
            (Some(to), Some(canary)) if to == self.stable => return Ok(Some(taken_back(canary))),
            (Some(to), None) if to == self.stable => return Ok(None),
            (Some(to), Some(canary)) if to == canary.revision => {
                return Err(ChangeError::IsCanary { canary: canary.revision });
            }
            (Some(to), _) => to,
            (None, None) => self.previous.ok_or(ChangeError::NoPrevious { stable: self.stable })?,
        };
        let ended = self
            .canary
            .as_ref()
            .map_or_else(String::new, |canary| format!("; ends canary {}", canary.revision));
        let reason = format!("from revision {} back to {to}{ended}", self.stable);
        let (mut release, event) = self.with_stable(ReleaseChange::RolledBack, to, by, reason, now_ms);
        release.previous = None;
        Ok(Some((release, event)))
    }

    /// The host takes the canary back; `why`, in the words of the judge.
    ///
    /// # Errors
    /// [`ChangeError::NoCanary`].
    pub fn take_back(&self, why: &str, now_ms: u64) -> Result<Changed, ChangeError> {
        let revision = self.canary()?.revision;
        Ok(self.without_canary(ReleaseChange::TakenBack, revision, HOST, why.to_owned(), now_ms))
    }

    /// The canary of the release `before` this one that neither goes on nor became the stable revision.
    #[must_use]
    pub fn ended_canary(&self, before: Option<&Self>) -> Option<RevisionId> {
        let was = before?.canary.as_ref()?.revision;
        let goes_on = self.canary.as_ref().is_some_and(|canary| canary.revision == was);
        (!goes_on && was != self.stable).then_some(was)
    }

    fn canary(&self) -> Result<&Canary, ChangeError> {
        self.canary.as_ref().ok_or(ChangeError::NoCanary { stable: self.stable })
    }

    /// All new calls to `stable`; the one that had them is `previous`.
    fn with_stable(
        &self,
        change: ReleaseChange,
        stable: RevisionId,
        by: &str,
        reason: String,
        now_ms: u64,
    ) -> Changed {
        let release =
            Self { generation: self.generation + 1, stable, previous: Some(self.stable), canary: None };
        (release, event(change, stable, by, reason, now_ms))
    }

    fn without_canary(
        &self,
        change: ReleaseChange,
        canary: RevisionId,
        by: &str,
        reason: String,
        now_ms: u64,
    ) -> Changed {
        let release = Self { generation: self.generation + 1, canary: None, ..self.clone() };
        (release, event(change, canary, by, reason, now_ms))
    }
}

fn event(change: ReleaseChange, revision: RevisionId, by: &str, reason: String, at: u64) -> ReleaseEvent {
    ReleaseEvent { at, change, revision, by: by.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::release::ReleaseRisk;
    use crate::release::plan::{ReleaseRules, Start, plan};

    const ONE: RevisionId = RevisionId(1);
    const TWO: RevisionId = RevisionId(2);
    const THREE: RevisionId = RevisionId(3);

    fn assessment(risk: ReleaseRisk) -> Assessment {
        Assessment { risk, reason: "code changed".into(), changes: Vec::new() }
    }

    fn deploy(present: Option<&Release>, revision: RevisionId, risk: ReleaseRisk) -> Option<Changed> {
        let steps = plan(risk, &ReleaseRules::default(), Start::ByRisk);
        Release::deploy(present, revision, &assessment(risk), steps, "ann", 7)
    }

    fn first() -> Release {
        deploy(None, ONE, ReleaseRisk::Contract).unwrap().0
    }

    /// `(generation, stable, previous, canary)`.
    fn brief(release: &Release) -> (u64, u32, Option<u32>, Option<u32>) {
        let canary = release.canary.as_ref().map(|canary| canary.revision.0);
        (release.generation, release.stable.0, release.previous.map(|id| id.0), canary)
    }

    #[test]
    fn the_first_revision_takes_all_calls_whatever_its_risk() {
        let (release, event) = deploy(None, ONE, ReleaseRisk::Contract).unwrap();
        assert_eq!(brief(&release), (1, 1, None, None));
        assert_eq!(
            (event.change, event.revision, event.by.as_str(), event.at),
            (ReleaseChange::Released, ONE, "ann", 7)
        );
        assert_eq!(release.share(ONE), Share::ALL);
    }

    #[test]
    fn words_take_all_calls_at_once_and_code_a_few() {
        let (words, event) = deploy(Some(&first()), TWO, ReleaseRisk::Content).unwrap();
        assert_eq!((brief(&words), event.change), ((2, 2, Some(1), None), ReleaseChange::Released));
        let (code, event) = deploy(Some(&first()), TWO, ReleaseRisk::Code).unwrap();
        assert_eq!((brief(&code), event.change), ((2, 1, None, Some(2)), ReleaseChange::CanaryStarted));
        assert_eq!(event.reason, "code changed; begins with 10 % of new calls");
        assert_eq!(
            (code.share(ONE), code.share(TWO), code.share(THREE)),
            (Share(9_000), Share(1_000), Share::NONE)
        );
    }

    #[test]
    fn a_deploy_during_a_canary_replaces_the_canary_and_never_the_stable_one() {
        let (two, _) = deploy(Some(&first()), TWO, ReleaseRisk::Code).unwrap();
        let (three, event) = deploy(Some(&two), THREE, ReleaseRisk::Contract).unwrap();
        assert_eq!(brief(&three), (3, 1, None, Some(3)));
        assert_eq!(event.reason, "code changed; begins with 1 % of new calls; ends canary 2");
        assert_eq!(three.ended_canary(Some(&two)), Some(TWO));

        assert_eq!(deploy(Some(&two), TWO, ReleaseRisk::Code), None, "the canary again");
        let (wider, event) = deploy(Some(&two), TWO, ReleaseRisk::Contract).unwrap();
        assert_eq!((brief(&wider), wider.share(TWO)), ((3, 1, None, Some(2)), Share(100)));
        assert_eq!(event.reason, "code changed; begins with 1 % of new calls");
        let (all, event) = deploy(Some(&two), TWO, ReleaseRisk::Content).unwrap();
        assert_eq!((brief(&all), event.change), ((3, 2, Some(1), None), ReleaseChange::Released));

        assert_eq!((wider.ended_canary(Some(&two)), all.ended_canary(Some(&two))), (None, None));
        assert_eq!(all.ended_canary(None), None);

        let (ended, event) = deploy(Some(&two), ONE, ReleaseRisk::Content).unwrap();
        assert_eq!(ended.ended_canary(Some(&two)), Some(TWO));
        assert_eq!(
            (brief(&ended), event.change, event.revision),
            ((3, 1, None, None), ReleaseChange::RolledBack, TWO)
        );
        assert_eq!(deploy(Some(&ended), ONE, ReleaseRisk::Contract), None, "the stable one again");
    }

    #[test]
    fn the_host_takes_steps_and_a_person_promotes_from_any_of_them() {
        let (canary, _) = deploy(Some(&first()), TWO, ReleaseRisk::Contract).unwrap();
        let (next, event) = canary.step(HOST, "100 calls, none failed", 50).unwrap();
        assert_eq!(
            (next.generation, next.share(TWO), event.change),
            (3, Share(1_000), ReleaseChange::CanaryStepped)
        );
        assert_eq!(event.reason, "100 calls, none failed; takes 10 % of new calls");
        let on_trial = next.canary.clone().unwrap();
        assert_eq!((on_trial.started_at, on_trial.step_started_at), (7, 50));

        let (promoted, event) = next.promote("ann", "asked for", 60).unwrap();
        assert_eq!((brief(&promoted), event.change), ((4, 2, Some(1), None), ReleaseChange::Promoted));

        let (last, _) = next.step(HOST, "", 70).unwrap();
        assert_eq!(last.step(HOST, "", 80), Err(ChangeError::LastStep { canary: TWO, share: Share(5_000) }));
        for refused in [promoted.step(HOST, "", 1), promoted.promote("ann", "", 1), promoted.take_back("", 1)]
        {
            assert_eq!(refused, Err(ChangeError::NoCanary { stable: TWO }));
        }
    }

    #[test]
    fn a_rollback_ends_the_canary_first_and_then_goes_back_once() {
        let (two, _) = deploy(Some(&first()), TWO, ReleaseRisk::Content).unwrap();
        let (three, _) = deploy(Some(&two), THREE, ReleaseRisk::Code).unwrap();
        let (ended, event) = three.rollback(None, "ann", 9).unwrap().unwrap();
        assert_eq!((brief(&ended), event.revision), ((4, 2, Some(1), None), THREE));
        let (back, event) = ended.rollback(None, "ann", 9).unwrap().unwrap();
        assert_eq!((brief(&back), event.revision), ((5, 1, None, None), ONE));
        assert_eq!(event.reason, "from revision 2 back to 1");
        assert_eq!(
            back.rollback(None, "ann", 9),
            Err(ChangeError::NoPrevious { stable: ONE }),
            "not forth again"
        );

        assert_eq!(back.rollback(Some(ONE), "ann", 9), Ok(None), "already there");
        assert_eq!(brief(&three.rollback(Some(TWO), "ann", 9).unwrap().unwrap().0), (4, 2, Some(1), None));
        assert_eq!(brief(&three.rollback(Some(ONE), "ann", 9).unwrap().unwrap().0), (4, 1, None, None));
        assert_eq!(three.rollback(Some(THREE), "ann", 9), Err(ChangeError::IsCanary { canary: THREE }));
    }

    #[test]
    fn a_change_may_be_bound_to_the_generation_that_was_seen() {
        let release = first();
        assert_eq!(release.is_at(None), Ok(()));
        assert_eq!(release.is_at(Some(1)), Ok(()));
        assert_eq!(release.is_at(Some(2)), Err(ChangeError::OtherGeneration { present: 1, asked: 2 }));
    }

    #[test]
    fn what_the_host_takes_back_says_why() {
        let (two, _) = deploy(Some(&first()), TWO, ReleaseRisk::Code).unwrap();
        let (back, event) = two.take_back("5 of 5 webhooks failed", 9).unwrap();
        assert_eq!(brief(&back), (3, 1, None, None));
        assert_eq!(
            (event.change, event.by.as_str(), event.reason.as_str()),
            (ReleaseChange::TakenBack, "host", "5 of 5 webhooks failed")
        );
    }

    #[derive(Debug, Clone)]
    enum Act {
        Deploy(u32, ReleaseRisk, Start),
        Step,
        Promote,
        Rollback(Option<u32>),
        TakeBack,
    }

    fn act() -> impl Strategy<Value = Act> {
        let risk =
            prop_oneof![Just(ReleaseRisk::Content), Just(ReleaseRisk::Code), Just(ReleaseRisk::Contract)];
        let start = prop_oneof![
            Just(Start::ByRisk),
            Just(Start::All),
            (1..=9_999_u16).prop_map(|share| Start::Share(Share(share)))
        ];
        prop_oneof![
            4 => (1..6_u32, risk, start).prop_map(|(revision, risk, start)| Act::Deploy(revision, risk, start)),
            2 => Just(Act::Step),
            1 => Just(Act::Promote),
            2 => proptest::option::of(1..6_u32).prop_map(Act::Rollback),
            1 => Just(Act::TakeBack),
        ]
    }

    proptest! {
        #[test]
        fn any_order_of_changes_leaves_shares_at_100_percent(acts in proptest::collection::vec(act(), 1..60)) {
            let mut deployed = vec![ONE];
            let mut release = first();
            for (now_ms, act) in (8..).zip(acts) {
                let changed = match &act {
                    Act::Deploy(revision, risk, start) => {
                        deployed.push(RevisionId(*revision));
                        let steps = plan(*risk, &ReleaseRules::default(), *start);
                        Release::deploy(Some(&release), RevisionId(*revision), &assessment(*risk), steps, "ann", now_ms)
                    }
                    Act::Step => release.step(HOST, "why", now_ms).ok(),
                    Act::Promote => release.promote("ann", "why", now_ms).ok(),
                    // Whether a revision exists is the caller's to know.
                    Act::Rollback(Some(to)) if !deployed.contains(&RevisionId(*to)) => None,
                    Act::Rollback(to) => release.rollback(to.map(RevisionId), "ann", now_ms).ok().flatten(),
                    Act::TakeBack => release.take_back("why", now_ms).ok(),
                };
                let Some((after, event)) = changed else { continue };
                prop_assert_eq!(after.generation, release.generation + 1);
                prop_assert_eq!(event.at, now_ms);
                prop_assert!(!event.reason.is_empty());
                prop_assert!(deployed.contains(&event.revision));
                prop_assert_ne!((after.stable, after.previous, &after.canary), (release.stable, release.previous, &release.canary));
                release = after;

                let total: u32 = (1..6).map(|id| u32::from(release.share(RevisionId(id)).0)).sum();
                prop_assert_eq!(total, 10_000);
                prop_assert!(deployed.contains(&release.stable));
                prop_assert_ne!(release.previous, Some(release.stable));
                if let Some(previous) = release.previous {
                    prop_assert!(deployed.contains(&previous));
                }
                if let Some(canary) = &release.canary {
                    prop_assert_ne!(canary.revision, release.stable);
                    prop_assert!(deployed.contains(&canary.revision));
                    prop_assert!(canary.step < canary.steps.len());
                    prop_assert!(canary.started_at <= canary.step_started_at && canary.step_started_at <= now_ms);
                }
                let kept = serde_json::to_string(&release).unwrap();
                prop_assert_eq!(serde_json::from_str::<Release>(&kept).unwrap(), release.clone());
            }
        }
    }
}
