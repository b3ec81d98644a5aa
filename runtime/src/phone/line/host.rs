//! Straight into a host in this process: the hot path as it is, without a wire.
//!
//! What only `ingress` checks (heads, framing, odd paths) is not met here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use futures_util::Stream as _;
use http::uri::PathAndQuery;
use http_body_util::BodyExt as _;

use super::{Line, LineError, Outgoing, Reply};
use crate::call::TenantId;
use crate::host::Host;
use crate::telemetry::FeedEvent;
use crate::telemetry::feed::{FeedSource, Subscription, TooMany};
use crate::webhook::ingress::Incoming;
use crate::webhook::respond;

/// Sends webhooks to a host in this process, and keeps what its handlers log.
pub struct HostLine {
    host: Arc<Host>,
    log: Mutex<Log>,
}

struct Log {
    feed: Subscription,
    /// By the call or message that it is about.
    about: hashbrown::HashMap<String, Said>,
    dropped: u64,
}

/// What was said about one conversation.
#[derive(Debug, Default)]
pub struct Said {
    /// By the handler.
    pub lines: Vec<String>,
    /// By the host: why something failed.
    pub remarks: Vec<String>,
}

/// Lines of one conversation that are kept. Beyond it nothing is expected.
const LINES_MAX: usize = 1_000;

impl HostLine {
    /// A line to `host` that hears what the handlers of `tenant` log.
    ///
    /// # Errors
    /// [`TooMany`] where others listen already.
    pub fn new(host: Arc<Host>, tenant: &TenantId) -> Result<Self, TooMany> {
        let feed = host.feed.subscribe(tenant, None)?;
        Ok(Self { host, log: Mutex::new(Log { feed, about: hashbrown::HashMap::new(), dropped: 0 }) })
    }

    /// Takes what was said about `subjects` so far, and how many events of whatever conversation are missing, because so
    /// much was logged at once.
    pub fn take_log<'s>(&self, subjects: impl IntoIterator<Item = &'s str>) -> (Said, u64) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.drain();
        let mut all = Said::default();
        for said in subjects.into_iter().filter_map(|subject| log.about.remove(subject)) {
            all.lines.extend(said.lines);
            all.remarks.extend(said.remarks);
        }
        (all, log.dropped)
    }
}

impl Log {
    /// Takes all that waits, without waiting for more.
    fn drain(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(event)) = std::pin::Pin::new(&mut self.feed).poll_next(&mut context) {
            match event {
                FeedEvent::Log { subject, text, source, .. } => {
                    let said = self.about.entry(subject).or_default();
                    let lines = match source {
                        FeedSource::Handler | FeedSource::Stdout | FeedSource::Stderr => &mut said.lines,
                        FeedSource::Host => &mut said.remarks,
                    };
                    if lines.len() < LINES_MAX {
                        lines.push(text);
                    }
                }
                FeedEvent::Dropped { count } => self.dropped += count,
                FeedEvent::Webhook { .. } | FeedEvent::Release { .. } => {}
            }
        }
    }
}

impl Line for HostLine {
    async fn send(&self, request: Outgoing) -> Result<Reply, LineError> {
        let began = Instant::now();
        let Outgoing { method, url, headers, body, answer_within, .. } = request;
        let path = url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let uri = PathAndQuery::try_from(path).map_err(|error| LineError::Protocol(error.to_string()))?;
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let incoming = Incoming {
            method,
            uri,
            host: None,
            headers,
            body,
            peer: SocketAddr::new(here, 0),
            client: here,
            forwarded: None,
        };
        let answered = tokio::time::timeout(answer_within, respond(Arc::clone(&self.host), incoming));
        let Ok(response) = answered.await else {
            return Err(LineError::ReadTimeout(answer_within.as_millis()));
        };
        let (parts, body) = response.into_parts();
        let Ok(body) = body.collect().await;
        // Looked after as they come: the feed keeps a bounded number for each listener.
        self.log.lock().unwrap_or_else(PoisonError::into_inner).drain();
        Ok(Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.to_bytes(),
            took: began.elapsed(),
        })
    }
}
