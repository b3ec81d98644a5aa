//! The Rust SDK for projects outside of this repository: the binary carries it, and a project gets a copy.
//!
//! A copy in the project's own folder `.hookswitch`, to be committed with it: so it builds on every machine, without a registry
//! and without hookswitch (`cargo test`, an editor), and with the SDK that it was written for, whatever hookswitch is installed
//! later. Handlers below a folder with a copy (`--sdk-only` puts one there) share it. The lock file comes with it, so that a new project builds
//! with the versions that this binary's own tests ran with, and offline where they were ever downloaded.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::carried;

/// The folder in a project.
pub const FOLDER: &str = ".hookswitch";

const README: &str = "\
The hookswitch SDK that this project is built with, as `hookswitch new` wrote it. Commit it; changes made here are lost with
`hookswitch new --sdk-only .`, which replaces it by the one of the installed hookswitch.
";

/// The folder [`FOLDER`] that a project in `project` uses: the nearest one above it whose contents are exactly what this binary
/// would write, or one of its own.
pub fn place(project: &Path) -> PathBuf {
    let wanted = contents();
    let above = project.ancestors().skip(1).map(|above| above.join(FOLDER));
    // Compared whole: whoever else may write to a folder above must not get code into this project.
    above.into_iter().find(|folder| is_there(folder, &wanted)).unwrap_or_else(|| project.join(FOLDER))
}

/// The copy that the project at or above `path` has.
pub fn installed(path: &Path) -> Option<PathBuf> {
    path.ancestors().map(|above| above.join(FOLDER)).find(|folder| folder.join("sdk/Cargo.toml").is_file())
}

/// Writes the SDK to `folder`, in the place of what is there. Whether anything changed.
///
/// # Errors
/// As the operating system has it.
pub fn write(folder: &Path) -> io::Result<bool> {
    let wanted = contents();
    if is_there(folder, &wanted) {
        return Ok(false);
    }
    // Made beside its place, so that a build that runs now sees the one or the other.
    let partial = folder.with_extension(format!("{}.partial", std::process::id()));
    let written = wanted.iter().try_for_each(|(path, text)| {
        let path = partial.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(&partial))?;
        std::fs::write(path, text)
    });
    let moved = written.and_then(|()| {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        std::fs::rename(&partial, folder)
    });
    if moved.is_err() {
        let _partly = std::fs::remove_dir_all(&partial);
    }
    moved.map(|()| true)
}

fn is_there(folder: &Path, wanted: &BTreeMap<&str, String>) -> bool {
    wanted
        .iter()
        .all(|(path, text)| std::fs::read(folder.join(path)).is_ok_and(|found| found == text.as_bytes()))
}

/// The folders of the copy, here and there.
const FOLDERS: [&str; 2] = ["sdk/", "wit/"];

/// All files of the copy, by path.
fn contents() -> BTreeMap<&'static str, String> {
    let ours =
        carried::FILES.iter().filter(|(path, _)| FOLDERS.iter().any(|folder| path.starts_with(folder)));
    let mut contents: BTreeMap<_, _> = ours.map(|(path, text)| (*path, (*text).to_owned())).collect();
    contents.insert("Cargo.toml", workspace());
    contents.insert("README.md", README.to_owned());
    contents
}

/// The manifest above the SDK's: of this repository's, what the SDK takes from there.
fn workspace() -> String {
    let ours = table(include_str!("../../../../Cargo.toml"));
    let ours = ours.get("workspace").and_then(Value::as_table).cloned().unwrap_or_default();
    let mut needed = BTreeSet::new();
    for (_, text) in carried::in_folder("sdk/").filter(|(path, _)| path.ends_with("Cargo.toml")) {
        let manifest = table(text);
        needed.extend(
            manifest
                .get("dependencies")
                .and_then(Value::as_table)
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone()),
        );
    }
    let mut theirs = Table::new();
    for key in ["resolver", "package", "lints"] {
        if let Some(value) = ours.get(key) {
            theirs.insert(key.to_owned(), value.clone());
        }
    }
    theirs.insert("members".to_owned(), vec!["sdk", "sdk/macros"].into());
    if let Some(all) = ours.get("dependencies").and_then(Value::as_table) {
        let some: Table = all
            .iter()
            .filter(|(name, _)| needed.contains(*name))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        theirs.insert("dependencies".to_owned(), some.into());
    }
    Table::from_iter([("workspace".to_owned(), Value::Table(theirs))]).to_string()
}

/// The lock file of a package that depends on the SDK alone, with the versions that our own guests are built with.
pub fn lock(package: &str) -> String {
    let ours = table(include_str!("../../../../guest-examples/Cargo.lock"));
    let packages = ours.get("package").and_then(Value::as_array).cloned().unwrap_or_default();
    let word =
        |package: &Value, key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut wanted = vec!["hookswitch-sdk".to_owned()];
    let mut kept: BTreeMap<(String, String), Value> = BTreeMap::new();
    while let Some(name) = wanted.pop() {
        // `NAME`, or `NAME VERSION` where there are several.
        let (name, version) = name.split_once(' ').unwrap_or((&name, ""));
        for found in packages
            .iter()
            .filter(|one| word(one, "name") == name && word(one, "version").starts_with(version))
        {
            if kept.insert((word(found, "name"), word(found, "version")), found.clone()).is_none() {
                let needs = found.get("dependencies").and_then(Value::as_array);
                wanted.extend(needs.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
            }
        }
    }
    let own = Table::from_iter([
        ("name".to_owned(), package.into()),
        ("version".to_owned(), "0.1.0".into()),
        ("dependencies".to_owned(), vec!["hookswitch-sdk"].into()),
    ]);
    kept.insert((package.to_owned(), "0.1.0".to_owned()), own.into());
    let mut lock = Table::new();
    lock.insert("version".to_owned(), ours.get("version").cloned().unwrap_or(Value::Integer(4)));
    lock.insert("package".to_owned(), kept.into_values().collect::<Vec<_>>().into());
    format!(
        "# This file is automatically @generated by Cargo.\n# It is not intended for manual editing.\n{lock}"
    )
}

/// One of our own manifests, which cargo has read already.
fn table(text: &str) -> Table {
    text.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_has_all_that_the_sdk_takes_from_above() {
        let workspace = table(&workspace());
        let workspace = workspace["workspace"].as_table().unwrap();
        for name in ["hookswitch-sdk-macros", "wit-bindgen", "syn", "quote", "proc-macro2"] {
            assert!(workspace["dependencies"].get(name).is_some(), "{name}");
        }
        assert!(workspace["dependencies"].get("wasmtime").is_none());
        assert_eq!(workspace["package"]["edition"].as_str(), Some("2024"));
        let contents = contents();
        for path in ["sdk/src/lib.rs", "sdk/macros/src/lib.rs", "wit/types.wit", "wit/deps/clocks.wit"] {
            assert!(contents.contains_key(path), "{path}");
        }
        assert!(!contents.keys().any(|path| path.starts_with("sdk/generate")));
    }

    #[test]
    fn the_lock_file_holds_the_sdks_packages_and_no_others() {
        let lock = table(&lock("my-handler"));
        let packages = lock["package"].as_array().unwrap();
        let named = |name: &str| packages.iter().any(|package| package["name"].as_str() == Some(name));
        assert!(named("my-handler") && named("hookswitch-sdk") && named("wit-bindgen") && named("syn"));
        assert!(!named("front-desk") && !named("misbehave"));
    }

    #[test]
    fn a_copy_above_is_shared_only_if_it_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("handlers/sales");
        assert_eq!(place(&project), project.join(FOLDER));
        let shared = folder.path().join("handlers").join(FOLDER);
        assert!(write(&shared).unwrap());
        assert!(!write(&shared).unwrap(), "it is there");
        assert_eq!(place(&project), shared);
        assert_eq!(installed(&project), Some(shared.clone()));
        std::fs::write(shared.join("sdk/src/lib.rs"), "another's").unwrap();
        assert_eq!(place(&project), project.join(FOLDER));
        assert!(write(&shared).unwrap(), "it is put right");
        assert_eq!(place(&project), shared);
    }
}
