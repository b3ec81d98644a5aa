//! Requests whose invocation has its effects noted, or answered from a record.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty, Full};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::Url;
use wasmtime_wasi_http::{Error as Code, Result, WasiBody};

use super::code;
use crate::capability::effects::{self, Import, Script, Tape};
use crate::outbound::{Error, Invocation, Patience, Received};
use crate::secrets::SecretValues;

/// The headers of an answer that are noted: what handlers decide by. Others may open something, or be of a body that is not
/// the same any more.
const HEADERS: [HeaderName; 8] = [
    header::CONTENT_TYPE,
    header::CONTENT_LANGUAGE,
    header::LOCATION,
    header::LINK,
    header::ETAG,
    header::LAST_MODIFIED,
    header::CACHE_CONTROL,
    header::RETRY_AFTER,
];

/// An answer as it is noted; the tape adds the body as far as it was read.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    #[serde(default, skip_serializing)]
    body: Option<String>,
}

/// Sends a request and notes it, with what it is answered.
pub(super) fn noted<S>(
    tape: Arc<Tape>,
    request: Request<WasiBody>,
    send: impl FnOnce(Request<WasiBody>) -> S,
) -> impl Future<Output = Result<Response<WasiBody>>> + Send
where
    S: Future<Output = std::result::Result<Response<Received>, Error>> + Send,
{
    let place = tape.ask(asked(&request, tape.secrets()));
    let sending = send(request);
    async move {
        let came = sending.await;
        match &came {
            Ok(response) => tape.answer(place, &Ok::<_, ()>(head(response))),
            // It did not leave the host: whether another revision may send it says its own list.
            Err(error) if error.is_refusal() => tape.withdraw(place),
            Err(error) => tape.answer(place, &Err::<(), _>(code::name(&code::of(error.clone())))),
        }
        came.map_err(code::of).map(|response| {
            response.map(|body| {
                let note = move |frame: http_body::Frame<Bytes>| {
                    if let Some(bytes) = frame.data_ref() {
                        tape.more(place, bytes);
                    }
                    frame
                };
                body.map_err(code::of).map_frame(note).boxed_unsync()
            })
        })
    }
}

/// Answers a request as it was answered then, where this handler may make it.
pub(super) fn answered(
    script: Arc<Script>,
    outbound: Invocation,
    request: Request<WasiBody>,
    patience: Patience,
) -> impl Future<Output = Result<Response<WasiBody>>> + Send {
    let asked = asked(&request, script.secrets());
    let (parts, mut body) = request.into_parts();
    // It has no way out, and that is the last thing it is asked for: counts and allow-list come before.
    let permitted = outbound.send(Request::from_parts(parts, Empty::<Bytes>::new()), patience);
    async move {
        match permitted.await {
            Err(Error::NoWayOut) => {}
            Err(error) => return Err(code::of(error)),
            Ok(_) => return Err(Code::InternalError(Some("a replay sends nothing".to_owned()))),
        }
        // Whoever writes waits until it is read.
        while let Some(frame) = body.frame().await {
            frame?;
        }
        match script.ask::<std::result::Result<Head, String>>(asked) {
            Some(Ok(head)) => Ok(head.response()),
            Some(Err(name)) => Err(code::named(&name)),
            None => Err(Code::ConnectionRefused),
        }
    }
}

/// Method and URL, in one spelling and without secrets.
fn asked<B>(request: &Request<B>, secrets: &SecretValues) -> effects::Request {
    let target = address(request.uri(), secrets);
    effects::Request::new(Import::Http, request.method().to_string(), target)
}

fn address(uri: &Uri, secrets: &SecretValues) -> String {
    let text = uri.to_string();
    // What is no URL is refused before it is sent.
    let Ok(mut url) = Url::parse(&text) else { return text };
    let path = percent_decode_str(url.path()).decode_utf8_lossy().into_owned();
    let hidden = secrets.hidden(&path);
    if *hidden != path {
        url.set_path(&hidden);
    }
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if !pairs.is_empty() {
        let hidden = pairs.iter().map(|(name, value)| (secrets.hidden(name), secrets.hidden(value)));
        url.query_pairs_mut().clear().extend_pairs(hidden);
    }
    url.to_string()
}

fn head<B>(response: &Response<B>) -> Head {
    let text =
        |name: &HeaderName, value: &HeaderValue| Some((name.to_string(), value.to_str().ok()?.to_owned()));
    let headers = response.headers().iter().filter(|(name, _)| HEADERS.contains(name));
    Head {
        status: response.status().as_u16(),
        headers: headers.filter_map(|(name, value)| text(name, value)).collect(),
        body: None,
    }
}

impl Head {
    fn response(self) -> Response<WasiBody> {
        let body = Full::new(Bytes::from(self.body.unwrap_or_default()));
        let mut response = Response::new(body.map_err(Code::from).boxed_unsync());
        // Both were an answer's once.
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        let headers: &mut HeaderMap = response.headers_mut();
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.append(name, value);
            }
        }
        response
    }
}
