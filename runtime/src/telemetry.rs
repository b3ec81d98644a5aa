//! What the operator sees: log lines and counters.
//!
//! A handler's own log and the host's word about each webhook go through `tracing`; counters go through `metrics`
//! and are read at `/metrics` of the control port. Nothing here is waited for on the hot path: a revision's usual
//! counters are looked up once, when it is loaded.

use std::io::IsTerminal as _;

use metrics::{Counter, counter};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::call::{HandlerName, RevisionId, TenantId};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging to standard error; `RUST_LOG` overrides `filter`. A second start in one process changes nothing.
pub fn log_to_stderr(format: LogFormat, filter: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    // Colours are for terminals; in a file they would be noise, and time to write it.
    let colours = std::io::stderr().is_terminal();
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    // An earlier subscriber stays: a library user or a test has chosen.
    let _kept = match format {
        LogFormat::Text => lines.with_target(false).compact().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}

/// Installs the process's metrics recorder.
///
/// # Errors
/// A sentence, where another recorder is already installed.
pub fn record_metrics() -> Result<PrometheusHandle, String> {
    let handle = PrometheusBuilder::new().install_recorder().map_err(|error| error.to_string())?;
    metrics::describe_counter!(
        "hookswitch_webhooks_total",
        "webhooks by outcome: ok, repeated, or an HS code"
    );
    metrics::describe_counter!(
        "hookswitch_document_warnings_total",
        "problems in documents that were served anyway"
    );
    metrics::describe_counter!("hookswitch_refused_total", "requests refused before a handler, by HS code");
    Ok(handle)
}

/// The counters of one revision.
pub struct RevisionCounters {
    /// Webhooks answered by the handler.
    pub ok: Counter,
    /// Repeated deliveries that got the stored answer.
    pub repeated: Counter,
    /// Problems in served documents.
    pub warnings: Counter,
    labels: [(&'static str, String); 3],
}

impl RevisionCounters {
    /// Looks the counters up.
    #[must_use]
    pub fn new(tenant: &TenantId, handler: &HandlerName, revision: RevisionId) -> Self {
        let labels = [
            ("tenant", tenant.to_string()),
            ("handler", handler.to_string()),
            ("revision", revision.to_string()),
        ];
        Self {
            ok: outcome(&labels, "ok"),
            repeated: outcome(&labels, "repeated"),
            warnings: counter!("hookswitch_document_warnings_total", &labels),
            labels,
        }
    }

    /// Counts a failed webhook; failures are rare enough to be looked up each time.
    pub fn failed(&self, code: &'static str) {
        outcome(&self.labels, code).increment(1);
    }
}

fn outcome(labels: &[(&'static str, String); 3], outcome: &'static str) -> Counter {
    let mut labels: Vec<(&'static str, String)> = labels.to_vec();
    labels.push(("outcome", outcome.to_owned()));
    counter!("hookswitch_webhooks_total", &labels)
}
