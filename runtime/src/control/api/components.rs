//! Uploads: component bytes, named by their digest, straight to disk.
//!
//! Equal bytes are one file, whoever uploaded them, and nobody may notice: for a tenant a component is there when it uploaded
//! the bytes itself or has a revision of them. Otherwise one could ask what others deploy, and deploy it without having it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use axum::Json as Answer;
use axum::extract::{Request, State};
use futures_util::StreamExt as _;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::artifact::ReceiveError;
use crate::call::TenantId;
use crate::control::Api;
use crate::control::auth::{Deploys, Reads};
use crate::control::extract::{Path, announced_bytes, media_type};
use crate::control::model::{ComponentView, Problem};
use crate::control::problem::{Refusal, Word};
use crate::digest::Digest;

/// A component, in a path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::control) struct ComponentPath {
    /// The tenant that deploys it.
    #[param(value_type = String, pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "acme")]
    tenant: TenantId,
    /// SHA-256 of its bytes.
    #[param(value_type = String, pattern = "^[0-9a-f]{64}$", example = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    digest: Digest,
}

/// Uploads a component
///
/// The bytes as they are, without an encoding. What is there already is taken again and checked, so that an upload also
/// repairs a file that was damaged.
#[utoipa::path(
    put, path = "/tenants/{tenant}/components/{digest}", tag = "components", operation_id = "upload_component",
    params(ComponentPath),
    request_body(content(("application/wasm"), ("application/octet-stream")), description = "The component, at most 64 MiB unless the operator says otherwise"),
    responses(
        (status = 201, body = ComponentView, description = "It is there"),
        (status = 200, body = ComponentView, description = "It was there before"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "The bytes have another digest"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "The tenant's quota of bytes is used up, or it uploads too much that it does not deploy"),
    ),
)]
pub(in crate::control) async fn upload(
    State(api): State<Arc<Api>>,
    _: Deploys,
    Path(ComponentPath { tenant, digest }): Path<ComponentPath>,
    request: Request,
) -> Result<(StatusCode, Answer<ComponentView>), Refusal> {
    let (parts, body) = request.into_parts();
    media_type(&parts, &["application/wasm", "application/octet-stream"])?;
    let limits = &api.control.limits;
    let most = limits.component_bytes_max;
    if announced_bytes(&parts).is_some_and(|bytes| bytes > most) {
        return Err(too_large(most));
    }
    let view = api.store.tenant(tenant.clone()).await?;
    if view.usage.bytes >= view.quota.bytes {
        let detail = format!(
            "tenant {tenant} uses {} bytes of its {}; remove handlers, or ask the operator for more",
            view.usage.bytes, view.quota.bytes
        );
        return Err(Refusal::new(Word::QuotaExceeded, detail));
    }

    // A body that does not say how large it is may be as large as any.
    let bytes = announced_bytes(&parts).unwrap_or(most);
    let arriving = api.uploads.begin(&tenant, &digest, bytes, Instant::now());
    let arriving = arriving.map_err(|full| Refusal::new(Word::QuotaExceeded, full.to_string()))?;

    let known = api.has_component(&tenant, digest).await?;
    let idle = AtomicBool::new(false);
    let pieces = tokio_stream::StreamExt::timeout(body.into_data_stream(), limits.upload_idle);
    let pieces = pieces.map(|piece| match piece {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(error.to_string()),
        Err(elapsed) => {
            idle.store(true, Relaxed);
            Err(elapsed.to_string())
        }
    });
    let received = api.control.artifacts.receive(pieces, digest, most).await;
    let bytes = received.map_err(|error| match error {
        ReceiveError::TooLarge { .. } => too_large(most),
        ReceiveError::Digest { .. } => Refusal::new(Word::DigestMismatch, error.to_string()),
        ReceiveError::Body(_) if idle.load(Relaxed) => Refusal::new(
            Word::TooSlow,
            format!("no byte of the upload came for {} s; upload it again", limits.upload_idle.as_secs()),
        ),
        ReceiveError::Body(_) => Refusal::new(Word::Malformed, error.to_string()),
        ReceiveError::DiskFull => Refusal::new(Word::Unavailable, error.to_string()),
        ReceiveError::Io(cause) => {
            tracing::error!(target: "control", "an upload could not be stored: {cause}");
            Refusal::new(
                Word::Unavailable,
                "the host can't store the component, its log says why; calls go on, and uploads do once that is repaired",
            )
        }
    })?;
    arriving.done(digest, bytes, Instant::now());
    let status = if known { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Answer(ComponentView { digest: digest.to_string(), bytes })))
}

/// Whether a component is there
#[utoipa::path(
    get, path = "/tenants/{tenant}/components/{digest}", tag = "components", operation_id = "show_component",
    params(ComponentPath),
    responses(
        (status = 200, body = ComponentView, description = "It is there and need not be uploaded"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "It has to be uploaded"),
    ),
)]
pub(in crate::control) async fn show(
    State(api): State<Arc<Api>>,
    _: Reads,
    Path(ComponentPath { tenant, digest }): Path<ComponentPath>,
) -> Result<Answer<ComponentView>, Refusal> {
    let missing = || Refusal::not_found(format_args!("component {digest} of tenant {tenant}; upload it"));
    if !api.has_component(&tenant, digest).await? {
        return Err(missing());
    }
    let file = api.control.artifacts.store().component(&digest);
    match file.and_then(|file| file.metadata()) {
        Ok(metadata) => Ok(Answer(ComponentView { digest: digest.to_string(), bytes: metadata.len() })),
        // Whatever keeps it from being read, an upload puts right.
        Err(_) => Err(missing()),
    }
}

impl Api {
    /// Whether a component is there, for this tenant.
    pub(in crate::control) async fn has_component(
        &self,
        tenant: &TenantId,
        digest: Digest,
    ) -> Result<bool, Refusal> {
        let here = self.control.artifacts.store().has_component(&digest);
        Ok(here
            && (self.uploads.has(tenant, &digest, Instant::now())
                || self.store.has_revision_of(tenant.clone(), digest).await?))
    }
}

fn too_large(most: u64) -> Refusal {
    Refusal::new(
        Word::TooLarge,
        format!("the component has more than {most} bytes; build with optimisation and strip debug sections"),
    )
}
