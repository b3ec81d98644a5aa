//! Tenants: made, changed and removed by an operator; a tenant sees itself.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;

use super::TenantPath;
use crate::call::TenantId;
use crate::config::{Secret, public_url};
use crate::control::Api;
use crate::control::auth::{Operator, Reads};
use crate::control::extract::{Json, Path};
use crate::control::model::{
    AccountSettings, ApiKey, NewTenant, Problem, SharedKey, TenantChange, TenantView,
};
use crate::control::problem::{Refusal, Word};
use crate::control::request::finish;
use crate::control::store::now;
use crate::registry::model::{self, Quota, TenantRecord};

/// Most auth tokens of a tenant, and most shared keys: a rotation needs two.
const SECRETS_MAX: usize = 16;
/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 1024;
/// Most callers' ids of a tenant.
const CALLER_IDS_MAX: usize = 1_000;
/// Highest rate, within a minute: beyond any carrier's.
const PER_MINUTE_MAX: u32 = 60_000;
/// Most entries that a tenant may have waiting.
const OUTBOX_ENTRIES_MAX: u32 = 1_000_000;
/// Largest number of a quota: what every JSON reader takes for a whole number.
const QUOTA_MAX: u64 = (1 << 53) - 1;

/// All tenants
#[utoipa::path(
    get, path = "/tenants", tag = "tenants", operation_id = "list_tenants",
    responses((status = 200, body = Vec<TenantView>, description = "All tenants, by name")),
)]
pub(in crate::control) async fn list(
    State(api): State<Arc<Api>>,
    _: Operator,
) -> Result<Answer<Vec<TenantView>>, Refusal> {
    api.store.tenants().await.map(Answer)
}

/// Makes a tenant
#[utoipa::path(
    post, path = "/tenants", tag = "tenants", operation_id = "create_tenant",
    request_body = NewTenant,
    responses(
        (status = 201, body = TenantView, description = "It is there, and its webhooks are answered"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "There is a tenant of this name, or the account belongs to another one"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A value can't be used"),
    ),
)]
pub(in crate::control) async fn create(
    State(api): State<Arc<Api>>,
    Operator(caller): Operator,
    Json(new): Json<NewTenant>,
) -> Result<(StatusCode, Answer<TenantView>), Refusal> {
    let id = TenantId::new(&new.id).map_err(|error| invalid(error.to_string()))?;
    let tenant = TenantRecord {
        id: id.clone(),
        public_url: new.public_url.as_deref().map(checked_url).transpose()?,
        auth_tokens: checked_tokens(new.twilio_auth_tokens)?,
        shared_keys: checked_keys(new.shared_keys)?,
        account: match new.twilio_account {
            None => None,
            Some(settings) => Some(new_account(settings)?),
        },
        quota: checked_quota(new.quota.unwrap_or_default())?,
        created_at: now(),
    };
    finish(async move {
        let view = api.store.create_tenant(tenant).await?;
        // Before anybody can put something there: its webhooks are not answered yet.
        if let Err(why) = api.control.outbox.begin_anew(&id).await {
            api.store.delete_tenant(id).await?;
            return Err(Refusal::new(
                Word::Unavailable,
                format!("whether an earlier tenant of this name left anything to be sent can't be settled now; try again: {why}"),
            ));
        }
        api.control.deployer.tenant_changed(&id).await.map_err(|error| caller.told(error))?;
        Ok((StatusCode::CREATED, Answer(view)))
    })
    .await
}

/// One tenant
#[utoipa::path(
    get, path = "/tenants/{tenant}", tag = "tenants", operation_id = "show_tenant", params(TenantPath),
    responses(
        (status = 200, body = TenantView, description = "The tenant, without its secrets"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
    ),
)]
pub(in crate::control) async fn show(
    State(api): State<Arc<Api>>,
    _: Reads,
    Path(TenantPath { tenant }): Path<TenantPath>,
) -> Result<Answer<TenantView>, Refusal> {
    api.store.tenant(tenant).await.map(Answer)
}

/// Changes a tenant; what is left out stays
#[utoipa::path(
    patch, path = "/tenants/{tenant}", tag = "tenants", operation_id = "change_tenant", params(TenantPath),
    request_body = TenantChange,
    responses(
        (status = 200, body = TenantView, description = "The tenant as it is now, and as its webhooks are answered"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The account belongs to another tenant of this host"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "A value can't be used"),
    ),
)]
pub(in crate::control) async fn change(
    State(api): State<Arc<Api>>,
    Operator(caller): Operator,
    Path(TenantPath { tenant }): Path<TenantPath>,
    Json(change): Json<TenantChange>,
) -> Result<Answer<TenantView>, Refusal> {
    let change = model::TenantChange {
        public_url: match change.public_url.as_deref() {
            None => None,
            Some("") => Some(None),
            Some(url) => Some(Some(checked_url(url)?)),
        },
        auth_tokens: change.twilio_auth_tokens.map(checked_tokens).transpose()?,
        shared_keys: change.shared_keys.map(checked_keys).transpose()?,
        account: change.twilio_account.map(checked_account).transpose()?,
        quota: change.quota.map(checked_quota).transpose()?,
    };
    finish(async move {
        let view = api.store.change_tenant(tenant.clone(), change).await?;
        api.control.deployer.tenant_changed(&tenant).await.map_err(|error| caller.told(error))?;
        Ok(Answer(view))
    })
    .await
}

/// Removes a tenant that has no handlers, with its tokens
#[utoipa::path(
    delete, path = "/tenants/{tenant}", tag = "tenants", operation_id = "delete_tenant", params(TenantPath),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "There is no such tenant"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It still has handlers"),
    ),
)]
pub(in crate::control) async fn delete(
    State(api): State<Arc<Api>>,
    Operator(caller): Operator,
    Path(TenantPath { tenant }): Path<TenantPath>,
) -> Result<StatusCode, Refusal> {
    finish(async move {
        api.store.delete_tenant(tenant.clone()).await?;
        api.control.deployer.tenant_changed(&tenant).await.map_err(|error| caller.told(error))?;
        api.control.outbox.forget(&tenant, None).await;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn invalid(detail: impl Into<String>) -> Refusal {
    Refusal::new(Word::Invalid, detail)
}

fn checked_url(text: &str) -> Result<String, Refusal> {
    public_url(text).map_err(|error| invalid(error.to_string()))
}

fn checked_tokens(tokens: Vec<String>) -> Result<Vec<Secret>, Refusal> {
    checked_count("twilio_auth_tokens", tokens.len())?;
    tokens.into_iter().map(|token| checked_secret("twilio_auth_tokens", token)).collect()
}

fn checked_keys(keys: Vec<SharedKey>) -> Result<Vec<(String, Secret)>, Refusal> {
    checked_count("shared_keys", keys.len())?;
    let mut checked: Vec<(String, Secret)> = Vec::with_capacity(keys.len());
    for SharedKey { id, secret } in keys {
        if !(1..=100).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(invalid(format!(
                "shared_keys: the id {id:?} can't be used: expected 1 to 100 printable ASCII characters without a space"
            )));
        }
        if checked.iter().any(|(other, _)| *other == id) {
            return Err(invalid(format!("shared_keys: the id {id:?} stands twice; leave out one")));
        }
        checked.push((id, checked_secret("shared_keys", secret)?));
    }
    Ok(checked)
}

fn checked_count(key: &str, count: usize) -> Result<(), Refusal> {
    if count <= SECRETS_MAX {
        return Ok(());
    }
    Err(invalid(format!("{key}: {count} are too many: expected at most {SECRETS_MAX}")))
}

/// The text of the error never holds the secret.
fn checked_secret(key: &str, secret: String) -> Result<Secret, Refusal> {
    if (1..=SECRET_BYTES_MAX).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(Secret::new(secret));
    }
    Err(invalid(format!(
        "{key}: a secret of {} bytes can't be used: expected 1 to {SECRET_BYTES_MAX} printable ASCII characters without a space",
        secret.len()
    )))
}

/// An account that a tenant begins with.
fn new_account(settings: AccountSettings) -> Result<model::AccountRecord, Refusal> {
    checked_account(settings)?
        .applied(None)
        .ok_or_else(|| invalid("twilio_account: there is no sid; expected AC and 32 hex digits"))
}

fn checked_account(settings: AccountSettings) -> Result<model::AccountChange, Refusal> {
    let is_id = |text: &str, prefix: &str| {
        let digits = text.strip_prefix(prefix).unwrap_or_default();
        digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    if settings.sid.as_deref().is_some_and(|sid| !sid.is_empty() && !is_id(sid, "AC")) {
        return Err(invalid(
            "twilio_account.sid is no account's id: expected AC and 32 hex digits, as the carrier's console shows it",
        ));
    }
    let api_key = match settings.api_key {
        None => None,
        Some(ApiKey { id, .. }) if id.is_empty() => Some((id, Secret::new(String::new()))),
        Some(ApiKey { id, secret }) if is_id(&id, "SK") => {
            Some((id, checked_secret("twilio_account.api_key", secret)?))
        }
        Some(_) => {
            return Err(invalid("twilio_account.api_key.id is no key's id: expected SK and 32 hex digits"));
        }
    };
    if let Some(ids) = &settings.caller_ids {
        let odd = ids
            .iter()
            .find(|id| id.is_empty() || id.len() > 200 || !id.bytes().all(|b| b.is_ascii_graphic()));
        if let Some(odd) = odd {
            let shown: String = odd.chars().take(80).collect();
            return Err(invalid(format!(
                "twilio_account.caller_ids has {shown:?}: expected a number such as +12025550123, or client:NAME"
            )));
        }
        if ids.len() > CALLER_IDS_MAX {
            return Err(invalid(format!(
                "twilio_account.caller_ids has {} entries: expected at most {CALLER_IDS_MAX}",
                ids.len()
            )));
        }
    }
    for (key, found, most) in [
        ("calls_per_minute", settings.calls_per_minute, PER_MINUTE_MAX),
        ("messages_per_minute", settings.messages_per_minute, PER_MINUTE_MAX),
        ("outbox_entries", settings.outbox_entries, OUTBOX_ENTRIES_MAX),
    ] {
        if let Some(found) = found.filter(|found| *found > most) {
            return Err(invalid(format!("twilio_account.{key} is {found}: expected at most {most}")));
        }
    }
    let AccountSettings {
        sid,
        caller_ids,
        calls_per_minute,
        messages_per_minute,
        outbox_entries,
        trades_numbers,
        ..
    } = settings;
    Ok(model::AccountChange {
        sid,
        api_key,
        caller_ids,
        calls_per_minute,
        messages_per_minute,
        outbox_entries,
        trades_numbers,
    })
}

fn checked_quota(quota: Quota) -> Result<Quota, Refusal> {
    for (key, value) in [("bytes", quota.bytes), ("compile_ms_per_hour", quota.compile_ms_per_hour)] {
        if value > QUOTA_MAX {
            return Err(invalid(format!("quota.{key} is {value}: expected at most {QUOTA_MAX}")));
        }
    }
    Ok(quota)
}
