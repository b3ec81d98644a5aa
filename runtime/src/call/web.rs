//! A web request and its answer: whole, and nobody's in particular.

use std::net::IpAddr;

use bytes::Bytes;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, Method, StatusCode};

/// One request under a handler's `/web`. Anybody may have sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebRequest {
    /// Any that HTTP knows, but for CONNECT and TRACE.
    pub method: Method,
    /// As its sender spoke to us, or to a proxy that we trust.
    pub scheme: Scheme,
    /// Whom it was sent to.
    pub authority: String,
    /// Path and query exactly as received.
    pub uri: PathAndQuery,
    /// How much of the path is the handler's place, `/{tenant}/{handler}/web`, in bytes.
    pub mount_len: usize,
    /// Header fields without those of the connection.
    pub headers: HeaderMap,
    /// All of it.
    pub body: Bytes,
    /// Who sent it: the peer, or whom a trusted proxy names.
    pub client: IpAddr,
}

impl WebRequest {
    /// The path behind the handler's place, as received: empty, or beginning with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path().get(self.mount_len..).unwrap_or_default()
    }
}

/// What a handler answers a web request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebResponse {
    /// 200 to 599.
    pub status: StatusCode,
    /// Header fields as the handler wrote them.
    pub headers: HeaderMap,
    /// All of it.
    pub body: Bytes,
}
