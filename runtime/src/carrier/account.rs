//! A tenant's account at its carrier, as the host signs in there and as its limits go.

use crate::config::Secret;

/// How a host signs in for one tenant, and what the tenant may do there.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account's id (`AC` and 32 hex digits). No other tenant of the host has it.
    pub sid: String,
    /// What requests are signed in with: name and password.
    pub login: (String, Secret),
    /// Id and secret of an API key (`SK`), which access tokens are signed with.
    pub api_key: Option<(String, Secret)>,
    /// What it may do.
    pub allowance: Allowance,
}

/// What a tenant may do at its carrier. An operator changes it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
// Shown among the fields of an account, so it can't refuse those of others.
#[serde(default)]
pub struct Allowance {
    /// Callers' ids that it may show besides its own numbers: numbers that the carrier has verified, `client:NAME`.
    #[schema(max_items = 1000)]
    pub caller_ids: Vec<String>,
    /// Calls that it may place within a minute.
    pub calls_per_minute: u32,
    /// Messages that it may send within a minute.
    pub messages_per_minute: u32,
    /// Entries that wait in its outbox, at most.
    pub outbox_entries: u32,
    /// Whether its handlers may buy numbers and give them back.
    pub trades_numbers: bool,
}

impl Default for Allowance {
    /// No callers' ids, 60 calls a minute (what the carrier places by default), 600 messages, 10 000 entries, no trade.
    fn default() -> Self {
        Self {
            caller_ids: Vec::new(),
            calls_per_minute: 60,
            messages_per_minute: 600,
            outbox_entries: 10_000,
            trades_numbers: false,
        }
    }
}
