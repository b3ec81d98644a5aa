//! `hookswitch build`: a handler's sources become a component.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;

use crate::build::{self, Shape};
use crate::sandbox::{Events, Interface as _, Messaging, Voice, Web};

/// Build a handler into a component
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hookswitch build guest-examples/front-desk\n\n\
    A Rust handler needs the standard library for wasm32-unknown-unknown (`rustup target add wasm32-unknown-unknown`).\n\
    Where it is missing, Debian's compiler is fetched into HOOKSWITCH_CACHE or ~/.cache/hookswitch.")]
pub struct BuildArgs {
    /// The handler's folder, or a .wasm file to look at.
    #[arg(default_value = ".")]
    path: PathBuf,

    /// Also copy the component to FILE.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the command. Progress and errors go to standard error, the result to standard output.
pub fn run(args: &BuildArgs) -> ExitCode {
    match build(args) {
        Ok(summary) if args.json => {
            println!("{}", summary.json());
            ExitCode::SUCCESS
        }
        Ok(summary) => {
            print!("{}", summary.text());
            ExitCode::SUCCESS
        }
        Err(error) => super::failed(&*error),
    }
}

/// What was built.
struct Summary {
    handler: String,
    component: PathBuf,
    bytes: usize,
    shape: Shape,
    took: Duration,
}

fn build(args: &BuildArgs) -> Result<Summary, Box<dyn std::error::Error>> {
    let began = Instant::now();
    let built = build::build(&args.path, &mut |progress| eprintln!("{progress}"))?;
    let bytes = std::fs::read(&built.component).map_err(|error| at(&built.component, &error))?;
    let shape = build::shape(&bytes).map_err(|error| at(&built.component, &error))?;
    check_exports(&shape).map_err(|why| at(&built.component, &why))?;
    if let Some(output) = &args.output {
        std::fs::write(output, &bytes).map_err(|error| at(output, &error))?;
    }
    Ok(Summary {
        handler: built.settings.name.to_string(),
        component: args.output.clone().unwrap_or(built.component),
        bytes: bytes.len(),
        shape,
        took: began.elapsed(),
    })
}

/// Refuses what no webhook could ever reach. Loading would, too; but it is the build whose author can still look at the sources.
fn check_exports(shape: &Shape) -> Result<(), String> {
    let called = [Voice::NAME, Messaging::NAME, Events::NAME, Web::NAME];
    let called = called.map(unversioned);
    // Of the versions, loading says more.
    if shape.exports.iter().any(|export| called.contains(&unversioned(export))) {
        return Ok(());
    }
    let found = match shape.exports.as_slice() {
        [] => String::new(),
        found => format!(" (it exports {})", found.join(", ")),
    };
    Err(format!(
        "it exports none of voice, messaging, events, web{found}; put #[voice] above a function (JavaScript: export one that \
         is called `voice`)"
    ))
}

/// The name of an interface without its version.
fn unversioned(interface: &str) -> &str {
    interface.split('@').next().unwrap_or(interface)
}

/// An error with the file it is about.
fn at(path: &Path, error: &dyn Display) -> String {
    format!("{}: {error}", path.display())
}

impl Summary {
    fn text(&self) -> String {
        let list = |names: &[String]| {
            if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
        };
        format!(
            "{}: {} ({:.1} kB, {:.1} s)\n  exports {}\n  imports {}\n",
            self.handler,
            self.component.display(),
            self.bytes as f64 / 1e3,
            self.took.as_secs_f64(),
            list(&self.shape.exports),
            list(&self.shape.imports),
        )
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "handler": self.handler,
            "component": self.component,
            "bytes": self.bytes,
            "exports": self.shape.exports,
            "imports": self.shape.imports,
            "ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_that_no_webhook_reaches_is_refused() {
        for (exports, refused) in [
            (vec!["hookswitch:handler/voice@0.1.0"], None),
            (vec!["x:y/z", Web::NAME], None),
            (vec![], Some("put #[voice] above a function")),
            (vec!["wasi:cli/run@0.2.0"], Some("(it exports wasi:cli/run@0.2.0)")),
        ] {
            let exports = exports.into_iter().map(str::to_owned).collect();
            let outcome = check_exports(&Shape { exports, imports: Vec::new() });
            match refused {
                None => assert_eq!(outcome, Ok(())),
                Some(part) => assert!(outcome.clone().unwrap_err().contains(part), "{outcome:?}"),
            }
        }
    }
}
