//! Which handler answers a number. A number has one owner over all tenants.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::handlers::no_handler;
use super::model::{NumberRecord, Unreadable};
use super::rows::{find_handler, text};
use super::snapshot::{Skipped, readable};
use super::tenants::quota_of;
use super::{Registry, RegistryError};
use crate::call::{HandlerName, TenantId};

/// Digits of a number: short codes have three or more, E.164 allows fifteen.
const DIGITS: std::ops::RangeInclusive<usize> = 3..=15;

impl Registry {
    /// Lets a handler answer a number, instead of another one of the same tenant where one did.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for an unknown tenant or handler; [`RegistryError::Conflict`] where another tenant has the
    /// number, without saying which; [`RegistryError::Invalid`] for what is no number.
    pub fn put_number(&self, number: &NumberRecord) -> Result<(), RegistryError> {
        let digits = number.number.strip_prefix('+').unwrap_or(&number.number);
        if !DIGITS.contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(RegistryError::Invalid(format!(
                "{:?} is no number: expected E.164 such as +12025550123, or a short code",
                number.number.chars().take(80).collect::<String>()
            )));
        }
        self.writer.write(|transaction| {
            quota_of(transaction, &number.tenant)?;
            if find_handler(transaction, &number.tenant, &number.handler)?.is_none() {
                return Err(no_handler(&number.tenant, &number.handler));
            }
            let put = transaction
                .prepare_cached(
                    "INSERT INTO number (number, tenant, handler) VALUES (?1, ?2, ?3)
                     ON CONFLICT (number) DO UPDATE SET handler = excluded.handler WHERE tenant = excluded.tenant",
                )?
                .execute((&number.number, number.tenant.as_str(), number.handler.as_str()))?;
            if put == 0 {
                return Err(RegistryError::Conflict(format!(
                    "{} belongs to another tenant of this host; its owner has to give it up first",
                    number.number
                )));
            }
            Ok(Ok(()))
        })
    }

    /// Lets nobody answer a number of this tenant any more.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] where it has none like that.
    pub fn delete_number(&self, tenant: &TenantId, number: &str) -> Result<(), RegistryError> {
        self.writer.write(|transaction| {
            let deleted = transaction
                .prepare_cached("DELETE FROM number WHERE number = ?1 AND tenant = ?2")?
                .execute((number, tenant.as_str()))?;
            if deleted == 0 {
                return Err(RegistryError::NotFound(format!(
                    "tenant {tenant} has no number {number:?}; `hookswitch number list` shows all"
                )));
            }
            Ok(Ok(()))
        })
    }

    /// The numbers of a tenant.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn numbers(&self, tenant: &TenantId) -> Result<Vec<NumberRecord>, RegistryError> {
        self.reader.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT number, tenant, handler FROM number WHERE tenant = ?1 ORDER BY number",
            )?;
            let numbers = statement.query_map([tenant.as_str()], record)?;
            Ok(numbers.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Who answers a number.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn number(&self, number: &str) -> Result<Option<NumberRecord>, RegistryError> {
        self.reader.read(|transaction| {
            let mut statement =
                transaction.prepare_cached("SELECT number, tenant, handler FROM number WHERE number = ?1")?;
            Ok(statement.query_row([number], record).optional()?)
        })
    }
}

/// The numbers of all tenants that can be read.
pub(super) fn load_all(
    connection: &Connection,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<NumberRecord>, RegistryError> {
    let mut statement = connection.prepare_cached("SELECT number, tenant, handler FROM number")?;
    let about =
        |row: &Row<'_>| Ok(Unreadable { tenant: row.get(1)?, handler: Some(row.get(2)?), revision: None });
    readable(statement.query([])?, record, about, skipped)
}

fn record(row: &Row<'_>) -> rusqlite::Result<NumberRecord> {
    Ok(NumberRecord {
        number: row.get(0)?,
        tenant: text(row, 1, TenantId::new)?,
        handler: text(row, 2, HandlerName::new)?,
    })
}
