//! Deploys and changes of releases: read, decided and kept in one transaction.
//!
//! Two people who promote and roll back at the same moment must not both succeed on what they saw before. So the decision is
//! a closure that runs while the write lock is held, it sees what is in force, and what it decides is kept before anybody
//! hears of it. Every change takes the next generation and leaves one line of history.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::handlers::no_handler;
use super::model::{
    ChangeOutcome, Decision, DeployContext, DeployOutcome, HandlerRecord, NewRevision, PendingChange,
    RevisionRecord, SETTINGS_COPIES,
};
use super::rows::{self, find_handler, find_revision, to_json, to_word};
use super::tenants::{quota_of, usage_of};
use super::{Registry, RegistryError};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::handler_toml::RevisionSettings;
use crate::release::{Release, ReleaseEvent};

/// Which generations may follow the one in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The next one.
    Next,
    /// Any later one: changes made elsewhere meanwhile, of which some may be missing.
    Later,
}

impl Registry {
    /// Keeps a revision, unless one of this handler has the same component and equal settings: then that one is meant.
    ///
    /// `decide` says what becomes of it; its refusal undoes everything. A known revision keeps the risk that it was found with.
    ///
    /// # Errors
    /// What `decide` refused with; [`RegistryError::NotFound`] for an unknown tenant, [`RegistryError::Generation`] and
    /// [`RegistryError::Invalid`] for a release that can't follow the present one.
    pub fn deploy<E: From<RegistryError>>(
        &self,
        new: &NewRevision,
        decide: impl FnOnce(&DeployContext) -> Result<Decision, E>,
    ) -> Result<DeployOutcome, E> {
        let settings_hash = hash_of(&new.settings)?;
        self.writer.write(|transaction| {
            let known = find_known(transaction, new, &settings_hash)?;
            let context = context(transaction, new, known.as_ref())?;
            let decision = match decide(&context) {
                Ok(decision) => decision,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let is_known = known.is_some();
            if !is_known {
                insert(transaction, new, context.revision, &decision, &settings_hash)?;
            }
            let handler = match (decision.release, context.handler) {
                (Some((release, event)), present) => {
                    let change = PendingChange {
                        tenant: new.tenant.clone(),
                        handler: new.handler.clone(),
                        release,
                        event,
                    };
                    put_release(transaction, present.as_ref(), change, Order::Next)?
                }
                (None, Some(present)) => present,
                (None, None) => {
                    return Err(RegistryError::Invalid(format!(
                        "the first revision of {}/{} has no release: nothing would take its calls",
                        new.tenant, new.handler
                    )));
                }
            };
            let revision = find_revision(transaction, &new.tenant, &new.handler, context.revision)?
                .ok_or_else(|| RegistryError::damaged("a revision is gone that was just written"))?;
            Ok(Ok(DeployOutcome { revision, known: is_known, handler }))
        })
    }

    /// Changes what is in force for a handler. `decide` sees it and may look at the handler's revisions.
    ///
    /// # Errors
    /// What `decide` refused with; [`RegistryError::NotFound`] for an unknown handler or a revision that it has not,
    /// [`RegistryError::Generation`] and [`RegistryError::Invalid`] for a release that can't follow the present one; where a
    /// revision that would take new calls can't be read.
    pub fn change_release<E: From<RegistryError>>(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        decide: impl FnOnce(
            &HandlerRecord,
            &dyn Fn(RevisionId) -> Option<RevisionRecord>,
        ) -> Result<(Release, ReleaseEvent), E>,
    ) -> Result<ChangeOutcome, E> {
        self.writer.write(|transaction| {
            let present =
                find_handler(transaction, tenant, handler)?.ok_or_else(|| no_handler(tenant, handler))?;
            let failed = RefCell::new(None);
            let revision = |id| {
                find_revision(transaction, tenant, handler, id).unwrap_or_else(|error| {
                    failed.replace(Some(error));
                    None
                })
            };
            let decided = decide(&present, &revision);
            // A decision on a revision that could not be read is none.
            if let Some(error) = failed.take() {
                return Err(error);
            }
            let (release, event) = match decided {
                Ok(decided) => decided,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let change = PendingChange { tenant: tenant.clone(), handler: handler.clone(), release, event };
            let handler_now = put_release(transaction, Some(&present), change, Order::Next)?;
            let canary = handler_now.release.canary.as_ref().map(|canary| canary.revision);
            let mut in_force = Vec::new();
            for id in [Some(handler_now.release.stable), canary].into_iter().flatten() {
                in_force.extend(find_revision(transaction, tenant, handler, id)?);
            }
            Ok(Ok(ChangeOutcome { handler: handler_now, in_force }))
        })
    }

    /// Keeps a change that was made elsewhere, where it is newer than what is in force.
    ///
    /// # Errors
    /// [`RegistryError::Generation`] where something newer is in force; [`RegistryError::NotFound`] where its handler or a
    /// revision of it is gone.
    pub(super) fn apply(&self, change: &PendingChange) -> Result<HandlerRecord, RegistryError> {
        self.writer.write(|transaction| {
            let (tenant, handler) = (&change.tenant, &change.handler);
            let present =
                find_handler(transaction, tenant, handler)?.ok_or_else(|| no_handler(tenant, handler))?;
            Ok(Ok(put_release(transaction, Some(&present), change.clone(), Order::Later)?))
        })
    }
}

fn find_known(
    connection: &Connection,
    new: &NewRevision,
    settings_hash: &[u8; 32],
) -> Result<Option<RevisionRecord>, RegistryError> {
    let sql = rows::select(
        rows::REVISION,
        "revision AS r WHERE r.tenant = ?1 AND r.handler = ?2 AND r.digest = ?3 AND r.settings_hash = ?4",
    );
    let key = (new.tenant.as_str(), new.handler.as_str(), &new.digest.as_bytes()[..], &settings_hash[..]);
    Ok(connection.prepare_cached(&sql)?.query_row(key, rows::revision).optional()?)
}

fn context(
    connection: &Connection,
    new: &NewRevision,
    known: Option<&RevisionRecord>,
) -> Result<DeployContext, RegistryError> {
    let quota = quota_of(connection, &new.tenant)?;
    let handler = find_handler(connection, &new.tenant, &new.handler)?;
    let stable = match &handler {
        Some(handler) => find_revision(connection, &new.tenant, &new.handler, handler.release.stable)?,
        None => None,
    };
    let usage = usage_of(connection, &new.tenant, new.at)?;
    let settings_bytes = (to_json(&new.settings)?.len() as u64).saturating_mul(SETTINGS_COPIES);
    let has_component: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM revision WHERE tenant = ?1 AND digest = ?2)")?
        .query_row((new.tenant.as_str(), &new.digest.as_bytes()[..]), |row| row.get(0))?;
    let adds_bytes = match (known, has_component) {
        (Some(_), _) => 0,
        (None, true) => settings_bytes,
        (None, false) => {
            settings_bytes.saturating_add(new.component_bytes).saturating_add(new.artifact_bytes)
        }
    };
    let revision = match known {
        Some(known) => known.id,
        None => next_number(connection, &new.tenant, &new.handler)?,
    };
    Ok(DeployContext { revision, known: known.is_some(), handler, stable, usage, adds_bytes, quota })
}

/// The number after the last one that was ever given, also by a handler of this name that was deleted.
fn next_number(
    connection: &Connection,
    tenant: &TenantId,
    handler: &HandlerName,
) -> Result<RevisionId, RegistryError> {
    let last: Option<u32> = connection
        .prepare_cached("SELECT last FROM numbering WHERE tenant = ?1 AND handler = ?2")?
        .query_row((tenant.as_str(), handler.as_str()), |row| row.get(0))
        .optional()?;
    let next = last.unwrap_or(0).checked_add(1);
    next.map(RevisionId).ok_or_else(|| {
        RegistryError::Conflict(format!(
            "{tenant}/{handler} has used up its revision numbers; use another name"
        ))
    })
}

fn insert(
    transaction: &Transaction<'_>,
    new: &NewRevision,
    id: RevisionId,
    decision: &Decision,
    settings_hash: &[u8; 32],
) -> Result<(), RegistryError> {
    let (tenant, handler) = (new.tenant.as_str(), new.handler.as_str());
    transaction
        .prepare_cached(
            "INSERT INTO numbering (tenant, handler, last) VALUES (?1, ?2, ?3)
             ON CONFLICT (tenant, handler) DO UPDATE SET last = excluded.last, deleted_at = NULL",
        )?
        .execute((tenant, handler, id.0))?;
    transaction
        .prepare_cached(
            "INSERT INTO revision (tenant, handler, id, digest, component_bytes, artifact_bytes, settings, settings_hash,
                                   imports, exports, created_at, created_by, risk, risk_reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            tenant,
            handler,
            id.0,
            &new.digest.as_bytes()[..],
            new.component_bytes,
            new.artifact_bytes,
            to_json(&new.settings)?,
            &settings_hash[..],
            to_json(&new.imports)?,
            to_json(&new.exports)?,
            new.at,
            new.by,
            to_word(&decision.risk)?,
            decision.reason,
        ])?;
    Ok(())
}

/// Puts a release in force: the handler's row, the line of history, and which revisions take new calls.
fn put_release(
    transaction: &Transaction<'_>,
    present: Option<&HandlerRecord>,
    change: PendingChange,
    order: Order,
) -> Result<HandlerRecord, RegistryError> {
    let PendingChange { tenant, handler, release, event } = change;
    let generation = present.map_or(0, |present| present.release.generation);
    let follows = match order {
        Order::Next => release.generation == generation + 1,
        Order::Later => release.generation > generation,
    };
    if !follows {
        return Err(RegistryError::Generation { present: generation, found: release.generation });
    }
    check(transaction, &tenant, &handler, &release)?;

    let record = HandlerRecord {
        created_at: present.map_or(event.at, |present| present.created_at),
        tenant,
        name: handler,
        release,
    };
    let (tenant, name) = (record.tenant.as_str(), record.name.as_str());
    transaction
        .prepare_cached(
            "INSERT INTO handler (tenant, name, generation, previous, release, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (tenant, name) DO UPDATE
             SET generation = excluded.generation, previous = excluded.previous, release = excluded.release",
        )?
        .execute(params![
            tenant,
            name,
            record.release.generation,
            record.release.previous.map(|id| id.0),
            to_json(&record.release)?,
            record.created_at
        ])?;
    transaction
        .prepare_cached(
            "INSERT INTO history (tenant, handler, generation, at, change, revision, by, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            tenant,
            name,
            record.release.generation,
            event.at,
            to_word(&event.change)?,
            event.revision.0,
            event.by,
            event.reason
        ])?;
    stamp(transaction, &record, event.at)?;
    Ok(record)
}

/// Which revisions take new calls from now on, and when the others stopped to.
fn stamp(transaction: &Transaction<'_>, handler: &HandlerRecord, at: u64) -> Result<(), RegistryError> {
    let (tenant, name) = (handler.tenant.as_str(), handler.name.as_str());
    let stable = handler.release.stable.0;
    let canary = handler.release.canary.as_ref().map_or(stable, |canary| canary.revision.0);
    transaction
        .prepare_cached(
            "UPDATE revision SET taking = 0, retired_at = ?5
             WHERE tenant = ?1 AND handler = ?2 AND taking = 1 AND id NOT IN (?3, ?4)",
        )?
        .execute(params![tenant, name, stable, canary, at])?;
    transaction
        .prepare_cached(
            "UPDATE revision SET taking = 1, retired_at = NULL
             WHERE tenant = ?1 AND handler = ?2 AND taking = 0 AND id IN (?3, ?4)",
        )?
        .execute(params![tenant, name, stable, canary])?;
    Ok(())
}

/// A release names revisions that are there, and a canary is on one of its steps.
fn check(
    connection: &Connection,
    tenant: &TenantId,
    handler: &HandlerName,
    release: &Release,
) -> Result<(), RegistryError> {
    let invalid = |why: String| Err(RegistryError::Invalid(format!("{tenant}/{handler}: {why}")));
    if let Some(canary) = &release.canary {
        if canary.revision == release.stable {
            return invalid(format!("revision {} can't be its own canary", canary.revision));
        }
        if canary.step >= canary.steps.len() {
            return invalid(format!(
                "a canary of {} steps can't be on step {}",
                canary.steps.len(),
                canary.step
            ));
        }
    }
    let named = [Some(release.stable), release.previous, release.canary.as_ref().map(|c| c.revision)];
    for id in named.into_iter().flatten() {
        let there: bool = connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM revision WHERE tenant = ?1 AND handler = ?2 AND id = ?3)",
            )?
            .query_row((tenant.as_str(), handler.as_str(), id.0), |row| row.get(0))?;
        if !there {
            return Err(RegistryError::NotFound(format!(
                "{handler} has no revision {id}; `hookswitch revisions {handler}` lists them"
            )));
        }
    }
    Ok(())
}

/// SHA-256 of what differs from the defaults, so that a setting which a later version adds leaves the hash as it is.
fn hash_of(settings: &RevisionSettings) -> Result<[u8; 32], RegistryError> {
    let value = |settings: &RevisionSettings| {
        serde_json::to_value(settings).map_err(|error| RegistryError::Invalid(format!("settings: {error}")))
    };
    let written = without_defaults(value(settings)?, &value(&RevisionSettings::default())?);
    Ok(Sha256::digest(to_json(&written)?).into())
}

/// Objects with their keys sorted, so that equal values read the same however `serde_json` was built.
fn without_defaults(value: Value, default: &Value) -> Value {
    match (value, default) {
        (Value::Object(entries), Value::Object(defaults)) => entries
            .into_iter()
            .filter(|(key, value)| defaults.get(key) != Some(value))
            .map(|(key, value)| {
                let default = defaults.get(&key).unwrap_or(&Value::Null);
                (key, without_defaults(value, default))
            })
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect(),
        (value, _) => value,
    }
}
