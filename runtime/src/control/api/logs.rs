//! A tenant's log lines and outcomes as they happen, as server-sent events.
//!
//! A stream takes what its client reads and no more: the feed drops what a slow one misses, says how much, and counts who
//! listens. Streams end with the host, and are opened anew once an hour, which is when a revoked token is noticed.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt as _};
use serde::Deserialize;
use tokio::time::sleep;
use utoipa::IntoParams;

use super::TenantPath;
use crate::call::HandlerName;
use crate::control::Api;
use crate::control::auth::Reads;
use crate::control::extract::{Path, Query};
use crate::control::model::Problem;
use crate::control::problem::{Refusal, Word};
use crate::telemetry::FeedEvent;

/// What is followed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct LogsQuery {
    /// Only this handler.
    #[param(value_type = Option<String>, pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    handler: Option<HandlerName>,
}

/// Follows a tenant's log lines and outcomes
///
/// Server-sent events: each has its kind as `event` and a JSON object as `data`. An event `dropped` says how many a slow
/// reader missed. Silence is filled with comments. The stream ends after an hour, and when the host stops.
#[utoipa::path(
    get, path = "/tenants/{tenant}/logs", tag = "logs", operation_id = "follow_logs", params(TenantPath, LogsQuery),
    responses(
        (status = 200, body = FeedEvent, content_type = "text/event-stream", description = "Events until one side hangs up; this is the JSON of each"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant or handler"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many streams are open"),
    ),
)]
pub(in crate::control) async fn follow(
    State(api): State<Arc<Api>>,
    _: Reads,
    Path(TenantPath { tenant }): Path<TenantPath>,
    Query(query): Query<LogsQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    api.store.there(tenant.clone(), query.handler.clone()).await?;
    let events = api.control.feed.subscribe(&tenant, query.handler.as_ref());
    let events = events.map_err(|full| Refusal::new(Word::TooManyStreams, full.to_string()))?;

    let mut stopping = api.stopping.subscribe();
    let life = api.control.limits.stream_life;
    let end = async move {
        tokio::select! {
            // An error means that the sender is gone, and with it the host.
            _ = stopping.wait_for(|stopping| *stopping) => {}
            () = sleep(life) => {}
        }
    };
    let events = events.map(|event| Ok(as_event(&event))).take_until(Box::pin(end));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(api.control.limits.heartbeat)))
}

fn as_event(event: &FeedEvent) -> Event {
    let kind = match event {
        FeedEvent::Webhook { .. } => "webhook",
        FeedEvent::Log { .. } => "log",
        FeedEvent::Release { .. } => "release",
        FeedEvent::Dropped { .. } => "dropped",
    };
    // JSON escapes the line breaks of its texts and has no others here, so it is one `data` line.
    Event::default().event(kind).data(serde_json::to_string(event).unwrap_or_default())
}
