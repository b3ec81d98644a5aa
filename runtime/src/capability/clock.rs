//! The clocks a guest reads: they stand still while it computes.
//!
//! A guest that could time its own instructions could time its neighbours through the caches they share. So both
//! clocks show the time of the last host call other than reading them, in steps of 1 ms: a handler that waited or
//! logged sees that time went by, a loop between two readings sees nothing.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use super::wasi::Wasi;
use crate::clock::{self, TimeOfDay};

/// The step in which guests see time, in nanoseconds.
const STEP_NS: u64 = 1_000_000;

/// Where the monotonic clock counts from. A day before the host started, so that a guest that goes back from its first
/// reading (a cache's "an hour ago") stays above zero.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
const ORIGIN_AT: Duration = Duration::from_secs(24 * 60 * 60);

/// One reading of both clocks, and whether it has to be taken again.
pub(super) struct Clock {
    monotonic_ms: u64,
    wall_ms: u64,
    stale: bool,
    /// The time of day of a conversation that is played; none shows the machine's.
    played: Option<Shown>,
}

impl Clock {
    pub(super) fn new(time: &TimeOfDay) -> Self {
        LazyLock::force(&ORIGIN);
        let played = time.set_to().map(|from_ms| Shown { from_ms, since: Instant::now() });
        Self { monotonic_ms: 0, wall_ms: 0, stale: true, played }
    }

    /// Lets time go on: the next reading is a new one.
    pub(super) fn touch(&mut self) {
        self.stale = true;
    }

    fn read(&mut self) -> &Self {
        if self.stale {
            self.stale = false;
            self.monotonic_ms = whole_ms(ORIGIN_AT + ORIGIN.elapsed());
            let now = || self.played.as_ref().map_or_else(clock::unix_ms, Shown::now_ms);
            self.wall_ms = SHOWN.try_with(Shown::now_ms).unwrap_or_else(|_| now());
        }
        self
    }
}

tokio::task_local! {
    /// The time of day that guests of this task are shown; unset on the path of a call.
    static SHOWN: Shown;
}

/// A time of day that goes on from a moment that is not now.
struct Shown {
    from_ms: u64,
    since: Instant,
}

impl Shown {
    fn now_ms(&self) -> u64 {
        self.from_ms.saturating_add(whole_ms(self.since.elapsed()))
    }
}

/// Runs `guest` as if it were now `unix_ms`: what a recorded call hears may depend on the time of day.
pub fn at_time<F: Future>(unix_ms: u64, guest: F) -> impl Future<Output = F::Output> {
    SHOWN.scope(Shown { from_ms: unix_ms, since: Instant::now() }, guest)
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl monotonic_clock::Host for Wasi {
    fn now(&mut self) -> wasmtime::Result<monotonic_clock::Instant> {
        Ok(self.clock.read().monotonic_ms.saturating_mul(STEP_NS))
    }

    fn resolution(&mut self) -> wasmtime::Result<monotonic_clock::Duration> {
        Ok(STEP_NS)
    }

    fn subscribe_instant(
        &mut self,
        when: monotonic_clock::Instant,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let now = monotonic_clock::Host::now(self)?;
        self.subscribe_duration(when.saturating_sub(now))
    }

    fn subscribe_duration(
        &mut self,
        duration: monotonic_clock::Duration,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let sleep = match duration {
            0 => Sleep::Over { yielded: false },
            _ => Instant::now()
                .checked_add(Duration::from_nanos(duration))
                .map_or(Sleep::Forever, |until| Sleep::Until(until.into())),
        };
        let sleep = self.table.push(sleep)?;
        subscribe(&mut self.table, sleep)
    }
}

impl wall_clock::Host for Wasi {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let ms = self.clock.read().wall_ms;
        let nanoseconds = u32::try_from(ms % 1000 * STEP_NS).unwrap_or_default();
        Ok(wall_clock::Datetime { seconds: ms / 1000, nanoseconds })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1_000_000 })
    }
}

/// A wait. The wall deadline of the invocation ends it where the guest would not.
enum Sleep {
    /// Nothing to wait for. The first poll lets others go first, so that a guest polling in a loop does not
    /// keep the runtime from its sockets.
    Over {
        yielded: bool,
    },
    Until(tokio::time::Instant),
    Forever,
}

#[async_trait]
impl Pollable for Sleep {
    async fn ready(&mut self) {
        match self {
            Self::Over { yielded: true } => {}
            Self::Over { yielded } => {
                *yielded = true;
                tokio::task::yield_now().await;
            }
            Self::Until(until) => tokio::time::sleep_until(*until).await,
            Self::Forever => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_until_the_guest_calls_the_host() {
        let mut clock = Clock::new(&TimeOfDay::default());
        let first = clock.read().monotonic_ms;
        std::thread::sleep(Duration::from_millis(3));
        assert_eq!(clock.read().monotonic_ms, first);
        clock.touch();
        assert!(clock.read().monotonic_ms >= first + 3);
    }

    #[test]
    fn a_guest_of_a_played_conversation_is_shown_that_ones_time() {
        const NINE: u64 = 1_795_424_400_000;
        let time = TimeOfDay::played(NINE);
        let mut clock = Clock::new(&time);
        let shown = clock.read().wall_ms;
        assert!((NINE..NINE + 60_000).contains(&shown), "{shown}");
        time.set(NINE + 3_600_000);
        clock.touch();
        assert!(clock.read().wall_ms < NINE + 60_000, "an invocation's clock only goes on");
        assert!(Clock::new(&time).read().wall_ms >= NINE + 3_600_000);
        assert!(Clock::new(&TimeOfDay::default()).read().wall_ms.abs_diff(clock::unix_ms()) < 60_000);
    }
}
