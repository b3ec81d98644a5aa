//! What is read and written of areas and their entries, in SQL. Every statement names its area by tenant and handler.
//!
//! A handler that was deleted leaves a mark for a while: the last revision that it had. Nothing is read or written any more
//! for that one and those before it, in whichever process they still run; a handler that gets the name later counts on from
//! there, so it finds nothing and nothing comes to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use super::operation::{self, Entry, Quota, Reply, StorageError, Totals};
use super::session::{KeyedChange, Owner, Session, SessionName};
use crate::call::RevisionId;

/// The area of a name that says up to which revision it is gone. No conversation is called so.
const GONE: &str = "gone";
/// Its one key.
const LAST: &str = "revision";
/// How long it is kept, in milliseconds: longer than any invocation runs, shorter than numbers of revisions are remembered.
const GONE_MS: u64 = 60 * 60 * 1_000;

/// The name of an area.
#[derive(Clone, Copy)]
pub(super) struct AreaName<'a> {
    owner: &'a Owner,
    subject: &'a str,
}

impl<'a> AreaName<'a> {
    /// A handler's store.
    pub(super) fn store(owner: &'a Owner) -> Self {
        Self { owner, subject: "" }
    }

    /// A session.
    pub(super) fn session(name: &'a SessionName) -> Self {
        Self { owner: &name.owner, subject: &name.subject }
    }

    /// What says whether a handler is gone.
    fn gone(owner: &'a Owner) -> Self {
        Self { owner, subject: GONE }
    }

    fn tenant(&self) -> &'a str {
        self.owner.grants.tenant.as_str()
    }

    fn handler(&self) -> &'a str {
        self.owner.grants.handler.as_str()
    }
}

/// Some of a store's keys, and where the next ones begin.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Page {
    /// Sorted.
    pub keys: Vec<String>,
    /// The last of them, where there may be more.
    pub next: Option<String>,
}

/// Reads a whole session.
pub(super) fn session(connection: &Connection, name: SessionName, now: u64) -> Result<Session> {
    let mut statement = connection.prepare_cached(
        "SELECT area.expires_at, key, value, entry.expires_at FROM area LEFT JOIN entry ON entry.area = area.id
         WHERE tenant = ?1 AND handler = ?2 AND subject = ?3 AND (area.expires_at IS NULL OR area.expires_at > ?4)",
    )?;
    let area = AreaName::session(&name);
    if is_gone(connection, area.owner, now)? {
        drop(statement);
        return Ok(Session::new(name, None, BTreeMap::new()));
    }
    let mut rows = statement.query(params![area.tenant(), area.handler(), area.subject, now])?;
    let (mut expires_at, mut entries) = (None, BTreeMap::new());
    while let Some(row) = rows.next()? {
        expires_at = row.get(0)?;
        let Some(key) = row.get::<_, Option<Box<str>>>(1)? else { continue };
        let entry = entry(row, 2)?;
        if entry.lives(now) {
            entries.insert(key, entry);
        }
    }
    drop(rows);
    drop(statement);
    Ok(Session::new(name, expires_at, entries))
}

/// Value and expiry from this column on.
fn entry(row: &Row<'_>, column: usize) -> Result<Entry> {
    Ok(Entry { value: Arc::from(row.get_ref(column)?.as_blob()?), expires_at: row.get(column + 1)? })
}

/// Reads one value.
pub(super) fn get(
    connection: &Connection,
    area: AreaName<'_>,
    key: &str,
    now: u64,
) -> Result<Option<Arc<[u8]>>> {
    if is_gone(connection, area.owner, now)? {
        return Ok(None);
    }
    value(connection, area, key, now)
}

/// Whether the handler was deleted of which this is a revision.
fn is_gone(connection: &Connection, owner: &Owner, now: u64) -> Result<bool> {
    let last = value(connection, AreaName::gone(owner), LAST, now)?;
    let last = last.and_then(|last| std::str::from_utf8(&last).ok()?.parse().ok());
    Ok(last.is_some_and(|last: u32| owner.grants.revision.0 <= last))
}

fn value(connection: &Connection, area: AreaName<'_>, key: &str, now: u64) -> Result<Option<Arc<[u8]>>> {
    let mut statement = connection.prepare_cached(
        "SELECT value, entry.expires_at FROM area JOIN entry ON entry.area = area.id
         WHERE tenant = ?1 AND handler = ?2 AND subject = ?3 AND key = ?4",
    )?;
    let found = statement
        .query_row(params![area.tenant(), area.handler(), area.subject, key], |row| entry(row, 0))
        .optional()?;
    Ok(found.filter(|entry| entry.lives(now)).map(|entry| entry.value))
}

/// Reads at most `limit` keys that begin with `prefix`, from behind `after`.
pub(super) fn keys(
    connection: &Connection,
    area: AreaName<'_>,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
    now: u64,
) -> Result<Page> {
    let mut statement = connection.prepare_cached(
        "SELECT key FROM area JOIN entry ON entry.area = area.id
         WHERE tenant = ?1 AND handler = ?2 AND subject = ?3 AND key >= ?4 AND key > ?5
         AND (entry.expires_at IS NULL OR entry.expires_at > ?6) ORDER BY key",
    )?;
    if is_gone(connection, area.owner, now)? {
        return Ok(Page { keys: Vec::new(), next: None });
    }
    let after = after.unwrap_or_default();
    // The later of both, or all keys between them would be gone through.
    let first = prefix.max(after);
    let from = params![area.tenant(), area.handler(), area.subject, first, after, now];
    let mut rows = statement.query(from)?;
    let mut page = Page { keys: Vec::new(), next: None };
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_str()?;
        if !key.starts_with(prefix) {
            break;
        }
        if page.keys.len() == limit {
            page.next = page.keys.last().cloned();
            break;
        }
        page.keys.push(key.to_owned());
    }
    Ok(page)
}

/// An area that is there.
#[derive(Clone, Copy)]
struct Area {
    id: i64,
    totals: Totals,
    expires_at: Option<u64>,
}

fn find(connection: &Connection, area: AreaName<'_>) -> Result<Option<Area>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, keys, bytes, expires_at FROM area WHERE tenant = ?1 AND handler = ?2 AND subject = ?3",
    )?;
    let found = statement.query_row(params![area.tenant(), area.handler(), area.subject], |row| {
        let totals = Totals { keys: row.get(1)?, bytes: row.get(2)? };
        Ok(Area { id: row.get(0)?, totals, expires_at: row.get(3)? })
    });
    found.optional()
}

/// What one key is in the file, and what it shall be.
struct Slot {
    stored: Option<Entry>,
    wanted: Option<Entry>,
}

/// Whether a swap may find something else than it expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swaps {
    /// Whoever asked is told.
    MayFail,
    /// It is too late to tell: then nothing is changed.
    Hold,
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// A swap that had to hold does not.
    Swap,
    /// For this reason.
    By(StorageError),
}

/// Makes `changes` in an area, all of them or none. `expires_at` says when the area ends, given what it was.
///
/// Gives what each came to. Inside there is a refusal, with which nothing was written; outside a fault of the database.
pub(super) fn change(
    connection: &Connection,
    name: AreaName<'_>,
    changes: &[KeyedChange],
    swaps: Swaps,
    quota: &Quota,
    expires_at: impl Fn(Option<u64>) -> Option<u64>,
    now: u64,
) -> Result<std::result::Result<Vec<Reply>, Refused>> {
    if is_gone(connection, name.owner, now)? {
        let why = "the handler was deleted, and with it what it stored";
        return Ok(Err(Refused::By(StorageError::unavailable(why))));
    }
    let mut area = find(connection, name)?;
    if let Some(over) = area.filter(|area| area.expires_at.is_some_and(|at| at <= now)) {
        remove(connection, over.id)?;
        area = None;
    }
    let before = area.map_or(Totals::default(), |area| area.totals);
    let mut slots: BTreeMap<&str, Slot> = BTreeMap::new();
    let mut replies = Vec::with_capacity(changes.len());
    for KeyedChange { key, change } in changes {
        let slot = match slots.entry(key) {
            std::collections::btree_map::Entry::Occupied(slot) => slot.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                let stored = area.map(|area| read(connection, area.id, key)).transpose()?.flatten();
                place.insert(Slot { wanted: stored.clone(), stored })
            }
        };
        let present = slot.wanted.as_ref().filter(|entry| entry.lives(now));
        match operation::apply(key, change, present) {
            Ok((_, Reply::Swapped(false))) if swaps == Swaps::Hold => return Ok(Err(Refused::Swap)),
            Ok((wanted, reply)) => {
                slot.wanted = wanted;
                replies.push(reply);
            }
            Err(why) => return Ok(Err(Refused::By(why))),
        }
    }
    let moved = |from: Totals| {
        slots
            .iter()
            .fold(from, |totals, (key, slot)| totals.moved(key, slot.stored.as_ref(), slot.wanted.as_ref()))
    };
    let mut totals = moved(before);
    if let (Err(_), Some(area)) = (totals.within(quota, before), area) {
        // What has expired takes no place, and is just not deleted yet.
        let expired = expired_of(connection, area.id, now)?;
        let mut left = before;
        for (key, entry) in expired.iter().filter(|(key, _)| !slots.contains_key(&**key)) {
            left = left.moved(key, Some(entry), None);
            delete(connection, area.id, key)?;
        }
        totals = moved(left);
    }
    if let Err(why) = totals.within(quota, before) {
        return Ok(Err(Refused::By(why)));
    }
    let until = expires_at(area.and_then(|area| area.expires_at));
    let id = match area {
        Some(area) => {
            if totals != area.totals || until != area.expires_at {
                connection
                    .prepare_cached("UPDATE area SET keys = ?2, bytes = ?3, expires_at = ?4 WHERE id = ?1")?
                    .execute(params![area.id, totals.keys, totals.bytes, until])?;
            }
            area.id
        }
        None if totals.keys == 0 => return Ok(Ok(replies)),
        None => connection
            .prepare_cached(
                "INSERT INTO area (tenant, handler, subject, keys, bytes, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .insert(params![
                name.tenant(),
                name.handler(),
                name.subject,
                totals.keys,
                totals.bytes,
                until
            ])?,
    };
    for (key, slot) in slots.iter().filter(|(_, slot)| slot.wanted != slot.stored) {
        match &slot.wanted {
            Some(entry) => drop(
                connection
                    .prepare_cached(
                        "INSERT INTO entry (area, key, value, expires_at) VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT (area, key)
                         DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
                    )?
                    .execute(params![id, key, &*entry.value, entry.expires_at])?,
            ),
            None => delete(connection, id, key)?,
        }
    }
    Ok(Ok(replies))
}

fn read(connection: &Connection, area: i64, key: &str) -> Result<Option<Entry>> {
    let mut statement =
        connection.prepare_cached("SELECT value, expires_at FROM entry WHERE area = ?1 AND key = ?2")?;
    statement.query_row(params![area, key], |row| entry(row, 0)).optional()
}

fn delete(connection: &Connection, area: i64, key: &str) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM entry WHERE area = ?1 AND key = ?2")?
        .execute(params![area, key])
        .map(drop)
}

fn remove(connection: &Connection, area: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM area WHERE id = ?1")?.execute([area]).map(drop)
}

fn expired_of(connection: &Connection, area: i64, now: u64) -> Result<Vec<(String, Entry)>> {
    let mut statement = connection
        .prepare_cached("SELECT key, value, expires_at FROM entry WHERE area = ?1 AND expires_at <= ?2")?;
    let found = statement.query_map(params![area, now], |row| Ok((row.get(0)?, entry(row, 1)?)))?;
    found.collect()
}

/// Deletes everything of a handler, and lets nothing come after it from its revisions up to `last`.
pub(super) fn forget(
    connection: &Connection,
    (tenant, handler): (&str, &str),
    last: Option<RevisionId>,
    now: u64,
) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM area WHERE tenant = ?1 AND handler = ?2")?
        .execute(params![tenant, handler])?;
    let Some(RevisionId(last)) = last else { return Ok(()) };
    let last = last.to_string();
    let id = connection
        .prepare_cached(
            "INSERT INTO area (tenant, handler, subject, keys, bytes, expires_at) VALUES (?1, ?2, ?3, 1, ?4, ?5)",
        )?
        .insert(params![tenant, handler, GONE, (LAST.len() + last.len()) as u64, now + GONE_MS])?;
    connection
        .prepare_cached("INSERT INTO entry (area, key, value) VALUES (?1, ?2, ?3)")?
        .execute(params![id, LAST, last.as_bytes()])
        .map(drop)
}

/// Deletes everything of all handlers of a tenant. Those that were deleted stay marked as such.
pub(super) fn forget_tenant(connection: &Connection, tenant: &str) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM area WHERE tenant = ?1 AND subject != ?2")?
        .execute(params![tenant, GONE])
        .map(drop)
}

/// The handlers that have anything.
pub(super) fn owners(connection: &Connection) -> Result<Vec<(String, String)>> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT tenant, handler FROM area")?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    found.collect()
}

/// Deletes some of the areas and at most `limit` of the entries that have expired; whether there may be more.
pub(super) fn sweep(connection: &Connection, limit: usize, now: u64) -> Result<bool> {
    // A session has up to 256 entries, which go with it.
    let areas_max = (limit / 10).max(1);
    let areas = connection
        .prepare_cached(
            "DELETE FROM area WHERE id IN
             (SELECT id FROM area WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        )?
        .execute(params![now, areas_max as u64])?;
    let mut statement = connection
        .prepare_cached("SELECT area, key, length(value) FROM entry WHERE expires_at <= ?1 LIMIT ?2")?;
    let found = statement.query_map(params![now, limit as u64], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, u64>(2)?))
    })?;
    let expired = found.collect::<Result<Vec<_>>>()?;
    for (area, key, value_bytes) in &expired {
        delete(connection, *area, key)?;
        connection
            .prepare_cached("UPDATE area SET keys = keys - 1, bytes = bytes - ?2 WHERE id = ?1")?
            .execute(params![area, key.len() as u64 + value_bytes])?;
    }
    Ok(areas >= areas_max || expired.len() >= limit)
}
