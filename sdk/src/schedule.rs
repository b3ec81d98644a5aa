//! Runs that no carrier asks for: the `[[schedule]]` tables of `handler.toml`.
//!
//! ```
//! use hookswitch_sdk::prelude::*;
//!
//! #[events]
//! fn notify(event: &Event) -> Result<(), Error> {
//!     if let Some(run) = event.run() {
//!         log::info!("{} of {}", run.name(), run.local_time());
//!     }
//!     Ok(())
//! }
//! ```

use crate::Event;
use crate::event::EventKind;

/// One run of a schedule. A run that fails is tried again, at most three times within its minute: what was done already is
/// told by [`id`](Self::id), which is the same for all of them.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    event: &'a Event,
}

impl<'a> Run<'a> {
    pub(crate) fn of(event: &'a Event) -> Option<Self> {
        let is_one = event.kind() == EventKind::Other
            && event.status() == "schedule"
            && event.account().is_empty()
            && event.subject().starts_with("schedule:");
        is_one.then_some(Self { event })
    }

    /// The schedule's name in `handler.toml`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.event.step()
    }

    /// The same for every attempt at this moment, and for no other: `schedule:remind:2026-11-23T09:00Z`.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.event.subject()
    }

    /// The moment it is for, in UTC: `2026-11-23T09:00:00Z`. A run that was missed is made up up to 15 minutes later.
    #[must_use]
    pub fn scheduled_time(&self) -> &'a str {
        self.event.param("ScheduledTime").unwrap_or_default()
    }

    /// The same by the clocks of the schedule's time zone: `2026-11-23T10:00:00+01:00`.
    #[must_use]
    pub fn local_time(&self) -> &'a str {
        self.event.param("LocalTime").unwrap_or_default()
    }

    /// From 1 to 4.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.event.param("Attempt").and_then(|attempt| attempt.parse().ok()).unwrap_or(1)
    }
}
