//! Runs cargo on a guest package and picks the module it made.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::process::{self, Line};
use super::toolchain::{TARGET, Toolchain};
use super::{BuildError, BuildProgress, Report, workspace};

/// How guests are compiled. A shadow stack of 128 KiB in place of 1 MiB: each fresh instance is the
/// cheaper the fewer pages it has. An overflow still traps, because the stack lies below everything else.
const RUSTFLAGS: &str = "-C link-arg=-zstack-size=131072";

/// The variable that takes them.
const RUSTFLAGS_VARIABLE: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

/// Where cargo keeps what is not the module itself.
const BUILD_DIR_VARIABLE: &str = "CARGO_BUILD_BUILD_DIR";

/// Profile settings for authors who chose none: being small and ready counts for more than a quick build,
/// because a fresh instance answers each webhook. Each with the variable that sets it.
const RELEASE_PROFILE: &[(&str, &str, &str)] = &[
    ("lto", "CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("codegen-units", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
];

/// Lines of cargo's own output that an error keeps.
const OUTPUT_LINES_KEPT: usize = 20;

/// What the compiler says about one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// `error`, `warning`, `note`…
    pub level: String,
    /// In one line.
    pub message: String,
    /// The place, where there is one.
    pub place: Option<DiagnosticPlace>,
    /// As the compiler shows it in a terminal, with the lines of source.
    pub rendered: String,
}

/// A place in the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagnosticPlace {
    /// As the compiler names it: relative to the workspace, or absolute.
    pub file: PathBuf,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// Builds the package in `dir` and gives the path of its wasm module.
///
/// # Errors
/// [`BuildError::NotStarted`], [`BuildError::Cargo`] and [`BuildError::NoModule`].
pub fn build(dir: &Path, toolchain: &Toolchain, report: &mut Report<'_>) -> Result<PathBuf, BuildError> {
    let manifest = dir.join("Cargo.toml");
    let mut cargo = command(dir, &manifest, toolchain);
    let mut seen = Seen::default();
    let status =
        process::run(&mut cargo, &mut |line| seen.hear(line, &manifest, report)).map_err(|cause| {
            BuildError::NotStarted {
                program: "cargo".into(),
                cause,
                hint: "install Rust, or add cargo to PATH",
            }
        })?;
    if !status.success() {
        return Err(BuildError::Cargo {
            package: dir.to_owned(),
            diagnostics: seen.diagnostics,
            output: seen.output.join("\n"),
        });
    }
    seen.module.ok_or(BuildError::NoModule { manifest })
}

fn command(dir: &Path, manifest: &Path, toolchain: &Toolchain) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(dir).args(["build", "--release", "--lib", "--target", TARGET]);
    cargo.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(workspace::target_dir(dir));
    if let Some(shared) = workspace::shared_build_dir(dir)
        && std::env::var_os(BUILD_DIR_VARIABLE).is_none()
    {
        cargo.env(BUILD_DIR_VARIABLE, shared);
    }
    // Colours only where a person looks: the compiler's text also goes to pages and logs.
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none() {
        cargo.args(["--color=always", "--message-format=json-diagnostic-rendered-ansi"]);
    } else {
        cargo.args(["--color=never", "--message-format=json"]);
    }
    // By the target's own variable, so that build scripts and macros, which run here, do not get flags meant for
    // wasm. The author's come last and win. RUSTFLAGS would take the place of these, and mostly holds flags for
    // the author's own machine, so it stays outside.
    let authors = std::env::var(RUSTFLAGS_VARIABLE).unwrap_or_default();
    cargo.env(RUSTFLAGS_VARIABLE, format!("{RUSTFLAGS} {authors}").trim_end());
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    for (key, variable, value) in RELEASE_PROFILE {
        // A variable beats the manifest, so it is set only where the manifest is silent.
        if std::env::var_os(variable).is_none() && !workspace::sets_in_release_profile(dir, key) {
            cargo.env(variable, value);
        }
    }
    toolchain.apply(&mut cargo);
    cargo
}

/// What a run of cargo has said so far.
#[derive(Default)]
struct Seen {
    diagnostics: Vec<Diagnostic>,
    output: Vec<String>,
    module: Option<PathBuf>,
}

impl Seen {
    fn hear(&mut self, line: Line, manifest: &Path, report: &mut Report<'_>) {
        match line {
            Line::Err(text) => {
                if self.output.len() == OUTPUT_LINES_KEPT {
                    self.output.remove(0);
                }
                self.output.push(text.clone());
                report(BuildProgress::Output(text));
            }
            Line::Out(text) => match serde_json::from_str(&text) {
                Ok(RawMessage::CompilerMessage { message }) => {
                    let diagnostic = Diagnostic::from(message);
                    self.diagnostics.push(diagnostic.clone());
                    report(BuildProgress::Diagnostic(diagnostic));
                }
                Ok(RawMessage::CompilerArtifact { manifest_path, target, filenames })
                    if manifest_path == manifest && target.kind.iter().any(|kind| kind == "cdylib") =>
                {
                    self.module =
                        filenames.into_iter().find(|file| file.extension().is_some_and(|e| e == "wasm"));
                }
                // Artifacts of dependencies, messages of build scripts, and what later cargos may add.
                Ok(_) | Err(_) => {}
            },
        }
    }
}

/// A line of cargo's `--message-format=json`.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum RawMessage {
    CompilerMessage {
        message: RawDiagnostic,
    },
    CompilerArtifact {
        manifest_path: PathBuf,
        target: RawTarget,
        filenames: Vec<PathBuf>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct RawTarget {
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct RawDiagnostic {
    level: String,
    message: String,
    rendered: Option<String>,
    spans: Vec<RawSpan>,
}

#[derive(Deserialize)]
struct RawSpan {
    file_name: PathBuf,
    line_start: u32,
    column_start: u32,
    is_primary: bool,
}

impl From<RawDiagnostic> for Diagnostic {
    fn from(raw: RawDiagnostic) -> Self {
        let place = raw.spans.into_iter().find(|span| span.is_primary).map(|span| DiagnosticPlace {
            file: span.file_name,
            line: span.line_start,
            column: span.column_start,
        });
        let rendered = raw.rendered.unwrap_or_else(|| raw.message.clone());
        Self { level: raw.level, message: raw.message, place, rendered }
    }
}

/// One line about a failed run; the whole text was reported while it ran.
pub(super) fn failure(package: &Path, diagnostics: &[Diagnostic], output: &str) -> String {
    let package = package.display();
    // The compiler closes with "aborting due to…", which has no place and says nothing new.
    let mut errors = diagnostics.iter().filter(|d| d.level.starts_with("error") && d.place.is_some());
    let Some(first) = errors.next() else {
        let cause = output.lines().find(|line| line.contains("error")).unwrap_or(output);
        return format!("{package}: cargo failed: {cause}");
    };
    let count = 1 + errors.count();
    let place = first.place.as_ref().map(|p| format!("{}:{}:{}: ", p.file.display(), p.line, p.column));
    let errors = if count == 1 { "error" } else { "errors, the first" };
    format!("{package}: does not compile: {count} {errors}: {}{}", place.unwrap_or_default(), first.message)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Line, Seen, failure};

    #[test]
    fn cargos_messages_are_read() {
        let lines = [
            r#"{"reason":"compiler-artifact","manifest_path":"/dep/Cargo.toml","target":{"kind":["cdylib"]},"filenames":["/dep.wasm"]}"#,
            r#"{"reason":"compiler-artifact","manifest_path":"/h/Cargo.toml","target":{"kind":["custom-build"]},"filenames":["/b.wasm"]}"#,
            r#"{"reason":"compiler-artifact","manifest_path":"/h/Cargo.toml","target":{"kind":["cdylib","rlib"]},"filenames":["/h.rlib","/h.wasm"],"fresh":true}"#,
            r#"{"reason":"compiler-message","message":{"level":"error","message":"mismatched types","rendered":"error: …","spans":[{"file_name":"note.rs","line_start":1,"column_start":1,"is_primary":false},{"file_name":"src/lib.rs","line_start":12,"column_start":5,"is_primary":true}]}}"#,
            r#"{"reason":"compiler-message","message":{"level":"error","message":"aborting","rendered":null,"spans":[]}}"#,
            r#"{"reason":"something-new","x":1}"#,
            "println of a build script",
        ];
        let mut seen = Seen::default();
        let mut reported = Vec::new();
        for line in lines {
            seen.hear(Line::Out(line.into()), Path::new("/h/Cargo.toml"), &mut |p| {
                reported.push(p.to_string())
            });
        }
        assert_eq!(seen.module.unwrap(), Path::new("/h.wasm"));
        assert_eq!(reported, ["error: …", "aborting"]);
        assert_eq!(
            failure(Path::new("/h"), &seen.diagnostics, ""),
            "/h: does not compile: 1 error: src/lib.rs:12:5: mismatched types"
        );
        let output = "    Updating index\nerror: no network\nCaused by: x";
        assert_eq!(failure(Path::new("/h"), &[], output), "/h: cargo failed: error: no network");
    }
}
