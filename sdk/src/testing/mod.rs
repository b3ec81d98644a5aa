//! Handlers tested natively, with plain `cargo test`: webhooks to hand them, and a host to run on.
//!
//! ```
//! use hookswitch_sdk::testing;
//!
//! let host = testing::host().config("greeting", "Welcome to Acme");
//! let call = testing::call().from("+12025550123").step("menu").digits("1").build();
//! assert_eq!(call.digits(), Some("1"));
//! assert_eq!(hookswitch_sdk::config::get("greeting").as_deref(), Some("Welcome to Acme"));
//! assert!(host.log().is_empty());
//! ```

pub(crate) mod carrier;
pub(crate) mod host;
mod http;
pub(crate) mod storage;
mod web;
mod webhook;

pub use carrier::Outward;
pub use host::{Entry, Host, host};
pub use web::{RequestBuilder, request};
#[cfg(test)]
pub(crate) use webhook::form;
pub use webhook::{CallBuilder, EventBuilder, MessageBuilder, call, event, message, run};
