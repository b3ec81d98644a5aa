//! The JSON of the control API: what it takes and what it says. The commands read the same types.
//!
//! Moments are RFC 3339 in UTC, lengths of time are milliseconds, shares are percent. A field is added, never given
//! another meaning; requests refuse fields that they do not know.

mod releases;
mod tenants;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::recording::replay::ReplayReport;

pub use self::releases::*;
pub use self::tenants::*;

/// A problem document (RFC 9457), `application/problem+json`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:hookswitch:problem:` and the stable word for what happened, such as `quota-exceeded`.
    #[serde(rename = "type")]
    #[schema(pattern = "^urn:hookswitch:problem:[a-z-]+$", example = "urn:hookswitch:problem:not-found")]
    pub kind: String,
    /// The same in a few words.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What was found, what was expected, what to try.
    pub detail: String,
    /// What refused a component, such as `limit:functions`, `import` or `compile_memory`; only for components.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What kept calls would hear, of a deploy that they stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Box<ReplayReport>>,
}
