//! Which revisions of a handler take new calls, in which shares, and when that changes.
//!
//! Risk decides how a revision is released: words at once, code to a few callers first, what a handler is allowed or how it
//! is called in steps that a person ends. Everything here is a pure rule over records and counts; who applies them is
//! `deploy`, who keeps them is `registry`.
//!
//! [`risk`] compares two revisions, [`plan`] says in which steps the new one is released, [`change`] has every change that a
//! release can go through, [`judge`] the statistics, [`watch`] what a look at the counters means for a canary. Who exactly
//! is drawn into a share is `router::share`'s.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::RevisionId;

pub mod change;
mod fisher;
pub mod judge;
pub mod plan;
pub mod risk;
#[cfg(test)]
mod simulation;
pub mod watch;

/// How much can go wrong with a revision, compared with the one that it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReleaseRisk {
    /// Only settings or the fallback document changed.
    Content,
    /// Code changed, or a setting was taken away.
    Code,
    /// Imports, exports, the allow-list, limits or the contract's version changed.
    Contract,
}

impl fmt::Display for ReleaseRisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Content => "content",
            Self::Code => "code",
            Self::Contract => "contract",
        })
    }
}

/// A share of new calls, in hundredths of a percent: 0 to 10 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Share(pub u16);

impl Share {
    /// No new call.
    pub const NONE: Self = Self(0);
    /// All new calls.
    pub const ALL: Self = Self(10_000);

    /// In percent, 0 to 100.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// What is left of all.
    #[must_use]
    pub fn rest(self) -> Self {
        Self(Self::ALL.0.saturating_sub(self.0))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent())
    }
}

/// One step of a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// How many of the new calls it takes.
    pub share: Share,
    /// What ends it.
    pub ends: StepEnd,
}

/// What ends a step, where the failure rate is not raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepEnd {
    /// So many new calls on the canary, or so much time, whichever comes first.
    After {
        /// New calls that the canary took in this step.
        calls: u64,
        /// Time since the step began, in milliseconds.
        bake_ms: u64,
    },
    /// A person, with `promote`.
    Promote,
}

/// A revision that takes a part of the new calls on trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// Which.
    pub revision: RevisionId,
    /// How risky it was found.
    pub risk: ReleaseRisk,
    /// Why, for people.
    pub reason: String,
    /// The whole way, first step first; never empty.
    pub steps: Vec<Step>,
    /// Where on it: an index of `steps`.
    pub step: usize,
    /// When it first took calls, in Unix milliseconds.
    pub started_at: u64,
    /// When the present step began, in Unix milliseconds.
    pub step_started_at: u64,
}

impl Canary {
    /// The step that it is on. A record without one (nobody here writes such) takes no calls and waits for a person.
    #[must_use]
    pub fn present(&self) -> Step {
        const HELD: Step = Step { share: Share::NONE, ends: StepEnd::Promote };
        self.steps.get(self.step).copied().unwrap_or(HELD)
    }

    /// The step after it; none at the last one.
    #[must_use]
    pub fn following(&self) -> Option<Step> {
        self.steps.get(self.step.checked_add(1)?).copied()
    }
}

/// What is in force for one handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Grows by one with each change; a change that was decided on an older generation is refused.
    pub generation: u64,
    /// Takes all new calls that the canary does not.
    pub stable: RevisionId,
    /// What `rollback` without a number goes back to.
    pub previous: Option<RevisionId>,
    /// On trial.
    pub canary: Option<Canary>,
}

impl Release {
    /// The share of new calls that `revision` takes.
    #[must_use]
    pub fn share(&self, revision: RevisionId) -> Share {
        let canary = self.canary.as_ref().map_or(Share::NONE, |canary| canary.present().share);
        match &self.canary {
            _ if revision == self.stable => canary.rest(),
            Some(on_trial) if revision == on_trial.revision => canary,
            _ => Share::NONE,
        }
    }
}

/// What happened to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseChange {
    /// A revision took all new calls at once.
    Released,
    /// A canary began.
    CanaryStarted,
    /// A canary took its next share.
    CanaryStepped,
    /// A canary became the stable revision.
    Promoted,
    /// A person took a revision back.
    RolledBack,
    /// The host took a canary back.
    TakenBack,
}

/// One line of a handler's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReleaseEvent {
    /// When, in Unix milliseconds.
    pub at: u64,
    /// What.
    pub change: ReleaseChange,
    /// The revision that it is about.
    #[schema(value_type = u32)]
    pub revision: RevisionId,
    /// Who: the name of a token, or `host`.
    pub by: String,
    /// Why, for people.
    pub reason: String,
}
