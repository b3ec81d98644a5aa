//! Between `wasi:http/incoming-handler` and the handler's function.

use super::{Request, Response};
use crate::bindings::imports::wasi::http::types::{
    ErrorCode, Fields, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use crate::bindings::imports::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::{Error, log};

/// How much is read from a body at once, in bytes.
const READ_BYTES: u64 = 64 * 1024;

/// Reads the request, runs `handler` and writes what it answers. An error goes to the host, which answers it.
pub(crate) fn handle(
    request: IncomingRequest,
    out: ResponseOutparam,
    handler: impl FnOnce(&Request) -> Result<Response, Error>,
) {
    let answered = read(&request).and_then(|request| handler(&request));
    let (response, head) = match answered.and_then(|response| head(&response).map(|head| (response, head))) {
        Ok(answered) => answered,
        Err(error) => {
            for cause in error.causes() {
                log::error!("caused by: {cause}");
            }
            let why = ErrorCode::InternalError(Some(error.message().to_owned()));
            return ResponseOutparam::set(out, Err(why));
        }
    };
    let body = head.body();
    ResponseOutparam::set(out, Ok(head));
    // Whatever goes wrong from here on the host notices by the body's missing end, and says so.
    if let Ok(body) = body
        && body.write().is_ok_and(|stream| write(&stream, response.body()).is_ok())
    {
        let _told_to_the_host = OutgoingBody::finish(body, None);
    }
}

fn read(request: &IncomingRequest) -> Result<Request, Error> {
    let method = match request.method() {
        Method::Get => "GET".to_owned(),
        Method::Head => "HEAD".to_owned(),
        Method::Post => "POST".to_owned(),
        Method::Put => "PUT".to_owned(),
        Method::Delete => "DELETE".to_owned(),
        Method::Connect => "CONNECT".to_owned(),
        Method::Options => "OPTIONS".to_owned(),
        Method::Trace => "TRACE".to_owned(),
        Method::Patch => "PATCH".to_owned(),
        Method::Other(other) => other,
    };
    let headers = request.headers().entries();
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), String::from_utf8_lossy(&value).into_owned()));
    let target = request.path_with_query().unwrap_or_default();
    let mut whole = Vec::new();
    if let Ok(body) = request.consume()
        && let Ok(stream) = body.stream()
    {
        read_all(&stream, &mut whole)?;
    }
    Ok(Request::new(method, target, headers.collect(), whole))
}

fn read_all(stream: &InputStream, whole: &mut Vec<u8>) -> Result<(), Error> {
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(mut piece) => whole.append(&mut piece),
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(Error::new(format!(
                    "the body of the request can't be read: {}",
                    error.to_debug_string()
                )));
            }
        }
    }
}

/// Status and headers, as the host takes them.
fn head(response: &Response) -> Result<OutgoingResponse, Error> {
    let fields = Fields::new();
    for (name, value) in response.headers() {
        fields.append(name, value.as_bytes()).map_err(|error| {
            Error::new(format!("the answer can't have the header {name:?} of {value:?}: {error}"))
        })?;
    }
    let head = OutgoingResponse::new(fields);
    let status = response.status();
    head.set_status_code(status)
        .map_err(|()| Error::new(format!("the answer has the status {status}; expected 200 to 599")))?;
    Ok(head)
}

/// Writes all of it; the host says how much it takes at once.
fn write(stream: &OutputStream, mut rest: &[u8]) -> Result<(), StreamError> {
    while !rest.is_empty() {
        match usize::try_from(stream.check_write()?).unwrap_or(usize::MAX) {
            0 => stream.subscribe().block(),
            most => {
                let (now, later) = rest.split_at(most.min(rest.len()));
                stream.write(now)?;
                rest = later;
            }
        }
    }
    stream.blocking_flush()
}
