//! Files of Rust: their heading, their format, and whether the folder has them already.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;

/// The first line of every file made here; a file with it that is no longer made is removed.
const MARK: &str =
    "// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.";

/// The folders whose files may be ours.
const FOLDERS: [&str; 5] =
    ["sdk/src/twiml", "sdk/src/twiml/voice", "sdk/src/twiml/ssml", "sdk/src/twiml/values", "sdk/tests"];

pub struct File {
    /// From the workspace's root.
    pub path: String,
    pub text: String,
}

impl File {
    /// A file whose module header is `about`, one line each.
    pub fn new(path: &str, about: &[&str], body: &str) -> Self {
        let mut text = format!("{MARK}\n\n");
        for line in about {
            text.push_str(format!("//! {line}").trim_end());
            text.push('\n');
        }
        text.push('\n');
        text.push_str(body);
        Self { path: path.to_owned(), text }
    }
}

/// Doc comment lines of at most 100 columns.
pub fn doc(indent: &str, text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.split('\n') {
        let mut line = format!("{indent}///");
        for word in paragraph.split(' ') {
            if line.chars().count() + 1 + word.chars().count() > 100 {
                out.push_str(&line);
                out.push('\n');
                line = format!("{indent}///");
            }
            line.push(' ');
            line.push_str(word);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Runs the toolchain's `rustfmt` over each file.
pub fn format(files: Vec<File>) -> Result<Vec<File>, Error> {
    files
        .into_iter()
        .map(|file| {
            let text = rustfmt(&file.text).map_err(|error| format!("{}: {error}", file.path))?;
            Ok(File { text, ..file })
        })
        .collect()
}

fn rustfmt(text: &str) -> Result<String, Error> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--quiet"])
        .current_dir(crate::workspace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("rustfmt does not start ({error}); it comes with the toolchain"))?;
    // The pipe closes at the end of this statement, which is what rustfmt waits for.
    child.stdin.take().ok_or("rustfmt has no input")?.write_all(text.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err("rustfmt refuses the text".into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Writes what differs, removes what is no longer made, and says how many files that were.
pub fn write(root: &Path, files: &[File]) -> Result<usize, Error> {
    let differing = differing(root, files)?;
    for path in &differing {
        let target = root.join(path);
        match files.iter().find(|file| Path::new(&file.path) == path) {
            Some(file) => {
                if let Some(folder) = target.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                std::fs::write(&target, &file.text)?;
            }
            None => std::fs::remove_file(&target)?,
        }
    }
    Ok(differing.len())
}

/// The files that are missing, differ or are left from an earlier run, from the workspace's root.
pub fn differing(root: &Path, files: &[File]) -> Result<Vec<PathBuf>, Error> {
    let mut differing = Vec::new();
    for file in files {
        let there = std::fs::read_to_string(root.join(&file.path)).unwrap_or_default();
        if there != file.text {
            differing.push(PathBuf::from(&file.path));
        }
    }
    for folder in FOLDERS {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries {
            let name = entry?.file_name();
            let path = Path::new(folder).join(name);
            let is_made = files.iter().any(|file| Path::new(&file.path) == path);
            let is_ours = std::fs::read_to_string(root.join(&path)).is_ok_and(|text| text.starts_with(MARK));
            if is_ours && !is_made {
                differing.push(path);
            }
        }
    }
    Ok(differing)
}
