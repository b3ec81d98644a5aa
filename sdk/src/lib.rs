//! Write call handlers for hookswitch: typed webhooks in, TwiML documents out.
//!
//! A handler is one function for each kind of webhook that it takes:
//!
//! ```
//! use hookswitch_sdk::prelude::*;
//!
//! #[voice]
//! fn answer(call: &Call) -> Result<Document, Error> {
//!     Ok(match call.digits() {
//!         Some("1") => Document::new().dial("+12025550123"),
//!         _ => Document::new().gather(Gather::digits(1).action("menu").say("For sales, press one.")),
//!     })
//! }
//! ```
//!
//! [`voice`] answers calls, [`messaging`] messages, [`events`] hears status callbacks and runs what is scheduled, [`web`]
//! answers web requests; a handler has those it needs. Each webhook gets a fresh instance: where we are in a conversation is
//! in the links ([`Call::step`]), what we remember of it in its [`session`], and what outlives it in the [`store`].
//!
//! Handlers are built for `wasm32-unknown-unknown` by `hookswitch build` and tested natively with
//! plain `cargo test`, by [`testing`]. Only what a handler uses of [`log`], [`config`], [`secrets`], [`session`], [`store`], [`carrier`],
//! [`time`], [`random`] and [`http`]
//! becomes an import of its component, and an import that is not there costs nothing.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

extern crate self as hookswitch_sdk; // generated code names this crate by its path from outside

#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
mod arena;
#[doc(hidden)]
pub mod bindings;
pub mod call;
pub mod carrier;
pub mod config;
mod error;
pub mod event;
#[doc(hidden)]
pub mod export;
mod host;
pub mod http;
pub mod log;
pub mod message;
mod panics;
pub mod params;
pub mod random;
pub mod schedule;
pub mod secrets;
pub mod session;
mod storage;
pub mod store;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod time;
pub mod twiml;
pub mod web;

pub use call::Call;
pub use error::{Context, Error, Result};
pub use event::Event;
pub use message::Message;
pub use storage::StorageError;

/// Makes a function hear status callbacks: `fn(&Event) -> Result<(), Error>`.
///
/// The carrier gets `204` whatever is returned; an error goes to the log. The same event may come
/// again, and events may come in another order than they happened in.
///
/// ```
/// use hookswitch_sdk::prelude::*;
///
/// #[events]
/// fn notify(event: &Event) -> Result<(), Error> {
///     if let Some(url) = event.recording().url() {
///         log::info!("a message at {url}");
///     }
///     Ok(())
/// }
/// ```
pub use hookswitch_sdk_macros::events;
/// Makes a function answer messages: `fn(&Message) -> Result<Reply, Error>`.
///
/// Instead of [`Reply`](twiml::Reply) it may return TwiML text from elsewhere. With an error, a trap or a limit the
/// sender gets the handler's fallback document.
///
/// ```
/// use hookswitch_sdk::prelude::*;
///
/// #[messaging]
/// fn receive(message: &Message) -> Result<Reply, Error> {
///     Ok(Reply::new().message(format!("You wrote: {}", message.body())))
/// }
/// ```
pub use hookswitch_sdk_macros::messaging;
/// Makes a function answer calls: `fn(&Call) -> Result<Document, Error>`.
///
/// Called for each voice webhook, in a fresh instance. Instead of [`Document`](twiml::Document) it may return TwiML
/// text from elsewhere, as a `String` or `&'static str`. With an error, a trap or a limit the caller
/// hears the handler's fallback document.
///
/// A function of another shape is refused where it stands:
///
/// ```compile_fail
/// use hookswitch_sdk::prelude::*;
///
/// #[voice]
/// fn answer(message: &Message) -> Result<Document, Error> {
///     Ok(Document::new())
/// }
/// ```
/// ```compile_fail
/// use hookswitch_sdk::prelude::*;
///
/// #[voice]
/// async fn answer(call: &Call) -> Result<Document, Error> {
///     Ok(Document::new())
/// }
/// ```
pub use hookswitch_sdk_macros::voice;

/// Makes a function answer web requests: `fn(&web::Request) -> Result<web::Response, Error>`.
///
/// They come under `/{tenant}/{handler}/web` and all behind it, from anybody: nothing is signed, so a function that places
/// calls checks who asks. With an error, a trap or a limit the sender gets a 502, 503 or 504.
///
/// ```
/// use hookswitch_sdk::prelude::*;
///
/// #[web]
/// fn page(request: &web::Request) -> Result<web::Response, Error> {
///     Ok(match request.route() {
///         ("GET", "/") => web::Response::html("<form method=post action=\"web/call\"><input name=number></form>"),
///         ("POST", "/call") => match request.form().get("number") {
///             Some(number) => web::Response::text(format!("We call {number}.")),
///             None => web::Response::text("Which number?").with_status(400),
///         },
///         _ => web::Response::not_found(),
///     })
/// }
/// ```
pub use hookswitch_sdk_macros::web;

/// What a handler begins with.
pub mod prelude {
    pub use crate::call::{CallStatus, Direction};
    pub use crate::event::EventKind;
    pub use crate::params::DialStatus;
    pub use crate::twiml::{
        Conference, Connect, Dial, Document, Enqueue, Gather, Link, Number, Pause, Play, Record, Redirect,
        Reject, Reply, Say, Sip, Start,
    };
    pub use crate::{Call, Context, Error, Event, Message, bail};
    pub use crate::{carrier, config, http, log, random, secrets, session, store, time, twiml};
    pub use crate::{events, messaging, voice, web};
}

/// What the attributes write; no part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::bindings;
    pub use crate::bindings::imports::hookswitch::handler::types;
    pub use crate::bindings::imports::wasi::http::types as http_types;
    pub use crate::export;
    pub use wit_bindgen::rt;
}
