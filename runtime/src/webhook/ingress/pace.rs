//! Keeps strangers from filling the log: whatever anybody can cause from outside gets a line only as often as somebody
//! could read it, and the next line says how many were left out. Counters count all of them.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use super::limits::millis;

/// Lines that may come at once.
const BURST: u64 = 10;
/// After those, one in so many milliseconds.
const INTERVAL_MS: u64 = 1_000;

/// The pace of one kind of log line.
#[derive(Debug, Default)]
pub struct LogPace {
    /// When all that was written would have been written at an even pace. Milliseconds since the first line of all.
    even_ms: AtomicU64,
    left_out: AtomicU64,
}

impl LogPace {
    /// A full burst is free.
    #[must_use]
    pub const fn new() -> Self {
        Self { even_ms: AtomicU64::new(0), left_out: AtomicU64::new(0) }
    }

    /// Asks for a line: gives how many were left out before it, or `None` where this one is to be left out.
    pub fn line(&self) -> Option<u64> {
        static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
        self.line_at(millis(STARTED.elapsed()))
    }

    fn line_at(&self, now_ms: u64) -> Option<u64> {
        let taken = self.even_ms.fetch_update(Relaxed, Relaxed, |even_ms| {
            let next = even_ms.max(now_ms) + INTERVAL_MS;
            (next <= now_ms + BURST * INTERVAL_MS).then_some(next)
        });
        match taken {
            Ok(_) => Some(self.left_out.swap(0, Relaxed)),
            Err(_) => {
                self.left_out.fetch_add(1, Relaxed);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_writes_few_lines_and_says_how_many_it_left_out() {
        let pace = LogPace::new();
        let written =
            |now_ms, asked: u64| (0..asked).filter_map(|_| pace.line_at(now_ms)).collect::<Vec<_>>();
        assert_eq!(written(0, 1_000), vec![0; 10], "a burst");
        assert_eq!(written(999, 10), vec![0; 0]);
        assert_eq!(written(1_000, 10), vec![1_000], "990 and 10 before it");
        assert_eq!(written(3_500, 10), vec![9, 0], "two intervals later");
        assert_eq!(written(1_000_000, 1_000)[..2], [8, 0], "quiet times save up no more than a burst");
        assert_eq!(written(1_000_000, 10), vec![0; 0]);
    }
}
