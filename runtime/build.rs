//! Lists the files of the SDKs and the contract, so that the binary carries them: `hookswitch new` writes them into projects.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What a project needs, from the repository's root.
const FOLDERS: [&str; 4] = ["sdk", "sdk-js", "sdk-python", "wit"];

/// The program that writes parts of the SDK, which nobody needs who only uses them, and what tools leave behind.
const LEFT_OUT: [&str; 5] = ["sdk/generate", "target", "node_modules", "__pycache__", "README.md"];

fn main() -> io::Result<()> {
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let root = variable("CARGO_MANIFEST_DIR")?.join("..").canonicalize()?;
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        walk(&root, &root.join(folder), &mut files)?;
    }
    files.sort();
    let mut list = String::from(
        "/// Path from the repository's root, and text.\npub static FILES: &[(&str, &str)] = &[\n",
    );
    for file in files {
        let path = root.join(&file);
        let _ = writeln!(list, "    ({:?}, include_str!({:?})),", file.display().to_string(), path);
    }
    list.push_str("];\n");
    fs::write(variable("OUT_DIR")?.join("carried.rs"), list)
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden || LEFT_OUT.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, files)?;
        } else {
            files.push(path.strip_prefix(root).map_err(io::Error::other)?.to_owned());
        }
    }
    Ok(())
}
