//! Components, deploys, and what is in force.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::handler_toml::{RevisionSettings, Risk};
use crate::recording::RecordingSettings;
use crate::recording::replay::{DifferenceKind, ReplayReport};
use crate::release::{ReleaseChange, ReleaseRisk};

/// A component that is there.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ComponentView {
    /// SHA-256 of its bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: String,
    /// Its size.
    pub bytes: u64,
}

/// A revision to be deployed: a component that was uploaded before, and its settings. One of the two may be left out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// SHA-256 of the component; left out, that of the newest revision (only settings change).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: Option<String>,
    /// All its settings: a key that is left out has its default. Left out altogether, those of the stable revision are kept,
    /// with the newest value of each secret; a handler's first revision then has the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<RevisionSettings>,
    /// How carefully; `auto` compares it with the revision that it replaces.
    #[serde(default)]
    pub risk: Risk,
    /// The share that a canary begins with, 0.01 to 99.99; left out, as the risk says. Not together with `no_canary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.01, maximum = 99.99)]
    pub percent: Option<f64>,
    /// Takes all new calls at once, whatever the risk.
    #[serde(default)]
    pub no_canary: bool,
    /// Deploys only if kept calls sound the same on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayGate>,
}

/// Which kept calls a deploy has to pass, and which differences are meant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayGate {
    /// How many, the newest first. Where fewer are kept those are played; `replay.calls` of the answer says how many.
    #[serde(default = "replay_calls")]
    #[schema(minimum = 1, maximum = 1000, default = 100)]
    pub calls: u32,
    /// Kinds of differences that do not stop it.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub allow: Vec<DifferenceKind>,
    /// Whether it passes, too, where no call is kept and nothing could be compared; otherwise that is refused. The first
    /// revision of a handler passes in any case, because nobody has called it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub none_kept: bool,
}

/// Kept calls to be played against a revision.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Against which.
    #[schema(minimum = 1)]
    pub revision: u32,
    /// How many, the newest first.
    #[serde(default = "replay_calls")]
    #[schema(minimum = 1, maximum = 1000, default = 100)]
    pub calls: u32,
}

fn replay_calls() -> u32 {
    100
}

/// Whether a tenant's calls are kept, by which rules, and what is kept.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RecordingView {
    /// The rules.
    pub settings: RecordingSettings,
    /// Calls and message conversations that are kept.
    pub calls: u64,
    /// Their webhooks.
    pub webhooks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was last heard of.
    #[schema(format = DateTime)]
    pub oldest_at: Option<String>,
    /// Webhooks of all tenants that this process did not keep, because they came faster than they could be written.
    pub dropped: u64,
}

/// What became of a deploy, a promote or a rollback.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Deployed {
    /// Whose.
    pub tenant: String,
    /// Which handler.
    pub handler: String,
    /// The revision that it is about.
    pub revision: u32,
    /// Its component.
    pub digest: String,
    /// How risky it was found.
    pub risk: ReleaseRisk,
    /// Why.
    pub reason: String,
    /// What differs from the revision that was in force, a line each.
    pub changes: Vec<String>,
    /// The revision whose settings were kept, where a deploy brought none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_of: Option<u32>,
    /// The canary that a deploy put an end to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_canary: Option<u32>,
    /// What a promote or a rollback changed, for people, such as `revision 1 takes all new calls (was: revision 2)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// What kept calls hear of it, where they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayReport>,
    /// Whether it takes new calls.
    pub live: bool,
    /// The share of new calls that it takes, in percent.
    pub percent: f64,
    /// What happens next, for people.
    pub next: String,
    /// Whether this component with these settings had been deployed before.
    pub known: bool,
    /// Where the carrier reaches it.
    pub urls: Urls,
}

/// Where a handler is reached. Only the entries that its component answers.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Urls {
    /// For calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<String>,
    /// For messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms: Option<String>,
    /// For status callbacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// For web requests; all that begins with it is the handler's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web: Option<String>,
}

/// Back to an earlier revision.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rollback {
    /// Which; left out: ends the canary, or goes back to the revision that was in force before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub to: Option<u32>,
    /// Only while the handler's `generation` is this one; left out, whatever is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
}

/// A canary gets all new calls.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Promote {
    /// Only while the handler's `generation` is this one; left out, whatever canary is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
}

/// A handler: what is in force and how it does.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HandlerView {
    /// Whose.
    pub tenant: String,
    /// Its name.
    pub handler: String,
    /// Grows with each change of the release; what a promote or a rollback may be bound to.
    pub generation: u64,
    /// When this was looked at, by the host's clock.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub at: String,
    /// Takes all new calls that the canary does not.
    pub stable: u32,
    /// What a rollback without a number goes back to where no canary is on.
    #[serde(default)]
    pub previous: Option<u32>,
    /// On trial.
    pub canary: Option<CanaryView>,
    /// The revisions that take new calls or did within the last 24 hours, newest first.
    pub serving: Vec<ServingView>,
    /// Why changes wait and `history` is not known: the registry can't be used. Left out while it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The last changes, newest first, at most 20.
    pub history: Vec<HistoryView>,
    /// Numbers that it answers.
    pub numbers: Vec<String>,
    /// Where it is reached.
    pub urls: Urls,
    /// When the stable revision runs by itself. Left out where it never does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduleView>,
}

/// A schedule of the stable revision.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ScheduleView {
    /// Its name.
    pub name: String,
    /// When, as it was written.
    pub cron: String,
    /// By whose clocks.
    pub timezone: String,
    /// The next moments, in UTC, at most three.
    pub next: Vec<String>,
    /// The last run; left out where there was none since it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastRunView>,
}

/// A schedule's last run.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LastRunView {
    /// The moment it was for.
    #[schema(format = DateTime)]
    pub at: String,
    /// `running`, `done`, `again` (it failed and is tried again), `failed` or `missed` (nobody was there, and it is too late).
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
}

/// A canary.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CanaryView {
    /// Which revision.
    pub revision: u32,
    /// How risky it was found.
    pub risk: ReleaseRisk,
    /// Why.
    pub reason: String,
    /// The share of new calls that it takes now, in percent.
    pub percent: f64,
    /// Which step of how many, from 1.
    pub step: usize,
    /// How many steps.
    pub steps: usize,
    /// What it waits for, for people.
    pub waits_for: String,
    /// What its failure rate says so far, for people.
    pub judgement: String,
    /// When it first took calls.
    #[schema(format = DateTime)]
    pub started_at: String,
}

/// A revision that takes webhooks.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ServingView {
    /// Which.
    pub revision: u32,
    /// `stable`, `canary` or `draining`.
    pub state: String,
    /// The share of new calls that it takes, in percent.
    pub percent: f64,
    /// Calls on it that are not known to be over, of the last four hours.
    pub calls: u64,
    /// Webhooks it answered since this host started.
    pub webhooks: u64,
    /// Of these, how many failed.
    pub failed: u64,
    /// `closed`, `open` or `probing`.
    pub breaker: String,
    /// For a draining one: until when its calls are kept on it.
    #[schema(format = DateTime)]
    pub until: Option<String>,
}

/// A change of a release.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HistoryView {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// What.
    pub change: ReleaseChange,
    /// The revision that it is about.
    pub revision: u32,
    /// Who: the label or id of a token, or `host`.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A revision.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RevisionView {
    /// Its number.
    pub revision: u32,
    /// SHA-256 of its component.
    pub digest: String,
    /// Size of the component.
    pub bytes: u64,
    /// `stable`, `canary`, `draining` or `kept`.
    pub state: String,
    /// Calls on it that are not known to be over, of the last four hours.
    #[serde(default)]
    pub calls: u64,
    /// For a draining one: until when its calls are kept on it.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// How risky it was found.
    pub risk: ReleaseRisk,
    /// Why.
    pub reason: String,
    /// When it was first deployed.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// By which token.
    pub created_by: String,
    /// Its settings; secrets are not among them.
    pub settings: RevisionSettings,
}
