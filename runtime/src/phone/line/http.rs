//! Over the wire, to any host.

use std::error::Error as _;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use url::Url;

use super::{Line, LineError, Outgoing, Reply};
use crate::phone::ANSWER_BYTES_MAX;

/// How long a connection may take. Of the connection overrides only the total time counts on this line: a client has one
/// limit for all its connections.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Sends webhooks over HTTP.
pub struct HttpLine(reqwest::Client);

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
#[error("no connection can be made from this machine: {0}")]
pub struct NoLine(reqwest::Error);

impl HttpLine {
    /// A line to the host of `url`.
    ///
    /// # Errors
    /// [`NoLine`] where the line has to be secure and this machine has no certificates to trust.
    pub fn to(url: &Url) -> Result<Self, NoLine> {
        // Another part of the process may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN);
        if matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
            builder = builder.no_proxy();
        }
        if url.scheme() != "https" {
            // Otherwise a machine without certificates could not even speak plain HTTP.
            builder = builder.tls_certs_only([]);
        }
        builder.build().map(Self).map_err(NoLine)
    }
}

impl Line for HttpLine {
    async fn send(&self, request: Outgoing) -> Result<Reply, LineError> {
        let began = Instant::now();
        let within = request.answer_within;
        let exchange = async {
            let mut response = self
                .0
                .request(request.method, request.url)
                .headers(request.headers)
                .body(request.body)
                .send()
                .await
                .map_err(|error| named(&error, CONNECT_WITHIN.as_millis()))?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let mut body = BytesMut::new();
            // One byte more than is allowed tells that it is too long.
            while body.len() <= ANSWER_BYTES_MAX
                && let Some(chunk) =
                    response.chunk().await.map_err(|error| LineError::Protocol(innermost(&error)))?
            {
                body.extend_from_slice(&chunk);
            }
            Ok(Reply { status, headers, body: body.freeze(), took: began.elapsed() })
        };
        tokio::time::timeout(within, exchange)
            .await
            .unwrap_or(Err(LineError::ReadTimeout(within.as_millis())))
    }
}

fn named(error: &reqwest::Error, connect_ms: u128) -> LineError {
    let text = innermost(error);
    if !error.is_connect() {
        return LineError::Protocol(text);
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<rustls::Error>() {
            return LineError::Tls(text);
        }
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            match io.kind() {
                ErrorKind::ConnectionRefused => return LineError::Refused(text),
                ErrorKind::TimedOut => return LineError::ConnectTimeout(connect_ms),
                _ if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
                    return LineError::Tls(text);
                }
                _ => {}
            }
        }
        if inner.to_string().contains("dns") {
            return LineError::Name(text);
        }
        cause = inner.source();
    }
    if error.is_timeout() { LineError::ConnectTimeout(connect_ms) } else { LineError::Refused(text) }
}

fn innermost(error: &reqwest::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        said = inner.to_string();
        cause = inner.source();
    }
    said
}
