//! What one tenant has of the way out: connections that nobody else uses, places, and repeats.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;

use super::dial::{Connect, Dial};
use super::limits::{
    FIELDS_MAX, HEAD_BYTES_MAX, IDLE, IDLE_PER_HOST_MAX, TENANT_CONNECTIONS_MAX, TENANT_LOOK_UPS_MAX,
    TENANT_OPEN_MAX,
};
use super::world::World;
use super::{Network, Out, retry};

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
    began: Instant,
    used_s: AtomicU64,
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
            began: Instant::now(),
            used_s: AtomicU64::new(0),
        }
    }

    /// A request was made.
    pub fn used(&self) {
        self.used_s.store(self.began.elapsed().as_secs(), Ordering::Relaxed);
        self.repeats.pay_in();
    }

    pub fn was_used_lately(&self) -> bool {
        let quiet_s = self.began.elapsed().as_secs().saturating_sub(self.used_s.load(Ordering::Relaxed));
        quiet_s < FORGOTTEN_AFTER.as_secs()
    }
}
