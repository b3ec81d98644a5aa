//! The call of `wasi:http/incoming-handler`: a request that is there whole, and an answer that is taken in whole.
//!
//! The guest writes its answer into a stream, so somebody has to read it while the guest runs: both are polled by the same
//! invocation, under its one deadline. An answer counts when the guest has said all of it and has returned; whatever is
//! missing then is a failure, and nobody sees half an answer.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full};
use tokio::sync::oneshot;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::ProxyIndices;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use super::RunError;
use super::store::State;
use crate::call::{WebRequest, WebResponse};

/// Longest answer to a web request, in bytes: as much as a request may have.
pub(super) const RESPONSE_BYTES_MAX: usize = 1 << 20;

/// The export `wasi:http/incoming-handler`, whose types were found to be right.
pub(crate) struct Web(ProxyIndices);

/// What comes out of the guest's `response-outparam`.
type Given = Result<http::Response<HyperOutgoingBody>, ErrorCode>;

impl Web {
    /// The interface's name; a component may have any version of the same line.
    pub(crate) const NAME: &str = "wasi:http/incoming-handler@0.2.0";

    /// Finds the function and checks its types; none if the component does not export the interface.
    ///
    /// # Errors
    /// It exports the interface and has another function or other types in it.
    pub(crate) fn find(instance: &InstancePre<State>) -> wasmtime::Result<Option<Self>> {
        match instance.component().get_export_index(None, Self::NAME) {
            None => Ok(None),
            Some(_) => ProxyIndices::new(instance).map(|indices| Some(Self(indices))),
        }
    }

    /// Hands `request` to the guest and takes in its answer.
    pub(super) async fn call(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
        request: &WebRequest,
    ) -> wasmtime::Result<Result<WebResponse, RunError>> {
        let proxy = self.0.load(&mut *store, instance)?;
        let (give, given) = oneshot::channel::<Given>();
        let (sent, scheme) = (incoming(request)?, scheme(request));
        let mut http = store.data_mut().capabilities.http();
        let sent = http.new_incoming_request(scheme, sent)?;
        let answer = http.new_response_outparam(give)?;
        let handler = proxy.wasi_http_incoming_handler();
        let mut guest = pin!(handler.call_handle(&mut *store, sent, answer));
        let mut taken = pin!(take_in(given));
        let mut response = None;
        poll_fn(|context| {
            let mut look = |context: &mut _| {
                if response.is_none()
                    && let Poll::Ready(taken) = taken.as_mut().poll(context)
                {
                    response = Some(taken);
                }
                // One that can't be sent any more is not waited for.
                matches!(&response, Some(Err(RunError::Unsendable { .. })))
            };
            if !look(context) {
                match guest.as_mut().poll(context) {
                    Poll::Ready(Err(trap)) => return Poll::Ready(Err(trap)),
                    Poll::Pending => return Poll::Pending,
                    // What was written last is still to be read.
                    Poll::Ready(Ok(())) => drop(look(context)),
                }
            }
            Poll::Ready(Ok(response.take().unwrap_or_else(|| {
                Err(unsendable("the handler returned before it had given it, or finished its body"))
            })))
        })
        .await
    }
}

/// The request as wasmtime-wasi-http takes it. What may not reach a guest (`host`, and what belongs to a connection) it takes
/// out by itself.
fn incoming(
    request: &WebRequest,
) -> wasmtime::Result<Request<impl hyper::body::Body<Data = Bytes, Error = Error> + Send + 'static>> {
    let uri = Uri::builder()
        .scheme(request.scheme.clone())
        .authority(request.authority.as_str())
        .path_and_query(request.uri.clone())
        .build()?;
    let body = Full::new(request.body.clone()).map_err(|never| match never {});
    let mut sent = Request::new(body);
    *sent.method_mut() = request.method.clone();
    *sent.uri_mut() = uri;
    *sent.headers_mut() = request.headers.clone();
    Ok(sent)
}

fn scheme(request: &WebRequest) -> Scheme {
    if request.scheme == http::uri::Scheme::HTTPS { Scheme::Https } else { Scheme::Http }
}

/// Waits for the guest's answer and for the end of its body.
async fn take_in(given: oneshot::Receiver<Given>) -> Result<WebResponse, RunError> {
    let response = match given.await {
        Ok(Ok(response)) => response,
        // How the SDK says that its function failed.
        Ok(Err(ErrorCode::InternalError(Some(message)))) => {
            return Err(RunError::Failed { message, causes: Vec::new() });
        }
        Ok(Err(code)) => {
            let message = format!("the handler answered the web request with the error {code:?}");
            return Err(RunError::Failed { message, causes: Vec::new() });
        }
        Err(_) => {
            let message = "the handler returned without an answer to the web request".to_owned();
            return Err(RunError::Failed { message, causes: Vec::new() });
        }
    };
    let (parts, mut body) = response.into_parts();
    if parts.status.as_u16() < 200 || parts.status.as_u16() > 599 {
        return Err(unsendable(&format!("its status is {}, expected 200 to 599", parts.status.as_u16())));
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|code| unsendable(&format!("its body broke off: {code:?}")))?;
        // Trailers are dropped: what is sent has its length in its head.
        let Ok(data) = frame.into_data() else { continue };
        if whole.len().saturating_add(data.len()) > RESPONSE_BYTES_MAX {
            let problem = format!(
                "its body has more than {RESPONSE_BYTES_MAX} bytes; larger things belong to a file server, linked"
            );
            return Err(unsendable(&problem));
        }
        whole.extend_from_slice(&data);
    }
    Ok(WebResponse { status: parts.status, headers: parts.headers, body: whole.freeze() })
}

fn unsendable(problem: &str) -> RunError {
    RunError::Unsendable { problem: problem.to_owned() }
}
