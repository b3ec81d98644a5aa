use std::pin::pin;
use std::task::{Context, Waker};

use bytes::Bytes;
use http::StatusCode;

use super::*;
use crate::call::{HandlerName, RevisionId, TenantId};

fn key(tenant: &str, number: u32) -> Key {
    Key {
        tenant: TenantId::new(tenant).unwrap(),
        handler: HandlerName::new("ivr").unwrap(),
        delivery: DeliveryKey::new(number.to_string()),
    }
}

fn answer(status: StatusCode) -> Answer {
    let body = Bytes::from_static(&[b'.'; 400]);
    Answer { status, body, headers: None, revision: RevisionId(1), code: None }
}

/// Whether the handler ran for this delivery.
async fn ran_for(duplicates: &Duplicates, tenant: &str, number: u32) -> bool {
    duplicates.once(key(tenant, number), async { answer(StatusCode::OK) }).await.1
}

async fn ran(duplicates: &Duplicates, number: u32, status: StatusCode) -> bool {
    duplicates.once(key("acme", number), async { answer(status) }).await.1
}

/// Bytes, answers and places of all shards.
fn size(duplicates: &Duplicates) -> (u64, usize, usize) {
    let sizes = duplicates.shards.iter().map(|shard| lock(shard).size());
    sizes.fold((0, 0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1, sum.2 + size.2))
}

#[tokio::test]
async fn when_memory_is_short_the_newest_answers_stay() {
    let duplicates = Duplicates::new(64 * 1024, KEPT_FOR);
    for number in 0..5_000 {
        assert!(ran(&duplicates, number, StatusCode::OK).await, "{number} is new");
        let before = number.saturating_sub(20);
        assert!(
            !ran(&duplicates, before, StatusCode::OK).await,
            "{before} is repeated while {number} is new"
        );
    }
    assert!(size(&duplicates).0 <= 64 * 1024);
    assert!(ran(&duplicates, 0, StatusCode::OK).await, "the oldest is forgotten");
}

#[tokio::test]
async fn a_flood_of_one_tenant_pushes_out_only_its_own_answers() {
    // At the usual size: what is shared between shards by chance must hold, too.
    let duplicates = Duplicates::default();
    let others: Vec<_> = (0..50).map(|n| format!("tenant-{n}")).collect();
    for tenant in &others {
        for number in 0..100 {
            assert!(ran_for(&duplicates, tenant, number).await);
        }
    }
    for number in 0..200_000 {
        ran_for(&duplicates, "flood", number).await;
    }
    let bytes = size(&duplicates).0;
    assert!((KEPT_BYTES_MAX * 99 / 100..=KEPT_BYTES_MAX).contains(&bytes), "full, and no more: {bytes}");
    for tenant in &others {
        for number in 0..100 {
            assert!(!ran_for(&duplicates, tenant, number).await, "{tenant} lost {number}");
        }
    }
}

#[tokio::test]
async fn a_new_answer_in_a_full_table_takes_the_place_of_about_one_old_one() {
    let duplicates = Duplicates::new(64 * 1024, KEPT_FOR);
    for number in 1_000..2_000 {
        ran(&duplicates, number, StatusCode::OK).await;
    }
    let (_, full, places) = size(&duplicates);
    for number in 2_000..9_000 {
        ran(&duplicates, number, StatusCode::OK).await;
        let (_, answers, now_places) = size(&duplicates);
        assert!(
            answers.abs_diff(full) <= 1 && now_places == places,
            "{answers} answers, {now_places} places"
        );
    }
}

#[tokio::test]
async fn an_answer_that_asks_for_another_try_is_not_kept() {
    let duplicates = Duplicates::default();
    assert!(ran(&duplicates, 1, StatusCode::BAD_GATEWAY).await);
    assert!(ran(&duplicates, 1, StatusCode::OK).await);
    assert!(!ran(&duplicates, 1, StatusCode::OK).await);
}

#[tokio::test]
async fn deliveries_at_the_same_time_run_once_and_all_get_its_answer() {
    for status in [StatusCode::OK, StatusCode::BAD_GATEWAY] {
        let duplicates = Duplicates::default();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let first = duplicates.once(key("acme", 1), async {
            ended.await.unwrap();
            answer(status)
        });
        let second = duplicates.once(key("acme", 1), async { panic!("it ran twice") });
        let third = duplicates.once(key("acme", 1), async { panic!("it ran twice") });
        let (first, second, third, ()) = tokio::join!(first, second, third, async { end.send(()).unwrap() });
        assert_eq!((first.1, second.1, third.1), (true, false, false));
        assert_eq!((second.0.status, third.0.status), (status, status));
    }
}

#[tokio::test]
async fn whoever_waits_for_a_run_that_is_dropped_runs_in_its_place() {
    let duplicates = Duplicates::default();
    let mut gone = Box::pin(duplicates.once(key("acme", 1), std::future::pending()));
    let mut next = pin!(duplicates.once(key("acme", 1), async { answer(StatusCode::OK) }));
    let mut last = pin!(duplicates.once(key("acme", 1), async { panic!("it ran twice") }));
    let mut context = Context::from_waker(Waker::noop());
    assert!(gone.as_mut().poll(&mut context).is_pending());
    assert!(next.as_mut().poll(&mut context).is_pending());
    assert!(last.as_mut().poll(&mut context).is_pending());
    drop(gone);
    assert!(next.await.1, "it ran");
    assert!(!last.await.1, "and its answer is the third one's");
}

#[tokio::test]
async fn a_run_that_panics_leaves_nobody_waiting() {
    let duplicates = std::sync::Arc::new(Duplicates::default());
    let own = std::sync::Arc::clone(&duplicates);
    let panicking =
        async move { own.once(key("acme", 1), async { panic!("as a handler's host might") }).await.1 };
    assert!(tokio::spawn(panicking).await.is_err());
    assert!(ran(&duplicates, 1, StatusCode::OK).await);
    assert_eq!(size(&duplicates).1, 1);
}

#[tokio::test]
async fn answers_are_forgotten_after_their_time_also_those_nobody_asks_for() {
    let duplicates = Duplicates::new(64 * 1024, Duration::ZERO);
    for tenant in ["acme", "other"] {
        for number in 0..20 {
            assert!(ran_for(&duplicates, tenant, number).await);
            assert!(ran_for(&duplicates, tenant, number).await, "{number} is too old at once");
        }
    }
    let (bytes, answers, _) = size(&duplicates);
    assert_eq!((bytes, answers), (0, 0));

    let mut table = Table::new(64 * 1024, KEPT_FOR);
    let end = |table: &mut Table, tenant, number, at| {
        let Begun::New(place) = table.begin(u64::from(number), key(tenant, number), at) else {
            panic!("known")
        };
        assert!(table.end(place, Some(answer(StatusCode::OK)), at).is_none());
    };
    let began = Instant::now();
    (0..40).for_each(|number| end(&mut table, "quiet", number, began));
    (40..60).for_each(|number| end(&mut table, "busy", number, began + KEPT_FOR));
    assert_eq!(table.size().1, 20, "another tenant's webhooks sweep them out");
}

#[tokio::test]
async fn what_ran_while_all_was_forgotten_is_forgotten_too() {
    let duplicates = Duplicates::default();
    assert!(ran(&duplicates, 1, StatusCode::OK).await);
    let (first, ()) = tokio::join!(ran_slowly(&duplicates), async { duplicates.clear() });
    assert!(first);
    assert_eq!(size(&duplicates).0, 0);
    assert!(ran(&duplicates, 1, StatusCode::OK).await);
    assert!(ran(&duplicates, 2, StatusCode::OK).await);
}

/// Delivery 2, whose run lets others go on before it ends.
async fn ran_slowly(duplicates: &Duplicates) -> bool {
    let run = async {
        tokio::task::yield_now().await;
        answer(StatusCode::OK)
    };
    duplicates.once(key("acme", 2), run).await.1
}
