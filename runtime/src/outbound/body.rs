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
use super::invocation::{Note, Used};
use super::tenant::Tenant;

/// A body that is being received. Keeps its request's places until it is dropped or at its end.
#[derive(Debug)]
pub struct Received {
    source: Source,
    open: Option<Open>,
    counts: Counts,
    /// When all of it has to be here.
    until: Instant,
    /// How long one piece may take, where the guest said so.
    between: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What a body is counted for, and who is told if it ends too soon.
pub(super) struct Counts {
    pub(super) used: Arc<Used>,
    pub(super) tenant: Arc<Tenant>,
    pub(super) note: Arc<Note>,
    /// Method and URL as the log has them.
    pub(super) shown: String,
}

impl std::fmt::Debug for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
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
        counts: Counts,
        until: Instant,
        between: Option<Duration>,
    ) -> Self {
        Self { source, open: Some(open), counts, until, between, timer: None }
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

    /// Ends it before all of it is here. The line about the head said that all was well.
    fn cut_off(&mut self, error: Error) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.end();
        let place = match &error {
            Error::ReceivedTooMuch | Error::BodyTimeout => "",
            _ => ", in the middle of the answer's body",
        };
        (self.counts.note)(false, &format!("{}: {error}{place}", self.counts.shown));
        Poll::Ready(Some(Err(error)))
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
                return self.cut_off(Error::BodyTimeout);
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
                self.counts.tenant.received(bytes);
                self.counts.used.receive(bytes).map(|()| frame)
            }
        };
        match result {
            Ok(frame) => Poll::Ready(Some(Ok(frame))),
            Err(error) => self.cut_off(error),
        }
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
