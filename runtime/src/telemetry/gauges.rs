//! The host's own state, as it is now: how full it is, and whether it gets the CPU that it needs.
//!
//! Whoever runs the host says once a second how things stand; nothing is counted here on a webhook's way.

use std::time::Duration;

use metrics::{Gauge, Histogram, gauge, histogram};

/// How things stand at one moment.
#[derive(Debug, Clone, Copy)]
pub struct HostFacts {
    /// Webhooks that have a place in the sandbox.
    pub running: usize,
    /// Webhooks that wait for one.
    pub waiting: usize,
    /// Memory of all guests that run, in bytes.
    pub guest_memory_bytes: u64,
    /// Revisions that are ready to take webhooks.
    pub loaded_revisions: usize,
    /// Answers kept for repeated deliveries.
    pub stored_answers: u64,
    /// Their memory, in bytes.
    pub stored_answers_bytes: u64,
    /// Open streams of the feed.
    pub feed_subscribers: usize,
    /// How late the ticker woke at worst since the last time.
    pub ticker_lateness: Duration,
    /// Whether the registry answers.
    pub registry_up: bool,
}

/// The gauges of the host, looked up once: make it after the recorder is installed.
pub struct Gauges {
    running: Gauge,
    waiting: Gauge,
    guest_memory: Gauge,
    loaded_revisions: Gauge,
    stored_answers: Gauge,
    stored_answers_bytes: Gauge,
    feed_subscribers: Gauge,
    registry_up: Gauge,
    resident_memory: Gauge,
    runtime_tasks: Gauge,
    runtime_queued: Gauge,
    /// Not a gauge: one late second between two scrapes shall be seen.
    ticker_lateness: Histogram,
}

impl Gauges {
    /// Looks them up and says which version runs.
    #[must_use]
    pub fn new() -> Self {
        gauge!("hookswitch_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Self {
            running: gauge!("hookswitch_running_invocations"),
            waiting: gauge!("hookswitch_waiting_webhooks"),
            guest_memory: gauge!("hookswitch_guest_memory_bytes"),
            loaded_revisions: gauge!("hookswitch_loaded_revisions"),
            stored_answers: gauge!("hookswitch_stored_answers"),
            stored_answers_bytes: gauge!("hookswitch_stored_answers_bytes"),
            feed_subscribers: gauge!("hookswitch_feed_subscribers"),
            registry_up: gauge!("hookswitch_registry_up"),
            resident_memory: gauge!("process_resident_memory_bytes"),
            runtime_tasks: gauge!("hookswitch_runtime_tasks"),
            runtime_queued: gauge!("hookswitch_runtime_queued_tasks"),
            ticker_lateness: histogram!("hookswitch_ticker_lateness_seconds"),
        }
    }

    /// Shows how things stand, and what the process and the runtime that it is called on say of themselves. Reads one
    /// line of `/proc`, which costs some microseconds.
    pub fn set(&self, facts: &HostFacts) {
        self.running.set(facts.running as f64);
        self.waiting.set(facts.waiting as f64);
        self.guest_memory.set(facts.guest_memory_bytes as f64);
        self.loaded_revisions.set(facts.loaded_revisions as f64);
        self.stored_answers.set(facts.stored_answers as f64);
        self.stored_answers_bytes.set(facts.stored_answers_bytes as f64);
        self.feed_subscribers.set(facts.feed_subscribers as f64);
        self.registry_up.set(if facts.registry_up { 1.0 } else { 0.0 });
        self.ticker_lateness.record(facts.ticker_lateness);
        if let Some(bytes) = resident_memory_bytes() {
            self.resident_memory.set(bytes as f64);
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let runtime = runtime.metrics();
            self.runtime_tasks.set(runtime.num_alive_tasks() as f64);
            self.runtime_queued.set(runtime.global_queue_depth() as f64);
        }
    }
}

impl Default for Gauges {
    fn default() -> Self {
        Self::new()
    }
}

/// Memory of this process that is in RAM, in bytes, where the operating system tells.
fn resident_memory_bytes() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn resident_memory_is_what_a_process_may_have() {
        let bytes = super::resident_memory_bytes().unwrap();
        assert!((1 << 20..1 << 36).contains(&bytes), "{bytes}");
    }
}
