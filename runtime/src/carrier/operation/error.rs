//! Why an operation did not come to what was asked for.

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lower};

/// Why an operation did not come to what was asked for. As in `wit/carrier.wit`, `variant error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, ComponentType, Lower)]
#[component(variant)]
#[serde(rename_all = "snake_case")]
pub enum CarrierError {
    /// The carrier said no.
    #[component(name = "refused")]
    #[error("the carrier refused: {} ({}{})", .0.message, .0.status, .0.code.map_or(String::new(), |code| format!(", code {code}")))]
    Refused(Refusal),
    /// It was sent, and what became of it is not known.
    #[component(name = "unknown")]
    #[error("it is not known whether it was done: {0}")]
    Unknown(String),
    /// A number of somebody else.
    #[component(name = "not-yours")]
    #[error("{0}")]
    NotYours(String),
    /// Nothing was sent: a rate or a count is used up.
    #[component(name = "limited")]
    #[error("{}; there is room again in {} ms", .0.message, .0.retry_after_ms)]
    Limited(Limit),
    /// Nothing was done: there is no way to the carrier.
    #[component(name = "unavailable")]
    #[error("{0}")]
    Unavailable(String),
    /// Nothing was sent: a value can't be.
    #[component(name = "invalid")]
    #[error("{0}")]
    Invalid(String),
}

/// What the carrier said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lower)]
#[component(record)]
pub struct Refusal {
    /// HTTP status.
    #[component(name = "status")]
    pub status: u16,
    /// The carrier's own code.
    #[component(name = "code")]
    pub code: Option<u32>,
    /// Its words.
    #[component(name = "message")]
    pub message: String,
}

/// A rate or a count that is used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lower)]
#[component(record)]
pub struct Limit {
    /// Which, and how much it is.
    #[component(name = "message")]
    pub message: String,
    /// After how many milliseconds there is room again.
    #[component(name = "retry-after-ms")]
    pub retry_after_ms: u64,
}
