//! What can be done to one key, as a pure function of what is there: the same for a session in memory, for a session that is
//! kept, and for a store.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 256;
/// The largest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

/// A value that is there, or was until it expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Arc<[u8]>,
    /// When it is gone, in Unix milliseconds; none: with what it belongs to.
    pub expires_at: Option<u64>,
}

impl Entry {
    /// Whether it is there at `now`.
    #[must_use]
    pub fn lives(&self, now: u64) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

/// A change of one key. Times are moments in Unix milliseconds, so that a change means the same when it is made later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Whatever was there, it is this now.
    Set(Entry),
    /// It is gone.
    Delete,
    /// A number is larger by so much.
    Add {
        /// Negative to subtract.
        by: i64,
        /// For a key that was not there.
        expires_at: Option<u64>,
    },
    /// It is `new` if it was `expected`.
    Swap {
        /// None: not there.
        expected: Option<Arc<[u8]>>,
        /// None: gone.
        new: Option<Entry>,
    },
}

impl Change {
    /// Bytes of the value that it brings.
    #[must_use]
    pub fn value_bytes(&self) -> usize {
        match self {
            Self::Set(entry) | Self::Swap { new: Some(entry), .. } => entry.value.len(),
            Self::Delete | Self::Add { .. } | Self::Swap { new: None, .. } => 0,
        }
    }
}

/// What a change came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It was set.
    Set,
    /// Whether there was something to delete.
    Deleted(bool),
    /// The sum.
    Sum(i64),
    /// Whether it was what was expected.
    Swapped(bool),
}

impl Reply {
    /// Whether anything is different.
    #[must_use]
    pub fn changed(self) -> bool {
        match self {
            Self::Set | Self::Sum(_) => true,
            Self::Deleted(changed) | Self::Swapped(changed) => changed,
        }
    }
}

/// Why something was not done; `wit/types.wit`, `variant storage-error`. The texts are for the handler's author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum StorageError {
    /// A key or a time to live that can't be.
    #[error("{0}")]
    Invalid(String),
    /// Too many bytes.
    #[error("{0}")]
    TooLarge(String),
    /// Too many keys or operations.
    #[error("{0}")]
    TooMany(String),
    /// Not a number that can be added to.
    #[error("{0}")]
    NotANumber(String),
    /// Not now.
    #[error("{0}")]
    Unavailable(String),
}

impl StorageError {
    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable(why.into())
    }
}

/// Refuses a key that can't be.
///
/// # Errors
/// [`StorageError::Invalid`].
pub fn check_key(key: &str) -> Result<(), StorageError> {
    match key.len() {
        1..=KEY_BYTES_MAX => Ok(()),
        0 => Err(StorageError::Invalid(format!("the key is empty; use 1 to {KEY_BYTES_MAX} bytes"))),
        bytes => Err(StorageError::Invalid(format!("the key has {bytes} bytes; use 1 to {KEY_BYTES_MAX}"))),
    }
}

/// The moment that a time to live of `ttl_s` ends.
///
/// # Errors
/// [`StorageError::Invalid`] for 0.
pub fn expiry(ttl_s: Option<u32>, now: u64) -> Result<Option<u64>, StorageError> {
    match ttl_s {
        Some(0) => Err(StorageError::Invalid(
            "the time to live is 0; use 1 second or more, or leave it out for a value that stays".into(),
        )),
        ttl => Ok(ttl.map(|seconds| now.saturating_add(u64::from(seconds) * 1_000))),
    }
}

/// A value that may be stored.
///
/// # Errors
/// [`StorageError::TooLarge`].
pub fn entry(value: Vec<u8>, expires_at: Option<u64>) -> Result<Entry, StorageError> {
    if value.len() > VALUE_BYTES_MAX {
        let bytes = value.len();
        return Err(StorageError::TooLarge(format!(
            "the value has {bytes} bytes; use {VALUE_BYTES_MAX} or fewer"
        )));
    }
    Ok(Entry { value: value.into(), expires_at })
}

/// What is there after `change`, where `present` is there before it and has not expired.
///
/// # Errors
/// [`StorageError::NotANumber`].
pub fn apply(
    key: &str,
    change: &Change,
    present: Option<&Entry>,
) -> Result<(Option<Entry>, Reply), StorageError> {
    Ok(match change {
        Change::Set(entry) => (Some(entry.clone()), Reply::Set),
        Change::Delete => (None, Reply::Deleted(present.is_some())),
        Change::Add { by, expires_at } => {
            let (before, expires_at) = match present {
                Some(entry) => (number(key, &entry.value)?, entry.expires_at),
                None => (0, *expires_at),
            };
            let sum = before.checked_add(*by).ok_or_else(|| {
                StorageError::NotANumber(format!(
                    "{before} + {by} at {key:?} is beyond the numbers of 64 bits"
                ))
            })?;
            (Some(Entry { value: sum.to_string().into_bytes().into(), expires_at }), Reply::Sum(sum))
        }
        Change::Swap { expected, new } => {
            if present.map(|entry| &*entry.value) == expected.as_deref() {
                (new.clone(), Reply::Swapped(true))
            } else {
                (present.cloned(), Reply::Swapped(false))
            }
        }
    })
}

fn number(key: &str, value: &[u8]) -> Result<i64, StorageError> {
    let text = std::str::from_utf8(value).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| {
        let found: String = String::from_utf8_lossy(value).chars().take(40).collect();
        StorageError::NotANumber(format!(
            "{key:?} is {found:?}; `add` needs a whole number of 64 bits as decimal text"
        ))
    })
}

/// How much an area may hold.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    /// Whose it is, in messages: `a session`.
    pub of: &'static str,
    /// Keys at most.
    pub keys: u64,
    /// Bytes of keys and values at most.
    pub bytes: u64,
}

/// How much an area holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Keys.
    pub keys: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

impl Totals {
    /// After `key` went from `before` to `after`.
    #[must_use]
    pub fn moved(self, key: &str, before: Option<&Entry>, after: Option<&Entry>) -> Self {
        let size = |entry: &Entry| (key.len() + entry.value.len()) as u64;
        let (out_keys, out_bytes) = before.map_or((0, 0), |entry| (1, size(entry)));
        let (in_keys, in_bytes) = after.map_or((0, 0), |entry| (1, size(entry)));
        Self {
            keys: self.keys.saturating_sub(out_keys) + in_keys,
            bytes: self.bytes.saturating_sub(out_bytes) + in_bytes,
        }
    }

    /// Refuses what grows beyond the quota; what only shrinks is always welcome.
    ///
    /// # Errors
    /// [`StorageError::TooMany`] for keys, [`StorageError::TooLarge`] for bytes.
    pub fn within(self, quota: &Quota, before: Self) -> Result<(), StorageError> {
        let Quota { of, keys, bytes } = quota;
        if self.keys > *keys && self.keys > before.keys {
            return Err(StorageError::TooMany(format!(
                "{of} has at most {keys} keys, and this would be one more"
            )));
        }
        if self.bytes > *bytes && self.bytes > before.bytes {
            let needed = self.bytes;
            return Err(StorageError::TooLarge(format!(
                "{of} has at most {bytes} bytes of keys and values, and this would make it {needed}"
            )));
        }
        Ok(())
    }
}
