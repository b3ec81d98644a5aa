//! Secrets: set and forgotten, and never shown.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::TenantPath;
use crate::call::TenantId;
use crate::config::Secret;
use crate::control::Api;
use crate::control::auth::{Deploys, Reads};
use crate::control::extract::{Json, Path};
use crate::control::model::{Problem, SecretSet, SecretValue, SecretView};
use crate::control::problem::{Refusal, Word};
use crate::control::request::finish;
use crate::secrets::{check_name, problem_of_value};

/// A secret of a tenant, in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::control) struct SecretPath {
    /// The tenant.
    #[param(value_type = String, pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "acme")]
    tenant: TenantId,
    /// The secret.
    #[param(value_type = String, pattern = "^[a-z][a-z0-9_-]{0,62}$", example = "crm-key")]
    name: Name,
}

/// A name of a secret.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        check_name(&text).map_err(serde::de::Error::custom)?;
        Ok(Self(text))
    }
}

/// A tenant's secrets, without their values
#[utoipa::path(
    get, path = "/tenants/{tenant}/secrets", tag = "secrets", operation_id = "list_secrets", params(TenantPath),
    responses(
        (status = 200, body = Vec<SecretView>, description = "Their names and versions"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
    ),
)]
pub(in crate::control) async fn list(
    State(api): State<Arc<Api>>,
    _: Reads,
    Path(TenantPath { tenant }): Path<TenantPath>,
) -> Result<Answer<Vec<SecretView>>, Refusal> {
    let mut views = api.store.secrets(tenant.clone()).await?;
    for view in &mut views {
        view.granted_to = granted_to(&api, &tenant, &view.name);
    }
    Ok(Answer(views))
}

/// Sets a secret; each handler that is granted it gets a revision of settings with it
#[utoipa::path(
    put, path = "/tenants/{tenant}/secrets/{name}", tag = "secrets", operation_id = "put_secret", params(SecretPath),
    request_body = SecretValue,
    responses(
        (status = 200, body = SecretSet, description = "It is set; what was made of it is in force"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The tenant has too many secrets, or a handler that is granted it has a canary"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The value can't be used, or a revision with it is refused"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "It is set, and the tenant's quota has no room for a revision with it"),
    ),
)]
pub(in crate::control) async fn put(
    State(api): State<Arc<Api>>,
    Deploys(caller): Deploys,
    Path(SecretPath { tenant, name: Name(name) }): Path<SecretPath>,
    Json(SecretValue { value }): Json<SecretValue>,
) -> Result<Answer<SecretSet>, Refusal> {
    if let Some(problem) = problem_of_value(&value) {
        return Err(Refusal::new(Word::Invalid, problem));
    }
    finish(async move {
        api.control.deployer.may_set_secret(&tenant, &name).map_err(|error| caller.told(error))?;
        let by = caller.name().to_owned();
        let mut secret = api.store.put_secret(tenant.clone(), name.clone(), Secret::new(value), by).await?;
        let revisions = api.control.deployer.secret_set(caller.name(), &tenant, &name).await;
        let revisions = revisions.map_err(|error| caller.told(error))?;
        secret.granted_to = granted_to(&api, &tenant, &name);
        Ok(Answer(SecretSet { secret, revisions }))
    })
    .await
}

/// Forgets a secret
///
/// Refused while a revision that takes new calls is granted it. Revisions that were deployed with it earlier keep it.
#[utoipa::path(
    delete, path = "/tenants/{tenant}/secrets/{name}", tag = "secrets", operation_id = "delete_secret", params(SecretPath),
    responses(
        (status = 204, description = "It is forgotten"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The tenant does not have it"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "A handler is granted it"),
    ),
)]
pub(in crate::control) async fn delete(
    State(api): State<Arc<Api>>,
    _: Deploys,
    Path(SecretPath { tenant, name: Name(name) }): Path<SecretPath>,
) -> Result<StatusCode, Refusal> {
    let granted = granted_to(&api, &tenant, &name);
    if !granted.is_empty() {
        return Err(Refusal::new(
            Word::Conflict,
            format!(
                "{name} is granted to {}; take it out of `secrets` in handler.toml and deploy first",
                granted.join(", ")
            ),
        ));
    }
    finish(async move {
        api.store.delete_secret(tenant, name).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn granted_to(api: &Api, tenant: &TenantId, name: &str) -> Vec<String> {
    api.control.deployer.granted_to(tenant, name).iter().map(ToString::to_string).collect()
}
