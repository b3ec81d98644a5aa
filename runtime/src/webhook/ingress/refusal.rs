//! Why a request is turned away before anybody looks at what it wants, and how that is said.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use super::pace::LogPace;

/// The pace of the lines about refusals.
static LINES: LogPace = LogPace::new();

/// What is wrong with a request. The text goes to the peer, so it tells nothing about the host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the method is longer than 16 bytes")]
    MethodTooLong,
    #[error("method {0} is not answered here; use GET or POST")]
    MethodNotAllowed(http::Method),
    #[error("method is not known here; use GET or POST")]
    MethodUnknown,
    #[error("the URL is longer than {max} bytes")]
    UriTooLong { max: usize },
    #[error("the URL {0}")]
    Uri(&'static str),
    #[error("HTTP/1.1 needs exactly one Host header")]
    HostCount,
    #[error("Host or URL names no valid host: {0}")]
    Host(&'static str),
    #[error("Host and URL name different hosts")]
    HostsDiffer,
    #[error("more than {max} header fields")]
    TooManyHeaders { max: usize },
    #[error("Content-Length and Transfer-Encoding in one request")]
    TwoLengths,
    #[error("Transfer-Encoding is not just \"chunked\"")]
    TransferEncoding,
    #[error("the only expectation met here is 100-continue")]
    Expectation,
    #[error(
        "X-Forwarded-{0} is malformed; what the trusted proxy sends must be one token or a comma-separated list"
    )]
    Forwarded(&'static str),
    #[error("the body is larger than {max} bytes")]
    BodyTooLarge { max: usize },
    #[error("the body did not arrive in time")]
    BodyTooSlow,
    #[error("the body broke off or is not well-formed")]
    BodyBroken,
    #[error("too many large bodies are being received; try again in a second")]
    BodiesFull,
    #[error("the host failed on this request; it has been logged")]
    Panicked,
}

/// Whether the byte stream can be trusted to hold the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The request was understood as a message.
    KeepOpen,
    /// Where it ends is in doubt, or we do not want to read on to its end.
    Close,
}

impl Refusal {
    /// Status, what becomes of the connection, and the name under which it is counted.
    fn verdict(&self) -> (StatusCode, Then, &'static str) {
        match self {
            Self::MethodTooLong => (StatusCode::BAD_REQUEST, Then::Close, "method"),
            Self::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, Then::KeepOpen, "method"),
            Self::MethodUnknown => (StatusCode::NOT_IMPLEMENTED, Then::Close, "method"),
            Self::UriTooLong { .. } => (StatusCode::URI_TOO_LONG, Then::Close, "uri_bytes_max"),
            Self::Uri(_) => (StatusCode::BAD_REQUEST, Then::Close, "uri"),
            Self::HostCount | Self::Host(_) | Self::HostsDiffer => {
                (StatusCode::BAD_REQUEST, Then::Close, "host")
            }
            Self::TooManyHeaders { .. } => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, Then::Close, "headers_max")
            }
            Self::TwoLengths => (StatusCode::BAD_REQUEST, Then::Close, "framing"),
            Self::TransferEncoding => (StatusCode::NOT_IMPLEMENTED, Then::Close, "framing"),
            Self::Expectation => (StatusCode::EXPECTATION_FAILED, Then::Close, "expectation"),
            Self::Forwarded(_) => (StatusCode::BAD_REQUEST, Then::Close, "forwarded"),
            Self::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, Then::Close, "body_bytes_max"),
            Self::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, Then::Close, "body_within"),
            Self::BodyBroken => (StatusCode::BAD_REQUEST, Then::Close, "body"),
            Self::BodiesFull => (StatusCode::SERVICE_UNAVAILABLE, Then::Close, "bodies_bytes_max"),
            Self::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, Then::Close, "panic"),
        }
    }

    /// Whether the message itself was understood, so that the next one can follow.
    pub(super) fn keeps_open(&self) -> bool {
        self.verdict().1 == Then::KeepOpen
    }

    /// The row of the error table, for those that have one.
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::MethodNotAllowed(_) | Self::MethodUnknown => Some("HS106"),
            Self::BodyTooLarge { .. } => Some("HS107"),
            Self::Panicked => Some("HS212"),
            _ => None,
        }
    }

    /// The answer to `peer`, and what becomes of the connection after it.
    pub(super) fn answer(&self, peer: SocketAddr) -> (Response<Bytes>, Then) {
        let (status, then, counted) = self.verdict();
        metrics::counter!("hookswitch_ingress_refused_total", "why" => counted).increment(1);
        if let Some(left_out) = LINES.line() {
            tracing::info!(target: "ingress", %peer, status = status.as_u16(), left_out, "{self}");
        }

        let mut response = Response::new(Bytes::from(format!("{self}\n")));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(http::header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(code) = self.code() {
            headers.insert(HeaderName::from_static("x-hookswitch-error"), HeaderValue::from_static(code));
        }
        (response, then)
    }
}

/// An answer written straight to the socket, where the HTTP/1 parser never gets to see a whole head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Canned {
    /// A first line without an end whose first word is no method.
    BadMethod,
    /// A first line without an end.
    UriTooLong,
    /// A head that did not come to its end in time.
    HeadTooSlow,
    /// One connection too many.
    TooManyConnections,
}

impl Canned {
    /// The whole answer.
    pub(super) fn bytes(self) -> &'static [u8] {
        match self {
            Self::BadMethod => {
                b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
                  content-length: 36\r\n\r\nthe method is longer than 16 bytes.\n"
            }
            Self::UriTooLong => {
                b"HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
                  content-length: 21\r\n\r\nthe URL is too long.\n"
            }
            Self::HeadTooSlow => {
                b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
                  content-length: 46\r\n\r\nthe head of the request did not come in time.\n"
            }
            Self::TooManyConnections => {
                b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\n\
                  content-type: text/plain; charset=utf-8\r\ncontent-length: 33\r\n\r\n\
                  too many connections; come back.\n"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canned_answer_is_as_long_as_it_says() {
        for canned in [Canned::BadMethod, Canned::UriTooLong, Canned::HeadTooSlow, Canned::TooManyConnections]
        {
            let text = std::str::from_utf8(canned.bytes()).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let said = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            assert_eq!(said.parse(), Ok(body.len()), "{canned:?}");
        }
    }
}
