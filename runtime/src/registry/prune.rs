//! Forgets what nobody can call any more, and says which components no revision needs.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::{PINNED_MS, Registry, RegistryError};
use crate::digest::Digest;

/// Lines of history kept for each handler.
const HISTORY_LINES: i64 = 1_000;

impl Registry {
    /// The components that revisions of any tenant are made of.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn digests_in_use(&self) -> Result<HashSet<Digest>, RegistryError> {
        self.reader.read(|transaction| digests(transaction))
    }

    /// Deletes the revisions that take no new calls, took none within the 24 hours before `now` (Unix milliseconds), are not
    /// what `rollback` goes back to, and are not among the `keep_newest` newest of their handler (at least one). Gives back the
    /// components that no revision needs since then.
    ///
    /// # Errors
    /// Where the registry can't be written.
    pub fn prune(&self, now: u64, keep_newest: usize) -> Result<Vec<Digest>, RegistryError> {
        let since = now.saturating_sub(PINNED_MS);
        let keep = i64::try_from(keep_newest.max(1)).unwrap_or(i64::MAX);
        self.writer.write(|transaction| {
            let mut unused = HashSet::new();
            {
                let mut delete = transaction.prepare_cached(
                    "DELETE FROM revision WHERE rowid IN (
                       SELECT r.rowid
                       FROM (SELECT rowid, tenant, handler, id, taking, retired_at,
                                    row_number() OVER (PARTITION BY tenant, handler ORDER BY id DESC) AS place
                             FROM revision) AS r
                       JOIN handler AS h ON h.tenant = r.tenant AND h.name = r.handler
                       WHERE r.place > ?2 AND r.taking = 0 AND (r.retired_at IS NULL OR r.retired_at <= ?1)
                         AND r.id IS NOT h.previous)
                     RETURNING digest",
                )?;
                let mut rows = delete.query(params![since, keep])?;
                while let Some(row) = rows.next()? {
                    unused.insert(Digest::from_bytes(row.get(0)?));
                }
            }
            transaction
                .prepare_cached(
                    "DELETE FROM history WHERE generation <= (
                       SELECT h.generation - ?1 FROM handler AS h
                       WHERE h.tenant = history.tenant AND h.name = history.handler)",
                )?
                .execute([HISTORY_LINES])?;
            transaction.prepare_cached("DELETE FROM numbering WHERE deleted_at <= ?1")?.execute([since])?;
            let used = digests(transaction)?;
            Ok(Ok(unused.into_iter().filter(|digest| !used.contains(digest)).collect()))
        })
    }
}

/// The components of all revisions.
pub(super) fn digests(connection: &Connection) -> Result<HashSet<Digest>, RegistryError> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT digest FROM revision")?;
    let digests = statement.query_map([], |row| row.get(0).map(Digest::from_bytes))?;
    Ok(digests.collect::<rusqlite::Result<_>>()?)
}
