//! A request through `wasi:http`.

use super::{Answered, ErrorKind, Sent, Target};
use crate::bindings::imports::wasi::http::outgoing_handler;
use crate::bindings::imports::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme, http_error_code,
};
use crate::bindings::imports::wasi::io::streams::{OutputStream, StreamError};

/// What is read at once.
const CHUNK_BYTES: u64 = 64 * 1024;

/// Sends a request and takes the whole answer.
pub(crate) fn send_http(sent: &Sent, target: &Target<'_>) -> Answered {
    let answer = begin(sent, target)?;
    answer.subscribe().block();
    let answer = match answer.get() {
        Some(Ok(Ok(answer))) => answer,
        Some(Ok(Err(code))) => return Err(explain(&code)),
        // Asked for once, and ready: the host does not give it out twice, nor too early.
        Some(Err(())) | None => return Err((ErrorKind::Broken, "the host gave no answer".into())),
    };
    let headers = answer.headers().entries();
    let headers =
        headers.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()));
    Ok((answer.status(), headers.collect(), read(&answer)?))
}

/// Hands the request over, with its body after it: the host takes that in while it is written.
fn begin(sent: &Sent, target: &Target<'_>) -> Result<FutureIncomingResponse, (ErrorKind, String)> {
    let wrong = |what: &str| (ErrorKind::Request, format!("its {what} can't be sent"));
    let fields: Vec<(String, Vec<u8>)> =
        sent.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    let fields = Fields::from_list(&fields)
        .map_err(|error| (ErrorKind::Request, format!("a header can't be sent: {error:?}")))?;
    let request = OutgoingRequest::new(fields);
    request.set_method(&method(&sent.method)).map_err(|()| wrong("method"))?;
    request
        .set_scheme(Some(if target.https { &Scheme::Https } else { &Scheme::Http }))
        .map_err(|()| wrong("scheme"))?;
    request.set_authority(Some(target.authority)).map_err(|()| wrong("host"))?;
    request.set_path_with_query(Some(target.path_and_query)).map_err(|()| wrong("path"))?;
    let options = sent.timeout_ms.map(|timeout_ms| {
        let (options, timeout_ns) = (RequestOptions::new(), timeout_ms.saturating_mul(1_000_000));
        // Where the host does not take one, the call's deadline is the bound.
        let _ = options.set_first_byte_timeout(Some(timeout_ns));
        let _ = options.set_between_bytes_timeout(Some(timeout_ns));
        options
    });
    let body = if sent.body.is_empty() { None } else { Some(request.body().map_err(|()| wrong("body"))?) };
    let answer = outgoing_handler::handle(request, options).map_err(|code| explain(&code))?;
    if let Some(body) = body {
        // What cuts it short is what the answer will say.
        if let Ok(stream) = body.write() {
            write(&stream, &sent.body);
        }
        let _ = OutgoingBody::finish(body, None);
    }
    Ok(answer)
}

fn write(stream: &OutputStream, mut body: &[u8]) {
    while !body.is_empty() {
        match stream.check_write() {
            Ok(0) => stream.subscribe().block(),
            Ok(room) => {
                let (now, later) = body.split_at(body.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
                if stream.write(now).is_err() {
                    return;
                }
                body = later;
            }
            Err(_) => return,
        }
    }
}

fn read(answer: &IncomingResponse) -> Result<Vec<u8>, (ErrorKind, String)> {
    let broken = || (ErrorKind::Broken, "the answer has no body".to_owned());
    let incoming: IncomingBody = answer.consume().map_err(|()| broken())?;
    let stream = incoming.stream().map_err(|()| broken())?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(CHUNK_BYTES) {
            Ok(chunk) if body.is_empty() => body = chunk,
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(body),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(http_error_code(&error)
                    .map_or_else(|| (ErrorKind::Broken, error.to_debug_string()), |code| explain(&code)));
            }
        }
    }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

/// The host's codes in the SDK's words; the whole story is in the log.
fn explain(code: &ErrorCode) -> (ErrorKind, String) {
    let (kind, why) = match code {
        ErrorCode::HttpRequestDenied => {
            (ErrorKind::Denied, "the host refused it; the log says why and what would permit it")
        }
        ErrorCode::DestinationIpProhibited => {
            (ErrorKind::Prohibited, "its address is one that handlers may not reach")
        }
        ErrorCode::DnsError(_) | ErrorCode::DnsTimeout => (ErrorKind::Unreachable, "its host has no address"),
        ErrorCode::ConnectionRefused | ErrorCode::DestinationUnavailable => {
            (ErrorKind::Unreachable, "nobody answers there")
        }
        ErrorCode::TlsCertificateError => (ErrorKind::Tls, "its certificate is not to be trusted"),
        ErrorCode::TlsProtocolError => (ErrorKind::Tls, "there is no encrypted connection"),
        ErrorCode::ConnectionTimeout => (ErrorKind::Timeout, "no connection in time"),
        ErrorCode::HttpResponseTimeout => (ErrorKind::Timeout, "no answer in time"),
        ErrorCode::ConnectionReadTimeout => {
            (ErrorKind::Timeout, "the rest of the answer did not come in time")
        }
        ErrorCode::ConnectionLimitReached => {
            (ErrorKind::Limit, "there are too many requests; the log says which limit was met")
        }
        ErrorCode::HttpRequestBodySize(_) => (ErrorKind::Limit, "its body is larger than may be sent"),
        ErrorCode::HttpResponseBodySize(_) => (ErrorKind::Limit, "the answer is larger than may be received"),
        ErrorCode::HttpRequestHeaderSectionSize(_) => {
            (ErrorKind::Limit, "its headers are larger than may be sent")
        }
        ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestMethodInvalid => {
            (ErrorKind::Request, "its URL or method can't be sent")
        }
        ErrorCode::ConnectionTerminated => (ErrorKind::Broken, "the connection broke"),
        _ => (ErrorKind::Broken, "what came back was no answer"),
    };
    (kind, why.to_owned())
}
