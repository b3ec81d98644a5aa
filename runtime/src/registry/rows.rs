//! Between rows and records: what a column must hold, checked on the way out.

use std::fmt::Display;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::Serialize;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer as _};

use super::RegistryError;
use super::model::{HandlerRecord, RevisionRecord};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::digest::Digest;

/// The columns that [`handler`] reads, in its order, of a row called `h`.
pub(super) const HANDLER: &str = "h.tenant, h.name, h.release, h.created_at";

/// The columns that [`revision`] reads, in its order, of a row called `r`.
pub(super) const REVISION: &str = "r.tenant, r.handler, r.id, r.digest, r.component_bytes, r.settings, r.imports, r.exports, r.created_at, r.created_by, r.risk, r.risk_reason, r.retired_at";

pub(super) fn handler(row: &Row<'_>) -> rusqlite::Result<HandlerRecord> {
    Ok(HandlerRecord {
        tenant: text(row, 0, TenantId::new)?,
        name: text(row, 1, HandlerName::new)?,
        release: json(row, 2)?,
        created_at: row.get(3)?,
    })
}

pub(super) fn revision(row: &Row<'_>) -> rusqlite::Result<RevisionRecord> {
    Ok(RevisionRecord {
        tenant: text(row, 0, TenantId::new)?,
        handler: text(row, 1, HandlerName::new)?,
        id: RevisionId(row.get(2)?),
        digest: Digest::from_bytes(row.get(3)?),
        component_bytes: row.get(4)?,
        settings: json(row, 5)?,
        imports: json(row, 6)?,
        exports: json(row, 7)?,
        created_at: row.get(8)?,
        created_by: row.get(9)?,
        risk: word(row, 10)?,
        risk_reason: row.get(11)?,
        retired_at: row.get(12)?,
    })
}

/// The handler, if there is one.
pub(super) fn find_handler(
    connection: &Connection,
    tenant: &TenantId,
    name: &HandlerName,
) -> Result<Option<HandlerRecord>, RegistryError> {
    let sql = select(HANDLER, "handler AS h WHERE h.tenant = ?1 AND h.name = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row((tenant.as_str(), name.as_str()), handler).optional()?)
}

/// The revision, if there is one.
pub(super) fn find_revision(
    connection: &Connection,
    tenant: &TenantId,
    name: &HandlerName,
    id: RevisionId,
) -> Result<Option<RevisionRecord>, RegistryError> {
    let sql = select(REVISION, "revision AS r WHERE r.tenant = ?1 AND r.handler = ?2 AND r.id = ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row((tenant.as_str(), name.as_str(), id.0), revision).optional()?)
}

/// `SELECT {columns} FROM {rest}`.
pub(super) fn select(columns: &str, rest: &str) -> String {
    format!("SELECT {columns} FROM {rest}")
}

/// A text that `parse` takes.
pub(super) fn text<T, E: Display>(
    row: &Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    parse(text).map_err(|error| unfit(row, column, &error))
}

/// JSON of a `T`.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    text(row, column, |text| serde_json::from_str(text))
}

/// One of the words of an enum, as serde spells it.
pub(super) fn word<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    text(row, column, |text| {
        let word: StrDeserializer<'_, WordError> = text.into_deserializer();
        T::deserialize(word)
    })
}

/// `value` as [`json`] reads it.
pub(super) fn to_json(value: &impl Serialize) -> Result<String, RegistryError> {
    serde_json::to_string(value).map_err(|error| RegistryError::Invalid(format!("can't be kept: {error}")))
}

/// `value`, one of an enum's words, as [`word`] reads it.
pub(super) fn to_word(value: &impl Serialize) -> Result<String, RegistryError> {
    Ok(to_json(value)?.trim_matches('"').to_owned())
}

/// What a row is about and what is wrong with it, so that a person finds it.
fn unfit(row: &Row<'_>, column: usize, why: &dyn Display) -> rusqlite::Error {
    let statement: &rusqlite::Statement<'_> = row.as_ref();
    let name = statement.column_name(column).unwrap_or("?");
    let first = row.get_ref(0).ok().and_then(|value| value.as_str().ok()).unwrap_or("?");
    let why = format!("column {name} of a row of {first:?}: {why}");
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
}
