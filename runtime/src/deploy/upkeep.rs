//! What has to be done now and then: code that nobody calls is let go of, revisions that nobody can be on are deleted, and
//! what is in force but not compiled for this engine is compiled.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::{DeployError, Deployer, blocking, loaded};
use crate::clock;
use crate::revision::Revision;
use crate::router::Handler;

/// How often code that nobody calls is looked for.
const LOADED_EVERY: Duration = Duration::from_secs(10);
/// How often old revisions are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// Revisions that one line of the log names.
const NAMED_MAX: usize = 10;

impl Deployer {
    /// Lets go of what was called longest ago, whenever more revisions than the operator allows have their code in memory.
    pub async fn bound_loaded(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOADED_EVERY).await;
            loaded::bound(&self.host, self.loaded_max);
        }
    }

    /// Deletes revisions that no call can be on any more, and files that no revision needs.
    pub async fn prune(self: Arc<Self>) {
        loop {
            tokio::time::sleep(PRUNE_EVERY).await;
            if let Err(why) = self.prune_once().await {
                warn!("old revisions stay for now: {why}");
            }
        }
    }

    async fn prune_once(&self) -> Result<(), DeployError> {
        let _turn = self.turn.lock().await;
        let (registry, keep, now) = (Arc::clone(&self.registry), self.revisions_kept, clock::unix_ms());
        let journal = Arc::clone(&self.journal);
        let (pruned, used, everything) = blocking(move || {
            registry.apply_pending(&journal)?;
            let pruned = registry.prune(now, keep)?.len();
            Ok::<_, DeployError>((pruned, registry.digests_in_use()?, registry.everything(now)?))
        })
        .await?;
        self.publisher.all(everything);
        let removed = self.artifacts.collect_garbage(used).await;
        let removed = removed.map_err(|error| DeployError::Unavailable(error.to_string()))?;
        if pruned > 0 || removed > 0 {
            info!(
                "{pruned} components of old revisions and {removed} files that no revision needs were deleted"
            );
        }
        Ok(())
    }

    /// What is in force and has no compiled file that fits this engine: after an upgrade, a restore, or where files are missing.
    /// The smaller come first: they answer again sooner.
    #[must_use]
    pub fn uncompiled(&self) -> Vec<Arc<Revision>> {
        let snapshot = self.host.router.snapshot();
        let handlers = snapshot.tenants().flat_map(|tenant| tenant.handlers.values());
        let in_force = |handler: &Arc<Handler>| {
            let canary = handler.canary.as_ref().map(|canary| Arc::clone(&canary.revision));
            [Some(Arc::clone(&handler.stable)), canary].into_iter().flatten()
        };
        let is_missing = |revision: &Arc<Revision>| {
            let digest = revision.record.as_ref().map(|record| record.digest);
            digest.is_some_and(|digest| !self.artifacts.has_artifact(&revision.tenant, &digest))
        };
        let mut missing: Vec<_> = handlers.flat_map(in_force).filter(is_missing).collect();
        missing.sort_by_key(|revision| revision.record.as_ref().map(|record| record.component_bytes));
        missing
    }

    /// Compiles them, one after the other: deploys shall not wait long for their turn.
    pub async fn compile(&self, missing: Vec<Arc<Revision>>) {
        let names: Vec<String> = missing.iter().take(NAMED_MAX).map(|revision| named(revision)).collect();
        warn!(
            "{} revisions in force have no compiled file for this host and are compiled now; until then whoever calls them hears \
             their fallback: {}{}",
            missing.len(),
            names.join(", "),
            if missing.len() > names.len() { " …" } else { "" }
        );
        let (all, mut compiled) = (missing.len(), 0);
        for revision in missing {
            if let Err(why) = self.host.fetch(&revision).await {
                warn!("{} can't be compiled: {why}", named(&revision));
            } else {
                compiled += 1;
            }
        }
        info!("{compiled} of {all} revisions are compiled now");
    }
}

/// As an operator knows it.
fn named(revision: &Revision) -> String {
    format!("{}/{} revision {}", revision.tenant, revision.handler, revision.id)
}
