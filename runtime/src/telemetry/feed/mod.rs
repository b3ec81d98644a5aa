//! What a tenant sees of its own handlers while it looks: log lines, outcomes of webhooks, releases.
//!
//! Nothing is kept for those who come later: the past is in the operator's log. Where nobody listens an event is not even
//! made. Each listener has a queue of its own, bounded in events and bytes, that holds only what it asked for; one that
//! reads too slowly loses the oldest and is told how many. Who publishes never waits for who reads.
//!
//! Server-sent events, tokens and tenants' rights are `control`'s.

mod event;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use arc_swap::ArcSwap;
use futures_util::Stream;
use hashbrown::HashMap;

pub use self::event::{FeedEvent, FeedLevel, FeedOutcome, FeedSource, moment};
use crate::call::{HandlerName, TenantId};

/// How many may listen, and how far one may fall behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedLimits {
    /// Listeners of one tenant.
    pub per_tenant: usize,
    /// Listeners in all. With `bytes` this is the most memory that the feed takes.
    pub in_all: usize,
    /// Events that wait for one listener.
    pub events: usize,
    /// Their bytes.
    pub bytes: usize,
}

impl Default for FeedLimits {
    /// 8 of a tenant, 64 in all, 1 024 events with 512 KiB: 32 MiB at most.
    fn default() -> Self {
        Self { per_tenant: 8, in_all: 64, events: 1_024, bytes: 512 << 10 }
    }
}

/// Too many listen already.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{whose} has {most} log streams open, its most; close one and try again")]
pub struct TooMany {
    whose: &'static str,
    most: usize,
}

/// The events of all tenants, for those who listen right now. Cheap to clone.
#[derive(Clone, Default)]
pub struct Feed(Arc<Shared>);

#[derive(Default)]
struct Shared {
    limits: FeedLimits,
    /// Listeners in all: what a webhook looks at.
    count: AtomicUsize,
    /// Replaced whole when somebody comes or goes; a tenant that nobody listens to is not in it.
    tenants: ArcSwap<HashMap<TenantId, Vec<Arc<Listener>>>>,
    /// Held while somebody comes or goes; whether the feed has ended.
    changing: Mutex<bool>,
}

struct Listener {
    handler: Option<HandlerName>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<Arc<FeedEvent>>,
    bytes: usize,
    /// Events that were dropped before the first that waits.
    dropped: u64,
    ended: bool,
    reader: Option<Waker>,
}

impl Feed {
    /// With limits of its own.
    #[must_use]
    pub fn new(limits: FeedLimits) -> Self {
        Self(Arc::new(Shared { limits, ..Shared::default() }))
    }

    /// Tells those who listen to `tenant`; `event` is made only where there are some. Where nobody listens to anybody, it
    /// costs one look at a number.
    pub fn publish(&self, tenant: &TenantId, event: impl FnOnce() -> FeedEvent) {
        if self.listeners() == 0 {
            return;
        }
        let tenants = self.0.tenants.load();
        let Some(listeners) = tenants.get(tenant) else {
            return;
        };
        let event = Arc::new(event().cut());
        let bytes = event.bytes();
        for listener in listeners.iter().filter(|listener| listener.wants(&event)) {
            listener.push(&event, bytes, &self.0.limits);
        }
    }

    /// How many listen.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.0.count.load(Relaxed)
    }

    /// Listens to a tenant, or to one handler of it, from now until the subscription is dropped or the feed ends. Whether
    /// that handler exists is not asked: it may be deployed in a minute.
    ///
    /// # Errors
    /// [`TooMany`], with whose limit is met.
    pub fn subscribe(
        &self,
        tenant: &TenantId,
        handler: Option<&HandlerName>,
    ) -> Result<Subscription, TooMany> {
        let FeedLimits { per_tenant, in_all, .. } = self.0.limits;
        let ended = self.0.change();
        if self.listeners() >= in_all {
            return Err(TooMany { whose: "the host", most: in_all });
        }
        let mut tenants = HashMap::clone(&self.0.tenants.load());
        let listeners = tenants.entry(tenant.clone()).or_default();
        if listeners.len() >= per_tenant {
            return Err(TooMany { whose: "the tenant", most: per_tenant });
        }
        let queue = Mutex::new(Queue { ended: *ended, ..Queue::default() });
        let listener = Arc::new(Listener { handler: handler.cloned(), queue });
        listeners.push(Arc::clone(&listener));
        self.0.tenants.store(Arc::new(tenants));
        self.0.count.fetch_add(1, Relaxed);
        Ok(Subscription { feed: Arc::clone(&self.0), tenant: tenant.clone(), listener })
    }

    /// Ends all subscriptions once they have read what waits for them: a host that stops shall not wait for those who
    /// look on.
    pub fn end(&self) {
        *self.0.change() = true;
        for listener in self.0.tenants.load().values().flatten() {
            let mut queue = listener.queue();
            queue.ended = true;
            wake(queue);
        }
    }
}

impl Shared {
    fn change(&self) -> MutexGuard<'_, bool> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    fn wants(&self, event: &FeedEvent) -> bool {
        match (&self.handler, event.handler()) {
            (Some(wanted), Some(handler)) => wanted == handler,
            _ => true,
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event; the oldest make room for it.
    fn push(&self, event: &Arc<FeedEvent>, bytes: usize, limits: &FeedLimits) {
        let mut queue = self.queue();
        while queue.events.len() >= limits.events.max(1) || queue.bytes + bytes > limits.bytes {
            let Some(oldest) = queue.events.pop_front() else {
                break; // One that is larger than all the room has it for itself.
            };
            queue.bytes -= oldest.bytes();
            queue.dropped += 1;
        }
        queue.bytes += bytes;
        queue.events.push_back(Arc::clone(event));
        wake(queue);
    }
}

/// Wakes the reader, with the queue free again.
fn wake(mut queue: MutexGuard<'_, Queue>) {
    let reader = queue.reader.take();
    drop(queue);
    if let Some(reader) = reader {
        reader.wake();
    }
}

/// A stream of events; [`FeedEvent::Dropped`] stands where some are missing.
pub struct Subscription {
    feed: Arc<Shared>,
    tenant: TenantId,
    listener: Arc<Listener>,
}

impl Stream for Subscription {
    type Item = FeedEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<FeedEvent>> {
        let mut queue = self.listener.queue();
        let dropped = std::mem::take(&mut queue.dropped);
        if dropped > 0 {
            drop(queue);
            metrics::counter!("hookswitch_feed_dropped_total").increment(dropped);
            return Poll::Ready(Some(FeedEvent::Dropped { count: dropped }));
        }
        if let Some(event) = queue.events.pop_front() {
            queue.bytes -= event.bytes();
            drop(queue);
            return Poll::Ready(Some(Arc::unwrap_or_clone(event)));
        }
        if queue.ended {
            return Poll::Ready(None);
        }
        queue.reader = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let _changing = self.feed.change();
        let mut tenants = HashMap::clone(&self.feed.tenants.load());
        if let Some(listeners) = tenants.get_mut(&self.tenant) {
            listeners.retain(|listener| !Arc::ptr_eq(listener, &self.listener));
            if listeners.is_empty() {
                tenants.remove(&self.tenant);
            }
        }
        self.feed.tenants.store(Arc::new(tenants));
        self.feed.count.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
