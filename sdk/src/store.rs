//! What a handler remembers for as long as it is deployed: one table for all of its calls and messages.
//!
//! Each function acts at once: what has returned is on the host's disk, and stays though the handler should fail afterwards.
//! At most 100 000 keys and 64 MiB; a value at most 64 KiB.
//!
//! ```
//! use hookswitch_sdk::{prelude::*, store};
//!
//! #[messaging]
//! fn receive(message: &Message) -> Result<Reply, Error> {
//!     if message.body().trim() == "STOP" {
//!         store::set(&format!("opted-out/{}", message.from()), "1")?;
//!     }
//!     Ok(Reply::new())
//! }
//! ```

use crate::storage::{check, functions, seconds};
use std::time::Duration;

pub use crate::storage::StorageError;

functions!(store);

/// Some of the keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Sorted.
    pub keys: Vec<String>,
    /// Where the next page begins, for [`keys`]; none where this is the last one.
    pub next: Option<String>,
}

/// The keys that begin with `prefix`, sorted, at most `limit` of them (1 to 1 000), from behind the key `after`.
///
/// # Errors
/// [`StorageError`].
pub fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Page, StorageError> {
    crate::host::store::keys(prefix, after, limit)
}
