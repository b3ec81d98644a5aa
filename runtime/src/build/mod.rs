//! From a handler's sources to a component that the host can load.
//!
//! `hookswitch build`, `hookswitch dev` and the tests all come through [`build`], so that what works in one
//! works in the others. A Rust handler is built by cargo as a core module for wasm32-unknown-unknown and then
//! encoded as a component: std on that target imports nothing, and a fresh instance is the cheaper the
//! less its component imports. Other languages bring their own command line, which leaves a component, or a core module that
//! carries the contract's types, which becomes one in the same way.
//!
//! Builds run code of the handler's author (build scripts, macros, the command line): they are for the
//! author's machine, and the host never builds what a tenant uploads.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::handler_toml::{BuildMethod, HandlerSettings, SettingsError};

pub use cache::cache_dir;
pub use cargo::{Diagnostic, DiagnosticPlace};
pub use componentize::{ComponentizeError, Shape, shape};
pub use find::{Found, find};
pub use sources::is_source;
pub use toolchain::ToolchainError;

mod cache;
mod cargo;
mod componentize;
mod debian;
mod find;
mod lean;
mod process;
mod sources;
#[cfg(test)]
mod tests;
mod toolchain;
mod workspace;

/// A handler that is ready to be loaded.
#[derive(Debug, Clone)]
pub struct BuiltHandler {
    /// The component's file.
    pub component: PathBuf,
    /// The handler's settings.
    pub settings: HandlerSettings,
}

/// What a build is doing, as it happens. `Display` is the line to show.
#[derive(Debug, Clone)]
pub enum BuildProgress {
    /// Something of our own: a download, a wait for another build.
    Note(String),
    /// A line that cargo, apt-get or the handler's own build command printed.
    Output(String),
    /// A warning or error of the compiler, as it renders it.
    Diagnostic(Diagnostic),
}

impl fmt::Display for BuildProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note(text) | Self::Output(text) => text,
            Self::Diagnostic(diagnostic) => diagnostic.rendered.trim_end(),
        })
    }
}

/// Who hears about the progress of a build.
pub type Report<'a> = dyn FnMut(BuildProgress) + 'a;

/// Why there is no component. Each text says what to try.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// `handler.toml` is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nothing says how to make a component.
    #[error(
        "{}: nothing to build: expected a Cargo.toml, or a handler.toml with `build` and `component`, or a .wasm file; \
         give the handler's folder as PATH",
        path.display()
    )]
    NothingToBuild {
        /// What was given.
        path: PathBuf,
    },
    /// A program that the build needs could not be started.
    #[error("`{program}` could not be started ({cause}); {hint}")]
    NotStarted {
        /// Its name.
        program: String,
        /// Why.
        cause: std::io::Error,
        /// What to try.
        hint: &'static str,
    },
    /// There is no compiler for guests.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// cargo failed.
    #[error("{}", cargo::failure(package, diagnostics, output))]
    Cargo {
        /// The manifest's folder.
        package: PathBuf,
        /// What the compiler said, warnings included; empty if it did not come that far.
        diagnostics: Vec<Diagnostic>,
        /// The last lines that cargo itself printed.
        output: String,
    },
    /// The package makes no module.
    #[error(
        "{}: cargo made no wasm module: a handler is a library with `[lib] crate-type = [\"cdylib\"]` in its Cargo.toml",
        manifest.display()
    )]
    NoModule {
        /// The package's manifest.
        manifest: PathBuf,
    },
    /// The handler's own build command failed.
    #[error("build command `{line}` failed ({status}); its output is above")]
    Command {
        /// The command line.
        line: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The module cannot become a component, or the file is none.
    #[error("{}: {cause}", path.display())]
    Component {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: ComponentizeError,
    },
    /// A file could not be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

/// Makes the component of the handler at `path`: a folder with its sources and `handler.toml`, or a `.wasm`
/// file, which is taken as it is. Blocks for as long as the compiler takes; when nothing has changed
/// since the last time, that is what cargo needs to see so; a command line is always run.
///
/// # Errors
/// [`BuildError`], whose text says what to try.
pub fn build(path: &Path, report: &mut Report<'_>) -> Result<BuiltHandler, BuildError> {
    build_as(path, &Run::Always, report)
}

/// As [`build`], except that a command line is not run where the component is newer than the handler's sources. Its settings
/// are among these, unless the line is known to be the one that made it: `made_by`.
///
/// # Errors
/// As [`build`].
pub fn build_if_changed(
    path: &Path,
    made_by: Option<&BuildMethod>,
    report: &mut Report<'_>,
) -> Result<BuiltHandler, BuildError> {
    build_as(path, &Run::IfChanged { made_by }, report)
}

/// When a command line is run.
enum Run<'a> {
    Always,
    IfChanged { made_by: Option<&'a BuildMethod> },
}

impl Run<'_> {
    fn is_due(&self, settings: &HandlerSettings, component: &Path) -> bool {
        match self {
            Self::Always => true,
            Self::IfChanged { made_by } => {
                !sources::is_fresh(settings, *made_by == Some(&settings.build), component)
            }
        }
    }
}

fn build_as(path: &Path, run: &Run<'_>, report: &mut Report<'_>) -> Result<BuiltHandler, BuildError> {
    let settings = HandlerSettings::load(path)?;
    let component = place_of_component(path, &settings)?;
    match &settings.build {
        _ if path.is_file() => check_component(&component)?,
        BuildMethod::Cargo => {
            let dir = folder(&settings);
            let toolchain = toolchain::Toolchain::find(dir, report)?;
            let module = cargo::build(dir, &toolchain, report)?;
            encode(&module, &component)?;
        }
        BuildMethod::Command { line, .. } => {
            let began = std::time::SystemTime::now();
            let is_due = run.is_due(&settings, &component);
            if is_due {
                run_command(line, folder(&settings), report)?;
            }
            // Also where nothing was run: what the last run left may not have become a component.
            encode_in_place(&component)?;
            if is_due {
                // Whoever may not set times builds once too often.
                let _dated = sources::made_from(&component, began);
            }
        }
        BuildMethod::Ready { .. } => check_component(&component)?,
    }
    Ok(BuiltHandler { component, settings })
}

/// Where [`build`] leaves the component of the handler at `path`: for cargo in
/// `target/hookswitch/NAME.wasm` of its workspace, otherwise where `handler.toml` says. Builds nothing.
///
/// # Errors
/// [`BuildError::Settings`] and [`BuildError::NothingToBuild`].
pub fn component_path(path: &Path) -> Result<PathBuf, BuildError> {
    place_of_component(path, &HandlerSettings::load(path)?)
}

fn place_of_component(path: &Path, settings: &HandlerSettings) -> Result<PathBuf, BuildError> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    match &settings.build {
        BuildMethod::Cargo => {
            Ok(workspace::target_dir(folder(settings)).join(format!("{}.wasm", settings.name)))
        }
        BuildMethod::Command { component, .. } => Ok(component.clone()),
        BuildMethod::Ready { component: Some(component) } => Ok(component.clone()),
        BuildMethod::Ready { component: None } => Err(BuildError::NothingToBuild { path: path.to_owned() }),
    }
}

/// The handler's folder. Its settings name a file in it, whether that exists or not.
fn folder(settings: &HandlerSettings) -> &Path {
    settings.file.parent().unwrap_or(Path::new("."))
}

/// Encodes `module` and leaves the result at `component`, untouched where it is the same already: whoever
/// watches that file need not look again.
fn encode(module: &Path, component: &Path) -> Result<(), BuildError> {
    let io = |path: &Path, cause| BuildError::Io { path: path.to_owned(), cause };
    let bytes = std::fs::read(module).map_err(|cause| io(module, cause))?;
    let encoded = componentize::componentize(&bytes)
        .map_err(|cause| BuildError::Component { path: module.to_owned(), cause })?;
    if std::fs::read(component).is_ok_and(|old| old == *encoded) {
        return Ok(());
    }
    // Written complete and renamed, so that a host that loads it now never sees a half. The process id
    // keeps two builds of one handler apart; the dot says that it is no source, to whoever watches them.
    let name = component.file_name().unwrap_or_default().to_string_lossy();
    let partial = component.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    std::fs::write(&partial, &encoded)
        .and_then(|()| std::fs::rename(&partial, component))
        .map_err(|cause| io(component, cause))
}

/// Makes a component of the core module at `path`; a component stays as it is.
fn encode_in_place(path: &Path) -> Result<(), BuildError> {
    match check_component(path) {
        Err(BuildError::Component { cause: ComponentizeError::CoreModule, .. }) => encode(path, path),
        other => other,
    }
}

fn run_command(line: &str, dir: &Path, report: &mut Report<'_>) -> Result<(), BuildError> {
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(line).current_dir(dir);
    let status = process::run(&mut shell, &mut |line| report(BuildProgress::Output(line.into_text())))
        .map_err(|cause| BuildError::NotStarted {
            program: "sh".into(),
            cause,
            hint: "build command lines are run by `sh -c`",
        })?;
    if status.success() { Ok(()) } else { Err(BuildError::Command { line: line.to_owned(), status }) }
}

/// A first look at a file that was made elsewhere, for a message nearer to the cause than the loader's.
fn check_component(path: &Path) -> Result<(), BuildError> {
    let mut head = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(8).read_to_end(&mut head))
        .map_err(|cause| BuildError::Io { path: path.to_owned(), cause })?;
    componentize::check_head(&head).map_err(|cause| BuildError::Component { path: path.to_owned(), cause })
}
