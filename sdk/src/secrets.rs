//! Secrets that `handler.toml` grants (`secrets = ["crm-key"]`) and the tenant sets.
//!
//! The host replaces a secret's text in the handler's log by its name. What else becomes of it is the handler's to mind: a
//! document is heard, a message is read.

use crate::{Error, Result};

/// The value of the secret called `name`.
///
/// # Errors
/// It is not granted, or the host can't read it; the message says what to do.
pub fn get(name: &str) -> Result<String> {
    crate::host::secret(name).map_err(|why| Error::new(why).context(format!("secrets: {name}")))
}
