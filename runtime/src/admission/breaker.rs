//! The circuit breaker of one revision: when nearly nothing works, the caller hears the fallback at once instead of after the
//! deadline, and a webhook now and then tries whether it works again.
//!
//! **It opens** when, of at least 20 webhooks that ended within the last 10 s, so many failed that chance does not explain it
//! if three in five would fail: more than three standard deviations above 60 %. That is 19 of 20, 75 of 100, 647 of 1 000.
//! The bar is this high on purpose: an open breaker takes the working webhooks along with the failing ones. A handler with
//! one broken step fails in half of its webhooks or fewer; it stays closed, and what that step costs is bounded by the
//! handler's places and deadline. A handler that fails everywhere is open after its twentieth webhook. A slow trickle has no
//! 20 webhooks in 10 s and never opens, nor needs to.
//!
//! **It stays open** for 1 s, and for twice as long each time that it opens again, up to 60 s; up to a quarter less by
//! chance, so that breakers which opened together do not try together. It starts at 1 s again after five minutes closed.
//!
//! **Then it probes**: one webhook at a time runs, all others are refused. Three good probes close it, two bad ones open it
//! again. A probe whose future is dropped gives its turn back; one that is never heard of again loses it after
//! [`PROBE_MS_MAX`].
//!
//! No lock and no clock of its own: the time comes in as milliseconds of any clock that does not go back. Admission to a
//! closed breaker is one load. What counts as a failure is the caller's to say: what the handler did, never what happened
//! before it ran.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How far back failures count, in seconds: one bucket each.
const WINDOW_S: usize = 10;

/// Fewer webhooks than this within the window say nothing.
const WEBHOOKS_MIN: u64 = 20;

/// How long it is open the first time, in milliseconds.
const OPEN_MS: u64 = 1_000;

/// The longest that it is open, in milliseconds.
const OPEN_MS_MAX: u64 = 60_000;

/// Closed for so long, in milliseconds, its earlier openings are forgotten.
const FORGIVEN_MS: u64 = 5 * 60_000;

/// Good probes that close it.
const GOOD_PROBES: u64 = 3;

/// Bad probes that open it again.
const BAD_PROBES: u64 = 2;

/// A probe that has not ended after so long is given up, in milliseconds. Above the longest deadline that a handler may have.
pub const PROBE_MS_MAX: u64 = 35_000;

/// What a refused caller is told to wait while a probe runs, in milliseconds, at most.
const RETRY_MS: u64 = 1_000;

/// The breaker of one revision.
#[derive(Debug)]
pub struct Breaker {
    /// A [`Phase`], packed.
    phase: AtomicU64,
    /// One second each: that second, how many webhooks ended in it, how many of them failed.
    window: [AtomicU64; WINDOW_S],
    /// Tells the waits of one breaker from another's.
    seed: u64,
}

/// Whether a webhook may run.
#[derive(Debug)]
#[must_use = "what ran has to be recorded"]
pub enum Admission<'a> {
    /// As usual.
    Run,
    /// As the one that finds out whether it works again.
    Probe(Probe<'a>),
    /// It may not: answer with the fallback.
    Refused {
        /// When it is worth another try, in milliseconds from now.
        retry_ms: u64,
    },
}

/// The turn of one probe; given back when it is dropped without having been recorded.
#[derive(Debug)]
pub struct Probe<'a> {
    breaker: &'a Breaker,
    /// The phase that this probe made: as long as it is in force, the turn is this probe's.
    word: u64,
}

/// How a webhook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The handler did what it should.
    Worked,
    /// The handler trapped, was stopped, or answered what can't be used.
    Failed,
}

/// What a record changed; worth a log line each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It opened, or opened again.
    Opened {
        /// For so long, in milliseconds.
        for_ms: u64,
    },
    /// It closed.
    Closed,
}

/// What an operator sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Webhooks run.
    Closed,
    /// None runs.
    Open {
        /// For so much longer, in milliseconds.
        for_ms: u64,
    },
    /// One at a time runs.
    Probing,
}

/// The phase, unpacked. A time takes 44 bits: 550 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Phase {
    kind: Kind,
    /// How often it opened without five minutes' peace in between; no more than [`OPENINGS_MAX`].
    openings: u64,
    /// Probes since it last opened.
    good: u64,
    bad: u64,
    /// Closed: since when. Open: until when. Probing: when the running probe is given up, 0 when none runs.
    at_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Closed,
    Open,
    Probing,
}

/// After so many openings the wait is the longest.
const OPENINGS_MAX: u64 = 7;

const AT_BITS: u32 = 44;
const AT_MASK: u64 = (1 << AT_BITS) - 1;

impl Phase {
    /// A breaker that never opened: the word 0.
    const NEW: Self = Self { kind: Kind::Closed, openings: 0, good: 0, bad: 0, at_ms: 0 };

    fn unpack(word: u64) -> Self {
        let field = |from: u32, bits: u32| (word >> (AT_BITS + from)) & ((1 << bits) - 1);
        let kind = match field(0, 2) {
            0 => Kind::Closed,
            1 => Kind::Open,
            _ => Kind::Probing,
        };
        Self { kind, openings: field(2, 3), good: field(5, 2), bad: field(7, 2), at_ms: word & AT_MASK }
    }

    fn pack(self) -> u64 {
        let kind = match self.kind {
            Kind::Closed => 0,
            Kind::Open => 1,
            Kind::Probing => 2,
        };
        let fields = kind | self.openings << 2 | self.good << 5 | self.bad << 7;
        fields << AT_BITS | self.at_ms & AT_MASK
    }
}

impl Default for Breaker {
    fn default() -> Self {
        let seed = RandomState::new().hash_one(0);
        Self { phase: AtomicU64::new(Phase::NEW.pack()), window: Default::default(), seed }
    }
}

impl Breaker {
    /// Whether a webhook may run at `now_ms`. Whatever ran goes to [`Breaker::record`] with its admission.
    pub fn admit(&self, now_ms: u64) -> Admission<'_> {
        let mut word = self.phase.load(Relaxed);
        loop {
            let phase = Phase::unpack(word);
            let (good, bad) = match phase.kind {
                Kind::Closed => return Admission::Run,
                Kind::Open if now_ms < phase.at_ms => {
                    return Admission::Refused { retry_ms: phase.at_ms - now_ms };
                }
                Kind::Probing if now_ms < phase.at_ms => {
                    return Admission::Refused { retry_ms: RETRY_MS.min(phase.at_ms - now_ms) };
                }
                // Its time is up: the first probe.
                Kind::Open => (0, 0),
                // The turn is free, or its owner is not heard of any more.
                Kind::Probing => (phase.good, phase.bad),
            };
            // The time also tells this turn from one that was given up as lost, which had an earlier one.
            let at_ms = now_ms + PROBE_MS_MAX;
            let probing = Phase { kind: Kind::Probing, good, bad, at_ms, ..phase }.pack();
            match self.phase.compare_exchange(word, probing, Relaxed, Relaxed) {
                Ok(_) => return Admission::Probe(Probe { breaker: self, word: probing }),
                Err(changed) => word = changed,
            }
        }
    }

    /// Counts how a webhook ended. Says whether that opened or closed the breaker.
    pub fn record(&self, ended: Ended, admission: Admission<'_>, now_ms: u64) -> Option<Change> {
        match admission {
            Admission::Run => self.ran(ended, now_ms),
            Admission::Probe(probe) => probe.ended(ended, now_ms),
            Admission::Refused { .. } => None,
        }
    }

    /// How it stands at `now_ms`.
    #[must_use]
    pub fn state(&self, now_ms: u64) -> State {
        let phase = Phase::unpack(self.phase.load(Relaxed));
        match phase.kind {
            Kind::Closed => State::Closed,
            Kind::Open if now_ms < phase.at_ms => State::Open { for_ms: phase.at_ms - now_ms },
            Kind::Open | Kind::Probing => State::Probing,
        }
    }

    fn ran(&self, ended: Ended, now_ms: u64) -> Option<Change> {
        let word = self.phase.load(Relaxed);
        let phase = Phase::unpack(word);
        // What began before it opened says nothing new.
        if phase.kind != Kind::Closed {
            return None;
        }
        self.count(ended, now_ms / 1_000);
        if ended == Ended::Worked || !self.fails_nearly_always(now_ms / 1_000) {
            return None;
        }
        let peaceful = now_ms.saturating_sub(phase.at_ms) >= FORGIVEN_MS;
        let openings = if peaceful { 0 } else { phase.openings };
        self.open(word, openings, now_ms)
    }

    /// Opens it, if the phase is still `word`.
    fn open(&self, word: u64, openings: u64, now_ms: u64) -> Option<Change> {
        let full = (OPEN_MS << openings).min(OPEN_MS_MAX);
        let for_ms = full - mix(self.seed ^ now_ms) % (full / 4 + 1);
        let openings = (openings + 1).min(OPENINGS_MAX);
        let open = Phase { kind: Kind::Open, openings, good: 0, bad: 0, at_ms: now_ms + for_ms };
        let changed = self.phase.compare_exchange(word, open.pack(), Relaxed, Relaxed);
        changed.is_ok().then_some(Change::Opened { for_ms })
    }

    /// One more webhook in this second's bucket.
    fn count(&self, ended: Ended, second: u64) {
        let Some(bucket) = self.window.get(second as usize % WINDOW_S) else { return };
        let _counted = bucket.fetch_update(Relaxed, Relaxed, |word| {
            let mut bucket = Bucket::unpack(word);
            if bucket.second != second & Bucket::SECOND_MASK {
                bucket = Bucket { second, ended: 0, failed: 0 };
            }
            // Full: at a million in a second the first of them tell enough.
            let room = bucket.ended < Bucket::COUNT_MASK;
            let failed = bucket.failed + u64::from(ended == Ended::Failed);
            room.then(|| Bucket { ended: bucket.ended + 1, failed, ..bucket }.pack())
        });
    }

    /// The rule: see the head of this file.
    fn fails_nearly_always(&self, second: u64) -> bool {
        let recent = self.window.iter().map(|bucket| Bucket::unpack(bucket.load(Relaxed))).filter(|bucket| {
            // A second ahead is a neighbour's clock, read a little later.
            let age = second.wrapping_add(1).wrapping_sub(bucket.second) & Bucket::SECOND_MASK;
            age <= WINDOW_S as u64
        });
        let (ended, failed) = recent.fold((0, 0), |(e, f), bucket| (e + bucket.ended, f + bucket.failed));
        // failed > 0.6 n + 3 √(0.6 · 0.4 · n), without fractions: both sides times five, squared.
        let above = (5 * failed).saturating_sub(3 * ended);
        ended >= WEBHOOKS_MIN && above * above > 54 * ended
    }
}

impl Probe<'_> {
    fn ended(self, ended: Ended, now_ms: u64) -> Option<Change> {
        let (breaker, word) = (self.breaker, self.word);
        std::mem::forget(self); // its turn ends here, not with a drop
        let mut phase = Phase::unpack(word);
        match ended {
            Ended::Worked => phase.good += 1,
            Ended::Failed => phase.bad += 1,
        }
        if phase.bad >= BAD_PROBES {
            return breaker.open(word, phase.openings, now_ms);
        }
        let closes = phase.good >= GOOD_PROBES;
        let next = match closes {
            true => Phase { kind: Kind::Closed, good: 0, bad: 0, at_ms: now_ms, ..phase },
            false => Phase { at_ms: 0, ..phase },
        };
        if closes {
            // Before it closes: what failed then shall not open it again.
            breaker.window.iter().for_each(|bucket| bucket.store(0, Relaxed));
        }
        let changed = breaker.phase.compare_exchange(word, next.pack(), Relaxed, Relaxed);
        (closes && changed.is_ok()).then_some(Change::Closed)
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        let free = Phase { at_ms: 0, ..Phase::unpack(self.word) }.pack();
        // Otherwise the turn was given up as lost, and is somebody else's.
        let _given_back = self.breaker.phase.compare_exchange(self.word, free, Relaxed, Relaxed);
    }
}

/// One second of the window, unpacked: 24 bits for the second (half a year), 20 for each count.
#[derive(Clone, Copy)]
struct Bucket {
    second: u64,
    ended: u64,
    failed: u64,
}

impl Bucket {
    const SECOND_MASK: u64 = (1 << 24) - 1;
    const COUNT_MASK: u64 = (1 << 20) - 1;

    fn unpack(word: u64) -> Self {
        Self { second: word >> 40, ended: word >> 20 & Self::COUNT_MASK, failed: word & Self::COUNT_MASK }
    }

    fn pack(self) -> u64 {
        (self.second & Self::SECOND_MASK) << 40 | self.ended << 20 | self.failed
    }
}

/// A number without pattern from one that has one (SplitMix64's last step).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
