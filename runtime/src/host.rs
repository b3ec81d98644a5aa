//! One host: its sandbox, its router, its stored answers, and the loop that serves them.
//!
//! `dev` and `serve` differ only in where tenants come from; both make a [`Host`], publish a snapshot and serve.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;

use crate::admission::places::Places;
use crate::artifact::{Artifacts, Kept, LoadError, StoreError};
use crate::build::BuiltHandler;
use crate::call::{RevisionId, TenantId};
use crate::capability::Reach;
use crate::clock;
use crate::config::Config;
use crate::handler_toml::{LimitsMax, SettingsError};
use crate::outbound;
use crate::pin::PinKey;
use crate::recording::Recorder;
use crate::registry::{KeyError, MasterKey};
use crate::revision::{Fetching, Revision, RevisionName};
use crate::router::calls::Calls;
use crate::router::{Router, Snapshot, Tenant};
use crate::sandbox::{Compile, Prepared, Sandbox, SandboxError, SandboxSettings};
use crate::schedule::{self, LastRuns};
use crate::state::State;
use crate::telemetry::{Feed, TenantFacts};
use crate::twiml;
use crate::webhook::duplicates::Duplicates;
use crate::webhook::errors::Failure;
use crate::webhook::fallback::FallbackError;
use crate::webhook::ingress::{self, Ending, IngressLimits};
use crate::webhook::respond;

/// The first pause after code could not be fetched, in milliseconds; it doubles up to about a minute. A compile that can't
/// succeed shall not be repeated for each webhook.
const FETCH_PAUSE_MS: u64 = 1_000;

/// Whether a document outside the grammar is a failure, where `handler.toml` does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strict {
    /// As in `dev` and in tests: the author shall see it.
    Yes,
    /// As in `serve`: the carrier would only warn, and somebody is on the line.
    No,
}

/// Why a handler can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadFailure {
    /// It has schedules and nothing that they could call.
    #[error("{}", schedule::NOTHING_TO_RUN)]
    NothingToRun,
    /// Its settings go beyond what the operator allows.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Its component can't be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Its code.
    #[error(transparent)]
    Component(#[from] LoadError),
    /// Its fallback document.
    #[error("{file}: {cause}")]
    Fallback {
        /// Its file.
        file: String,
        /// What is wrong with it.
        cause: FallbackError,
    },
}

/// Why compiled code is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The key of the folder.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The folder.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why there is no host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The machine can't give what the sandbox needs (address space, above all).
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// There are no threads for what handlers store.
    #[error("the threads that keep sessions and stores can't be started: {0}")]
    State(#[from] io::Error),
    /// The operating system has no random numbers to give.
    #[error("the operating system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// Everything that lives as long as the process.
pub struct Host {
    /// Runs handlers.
    pub sandbox: Arc<Sandbox>,
    /// What their imports reach.
    pub reach: Arc<Reach>,
    /// Knows which.
    pub router: Router,
    /// Knows where calls are.
    pub calls: ArcSwap<Calls>,
    /// Remembers answers.
    pub duplicates: Duplicates,
    /// Proves links.
    pub pin_key: PinKey,
    /// What all handlers share.
    pub places: Places,
    /// Tells whoever listens what happens.
    pub feed: Feed,
    /// What became of the schedules' runs.
    pub last_runs: LastRuns,
    /// Scheme and authority that carriers call, where a tenant has none of its own.
    pub public_url: Option<String>,
    /// Scheme and address of the data plane, once it is bound.
    pub own_url: OnceLock<String>,
    /// Compiled components; none where a host compiles by itself, as `dev` does.
    pub artifacts: Option<Arc<Artifacts>>,
    /// Keeps calls of tenants that record; not in `dev`.
    pub recorder: OnceLock<Recorder>,
    kept: OnceLock<Kept>,
    ingress: Arc<IngressLimits>,
    started: Instant,
}

impl Host {
    /// A host without tenants, which compiles what it is given by itself and forgets when it ends what handlers store.
    ///
    /// # Errors
    /// [`HostError`].
    pub fn new(config: &Config, pin_key: PinKey) -> Result<Arc<Self>, HostError> {
        let outbound = Some(Arc::new(outbound::Client::new(config.outbound_allow_private.clone())));
        let reach = Reach { state: Some(State::in_memory()?), outbound, ..Reach::default() };
        Self::reaching(config, pin_key, None, reach)
    }

    /// How a host's sandbox is made: compiled code fits only an engine that was made alike.
    #[must_use]
    pub fn sandbox_settings(config: &Config) -> SandboxSettings {
        SandboxSettings {
            concurrency_max: config.concurrency,
            memory_mib_total: config.guest_memory_bytes >> 20,
            ..SandboxSettings::default()
        }
    }

    /// A host without tenants whose handlers reach what is in `reach`. With `artifacts` it runs only what these have compiled.
    ///
    /// # Errors
    /// As [`Host::new`].
    pub fn reaching(
        config: &Config,
        pin_key: PinKey,
        artifacts: Option<Arc<Artifacts>>,
        reach: Reach,
    ) -> Result<Arc<Self>, HostError> {
        twiml::warm_up();
        let mut settings = Self::sandbox_settings(config);
        if artifacts.is_some() {
            settings.compile = Compile::Never;
        }
        let ingress =
            IngressLimits { trusted_proxies: config.trusted_proxies.clone(), ..IngressLimits::default() };
        Ok(Arc::new(Self {
            sandbox: Sandbox::new(&settings)?,
            reach: Arc::new(reach),
            router: Router::default(),
            calls: ArcSwap::from_pointee(Calls::random()?),
            duplicates: Duplicates::default(),
            pin_key,
            places: Places::between_parties("the host", config.concurrency),
            feed: Feed::default(),
            last_runs: LastRuns::default(),
            public_url: config.public_url.clone(),
            own_url: OnceLock::new(),
            artifacts,
            recorder: OnceLock::new(),
            kept: OnceLock::new(),
            ingress: Arc::new(ingress),
            started: Instant::now(),
        }))
    }

    /// A host beside this one, with the same code, tenants and walls, whose handlers reach what is in `reach`: what they store
    /// and send, what they are answered and what they log has nothing to do with what they do here.
    #[must_use]
    pub fn beside(&self, reach: Reach) -> Arc<Self> {
        let router = Router::default();
        router.publish(Snapshot::clone(&self.router.snapshot()));
        Arc::new(Self {
            sandbox: Arc::clone(&self.sandbox),
            reach: Arc::new(reach),
            router,
            calls: ArcSwap::new(self.calls.load_full()),
            duplicates: Duplicates::default(),
            pin_key: self.pin_key.clone(),
            places: Places::between_parties("the host", self.places.max()),
            feed: Feed::default(),
            last_runs: LastRuns::default(),
            public_url: self.public_url.clone(),
            own_url: self.own_url.clone(),
            artifacts: self.artifacts.clone(),
            recorder: OnceLock::new(),
            kept: OnceLock::new(),
            ingress: Arc::clone(&self.ingress),
            started: self.started,
        })
    }

    /// Keeps what [`Host::load`] compiles in `folder`, which is this user's and for nothing else, and takes from there what was
    /// compiled before.
    ///
    /// # Errors
    /// [`KeepError`]; everything is compiled then, as without it.
    pub fn keep_code_in(&self, folder: &Path) -> Result<(), KeepError> {
        let key = MasterKey::open(folder)?.derive("artifacts");
        let kept = Kept::open(folder, key, &self.sandbox)?;
        // Whoever asks twice has it already.
        let _before = self.kept.set(kept);
        Ok(())
    }

    /// Loads one revision of a handler: compiles and checks everything, so it takes as long as a compiler takes.
    ///
    /// # Errors
    /// [`LoadFailure`], naming what was found and what to do.
    pub fn load(
        &self,
        tenant: &TenantId,
        id: RevisionId,
        built: &BuiltHandler,
        strict: Strict,
    ) -> Result<Arc<Revision>, LoadFailure> {
        built.settings.limits.check(&LimitsMax::default())?;
        let component = std::fs::read(&built.component)
            .map_err(|cause| LoadFailure::Unreadable { path: built.component.clone(), cause })?;
        let name = RevisionName { tenant: tenant.clone(), handler: built.settings.name.clone(), id };
        let settings = built.settings.of_revision();
        let file =
            built.settings.fallback.as_ref().map_or(String::new(), |own| own.path.display().to_string());
        let secrets = built.settings.local_secrets()?;
        let revision = Revision::new(name, &settings, secrets, &self.pin_key, strict)
            .map_err(|cause| LoadFailure::Fallback { file, cause })?;
        let prepared = match self.kept.get() {
            Some(kept) => kept.load(&self.sandbox, &component)?,
            None => self.sandbox.load(&component)?,
        };
        prepared.fits(&revision.limits)?;
        if !settings.schedule.is_empty() && !prepared.exports().events {
            return Err(LoadFailure::NothingToRun);
        }
        revision.put_code(Arc::new(prepared), self.now_s());
        Ok(Arc::new(revision))
    }

    /// The code of `revision`, from memory or, within the time until `until`, from its file.
    ///
    /// # Errors
    /// [`Failure::NotLoaded`]; what was begun goes on, so that the next webhook finds it done.
    pub async fn code(
        self: &Arc<Self>,
        revision: &Arc<Revision>,
        until: Instant,
    ) -> Result<Arc<Prepared>, Failure> {
        if let Some(code) = revision.code() {
            return Ok(code);
        }
        let (host, wanted) = (Arc::clone(self), Arc::clone(revision));
        let loading = tokio::spawn(async move { host.fetch(&wanted).await });
        match tokio::time::timeout_at(until.into(), loading).await {
            Ok(Ok(Ok(code))) => Ok(code),
            Ok(Ok(Err(why))) => Err(Failure::NotLoaded { why }),
            Ok(Err(panic)) => Err(Failure::NotLoaded { why: format!("a fault of the host: {panic}") }),
            Err(_) => Err(Failure::NotLoaded { why: "it is being made ready and was not yet".to_owned() }),
        }
    }

    /// Maps the code of `revision`, compiling it again where its file is not there or not sound, and makes a first
    /// instance of it.
    ///
    /// # Errors
    /// A sentence for the log.
    pub async fn fetch(&self, revision: &Revision) -> Result<Arc<Prepared>, String> {
        let (Some(artifacts), Some(record)) = (&self.artifacts, &revision.record) else {
            return Err("no file stands behind it".to_owned());
        };
        let mut fetching = revision.fetching.lock().await;
        // Whoever waited here finds what the one before him fetched.
        if let Some(code) = revision.code() {
            return Ok(code);
        }
        if let Some(left_ms) = fetching.not_before_ms.checked_sub(self.now_ms()).filter(|left| *left > 0) {
            return Err(format!("it could not be had a moment ago, and is tried again in {left_ms} ms"));
        }
        match artifacts.get(&self.sandbox, &revision.tenant, &record.digest).await {
            Ok(code) => {
                *fetching = Fetching::default();
                revision.put_code(Arc::clone(&code), self.now_s());
                Ok(code)
            }
            Err(error) => {
                let pause_ms = FETCH_PAUSE_MS.saturating_mul(1 << fetching.failures.min(6));
                let failures = fetching.failures.saturating_add(1);
                *fetching = Fetching { failures, not_before_ms: self.now_ms().saturating_add(pause_ms) };
                Err(error.to_string())
            }
        }
    }

    /// How each tenant stands at its walls.
    #[must_use]
    pub fn tenants_at_their_walls(&self) -> Vec<TenantFacts> {
        let snapshot = self.router.snapshot();
        let stands = |tenant: &Arc<Tenant>| {
            let of_handlers = tenant.handlers.values().flat_map(|one| [&one.places, &one.web_places]);
            let walls = of_handlers.chain([&tenant.places, &tenant.web_places]);
            TenantFacts {
                tenant: tenant.id.clone(),
                running: tenant.places.running(),
                waiting: walls.map(|places| places.waiting()).sum(),
                places: tenant.places.max(),
            }
        };
        snapshot.tenants().map(stands).collect()
    }

    /// Seconds since this host was made.
    #[must_use]
    pub fn now_s(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_secs()).unwrap_or(u32::MAX)
    }

    /// Milliseconds since this host was made.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Answers webhooks until `shutdown`, then finishes what runs.
    /// Gives the number of connections that had to be cut.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        shutdown: impl Future<Output: Into<Ending>>,
    ) -> usize {
        let limits = Arc::clone(&self.ingress);
        ingress::serve(listener, limits, shutdown, move |incoming| respond(Arc::clone(&self), incoming)).await
    }
}

/// Minutes of Unix time: goes on over a restart.
#[must_use]
pub fn minute() -> u32 {
    u32::try_from(clock::unix_ms() / 60_000).unwrap_or(u32::MAX)
}

/// The runtime that hosts run on.
///
/// Looks for new work after every poll: a guest that spins yields each millisecond, and with the usual 61 polls
/// between two looks its neighbours' calls would wait for 61 of its turns.
///
/// # Errors
/// Where the operating system gives no threads.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .event_interval(1)
        .global_queue_interval(1)
        .build()
}
