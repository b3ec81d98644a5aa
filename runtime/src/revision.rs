//! One revision of a handler, loaded: code, settings and fallback, ready to take calls.
//!
//! A revision never changes. Everything a webhook needs to know about its handler is here, so that the hot path
//! reads one structure; whatever can be found wrong is found while it is made.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::artifact::{LoadError, Prepared};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::capability::ConfigValues;
use crate::handler_toml::{HandlerSettings, OnFailure};
use crate::host::Strict;
use crate::pin::PinKey;
use crate::sandbox::{Limits, Sandbox};
use crate::telemetry::RevisionCounters;
use crate::webhook::errors::Failure;
use crate::webhook::fallback::{Fallback, FallbackError};

/// How long a webhook waits for a place before its caller hears the fallback document. Short: a carrier waits
/// 15 s in all, the strictest 5 s, and a queue that is longer than the work makes everybody late.
const QUEUE_WAIT: Duration = Duration::from_millis(50);

/// A loaded revision.
pub struct Revision {
    /// Whose it is.
    pub tenant: TenantId,
    /// Of which handler.
    pub handler: HandlerName,
    /// Its number.
    pub id: RevisionId,
    /// What its links carry as `hs`.
    pub pin: Arc<str>,
    /// `/{tenant}/{handler}`.
    pub prefix: Box<str>,
    /// The code.
    pub prepared: Prepared,
    /// What an invocation may use.
    pub limits: Limits,
    /// The `[config]` of `handler.toml`.
    pub config: ConfigValues,
    /// What the caller hears when it fails.
    pub fallback: Fallback,
    /// Whether a failure is answered with the fallback document or with `502`.
    pub on_failure: OnFailure,
    /// Whether a document outside the grammar is a failure.
    pub strict: bool,
    /// Its counters.
    pub counters: RevisionCounters,
    places: Semaphore,
    places_max: usize,
}

impl std::fmt::Debug for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Revision({} {})", self.prefix, self.id)
    }
}

/// Why a revision can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// The component.
    #[error(transparent)]
    Component(#[from] LoadError),
    /// The fallback document.
    #[error("{}: {cause}", path.display())]
    Fallback {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        cause: FallbackError,
    },
    /// The built-in fallback document: a defect of ours.
    #[error("the built-in fallback document is refused: {0}")]
    BuiltInFallback(FallbackError),
}

impl Revision {
    /// Compiles and checks everything; takes as long as a compiler takes, so call it where blocking is allowed.
    ///
    /// # Errors
    /// [`RevisionError`], naming what was found and what to do.
    pub fn load(
        sandbox: &Sandbox,
        pin_key: &PinKey,
        tenant: &TenantId,
        id: RevisionId,
        component: &[u8],
        settings: &HandlerSettings,
        strict: Strict,
    ) -> Result<Self, RevisionError> {
        let handler = settings.name.clone();
        let pin: Arc<str> = pin_key.pin(tenant, &handler, id).into();
        let prefix: Box<str> = format!("/{tenant}/{handler}").into();
        let fallback = match &settings.fallback {
            None => Fallback::built_in(&prefix, &pin).map_err(RevisionError::BuiltInFallback)?,
            Some(own) => Fallback::new(&own.text, &prefix, &pin)
                .map_err(|cause| RevisionError::Fallback { path: own.path.clone(), cause })?,
        };
        let limits = Limits {
            deadline: Duration::from_millis(settings.limits.deadline_ms),
            cpu: Duration::from_millis(settings.limits.cpu_ms),
            memory_mib: settings.limits.memory_mib,
            ..Limits::default()
        };
        let prepared = sandbox.load(component)?;
        prepared.fits(&limits)?;
        let places_max = usize::try_from(settings.limits.concurrency).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self {
            counters: RevisionCounters::new(tenant, &handler, id),
            tenant: tenant.clone(),
            handler,
            id,
            pin,
            prefix,
            prepared,
            limits,
            config: settings.config.iter().cloned().collect(),
            fallback,
            on_failure: settings.on_failure,
            strict: settings.strict.unwrap_or(strict == Strict::Yes),
            places: Semaphore::new(places_max),
            places_max,
        })
    }

    /// A place for one invocation: of this handler, then of the host.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] when none comes free within [`QUEUE_WAIT`].
    pub async fn enter<'a>(&'a self, host: &'a Places) -> Result<[SemaphorePermit<'a>; 2], Failure> {
        let own = place(&self.places, "the handler", self.places_max).await?;
        let shared = place(&host.semaphore, "the host", host.places_max).await?;
        Ok([own, shared])
    }
}

/// The places that all handlers of a host share.
pub struct Places {
    semaphore: Semaphore,
    places_max: usize,
}

impl Places {
    /// `places_max` invocations at a time.
    #[must_use]
    pub fn new(places_max: usize) -> Self {
        Self { semaphore: Semaphore::new(places_max), places_max }
    }
}

async fn place<'a>(
    places: &'a Semaphore,
    whose: &'static str,
    places_max: usize,
) -> Result<SemaphorePermit<'a>, Failure> {
    // The usual case is a free place, and costs no timer.
    if let Ok(place) = places.try_acquire() {
        return Ok(place);
    }
    match tokio::time::timeout(QUEUE_WAIT, places.acquire()).await {
        Ok(Ok(place)) => Ok(place),
        _ => {
            let waited_ms = u64::try_from(QUEUE_WAIT.as_millis()).unwrap_or(u64::MAX);
            Err(Failure::Overloaded { whose, places: places_max, waited_ms })
        }
    }
}
