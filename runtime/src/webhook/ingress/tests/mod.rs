//! Raw bytes against a real socket: what a stranger can send, and what he must get.
//!
//! Every case has a server of its own, and a neighbour: a client with an open connection to it that must be answered
//! before and after. Limits are shortened, so that running into them takes tenths of a second.

mod http1;
mod http2;
mod lifecycle;
mod slow;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::{Ending, Incoming, IngressLimits, serve};

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(5);
/// An answer larger than what the sockets between us buffer.
const BIG_BYTES: usize = 16 << 20;

fn short_limits() -> IngressLimits {
    IngressLimits {
        head_within: Duration::from_millis(300),
        idle_within: Duration::from_secs(5),
        body_within: Duration::from_millis(600),
        stall: Duration::from_millis(300),
        linger_within: Duration::from_millis(300),
        last_call: Duration::from_millis(20),
        shutdown_within: Duration::from_millis(500),
        ..IngressLimits::default()
    }
}

/// A server whose paths say what they do.
struct Server {
    address: SocketAddr,
    runs: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<Incoming>>>,
    stop: oneshot::Sender<()>,
    hand_over: oneshot::Sender<()>,
    served: JoinHandle<usize>,
}

impl Server {
    async fn start(limits: IngressLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (hand_over, handed_over) = oneshot::channel::<()>();
        let (runs, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (runs_of, seen_by) = (Arc::clone(&runs), Arc::clone(&seen));
        let respond = move |incoming: Incoming| {
            let path = incoming.uri.path().to_owned();
            if path != "/neighbour" {
                runs_of.fetch_add(1, Relaxed);
                seen_by.lock().unwrap().push(incoming);
            }
            act(path)
        };
        let served = tokio::spawn(async move {
            let ending = async {
                tokio::select! {
                    _ = stopped => Ending::Stop,
                    Ok(()) = handed_over => Ending::HandedOver,
                }
            };
            serve(listener, Arc::new(limits), ending, respond).await
        });
        Self { address, runs, seen, stop, hand_over, served }
    }

    async fn client(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap(), received: Vec::new() }
    }

    fn runs(&self) -> usize {
        self.runs.load(Relaxed)
    }

    fn last_seen(&self) -> Incoming {
        self.seen.lock().unwrap().last().unwrap().clone()
    }
}

/// Runs all of them side by side; the first that panics is the panic of all.
async fn all<T: Send + 'static>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut running: JoinSet<T> = futures.into_iter().collect();
    let mut outcomes = Vec::new();
    while let Some(outcome) = running.join_next().await {
        outcomes.push(outcome.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
    }
    outcomes
}

async fn act(path: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"ok")));
    match path.as_str() {
        "/slow" => sleep(Duration::from_millis(150)).await,
        "/forever" => std::future::pending().await,
        "/panic" => panic!("told to"),
        "/big" => *response.body_mut() = Full::new(Bytes::from(vec![b'x'; BIG_BYTES])),
        "/empty" => {
            *response.body_mut() = Full::default();
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        _ => {}
    }
    response.headers_mut().insert("x-test", HeaderValue::from_static("1"));
    response
}

/// One answer off the wire.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Client {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A server that has refused may be gone before all is sent: what it said is what counts.
        let _ = timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// The next answer; `None` where the connection ended, `100 Continue` included.
    async fn answer(&mut self, has_body: bool) -> Option<Answer> {
        loop {
            if let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8(self.received[..end].to_vec()).unwrap();
                let status = head[9..12].parse().unwrap();
                let length =
                    head.lines().find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
                let length = if has_body { length.map_or(0, |length| length.parse().unwrap()) } else { 0 };
                if self.received.len() >= end + 4 + length {
                    let body = self.received[end + 4..end + 4 + length].to_vec();
                    self.received.drain(..end + 4 + length);
                    return Some(Answer { status, head, body });
                }
            }
            if !self.read_more().await {
                assert!(
                    self.received.is_empty(),
                    "half an answer: {:?}",
                    String::from_utf8_lossy(&self.received)
                );
                return None;
            }
        }
    }

    async fn read_more(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        match timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("neither answer nor end") {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.received.extend_from_slice(&buffer[..count]);
                true
            }
        }
    }

    /// Asks for `/neighbour`, which counts as no run.
    async fn is_answered(&mut self) -> bool {
        self.send("GET /neighbour HTTP/1.1\r\nHost: a\r\n\r\n").await;
        self.answer(true).await.is_some_and(|answer| answer.status == 200)
    }

    /// Whether the server ends the connection, and says nothing more.
    async fn is_closed(&mut self) -> bool {
        self.answer(true).await.is_none()
    }
}
