//! The data plane's ingress: from a listening socket to whole, checked requests.
//!
//! Whoever dials in is a stranger until his signature is checked, so everything before that is bounded: connections,
//! heads, bodies, time, pace, memory ([`IngressLimits`] names them all). What comes out is an [`Incoming`]: one
//! request with one meaning and a body that has arrived. Whatever is not, is answered here, with a sentence that
//! says what was wrong. The path of a request is never rewritten; `path` tells which paths are taken.
//!
//! Which tenant and handler a URL means is `route`'s business, who signed it `carrier`'s.

mod answer;
mod body;
mod clock;
mod connection;
mod connections;
mod filter;
mod host;
mod io;
mod limits;
mod pace;
mod path;
mod progress;
mod refusal;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Response};
use http_body_util::Full;
use tokio::net::{TcpListener, TcpStream};

use self::connection::Shared;
use self::connections::{Connections, Stage};
pub use self::filter::Forwarded;
pub use self::host::Host;
pub use self::limits::IngressLimits;
pub use self::pace::LogPace;
use self::refusal::Canned;

/// The first and the longest pause after an error that says that the process or the machine is short of something.
const PAUSE_FIRST: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long connections that were cut get to notice it.
const CUT_WITHIN: Duration = Duration::from_secs(1);

/// One request: complete, well-formed, from whomever.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// `GET` or `POST`; of a web request any but CONNECT, TRACE and what HTTP does not know.
    pub method: Method,
    /// Path and query exactly as received.
    pub uri: PathAndQuery,
    /// Who it is for, checked and normalised; only an HTTP/1.0 request may leave it out.
    pub host: Option<Host>,
    /// Header fields. What tells of forwarding is in here only if the peer is a trusted proxy.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// Who sent it: the peer, or whom a trusted proxy names.
    pub client: IpAddr,
    /// What a trusted proxy says about the request that it received.
    pub forwarded: Option<Forwarded>,
}

/// Why a host takes no more connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It stops, and the port closes.
    Stop,
    /// Another process accepts connections from the same listening socket.
    HandedOver,
}

/// A signal that says nothing more is one to stop.
impl From<()> for Ending {
    fn from((): ()) -> Self {
        Self::Stop
    }
}

/// Answers requests on `listener` with `respond` until `shutdown` resolves; then takes no new connection, finishes what
/// runs, and cuts what is not done in time. Gives the number of connections it had to cut.
///
/// Open connections end with their next answer, or when `last_call` has passed; after a handover
/// `handed_over_last_call`. What is cut at last is what runs for longer than `shutdown_within` or `handed_over_within`.
///
/// A request that has arrived is answered even if its sender has closed its side by then. A panic in `respond` is
/// answered with 500.
pub async fn serve<F, Fut>(
    listener: TcpListener,
    limits: Arc<IngressLimits>,
    shutdown: impl Future<Output: Into<Ending>>,
    respond: F,
) -> usize
where
    F: Fn(Incoming) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let connections = Connections::new();
    let shared = Arc::new(Shared::new(limits));
    let limits = Arc::clone(&shared.limits);
    let open = |stream: TcpStream, peer: SocketAddr| {
        let entry = match connections.enter(peer.ip(), &limits) {
            Ok(entry) => entry,
            Err(limit) => {
                limit.met();
                // Best effort: a socket without room for it belongs to nobody who would read it.
                let _written = stream.try_write(Canned::TooManyConnections.bytes());
                return;
            }
        };
        // Answers are written whole; waiting to fill a packet would only delay them.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        tokio::spawn(connection::serve(stream, peer, entry, Arc::clone(&shared), respond.clone()));
    };

    let mut shutdown = pin!(shutdown);
    let mut pause = PAUSE_FIRST;
    let ending: Ending = loop {
        let accepted = tokio::select! {
            biased;
            ending = &mut shutdown => break ending.into(),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                pause = PAUSE_FIRST;
                open(stream, peer);
            }
            Err(error) if of_the_connection(error.kind()) => {}
            Err(error) => {
                // Out of file descriptors or memory: trying again at once would only burn the processor.
                tracing::warn!(target: "ingress", %error, pause_ms = pause.as_millis() as u64, "no connection can be accepted");
                metrics::counter!("hookswitch_ingress_accept_errors_total").increment(1);
                tokio::select! {
                    biased;
                    ending = &mut shutdown => break ending.into(),
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    };

    // Whoever got through to the socket before it closes is served, not reset; after a handover the other process does
    // that. Asked of the socket itself: the runtime may not have heard of the last of them.
    if let Ok(listener) = listener.into_std()
        && ending == Ending::Stop
    {
        while let Ok((stream, peer)) = listener.accept() {
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                open(stream, peer);
            }
        }
    }
    finish(&connections, &limits, ending).await
}

/// Lets open connections end, then makes them. Gives the number of those.
async fn finish(connections: &Connections, limits: &IngressLimits, ending: Ending) -> usize {
    let (stage, within) = match ending {
        Ending::Stop => (Stage::Closing, limits.shutdown_within),
        Ending::HandedOver => (Stage::Draining, limits.handed_over_within),
    };
    connections.go_to(stage);
    if tokio::time::timeout(within, connections.emptied()).await.is_ok() {
        return 0;
    }
    let cut = connections.open();
    tracing::warn!(target: "ingress", connections = cut, "connections cut at the end of the time for shutting down");
    connections.go_to(Stage::Cut);
    // One that does not notice is stuck in code that never yields; the process ends all the same.
    let _noticed = tokio::time::timeout(CUT_WITHIN, connections.emptied()).await;
    cut
}

/// Whether an accept error speaks of the one connection that was to be accepted, not of the listening socket.
fn of_the_connection(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::Interrupted
            | ErrorKind::WouldBlock
            | ErrorKind::TimedOut
            | ErrorKind::PermissionDenied
            | ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
    )
}
