//! The control plane's port: metrics and health.
//!
//! On an address of its own, so that a firewall can keep it from the carriers' side.

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tracing::warn;

/// Answers `/metrics` (Prometheus), `/livez` and `/readyz` until it is dropped.
///
/// The data plane is bound and every handler loaded before this is called, so being here is being ready.
pub async fn serve(listener: TcpListener, metrics: PrometheusHandle) {
    let routes = Router::new()
        .route("/metrics", get(async move || metrics.render()))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(async || "ok\n"));
    if let Err(error) = axum::serve(listener, routes).await {
        warn!("the control port ended: {error}");
    }
}
