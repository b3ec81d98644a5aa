//! What a request brings, read and checked: JSON bodies, path segments, queries.
//!
//! axum's own extractors refuse with plain text; these refuse with problem documents, and bound what is read: a body has a
//! size and a time, and JSON is never nested deeper than the parser's 128 levels.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::problem::{Refusal, Word};
use super::{Api, ControlLimits};

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

/// A JSON body that may be left out.
pub(super) struct OptionalJson<T>(pub(super) T);

/// The variable segments of the path.
pub(super) struct Path<T>(pub(super) T);

/// The query.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        media_type(&parts, &["application/json"])?;
        let bytes = read(&parts, body, &api.control.limits).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Arc<Api>> for OptionalJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let bytes = read(&parts, body, &api.control.limits).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        media_type(&parts, &["application/json"])?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Api>> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refusal> {
        match axum::extract::Path::from_request_parts(parts, api).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) if rejection.status().is_server_error() => Err(Refusal::internal(&rejection)),
            Err(rejection) => {
                // What follows says what is wrong; that it stands in the URL is of no interest to whoever typed it elsewhere.
                let text = rejection.body_text();
                let text = text.strip_prefix("Invalid URL: ").unwrap_or(&text);
                Err(Refusal::new(Word::Malformed, text.to_owned()))
            }
        }
    }
}

impl<T: DeserializeOwned> FromRequestParts<Arc<Api>> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refusal> {
        axum::extract::Query::from_request_parts(parts, api)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection: QueryRejection| Refusal::new(Word::Malformed, rejection.body_text()))
    }
}

/// Refuses every media type but these, and every encoding of the content.
pub(super) fn media_type(parts: &Parts, accepted: &[&str]) -> Result<(), Refusal> {
    let refuse = |detail| Err(Refusal::new(Word::UnsupportedMediaType, detail));
    // Decoding would let a small request become a large one.
    if let Some(encoding) = parts.headers.get(CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return refuse(format!("content-encoding is {encoding:?}; send the bytes as they are"));
    }
    let expected = accepted.join(" or ");
    let Some(found) = parts.headers.get(CONTENT_TYPE) else {
        return refuse(format!("there is no content-type; expected {expected}"));
    };
    let essence = found.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if accepted.iter().any(|accepted| essence.eq_ignore_ascii_case(accepted)) {
        Ok(())
    } else {
        refuse(format!("content-type is {found:?}; expected {expected}"))
    }
}

/// The size that the client announces.
pub(super) fn announced_bytes(parts: &Parts) -> Option<u64> {
    parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn read(parts: &Parts, body: Body, limits: &ControlLimits) -> Result<Bytes, Refusal> {
    let most = limits.json_bytes_max;
    let too_large =
        || Refusal::new(Word::TooLarge, format!("the body is larger than {most} bytes, the most taken here"));
    if announced_bytes(parts).is_some_and(|bytes| bytes > most as u64) {
        return Err(too_large());
    }
    match timeout(limits.body_within, Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Refusal::new(Word::Malformed, format!("the body broke off: {error}"))),
        Err(_) => {
            let within = limits.body_within.as_secs();
            Err(Refusal::new(Word::TooSlow, format!("the body was not complete within {within} s")))
        }
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes)
        .map_err(|error| Refusal::new(Word::Malformed, format!("the JSON of the body: {error}")))
}
