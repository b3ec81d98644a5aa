//! A session as one invocation has it: all of it in memory, with what is to be changed when the invocation succeeds.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::operation::{self, Change, Entry, Quota, Reply, StorageError, Totals, check_key};
use crate::call::Webhook;
use crate::capability::Grants;

/// What a session holds at most. All of it is read for each webhook.
pub const SESSION_QUOTA: Quota = Quota { of: "a session", keys: 256, bytes: 64 * 1024 };
/// Changes of one invocation at most.
pub const CHANGES_MAX: usize = 1_000;
/// Keys and values in those changes, in bytes.
pub const CHANGED_BYTES_MAX: usize = 256 * 1024;

/// A call's session ends so long after it was begun, whatever happens: longer than carriers let calls be.
pub const CALL_MS_MAX: u64 = 24 * 60 * 60 * 1_000;
/// How long it is kept after its call, for the callbacks that come late.
pub const CALL_GRACE_MS: u64 = 60 * 60 * 1_000;
/// A message conversation ends with so much silence, as the carrier's own cookies do.
pub const SILENCE_MS_MAX: u64 = 4 * 60 * 60 * 1_000;
/// A conversation that goes on is noted as often as this where the handler itself changes nothing.
const NOTED_EVERY_MS: u64 = 60 * 1_000;

/// The longest name of a conversation, in bytes. Carriers' ids have 34, addresses a hundred.
const SUBJECT_BYTES_MAX: usize = 1_024;

/// Whose something is: made from what a revision is granted, and from nothing that a guest says.
#[derive(Debug, Clone)]
pub struct Owner {
    pub(super) grants: Arc<Grants>,
}

impl Owner {
    /// The handler that these grants are for.
    #[must_use]
    pub fn of(grants: &Arc<Grants>) -> Self {
        Self { grants: Arc::clone(grants) }
    }
}

/// Which session: of which handler, and of which conversation.
#[derive(Debug, Clone)]
pub struct SessionName {
    pub(super) owner: Owner,
    pub(super) subject: String,
    pub(super) lifetime: Lifetime,
}

/// How long a session lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// A call that goes on.
    Call,
    /// A call that is over.
    EndedCall,
    /// Messages.
    Conversation,
}

impl Lifetime {
    /// When a session ends that is kept at `now`; `before` is what it was so far.
    pub(super) fn expires_at(self, now: u64, before: Option<u64>) -> u64 {
        match self {
            Self::Call => before.unwrap_or(now + CALL_MS_MAX),
            Self::EndedCall => before.map_or(now + CALL_GRACE_MS, |before| before.min(now + CALL_GRACE_MS)),
            Self::Conversation => now + SILENCE_MS_MAX,
        }
    }

    /// Whether a session that its handler did not change has to be kept all the same, for when it ends.
    fn is_due(self, now: u64, before: u64) -> bool {
        match self {
            Self::Call => false,
            Self::EndedCall => before > now + CALL_GRACE_MS,
            Self::Conversation => before < now + SILENCE_MS_MAX - NOTED_EVERY_MS,
        }
    }
}

impl SessionName {
    /// The session that `webhook` belongs to; none where the carrier did not say what it is about.
    #[must_use]
    pub fn of(owner: Owner, webhook: &Webhook) -> Option<Self> {
        let (subject, lifetime) = match webhook {
            Webhook::Voice(call) => (subject("call", &[&call.id]), of_call(call.status.is_final())),
            Webhook::Message(message) => (conversation(&message.from, &message.to), Lifetime::Conversation),
            Webhook::Event(event) => match &event.parties {
                Some((from, to)) => (conversation(from, to), Lifetime::Conversation),
                // A call's id, or whatever else the carrier counts by: they never look alike.
                None => (subject("call", &[&event.subject]), of_call(event.ends_call)),
            },
            // Of no conversation.
            Webhook::Web(_) => return None,
        };
        Some(Self { owner, subject: subject?, lifetime })
    }
}

fn of_call(is_over: bool) -> Lifetime {
    if is_over { Lifetime::EndedCall } else { Lifetime::Call }
}

/// The pair of numbers, whichever of them writes.
fn conversation(from: &str, to: &str) -> Option<String> {
    let (first, second) = if from <= to { (from, to) } else { (to, from) };
    subject("messages", &[first, second])
}

/// A name that no other parts make: each is told with its length.
fn subject(kind: &str, parts: &[&str]) -> Option<String> {
    let mut name = kind.to_owned();
    for part in parts {
        if part.is_empty() {
            return None;
        }
        name.push_str(&format!(":{}:{part}", part.len()));
    }
    (name.len() <= SUBJECT_BYTES_MAX).then_some(name)
}

/// A change of a key in the order it was made.
#[derive(Debug, Clone)]
pub(super) struct KeyedChange {
    pub(super) key: Box<str>,
    pub(super) change: Change,
}

/// A session while an invocation runs.
#[derive(Debug)]
pub struct Session {
    pub(super) name: SessionName,
    /// When it ends; none where nothing was ever kept of it.
    pub(super) expires_at: Option<u64>,
    pub(super) entries: BTreeMap<Box<str>, Entry>,
    pub(super) changes: Vec<KeyedChange>,
    changed_bytes: usize,
    totals: Totals,
}

impl Session {
    /// As it was read.
    pub(super) fn new(
        name: SessionName,
        expires_at: Option<u64>,
        entries: BTreeMap<Box<str>, Entry>,
    ) -> Self {
        let totals = entries
            .iter()
            .fold(Totals::default(), |totals, (key, entry)| totals.moved(key, None, Some(entry)));
        Self { name, expires_at, entries, changes: Vec::new(), changed_bytes: 0, totals }
    }

    /// The value of `key` at `now`.
    ///
    /// # Errors
    /// [`StorageError::Invalid`].
    pub fn get(&self, key: &str, now: u64) -> Result<Option<Arc<[u8]>>, StorageError> {
        check_key(key)?;
        Ok(self.entries.get(key).filter(|entry| entry.lives(now)).map(|entry| Arc::clone(&entry.value)))
    }

    /// The keys that begin with `prefix` at `now`, sorted.
    pub fn keys(&self, prefix: &str, now: u64) -> Vec<String> {
        let from = self.entries.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let found = from.take_while(|(key, _)| key.starts_with(prefix)).filter(|(_, entry)| entry.lives(now));
        found.map(|(key, _)| key.to_string()).collect()
    }

    /// Changes `key`: at once here, for others when the session is kept.
    ///
    /// # Errors
    /// [`StorageError`]; nothing has changed then.
    pub fn change(&mut self, key: &str, change: Change, now: u64) -> Result<Reply, StorageError> {
        check_key(key)?;
        let stored = self.entries.get(key);
        let (after, reply) = operation::apply(key, &change, stored.filter(|entry| entry.lives(now)))?;
        if !reply.changed() {
            return Ok(reply);
        }
        let totals = self.totals.moved(key, stored, after.as_ref());
        totals.within(&SESSION_QUOTA, self.totals)?;
        let bytes = self.changed_bytes + key.len() + change.value_bytes();
        if self.changes.len() >= CHANGES_MAX || bytes > CHANGED_BYTES_MAX {
            return Err(StorageError::TooMany(format!(
                "an invocation changes its session at most {CHANGES_MAX} times and by {CHANGED_BYTES_MAX} bytes"
            )));
        }
        (self.changed_bytes, self.totals) = (bytes, totals);
        match after {
            Some(entry) => drop(self.entries.insert(key.into(), entry)),
            None => drop(self.entries.remove(key)),
        }
        self.changes.push(KeyedChange { key: key.into(), change });
        Ok(reply)
    }

    /// Whether there is anything to keep.
    #[must_use]
    pub fn is_to_be_kept(&self, now: u64) -> bool {
        !self.changes.is_empty() || self.expires_at.is_some_and(|at| self.name.lifetime.is_due(now, at))
    }
}
