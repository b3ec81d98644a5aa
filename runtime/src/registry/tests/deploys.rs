use super::*;

#[test]
fn the_same_component_and_settings_are_the_same_revision() {
    let (_folder, registry) = Folder::with_tenant();
    let first = registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap();
    let again = registry.deploy(&revision("acme", "ivr", "a"), |context| {
        assert!(context.known);
        assert_eq!((context.revision, context.adds_bytes), (RevisionId(1), 0));
        Ok::<_, RegistryError>(decision(None))
    });
    let again = again.unwrap();
    assert_eq!((first.known, again.known), (false, true));
    assert_eq!((again.revision, again.handler), (first.revision, first.handler));

    let mut greeting = revision("acme", "ivr", "a");
    greeting.settings.config.insert("greeting".into(), "Hello".into());
    assert_eq!(registry.deploy(&greeting, at_once).unwrap().revision.id, RevisionId(2));
    assert_eq!(registry.deploy(&greeting, at_once).unwrap().revision.id, RevisionId(2));
    let mut limits = revision("acme", "ivr", "a");
    limits.settings.limits.cpu_ms += 1;
    assert_eq!(registry.deploy(&limits, at_once).unwrap().revision.id, RevisionId(3));
    assert_eq!(registry.deploy(&revision("acme", "sms", "a"), at_once).unwrap().revision.id, RevisionId(1));
    assert_eq!(registry.revisions(&id("acme"), &name("ivr")).unwrap().len(), 3);
}

#[test]
fn a_deploy_comes_back_as_it_was_written() {
    let (folder, registry) = Folder::with_tenant();
    let mut new = revision("acme", "ivr", "a");
    new.settings.fallback = Some("<Response/>".into());
    new.settings.outbound_allow = vec!["https://api.example.com".into()];
    let outcome = registry.deploy(&new, at_once).unwrap();
    drop(registry);
    let registry = folder.open().unwrap();
    let found = registry.revision(&id("acme"), &name("ivr"), RevisionId(1)).unwrap().unwrap();
    assert_eq!(found, outcome.revision);
    assert_eq!((found.settings, found.imports, found.exports), (new.settings, new.imports, new.exports));
    assert_eq!((found.digest, found.created_by, found.risk), (new.digest, new.by, ReleaseRisk::Code));
    assert_eq!(registry.handler(&id("acme"), &name("ivr")).unwrap().unwrap(), outcome.handler);
    let history = registry.history(&id("acme"), &name("ivr"), 10).unwrap();
    assert_eq!(history, [event(ReleaseChange::Released, RevisionId(1), NOW)]);
}

#[test]
fn a_refusal_undoes_the_deploy_and_gives_back_no_number() {
    let (_folder, registry) = Folder::with_tenant();
    registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap();
    let refused = registry
        .deploy(&revision("acme", "ivr", "b"), |_| Err(RegistryError::Invalid("over the quota".into())));
    assert_eq!(refused.unwrap_err().to_string(), "over the quota");
    assert_eq!(registry.revisions(&id("acme"), &name("ivr")).unwrap().len(), 1);
    assert_eq!(registry.deploy(&revision("acme", "ivr", "c"), at_once).unwrap().revision.id, RevisionId(2));
}

#[test]
fn a_panic_in_the_decision_undoes_the_deploy_and_the_registry_goes_on() {
    let (_folder, registry) = Folder::with_tenant();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        registry.deploy(&revision("acme", "ivr", "a"), |_| -> Result<Decision, RegistryError> { panic!("!") })
    }));
    assert!(panicked.is_err());
    assert_eq!(registry.deploy(&revision("acme", "ivr", "b"), at_once).unwrap().revision.id, RevisionId(1));
}

#[test]
fn a_release_must_follow_the_one_in_force() {
    let (_folder, registry) = Folder::with_tenant();
    registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap();
    registry.deploy(&revision("acme", "ivr", "b"), at_once).unwrap();
    let release = |generation, stable| Release {
        generation,
        stable: RevisionId(stable),
        previous: Some(RevisionId(2)),
        canary: None,
    };
    let own_canary = Release { canary: Some(canary(RevisionId(1))), ..release(3, 1) };
    let no_step = Release { canary: Some(Canary { step: 1, ..canary(RevisionId(2)) }), ..release(3, 1) };
    for (case, release, expected) in [
        ("the same generation", release(2, 1), "the release is at generation 2, and this change would be 2"),
        ("one left out", release(4, 1), "would be 4"),
        ("unknown revision", release(3, 9), "ivr has no revision 9; `hookswitch revisions ivr` lists them"),
        ("its own canary", own_canary, "revision 1 can't be its own canary"),
        ("no such step", no_step, "a canary of 1 steps can't be on step 1"),
    ] {
        let changed: Result<_, RegistryError> =
            registry.change_release(&id("acme"), &name("ivr"), |present, _| {
                assert_eq!(present.release.generation, 2, "{case}");
                Ok((release, event(ReleaseChange::RolledBack, RevisionId(1), NOW)))
            });
        let error = changed.unwrap_err();
        assert!(error.to_string().contains(expected), "{case}: {error}");
        assert!(!error.is_unavailable(), "{case}");
        assert_eq!(matches!(error, RegistryError::NotFound(_)), case == "unknown revision", "{case}");
    }
    assert_eq!(registry.history(&id("acme"), &name("ivr"), 10).unwrap().len(), 2);
}

#[test]
fn a_change_of_release_sees_the_handlers_revisions() {
    let (_folder, registry) = Folder::with_tenant();
    registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap();
    registry.deploy(&revision("acme", "ivr", "b"), as_canary).unwrap();
    registry.deploy(&revision("acme", "other", "c"), at_once).unwrap();
    let promoted = registry.change_release(&id("acme"), &name("ivr"), |present, revision| {
        let canary = present.release.canary.as_ref().unwrap().revision;
        assert_eq!(revision(canary).unwrap().digest, Digest::of(b"b"));
        assert!(revision(RevisionId(3)).is_none());
        let release = Release {
            generation: present.release.generation + 1,
            stable: canary,
            previous: Some(present.release.stable),
            canary: None,
        };
        Ok::<_, RegistryError>((release, event(ReleaseChange::Promoted, canary, NOW + 5)))
    });
    let promoted = promoted.unwrap();
    assert_eq!(promoted.handler.release.stable, RevisionId(2));
    assert_eq!(
        promoted.in_force,
        registry.revision(&id("acme"), &name("ivr"), RevisionId(2)).unwrap().as_slice()
    );
    let retired: Vec<_> =
        registry.revisions(&id("acme"), &name("ivr")).unwrap().iter().map(|r| r.retired_at).collect();
    assert_eq!(retired, [None, Some(NOW + 5)]);
}

#[test]
fn deploys_at_the_same_moment_get_numbers_without_gaps() {
    let (folder, registry) = Folder::with_tenant();
    // Two registries on one folder, as while one host takes over from another.
    let other = folder.open().unwrap();
    let mut numbers: Vec<u32> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let registry = if thread % 2 == 0 { &registry } else { &other };
                scope.spawn(move || {
                    let deploy = |n| {
                        let new = revision("acme", "ivr", &format!("{thread}.{n}"));
                        registry.deploy(&new, at_once).unwrap().revision.id.0
                    };
                    (0..10).map(deploy).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=80).collect::<Vec<_>>());
    let handler = registry.handler(&id("acme"), &name("ivr")).unwrap().unwrap();
    assert_eq!(handler.release.generation, 80);
}

#[test]
fn a_number_does_not_come_again_while_links_may_name_it() {
    let (_folder, registry) = Folder::with_tenant();
    let (acme, ivr) = (id("acme"), name("ivr"));
    registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap();
    registry.delete_handler(&acme, &ivr, NOW).unwrap();
    assert!(registry.handler(&acme, &ivr).unwrap().is_none());
    assert_eq!(registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap().revision.id, RevisionId(2));

    registry.delete_handler(&acme, &ivr, NOW).unwrap();
    registry.delete_tenant(&acme, NOW).unwrap();
    registry.create_tenant(&tenant("acme")).unwrap();
    registry.prune(NOW + PINNED_MS - 1, 1).unwrap();
    assert_eq!(registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap().revision.id, RevisionId(3));

    registry.delete_handler(&acme, &ivr, NOW).unwrap();
    registry.prune(NOW + PINNED_MS, 1).unwrap();
    assert_eq!(registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap().revision.id, RevisionId(1));
}

#[test]
fn pruning_keeps_what_calls_or_a_rollback_may_need() {
    let (_folder, registry) = Folder::with_tenant();
    for n in 1..=6 {
        registry.deploy(&revision("acme", "ivr", &n.to_string()), at_once).unwrap();
    }
    registry.deploy(&revision("acme", "sms", "2"), at_once).unwrap();
    let numbers = || -> Vec<u32> {
        registry.revisions(&id("acme"), &name("ivr")).unwrap().iter().map(|r| r.id.0).collect()
    };
    assert!(registry.prune(NOW + PINNED_MS - 1, 1).unwrap().is_empty());
    assert_eq!(numbers(), [6, 5, 4, 3, 2, 1]);
    // 6 is in force and 5 is what a rollback goes back to.
    let mut unused = registry.prune(NOW + PINNED_MS, 1).unwrap();
    unused.sort_unstable();
    assert_eq!(numbers(), [6, 5]);
    // The component of revision 2 is also that of another handler.
    let mut expected = ["1", "3", "4"].map(|content| Digest::of(content.as_bytes()));
    expected.sort_unstable();
    assert_eq!(unused, expected);
    assert_eq!(registry.digests_in_use().unwrap().len(), 3);
    assert_eq!(registry.deploy(&revision("acme", "ivr", "1"), at_once).unwrap().revision.id, RevisionId(7));
}
