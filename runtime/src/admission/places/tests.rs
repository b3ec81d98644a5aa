//! Walls are tried with tasks that hold places until they are told, so nothing here depends on how fast the machine is,
//! but for the two promises about time.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::AtomicBool;
use std::task::{Context, Waker};

use super::*;

fn far() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// A handler's wall and a tenant's, wide open.
fn party(handler: u32, tenant: u32) -> [Places; 2] {
    [Places::new("the handler", handler), Places::new("the tenant", tenant)]
}

/// What `enter` says at once; `None` where it waits.
fn at_once<'a>(entering: Pin<&mut impl Future<Output = Result<Entered<'a>, Full>>>) -> Option<bool> {
    match entering.poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(entered) => Some(entered.is_ok()),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn whoever_waits_gets_the_place_that_comes_free() {
    let ([handler, tenant], host) = (party(1, 9), Places::between_parties("the host", 9));
    let first = enter([&handler, &tenant, &host], far()).await.unwrap();
    let mut second = pin!(enter([&handler, &tenant, &host], far()));
    assert_eq!(at_once(second.as_mut()), None);
    assert_eq!((handler.running(), handler.waiting(), tenant.running(), host.running()), (1, 1, 1, 1));
    drop(first);
    assert_eq!((handler.running(), handler.waiting()), (1, 0), "handed over, so nobody gets in between");
    drop(second.await.unwrap());
    assert_eq!((handler.running(), tenant.running(), host.running()), (0, 0, 0));
}

#[tokio::test]
async fn nobody_waits_longer_than_the_limit_nor_past_his_own_deadline() {
    let ([handler, tenant], host) = (party(1, 9), Places::between_parties("the host", 9));
    let _held = enter([&handler, &tenant, &host], far()).await.unwrap();
    let full = enter([&handler, &tenant, &host], far()).await.err().unwrap();
    assert_eq!((full.whose, full.places, full.queue_full), ("the handler", 1, false));
    assert!(full.waited_ms >= 50, "{full}");
    let began = Instant::now();
    let full = enter([&handler, &tenant, &host], began).await.err().unwrap();
    assert!(full.waited_ms < 50, "{full}");
    assert_eq!(handler.waiting(), 0, "who gave up has left the queue");
    assert_eq!(
        Full { whose: "the host", places: 7, waited_ms: 50, queue_full: false }.to_string(),
        "the host has 7 invocations running, its most, and none ended within 50 ms"
    );
}

#[tokio::test]
async fn one_limit_holds_for_all_three_walls_together() {
    // Another program that takes the processor only makes it longer.
    let mut least = Duration::MAX;
    for _ in 0..5 {
        least = least.min(waited_at_two_walls().await);
    }
    assert!(least < Duration::from_millis(30 + 50), "50 ms in all, not again at each wall: {least:?}");
}

async fn waited_at_two_walls() -> Duration {
    let ([handler, tenant], host) = (party(1, 9), Places::between_parties("the host", 1));
    let elsewhere = party(9, 9);
    let _held = enter([&elsewhere[0], &elsewhere[1], &host], far()).await.unwrap();
    let own = handler.try_enter(0).then(|| Place(&handler)).unwrap();
    let began = Instant::now();
    let (full, ()) = tokio::join!(enter([&handler, &tenant, &host], far()), async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        drop(own);
    });
    let full = full.err().unwrap();
    if full.whose != "the host" {
        // The place was given back too late to come past the handler's wall.
        return Duration::MAX;
    }
    let waited = began.elapsed();
    assert!(full.waited_ms >= 50);
    assert_eq!((handler.running(), tenant.running(), host.running()), (0, 0, 1), "and gave back what it had");
    waited
}

#[tokio::test]
async fn a_queue_has_an_end() {
    let ([handler, tenant], host) = (party(3, 99), Places::between_parties("the host", 99));
    let walls = [&handler, &tenant, &host];
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(enter(walls, far()).await.unwrap());
    }
    let mut waiting: Vec<_> = (0..6).map(|_| Box::pin(enter(walls, far()))).collect();
    assert!(waiting.iter_mut().all(|entering| at_once(entering.as_mut()).is_none()));
    let full = enter(walls, far()).await.err().unwrap();
    assert!(full.queue_full && full.waited_ms < 50, "{full}");
    drop(waiting);
    assert_eq!((handler.running(), handler.waiting()), (3, 0));
    drop(held);
    assert_eq!((handler.running(), tenant.running(), host.running()), (0, 0, 0));
}

#[tokio::test]
async fn a_dropped_wait_gives_back_also_what_it_was_given_in_that_moment() {
    let ([handler, tenant], host) = (party(1, 9), Places::between_parties("the host", 9));
    let walls = [&handler, &tenant, &host];
    let held = enter(walls, far()).await.unwrap();
    let mut gone = Box::pin(enter(walls, far()));
    let mut next = Box::pin(enter(walls, far()));
    assert_eq!((at_once(gone.as_mut()), at_once(next.as_mut())), (None, None));
    drop(held); // the first in the queue is called in …
    drop(gone); // … and never comes
    assert_eq!(at_once(next.as_mut()), Some(true));
    assert_eq!((handler.running(), handler.waiting()), (0, 0));
}

/// The host has fewer places than the quotas add up to, and one tenant's handlers all sleep.
#[tokio::test]
async fn a_tenant_that_floods_the_host_makes_nobody_else_wait() {
    let host = Places::between_parties("the host", 64);
    let (greedy, other) = (party(1_000, 1_000), party(10, 10));
    let [flood, calls] = [[&greedy[0], &greedy[1], &host], [&other[0], &other[1], &host]];
    let mut sleeping = Vec::new();
    let mut queued = Vec::new();
    for _ in 0..500 {
        let mut entering = Box::pin(enter(flood, far()));
        match entering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(Ok(entered)) => sleeping.push(entered),
            std::task::Poll::Ready(Err(full)) => assert!(full.queue_full),
            std::task::Poll::Pending => queued.push(entering),
        }
    }
    assert_eq!((sleeping.len(), queued.len()), (56, 128), "all but an eighth, and as many waiting as may");
    // The reserve: eight calls of the other at once, none of which waits.
    let mut running: Vec<_> = (0..8).map(|_| Box::pin(enter(calls, far()))).collect();
    let mut entered = Vec::new();
    for entering in &mut running {
        match entering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(place) => entered.push(place.unwrap()),
            std::task::Poll::Pending => panic!("the other tenant waits at a host with a reserve"),
        }
    }
    // Who holds more than the reserve waits, but before all that came earlier, and takes the room of the last of them.
    let mut ninth = Box::pin(enter(calls, far()));
    assert_eq!(at_once(ninth.as_mut()), None);
    assert_eq!(host.waiting(), 128);
    let pushed_out = queued.iter_mut().map(|entering| {
        let polled = entering.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        matches!(polled, std::task::Poll::Ready(Err(full)) if full.queue_full)
    });
    assert_eq!(pushed_out.filter(|pushed_out| *pushed_out).count(), 1);
    sleeping.truncate(48);
    assert_eq!((host.running(), host.waiting()), (56, 128), "first the reserve is made whole again");
    sleeping.truncate(47);
    assert_eq!(at_once(ninth.as_mut()), Some(true), "then the first in the queue comes in");
}

#[tokio::test]
async fn handlers_of_one_tenant_share_its_wall_as_tenants_share_the_host() {
    let (tenant, host) = (Places::new("the tenant", 4), Places::between_parties("the host", 99));
    let [busy, quiet] = [9, 9].map(|max| Places::new("the handler", max));
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(enter([&busy, &tenant, &host], far()).await.unwrap());
    }
    let mut fifth = Box::pin(enter([&busy, &tenant, &host], far()));
    assert_eq!(at_once(fifth.as_mut()), None);
    let mut first = Box::pin(enter([&quiet, &tenant, &host], far()));
    assert_eq!(at_once(first.as_mut()), None);
    held.pop();
    assert_eq!(at_once(first.as_mut()), Some(true), "it came later and holds less");
}

#[tokio::test]
async fn the_number_of_places_changes_while_they_are_in_use() {
    let ([handler, tenant], host) = (party(2, 99), Places::between_parties("the host", 99));
    let walls = [&handler, &tenant, &host];
    let mut held = vec![enter(walls, far()).await.unwrap(), enter(walls, far()).await.unwrap()];
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(enter(walls, far()))).collect();
    assert!(waiting.iter_mut().all(|entering| at_once(entering.as_mut()).is_none()));

    handler.set_max(4);
    assert_eq!((handler.running(), handler.waiting()), (4, 1), "who waited is in at once");
    for entering in waiting.drain(..2) {
        held.push(entering.await.unwrap());
    }
    handler.set_max(1);
    assert_eq!(handler.running(), 4, "nobody is thrown out");
    for running in [3, 2, 1] {
        held.pop();
        assert_eq!((handler.running(), handler.waiting()), (running, 1), "and nobody comes in");
    }
    held.pop();
    assert_eq!((handler.running(), handler.waiting()), (1, 0));
    handler.set_max(0);
    assert_eq!(handler.max(), 1, "a wall without a place would be a way to switch a handler off");
}

/// Threads that come, wait, give up and leave while the limits change: no place is lost, doubled or given past the limit.
#[test]
fn no_order_of_events_loses_or_doubles_a_place() {
    const LARGEST: u32 = 6;
    let host = Places::between_parties("the host", LARGEST);
    let parties: Vec<_> = (0..3).map(|_| party(4, 5)).collect();
    let stop = AtomicBool::new(false);
    let inside = AtomicU32::new(0);
    let entered = AtomicU32::new(0);
    let thread = |number: u64| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let task = async |seed: u64| {
            let mut random = number << 32 | seed;
            while !stop.load(Ordering::Relaxed) {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let [handler, tenant] = &parties[(random >> 40) as usize % 3];
                let until = Instant::now() + Duration::from_micros(random >> 33 & 0xfff);
                let entering = enter([handler, tenant, &host], until);
                let patience = Duration::from_micros(random >> 45 & 0xfff);
                if let Ok(Ok(place)) = tokio::time::timeout(patience, entering).await {
                    let together = inside.fetch_add(1, Ordering::SeqCst) + 1;
                    assert!(together <= LARGEST, "{together} inside");
                    entered.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(place);
                }
                tokio::task::yield_now().await;
            }
        };
        let tasks = futures_of((0..12).map(task));
        runtime.block_on(tasks);
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3).map(|number| scope.spawn(move || thread(number))).collect();
        for round in 0..2_000 {
            host.set_max(1 + round % LARGEST);
            std::thread::yield_now();
            if entered.load(Ordering::Relaxed) > 200_000 {
                break;
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        stop.store(true, Ordering::Relaxed);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    assert!(entered.load(Ordering::Relaxed) > 1_000, "it was tried often enough to mean something");
    for places in parties.iter().flatten().chain([&host]) {
        assert_eq!((places.running(), places.waiting()), (0, 0), "{places:?}");
    }
}

/// All of them, side by side on one thread.
async fn futures_of<F: Future<Output = ()>>(tasks: impl Iterator<Item = F>) {
    let mut tasks: Vec<_> = tasks.map(|task| Some(Box::pin(task))).collect();
    std::future::poll_fn(|context| {
        for slot in &mut tasks {
            if slot.as_mut().is_some_and(|task| task.as_mut().poll(context).is_ready()) {
                *slot = None;
            }
        }
        match tasks.iter().all(Option::is_none) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
}
