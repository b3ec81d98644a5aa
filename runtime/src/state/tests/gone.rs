//! A handler that was deleted, and another that gets its name.

use super::*;

const LAST: Option<RevisionId> = Some(RevisionId(3));

fn names() -> (TenantId, HandlerName) {
    (TenantId::new("acme").unwrap(), HandlerName::new("ivr").unwrap())
}

fn session_in(revision: u32) -> SessionName {
    SessionName::of(owner_in("acme", "ivr", revision), &call("CA1", CallStatus::InProgress)).unwrap()
}

#[tokio::test]
async fn what_still_runs_of_a_deleted_handler_keeps_nothing_and_finds_nothing_of_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    // What still runs may be in a process that hands over.
    let [old, new] = [(); 2].map(|()| State::open(folder.path()).unwrap());
    let (tenant, handler) = names();
    let (before, after) = (owner_in("acme", "ivr", 3), owner_in("acme", "ivr", 4));
    old.change(before.clone(), "n".into(), set("old")).await.unwrap();
    let mut running = old.session(session_in(3), soon()).await.unwrap();
    running.change("n", set("old"), clock()).unwrap();
    new.forget(&tenant, &handler, LAST).await.unwrap();

    let late = old.change(before.clone(), "n".into(), set("late")).await.unwrap_err();
    assert!(late.to_string().contains("the handler was deleted"), "{late}");
    let late = old.keep(running, soon()).await.unwrap_err();
    assert!(matches!(late, KeepError::Unavailable(_)), "nothing to run again for: {late:?}");
    // Once more, as before another handler gets the name; and the tenant was deleted and made anew in between.
    new.forget_tenant(&tenant).await.unwrap();
    assert!(old.change(before.clone(), "n".into(), set("late")).await.is_err());
    new.forget(&tenant, &handler, LAST).await.unwrap();
    assert_eq!(new.get(after.clone(), "n".into()).await, Ok(None));
    assert!(new.session(session_in(4), soon()).await.unwrap().keys("", clock()).is_empty());

    new.change(after.clone(), "n".into(), set("new")).await.unwrap();
    let mut session = new.session(session_in(4), soon()).await.unwrap();
    session.change("n", set("new"), clock()).unwrap();
    new.keep(session, soon()).await.unwrap();
    assert_eq!(old.get(before.clone(), "n".into()).await, Ok(None));
    assert!(old.keys(before, String::new(), None, 9).await.unwrap().keys.is_empty());
    assert!(old.session(session_in(3), soon()).await.unwrap().keys("", clock()).is_empty());
    assert_eq!(text(new.get(after, "n".into()).await.unwrap()).as_deref(), Some("new"));
}

#[test]
fn the_mark_of_a_deleted_handler_goes_by_itself_and_with_a_handler_that_counts_anew() {
    on_database(|connection| {
        let first = owner_in("acme", "ivr", 1);
        let write = |now| {
            let changes = [KeyedChange { key: "n".into(), change: set("1") }];
            let area = AreaName::store(&first);
            records::change(connection, area, &changes, Swaps::MayFail, &STORE_QUOTA, |_| None, now).unwrap()
        };
        records::forget(connection, ("acme", "ivr"), LAST, NOW).unwrap();
        assert!(write(NOW).is_err());
        everything(connection);
        assert!(write(NOW + 59 * 60_000).is_err(), "longer than anything runs");
        assert!(records::get(connection, AreaName::store(&first), "n", NOW + 3_600_000).unwrap().is_none());
        records::sweep(connection, 10, NOW + 3_600_000).unwrap();
        assert!(everything(connection).is_empty());
        assert!(write(NOW + 3_600_000).is_ok());

        // Numbers of revisions were forgotten, so the next handler has its first one.
        records::forget(connection, ("acme", "ivr"), LAST, NOW).unwrap();
        records::forget(connection, ("acme", "ivr"), None, NOW).unwrap();
        assert!(write(NOW).is_ok());
    });
}
