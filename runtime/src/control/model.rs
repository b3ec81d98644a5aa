//! The JSON of the control API: what it takes and what it says. The commands read the same types.
//!
//! Moments are RFC 3339 in UTC, lengths of time are milliseconds, shares are percent. A field is added, never given
//! another meaning; requests refuse fields that they do not know.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::carrier::account::Allowance;
use crate::handler_toml::{RevisionSettings, Risk};
use crate::recording::RecordingSettings;
use crate::recording::replay::{DifferenceKind, ReplayReport};
use crate::registry::model::Quota;
use crate::release::{ReleaseChange, ReleaseRisk};

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

/// A tenant to be made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// 1 to 63 of `a`–`z`, `0`–`9` and `-`.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub id: String,
    /// Scheme and host that its carrier calls, such as `https://calls.example.com`; left out, the host's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?$", max_length = 300)]
    pub public_url: Option<String>,
    /// The carrier's auth tokens, newest first; printable ASCII without spaces. Never shown again.
    #[serde(default)]
    #[schema(max_items = 16, value_type = Vec<SecretText>)]
    pub twilio_auth_tokens: Vec<String>,
    /// Keys for webhooks signed with a shared key. Never shown again.
    #[serde(default)]
    #[schema(max_items = 16)]
    pub shared_keys: Vec<SharedKey>,
    /// Its account at its carrier, with which its handlers place calls and send messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twilio_account: Option<AccountSettings>,
    /// What it may use; what is left out of it has its default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
}

/// A secret in a request: printable ASCII without spaces. It is never shown.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[!-~]{1,1024}$")]
#[allow(dead_code, reason = "only its schema is used")]
struct SecretText(String);

/// A key that a carrier signs with.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedKey {
    /// Its name, as it stands in the signature's header; no two keys of a tenant share one.
    #[schema(pattern = "^[!-~]{1,100}$")]
    pub id: String,
    /// The secret.
    #[schema(value_type = SecretText)]
    pub secret: String,
}

/// A tenant's account at its carrier; of one that is there already what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccountSettings {
    /// `AC` and 32 hex digits, no other tenant's; an empty text takes the account away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(AC[0-9a-f]{32})?$")]
    pub sid: Option<String>,
    /// An API key, which access tokens need; one with an empty id takes it away. Its secret is never shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,
    /// All callers' ids that it may show besides its own numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 1000)]
    pub caller_ids: Option<Vec<String>>,
    /// Calls that it may place within a minute, 60 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 60000)]
    pub calls_per_minute: Option<u32>,
    /// Messages that it may send within a minute, 600 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 60000)]
    pub messages_per_minute: Option<u32>,
    /// Entries that wait in its outbox at most, 10 000 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1000000)]
    pub outbox_entries: Option<u32>,
    /// Whether its handlers may buy numbers and give them back; not by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trades_numbers: Option<bool>,
}

/// A key of the carrier's API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// `SK` and 32 hex digits.
    #[schema(pattern = "^(SK[0-9a-f]{32})?$")]
    pub id: String,
    /// The secret.
    #[schema(pattern = "^[!-~]{0,1024}$")]
    pub secret: String,
}

/// A tenant's account, without its secrets.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// Its id.
    pub sid: String,
    /// The id of its API key.
    pub api_key: Option<String>,
    /// What the tenant may do there.
    #[serde(flatten)]
    pub allowance: Allowance,
}

/// Something that a handler wanted done later.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OutboxView {
    /// For showing and taking back.
    pub id: String,
    /// Which handler asked for it.
    pub handler: String,
    /// `call` or `message`.
    pub kind: String,
    /// Whom it is for.
    pub to: String,
    /// `waiting`, `sending`, `done`, `failed`, `unknown` (sent, and nobody knows what became of it) or `canceled`.
    pub state: String,
    /// How often it was tried.
    pub tries: u32,
    /// The carrier's id, once it is done.
    pub result: Option<String>,
    /// What happened last, in words.
    pub note: String,
    /// When it is due.
    #[schema(format = DateTime)]
    pub due_at: String,
    /// When it was asked for.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When anything about it changed last.
    #[schema(format = DateTime)]
    pub changed_at: String,
}

/// Changes of a tenant: what is left out stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TenantChange {
    /// As for a new tenant; an empty text takes the host's own from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?)?$", max_length = 300)]
    pub public_url: Option<String>,
    /// All tokens from now on, newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 16, value_type = Option<Vec<SecretText>>)]
    pub twilio_auth_tokens: Option<Vec<String>>,
    /// All keys from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 16)]
    pub shared_keys: Option<Vec<SharedKey>>,
    /// What changes of its account; what is left out of it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twilio_account: Option<AccountSettings>,
    /// The whole quota from now on: what is left out of it has its default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
}

/// A tenant, without its secrets.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TenantView {
    /// Its name.
    pub id: String,
    /// Scheme and host that its carrier calls, if it has its own.
    pub public_url: Option<String>,
    /// How many auth tokens it has; with none and no shared key every webhook is refused.
    pub twilio_auth_tokens: usize,
    /// Names of its shared keys.
    pub shared_keys: Vec<String>,
    /// Its account at its carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twilio_account: Option<AccountView>,
    /// What it may use.
    pub quota: Quota,
    /// What it uses.
    pub usage: Usage,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// What a tenant uses of its quota.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Handlers.
    pub handlers: u64,
    /// Revisions that are kept.
    pub revisions: u64,
    /// Bytes of their components and compiled files.
    pub bytes: u64,
    /// CPU time of its compiles within the last hour, in milliseconds.
    pub compile_ms_last_hour: u64,
}

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// Everything, for all tenants.
    Operator,
    /// Deploy, promote, roll back and read, for one tenant.
    Deploy,
    /// Read, for one tenant.
    Read,
}

/// A token to be made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it allows.
    pub scope: TokenScope,
    /// For whom; not for `operator`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub tenant: Option<String>,
    /// What it is for, at most 100 characters.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub label: String,
}

/// A token, without the token itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// For listing and revoking.
    pub id: String,
    /// What it allows.
    pub scope: TokenScope,
    /// For whom.
    pub tenant: Option<String>,
    /// What it is for.
    pub label: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// A token that was just made: the only time that it is shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// What it is.
    #[serde(flatten)]
    pub view: TokenView,
    /// `Authorization: Bearer …`
    pub token: String,
}

/// Who answers a number.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberTarget {
    /// A handler of the tenant.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub handler: String,
}

/// A number and who answers it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NumberView {
    /// In E.164, `+12025550123`, or a short code.
    pub number: String,
    /// Whose.
    pub tenant: String,
    /// Who answers.
    pub handler: String,
}

/// The value of a secret, which is never shown.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretValue {
    /// Text without zero bytes.
    #[schema(min_length = 1, max_length = 8192)]
    pub value: String,
}

/// A secret, without its value.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SecretView {
    /// Its name.
    pub name: String,
    /// The newest version, from 1.
    pub version: u32,
    /// When that was set.
    #[schema(format = DateTime)]
    pub set_at: String,
    /// By which token.
    pub set_by: String,
    /// The handlers whose revision for new calls is granted it.
    pub granted_to: Vec<String>,
}

/// What became of a secret that was set.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SecretSet {
    /// The secret.
    pub secret: SecretView,
    /// The revisions that were made of it, one for each handler that is granted it.
    pub revisions: Vec<Deployed>,
}

/// A component that is there.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ComponentView {
    /// SHA-256 of its bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: String,
    /// Its size.
    pub bytes: u64,
}

/// A revision to be deployed: a component that was uploaded before, and its settings.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// SHA-256 of the component; left out, that of the newest revision (only settings change).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub digest: Option<String>,
    /// Its settings.
    pub settings: RevisionSettings,
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
    /// How many, the newest first.
    #[serde(default = "replay_calls")]
    #[schema(minimum = 1, maximum = 1000, default = 100)]
    pub calls: u32,
    /// Kinds of differences that do not stop it.
    #[serde(default)]
    #[schema(max_items = 9)]
    pub allow: Vec<DifferenceKind>,
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
}

/// A handler: what is in force and how it does.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HandlerView {
    /// Whose.
    pub tenant: String,
    /// Its name.
    pub handler: String,
    /// Grows with each change of the release.
    pub generation: u64,
    /// Takes all new calls that the canary does not.
    pub stable: u32,
    /// On trial.
    pub canary: Option<CanaryView>,
    /// The revisions that take new calls or still have calls, newest first.
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
    /// `running`, `done`, `again` (it failed and is tried again) or `failed`.
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
