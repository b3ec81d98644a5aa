//! Web requests: `/{tenant}/{handler}/web` and all behind it, for the handler's `wasi:http/incoming-handler`.
//!
//! The same way as a webhook's, but for what a carrier is: nothing is signed, so whoever reaches the host reaches the
//! handler; there is no call, so the sender's address is what a canary's share is drawn by; and nobody is on a line, so a
//! failure is an HTTP error and there is no fallback document. Because anybody can send as many as he likes, web requests
//! have at most half of their handler's and of their tenant's places and a breaker of their own: what they do to a handler,
//! its callers do not hear.
//!
//! What the handler answers is sent as it is, framed anew.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::uri::Scheme;
use http::{Response, StatusCode};
use http_body_util::Full as FullBody;
use hyper::body::Body as _;

use super::errors::{Failure, Refusal};
use super::ingress::Incoming;
use super::route::Pinned;
use super::{Answer, ERROR, PLAIN, REVISION, Target, invoke, requested_url};
use crate::admission::places::{self, Entered, Full, Places};
use crate::call::{RevisionId, WebRequest, WebResponse, Webhook};
use crate::host::{Host, minute};
use crate::router::{Handler, Picked, Tenant};
use crate::sandbox::RunError;
use crate::telemetry::RequestId;

/// Tells the handler how much of the path is its place, so that it can write links and knows where its own path begins.
static PREFIX: HeaderName = HeaderName::from_static("x-hookswitch-prefix");
/// Tells the handler who sent the request: the peer, or whom a trusted proxy names.
static CLIENT: HeaderName = HeaderName::from_static("x-hookswitch-client");

/// The connection's own header fields, which no handler gets to see or to set.
static OF_THE_CONNECTION: [HeaderName; 7] = [
    CONNECTION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Answers one web request.
///
/// # Errors
/// [`Refusal`], where its `hs` is not ours.
pub(super) async fn answer(
    host: &Arc<Host>,
    incoming: &Incoming,
    tenant: &Arc<Tenant>,
    handler: &Arc<Handler>,
    pin: Pinned<'_>,
    mount_len: usize,
) -> Result<Answer, Refusal> {
    let webhook = Webhook::Web(Box::new(read(incoming, mount_len)));
    let picked = handler.pick(&tenant.id, pin, &webhook, &host.pin_key, &host.calls.load(), minute())?;
    let request = RequestId::next();
    let url = requested_url(host, tenant, incoming);
    if incoming.method.is_safe() {
        let target = Target { tenant, handler, picked, request: &request, url: &url, delivery: None };
        return Ok(invoke(host, &target, &webhook).await);
    }
    // In a task of its own: a browser that goes away shall not stop halfway what it began.
    let (host, tenant, handler) = (Arc::clone(host), Arc::clone(tenant), Arc::clone(handler));
    let (revision, begins) = (Arc::clone(picked.revision), picked.begins);
    let task = tokio::spawn(async move {
        let picked = Picked { revision: &revision, begins };
        let target = Target {
            tenant: &tenant,
            handler: &handler,
            picked,
            request: &request,
            url: &url,
            delivery: None,
        };
        invoke(&host, &target, &webhook).await
    });
    match task.await {
        Ok(answer) => Ok(answer),
        // As for a webhook: ingress answers a panic of ours.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Takes places behind two walls that are web requests' alone.
pub(super) async fn enter<'a>(
    handler: &'a Handler,
    tenant: &'a Tenant,
    [own, tenants, hosts]: [&'a Places; 3],
    until: Instant,
) -> Result<Entered<'a>, Full> {
    places::enter([&handler.web_places, &tenant.web_places, own, tenants, hosts], until).await
}

/// The request as the handler gets it.
fn read(incoming: &Incoming, mount_len: usize) -> WebRequest {
    let forwarded = incoming.forwarded.as_ref();
    let scheme = forwarded.and_then(|forwarded| forwarded.proto.clone()).unwrap_or(Scheme::HTTP);
    let authority = forwarded.and_then(|forwarded| forwarded.host.as_ref()).or(incoming.host.as_ref());
    let mut headers = incoming.headers.clone();
    without_connection(&mut headers);
    // What is written here is the host's word, so nobody else may write it.
    let foreign: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("x-hookswitch-")).cloned().collect();
    for name in foreign {
        headers.remove(name);
    }
    let prefix = incoming.uri.path().get(..mount_len).unwrap_or_default();
    for (name, value) in [(&PREFIX, prefix), (&CLIENT, incoming.client.to_string().as_str())] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name.clone(), value);
        }
    }
    WebRequest {
        method: incoming.method.clone(),
        scheme,
        // HTTP/1.0 may name nobody, and a guest is promised a name.
        authority: authority.map_or("localhost", |host| host.as_str()).to_owned(),
        uri: incoming.uri.clone(),
        mount_len,
        headers,
        body: incoming.body.clone(),
        client: incoming.client,
    }
}

/// The handler's answer, framed anew.
pub(super) fn answered(response: WebResponse, revision: RevisionId) -> Answer {
    let WebResponse { status, mut headers, mut body } = response;
    without_connection(&mut headers);
    headers.remove(CONTENT_LENGTH);
    headers.remove(&ERROR);
    headers.remove(&REVISION);
    if status == StatusCode::NO_CONTENT
        || status == StatusCode::RESET_CONTENT
        || status == StatusCode::NOT_MODIFIED
    {
        // By HTTP these have none, and whoever reads one would take it for the next answer.
        body = Bytes::new();
    }
    Answer { status, body, headers: Some(Box::new(headers)), revision, code: None }
}

/// What is answered when the handler gave nothing.
pub(super) fn failed(failure: &Failure, revision: RevisionId) -> Answer {
    let code = failure.verdict().code;
    let (status, says, retry_ms) = match failure {
        Failure::Run(RunError::NoExport { .. }) => {
            (StatusCode::NOT_FOUND, "this handler answers no web requests", None)
        }
        Failure::Run(RunError::PastDeadline { .. }) => {
            (StatusCode::GATEWAY_TIMEOUT, "the handler took too long", None)
        }
        Failure::Run(RunError::Overloaded { .. }) | Failure::Overloaded(_) | Failure::NotLoaded { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "too much is going on here; try again in a moment", Some(1_000))
        }
        Failure::Broken { retry_ms } => {
            (StatusCode::SERVICE_UNAVAILABLE, "the handler fails again and again", Some(*retry_ms))
        }
        Failure::Run(_) | Failure::Unusable(_) | Failure::OutsideGrammar(_) | Failure::NotKept(_) => {
            (StatusCode::BAD_GATEWAY, "the handler failed; its log says why", None)
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, PLAIN.clone());
    if let Some(retry_ms) = retry_ms {
        headers.insert(RETRY_AFTER, HeaderValue::from(retry_ms.div_ceil(1_000).max(1)));
    }
    let body = Bytes::from(format!("{code}: {says}\n"));
    Answer { status, body, headers: Some(Box::new(headers)), revision, code: Some(code) }
}

/// The same answer without its body, which a HEAD is told the length of.
pub(super) fn head_only(response: Response<FullBody<Bytes>>) -> Response<FullBody<Bytes>> {
    let (mut parts, body) = response.into_parts();
    let has_none = parts.status == StatusCode::NO_CONTENT || parts.status == StatusCode::NOT_MODIFIED;
    if let (false, Some(length)) = (has_none, body.size_hint().exact()) {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, FullBody::default())
}

/// Takes out what belongs to one connection, and what such a field names (RFC 9110, 7.6.1).
fn without_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in OF_THE_CONNECTION.iter().chain(&named) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let pair =
            |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        lines.iter().map(pair).collect()
    }

    fn response(status: u16, lines: &[(&str, &str)], body: &'static str) -> WebResponse {
        let status = StatusCode::from_u16(status).unwrap();
        WebResponse { status, headers: headers(lines), body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn an_answer_says_nothing_about_a_connection() {
        let lines = [
            ("connection", "close, x-own"),
            ("x-own", "1"),
            ("keep-alive", "1"),
            ("transfer-encoding", "chunked"),
            ("content-length", "99"),
            ("x-hookswitch-revision", "99"),
            ("x-hookswitch-error", "HS000"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
        ];
        let answer = answered(response(200, &lines, "hello"), RevisionId(7)).into_response();
        let kept: Vec<_> =
            answer.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(kept, [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-hookswitch-revision", "7")]);
    }

    #[test]
    fn what_has_no_body_by_http_gets_none() {
        for status in [204, 205, 304] {
            let answer = answered(response(status, &[], "a body"), RevisionId(1));
            assert!(answer.body.is_empty(), "{status}");
        }
        let head =
            |status, body| head_only(answered(response(status, &[], body), RevisionId(1)).into_response());
        let length = |response: &Response<FullBody<Bytes>>| {
            assert_eq!(response.body().size_hint().exact(), Some(0));
            response.headers().get(CONTENT_LENGTH).map(|length| length.to_str().unwrap().to_owned())
        };
        assert_eq!(length(&head(200, "hello")).as_deref(), Some("5"));
        assert_eq!(length(&head(200, "")).as_deref(), Some("0"));
        assert_eq!(length(&head(204, "")), None);
    }
}
