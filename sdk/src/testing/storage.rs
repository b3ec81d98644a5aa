//! Sessions and stores of a test, in memory, with the host's limits.

use crate::storage::{self, StorageError};
use crate::store::Page;
use crate::time::Time;
use std::collections::BTreeMap;

const KEY_BYTES_MAX: usize = 256;

/// How much there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quota {
    of: &'static str,
    keys: usize,
    bytes: usize,
}

pub(super) const SESSION: Quota = Quota { of: "a session", keys: 256, bytes: 64 * 1024 };
pub(super) const STORE: Quota = Quota { of: "a store", keys: 100_000, bytes: 64 * 1024 * 1024 };

type Result<T> = std::result::Result<T, StorageError>;

/// One table of keys and values.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: BTreeMap<String, (Vec<u8>, Option<u64>)>,
}

impl Table {
    pub(super) const fn new() -> Self {
        Self { entries: BTreeMap::new() }
    }

    /// Forgets what has expired; every operation begins with it.
    pub(super) fn at(&mut self, now: Time) -> &mut Self {
        self.entries.retain(|_, (_, expires_at)| expires_at.is_none_or(|at| at > now.unix_ms()));
        self
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        check(key)?;
        Ok(self.entries.get(key).map(|(value, _)| value.clone()))
    }

    pub(super) fn set(
        &mut self,
        quota: Quota,
        key: &str,
        value: &[u8],
        expires_at: Option<u64>,
    ) -> Result<()> {
        check(key)?;
        storage::check(value)?;
        let Quota { of, keys, bytes } = quota;
        let others = self.entries.iter().filter(|(other, _)| *other != key);
        let (count, size) = others
            .fold((1, key.len() + value.len()), |(n, size), (k, (v, _))| (n + 1, size + k.len() + v.len()));
        if count > keys {
            return Err(StorageError::TooMany(format!(
                "{of} has at most {keys} keys, and this would be one more"
            )));
        }
        if size > bytes {
            return Err(StorageError::TooLarge(format!(
                "{of} has at most {bytes} bytes of keys and values, and this would make it {size}"
            )));
        }
        self.entries.insert(key.to_owned(), (value.to_vec(), expires_at));
        Ok(())
    }

    pub(super) fn delete(&mut self, key: &str) -> Result<bool> {
        check(key)?;
        Ok(self.entries.remove(key).is_some())
    }

    pub(super) fn keys(&self, prefix: &str, after: Option<&str>, limit: usize) -> Page {
        let from = after.filter(|after| *after >= prefix);
        let matching = self.entries.range(from.unwrap_or(prefix).to_owned()..).map(|(key, _)| key);
        let mut found = matching
            .take_while(|key| key.starts_with(prefix) || from.is_some_and(|from| *key == from))
            .filter(|key| from != Some(key.as_str()));
        let keys: Vec<String> = found.by_ref().take(limit).cloned().collect();
        let next = found.next().and(keys.last().cloned());
        Page { keys, next }
    }

    pub(super) fn add(&mut self, quota: Quota, key: &str, by: i64, expires_at: Option<u64>) -> Result<i64> {
        let (before, expires_at) = match self.entries.get(key) {
            None => (0, expires_at),
            Some((value, expires_at)) => {
                let text = String::from_utf8_lossy(value);
                let number = text.parse::<i64>().map_err(|_| {
                    StorageError::NotANumber(format!(
                        "{key:?} is {text:?}; `add` needs a whole number of 64 bits as decimal text"
                    ))
                })?;
                (number, *expires_at)
            }
        };
        let sum = before.checked_add(by).ok_or_else(|| {
            StorageError::NotANumber(format!("{before} + {by} at {key:?} is beyond the numbers of 64 bits"))
        })?;
        self.set(quota, key, sum.to_string().as_bytes(), expires_at)?;
        Ok(sum)
    }

    pub(super) fn swap(
        &mut self,
        quota: Quota,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
        expires_at: Option<u64>,
    ) -> Result<bool> {
        if self.get(key)?.as_deref() != expected {
            return Ok(false);
        }
        match new {
            Some(value) => self.set(quota, key, value, expires_at)?,
            None => drop(self.delete(key)?),
        }
        Ok(true)
    }
}

fn check(key: &str) -> Result<()> {
    match key.len() {
        1..=KEY_BYTES_MAX => Ok(()),
        0 => Err(StorageError::Invalid(format!("the key is empty; use 1 to {KEY_BYTES_MAX} bytes"))),
        bytes => Err(StorageError::Invalid(format!("the key has {bytes} bytes; use 1 to {KEY_BYTES_MAX}"))),
    }
}

/// The moment that a time to live ends.
pub(super) fn expiry(ttl_s: Option<u32>, now: Time) -> Result<Option<u64>> {
    match ttl_s {
        Some(0) => Err(StorageError::Invalid(
            "the time to live is 0; use 1 second or more, or leave it out for a value that stays".to_owned(),
        )),
        ttl => Ok(ttl.map(|seconds| now.unix_ms() + u64::from(seconds) * 1_000)),
    }
}
