//! What goes with a handler or a tenant: its revisions, and all that was kept for it.
//!
//! A handler that gets the name of an earlier one later finds nothing of it, whatever went wrong when that was removed.

use std::sync::Arc;

use tracing::{info, warn};

use super::{DeployError, Deployer, blocking};
use crate::call::{HandlerName, TenantId};
use crate::clock;

impl Deployer {
    /// Removes a handler: its calls in progress hear 404 from then on.
    ///
    /// # Errors
    /// [`DeployError::NotFound`]; [`DeployError::Conflict`] while numbers lead to it.
    pub async fn delete_handler(
        &self,
        by: &str,
        tenant: &TenantId,
        handler: &HandlerName,
    ) -> Result<(), DeployError> {
        let _turn = self.turn.lock().await;
        let (registry, name) = (Arc::clone(&self.registry), (tenant.clone(), handler.clone()));
        blocking(move || {
            registry.delete_handler(&name.0, &name.1, clock::unix_ms()).map_err(DeployError::from)
        })
        .await?;
        self.publisher.remove_handler(tenant, handler);
        if let Err(why) = self.forget(tenant, handler).await {
            warn!(%tenant, %handler, "what it kept is deleted at the next start, or before another handler gets its name: {why}");
        }
        info!(%tenant, %handler, by, "the handler was removed");
        Ok(())
    }

    /// Sees to it that a handler which was not there before finds nothing of another one that had its name.
    pub(super) async fn begin_anew(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
    ) -> Result<(), DeployError> {
        let (registry, name) = (Arc::clone(&self.registry), (tenant.clone(), handler.clone()));
        let known = blocking(move || registry.handler(&name.0, &name.1).map_err(DeployError::from)).await?;
        if known.is_some() {
            return Ok(());
        }
        self.forget(tenant, handler).await.map_err(|why| {
            DeployError::Unavailable(format!(
                "whether an earlier handler of this name has left anything can't be settled now, so {handler} can't begin; try again: {why}"
            ))
        })
    }

    /// Deletes what was kept for a handler that is gone, and lets nothing be stored any more for what still runs of it.
    async fn forget(&self, tenant: &TenantId, handler: &HandlerName) -> Result<(), DeployError> {
        if let Some(state) = &self.host.reach.state {
            let (registry, name) = (Arc::clone(&self.registry), (tenant.clone(), handler.clone()));
            let last = move || registry.last_revision(&name.0, &name.1).map_err(DeployError::from);
            let last = blocking(last).await?;
            let forgotten = state.forget(tenant, handler, last).await;
            forgotten.map_err(|why| DeployError::Unavailable(why.to_string()))?;
        }
        self.forget_kept_calls(tenant, Some(handler)).await
    }

    /// Deletes what was kept for a tenant that is gone.
    pub(super) async fn forget_tenant(&self, tenant: &TenantId) -> Result<(), DeployError> {
        if let Some(state) = &self.host.reach.state {
            let forgotten = state.forget_tenant(tenant).await;
            forgotten.map_err(|why| DeployError::Unavailable(why.to_string()))?;
        }
        self.forget_kept_calls(tenant, None).await
    }
}
