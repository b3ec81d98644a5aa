//! The control plane's port: the API, metrics and health.
//!
//! On an address of its own, so that a firewall can keep it from the carriers' side. Nothing here decides who answers a
//! call: endpoints check who asks and what was sent, then hand over to `deploy` and `registry`.

mod api;
mod auth;
pub(crate) mod connection;
mod extract;
pub mod health;
pub mod model;
mod openapi;
mod problem;
mod request;
mod store;
#[cfg(test)]
mod tests;
mod uploads;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use tokio::net::TcpListener;
use tokio::sync::watch;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use health::{Health, Stage};

use crate::artifact::Artifacts;
use crate::config::Secret;
use crate::deploy::Deployer;
use crate::outbox::Outbox;
use crate::registry::Registry;
use crate::telemetry::Feed;
use problem::{Refusal, Word};

/// What the control plane works with.
pub struct Control {
    /// Tenants, tokens, numbers.
    pub registry: Arc<Registry>,
    /// Changes who answers calls.
    pub deployer: Arc<Deployer>,
    /// What handlers want done later.
    pub outbox: Arc<Outbox>,
    /// Takes uploads.
    pub artifacts: Arc<Artifacts>,
    /// What handlers log and how webhooks end, as it happens.
    pub feed: Feed,
    /// Writes what `/metrics` says, in Prometheus's text format. May take milliseconds.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// What `/readyz` says.
    pub health: Arc<Health>,
    /// How much and how long.
    pub limits: ControlLimits,
    /// The operator's token, for the time in which no registry can be asked about tokens.
    pub operator_token: Option<Secret>,
}

/// How much the control port takes, and for how long.
#[derive(Debug, Clone)]
pub struct ControlLimits {
    /// Open connections; further ones wait in the kernel's queue. Each may hold one JSON body.
    pub connections_max: usize,
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
    /// Bytes of a JSON body.
    pub json_bytes_max: usize,
    /// Bytes of an uploaded component.
    pub component_bytes_max: u64,
    /// From the end of one answer to the end of the next request's head.
    pub head_within: Duration,
    /// For a whole JSON body.
    pub body_within: Duration,
    /// Uploads of one tenant that are remembered within an hour; of more it has to upload the oldest again.
    pub uploads_max: usize,
    /// Bytes that one tenant may upload within an hour beyond what it deploys.
    pub upload_bytes_max: u64,
    /// For the next bytes of an upload.
    pub upload_idle: Duration,
    /// For any answer to begin, uploads and compiles included. What was begun goes on after it.
    pub answer_within: Duration,
    /// For a peer to take what was written to it.
    pub stall_within: Duration,
    /// The life of one log stream; then the client asks anew, and its token is looked at anew.
    pub stream_life: Duration,
    /// Between two comments on a silent log stream.
    pub heartbeat: Duration,
    /// For requests that run when the host stops.
    pub stop_within: Duration,
    /// How much of a refused request is still read, so that the client hears why: bytes,
    pub linger_bytes_max: usize,
    /// and time.
    pub linger_within: Duration,
    /// After a connection could not be accepted.
    pub accept_pause: Duration,
}

impl Default for ControlLimits {
    /// For people and their deploy machines, not for crowds.
    fn default() -> Self {
        Self {
            connections_max: 256,
            head_bytes_max: 16 << 10,
            json_bytes_max: 1 << 20,
            component_bytes_max: 64 << 20,
            uploads_max: 200,
            upload_bytes_max: 1 << 30,
            head_within: Duration::from_secs(10),
            body_within: Duration::from_secs(10),
            upload_idle: Duration::from_secs(10),
            answer_within: Duration::from_secs(15 * 60),
            stall_within: Duration::from_secs(30),
            stream_life: Duration::from_secs(60 * 60),
            heartbeat: Duration::from_secs(15),
            stop_within: Duration::from_secs(10),
            linger_bytes_max: 64 << 20,
            linger_within: Duration::from_secs(3),
            accept_pause: Duration::from_millis(100),
        }
    }
}

/// What endpoints share.
struct Api {
    control: Control,
    store: store::Store,
    uploads: uploads::Uploads,
    /// [`Control::operator_token`], until it is revoked.
    operator_token: ArcSwapOption<Secret>,
    stopping: watch::Sender<bool>,
}

/// Answers on `listener` until `shutdown`; then requests that run finish and log streams end, within
/// [`ControlLimits::stop_within`].
pub async fn serve(listener: TcpListener, control: Control, shutdown: impl Future<Output = ()>) {
    let api = Arc::new(Api::new(control));
    connection::serve(listener, routes(&api), &api.control.limits, shutdown, &api.stopping).await;
}

impl Api {
    fn new(mut control: Control) -> Self {
        Self {
            store: store::Store::new(Arc::clone(&control.registry), Arc::clone(&control.health)),
            uploads: uploads::Uploads::new(&control.limits),
            operator_token: ArcSwapOption::from_pointee(control.operator_token.take()),
            stopping: watch::Sender::new(false),
            control,
        }
    }
}

/// The OpenAPI document of `/api/v1`, as JSON.
#[must_use]
pub fn openapi() -> serde_json::Value {
    let (_, document) = documented().split_for_parts();
    openapi::complete(&document)
}

/// Every documented endpoint.
fn documented() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(OpenApi::default()).nest("/api/v1", api::endpoints())
}

fn routes(api: &Arc<Api>) -> Router {
    let (endpoints, document) = documented().split_for_parts();
    let document = openapi::complete(&document).to_string();
    endpoints
        .route(
            "/api/v1/openapi.json",
            get(async move || ([(CONTENT_TYPE, "application/json")], document.clone())),
        )
        .route("/metrics", get(metrics))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(async |State(api): State<Arc<Api>>| api.control.health.readyz()))
        .route("/", get(async || Html(FRONT_PAGE)))
        .fallback(async || Refusal::not_found("such path; /api/v1/openapi.json lists all"))
        .method_not_allowed_fallback(async || {
            let detail = "this path does not know the method; the allow header lists those that it knows";
            Refusal::new(Word::MethodNotAllowed, detail)
        })
        .layer(axum::middleware::from_fn_with_state(Arc::clone(api), request::around))
        .with_state(Arc::clone(api))
}

/// With thousands of handlers the text takes milliseconds to write, which webhooks must not wait for.
async fn metrics(
    State(api): State<Arc<Api>>,
) -> Result<([(http::HeaderName, &'static str); 1], String), Refusal> {
    let write = Arc::clone(&api.control.metrics);
    let text = tokio::task::spawn_blocking(move || write()).await;
    let text = text.map_err(|error| Refusal::internal(&error))?;
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}

const FRONT_PAGE: &str = "<!doctype html>\n<html lang=\"en\"><title>hookswitch</title>\n<h1>hookswitch</h1>\n\
    <p>This is a host's control port: the API is under <code>/api/v1</code>, described by\n\
    <a href=\"/api/v1/openapi.json\">openapi.json</a>. Also here: <a href=\"/metrics\">metrics</a>,\n\
    <a href=\"/readyz\">readiness</a>.</p>\n</html>\n";
