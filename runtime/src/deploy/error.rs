//! Why a change of who answers calls was not made.

use std::fmt::Display;

use crate::artifact::AdmitError;
use crate::recording::replay::ReplayReport;
use crate::registry::RegistryError;
use crate::release::change::ChangeError;

/// Each is one problem document. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// No such tenant, handler or revision.
    #[error("{0}")]
    NotFound(String),
    /// The component or the settings are refused.
    #[error("{detail}")]
    Refused {
        /// The stable word for what refused it, such as `limit:functions`, `import`, `compile_memory`, `settings`.
        reason: String,
        /// What was found, what was expected, what to try.
        detail: String,
    },
    /// It does not fit what is in force: nothing to promote, nothing to go back to, changed meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// Kept calls would hear something else.
    #[error("{}; nothing was changed", .0.summary())]
    Differs(Box<ReplayReport>),
    /// The tenant has used up its quota, or the queue of compiles is full.
    #[error("{0}")]
    Quota(String),
    /// The registry or the disk can't take the change now; calls go on.
    #[error("{0}")]
    Unavailable(String),
}

impl DeployError {
    /// The word that it is counted by: what refused a component, or which kind of error it is.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Refused { reason, .. } => reason,
            Self::Conflict(_) => "conflict",
            Self::Differs(_) => "replay_differs",
            Self::Quota(_) => "quota",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// A refusal with its word.
    pub(super) fn refused(reason: &str, detail: impl Display) -> Self {
        Self::Refused { reason: reason.to_owned(), detail: detail.to_string() }
    }
}

impl From<RegistryError> for DeployError {
    fn from(error: RegistryError) -> Self {
        let text = error.to_string();
        match error {
            RegistryError::NotFound(_) => Self::NotFound(text),
            RegistryError::Conflict(_) | RegistryError::Generation { .. } => Self::Conflict(text),
            RegistryError::Invalid(_) => Self::refused("settings", text),
            RegistryError::Locked { .. }
            | RegistryError::DiskFull { .. }
            | RegistryError::Damaged { .. }
            | RegistryError::Foreign { .. }
            | RegistryError::Newer { .. }
            | RegistryError::Missing { .. }
            | RegistryError::WrongKey { .. }
            | RegistryError::Replaced { .. }
            | RegistryError::Local(_)
            | RegistryError::Io { .. } => Self::Unavailable(format!("the registry can't be used: {text}")),
        }
    }
}

impl From<ChangeError> for DeployError {
    fn from(error: ChangeError) -> Self {
        Self::Conflict(error.to_string())
    }
}

impl From<AdmitError> for DeployError {
    fn from(error: AdmitError) -> Self {
        let text = error.to_string();
        match error {
            AdmitError::Refused(refusal) => Self::Refused { reason: refusal.reason, detail: text },
            AdmitError::QueueFull(_) => Self::Quota(text),
            AdmitError::NoComponent(_) => Self::refused("component", text),
            AdmitError::DiskFull | AdmitError::Host(_) => Self::Unavailable(text),
        }
    }
}
