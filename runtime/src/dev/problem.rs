//! Why a build failed, as the board has it: the text that a terminal shows, and the places in the sources.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::board::{Place, Problem};
use crate::build::{BuildError, Diagnostic};
use crate::handler_toml::SettingsError;

/// `output` is what a build command printed last.
pub(super) fn of_build(folder: &Path, error: &BuildError, output: &[String]) -> Problem {
    // Links in the path would make two names of one file.
    let folder = &folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    match error {
        BuildError::Cargo { diagnostics, .. } => {
            let errors: Vec<&Diagnostic> =
                diagnostics.iter().filter(|diagnostic| diagnostic.level.starts_with("error")).collect();
            let places = errors.iter().filter_map(|diagnostic| of_compiler(folder, diagnostic)).collect();
            let rendered = errors.iter().map(|diagnostic| format!("\n\n{}", diagnostic.rendered.trim_end()));
            Problem { text: plain(&format!("{error}{}", rendered.collect::<String>())), places }
        }
        BuildError::Command { .. } => {
            let places = output.iter().filter_map(|line| of_output(folder, &plain(line))).collect();
            Problem { text: plain(&format!("{error}\n\n{}", output.join("\n"))), places }
        }
        BuildError::Settings(SettingsError::Invalid { file, line: Some(line), problem }) => {
            let place = Place {
                file: within(folder, file),
                line: u32::try_from(*line).unwrap_or(u32::MAX),
                column: 1,
                message: problem.clone(),
            };
            Problem { text: error.to_string(), places: vec![place] }
        }
        _ => Problem { text: error.to_string(), places: Vec::new() },
    }
}

fn of_compiler(folder: &Path, diagnostic: &Diagnostic) -> Option<Place> {
    let place = diagnostic.place.as_ref()?;
    // The compiler names files from the workspace's folder, which is this one or one above.
    let file = folder.ancestors().map(|above| above.join(&place.file)).find(|path| path.is_file());
    Some(Place {
        file: within(folder, file.as_deref().unwrap_or(&place.file)),
        line: place.line,
        column: place.column,
        message: diagnostic.message.clone(),
    })
}

/// A line of a tool's such as `src/app.js:3:5: error: …` or `  File "app.py", line 3`, where it names a file of the handler's.
fn of_output(folder: &Path, line: &str) -> Option<Place> {
    static PLACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"([^\s:"'(]+\.\w+)(?::(\d+)(?::(\d+))?|", line (\d+))"#).expect("a pattern of ours")
    });
    let found = PLACE.captures(line)?;
    let number = |group: usize| found.get(group).and_then(|digits| digits.as_str().parse::<u32>().ok());
    let file = folder.join(found.get(1)?.as_str());
    // A name that a tool prints may be anything; what is shown as a place is a file there.
    file.is_file().then(|| Place {
        file: within(folder, &file),
        line: number(2).or_else(|| number(4)).unwrap_or(1),
        column: number(3).unwrap_or(1),
        message: line.trim().to_owned(),
    })
}

fn within(folder: &Path, file: &Path) -> String {
    let file: PathBuf = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    file.strip_prefix(folder).unwrap_or(&file).display().to_string()
}

/// Without the colours that compilers write for terminals.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::DiagnosticPlace;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("handlers/ivr/src")).unwrap();
        for file in ["handlers/ivr/src/lib.rs", "handlers/ivr/src/app.js", "handlers/ivr/app.py"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        folder
    }

    #[test]
    fn compile_errors_are_places_in_the_handlers_folder() {
        let folder = folder();
        let handler = folder.path().join("handlers/ivr");
        let diagnostic = |level: &str, file: &str| Diagnostic {
            level: level.into(),
            message: "mismatched types".into(),
            place: Some(DiagnosticPlace { file: file.into(), line: 12, column: 5 }),
            rendered: "\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: mismatched types".into(),
        };
        for file in ["src/lib.rs", "ivr/src/lib.rs", "handlers/ivr/src/lib.rs"] {
            let error = BuildError::Cargo {
                package: handler.clone(),
                diagnostics: vec![diagnostic("warning", file), diagnostic("error", file)],
                output: String::new(),
            };
            let problem = of_build(&handler, &error, &[]);
            let place =
                Place { file: "src/lib.rs".into(), line: 12, column: 5, message: "mismatched types".into() };
            assert_eq!(problem.places, [place], "{file}");
            assert!(problem.text.ends_with("error: mismatched types"), "{:?}", problem.text);
        }
    }

    #[test]
    fn what_other_languages_tools_print_is_read_where_it_names_a_file_of_the_handler() {
        let folder = folder();
        let handler = folder.path().join("handlers/ivr").canonicalize().unwrap();
        for (line, expected) in [
            ("    src/app.js:3:5:", Some(("src/app.js", 3, 5))),
            ("src/app.js:7: SyntaxError: Unexpected token", Some(("src/app.js", 7, 1))),
            ("  File \"app.py\", line 9", Some(("app.py", 9, 1))),
            ("node_modules/x.js:1:1: warning", None),
            ("started at 12:30:01", None),
        ] {
            let place = of_output(&handler, line).map(|place| (place.file, place.line, place.column));
            let expected =
                expected.map(|(file, line, column): (&str, u32, u32)| (file.to_owned(), line, column));
            assert_eq!(place, expected, "{line}");
        }
    }
}
