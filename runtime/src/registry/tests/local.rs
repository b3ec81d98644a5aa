use super::super::{AppliedAs, LAST_KNOWN_FILE, PendingJournal, read_last_known, write_last_known};
use super::*;

fn rollback(generation: u64, stable: u32, at: u64) -> PendingChange {
    PendingChange {
        tenant: id("acme"),
        handler: name("ivr"),
        release: Release {
            generation,
            stable: RevisionId(stable),
            previous: Some(RevisionId(2)),
            canary: None,
        },
        event: event(ReleaseChange::RolledBack, RevisionId(stable), at),
    }
}

/// Revisions 1 and 2 of a handler, 2 in force.
fn two_revisions() -> (Folder, Registry) {
    let (folder, registry) = Folder::with_tenant();
    registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap();
    registry.deploy(&revision("acme", "ivr", "b"), at_once).unwrap();
    (folder, registry)
}

#[test]
fn the_last_known_copy_gives_back_everything() {
    let (folder, registry) = two_revisions();
    assert!(read_last_known(folder.path(), &folder.key).unwrap().is_none());
    let everything = registry.everything(NOW).unwrap();
    write_last_known(folder.path(), &folder.key, &everything).unwrap();
    let read = read_last_known(folder.path(), &folder.key).unwrap().unwrap();
    assert_eq!((&read.handlers, &read.revisions), (&everything.handlers, &everything.revisions));
    assert_eq!((&read.numbers, read.tenants.len()), (&everything.numbers, 1));
    let secrets = |everything: &Everything| -> Vec<String> {
        let tenant = &everything.tenants[0];
        let tokens = tenant.auth_tokens.iter().map(|token| token.expose().to_owned());
        tokens
            .chain(tenant.shared_keys.iter().map(|(id, secret)| format!("{id} {}", secret.expose())))
            .collect()
    };
    assert_eq!(secrets(&read), secrets(&everything));
}

#[test]
fn a_copy_that_was_tampered_with_is_refused() {
    let (folder, registry) = two_revisions();
    write_last_known(folder.path(), &folder.key, &registry.everything(NOW).unwrap()).unwrap();
    let path = folder.path().join(LAST_KNOWN_FILE);
    let good = std::fs::read(&path).unwrap();
    for place in (0..good.len()).step_by(97).chain([good.len() - 1]) {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(read_last_known(folder.path(), &folder.key).is_err(), "byte {place}");
    }
    for length in [0, 1, 12, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(read_last_known(folder.path(), &folder.key).is_err(), "{length} bytes");
    }
    std::fs::write(&path, &good).unwrap();
    assert!(read_last_known(folder.path(), &MasterKey::new([1; 32])).is_err());
    assert!(read_last_known(folder.path(), &folder.key).is_ok());
}

#[test]
fn a_rollback_made_without_the_registry_is_in_force_after_a_restart_and_in_the_registry_later() {
    let (folder, registry) = two_revisions();
    write_last_known(folder.path(), &folder.key, &registry.everything(NOW).unwrap()).unwrap();
    let journal = PendingJournal::new(folder.path(), &folder.key);
    journal.append(&rollback(3, 1, NOW + 7)).unwrap();

    let read = read_last_known(folder.path(), &folder.key).unwrap().unwrap();
    assert_eq!(read.handlers[0].release.stable, RevisionId(1));
    let retired = |everything: &Everything| -> Vec<_> {
        let mut found: Vec<_> = everything.revisions.iter().map(|r| (r.id.0, r.retired_at)).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(retired(&read), [(1, None), (2, Some(NOW + 7))]);

    let applied = registry.apply_pending(&journal).unwrap();
    assert_eq!((applied.len(), &applied[0].outcome), (1, &AppliedAs::Kept));
    let everything = registry.everything(NOW).unwrap();
    assert_eq!(everything.handlers, read.handlers);
    assert_eq!(retired(&everything), retired(&read));
    assert_eq!(registry.history(&id("acme"), &name("ivr"), 1).unwrap(), [rollback(3, 1, NOW + 7).event]);
    assert!(journal.read().unwrap().is_empty());
    assert!(registry.apply_pending(&journal).unwrap().is_empty());
}

#[test]
fn the_newer_generation_wins_and_what_is_gone_is_said() {
    let (folder, registry) = two_revisions();
    let journal = PendingJournal::new(folder.path(), &folder.key);
    let elsewhere = PendingChange { handler: name("gone"), ..rollback(9, 1, NOW) };
    for change in
        [rollback(2, 1, NOW), rollback(4, 1, NOW), rollback(5, 9, NOW), elsewhere, rollback(6, 2, NOW)]
    {
        journal.append(&change).unwrap();
    }
    let outcomes: Vec<_> = registry.apply_pending(&journal).unwrap().into_iter().map(|a| a.outcome).collect();
    let kept: Vec<_> = outcomes.iter().map(|outcome| *outcome == AppliedAs::Kept).collect();
    assert_eq!(kept, [false, true, false, false, true], "{outcomes:?}");
    let handler = registry.handler(&id("acme"), &name("ivr")).unwrap().unwrap();
    assert_eq!((handler.release.generation, handler.release.stable), (6, RevisionId(2)));
}

#[test]
fn changes_wait_while_the_registry_is_locked() {
    let (folder, registry) = two_revisions();
    let journal = PendingJournal::new(folder.path(), &folder.key);
    journal.append(&rollback(3, 1, NOW)).unwrap();
    let shell = rusqlite::Connection::open(folder.database()).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(registry.apply_pending(&journal), Err(RegistryError::Locked { .. })));
    assert_eq!(journal.read().unwrap(), [rollback(3, 1, NOW)]);
    shell.execute_batch("COMMIT").unwrap();
    assert_eq!(registry.apply_pending(&journal).unwrap().len(), 1);
}

#[test]
fn a_line_that_a_crash_cut_off_is_as_if_it_had_never_been() {
    let (folder, _registry) = two_revisions();
    let journal = PendingJournal::new(folder.path(), &folder.key);
    let path = folder.path().join("pending");
    journal.append(&rollback(3, 1, NOW)).unwrap();
    let one = std::fs::read(&path).unwrap();
    journal.append(&rollback(4, 2, NOW)).unwrap();
    let two = std::fs::read(&path).unwrap();
    for length in one.len()..two.len() {
        std::fs::write(&path, &two[..length]).unwrap();
        assert_eq!(journal.read().unwrap(), [rollback(3, 1, NOW)], "{length} bytes");
    }
    journal.append(&rollback(5, 1, NOW)).unwrap();
    assert_eq!(journal.read().unwrap(), [rollback(3, 1, NOW), rollback(5, 1, NOW)]);
}

/// What was set aside, oldest first.
fn aside(folder: &Folder) -> Vec<Vec<u8>> {
    let found = contents(folder.path()).into_iter();
    found.filter(|(name, _)| name.starts_with("pending.damaged-")).map(|(_, bytes)| bytes).collect()
}

#[test]
fn a_damaged_line_costs_itself_and_the_journal_as_it_was_is_set_aside() {
    let key = MasterKey::new([7; 32]);
    let written = tempfile::tempdir().unwrap();
    let lines = [rollback(3, 1, NOW), rollback(4, 2, NOW), rollback(5, 1, NOW)];
    for change in &lines {
        PendingJournal::new(written.path(), &key).append(change).unwrap();
    }
    let whole = std::fs::read(written.path().join("pending")).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let cases = [
        ("first", flipped(5), vec![1, 2]),
        ("middle", flipped(ends[0] + 9), vec![0, 2]),
        ("last", flipped(ends[2] - 1), vec![0, 1]),
        ("two lines become one", flipped(ends[0]), vec![2]),
        ("no text at all", [&[0xff, 0xfe, b'\n'][..], &whole].concat(), vec![0, 1, 2]),
        ("an empty line", [b"\n", &whole[..]].concat(), vec![0, 1, 2]),
        ("nothing of ours", b"junk\n".to_vec(), vec![]),
    ];
    for (case, bytes, expected) in cases {
        let folder = Folder { dir: tempfile::tempdir().unwrap(), key: key.clone() };
        let path = folder.path().join("pending");
        std::fs::write(&path, &bytes).unwrap();
        let journal = PendingJournal::new(folder.path(), &folder.key);
        let expected: Vec<_> = expected.iter().map(|at: &usize| lines[*at].clone()).collect();
        assert_eq!(journal.read().unwrap(), expected, "{case}");
        assert_eq!(aside(&folder), [bytes], "{case}");
        // What is left is whole, and takes further changes.
        journal.append(&rollback(6, 2, NOW)).unwrap();
        assert_eq!(journal.read().unwrap(), [expected, vec![rollback(6, 2, NOW)]].concat(), "{case}");
        assert_eq!(aside(&folder).len(), 1, "{case}");
    }
}

#[test]
fn a_host_starts_with_a_damaged_journal_and_its_whole_changes_are_in_force() {
    let (folder, registry) = two_revisions();
    write_last_known(folder.path(), &folder.key, &registry.everything(NOW).unwrap()).unwrap();
    let journal = PendingJournal::new(folder.path(), &folder.key);
    journal.append(&rollback(3, 1, NOW)).unwrap();
    let path = folder.path().join("pending");
    std::fs::write(&path, [&std::fs::read(&path).unwrap()[..], b"junk\n"].concat()).unwrap();
    let read = read_last_known(folder.path(), &folder.key).unwrap().unwrap();
    assert_eq!(read.handlers[0].release, rollback(3, 1, NOW).release);

    std::fs::write(&path, [&std::fs::read(&path).unwrap()[..], b"junk\n"].concat()).unwrap();
    let applied = registry.apply_pending(&journal).unwrap();
    assert_eq!((applied.len(), &applied[0].outcome), (1, &AppliedAs::Kept));
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    assert_eq!(aside(&folder).len(), 2);

    // Not even a file.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(read_last_known(folder.path(), &folder.key).unwrap().is_some());
    assert!(registry.apply_pending(&journal).is_err());
}

#[test]
fn a_change_of_a_handler_that_cant_be_read_waits_and_holds_up_no_other() {
    let (folder, registry) = two_revisions();
    for content in ["a", "b"] {
        registry.deploy(&revision("acme", "sms", content), at_once).unwrap();
    }
    let journal = PendingJournal::new(folder.path(), &folder.key);
    let other = PendingChange { handler: name("sms"), ..rollback(3, 1, NOW) };
    journal.append(&rollback(3, 1, NOW)).unwrap();
    journal.append(&other).unwrap();
    let good = spoil(&folder, "handler", "release", "name = 'ivr'");
    let applied = registry.apply_pending(&journal).unwrap();
    assert_eq!(applied.len(), 1);
    assert_eq!((&applied[0].change, &applied[0].outcome), (&other, &AppliedAs::Kept));
    assert_eq!(journal.read().unwrap(), [rollback(3, 1, NOW)]);

    repair(&folder, "handler", "release", "name = 'ivr'", &good);
    assert_eq!(registry.apply_pending(&journal).unwrap()[0].outcome, AppliedAs::Kept);
    assert!(journal.read().unwrap().is_empty());
}

#[test]
fn what_the_registry_cant_read_stays_in_the_last_known_copy() {
    let (folder, registry) = two_revisions();
    registry.deploy(&revision("acme", "sms", "a"), at_once).unwrap();
    let before = registry.everything(NOW).unwrap();
    write_last_known(folder.path(), &folder.key, &before).unwrap();
    spoil(&folder, "handler", "release", "name = 'ivr'");
    spoil(&folder, "revision", "settings", "handler = 'ivr' AND id = 2");
    spoil(&folder, "credential", "sealed", "kind = 'auth_token'");
    registry.delete_handler(&id("acme"), &name("sms"), NOW).unwrap();
    let found = registry.everything(NOW).unwrap();
    assert_eq!((found.tenants.len(), found.handlers.len(), found.revisions.len()), (0, 0, 1));
    // More than once, as after each change.
    for _ in 0..2 {
        write_last_known(folder.path(), &folder.key, &found).unwrap();
    }
    let read = read_last_known(folder.path(), &folder.key).unwrap().unwrap();
    let handlers: Vec<_> = read.handlers.iter().map(|handler| handler.name.as_str()).collect();
    assert_eq!(handlers, ["ivr"]);
    let mut revisions: Vec<_> = read.revisions.iter().map(|r| (r.handler.as_str(), r.id.0)).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, [("ivr", 1), ("ivr", 2)]);
    assert_eq!((read.tenants.len(), read.tenants[0].auth_tokens.len()), (1, 2));
}
