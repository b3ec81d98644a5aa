//! Between an export of the component and the handler's function: what the attributes call.
//!
//! Nothing is freed on the way out, because the instance ends with the answer.

use crate::bindings::imports::hookswitch::handler::types;
use crate::bindings::imports::wasi::http::types as http;
use crate::{Call, Error, Event, Message, web};
use std::mem::ManuallyDrop;

/// Runs a `#[voice]` function for one webhook.
pub fn answer<D: Into<String>, E: Into<Error>>(
    call: types::Call,
    handler: impl FnOnce(&Call) -> Result<D, E>,
) -> Result<types::Document, types::Failure> {
    crate::panics::install();
    handler(&ManuallyDrop::new(Call::new(call))).map(Into::into).map_err(failure)
}

/// Runs a `#[messaging]` function for one webhook.
pub fn receive<D: Into<String>, E: Into<Error>>(
    message: types::Message,
    handler: impl FnOnce(&Message) -> Result<D, E>,
) -> Result<types::Document, types::Failure> {
    crate::panics::install();
    handler(&ManuallyDrop::new(Message::new(message))).map(Into::into).map_err(failure)
}

/// Runs an `#[events]` function for one status callback.
pub fn notify<E: Into<Error>>(
    event: types::Event,
    handler: impl FnOnce(&Event) -> Result<(), E>,
) -> Result<(), types::Failure> {
    crate::panics::install();
    handler(&ManuallyDrop::new(Event::new(event))).map_err(failure)
}

/// Runs a `#[web]` function for one request.
pub fn handle<E: Into<Error>>(
    request: http::IncomingRequest,
    out: http::ResponseOutparam,
    handler: impl FnOnce(&web::Request) -> Result<web::Response, E>,
) {
    crate::panics::install();
    web::component::handle(request, out, |request| handler(request).map_err(Into::into));
}

fn failure(error: impl Into<Error>) -> types::Failure {
    let (message, causes) = error.into().into_parts();
    types::Failure { message, causes }
}
