use std::sync::atomic::AtomicU64;

use futures_util::{FutureExt as _, StreamExt as _};

use super::*;
use crate::call::RevisionId;

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn handler(name: &str) -> HandlerName {
    HandlerName::new(name).unwrap()
}

fn line(of: &str, text: impl Into<String>) -> FeedEvent {
    FeedEvent::Log {
        at: moment(),
        handler: handler(of),
        revision: RevisionId(1),
        request: String::new(),
        subject: "CA1".into(),
        level: FeedLevel::Info,
        source: FeedSource::Handler,
        text: text.into(),
    }
}

/// What waits for a subscription, texts and counts of what was dropped.
fn read(subscription: &mut Subscription) -> Vec<String> {
    let mut read = Vec::new();
    while let Some(Some(event)) = subscription.next().now_or_never() {
        read.push(match event {
            FeedEvent::Log { text, .. } => text,
            FeedEvent::Dropped { count } => format!("{count} dropped"),
            other => panic!("nobody published {other:?}"),
        });
    }
    read
}

#[test]
fn an_event_is_not_made_where_nobody_listens() {
    let feed = Feed::default();
    feed.publish(&tenant("acme"), || panic!("nobody listens"));
    let other = feed.subscribe(&tenant("other"), None).unwrap();
    feed.publish(&tenant("acme"), || panic!("nobody listens to this tenant"));
    drop(other);
    feed.publish(&tenant("other"), || panic!("nobody listens any more"));
    assert_eq!(feed.listeners(), 0);
    assert!(feed.0.tenants.load().is_empty(), "nothing is left of who came and went");
}

#[test]
fn a_listener_hears_its_tenant_and_where_it_asks_one_handler() {
    let feed = Feed::default();
    let mut all = feed.subscribe(&tenant("acme"), None).unwrap();
    let mut one = feed.subscribe(&tenant("acme"), Some(&handler("ivr"))).unwrap();
    let mut other = feed.subscribe(&tenant("other"), None).unwrap();
    feed.publish(&tenant("acme"), || line("ivr", "a"));
    feed.publish(&tenant("acme"), || line("sms", "b"));
    feed.publish(&tenant("other"), || line("ivr", "c"));
    assert_eq!(read(&mut all), ["a", "b"]);
    assert_eq!(read(&mut one), ["a"]);
    assert_eq!(read(&mut other), ["c"]);
}

#[test]
fn who_falls_behind_loses_the_oldest_and_is_told_before_the_next() {
    let bytes = line("ivr", 0.to_string()).bytes();
    for (limits, case) in [
        (FeedLimits { events: 2, ..FeedLimits::default() }, "events"),
        (FeedLimits { bytes: 2 * bytes + 10, ..FeedLimits::default() }, "bytes"),
    ] {
        let feed = Feed::new(limits);
        let mut slow = feed.subscribe(&tenant("acme"), None).unwrap();
        let mut unconcerned = feed.subscribe(&tenant("acme"), Some(&handler("sms"))).unwrap();
        feed.publish(&tenant("acme"), || line("sms", "s"));
        (0..5).for_each(|n| feed.publish(&tenant("acme"), || line("ivr", n.to_string())));
        assert_eq!(read(&mut slow), ["4 dropped", "3", "4"], "{case}");
        assert_eq!(read(&mut unconcerned), ["s"], "another handler's flood is not its loss: {case}");
        feed.publish(&tenant("acme"), || line("ivr", "5"));
        assert_eq!(read(&mut slow), ["5"], "{case}");
    }
}

#[test]
fn one_event_larger_than_all_the_room_is_still_heard() {
    let feed = Feed::new(FeedLimits { bytes: 100, ..FeedLimits::default() });
    let mut listener = feed.subscribe(&tenant("acme"), None).unwrap();
    feed.publish(&tenant("acme"), || line("ivr", "x".repeat(1_000)));
    feed.publish(&tenant("acme"), || line("ivr", "y".repeat(1_000)));
    assert_eq!(read(&mut listener), ["1 dropped".to_owned(), "y".repeat(1_000)]);
}

#[test]
fn listeners_are_limited_by_tenant_and_in_all() {
    let feed = Feed::new(FeedLimits { per_tenant: 2, in_all: 3, ..FeedLimits::default() });
    let acme = [None, Some(handler("ivr"))]
        .map(|handler| feed.subscribe(&tenant("acme"), handler.as_ref()).unwrap());
    let too_many = |result: Result<Subscription, TooMany>| result.err().unwrap().to_string();
    assert_eq!(
        too_many(feed.subscribe(&tenant("acme"), None)),
        "the tenant has 2 log streams open, its most; close one and try again"
    );
    let other = feed.subscribe(&tenant("other"), None).unwrap();
    assert_eq!(
        too_many(feed.subscribe(&tenant("third"), None)),
        "the host has 3 log streams open, its most; close one and try again"
    );
    drop((acme, other));
    assert!(feed.subscribe(&tenant("third"), None).is_ok(), "who goes makes room");
}

#[tokio::test]
async fn the_end_of_the_feed_ends_its_streams_after_what_waits() {
    let feed = Feed::default();
    let mut listener = feed.subscribe(&tenant("acme"), None).unwrap();
    feed.publish(&tenant("acme"), || line("ivr", "last"));
    let reading = tokio::spawn(async move {
        let mut heard = 0;
        while listener.next().await.is_some() {
            heard += 1;
        }
        heard
    });
    feed.end();
    assert_eq!(reading.await.unwrap(), 1);
    let mut late = feed.subscribe(&tenant("acme"), None).unwrap();
    assert!(late.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_publishers_and_a_slow_listener_add_up_in_bounded_memory() {
    const EACH: u64 = 25_000;
    let limits = FeedLimits { events: 100, bytes: 64 << 10, ..FeedLimits::default() };
    let feed = Feed::new(limits);
    let mut slow = feed.subscribe(&tenant("acme"), None).unwrap();
    let mut fast = feed.subscribe(&tenant("acme"), None).unwrap();
    let most_bytes = Arc::new(AtomicU64::new(0));
    let publishers: Vec<_> = (0..4)
        .map(|publisher| {
            let (feed, most_bytes) = (feed.clone(), Arc::clone(&most_bytes));
            let listener = Arc::clone(&slow.listener);
            std::thread::spawn(move || {
                for n in 0..EACH {
                    feed.publish(&tenant("acme"), || {
                        line("ivr", format!("{publisher} {n} {}", "x".repeat(n as usize % 2_000)))
                    });
                    let queue = listener.queue();
                    assert!(queue.events.len() <= limits.events);
                    most_bytes.fetch_max(queue.bytes as u64, Relaxed);
                }
            })
        })
        .collect();
    let fast = tokio::spawn(async move {
        let (mut received, mut dropped) = (0, 0);
        while let Some(event) = fast.next().await {
            match event {
                FeedEvent::Dropped { count } => dropped += count,
                _ => received += 1,
            }
        }
        (received, dropped)
    });
    // The slow one reads a single event, and the rest only when all has been published.
    let first = slow.next().await;
    assert!(first.is_some());
    // Publishers end although nobody reads: they wait for no one.
    tokio::task::spawn_blocking(move || {
        publishers.into_iter().for_each(|publisher| publisher.join().unwrap())
    })
    .await
    .unwrap();
    feed.end();
    let (mut received, mut dropped) = match first {
        Some(FeedEvent::Dropped { count }) => (0, count),
        _ => (1, 0),
    };
    while let Some(event) = slow.next().await {
        match event {
            FeedEvent::Dropped { count } => dropped += count,
            _ => received += 1,
        }
    }
    assert_eq!(received + dropped, 4 * EACH);
    assert!(received <= 101, "{received}");
    let most_bytes = most_bytes.load(Relaxed);
    assert!(most_bytes > 32 << 10 && most_bytes <= limits.bytes as u64, "{most_bytes}");
    let (received, dropped) = fast.await.unwrap();
    assert_eq!(received + dropped, 4 * EACH);
    assert!(received > 0);
}
