//! The body of an answer, as far as its invocation's bytes and time go.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep_until};

use super::Error;
use super::invocation::Used;
use super::tenant::Tenant;

/// A body that is being received. Keeps its request's places until it is dropped or at its end.
#[derive(Debug)]
pub struct Received {
    source: Source,
    open: Option<Open>,
    used: Arc<Used>,
    tenant: Arc<Tenant>,
    /// When all of it has to be here.
    until: Instant,
    /// How long one piece may take, where the guest said so.
    between: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// Where a body comes from.
#[derive(Debug)]
pub(super) enum Source {
    Network(Incoming),
    World(Full<Bytes>),
}

impl Source {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self {
            Self::Network(body) => Pin::new(body).poll_frame(context),
            Self::World(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
        }
    }
}

/// The places that an open request takes: of its invocation and of its tenant.
pub type Open = [OwnedSemaphorePermit; 2];

impl Received {
    pub(super) fn new(
        source: Source,
        open: Open,
        (used, tenant): (Arc<Used>, Arc<Tenant>),
        until: Instant,
        between: Option<Duration>,
    ) -> Self {
        Self { source, open: Some(open), used, tenant, until, between, timer: None }
    }

    /// Until when the next piece has to be here.
    fn next_until(&self) -> Instant {
        let by_piece = self.between.and_then(|between| Instant::now().checked_add(between));
        by_piece.map_or(self.until, |by_piece| by_piece.min(self.until))
    }

    fn end(&mut self) {
        self.open = None;
        self.timer = None;
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.open.is_none() {
            return Poll::Ready(None);
        }
        let frame = match self.source.poll_frame(context) {
            Poll::Ready(frame) => frame,
            // Looked at here too: a guest that reads byte after byte never waits for the timer.
            Poll::Pending => {
                let until = self.next_until();
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until.into())));
                ready!(timer.as_mut().poll(context));
                self.end();
                return Poll::Ready(Some(Err(Error::BodyTimeout)));
            }
        };
        self.timer = None;
        let late = Instant::now() >= self.until;
        let result = match frame {
            None => {
                self.end();
                return Poll::Ready(None);
            }
            Some(_) if late => Err(Error::BodyTimeout),
            Some(Err(error)) => Err(Error::of_connection(&error)),
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.tenant.received(bytes);
                self.used.receive(bytes).map(|()| frame)
            }
        };
        if result.is_err() {
            self.end();
        }
        Poll::Ready(Some(result))
    }

    fn is_end_stream(&self) -> bool {
        self.open.is_none()
            || match &self.source {
                Source::Network(body) => body.is_end_stream(),
                Source::World(body) => body.is_end_stream(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Network(body) => body.size_hint(),
            Source::World(body) => body.size_hint(),
        }
    }
}
