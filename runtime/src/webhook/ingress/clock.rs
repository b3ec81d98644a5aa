//! A clock for timing strangers: exact to a tenth of the shortest limit, and free to read.
//!
//! Asking the operating system for the time twice per request would cost as much as checking its whole head.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::limits::{IngressLimits, millis};

/// The longest that the clock may be behind.
const BEHIND_MAX: Duration = Duration::from_millis(100);

/// Milliseconds since it was started, plus one: 0 is never a time.
#[derive(Debug)]
pub(super) struct Clock {
    started: Instant,
    now_ms: AtomicU64,
}

impl Clock {
    /// Starts a clock; it goes on for as long as somebody holds it.
    pub(super) fn start(limits: &IngressLimits) -> Arc<Self> {
        let clock = Arc::new(Self { started: Instant::now(), now_ms: AtomicU64::new(1) });
        let pause = BEHIND_MAX.min(limits.shortest() / 10).max(Duration::from_millis(1));
        tokio::spawn(tick(Arc::downgrade(&clock), pause));
        clock
    }

    /// The time, possibly a little behind.
    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms.load(Relaxed)
    }

    /// The time, from the operating system.
    pub(super) fn exact_ms(&self) -> u64 {
        let now = millis(self.started.elapsed()).saturating_add(1);
        self.now_ms.fetch_max(now, Relaxed).max(now)
    }

    /// When that is for a timer.
    pub(super) fn at(&self, ms: u64) -> tokio::time::Instant {
        // Far enough away for a limit that is as good as none.
        let since_start = Duration::from_millis(ms.min(1 << 40));
        tokio::time::Instant::from_std(self.started + since_start)
    }
}

async fn tick(clock: Weak<Clock>, pause: Duration) {
    while let Some(clock) = clock.upgrade() {
        clock.exact_ms();
        drop(clock);
        tokio::time::sleep(pause).await;
    }
}
