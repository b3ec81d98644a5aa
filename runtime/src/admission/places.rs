//! Places: at most so many invocations at a time, and a short queue for those that come while all are taken.
//!
//! Three walls stand behind each other: the handler's (shared by all its revisions, so that a swap does not double it), the
//! tenant's and the host's. A webhook takes a place of each, in this order, so at the host's wall there are never more
//! webhooks of a tenant than the tenant has places.
//!
//! The one idea: **whoever holds less goes first.** A queue is ordered by how many places the waiting party (the handler at
//! its tenant's wall, the tenant at the host's) held when the webhook came, then by arrival. First come, first served would
//! let a tenant whose handlers all sleep fill the host's queue, and its neighbours would wait behind its webhooks; here they
//! pass, and push its last one out where the queue is full. And because a host may be full of invocations that sleep for
//! seconds, its wall keeps the last eighth of its places for parties that hold no more than that eighth themselves
//! (a telephone exchange calls it trunk reservation). So quotas may well add up to more than the host has.
//!
//! A wall without a queue is one atomic word. Only who meets a full one, or leaves one that others wait at, takes its lock,
//! for a step in an ordered map and never across a wait.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// How long a webhook waits for its places, all walls together, before its caller hears the fallback document. Short: a
/// carrier waits 15 s in all, the strictest 5 s, and a queue that is longer than the work makes everybody late.
pub const WAIT_MAX: Duration = Duration::from_millis(50);

/// How many may wait, for each place that there is. Of more, the last would wait in vain even where each place comes free
/// twice within [`WAIT_MAX`].
const WAITING_PER_PLACE: u64 = 2;

/// The outermost wall keeps one place in so many for parties that hold little. A larger reserve is a busy tenant's loss, a
/// smaller one is sooner taken by other small parties.
const RESERVED_PART: u32 = 8;

/// One wall: so many places, whose number may change while they are in use.
pub struct Places {
    whose: &'static str,
    /// How many are running in the lower half, how many are waiting in the upper: one word, so that nobody comes to wait
    /// between a look at one and a change of the other.
    state: AtomicU64,
    max: AtomicU32,
    /// How many of them are kept for parties that hold no more than so many.
    reserve: AtomicU32,
    between_parties: bool,
    queue: Mutex<Queue>,
}

/// Those who wait, the first to go first.
#[derive(Default)]
struct Queue {
    waiting: BTreeMap<Turn, oneshot::Sender<Called>>,
    tickets: u64,
}

/// Order of the queue: how many places its party held, then a number that grows.
type Turn = (u32, u64);

/// What ends a wait.
enum Called {
    /// A place; it is already counted.
    In,
    /// Somebody who holds less needed the room in the queue.
    Out,
}

/// One more waiting, in [`Places::state`].
const ONE_WAITING: u64 = 1 << 32;

fn running(state: u64) -> u32 {
    state as u32 // the lower half
}

fn waiting(state: u64) -> u64 {
    state >> 32
}

/// No place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{whose} has {places} invocations running, its most, and {}", self.and())]
pub struct Full {
    /// Whose places they are: `the handler`, `the tenant` or `the host`.
    pub whose: &'static str,
    /// Its most.
    pub places: u32,
    /// How long this webhook waited, at all walls together, in milliseconds.
    pub waited_ms: u64,
    /// It was turned away because too many were waiting before it, not because its time was up.
    pub queue_full: bool,
}

impl Full {
    fn and(&self) -> Cow<'static, str> {
        match self.queue_full {
            true => "as many waiting as may".into(),
            false => format!("none ended within {} ms", self.waited_ms).into(),
        }
    }
}

/// A place at each wall, for as long as it is held.
#[must_use = "places are given back when this is dropped"]
pub struct Entered<'a> {
    _places: [Option<Place<'a>>; WALLS_MAX],
}

/// Walls behind each other, at most.
const WALLS_MAX: usize = 5;

/// One place at one wall.
struct Place<'a>(&'a Places);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Takes a place at each wall, the innermost first: handler, tenant, host; a web request before these at the two that bound
/// web requests alone. Waits at full ones for [`WAIT_MAX`] in all, and
/// never past `until`, the caller's own deadline.
///
/// The usual case waits for nothing. Dropping the future gives back what it had.
///
/// # Errors
/// [`Full`] names the wall.
pub async fn enter<'a, const WALLS: usize>(
    walls: [&'a Places; WALLS],
    until: Instant,
) -> Result<Entered<'a>, Full> {
    let mut patience = Patience { until, began: None };
    const { assert!(WALLS <= WALLS_MAX) };
    let mut places = [const { None }; WALLS_MAX];
    let mut held = 0;
    // Kept, and so dropped, outermost first: whoever waits there finds its own inner places still its own.
    for (wall, place) in walls.into_iter().zip(places.iter_mut().rev()) {
        *place = Some(take(wall, held, &mut patience).await?);
        held = wall.running();
    }
    Ok(Entered { _places: places })
}

/// How long one webhook still waits. Reads no clock before it has to wait.
struct Patience {
    until: Instant,
    began: Option<tokio::time::Instant>,
}

impl Patience {
    fn ends(&mut self) -> tokio::time::Instant {
        let began = *self.began.get_or_insert_with(tokio::time::Instant::now);
        (began + WAIT_MAX).min(self.until.into())
    }

    fn waited_ms(&self) -> u64 {
        let waited = self.began.map_or(Duration::ZERO, |began| began.elapsed());
        u64::try_from(waited.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A place at one wall, for a party that holds `held` of them, this webhook included.
async fn take<'a>(places: &'a Places, held: u32, patience: &mut Patience) -> Result<Place<'a>, Full> {
    if places.try_enter(held) {
        return Ok(Place(places));
    }
    let full = |patience: &Patience, queue_full| Full {
        whose: places.whose,
        places: places.max(),
        waited_ms: patience.waited_ms(),
        queue_full,
    };
    // In a box, because this seldom happens, and the future of every webhook would be larger for it.
    let ends = patience.ends();
    match Box::pin(places.wait(held, ends)).await {
        Ok(place) => Ok(place),
        Err(Turned::Late) => Err(full(patience, false)),
        Err(Turned::Away) => Err(full(patience, true)),
    }
}

/// Why a wait ended without a place.
enum Turned {
    /// The time was up.
    Late,
    /// The queue was full.
    Away,
}

impl Places {
    /// A wall of one party (`the handler`, `the tenant`): `max` places, at least one.
    #[must_use]
    pub fn new(whose: &'static str, max: u32) -> Self {
        Self::with(whose, max, false)
    }

    /// The outermost wall, behind which strangers meet (`the host`): keeps the last eighth of its places for parties that
    /// hold no more than that eighth.
    #[must_use]
    pub fn between_parties(whose: &'static str, max: u32) -> Self {
        Self::with(whose, max, true)
    }

    fn with(whose: &'static str, max: u32, between_parties: bool) -> Self {
        let places = Self {
            whose,
            state: AtomicU64::new(0),
            max: AtomicU32::new(0),
            reserve: AtomicU32::new(0),
            between_parties,
            queue: Mutex::default(),
        };
        places.set_max(max);
        places
    }

    /// Changes the number of places, to at least one. Who has a place keeps it: fewer become fewer as they are left, and
    /// more are given to those who wait, at once. At no time are more taken than the larger of both numbers.
    pub fn set_max(&self, max: u32) {
        let mut queue = self.lock();
        let reserve = if self.between_parties { max / RESERVED_PART } else { 0 };
        self.max.store(max.max(1), Ordering::Relaxed);
        self.reserve.store(reserve, Ordering::Relaxed);
        self.call_in(&mut queue);
    }

    /// How many places there are.
    #[must_use]
    pub fn max(&self) -> u32 {
        self.max.load(Ordering::Relaxed)
    }

    /// How many are taken.
    #[must_use]
    pub fn running(&self) -> u32 {
        running(self.state.load(Ordering::Relaxed))
    }

    /// How many wait for one.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        waiting(self.state.load(Ordering::Relaxed)) as u32 // came from 32 bits
    }

    /// How many places may be taken before a party that holds `held` gets none.
    fn limit(&self, held: u32) -> u32 {
        let (max, reserve) = (self.max.load(Ordering::Relaxed), self.reserve.load(Ordering::Relaxed));
        // The two are not changed as one; between them the limit may be low for a moment, never below nothing.
        if held <= reserve { max } else { max.saturating_sub(reserve) }
    }

    /// Takes a place, where one is free and nobody waits.
    fn try_enter(&self, held: u32) -> bool {
        let limit = self.limit(held);
        let step = |state| (waiting(state) == 0 && running(state) < limit).then_some(state + 1);
        self.state.fetch_update(Ordering::Acquire, Ordering::Relaxed, step).is_ok()
    }

    /// Waits in the queue until it is this one's turn.
    async fn wait(&self, held: u32, ends: tokio::time::Instant) -> Result<Place<'_>, Turned> {
        let Some(mut waiter) = self.queue_up(held)? else { return Ok(Place(self)) };
        let called = tokio::time::timeout_at(ends, &mut waiter.called).await;
        match called {
            Ok(Ok(Called::In)) => {
                waiter.done = true;
                Ok(Place(self))
            }
            Ok(Ok(Called::Out) | Err(_)) => {
                waiter.done = true;
                Err(Turned::Away)
            }
            Err(_) => Err(Turned::Late),
        }
    }

    /// A place in the queue; `None` where a place behind the wall came free meanwhile and is taken now.
    fn queue_up(&self, held: u32) -> Result<Option<Waiter<'_>>, Turned> {
        let mut queue = self.lock();
        let limit = self.limit(held);
        let most = u64::from(self.max()) * WAITING_PER_PLACE;
        // Not past those who wait for the same reason: whoever could go in has been called in already.
        let step = |state| (running(state) < limit).then_some(state + 1);
        if self.state.fetch_update(Ordering::Acquire, Ordering::Relaxed, step).is_ok() {
            return Ok(None);
        }
        if queue.waiting.len() as u64 >= most {
            let last = queue.waiting.last_entry().filter(|last| last.key().0 > held).ok_or(Turned::Away)?;
            let _ = last.remove().send(Called::Out); // it hears of it, or has just gone
            self.state.fetch_sub(ONE_WAITING, Ordering::Relaxed);
        }
        queue.tickets += 1;
        let turn = (held, queue.tickets);
        let (call, called) = oneshot::channel();
        queue.waiting.insert(turn, call);
        self.state.fetch_add(ONE_WAITING, Ordering::Relaxed);
        // A place may have come free between the look at it and now, by somebody who saw nobody waiting.
        self.call_in(&mut queue);
        Ok(Some(Waiter { places: self, turn, called, done: false }))
    }

    /// Gives a place back: to nobody in the usual case, else to the first in the queue.
    fn leave(&self) {
        let step = |state| (waiting(state) == 0).then_some(state - 1);
        if self.state.fetch_update(Ordering::Release, Ordering::Relaxed, step).is_err() {
            let mut queue = self.lock();
            self.state.fetch_sub(1, Ordering::Release);
            self.call_in(&mut queue);
        }
    }

    /// Calls in whoever has a place now, first come last.
    fn call_in(&self, queue: &mut Queue) {
        while let Some(first) = queue.waiting.first_entry() {
            let limit = self.limit(first.key().0);
            // One step for both halves: a free place and an empty queue must not be seen together in between.
            let step = |state| (running(state) < limit).then_some(state + 1 - ONE_WAITING);
            if self.state.fetch_update(Ordering::AcqRel, Ordering::Relaxed, step).is_err() {
                break;
            }
            // Whoever has gone away meanwhile finds the place on its way out: see `Waiter::drop`.
            let _ = first.remove().send(Called::In);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is held; if it did, the queue would still be whole between two steps.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} of {} running, {} waiting", self.whose, self.running(), self.max(), self.waiting())
    }
}

/// One that waits. Dropping it leaves the queue, or the place that it was given in that moment.
struct Waiter<'a> {
    places: &'a Places,
    turn: Turn,
    called: oneshot::Receiver<Called>,
    done: bool,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let mut queue = self.places.lock();
        if queue.waiting.remove(&self.turn).is_some() {
            self.places.state.fetch_sub(ONE_WAITING, Ordering::Relaxed);
            drop(queue);
        } else {
            // Calls are made under the lock, so this one has been made.
            drop(queue);
            if let Ok(Called::In) = self.called.try_recv() {
                self.places.leave();
            }
        }
    }
}

#[cfg(test)]
mod tests;
