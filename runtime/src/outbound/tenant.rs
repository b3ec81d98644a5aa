//! What one tenant has of the way out: connections that nobody else uses, places, and repeats.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;
use tokio::time::sleep_until;

use super::dial::{Connect, Dial};
use super::limits::{
    FIELDS_MAX, HEAD_BYTES_MAX, IDLE, IDLE_PER_HOST_MAX, TENANT_BURST, TENANT_BYTES_PER_SECOND,
    TENANT_CONNECTIONS_MAX, TENANT_LOOK_UPS_MAX, TENANT_OPEN_MAX, TENANT_REQUESTS_PER_SECOND,
};
use super::world::World;
use super::{Error, Network, Out, retry};
use crate::pace::Pace;

/// What an answer on HTTP/2 may have in memory before its guest reads it, in bytes, and all of one connection together.
const WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// A tenant that made no request for so long starts anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// One tenant's part.
pub struct Tenant {
    pub way: Way,
    pub places: Arc<Semaphore>,
    pub repeats: retry::Budget,
    pace: Mutex<Pace>,
    began: Instant,
    used_s: AtomicU64,
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tenant")
    }
}

/// Its way out.
pub enum Way {
    /// Connections of its own.
    Network(Box<legacy::Client<Connect, Full<Bytes>>>),
    /// Answers from a table.
    World(Arc<World>),
}

impl Way {
    fn over(of: &Network) -> Self {
        let dial = Dial {
            resolve: Arc::clone(&of.resolve),
            exceptions: Arc::clone(&of.exceptions),
            look_ups: [Arc::new(Semaphore::new(TENANT_LOOK_UPS_MAX)), Arc::clone(&of.look_ups)],
            connections: [Arc::new(Semaphore::new(TENANT_CONNECTIONS_MAX)), Arc::clone(&of.connections)],
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(of.tls.clone())
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(dial);
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .http1_max_headers(FIELDS_MAX)
            .http2_initial_stream_window_size(WINDOW_BYTES)
            .http2_initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .http2_max_header_list_size(HEAD_BYTES_MAX as u32)
            .build(Connect(connector));
        Self::Network(Box::new(client))
    }
}

impl Tenant {
    pub fn new(out: &Out) -> Self {
        Self {
            way: match out {
                Out::Network(network) => Way::over(network),
                Out::World(world) => Way::World(Arc::clone(world)),
            },
            places: Arc::new(Semaphore::new(TENANT_OPEN_MAX)),
            repeats: retry::Budget::default(),
            pace: Mutex::new(Pace::new(Instant::now())),
            began: Instant::now(),
            used_s: AtomicU64::new(0),
        }
    }

    /// A request was made.
    pub fn used(&self) {
        self.used_s.store(self.began.elapsed().as_secs(), Ordering::Relaxed);
        self.repeats.pay_in();
    }

    /// Waits for the turn of a request with a body of `bytes`.
    ///
    /// # Errors
    /// [`Error::TooFast`] where it comes after `until`.
    pub async fn turn(&self, bytes: usize, until: Instant) -> Result<(), Error> {
        if matches!(self.way, Way::World(_)) {
            // There a second is over before it has begun.
            return Ok(());
        }
        let now = Instant::now();
        let cost = Duration::from_secs(1) / TENANT_REQUESTS_PER_SECOND + cost_of(bytes);
        let turn = self.pace().turn(cost, TENANT_BURST, now, until);
        match turn {
            Ok(at) if at <= now => Ok(()),
            Ok(at) => {
                sleep_until(at.into()).await;
                Ok(())
            }
            Err(wait) => Err(Error::TooFast(wait)),
        }
    }

    /// A body of `bytes` was received.
    pub fn received(&self, bytes: usize) {
        self.pace().owe(cost_of(bytes), Instant::now());
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // Every change is one assignment.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn was_used_lately(&self) -> bool {
        let quiet_s = self.began.elapsed().as_secs().saturating_sub(self.used_s.load(Ordering::Relaxed));
        quiet_s < FORGOTTEN_AFTER.as_secs()
    }
}

/// What a body of `bytes` costs of its tenant's time.
fn cost_of(bytes: usize) -> Duration {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    Duration::from_micros(bytes.saturating_mul(1_000_000) / u64::from(TENANT_BYTES_PER_SECOND))
}
