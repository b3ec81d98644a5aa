//! Runs handlers: one webhook, one fresh instance, its own memory, its own budget.
//!
//! Code from strangers runs here, so nothing rests on its good will. Time is taken from it (the epoch ticks, it yields
//! to its neighbours at each tick, and after its CPU time or its deadline it ends), memory is counted before it is
//! given, every count has a bound, and whatever happens is one documented [`Outcome`] while the host goes on.
//!
//! What a guest may import is `capability`'s; bytes become a [`Prepared`] component in `artifact`; admission (how many
//! may run at once) is the caller's.

mod contract;
mod engine;
mod export;
mod invocation;
mod limits;
mod outcome;
mod prepared;
#[cfg(feature = "bench")]
pub mod steps;
mod store;
#[cfg(test)]
mod tests;
mod ticker;
mod web;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Linker;
use wasmtime::{CacheStore, Engine};

pub(crate) use engine::{fingerprint, host_fingerprint};
pub use limits::Limits;
pub use outcome::{Answer, Bound, Outcome, RunError, Trap, Used};
pub(crate) use prepared::Start;
pub use prepared::{Exports, Prepared};

pub(crate) use export::{Events, Export, Interface, Messaging, Voice};
use limits::MemoryBudget;
pub(crate) use store::State;
use ticker::Ticker;
pub(crate) use web::Web;

use crate::call::Webhook;
use crate::capability::{self, Context};

/// Whether a sandbox makes machine code itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compile {
    /// In this process: `dev`, tests, and the child process that does nothing else.
    InProcess,
    /// It only loads what was compiled elsewhere, as a host of many tenants does: compiling is the softest target.
    Never,
}

/// What the operator gives to all handlers together. Everything has a working default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxSettings {
    /// Invocations that run at once, at most; who calls [`Sandbox::run`] keeps to it. Raising it costs address space:
    /// about 40 GiB for each, of 128 TiB, and no memory until it is used.
    pub concurrency_max: u32,
    /// The largest memory limit that a handler may be given, in MiB.
    pub memory_mib_max: u64,
    /// Memory of all guests together, in MiB.
    pub memory_mib_total: u64,
    /// How much of a memory is cleaned for the next invocation rather than given back to the operating system, in KiB. A
    /// handler that writes less than this pays no page faults; each place that was ever used keeps as much.
    pub keep_resident_kib: usize,
    /// Whether stacks are cleaned between invocations. Guests can't read them; this guards against a fault in the
    /// compiler.
    pub zero_stacks: bool,
    /// Whether [`Sandbox::load`] works.
    pub compile: Compile,
}

impl Default for SandboxSettings {
    /// 256 invocations, 256 MiB for one handler at most, 2 GiB for all, 256 KiB kept, compiling in this process.
    fn default() -> Self {
        Self {
            concurrency_max: 256,
            memory_mib_max: 256,
            memory_mib_total: 2_048,
            keep_resident_kib: 256,
            zero_stacks: true,
            compile: Compile::InProcess,
        }
    }
}

impl SandboxSettings {
    fn memory_bytes_max(&self) -> usize {
        usize::try_from(self.memory_mib_max << 20).unwrap_or(usize::MAX)
    }
}

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine does not take the settings, or the machine has not the address space for them.
    #[error(
        "the sandbox can't be made for {concurrency_max} invocations of {memory_mib_max} MiB at most: {cause:#}"
    )]
    Engine {
        /// From the settings.
        concurrency_max: u32,
        /// From the settings.
        memory_mib_max: u64,
        /// What the engine says.
        cause: wasmtime::Error,
    },
    /// There is no thread for the ticker.
    #[error("the thread that measures CPU time can't be started")]
    Ticker(#[from] std::io::Error),
}

/// One per process: engine, places for instances, the ticker, the memory budget of all guests.
pub struct Sandbox {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) memory_bytes_max: u64,
    memory: Arc<MemoryBudget>,
    ticker: Ticker,
}

impl Sandbox {
    /// Makes the engine with its places and starts the ticker.
    ///
    /// # Errors
    /// [`SandboxError::Engine`], mostly for want of address space; [`SandboxError::Ticker`].
    pub fn new(settings: &SandboxSettings) -> Result<Arc<Self>, SandboxError> {
        Self::reusing(settings, None)
    }

    /// As [`Sandbox::new`], with functions that the compiler finds made already and adds to.
    pub(crate) fn reusing(
        settings: &SandboxSettings,
        functions: Option<Arc<dyn CacheStore>>,
    ) -> Result<Arc<Self>, SandboxError> {
        let mut config = engine::config(settings);
        let (engine, linker) = functions
            .map_or(Ok(()), |functions| config.enable_incremental_compilation(functions).map(|_| ()))
            .and_then(|()| Engine::new(&config))
            .and_then(|engine| {
                let mut linker = Linker::new(&engine);
                capability::link(&mut linker)?;
                Ok((engine, linker))
            })
            .map_err(|cause| SandboxError::Engine {
                concurrency_max: settings.concurrency_max,
                memory_mib_max: settings.memory_mib_max,
                cause,
            })?;
        Ok(Arc::new(Self {
            ticker: Ticker::start(&engine)?,
            memory: Arc::new(MemoryBudget::new(settings.memory_mib_total)),
            memory_bytes_max: settings.memory_bytes_max() as u64,
            engine,
            linker,
        }))
    }

    /// Runs `prepared` for `webhook` in a fresh instance under `limits`. Never fails to tell how it ended, and may be
    /// dropped at any time. Needs a tokio runtime with its timer on.
    pub async fn run(
        &self,
        prepared: &Prepared,
        limits: &Limits,
        context: Context<'_>,
        webhook: &Webhook,
    ) -> Outcome {
        invocation::run(self, prepared, limits, context, webhook).await
    }

    /// Makes an instance of `prepared` under `limits` and calls nothing: how it starts. As [`Sandbox::run`] otherwise.
    pub async fn start(&self, prepared: &Prepared, limits: &Limits) -> Outcome {
        invocation::start(self, prepared, limits).await
    }

    /// The memory of all guests that run now, in bytes.
    #[must_use]
    pub fn guest_memory_bytes(&self) -> u64 {
        self.memory.bytes_used()
    }

    /// How late the ticker woke at worst since this was last asked. More than a few milliseconds means that the
    /// machine has too little CPU.
    #[must_use]
    pub fn take_ticker_lateness(&self) -> Duration {
        self.ticker.take_lateness()
    }
}
