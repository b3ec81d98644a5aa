//! Tokens: made and revoked by an operator; everybody may ask whose theirs is.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::call::TenantId;
use crate::control::Api;
use crate::control::auth::{Caller, Operator};
use crate::control::extract::{Json, Path, Query};
use crate::control::model::{CreatedToken, NewToken, Problem, TokenScope, TokenView};
use crate::control::problem::{Refusal, Word};
use crate::control::request::finish;
use crate::control::store::token_view;
use crate::registry::model::Scope;

/// Longest label, in characters.
const LABEL_CHARS_MAX: usize = 100;

/// Which tokens are listed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct TokensQuery {
    /// Only those of this tenant.
    #[param(value_type = Option<String>, pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    tenant: Option<TenantId>,
}

/// A token, in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::control) struct TokenPath {
    /// The token's id, not the token itself.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "x7d0q2")]
    id: String,
}

/// All tokens
#[utoipa::path(
    get, path = "/tokens", tag = "tokens", operation_id = "list_tokens", params(TokensQuery),
    responses(
        (status = 200, body = Vec<TokenView>, description = "The tokens, without what they are"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
    ),
)]
pub(in crate::control) async fn list(
    State(api): State<Arc<Api>>,
    _: Operator,
    Query(query): Query<TokensQuery>,
) -> Result<Answer<Vec<TokenView>>, Refusal> {
    api.store.tokens(query.tenant).await.map(Answer)
}

/// Makes a token
#[utoipa::path(
    post, path = "/tokens", tag = "tokens", operation_id = "create_token",
    request_body = NewToken,
    responses(
        (status = 201, body = CreatedToken, description = "The token: shown this once"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Scope and tenant do not go together, or the label is too long"),
    ),
)]
pub(in crate::control) async fn create(
    State(api): State<Arc<Api>>,
    _: Operator,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Answer<CreatedToken>), Refusal> {
    let invalid = |detail: String| Refusal::new(Word::Invalid, detail);
    if new.label.chars().count() > LABEL_CHARS_MAX || new.label.chars().any(char::is_control) {
        return Err(invalid(format!(
            "the label has {} characters: expected at most {LABEL_CHARS_MAX}, none of them a control character",
            new.label.chars().count()
        )));
    }
    let tenant = new.tenant.as_deref().map(TenantId::new).transpose();
    let scope = match (new.scope, tenant.map_err(|error| invalid(error.to_string()))?) {
        (TokenScope::Operator, None) => Scope::Operator,
        (TokenScope::Deploy, Some(tenant)) => Scope::Deploy(tenant),
        (TokenScope::Read, Some(tenant)) => Scope::Read(tenant),
        (TokenScope::Operator, Some(_)) => {
            return Err(invalid("scope `operator` is for all tenants; leave out `tenant`".into()));
        }
        (TokenScope::Deploy | TokenScope::Read, None) => {
            return Err(invalid(
                "scopes `deploy` and `read` are for one tenant; say which in `tenant`".into(),
            ));
        }
    };
    let created = api.store.create_token(new.label, scope).await?;
    Ok((StatusCode::CREATED, Answer(created)))
}

/// Revokes a token: whoever holds it is refused from now on
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "tokens", operation_id = "revoke_token", params(TokenPath),
    responses(
        (status = 204, description = "It is worth nothing now"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such token"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It is the token that you ask with"),
    ),
)]
pub(in crate::control) async fn revoke(
    State(api): State<Arc<Api>>,
    Operator(caller): Operator,
    Path(TokenPath { id }): Path<TokenPath>,
) -> Result<StatusCode, Refusal> {
    // Otherwise one slip leaves a host without an operator.
    if caller.0.id == id {
        let detail = "this is the token that you ask with; make another, and revoke this one with that";
        return Err(Refusal::new(Word::Conflict, detail));
    }
    finish(async move {
        let held = api.operator_token.load_full();
        if api.store.revoke_token(id, held).await? {
            // Else it would open everything again while the registry is away.
            api.operator_token.store(None);
        }
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The token that you ask with
#[utoipa::path(
    get, path = "/token", tag = "tokens", operation_id = "show_own_token",
    responses((status = 200, body = TokenView, description = "Whose it is and what it allows")),
)]
pub(in crate::control) async fn whoami(caller: Caller) -> Answer<TokenView> {
    Answer(token_view(caller.0))
}
