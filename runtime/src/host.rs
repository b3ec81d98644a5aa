//! One host: its sandbox, its router, its stored answers, and the loop that serves them.
//!
//! `dev` and `serve` differ only in where tenants come from; both make a [`Host`], publish a snapshot and serve.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::build::BuiltHandler;
use crate::call::{RevisionId, TenantId};
use crate::config::Config;
use crate::handler_toml::{LimitsMax, SettingsError};
use crate::pin::PinKey;
use crate::revision::{Places, Revision, RevisionError};
use crate::router::Router;
use crate::sandbox::{Sandbox, SandboxError, SandboxSettings};
use crate::twiml;
use crate::webhook::duplicates::Duplicates;
use crate::webhook::ingress::{self, IngressLimits};
use crate::webhook::respond;

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
    /// Its code or its fallback document.
    #[error(transparent)]
    Revision(#[from] RevisionError),
}

/// Everything that lives as long as the process.
pub struct Host {
    /// Runs handlers.
    pub sandbox: Arc<Sandbox>,
    /// Knows which.
    pub router: Router,
    /// Remembers answers.
    pub duplicates: Duplicates,
    /// Proves links.
    pub pin_key: PinKey,
    /// What all handlers share.
    pub places: Places,
    /// Scheme and authority that carriers call, where a tenant has none of its own.
    pub public_url: Option<String>,
    ingress: Arc<IngressLimits>,
}

impl Host {
    /// A host without tenants.
    ///
    /// # Errors
    /// [`SandboxError`] where the machine can't give what the sandbox needs (address space, above all).
    pub fn new(config: &Config, pin_key: PinKey) -> Result<Arc<Self>, SandboxError> {
        twiml::warm_up();
        let settings = SandboxSettings {
            concurrency_max: config.concurrency,
            memory_mib_total: config.guest_memory_bytes >> 20,
            ..SandboxSettings::default()
        };
        let ingress =
            IngressLimits { trusted_proxies: config.trusted_proxies.clone(), ..IngressLimits::default() };
        Ok(Arc::new(Self {
            sandbox: Sandbox::new(&settings)?,
            router: Router::default(),
            duplicates: Duplicates::default(),
            pin_key,
            places: Places::new(config.concurrency as usize),
            public_url: config.public_url.clone(),
            ingress: Arc::new(ingress),
        }))
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
        let revision =
            Revision::load(&self.sandbox, &self.pin_key, tenant, id, &component, &built.settings, strict)?;
        Ok(Arc::new(revision))
    }

    /// Answers webhooks until `shutdown`, then finishes what runs.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let limits = Arc::clone(&self.ingress);
        ingress::serve(listener, limits, shutdown, move |incoming| respond(Arc::clone(&self), incoming))
            .await;
    }
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
