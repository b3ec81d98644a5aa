//! What of a tenant's calls is kept, how much of it, and what of it nobody may read.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What becomes of the numbers of callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Numbers {
    /// Another number stands in its place, the same each time within one tenant; country and area stay.
    #[default]
    Pseudonym,
    /// They stay.
    Keep,
}

/// What becomes of one kind of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Redaction {
    /// They stay.
    Keep,
    /// A word stands in their place that says what was there.
    Mask,
}

/// Whether the calls and message conversations of a tenant are kept, and which part of them. Everything is off until it is
/// switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecordingSettings {
    /// Whether calls are kept from now on. What was kept before stays until it is forgotten.
    pub on: bool,
    /// Numbers and addresses of callers. The tenant's own numbers always stay: handlers decide by them, and they are public.
    pub numbers: Numbers,
    /// Names and places: `CallerName`, `FromCity` and their like.
    pub names: Redaction,
    /// Bodies of messages and what callers said.
    pub texts: Redaction,
    /// Keys that callers pressed. Masked, a menu can't be played again as it was; a handler that asks for card numbers should
    /// not be recorded otherwise.
    pub digits: Redaction,
    /// Calls and conversations that are kept; the oldest go first.
    #[schema(minimum = 1, maximum = 100000)]
    pub calls_max: u32,
    /// For how long a call is kept after its last webhook, in hours.
    #[schema(minimum = 1, maximum = 8760)]
    pub hours_max: u32,
    /// Memory on the disk that they take, in MiB.
    #[schema(minimum = 1, maximum = 4096)]
    pub mib_max: u32,
}

impl Default for RecordingSettings {
    /// Off. Numbers as pseudonyms, names and texts masked, digits kept; 1 000 calls of a week in 64 MiB.
    fn default() -> Self {
        Self {
            on: false,
            numbers: Numbers::Pseudonym,
            names: Redaction::Mask,
            texts: Redaction::Mask,
            digits: Redaction::Keep,
            calls_max: 1_000,
            hours_max: 168,
            mib_max: 64,
        }
    }
}

impl RecordingSettings {
    /// Looks whether the bounds are in range.
    ///
    /// # Errors
    /// Key, what was found and what would do.
    pub fn check(&self) -> Result<(), OutOfRange> {
        for (key, found, max, unit) in [
            ("calls_max", self.calls_max, 100_000, "calls"),
            ("hours_max", self.hours_max, 8_760, "hours"),
            ("mib_max", self.mib_max, 4_096, "MiB"),
        ] {
            if !(1..=max).contains(&found) {
                return Err(OutOfRange { key, found, max, unit });
            }
        }
        Ok(())
    }
}

/// A bound that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("recording.{key} = {found}: expected 1 to {max} {unit}; `on = false` keeps nothing")]
pub struct OutOfRange {
    key: &'static str,
    found: u32,
    max: u32,
    unit: &'static str,
}
