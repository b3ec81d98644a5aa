//! Time on the phone: added up, not waited for.

use jiff::Timestamp;

use crate::clock::TimeOfDay;

/// A conversation's clock.
#[derive(Debug, Clone)]
pub struct Clock {
    began_unix_ms: u64,
    now_ms: u64,
    /// What its host goes by.
    host: TimeOfDay,
}

impl Clock {
    /// A clock that shows `began_unix_ms` at the beginning of the conversation. The time of day of its host is set by it, where
    /// that can be.
    #[must_use]
    pub fn new(began_unix_ms: u64, host: TimeOfDay) -> Self {
        host.set(began_unix_ms);
        Self { began_unix_ms, now_ms: 0, host }
    }

    /// Milliseconds since the conversation began.
    #[must_use]
    pub const fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Lets time pass.
    pub fn pass(&mut self, ms: u64) {
        self.now_ms = self.now_ms.saturating_add(ms);
        self.host.set(self.unix_ms());
    }

    /// This moment in milliseconds of Unix time.
    #[must_use]
    pub const fn unix_ms(&self) -> u64 {
        self.began_unix_ms.saturating_add(self.now_ms)
    }

    /// This moment as webhooks write it.
    #[must_use]
    pub fn moment(&self) -> String {
        rfc_2822(self.unix_ms())
    }

    /// The moment `ms` after the beginning, as webhooks write it.
    #[must_use]
    pub fn moment_at(&self, ms: u64) -> String {
        rfc_2822(self.began_unix_ms.saturating_add(ms))
    }

    /// This moment as the newer webhooks write it: ISO 8601.
    #[must_use]
    pub fn iso_moment(&self) -> String {
        crate::clock::moment(self.unix_ms())
    }
}

/// Unix milliseconds as `Fri, 20 Aug 2010 01:13:42 +0000`.
#[must_use]
pub fn rfc_2822(unix_ms: u64) -> String {
    let at = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.unwrap_or(Timestamp::MAX).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::{Clock, TimeOfDay};

    #[test]
    fn the_host_of_a_conversation_goes_by_its_clock() {
        let host = TimeOfDay::played(0);
        let mut clock = Clock::new(1_000, host.clone());
        assert_eq!(host.unix_ms(), 1_000);
        clock.pass(500);
        assert_eq!((host.unix_ms(), clock.now_ms()), (1_500, 500));
    }

    #[test]
    fn a_moment_is_written_as_the_carrier_writes_it() {
        assert_eq!(super::rfc_2822(1_282_266_822_000), "Fri, 20 Aug 2010 01:13:42 +0000");
    }
}
