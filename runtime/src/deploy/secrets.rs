//! Secrets: what a deploy is granted, and the new revisions of settings when one is set anew.

use std::sync::Arc;

use super::{DeployError, Deployer, blocking};
use crate::call::{HandlerName, TenantId};
use crate::control::model::{Deploy, Deployed};
use crate::handler_toml::{RevisionSettings, Risk};
use crate::router::Handler;

impl Deployer {
    /// Settings with the newest version of each secret that they name.
    pub(super) async fn granted(
        &self,
        tenant: &TenantId,
        mut settings: RevisionSettings,
    ) -> Result<RevisionSettings, DeployError> {
        let (registry, tenant) = (Arc::clone(&self.registry), tenant.clone());
        blocking(move || {
            registry
                .grant_secrets(&tenant, &mut settings)
                .map_err(|error| match error {
                    crate::registry::RegistryError::Invalid(why) => DeployError::refused("secrets", why),
                    error => error.into(),
                })
                .map(|()| settings)
        })
        .await
    }

    /// The handlers whose newest revision in force is granted the secret, by name.
    #[must_use]
    pub fn granted_to(&self, tenant: &TenantId, secret: &str) -> Vec<HandlerName> {
        let Ok(tenant) = self.tenant(tenant) else { return Vec::new() };
        let mut names: Vec<HandlerName> = tenant
            .handlers
            .iter()
            .filter(|(_, handler)| {
                let newest = handler.canary.as_ref().map_or(&handler.stable, |canary| &canary.revision);
                newest.record.as_ref().is_some_and(|record| record.settings.secrets.contains_key(secret))
            })
            .map(|(name, _)| name.clone())
            .collect();
        names.sort();
        names
    }

    /// Whether a new value would reach all calls of the handlers that are granted the secret. While a canary is on, a revision of
    /// the canary's code would have it, and the calls of the stable revision would go on with the value of before.
    ///
    /// # Errors
    /// [`DeployError::Conflict`], naming the handlers.
    pub fn may_set_secret(&self, tenant: &TenantId, secret: &str) -> Result<(), DeployError> {
        let tenant = self.tenant(tenant)?;
        let is_granted = |handler: &Handler| {
            handler.stable.record.as_ref().is_some_and(|record| record.settings.secrets.contains_key(secret))
        };
        let mut on_trial: Vec<&str> = tenant
            .handlers
            .iter()
            .filter(|(_, handler)| handler.canary.is_some() && is_granted(handler))
            .map(|(name, _)| name.as_str())
            .collect();
        if on_trial.is_empty() {
            return Ok(());
        }
        on_trial.sort_unstable();
        let which = on_trial.join(", ");
        Err(DeployError::Conflict(format!(
            "{which}: a canary is on, and the stable revision would keep the value that {secret} had; `hookswitch promote` it or \
             take it back with `hookswitch rollback`, then set the secret"
        )))
    }

    /// Gives each handler that is granted the secret a revision with its newest version: the component and the other settings
    /// of the newest revision in force.
    ///
    /// # Errors
    /// [`DeployError`] of the first handler for which that can't be done; those before it have theirs.
    pub async fn secret_set(
        &self,
        by: &str,
        tenant: &TenantId,
        secret: &str,
    ) -> Result<Vec<Deployed>, DeployError> {
        let mut deployed = Vec::new();
        for handler in self.granted_to(tenant, secret) {
            let in_force = self.in_force(tenant, &handler)?;
            let newest = in_force.canary.as_ref().map_or(&in_force.stable, |canary| &canary.revision);
            let Some(record) = newest.record.as_ref() else { continue };
            let deploy = Deploy {
                digest: None,
                settings: Some(record.settings.clone()),
                risk: Risk::Auto,
                percent: None,
                no_canary: false,
                replay: None,
            };
            deployed.push(self.deploy(by, tenant, &handler, deploy).await?);
        }
        Ok(deployed)
    }
}
