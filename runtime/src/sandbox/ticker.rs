//! The clock that guests are measured by: one thread that moves the engine's epoch on every millisecond.
//!
//! A thread of the operating system, because a task would stand still exactly when guests keep the runtime busy. It
//! holds the engine weakly, so it ends with it, and measures how late it wakes: the first sign that the machine has too
//! little CPU for what it does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::Engine;

/// The length of a tick: the unit of CPU time, and how long a guest runs before its neighbours get their turn.
pub const TICK: Duration = Duration::from_millis(1);

/// The running thread's measurement.
pub struct Ticker {
    lateness_us_worst: Arc<AtomicU64>,
}

impl Ticker {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let engine = engine.weak();
        let lateness_us_worst = Arc::new(AtomicU64::new(0));
        let worst = Arc::clone(&lateness_us_worst);
        thread::Builder::new().name("hookswitch-tick".into()).spawn(move || {
            let mut due = Instant::now() + TICK;
            loop {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                let late = due.elapsed();
                worst.fetch_max(u64::try_from(late.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
                // A tick that comes late is not made up for: a guest that had no CPU meanwhile has used none.
                due = if late < TICK { due + TICK } else { Instant::now() + TICK };
            }
        })?;
        Ok(Self { lateness_us_worst })
    }

    /// The worst lateness since this was last asked.
    pub fn take_lateness(&self) -> Duration {
        Duration::from_micros(self.lateness_us_worst.swap(0, Ordering::Relaxed))
    }
}
