//! From an uploaded component to a revision that takes calls, and back.
//!
//! The one place where registry, artifacts, release rules and router meet. Whatever changes who answers a call is checked,
//! made ready, committed to the registry, put in force and only then acknowledged, in this order: a crash in between leaves
//! what was, or what was asked for, and never a half. Going back is allowed without the registry, too; the change then waits
//! in a journal for it.

mod change;
mod check;
mod error;
mod evidence;
mod forget;
pub mod loaded;
mod publish;
mod recover;
mod replay;
mod secrets;
mod upkeep;
mod view;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::OwnedMutexGuard;
use tracing::{info, warn};

use self::change::Without;
use self::check::{assessment, within_quota};
pub use self::error::DeployError;
pub use self::publish::Publisher;
use crate::artifact::Artifacts;
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::clock;
use crate::config::Config;
use crate::control::model::{Deploy, Deployed, HandlerView, RevisionView};
use crate::handler_toml::LimitsMax;
use crate::host::{self, Host};
use crate::registry::model::{Decision, DeployContext, Everything, HandlerRecord, NewRevision};
use crate::registry::{PendingJournal, Registry};
use crate::release::plan::{ReleaseRules, Start, plan};
use crate::release::{Release, ReleaseEvent};
use crate::router::Handler;
use crate::schedule;
use crate::telemetry::FeedEvent;

/// Changes who answers calls.
pub struct Deployer {
    host: Arc<Host>,
    registry: Arc<Registry>,
    artifacts: Arc<Artifacts>,
    publisher: Publisher,
    rules: ReleaseRules,
    limits_max: LimitsMax,
    revisions_kept: usize,
    loaded_max: usize,
    /// One change at a time, from commit to publication: they are published in the order in which they were committed.
    turn: Arc<tokio::sync::Mutex<()>>,
    journal: Arc<PendingJournal>,
    /// Why the registry can't be used; empty while it can.
    unreachable: ArcSwap<String>,
    /// The canaries under watch.
    watching: watch::Watching,
    /// Where what they have shown outlives the process.
    evidence: evidence::EvidenceFile,
    /// Places for replays.
    replays: tokio::sync::Semaphore,
    /// What was found at the last look at each canary.
    judged: ArcSwap<HashMap<watch::Name, watch::Judged>>,
}

impl Deployer {
    /// Of this host, with nothing in force yet.
    #[must_use]
    pub fn new(
        config: &Config,
        host: Arc<Host>,
        registry: Arc<Registry>,
        artifacts: Arc<Artifacts>,
        journal: PendingJournal,
    ) -> Arc<Self> {
        Arc::new(Self {
            publisher: Publisher::new(Arc::clone(&host), registry.secrets_key()),
            host,
            registry,
            artifacts,
            rules: config.release.clone(),
            limits_max: config.limits_max,
            revisions_kept: config.revisions_kept,
            loaded_max: config.components_loaded_max,
            turn: Arc::default(),
            journal: Arc::new(journal),
            unreachable: ArcSwap::default(),
            watching: watch::Watching::default(),
            evidence: evidence::EvidenceFile::in_folder(&config.data),
            replays: tokio::sync::Semaphore::new(replay::REPLAYS_MAX),
            judged: ArcSwap::default(),
        })
    }

    /// Deploys a component that was uploaded before. Returns when the revision is committed and takes its calls.
    ///
    /// # Errors
    /// [`DeployError`]; nothing was changed then.
    pub async fn deploy(
        &self,
        by: &str,
        tenant: &TenantId,
        handler: &HandlerName,
        deploy: Deploy,
    ) -> Result<Deployed, DeployError> {
        let deployed = self.deploy_uncounted(by, tenant, handler, deploy).await;
        let outcome = match &deployed {
            Ok(deployed) if deployed.known => "known",
            Ok(deployed) if deployed.percent < 100.0 => "canary",
            Ok(_) => "live",
            Err(error) => error.word(),
        };
        metrics::counter!("hookswitch_deploys_total", "outcome" => outcome.to_owned()).increment(1);
        deployed
    }

    async fn deploy_uncounted(
        &self,
        by: &str,
        tenant: &TenantId,
        handler: &HandlerName,
        deploy: Deploy,
    ) -> Result<Deployed, DeployError> {
        let now = clock::unix_ms();
        let start = Start::asked(deploy.percent, deploy.no_canary)
            .map_err(|error| DeployError::refused("release", error))?;
        let (settings, kept) = self.settings(tenant, handler, deploy.settings)?;
        self.check(tenant, handler, &settings)?;
        let settings = self.granted(tenant, settings).await?;
        let digest = self.digest(tenant, handler, deploy.digest.as_deref())?;
        let component_bytes =
            self.artifacts.store().component(&digest).and_then(|file| file.metadata()).map(|file| file.len());
        let component_bytes = component_bytes.map_err(|_| {
            DeployError::refused("component", format!("the component {digest} is not here; upload it first"))
        })?;
        let admitted = self.admit(tenant, handler, &digest, &settings, now).await?;
        let code =
            self.artifacts.get(&self.host.sandbox, tenant, &digest).await.map_err(DeployError::from)?;
        code.fits(&crate::revision::limits(&settings))
            .map_err(|error| DeployError::refused("limit:memory", error))?;
        if !settings.schedule.is_empty() && !code.exports().events {
            return Err(DeployError::refused("export", schedule::NOTHING_TO_RUN));
        }
        let replayed = match &deploy.replay {
            Some(gate) => self.gate(tenant, handler, &settings, &code, gate).await?,
            None => None,
        };

        let new = NewRevision {
            tenant: tenant.clone(),
            handler: handler.clone(),
            digest,
            component_bytes,
            artifact_bytes: admitted.artifact_bytes,
            settings,
            imports: admitted.imports,
            exports: admitted.exports,
            by: by.to_owned(),
            at: now,
        };
        let _turn = self.turn.lock().await;
        let began = Instant::now();
        if !self.artifacts.store().has_component(&digest) {
            return Err(DeployError::refused(
                "component",
                "the component was deleted meanwhile; deploy again",
            ));
        }
        self.begin_anew(tenant, handler).await?;
        let (registry, rules) = (Arc::clone(&self.registry), self.rules.clone());
        let journal = Arc::clone(&self.journal);
        let settings_of = kept.as_ref().and_then(|kept| kept.of);
        let (outcome, assessment, event, ended) = blocking(move || {
            registry.apply_pending(&journal)?;
            let (mut assessed, mut event, mut ended) = (None, None, None);
            let outcome = registry.deploy(&new, |context: &DeployContext| {
                if let Some(kept) = &kept {
                    kept.still_in_force(context)?;
                }
                let assessment = assessment(&new, context, deploy.risk);
                within_quota(context)?;
                let steps = plan(assessment.risk, &rules, start);
                let present = context.handler.as_ref().map(|handler| &handler.release);
                let release = Release::deploy(present, context.revision, &assessment, steps, &new.by, now);
                event = release.as_ref().map(|(_, event)| event.clone());
                ended = release.as_ref().and_then(|(after, _)| after.ended_canary(present));
                let decision = Decision { risk: assessment.risk, reason: assessment.reason.clone(), release };
                assessed = Some(assessment);
                Ok::<_, DeployError>(decision)
            })?;
            Ok((outcome, assessed, event, ended))
        })
        .await?;
        self.begin_to_watch(&outcome.handler);
        self.publisher.handler(&outcome.handler, now, Some(outcome.revision.clone()), Some(code));
        if let Some(event) = &event {
            self.tell(&outcome.handler, event, began);
        }
        let changes = assessment.map(|assessment| assessment.changes).unwrap_or_default();
        let deployed = self.deployed(&outcome.handler, &outcome.revision, outcome.known, changes);
        Ok(Deployed {
            replay: replayed,
            settings_of: settings_of.map(|id| id.0),
            ended_canary: ended.map(|id| id.0),
            ..deployed
        })
    }

    /// The canary takes all new calls. With a `generation`, only while that one is in force.
    ///
    /// # Errors
    /// [`DeployError::Conflict`] where there is no canary, or another generation is in force.
    pub async fn promote(
        &self,
        by: &str,
        tenant: &TenantId,
        handler: &HandlerName,
        generation: Option<u64>,
    ) -> Result<Deployed, DeployError> {
        let (by, now) = (by.to_owned(), clock::unix_ms());
        let change = move |release: &Release| {
            release.is_at(generation)?;
            release.promote(&by, "promoted by hand", now).map(Some).map_err(DeployError::from)
        };
        self.change(tenant, handler, Without::TheRegistryNot, change).await
    }

    /// Ends the canary, or puts an earlier revision in force; never compiles where the compiled file is there. With a
    /// `generation`, only while that one is in force.
    ///
    /// # Errors
    /// [`DeployError::Conflict`] where there is nothing to go back to, or another generation is in force;
    /// [`DeployError::NotFound`] for an unknown revision.
    pub async fn rollback(
        &self,
        by: &str,
        tenant: &TenantId,
        handler: &HandlerName,
        to: Option<u32>,
        generation: Option<u64>,
    ) -> Result<Deployed, DeployError> {
        let (by, now) = (by.to_owned(), clock::unix_ms());
        let change = move |release: &Release| {
            release.is_at(generation)?;
            release.rollback(to.map(RevisionId), &by, now).map_err(DeployError::from)
        };
        self.change(tenant, handler, Without::TheRegistryToo, change).await
    }

    /// Puts what the registry has, or what was last known of it, in force.
    pub fn put_in_force(&self, everything: Everything) {
        self.publisher.all(everything);
    }

    /// Lets nothing change for as long as what it gives is held.
    pub async fn freeze(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Most revisions whose code is kept in memory.
    #[must_use]
    pub fn loaded_max(&self) -> usize {
        self.loaded_max
    }

    /// All handlers of a tenant.
    ///
    /// # Errors
    /// [`DeployError::NotFound`].
    pub async fn handlers(&self, tenant: &TenantId) -> Result<Vec<HandlerView>, DeployError> {
        let in_force = self.tenant(tenant)?;
        let calls = self.calls().await;
        let mut views = Vec::with_capacity(in_force.handlers.len());
        for (name, handler) in &in_force.handlers {
            views.push(self.view(tenant, handler, &calls, self.history(tenant, name).await));
        }
        views.sort_by(|one, other| one.handler.cmp(&other.handler));
        Ok(views)
    }

    /// One handler.
    ///
    /// # Errors
    /// [`DeployError::NotFound`].
    pub async fn handler(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
    ) -> Result<HandlerView, DeployError> {
        let in_force = self.in_force(tenant, handler)?;
        let calls = self.calls().await;
        Ok(self.view(tenant, &in_force, &calls, self.history(tenant, handler).await))
    }

    /// What happened to a release, newest first.
    async fn history(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
    ) -> Result<Vec<ReleaseEvent>, DeployError> {
        let (registry, name) = (Arc::clone(&self.registry), (tenant.clone(), handler.clone()));
        let history = blocking(move || {
            registry.history(&name.0, &name.1, view::HISTORY_MAX).map_err(DeployError::from)
        });
        history.await
    }

    /// How many calls each revision has, by its number in this process. Reads a table of some MiB.
    async fn calls(&self) -> hashbrown::HashMap<u32, u64> {
        let calls = self.host.calls.load_full();
        blocking(move || Ok(calls.counts(host::minute()))).await.unwrap_or_default()
    }

    /// All revisions of a handler that are kept, newest first.
    ///
    /// # Errors
    /// [`DeployError::NotFound`].
    pub async fn revisions(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
    ) -> Result<Vec<RevisionView>, DeployError> {
        let in_force = self.in_force(tenant, handler)?;
        let (registry, name) = (Arc::clone(&self.registry), (tenant.clone(), handler.clone()));
        let records =
            blocking(move || registry.revisions(&name.0, &name.1).map_err(DeployError::from)).await?;
        let calls = self.calls().await;
        Ok(records.into_iter().map(|record| view::revision(record, &in_force, &calls)).collect())
    }

    /// Puts in force what the registry now has of this tenant: its keys, quota and numbers.
    ///
    /// # Errors
    /// [`DeployError::Unavailable`].
    pub async fn tenant_changed(&self, tenant: &TenantId) -> Result<(), DeployError> {
        let _turn = self.turn.lock().await;
        let (registry, id) = (Arc::clone(&self.registry), tenant.clone());
        let found = blocking(move || {
            let Some(record) = registry.tenant(&id)? else { return Ok(None) };
            Ok::<_, DeployError>(Some((record, registry.numbers(&id)?)))
        });
        match found.await? {
            Some((record, numbers)) => self.publisher.tenant(&record, numbers),
            None => {
                self.publisher.remove_tenant(tenant);
                if let Err(why) = self.forget_tenant(tenant).await {
                    warn!(%tenant, "what it kept is deleted at the next start: {why}");
                }
            }
        }
        Ok(())
    }

    fn tenant(&self, tenant: &TenantId) -> Result<Arc<crate::router::Tenant>, DeployError> {
        self.host.router.tenant(tenant.as_str()).ok_or_else(|| {
            DeployError::NotFound(format!(
                "there is no tenant {tenant}; `hookswitch tenant create` makes one"
            ))
        })
    }

    fn in_force(&self, tenant: &TenantId, handler: &HandlerName) -> Result<Arc<Handler>, DeployError> {
        let found = self.tenant(tenant)?.handlers.get(handler).cloned();
        found.ok_or_else(|| {
            DeployError::NotFound(format!(
                "tenant {tenant} has no handler {handler}; `hookswitch deploy` makes one"
            ))
        })
    }

    /// Says in log, feed and metrics what happened to a release: a change that `began` when it had its turn, and that was put
    /// in force just now.
    fn tell(&self, handler: &HandlerRecord, event: &ReleaseEvent, began: Instant) {
        metrics::histogram!("hookswitch_release_switch_seconds").record(began.elapsed());
        let (tenant, name) = (&handler.tenant, &handler.name);
        let change = view::change_word(event.change);
        info!(
            target: "release", %tenant, handler = %name, revision = event.revision.0, by = event.by,
            "{change}: {}", event.reason
        );
        metrics::counter!("hookswitch_release_changes_total", "change" => change).increment(1);
        self.host.feed.publish(tenant, || FeedEvent::Release {
            at: clock::moment(event.at),
            handler: name.clone(),
            revision: event.revision,
            change: event.change,
            reason: event.reason.clone(),
        });
    }
}

/// Does what blocks where blocking is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DeployError> + Send + 'static,
) -> Result<T, DeployError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|panic| Err(DeployError::Unavailable(format!("a fault of the host: {panic}"))))
}
