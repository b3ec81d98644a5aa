//! How much of everything. Each is counted where it is named.

use std::time::Duration;

/// Requests of one invocation, answered or not; what a request is repeated does not count.
pub const REQUESTS_MAX: u32 = 32;
/// Requests that one invocation has open at once; further ones wait.
pub const OPEN_MAX: usize = 8;
/// Requests that a tenant has open at once, over all its invocations; further ones wait.
pub const TENANT_OPEN_MAX: usize = 64;
/// Requests that a tenant sends within a second, over all its invocations, attempts that repeat one included; after a pause
/// so many as [`TENANT_BURST`] has seconds' worth at once. Further ones wait for their turn.
pub const TENANT_REQUESTS_PER_SECOND: u32 = 200;
/// Bodies that a tenant sends and receives within a second, in bytes, both together, in the same way.
pub const TENANT_BYTES_PER_SECOND: u32 = 16 * 1024 * 1024;
/// See [`TENANT_REQUESTS_PER_SECOND`].
pub const TENANT_BURST: Duration = Duration::from_secs(5);
/// Connections of one tenant, idle ones included: a wildcard in an allow-list shall not become ten thousand sockets.
pub const TENANT_CONNECTIONS_MAX: usize = 128;
/// Connections of all tenants.
pub const CONNECTIONS_MAX: usize = 2_048;
/// Connections that are kept for one host and tenant, and how long.
pub const IDLE_PER_HOST_MAX: usize = 8;
/// How long a connection is kept that nobody uses.
pub const IDLE: Duration = Duration::from_secs(15);
/// Bodies that one invocation sends, together, in bytes.
pub const BODY_SENT_BYTES_MAX: u64 = 1024 * 1024;
/// Bodies that one invocation receives, together, in bytes.
pub const BODY_RECEIVED_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// The headers of one request or answer, in bytes.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Header fields of one answer.
pub const FIELDS_MAX: usize = 100;
/// To look a name up, in all.
pub const LOOK_UP: Duration = Duration::from_secs(2);
/// To connect and agree on TLS, in all.
pub const CONNECT: Duration = Duration::from_secs(2);
/// To connect to one of several addresses before the next one is tried.
pub const CONNECT_ONE: Duration = Duration::from_millis(400);
/// Names that are looked up at once, for one tenant and for all: each takes a thread.
///
/// A resolver that hangs keeps its thread long after nobody waits any more, so a tenant that names such hosts holds its own
/// places and no more than that: thirty-two tenants have to do so together before others wait.
pub const TENANT_LOOK_UPS_MAX: usize = 4;
/// See [`TENANT_LOOK_UPS_MAX`].
pub const LOOK_UPS_MAX: usize = 128;
/// Of the time that is left to a call, this part is the handler's own to answer in, within these bounds.
pub const RESERVE_PART: u32 = 10;
/// See [`RESERVE_PART`].
pub const RESERVE_MIN: Duration = Duration::from_millis(20);
/// See [`RESERVE_PART`].
pub const RESERVE_MAX: Duration = Duration::from_millis(200);
