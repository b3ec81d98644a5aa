//! Numbers: which handler answers a number that the carrier sends to this host without naming a handler.
//!
//! An operator gives a number to a tenant; the tenant then moves it between its handlers. Otherwise any tenant could take a
//! number before its owner does.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::TenantPath;
use crate::call::{HandlerName, TenantId};
use crate::control::Api;
use crate::control::auth::{Deploys, Reads};
use crate::control::extract::{Json, Path};
use crate::control::model::{NumberTarget, NumberView, Problem};
use crate::control::problem::{Refusal, Word};
use crate::control::request::finish;
use crate::registry::model::NumberRecord;

/// A number of a tenant, in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::control) struct NumberPath {
    /// The tenant.
    #[param(value_type = String, pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "acme")]
    tenant: TenantId,
    /// In E.164, or a short code.
    #[param(value_type = String, pattern = r"^(\+[1-9][0-9]{6,14}|[0-9]{3,8})$", example = "+12025550123")]
    number: Number,
}

/// A number as carriers write it.
struct Number(String);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let fits = match text.strip_prefix('+') {
            Some(rest) => (7..=15).contains(&rest.len()) && digits(rest) && !rest.starts_with('0'),
            None => (3..=8).contains(&text.len()) && digits(&text),
        };
        if fits {
            return Ok(Self(text));
        }
        Err(serde::de::Error::custom(format!(
            "{:?} is no number: expected E.164 such as +12025550123, or a short code of 3 to 8 digits",
            text.chars().take(80).collect::<String>()
        )))
    }
}

/// A tenant's numbers
#[utoipa::path(
    get, path = "/tenants/{tenant}/numbers", tag = "numbers", operation_id = "list_numbers", params(TenantPath),
    responses(
        (status = 200, body = Vec<NumberView>, description = "Its numbers and who answers them"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
    ),
)]
pub(in crate::control) async fn list(
    State(api): State<Arc<Api>>,
    _: Reads,
    Path(TenantPath { tenant }): Path<TenantPath>,
) -> Result<Answer<Vec<NumberView>>, Refusal> {
    api.store.numbers(tenant).await.map(Answer)
}

/// Lets a handler answer a number
///
/// An operator may give any number to any tenant; scope `deploy` moves a number that is already its tenant's.
#[utoipa::path(
    put, path = "/tenants/{tenant}/numbers/{number}", tag = "numbers", operation_id = "put_number", params(NumberPath),
    request_body = NumberTarget,
    responses(
        (status = 200, body = NumberView, description = "The handler answers it from now on"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant or handler"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Another tenant has the number"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A value can't be used"),
    ),
)]
pub(in crate::control) async fn put(
    State(api): State<Arc<Api>>,
    Deploys(caller): Deploys,
    Path(NumberPath { tenant, number: Number(number) }): Path<NumberPath>,
    Json(target): Json<NumberTarget>,
) -> Result<Answer<NumberView>, Refusal> {
    let handler =
        HandlerName::new(&target.handler).map_err(|error| Refusal::new(Word::Invalid, error.to_string()))?;
    let before = answered_by(&api, &tenant, &number).await?;
    if caller.operates().is_err() && before.is_none() {
        return Err(Refusal::new(
            Word::Forbidden,
            format!(
                "{number} is not tenant {tenant}'s yet; an operator gives it with `hookswitch number`, then your token can move it"
            ),
        ));
    }
    finish(async move {
        let before = before.filter(|before| before != handler.as_str());
        let view = api.store.put_number(NumberRecord { number, tenant: tenant.clone(), handler }).await?;
        let view = NumberView { before, ..view };
        api.control.deployer.tenant_changed(&tenant).await.map_err(|error| caller.told(error))?;
        Ok(Answer(view))
    })
    .await
}

/// Takes a number from a tenant
#[utoipa::path(
    delete, path = "/tenants/{tenant}/numbers/{number}", tag = "numbers", operation_id = "delete_number", params(NumberPath),
    responses(
        (status = 204, description = "Nobody answers it now"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The tenant does not have it"),
    ),
)]
pub(in crate::control) async fn delete(
    State(api): State<Arc<Api>>,
    Deploys(caller): Deploys,
    Path(NumberPath { tenant, number: Number(number) }): Path<NumberPath>,
) -> Result<StatusCode, Refusal> {
    finish(async move {
        api.store.delete_number(tenant.clone(), number).await?;
        api.control.deployer.tenant_changed(&tenant).await.map_err(|error| caller.told(error))?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The handler of the tenant that answers `number`; none where it is not the tenant's.
async fn answered_by(api: &Api, tenant: &TenantId, number: &str) -> Result<Option<String>, Refusal> {
    let numbers = api.store.numbers(tenant.clone()).await?;
    Ok(numbers.into_iter().find(|view| view.number == number).map(|view| view.handler))
}
