//! One connection from its first byte to its close.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::Full;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::Incoming;
use super::answer::{Connection, answer};
use super::body::BodiesMemory;
use super::clock::Clock;
use super::connections::{Entry, Stage};
use super::io::Guarded;
use super::limits::{IngressLimits, Limit, millis};
use super::progress::{Overdue, Progress, Protocol};

/// How an HTTP/2 connection begins; HTTP/1 can't begin so.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// HTTP/2: what a peer may send on one stream before we have taken it.
const STREAM_WINDOW_BYTES: u32 = 64 << 10;
/// HTTP/2: the same for the connection; the most it can make us buffer.
const CONNECTION_WINDOW_BYTES: u32 = 512 << 10;
/// HTTP/2: answers waiting for their turn, per stream.
const SEND_BUFFER_BYTES: usize = 64 << 10;
/// How often a connection that is to end is looked at while it still answers.
const LOOK_WHILE_LEAVING_MS: u64 = 100;
/// Header fields that the HTTP/1 parser takes by itself.
const PARSER_HEADERS_MAX: usize = 100;
/// The HTTP/1 parser panics below this.
const BUFFER_BYTES_MIN: usize = 8 << 10;

/// What all connections share.
pub(super) struct Shared {
    pub(super) limits: Arc<IngressLimits>,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    bodies: Arc<BodiesMemory>,
    clock: Arc<Clock>,
}

impl Shared {
    pub(super) fn new(limits: Arc<IngressLimits>) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            // `progress` times heads without arming a timer for each of them.
            .header_read_timeout(None)
            // A peer that has sent all it wants to say still hears its answer.
            .half_close(true)
            .max_header_size(limits.head_bytes_max.max(BUFFER_BYTES_MIN))
            .max_buf_size(limits.head_bytes_max.max(BUFFER_BYTES_MIN));
        // The parser's own limit is cheaper than one that it is told; `filter` counts exactly.
        if limits.headers_max > PARSER_HEADERS_MAX {
            http1.max_headers(limits.headers_max);
        }
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams_max)
            .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
            .max_pending_accept_reset_streams(limits.pending_reset_streams_max)
            .max_local_error_reset_streams(limits.error_reset_streams_max)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(SEND_BUFFER_BYTES);
        let clock = Clock::start(&limits);
        let bodies = BodiesMemory::new(limits.bodies_bytes_max);
        Self { limits, http1, http2, bodies, clock }
    }
}

/// Serves one connection until it ends. `entry` is held as long as the socket is.
pub(super) async fn serve<F, Fut>(
    mut stream: TcpStream,
    peer: SocketAddr,
    entry: Entry,
    shared: Arc<Shared>,
    respond: F,
) where
    F: Fn(Incoming) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = http::Response<Full<Bytes>>> + Send + 'static,
{
    let limits = &shared.limits;
    poll_fn(|cx| {
        entry.watch(cx.waker());
        Poll::Ready(())
    })
    .await;
    let Some((protocol, first)) = first_bytes(&mut stream, &entry, limits).await else { return };

    let progress = Arc::new(Progress::new(protocol, Arc::clone(&shared.clock)));
    let (guarded, returned) = Guarded::new(stream, first, Arc::clone(&progress), Arc::clone(limits));
    let io = TokioIo::new(guarded);
    let connection = Arc::new(Connection {
        peer,
        limits: Arc::clone(limits),
        progress: Arc::clone(&progress),
        bodies: [BodiesMemory::new(limits.bodies_bytes_per_connection_max), Arc::clone(&shared.bodies)],
    });
    let service = service_fn(move |request| answer(Arc::clone(&connection), request, respond.clone()));
    let watched = Watched { progress: &progress, entry: &entry, limits, clock: &shared.clock };
    let end = match protocol {
        Protocol::Http1 => watched.drive(shared.http1.serve_connection(io, service)).await,
        Protocol::Http2 => watched.drive(shared.http2.serve_connection(io, service)).await,
    };

    let stream = returned.lock().ok().and_then(|mut stream| stream.take());
    match (end, stream) {
        (End::Finished, Some(stream)) if progress.may_linger() => linger(stream, &entry, limits).await,
        (End::Cut(limit), _) => limit.met(),
        (End::Finished, _) => {}
    }
}

/// Reads until it is clear which protocol is spoken. `None`: nobody speaks, or the host is going.
async fn first_bytes(
    stream: &mut TcpStream,
    entry: &Entry,
    limits: &IngressLimits,
) -> Option<(Protocol, Bytes)> {
    let read = async {
        let mut first = BytesMut::with_capacity(2 << 10);
        loop {
            if stream.read_buf(&mut first).await? == 0 {
                return Ok::<_, io::Error>(None);
            }
            let start = first.get(..HTTP2_PREFACE.len()).unwrap_or(&first);
            if !HTTP2_PREFACE.starts_with(start) {
                return Ok(Some((Protocol::Http1, first.freeze())));
            }
            if start.len() == HTTP2_PREFACE.len() {
                return Ok(Some((Protocol::Http2, first.freeze())));
            }
        }
    };
    let last_call = async {
        // Woken through `entry` when the stage changes.
        let ending = poll_fn(|_| match entry.stage() {
            Stage::Open => Poll::Pending,
            ending => Poll::Ready(ending),
        });
        sleep(limits.last_call(ending.await)).await;
    };
    tokio::select! {
        biased;
        read = timeout(limits.head_within, read) => match read {
            Ok(first) => first.ok().flatten(),
            Err(_) => {
                Limit::Head.met();
                None
            }
        },
        () = last_call => None,
    }
}

/// How a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// By the protocol, in whichever way.
    Finished,
    /// By us, in the middle.
    Cut(Limit),
}

/// Whether a connection has been asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    No,
    /// Its answers say so; at this time the protocol is told.
    From(u64),
    /// The protocol was told; at this time it is cut if it has nothing left to answer.
    Told(u64),
}

enum Look {
    Again(u64),
    End(End),
}

/// A connection's timers and the host's stages.
struct Watched<'a> {
    progress: &'a Progress,
    entry: &'a Entry,
    limits: &'a IngressLimits,
    clock: &'a Clock,
}

impl Watched<'_> {
    /// Runs a connection to its end.
    async fn drive<C: GracefulConnection>(&self, connection: C) -> End {
        let mut connection = pin!(connection);
        let mut timer = pin!(sleep(Duration::ZERO));
        let mut timer_set = false;
        let mut leaving = Leaving::No;
        poll_fn(|cx| {
            loop {
                // Before the protocol goes on, so that the answer it writes next says that it is the last.
                let stage = self.entry.stage();
                if stage == Stage::Cut {
                    return Poll::Ready(End::Cut(Limit::Shutdown));
                }
                if leaving == Leaving::No && (stage != Stage::Open || self.progress.leaving()) {
                    self.progress.leave();
                    let last_call = match self.progress.protocol() {
                        Protocol::Http1 => millis(self.limits.last_call(stage)),
                        // Its way of ending takes what is under way along.
                        Protocol::Http2 => 0,
                    };
                    leaving = Leaving::From(self.clock.exact_ms().saturating_add(last_call));
                    timer.as_mut().reset(Instant::now());
                    timer_set = false;
                }
                if connection.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(End::Finished);
                }
                // The usual wake-up ends here. A timer that is set knows this task, so it need not be asked again.
                if timer_set && !timer.is_elapsed() {
                    return Poll::Pending;
                }
                if timer.as_mut().poll(cx).is_pending() {
                    timer_set = true;
                    return Poll::Pending;
                }
                match self.look(connection.as_mut(), &mut leaving) {
                    Look::Again(at_ms) => {
                        timer.as_mut().reset(self.clock.at(at_ms));
                        timer_set = false;
                    }
                    Look::End(end) => {
                        // A refusal that was just decided is written by polling once more.
                        let _ = connection.as_mut().poll(cx);
                        return Poll::Ready(end);
                    }
                }
            }
        })
        .await
    }

    /// What is done when the timer fires.
    fn look<C: GracefulConnection>(&self, connection: Pin<&mut C>, leaving: &mut Leaving) -> Look {
        let (progress, limits) = (self.progress, self.limits);
        let now = self.clock.exact_ms();
        if let Leaving::Told(by) = *leaving
            && now >= by
            && progress.quiet()
        {
            return Look::End(End::Cut(Limit::Stall));
        }
        // HTTP/1 would drop a request whose head is half here, or waits in the socket, so it is told when none is.
        let may_tell = progress.protocol() == Protocol::Http2 || (progress.quiet() && !progress.more_waits());
        let told_by = now.saturating_add(millis(limits.stall));
        match (progress.overdue(now, limits), *leaving) {
            (Err(Overdue::Stall), _) => Look::End(End::Cut(Limit::Stall)),
            (Err(Overdue::Head), _) => {
                Limit::Head.met();
                progress.give_up_head();
                Look::End(End::Finished)
            }
            (Err(Overdue::Idle), Leaving::No) => {
                progress.leave();
                *leaving = Leaving::From(now);
                Look::Again(now)
            }
            (_, Leaving::From(at)) if now >= at && may_tell => {
                *leaving = Leaving::Told(told_by);
                connection.graceful_shutdown();
                Look::Again(told_by)
            }
            (Ok(again), Leaving::From(next) | Leaving::Told(next)) => {
                Look::Again(again.min(next.max(now.saturating_add(LOOK_WHILE_LEAVING_MS))))
            }
            (Ok(again), Leaving::No) => Look::Again(again),
            (Err(Overdue::Idle), Leaving::From(_) | Leaving::Told(_)) => Look::Again(told_by),
        }
    }
}

/// Closes a socket whose peer may still be sending: says that we are done, then reads and drops for a while.
async fn linger(mut stream: TcpStream, entry: &Entry, limits: &IngressLimits) {
    let drain = async {
        stream.shutdown().await?;
        let (mut dropped, mut buffer) = (0, BytesMut::with_capacity(16 << 10));
        while dropped < limits.linger_bytes_max {
            match stream.read_buf(&mut buffer).await? {
                0 => break,
                count => dropped += count,
            }
            buffer.clear();
        }
        Ok::<_, io::Error>(())
    };
    let cut = poll_fn(|_| if entry.stage() == Stage::Cut { Poll::Ready(()) } else { Poll::Pending });
    tokio::select! {
        biased;
        // However it ends, the peer has had its time.
        _ = timeout(limits.linger_within, drain) => {}
        () = cut => {}
    }
}
