//! `hookswitch backup`: one file from which a host can answer again, made while it serves; and what is not in it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{failed, failed_because};
use crate::registry::{self, BackupReport};

const EXAMPLE: &str = "Example:
  $ hookswitch backup /var/backups/hookswitch.tar --data /var/lib/hookswitch
  /var/backups/hookswitch.tar: the registry, its keys, the handlers' stores and 12 components, 3.4 MB

The file holds every secret of the host: keep it as safe as the data folder. To restore it, on this machine or another:
  $ mkdir -m 700 DIR && tar -xf FILE -C DIR
  $ hookswitch serve --data DIR
Use an empty folder. Handlers are compiled again when they are first needed.

What is under way is not in it, because a restored host would do again what was done since:
  outbox.db      messages and calls to be placed later that handlers have handed over, and what was sent
  sessions.db    what handlers remember of calls in progress: these begin without it
  schedules.db   which runs there were: schedules go on with their next moment
  recordings.db  kept calls

Exit code: 0 done, 1 there is no backup, or a component that it needs is missing or damaged, 2 wrong usage.";

/// What people have to know before they need it.
const LEFT_OUT: &str = "not in it: messages and calls to be placed later, sessions of calls in progress, runs of schedules, kept calls";

/// The same by the names of the files.
const LEFT_OUT_FILES: [&str; 4] = ["outbox.db", "sessions.db", "schedules.db", "recordings.db"];

/// Write one file with all that a host needs to start again, while it serves
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub struct BackupArgs {
    /// The file to write; one that is there is replaced when the new one is complete
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder that the host serves from
    #[arg(long, value_name = "DIR", default_value = "hookswitch-data")]
    data: PathBuf,
    /// Print what is in it as JSON
    #[arg(long)]
    json: bool,
}

impl BackupArgs {
    /// Makes the backup and says what is in it.
    #[must_use]
    pub fn run(&self) -> ExitCode {
        let report = match registry::backup(&self.data, &self.file) {
            Ok(report) => report,
            Err(error) => return failed(&error),
        };
        println!("{}", if self.json { self.as_json(&report) } else { self.as_text(&report) });
        match (report.missing.as_slice(), report.damaged.as_slice()) {
            ([], []) => ExitCode::SUCCESS,
            (missing, damaged) => {
                let named = |what: &str, digests: &[_]| {
                    digests.iter().map(|digest| format!("\n  {what}: {digest}")).collect::<String>()
                };
                failed_because(format!(
                    "the backup is written, but components of it can't be used; deploy their revisions again:{}{}",
                    named("missing", missing),
                    named("damaged", damaged)
                ))
            }
        }
    }

    fn as_text(&self, report: &BackupReport) -> String {
        format!(
            "{}: the registry, its keys, the handlers' stores and {} component{}, {}.{} MB\n{LEFT_OUT}",
            self.file.display(),
            report.components,
            if report.components == 1 { "" } else { "s" },
            report.bytes / 1_000_000,
            report.bytes / 100_000 % 10
        )
    }

    fn as_json(&self, report: &BackupReport) -> String {
        serde_json::json!({
            "file": self.file.display().to_string(),
            "bytes": report.bytes,
            "components": report.components,
            "missing": report.missing,
            "damaged": report.damaged,
            "left_out": LEFT_OUT_FILES,
        })
        .to_string()
    }
}
