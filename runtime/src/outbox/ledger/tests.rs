//! What two tries of one thing meet in, on a real file.

use std::task::{Context, Poll, Waker};

use super::*;
use crate::carrier::operation::{Refusal, tests::message};
use crate::outbox::writer::WAITING_MAX;

fn names() -> (TenantId, HandlerName) {
    (TenantId::new("acme").unwrap(), HandlerName::new("desk").unwrap())
}

fn ledger(folder: &tempfile::TempDir) -> Ledger {
    Ledger::open(folder.path().join("outbox.db")).unwrap()
}

#[tokio::test]
async fn of_two_tries_of_one_effect_only_one_may_act_and_the_other_hears_what_came_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, (tenant, handler), key) = (ledger(&folder), names(), EffectKey([1; 32]));
    let send = Operation::Send(message());
    let claim = || ledger.claim(key, (&tenant, &handler), &send, 1_000);
    let (one, other) = tokio::join!(claim(), claim());
    let mut claims = [one.unwrap(), other.unwrap()];
    claims.sort_by_key(|claim| *claim != Claim::Yours);
    assert_eq!(claims, [Claim::Yours, Claim::UnderWay]);
    ledger.conclude(key, &Ok(Done::Id("SM1".into())), 1_001).await.unwrap();
    assert_eq!(claim().await.unwrap(), Claim::Known(Ok(Done::Id("SM1".into()))));

    let refused = EffectKey([2; 32]);
    ledger.claim(refused, (&tenant, &handler), &send, 1_000).await.unwrap();
    let error = CarrierError::Refused(Refusal { status: 400, code: Some(21_211), message: "To".into() });
    ledger.conclude(refused, &Err(error.clone()), 1_001).await.unwrap();
    let again = ledger.claim(refused, (&tenant, &handler), &send, 1_002).await.unwrap();
    assert_eq!(again, Claim::Known(Err(error)));

    let released = EffectKey([3; 32]);
    for _ in 0..2 {
        assert_eq!(ledger.claim(released, (&tenant, &handler), &send, 1).await.unwrap(), Claim::Yours);
        ledger.release(released).await.unwrap();
    }
}

#[tokio::test]
async fn a_try_that_another_process_did_not_end_is_unknown_and_never_free_again() {
    let folder = tempfile::tempdir().unwrap();
    let ((tenant, handler), key) = (names(), EffectKey([1; 32]));
    let send = Operation::Send(message());
    ledger(&folder).claim(key, (&tenant, &handler), &send, 1_000).await.unwrap();
    let next = ledger(&folder);
    let claim = |at| next.claim(key, (&tenant, &handler), &send, at);
    assert!(matches!(claim(1_001).await.unwrap(), Claim::Unknown(_)));
    next.prune(1_000 + ABANDONED_MS + 1).await.unwrap();
    assert!(matches!(claim(1_002 + ABANDONED_MS).await.unwrap(), Claim::Unknown(_)));
}

#[tokio::test]
async fn what_is_due_is_taken_once_and_what_a_dead_process_took_comes_back_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let (tenant, handler) = names();
    let send = Operation::Send(message());
    {
        let ledger = ledger(&folder);
        for n in 0..3 {
            let put =
                ledger.put(EffectKey([n; 32]), (&tenant, &handler), &send, 10 * u64::from(n), (0, 3)).await;
            assert!(matches!(put.unwrap(), Put::There(_)));
        }
        let full = ledger.put(EffectKey([9; 32]), (&tenant, &handler), &send, 0, (0, 3)).await.unwrap();
        assert_eq!(full, Put::Full(3));
        let again = ledger.put(EffectKey([0; 32]), (&tenant, &handler), &send, 0, (0, 3)).await.unwrap();
        assert_eq!(again, Put::There(id_of(EffectKey([0; 32]))), "the same effect is no further entry");
        assert_eq!(ledger.due(15).await.unwrap(), [(tenant.clone(), Rate::Messages)]);
        assert_eq!(ledger.next_due(15).await.unwrap(), Some(20));
        assert_eq!(ledger.take(&tenant, Rate::Calls, 9, 15).await.unwrap().len(), 0);
        assert_eq!(ledger.take(&tenant, Rate::Messages, 9, 15).await.unwrap().len(), 2);
        assert_eq!(ledger.take(&tenant, Rate::Messages, 9, 15).await.unwrap().len(), 0);
        let ended = Tried::Ended(Ok(Done::Id("SM1".into())));
        ledger.tried(EffectKey([0; 32]), &ended, 16).await.unwrap();
        let held = vec![EffectKey([1; 32])];
        assert_eq!(ledger.recover(held, None, (16, 16)).await.unwrap(), 0, "a task is sending it");
    }
    let next = ledger(&folder);
    assert_eq!(next.recover(Vec::new(), Some(15), (17, 17)).await.unwrap(), 0, "taken just now");
    assert_eq!(next.recover(Vec::new(), None, (17, 17)).await.unwrap(), 1);
    let taken = next.take(&tenant, Rate::Messages, 9, 17).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].attempts, taken[0].doubted_since), (2, Some(15)));
    assert!(next.is_anothers(taken[0].key, "SM1").await.unwrap());
    assert!(!next.is_anothers(EffectKey([0; 32]), "SM1").await.unwrap());
    let list = async |listed: Listed| next.list(&tenant, Listed { most: 10, ..listed }).await.unwrap();
    let listed = list(Listed::default()).await.unwrap();
    assert_eq!(listed.len(), 3);
    let before = |id: &str| Listed { before: Some(id.to_owned()), ..Listed::default() };
    assert_eq!(list(before(&listed[0].id)).await.unwrap(), listed[1..]);
    assert_eq!(list(before("nope")).await, None, "no page of nothing for an entry that is not there");
    let of = |name: &str, state| Listed {
        handler: Some(HandlerName::new(name).unwrap()),
        state: Some(state),
        ..Listed::default()
    };
    for (handler, state, count) in
        [("desk", "done", 1), ("desk", "waiting", 1), ("desk", "failed", 0), ("another", "done", 0)]
    {
        assert_eq!(list(of(handler, state)).await.unwrap().len(), count, "{handler} {state}");
    }
    let waiting = id_of(EffectKey([2; 32]));
    assert!(next.cancel(&tenant, &waiting, "operator", 18).await.unwrap());
    assert!(!next.cancel(&tenant, &waiting, "operator", 18).await.unwrap());
    assert!(!next.cancel(&TenantId::new("other").unwrap(), &taken[0].key_id(), "x", 18).await.unwrap());
    assert_eq!(next.entry(&tenant, &waiting).await.unwrap().unwrap().note, "taken back by operator");
    let later = EffectKey([7; 32]);
    next.put(later, (&tenant, &handler), &send, 30, (19, 9)).await.unwrap();
    let another = HandlerName::new("another").unwrap();
    assert_eq!(next.cancel_all(&tenant, &another, "x".into(), 19).await.unwrap(), 0);
    assert_eq!(next.entry(&tenant, &id_of(later)).await.unwrap().unwrap().state, "waiting");
    assert_eq!(next.cancel_all(&tenant, &handler, "taken back by x".into(), 19).await.unwrap(), 1);
    assert_eq!(next.entry(&tenant, &id_of(later)).await.unwrap().unwrap().note, "taken back by x");
    next.prune(20 + RESULTS_KEPT_MS).await.unwrap();
    let left = list(Listed::default()).await.unwrap();
    assert_eq!(left.len(), 3, "what is done is forgotten after a day, what was taken back after a week");
    next.prune(20 + ENDED_KEPT_MS).await.unwrap();
    let left = list(Listed::default()).await.unwrap();
    assert_eq!(left.iter().map(|entry| &*entry.state).collect::<Vec<_>>(), ["sending"]);
    next.forget(&tenant).await.unwrap();
    let again = Tried::Again { due_at: 0, note: String::new(), doubted_since: None };
    next.tried(taken[0].key, &again, 22).await.unwrap();
    assert!(list(Listed::default()).await.unwrap().is_empty(), "not sent for whoever has the name next");
}

#[tokio::test]
async fn what_is_new_is_refused_while_the_disk_stands_still_and_nothing_else_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, (tenant, handler)) = (ledger(&folder), names());
    let send = Operation::Send(message());
    let key = |n: usize| {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&n.to_le_bytes());
        EffectKey(key)
    };
    let claim = |n| Box::pin(ledger.claim(key(n), (&tenant, &handler), &send, 1_000));
    assert_eq!(claim(0).await.unwrap(), Claim::Yours);
    let other = rusqlite::Connection::open(folder.path().join("outbox.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let (mut waiting, mut refused) = (Vec::new(), 0);
    for n in 1..WAITING_MAX + 100 {
        let mut claim = claim(n);
        match claim.as_mut().poll(&mut context) {
            Poll::Pending => waiting.push((n, claim)),
            Poll::Ready(Err(why)) if why.to_string().contains("wait to be written") => refused += 1,
            Poll::Ready(other) => panic!("{n}: {other:?}"),
        }
    }
    assert_eq!((waiting.len(), refused), (WAITING_MAX, 99));
    // What came of something that was claimed before is let in all the same.
    let result = Ok(Done::Id("SM1".into()));
    let mut concluded = Box::pin(ledger.conclude(key(0), &result, 1_001));
    assert!(concluded.as_mut().poll(&mut context).is_pending());
    other.execute_batch("ROLLBACK").unwrap();
    concluded.await.unwrap();
    for (n, claim) in waiting {
        assert_eq!(claim.await.unwrap(), Claim::Yours, "{n}");
    }
    assert_eq!(claim(0).await.unwrap(), Claim::Known(Ok(Done::Id("SM1".into()))));
    // Told that nothing was begun, and nothing was.
    assert_eq!(claim(WAITING_MAX + 1).await.unwrap(), Claim::Yours);
}

#[tokio::test]
async fn an_entry_that_can_not_be_read_waits_and_keeps_no_other_from_being_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, (tenant, handler)) = (ledger(&folder), names());
    let send = Operation::Send(message());
    for n in 1..=2 {
        ledger.put(EffectKey([n; 32]), (&tenant, &handler), &send, 1, (0, 9)).await.unwrap();
    }
    let newer = rusqlite::Connection::open(folder.path().join("outbox.db")).unwrap();
    let odd = "UPDATE effect SET operation = '{\"fax\":1}' WHERE key = ?1";
    newer.execute(odd, [EffectKey([1; 32]).0]).unwrap();
    let taken = ledger.take(&tenant, Rate::Messages, 9, 2).await.unwrap();
    assert_eq!(taken.iter().map(|due| due.key).collect::<Vec<_>>(), [EffectKey([2; 32])]);
    let odd = ledger.entry(&tenant, &id_of(EffectKey([1; 32]))).await.unwrap().unwrap();
    assert_eq!((odd.state.as_str(), odd.due_at), ("waiting", 2 + ODD_PAUSE_MS));
    assert!(odd.note.contains("can't read it"), "{}", odd.note);
}

impl Due {
    fn key_id(&self) -> String {
        id_of(self.key)
    }
}
