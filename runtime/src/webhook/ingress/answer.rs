//! From a parsed request to its answer: filter, body, the one who responds, and the notes about it.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, Version};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming as HyperBody, SizeHint};

use super::Incoming;
use super::body::{BodiesMemory, Share, collect};
use super::filter;
use super::limits::IngressLimits;
use super::progress::Progress;
use super::refusal::{Refusal, Then};

/// What all requests of one connection share.
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    pub(super) limits: Arc<IngressLimits>,
    pub(super) progress: Arc<Progress>,
    /// Memory for bodies: this connection's, and everybody's.
    pub(super) bodies: [Arc<BodiesMemory>; 2],
}

/// Answers one request; never fails.
pub(super) fn answer<F, Fut>(
    connection: Arc<Connection>,
    request: Request<HyperBody>,
    respond: F,
) -> impl Future<Output = Result<Response<AnswerBody>, Infallible>> + use<F, Fut>
where
    F: Fn(Incoming) -> Fut,
    Fut: Future<Output = Response<Full<Bytes>>>,
{
    // Noted now, not when the future is first polled: the parser goes on reading before that, and those bytes are
    // no longer the head's.
    let (in_flight, count) = InFlight::begin(connection);
    answered(request, respond, in_flight, count)
}

async fn answered<F, Fut>(
    request: Request<HyperBody>,
    respond: F,
    in_flight: InFlight,
    count: u64,
) -> Result<Response<AnswerBody>, Infallible>
where
    F: Fn(Incoming) -> Fut,
    Fut: Future<Output = Response<Full<Bytes>>>,
{
    let version = request.version();
    let connection = &in_flight.connection;
    let (mut response, then) = match take_in(connection, request).await {
        Ok((incoming, _share)) => match caught(async { respond(incoming).await }).await {
            Ok(response) => (response, Then::KeepOpen),
            Err(refusal) => refused(&refusal, connection.peer),
        },
        Err(refusal) => refused(&refusal, connection.peer),
    };
    if count >= connection.limits.requests_per_connection_max {
        connection.progress.leave();
    }
    if version < Version::HTTP_2 {
        if then == Then::Close {
            connection.progress.refuse();
        }
        if then == Then::Close || connection.progress.leaving() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
    Ok(response.map(|body| AnswerBody::new(body, in_flight)))
}

/// Checks the head, then waits for the body.
async fn take_in(
    connection: &Connection,
    request: Request<HyperBody>,
) -> Result<(Incoming, Option<Share>), Refusal> {
    let (mut parts, body) = request.into_parts();
    let passed = filter::check(&mut parts, &connection.limits, &connection.progress, connection.peer);
    connection.progress.head_done();
    let passed = match passed {
        Err(refusal) if !refusal.keeps_open() => return Err(refusal),
        passed => passed,
    };
    // Taken in even if it is of no use: the next request begins behind it.
    let (body, share) = collect(body, &connection.limits, &connection.bodies).await?;
    let passed = passed?;
    let incoming = Incoming {
        method: parts.method,
        uri: passed.uri,
        host: passed.host,
        headers: parts.headers,
        body,
        peer: connection.peer,
        client: passed.client,
        forwarded: passed.forwarded,
    };
    Ok((incoming, share))
}

fn refused(refusal: &Refusal, peer: SocketAddr) -> (Response<Full<Bytes>>, Then) {
    let (response, then) = refusal.answer(peer);
    (response.map(Full::new), then)
}

/// Runs `future`; a panic in it ends this request, not the connection and its other requests.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Refusal> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(_) => {
            tracing::error!(target: "ingress", "a request made the host panic; it was answered with 500");
            Poll::Ready(Err(Refusal::Panicked))
        }
    })
    .await
}

/// A request from its head to the last byte of its answer.
struct InFlight {
    connection: Arc<Connection>,
    answer: Answered,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answered {
    NotYet,
    OnItsWay,
    Whole,
}

impl InFlight {
    fn begin(connection: Arc<Connection>) -> (Self, u64) {
        let count = connection.progress.request_began();
        (Self { connection, answer: Answered::NotYet }, count)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.answer == Answered::OnItsWay {
            self.connection.progress.answer_ended();
        }
        self.connection.progress.request_ended(self.answer == Answered::Whole);
    }
}

/// An answer's body that knows when it has left.
pub(super) struct AnswerBody {
    full: Full<Bytes>,
    in_flight: Option<InFlight>,
}

impl AnswerBody {
    fn new(full: Full<Bytes>, mut in_flight: InFlight) -> Self {
        if full.is_end_stream() {
            // Nothing will be asked of an empty body, so its answer is as good as written.
            in_flight.answer = Answered::Whole;
            return Self { full, in_flight: None };
        }
        in_flight.answer = Answered::OnItsWay;
        in_flight.connection.progress.answer_began();
        Self { full, in_flight: Some(in_flight) }
    }
}

impl Body for AnswerBody {
    type Data = AnswerData;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<AnswerData>, Infallible>>> {
        let this = self.get_mut();
        Pin::new(&mut this.full)
            .poll_frame(cx)
            .map_ok(|frame| frame.map_data(|bytes| AnswerData { bytes, in_flight: this.in_flight.take() }))
    }

    fn is_end_stream(&self) -> bool {
        self.full.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.full.size_hint()
    }
}

/// The bytes of an answer on their way to the socket.
pub(super) struct AnswerData {
    bytes: Bytes,
    in_flight: Option<InFlight>,
}

impl Buf for AnswerData {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        let Some(in_flight) = &mut self.in_flight else { return };
        in_flight.connection.progress.answer_moved(count);
        if !self.bytes.has_remaining() && in_flight.answer == Answered::OnItsWay {
            in_flight.answer = Answered::Whole;
            in_flight.connection.progress.answer_ended();
        }
    }
}
