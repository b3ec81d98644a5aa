//! What `session` and `store` share.

use std::fmt;
use std::time::Duration;

use crate::bindings::imports::hookswitch::handler::types::StorageError as Written;

/// Why a session or a store did not do what was asked. Each text says what was found and what would do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageError {
    /// A key or a time to live that can't be.
    Invalid(String),
    /// The value, or all of it together, takes more bytes than there may be.
    TooLarge(String),
    /// More keys than there may be, or more operations than an invocation has.
    TooMany(String),
    /// `add` found what is no whole number of 64 bits, or would have made one.
    NotANumber(String),
    /// It can't be read or written now. Of a change in the store it may not be known whether it was made.
    Unavailable(String),
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(why)
            | Self::TooLarge(why)
            | Self::TooMany(why)
            | Self::NotANumber(why)
            | Self::Unavailable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for StorageError {}

impl From<Written> for StorageError {
    fn from(error: Written) -> Self {
        match error {
            Written::Invalid(why) => Self::Invalid(why),
            Written::TooLarge(why) => Self::TooLarge(why),
            Written::TooMany(why) => Self::TooMany(why),
            Written::NotANumber(why) => Self::NotANumber(why),
            Written::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

/// Bytes of a value. The host says the same, of what it can copy at all.
const VALUE_BYTES_MAX: usize = 64 * 1024;

/// Refuses a value that is too long for every host.
pub(crate) fn check(value: &[u8]) -> Result<(), StorageError> {
    if value.len() > VALUE_BYTES_MAX {
        let bytes = value.len();
        return Err(StorageError::TooLarge(format!(
            "the value has {bytes} bytes; use {VALUE_BYTES_MAX} or fewer"
        )));
    }
    Ok(())
}

/// Whole seconds for the host, the last one begun counting as one.
pub(crate) fn seconds(time_to_live: Duration) -> u32 {
    let seconds = time_to_live.as_secs() + u64::from(time_to_live.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// The functions that both have, over the `host` module of each.
macro_rules! functions {
    ($host:ident) => {
        /// The value of `key`; none where it was never set, was deleted, or has expired.
        ///
        /// # Errors
        /// [`StorageError`].
        pub fn get(key: &str) -> Result<Option<Vec<u8>>, StorageError> {
            crate::host::$host::get(key)
        }

        /// The value of `key` read as a `T`, a `String` or a number for example; none as for [`get`].
        ///
        /// # Errors
        /// [`StorageError`]; the value can't be read as a `T`: the error names key and value.
        pub fn get_as<T>(key: &str) -> crate::Result<Option<T>>
        where
            T: std::str::FromStr,
            T::Err: std::error::Error,
        {
            use crate::Context as _;
            let Some(value) = get(key)? else {
                return Ok(None);
            };
            let text = String::from_utf8_lossy(&value);
            let read = text.parse().map(Some);
            read.with_context(|| format!(concat!(stringify!($host), ": {} is {:?}"), key, text))
        }

        /// The value of `key`, which [`set_json`] wrote; none as for [`get`].
        ///
        /// # Errors
        /// [`StorageError`]; the value is not JSON of a `T`.
        #[cfg(feature = "json")]
        pub fn get_json<T: serde::de::DeserializeOwned>(key: &str) -> crate::Result<Option<T>> {
            use crate::Context as _;
            let Some(value) = get(key)? else {
                return Ok(None);
            };
            let read = serde_json::from_slice(&value).map(Some);
            read.with_context(|| format!(concat!(stringify!($host), ": {} can't be read"), key))
        }

        /// Sets `key`: a text, or bytes.
        ///
        /// # Errors
        /// [`StorageError`].
        pub fn set(key: &str, value: impl AsRef<[u8]>) -> Result<(), StorageError> {
            check(value.as_ref())?;
            crate::host::$host::set(key, value.as_ref(), None)
        }

        /// Sets `key` for so long, in whole seconds from 1 on.
        ///
        /// # Errors
        /// [`StorageError`].
        pub fn set_for(
            key: &str,
            value: impl AsRef<[u8]>,
            time_to_live: Duration,
        ) -> Result<(), StorageError> {
            check(value.as_ref())?;
            crate::host::$host::set(key, value.as_ref(), Some(seconds(time_to_live)))
        }

        /// Sets `key` to `value` as JSON.
        ///
        /// # Errors
        /// [`StorageError`]; `value` can't be JSON.
        #[cfg(feature = "json")]
        pub fn set_json<T: serde::Serialize + ?Sized>(key: &str, value: &T) -> crate::Result<()> {
            Ok(set(key, serde_json::to_vec(value)?)?)
        }

        /// Removes `key`; true where it was there.
        ///
        /// # Errors
        /// [`StorageError`].
        pub fn delete(key: &str) -> Result<bool, StorageError> {
            crate::host::$host::delete(key)
        }

        /// Adds to a number, negative to subtract, and gives the sum. A key that is not there counts as 0.
        ///
        /// # Errors
        /// [`StorageError`].
        pub fn add(key: &str, by: i64) -> Result<i64, StorageError> {
            crate::host::$host::add(key, by, None)
        }

        /// As [`add`]; a key that was not there is gone after so long, however often it is added to meanwhile: so many in
        /// an hour, for example.
        ///
        /// # Errors
        /// [`StorageError`].
        pub fn add_for(key: &str, by: i64, time_to_live: Duration) -> Result<i64, StorageError> {
            crate::host::$host::add(key, by, Some(seconds(time_to_live)))
        }

        /// Sets `key` to `new` (none: removes it) if it is now `expected` (none: if it is not there); true if so.
        ///
        /// # Errors
        /// [`StorageError`].
        pub fn swap(key: &str, expected: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool, StorageError> {
            expected.into_iter().chain(new).try_for_each(check)?;
            crate::host::$host::swap(key, expected, new, None)
        }

        /// As [`swap`]; what is set is gone after so long.
        ///
        /// # Errors
        /// [`StorageError`].
        pub fn swap_for(
            key: &str,
            expected: Option<&[u8]>,
            new: &[u8],
            time_to_live: Duration,
        ) -> Result<bool, StorageError> {
            expected.into_iter().chain([new]).try_for_each(check)?;
            crate::host::$host::swap(key, expected, Some(new), Some(seconds(time_to_live)))
        }
    };
}
pub(crate) use functions;
