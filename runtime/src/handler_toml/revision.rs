//! The part of a handler's settings that is deployed with its code: what a revision is besides its component.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{HandlerSettings, Limits, OnFailure};
use crate::schedule::ScheduleSettings;

/// The settings of one revision. Two deploys with equal settings and the same component are the same revision.
///
/// Travels as JSON from `hookswitch deploy` to the host and is kept like that; unknown keys are refused, because a limit
/// that an older host ignores would be found out during somebody's call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RevisionSettings {
    /// The fallback document as the author wrote it; none takes the host's own.
    pub fallback: Option<String>,
    /// What is answered when the handler fails.
    pub on_failure: OnFailure,
    /// Whether a document outside the grammar counts as a failure; none leaves it to the host.
    pub strict: Option<bool>,
    /// What one invocation may use.
    pub limits: Limits,
    /// What the handler reads through `config`, by key.
    pub config: BTreeMap<String, String>,
    /// Secrets that the handler is granted, by name. In a request the versions mean nothing: a deploy takes the newest.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretGrant>,
    /// Whom the handler may call: `scheme://host[:port][/path]`, the host also as `*.host`.
    pub outbound_allow: Vec<String>,
    /// When it runs by itself. Left out where there is none, so that an older host reads what has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<ScheduleSettings>,
}

/// A secret as a revision has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SecretGrant {
    /// Which version of it, from 1; 0 before a deploy.
    pub version: u32,
    /// The value, encrypted under the host's key, in base64. Kept in the registry and never shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(ignore)]
    pub sealed: String,
}

impl HandlerSettings {
    /// What of these settings is deployed; name, build and risk are said at the deploy.
    #[must_use]
    pub fn of_revision(&self) -> RevisionSettings {
        RevisionSettings {
            fallback: self.fallback.as_ref().map(|fallback| fallback.text.clone()),
            on_failure: self.on_failure,
            strict: self.strict,
            limits: self.limits,
            config: self.config.iter().cloned().collect(),
            secrets: self.secrets.iter().map(|name| (name.clone(), SecretGrant::default())).collect(),
            outbound_allow: self.outbound_allow.clone(),
            schedule: self.schedule.clone(),
        }
    }
}
