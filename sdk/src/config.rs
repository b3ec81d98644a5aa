//! The settings of this revision: the `[config]` table of `handler.toml`.
//!
//! They change without new code, by a release of their own. Values are texts: numbers and booleans
//! are written as in TOML (`3`, `1.5`, `true`), tables and arrays as JSON.

use crate::{Error, Result};
use std::str::FromStr;

/// The value of `key`, or none where `handler.toml` has no such key.
#[must_use]
pub fn get(key: &str) -> Option<String> {
    crate::host::config(key)
}

/// The value of `key` read as a `T`, or none where there is no such key.
///
/// # Errors
/// The value cannot be read as a `T`; the error names key and value.
pub fn get_as<T>(key: &str) -> Result<Option<T>>
where
    T: FromStr,
    T::Err: std::error::Error,
{
    let Some(value) = get(key) else {
        return Ok(None);
    };
    match value.parse() {
        Ok(value) => Ok(Some(value)),
        Err(cause) => Err(Error::from(cause).context(format!("config: {key} is {value:?}"))),
    }
}

/// All keys with their values, sorted by key.
#[must_use]
pub fn all() -> Vec<(String, String)> {
    crate::host::config_all()
}
