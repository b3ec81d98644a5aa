//! The file of kept calls: SQLite, in the data folder, of its own so that losing it loses nothing else.
//!
//! Every webhook is sealed under a key of the host before it is written, bound to its place; the rows beside it hold no
//! number, no id and no word of a call. Whole calls are forgotten, the oldest first, and their pages are given back.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::record::{KeptCall, KeptWebhook};
use super::settings::RecordingSettings;
use crate::call::{HandlerName, TenantId};
use crate::registry::{MasterKey, Sealer};

/// The file's name in the data folder.
pub const FILE_NAME: &str = "recordings.db";

/// Says that the file is ours: `hswr`.
const APPLICATION_ID: i32 = 0x6873_7772;
/// Brings the tables from their place in this list to the next number. Never changed once released; only added to, and so
/// that the version before, which goes on while a new one takes over, can read and write what comes of it.
const MIGRATIONS: &[&str] = &[SCHEMA, BY_NAME];

/// How long a write waits for another process, which during a handover writes too.
const BUSY: Duration = Duration::from_secs(5);

/// A message conversation that was silent for so long is over; the next message begins another. The carrier forgets its cookies
/// after the same time.
pub const CONVERSATION_MS: u64 = 4 * 60 * 60 * 1_000;

/// Most bytes of the calls that are read at once.
const READ_BYTES_MAX: usize = 128 << 20;

const SCHEMA: &str = "
CREATE TABLE setting (
  tenant TEXT PRIMARY KEY,
  settings TEXT NOT NULL              -- JSON of `RecordingSettings`
) STRICT, WITHOUT ROWID;

-- A call or a conversation.
CREATE TABLE call (
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  handler TEXT NOT NULL,
  name BLOB NOT NULL,                 -- keyed hash of what tells it from others
  began_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  webhooks INTEGER NOT NULL,
  bytes INTEGER NOT NULL              -- of its sealed webhooks
) STRICT;
CREATE INDEX call_name ON call (tenant, handler, name, last_at);
CREATE INDEX call_began ON call (tenant, last_at);

CREATE TABLE webhook (
  call INTEGER NOT NULL REFERENCES call (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (call, position)
) STRICT, WITHOUT ROWID;
";

/// A call of which a part is missing is found by its name alone, whosever it is.
const BY_NAME: &str = "CREATE INDEX call_by_name ON call (name);";

/// Forgets a call by its name.
const FORGET_CALL: &str = "DELETE FROM call WHERE name = ?1";

/// Why the file can't be used. For the operator: it names paths.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another program's file, or one of a later version.
    #[error(
        "{} holds no kept calls of this version (application {application:#x}, version {version}); move it away to begin anew", path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its mark.
        application: i32,
        /// Its version.
        version: i32,
    },
    /// SQLite can't do it.
    #[error("the file of kept calls can't be used: {0}")]
    Database(#[from] rusqlite::Error),
    /// The operating system can't.
    #[error("the file of kept calls can't be used: {0}")]
    Io(#[from] std::io::Error),
}

/// What is written of one webhook.
#[derive(Debug)]
pub struct Entry {
    /// Whose.
    pub tenant: TenantId,
    /// Which handler's.
    pub handler: HandlerName,
    /// Tells its call from others.
    pub name: [u8; 32],
    /// Whether a call may begin with it. One in the middle of a call that is not known is left out.
    pub begins: Begins,
    /// The webhook, redacted.
    pub webhook: KeptWebhook,
}

/// What a webhook may be the first of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// Nothing: it belongs to something that began before.
    Nothing,
    /// A call.
    Call,
    /// A conversation, where the last one with these two numbers is over.
    Conversation,
}

/// What is kept of a tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Calls and conversations.
    pub calls: u64,
    /// Their webhooks.
    pub webhooks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was last heard of, in Unix milliseconds.
    pub oldest_at: Option<u64>,
}

/// The open file.
pub struct Store {
    connection: Mutex<Connection>,
    sealer: Sealer,
}

impl Store {
    /// Opens the file of a data folder, or makes one.
    ///
    /// # Errors
    /// [`StoreError`]; a file that is not ours is left as it is.
    pub fn open(data: &Path, key: &MasterKey) -> Result<Self, StoreError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = data.join(FILE_NAME);
        // SQLite would make it readable for all.
        std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        let mut connection = Connection::open(&path)?;
        connection.busy_timeout(BUSY)?;
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let (application, version) = (number("application_id")?, number("user_version")?);
        let known = usize::try_from(version).is_ok_and(|version| version <= MIGRATIONS.len());
        if !known || application != if version == 0 { 0 } else { APPLICATION_ID } {
            return Err(StoreError::Foreign { path, application, version });
        }
        if version == 0 {
            // Pages of what is forgotten go back to the disk; has to be said before the first table.
            connection.pragma_update(None, "auto_vacuum", "incremental")?;
            connection.pragma_update(None, "journal_mode", "wal")?;
        }
        migrate(&mut connection)?;
        // What a power cut takes of kept calls is no loss that is worth a sync for each of them.
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "secure_delete", "on")?;
        connection.pragma_update(None, "foreign_keys", "on")?;
        Ok(Self { connection: Mutex::new(connection), sealer: Sealer::new(key, "recording: kept calls") })
    }

    /// What tenants have set for themselves.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn settings(&self) -> Result<HashMap<TenantId, RecordingSettings>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT tenant, settings FROM setting")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let mut settings = HashMap::new();
        for row in rows {
            let (tenant, text) = row?;
            // What can't be read is off: nothing may be kept by rules that nobody knows.
            let rules = serde_json::from_str(&text).unwrap_or_default();
            settings.extend(TenantId::new(&tenant).ok().map(|tenant| (tenant, rules)));
        }
        Ok(settings)
    }

    /// Keeps what a tenant has set for itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set(&self, tenant: &TenantId, settings: &RecordingSettings) -> Result<(), StoreError> {
        let text = serde_json::to_string(settings).map_err(std::io::Error::other)?;
        self.connection().execute(
            "INSERT INTO setting (tenant, settings) VALUES (?1, ?2) ON CONFLICT (tenant) DO UPDATE SET settings = ?2",
            params![tenant.as_str(), text],
        )?;
        Ok(())
    }

    /// Adds webhooks to the calls they belong to, in one transaction.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of it is kept then.
    pub fn add(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for entry in entries {
            self.add_one(&transaction, entry)?;
        }
        Ok(transaction.commit()?)
    }

    fn add_one(&self, transaction: &Transaction<'_>, entry: &Entry) -> Result<(), StoreError> {
        let Entry { tenant, handler, name, begins, webhook } = entry;
        let open = transaction
            .prepare_cached(
                "SELECT id, webhooks, last_at FROM call WHERE tenant = ?1 AND handler = ?2 AND name = ?3
                 ORDER BY last_at DESC LIMIT 1",
            )?
            .query_row(params![tenant.as_str(), handler.as_str(), name], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?, row.get::<_, u64>(2)?))
            })
            .optional()?;
        let fresh = |last_at: u64| {
            *begins != Begins::Conversation || webhook.at.saturating_sub(last_at) < CONVERSATION_MS
        };
        let (id, position) = match open {
            Some((id, webhooks, last_at)) if fresh(last_at) => (id, webhooks),
            _ if *begins == Begins::Nothing => return Ok(()),
            _ => {
                transaction
                    .prepare_cached(
                        "INSERT INTO call (tenant, handler, name, began_at, last_at, webhooks, bytes)
                         VALUES (?1, ?2, ?3, ?4, ?4, 0, 0)",
                    )?
                    .execute(params![tenant.as_str(), handler.as_str(), name, webhook.at])?;
                (transaction.last_insert_rowid(), 0)
            }
        };
        let plain = serde_json::to_vec(webhook).map_err(std::io::Error::other)?;
        let sealed = self.sealer.seal(&refs(&place(tenant, handler, name, position)), &plain)?;
        transaction
            .prepare_cached("INSERT INTO webhook (call, position, sealed) VALUES (?1, ?2, ?3)")?
            .execute(params![id, position, sealed])?;
        transaction
            .prepare_cached(
                "UPDATE call SET webhooks = webhooks + 1, bytes = bytes + ?2, last_at = max(last_at, ?3) WHERE id = ?1",
            )?
            .execute(params![id, sealed.len(), webhook.at])?;
        Ok(())
    }

    /// The newest `most` calls of a handler, or fewer where they are very long, the oldest of them first. Webhooks that can't be opened, and all that follow them
    /// in their call, are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn calls(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        most: u32,
    ) -> Result<Vec<KeptCall>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT id, name, began_at FROM call WHERE tenant = ?1 AND handler = ?2 ORDER BY last_at DESC, id DESC LIMIT ?3",
        )?;
        let rows = statement.query_map(params![tenant.as_str(), handler.as_str(), most], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, u64>(2)?))
        })?;
        let (mut calls, mut bytes) = (Vec::new(), 0);
        for row in rows {
            let (id, name, began_at) = row?;
            if bytes > READ_BYTES_MAX {
                break;
            }
            let mut statement = connection
                .prepare_cached("SELECT position, sealed FROM webhook WHERE call = ?1 ORDER BY position")?;
            let rows =
                statement.query_map([id], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
            let mut webhooks = Vec::new();
            for row in rows {
                let (position, sealed) = row?;
                bytes += sealed.len();
                let plain = self.sealer.open(&refs(&place(tenant, handler, &name, position)), &sealed);
                match plain.ok().and_then(|plain| serde_json::from_slice(&plain).ok()) {
                    Some(webhook) => webhooks.push(webhook),
                    None => break,
                }
            }
            if !webhooks.is_empty() {
                calls.push(KeptCall { began_at, webhooks });
            }
        }
        calls.reverse();
        Ok(calls)
    }

    /// What is kept of a tenant.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn kept(&self, tenant: &TenantId) -> Result<Kept, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT count(*), coalesce(sum(webhooks), 0), coalesce(sum(bytes), 0), min(last_at) FROM call WHERE tenant = ?1",
        )?;
        Ok(statement.query_row([tenant.as_str()], |row| {
            Ok(Kept { calls: row.get(0)?, webhooks: row.get(1)?, bytes: row.get(2)?, oldest_at: row.get(3)? })
        })?)
    }

    /// Forgets whole calls of `tenant`, the oldest first, until it is within its bounds. Gives how many went.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn bound(&self, tenant: &TenantId, rules: &RecordingSettings, now: u64) -> Result<u64, StoreError> {
        let since = now.saturating_sub(u64::from(rules.hours_max) * 3_600_000);
        self.forget(
            "DELETE FROM call WHERE id IN (
               SELECT id FROM (
                 SELECT id, last_at,
                   row_number() OVER newest AS place,
                   sum(bytes) OVER newest AS bytes
                 FROM call WHERE tenant = ?1
                 WINDOW newest AS (ORDER BY last_at DESC, id DESC ROWS UNBOUNDED PRECEDING))
               WHERE last_at < ?2 OR place > ?3 OR bytes > ?4)",
            params![tenant.as_str(), since, rules.calls_max, u64::from(rules.mib_max) << 20],
        )
    }

    /// Forgets calls of which a part is missing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_calls(&self, names: &[[u8; 32]]) -> Result<(), StoreError> {
        names.iter().try_for_each(|name| self.forget(FORGET_CALL, params![name]).map(drop))
    }

    /// Forgets all calls that something was heard of since `at`, whoever's: what may go on and lacks a part.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_since(&self, at: u64) -> Result<u64, StoreError> {
        self.forget("DELETE FROM call WHERE last_at >= ?1", params![at])
    }

    /// Forgets all calls of a tenant, or of one handler of it. Gives how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_all(&self, tenant: &TenantId, handler: Option<&HandlerName>) -> Result<u64, StoreError> {
        let handler = handler.map(HandlerName::as_str);
        self.forget(
            "DELETE FROM call WHERE tenant = ?1 AND (?2 IS NULL OR handler = ?2)",
            params![tenant.as_str(), handler],
        )
    }

    /// Forgets what a tenant has set, and all of its calls.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_tenant(&self, tenant: &TenantId) -> Result<(), StoreError> {
        self.connection().execute("DELETE FROM setting WHERE tenant = ?1", [tenant.as_str()])?;
        self.forget_all(tenant, None).map(drop)
    }

    /// Every tenant of which something is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT DISTINCT tenant FROM call")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.iter().filter_map(|id| TenantId::new(id).ok()).collect())
    }

    fn forget(&self, delete: &str, values: impl rusqlite::Params) -> Result<u64, StoreError> {
        let connection = self.connection();
        let forgotten = connection.prepare_cached(delete)?.execute(values)?;
        if forgotten > 0 {
            connection.execute_batch("PRAGMA incremental_vacuum")?;
        }
        Ok(forgotten as u64)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A transaction that a panic interrupted was rolled back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings the tables to the newest of [`MIGRATIONS`], one transaction a step.
fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Looked at within the transaction: another process may have been quicker.
        let version = transaction.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0))?;
        let Some(step) = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version)) else {
            return Ok(());
        };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
}

/// What a webhook is sealed for: elsewhere it does not open.
fn place(tenant: &TenantId, handler: &HandlerName, name: &[u8; 32], position: u32) -> [String; 4] {
    let name = name.iter().map(|byte| format!("{byte:02x}")).collect();
    [tenant.to_string(), handler.to_string(), name, position.to_string()]
}

fn refs(place: &[String; 4]) -> [&str; 4] {
    place.each_ref().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(folder: &Path) -> MasterKey {
        MasterKey::open(folder).unwrap()
    }

    fn number(connection: &Connection, sql: &str) -> i64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_torn_call_is_found_without_going_through_all_calls() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), &key(folder.path())).unwrap();
        let connection = store.connection();
        let plan: String = connection
            .query_row(&format!("EXPLAIN QUERY PLAN {FORGET_CALL}"), [[0_u8; 32]], |row| row.get("detail"))
            .unwrap();
        assert!(plan.starts_with("SEARCH call") && plan.ends_with("INDEX call_by_name (name=?)"), "{plan}");
    }

    #[test]
    fn a_file_of_the_first_version_keeps_its_calls_and_gets_what_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let old = Connection::open(&path).unwrap();
        old.execute_batch(SCHEMA).unwrap();
        old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        let insert = "INSERT INTO call (tenant, handler, name, began_at, last_at, webhooks, bytes)
                      VALUES ('acme', 'ivr', randomblob(32), 1, 1, 0, 0)";
        old.execute(insert, []).unwrap();
        let store = Store::open(folder.path(), &key(folder.path())).unwrap();
        // The host before this one may still have it open.
        old.execute(insert, []).unwrap();
        assert_eq!(store.kept(&TenantId::new("acme").unwrap()).unwrap().calls, 2);
        assert_eq!(number(&store.connection(), "PRAGMA user_version"), MIGRATIONS.len() as i64);
        drop(store);
        Store::open(folder.path(), &key(folder.path())).unwrap();

        old.pragma_update(None, "user_version", MIGRATIONS.len() as i32 + 1).unwrap();
        let newer = Store::open(folder.path(), &key(folder.path()));
        assert!(matches!(newer, Err(StoreError::Foreign { version: 3, .. })), "{:?}", newer.err());
    }
}
