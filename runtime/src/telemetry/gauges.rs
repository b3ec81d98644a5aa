//! The host's own state, as it is now: how full it is, and whether it gets the CPU that it needs.
//!
//! Whoever runs the host says once a second how things stand; nothing is counted here on a webhook's way. How each tenant
//! stands is asked for with each scrape and kept nowhere, so a tenant that is gone leaves nothing behind.

use std::fmt::Write as _;
use std::time::Duration;

use metrics::{Gauge, Histogram, gauge, histogram};

use crate::call::TenantId;

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

/// How one tenant stands at its walls at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantFacts {
    /// Whose.
    pub tenant: TenantId,
    /// Its webhooks that have one of its places.
    pub running: u32,
    /// Its webhooks that wait for a place of their handler or of the tenant.
    pub waiting: u32,
    /// How many places it has.
    pub places: u32,
}

type OfTenant = fn(&TenantFacts) -> u32;

const PER_TENANT: [(&str, &str, OfTenant); 3] = [
    (
        "hookswitch_tenant_running_invocations",
        "webhooks that have one of the tenant's places; those that still wait for one of the host's among them",
        |facts| facts.running,
    ),
    (
        "hookswitch_tenant_waiting_webhooks",
        "webhooks that wait for a place of their handler or of the tenant",
        |facts| facts.waiting,
    ),
    ("hookswitch_tenant_places", "invocations that the tenant may have at one time", |facts| facts.places),
];

/// Writes how the tenants stand, as Prometheus reads it, by name.
pub fn write_tenants(text: &mut String, mut tenants: Vec<TenantFacts>) {
    tenants.sort_unstable_by(|one, other| one.tenant.cmp(&other.tenant));
    for (name, help, value) in PER_TENANT {
        if !tenants.is_empty() {
            let _infallible = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        }
        for facts in &tenants {
            // Names are of letters, digits and `-`: nothing to escape.
            let _infallible = writeln!(text, "{name}{{tenant=\"{}\"}} {}", facts.tenant, value(facts));
        }
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
    use super::*;

    #[test]
    fn each_tenant_is_shown_by_name_and_a_host_without_tenants_shows_no_family() {
        let facts = |tenant, running, waiting| TenantFacts {
            tenant: TenantId::new(tenant).unwrap(),
            running,
            waiting,
            places: 200,
        };
        let mut text = String::new();
        write_tenants(&mut text, vec![facts("other", 0, 0), facts("acme", 200, 17)]);
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = [
            r#"hookswitch_tenant_running_invocations{tenant="acme"} 200"#,
            r#"hookswitch_tenant_running_invocations{tenant="other"} 0"#,
            r#"hookswitch_tenant_waiting_webhooks{tenant="acme"} 17"#,
            r#"hookswitch_tenant_waiting_webhooks{tenant="other"} 0"#,
            r#"hookswitch_tenant_places{tenant="acme"} 200"#,
            r#"hookswitch_tenant_places{tenant="other"} 200"#,
        ];
        assert_eq!(lines, expected);
        assert_eq!(text.matches("# TYPE").count(), 3);
        let mut none = String::new();
        write_tenants(&mut none, Vec::new());
        assert_eq!(none, "");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn resident_memory_is_what_a_process_may_have() {
        let bytes = resident_memory_bytes().unwrap();
        assert!((1 << 20..1 << 36).contains(&bytes), "{bytes}");
    }
}
