//! Damage while a host is running: errors that say so, and recovery without a restart.

use super::*;

fn deploy(registry: &Registry, content: &str) -> Result<u32, RegistryError> {
    registry.deploy(&revision("acme", "ivr", content), at_once).map(|outcome| outcome.revision.id.0)
}

#[test]
fn a_lock_is_reported_after_its_timeout_and_readers_do_not_wait() {
    let (folder, registry) = Folder::with_tenant();
    deploy(&registry, "a").unwrap();
    let shell = rusqlite::Connection::open(folder.database()).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = std::time::Instant::now();
    let error = deploy(&registry, "b").unwrap_err();
    assert!(matches!(error, RegistryError::Locked { .. }), "{error}");
    assert!(error.to_string().contains(&folder.database().display().to_string()), "{error}");
    assert!(begun.elapsed().as_secs() < 10);
    assert_eq!(registry.everything(NOW).unwrap().revisions.len(), 1);
    shell.execute_batch("COMMIT").unwrap();
    assert_eq!(deploy(&registry, "b").unwrap(), 2);
}

#[test]
fn a_file_damaged_while_running_is_reported_and_used_again_when_it_is_restored() {
    let (folder, registry) = Folder::with_tenant();
    deploy(&registry, "a").unwrap();
    let good = std::fs::read(folder.database()).unwrap();
    type Spoil = Box<dyn Fn()>;
    let database = folder.database();
    let overwrite = {
        let (database, length) = (database.clone(), good.len());
        move || std::fs::write(&database, vec![0xa5; length]).unwrap()
    };
    let cases: Vec<(&str, Spoil)> = vec![
        ("overwritten", Box::new(overwrite)),
        (
            "emptied",
            Box::new({
                let d = database.clone();
                move || std::fs::write(&d, "").unwrap()
            }),
        ),
        (
            "removed",
            Box::new({
                let d = database.clone();
                move || std::fs::remove_file(&d).unwrap()
            }),
        ),
        (
            "replaced",
            Box::new({
                let d = database.clone();
                move || {
                    std::fs::write(d.with_extension("new"), "something else, long enough to be looked at")
                        .unwrap();
                    std::fs::rename(d.with_extension("new"), &d).unwrap();
                }
            }),
        ),
    ];
    for (round, (case, spoil)) in cases.into_iter().enumerate() {
        let good = std::fs::read(&database).unwrap();
        spoil();
        // What is in SQLite's memory may answer a little longer; a write does not get through.
        let error = deploy(&registry, &format!("lost {case}")).expect_err(case);
        assert!(error.is_unavailable(), "{case}: {error}");
        let error = deploy(&registry, &format!("lost {case}")).expect_err(case);
        let expected = matches!(error, RegistryError::Damaged { .. } | RegistryError::Missing { .. });
        assert!(expected, "{case}: {error}");
        // By a rename, as from a backup, or over the same file.
        if round % 2 == 0 {
            std::fs::write(&database, &good).unwrap();
        } else {
            std::fs::write(database.with_extension("restored"), &good).unwrap();
            std::fs::rename(database.with_extension("restored"), &database).unwrap();
        }
        assert_eq!(deploy(&registry, case).unwrap(), 2 + round as u32, "{case}");
        let numbers = registry.everything(NOW).unwrap().revisions.len();
        assert_eq!(numbers, 2 + round, "{case}");
    }
    drop(registry);
    assert!(folder.open().is_ok());
}

#[test]
fn a_full_database_refuses_the_write_whole_and_takes_it_when_there_is_room() {
    let (folder, registry) = Folder::with_tenant();
    deploy(&registry, "a").unwrap();
    registry.limit_pages(true);
    let mut long = revision("acme", "ivr", "b");
    long.settings.fallback = Some("x".repeat(60_000));
    let error = registry.deploy(&long, at_once).unwrap_err();
    assert!(matches!(error, RegistryError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(registry.everything(NOW).unwrap().revisions.len(), 1);
    registry.limit_pages(false);
    assert_eq!(registry.deploy(&long, at_once).unwrap().revision.id, RevisionId(2));
    drop(folder);
}

#[test]
fn a_row_that_cant_be_read_costs_what_it_is_about_and_nothing_else() {
    struct Case {
        table: &'static str,
        column: &'static str,
        rows: &'static str,
        missing: Unreadable,
    }
    let about = |handler: Option<&str>, revision| Unreadable {
        tenant: "acme".into(),
        handler: handler.map(str::to_owned),
        revision,
    };
    let of_ivr = "tenant = 'acme' AND handler = 'ivr' AND id = 2";
    let cases = [
        Case {
            table: "handler",
            column: "release",
            rows: "tenant = 'acme' AND name = 'ivr'",
            missing: about(Some("ivr"), None),
        },
        Case { table: "revision", column: "settings", rows: of_ivr, missing: about(Some("ivr"), Some(2)) },
        Case { table: "revision", column: "risk", rows: of_ivr, missing: about(Some("ivr"), Some(2)) },
        Case { table: "tenant", column: "quota", rows: "id = 'acme'", missing: about(None, None) },
        Case { table: "credential", column: "sealed", rows: "tenant = 'acme'", missing: about(None, None) },
    ];
    for Case { table, column, rows, missing } in cases {
        let (folder, registry) = Folder::with_tenant();
        registry.create_tenant(&tenant("other")).unwrap();
        for (tenant, handler) in [("acme", "ivr"), ("acme", "sms"), ("other", "ivr")] {
            for content in ["a", "b"] {
                registry.deploy(&revision(tenant, handler, content), at_once).unwrap();
            }
        }
        let all = registry.everything(NOW).unwrap();
        assert!(all.unreadable.is_empty());
        spoil(&folder, table, column, rows);
        let found = registry.everything(NOW).unwrap();
        assert_eq!(found.unreadable, std::slice::from_ref(&missing), "{table}.{column}");
        let counts = |all: &Everything| (all.tenants.len(), all.handlers.len(), all.revisions.len());
        let (tenants, handlers, revisions) = counts(&all);
        let expected = match (&missing.handler, missing.revision) {
            (None, _) => (tenants - 1, handlers, revisions),
            (Some(_), None) => (tenants, handlers - 1, revisions),
            (Some(_), Some(_)) => (tenants, handlers, revisions - 1),
        };
        assert_eq!(counts(&found), expected, "{table}.{column}");
        assert_eq!(counts(&folder.open().unwrap().everything(NOW).unwrap()), expected, "{table}.{column}");

        // A change is not made on what can't be read, and others are.
        let rolled_back: Result<_, RegistryError> =
            registry.change_release(&id("acme"), &name("ivr"), |present, _| {
                let release =
                    Release { generation: present.release.generation + 1, ..present.release.clone() };
                Ok((release, event(ReleaseChange::RolledBack, RevisionId(2), NOW)))
            });
        let deployed = deploy(&registry, "c");
        if missing.handler.is_some() {
            assert!(matches!(rolled_back, Err(RegistryError::Damaged { .. })), "{table}.{column}");
            assert!(matches!(deployed, Err(RegistryError::Damaged { .. })), "{table}.{column}");
            let history = registry.history(&id("acme"), &name("ivr"), 10).unwrap();
            assert_eq!(history.len(), 2, "{table}.{column}");
        }
        registry.deploy(&revision("other", "ivr", "c"), at_once).unwrap();
    }
}

impl Registry {
    /// Lets the file grow no further, or as far as it likes.
    fn limit_pages(&self, limited: bool) {
        let set: Result<(), RegistryError> = self.writer.write(|transaction| {
            let most: i64 = if limited { 1 } else { 1_000_000 };
            transaction.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(()))?;
            Ok(Ok(()))
        });
        set.unwrap();
    }
}
