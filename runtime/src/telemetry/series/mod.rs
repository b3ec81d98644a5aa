//! The series that come and go: those of handlers and of revisions.
//!
//! A thousand deploys would leave a thousand dead series if each stayed for ever. So a series lives in the counters that a
//! loaded revision holds, and the book of all series has only weak references: with the last holder it is gone, and
//! what still ends on an old revision counts for nobody and brings nothing back. Times belong to the handler, because
//! buckets times revisions would be too many; `hookswitch_webhook_seconds_count` goes on over all its revisions.
//!
//! A webhook adds to atomics that it holds already: no look-up, no lock. The book is locked where a revision is
//! loaded, and for the moment of a scrape that lists who is there.

mod shown;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

pub(super) use self::shown::write;
use super::histogram::{Histogram, SECONDS};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::release::Share;

/// Codes of webhooks that had a handler are `HS2nn`; this many of them have a place. The last one takes all others, which
/// the error table has none of.
const FAILURES: usize = 32;

/// The failures that say nothing about the handler's code: no place came free (HS211), the host itself (HS212), it was not
/// run after others had failed (HS215), it was not there to be run (HS216), its session could not be kept (HS217).
const NOT_THE_AUTHORS: [usize; 5] = [11, 12, 15, 16, 17];

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Total(AtomicU64);

impl Total {
    /// Adds `by`.
    pub fn increment(&self, by: u64) {
        self.0.fetch_add(by, Relaxed);
    }

    /// As it is now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The time that one webhook took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Took {
    /// From the request to the answer.
    pub whole: Duration,
    /// Of this in the sandbox, waiting for others included; zero where nothing ran there.
    pub guest: Duration,
    /// Of this the guest's own running.
    pub guest_busy: Duration,
}

/// What the circuit breaker of a revision does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum BreakerGauge {
    /// Webhooks run.
    Closed = 0,
    /// A few run, to see whether it works again.
    Probing = 1,
    /// All hear the fallback document at once.
    Open = 2,
}

/// What is known of a canary's failure rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum JudgementGauge {
    /// Too few webhooks to tell.
    TooFew = 0,
    /// It does not stand out.
    Fine = 1,
    /// It fails more often; not so that nobody can wait.
    Raised = 2,
    /// It has to go.
    Bad = 3,
}

/// A loaded revision's hold on its series; the series is shown as long as there is one.
///
/// Each counts for itself: what [`calls`](RevisionSeries::calls) and its like say is of this loading of the revision. Where one
/// is loaded twice, as while the last webhook on the first loading ends, the sum is shown.
pub struct RevisionCounters(Arc<RevisionSeries>);

/// What is counted of one revision since it was loaded.
pub struct RevisionSeries {
    /// Webhooks answered by the handler.
    pub ok: Total,
    /// Repeated deliveries that got the stored answer.
    pub repeated: Total,
    /// Problems in served documents.
    pub warnings: Total,
    calls: Total,
    /// Of the webhooks that it is judged by, those that worked and those that its author made fail.
    judged: [Total; 2],
    /// By the last two digits of their code.
    failures: [Total; FAILURES],
    /// In hundredths of a percent; [`NO_SHARE`] where it takes no part in a release.
    share: AtomicU32,
    /// [`UNKNOWN`], or a [`JudgementGauge`].
    judgement: AtomicU8,
    /// [`UNKNOWN`], or a [`BreakerGauge`].
    breaker: AtomicU8,
    handler: Arc<HandlerSeries>,
    /// As they stand between braces, without the outcome.
    labels: Box<str>,
}

const NO_SHARE: u32 = u32::MAX;
const UNKNOWN: u8 = u8::MAX;

/// The times of one handler, over its revisions.
struct HandlerSeries {
    whole: Histogram,
    guest: Histogram,
    /// In nanoseconds.
    guest_busy: Total,
    labels: Box<str>,
}

impl RevisionCounters {
    /// Begins to count.
    #[must_use]
    pub fn new(tenant: &TenantId, handler: &HandlerName, revision: RevisionId) -> Self {
        Self(BOOK.lock().revision(tenant, handler, revision))
    }
}

impl Deref for RevisionCounters {
    type Target = RevisionSeries;

    fn deref(&self) -> &RevisionSeries {
        &self.0
    }
}

impl RevisionSeries {
    /// Counts a webhook that failed with `code` of the error table.
    pub fn failed(&self, code: &'static str) {
        if let Some(total) = self.failures.get(place(code)) {
            total.increment(1);
        }
    }

    /// Counts a webhook that it is judged by, which failed with `code` or worked.
    pub fn judged(&self, code: Option<&'static str>) {
        let [worked, failed] = &self.judged;
        match code {
            None => worked.increment(1),
            Some(code) if !NOT_THE_AUTHORS.contains(&place(code)) => failed.increment(1),
            Some(_) => {}
        }
    }

    /// Counts a new call: a webhook that was routed here by share, not by a pin.
    pub fn began_call(&self) {
        self.calls.increment(1);
    }

    /// Counts the time of a webhook, whatever its outcome; a repeated one has no time of its own.
    pub fn took(&self, took: &Took) {
        self.handler.whole.record_time(took.whole);
        if !took.guest.is_zero() {
            self.handler.guest.record_time(took.guest);
            self.handler.guest_busy.increment(u64::try_from(took.guest_busy.as_nanos()).unwrap_or(0));
        }
    }

    /// New calls since it was loaded.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.get()
    }

    /// Webhooks since it was loaded whose outcome says something about the handler: answered, or failed by its author's
    /// fault. What did not run it says nothing. Read after
    /// [`failures`](Self::failures) it is never less.
    #[must_use]
    pub fn webhooks(&self) -> u64 {
        self.ok.get() + self.failures()
    }

    /// Of [`webhooks`](Self::webhooks), those that failed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        let places = self.failures.iter().enumerate();
        places.filter(|(place, _)| !NOT_THE_AUTHORS.contains(place)).map(|(_, total)| total.get()).sum()
    }

    /// Webhooks that it is judged by and how many of them its author made fail, since it was loaded.
    #[must_use]
    pub fn verdicts(&self) -> (u64, u64) {
        let [worked, failed] = &self.judged;
        // Read once: there are never fewer webhooks than failures.
        let failed = failed.get();
        (worked.get() + failed, failed)
    }

    /// Its share of new calls; `None` where it takes none and is not on its way out either.
    pub fn set_share(&self, share: Option<Share>) {
        self.share.store(share.map_or(NO_SHARE, |share| u32::from(share.0)), Relaxed);
    }

    /// What is known of its failure rate while it is a canary; `None` ends that.
    pub fn set_judgement(&self, judgement: Option<JudgementGauge>) {
        self.judgement.store(judgement.map_or(UNKNOWN, |judgement| judgement as u8), Relaxed);
    }

    /// What its circuit breaker does.
    pub fn set_breaker(&self, breaker: BreakerGauge) {
        self.breaker.store(breaker as u8, Relaxed);
    }
}

/// Where a code is counted: by its last two digits.
fn place(code: &str) -> usize {
    let number = code.strip_prefix("HS2").and_then(|number| number.parse().ok());
    number.filter(|place| *place < FAILURES).unwrap_or(FAILURES - 1)
}

/// All series there are.
static BOOK: LazyLock<Book> = LazyLock::new(Book::default);

#[derive(Default)]
struct Book(Mutex<Pages>);

type HandlerKey = (TenantId, HandlerName);

#[derive(Default)]
struct Pages {
    handlers: BTreeMap<HandlerKey, Weak<HandlerSeries>>,
    /// Each as often as it is loaded.
    revisions: BTreeMap<(HandlerKey, RevisionId), Vec<Weak<RevisionSeries>>>,
    /// Revisions that were put into the book since it was last tidied, and those that stayed then.
    loaded: usize,
    /// With so many in the book, those that are gone are looked for.
    tidy_at: usize,
}

impl Book {
    /// A panic of ours while it was held leaves whole pages, so they are used all the same.
    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn revision(
        &mut self,
        tenant: &TenantId,
        handler: &HandlerName,
        revision: RevisionId,
    ) -> Arc<RevisionSeries> {
        let handler_key = (tenant.clone(), handler.clone());
        let key = (handler_key.clone(), revision);
        self.tidy();
        let series = Arc::new(RevisionSeries {
            ok: Total::default(),
            repeated: Total::default(),
            warnings: Total::default(),
            calls: Total::default(),
            judged: Default::default(),
            failures: std::array::from_fn(|_| Total::default()),
            share: AtomicU32::new(NO_SHARE),
            judgement: AtomicU8::new(UNKNOWN),
            breaker: AtomicU8::new(UNKNOWN),
            handler: self.handler(handler_key),
            labels: format!("tenant=\"{tenant}\",handler=\"{handler}\",revision=\"{revision}\"").into(),
        });
        self.revisions.entry(key).or_default().push(Arc::downgrade(&series));
        self.loaded += 1;
        series
    }

    fn handler(&mut self, key: HandlerKey) -> Arc<HandlerSeries> {
        if let Some(series) = self.handlers.get(&key).and_then(Weak::upgrade) {
            return series;
        }
        let series = Arc::new(HandlerSeries {
            whole: Histogram::new(&SECONDS),
            guest: Histogram::new(&SECONDS),
            guest_busy: Total::default(),
            // Names are of letters, digits and `-`: nothing to escape.
            labels: format!("tenant=\"{}\",handler=\"{}\"", key.0, key.1).into(),
        });
        self.handlers.insert(key, Arc::downgrade(&series));
        series
    }

    /// Forgets who is gone, each time that the book has doubled: an entry costs its memory until then.
    fn tidy(&mut self) {
        if self.loaded < self.tidy_at {
            return;
        }
        self.revisions.retain(|_, loaded| {
            loaded.retain(|series| series.strong_count() > 0);
            !loaded.is_empty()
        });
        self.handlers.retain(|_, series| series.strong_count() > 0);
        self.loaded = self.revisions.values().map(Vec::len).sum();
        self.tidy_at = (2 * self.loaded).max(64);
    }
}
