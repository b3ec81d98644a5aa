//! How fast somebody may go: turns that are spread evenly after a burst (the generic cell rate algorithm).
//!
//! What is taken costs time. Whoever asks gets the next free moment if he can wait that long, and nothing is counted for him
//! otherwise. What is only known afterwards is owed, and makes the next turn later.

use std::time::{Duration, Instant};

/// The turns of one.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// When all that was taken is paid off.
    paid_at: Instant,
}

impl Pace {
    /// Nothing taken, at `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { paid_at: now }
    }

    /// The next turn for something that costs `cost`, not later than `latest`, where so much as `burst` may be taken at once.
    ///
    /// # Errors
    /// How long it is until there is one, where that is later.
    pub fn turn(
        &mut self,
        cost: Duration,
        burst: Duration,
        now: Instant,
        latest: Instant,
    ) -> Result<Instant, Duration> {
        let paid_at = self.paid_at.max(now) + cost;
        // However dear, one may always go at once after a pause.
        let turn = paid_at.checked_sub(burst.max(cost)).map_or(now, |turn| turn.max(now));
        if turn > latest {
            return Err(turn.saturating_duration_since(now));
        }
        self.paid_at = paid_at;
        Ok(turn)
    }

    /// Takes what can't wait for its turn any more.
    pub fn owe(&mut self, cost: Duration, now: Instant) {
        self.paid_at = self.paid_at.max(now) + cost;
    }

    /// Gives a turn back that was not used.
    pub fn give_back(&mut self, cost: Duration) {
        self.paid_at = self.paid_at.checked_sub(cost).unwrap_or(self.paid_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(100);

    #[test]
    fn turns_are_spread_after_a_burst_and_debts_are_waited_for() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        let turn = |pace: &mut Pace, cost: Duration, wait_ms| {
            let latest = now + Duration::from_millis(wait_ms);
            pace.turn(cost, 3 * STEP, now, latest).map(|turn| (turn - now).as_millis())
        };
        for n in 0..3 {
            assert_eq!(turn(&mut pace, STEP, 0), Ok(0), "{n} of the burst");
        }
        assert_eq!(turn(&mut pace, STEP, 99), Err(STEP), "counted for nobody");
        assert_eq!(turn(&mut pace, STEP, 100), Ok(100));
        pace.owe(2 * STEP, now);
        assert_eq!(turn(&mut pace, STEP, 1_000), Ok(400));
        pace.give_back(STEP);
        assert_eq!(turn(&mut pace, STEP, 1_000), Ok(400));
        let mut rested = Pace::new(now);
        assert_eq!(turn(&mut rested, 50 * STEP, 0), Ok(0), "what costs more than the burst goes once");
        assert_eq!(turn(&mut rested, STEP, 0), Err(48 * STEP));
    }
}
