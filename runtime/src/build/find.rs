//! Which handlers are at a path: the one that it is, or those in its folders.

use std::path::{Path, PathBuf};

use crate::handler_toml;

/// What a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One handler: a folder with its sources, or a component.
    One(PathBuf),
    /// A folder of handlers: those in it, by name. There may be none yet.
    Many(Vec<PathBuf>),
}

/// Looks at `path` and one level below it. A folder is a handler if it has a `handler.toml`, or a `Cargo.toml` of a package
/// that makes a module; what is neither that nor a folder with such folders in it is for the build to say something about.
#[must_use]
pub fn find(path: &Path) -> Found {
    if !path.is_dir() || is_handler(path) {
        return Found::One(path.to_owned());
    }
    let mut found = Vec::new();
    for entry in path.read_dir().into_iter().flatten().flatten() {
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && is_handler(&entry.path()) {
            found.push(entry.path());
        }
    }
    found.sort();
    // A package that makes no module: its author meant it to be a handler, and the build tells what it lacks.
    if found.is_empty() && package(path).is_some() {
        return Found::One(path.to_owned());
    }
    Found::Many(found)
}

fn is_handler(folder: &Path) -> bool {
    folder.join(handler_toml::FILE_NAME).is_file()
        || package(folder).is_some_and(|manifest| makes_module(&manifest))
}

/// The manifest of the package in `folder`; a workspace alone is none.
fn package(folder: &Path) -> Option<toml::Table> {
    let manifest: toml::Table = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?.parse().ok()?;
    manifest.contains_key("package").then_some(manifest)
}

fn makes_module(manifest: &toml::Table) -> bool {
    let kinds = manifest.get("lib").and_then(|lib| lib.get("crate-type")).and_then(toml::Value::as_array);
    kinds.into_iter().flatten().any(|kind| kind.as_str() == Some("cdylib"))
}

#[cfg(test)]
mod tests {
    use super::{Found, find};

    #[test]
    fn a_path_is_one_handler_or_the_folder_of_many() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("many/Cargo.toml", "[workspace]\nmembers = [\"b\"]");
        write("many/b/Cargo.toml", "[package]\nname = \"b\"\n[lib]\ncrate-type = [\"cdylib\"]");
        write("many/a/handler.toml", "");
        write("many/tool/Cargo.toml", "[package]\nname = \"tool\"");
        write("many/.hidden/handler.toml", "");
        write("many/notes/x.txt", "");
        write("package/Cargo.toml", "[package]\nname = \"package\"");
        write("empty/x.txt", "");
        write("c.wasm", "");
        let at = |path: &str| folder.path().join(path);
        for (path, expected) in [
            ("many", Found::Many(vec![at("many/a"), at("many/b")])),
            ("many/a", Found::One(at("many/a"))),
            ("many/b", Found::One(at("many/b"))),
            ("package", Found::One(at("package"))),
            ("empty", Found::Many(vec![])),
            ("c.wasm", Found::One(at("c.wasm"))),
            ("gone", Found::One(at("gone"))),
        ] {
            assert_eq!(find(&at(path)), expected, "{path}");
        }
    }
}
