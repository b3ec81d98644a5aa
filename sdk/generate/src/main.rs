//! Writes the typed document builder of the SDK from the grammar in `spec/twiml.json`.
//!
//! ```text
//! cargo run -p hookswitch-sdk-generate
//! ```
//!
//! The output is checked in, so that reading and building the SDK needs neither this program nor
//! the data; a test here fails when they differ. What the data leaves open (names, files, a
//! sentence about each element) is decided in `decisions`, and a new element or list without a
//! decision is an error that asks for one. The written text itself is `sdk/src/twiml/*.rs`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod decisions;
mod elements;
mod exercises;
mod grammar;
mod names;
mod source;
mod values;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use grammar::Grammar;
use source::File;

/// What can go wrong here is told to a person at once, and in words.
type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match generate().and_then(|files| source::write(&workspace(), &files)) {
        Ok(changed) => {
            println!("{changed} files changed");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("hookswitch-sdk-generate: {error}");
            ExitCode::FAILURE
        }
    }
}

/// All files, formatted, with their paths from the workspace's root.
fn generate() -> Result<Vec<File>, Error> {
    let path = workspace().join("spec/twiml.json");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let grammar = Grammar::parse(&text)?;
    let mut files = elements::files(&grammar)?;
    files.extend(values::files(&grammar)?);
    files.extend(exercises::files(&grammar)?);
    source::format(files)
}

/// The root of the workspace: two folders above this package.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[cfg(test)]
mod tests {
    use super::{generate, source, workspace};

    #[test]
    fn the_output_is_the_one_checked_in() {
        let files = generate().unwrap();
        let differing = source::differing(&workspace(), &files).unwrap();
        assert!(
            differing.is_empty(),
            "run `cargo run -p hookswitch-sdk-generate`; these differ: {differing:?}"
        );
    }
}
