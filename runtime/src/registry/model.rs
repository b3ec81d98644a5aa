//! What the registry keeps, as the rest of the host sees it. No SQL and no I/O.

use serde::{Deserialize, Serialize};

use crate::call::{HandlerName, RevisionId, TenantId};
use crate::carrier::account::Allowance;
use crate::config::Secret;
use crate::digest::Digest;
use crate::handler_toml::RevisionSettings;
use crate::release::{Release, ReleaseEvent, ReleaseRisk};

/// One tenant.
#[derive(Debug, Clone)]
pub struct TenantRecord {
    /// Its name.
    pub id: TenantId,
    /// Scheme and authority that its carrier calls; none takes the host's.
    pub public_url: Option<String>,
    /// Auth tokens its carrier signs with, newest first. Encrypted at rest.
    pub auth_tokens: Vec<Secret>,
    /// Keys for webhooks signed with HMAC-SHA256: key id and secret. Encrypted at rest.
    pub shared_keys: Vec<(String, Secret)>,
    /// Its account at its carrier; none places no calls and sends nothing.
    pub account: Option<AccountRecord>,
    /// What it may use.
    pub quota: Quota,
    /// When it was made, in Unix milliseconds.
    pub created_at: u64,
}

/// A tenant's account at its carrier.
#[derive(Debug, Clone)]
pub struct AccountRecord {
    /// Its id (`AC` and 32 hex digits). No two tenants share one: what is in an account belongs to its tenant.
    pub sid: String,
    /// Id and secret of an API key. Without one the newest auth token signs in, and there are no access tokens.
    pub api_key: Option<(String, Secret)>,
    /// What the tenant may do there.
    pub allowance: Allowance,
}

/// Changes of a tenant's account: what is none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// Its id from now on; an empty one takes the account away.
    pub sid: Option<String>,
    /// The API key from now on; one with an empty id takes it away.
    pub api_key: Option<(String, Secret)>,
    /// All callers' ids from now on.
    pub caller_ids: Option<Vec<String>>,
    /// As in [`Allowance`].
    pub calls_per_minute: Option<u32>,
    /// As in [`Allowance`].
    pub messages_per_minute: Option<u32>,
    /// As in [`Allowance`].
    pub outbox_entries: Option<u32>,
    /// As in [`Allowance`].
    pub trades_numbers: Option<bool>,
}

impl AccountChange {
    /// The account that `now` becomes; none where there is no account without an id.
    #[must_use]
    pub fn applied(&self, now: Option<AccountRecord>) -> Option<AccountRecord> {
        let mut account = now.unwrap_or(AccountRecord {
            sid: String::new(),
            api_key: None,
            allowance: Allowance::default(),
        });
        if let Some(sid) = &self.sid {
            // The key of one account opens no other.
            if *sid != account.sid {
                account.api_key = None;
            }
            account.sid.clone_from(sid);
        }
        if let Some((id, secret)) = &self.api_key {
            account.api_key = (!id.is_empty()).then(|| (id.clone(), secret.clone()));
        }
        let allowance = &mut account.allowance;
        *allowance = Allowance {
            caller_ids: self.caller_ids.clone().unwrap_or(std::mem::take(&mut allowance.caller_ids)),
            calls_per_minute: self.calls_per_minute.unwrap_or(allowance.calls_per_minute),
            messages_per_minute: self.messages_per_minute.unwrap_or(allowance.messages_per_minute),
            outbox_entries: self.outbox_entries.unwrap_or(allowance.outbox_entries),
            trades_numbers: self.trades_numbers.unwrap_or(allowance.trades_numbers),
        };
        (!account.sid.is_empty()).then_some(account)
    }
}

/// What a tenant may use. An operator raises them one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quota {
    /// Invocations at one time, over all its handlers.
    pub concurrency: u32,
    /// Revisions that are kept, over all its handlers.
    pub revisions: u32,
    /// Bytes of all components, compiled files and settings that are kept for it, as in [`Usage::bytes`].
    pub bytes: u64,
    /// CPU time of its compiles within an hour, in milliseconds.
    pub compile_ms_per_hour: u64,
}

impl Default for Quota {
    /// 128 invocations, 2 000 revisions, 4 GiB, half an hour of compiling an hour.
    fn default() -> Self {
        Self { concurrency: 128, revisions: 2_000, bytes: 4 << 30, compile_ms_per_hour: 1_800_000 }
    }
}

/// Changes of a tenant: what is none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct TenantChange {
    /// Its public URL from now on; an inner none takes the host's.
    pub public_url: Option<Option<String>>,
    /// All its auth tokens from now on, newest first.
    pub auth_tokens: Option<Vec<Secret>>,
    /// All its shared keys from now on.
    pub shared_keys: Option<Vec<(String, Secret)>>,
    /// What changes of its account.
    pub account: Option<AccountChange>,
    /// What it may use from now on.
    pub quota: Option<Quota>,
}

/// How many times the bytes of a revision's settings, as JSON, count: they stand in the registry, in the last known copy and,
/// unlike a component, in the host's memory, and once more in each while all of them are read or written.
pub const SETTINGS_COPIES: u64 = 4;

/// What a tenant uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Handlers.
    pub handlers: u64,
    /// Revisions that are kept.
    pub revisions: u64,
    /// Bytes of their components and compiled files, each distinct component once, and [`SETTINGS_COPIES`] times those of
    /// each revision's settings.
    pub bytes: u64,
    /// CPU time of its compiles within the last hour, in milliseconds.
    pub compile_ms_last_hour: u64,
}

/// One revision: never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionRecord {
    /// Whose.
    pub tenant: TenantId,
    /// Of which handler.
    pub handler: HandlerName,
    /// Its number, from 1, without gaps.
    pub id: RevisionId,
    /// Its component.
    pub digest: Digest,
    /// Size of the component, in bytes.
    pub component_bytes: u64,
    /// Its settings.
    pub settings: RevisionSettings,
    /// The interfaces that the component imports, as it names them, sorted.
    pub imports: Vec<String>,
    /// The interfaces of ours that it exports, sorted.
    pub exports: Vec<String>,
    /// When it was first deployed, in Unix milliseconds.
    pub created_at: u64,
    /// Name of the token that deployed it.
    pub created_by: String,
    /// How risky it was found against the revision it followed.
    pub risk: ReleaseRisk,
    /// Why.
    pub risk_reason: String,
    /// When it last stopped to take new calls, in Unix milliseconds; none while it takes some or never did.
    pub retired_at: Option<u64>,
}

/// One handler and what is in force for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandlerRecord {
    /// Whose.
    pub tenant: TenantId,
    /// Its name.
    pub name: HandlerName,
    /// What is in force.
    pub release: Release,
    /// When it was first deployed, in Unix milliseconds.
    pub created_at: u64,
}

/// What a deploy brings.
#[derive(Debug, Clone)]
pub struct NewRevision {
    /// For whom.
    pub tenant: TenantId,
    /// Which handler.
    pub handler: HandlerName,
    /// The component, already in its place.
    pub digest: Digest,
    /// Its size, in bytes.
    pub component_bytes: u64,
    /// Size of what was compiled from it, in bytes.
    pub artifact_bytes: u64,
    /// The settings, already checked.
    pub settings: RevisionSettings,
    /// As in [`RevisionRecord`].
    pub imports: Vec<String>,
    /// As in [`RevisionRecord`].
    pub exports: Vec<String>,
    /// Name of the token.
    pub by: String,
    /// When, in Unix milliseconds.
    pub at: u64,
}

/// What is decided, inside the registry's transaction, about a new or known revision.
#[derive(Debug, Clone)]
pub struct Decision {
    /// How risky it is.
    pub risk: ReleaseRisk,
    /// Why.
    pub reason: String,
    /// What is in force from now on, with its generation one above the present one; none leaves all as it is.
    pub release: Option<(Release, ReleaseEvent)>,
}

/// What a decision about a deploy is made on: all of it read inside the transaction that keeps the decision.
#[derive(Debug, Clone)]
pub struct DeployContext {
    /// The number of the new revision, or of the known one that has this component and these settings.
    pub revision: RevisionId,
    /// Whether the revision was there already.
    pub known: bool,
    /// The handler and what is in force; none before the first deploy.
    pub handler: Option<HandlerRecord>,
    /// The stable revision in force.
    pub stable: Option<RevisionRecord>,
    /// What the tenant uses without the new revision.
    pub usage: Usage,
    /// Bytes that a new revision adds to it: its settings', and the component's where the tenant has it not yet; 0 for a known
    /// revision.
    pub adds_bytes: u64,
    /// What the tenant may use.
    pub quota: Quota,
}

/// What a deploy came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployOutcome {
    /// The revision, new or known.
    pub revision: RevisionRecord,
    /// Whether it was there already.
    pub known: bool,
    /// What is in force now.
    pub handler: HandlerRecord,
}

/// What a change of a release came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeOutcome {
    /// What is in force now.
    pub handler: HandlerRecord,
    /// The revisions that take new calls now: the stable one, then the canary.
    pub in_force: Vec<RevisionRecord>,
}

/// A change of a release that was made while the registry could not be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingChange {
    /// Whose.
    pub tenant: TenantId,
    /// Which handler.
    pub handler: HandlerName,
    /// What is in force since then.
    pub release: Release,
    /// What happened.
    pub event: ReleaseEvent,
}

/// What may be done with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Operator,
    /// Deploy, promote, roll back and read, for one tenant.
    Deploy(TenantId),
    /// Read, for one tenant.
    Read(TenantId),
}

/// A token, without what it is: only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// A short random name, for listing and revoking.
    pub id: String,
    /// What it is for, in its maker's words.
    pub label: String,
    /// What it allows.
    pub scope: Scope,
    /// When it was made, in Unix milliseconds.
    pub created_at: u64,
}

/// A number that the carrier calls, and who answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRecord {
    /// In E.164, `+12025550123`, or a short code.
    pub number: String,
    /// Whose.
    pub tenant: TenantId,
    /// Who answers.
    pub handler: HandlerName,
}

/// A secret of a tenant, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRecord {
    /// Its name.
    pub name: String,
    /// The newest version, from 1.
    pub version: u32,
    /// When that was set, in Unix milliseconds.
    pub set_at: u64,
    /// Name of the token that set it.
    pub set_by: String,
}

/// All that a host needs in order to serve, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Everything {
    /// All tenants.
    pub tenants: Vec<TenantRecord>,
    /// All handlers.
    pub handlers: Vec<HandlerRecord>,
    /// All revisions that take new calls or may have pinned ones, and those that `rollback` goes back to.
    pub revisions: Vec<RevisionRecord>,
    /// All numbers.
    pub numbers: Vec<NumberRecord>,
    /// What is there and can't be read, and is missing above.
    pub unreadable: Vec<Unreadable>,
}

/// A record that can't be read: a tenant's, one of its handlers', or one of a handler's revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Whose, as it stands there.
    pub tenant: String,
    /// Which handler's; none where it is the tenant's own.
    pub handler: Option<String>,
    /// Which revision's; none where it is the handler's own.
    pub revision: Option<u32>,
}

impl Everything {
    /// Takes what can't be read from what was known earlier. What is not there any more stays away.
    pub fn fill_from(&mut self, earlier: &Self) {
        for Unreadable { tenant, handler, revision } in &self.unreadable {
            let of_tenant = |id: &TenantId| id.as_str() == tenant;
            let of_handler = |name: &HandlerName| Some(name.as_str()) == handler.as_deref();
            if handler.is_none() {
                self.tenants.extend(earlier.tenants.iter().find(|known| of_tenant(&known.id)).cloned());
            } else if let Some(id) = revision {
                let known = earlier.revisions.iter().find(|known| {
                    of_tenant(&known.tenant) && of_handler(&known.handler) && known.id.0 == *id
                });
                self.revisions.extend(known.cloned());
            } else {
                let known =
                    earlier.handlers.iter().find(|known| of_tenant(&known.tenant) && of_handler(&known.name));
                self.handlers.extend(known.cloned());
            }
        }
    }
}
