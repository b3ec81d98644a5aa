//! A change of a release: decided on what is in force, committed to the registry, made ready, published.
//!
//! What makes calls safe again is done without the registry, too, where it can't be reached: among the revisions in memory,
//! and kept in the journal until it is back.

use std::sync::Arc;
use std::time::Instant;

use tracing::warn;

use super::{DeployError, Deployer, blocking, view};
use crate::call::{HandlerName, TenantId};
use crate::clock;
use crate::control::model::Deployed;
use crate::registry::RegistryError;
use crate::registry::model::{ChangeOutcome, HandlerRecord, PendingChange, RevisionRecord};
use crate::release::change::Changed;
use crate::release::{Release, ReleaseEvent};
use crate::router::Handler;

/// Whether a change waits for the registry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Without {
    /// What makes calls safe again is done without it, once it is in the journal.
    TheRegistryToo,
    /// What the host itself does to make calls safe is done even without that: nobody was told that it is kept.
    AnythingKept,
    /// What may wait waits.
    TheRegistryNot,
}

impl Deployer {
    /// Changes a release as `change` says, which also sees a release that was changed meanwhile.
    pub(super) async fn change(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        without: Without,
        change: impl Fn(&Release) -> Result<Option<Changed>, DeployError> + Send + Sync + 'static,
    ) -> Result<Deployed, DeployError> {
        let change = Arc::new(change);
        self.make_runnable(tenant, handler, without, &*change).await?;
        let _turn = self.turn.lock().await;
        let began = Instant::now();
        let before = self.in_force(tenant, handler)?;
        let changed = match self.unreachable() {
            // Known to be away: nobody is helped by waiting for it once more.
            Some(why) if without != Without::TheRegistryNot => Err(DeployError::Unavailable(why)),
            _ => self.commit(tenant, handler, Arc::clone(&change)).await,
        };
        let (record, revisions, event) = match changed {
            Err(DeployError::Unavailable(why)) if without != Without::TheRegistryNot => {
                self.lost_registry(&why);
                self.change_locally(tenant, handler, &before, &*change, without, &why)?
            }
            changed => changed?,
        };
        let at = event.as_ref().map_or_else(clock::unix_ms, |event| event.at);
        for revision in revisions {
            self.make_ready(&before, revision, &record, at).await?;
        }
        self.publisher.handler(&record, at, None, None);
        if let Some(event) = &event {
            self.tell(&record, event, began);
        }
        let about = event.as_ref().map_or(record.release.stable, |event| event.revision);
        let shown = self.in_force(tenant, handler)?.revisions.get(&about).and_then(|one| one.record.clone());
        let shown = shown.ok_or_else(|| DeployError::NotFound(format!("revision {about} is not there")))?;
        let what = view::happened(before.release.as_deref(), &record.release);
        Ok(Deployed { what: Some(what), ..self.deployed(&record, &shown, true, Vec::new()) })
    }

    /// Has the code of what a change would put in force, before anybody waits for the turn: what can't run takes no calls.
    async fn make_runnable(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        without: Without,
        change: &impl Fn(&Release) -> Result<Option<Changed>, DeployError>,
    ) -> Result<(), DeployError> {
        let before = self.in_force(tenant, handler)?;
        let Some(present) = &before.release else { return Ok(()) };
        let Some((after, _)) = change(present)? else { return Ok(()) };
        if after.stable == present.stable
            || before.revisions.get(&after.stable).is_some_and(|one| one.has_code())
        {
            return Ok(());
        }
        let ready = match before.revisions.get(&after.stable) {
            Some(revision) => self.host.fetch(revision).await.map(drop),
            None => {
                let (registry, name) = (Arc::clone(&self.registry), (tenant.clone(), handler.clone()));
                let id = after.stable;
                let found =
                    blocking(move || registry.revision(&name.0, &name.1, id).map_err(DeployError::from));
                match found.await? {
                    // Said by whoever commits, with all that it knows.
                    None => return Ok(()),
                    Some(record) => {
                        let code = self.artifacts.get(&self.host.sandbox, tenant, &record.digest).await;
                        code.map(drop).map_err(|error| error.to_string())
                    }
                }
            }
        };
        match ready {
            Err(why) if without != Without::AnythingKept => Err(DeployError::Conflict(format!(
                "revision {} can't take calls, its component is not to be had: {why}",
                after.stable
            ))),
            _ => Ok(()),
        }
    }

    /// Commits a change to the registry. Gives the revisions that take new calls after it, too.
    async fn commit(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        change: Arc<impl Fn(&Release) -> Result<Option<Changed>, DeployError> + Send + Sync + 'static>,
    ) -> Result<(HandlerRecord, Vec<RevisionRecord>, Option<ReleaseEvent>), DeployError> {
        let (registry, name) = (Arc::clone(&self.registry), (tenant.clone(), handler.clone()));
        let journal = Arc::clone(&self.journal);
        blocking(move || {
            registry.apply_pending(&journal)?;
            let mut event = None;
            let changed = registry.change_release(&name.0, &name.1, |record, _revision| {
                let changed = change(&record.release)?.ok_or(Stopped::Unchanged)?;
                event = Some(changed.1.clone());
                Ok(changed)
            });
            let record = match changed {
                Ok(ChangeOutcome { handler, in_force }) => return Ok((handler, in_force, event)),
                Err(Stopped::By(error)) => return Err(error),
                Err(Stopped::Unchanged) => registry
                    .handler(&name.0, &name.1)?
                    .ok_or_else(|| DeployError::NotFound(format!("there is no handler {}", name.1)))?,
            };
            let canary = record.release.canary.as_ref().map(|canary| canary.revision);
            let mut revisions = Vec::new();
            for id in [Some(record.release.stable), canary].into_iter().flatten() {
                revisions.extend(registry.revision(&name.0, &name.1, id)?);
            }
            Ok((record, revisions, event))
        })
        .await
    }

    /// Changes a release while the registry can't be reached: among the revisions in memory, kept in the journal.
    fn change_locally(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        before: &Handler,
        change: &impl Fn(&Release) -> Result<Option<Changed>, DeployError>,
        without: Without,
        why: &str,
    ) -> Result<(HandlerRecord, Vec<RevisionRecord>, Option<ReleaseEvent>), DeployError> {
        let present = before.release.as_ref().ok_or_else(|| DeployError::Unavailable(why.to_owned()))?;
        let record =
            |release| HandlerRecord { tenant: tenant.clone(), name: handler.clone(), release, created_at: 0 };
        let Some((release, event)) = change(present)? else {
            return Ok((record(Release::clone(present)), Vec::new(), None));
        };
        if !before.revisions.contains_key(&release.stable) {
            return Err(DeployError::Unavailable(format!(
                "revision {} is not in memory, and the registry that knows it can't be reached: {why}",
                release.stable
            )));
        }
        let pending = PendingChange {
            tenant: tenant.clone(),
            handler: handler.clone(),
            release: release.clone(),
            event: event.clone(),
        };
        match self.journal.append(&pending) {
            Err(error) if without != Without::AnythingKept => {
                return Err(DeployError::Unavailable(error.to_string()));
            }
            Err(error) => warn!(%tenant, %handler, "kept only until this process ends: {error}"),
            Ok(()) => {}
        }
        warn!(%tenant, %handler, "the release was changed without the registry, which is told when it is back: {why}");
        Ok((record(release), Vec::new(), Some(event)))
    }

    /// Has a revision in memory and its code mapped before it takes a call.
    async fn make_ready(
        &self,
        before: &Handler,
        revision: RevisionRecord,
        record: &HandlerRecord,
        at: u64,
    ) -> Result<(), DeployError> {
        if before.revisions.get(&revision.id).is_some_and(|known| known.has_code()) {
            return Ok(());
        }
        let code = self.artifacts.get(&self.host.sandbox, &record.tenant, &revision.digest).await;
        // Committed is committed: a revision without code answers with its fallback until it has some.
        if let Err(error) = &code {
            warn!(tenant = %record.tenant, handler = %record.name, revision = revision.id.0, "not ready: {error}");
        }
        self.publisher.handler(record, at, Some(revision), code.ok());
        Ok(())
    }
}

/// Why a change of a release was not committed.
enum Stopped {
    /// It is so already.
    Unchanged,
    /// It can't be.
    By(DeployError),
}

impl From<DeployError> for Stopped {
    fn from(error: DeployError) -> Self {
        Self::By(error)
    }
}

impl From<RegistryError> for Stopped {
    fn from(error: RegistryError) -> Self {
        Self::By(error.into())
    }
}
