//! Tenants' secrets: the newest version of each. A revision keeps the encrypted value that it was deployed with, so that
//! going back to it brings back what it worked with.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::model::SecretRecord;
use super::tenants::quota_of;
use super::{Registry, RegistryError};
use crate::call::TenantId;
use crate::config::Secret;
use crate::handler_toml::{RevisionSettings, SecretGrant};
use crate::secrets::SECRETS_MAX;

impl Registry {
    /// Sets a secret; gives it back with its version. One that is set to the value it has stays as it is.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for an unknown tenant; [`RegistryError::Conflict`] where it has too many.
    pub fn put_secret(
        &self,
        tenant: &TenantId,
        name: &str,
        value: &Secret,
        by: &str,
        at: u64,
    ) -> Result<SecretRecord, RegistryError> {
        self.writer.write(|transaction| {
            quota_of(transaction, tenant)?;
            let present = find(transaction, tenant, name)?;
            if let Some((record, grant)) = &present
                && self.secrets.open(tenant, name, grant).is_some_and(|known| known.expose() == value.expose())
            {
                return Ok(Ok(record.clone()));
            }
            if present.is_none() && count(transaction, tenant)? >= SECRETS_MAX {
                return Err(RegistryError::Conflict(format!(
                    "tenant {tenant} has {SECRETS_MAX} secrets, the most there may be; `hookswitch secret delete` makes room"
                )));
            }
            let version = present.map_or(0, |(record, _)| record.version) + 1;
            let sealed = self
                .secrets
                .seal(tenant, name, version, value)
                .map_err(|error| RegistryError::Invalid(format!("the secret can't be encrypted: {error}")))?;
            transaction
                .prepare_cached(
                    "INSERT INTO secret (tenant, name, version, sealed, set_at, set_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (tenant, name) DO UPDATE
                     SET version = ?3, sealed = ?4, set_at = ?5, set_by = ?6",
                )?
                .execute(params![tenant.as_str(), name, version, sealed, at, by])?;
            Ok(Ok(SecretRecord { name: name.to_owned(), version, set_at: at, set_by: by.to_owned() }))
        })
    }

    /// A tenant's secrets, by name.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`].
    pub fn secrets(&self, tenant: &TenantId) -> Result<Vec<SecretRecord>, RegistryError> {
        self.reader.read(|transaction| {
            quota_of(transaction, tenant)?;
            let mut statement = transaction.prepare_cached(
                "SELECT name, version, set_at, set_by FROM secret WHERE tenant = ?1 ORDER BY name",
            )?;
            let secrets = statement.query_map([tenant.as_str()], record)?;
            Ok(secrets.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Forgets a secret. Revisions that were deployed with it keep it.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`].
    pub fn delete_secret(&self, tenant: &TenantId, name: &str) -> Result<(), RegistryError> {
        self.writer.write(|transaction| {
            let deleted = transaction
                .execute("DELETE FROM secret WHERE tenant = ?1 AND name = ?2", [tenant.as_str(), name])?;
            if deleted == 0 { Err(no_secret(tenant, name)) } else { Ok(Ok(())) }
        })
    }

    /// Puts the newest version of each secret that `settings` names into them.
    ///
    /// # Errors
    /// [`RegistryError::Invalid`], naming the secret that is not set.
    pub fn grant_secrets(
        &self,
        tenant: &TenantId,
        settings: &mut RevisionSettings,
    ) -> Result<(), RegistryError> {
        if settings.secrets.is_empty() {
            return Ok(());
        }
        self.reader.read(|transaction| {
            for (name, granted) in &mut settings.secrets {
                let Some((_, grant)) = find(transaction, tenant, name)? else {
                    return Err(RegistryError::Invalid(format!(
                        "the secret {name} is not set; `hookswitch secret set {name} --tenant {tenant}` sets it"
                    )));
                };
                *granted = grant;
            }
            Ok(())
        })
    }
}

fn find(
    connection: &Connection,
    tenant: &TenantId,
    name: &str,
) -> Result<Option<(SecretRecord, SecretGrant)>, RegistryError> {
    let mut statement = connection.prepare_cached(
        "SELECT name, version, set_at, set_by, sealed FROM secret WHERE tenant = ?1 AND name = ?2",
    )?;
    let found = statement.query_row([tenant.as_str(), name], |row| {
        let record = record(row)?;
        let grant = SecretGrant { version: record.version, sealed: row.get(4)? };
        Ok((record, grant))
    });
    Ok(found.optional()?)
}

fn record(row: &Row<'_>) -> rusqlite::Result<SecretRecord> {
    Ok(SecretRecord { name: row.get(0)?, version: row.get(1)?, set_at: row.get(2)?, set_by: row.get(3)? })
}

fn count(connection: &Connection, tenant: &TenantId) -> Result<usize, RegistryError> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM secret WHERE tenant = ?1")?;
    Ok(statement.query_row([tenant.as_str()], |row| row.get(0))?)
}

fn no_secret(tenant: &TenantId, name: &str) -> RegistryError {
    RegistryError::NotFound(format!(
        "tenant {tenant} has no secret {name}; `hookswitch secret list --tenant {tenant}` shows all"
    ))
}
