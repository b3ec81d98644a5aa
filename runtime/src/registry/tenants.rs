//! Tenants: their credentials, what they may use and what they use.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::model::{Quota, SETTINGS_COPIES, TenantChange, TenantRecord, Unreadable, Usage};
use super::rows::{json, text, to_json};
use super::snapshot::{Skipped, readable};
use super::{Registry, RegistryError};
use crate::call::TenantId;
use crate::config::Secret;

/// For how long a compile counts, in milliseconds.
const COMPILES_COUNT_MS: u64 = 60 * 60 * 1_000;

const AUTH_TOKEN: &str = "auth_token";
const SHARED_KEY: &str = "shared_key";

impl Registry {
    /// Adds a tenant.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] where one has its name.
    pub fn create_tenant(&self, tenant: &TenantRecord) -> Result<(), RegistryError> {
        let quota = to_json(&tenant.quota)?;
        self.writer.write(|transaction| {
            let added = transaction
                .prepare_cached("INSERT OR IGNORE INTO tenant (id, public_url, quota, created_at) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![tenant.id.as_str(), tenant.public_url, quota, tenant.created_at])?;
            if added == 0 {
                return Err(RegistryError::Conflict(format!("tenant {} is there already", tenant.id)));
            }
            self.put_auth_tokens(transaction, &tenant.id, &tenant.auth_tokens)?;
            self.put_shared_keys(transaction, &tenant.id, &tenant.shared_keys)?;
            self.put_account(transaction, &tenant.id, tenant.account.as_ref())?;
            Ok(Ok(()))
        })
    }

    /// Changes a tenant; gives it back as it is then.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`].
    pub fn change_tenant(&self, id: &TenantId, change: &TenantChange) -> Result<TenantRecord, RegistryError> {
        self.writer.write(|transaction| {
            let tenant = self.find_tenant(transaction, id)?.ok_or_else(|| no_tenant(id))?;
            let public_url = change.public_url.as_ref().unwrap_or(&tenant.public_url);
            let quota = to_json(&change.quota.unwrap_or(tenant.quota))?;
            transaction
                .prepare_cached("UPDATE tenant SET public_url = ?2, quota = ?3 WHERE id = ?1")?
                .execute(params![id.as_str(), public_url, quota])?;
            if let Some(tokens) = &change.auth_tokens {
                self.put_auth_tokens(transaction, id, tokens)?;
            }
            if let Some(keys) = &change.shared_keys {
                self.put_shared_keys(transaction, id, keys)?;
            }
            if let Some(change) = &change.account {
                let before = tenant.account.is_some();
                let account = change.applied(tenant.account);
                if account.is_none() && !before {
                    return Err(RegistryError::Invalid(format!(
                        "tenant {id} has no account at its carrier yet; give its id (`--twilio-account-sid AC…`) as well"
                    )));
                }
                self.put_account(transaction, id, account.as_ref())?;
            }
            Ok(Ok(self.find_tenant(transaction, id)?.ok_or_else(|| no_tenant(id))?))
        })
    }

    /// Removes a tenant that has no handlers, with its credentials and tokens; `at` in Unix milliseconds.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`]; [`RegistryError::Conflict`] while it has handlers, also one that was deployed a moment ago:
    /// one request must not end the calls of a whole tenant.
    pub fn delete_tenant(&self, id: &TenantId, at: u64) -> Result<(), RegistryError> {
        self.writer.write(|transaction| {
            let handlers: u64 = transaction
                .prepare_cached("SELECT count(*) FROM handler WHERE tenant = ?1")?
                .query_row([id.as_str()], |row| row.get(0))?;
            if handlers > 0 {
                return Err(RegistryError::Conflict(format!(
                    "tenant {id} still has {handlers} handlers, and their calls would end; remove them first"
                )));
            }
            transaction.execute(
                "UPDATE numbering SET deleted_at = ?2 WHERE tenant = ?1 AND deleted_at IS NULL",
                params![id.as_str(), at],
            )?;
            match transaction.execute("DELETE FROM tenant WHERE id = ?1", [id.as_str()])? {
                0 => Err(no_tenant(id)),
                _ => Ok(Ok(())),
            }
        })
    }

    /// One tenant.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn tenant(&self, id: &TenantId) -> Result<Option<TenantRecord>, RegistryError> {
        self.reader.read(|transaction| self.find_tenant(transaction, id))
    }

    /// All tenants, by name.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn tenants(&self) -> Result<Vec<TenantRecord>, RegistryError> {
        self.reader.read(|transaction| {
            let (tenants, skipped) = self.load_tenants(transaction)?;
            skipped.into_iter().next().map_or(Ok(tenants), |skipped| Err(skipped.why))
        })
    }

    /// What a tenant uses, with its compiles of the hour before `now` (Unix milliseconds).
    ///
    /// # Errors
    /// [`RegistryError::NotFound`].
    pub fn usage(&self, id: &TenantId, now: u64) -> Result<Usage, RegistryError> {
        self.reader.read(|transaction| {
            quota_of(transaction, id)?;
            usage_of(transaction, id, now)
        })
    }

    /// Counts a compile's CPU time; `at` in Unix milliseconds. Forgets what no longer counts.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`].
    pub fn record_compile(&self, id: &TenantId, cpu_ms: u64, at: u64) -> Result<(), RegistryError> {
        self.writer.write(|transaction| {
            quota_of(transaction, id)?;
            transaction
                .prepare_cached("DELETE FROM compile WHERE at <= ?1")?
                .execute([at.saturating_sub(COMPILES_COUNT_MS)])?;
            transaction
                .prepare_cached("INSERT INTO compile (tenant, at, cpu_ms) VALUES (?1, ?2, ?3)")?
                .execute(params![id.as_str(), at, cpu_ms])?;
            Ok(Ok(()))
        })
    }

    pub(super) fn find_tenant(
        &self,
        connection: &Connection,
        id: &TenantId,
    ) -> Result<Option<TenantRecord>, RegistryError> {
        let mut statement = connection
            .prepare_cached("SELECT id, public_url, quota, created_at FROM tenant WHERE id = ?1")?;
        let Some(mut tenant) = statement.query_row([id.as_str()], without_credentials).optional()? else {
            return Ok(None);
        };
        let mut statement = connection.prepare_cached(
            "SELECT tenant, kind, position, name, sealed FROM credential WHERE tenant = ?1 ORDER BY kind, position",
        )?;
        let mut rows = statement.query([id.as_str()])?;
        while let Some(row) = rows.next()? {
            self.add_credential(&mut tenant, row)?;
        }
        tenant.account = self.find_account(connection, id)?;
        Ok(Some(tenant))
    }

    /// All tenants, by name, but those that can't be read with all of their credentials.
    pub(super) fn load_tenants(
        &self,
        connection: &Connection,
    ) -> Result<(Vec<TenantRecord>, Vec<Skipped>), RegistryError> {
        let about = |row: &Row<'_>| Ok(Unreadable { tenant: row.get(0)?, handler: None, revision: None });
        let mut skipped = Vec::new();
        let mut statement =
            connection.prepare_cached("SELECT id, public_url, quota, created_at FROM tenant ORDER BY id")?;
        let mut tenants = readable(statement.query([])?, without_credentials, about, &mut skipped)?;
        let mut statement = connection.prepare_cached(
            "SELECT tenant, kind, position, name, sealed FROM credential ORDER BY tenant, kind, position",
        )?;
        let mut rows = statement.query([])?;
        // Both are in the tenants' order, so each credential belongs to the present tenant or to a later one.
        let mut waiting = tenants.iter_mut();
        let mut present = waiting.next();
        while let Some(row) = rows.next()? {
            let owner = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            while present.as_ref().is_some_and(|tenant| tenant.id.as_str() < owner) {
                present = waiting.next();
            }
            // None where the tenant itself could not be read.
            if let Some(tenant) = present.as_mut().filter(|tenant| tenant.id.as_str() == owner)
                && let Err(why) = self.add_credential(tenant, row)
                && skipped.last().is_none_or(|last: &Skipped| last.what.tenant != owner)
            {
                skipped.push(Skipped { what: about(row)?, why });
            }
        }
        // With some of its keys a tenant would refuse calls that its carrier signed with the others.
        let mut accounts = self.load_accounts(connection, &mut skipped)?;
        for tenant in &mut tenants {
            tenant.account = accounts.remove(tenant.id.as_str());
        }
        let unread: HashSet<&str> = skipped.iter().map(|skipped| skipped.what.tenant.as_str()).collect();
        tenants.retain(|tenant| !unread.contains(tenant.id.as_str()));
        Ok((tenants, skipped))
    }

    fn add_credential(&self, tenant: &mut TenantRecord, row: &Row<'_>) -> Result<(), RegistryError> {
        let (kind, position): (String, u32) = (row.get(1)?, row.get(2)?);
        let (name, sealed): (String, Vec<u8>) = (row.get(3)?, row.get(4)?);
        let secret = self
            .credentials
            .open(&place(&tenant.id, &kind, &position.to_string(), &name), &sealed)
            .ok()
            .and_then(|plain| String::from_utf8(plain).ok())
            .map(Secret::new)
            .ok_or_else(|| {
                RegistryError::damaged(format!(
                    "{kind} {position} of tenant {} is not what was written; set it anew",
                    tenant.id
                ))
            })?;
        if kind == AUTH_TOKEN {
            tenant.auth_tokens.push(secret);
        } else {
            tenant.shared_keys.push((name, secret));
        }
        Ok(())
    }

    pub(super) fn put_auth_tokens(
        &self,
        transaction: &Transaction<'_>,
        id: &TenantId,
        tokens: &[Secret],
    ) -> Result<(), RegistryError> {
        self.put_credentials(transaction, id, AUTH_TOKEN, tokens.iter().map(|token| ("", token)))
    }

    fn put_shared_keys(
        &self,
        transaction: &Transaction<'_>,
        id: &TenantId,
        keys: &[(String, Secret)],
    ) -> Result<(), RegistryError> {
        let keys = keys.iter().map(|(name, secret)| (name.as_str(), secret));
        self.put_credentials(transaction, id, SHARED_KEY, keys)
    }

    fn put_credentials<'a>(
        &self,
        transaction: &Transaction<'_>,
        id: &TenantId,
        kind: &str,
        credentials: impl Iterator<Item = (&'a str, &'a Secret)>,
    ) -> Result<(), RegistryError> {
        transaction
            .prepare_cached("DELETE FROM credential WHERE tenant = ?1 AND kind = ?2")?
            .execute((id.as_str(), kind))?;
        let mut insert = transaction.prepare_cached(
            "INSERT INTO credential (tenant, kind, position, name, sealed) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (position, (name, secret)) in credentials.enumerate() {
            let sealed = self
                .credentials
                .seal(&place(id, kind, &position.to_string(), name), secret.expose().as_bytes())
                .map_err(|error| {
                    RegistryError::Invalid(format!("the credential can't be encrypted: {error}"))
                })?;
            insert.execute(params![id.as_str(), kind, position, name, sealed])?;
        }
        Ok(())
    }
}

/// What a credential is bound to: copied to another row it does not open.
fn place<'a>(tenant: &'a TenantId, kind: &'a str, position: &'a str, name: &'a str) -> [&'a str; 5] {
    ["credential", tenant.as_str(), kind, position, name]
}

fn without_credentials(row: &Row<'_>) -> rusqlite::Result<TenantRecord> {
    Ok(TenantRecord {
        id: text(row, 0, TenantId::new)?,
        public_url: row.get(1)?,
        auth_tokens: Vec::new(),
        shared_keys: Vec::new(),
        account: None,
        quota: json(row, 2)?,
        created_at: row.get(3)?,
    })
}

/// What the tenant may use; that it is there is seen by the way.
pub(super) fn quota_of(connection: &Connection, id: &TenantId) -> Result<Quota, RegistryError> {
    let mut statement = connection.prepare_cached("SELECT quota FROM tenant WHERE id = ?1")?;
    statement.query_row([id.as_str()], |row| json(row, 0)).optional()?.ok_or_else(|| no_tenant(id))
}

pub(super) fn usage_of(connection: &Connection, id: &TenantId, now: u64) -> Result<Usage, RegistryError> {
    // `octet_length` takes the length from the row's head, without reading the settings.
    let mut statement = connection.prepare_cached(
        "SELECT (SELECT count(*) FROM handler WHERE tenant = ?1),
                (SELECT count(*) FROM revision WHERE tenant = ?1),
                (SELECT coalesce(sum(bytes), 0) FROM
                   (SELECT max(component_bytes + artifact_bytes) AS bytes FROM revision WHERE tenant = ?1 GROUP BY digest)),
                (SELECT coalesce(sum(octet_length(settings)), 0) FROM revision WHERE tenant = ?1),
                (SELECT coalesce(sum(cpu_ms), 0) FROM compile WHERE tenant = ?1 AND at > ?2)",
    )?;
    let usage = statement.query_row(params![id.as_str(), now.saturating_sub(COMPILES_COUNT_MS)], |row| {
        let (components, settings): (u64, u64) = (row.get(2)?, row.get(3)?);
        Ok(Usage {
            handlers: row.get(0)?,
            revisions: row.get(1)?,
            bytes: components.saturating_add(settings.saturating_mul(SETTINGS_COPIES)),
            compile_ms_last_hour: row.get(4)?,
        })
    })?;
    Ok(usage)
}

pub(super) fn no_tenant(id: &TenantId) -> RegistryError {
    RegistryError::NotFound(format!("no tenant is called {id}; `hookswitch tenant list` shows all"))
}
