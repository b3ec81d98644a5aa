//! All that a host needs in order to serve, read at one moment in a handful of queries.
//!
//! A row that can't be read costs what it is about and nothing else: it is logged, and everything else serves.

use rusqlite::{Connection, Row, Rows};
use tracing::error;

use super::model::{Everything, RevisionRecord, Unreadable};
use super::{PINNED_MS, Registry, RegistryError, numbers, rows};

/// A row that was left out, and why.
pub(super) struct Skipped {
    pub(super) what: Unreadable,
    pub(super) why: RegistryError,
}

impl Registry {
    /// Everything, as it is at `now` (Unix milliseconds): tenants with their keys, handlers, numbers, and the revisions that
    /// take new calls, did so within the last 24 hours, or are what `rollback` goes back to. What can't be read is logged and
    /// named in [`Everything::unreadable`]; a tenant is not there without all of its keys.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn everything(&self, now: u64) -> Result<Everything, RegistryError> {
        self.reader.read(|transaction| {
            let (tenants, mut skipped) = self.load_tenants(transaction)?;
            let sql = rows::select(rows::HANDLER, "handler AS h");
            let mut statement = transaction.prepare_cached(&sql)?;
            let handlers =
                readable(statement.query([])?, rows::handler, |row| about(row, false), &mut skipped)?;
            let revisions = serving(transaction, now, &mut skipped)?;
            // A number whose tenant or handler has no name leads nowhere.
            let mut lost = Vec::new();
            let numbers = numbers::load_all(transaction, &mut lost)?;
            lost.into_iter().map(logged).for_each(drop);
            let unreadable = skipped.into_iter().map(logged).collect();
            Ok(Everything { tenants, handlers, revisions, numbers, unreadable })
        })
    }
}

/// The rows that `read` can read; what the others are about, as `about` says, is added to `skipped`.
pub(super) fn readable<T>(
    mut rows: Rows<'_>,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    about: impl Fn(&Row<'_>) -> rusqlite::Result<Unreadable>,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<T>, RegistryError> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        match read(row) {
            Ok(record) => found.push(record),
            Err(error) => skipped.push(Skipped { what: about(row)?, why: error.into() }),
        }
    }
    Ok(found)
}

fn serving(
    connection: &Connection,
    now: u64,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<RevisionRecord>, RegistryError> {
    let since = now.saturating_sub(PINNED_MS);
    let columns = rows::REVISION;
    let sql = format!(
        "SELECT {columns} FROM revision AS r WHERE r.taking = 1
         UNION ALL
         SELECT {columns} FROM revision AS r WHERE r.retired_at > ?1
         UNION ALL
         SELECT {columns} FROM handler AS h
         JOIN revision AS r ON r.tenant = h.tenant AND r.handler = h.name AND r.id = h.previous
         WHERE r.taking = 0 AND (r.retired_at IS NULL OR r.retired_at <= ?1)"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    readable(statement.query([since])?, rows::revision, |row| about(row, true), skipped)
}

/// What a row of a handler or of a revision is about: both begin with the same columns.
fn about(row: &Row<'_>, is_revision: bool) -> rusqlite::Result<Unreadable> {
    let revision = if is_revision { Some(row.get(2)?) } else { None };
    Ok(Unreadable { tenant: row.get(0)?, handler: Some(row.get(1)?), revision })
}

fn logged(Skipped { what, why }: Skipped) -> Unreadable {
    let Unreadable { tenant, handler, revision } = &what;
    error!(tenant, handler, revision, "left out of what is in force, everything else serves: {why}");
    what
}
