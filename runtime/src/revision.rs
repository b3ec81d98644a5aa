//! One revision of a handler: settings and fallback at once, code when it is first needed.
//!
//! A revision never changes. What a caller hears when it fails is here from the start, so that a revision whose code
//! can't be loaded still has its tenant's words; code is mapped before a revision takes its first call, given back when
//! nobody has called for long, and mapped again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tracing::error;

use crate::admission::breaker::Breaker;
use crate::call::{Event, EventKind, HandlerName, RevisionId, TenantId, Webhook};
use crate::capability::Grants;
use crate::config::Secret;
use crate::handler_toml::{OnFailure, RevisionSettings};
use crate::host::Strict;
use crate::outbound::AllowList;
use crate::pin::PinKey;
use crate::registry::SecretsKey;
use crate::registry::model::RevisionRecord;
use crate::sandbox::{Limits, Prepared, Web};
use crate::schedule::{self, Schedule};
use crate::secrets::SecretValues;
use crate::telemetry::RevisionCounters;
use crate::webhook::fallback::{Fallback, FallbackError};

/// A revision that may take calls.
pub struct Revision {
    /// Whose it is.
    pub tenant: TenantId,
    /// Of which handler.
    pub handler: HandlerName,
    /// Its number.
    pub id: RevisionId,
    /// Tells it from every other revision of this process, of all handlers.
    pub uid: u32,
    /// What its links carry as `hs`.
    pub pin: Arc<str>,
    /// `/{tenant}/{handler}`.
    pub prefix: Box<str>,
    /// What an invocation may use.
    pub limits: Limits,
    /// Wall time where nobody is on a line: of a web request, and of a run of a schedule.
    pub web_deadline: Duration,
    /// Invocations of its handler at one time, as this revision has it.
    pub concurrency: u32,
    /// What its invocations are granted.
    pub grants: Arc<Grants>,
    /// What the caller hears when it fails.
    pub fallback: Fallback,
    /// Whether a failure is answered with the fallback document or with `502`.
    pub on_failure: OnFailure,
    /// Whether a document outside the grammar is a failure.
    pub strict: bool,
    /// Its counters.
    pub counters: RevisionCounters,
    /// Whether it is given webhooks at all.
    pub breaker: Breaker,
    /// Whether it is given web requests. Of its own, because anybody can send what makes a handler fail, and callers shall
    /// not hear the fallback for it.
    pub web_breaker: Breaker,
    /// Whether its schedules run. Of its own, for the same reason: a report that fails every minute is no caller's business.
    pub schedule_breaker: Breaker,
    /// When it runs by itself, as long as it is the stable one.
    pub schedules: Arc<[Schedule]>,
    /// What the registry has of it; none where no registry stands behind it.
    pub record: Option<RevisionRecord>,
    /// Held by whoever fetches its code.
    pub fetching: tokio::sync::Mutex<Fetching>,
    code: ArcSwapOption<Prepared>,
    used_at_s: AtomicU32,
    /// As [`Revision::retired_at`] gives it; 0 for none.
    retired_at: AtomicU64,
}

/// How fetching a revision's code went lately.
#[derive(Debug, Default)]
pub struct Fetching {
    /// How often it failed in a row.
    pub failures: u32,
    /// Not before this moment, in milliseconds of the host's clock, is it tried again.
    pub not_before_ms: u64,
}

impl std::fmt::Debug for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Revision({} {})", self.prefix, self.id)
    }
}

/// Who a revision belongs to and which it is.
#[derive(Debug, Clone)]
pub struct RevisionName {
    /// Whose.
    pub tenant: TenantId,
    /// Of which handler.
    pub handler: HandlerName,
    /// Its number.
    pub id: RevisionId,
}

impl Revision {
    /// Checks settings and fallback. Its code comes with [`Revision::put_code`].
    ///
    /// # Errors
    /// [`FallbackError`], where the carrier would refuse the fallback document.
    pub fn new(
        name: RevisionName,
        settings: &RevisionSettings,
        secrets: SecretValues,
        pin_key: &PinKey,
        strict: Strict,
    ) -> Result<Self, FallbackError> {
        let RevisionName { tenant, handler, id } = name;
        let pin: Arc<str> = pin_key.pin(&tenant, &handler, id).into();
        let prefix: Box<str> = format!("/{tenant}/{handler}").into();
        let fallback = match &settings.fallback {
            None => Fallback::built_in(&prefix, &pin)?,
            Some(own) => Fallback::new(own, &prefix, &pin)?,
        };
        Ok(Self {
            counters: RevisionCounters::new(&tenant, &handler, id),
            breaker: Breaker::default(),
            web_breaker: Breaker::default(),
            schedule_breaker: Breaker::default(),
            schedules: schedule::usable(&settings.schedule, &prefix),
            uid: next_uid(),
            pin: Arc::clone(&pin),
            prefix,
            limits: limits(settings),
            web_deadline: Duration::from_millis(settings.limits.web_deadline_ms),
            concurrency: u32::try_from(settings.limits.concurrency).unwrap_or(u32::MAX),
            grants: Arc::new(Grants {
                tenant: tenant.clone(),
                handler: handler.clone(),
                revision: id,
                pin,
                config: settings.config.iter().collect(),
                outbound: AllowList::of_checked(&settings.outbound_allow),
                secrets,
            }),
            fallback,
            on_failure: settings.on_failure,
            strict: settings.strict.unwrap_or(strict == Strict::Yes),
            record: None,
            fetching: tokio::sync::Mutex::default(),
            code: ArcSwapOption::empty(),
            used_at_s: AtomicU32::new(0),
            retired_at: AtomicU64::new(0),
            tenant,
            handler,
            id,
        })
    }

    /// A revision as the registry has it.
    ///
    /// # Errors
    /// As [`Revision::new`].
    pub fn of_record(
        record: RevisionRecord,
        secrets: &SecretsKey,
        pin_key: &PinKey,
    ) -> Result<Self, FallbackError> {
        let name =
            RevisionName { tenant: record.tenant.clone(), handler: record.handler.clone(), id: record.id };
        let secrets = granted(&name, &record.settings, secrets);
        let revision = Self::new(name, &record.settings, secrets, pin_key, Strict::No)?;
        revision.set_retired_at(record.retired_at);
        Ok(Self { record: Some(record), ..revision })
    }

    /// The same code and settings with these values of its secrets, as a revision of its own: it was never called, and
    /// nothing stands behind it.
    #[must_use]
    pub fn with_secrets(&self, values: &BTreeMap<String, Secret>) -> Self {
        Self {
            counters: RevisionCounters::new(&self.tenant, &self.handler, self.id),
            breaker: Breaker::default(),
            web_breaker: Breaker::default(),
            schedule_breaker: Breaker::default(),
            schedules: Arc::clone(&self.schedules),
            uid: next_uid(),
            pin: Arc::clone(&self.pin),
            prefix: self.prefix.clone(),
            limits: self.limits,
            web_deadline: self.web_deadline,
            concurrency: self.concurrency,
            grants: Arc::new(Grants {
                secrets: self.grants.secrets.with(values),
                ..Grants::clone(&self.grants)
            }),
            fallback: self.fallback.clone(),
            on_failure: self.on_failure,
            strict: self.strict,
            record: None,
            fetching: tokio::sync::Mutex::default(),
            code: ArcSwapOption::new(self.code()),
            used_at_s: AtomicU32::new(self.used_at_s()),
            retired_at: AtomicU64::new(0),
            tenant: self.tenant.clone(),
            handler: self.handler.clone(),
            id: self.id,
        }
    }

    /// How long an answer to `webhook` may take.
    #[must_use]
    pub fn deadline(&self, webhook: &Webhook) -> Duration {
        if webhook.is_the_carriers() { self.limits.deadline } else { self.web_deadline }
    }

    /// What says whether `webhook` is run at all.
    #[must_use]
    pub fn breaker_for(&self, webhook: &Webhook) -> &Breaker {
        match webhook {
            Webhook::Web(_) => &self.web_breaker,
            Webhook::Event(Event { kind: EventKind::Schedule, .. }) => &self.schedule_breaker,
            Webhook::Voice(_) | Webhook::Message(_) | Webhook::Event(_) => &self.breaker,
        }
    }

    /// Whether what becomes of `webhook` says how good this revision is. Web requests do not, except of a handler that answers
    /// nothing else: anybody sends them, and shall not take a canary back by it.
    #[must_use]
    pub fn is_judged_by(&self, webhook: &Webhook) -> bool {
        let all_pages = |record: &RevisionRecord| record.exports.iter().all(|name| name == Web::NAME);
        !matches!(webhook, Webhook::Web(_)) || self.record.as_ref().is_some_and(all_pages)
    }

    /// Whether it is known to answer no web requests.
    #[must_use]
    pub fn has_no_pages(&self) -> bool {
        self.record.as_ref().is_some_and(|record| !record.exports.iter().any(|name| name == Web::NAME))
    }

    /// The code, where it is in memory.
    #[must_use]
    pub fn code(&self) -> Option<Arc<Prepared>> {
        self.code.load_full()
    }

    /// Whether the code is in memory.
    #[must_use]
    pub fn has_code(&self) -> bool {
        self.code.load().is_some()
    }

    /// Takes the code that invocations run from now on; `now_s` in seconds of the host's clock, so that what was just made
    /// ready is not the first to be let go of.
    pub fn put_code(&self, code: Arc<Prepared>, now_s: u32) {
        self.used(now_s);
        self.code.store(Some(code));
    }

    /// Gives the code back; invocations that run keep it until they end.
    pub fn drop_code(&self) {
        self.code.store(None);
    }

    /// Notes that it was called at `now_s`, in seconds of the host's clock.
    pub fn used(&self, now_s: u32) {
        // Read first: a line of memory that nobody writes is shared by all cores.
        if self.used_at_s.load(Ordering::Relaxed) != now_s {
            self.used_at_s.store(now_s, Ordering::Relaxed);
        }
    }

    /// When it last stopped to take new calls, in Unix milliseconds; none while it takes some or never did. What [`record`](Self::record)
    /// says is from when the revision came into memory.
    #[must_use]
    pub fn retired_at(&self) -> Option<u64> {
        Some(self.retired_at.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// Notes when it stopped to take new calls, or that it takes some.
    pub fn set_retired_at(&self, at: Option<u64>) {
        self.retired_at.store(at.unwrap_or(0), Ordering::Relaxed);
    }

    /// When it was last called, in seconds of the host's clock; 0 before that.
    #[must_use]
    pub fn used_at_s(&self) -> u32 {
        self.used_at_s.load(Ordering::Relaxed)
    }
}

fn next_uid() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The secrets that these settings grant. One that can't be read has no value, and the log says so.
#[must_use]
pub fn granted(name: &RevisionName, settings: &RevisionSettings, key: &SecretsKey) -> SecretValues {
    let RevisionName { tenant, handler, id } = name;
    let values = settings.secrets.iter().map(|(secret, grant)| {
        let value = key.open(tenant, secret, grant);
        if value.is_none() {
            error!(%tenant, %handler, revision = id.0, secret, "the secret can't be read; set it anew");
        }
        (secret.clone(), value)
    });
    values.collect()
}

/// What an invocation may use by these settings.
#[must_use]
pub fn limits(settings: &RevisionSettings) -> Limits {
    Limits {
        deadline: Duration::from_millis(settings.limits.deadline_ms),
        cpu: Duration::from_millis(settings.limits.cpu_ms),
        memory_mib: settings.limits.memory_mib,
        ..Limits::default()
    }
}
