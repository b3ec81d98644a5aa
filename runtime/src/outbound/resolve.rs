//! Names to addresses.

use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::pin::Pin;

use tokio::sync::OwnedSemaphorePermit;

/// An answer that comes later.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of a name.
pub trait Resolve: Send + Sync {
    /// Looks `host` up, and holds `places` until that has really ended: a resolver that hangs goes on after nobody waits
    /// for it any more.
    fn resolve(&self, host: String, places: [OwnedSemaphorePermit; 2]) -> Resolving;
}

/// As the operating system is set up.
pub struct System;

impl Resolve for System {
    fn resolve(&self, host: String, places: [OwnedSemaphorePermit; 2]) -> Resolving {
        let looking = tokio::task::spawn_blocking(move || {
            let addresses = (host.as_str(), 0).to_socket_addrs();
            drop(places);
            addresses.map(|found| found.map(|address| address.ip()).collect())
        });
        Box::pin(async move { looking.await.map_err(io::Error::other)? })
    }
}
