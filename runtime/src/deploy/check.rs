//! What is looked at before anything is changed: settings, component, quota, risk.

use std::sync::Arc;

use super::{DeployError, Deployer, blocking};
use crate::artifact::{AdmitError, Admitted, SmokeLimits};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::digest::Digest;
use crate::handler_toml::{Limits, RevisionSettings, Risk};
use crate::outbound;
use crate::registry::model::{DeployContext, NewRevision};
use crate::release::risk::{Assessment, Facts, assess};
use crate::schedule;
use crate::secrets::{self, SECRETS_MAX};
use crate::webhook::fallback::Fallback;

/// Most keys of `[config]`, bytes of one value, and bytes of all together: a revision's settings stay in memory.
const CONFIG_ENTRIES_MAX: usize = 256;
const CONFIG_VALUE_BYTES_MAX: usize = 16 * 1024;
const CONFIG_BYTES_MAX: usize = 64 * 1024;

/// Settings that a deploy kept because it brought none.
pub(super) struct Kept {
    /// Of which revision; none for a handler's first one, which has the defaults.
    pub(super) of: Option<RevisionId>,
    /// As that revision has them.
    settings: RevisionSettings,
}

impl Kept {
    /// Whether they are still what is in force.
    ///
    /// # Errors
    /// [`DeployError::Conflict`]: another revision with other settings became the stable one while this one was made ready.
    pub(super) fn still_in_force(&self, context: &DeployContext) -> Result<(), DeployError> {
        match &context.stable {
            Some(stable) if Some(stable.id) != self.of && stable.settings != self.settings => {
                Err(DeployError::Conflict(format!(
                    "revision {} took over meanwhile and has other settings than those that this deploy kept; deploy again",
                    stable.id
                )))
            }
            // Its schedules, secrets and allow-list would come back to life with it.
            None if self.of.is_some() => Err(DeployError::Conflict(
                "the handler whose settings this deploy kept was deleted meanwhile; deploy again".to_owned(),
            )),
            Some(_) | None => Ok(()),
        }
    }
}

impl Deployer {
    /// The settings of a deploy: those that it brings, or else those of the stable revision.
    pub(super) fn settings(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        brought: Option<RevisionSettings>,
    ) -> Result<(RevisionSettings, Option<Kept>), DeployError> {
        if let Some(brought) = brought {
            return Ok((brought, None));
        }
        let stable = self.tenant(tenant)?.handlers.get(handler).map(|handler| Arc::clone(&handler.stable));
        let record = stable.as_ref().and_then(|stable| stable.record.as_ref());
        let settings = record.map(|record| record.settings.clone()).unwrap_or_default();
        Ok((settings.clone(), Some(Kept { of: record.map(|record| record.id), settings })))
    }

    /// Compiles what is not compiled yet, within the tenant's quota of compiling.
    pub(super) async fn admit(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        digest: &Digest,
        settings: &RevisionSettings,
        now: u64,
    ) -> Result<Admitted, DeployError> {
        // Where only words change nothing is compiled, and nothing is tried out anew.
        let same = self.in_force(tenant, handler).ok().and_then(|in_force| in_force.stable.record.clone());
        let same = same.is_some_and(|old| old.digest == *digest && old.settings.limits == settings.limits);
        if !same {
            let (registry, id) = (Arc::clone(&self.registry), tenant.clone());
            let (usage, quota) = blocking(move || {
                let quota = registry.tenant(&id)?.map(|tenant| tenant.quota).unwrap_or_default();
                Ok::<_, DeployError>((registry.usage(&id, now)?, quota))
            })
            .await?;
            if usage.compile_ms_last_hour >= quota.compile_ms_per_hour {
                return Err(DeployError::Quota(format!(
                    "compiles of this tenant took {} s of CPU within the last hour, its quota is {} s; wait, or ask the \
                     operator to raise compile_ms_per_hour",
                    usage.compile_ms_last_hour / 1_000,
                    quota.compile_ms_per_hour / 1_000
                )));
            }
        }
        let limits = settings.limits;
        let limits = SmokeLimits {
            memory_mib: limits.memory_mib,
            cpu_ms: limits.cpu_ms,
            deadline_ms: limits.deadline_ms,
        };
        let admitted = self.artifacts.admit(tenant, digest, limits).await;
        // What was refused has cost as much.
        let spent = match &admitted {
            Ok(admitted) => admitted.spent.as_ref().map_or(0, |spent| spent.cpu_ms),
            Err(AdmitError::Refused(refusal)) => refusal.cpu_ms,
            Err(_) => 0,
        };
        if spent > 0 {
            let (registry, id) = (Arc::clone(&self.registry), tenant.clone());
            blocking(move || registry.record_compile(&id, spent, now).map_err(DeployError::from)).await?;
        }
        Ok(admitted?)
    }

    /// Holds settings against what a host takes.
    pub(super) fn check(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        settings: &RevisionSettings,
    ) -> Result<(), DeployError> {
        settings.limits.check(&self.limits_max).map_err(|error| DeployError::refused("settings", error))?;
        let Limits { deadline_ms, cpu_ms, memory_mib, concurrency, web_deadline_ms } = settings.limits;
        if [deadline_ms, cpu_ms, memory_mib, concurrency, web_deadline_ms].contains(&0) {
            return Err(DeployError::refused("settings", "a limit is 0; each is at least 1"));
        }
        schedule::check(&settings.schedule).map_err(|(_, error)| DeployError::refused("settings", error))?;
        for name in settings.secrets.keys() {
            secrets::check_name(name).map_err(|error| DeployError::refused("settings", error))?;
        }
        let bytes: usize = settings.config.iter().map(|(key, value)| key.len() + value.len()).sum();
        let longest = settings.config.values().map(String::len).max().unwrap_or_default();
        for (found, max, what) in [
            (settings.secrets.len(), SECRETS_MAX, "secrets"),
            (settings.config.len(), CONFIG_ENTRIES_MAX, "keys in [config]"),
            (longest, CONFIG_VALUE_BYTES_MAX, "bytes in one value of [config]"),
            (bytes, CONFIG_BYTES_MAX, "bytes in [config]"),
        ] {
            if found > max {
                let detail = format!(
                    "{found} {what}, at most {max}; large data belongs into the component or a store"
                );
                return Err(DeployError::refused("settings", detail));
            }
        }
        outbound::allow::check(&settings.outbound_allow)
            .map_err(|error| DeployError::refused("settings", format!("outbound_allow: {error}")))?;
        // Refused now by the code that will use it later; which pin stands in it makes no difference.
        let prefix = format!("/{tenant}/{handler}");
        if let Some(own) = &settings.fallback {
            Fallback::new(own, &prefix, "1").map_err(|error| DeployError::refused("fallback", error))?;
        }
        Ok(())
    }

    /// The component that is meant: the one that is named, or that of the newest revision in force.
    pub(super) fn digest(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        named: Option<&str>,
    ) -> Result<Digest, DeployError> {
        if let Some(named) = named {
            self.tenant(tenant)?;
            return named.parse().map_err(|error| DeployError::refused("component", error));
        }
        let in_force = self.in_force(tenant, handler)?;
        let newest = in_force.canary.as_ref().map_or(&in_force.stable, |canary| &canary.revision);
        let record = newest.record.as_ref().map(|record| record.digest);
        record.ok_or_else(|| DeployError::NotFound("the revision in force has no component".to_owned()))
    }
}

/// How risky `new` is against the stable revision.
pub(super) fn assessment(new: &NewRevision, context: &DeployContext, asked: Risk) -> Assessment {
    let new =
        Facts { digest: new.digest, settings: &new.settings, imports: &new.imports, exports: &new.exports };
    let old = context.stable.as_ref().map(|old| Facts {
        digest: old.digest,
        settings: &old.settings,
        imports: &old.imports,
        exports: &old.exports,
    });
    assess(&new, old.as_ref(), asked)
}

/// Whether the tenant may keep one more revision.
pub(super) fn within_quota(context: &DeployContext) -> Result<(), DeployError> {
    if context.known {
        return Ok(());
    }
    let (usage, quota) = (&context.usage, &context.quota);
    if usage.revisions >= u64::from(quota.revisions) {
        return Err(DeployError::Quota(format!(
            "this tenant keeps {} revisions, its quota is {}; older ones go 24 h after their last calls, or ask the \
             operator to raise the quota",
            usage.revisions, quota.revisions
        )));
    }
    if usage.bytes.saturating_add(context.adds_bytes) > quota.bytes {
        return Err(DeployError::Quota(format!(
            "what this tenant keeps (components, compiled files, settings) takes {} MiB and this revision adds {} KiB, its quota is {} MiB; \
             older revisions go 24 h after their last calls, or ask the operator to raise it",
            usage.bytes >> 20,
            context.adds_bytes >> 10,
            quota.bytes >> 20
        )));
    }
    Ok(())
}
