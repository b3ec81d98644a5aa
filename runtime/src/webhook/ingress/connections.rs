//! All open connections: how many, from where, and how to tell them that the host is going.
//!
//! Taken only when a connection opens or closes, never for a request.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::sync::Notify;

use metrics::gauge;

use super::filter::trusts;
use super::limits::{IngressLimits, Limit};

/// What the host is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Serve.
    Open = 0,
    /// Another process serves the port: let connections end when they are not needed.
    Draining = 1,
    /// Finish what runs, begin nothing new.
    Closing = 2,
    /// End now.
    Cut = 3,
}

/// The book of open connections.
#[derive(Debug)]
pub(super) struct Connections {
    stage: AtomicU8,
    book: Mutex<Book>,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Book {
    next: u64,
    /// The task of each connection, once it runs.
    open: HashMap<u64, Option<Waker>>,
    per_address: HashMap<IpAddr, usize>,
}

/// An open connection's entry; dropping it closes the entry.
#[derive(Debug)]
pub(super) struct Entry {
    connections: Arc<Connections>,
    id: u64,
    /// Set where the address is counted.
    address: Option<IpAddr>,
}

impl Connections {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            stage: AtomicU8::new(Stage::Open as u8),
            book: Mutex::default(),
            emptied: Notify::new(),
        })
    }

    /// Enters a connection from `peer`.
    ///
    /// # Errors
    /// The limit that leaves no room for it.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr, limits: &IngressLimits) -> Result<Entry, Limit> {
        let address = (!trusts(&limits.trusted_proxies, peer)).then(|| counted_as(peer));
        let mut book = self.book();
        if book.open.len() >= limits.connections_max {
            return Err(Limit::Connections);
        }
        if let Some(address) = address {
            let count = book.per_address.entry(address).or_default();
            if *count >= limits.connections_per_address_max {
                return Err(Limit::ConnectionsPerAddress);
            }
            *count += 1;
        }
        let id = book.next;
        book.next += 1;
        book.open.insert(id, None);
        gauge!("hookswitch_connections").increment(1.0);
        Ok(Entry { connections: Arc::clone(self), id, address })
    }

    pub(super) fn stage(&self) -> Stage {
        match self.stage.load(SeqCst) {
            0 => Stage::Open,
            1 => Stage::Draining,
            2 => Stage::Closing,
            _ => Stage::Cut,
        }
    }

    /// Moves on to `stage` and lets every connection see it.
    pub(super) fn go_to(&self, stage: Stage) {
        self.stage.store(stage as u8, SeqCst);
        for waker in self.book().open.values().flatten() {
            waker.wake_by_ref();
        }
    }

    /// How many are open.
    pub(super) fn open(&self) -> usize {
        self.book().open.len()
    }

    /// Waits until none is open.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.open() == 0 {
                return;
            }
            emptied.await;
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing under this lock can leave the book half-written.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Lets `waker`'s task see every further stage. It must look at the stage itself after this.
    pub(super) fn watch(&self, waker: &Waker) {
        self.connections.book().open.insert(self.id, Some(waker.clone()));
    }

    pub(super) fn stage(&self) -> Stage {
        self.connections.stage()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut book = self.connections.book();
        book.open.remove(&self.id);
        gauge!("hookswitch_connections").decrement(1.0);
        if let Some(address) = self.address
            && let Some(count) = book.per_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                book.per_address.remove(&address);
            }
        }
        if book.open.is_empty() {
            self.connections.emptied.notify_waiters();
        }
    }
}

/// The address that a peer's connections are counted under. One customer of a provider usually has a whole IPv6 /64.
fn counted_as(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX))),
    }
}
