//! All that the API asks of the registry: each question is one blocking call, made where blocking is allowed.

use std::sync::Arc;

use tracing::{info, warn};

use super::health::Health;
use super::model::{
    AccountView, CreatedToken, NumberView, SecretView, TenantView, TokenScope, TokenView, Usage,
};
use super::problem::{Refusal, Word};
use crate::call::{HandlerName, TenantId};
use crate::config::Secret;
use crate::digest::Digest;
use crate::registry::model::{NumberRecord, Scope, SecretRecord, TenantChange, TenantRecord, TokenRecord};
use crate::registry::{Registry, RegistryError};

/// The name under which `/readyz` speaks of the registry.
const PART: &str = "registry";

/// The registry, for asynchronous callers.
pub(super) struct Store {
    registry: Arc<Registry>,
    health: Arc<Health>,
}

impl Store {
    pub(super) fn new(registry: Arc<Registry>, health: Arc<Health>) -> Self {
        Self { registry, health }
    }

    pub(super) async fn find_token(&self, token: String) -> Result<Option<TokenRecord>, Refusal> {
        self.ask(move |registry| registry.find_token(&token)).await
    }

    pub(super) async fn tenants(&self) -> Result<Vec<TenantView>, Refusal> {
        self.ask(|registry| {
            let tenants = registry.tenants()?;
            tenants.iter().map(|tenant| view(registry, tenant)).collect()
        })
        .await
    }

    pub(super) async fn tenant(&self, id: TenantId) -> Result<TenantView, Refusal> {
        self.ask(move |registry| view(registry, &there(registry, &id)?)).await
    }

    /// Whether the tenant is there, and its handler where one is named.
    pub(super) async fn there(&self, tenant: TenantId, handler: Option<HandlerName>) -> Result<(), Refusal> {
        self.ask(move |registry| {
            there(registry, &tenant)?;
            let Some(handler) = handler else { return Ok(()) };
            let missing =
                || format!("tenant {tenant} has no handler {handler}; `hookswitch deploy` makes one");
            registry.handler(&tenant, &handler)?.map(drop).ok_or_else(|| RegistryError::NotFound(missing()))
        })
        .await
    }

    pub(super) async fn create_tenant(&self, tenant: TenantRecord) -> Result<TenantView, Refusal> {
        self.ask(move |registry| {
            registry.create_tenant(&tenant)?;
            view(registry, &tenant)
        })
        .await
    }

    pub(super) async fn change_tenant(
        &self,
        id: TenantId,
        change: TenantChange,
    ) -> Result<TenantView, Refusal> {
        self.ask(move |registry| view(registry, &registry.change_tenant(&id, &change)?)).await
    }

    pub(super) async fn delete_tenant(&self, id: TenantId) -> Result<(), Refusal> {
        self.ask(move |registry| registry.delete_tenant(&id, now())).await
    }

    pub(super) async fn has_revision_of(&self, tenant: TenantId, digest: Digest) -> Result<bool, Refusal> {
        self.ask(move |registry| {
            for handler in registry.handlers(&tenant)? {
                let revisions = registry.revisions(&tenant, &handler.name)?;
                if revisions.iter().any(|revision| revision.digest == digest) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }

    pub(super) async fn tokens(&self, tenant: Option<TenantId>) -> Result<Vec<TokenView>, Refusal> {
        self.ask(move |registry| {
            if let Some(tenant) = &tenant {
                there(registry, tenant)?;
            }
            Ok(registry.tokens(tenant.as_ref())?.into_iter().map(token_view).collect())
        })
        .await
    }

    pub(super) async fn create_token(&self, label: String, scope: Scope) -> Result<CreatedToken, Refusal> {
        self.ask(move |registry| {
            let (record, token) = registry.create_token(scope, &label, now())?;
            Ok(CreatedToken { view: token_view(record), token: token.expose().to_owned() })
        })
        .await
    }

    /// Whether the revoked token was `held`.
    pub(super) async fn revoke_token(&self, id: String, held: Option<Arc<Secret>>) -> Result<bool, Refusal> {
        self.ask(move |registry| {
            let held = held.map(|held| registry.find_token(held.expose())).transpose()?.flatten();
            registry.revoke_token(&id)?;
            Ok(held.is_some_and(|held| held.id == id))
        })
        .await
    }

    pub(super) async fn numbers(&self, tenant: TenantId) -> Result<Vec<NumberView>, Refusal> {
        self.ask(move |registry| {
            there(registry, &tenant)?;
            Ok(registry.numbers(&tenant)?.into_iter().map(number_view).collect())
        })
        .await
    }

    pub(super) async fn put_number(&self, number: NumberRecord) -> Result<NumberView, Refusal> {
        self.ask(move |registry| {
            registry.put_number(&number)?;
            Ok(number_view(number))
        })
        .await
    }

    pub(super) async fn delete_number(&self, tenant: TenantId, number: String) -> Result<(), Refusal> {
        self.ask(move |registry| registry.delete_number(&tenant, &number)).await
    }

    pub(super) async fn secrets(&self, tenant: TenantId) -> Result<Vec<SecretView>, Refusal> {
        self.ask(move |registry| Ok(registry.secrets(&tenant)?.into_iter().map(secret_view).collect())).await
    }

    pub(super) async fn put_secret(
        &self,
        tenant: TenantId,
        name: String,
        value: Secret,
        by: String,
    ) -> Result<SecretView, Refusal> {
        self.ask(move |registry| registry.put_secret(&tenant, &name, &value, &by, now()).map(secret_view))
            .await
    }

    pub(super) async fn delete_secret(&self, tenant: TenantId, name: String) -> Result<(), Refusal> {
        self.ask(move |registry| registry.delete_secret(&tenant, &name)).await
    }

    /// The one way to the registry: off the runtime's threads, and noticed by `/readyz` when it can't be used.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Registry) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let registry = Arc::clone(&self.registry);
        let answer = tokio::task::spawn_blocking(move || question(&registry)).await;
        match answer.map_err(|error| Refusal::internal(&error))? {
            Err(error) if error.is_unavailable() => {
                if self.health.degraded(PART, "it can't be used, so deploys wait; calls go on") {
                    warn!(target: "control", "the registry can't be used: {error}");
                }
                Err(refusal(error))
            }
            answer => {
                if self.health.healed(PART) {
                    info!(target: "control", "the registry can be used again");
                }
                answer.map_err(refusal)
            }
        }
    }
}

fn refusal(error: RegistryError) -> Refusal {
    let detail = error.to_string();
    let word = match error {
        RegistryError::NotFound(_) => Word::NotFound,
        RegistryError::Conflict(_) | RegistryError::Generation { .. } => Word::Conflict,
        RegistryError::Invalid(_) => Word::Invalid,
        // All that is left is about the file. Its message names paths, which only the log may know.
        _ => return Refusal::new(Word::Unavailable, unavailable(&error)),
    };
    Refusal::new(word, detail)
}

/// What to do, without the host's paths: a tenant may read it.
fn unavailable(error: &RegistryError) -> &'static str {
    match error {
        RegistryError::Locked { .. } => {
            "the registry is locked by another process; calls go on, try again in a moment"
        }
        RegistryError::DiskFull { .. } => {
            "the disk of the host is full; calls go on, changes do when its operator has made room"
        }
        _ => {
            "the registry of the host can't be used and its log says why; calls go on, changes do when its operator has repaired it"
        }
    }
}

fn there(registry: &Registry, id: &TenantId) -> Result<TenantRecord, RegistryError> {
    registry.tenant(id)?.ok_or_else(|| RegistryError::NotFound(format!("there is no tenant {id}")))
}

fn view(registry: &Registry, tenant: &TenantRecord) -> Result<TenantView, RegistryError> {
    let usage = registry.usage(&tenant.id, now())?;
    Ok(TenantView {
        id: tenant.id.to_string(),
        public_url: tenant.public_url.clone(),
        twilio_auth_tokens: tenant.auth_tokens.len(),
        shared_keys: tenant.shared_keys.iter().map(|(id, _)| id.clone()).collect(),
        twilio_account: tenant.account.as_ref().map(|account| AccountView {
            sid: account.sid.clone(),
            api_key: account.api_key.as_ref().map(|(id, _)| id.clone()),
            allowance: account.allowance.clone(),
        }),
        quota: tenant.quota,
        usage: Usage {
            handlers: usage.handlers,
            revisions: usage.revisions,
            bytes: usage.bytes,
            compile_ms_last_hour: usage.compile_ms_last_hour,
        },
        created_at: moment(tenant.created_at),
    })
}

/// A token as it is shown.
pub(super) fn token_view(token: TokenRecord) -> TokenView {
    TokenView {
        id: token.id,
        scope: match &token.scope {
            Scope::Operator => TokenScope::Operator,
            Scope::Deploy(_) => TokenScope::Deploy,
            Scope::Read(_) => TokenScope::Read,
        },
        tenant: tenant_of(&token.scope).map(ToString::to_string),
        label: token.label,
        created_at: moment(token.created_at),
    }
}

fn secret_view(secret: SecretRecord) -> SecretView {
    SecretView {
        name: secret.name,
        version: secret.version,
        set_at: moment(secret.set_at),
        set_by: secret.set_by,
        granted_to: Vec::new(),
    }
}

fn number_view(number: NumberRecord) -> NumberView {
    NumberView {
        number: number.number,
        tenant: number.tenant.to_string(),
        handler: number.handler.to_string(),
        before: None,
    }
}

fn tenant_of(scope: &Scope) -> Option<&TenantId> {
    match scope {
        Scope::Operator => None,
        Scope::Deploy(tenant) | Scope::Read(tenant) => Some(tenant),
    }
}

/// Unix milliseconds.
pub(super) fn now() -> u64 {
    jiff::Timestamp::now().as_millisecond().try_into().unwrap_or_default()
}

/// Unix milliseconds as RFC 3339.
fn moment(ms: u64) -> String {
    let stamp = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    stamp.unwrap_or_default().to_string()
}
