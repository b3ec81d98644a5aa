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
pub use self::gauges::{Gauges, HostFacts};
pub use self::logs::{LogFormat, LogGuard, log_to_stderr};
pub use self::recorder::{Metrics, record_metrics};
pub use self::request_id::RequestId;
pub use self::series::{BreakerGauge, JudgementGauge, RevisionCounters, RevisionSeries, Took, Total};
