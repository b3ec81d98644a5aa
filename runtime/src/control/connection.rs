//! The control port's connections: a few, each with timers, each ended politely.
//!
//! HTTP/1.1 only. `axum::serve` sets no timer, so a head that never ends would be held open for ever; here heads and idle
//! connections have a time, a peer that does not read its answer is given up by the kernel, and a client that is still
//! sending an upload when it is refused hears why before the socket closes.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use futures_util::FutureExt as _;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::ControlLimits;

/// Serves until `shutdown`, then lets what runs finish. `stopping` becomes true at the same moment, for streams.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    limits: &ControlLimits,
    shutdown: impl Future<Output = ()>,
    stopping: &watch::Sender<bool>,
) {
    let mut http1 = http1::Builder::new();
    http1
        .timer(TokioTimer::new())
        // Counts from the end of the answer before, so it bounds idle connections too.
        .header_read_timeout(limits.head_within)
        .max_header_size(limits.head_bytes_max)
        .max_buf_size(limits.head_bytes_max.max(64 << 10));
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        // The place comes first: with none free, clients wait in the kernel's queue.
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            (stream, place) = accepted => match stream {
                Ok((stream, _)) => {
                    let connection =
                        connection(stream, http1.clone(), routes.clone(), limits.clone(), stopping.subscribe());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Of one connection, or for want of descriptors: waiting helps both.
                    warn!(target: "control", "a connection was not accepted: {error}");
                    sleep(limits.accept_pause).await;
                }
            },
        }
    }
    drop(listener);
    stopping.send_replace(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.stop_within, finished).await.is_err() {
        warn!(target: "control", "{} connections were cut after {:?}", connections.len(), limits.stop_within);
    }
}

async fn connection(
    stream: TcpStream,
    http1: http1::Builder,
    routes: Router,
    limits: ControlLimits,
    mut stopping: watch::Receiver<bool>,
) {
    // A peer that takes no byte for so long is gone: otherwise a log stream's answer waits for it for ever.
    let stall_ms = u32::try_from(limits.stall_within.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(&stream, stall_ms) {
        debug!(target: "control", "a connection has no stall timer: {error}");
    }
    let routes = TowerToHyperService::new(routes);
    let service =
        service_fn(move |request: http::Request<hyper::body::Incoming>| routes.call(request).boxed());
    let mut connection = http1.serve_connection(TokioIo::new(stream), service);
    let mut leave = pin!(async {
        // An error means that the sender is gone, and with it the host.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    });
    let mut leaving = false;
    let end = poll_fn(|cx| {
        if !leaving && leave.as_mut().poll(cx).is_ready() {
            leaving = true;
            std::pin::Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(cx)
    })
    .await;
    match end {
        Ok(()) => linger(connection.into_parts().io.into_inner(), &limits).await,
        Err(error) => debug!(target: "control", "a connection broke: {error}"),
    }
}

/// Says that we are done, then drops what still comes for a while: closing at once would reset the connection, and the
/// client would lose the answer that it has not read.
async fn linger(mut stream: TcpStream, limits: &ControlLimits) {
    let drain = async {
        stream.shutdown().await?;
        let (mut dropped, mut buffer) = (0, vec![0; 16 << 10]);
        while dropped < limits.linger_bytes_max {
            match stream.read(&mut buffer).await? {
                0 => break,
                count => dropped += count,
            }
        }
        Ok::<_, std::io::Error>(())
    };
    // However it ends, the peer has had its time.
    let _ = timeout(limits.linger_within, drain).await;
}
