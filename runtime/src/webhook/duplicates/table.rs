//! One shard of the stored answers: which are kept, for how long, and who makes room.
//!
//! Room is shared by what is asked for: while there is enough, anybody may have all of it; when it is short, the tenant that
//! holds most forgets its oldest answer. So a tenant never loses an answer to others as long as it holds no more than its
//! equal part, and a flood of one tenant's webhooks pushes out nothing but that tenant's own.
//!
//! Each tenant's answers stand in a queue by age, so finding the one to forget costs the same in a full table as in an
//! empty one. No time and no lock here: both belong to the caller.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashTable};
use tokio::sync::watch;

use crate::call::{HandlerName, TenantId};
use crate::carrier::DeliveryKey;
use crate::webhook::Answer;

/// What one answer costs besides its texts: its place here and the answer's fields, in bytes.
const ENTRY_OVERHEAD_BYTES: u64 = 256;

/// Tenants are ranked by what they hold in steps of so many bytes: finer would mean to rank anew at every webhook.
const RANK_BYTES: u64 = 4096;

/// How many answers are dropped for their age with each new one: more than come, and few enough to be quick.
const EXPIRED_AT_ONCE: usize = 4;

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) tenant: TenantId,
    pub(super) handler: HandlerName,
    pub(super) delivery: DeliveryKey,
}

/// What a delivery finds.
pub(super) enum Begun {
    /// It was answered.
    Known(Answer),
    /// It is being answered: the result comes here, or the channel closes. The key is given back.
    Running(watch::Receiver<Option<Answer>>, Key),
    /// It is new: run it, then [`Table::end`] or [`Table::give_up`].
    New(Place),
}

/// Where a run will put its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    slot: u32,
    /// Tells this run from another that has the same slot later.
    run: u64,
}

/// Answers and runs, by delivery.
pub(super) struct Table {
    kept_for: Duration,
    bytes_max: u64,
    bytes: u64,
    /// Places in `slots` by hash of key.
    index: HashTable<u32>,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    tenants: HashMap<TenantId, u32>,
    shares: Vec<Share>,
    free_shares: Vec<u32>,
    /// Rank and place of each tenant that holds answers, the largest last.
    ranking: BTreeSet<(u64, u32)>,
    /// Whose answers are looked at next for their age.
    next_share: usize,
    runs: u64,
    /// Runs with a smaller number began before the last [`Table::clear`].
    runs_kept_from: u64,
}

struct Slot {
    hash: u64,
    key: Key,
    state: State,
}

enum State {
    Running {
        run: u64,
        /// Made by the first that waits.
        waiting: Option<watch::Sender<Option<Answer>>>,
    },
    /// Stands in its tenant's queue.
    Done { answer: Answer, at: Instant },
}

/// What one tenant holds; none of it is nothing here.
#[derive(Default)]
struct Share {
    tenant: Option<TenantId>,
    bytes: u64,
    rank: u64,
    /// Its answers, oldest first.
    queue: VecDeque<u32>,
}

impl Slot {
    /// What it costs while it is kept, in bytes.
    fn bytes(&self) -> u64 {
        let body = match &self.state {
            State::Running { .. } => 0,
            State::Done { answer, .. } => answer.body.len(),
        };
        ENTRY_OVERHEAD_BYTES + (self.key.delivery.len() + body) as u64
    }
}

impl Table {
    /// Keeps answers for `kept_for`, at most `bytes_max` of them.
    pub(super) fn new(bytes_max: u64, kept_for: Duration) -> Self {
        Self {
            kept_for,
            bytes_max,
            bytes: 0,
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            tenants: HashMap::new(),
            shares: Vec::new(),
            free_shares: Vec::new(),
            ranking: BTreeSet::new(),
            next_share: 0,
            runs: 0,
            runs_kept_from: 0,
        }
    }

    /// Finds the delivery, or takes it down as running.
    pub(super) fn begin(&mut self, hash: u64, key: Key, now: Instant) -> Begun {
        let slots = &mut self.slots;
        let is_it = |&slot: &u32| slots[slot as usize].as_ref().is_some_and(|slot| slot.key == key);
        let hash_of = |&slot: &u32| slots[slot as usize].as_ref().map_or(0, |slot| slot.hash);
        let entry = match self.index.entry(hash, is_it, hash_of) {
            Entry::Vacant(vacant) => vacant,
            Entry::Occupied(found) => {
                let slot =
                    slots[*found.get() as usize].as_mut().expect("what is in the index is in its slot");
                match &mut slot.state {
                    State::Running { waiting, .. } => {
                        let waiting = waiting.get_or_insert_with(|| watch::channel(None).0);
                        return Begun::Running(waiting.subscribe(), key);
                    }
                    State::Done { answer, at } if now.saturating_duration_since(*at) < self.kept_for => {
                        return Begun::Known(answer.clone());
                    }
                    // Too old: it is not found any more, and leaves its slot when the queue gets to it.
                    State::Done { .. } => found.remove().1,
                }
            }
        };
        let run = self.runs;
        self.runs += 1;
        let new = Slot { hash, key, state: State::Running { run, waiting: None } };
        let slot = put(&mut self.slots, &mut self.free, Some(new));
        entry.insert(slot);
        Begun::New(Place { slot, run })
    }

    /// The run is over. `kept` is what later deliveries shall get, where they shall not run again. Returned is where those
    /// wait that came meanwhile.
    pub(super) fn end(
        &mut self,
        place: Place,
        kept: Option<Answer>,
        now: Instant,
    ) -> Option<watch::Sender<Option<Answer>>> {
        let Some(answer) = kept.filter(|_| place.run >= self.runs_kept_from) else {
            return self.give_up(place);
        };
        let slot = self.slots.get_mut(place.slot as usize)?.as_mut()?;
        let State::Running { run, waiting } = &mut slot.state else { return None };
        if *run != place.run {
            return None;
        }
        let waiting = waiting.take();
        slot.state = State::Done { answer, at: now };
        let (bytes, tenant) = (slot.bytes(), slot.key.tenant.clone());
        self.bytes += bytes;
        let share = self.share_of(tenant);
        self.shares[share as usize].bytes += bytes;
        self.shares[share as usize].queue.push_back(place.slot);
        self.expire(share, now);
        self.expire_next(now);
        self.rank(share);
        self.make_room();
        waiting
    }

    /// The run brought nothing that could be kept. Returned is where those wait that came meanwhile.
    pub(super) fn give_up(&mut self, place: Place) -> Option<watch::Sender<Option<Answer>>> {
        let running = self.slots.get_mut(place.slot as usize)?;
        let of_this_run =
            |slot: &mut Slot| matches!(slot.state, State::Running { run, .. } if run == place.run);
        let slot = running.take_if(of_this_run)?;
        self.free.push(place.slot);
        self.unlist(slot.hash, place.slot);
        match slot.state {
            State::Running { waiting, .. } => waiting,
            State::Done { .. } => None,
        }
    }

    /// How many answers are kept or being made.
    pub(super) fn answers(&self) -> u64 {
        self.index.len() as u64
    }

    /// Memory of all answers that are kept.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets all answers, and will forget those of the present runs.
    pub(super) fn clear(&mut self) {
        self.runs_kept_from = self.runs;
        while let Some(&(_, share)) = self.ranking.last() {
            while self.forget_oldest(share) {}
            self.rank(share);
        }
    }

    fn make_room(&mut self) {
        while self.bytes > self.bytes_max
            && let Some(&(_, largest)) = self.ranking.last()
        {
            self.forget_oldest(largest);
            self.rank(largest);
        }
    }

    /// Drops the first few of a tenant's answers that are too old.
    fn expire(&mut self, share: u32, now: Instant) {
        for _ in 0..EXPIRED_AT_ONCE {
            let oldest = self.shares.get(share as usize).and_then(|share| share.queue.front());
            let Some(Slot { state: State::Done { at, .. }, .. }) =
                oldest.and_then(|&slot| self.slots[slot as usize].as_ref())
            else {
                return;
            };
            if now.saturating_duration_since(*at) < self.kept_for {
                return;
            }
            self.forget_oldest(share);
        }
    }

    /// Looks at one more tenant, so that the answers of those who are not called any more go as well.
    fn expire_next(&mut self, now: Instant) {
        let share = self.next_share % self.shares.len().max(1);
        self.next_share = share + 1;
        self.expire(share as u32, now); // there are fewer shares than slots, and those have 32 bits
        self.rank(share as u32);
    }

    /// Forgets the oldest answer of a tenant. `false` where it has none.
    fn forget_oldest(&mut self, share: u32) -> bool {
        let held = &mut self.shares[share as usize];
        let Some(number) = held.queue.pop_front() else { return false };
        if let Some(slot) = self.slots[number as usize].take() {
            self.free.push(number);
            held.bytes -= slot.bytes();
            self.bytes -= slot.bytes();
            self.unlist(slot.hash, number);
        }
        true
    }

    fn unlist(&mut self, hash: u64, slot: u32) {
        // One that was found too old has left the index already.
        if let Ok(found) = self.index.find_entry(hash, |&listed| listed == slot) {
            found.remove();
        }
    }

    fn share_of(&mut self, tenant: TenantId) -> u32 {
        if let Some(&share) = self.tenants.get(&tenant) {
            return share;
        }
        let share = Share { tenant: Some(tenant.clone()), ..Share::default() };
        let number = put(&mut self.shares, &mut self.free_shares, share);
        self.ranking.insert((0, number));
        self.tenants.insert(tenant, number);
        number
    }

    /// Puts a tenant where it belongs in the ranking, after what it holds has changed.
    fn rank(&mut self, number: u32) {
        let share = &mut self.shares[number as usize];
        let rank = share.bytes / RANK_BYTES;
        if share.queue.is_empty() {
            let Some(tenant) = share.tenant.take() else { return };
            self.ranking.remove(&(share.rank, number));
            self.tenants.remove(&tenant);
            *share = Share::default();
            self.free_shares.push(number);
        } else if rank != share.rank {
            self.ranking.remove(&(share.rank, number));
            self.ranking.insert((rank, number));
            share.rank = rank;
        }
    }

    /// Bytes, answers, and places for answers.
    #[cfg(test)]
    pub(super) fn size(&self) -> (u64, usize, usize) {
        (self.bytes, self.index.len(), self.slots.len())
    }
}

/// Puts `new` where something was freed, or at the end, and tells where.
fn put<T>(places: &mut Vec<T>, free: &mut Vec<u32>, new: T) -> u32 {
    match free.pop() {
        Some(place) => {
            places[place as usize] = new;
            place
        }
        None => {
            places.push(new);
            u32::try_from(places.len() - 1).expect("four thousand million answers do not fit into memory")
        }
    }
}
