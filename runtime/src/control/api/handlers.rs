//! Handlers, their revisions, and what is in force.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{HandlerPath, TenantPath};
use crate::control::Api;
use crate::control::auth::{Deploys, Reads};
use crate::control::extract::{Json, OptionalJson, Path, Query};
use crate::control::model::{Deploy, Deployed, HandlerView, Problem, Promote, RevisionView, Rollback};
use crate::control::problem::{Refusal, Word};
use crate::control::request::finish;
use crate::digest::Digest;

/// Which revisions are listed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct RevisionsQuery {
    /// How many at most.
    #[serde(default = "limit_default")]
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: usize,
    /// Only those with a lower number: the next page begins before the last revision of this one.
    #[param(minimum = 1)]
    before: Option<u32>,
}

fn limit_default() -> usize {
    100
}

/// A tenant's handlers
#[utoipa::path(
    get, path = "/tenants/{tenant}/handlers", tag = "handlers", operation_id = "list_handlers", params(TenantPath),
    responses(
        (status = 200, body = Vec<HandlerView>, description = "Its handlers, and what is in force for each"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
    ),
)]
pub(in crate::control) async fn list(
    State(api): State<Arc<Api>>,
    Reads(caller): Reads,
    Path(TenantPath { tenant }): Path<TenantPath>,
) -> Result<Answer<Vec<HandlerView>>, Refusal> {
    let views = api.control.deployer.handlers(&tenant).await.map_err(|error| caller.told(error))?;
    Ok(Answer(views.into_iter().map(|view| caller.shown(view)).collect()))
}

/// One handler: what is in force and how it does
#[utoipa::path(
    get, path = "/tenants/{tenant}/handlers/{handler}", tag = "handlers", operation_id = "show_handler", params(HandlerPath),
    responses(
        (status = 200, body = HandlerView, description = "The handler"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant or handler"),
    ),
)]
pub(in crate::control) async fn show(
    State(api): State<Arc<Api>>,
    Reads(caller): Reads,
    Path(HandlerPath { tenant, handler }): Path<HandlerPath>,
) -> Result<Answer<HandlerView>, Refusal> {
    let view = api.control.deployer.handler(&tenant, &handler).await.map_err(|error| caller.told(error))?;
    Ok(Answer(caller.shown(view)))
}

/// Removes a handler: its calls in progress hear an error from then on
#[utoipa::path(
    delete, path = "/tenants/{tenant}/handlers/{handler}", tag = "handlers", operation_id = "delete_handler", params(HandlerPath),
    responses(
        (status = 204, description = "It is gone, with its revisions"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant or handler"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Numbers still lead to it"),
    ),
)]
pub(in crate::control) async fn delete(
    State(api): State<Arc<Api>>,
    Deploys(caller): Deploys,
    Path(HandlerPath { tenant, handler }): Path<HandlerPath>,
) -> Result<StatusCode, Refusal> {
    finish(async move {
        let deleted = api.control.deployer.delete_handler(caller.name(), &tenant, &handler).await;
        deleted.map_err(|error| caller.told(error))?;
        api.control.outbox.forget(&tenant, Some(&handler)).await;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// A handler's revisions, newest first
#[utoipa::path(
    get, path = "/tenants/{tenant}/handlers/{handler}/revisions", tag = "handlers", operation_id = "list_revisions",
    params(HandlerPath, RevisionsQuery),
    responses(
        (status = 200, body = Vec<RevisionView>, description = "One page; the next is asked for with `before`"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant or handler"),
    ),
)]
pub(in crate::control) async fn revisions(
    State(api): State<Arc<Api>>,
    Reads(caller): Reads,
    Path(HandlerPath { tenant, handler }): Path<HandlerPath>,
    Query(page): Query<RevisionsQuery>,
) -> Result<Answer<Vec<RevisionView>>, Refusal> {
    if !(1..=1000).contains(&page.limit) {
        return Err(Refusal::new(Word::Malformed, format!("limit is {}: expected 1 to 1000", page.limit)));
    }
    if page.before == Some(0) {
        return Err(Refusal::new(Word::Malformed, "before is 0: expected a revision, from 1"));
    }
    let revisions = api.control.deployer.revisions(&tenant, &handler).await;
    let mut revisions = revisions.map_err(|error| caller.told(error))?;
    revisions.retain(|revision| page.before.is_none_or(|before| revision.revision < before));
    revisions.truncate(page.limit);
    Ok(Answer(revisions))
}

/// Deploys a component that was uploaded before; answers when the revision is committed and takes its calls
#[utoipa::path(
    post, path = "/tenants/{tenant}/handlers/{handler}/revisions", tag = "handlers", operation_id = "deploy",
    params(HandlerPath), request_body = Deploy,
    responses(
        (status = 201, body = Deployed, description = "A new revision"),
        (status = 200, body = Deployed, description = "This component with these settings was deployed before: the same revision"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant, or the component was not uploaded"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Kept calls would hear something else (`replay` says what), what is in force changed meanwhile, or there is nothing whose component could be kept"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The component or its settings are refused; `reason` says by what"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "The tenant's quota is used up, or too many compiles wait"),
    ),
)]
pub(in crate::control) async fn deploy(
    State(api): State<Arc<Api>>,
    Deploys(caller): Deploys,
    Path(HandlerPath { tenant, handler }): Path<HandlerPath>,
    Json(deploy): Json<Deploy>,
) -> Result<(StatusCode, Answer<Deployed>), Refusal> {
    let invalid = |detail: String| Err(Refusal::new(Word::Invalid, detail));
    let digest = match deploy.digest.as_deref().map(str::parse::<Digest>).transpose() {
        Ok(digest) => digest,
        Err(error) => return invalid(error.to_string()),
    };
    if let Some(digest) = digest
        && !api.has_component(&tenant, digest).await?
    {
        let missing = format_args!("component {digest} of tenant {tenant}; upload it first");
        return Err(Refusal::not_found(missing));
    }
    if deploy.digest.is_none() && deploy.settings.is_none() {
        return invalid("neither a component nor settings: give `digest`, `settings`, or both".into());
    }
    if let Some(percent) = deploy.percent
        && !(0.01..=99.99).contains(&percent)
    {
        return invalid(format!("percent is {percent}: expected 0.01 to 99.99"));
    }
    if deploy.no_canary && deploy.percent.is_some() {
        return invalid("no_canary takes all calls at once, so percent means nothing; leave out one".into());
    }
    if let Some(gate) = &deploy.replay {
        super::recordings::checked_calls(gate.calls)?;
    }
    finish(async move {
        let deployed = api.control.deployer.deploy(caller.name(), &tenant, &handler, deploy).await;
        let deployed = deployed.map_err(|error| caller.told(error))?;
        if let Some(digest) = &digest {
            api.uploads.deployed(&tenant, digest);
        }
        let status = if deployed.known { StatusCode::OK } else { StatusCode::CREATED };
        Ok((status, Answer(deployed)))
    })
    .await
}

/// Gives the canary all new calls now, whatever step it is on
#[utoipa::path(
    post, path = "/tenants/{tenant}/handlers/{handler}/promote", tag = "handlers", operation_id = "promote",
    params(HandlerPath), request_body = Option<Promote>,
    responses(
        (status = 200, body = Deployed, description = "What is in force now"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant or handler"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "There is no canary, or what is in force is not the generation that was named"),
    ),
)]
pub(in crate::control) async fn promote(
    State(api): State<Arc<Api>>,
    Deploys(caller): Deploys,
    Path(HandlerPath { tenant, handler }): Path<HandlerPath>,
    OptionalJson(promote): OptionalJson<Option<Promote>>,
) -> Result<Answer<Deployed>, Refusal> {
    let generation = promote.unwrap_or_default().generation;
    finish(async move {
        let promoted = api.control.deployer.promote(caller.name(), &tenant, &handler, generation).await;
        promoted.map(Answer).map_err(|error| caller.told(error))
    })
    .await
}

/// Ends the canary, or puts an earlier revision in force
#[utoipa::path(
    post, path = "/tenants/{tenant}/handlers/{handler}/rollback", tag = "handlers", operation_id = "rollback",
    params(HandlerPath), request_body = Option<Rollback>,
    responses(
        (status = 200, body = Deployed, description = "What is in force now"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant, handler or revision"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "There is nothing to go back to, or what is in force is not the generation that was named"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A value can't be used"),
    ),
)]
pub(in crate::control) async fn rollback(
    State(api): State<Arc<Api>>,
    Deploys(caller): Deploys,
    Path(HandlerPath { tenant, handler }): Path<HandlerPath>,
    OptionalJson(rollback): OptionalJson<Option<Rollback>>,
) -> Result<Answer<Deployed>, Refusal> {
    let Rollback { to, generation } = rollback.unwrap_or_default();
    if to == Some(0) {
        return Err(Refusal::new(Word::Invalid, "to is 0: expected a revision, from 1"));
    }
    finish(async move {
        let back = api.control.deployer.rollback(caller.name(), &tenant, &handler, to, generation).await;
        back.map(Answer).map_err(|error| caller.told(error))
    })
    .await
}
