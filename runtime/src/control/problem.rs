//! What the API says when it does not do what was asked: problem documents (RFC 9457) and nothing else.
//!
//! One table of words. A word is stable and is what programs look at; the detail is for people and says what was found,
//! what was expected and what to try. Causes that only the operator may know go to the log.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use tracing::error;

use super::model::Problem;
use crate::recording::replay::ReplayReport;

/// The media type of a problem document.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";
/// Longest detail, in characters: enough for any sentence of ours, and for part of what somebody sent.
const DETAIL_CHARS_MAX: usize = 2_000;
/// When a thing that is unavailable may be asked for again, in seconds.
const RETRY_AFTER_S: &str = "5";

/// The stable words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Malformed,
    Unauthorized,
    InvalidToken,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    TooSlow,
    Conflict,
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    DigestMismatch,
    ComponentRefused,
    QuotaExceeded,
    ReplayDiffers,
    TooManyStreams,
    Internal,
    Unavailable,
    StillRunning,
}

impl Word {
    /// The word, its status and its title.
    fn row(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Word::Malformed => ("malformed-request", S::BAD_REQUEST, "The request can't be read"),
            Word::Unauthorized => ("unauthorized", S::UNAUTHORIZED, "A token is needed"),
            Word::InvalidToken => ("unauthorized", S::UNAUTHORIZED, "The token is not known"),
            Word::Forbidden => ("forbidden", S::FORBIDDEN, "The token does not allow this"),
            Word::NotFound => ("not-found", S::NOT_FOUND, "There is no such thing"),
            Word::MethodNotAllowed => ("method-not-allowed", S::METHOD_NOT_ALLOWED, "Not with this method"),
            Word::TooSlow => ("too-slow", S::REQUEST_TIMEOUT, "The request came too slowly"),
            Word::Conflict => ("conflict", S::CONFLICT, "It does not fit what is there"),
            Word::TooLarge => ("too-large", S::PAYLOAD_TOO_LARGE, "The request is too large"),
            Word::UnsupportedMediaType => {
                ("unsupported-media-type", S::UNSUPPORTED_MEDIA_TYPE, "Not in this form")
            }
            Word::Invalid => ("invalid", S::UNPROCESSABLE_ENTITY, "A value can't be used"),
            Word::DigestMismatch => {
                ("digest-mismatch", S::UNPROCESSABLE_ENTITY, "The bytes are not those of the digest")
            }
            Word::ComponentRefused => {
                ("component-refused", S::UNPROCESSABLE_ENTITY, "The component or its settings are refused")
            }
            Word::QuotaExceeded => ("quota-exceeded", S::TOO_MANY_REQUESTS, "The tenant's quota is used up"),
            Word::ReplayDiffers => ("replay-differs", S::CONFLICT, "Kept calls would hear something else"),
            Word::TooManyStreams => ("too-many-streams", S::TOO_MANY_REQUESTS, "Too many streams are open"),
            Word::Internal => ("internal", S::INTERNAL_SERVER_ERROR, "A fault of the host"),
            Word::Unavailable => ("unavailable", S::SERVICE_UNAVAILABLE, "Not possible at the moment"),
            Word::StillRunning => ("still-running", S::SERVICE_UNAVAILABLE, "It takes longer than expected"),
        }
    }
}

/// A request that is not answered as asked.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) word: Word,
    pub(super) detail: String,
    /// What refused a component.
    pub(super) reason: Option<String>,
    /// What kept calls would hear.
    pub(super) replay: Option<Box<ReplayReport>>,
}

impl Refusal {
    pub(super) fn new(word: Word, detail: impl Into<String>) -> Self {
        Self { word, detail: detail.into(), reason: None, replay: None }
    }

    /// A fault of ours: the cause goes to the log, the client hears that there was one.
    pub(super) fn internal(cause: &dyn std::fmt::Display) -> Self {
        error!(target: "control", "a request failed by a fault of the host: {cause}");
        Self::new(
            Word::Internal,
            "the host made a mistake and said why in its log, under the x-request-id of this answer",
        )
    }

    /// Whether it only says that the registry can't be asked now.
    pub(super) fn is_unavailable(&self) -> bool {
        matches!(self.word, Word::Unavailable)
    }

    pub(super) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(Word::NotFound, format!("there is no {what}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (word, status, title) = self.word.row();
        let problem = Problem {
            kind: format!("urn:hookswitch:problem:{word}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail.chars().take(DETAIL_CHARS_MAX).collect(),
            reason: self.reason,
            replay: self.replay,
        };
        // A struct of texts and a number has always a JSON.
        let mut response = Response::new(Body::from(serde_json::to_vec(&problem).unwrap_or_default()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        match self.word {
            Word::Unauthorized => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hookswitch\""));
            }
            Word::InvalidToken => {
                let value = "Bearer realm=\"hookswitch\", error=\"invalid_token\"";
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(value));
            }
            Word::Unavailable | Word::TooManyStreams => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
            }
            _ => {}
        }
        response
    }
}
