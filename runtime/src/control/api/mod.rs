//! The endpoints: one file for each kind of thing.
//!
//! An endpoint reads alike everywhere: who asks and may do that ([`Operator`](super::auth::Operator),
//! [`Deploys`](super::auth::Deploys), [`Reads`](super::auth::Reads)), what for (path and query), what was sent, then one call of
//! `store` or `deploy`.

pub(super) mod components;
pub(super) mod handlers;
pub(super) mod logs;
pub(super) mod numbers;
pub(super) mod outbox;
pub(super) mod recordings;
pub(super) mod secrets;
pub(super) mod tenants;
pub(super) mod tokens;

use std::sync::Arc;

use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::call::{HandlerName, TenantId};

/// A tenant, in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct TenantPath {
    /// The tenant.
    #[param(value_type = String, pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "acme")]
    pub(super) tenant: TenantId,
}

/// A handler of a tenant, in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct HandlerPath {
    /// The tenant.
    #[param(value_type = String, pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "acme")]
    pub(super) tenant: TenantId,
    /// The handler.
    #[param(value_type = String, pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "front-desk")]
    pub(super) handler: HandlerName,
}

/// All endpoints below `/api/v1`.
pub(super) fn endpoints() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default()
        .routes(routes!(tenants::list, tenants::create))
        .routes(routes!(tenants::show, tenants::change, tenants::delete))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(tokens::whoami))
        .routes(routes!(numbers::list))
        .routes(routes!(numbers::put, numbers::delete))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::put, secrets::delete))
        .routes(routes!(components::upload, components::show))
        .routes(routes!(handlers::list))
        .routes(routes!(handlers::show, handlers::delete))
        .routes(routes!(handlers::revisions, handlers::deploy))
        .routes(routes!(handlers::promote))
        .routes(routes!(handlers::rollback))
        .routes(routes!(logs::follow))
        .routes(routes!(recordings::show, recordings::set, recordings::forget))
        .routes(routes!(recordings::replay))
        .routes(routes!(outbox::list, outbox::cancel_all))
        .routes(routes!(outbox::show, outbox::cancel))
}
