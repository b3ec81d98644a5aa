//! Which revision a recent call is on, for webhooks that do not say it themselves.
//!
//! A call's own links carry a pin. A status callback does not, nor does what the carrier asks for without a link of ours: a
//! `<Gather>`, `<Record>` or `<Redirect>` that names no action makes it ask the first URL again. For those the host remembers
//! the calls that it heard lately. It is a memory and no promise: what it has forgotten is picked as a new call is.
//!
//! A table of fixed size, four slots a bucket. A slot is two atomic words, the value and the key xor the value: whoever
//! reads one word of an old entry and one of a new gets a key that nobody asks for, so a torn read is a miss and needs no
//! lock. Two that write the same slot in the same nanoseconds may lose both entries, which is forgetting, not confusing. A
//! full bucket forgets calls that are over first, then the one that was heard of longest ago.
//!
//! Keys are SipHash-1-3 of tenant, handler and call id under a secret key: a tenant that chooses its ids can't aim at a
//! neighbour's bucket. What the numbers of revisions mean is the router's business.

use std::hash::Hasher as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hashbrown::HashMap;
use siphasher::sip::SipHasher13;
use zerocopy::FromZeros as _;

use crate::call::{HandlerName, TenantId};

/// Slots of the usual table: 4 MiB, of which only what was ever touched takes memory.
pub const SLOTS: usize = 1 << 18;

/// A call that was not heard of for so long counts as over, in minutes.
const QUIET_MIN: u32 = 4 * 60;

/// A call that was not heard of for so long is forgotten, in minutes: no call lives longer.
const KEPT_MIN: u32 = 24 * 60;

/// Slots a bucket, and words a slot.
const WAYS: usize = 4;
const WORDS: usize = 2;

/// What a snapshot begins with.
const MAGIC: &[u8; 8] = b"HSCALLS1";

/// The calls of the last hours.
pub struct Calls {
    /// Slots begin at `first`, so that a bucket is one cache line; each is key xor value, then value.
    words: Vec<AtomicU64>,
    first: usize,
    buckets: usize,
    secret: [u8; 16],
}

/// A call, as it is kept: see [`Calls::key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallKey(u64);

/// Why a snapshot can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It is no snapshot, or one of another version.
    #[error(
        "expected a snapshot of calls, which begins with {MAGIC:?}; found {found:?} and {bytes} bytes in all"
    )]
    Foreign {
        /// Its first bytes.
        found: Vec<u8>,
        /// How long it is.
        bytes: usize,
    },
    /// It is cut off, or longer than its table could be.
    #[error("the snapshot has {bytes} bytes, and expected are {expected}")]
    Length {
        /// How long it is.
        bytes: usize,
        /// How long it should be.
        expected: usize,
    },
}

/// What is remembered of one call. Packed, it is never 0, which is an empty slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Value {
    uid: u32,
    /// The lower 24 bits of the minute when it was last heard of.
    minute: u32,
    over: bool,
}

const MINUTE_MASK: u32 = (1 << 24) - 1;

impl Value {
    fn pack(self) -> u64 {
        1 << 63
            | u64::from(self.over) << 62
            | u64::from(self.minute & MINUTE_MASK) << 32
            | u64::from(self.uid)
    }

    fn unpack(word: u64) -> Option<Self> {
        let minute = (word >> 32) as u32 & MINUTE_MASK;
        (word != 0).then_some(Self { uid: word as u32, minute, over: word >> 62 & 1 == 1 })
    }

    /// How long ago it was heard of, in minutes; 0 where another's clock was a little ahead.
    fn age(self, now_min: u32) -> u32 {
        let age = now_min.wrapping_sub(self.minute) & MINUTE_MASK;
        if age > MINUTE_MASK / 2 { 0 } else { age }
    }

    /// Whether the call is not known to be over.
    fn is_live(self, now_min: u32) -> bool {
        !self.over && self.age(now_min) <= QUIET_MIN
    }

    /// The larger, the sooner it makes room.
    fn oblivion(self, now_min: u32) -> u32 {
        let age = self.age(now_min);
        if age > KEPT_MIN {
            u32::MAX
        } else if self.over {
            KEPT_MIN + 1 + age
        } else {
            age
        }
    }
}

impl Calls {
    /// A table of [`SLOTS`] and a key of its own.
    ///
    /// # Errors
    /// When the operating system has no random numbers to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret)?;
        Ok(Self::new(SLOTS, secret))
    }

    /// A table of `slots`, rounded up to a power of two, whose keys are hashed under `secret`.
    #[must_use]
    pub fn new(slots: usize, secret: [u8; 16]) -> Self {
        let buckets = slots.div_ceil(WAYS).next_power_of_two();
        let line = WAYS * WORDS;
        // Zeroed by the operating system as pages are first touched; written zeros would take all of it at once.
        let words = AtomicU64::new_vec_zeroed((buckets + 1) * line)
            .expect("a process that can't have 4 MiB can't run one handler");
        let to_line = words.as_ptr().align_offset(line * size_of::<AtomicU64>());
        let first = if to_line <= line { to_line } else { 0 };
        Self { words, first, buckets, secret }
    }

    /// The key of one call. Among calls of one handler the carrier's id is unique.
    #[must_use]
    pub fn key(&self, tenant: &TenantId, handler: &HandlerName, call: &str) -> CallKey {
        let mut hasher = SipHasher13::new_with_key(&self.secret);
        // Names hold no `/`, so that the three parts can't be shifted into one another.
        for part in [tenant.as_str(), "/", handler.as_str(), "/", call] {
            hasher.write(part.as_bytes());
        }
        CallKey(hasher.finish())
    }

    /// The call was heard of at `now_min` (any count of minutes that goes on over a restart), and is on revision `uid`.
    pub fn note(&self, key: CallKey, uid: u32, now_min: u32) {
        let value = Value { uid, minute: now_min & MINUTE_MASK, over: false };
        if let Some((slot, known)) = self.find(key) {
            // A callback that comes after the end does not begin the call anew.
            let value = Value { over: known.over, ..value };
            if value != known {
                write(slot, key, value);
            }
            return;
        }
        let worst = self.bucket(key).max_by_key(|slot| match read(slot) {
            None => (2, 0), // free
            Some((_, value)) => (1, value.oblivion(now_min)),
        });
        if let Some(slot) = worst {
            write(slot, key, value);
        }
    }

    /// The revision that the call is on; `None` where it was never heard of, is forgotten or was last heard of a day ago.
    #[must_use]
    pub fn get(&self, key: CallKey, now_min: u32) -> Option<u32> {
        let (_, value) = self.find(key)?;
        (value.age(now_min) <= KEPT_MIN).then_some(value.uid)
    }

    /// The call is over. It is still found, because callbacks come after the end.
    pub fn end(&self, key: CallKey) {
        if let Some((slot, value)) = self.find(key) {
            write(slot, key, Value { over: true, ..value });
        }
    }

    /// How many calls on revision `uid` are not known to be over and were heard of within the last 4 hours. Reads the whole
    /// table, which is a millisecond or two for a full one: for people and for rules, not for webhooks.
    #[must_use]
    pub fn count(&self, uid: u32, now_min: u32) -> u64 {
        self.entries().filter(|(_, value)| value.uid == uid && value.is_live(now_min)).count() as u64
    }

    /// [`Calls::count`] of all revisions that have any, in one reading.
    #[must_use]
    pub fn counts(&self, now_min: u32) -> HashMap<u32, u64> {
        let mut counts = HashMap::new();
        for (_, value) in self.entries().filter(|(_, value)| value.is_live(now_min)) {
            *counts.entry(value.uid).or_default() += 1;
        }
        counts
    }

    /// All calls that are remembered, for the process that takes over: also the secret, so it goes from hand to hand only.
    ///
    /// 8 bytes of mark, 16 of secret, then 16 for each call (key and value, little end first); 4 MiB at most.
    #[must_use]
    pub fn snapshot(&self, now_min: u32) -> Vec<u8> {
        let mut bytes = [MAGIC.as_slice(), &self.secret].concat();
        for (key, value) in self.entries().filter(|(_, value)| value.age(now_min) <= KEPT_MIN) {
            bytes.extend_from_slice(&key.0.to_le_bytes());
            bytes.extend_from_slice(&value.pack().to_le_bytes());
        }
        bytes
    }

    /// A table of `slots` with the calls of a snapshot, whose revisions have new numbers: `new_uid` tells which; calls on
    /// others are left out.
    ///
    /// # Errors
    /// [`SnapshotError`] where the bytes can't be a snapshot of a table of `slots`.
    pub fn restore(
        slots: usize,
        snapshot: &[u8],
        new_uid: impl Fn(u32) -> Option<u32>,
    ) -> Result<Self, SnapshotError> {
        let bytes = snapshot.len();
        let foreign = || SnapshotError::Foreign { found: snapshot.iter().take(8).copied().collect(), bytes };
        let rest = snapshot.strip_prefix(MAGIC).ok_or_else(foreign)?;
        let head = MAGIC.len() + 16;
        let (secret, rest) =
            rest.split_first_chunk().ok_or(SnapshotError::Length { bytes, expected: head })?;
        let (entries, cut) = rest.as_chunks::<16>();
        let most = slots.next_power_of_two();
        if !cut.is_empty() || entries.len() > most {
            let expected = head + 16 * entries.len().min(most);
            return Err(SnapshotError::Length { bytes, expected });
        }
        let calls = Self::new(slots, *secret);
        for entry in entries {
            let word = u128::from_le_bytes(*entry);
            let key = CallKey(word as u64); // the lower half
            let Some(value) = Value::unpack((word >> 64) as u64) else { continue };
            let Some(uid) = new_uid(value.uid) else { continue };
            calls.note(key, uid, value.minute);
            if value.over {
                calls.end(key);
            }
        }
        Ok(calls)
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.words.get(self.first..).unwrap_or_default().as_chunks().0.iter().take(self.buckets * WAYS)
    }

    fn entries(&self) -> impl Iterator<Item = (CallKey, Value)> {
        self.slots().filter_map(read)
    }

    fn bucket(&self, key: CallKey) -> impl Iterator<Item = &Slot> {
        let bucket = key.0 as usize & (self.buckets - 1);
        let begin = self.first + bucket * WAYS * WORDS;
        let words = self.words.get(begin..begin + WAYS * WORDS).unwrap_or_default();
        words.as_chunks().0.iter()
    }

    fn find(&self, key: CallKey) -> Option<(&Slot, Value)> {
        self.bucket(key)
            .find_map(|slot| read(slot).filter(|(found, _)| *found == key).map(|(_, v)| (slot, v)))
    }
}

/// Key xor value, and value.
type Slot = [AtomicU64; WORDS];

fn read([mixed, value]: &Slot) -> Option<(CallKey, Value)> {
    let word = value.load(Relaxed);
    Value::unpack(word).map(|value| (CallKey(mixed.load(Relaxed) ^ word), value))
}

fn write([mixed, value]: &Slot, key: CallKey, new: Value) {
    let word = new.pack();
    value.store(word, Relaxed);
    mixed.store(key.0 ^ word, Relaxed);
}

#[cfg(test)]
mod tests;
