//! From a digest to what can run: in memory, in a mapped file, or compiled once more.
//!
//! The component is kept, so whatever is lost, damaged or of another engine heals by itself: it is logged, counted and
//! compiled again, in the jail and in its turn. In memory, equal bytes are one component, whoever deployed them.
//!
//! Which limits a handler may have, which revisions exist and what its settings say is the caller's business.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use bytes::Bytes;
use futures_util::Stream;
use metrics::{counter, histogram};
use tracing::{info, warn};

use super::jail::{CompileError, JailSettings, Spent};
use super::making::{Making, Reuse};
use super::map::{ArtifactFacts, MapError};
use super::queue::{Queue, QueueFull};
use super::smoke::SmokeLimits;
use super::store::{ReceiveError, Store, StoreError, blocking, is_full};
use crate::call::TenantId;
use crate::digest::Digest;
use crate::sandbox::{Prepared, Sandbox, Start, host_fingerprint};

/// How artifacts are made and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactSettings {
    /// One compile.
    pub jail: JailSettings,
    /// Compiles at a time.
    pub compiles_max: usize,
    /// Compiles that wait for their turn, at most.
    pub waiting_max: usize,
    /// Functions of one tenant that are kept to be used again, in bytes. A JavaScript engine takes about a quarter.
    pub functions_bytes_max: u64,
    /// Such functions of all tenants together, in bytes.
    pub functions_bytes_total: u64,
}

impl Default for ArtifactSettings {
    /// One compile for every two processors, 32 wait; functions: 192 MiB for a tenant, 2 GiB for all.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            jail: JailSettings::default(),
            compiles_max: (processors / 2).max(1),
            waiting_max: 32,
            functions_bytes_max: 192 << 20,
            functions_bytes_total: 2 << 30,
        }
    }
}

/// Why there are no artifacts at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folders.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine.
    #[error("this machine can't be compiled for: {0:#}")]
    Engine(wasmtime::Error),
}

/// Why a component is not ready to run.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdmitError {
    /// The component is refused; the text is for its author.
    #[error("{0}")]
    Refused(CompileError),
    /// Too many wait.
    #[error(transparent)]
    QueueFull(#[from] QueueFull),
    /// It was never uploaded, or removed.
    #[error("there is no component {0}; upload it first")]
    NoComponent(Digest),
    /// No room for the compiled file.
    #[error("the disk is full; calls go on, and deploys do when there is room")]
    DiskFull,
    /// A fault of the host's.
    #[error("the component can't be compiled here: {0}")]
    Host(String),
}

impl AdmitError {
    /// The word that it is counted by.
    #[must_use]
    pub fn outcome(&self) -> &str {
        match self {
            Self::Refused(error) => &error.reason,
            Self::QueueFull(_) => "queue_full",
            Self::NoComponent(_) => "no_component",
            Self::DiskFull => "disk_full",
            Self::Host(_) => "host",
        }
    }
}

/// What is known of a component that can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The interfaces it imports, as it names them, sorted.
    pub imports: Vec<String>,
    /// The interfaces of ours that it exports, sorted.
    pub exports: Vec<String>,
    /// The memory it starts with, in bytes.
    pub memory_bytes_minimum: u64,
    /// The compiled file, in bytes.
    pub artifact_bytes: u64,
    /// CPU time that compiling took, whenever that was, in milliseconds.
    pub compile_cpu_ms: u64,
    /// What it took now; none where it had been compiled before.
    pub spent: Option<Spent>,
}

/// What is compiled: a component, for whom if not for all, and the start that is tried.
type Key = (Digest, Option<TenantId>, Option<SmokeLimits>);
pub(super) type Made = Result<Admitted, AdmitError>;

/// Everything of one data folder.
pub struct Artifacts {
    store: Arc<Store>,
    settings: ArtifactSettings,
    queue: Queue<Key, Made>,
    ready: Ready,
}

impl Artifacts {
    /// Opens the folders under `data`. `key` seals what is compiled and comes from outside of them; with another key
    /// everything is compiled again. Not from within a task: it looks at the disk, and makes and drops an engine.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(data: &Path, key: [u8; 32], settings: ArtifactSettings) -> Result<Arc<Self>, OpenError> {
        let engine = host_fingerprint().map_err(OpenError::Engine)?;
        let store = Arc::new(Store::open(data, key, engine)?);
        let queue = Queue::new(settings.compiles_max, settings.waiting_max);
        Ok(Arc::new(Self { store, settings, queue, ready: Ready::default() }))
    }

    /// Takes an upload; see [`Store::receive`].
    ///
    /// # Errors
    /// [`ReceiveError`]; nothing of it is left then.
    pub async fn receive<E: Display>(
        &self,
        body: impl Stream<Item = Result<Bytes, E>>,
        expected: Digest,
        bytes_max: u64,
    ) -> Result<u64, ReceiveError> {
        self.store.receive(body, expected, bytes_max).await
    }

    /// The files, for those who keep them: backup and quota.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether there is a compiled file, not yet proved. Cheap.
    #[must_use]
    pub fn has_artifact(&self, tenant: &TenantId, digest: &Digest) -> bool {
        self.owners(tenant).into_iter().any(|owner| self.store.has_artifact(digest, owner))
    }

    /// Admits a component that was uploaded: it is compiled, unless it was, and starts under `limits`.
    ///
    /// # Errors
    /// [`AdmitError`]; a refusal says what, where and what to do.
    pub async fn admit(&self, tenant: &TenantId, digest: &Digest, limits: SmokeLimits) -> Made {
        if let Some(admitted) = self.admitted_before(tenant, digest, &limits).await? {
            return Ok(admitted);
        }
        self.compile(tenant, digest, Some(limits)).await
    }

    /// What can run. Reads nothing where an equal component is in memory; else proves and maps the file where blocking is
    /// allowed; else compiles.
    ///
    /// # Errors
    /// [`AdmitError`]; for a component that was admitted, only for want of room, or of the component itself.
    pub async fn get(
        &self,
        sandbox: &Arc<Sandbox>,
        tenant: &TenantId,
        digest: &Digest,
    ) -> Result<Arc<Prepared>, AdmitError> {
        let owner = self.owner_of(tenant, digest);
        let slot = self.ready.slot(*digest, owner.clone());
        // Whoever comes for the same component meanwhile waits for this one.
        let mut ready = slot.lock().await;
        if let Some(prepared) = ready.upgrade() {
            looked(ToBe::Run, "memory");
            return Ok(prepared);
        }
        let prepared = Arc::new(self.load_or_heal(sandbox, tenant, digest, owner).await?);
        *ready = Arc::downgrade(&prepared);
        Ok(prepared)
    }

    /// Removes what no revision needs; see [`Store::collect_garbage`]. How many files.
    ///
    /// # Errors
    /// As the operating system has it.
    pub async fn collect_garbage(&self, keep: HashSet<Digest>) -> io::Result<usize> {
        let (store, most) = (Arc::clone(&self.store), self.settings.functions_bytes_total);
        blocking(move || store.collect_garbage(&keep, most)).await
    }

    /// Whose artifacts a tenant may run, the best first.
    fn owners<'a>(&self, tenant: &'a TenantId) -> [Option<&'a TenantId>; 2] {
        [None, Some(tenant)]
    }

    fn owner_of(&self, tenant: &TenantId, digest: &Digest) -> Option<TenantId> {
        self.owners(tenant)
            .into_iter()
            .find(|owner| self.store.has_artifact(digest, *owner))
            .flatten()
            .cloned()
    }

    /// What is known of an artifact that is good and was seen to start under these limits.
    async fn admitted_before(
        &self,
        tenant: &TenantId,
        digest: &Digest,
        limits: &SmokeLimits,
    ) -> Result<Option<Admitted>, AdmitError> {
        let owner = self.owner_of(tenant, digest);
        let (store, wanted) = (Arc::clone(&self.store), *digest);
        let proved = run_blocking(move || store.prove(&wanted, owner.as_ref())).await?;
        match proved {
            Ok((_, facts, artifact_bytes)) => {
                let started = match (facts.facts.start, &facts.started_under) {
                    // Nothing of its own runs: it starts wherever its memory fits.
                    (Start::Still, _) => facts.facts.memory_bytes_minimum <= limits.limits().memory_bytes(),
                    (Start::Running, Some(seen)) => seen.within(limits),
                    (Start::Running, None) => false,
                };
                looked(ToBe::Admitted, if started { "file" } else { "untried" });
                Ok(started.then(|| admitted(facts, artifact_bytes, None)))
            }
            Err(error) => {
                looked(ToBe::Admitted, note(digest, &error));
                Ok(None)
            }
        }
    }

    /// Loads an artifact; what can't be loaded is compiled again, once.
    async fn load_or_heal(
        &self,
        sandbox: &Arc<Sandbox>,
        tenant: &TenantId,
        digest: &Digest,
        owner: Option<TenantId>,
    ) -> Result<Prepared, AdmitError> {
        match self.load(sandbox, digest, owner).await? {
            Ok(prepared) => {
                looked(ToBe::Run, "file");
                return Ok(prepared);
            }
            Err(error) => looked(ToBe::Run, note(digest, &error)),
        }
        self.compile(tenant, digest, None).await?;
        let owner = self.owner_of(tenant, digest);
        let loaded = self.load(sandbox, digest, owner).await?;
        loaded.map_err(|error| AdmitError::Host(format!("{digest}, just compiled: {error}")))
    }

    async fn load(
        &self,
        sandbox: &Arc<Sandbox>,
        digest: &Digest,
        owner: Option<TenantId>,
    ) -> Result<Result<Prepared, MapError>, AdmitError> {
        let (store, sandbox, digest) = (Arc::clone(&self.store), Arc::clone(sandbox), *digest);
        run_blocking(move || store.load(&sandbox, &digest, owner.as_ref())).await
    }

    /// Compiles in the jail, in its turn.
    async fn compile(&self, tenant: &TenantId, digest: &Digest, start_under: Option<SmokeLimits>) -> Made {
        let reuse = self.reuse(tenant, digest).await?;
        // What was made with the help of a tenant's own functions stays that tenant's: should somebody ever get something
        // bad among them, it harms nobody else.
        let owner = (reuse == Reuse::Known).then(|| tenant.clone());
        let key = (*digest, owner.clone(), start_under);
        let making = Making {
            store: Arc::clone(&self.store),
            settings: self.settings.clone(),
            tenant: tenant.clone(),
            digest: *digest,
            owner,
            start_under,
            reuse,
        };
        let digest = *digest;
        let work = async move {
            let started = Instant::now();
            let made = making.make().await;
            let outcome = made.as_ref().map_or_else(|error| error.outcome().to_owned(), |_| "ok".to_owned());
            counter!("hookswitch_compiles_total", "outcome" => outcome.clone()).increment(1);
            histogram!("hookswitch_compile_seconds").record(started.elapsed().as_secs_f64());
            let took_ms = started.elapsed().as_millis();
            match &made {
                Ok(_) => info!(%digest, outcome, "compiled in {took_ms} ms"),
                Err(why) => warn!(%digest, outcome, "not compiled, after {took_ms} ms: {why}"),
            }
            made
        };
        let ticket = self.queue.ask(tenant, key, work)?;
        ticket.wait().await.unwrap_or_else(|| Err(AdmitError::Host("the compile was broken off".to_owned())))
    }

    /// Whether functions of earlier compiles are worth their reading.
    async fn reuse(&self, tenant: &TenantId, digest: &Digest) -> Result<Reuse, AdmitError> {
        let (store, tenant, digest) = (Arc::clone(&self.store), tenant.clone(), *digest);
        let found = blocking(move || {
            let bytes = store.component(&digest)?.metadata()?.len();
            Ok(match bytes {
                _ if bytes < REUSE_FROM_BYTES => Reuse::No,
                _ if store.functions_path(&tenant).exists() => Reuse::Known,
                _ => Reuse::First,
            })
        });
        found.await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => AdmitError::NoComponent(digest),
            _ => disk(&error),
        })
    }
}

/// Components from this size on hold a language runtime that others hold, too; smaller ones compile in no time.
const REUSE_FROM_BYTES: u64 = 1 << 20;

pub(super) fn admitted(facts: ArtifactFacts, artifact_bytes: u64, spent: Option<Spent>) -> Admitted {
    let mut imports = facts.facts.imports;
    imports.sort_unstable();
    Admitted {
        imports,
        exports: facts.exports,
        memory_bytes_minimum: facts.facts.memory_bytes_minimum,
        artifact_bytes,
        compile_cpu_ms: facts.compile_cpu_ms,
        spent,
    }
}

pub(super) fn disk(error: &io::Error) -> AdmitError {
    if is_full(error) { AdmitError::DiskFull } else { AdmitError::Host(error.to_string()) }
}

/// What compiled code is looked for to be.
#[derive(Clone, Copy)]
enum ToBe {
    Admitted,
    Run,
}

/// Counts a look for compiled code by what was found.
fn looked(to_be: ToBe, found: &'static str) {
    let to_be = match to_be {
        ToBe::Admitted => "admitted",
        ToBe::Run => "run",
    };
    counter!("hookswitch_artifact_lookups_total", "to_be" => to_be, "found" => found).increment(1);
}

/// What is missing is compiled without a word; what is damaged is the operator's to know. Gives the word it is counted by.
fn note(digest: &Digest, error: &MapError) -> &'static str {
    match error {
        MapError::Missing => "missing",
        MapError::Damaged(_) | MapError::Misplaced(_) | MapError::Engine(_) | MapError::Link(_) => {
            counter!("hookswitch_artifacts_damaged_total").increment(1);
            warn!(%digest, "{error}; it is compiled again from the component");
            "damaged"
        }
    }
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AdmitError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| AdmitError::Host(error.to_string()))
}

type Slot = Arc<tokio::sync::Mutex<Weak<Prepared>>>;

/// What is in memory, for as long as somebody uses it.
#[derive(Default)]
struct Ready(Mutex<Slots>);

#[derive(Default)]
struct Slots {
    slots: HashMap<(Digest, Option<TenantId>), Slot>,
    /// Swept when there are more.
    sweep_at: usize,
}

impl Ready {
    fn slot(&self, digest: Digest, owner: Option<TenantId>) -> Slot {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Slots { slots, sweep_at } = &mut *guard;
        if slots.len() > *sweep_at {
            // A slot that is held or alive stays; twice as many as those may come before the next sweep.
            slots.retain(|_, slot| {
                Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|ready| ready.strong_count() > 0)
            });
            *sweep_at = 2 * slots.len() + 64;
        }
        Arc::clone(slots.entry((digest, owner)).or_default())
    }
}
