//! What the operator sees: metrics and log lines; and what a tenant sees of its own handlers.
//!
//! Whoever is on the line does not pay for whoever looks on. A webhook adds to counters that it already holds; a log line
//! goes into a buffer that a thread of its own empties; the feed builds an event only where somebody listens. Each of
//! them has a bound, and what goes beyond is dropped and counted, never waited for.
//!
//! What is counted when, is said where it happens; here are the names (`recorder`), the series that come and go with
//! handlers and revisions (`series`), the host's own state (`gauges`), lines (`logs`) and the feed.

pub mod feed;
mod gauges;
mod histogram;
mod logs;
mod recorder;
mod request_id;
mod series;

pub use self::feed::{Feed, FeedEvent};
pub use self::gauges::{Gauges, HostFacts, TenantFacts, write_tenants};
pub use self::logs::{LogFormat, LogGuard, log_to_stderr};
pub use self::recorder::{Metrics, record_metrics};
pub use self::request_id::RequestId;
pub use self::series::{BreakerGauge, JudgementGauge, RevisionCounters, RevisionSeries, Took, Total};

/// The sources of this package, for tests about all of them: each file and its text.
#[cfg(test)]
fn sources() -> Vec<(std::path::PathBuf, String)> {
    let (mut folders, mut sources) =
        (vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                sources.push((path, text));
            }
        }
    }
    assert!(sources.len() > 100, "{}", sources.len());
    sources
}
