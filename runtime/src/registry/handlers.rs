//! What the registry knows about handlers, their revisions and their history.

use rusqlite::{OptionalExtension as _, params};

use super::model::{HandlerRecord, RevisionRecord};
use super::rows::{self, find_handler, find_revision, word};
use super::{Registry, RegistryError};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::release::ReleaseEvent;

impl Registry {
    /// The handlers of a tenant, by name.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn handlers(&self, tenant: &TenantId) -> Result<Vec<HandlerRecord>, RegistryError> {
        let sql = rows::select(rows::HANDLER, "handler AS h WHERE h.tenant = ?1 ORDER BY h.name");
        self.reader.read(|transaction| {
            let mut statement = transaction.prepare_cached(&sql)?;
            let handlers = statement.query_map([tenant.as_str()], rows::handler)?;
            Ok(handlers.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// One handler.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn handler(
        &self,
        tenant: &TenantId,
        name: &HandlerName,
    ) -> Result<Option<HandlerRecord>, RegistryError> {
        self.reader.read(|transaction| find_handler(transaction, tenant, name))
    }

    /// The revisions of a handler that are kept, newest first.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn revisions(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
    ) -> Result<Vec<RevisionRecord>, RegistryError> {
        let sql = rows::select(
            rows::REVISION,
            "revision AS r WHERE r.tenant = ?1 AND r.handler = ?2 ORDER BY r.id DESC",
        );
        self.reader.read(|transaction| {
            let mut statement = transaction.prepare_cached(&sql)?;
            let revisions = statement.query_map((tenant.as_str(), handler.as_str()), rows::revision)?;
            Ok(revisions.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// One revision.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn revision(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        id: RevisionId,
    ) -> Result<Option<RevisionRecord>, RegistryError> {
        self.reader.read(|transaction| find_revision(transaction, tenant, handler, id))
    }

    /// The last number that a revision of this name got, also of a handler that was deleted within the last
    /// [`PINNED_MS`](super::PINNED_MS).
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn last_revision(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
    ) -> Result<Option<RevisionId>, RegistryError> {
        self.reader.read(|transaction| {
            let mut statement = transaction
                .prepare_cached("SELECT last FROM numbering WHERE tenant = ?1 AND handler = ?2")?;
            let last = statement.query_row((tenant.as_str(), handler.as_str()), |row| row.get(0));
            Ok(last.optional()?.map(RevisionId))
        })
    }

    /// The last `limit` things that happened to a handler's release, newest first.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn history(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        limit: u32,
    ) -> Result<Vec<ReleaseEvent>, RegistryError> {
        self.reader.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT change, at, revision, by, reason FROM history WHERE tenant = ?1 AND handler = ?2
                 ORDER BY generation DESC LIMIT ?3",
            )?;
            let events = statement.query_map(params![tenant.as_str(), handler.as_str(), limit], |row| {
                Ok(ReleaseEvent {
                    change: word(row, 0)?,
                    at: row.get(1)?,
                    revision: RevisionId(row.get(2)?),
                    by: row.get(3)?,
                    reason: row.get(4)?,
                })
            })?;
            Ok(events.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Removes a handler with its revisions and history; `at` in Unix milliseconds. A handler that gets its name later goes on
    /// counting revisions where this one ended, for as long as links of this one may be in use.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`]; [`RegistryError::Conflict`] while numbers lead to it.
    pub fn delete_handler(
        &self,
        tenant: &TenantId,
        name: &HandlerName,
        at: u64,
    ) -> Result<(), RegistryError> {
        let key = (tenant.as_str(), name.as_str());
        self.writer.write(|transaction| {
            let numbers = transaction
                .prepare_cached(
                    "SELECT number FROM number WHERE tenant = ?1 AND handler = ?2 ORDER BY number LIMIT 3",
                )?
                .query_map(key, |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<String>>>()?;
            if !numbers.is_empty() {
                return Err(RegistryError::Conflict(format!(
                    "{} leads to handler {name}; give it to another handler or delete it first",
                    numbers.join(", ")
                )));
            }
            transaction
                .prepare_cached("UPDATE numbering SET deleted_at = ?3 WHERE tenant = ?1 AND handler = ?2")?
                .execute((key.0, key.1, at))?;
            match transaction
                .prepare_cached("DELETE FROM handler WHERE tenant = ?1 AND name = ?2")?
                .execute(key)?
            {
                0 => Err(no_handler(tenant, name)),
                _ => Ok(Ok(())),
            }
        })
    }
}

pub(super) fn no_handler(tenant: &TenantId, name: &HandlerName) -> RegistryError {
    RegistryError::NotFound(format!(
        "tenant {tenant} has no handler {name}; `hookswitch status --tenant {tenant}` shows all"
    ))
}
