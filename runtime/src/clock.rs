//! The time of day, as records have it, and as conversations that are only played have it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Unix time in milliseconds.
#[must_use]
pub fn unix_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default()
}

/// Unix milliseconds as people and programs read them: RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn moment(unix_ms: u64) -> String {
    let at = i64::try_from(unix_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", at.unwrap_or(jiff::Timestamp::MAX))
}

/// What time of day it is for handlers and for what they remember: the machine's, or one that somebody sets, which stands still
/// in between. Clones show the same.
#[derive(Debug, Clone, Default)]
pub struct TimeOfDay(Option<Arc<AtomicU64>>);

impl TimeOfDay {
    /// One that is set, to `unix_ms` at first.
    #[must_use]
    pub fn played(unix_ms: u64) -> Self {
        Self(Some(Arc::new(AtomicU64::new(unix_ms))))
    }

    /// In milliseconds of Unix time.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.set_to().unwrap_or_else(unix_ms)
    }

    /// What it is set to; none where it is the machine's.
    #[must_use]
    pub fn set_to(&self) -> Option<u64> {
        self.0.as_ref().map(|time| time.load(Ordering::Relaxed))
    }

    /// Sets it. The machine's stays as it is.
    pub fn set(&self, unix_ms: u64) {
        if let Some(time) = &self.0 {
            time.store(unix_ms, Ordering::Relaxed);
        }
    }
}
