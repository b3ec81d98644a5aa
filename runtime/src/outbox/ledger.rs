//! What was asked of carriers and what became of it: the outbox's SQL.
//!
//! A row is claimed before anything is sent, under the key of its effect, and what came of it is kept for a day. Two tries
//! of one thing meet in that row: whoever comes second finds the result, or that it is not known.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use super::writer::{OutboxError, Writer};
use crate::call::{HandlerName, TenantId};
use crate::carrier::EffectKey;
use crate::carrier::operation::{CarrierError, Done, Operation, Rate};

/// How long results are kept for repeated tries, in milliseconds: no carrier delivers a webhook again after that.
const RESULTS_KEPT_MS: u64 = 24 * 3_600_000;
/// How long what ended badly in the outbox is kept for people to look at, in milliseconds.
const ENDED_KEPT_MS: u64 = 7 * RESULTS_KEPT_MS;
/// After so long nobody is sending any more what was claimed to be sent at once, in milliseconds.
const ABANDONED_MS: u64 = 10 * 60_000;
/// When an entry is looked at again that can't be read, in milliseconds.
const ODD_PAUSE_MS: u64 = 3_600_000;
/// Most rows that one pruning deletes, so that others get their turn.
const PRUNED_MAX: u32 = 2_000;

/// What is known of an effect by whoever wants to cause it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claim {
    /// Nobody has tried before, and nobody else will.
    Yours,
    /// What an earlier try came to.
    Known(Result<Done, CarrierError>),
    /// A try of this process is under way.
    UnderWay,
    /// An earlier try ended, or may have, without its outcome being known; why.
    Unknown(String),
}

/// What stands in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Under which it is taken back.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// Which handler asked for it.
    pub handler: String,
    /// `call` or `message`.
    pub kind: String,
    /// Whom it is for.
    pub about: String,
    /// `waiting`, `sending`, `done`, `failed`, `unknown` or `canceled`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The carrier's id, once it is done.
    pub result: Option<String>,
    /// What happened last, in words.
    pub note: String,
    /// When it is due, in Unix milliseconds.
    pub due_at: u64,
    /// When it was asked for, in Unix milliseconds.
    pub created_at: u64,
    /// When anything about it changed last, in Unix milliseconds.
    pub changed_at: u64,
}

/// Which entries of a tenant are listed.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// Only what is older than the entry of this id.
    pub before: Option<String>,
    /// Only of this handler.
    pub handler: Option<HandlerName>,
    /// Only in this state, in the words of [`Entry::state`].
    pub state: Option<&'static str>,
    /// How many at most.
    pub most: u32,
}

/// Something that is due.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub(super) key: EffectKey,
    pub(super) tenant: TenantId,
    pub(super) operation: Operation,
    /// With this one.
    pub(super) attempts: u32,
    /// Since when it may have been carried out already.
    pub(super) doubted_since: Option<u64>,
}

/// What became of a try of something that was due.
#[derive(Debug, Clone)]
pub(super) enum Tried {
    /// It is over.
    Ended(Result<Done, CarrierError>),
    /// It is tried again at `due_at`.
    Again { due_at: u64, note: String, doubted_since: Option<u64> },
}

/// Whether something was put into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Put {
    /// Under this id, now or by an earlier try of the same thing.
    There(String),
    /// The tenant has so many entries waiting already.
    Full(u32),
}

/// The effects of a host.
pub(super) struct Ledger {
    writer: Writer,
    /// Tells this process from every other one that uses the file.
    owner: i64,
}

impl Ledger {
    pub(super) fn open(path: PathBuf) -> std::io::Result<Self> {
        let random = getrandom::u64().map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self { writer: Writer::start(path)?, owner: random.cast_signed() })
    }

    /// Claims an effect for a try that begins now; on the disk when this returns.
    pub(super) async fn claim(
        &self,
        key: EffectKey,
        (tenant, handler): (&TenantId, &HandlerName),
        operation: &Operation,
        now: u64,
    ) -> Result<Claim, OutboxError> {
        let owner = self.owner;
        let (tenant, handler, kind) = (tenant.to_string(), handler.to_string(), operation.kind());
        self.writer
            .ask(move |transaction| {
                let inserted = transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO effect (key, id, tenant, handler, kind, about, later, state, owner, attempts,
                           note, due_at, created_at, changed_at)
                         VALUES (?1, ?2, ?3, ?4, ?5, '', 0, 'sending', ?6, 1, '', ?7, ?7, ?7)",
                    )?
                    .execute(params![key.0, id_of(key), tenant, handler, kind, owner, now])?;
                if inserted == 1 {
                    return Ok(Claim::Yours);
                }
                let mut statement =
                    transaction.prepare_cached("SELECT state, owner, result, note FROM effect WHERE key = ?1")?;
                let (state, by, result, note): (String, i64, Option<String>, String) = statement
                    .query_row([key.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
                Ok(match (state.as_str(), result) {
                    ("sending", _) if by == owner => Claim::UnderWay,
                    (_, Some(result)) => Claim::Known(serde_json::from_str(&result)?),
                    ("sending", None) => Claim::Unknown("an earlier try was cut off by the end of its host".to_owned()),
                    (_, None) => Claim::Unknown(note),
                })
            })
            .await
    }

    /// Keeps what a claimed effect came to.
    pub(super) async fn conclude(
        &self,
        key: EffectKey,
        result: &Result<Done, CarrierError>,
        now: u64,
    ) -> Result<(), OutboxError> {
        let (owner, result) = (self.owner, result.clone());
        self.writer.follow_up(move |transaction| end(transaction, (key, owner), &result, now)).await
    }

    /// Gives a claim back: nothing was sent.
    pub(super) async fn release(&self, key: EffectKey) -> Result<(), OutboxError> {
        self.writer
            .follow_up(move |transaction| {
                transaction
                    .prepare_cached("DELETE FROM effect WHERE key = ?1 AND later = 0 AND state = 'sending'")?
                    .execute([key.0])?;
                Ok(())
            })
            .await
    }

    /// Puts an effect into the outbox, unless an earlier try of the same thing has; on the disk when this returns.
    pub(super) async fn put(
        &self,
        key: EffectKey,
        (tenant, handler): (&TenantId, &HandlerName),
        operation: &Operation,
        due_at: u64,
        (now, most): (u64, u32),
    ) -> Result<Put, OutboxError> {
        let (tenant, handler, kind) = (tenant.to_string(), handler.to_string(), operation.kind());
        let (about, json) = (operation.subject().to_owned(), serde_json::to_string(operation)?);
        self.writer
            .ask(move |transaction| {
                let known: Option<String> = transaction
                    .prepare_cached("SELECT id FROM effect WHERE key = ?1")?
                    .query_row([key.0], |row| row.get(0))
                    .optional()?;
                if let Some(id) = known {
                    return Ok(Put::There(id));
                }
                let waiting: u32 = transaction
                    .prepare_cached("SELECT count(*) FROM effect WHERE tenant = ?1 AND state = 'waiting'")?
                    .query_row([&tenant], |row| row.get(0))?;
                if waiting >= most {
                    return Ok(Put::Full(waiting));
                }
                transaction
                    .prepare_cached(
                        "INSERT INTO effect (key, id, tenant, handler, kind, about, operation, later, state, owner, attempts,
                           note, due_at, created_at, changed_at)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 'waiting', 0, 0, '', ?8, ?9, ?9)",
                    )?
                    .execute(params![key.0, id_of(key), tenant, handler, kind, about, json, due_at, now])?;
                Ok(Put::There(id_of(key)))
            })
            .await
    }

    /// Tenants with something due at `now`, and which rates it counts against.
    pub(super) async fn due(&self, now: u64) -> Result<Vec<(TenantId, Rate)>, OutboxError> {
        self.writer
            .follow_up(move |transaction| {
                let mut statement = transaction.prepare_cached(
                    // By when they are due: most of what waits is not.
                    "SELECT DISTINCT tenant, kind FROM effect INDEXED BY effect_due WHERE state = 'waiting' AND due_at <= ?1",
                )?;
                let rows = statement
                    .query_map([now], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
                let mut due = Vec::new();
                for row in rows {
                    let (tenant, kind) = row?;
                    let rate = if kind == "call" { Rate::Calls } else { Rate::Messages };
                    due.extend(TenantId::new(&tenant).ok().map(|tenant| (tenant, rate)));
                }
                Ok(due)
            })
            .await
    }

    /// When the next entry is due after `now`, in Unix milliseconds.
    pub(super) async fn next_due(&self, now: u64) -> Result<Option<u64>, OutboxError> {
        self.writer
            .follow_up(move |transaction| {
                let mut statement = transaction.prepare_cached(
                    "SELECT min(due_at) FROM effect WHERE state = 'waiting' AND due_at > ?1",
                )?;
                Ok(statement.query_row([now], |row| row.get(0))?)
            })
            .await
    }

    /// Takes up to `most` entries that are due, the oldest first; they are this process's from then on.
    pub(super) async fn take(
        &self,
        tenant: &TenantId,
        rate: Rate,
        most: u32,
        now: u64,
    ) -> Result<Vec<Due>, OutboxError> {
        let (owner, tenant) = (self.owner, tenant.clone());
        let kind = if rate == Rate::Calls { "call" } else { "message" };
        self.writer
            .follow_up(move |transaction| {
                let mut statement = transaction.prepare_cached(
                    "UPDATE effect SET state = 'sending', owner = ?1, attempts = attempts + 1, changed_at = ?2
                     WHERE key IN (SELECT key FROM effect WHERE state = 'waiting' AND due_at <= ?2 AND tenant = ?3
                                     AND kind = ?4 ORDER BY due_at LIMIT ?5)
                     RETURNING key, operation, attempts, doubted_since",
                )?;
                let mut rows = statement.query(params![owner, now, tenant.as_str(), kind, most])?;
                let (mut taken, mut odd) = (Vec::new(), Vec::new());
                while let Some(row) = rows.next()? {
                    let (key, json) = (EffectKey(row.get(0)?), row.get::<_, Option<String>>(1)?.unwrap_or_default());
                    match serde_json::from_str(&json) {
                        Ok(operation) => taken.push(Due {
                            key,
                            tenant: tenant.clone(),
                            operation,
                            attempts: row.get(2)?,
                            doubted_since: row.get(3)?,
                        }),
                        Err(why) => odd.push((key, format!("this version of the host can't read it: {why}"))),
                    }
                }
                drop(rows);
                // A newer host may have written it, and comes back. Until then it keeps nothing else from being sent.
                for (key, note) in odd {
                    transaction
                        .prepare_cached("UPDATE effect SET state = 'waiting', due_at = ?2, note = ?3 WHERE key = ?1")?
                        .execute(params![key.0, now + ODD_PAUSE_MS, note])?;
                }
                Ok(taken)
            })
            .await
    }

    /// Keeps what became of a try of something that was due.
    pub(super) async fn tried(&self, key: EffectKey, tried: &Tried, now: u64) -> Result<(), OutboxError> {
        let (owner, tried) = (self.owner, tried.clone());
        self.writer
            .follow_up(move |transaction| match &tried {
                Tried::Ended(result) => end(transaction, (key, owner), result, now),
                Tried::Again { due_at, note, doubted_since } => {
                    transaction
                        .prepare_cached(
                            "UPDATE effect SET state = 'waiting', due_at = ?2, note = ?3, doubted_since = ?4, changed_at = ?5
                             WHERE key = ?1 AND state = 'sending' AND owner = ?6",
                        )?
                        .execute(params![key.0, due_at, note, doubted_since, now, owner])?;
                    Ok(())
                }
            })
            .await
    }

    /// Puts back what is being sent by nobody, due at `due_at`: whether it was sent is not known. Gives their number. Of this
    /// process that is what is not among `held`, of others what they took before `silent_since`, and all of it where that is
    /// none. Whoever calls this is the only one that takes entries out of the outbox.
    pub(super) async fn recover(
        &self,
        held: Vec<EffectKey>,
        silent_since: Option<u64>,
        (now, due_at): (u64, u64),
    ) -> Result<usize, OutboxError> {
        let owner = self.owner;
        self.writer
            .follow_up(move |transaction| {
                let mut statement = transaction.prepare_cached(
                    "SELECT key FROM effect WHERE state = 'sending' AND later = 1
                       AND (owner = ?1 OR ?2 IS NULL OR changed_at < ?2)",
                )?;
                let keys = statement.query_map(params![owner, silent_since], |row| row.get(0).map(EffectKey))?;
                let lost: Vec<EffectKey> = keys.collect::<rusqlite::Result<_>>()?;
                let mut recovered = 0;
                for key in lost.iter().filter(|key| !held.contains(key)) {
                    recovered += transaction
                        .prepare_cached(
                            "UPDATE effect SET state = 'waiting', doubted_since = coalesce(doubted_since, changed_at), due_at = ?2,
                               note = 'sending it was cut off', changed_at = ?3 WHERE key = ?1",
                        )?
                        .execute(params![key.0, due_at, now])?;
                }
                Ok(recovered)
            })
            .await
    }

    /// Whether the carrier's id `carriers_id` is known to be another effect's.
    pub(super) async fn is_anothers(&self, key: EffectKey, carriers_id: &str) -> Result<bool, OutboxError> {
        let result = serde_json::to_string(&Ok::<_, CarrierError>(Done::Id(carriers_id.to_owned())))?;
        self.writer
            .follow_up(move |transaction| {
                let mut statement = transaction
                    .prepare_cached("SELECT 1 FROM effect WHERE result = ?1 AND key != ?2 LIMIT 1")?;
                Ok(statement.exists(params![result, key.0])?)
            })
            .await
    }

    /// The entries of a tenant, newest first; none where there is no entry called `before`.
    pub(super) async fn list(
        &self,
        tenant: &TenantId,
        listed: Listed,
    ) -> Result<Option<Vec<Entry>>, OutboxError> {
        let Listed { before, handler, state, most } = listed;
        let (tenant, handler) = (tenant.to_string(), handler.map(|handler| handler.to_string()));
        self.writer
            .ask(move |transaction| {
                if let Some(before) = &before {
                    let mut statement = transaction
                        .prepare_cached("SELECT 1 FROM effect WHERE tenant = ?1 AND id = ?2 AND later = 1")?;
                    if !statement.exists([&tenant, before])? {
                        return Ok(None);
                    }
                }
                let mut statement = transaction.prepare_cached(
                    "SELECT id, tenant, handler, kind, about, state, attempts, result, note, due_at, created_at, changed_at
                     FROM effect WHERE tenant = ?1 AND later = 1 AND (?4 IS NULL OR handler = ?4) AND (?5 IS NULL OR state = ?5)
                       AND (?2 IS NULL OR (created_at, id) < (SELECT created_at, id FROM effect WHERE id = ?2))
                     ORDER BY created_at DESC, id DESC LIMIT ?3",
                )?;
                let rows = statement.query_map(params![tenant, before, most, handler, state], entry)?;
                Ok(Some(rows.collect::<rusqlite::Result<_>>()?))
            })
            .await
    }

    /// One entry of a tenant.
    pub(super) async fn entry(&self, tenant: &TenantId, id: &str) -> Result<Option<Entry>, OutboxError> {
        let (tenant, id) = (tenant.to_string(), id.to_owned());
        self.writer
            .ask(move |transaction| {
                let mut statement = transaction.prepare_cached(
                    "SELECT id, tenant, handler, kind, about, state, attempts, result, note, due_at, created_at, changed_at
                     FROM effect WHERE tenant = ?1 AND id = ?2 AND later = 1",
                )?;
                Ok(statement.query_row([&tenant, &id], entry).optional()?)
            })
            .await
    }

    /// Takes an entry back that waits; false where it is too late or there is none.
    pub(super) async fn cancel(
        &self,
        tenant: &TenantId,
        id: &str,
        by: &str,
        now: u64,
    ) -> Result<bool, OutboxError> {
        let (tenant, id, note) = (tenant.to_string(), id.to_owned(), format!("taken back by {by}"));
        self.writer
            .ask(move |transaction| {
                let canceled = transaction
                    .prepare_cached(
                        "UPDATE effect SET state = 'canceled', operation = NULL, note = ?3, changed_at = ?4
                         WHERE tenant = ?1 AND id = ?2 AND later = 1 AND state = 'waiting'",
                    )?
                    .execute(params![tenant, id, note, now])?;
                Ok(canceled == 1)
            })
            .await
    }

    /// Takes back all that waits of a handler, with the reason; gives how much that is.
    pub(super) async fn cancel_all(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        note: String,
        now: u64,
    ) -> Result<u64, OutboxError> {
        let (tenant, handler) = (tenant.to_string(), handler.to_string());
        self.writer
            .ask(move |transaction| {
                let canceled = transaction.execute(
                    "UPDATE effect SET state = 'canceled', operation = NULL, note = ?3, changed_at = ?4
                     WHERE tenant = ?1 AND handler = ?2 AND later = 1 AND state = 'waiting'",
                    params![tenant, handler, note, now],
                )?;
                Ok(canceled as u64)
            })
            .await
    }

    /// Forgets all of a tenant that is gone: what is being sent is not sent again.
    pub(super) async fn forget(&self, tenant: &TenantId) -> Result<(), OutboxError> {
        let tenant = tenant.to_string();
        self.writer
            .ask(move |transaction| {
                transaction.execute("DELETE FROM effect WHERE tenant = ?1 AND later = 1", [&tenant])?;
                Ok(())
            })
            .await
    }

    /// Entries that are not at their end.
    pub(super) async fn waiting(&self) -> Result<u64, OutboxError> {
        self.writer
            .follow_up(|transaction| {
                let mut statement = transaction.prepare_cached(
                    "SELECT count(*) FROM effect WHERE state IN ('waiting', 'sending') AND later = 1",
                )?;
                Ok(statement.query_row([], |row| row.get(0))?)
            })
            .await
    }

    /// Gives up what nobody sends any more, and forgets what nobody asks for any more. Whether there is more to forget.
    pub(super) async fn prune(&self, now: u64) -> Result<bool, OutboxError> {
        self.writer
            .follow_up(move |transaction| {
                transaction.execute(
                    "UPDATE effect SET state = 'unknown', note = 'its host ended while it was being sent', changed_at = ?1
                     WHERE later = 0 AND state = 'sending' AND changed_at < ?2",
                    params![now, now.saturating_sub(ABANDONED_MS)],
                )?;
                let after_a_day = transaction.execute(
                    "DELETE FROM effect WHERE key IN (SELECT key FROM effect
                       WHERE state NOT IN ('waiting', 'sending') AND (later = 0 OR state = 'done')
                         AND changed_at < ?1 LIMIT ?2)",
                    params![now.saturating_sub(RESULTS_KEPT_MS), PRUNED_MAX],
                )?;
                let after_a_week = transaction.execute(
                    "DELETE FROM effect WHERE key IN (SELECT key FROM effect
                       WHERE later = 1 AND state IN ('failed', 'unknown', 'canceled') AND changed_at < ?1 LIMIT ?2)",
                    params![now.saturating_sub(ENDED_KEPT_MS), PRUNED_MAX],
                )?;
                Ok(after_a_day.max(after_a_week) >= PRUNED_MAX as usize)
            })
            .await
    }
}

/// What people call it: the first bytes of its key.
fn id_of(key: EffectKey) -> String {
    let bytes: String = key.0.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("ob_{bytes}")
}

/// Notes the end of what the process `owner` was sending; what another one has taken up meanwhile stays as it is.
fn end(
    transaction: &Transaction<'_>,
    (key, owner): (EffectKey, i64),
    result: &Result<Done, CarrierError>,
    now: u64,
) -> Result<(), OutboxError> {
    let (state, note, json) = match result {
        Ok(_) => ("done", String::new(), Some(serde_json::to_string(result)?)),
        // Told anew to each further try, as long as nobody knows better.
        Err(CarrierError::Unknown(why)) => ("unknown", why.clone(), None),
        Err(error) => ("failed", error.to_string(), Some(serde_json::to_string(result)?)),
    };
    transaction
        .prepare_cached(
            "UPDATE effect SET state = ?2, note = ?3, result = ?4, operation = NULL, changed_at = ?5
             WHERE key = ?1 AND state = 'sending' AND owner = ?6",
        )?
        .execute(params![key.0, state, note, json, now, owner])?;
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let result: Option<String> = row.get(7)?;
    let known = result.and_then(|json| serde_json::from_str::<Result<Done, CarrierError>>(&json).ok());
    Ok(Entry {
        id: row.get(0)?,
        tenant: row.get(1)?,
        handler: row.get(2)?,
        kind: row.get(3)?,
        about: row.get(4)?,
        state: row.get(5)?,
        attempts: row.get(6)?,
        result: known.and_then(|result| match result {
            Ok(Done::Id(id)) => Some(id),
            _ => None,
        }),
        note: row.get(8)?,
        due_at: row.get(9)?,
        created_at: row.get(10)?,
        changed_at: row.get(11)?,
    })
}
