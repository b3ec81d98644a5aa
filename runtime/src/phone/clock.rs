//! Time on the phone: added up, and where somebody is on the line to whom time passes by itself, at least as much as did.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::clock::TimeOfDay;

/// A conversation's clock.
#[derive(Debug, Clone)]
pub struct Clock {
    began_unix_ms: u64,
    now_ms: u64,
    /// What its host goes by.
    host: TimeOfDay,
    /// When whoever lives in real time last began to listen or to be asked, and what the clock showed then.
    waits: Option<(Instant, u64)>,
}

impl Clock {
    /// A clock that shows `began_unix_ms` at the beginning of the conversation. The time of day of its host is set by it, where
    /// that can be.
    #[must_use]
    pub fn new(began_unix_ms: u64, host: TimeOfDay) -> Self {
        host.set(began_unix_ms);
        Self { began_unix_ms, now_ms: 0, host, waits: None }
    }

    /// Somebody listens, or is asked, from here on: what this lasts is what is added up for it, or the real time that goes by,
    /// whichever is longer. From the first time on, real time counts.
    pub fn waits(&mut self) {
        self.now_ms = self.now_ms();
        self.waits = Some((Instant::now(), self.now_ms));
        self.host.set(self.unix_ms());
    }

    /// Whether real time counts.
    #[must_use]
    pub const fn is_real(&self) -> bool {
        self.waits.is_some()
    }

    /// Milliseconds since the conversation began.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        let Some((since, shown_ms)) = self.waits else { return self.now_ms };
        let waited_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.now_ms.max(shown_ms.saturating_add(waited_ms))
    }

    /// Lets time pass.
    pub fn pass(&mut self, ms: u64) {
        self.now_ms = self.now_ms.saturating_add(ms);
        self.host.set(self.unix_ms());
    }

    /// This moment in milliseconds of Unix time.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.began_unix_ms.saturating_add(self.now_ms())
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
    fn what_somebody_waits_for_lasts_as_long_as_it_does_for_him() {
        let mut clock = Clock::new(0, TimeOfDay::default());
        let an_hour_ago = |clock: &mut Clock| {
            clock.waits();
            let (since, _) = clock.waits.as_mut().unwrap();
            *since -= std::time::Duration::from_secs(3_600);
        };
        let shows = |clock: &Clock, ms: u64| assert_eq!(clock.now_ms() / 10_000, ms / 10_000);
        an_hour_ago(&mut clock);
        shows(&clock, 3_600_000);
        // What was added up meanwhile is inside of it…
        clock.pass(1_800_000);
        shows(&clock, 3_600_000);
        // … as far as it is not longer, and the next wait comes on top.
        clock.pass(3_600_000);
        shows(&clock, 5_400_000);
        an_hour_ago(&mut clock);
        shows(&clock, 9_000_000);
    }

    #[test]
    fn a_moment_is_written_as_the_carrier_writes_it() {
        assert_eq!(super::rfc_2822(1_282_266_822_000), "Fri, 20 Aug 2010 01:13:42 +0000");
    }
}
