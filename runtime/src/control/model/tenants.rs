//! What a tenant is and has: keys, accounts, tokens, numbers, secrets, and what waits in its outbox.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Deployed;
use crate::carrier::account::Allowance;
use crate::registry::model::Quota;

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

/// Where an entry of the outbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutboxState {
    /// To be sent, for the first time or again.
    Waiting,
    /// Being sent.
    Sending,
    /// The carrier has taken it.
    Done,
    /// Refused, or given up.
    Failed,
    /// Sent, and nobody knows what became of it.
    Unknown,
    /// Taken back.
    Canceled,
}

impl OutboxState {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Sending, Self::Done, Self::Failed, Self::Unknown, Self::Canceled];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Canceled => "canceled",
        }
    }
}

/// What was taken back.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct OutboxCanceled {
    /// How many entries.
    pub canceled: u64,
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
    /// Who answered until now, where the number was taken from another handler by what was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
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
