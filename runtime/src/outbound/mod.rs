//! HTTP requests that handlers make: to whom, how many, how long, and what happens when one fails.
//!
//! The one idea is that a tenant may do as it likes with what is its own and with nothing else. [`AllowList`] says whom a
//! handler may call, [`address`] that no name leads back into the operator's networks, and each tenant has its own
//! connections, places and repeats, so that none of them waits for another one's slow server. Everything ends before
//! the call does: somebody is on the line, and the handler needs a moment to say something else.
//!
//! What a guest sees of this is `capability/http`'s.

pub mod address;
pub mod allow;
mod body;
mod dial;
mod error;
mod invocation;
pub mod limits;
mod resolve;
pub mod retry;
mod target;
mod tenant;
#[cfg(test)]
mod tests;
pub mod world;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::call::TenantId;
pub use address::{Exception, ExceptionError};
pub use allow::AllowList;
pub use body::Received;
pub use error::Error;
pub use invocation::{Invocation, Note, Patience};
pub use resolve::{Resolve, System};
use tenant::Tenant;
use world::World;

/// The way out for all handlers of a host.
pub struct Client {
    out: Out,
    /// Held for a look into the map, once for an invocation that makes a request.
    tenants: Mutex<HashMap<TenantId, Arc<Tenant>>>,
}

/// Where requests go.
enum Out {
    Network(Box<Network>),
    World(Arc<World>),
}

/// What all tenants' connections are made with.
struct Network {
    exceptions: Arc<[Exception]>,
    resolve: Arc<dyn Resolve>,
    tls: rustls::ClientConfig,
    look_ups: Arc<Semaphore>,
    connections: Arc<Semaphore>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.out {
            Out::Network(network) => {
                f.debug_struct("Client").field("exceptions", &network.exceptions).finish_non_exhaustive()
            }
            Out::World(world) => f.debug_tuple("Client").field(world).finish(),
        }
    }
}

impl Client {
    /// With the system's resolver and its certificates; `exceptions` are private addresses that may be called all the same.
    #[must_use]
    pub fn new(exceptions: Vec<Exception>) -> Self {
        Self::with(exceptions, Arc::new(System), system_roots())
    }

    /// Into a world that is not there; nothing leaves this process.
    #[must_use]
    pub fn into_world(world: Arc<World>) -> Self {
        Self { out: Out::World(world), tenants: Mutex::default() }
    }

    /// With these names and these certificates.
    fn with(exceptions: Vec<Exception>, resolve: Arc<dyn Resolve>, roots: rustls::RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider knows the versions that are built in")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let network = Network {
            exceptions: exceptions.into(),
            resolve,
            tls,
            look_ups: Arc::new(Semaphore::new(limits::LOOK_UPS_MAX)),
            connections: Arc::new(Semaphore::new(limits::CONNECTIONS_MAX)),
        };
        Self { out: Out::Network(Box::new(network)), tenants: Mutex::default() }
    }

    /// What `tenant` has of it.
    fn tenant(&self, tenant: &TenantId) -> Arc<Tenant> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tenants.get(tenant) {
            return Arc::clone(known);
        }
        // Tenants come and go; those that nobody uses now lose what they had saved, which is little.
        tenants.retain(|_, tenant| Arc::strong_count(tenant) > 1 || tenant.was_used_lately());
        let new = Arc::new(Tenant::new(&self.out));
        tenants.insert(tenant.clone(), Arc::clone(&new));
        new
    }
}

/// The certificates that the operating system trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` say otherwise).
fn system_roots() -> rustls::RootCertStore {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!("a certificate of the operating system can't be read: {error}");
    }
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        tracing::warn!(
            "the operating system has no certificates (package ca-certificates), so handlers can't call https:// URLs"
        );
    }
    roots
}
