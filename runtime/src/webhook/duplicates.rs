//! The answers to webhooks that carriers may deliver again.
//!
//! A carrier that saw no answer asks again, sometimes while the first delivery still runs. Running the handler
//! twice would take two payments or send two texts, so the second delivery waits for the first and gets its
//! answer. What identifies a delivery is the carrier's to say ([`DeliveryKey`]); here it is only kept apart by
//! tenant and handler.
//!
//! An answer that asks the carrier to try again (`502`) is not kept: the next delivery shall run. Nor is there one where a
//! run was dropped or panicked: whoever waited for it runs in its place.
//!
//! What is kept, for how long and at whose cost is decided in [`table`]. Its shards are behind locks of their own, each held
//! for a step in a hash table, some hundred nanoseconds, and never while anything runs or waits.

mod table;

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::table::{Begun, Key, Place, Table};
use super::Answer;
use crate::carrier::DeliveryKey;
use crate::revision::Revision;

/// How long an answer is kept. Carriers retry within 15 s; a message may be delivered again after minutes.
const KEPT_FOR: Duration = Duration::from_secs(10 * 60);

/// Most memory for all kept answers, in bytes.
const KEPT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Tables side by side, so that two webhooks seldom meet at one lock.
const SHARDS_MAX: u64 = 16;

/// No shard is smaller, in bytes: in a table for a handful of answers, chance would decide which of them stay.
const SHARD_BYTES_MIN: u64 = 1024 * 1024;

/// The answers of the last minutes, by delivery.
pub struct Duplicates {
    shards: Box<[Mutex<Table>]>,
    hasher: RandomState,
}

impl Default for Duplicates {
    fn default() -> Self {
        Self::new(KEPT_BYTES_MAX, KEPT_FOR)
    }
}

impl Duplicates {
    /// Keeps answers for `kept_for`, at most `bytes_max` of them. Where that is not enough for all, whichever tenant has
    /// most forgets its oldest.
    #[must_use]
    pub fn new(bytes_max: u64, kept_for: Duration) -> Self {
        let shards = (bytes_max / SHARD_BYTES_MIN).clamp(1, SHARDS_MAX);
        let shard = || Mutex::new(Table::new(bytes_max / shards, kept_for));
        Self { shards: (0..shards).map(|_| shard()).collect(), hasher: RandomState::new() }
    }

    /// Forgets all answers, also those that are being made right now; whoever waits for one of these still gets it.
    pub fn clear(&self) {
        for shard in &self.shards {
            lock(shard).clear();
        }
    }

    /// How many answers are kept, and their memory in bytes.
    #[must_use]
    pub fn kept(&self) -> (u64, u64) {
        self.shards.iter().fold((0, 0), |(answers, bytes), shard| {
            let shard = lock(shard);
            (answers + shard.answers(), bytes + shard.bytes())
        })
    }

    /// The stored answer of this delivery, the one being made right now, or what `run` makes.
    pub async fn answer(
        &self,
        revision: &Revision,
        delivery: DeliveryKey,
        run: impl Future<Output = Answer>,
    ) -> Answer {
        let key = Key { tenant: revision.tenant.clone(), handler: revision.handler.clone(), delivery };
        let (answer, ran) = self.once(key, run).await;
        if !ran {
            revision.counters.repeated.increment(1);
        }
        answer
    }

    /// The answer for `key`, and whether `run` made it just now.
    async fn once(&self, mut key: Key, run: impl Future<Output = Answer>) -> (Answer, bool) {
        let hash = self.hasher.hash_one(&key);
        let shard = self.shard(hash);
        let place = loop {
            let begun = lock(shard).begin(hash, key, Instant::now());
            match begun {
                Begun::Known(answer) => return (answer, false),
                Begun::Running(mut result, given_back) => {
                    // Closed without a word where the run was dropped: then this one may be the next to run.
                    if result.changed().await.is_ok()
                        && let Some(answer) = result.borrow().clone()
                    {
                        return (answer, false);
                    }
                    key = given_back;
                }
                Begun::New(place) => break place,
            }
        };
        let running = Running { shard, place: Some(place) };
        let answer = run.await;
        running.end(&answer);
        (answer, true)
    }

    fn shard(&self, hash: u64) -> &Mutex<Table> {
        // The upper half: the hash table within a shard goes by the lower bits.
        &self.shards[(hash >> 32) as usize % self.shards.len()]
    }
}

fn lock(shard: &Mutex<Table>) -> MutexGuard<'_, Table> {
    // Nothing in it panics; and an answer forgotten or kept too long is better than none.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run that others may be waiting for. Dropped before its end, it lets one of them run instead.
struct Running<'a> {
    shard: &'a Mutex<Table>,
    place: Option<Place>,
}

impl Running<'_> {
    fn end(mut self, answer: &Answer) {
        let Some(place) = self.place.take() else { return };
        let kept = (!answer.status.is_server_error()).then(|| answer.clone());
        let waiting = lock(self.shard).end(place, kept, Instant::now());
        // Told after the lock is given back: to wake somebody takes longer than all the rest.
        if let Some(waiting) = waiting {
            waiting.send_replace(Some(answer.clone()));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let waiting = lock(self.shard).give_up(place);
            drop(waiting);
        }
    }
}

#[cfg(test)]
mod tests;
