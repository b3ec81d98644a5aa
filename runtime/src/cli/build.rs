//! `hookswitch build`: a handler's sources become a component.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;

use crate::build::{self, Shape};

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

/// An error with the file it is about.
fn at(path: &Path, error: &dyn std::error::Error) -> String {
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
