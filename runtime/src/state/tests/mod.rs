mod files;
mod gone;
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::TransactionBehavior;

use super::database::Database;
use super::session::{CALL_GRACE_MS, CALL_MS_MAX, CHANGES_MAX, SILENCE_MS_MAX};
use super::*;
use crate::call::{Call, CallStatus, Direction, Event, EventKind, Message, RevisionId, Webhook};
use crate::capability::{ConfigValues, Grants};
use crate::outbound::AllowList;
use crate::secrets::SecretValues;

const NOW: u64 = 1_700_000_000_000;

fn owner(tenant: &str, handler: &str) -> Owner {
    owner_in(tenant, handler, 1)
}

/// As a revision of the handler has it.
fn owner_in(tenant: &str, handler: &str, revision: u32) -> Owner {
    Owner::of(&Arc::new(Grants {
        tenant: TenantId::new(tenant).unwrap(),
        handler: HandlerName::new(handler).unwrap(),
        revision: RevisionId(revision),
        pin: "1".into(),
        config: ConfigValues::default(),
        outbound: AllowList::default(),
        secrets: SecretValues::default(),
    }))
}

fn call(id: &str, status: CallStatus) -> Webhook {
    Webhook::Voice(Call {
        id: id.into(),
        account: String::new(),
        from: "+12025550123".into(),
        to: "+12025550199".into(),
        direction: Direction::Inbound,
        status,
        step: String::new(),
        digits: None,
        speech: None,
        form: String::new(),
    })
}

fn message(from: &str, to: &str) -> Webhook {
    Webhook::Message(Message {
        id: "SM1".into(),
        account: String::new(),
        from: from.into(),
        to: to.into(),
        body: String::new(),
        media_count: 0,
        segments: 1,
        step: String::new(),
        form: String::new(),
    })
}

fn event(kind: EventKind, subject: &str, ends_call: bool, parties: Option<(&str, &str)>) -> Webhook {
    Webhook::Event(Event {
        kind,
        subject: subject.into(),
        account: String::new(),
        status: String::new(),
        sequence: None,
        ends_call,
        parties: parties.map(|(from, to)| (from.into(), to.into())),
        step: String::new(),
        form: String::new(),
    })
}

fn session_of(webhook: &Webhook) -> SessionName {
    SessionName::of(owner("acme", "ivr"), webhook).unwrap()
}

fn ringing() -> SessionName {
    session_of(&call("CA1", CallStatus::Ringing))
}

fn set(value: &str) -> Change {
    Change::Set(entry(value.into(), None).unwrap())
}

fn add(by: i64) -> Change {
    Change::Add { by, expires_at: None }
}

fn swap(expected: Option<&str>, new: Option<&str>) -> Change {
    let bytes = |text: &str| Arc::from(text.as_bytes());
    Change::Swap {
        expected: expected.map(bytes),
        new: new.map(|text| Entry { value: bytes(text), expires_at: None }),
    }
}

fn text(value: Option<Arc<[u8]>>) -> Option<String> {
    value.map(|value| String::from_utf8(value.to_vec()).unwrap())
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// Runs `work` on a database of its own.
fn on_database<T>(work: impl FnOnce(&rusqlite::Connection) -> T) -> T {
    Database::new(Place::Memory).transact(TransactionBehavior::Immediate, |it| Ok(work(it))).unwrap()
}

/// What the file has of a store, and whether its counts are right.
fn everything(connection: &rusqlite::Connection) -> BTreeMap<String, (Vec<u8>, Option<u64>)> {
    let mut statement = connection.prepare("SELECT key, value, expires_at FROM entry").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
    let found: BTreeMap<String, (Vec<u8>, Option<u64>)> = rows.map(Result::unwrap).collect();
    let bytes: usize = found.iter().map(|(key, (value, _))| key.len() + value.len()).sum();
    let counted =
        connection.query_row("SELECT keys, bytes FROM area", [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(counted.unwrap_or((0, 0)), (found.len(), bytes), "the counts of the area");
    found
}

#[tokio::test]
async fn additions_of_two_invocations_both_count_and_of_two_settings_the_later_wins() {
    let state = State::in_memory().unwrap();
    let mut first = state.session(ringing(), soon()).await.unwrap();
    let mut second = state.session(ringing(), soon()).await.unwrap();
    let now = clock();
    assert_eq!(first.change("tries", add(2), now), Ok(Reply::Sum(2)));
    first.change("step", set("first"), now).unwrap();
    assert_eq!(second.change("tries", add(3), now), Ok(Reply::Sum(3)));
    second.change("step", set("second"), now).unwrap();
    state.keep(second, soon()).await.unwrap();
    state.keep(first, soon()).await.unwrap();
    let session = state.session(ringing(), soon()).await.unwrap();
    assert_eq!(text(session.get("tries", now).unwrap()).as_deref(), Some("5"));
    assert_eq!(text(session.get("step", now).unwrap()).as_deref(), Some("first"));
}

#[tokio::test]
async fn a_swap_that_no_longer_holds_keeps_nothing_of_its_invocation() {
    let state = State::in_memory().unwrap();
    let mut first = state.session(ringing(), soon()).await.unwrap();
    let mut second = state.session(ringing(), soon()).await.unwrap();
    let now = clock();
    assert_eq!(first.change("agent", swap(None, Some("ann")), now), Ok(Reply::Swapped(true)));
    second.change("note", set("x"), now).unwrap();
    assert_eq!(second.change("agent", swap(None, Some("bob")), now), Ok(Reply::Swapped(true)));
    state.keep(first, soon()).await.unwrap();
    assert_eq!(state.keep(second, soon()).await, Err(KeepError::Changed { why: None }));
    let session = state.session(ringing(), soon()).await.unwrap();
    assert_eq!(session.keys("", now), ["agent"]);
    assert_eq!(text(session.get("agent", now).unwrap()).as_deref(), Some("ann"));
}

fn clock() -> u64 {
    crate::clock::unix_ms()
}

#[test]
fn webhooks_of_one_conversation_share_a_session_and_others_do_not() {
    let subject = |webhook: &Webhook| SessionName::of(owner("acme", "ivr"), webhook).map(|name| name.subject);
    let one = subject(&call("CA1", CallStatus::Ringing)).unwrap();
    for (name, webhook, same) in [
        ("the call itself", call("CA1", CallStatus::InProgress), true),
        ("its end", event(EventKind::Call, "CA1", true, None), true),
        ("its recording", event(EventKind::Recording, "CA1", false, None), true),
        ("another call", call("CA12", CallStatus::Ringing), false),
        ("a message", message("CA1", "x"), false),
    ] {
        assert_eq!(subject(&webhook).as_deref() == Some(&*one), same, "{name}");
    }
    let pair = subject(&message("+1202", "+1303"));
    for (name, webhook, same) in [
        ("the answer", message("+1303", "+1202"), true),
        ("a receipt", event(EventKind::Message, "SM1", false, Some(("+1202", "+1303"))), true),
        ("another pair", message("+1202", "+1304"), false),
        ("the same digits, parted elsewhere", message("+12", "02+1303"), false),
    ] {
        assert_eq!(subject(&webhook) == pair, same, "{name}");
    }
    for (name, webhook) in [
        ("nothing named", event(EventKind::Other, "", false, None)),
        ("a message from nobody", message("", "+1303")),
        ("a name without end", call(&"x".repeat(2_000), CallStatus::Ringing)),
    ] {
        assert_eq!(subject(&webhook), None, "{name}");
    }
}

#[test]
fn a_session_ends_with_its_conversation() {
    let going = session_of(&call("CA1", CallStatus::InProgress)).lifetime;
    let over = session_of(&event(EventKind::Call, "CA1", true, None)).lifetime;
    let hung_up = session_of(&call("CA1", CallStatus::Completed)).lifetime;
    let messages = session_of(&message("+1202", "+1303")).lifetime;
    let end = NOW + CALL_MS_MAX;
    for (name, lifetime, before, expected) in [
        ("a call begins", going, None, end),
        ("it goes on", going, Some(end - 5), end - 5),
        ("it is over", over, Some(end), NOW + CALL_GRACE_MS),
        ("it is over by what it says itself", hung_up, Some(end), NOW + CALL_GRACE_MS),
        ("it was over long ago", over, Some(NOW + 5), NOW + 5),
        ("a callback comes late", going, Some(NOW + 5), NOW + 5),
        ("a message", messages, Some(NOW + 5), NOW + SILENCE_MS_MAX),
    ] {
        assert_eq!(lifetime.expires_at(NOW, before), expected, "{name}");
    }
    on_database(|connection| {
        let keep = |name: &SessionName, changes: &[KeyedChange], now| {
            let until = |before| Some(name.lifetime.expires_at(now, before));
            let area = AreaName::session(name);
            records::change(connection, area, changes, Swaps::Hold, &SESSION_QUOTA, until, now)
                .unwrap()
                .unwrap();
        };
        let name = ringing();
        let change = [KeyedChange { key: "a".into(), change: set("1") }];
        keep(&name, &change, NOW);
        let there = |now| !records::session(connection, ringing(), now).unwrap().entries.is_empty();
        assert!(there(NOW + CALL_MS_MAX - 1) && !there(NOW + CALL_MS_MAX));
        let mut session =
            records::session(connection, session_of(&event(EventKind::Call, "CA1", true, None)), NOW)
                .unwrap();
        assert!(session.is_to_be_kept(NOW), "its end is noted even where its handler changes nothing");
        keep(&session.name, &[], NOW);
        assert!(there(NOW + CALL_GRACE_MS - 1) && !there(NOW + CALL_GRACE_MS));
        // Whoever comes after the end begins anew, with nothing of before.
        let later = NOW + CALL_GRACE_MS;
        session = records::session(connection, ringing(), later).unwrap();
        assert!(!session.is_to_be_kept(later));
        keep(&name, &[KeyedChange { key: "b".into(), change: set("2") }], later);
        assert_eq!(records::session(connection, ringing(), later).unwrap().keys("", later), ["b"]);
        // Nothing is made of a session that nobody wrote to.
        keep(&session_of(&call("CA2", CallStatus::Ringing)), &[], NOW);
        let areas: u32 = connection.query_row("SELECT count(*) FROM area", [], |row| row.get(0)).unwrap();
        assert_eq!(areas, 1);
        assert!(
            records::sweep(connection, 10, later + CALL_MS_MAX).unwrap(),
            "one was all that it takes at a time"
        );
        assert!(!records::sweep(connection, 10, later + CALL_MS_MAX).unwrap());
        assert!(everything(connection).is_empty());
    });
}

#[test]
fn what_is_too_much_is_refused_with_the_limit_and_changes_nothing() {
    let mut session = Session::new(ringing(), None, BTreeMap::new());
    let long = "k".repeat(KEY_BYTES_MAX + 1);
    let table: Vec<(&str, &str, Result<Change, StorageError>, &str)> = vec![
        ("no key", "", Ok(set("1")), "the key is empty; use 1 to 256 bytes"),
        ("a long key", &long, Ok(set("1")), "the key has 257 bytes; use 1 to 256"),
        ("a text", "text", Ok(add(1)), "\"text\" is \"hello\"; `add` needs a whole number"),
        (
            "too large a number",
            "number",
            Ok(add(i64::MAX)),
            "7 + 9223372036854775807 at \"number\" is beyond",
        ),
        (
            "a large value",
            "v",
            entry(vec![0; VALUE_BYTES_MAX + 1], None).map(Change::Set),
            "the value has 65537 bytes",
        ),
        (
            "all together",
            "v",
            Ok(set(&"x".repeat(65_530))),
            "a session has at most 65536 bytes of keys and values",
        ),
        (
            "no time to live",
            "v",
            expiry(Some(0), NOW).map(|_| set("")),
            "the time to live is 0; use 1 second or more",
        ),
    ];
    session.change("text", set("hello"), NOW).unwrap();
    session.change("number", add(7), NOW).unwrap();
    let before = session.entries.clone();
    for (name, key, change, expected) in table {
        let refused = change.and_then(|change| session.change(key, change, NOW)).expect_err(name);
        assert!(refused.to_string().contains(expected), "{name}: {refused}");
        assert_eq!(session.entries, before, "{name}");
    }
    for number in 2..SESSION_QUOTA.keys {
        session.change(&format!("key-{number}"), set(""), NOW).unwrap();
    }
    let refused = session.change("one-more", set(""), NOW).unwrap_err();
    assert!(matches!(refused, StorageError::TooMany(_)), "{refused}");
    let refused = (0..=CHANGES_MAX).find_map(|_| session.change("number", add(1), NOW).err()).unwrap();
    assert!(refused.to_string().contains("at most 1000 times"), "{refused}");
}

#[test]
fn a_store_is_full_at_its_limit_and_what_has_expired_takes_no_place() {
    let quota = Quota { of: "a store", keys: 3, bytes: 1_000 };
    on_database(|connection| {
        let owner = owner("acme", "ivr");
        let change = |key: &str, change, now| {
            let keyed = [KeyedChange { key: key.into(), change }];
            let area = AreaName::store(&owner);
            records::change(connection, area, &keyed, Swaps::MayFail, &quota, |_| None, now).unwrap()
        };
        let short = Change::Set(entry(b"1".to_vec(), Some(NOW + 10)).unwrap());
        change("a", short, NOW).unwrap();
        change("b", set("1"), NOW).unwrap();
        change("c", set("1"), NOW).unwrap();
        let refused = change("d", set("1"), NOW).unwrap_err();
        assert_eq!(
            refused,
            Refused::By(StorageError::TooMany(
                "a store has at most 3 keys, and this would be one more".into()
            ))
        );
        let refused = change("b", set(&"x".repeat(1_000)), NOW).unwrap_err();
        assert!(matches!(&refused, Refused::By(StorageError::TooLarge(_))), "{refused:?}");
        assert_eq!(everything(connection).len(), 3, "nothing was changed");
        change("d", set("1"), NOW + 10).unwrap();
        assert_eq!(everything(connection).into_keys().collect::<Vec<_>>(), ["b", "c", "d"]);
    });
}

#[tokio::test]
async fn a_key_reaches_nothing_but_its_own_handlers_store() {
    let state = State::in_memory().unwrap();
    let secret = owner("other", "ivr");
    state.change(secret.clone(), "acme/ivr/pin".into(), set("1234")).await.unwrap();
    let keys = [
        "acme/ivr/pin",
        "other/ivr/pin",
        "other/ivr/acme/ivr/pin",
        "../other/ivr/pin",
        "%",
        "' OR 1=1 --",
        "\0",
        "*",
    ];
    for own in [owner("acme", "ivr"), owner("other", "ivr-2"), owner("other-ivr", "ivr")] {
        for key in keys {
            assert_eq!(state.get(own.clone(), key.into()).await, Ok(None), "{key:?}");
            let page = state.keys(own.clone(), key.into(), None, 10).await.unwrap();
            assert_eq!(page, Page { keys: vec![], next: None }, "{key:?}");
            assert_eq!(
                state.change(own.clone(), key.into(), Change::Delete).await,
                Ok(Reply::Deleted(false))
            );
        }
    }
    assert_eq!(
        text(state.get(secret.clone(), "acme/ivr/pin".into()).await.unwrap()).as_deref(),
        Some("1234")
    );
    // Nor does what is deleted for one handler concern another.
    state.forget_tenant(&TenantId::new("acme").unwrap()).await.unwrap();
    let (other, second) = (TenantId::new("other").unwrap(), HandlerName::new("ivr-2").unwrap());
    state.forget(&other, &second, Some(RevisionId(1))).await.unwrap();
    assert!(state.get(secret.clone(), "acme/ivr/pin".into()).await.unwrap().is_some());
    let kept = BTreeSet::from([(TenantId::new("other").unwrap(), HandlerName::new("ivr").unwrap())]);
    state.retain(kept).await.unwrap();
    assert!(state.get(secret.clone(), "acme/ivr/pin".into()).await.unwrap().is_some());
    state.retain(BTreeSet::new()).await.unwrap();
    assert_eq!(state.get(secret, "acme/ivr/pin".into()).await, Ok(None));
}

#[tokio::test]
async fn a_listing_goes_on_where_it_ended() {
    let state = State::in_memory().unwrap();
    let owner = owner("acme", "ivr");
    for key in ["a", "list/1", "list/2", "list/3", "list/é", "lisu"] {
        state.change(owner.clone(), key.into(), set("")).await.unwrap();
    }
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let page = state.keys(owner.clone(), "list/".into(), after, 2).await.unwrap();
        all.extend(page.keys);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(all, ["list/1", "list/2", "list/3", "list/é"]);
    for limit in [0, LISTING_MAX + 1] {
        let refused = state.keys(owner.clone(), String::new(), None, limit).await.unwrap_err();
        assert!(matches!(refused, StorageError::Invalid(_)), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_folder_lose_nothing_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let states = [State::open(folder.path()).unwrap(), State::open(folder.path()).unwrap()];
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..100 {
        let state = Arc::clone(&states[number % 2]);
        tasks.spawn(async move {
            state.change(owner("acme", "ivr"), "n".into(), add(1)).await.unwrap();
            loop {
                let mut session = state.session(ringing(), soon()).await.unwrap();
                session.change("n", add(1), clock()).unwrap();
                if state.keep(session, soon()).await.is_ok() {
                    return;
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    for state in &states {
        assert_eq!(text(state.get(owner("acme", "ivr"), "n".into()).await.unwrap()).as_deref(), Some("100"));
        let session = state.session(ringing(), soon()).await.unwrap();
        assert_eq!(text(session.get("n", clock()).unwrap()).as_deref(), Some("100"));
    }
}

#[tokio::test]
async fn a_file_that_is_gone_or_foreign_refuses_and_is_used_again_once_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join(STORE_FILE), folder.path().join("aside.db"));
    let state = State::open(folder.path()).unwrap();
    let owner = owner("acme", "ivr");
    state.change(owner.clone(), "n".into(), add(1)).await.unwrap();
    assert!(copy(folder.path(), &aside).unwrap().is_some(), "a copy beside a host that serves");
    for end in ["", "-wal", "-shm"] {
        let _not_there = std::fs::remove_file(folder.path().join(format!("{STORE_FILE}{end}")));
    }
    let gone = state.change(owner.clone(), "n".into(), add(1)).await.unwrap_err();
    assert!(matches!(gone, StorageError::Unavailable(_)), "{gone}");
    assert!(!gone.to_string().contains(STORE_FILE), "nothing of the host's inside: {gone}");
    assert!(state.get(owner.clone(), "n".into()).await.is_err());
    std::fs::write(&path, vec![7; 8_192]).unwrap();
    assert!(state.get(owner.clone(), "n".into()).await.is_err(), "not a database");
    std::fs::remove_file(&path).unwrap();
    std::fs::copy(&aside, &path).unwrap();
    assert_eq!(state.change(owner.clone(), "n".into(), add(1)).await, Ok(Reply::Sum(2)));
    // Sessions are another file, and go on.
    state.session(ringing(), soon()).await.unwrap();
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(folder.path()).unwrap();
    let owner = owner("acme", "ivr");
    state.change(owner.clone(), "n".into(), add(1)).await.unwrap();
    // Another process holds the lock; whoever waits for it gives up.
    let other = rusqlite::Connection::open(folder.path().join(STORE_FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..20 {
        let waiting = state.change(owner.clone(), "n".into(), add(1));
        let _given_up = tokio::time::timeout(Duration::from_millis(1), waiting).await;
    }
    other.execute_batch("ROLLBACK").unwrap();
    let sum = state.change(owner, "n".into(), add(1)).await.unwrap();
    // The first may have been on its way when it was given up, with those that waited with it by then.
    assert!(matches!(sum, Reply::Sum(2..=4)), "{sum:?}");
}
