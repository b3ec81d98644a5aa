//! Whatever is done in whatever order, the records agree with each other.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Action {
    /// Of one of a few contents, so that some come again.
    Deploy(u8),
    Canary(u8),
    Promote,
    /// Back to the stable revision, or to an earlier one.
    Rollback(Option<u8>),
    /// Decided on what was in force before.
    Stale,
    Prune(u8),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        4 => (0..6_u8).prop_map(Action::Deploy),
        4 => (0..6_u8).prop_map(Action::Canary),
        3 => Just(Action::Promote),
        3 => proptest::option::of(0..8_u8).prop_map(Action::Rollback),
        1 => Just(Action::Stale),
        1 => (1..4_u8).prop_map(Action::Prune),
    ];
    proptest::collection::vec(action, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn generations_and_retirements_agree_after_any_order_of_changes(actions in actions()) {
        let (_folder, registry) = Folder::with_tenant();
        let mut model = Model::default();
        for (n, action) in actions.iter().enumerate() {
            model.now = NOW + n as u64 * 1_000_000;
            model.act(&registry, *action);
            model.agrees(&registry);
        }
    }
}

#[derive(Default)]
struct Model {
    now: u64,
    release: Option<Release>,
    /// When each revision stopped to take new calls.
    retired: BTreeMap<u32, Option<u64>>,
    /// Which revision each content became.
    contents: BTreeMap<u8, u32>,
    last: u32,
    changes: usize,
}

fn takes(release: Option<&Release>, id: u32) -> bool {
    release.is_some_and(|release| {
        release.stable.0 == id || release.canary.as_ref().is_some_and(|canary| canary.revision.0 == id)
    })
}

impl Model {
    fn act(&mut self, registry: &Registry, action: Action) {
        match action {
            Action::Deploy(content) => self.deploy(registry, content, false),
            Action::Canary(content) => self.deploy(registry, content, true),
            Action::Promote => self.change(registry, |release| {
                let canary = release.canary.take()?;
                release.previous = Some(release.stable);
                release.stable = canary.revision;
                Some(())
            }),
            Action::Rollback(None) => self.change(registry, |release| release.canary.take().map(drop)),
            Action::Rollback(Some(to)) => {
                let kept: Vec<u32> = self.retired.keys().copied().collect();
                self.change(registry, |release| {
                    let to = RevisionId(*kept.get(usize::from(to))?);
                    release.canary = None;
                    release.previous = Some(release.stable);
                    release.stable = to;
                    Some(())
                });
            }
            Action::Stale => {
                let changed: Result<_, RegistryError> =
                    registry.change_release(&id("acme"), &name("ivr"), |present, _| {
                        let release = present.release.clone();
                        Ok((release, event(ReleaseChange::Promoted, RevisionId(1), NOW)))
                    });
                assert!(changed.is_err());
            }
            Action::Prune(keep) => {
                registry.prune(self.now, keep.into()).unwrap();
                let kept = registry.revisions(&id("acme"), &name("ivr")).unwrap();
                let gone = |id: &u32| kept.iter().all(|revision| revision.id.0 != *id);
                let newest: Vec<u32> = self.retired.keys().rev().take(keep.into()).copied().collect();
                for id in self.retired.keys().filter(|id| gone(id)) {
                    let previous = self.release.as_ref().and_then(|release| release.previous);
                    assert!(!takes(self.release.as_ref(), *id) && previous != Some(RevisionId(*id)));
                    assert!(!newest.contains(id));
                    assert!(self.retired[id].is_none_or(|at| at + PINNED_MS <= self.now));
                }
                self.contents.retain(|_, id| !gone(id));
                self.retired.retain(|id, _| !gone(id));
            }
        }
    }

    fn deploy(&mut self, registry: &Registry, content: u8, trial: bool) {
        let new = revision("acme", "ivr", &content.to_string());
        let now = self.now;
        let outcome = registry.deploy(&new, |context| {
            let decision = if trial { as_canary(context)? } else { at_once(context)? };
            Ok::<_, RegistryError>(match decision.release {
                // Already in force: nothing to change.
                Some((release, _))
                    if release.canary.as_ref().is_some_and(|c| c.revision == release.stable) =>
                {
                    self::decision(None)
                }
                Some((release, event)) => self::decision(Some((release, ReleaseEvent { at: now, ..event }))),
                None => decision,
            })
        });
        let outcome = outcome.unwrap();
        let known = self.contents.get(&content).copied();
        assert_eq!(outcome.known, known.is_some());
        let expected = known.unwrap_or(self.last + 1);
        assert_eq!(outcome.revision.id.0, expected);
        self.last = self.last.max(expected);
        self.contents.insert(content, expected);
        self.retired.entry(expected).or_insert(None);
        self.released(outcome.handler.release);
    }

    fn change(&mut self, registry: &Registry, decide: impl FnOnce(&mut Release) -> Option<()>) {
        let now = self.now;
        let changed: Result<_, RegistryError> =
            registry.change_release(&id("acme"), &name("ivr"), |present, revision| {
                let mut release = present.release.clone();
                release.generation += 1;
                decide(&mut release).ok_or_else(|| RegistryError::Conflict("nothing to do".into()))?;
                assert!(revision(release.stable).is_some());
                let event = event(ReleaseChange::Promoted, release.stable, now);
                Ok((release, event))
            });
        if let Ok(ChangeOutcome { handler, in_force }) = changed {
            let canary = handler.release.canary.as_ref().map(|canary| canary.revision);
            let expected: Vec<_> = [Some(handler.release.stable), canary].into_iter().flatten().collect();
            assert_eq!(in_force.iter().map(|revision| revision.id).collect::<Vec<_>>(), expected);
            assert!(in_force.iter().all(|revision| revision.retired_at.is_none()));
            self.released(handler.release);
        }
    }

    fn released(&mut self, release: Release) {
        let generation = self.release.as_ref().map_or(0, |release| release.generation);
        if release.generation == generation {
            return;
        }
        assert_eq!(release.generation, generation + 1);
        for (id, retired) in &mut self.retired {
            match (takes(self.release.as_ref(), *id), takes(Some(&release), *id)) {
                (_, true) => *retired = None,
                (true, false) => *retired = Some(self.now),
                (false, false) => {}
            }
        }
        self.changes += 1;
        self.release = Some(release);
    }

    fn agrees(&self, registry: &Registry) {
        let handler = registry.handler(&id("acme"), &name("ivr")).unwrap();
        assert_eq!(handler.map(|handler| handler.release), self.release);
        let revisions = registry.revisions(&id("acme"), &name("ivr")).unwrap();
        let retired: BTreeMap<_, _> = revisions.iter().map(|r| (r.id.0, r.retired_at)).collect();
        assert_eq!(retired, self.retired);
        assert_eq!(registry.history(&id("acme"), &name("ivr"), 99).unwrap().len(), self.changes);
        let serving = registry.everything(self.now).unwrap().revisions;
        for revision in &revisions {
            let previous = self.release.as_ref().and_then(|release| release.previous);
            let expected = takes(self.release.as_ref(), revision.id.0)
                || revision.retired_at.is_some_and(|at| at > self.now - PINNED_MS)
                || previous == Some(revision.id);
            assert_eq!(serving.contains(revision), expected, "revision {}", revision.id);
        }
        let ids: Vec<_> = serving.iter().map(|revision| revision.id).collect();
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len());
    }
}
