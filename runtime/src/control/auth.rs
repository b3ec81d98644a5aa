//! Who asks, and what they may do.
//!
//! What a token has to allow is an argument of an endpoint ([`Operator`], [`Deploys`], [`Reads`]), before path, query and body:
//! whoever may not do a thing is told that, and not what is wrong with the rest of the request.
//!
//! A token belongs to the operator or to one tenant. Whatever is another tenant's is refused with the same words whether it
//! is there or not, so that nobody learns whom else this host serves.

use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, RawPathParams};
use http::header::AUTHORIZATION;
use http::request::Parts;
use subtle::ConstantTimeEq as _;
use tracing::warn;

use super::Api;
use super::model::HandlerView;
use super::problem::{Refusal, Word};
use crate::call::TenantId;
use crate::deploy::DeployError;
use crate::registry::FILE_LABEL;
use crate::registry::model::{Scope, TokenRecord};

/// Longest token that is looked up, in bytes; ours are shorter.
const TOKEN_BYTES_MAX: usize = 256;
/// What a tenant hears of a registry or a disk that can't be used. Why names paths, which are the operator's.
const OUTAGE: &str = "the registry or a disk of the host can't take changes now: it is locked, full or damaged, and the \
    host's log says which; calls go on, try again in a moment or ask its operator";

/// The holder of a token that is known. Being an argument of an endpoint, it is what asks for the token.
pub(super) struct Caller(pub(super) TokenRecord);

/// Who asks, and may do what only the operator may.
pub(super) struct Operator(pub(super) Caller);

/// Who asks, and may change the handlers of the tenant that the path names.
pub(super) struct Deploys(pub(super) Caller);

/// Who asks, and may see what the tenant has that the path names.
pub(super) struct Reads(pub(super) Caller);

/// Where the log line of a request finds who asked.
#[derive(Clone, Default)]
pub(super) struct Asker(Arc<OnceLock<String>>);

impl Asker {
    pub(super) fn name(&self) -> &str {
        self.0.get().map_or("-", String::as_str)
    }
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refusal> {
        let presented = bearer(parts)?.to_owned();
        let found = match api.store.find_token(presented.clone()).await {
            // Without a registry calls go on, and somebody has to be able to go back to what worked.
            Err(refusal) if refusal.is_unavailable() => match operators(api, &presented) {
                Some(token) => Some(token),
                None => return Err(refusal),
            },
            found => found?,
        };
        if found.is_none() && operators(api, &presented).is_some() {
            // Revoked by somebody who did not ask this host to.
            api.operator_token.store(None);
        }
        let Some(token) = found else {
            return Err(Refusal::new(
                Word::InvalidToken,
                "this token is not known; it was mistyped, revoked, or made by another host",
            ));
        };
        let caller = Self(token);
        if let Some(Asker(asker)) = parts.extensions.get() {
            // Set once: a request has one caller.
            let _ = asker.set(caller.name().to_owned());
        }
        Ok(caller)
    }
}

impl FromRequestParts<Arc<Api>> for Operator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refusal> {
        let caller = Caller::from_request_parts(parts, api).await?;
        caller.operates()?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<Arc<Api>> for Deploys {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refusal> {
        Caller::of_tenant(parts, api, Caller::deploys).await.map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for Reads {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refusal> {
        Caller::of_tenant(parts, api, Caller::reads).await.map(Self)
    }
}

/// The operator's token, known by its file until it is revoked.
fn operators(api: &Api, presented: &str) -> Option<TokenRecord> {
    let own = api.operator_token.load_full()?;
    let same = bool::from(own.expose().as_bytes().ct_eq(presented.as_bytes()));
    same.then(|| TokenRecord {
        id: "operator".to_owned(),
        label: FILE_LABEL.to_owned(),
        scope: Scope::Operator,
        created_at: 0,
    })
}

fn bearer(parts: &Parts) -> Result<&str, Refusal> {
    let refuse = |detail| Err(Refusal::new(Word::Unauthorized, detail));
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let Some(header) = headers.next() else {
        return refuse("there is no authorization header; send `Authorization: Bearer TOKEN`");
    };
    if headers.next().is_some() {
        return refuse("there is more than one authorization header; send one");
    }
    let text = header.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            let token = token.trim();
            if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
                return refuse(
                    "the authorization header holds no token of ours; send `Authorization: Bearer TOKEN`",
                );
            }
            Ok(token)
        }
        _ => refuse("the authorization header is not `Bearer TOKEN`"),
    }
}

impl Caller {
    /// Who asks, if they `may` with the tenant that the path names.
    async fn of_tenant(
        parts: &mut Parts,
        api: &Arc<Api>,
        may: fn(&Self, &TenantId) -> Result<(), Refusal>,
    ) -> Result<Self, Refusal> {
        let caller = Self::from_request_parts(parts, api).await?;
        let params = RawPathParams::from_request_parts(parts, api).await.ok();
        let named = params.iter().flatten().find(|(key, _)| *key == "tenant");
        match (named.and_then(|(_, name)| TenantId::new(name).ok()), &caller.0.scope) {
            (Some(tenant), _) => may(&caller, &tenant)?,
            // No tenant can be called so: whoever reads the path says it, to those who may act for any.
            (None, Scope::Operator) => {}
            (None, Scope::Deploy(own) | Scope::Read(own)) => return Err(other_tenant(own)),
        }
        Ok(caller)
    }

    /// What stands in the log and in a handler's history: the token's label, or its id where it has none.
    pub(super) fn name(&self) -> &str {
        if self.0.label.is_empty() { &self.0.id } else { &self.0.label }
    }

    /// For what only the operator may do.
    pub(super) fn operates(&self) -> Result<(), Refusal> {
        match &self.0.scope {
            Scope::Operator => Ok(()),
            Scope::Deploy(_) | Scope::Read(_) => Err(Refusal::new(
                Word::Forbidden,
                "this needs a token of scope `operator`; yours is for one tenant",
            )),
        }
    }

    /// For what changes a tenant's handlers.
    fn deploys(&self, tenant: &TenantId) -> Result<(), Refusal> {
        match &self.0.scope {
            Scope::Operator => Ok(()),
            Scope::Deploy(own) if own == tenant => Ok(()),
            Scope::Read(own) if own == tenant => Err(Refusal::new(
                Word::Forbidden,
                "this needs scope `deploy`; yours is `read`. An operator makes one with \
                 `hookswitch token create --scope deploy`",
            )),
            Scope::Deploy(own) | Scope::Read(own) => Err(other_tenant(own)),
        }
    }

    /// For what shows what a tenant has.
    fn reads(&self, tenant: &TenantId) -> Result<(), Refusal> {
        match &self.0.scope {
            Scope::Operator => Ok(()),
            Scope::Deploy(own) | Scope::Read(own) if own == tenant => Ok(()),
            Scope::Deploy(own) | Scope::Read(own) => Err(other_tenant(own)),
        }
    }
}

impl Caller {
    /// Why a change or a question failed, as this caller may know it: all of it for the operator, nothing of the host's
    /// inside for a tenant.
    pub(super) fn told(&self, error: DeployError) -> Refusal {
        match error {
            DeployError::NotFound(detail) => Refusal::new(Word::NotFound, detail),
            DeployError::Refused { reason, detail } => {
                Refusal { reason: Some(reason), ..Refusal::new(Word::ComponentRefused, detail) }
            }
            DeployError::Differs(report) => {
                let detail = DeployError::Differs(report.clone()).to_string();
                Refusal { replay: Some(report), ..Refusal::new(Word::ReplayDiffers, detail) }
            }
            DeployError::Conflict(detail) => Refusal::new(Word::Conflict, detail),
            DeployError::Quota(detail) => Refusal::new(Word::QuotaExceeded, detail),
            DeployError::Unavailable(detail) if self.operates().is_ok() => {
                Refusal::new(Word::Unavailable, detail)
            }
            DeployError::Unavailable(detail) => {
                warn!(target: "control", who = self.name(), "a tenant's request has to wait: {detail}");
                Refusal::new(Word::Unavailable, OUTAGE)
            }
        }
    }

    /// A handler, as this caller may see it.
    pub(super) fn shown(&self, mut view: HandlerView) -> HandlerView {
        if view.registry.is_some() && self.operates().is_err() {
            view.registry = Some(OUTAGE.to_owned());
        }
        view
    }
}

fn other_tenant(own: &TenantId) -> Refusal {
    Refusal::new(Word::Forbidden, format!("your token is for tenant {own} and for no other"))
}
