//! The phone page: a phone on the desk, and beside it what its carrier did.
//!
//! The engine is `phone`'s, as for scripts and the command line; here somebody in real time is its party. A page is one
//! stream of events, and all its conversations end with it: whoever closes the page hangs up. What a guest said reaches
//! the page as JSON only, and the page writes it as text.
//!
//! Anybody who can reach the port can call the handlers and write call scripts beside them, so it is bound to this
//! machine and [`guard`] lets no other website speak to it. Building is `dev`'s business; what stands on the board is shown.

mod api;
mod curl;
mod desk;
mod document;
mod files;
mod guard;
mod item;
mod line;
mod person;
mod save;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use self::desk::Desk;
use super::board::Board;
use crate::control::ControlLimits;
use crate::control::connection;
use crate::host::Host;
use crate::phone::{Account, OptOuts};

/// What the page shows and calls.
pub struct Page {
    /// Answers the webhooks.
    pub host: Arc<Host>,
    /// Its handlers and how they stand.
    pub board: Board,
    /// Whose numbers are called; its token signs webhooks.
    pub account: Account,
    /// Who has opted out of messages, at the carrier of this host.
    pub opt_outs: OptOuts,
    /// What the carrier calls, and signatures are over: `http://127.0.0.1:8080`, or the public URL.
    pub base: Url,
    /// Where the data plane listens: where copied commands go.
    pub data_plane: SocketAddr,
    /// Where the page itself is served.
    pub address: SocketAddr,
}

/// Bytes of a request's body. The longest thing that somebody sends is a message of 1 600 characters.
const BODY_BYTES_MAX: usize = 64 << 10;

/// The page and all that it asks for. Its streams end when `stopping` becomes true.
pub fn router(page: Page, stopping: watch::Receiver<bool>) -> Router {
    let address = page.address;
    let desk = Desk::new(page, stopping);
    Router::new()
        .route("/", get(files::index))
        .route("/{file}", get(files::file))
        .route("/api/stream", get(api::stream))
        .route("/api/calls", post(api::call))
        .route("/api/calls/{id}/do", post(api::act))
        .route("/api/messages", post(api::message))
        .route("/api/conversations/{id}/curl/{seq}", get(api::curl))
        .route("/api/conversations/{id}/script", post(api::script))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn(move |request, next| guard::around(address, request, next)))
        .with_state(desk)
}

/// Serves the page on `listener` until `shutdown`; then its streams end, and with them all calls.
pub async fn serve(listener: TcpListener, page: Page, shutdown: impl Future<Output = ()>) {
    let stopping = watch::Sender::new(false);
    let routes = router(page, stopping.subscribe());
    connection::serve(listener, routes, &ControlLimits::default(), shutdown, &stopping).await;
}
