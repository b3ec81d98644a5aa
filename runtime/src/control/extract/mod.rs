//! What a request brings, read and checked: JSON bodies, path segments, queries.
//!
//! Bodies are JSON objects. What is wrong with one is said in words of JSON and of the API (`said`), not in the parser's.
//!
//! axum's own extractors refuse with plain text; these refuse with problem documents, and bound what is read: a body has a
//! size and a time, and JSON is never nested deeper than the parser's 128 levels.

mod said;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
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
        if bytes.trim_ascii() == b"null" {
            return Ok(Self(T::default()));
        }
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Api>> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refusal> {
        let rejection = match axum::extract::Path::from_request_parts(parts, api).await {
            Ok(axum::extract::Path(value)) => return Ok(Self(value)),
            Err(rejection) => rejection,
        };
        let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
            return Err(Refusal::internal(&rejection));
        };
        Err(match failed.into_kind() {
            // Of our own types: they say what was found and what was expected.
            ErrorKind::DeserializeError { message, .. } | ErrorKind::Message(message) => {
                Refusal::new(Word::Malformed, message)
            }
            ErrorKind::InvalidUtf8InPathParam { key } => {
                let detail = format!("the {key} of the path is not UTF-8: expected letters and digits");
                Refusal::new(Word::Malformed, detail)
            }
            // The path's template and its type do not go together.
            other => Refusal::internal(&other),
        })
    }
}

impl<T: DeserializeOwned> FromRequestParts<Arc<Api>> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refusal> {
        let query = axum::extract::Query::from_request_parts(parts, api).await;
        let refuse = |text: &str| {
            Refusal::new(Word::Malformed, said::of_query(text, parts.uri.query().unwrap_or_default()))
        };
        query
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| refuse(&rejection.body_text()))
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
    let malformed = |detail| Refusal::new(Word::Malformed, detail);
    // A derived type would also take a list, and its fields by their order.
    if let Some(other) = said::no_object(bytes) {
        return Err(malformed(format!("the body {other}: expected an object, {{ … }}")));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut reader);
    let parsed =
        parsed.map_err(|error| malformed(said::of_json(&error.path().to_string(), error.inner())))?;
    reader.end().map_err(|error| malformed(said::of_json(".", &error)))?;
    Ok(parsed)
}
