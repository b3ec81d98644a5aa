use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::super::{KEY_FILE, KeyError, schema};
use super::*;

#[test]
fn a_new_folder_gets_a_registry_that_only_its_owner_reads() {
    let folder = Folder::new();
    drop(folder.open().unwrap());
    for (file, _) in contents(folder.path()) {
        let mode = std::fs::metadata(folder.path().join(&file)).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
    let shell = rusqlite::Connection::open(folder.database()).unwrap();
    assert_eq!(schema::pragma(&shell, "application_id").unwrap(), schema::APPLICATION_ID);
    assert_eq!(schema::pragma(&shell, "user_version").unwrap(), schema::newest());
}

#[test]
fn a_key_is_made_once_and_never_in_the_place_of_a_lost_one() {
    let folder = Folder::new();
    let path = folder.path().join(KEY_FILE);
    assert_eq!(std::fs::read(&path).unwrap().len(), 32);
    let again = MasterKey::open(folder.path()).unwrap();
    assert_eq!(again.derive("a"), folder.key.derive("a"));
    assert_ne!(again.derive("a"), again.derive("b"));
    assert_eq!(format!("{again:?}"), "MasterKey([redacted])");

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = MasterKey::open(folder.path()).unwrap_err();
    assert!(matches!(error, KeyError::Exposed { mode: 0o640, .. }), "{error}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, [7; 31]).unwrap();
    let error = MasterKey::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains("expected 32 bytes, found 31"), "{error}");

    drop(folder.open().unwrap());
    std::fs::remove_file(&path).unwrap();
    let error = MasterKey::open(folder.path()).unwrap_err();
    assert!(matches!(error, KeyError::Lost { .. }), "{error}");
    assert!(!path.exists());
}

#[test]
fn another_key_is_refused() {
    let (folder, registry) = Folder::with_tenant();
    drop(registry);
    let error = Registry::open(folder.path(), &MasterKey::new([1; 32])).unwrap_err();
    assert!(matches!(error, RegistryError::WrongKey { .. }), "{error}");
    assert!(folder.open().is_ok());
}

#[test]
fn migrations_are_applied_in_order_once_each_and_whole() {
    let mut database = rusqlite::Connection::open_in_memory().unwrap();
    let first = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1);";
    let second = "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;";
    schema::migrate(&mut database, &[first]).unwrap();
    schema::migrate(&mut database, &[first, second]).unwrap();
    schema::migrate(&mut database, &[first, second]).unwrap();
    let row: (i64, i64) =
        database.query_row("SELECT x, y FROM a", [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    assert_eq!(row, (1, 2));
    let broken = "INSERT INTO a VALUES (5, 5); INSERT INTO nowhere VALUES (1);";
    assert!(schema::migrate(&mut database, &[first, second, broken]).is_err());
    assert_eq!(schema::pragma(&database, "user_version").unwrap(), 2);
    let rows: i64 = database.query_row("SELECT count(*) FROM a", [], |r| r.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_left_as_it_was() {
    let sql = |statement: &'static str| {
        move |path: &Path| {
            let shell = rusqlite::Connection::open(path).unwrap();
            shell.execute_batch(statement).unwrap();
        }
    };
    let at = |offset: usize, byte: u8| {
        move |path: &Path| {
            let mut bytes = std::fs::read(path).unwrap();
            bytes[offset] ^= byte;
            std::fs::write(path, bytes).unwrap();
        }
    };
    let cut = |keep: fn(usize) -> usize| {
        move |path: &Path| {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..keep(bytes.len())]).unwrap();
        }
    };
    type Spoil = Box<dyn Fn(&Path)>;
    let cases: Vec<(&str, Spoil, &str)> = vec![
        (
            "garbage",
            Box::new(|path| std::fs::write(path, "garbage ".repeat(999)).unwrap()),
            "is damaged: file is not a database",
        ),
        ("a text", Box::new(|path| std::fs::write(path, "x").unwrap()), "is damaged: it has only 1 bytes"),
        ("empty", Box::new(|path| std::fs::write(path, "").unwrap()), "is damaged: it has only 0 bytes"),
        ("half", Box::new(cut(|len| len / 2)), "is damaged"),
        ("a page short", Box::new(cut(|len| len - 4096)), "is damaged"),
        ("a byte short", Box::new(cut(|len| len - 1)), "is damaged"),
        ("flipped magic", Box::new(at(3, 1)), "is damaged: file is not a database"),
        ("flipped page size", Box::new(at(16, 0x40)), "is damaged"),
        ("flipped schema page", Box::new(at(100, 0xff)), "is damaged"),
        ("flipped table page", Box::new(at(2 * 4096, 0xff)), "is damaged: *** in database main ***; Tree "),
        (
            "another program's",
            Box::new(sql("PRAGMA application_id = 7")),
            "none of hookswitch: its application id is 0x7",
        ),
        (
            "newer",
            Box::new(sql("PRAGMA user_version = 99")),
            "written by a newer hookswitch: its schema is 99, this one knows up to 3",
        ),
        ("older than the first", Box::new(sql("PRAGMA user_version = 0")), "its schema is 0"),
    ];
    for (case, spoil, expected) in cases {
        let (folder, registry) = Folder::with_tenant();
        registry.deploy(&revision("acme", "ivr", "a"), at_once).unwrap();
        drop(registry);
        // As a stopped host leaves it, and as a copy of that one file has it.
        for beside in [true, false] {
            let copy = tempfile::tempdir().unwrap();
            for (file, bytes) in contents(folder.path()) {
                if beside || !(file.ends_with("-wal") || file.ends_with("-shm")) {
                    std::fs::write(copy.path().join(file), bytes).unwrap();
                }
            }
            spoil(&copy.path().join(FILE_NAME));
            let before = contents(copy.path());
            let error = Registry::open(copy.path(), &folder.key).expect_err(case);
            assert!(error.to_string().contains(expected), "{case}: {error}");
            assert!(error.is_unavailable(), "{case}");
            let after = contents(copy.path());
            // The shared memory is no content: SQLite counts its readers there.
            let lasting = |files: &[(String, Vec<u8>)]| -> Vec<(String, Vec<u8>)> {
                files
                    .iter()
                    .map(|(name, bytes)| {
                        (name.clone(), if name.ends_with("-shm") { Vec::new() } else { bytes.clone() })
                    })
                    .collect()
            };
            assert!(lasting(&before) == lasting(&after), "{case}: something was touched");
        }
        assert!(folder.open().is_ok(), "{case}");
    }
}

#[test]
fn a_registry_that_was_there_is_not_replaced_by_an_empty_one() {
    let (folder, registry) = Folder::with_tenant();
    super::super::write_last_known(folder.path(), &folder.key, &registry.everything(NOW).unwrap()).unwrap();
    drop(registry);
    std::fs::remove_file(folder.database()).unwrap();
    let error = folder.open().unwrap_err();
    assert!(matches!(error, RegistryError::Missing { .. }), "{error}");
    assert!(!folder.database().exists());
}

#[test]
fn a_folder_that_was_copied_in_the_middle_of_a_write_is_read_with_its_journal() {
    let (folder, registry) = Folder::with_tenant();
    // A reader keeps the journal from being moved into the file.
    let reader = rusqlite::Connection::open(folder.database()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM tenant;").unwrap();
    registry.create_tenant(&tenant("late")).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for file in [FILE_NAME, "registry.db-wal"] {
        std::fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    assert!(std::fs::metadata(copy.path().join("registry.db-wal")).unwrap().len() > 0);
    let copied = Registry::open(copy.path(), &folder.key).unwrap();
    assert!(copied.tenant(&id("late")).unwrap().is_some());
    assert!(contents(copy.path()).iter().all(|(name, _)| !name.contains("partial")));
}
