//! Kept calls: who records, and what a revision would answer to what was recorded.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tracing::info;

use super::{DeployError, Deployer, blocking};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::clock;
use crate::control::model::{RecordingView, ReplayGate};
use crate::handler_toml::RevisionSettings;
use crate::recording::replay::{Candidate, Replay, ReplayReport};
use crate::recording::{Recorder, RecordingSettings, StoreError};
use crate::registry::model::RevisionRecord;
use crate::revision::{self, RevisionName};
use crate::sandbox::Prepared;

/// Replays at one time; each runs one webhook at a time.
pub(super) const REPLAYS_MAX: usize = 2;
/// How long one may take.
const REPLAY_WITHIN: Duration = Duration::from_secs(10 * 60);

impl Deployer {
    /// Plays the newest `calls` kept calls of a handler against one of its revisions. Changes nothing.
    ///
    /// # Errors
    /// [`DeployError::NotFound`], also where no call is kept; [`DeployError::Unavailable`] where the host can't keep calls.
    pub async fn replay(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        revision: RevisionId,
        calls: u32,
    ) -> Result<ReplayReport, DeployError> {
        self.in_force(tenant, handler)?;
        let candidate = match self.record(tenant, handler, revision).await? {
            Some(record) => self.candidate_of(record).await?,
            None => {
                return Err(DeployError::NotFound(format!(
                    "handler {handler} has no revision {revision}; `hookswitch revisions {handler}` lists those that are kept"
                )));
            }
        };
        let report = self.play(tenant, handler, &candidate, calls).await?;
        if report.calls == 0 {
            return Err(DeployError::NotFound(self.nothing_kept(tenant, handler)?));
        }
        Ok(ReplayReport { revision: Some(revision.0), ..report })
    }

    /// Lets a revision that is about to be deployed pass only if kept calls sound the same on it, and there are some. None for
    /// the first revision of a handler, which nobody has called.
    pub(super) async fn gate(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        settings: &RevisionSettings,
        code: &Arc<Prepared>,
        gate: &ReplayGate,
    ) -> Result<Option<ReplayReport>, DeployError> {
        if self.in_force(tenant, handler).is_err() {
            return Ok(None);
        }
        // It has no number yet.
        let name = RevisionName { tenant: tenant.clone(), handler: handler.clone(), id: RevisionId(0) };
        let candidate = self.candidate(name, settings, Arc::clone(code))?;
        let report = self.play(tenant, handler, &candidate, gate.calls).await?;
        // A gate that nothing can close shall not look like one that is open.
        if report.calls == 0 && !gate.none_kept {
            let why = self.nothing_kept(tenant, handler)?;
            let otherwise =
                "or deploy with `--replay-allow none-kept` (`none_kept` in the API); nothing was changed";
            return Err(DeployError::refused("replay", format!("{why}, {otherwise}")));
        }
        let passes = report.passes(&gate.allow);
        info!(%tenant, %handler, passes, "a deploy was tried on kept calls: {}", report.summary());
        if passes { Ok(Some(report)) } else { Err(DeployError::Differs(Box::new(report))) }
    }

    async fn play(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        candidate: &Candidate,
        calls: u32,
    ) -> Result<ReplayReport, DeployError> {
        // Closed by nobody. Before the calls are read: those of many who wait would fill the memory.
        let _one_of_few = self.replays.acquire().await.ok();
        let name = (tenant.clone(), handler.clone());
        let kept = self.ask_recorder(move |recorder| recorder.calls(&name.0, &name.1, calls)).await?;
        let redactor = self.recorder()?.redactor(tenant);
        let find = async |revision| {
            let record = self.record(tenant, handler, revision).await.ok().flatten()?;
            self.candidate_of(record).await.ok()
        };
        let replay = Replay { host: &self.host, redactor: &redactor, candidate, find: &find };
        let report = timeout(REPLAY_WITHIN, replay.play(&kept)).await.map_err(|_| {
            DeployError::Unavailable(format!(
                "{} calls were not played within {} min; ask for fewer",
                kept.len(),
                REPLAY_WITHIN.as_secs() / 60
            ))
        })?;
        Ok(ReplayReport { tenant: tenant.to_string(), handler: handler.to_string(), ..report })
    }

    async fn record(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        revision: RevisionId,
    ) -> Result<Option<RevisionRecord>, DeployError> {
        let (registry, name) = (Arc::clone(&self.registry), (tenant.clone(), handler.clone()));
        blocking(move || registry.revision(&name.0, &name.1, revision).map_err(DeployError::from)).await
    }

    async fn candidate_of(&self, record: RevisionRecord) -> Result<Candidate, DeployError> {
        let code = self.artifacts.get(&self.host.sandbox, &record.tenant, &record.digest).await;
        let code = code.map_err(DeployError::from)?;
        let name = RevisionName { tenant: record.tenant, handler: record.handler, id: record.id };
        self.candidate(name, &record.settings, code)
    }

    fn candidate(
        &self,
        name: RevisionName,
        settings: &RevisionSettings,
        code: Arc<Prepared>,
    ) -> Result<Candidate, DeployError> {
        let secrets = revision::granted(&name, settings, self.publisher.secrets());
        Candidate::new(name, settings, secrets, code).map_err(|error| DeployError::refused("fallback", error))
    }

    /// Whether a tenant's calls are kept, by which rules, and how many are.
    ///
    /// # Errors
    /// [`DeployError::NotFound`]; [`DeployError::Unavailable`] where this host can't keep calls.
    pub async fn recording(&self, tenant: &TenantId) -> Result<RecordingView, DeployError> {
        self.tenant(tenant)?;
        let id = tenant.clone();
        let kept = self.ask_recorder(move |recorder| recorder.kept(&id)).await?;
        let recorder = self.recorder()?;
        Ok(RecordingView {
            settings: recorder.settings(tenant),
            calls: kept.calls,
            webhooks: kept.webhooks,
            bytes: kept.bytes,
            oldest_at: kept.oldest_at.map(clock::moment),
            dropped: recorder.dropped(),
        })
    }

    /// Sets whether and how a tenant's calls are kept from now on.
    ///
    /// # Errors
    /// As [`Deployer::recording`].
    pub async fn set_recording(
        &self,
        by: &str,
        tenant: &TenantId,
        settings: RecordingSettings,
    ) -> Result<RecordingView, DeployError> {
        self.tenant(tenant)?;
        let id = tenant.clone();
        self.ask_recorder(move |recorder| recorder.set(&id, &settings)).await?;
        info!(%tenant, by, on = settings.on, "whether its calls are kept was set");
        self.recording(tenant).await
    }

    /// Forgets a tenant's kept calls.
    ///
    /// # Errors
    /// As [`Deployer::recording`].
    pub async fn forget_calls(&self, by: &str, tenant: &TenantId) -> Result<(), DeployError> {
        self.tenant(tenant)?;
        let id = tenant.clone();
        let calls = self.ask_recorder(move |recorder| recorder.forget(&id, None)).await?;
        info!(%tenant, by, calls, "its kept calls were forgotten");
        Ok(())
    }

    /// Forgets the calls that were kept of what is no more: of a handler, or of the whole tenant.
    pub(super) async fn forget_kept_calls(
        &self,
        tenant: &TenantId,
        handler: Option<&HandlerName>,
    ) -> Result<(), DeployError> {
        if self.host.recorder.get().is_none() {
            return Ok(());
        }
        let (id, name) = (tenant.clone(), handler.cloned());
        let forgotten = self.ask_recorder(move |recorder| match &name {
            Some(name) => recorder.forget(&id, Some(name)).map(drop),
            None => recorder.forget_tenant(&id),
        });
        forgotten.await
    }

    /// What is said where no call of a handler is kept.
    fn nothing_kept(&self, tenant: &TenantId, handler: &HandlerName) -> Result<String, DeployError> {
        Ok(if self.recorder()?.settings(tenant).on {
            format!("no call of {tenant}/{handler} is kept yet; recording is on: wait for calls")
        } else {
            format!(
                "no call of {tenant}/{handler} is kept; switch recording on with `hookswitch tenant record {tenant} --on` and \
                 wait for calls"
            )
        })
    }

    fn recorder(&self) -> Result<&Recorder, DeployError> {
        self.host.recorder.get().ok_or_else(|| {
            DeployError::Unavailable(
                "this host can't keep calls; its log says why, from when it started".to_owned(),
            )
        })
    }

    async fn ask_recorder<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Recorder) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, DeployError> {
        self.recorder()?;
        let host = Arc::clone(&self.host);
        blocking(move || {
            let recorder =
                host.recorder.get().ok_or_else(|| DeployError::Unavailable("no recorder".to_owned()))?;
            question(recorder).map_err(|error| DeployError::Unavailable(error.to_string()))
        })
        .await
    }
}
