//! What an invocation does beyond itself, where somebody wants to know: HTTP requests, operations at the carrier, what it asks
//! of its store.
//!
//! While a tenant's calls are recorded, a [`Tape`] notes each effect with what came of it. When they are replayed, a [`Script`]
//! answers each from that record, so that a replay sends nothing. All others have neither, and pay one look at a `None`.
//!
//! Sessions are left out: they belong to the call, and a replay keeps its own. What of a tape may be kept is `recording`'s
//! business.

mod carrier;
mod script;
mod store;
mod tape;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use self::carrier::watched;
pub use self::script::Script;
pub use self::tape::{Noted, Tape};
use crate::secrets::SecretValues;

/// The member of an answer under which a text stands that others wrote: the body of an answer, the value of a key.
pub const BODY: &str = "body";

/// Where the effects of one invocation go.
#[derive(Clone)]
pub enum Effects {
    /// They are done, and noted.
    Noted(Arc<Tape>),
    /// They are not done, but answered as they were then.
    Answered(Arc<Script>),
}

/// Which import an effect went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Import {
    /// `wasi:http/outgoing-handler`.
    Http,
    /// `hookswitch:handler/carrier`.
    Carrier,
    /// `hookswitch:handler/store`.
    Store,
}

/// What a handler asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Of whom.
    pub import: Import,
    /// What: a method (`POST`), the kind of an operation (`message`), a function (`add`).
    pub operation: Cow<'static, str>,
    /// About what: a URL, a number or an id, a key.
    pub target: String,
    /// What a change brings to the store; null for all else.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub brings: Value,
}

/// One effect: what a handler asked, and what it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// What it asked.
    pub request: Request,
    /// What it was answered, as `{"Ok": …}` or `{"Err": …}`; null where it did not wait for an answer.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub answer: Value,
}

impl Request {
    /// Without anything that it brings.
    #[must_use]
    pub fn new(import: Import, operation: impl Into<Cow<'static, str>>, target: impl Into<String>) -> Self {
        Self { import, operation: operation.into(), target: target.into(), brings: Value::Null }
    }

    /// Whether both ask the same of the same; what they bring may differ.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.import == other.import && self.operation == other.operation && self.target == other.target
    }

    /// Whether somebody else notices it. A look into the handler's own store is nobody's business.
    #[must_use]
    pub fn is_noticed(&self) -> bool {
        self.import != Import::Store || self.changes_store()
    }

    /// Whether it changes a key.
    fn changes_store(&self) -> bool {
        self.import == Import::Store && !matches!(&*self.operation, store::GET | store::KEYS)
    }

    /// The place it goes to, which many requests share: `POST https://crm.example.com`, `message`, `store set`.
    #[must_use]
    pub fn place(&self) -> String {
        match self.import {
            Import::Http => {
                // Behind scheme and `//`, the first slash ends the origin.
                let origin = self.target.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
                format!("{} {origin}", self.operation)
            }
            Import::Carrier => self.operation.to_string(),
            Import::Store => format!("store {}", self.operation),
        }
    }
}

/// `POST https://crm.example.com/leads`, `message: +12025550100`, `store set: visits`.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, target, .. } = self;
        match self.import {
            Import::Http => write!(f, "{operation} {target}"),
            Import::Carrier if target.is_empty() => f.write_str(operation),
            Import::Carrier => write!(f, "{operation}: {target}"),
            Import::Store => write!(f, "store {operation}: {target}"),
        }
    }
}

/// Replaces secrets in every text of `value`.
fn hide(secrets: &SecretValues, value: &mut Value) {
    match value {
        Value::String(text) => secrets.hide(text),
        Value::Array(values) => values.iter_mut().for_each(|value| hide(secrets, value)),
        Value::Object(members) => members.values_mut().for_each(|value| hide(secrets, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
