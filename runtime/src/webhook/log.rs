//! What is said about webhooks: log lines for the operator, the feed for whoever follows a tenant.
//!
//! Nothing here changes what a caller hears. What callers can cause by the thousand gets a line only now and then; metrics
//! count all of it.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use tracing::{debug, error, info, warn};

use super::Answer;
use super::errors::Failure;
use super::ingress::LogPace;
use crate::admission::breaker::Change;
use crate::call::{Event, EventKind, Webhook};
use crate::capability::{LogEntry, LogLevel, LogSource};
use crate::host::Host;
use crate::revision::Revision;
use crate::sandbox::{Outcome, Used};
use crate::telemetry::feed::{self, FeedEvent, FeedLevel, FeedOutcome, FeedSource};
use crate::telemetry::{BreakerGauge, RequestId, Took};

/// How often it is said that callers are turned away.
static TURNED_AWAY: LogPace = LogPace::new();

/// Counts and logs what became of a webhook on one revision.
pub(super) fn answered(
    host: &Host,
    request: &RequestId,
    revision: &Revision,
    webhook: &Webhook,
    answer: &Answer,
    started: Instant,
    used: &Used,
) {
    let wall = started.elapsed();
    revision.counters.took(&Took { whole: wall, guest: used.wall, guest_busy: used.busy });
    let outcome = if answer.code.is_some() { FeedOutcome::Failed } else { FeedOutcome::Ok };
    publish(host, request, revision, webhook, answer, &Told { outcome, wall, used: *used });
    // Not louder: a line for each webhook is a tenth of what the webhook costs. Metrics count all of them.
    debug!(
        target: "webhook", %request, tenant = %revision.tenant, handler = %revision.handler, revision = revision.id.0,
        subject = webhook.subject(), step = webhook.step(), outcome = answer.code.unwrap_or("ok"),
        wall_us = micros(wall), cpu_us = micros(used.busy),
        memory_kib = used.memory_bytes >> 10, log_bytes = used.log_bytes,
        "{}", webhook.entry()
    );
}

/// What is told of a webhook besides its answer.
pub(super) struct Told {
    pub(super) outcome: FeedOutcome,
    pub(super) wall: Duration,
    pub(super) used: Used,
}

/// Tells whoever follows the tenant's log.
pub(super) fn publish(
    host: &Host,
    request: &RequestId,
    revision: &Revision,
    webhook: &Webhook,
    answer: &Answer,
    told: &Told,
) {
    host.feed.publish(&revision.tenant, || FeedEvent::Webhook {
        at: feed::moment(),
        handler: revision.handler.clone(),
        revision: revision.id,
        request: request.to_string(),
        entry: webhook.entry().into(),
        subject: webhook.subject().to_owned(),
        step: webhook.step().to_owned(),
        outcome: told.outcome,
        code: answer.code.map(Into::into),
        wall_us: micros(told.wall),
        cpu_us: micros(told.used.busy),
        memory_kib: told.used.memory_bytes >> 10,
    });
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Says that a revision is no longer given webhooks, or is again.
pub(super) fn breaker(revision: &Revision, webhook: &Webhook, change: Change) {
    let (tenant, handler, revision_id) = (&revision.tenant, &revision.handler, revision.id);
    let quiet = match webhook {
        Webhook::Web(_) => Some(("web requests", "are answered with 503")),
        Webhook::Event(Event { kind: EventKind::Schedule, .. }) => {
            Some(("runs of its schedules", "are left out"))
        }
        Webhook::Voice(_) | Webhook::Message(_) | Webhook::Event(_) => None,
    };
    if let Some((what, then)) = quiet {
        // The gauge is the calls'.
        return match change {
            Change::Opened { for_ms } => {
                warn!(%tenant, %handler, revision = revision_id.0, "so many {what} fail that they {then}; tried again in {for_ms} ms");
            }
            Change::Closed => {
                info!(%tenant, %handler, revision = revision_id.0, "works again and takes its {what}");
            }
        };
    }
    match change {
        Change::Opened { for_ms } => {
            revision.counters.set_breaker(BreakerGauge::Open);
            warn!(%tenant, %handler, revision = revision_id.0, "so many webhooks fail that its callers hear the fallback at once; tried again in {for_ms} ms");
        }
        Change::Closed => {
            revision.counters.set_breaker(BreakerGauge::Closed);
            info!(%tenant, %handler, revision = revision_id.0, "works again and takes its webhooks");
        }
    }
}

/// Passes on what the handler wrote to its log.
pub(super) fn lines_of_handler(
    host: &Host,
    request: &RequestId,
    revision: &Revision,
    webhook: &Webhook,
    outcome: &Outcome,
) {
    let (tenant, handler, subject) = (&revision.tenant, &revision.handler, webhook.subject());
    for LogEntry { level, source, text } in &outcome.log {
        let text = one_line(text);
        host.feed.publish(tenant, || FeedEvent::Log {
            at: feed::moment(),
            handler: handler.clone(),
            revision: revision.id,
            request: request.to_string(),
            subject: subject.to_owned(),
            level: feed_level(*level),
            source: feed_source(*source),
            text: text.clone().into_owned(),
        });
        match level {
            LogLevel::Debug => {
                debug!(target: "handler", %request, %tenant, %handler, subject, ?source, "{text}")
            }
            LogLevel::Info => {
                info!(target: "handler", %request, %tenant, %handler, subject, ?source, "{text}")
            }
            LogLevel::Warn => {
                warn!(target: "handler", %request, %tenant, %handler, subject, ?source, "{text}")
            }
            LogLevel::Error => {
                error!(target: "handler", %request, %tenant, %handler, subject, ?source, "{text}")
            }
        }
    }
}

fn feed_level(level: LogLevel) -> FeedLevel {
    match level {
        LogLevel::Debug => FeedLevel::Debug,
        LogLevel::Info => FeedLevel::Info,
        LogLevel::Warn => FeedLevel::Warn,
        LogLevel::Error => FeedLevel::Error,
    }
}

fn feed_source(source: LogSource) -> FeedSource {
    match source {
        LogSource::Handler => FeedSource::Handler,
        LogSource::Stdout => FeedSource::Stdout,
        LogSource::Stderr => FeedSource::Stderr,
        LogSource::Host => FeedSource::Host,
    }
}

/// What a guest wrote, with line breaks and other controls escaped: it shall not write log lines of its own.
fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// Says why a webhook failed, to the operator and to its tenant.
pub(super) fn failure(
    host: &Host,
    request: &RequestId,
    revision: &Revision,
    webhook: &Webhook,
    failure: &Failure,
) {
    let pace = match failure {
        Failure::Overloaded(_) | Failure::Broken { .. } => TURNED_AWAY.line(),
        Failure::Run(_)
        | Failure::Unusable(_)
        | Failure::OutsideGrammar(_)
        | Failure::NotLoaded { .. }
        | Failure::NotKept(_) => Some(0),
    };
    let Some(left_out) = pace else { return };
    let (tenant, handler, subject) = (&revision.tenant, &revision.handler, webhook.subject());
    let (verdict, text) = (failure.verdict(), failure.to_string());
    let text = one_line(&text);
    error!(
        target: "handler", %request, %tenant, %handler, revision = revision.id.0, subject, code = verdict.code,
        fault = ?verdict.fault, left_out, "{text}"
    );
    host.feed.publish(tenant, || FeedEvent::Log {
        at: feed::moment(),
        handler: handler.clone(),
        revision: revision.id,
        request: request.to_string(),
        subject: subject.to_owned(),
        level: FeedLevel::Error,
        source: FeedSource::Host,
        text: format!("{}: {text}", verdict.code),
    });
    let Failure::Run(ran) = failure else { return };
    for frame in ran.trap().map(|trap| trap.frames.as_slice()).unwrap_or_default() {
        error!(target: "handler", %request, %tenant, %handler, subject, "    at {frame}");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_guest_writes_no_log_lines_of_its_own() {
        assert_eq!(super::one_line("a\n2026 ERROR other: \u{1b}[31m"), "a\\n2026 ERROR other: \\u{1b}[31m");
        assert_eq!(super::one_line("Grüße 👋"), "Grüße 👋");
    }
}
