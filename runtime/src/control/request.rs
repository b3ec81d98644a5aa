//! Around every request: its id, its log line, its end.
//!
//! Whatever happens inside, the client gets an answer with an id that the log knows: a panic and an answer that takes too
//! long become problem documents here.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue};
use tokio::time::timeout;
use tracing::{debug, info};

use super::Api;
use super::auth::Asker;
use super::problem::{Refusal, Word};
use crate::telemetry::RequestId;

/// Names one request, in the answer and in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(super) async fn around(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let given = request.headers().get(REQUEST_ID).and_then(|value| RequestId::given(value.as_bytes()));
    let id = given.unwrap_or_else(RequestId::next);
    let asker = Asker::default();
    request.extensions_mut().insert(asker.clone());
    let method = request.method().clone();
    // The template and not the path: log lines are counted by it, and a path may hold anything.
    let path =
        request.extensions().get::<MatchedPath>().map_or_else(|| "-".to_owned(), |p| p.as_str().to_owned());

    let answer = AssertUnwindSafe(timeout(api.control.limits.answer_within, next.run(request)));
    let mut response = match answer.catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Refusal::new(
            Word::StillRunning,
            "the answer takes too long; what was begun goes on, so look at its state before asking again",
        )
        .into_response(),
        // The panic hook has said where.
        Err(_) => Refusal::internal(&"an endpoint panicked").into_response(),
    };

    // 64 bits: a wider number is written as a text, which nobody can add up.
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (status, who) = (response.status().as_u16(), asker.name());
    if path.starts_with("/api/") || path == "-" {
        info!(target: "control", %id, %method, path, status, who, ms);
    } else {
        debug!(target: "control", %id, %method, path, status, who, ms);
    }
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Runs a change to its end even when the client goes away in the middle of it.
///
/// A change is committed first and published then; a client that hangs up between the two must not undo the second.
pub(super) async fn finish<T: Send + 'static>(
    change: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::spawn(change).await.unwrap_or_else(|error| Err(Refusal::internal(&error)))
}
