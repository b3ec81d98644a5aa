//! What a handler remembers of one conversation: a voice call with its status callbacks, or the messages between two numbers.
//!
//! Nothing here waits. Changes are kept together when the handler has succeeded, and not at all where it fails. A call's
//! session ends an hour after the call, a conversation's after four hours of silence. At most 256 keys and 64 KiB.
//!
//! ```
//! use hookswitch_sdk::{prelude::*, session};
//!
//! #[voice]
//! fn answer(call: &Call) -> Result<Document, Error> {
//!     if session::add("tries", 1)? > 3 {
//!         return Ok(Document::new().say("Goodbye."));
//!     }
//!     Ok(Document::new().gather(Gather::digits(4).action("pin").say("Your PIN, please.")))
//! }
//! ```

use crate::storage::{check, functions, seconds};
use std::time::Duration;

pub use crate::storage::StorageError;

functions!(session);

/// The keys that begin with `prefix`, sorted; all of them for an empty one.
///
/// # Errors
/// [`StorageError`].
pub fn keys(prefix: &str) -> Result<Vec<String>, StorageError> {
    crate::host::session::keys(prefix)
}
