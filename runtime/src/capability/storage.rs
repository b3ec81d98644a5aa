//! What `session` and `store` share: how `wit/types.wit` writes their errors, and how their parameters become changes.

use std::sync::Arc;

use wasmtime::component::{ComponentType, Lower};

use crate::state::{self, Change, Reply, StorageError};

/// `variant storage-error`.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
pub(super) enum Refused {
    #[component(name = "invalid")]
    Invalid(String),
    #[component(name = "too-large")]
    TooLarge(String),
    #[component(name = "too-many")]
    TooMany(String),
    #[component(name = "not-a-number")]
    NotANumber(String),
    #[component(name = "unavailable")]
    Unavailable(String),
}

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Invalid(why) => Self::Invalid(why),
            StorageError::TooLarge(why) => Self::TooLarge(why),
            StorageError::TooMany(why) => Self::TooMany(why),
            StorageError::NotANumber(why) => Self::NotANumber(why),
            StorageError::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

/// A value as it is handed to a guest.
pub(super) type Value = Arc<[u8]>;

/// Parameters of `set`, `add` and `swap` as components write them.
pub(super) type Set = (String, Vec<u8>, Option<u32>);
pub(super) type Add = (String, i64, Option<u32>);
pub(super) type Swap = (String, Option<Vec<u8>>, Option<Vec<u8>>, Option<u32>);

pub(super) fn set(value: Vec<u8>, ttl_s: Option<u32>, now: u64) -> Result<Change, StorageError> {
    Ok(Change::Set(state::entry(value, state::expiry(ttl_s, now)?)?))
}

pub(super) fn add(by: i64, ttl_s: Option<u32>, now: u64) -> Result<Change, StorageError> {
    Ok(Change::Add { by, expires_at: state::expiry(ttl_s, now)? })
}

pub(super) fn swap(
    expected: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
    ttl_s: Option<u32>,
    now: u64,
) -> Result<Change, StorageError> {
    let expires_at = state::expiry(ttl_s, now)?;
    let new = new.map(|value| state::entry(value, expires_at)).transpose()?;
    Ok(Change::Swap { expected: expected.map(Arc::from), new })
}

/// The sum that an addition came to.
pub(super) fn sum(reply: Reply) -> Result<i64, StorageError> {
    match reply {
        Reply::Sum(sum) => Ok(sum),
        Reply::Set | Reply::Deleted(_) | Reply::Swapped(_) => {
            Err(StorageError::unavailable("a fault of the host"))
        }
    }
}
