//! The series of handlers and revisions as Prometheus reads them: one name after the other, a line for each series.
//!
//! What a revision has not, it does not show: no line for an outcome that never was, none for a share outside a release.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Weak};

use super::{BOOK, FAILURES, HandlerSeries, NO_SHARE, RevisionSeries, Total, UNKNOWN};
use crate::telemetry::histogram::Histogram;

/// Writes all series that are there, as Prometheus reads them.
pub fn write(text: &mut String) {
    // Only the list is made under the lock.
    let (handlers, revisions) = {
        let pages = BOOK.lock();
        let handlers: Vec<_> = pages.handlers.values().filter_map(Weak::upgrade).collect();
        let loaded = |series: &Vec<Weak<_>>| series.iter().filter_map(Weak::upgrade).collect();
        let revisions: Vec<Vec<_>> = pages.revisions.values().map(loaded).collect();
        (handlers, revisions)
    };
    let revisions: Vec<Shown> = revisions.iter().filter_map(|loaded| Shown::new(loaded)).collect();
    write_outcomes(text, &revisions);
    for (name, kind, help, value) in PER_REVISION {
        let mut lines = Family::new(text, name, kind, help);
        for revision in &revisions {
            if let Some(value) = value(revision) {
                lines.add(revision.labels, value);
            }
        }
    }
    for (name, help, histogram) in PER_HANDLER {
        let mut used = handlers.iter().filter(|series| !histogram(series).is_empty()).peekable();
        if used.peek().is_some() {
            let _infallible = write!(text, "# HELP {name} {help}\n# TYPE {name} histogram\n");
        }
        used.for_each(|series| histogram(series).write(text, name, &series.labels));
    }
    let help = "time in which guests, or the host for them, worked: as hookswitch_guest_seconds without the waiting, so its sum \
                where a handler never waits";
    let mut lines = Family::new(text, "hookswitch_guest_cpu_seconds_total", "counter", help);
    for series in &handlers {
        lines.add(&series.labels, series.guest_busy.get() as f64 / 1e9);
    }
}

/// What is shown of a revision: the sums over its loadings, and the state of the latest.
struct Shown<'a> {
    labels: &'a str,
    ok: u64,
    repeated: u64,
    warnings: u64,
    calls: u64,
    failures: [u64; FAILURES],
    share: Option<f64>,
    judgement: Option<f64>,
    breaker: Option<f64>,
}

impl<'a> Shown<'a> {
    fn new(loaded: &'a [Arc<RevisionSeries>]) -> Option<Self> {
        let latest = loaded.last()?;
        let sum =
            |total: fn(&RevisionSeries) -> &Total| loaded.iter().map(|series| total(series).get()).sum();
        let mut failures = [0; FAILURES];
        for series in loaded {
            failures.iter_mut().zip(&series.failures).for_each(|(sum, total)| *sum += total.get());
        }
        let known =
            |state: &AtomicU8| Some(state.load(Relaxed)).filter(|state| *state != UNKNOWN).map(f64::from);
        let share = Some(latest.share.load(Relaxed)).filter(|share| *share != NO_SHARE);
        Some(Self {
            labels: &latest.labels,
            ok: sum(|series| &series.ok),
            repeated: sum(|series| &series.repeated),
            warnings: sum(|series| &series.warnings),
            calls: sum(|series| &series.calls),
            failures,
            share: share.map(|share| f64::from(share) / 10_000.0),
            judgement: known(&latest.judgement),
            breaker: known(&latest.breaker),
        })
    }
}

fn write_outcomes(text: &mut String, revisions: &[Shown<'_>]) {
    let help = "webhooks by outcome: ok, repeated, or an HS code";
    let mut lines = Family::new(text, "hookswitch_webhooks_total", "counter", help);
    let mut labels = String::new();
    for revision in revisions {
        let mut add = |outcome: std::fmt::Arguments<'_>, total: u64| {
            labels.clear();
            let _infallible = write!(labels, "{},outcome=\"{outcome}\"", revision.labels);
            lines.add(&labels, total);
        };
        // Shown from the beginning, so that a rate is known from the first webhook on.
        add(format_args!("ok"), revision.ok);
        if revision.repeated > 0 {
            add(format_args!("repeated"), revision.repeated);
        }
        for (place, total) in revision.failures.iter().enumerate().filter(|(_, total)| **total > 0) {
            add(format_args!("HS2{place:02}"), *total);
        }
    }
}

type OfRevision = fn(&Shown<'_>) -> Option<f64>;

/// What each revision shows besides its outcomes: name, kind, help, and the value where there is one.
const PER_REVISION: [(&str, &str, &str, OfRevision); 5] = [
    (
        "hookswitch_document_warnings_total",
        "counter",
        "problems in documents that were served anyway",
        |revision| (revision.warnings > 0).then_some(revision.warnings as f64),
    ),
    ("hookswitch_calls_total", "counter", "new calls, those that came without a pin", |revision| {
        Some(revision.calls as f64)
    }),
    (
        "hookswitch_release_share",
        "gauge",
        "share of new calls that the revision takes, 0 to 1; 0 has only calls in progress",
        |revision| revision.share,
    ),
    (
        "hookswitch_canary_judgement",
        "gauge",
        "failure rate of the canary against the stable revision: 0 too few webhooks, 1 fine, 2 raised, 3 bad",
        |revision| revision.judgement,
    ),
    ("hookswitch_breaker_state", "gauge", "circuit breaker: 0 closed, 1 probing, 2 open", |revision| {
        revision.breaker
    }),
];

type OfHandler = fn(&HandlerSeries) -> &Histogram;

const PER_HANDLER: [(&str, &str, OfHandler); 2] = [
    ("hookswitch_webhook_seconds", "time from a webhook's request to its answer", |series| &series.whole),
    (
        "hookswitch_guest_seconds",
        "time from a webhook's start in the sandbox to its end there, waiting for services, stores and neighbours included",
        |series| &series.guest,
    ),
];

/// The lines of one name, with its help before the first.
struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    empty: bool,
}

impl<'a> Family<'a> {
    fn new(text: &'a mut String, name: &'static str, kind: &'static str, help: &'static str) -> Self {
        Self { text, name, kind, help, empty: true }
    }

    fn add(&mut self, labels: &str, value: impl std::fmt::Display) {
        let Self { text, name, kind, help, .. } = self;
        if std::mem::take(&mut self.empty) {
            let _infallible = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        }
        let _infallible = writeln!(text, "{name}{{{labels}}} {value}");
    }
}
