//! Tenants' accounts at their carriers: an id that is nobody else's, a key that is encrypted, and what they may do.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::model::{AccountRecord, Unreadable};
use super::rows::{json, to_json};
use super::snapshot::Skipped;
use super::{Registry, RegistryError};
use crate::call::TenantId;
use crate::config::Secret;

impl Registry {
    /// Puts this account in the place of the one that the tenant has.
    pub(super) fn put_account(
        &self,
        transaction: &Transaction<'_>,
        id: &TenantId,
        account: Option<&AccountRecord>,
    ) -> Result<(), RegistryError> {
        transaction
            .prepare_cached("DELETE FROM carrier_account WHERE tenant = ?1")?
            .execute([id.as_str()])?;
        let Some(AccountRecord { sid, api_key, allowance }) = account else { return Ok(()) };
        let sealed = api_key.as_ref().map(|(key, secret)| {
            self.credentials
                .seal(&place(id, key), secret.expose().as_bytes())
                .map_err(|error| RegistryError::Invalid(format!("the API key can't be encrypted: {error}")))
        });
        let key = api_key.as_ref().map(|(key, _)| key);
        let put = transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO carrier_account (tenant, sid, api_key, sealed, allowance) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id.as_str(), sid, key, sealed.transpose()?, to_json(allowance)?])?;
        if put == 0 {
            return Err(RegistryError::Conflict(format!(
                "the account {sid} belongs to another tenant of this host; give each tenant an account or subaccount of its own"
            )));
        }
        Ok(())
    }

    pub(super) fn find_account(
        &self,
        connection: &Connection,
        id: &TenantId,
    ) -> Result<Option<AccountRecord>, RegistryError> {
        let mut statement = connection.prepare_cached(
            "SELECT tenant, sid, api_key, sealed, allowance FROM carrier_account WHERE tenant = ?1",
        )?;
        let account = statement.query_row([id.as_str()], |row| Ok(self.account(row))).optional()?;
        account.transpose()
    }

    /// The accounts of all tenants by their names; what can't be read is added to `skipped`.
    pub(super) fn load_accounts(
        &self,
        connection: &Connection,
        skipped: &mut Vec<Skipped>,
    ) -> Result<HashMap<String, AccountRecord>, RegistryError> {
        let mut statement = connection
            .prepare_cached("SELECT tenant, sid, api_key, sealed, allowance FROM carrier_account")?;
        let mut rows = statement.query([])?;
        let mut accounts = HashMap::new();
        while let Some(row) = rows.next()? {
            let tenant: String = row.get(0)?;
            match self.account(row) {
                Ok(account) => drop(accounts.insert(tenant, account)),
                Err(why) => {
                    let what = Unreadable { tenant, handler: None, revision: None };
                    skipped.push(Skipped { what, why });
                }
            }
        }
        Ok(accounts)
    }

    fn account(&self, row: &Row<'_>) -> Result<AccountRecord, RegistryError> {
        let (tenant, key, sealed): (String, Option<String>, Option<Vec<u8>>) =
            (row.get(0)?, row.get(2)?, row.get(3)?);
        let damaged = || {
            RegistryError::damaged(format!(
                "the API key of tenant {tenant} is not what was written; set it anew"
            ))
        };
        let api_key = match (key, sealed) {
            (Some(key), Some(sealed)) => {
                let id = TenantId::new(&tenant).map_err(|_| damaged())?;
                let plain = self.credentials.open(&place(&id, &key), &sealed).map_err(|_| damaged())?;
                Some((key, Secret::new(String::from_utf8(plain).map_err(|_| damaged())?)))
            }
            _ => None,
        };
        Ok(AccountRecord { sid: row.get(1)?, api_key, allowance: json(row, 4)? })
    }
}

/// What a key is bound to: copied to another row it does not open.
fn place<'a>(tenant: &'a TenantId, key: &'a str) -> [&'a str; 3] {
    ["carrier account", tenant.as_str(), key]
}
