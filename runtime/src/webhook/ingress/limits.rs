//! The ingress's limits: how much of everything a stranger may take before he has proved anything.
//!
//! Each has a default that suits a host facing the internet directly. What a connection does against one of them is
//! counted under [`Limit`]'s name; what one request does against them is a [`super::refusal::Refusal`].

use std::time::Duration;

use ipnet::IpNet;

use super::connections::Stage;

/// Limits of the data plane's ingress. Sizes are in bytes.
#[derive(Debug, Clone)]
pub struct IngressLimits {
    /// Peers whose `X-Forwarded-*` counts; they are also excepted from `connections_per_address_max`.
    pub trusted_proxies: Vec<IpNet>,

    /// Open connections. Each costs about 10 KiB idle, and a file descriptor.
    pub connections_max: usize,
    /// Open connections of one address; an IPv6 address counts with its whole /64.
    pub connections_per_address_max: usize,
    /// Requests on one connection; the last of them is answered with `connection: close`. Spreads long-lived
    /// clients over hosts, and gives back what a connection has gathered.
    pub requests_per_connection_max: u64,
    /// Age at which a connection is asked to end, however busy. The bound for all that no other limit sees.
    pub connection_age: Duration,

    /// Request line and headers together. At least 8 192, the smallest buffer that the HTTP/1 parser takes.
    pub head_bytes_max: usize,
    /// Header fields of one request.
    pub headers_max: usize,
    /// Path and query.
    pub uri_bytes_max: usize,
    /// From a head's first byte, or from the start of a connection, to the head's end.
    pub head_within: Duration,
    /// How long a connection may rest between two requests. Longer than a proxy's own, so that it closes first.
    pub idle_within: Duration,

    /// Request body.
    pub body_bytes_max: usize,
    /// From a body's first missing byte to its end.
    pub body_within: Duration,
    /// Memory of all bodies together that did not arrive in one piece. Small ones are not counted: they are
    /// bounded by `connections_max`, and must still pass when somebody fills this.
    pub bodies_bytes_max: usize,
    /// The same for the bodies of one connection, which HTTP/2 may send side by side. At least `body_bytes_max`.
    pub bodies_bytes_per_connection_max: usize,
    /// How fast a body must arrive, and an answer be taken, once `stall` has passed. Per second.
    pub bytes_per_second_min: u64,
    /// How long a peer may neither send the body it announced nor take its answer.
    pub stall: Duration,
    /// What a connection may send, beyond one body, without a request being answered. Stops floods of frames
    /// that are cheap for the sender and lead nowhere.
    pub unanswered_bytes_max: u64,

    /// HTTP/2: open streams of one connection.
    pub streams_max: u32,
    /// HTTP/2: streams that the peer opened and reset before we saw them.
    pub pending_reset_streams_max: usize,
    /// HTTP/2: streams that the peer's errors made us reset.
    pub error_reset_streams_max: usize,

    /// After a refusal the rest of what the peer sends is read and dropped so long and so much, because closing a
    /// socket with unread bytes takes the answer back before the peer has read it.
    pub linger_within: Duration,
    /// See `linger_within`.
    pub linger_bytes_max: usize,
    /// At shutdown an idle connection is kept so long, for the request that may be on its way already.
    pub last_call: Duration,
    /// At shutdown what runs may go on so long; then it is cut.
    pub shutdown_within: Duration,
    /// As `last_call`, after a handover. Longer, because nothing waits for it: the port is served by the other process,
    /// and a pool that uses its connections hears in an answer that this one ends, rather than by a request that is lost.
    pub handed_over_last_call: Duration,
    /// As `shutdown_within`, after a handover.
    pub handed_over_within: Duration,
}

impl Default for IngressLimits {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            connections_max: 4_096,
            connections_per_address_max: 256,
            requests_per_connection_max: 10_000,
            connection_age: Duration::from_secs(600),
            head_bytes_max: 16 << 10,
            headers_max: 64,
            uri_bytes_max: 8 << 10,
            head_within: Duration::from_secs(10),
            idle_within: Duration::from_secs(75),
            body_bytes_max: 1 << 20,
            body_within: Duration::from_secs(30),
            bodies_bytes_max: 256 << 20,
            bodies_bytes_per_connection_max: 2 << 20,
            bytes_per_second_min: 1 << 10,
            stall: Duration::from_secs(10),
            unanswered_bytes_max: 1 << 20,
            streams_max: 64,
            pending_reset_streams_max: 20,
            error_reset_streams_max: 64,
            linger_within: Duration::from_secs(2),
            linger_bytes_max: 4 << 20,
            last_call: Duration::from_millis(100),
            shutdown_within: Duration::from_secs(15),
            handed_over_last_call: Duration::from_secs(5),
            handed_over_within: Duration::from_secs(30),
        }
    }
}

impl IngressLimits {
    /// When a transfer that began at `since_ms` and has moved `moved` bytes falls below the least pace.
    pub(super) fn pace_due_ms(&self, since_ms: u64, moved: u64) -> u64 {
        let earned_ms = moved.saturating_mul(1_000) / self.bytes_per_second_min.max(1);
        since_ms.saturating_add(millis(self.stall)).saturating_add(earned_ms)
    }

    /// The shortest time in which a connection can run into anything.
    pub(super) fn shortest(&self) -> Duration {
        self.head_within.min(self.stall).min(self.idle_within).min(self.connection_age)
    }

    /// How long an idle connection is kept when it is to end.
    pub(super) fn last_call(&self, stage: Stage) -> Duration {
        if stage == Stage::Draining { self.handed_over_last_call } else { self.last_call }
    }

    /// What one connection may send without an answer.
    pub(super) fn unanswered_total_max(&self) -> u64 {
        self.unanswered_bytes_max.saturating_add(self.body_bytes_max as u64)
    }
}

/// A duration in whole milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A limit that ends a connection or keeps it from beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// `connections_max`.
    Connections,
    /// `connections_per_address_max`.
    ConnectionsPerAddress,
    /// `head_within`.
    Head,
    /// `stall` or `bytes_per_second_min`, on our side's answer.
    Stall,
    /// `unanswered_bytes_max`.
    Unanswered,
    /// `shutdown_within` or `handed_over_within`.
    Shutdown,
}

impl Limit {
    /// The name in metrics and log.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections_max",
            Self::ConnectionsPerAddress => "connections_per_address_max",
            Self::Head => "head_within",
            Self::Stall => "stall",
            Self::Unanswered => "unanswered_bytes_max",
            Self::Shutdown => "shutdown_within",
        }
    }

    /// Counts one connection that met this limit. Not a log line: floods would write it.
    pub(super) fn met(self) {
        metrics::counter!("hookswitch_ingress_cut_total", "limit" => self.as_str()).increment(1);
        tracing::debug!(target: "ingress", limit = self.as_str(), "connection ended at a limit");
    }
}
