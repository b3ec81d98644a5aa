//! What `/metrics` shows: the recorder behind the `metrics` macros, and the names that it explains.
//!
//! Counters and gauges of the macros are kept by the Prometheus exporter, histograms here: the exporter's own keep each
//! sample until somebody scrapes, or a task of its own tidies up. So nothing has to be done between scrapes, and
//! memory does not depend on them.
//!
//! What carries a tenant's or a revision's name does not belong here but in `series`: what is once recorded stays for
//! ever.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{Counter, Gauge, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::formatting::{
    sanitize_description, sanitize_label_key, sanitize_label_value, sanitize_metric_name,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::histogram::{Histogram, scale_for};
use super::{logs, series};

/// Everything that is counted in this process.
#[derive(Clone)]
pub struct Metrics {
    counters_and_gauges: PrometheusHandle,
    histograms: Arc<Histograms>,
}

impl Metrics {
    /// All of it in Prometheus's text format, version 0.0.4. Takes some milliseconds where thousands of handlers have
    /// series: call it where blocking is allowed.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = self.counters_and_gauges.render();
        self.histograms.write(&mut text);
        series::write(&mut text);
        logs::write_dropped(&mut text);
        text
    }
}

/// Installs the process's metrics recorder and explains the names.
///
/// # Errors
/// A sentence, where another recorder is already installed.
pub fn record_metrics() -> Result<Metrics, String> {
    let prometheus = PrometheusBuilder::new().build_recorder();
    let metrics = Metrics { counters_and_gauges: prometheus.handle(), histograms: Arc::default() };
    let recorder = HostRecorder { prometheus, histograms: Arc::clone(&metrics.histograms) };
    metrics::set_global_recorder(recorder).map_err(|error| error.to_string())?;
    describe();
    Ok(metrics)
}

/// Says what each name means that is recorded with the macros; those of `series` explain themselves.
fn describe() {
    for (name, help) in COUNTERS {
        metrics::describe_counter!(*name, *help);
    }
    for (name, help) in GAUGES {
        metrics::describe_gauge!(*name, *help);
    }
    for (name, help) in HISTOGRAMS {
        metrics::describe_histogram!(*name, *help);
    }
}

const COUNTERS: &[(&str, &str)] = &[
    ("hookswitch_state_writes_total", "sessions kept and changes made in stores"),
    (
        "hookswitch_state_commits_total",
        "commits of sessions and stores to their files; one takes all writes that wait for it",
    ),
    ("hookswitch_state_errors_total", "transactions on sessions and stores that failed"),
    ("hookswitch_refused_total", "requests refused before a handler, by HS code"),
    ("hookswitch_ingress_refused_total", "requests refused for their HTTP, by reason"),
    ("hookswitch_ingress_cut_total", "connections cut, by the limit that they met"),
    ("hookswitch_ingress_accept_errors_total", "connections that the operating system could not hand over"),
    ("hookswitch_compiles_total", "components compiled, by outcome: ok or the reason of the refusal"),
    ("hookswitch_artifacts_damaged_total", "compiled files that failed their check and were made again"),
    (
        "hookswitch_artifact_lookups_total",
        "looks for a component's compiled code to be admitted or run, by what was found: memory, file, untried (under such \
         limits), missing, damaged; what is none of the first two is compiled",
    ),
    (
        "hookswitch_functions_total",
        "functions of components compiled with the incremental cache, by where their code is from: cache or compiler",
    ),
    ("hookswitch_deploys_total", "deploys by outcome: live, canary, known, or the word of the refusal"),
    (
        "hookswitch_release_changes_total",
        "changes of releases by what happened, such as promoted or taken_back",
    ),
    (
        "hookswitch_canaries_taken_back_total",
        "canaries that the host took back because they failed too often",
    ),
    ("hookswitch_recordings_dropped_total", "webhooks that were not kept because they came too fast"),
    ("hookswitch_feed_dropped_total", "events that a subscriber of the feed was too slow for"),
];

const GAUGES: &[(&str, &str)] = &[
    ("hookswitch_build_info", "1, labelled with the version"),
    ("hookswitch_running_invocations", "webhooks that have a place in the sandbox"),
    ("hookswitch_waiting_webhooks", "webhooks that wait for a place in the sandbox"),
    ("hookswitch_guest_memory_bytes", "memory of all guests that run"),
    ("hookswitch_loaded_revisions", "revisions that are ready to take webhooks"),
    ("hookswitch_connections", "open connections of carriers"),
    (
        "hookswitch_outbox_waiting",
        "calls and messages to be placed later that are not at their end, counted every half minute",
    ),
    ("hookswitch_stored_answers", "answers kept for repeated deliveries"),
    ("hookswitch_stored_answers_bytes", "memory of the answers kept for repeated deliveries"),
    ("hookswitch_compile_queue", "compiles that wait for their turn"),
    ("hookswitch_feed_subscribers", "open streams of the feed"),
    ("hookswitch_registry_up", "1 while the registry answers, 0 while deploys have to wait for it"),
    ("hookswitch_runtime_tasks", "tasks of the runtime that are not finished"),
    ("hookswitch_runtime_queued_tasks", "tasks that wait in the runtime's shared queue"),
    ("process_resident_memory_bytes", "memory of the process that is in RAM"),
];

const HISTOGRAMS: &[(&str, &str)] = &[
    ("hookswitch_compile_seconds", "time from a compile's start to its end"),
    (
        "hookswitch_release_switch_seconds",
        "time of a change of a release, from its turn to the snapshot that has it, its commit to the registry included",
    ),
    (
        "hookswitch_ticker_lateness_seconds",
        "the worst wake-up of each second of the thread that counts CPU time",
    ),
];

/// The histograms of the macros, by name and labels.
#[derive(Default)]
struct Histograms {
    series: Mutex<BTreeMap<(String, String), Arc<Histogram>>>,
    help: Mutex<BTreeMap<String, SharedString>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Histograms {
    fn get(&self, key: &Key) -> Arc<Histogram> {
        let name = sanitize_metric_name(key.name());
        let label = |label: &metrics::Label| {
            format!("{}=\"{}\"", sanitize_label_key(label.key()), sanitize_label_value(label.value()))
        };
        let labels = key.labels().map(label).collect::<Vec<_>>().join(",");
        let mut series = lock(&self.series);
        let histogram = series
            .entry((name, labels))
            .or_insert_with_key(|(name, _)| Arc::new(Histogram::new(scale_for(name))));
        Arc::clone(histogram)
    }

    fn write(&self, text: &mut String) {
        let series: Vec<_> =
            lock(&self.series).iter().map(|(key, series)| (key.clone(), Arc::clone(series))).collect();
        let help = lock(&self.help);
        let mut before = None;
        for ((name, labels), histogram) in &series {
            if before.replace(name) != Some(name) {
                if let Some(help) = help.get(name) {
                    let _infallible = writeln!(text, "# HELP {name} {}", sanitize_description(help));
                }
                let _infallible = writeln!(text, "# TYPE {name} histogram");
            }
            histogram.write(text, name, labels);
        }
    }
}

struct HostRecorder {
    prometheus: PrometheusRecorder,
    histograms: Arc<Histograms>,
}

impl Recorder for HostRecorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.prometheus.describe_counter(name, unit, help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.prometheus.describe_gauge(name, unit, help);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        lock(&self.histograms.help).insert(sanitize_metric_name(name.as_str()), help);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.prometheus.register_counter(key, metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.prometheus.register_gauge(key, metadata)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> metrics::Histogram {
        metrics::Histogram::from_arc(self.histograms.get(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts into a recorder of its own.
    fn counted(count: impl FnOnce()) -> String {
        let prometheus = PrometheusBuilder::new().build_recorder();
        let metrics = Metrics { counters_and_gauges: prometheus.handle(), histograms: Arc::default() };
        let recorder = HostRecorder { prometheus, histograms: Arc::clone(&metrics.histograms) };
        metrics::with_local_recorder(&recorder, || {
            describe();
            count();
        });
        metrics.render()
    }

    #[test]
    fn counters_gauges_and_histograms_of_the_macros_are_shown_with_their_help() {
        let text = counted(|| {
            metrics::counter!("hookswitch_refused_total", "code" => "HS101").increment(2);
            metrics::gauge!("hookswitch_connections").set(7.0);
            metrics::histogram!("hookswitch_compile_seconds").record(90.0);
            metrics::histogram!("hookswitch_release_switch_seconds", "lane" => "a\"b").record(0.5);
            metrics::histogram!("hookswitch_release_switch_seconds", "lane" => "c").record(0.1);
        });
        for line in [
            "# HELP hookswitch_refused_total requests refused before a handler, by HS code",
            "hookswitch_refused_total{code=\"HS101\"} 2",
            "hookswitch_connections 7",
            "# HELP hookswitch_compile_seconds time from a compile's start to its end",
            "# TYPE hookswitch_compile_seconds histogram",
            "hookswitch_compile_seconds_bucket{le=\"60\"} 0",
            "hookswitch_compile_seconds_bucket{le=\"120\"} 1",
            "hookswitch_compile_seconds_sum 90",
            "hookswitch_release_switch_seconds_sum{lane=\"a\\\"b\"} 0.5",
            "hookswitch_release_switch_seconds_count{lane=\"c\"} 1",
            "# TYPE hookswitch_log_lines_dropped_total counter",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
        }
        let types = text.matches("# TYPE hookswitch_release_switch_seconds ").count();
        assert_eq!(types, 1, "a name is declared once:\n{text}");
    }

    /// What the sources of this package record with the macros: kind and name, and in which file.
    fn recorded() -> Vec<(String, String, std::path::PathBuf)> {
        let macros = regex::Regex::new(r#"\b(counter|gauge|histogram)!\(\s*("[^"]*"|[^)])"#).unwrap();
        let mut recorded = Vec::new();
        for (path, source) in crate::telemetry::sources() {
            // Tests stand at the end of a file, or in one of their own.
            let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for found in macros.captures_iter(source) {
                recorded.push((found[1].to_owned(), found[2].to_owned(), path.clone()));
            }
        }
        recorded
    }

    #[test]
    fn what_is_explained_is_recorded_and_what_is_recorded_is_explained() {
        let kinds = [("counter", COUNTERS), ("gauge", GAUGES), ("histogram", HISTOGRAMS)];
        let of = |(kind, table): (&'static str, &'static [(&str, &str)])| {
            table.iter().map(move |(name, _)| (kind.to_owned(), format!("{name:?}")))
        };
        let explained: std::collections::BTreeSet<_> = kinds.into_iter().flat_map(of).collect();
        let recorded = recorded();
        for (kind, name, path) in &recorded {
            let known = explained.contains(&(kind.clone(), name.clone()));
            assert!(known, "{kind} {name} of {} has no text for # HELP", path.display());
        }
        let recorded = recorded.into_iter().map(|(kind, name, _)| (kind, name)).collect();
        let never: Vec<_> = explained.difference(&recorded).collect();
        assert!(never.is_empty(), "explained and recorded nowhere: {never:?}");
    }

    #[test]
    fn names_are_told_once_and_end_in_their_unit() {
        let all: Vec<&str> = [COUNTERS, GAUGES, HISTOGRAMS].concat().iter().map(|(name, _)| *name).collect();
        let distinct: std::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len(), "{all:?}");
        assert!(COUNTERS.iter().all(|(name, _)| name.ends_with("_total")));
        assert!(HISTOGRAMS.iter().all(|(name, _)| name.ends_with("_seconds")));
    }
}
