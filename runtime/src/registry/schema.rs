//! The database's shape: numbered migrations, and the look that comes before anything is touched.
//!
//! A file that is damaged, foreign or newer is refused while it is still byte for byte as it was found: it is first read
//! without a lock, a journal or a write. SQLite itself would make a journal beside it on the first read.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::RegistryError;
use super::files::{self, Partial, Present};

/// Marks a database as ours: `hswd`.
pub(super) const APPLICATION_ID: i32 = 0x6873_7764;

/// The smallest page that SQLite knows, in bytes.
const PAGE_BYTES_MIN: u64 = 512;

/// Each brings the schema from its place in this list to the next number. Never changed once released; only added to.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
];

/// The schema this code reads and writes.
pub(super) fn newest() -> i32 {
    i32::try_from(MIGRATIONS.len()).expect("a list in this file is short")
}

/// Makes an empty registry at `path`: complete, or not there at all.
pub(super) fn create(path: &Path, key_check: &[u8; 32]) -> Result<(), RegistryError> {
    let io = |error: std::io::Error| RegistryError::io(path, error).at_full_disk(path);
    let partial = Partial::beside(path);
    files::create_private(&partial.path).map_err(io)?;
    let mut connection =
        Connection::open_with_flags(&partial.path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
    // Born in the journal mode it stays in: changing it later would leave a moment in which a crash needs a repair.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate(&mut connection, MIGRATIONS)?;
    connection.execute("INSERT INTO mark (id, key_check) VALUES (1, ?1)", [&key_check[..]])?;
    connection.close().map_err(|(_, error)| error)?;
    fs::File::open(&partial.path).and_then(|file| file.sync_all()).map_err(io)?;
    match partial.put(path, Present::Keep) {
        // Another process was quicker; its registry is the one.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        put => put.map_err(io),
    }
}

/// Brings the schema to the newest of `migrations`, one transaction a step.
pub(super) fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), RegistryError> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = pragma(&transaction, "user_version")?;
        let Some(step) = usize::try_from(version).ok().and_then(|version| migrations.get(version)) else {
            return Ok(());
        };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
}

/// Reads the whole file without changing it or anything beside it.
///
/// # Errors
/// What is wrong with it; nothing was touched.
pub(super) fn look(path: &Path) -> Result<(), RegistryError> {
    let found = look_once(path);
    match found {
        // A process that serves may have begun or ended between our two looks at the folder.
        Err(RegistryError::Damaged { .. }) => look_once(path),
        found => found,
    }
}

fn look_once(path: &Path) -> Result<(), RegistryError> {
    let bytes = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(RegistryError::Missing { path: path.to_owned() });
        }
        Err(error) => return Err(RegistryError::io(path, error)),
        Ok(found) if !found.is_file() => {
            return Err(RegistryError::io(path, "expected a file, found something else"));
        }
        // SQLite takes a file without a first page for a new database.
        Ok(found) if found.len() < PAGE_BYTES_MIN => {
            return Err(RegistryError::damaged(format!("it has only {} bytes", found.len())));
        }
        Ok(found) => found.len(),
    };
    let check = |connection: Connection| {
        check(&connection)?;
        // SQLite reads what is cut off the last page as zeros.
        let page_bytes = u64::try_from(pragma(&connection, "page_size")?).unwrap_or(0);
        match bytes.checked_rem(page_bytes) {
            Some(0) => Ok(()),
            _ => Err(RegistryError::damaged(format!("it ends in the middle of a page, after {bytes} bytes"))),
        }
    };
    let beside = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        std::path::PathBuf::from(name)
    };
    let (journal, shared) = (beside("-wal"), beside("-shm"));
    let journal_bytes = fs::metadata(&journal).map_or(0, |found| found.len());
    if shared.exists() && journal.exists() {
        // Left by a crash, or in use: all that is needed for reading is there.
        return check(read_only(path, "")?);
    }
    if journal_bytes == 0 {
        // Nobody has it open, and it is complete: `immutable` reads it without looking for a journal.
        return check(read_only(path, "&immutable=1")?);
    }
    // A journal without its shared memory, such as a copied folder has: SQLite would make that file, so it is read elsewhere.
    let io = |error: std::io::Error| RegistryError::io(path, error).at_full_disk(path);
    let elsewhere = Partial::beside(path);
    files::create_folder(&elsewhere.path).map_err(io)?;
    let copied = elsewhere.path.join("copy");
    let result = fs::copy(path, &copied)
        .and_then(|_| fs::copy(&journal, elsewhere.path.join("copy-wal")))
        .map_err(io)
        .and_then(|_| check(read_only(&copied, "")?));
    fs::remove_dir_all(&elsewhere.path).map_err(io)?;
    result
}

/// Opens for reading, with `more` of SQLite's URI parameters.
pub(super) fn read_only(path: &Path, more: &str) -> Result<Connection, RegistryError> {
    let connection = Connection::open_with_flags(
        format!("file:{}?mode=ro{more}", uri_path(path)),
        flags(OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI),
    )?;
    connection.busy_timeout(super::connection::BUSY_TIMEOUT)?;
    // A reader that is the last to leave would otherwise write the journal back.
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

pub(super) fn check(connection: &Connection) -> Result<(), RegistryError> {
    whose(connection)?;
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(RegistryError::damaged(found)) }
}

/// Refuses another program's database, and a newer one of ours.
pub(super) fn whose(connection: &Connection) -> Result<(), RegistryError> {
    let path = || super::FILE_NAME.into();
    // SQLite takes a file of a few bytes for a new database.
    if pragma(connection, "page_count")? < 1 {
        return Err(RegistryError::damaged("it is too short for a database"));
    }
    let found = pragma(connection, "application_id")?;
    if found != APPLICATION_ID {
        return Err(RegistryError::Foreign { path: path(), found, expected: APPLICATION_ID });
    }
    match pragma(connection, "user_version")? {
        found if found > newest() => Err(RegistryError::Newer { path: path(), found, known: newest() }),
        found if found < 1 => {
            Err(RegistryError::damaged(format!("its schema is {found}, and the first one was 1")))
        }
        _ => Ok(()),
    }
}

/// A database's own number.
pub(super) fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// No mutex of SQLite's own: each connection has one of ours around it.
pub(super) fn flags(mode: OpenFlags) -> OpenFlags {
    mode | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn uri_path(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    percent_encoding::percent_encode(path.as_os_str().as_bytes(), URI_SPECIAL).to_string()
}

/// What would end or change a path in SQLite's URIs.
const URI_SPECIAL: &percent_encoding::AsciiSet =
    &percent_encoding::CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ').add(b'&');
