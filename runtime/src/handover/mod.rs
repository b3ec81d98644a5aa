//! Replaces the running host by a new process without losing a request.
//!
//! The one idea: the listening sockets never close. The running host passes them to the new process over a unix
//! socket in the data folder; a connection that nobody has accepted yet waits in the socket's own queue, whoever takes
//! it from there. (Two sockets on one port lose what waits in the queue of the one that closes.) The lock on the data
//! folder travels the same way, so at no moment is the folder nobody's, and at none can a third process take it.
//!
//! ```text
//!  running host (Giver, Takeover)                new process (Taker)
//!                         ◀── hello ──   which protocols it speaks
//!  offer                  ── offer ──▶   lock and listening sockets
//!                                        opens everything, loads everything, proves itself
//!  ready                  ◀── ready ──
//!  freezes control changes
//!  go                     ──── go ───▶   with what it knows of running calls
//!                                        reads the registry again, begins to accept
//!  serving                ◀─ serving ─
//!                         ── yours ──▶   it is the host now
//!  stops accepting, drains, exits
//! ```
//!
//! Until it has said `yours` the running host is the host: whatever fails before that, on either side, ends with `no` or
//! a broken connection, and it serves on as if nothing had happened. After that the new process needs nothing of it.
//! The connection breaking without a word where `yours` or `no` is due means that the old process is dead, because a living one
//! says `no` when it gives up for any reason; the new one is the host then.
//!
//! Draining connections is `webhook::ingress`'s business; what to load, freeze and prove is `serve`'s.

mod error;
mod giver;
mod lock;
mod program;
mod proof;
mod taker;
#[cfg(test)]
mod tests;
mod wire;

pub use self::error::HandoverError;
pub use self::giver::{Giver, Patience, Takeover};
pub use self::lock::DataLock;
pub use self::program::Program;
pub use self::proof::answers;
pub use self::taker::{Offered, Taker};
pub use self::wire::Blob;

/// The option of `serve` that makes it take over.
pub const TAKE_OVER: &str = "--take-over";

/// The newest protocol spoken here, and the oldest that is still understood.
const PROTOCOL: u32 = 1;
const PROTOCOL_MIN: u32 = 1;

/// Where the running host waits for the new one, in its data folder.
const SOCKET: &str = "handover.sock";
