//! The thread that redacts, seals and writes.
//!
//! It takes what waits in one go and writes it in one transaction, so that a busy host costs it few of them. What can't be
//! written is lost, and the calls it belongs to are forgotten as soon as that can be written.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::record::KeptWebhook;
use super::redact::{Redacted, Redactor};
use super::store::Entry;
use super::{Job, QUEUE_MAX, Raw, Shared};
use crate::call::TenantId;
use crate::clock;
use crate::webhook::ingress::LogPace;

/// Webhooks of one transaction.
const BATCH_MAX: usize = 256;
/// How often losses are looked at while nothing comes.
const IDLE: Duration = Duration::from_millis(500);
/// How often calls are forgotten for their age while nothing comes.
const BOUND_EVERY: Duration = Duration::from_secs(60);
/// A call that something was heard of within this time may go on.
const CALL_MS: u64 = 24 * 60 * 60 * 1_000;

static FAILURES: LogPace = LogPace::new();

pub(super) struct Writer {
    shared: Arc<Shared>,
    jobs: Receiver<Job>,
    lost: Receiver<[u8; 32]>,
    /// Calls of which a part is missing and that are still in the file.
    torn: HashSet<[u8; 32]>,
    /// Tenants that something was written for since their bounds were looked at.
    changed: HashSet<TenantId>,
    redactors: HashMap<TenantId, Redactor>,
    bounded_at: Instant,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, jobs: Receiver<Job>, lost: Receiver<[u8; 32]>) -> Self {
        let bounded_at = Instant::now();
        let (torn, changed, redactors) = Default::default();
        Self { shared, jobs, lost, torn, changed, redactors, bounded_at }
    }

    pub(super) fn run(mut self) {
        loop {
            // Before anything is taken from the queue: once that was empty, all that came before these losses is written.
            let lost: Vec<_> = self.lost.try_iter().collect();
            self.tear(lost.into_iter());
            let mut batch = Vec::new();
            let mut flushed = Vec::new();
            let (mut stop, mut empty) = (false, false);
            let mut job = self.jobs.recv_timeout(IDLE);
            loop {
                match job {
                    Ok(Job::Webhook(raw)) => batch.push(*raw),
                    Ok(Job::Flush(done)) => flushed.push(done),
                    Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => stop = true,
                    Err(RecvTimeoutError::Timeout) => empty = true,
                }
                if stop || empty || batch.len() >= BATCH_MAX {
                    break;
                }
                job = self.jobs.recv_timeout(Duration::ZERO);
            }
            self.write(batch);
            if empty || stop {
                self.forget_torn();
            }
            self.bound();
            for done in flushed {
                // Who asked may have gone.
                let _ = done.send(());
            }
            if stop {
                return;
            }
        }
    }

    fn write(&mut self, batch: Vec<Raw>) {
        if batch.is_empty() {
            return;
        }
        // Rules may have changed since the last batch.
        self.redactors.clear();
        let bytes: usize = batch.iter().map(Raw::bytes).sum();
        let entries: Vec<Entry> = batch.into_iter().filter_map(|raw| self.entry(raw)).collect();
        self.shared.queued_bytes.fetch_sub(bytes, Relaxed);
        match self.shared.store.add(&entries) {
            Ok(()) => self.changed.extend(entries.into_iter().map(|entry| entry.tenant)),
            Err(why) => {
                self.shared.dropped.fetch_add(entries.len() as u64, Relaxed);
                metrics::counter!("hookswitch_recordings_dropped_total").increment(entries.len() as u64);
                if let Some(left_out) = FAILURES.line() {
                    warn!(left_out, "{} webhooks are not kept: {why}", entries.len());
                }
                self.tear(entries.into_iter().map(|entry| entry.name));
            }
        }
    }

    /// What is written of a webhook; none where it is by now not to be kept.
    fn entry(&mut self, raw: Raw) -> Option<Entry> {
        let Raw { tenant, handler, webhook, answer, mut effects, begins, at, took } = raw;
        if !self.shared.rules_of(&tenant).on {
            return None;
        }
        let (name, begins) = self.shared.name(&tenant, &handler, &webhook, begins)?;
        let redactor = self.redactors.entry(tenant.clone()).or_insert_with(|| self.shared.redactor(&tenant));
        let document = String::from_utf8_lossy(&answer.body);
        let Redacted { form, step, document } = redactor.redact(&webhook, &document, &mut effects.effects);
        let webhook = KeptWebhook {
            at,
            took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            entry: webhook.entry().into(),
            step,
            form,
            status: answer.status.as_u16(),
            document,
            revision: answer.revision,
            code: answer.code.map(Into::into),
            effects: effects.effects,
            effects_torn: effects.torn,
        };
        Some(Entry { tenant, handler, name, begins, webhook })
    }

    fn tear(&mut self, names: impl Iterator<Item = [u8; 32]>) {
        self.torn.extend(names);
        if self.torn.len() > QUEUE_MAX {
            self.torn.clear();
            self.shared.lost_many.store(true, Relaxed);
        }
    }

    /// Forgets calls of which a part is missing.
    fn forget_torn(&mut self) {
        let Shared { store, lost_many, .. } = &*self.shared;
        if lost_many.swap(false, Relaxed) {
            match store.forget_since(clock::unix_ms().saturating_sub(CALL_MS)) {
                Ok(calls) => {
                    warn!(
                        calls,
                        "kept calls were forgotten: webhooks came faster than they could be written"
                    );
                }
                Err(_) => lost_many.store(true, Relaxed),
            }
        }
        let names: Vec<_> = self.torn.iter().copied().collect();
        if store.forget_calls(&names).is_ok() {
            self.torn.clear();
        }
    }

    /// Forgets what is beyond the bounds.
    fn bound(&mut self) {
        let shared = Arc::clone(&self.shared);
        if self.bounded_at.elapsed() > BOUND_EVERY {
            self.bounded_at = Instant::now();
            self.changed.extend(shared.store.tenants().unwrap_or_default());
        }
        let now = clock::unix_ms();
        self.changed.retain(|tenant| match shared.store.bound(tenant, &shared.rules_of(tenant), now) {
            Ok(0) => false,
            Ok(calls) => {
                debug!(%tenant, calls, "the oldest kept calls were forgotten");
                false
            }
            Err(_) => true,
        });
    }
}
