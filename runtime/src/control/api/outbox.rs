//! The outbox: what handlers want done later, seen and taken back.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::TenantPath;
use crate::call::{HandlerName, TenantId};
use crate::clock::moment;
use crate::control::Api;
use crate::control::auth::{Deploys, Reads};
use crate::control::extract::{Path, Query};
use crate::control::model::{OutboxCanceled, OutboxState, OutboxView, Problem};
use crate::control::problem::{Refusal, Word};
use crate::control::request::finish;
use crate::outbox::{Entry, Listed, OutboxError};

/// An entry of a tenant's outbox, in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::control) struct EntryPath {
    /// The tenant.
    #[param(value_type = String, pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "acme")]
    tenant: TenantId,
    /// Its id.
    #[param(value_type = String, example = "ob_0123456789abcdef")]
    entry: String,
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::control) struct Page {
    /// Only what is older than this entry.
    before: Option<String>,
    /// Only what this handler asked for.
    #[param(value_type = Option<String>, pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    handler: Option<HandlerName>,
    /// Only what is in this state.
    #[param(inline)]
    state: Option<OutboxState>,
    /// How many at most, 1 to 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Whose entries are taken back.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::control) struct OfHandler {
    /// Of this handler; it need not be there any more.
    #[param(value_type = String, pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "campaign")]
    handler: HandlerName,
}

/// A tenant's outbox, newest first
#[utoipa::path(
    get, path = "/tenants/{tenant}/outbox", tag = "outbox", operation_id = "list_outbox", params(TenantPath, Page),
    responses(
        (status = 200, body = Vec<OutboxView>, description = "What waits, and what was done or given up lately"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant, or no entry called `before`"),
    ),
)]
pub(in crate::control) async fn list(
    State(api): State<Arc<Api>>,
    _: Reads,
    Path(TenantPath { tenant }): Path<TenantPath>,
    Query(Page { before, handler, state, limit }): Query<Page>,
) -> Result<Answer<Vec<OutboxView>>, Refusal> {
    let limit = limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return Err(Refusal::new(Word::Malformed, format!("limit is {limit}: expected 1 to 1000")));
    }
    api.store.tenant(tenant.clone()).await?;
    let state = state.map(OutboxState::as_str);
    let listed = Listed { before: before.clone(), handler, state, most: limit };
    let entries = api.control.outbox.list(&tenant, listed).await.map_err(|why| unusable(&why))?;
    let entries = entries.ok_or_else(|| {
        let before = before.unwrap_or_default();
        Refusal::not_found(format_args!(
            "entry {before:?} in the outbox of tenant {tenant} to list what is before it"
        ))
    })?;
    Ok(Answer(entries.into_iter().map(view).collect()))
}

/// Takes back all that waits of one handler
#[utoipa::path(
    delete, path = "/tenants/{tenant}/outbox", tag = "outbox", operation_id = "cancel_outbox", params(TenantPath, OfHandler),
    responses(
        (status = 200, body = OutboxCanceled, description = "So many will not be sent; what is being sent goes on"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
    ),
)]
pub(in crate::control) async fn cancel_all(
    State(api): State<Arc<Api>>,
    Deploys(caller): Deploys,
    Path(TenantPath { tenant }): Path<TenantPath>,
    Query(OfHandler { handler }): Query<OfHandler>,
) -> Result<Answer<OutboxCanceled>, Refusal> {
    finish(async move {
        api.store.tenant(tenant.clone()).await?;
        let by = format!("token {}", caller.name());
        let canceled = api.control.outbox.cancel_all(&tenant, &handler, &by).await;
        Ok(Answer(OutboxCanceled { canceled: canceled.map_err(|why| unusable(&why))? }))
    })
    .await
}

/// One entry of a tenant's outbox
#[utoipa::path(
    get, path = "/tenants/{tenant}/outbox/{entry}", tag = "outbox", operation_id = "show_outbox_entry", params(EntryPath),
    responses(
        (status = 200, body = OutboxView, description = "The entry"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such entry"),
    ),
)]
pub(in crate::control) async fn show(
    State(api): State<Arc<Api>>,
    _: Reads,
    Path(EntryPath { tenant, entry }): Path<EntryPath>,
) -> Result<Answer<OutboxView>, Refusal> {
    found(&api, &tenant, &entry).await.map(view).map(Answer)
}

/// Takes back an entry that waits
#[utoipa::path(
    delete, path = "/tenants/{tenant}/outbox/{entry}", tag = "outbox", operation_id = "cancel_outbox_entry", params(EntryPath),
    responses(
        (status = 204, description = "It will not be sent"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such entry"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It does not wait any more"),
    ),
)]
pub(in crate::control) async fn cancel(
    State(api): State<Arc<Api>>,
    Deploys(caller): Deploys,
    Path(EntryPath { tenant, entry }): Path<EntryPath>,
) -> Result<StatusCode, Refusal> {
    finish(async move {
        let by = format!("token {}", caller.name());
        if api.control.outbox.cancel(&tenant, &entry, &by).await.map_err(|why| unusable(&why))? {
            return Ok(StatusCode::NO_CONTENT);
        }
        let there = found(&api, &tenant, &entry).await?;
        Err(Refusal::new(
            Word::Conflict,
            format!("{entry} is {}: only what waits can be taken back", there.state),
        ))
    })
    .await
}

async fn found(api: &Api, tenant: &TenantId, id: &str) -> Result<Entry, Refusal> {
    let entry = api.control.outbox.entry(tenant, id).await.map_err(|why| unusable(&why))?;
    entry.ok_or_else(|| Refusal::not_found(format_args!("such entry in the outbox of tenant {tenant}")))
}

/// Its message names paths, which only the log may know.
fn unusable(why: &OutboxError) -> Refusal {
    tracing::warn!(target: "control", "{why}");
    Refusal::new(
        Word::Unavailable,
        "the outbox of the host can't be used now, and its log says why; try again in a moment",
    )
}

fn view(entry: Entry) -> OutboxView {
    OutboxView {
        id: entry.id,
        handler: entry.handler,
        kind: entry.kind,
        to: entry.about,
        state: entry.state,
        tries: entry.attempts,
        result: entry.result,
        note: entry.note,
        due_at: moment(entry.due_at),
        created_at: moment(entry.created_at),
        changed_at: moment(entry.changed_at),
    }
}
