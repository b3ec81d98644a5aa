//! Kept calls: whether a tenant's are, and what a revision would answer to them.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;

use super::{HandlerPath, TenantPath};
use crate::call::RevisionId;
use crate::control::Api;
use crate::control::auth::{Deploys, Operator, Reads};
use crate::control::extract::{Json, Path};
use crate::control::model::{Problem, RecordingView, Replay};
use crate::control::problem::{Refusal, Word};
use crate::control::request::finish;
use crate::recording::RecordingSettings;
use crate::recording::replay::ReplayReport;

/// Most calls of one replay.
const CALLS_MAX: u32 = 1_000;

/// Whether a tenant's calls are kept, and how many are
#[utoipa::path(
    get, path = "/tenants/{tenant}/recording", tag = "recordings", operation_id = "show_recording", params(TenantPath),
    responses(
        (status = 200, body = RecordingView, description = "The rules, and what is kept; nothing of what was said"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
    ),
)]
pub(in crate::control) async fn show(
    State(api): State<Arc<Api>>,
    Reads(caller): Reads,
    Path(TenantPath { tenant }): Path<TenantPath>,
) -> Result<Answer<RecordingView>, Refusal> {
    api.control.deployer.recording(&tenant).await.map(Answer).map_err(|error| caller.told(error))
}

/// Sets whether and how a tenant's calls are kept from now on; what is left out has its default
#[utoipa::path(
    put, path = "/tenants/{tenant}/recording", tag = "recordings", operation_id = "set_recording", params(TenantPath),
    request_body = RecordingSettings,
    responses(
        (status = 200, body = RecordingView, description = "By these rules calls are kept"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A value can't be used"),
    ),
)]
pub(in crate::control) async fn set(
    State(api): State<Arc<Api>>,
    Operator(caller): Operator,
    Path(TenantPath { tenant }): Path<TenantPath>,
    Json(settings): Json<RecordingSettings>,
) -> Result<Answer<RecordingView>, Refusal> {
    settings.check().map_err(|error| Refusal::new(Word::Invalid, error.to_string()))?;
    finish(async move {
        let view = api.control.deployer.set_recording(caller.name(), &tenant, settings).await;
        view.map(Answer).map_err(|error| caller.told(error))
    })
    .await
}

/// Forgets all kept calls of a tenant; its rules stay
#[utoipa::path(
    delete, path = "/tenants/{tenant}/recording", tag = "recordings", operation_id = "forget_recording", params(TenantPath),
    responses(
        (status = 204, description = "Nothing is kept of calls before this moment"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
    ),
)]
pub(in crate::control) async fn forget(
    State(api): State<Arc<Api>>,
    Deploys(caller): Deploys,
    Path(TenantPath { tenant }): Path<TenantPath>,
) -> Result<StatusCode, Refusal> {
    finish(async move {
        let forgotten = api.control.deployer.forget_calls(caller.name(), &tenant).await;
        forgotten.map(|()| StatusCode::NO_CONTENT).map_err(|error| caller.told(error))
    })
    .await
}

/// Plays kept calls against a revision and says what would be heard that was not
#[utoipa::path(
    post, path = "/tenants/{tenant}/handlers/{handler}/replay", tag = "recordings", operation_id = "replay",
    params(HandlerPath), request_body = Replay,
    responses(
        (status = 200, body = ReplayReport, description = "What differs, in groups"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant, handler or revision, or no call is kept"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The revision can't be run"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A value can't be used"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "Too many compiles wait"),
    ),
)]
pub(in crate::control) async fn replay(
    State(api): State<Arc<Api>>,
    // It runs code, and it shows documents of real calls.
    Deploys(caller): Deploys,
    Path(HandlerPath { tenant, handler }): Path<HandlerPath>,
    Json(Replay { revision, calls }): Json<Replay>,
) -> Result<Answer<ReplayReport>, Refusal> {
    if revision == 0 {
        return Err(Refusal::new(Word::Invalid, "revision is 0: expected a revision, from 1"));
    }
    checked_calls(calls)?;
    let report = api.control.deployer.replay(&tenant, &handler, RevisionId(revision), calls).await;
    report.map(Answer).map_err(|error| caller.told(error))
}

/// How many calls one replay may play.
pub(super) fn checked_calls(calls: u32) -> Result<(), Refusal> {
    if (1..=CALLS_MAX).contains(&calls) {
        return Ok(());
    }
    Err(Refusal::new(Word::Invalid, format!("calls is {calls}: expected 1 to {CALLS_MAX}")))
}
