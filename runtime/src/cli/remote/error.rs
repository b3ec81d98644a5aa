//! Why a command did not get what it asked for.

use std::process::ExitCode;

use super::output::printable;
use crate::control::model::Problem;

/// What went wrong. Each text says what was found and what to try.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The command line lacks something that could not be found out.
    #[error("{0}")]
    Usage(String),
    /// Something on this machine: a file, the build, standard output.
    #[error("{0}")]
    Local(String),
    /// Nobody answered.
    #[error("{url} does not answer: {cause}\n{hint}")]
    Unreachable {
        /// What was tried.
        url: String,
        /// Why, as the network said it.
        cause: String,
        /// What to try.
        hint: String,
    },
    /// The host said no.
    #[error("{}", refusal(problem, hint))]
    Refused {
        /// Its own words.
        problem: Box<Problem>,
        /// What to try, where we know more than the host: which token was used.
        hint: Option<String>,
    },
    /// The host did what was asked, and what it found is not as it should be.
    #[error("{0}")]
    Differs(String),
    /// The host changed by itself, just before, what was to be changed.
    #[error("{0}")]
    Overtaken(String),
    /// Something answered that is no control port.
    #[error("{0}")]
    NotControl(String),
}

impl RemoteError {
    /// 2 where the command line is to blame, otherwise 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Local(_)
            | Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::Differs(_)
            | Self::Overtaken(_)
            | Self::NotControl(_) => ExitCode::from(1),
        }
    }

    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { problem, .. } => Some(problem.status),
            _ => None,
        }
    }
}

/// A problem document in a line or two: what was found, and what of the component refused it. The title says no more
/// than the detail does, so it is for problems without one.
fn refusal(problem: &Problem, hint: &Option<String>) -> String {
    let mut text = if problem.detail.is_empty() {
        format!("{} ({})", printable(&problem.title), problem.status)
    } else {
        printable(&problem.detail)
    };
    if let Some(reason) = &problem.reason {
        text.push_str(&format!("\nreason: {}", printable(reason)));
    }
    if let Some(hint) = hint {
        text.push_str(&format!("\n{hint}"));
    }
    text
}
