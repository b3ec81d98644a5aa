//! Code that is kept between two commands: found, proved, and made anew where it is not what was kept.

use std::path::Path;

use super::guest::Guest;
use super::{House, sandbox};
use crate::artifact::Kept;

const KEY: [u8; 32] = [7; 32];

fn artifacts(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder.join("artifacts")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn what_was_compiled_once_is_mapped_and_what_was_changed_is_compiled_again() {
    let (house, folder) = (House::new(), tempfile::tempdir().unwrap());
    let component = Guest::default().build();
    let kept = Kept::open(folder.path(), KEY, &house.sandbox).unwrap();
    kept.load(&house.sandbox, &component).unwrap();
    let file = artifacts(folder.path()).remove(0);
    let whole = std::fs::read(&file).unwrap();

    // Another process of the same user.
    let sandbox = sandbox();
    let again = Kept::open(folder.path(), KEY, &sandbox).unwrap();
    again.load(&sandbox, &component).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), whole, "it was not written anew");

    let mut changed = whole.clone();
    changed[100] ^= 1;
    std::fs::write(&file, &changed).unwrap();
    let prepared = again.load(&sandbox, &component).unwrap();
    assert_ne!(std::fs::read(&file).unwrap(), changed, "what was damaged is made anew");
    House::on(sandbox).run(&prepared, &Default::default()).await.result.unwrap();

    let other = Kept::open(folder.path(), [8; 32], &house.sandbox).unwrap();
    let before = std::fs::read(&file).unwrap();
    other.load(&house.sandbox, &component).unwrap();
    assert_ne!(std::fs::read(&file).unwrap(), before, "what somebody else has sealed is not run");
}

#[test]
fn a_component_that_is_refused_is_refused_from_here_too_and_leaves_nothing() {
    let (sandbox, folder) = (sandbox(), tempfile::tempdir().unwrap());
    let kept = Kept::open(folder.path(), KEY, &sandbox).unwrap();
    let expected = sandbox.load(b"not wasm").err().unwrap().to_string();
    assert_eq!(kept.load(&sandbox, b"not wasm").err().unwrap().to_string(), expected);
    assert!(artifacts(folder.path()).is_empty());
}
