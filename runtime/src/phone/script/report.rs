//! What came of playing: for people, for programs, for build servers.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::expect::Failure;
use super::play::Played;
use crate::phone::event::{escaped, printable};

/// The scripts of a handler that were played, or why it could not even be built or loaded.
type Outcome<'a> = Result<&'a [Played], &'a str>;

/// A report for people: each script one line, each failure what was heard against what was expected. `colour`: on a
/// terminal.
#[must_use]
pub fn text(handler: &str, outcome: Outcome<'_>, colour: bool) -> String {
    let paint =
        |code: u8, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut out = format!("{handler}\n");
    if let Err(why) = outcome {
        // Writing to a String does not fail.
        let _ = writeln!(out, "  {} its scripts are not played: {}", paint(31, "ERROR"), first_line(why));
    }
    for one in outcome.unwrap_or_default() {
        let place = format!("{}:{}", short(&one.file), one.line);
        let facts = format!("{place}, {}, {:.1} ms", counted(one.webhooks()), one.took.as_secs_f64() * 1e3);
        let Some(failure) = &one.failure else {
            let _ = writeln!(out, "  {} {}  {}", paint(32, "ok  "), one.name, paint(2, &facts));
            continue;
        };
        let _ = writeln!(out, "  {} {}  {}", paint(31, "FAIL"), one.name, paint(2, &facts));
        let _ = writeln!(
            out,
            "       {}:{}: {}",
            short(&one.file),
            failure.line,
            paint(31, &printable(&failure.expected))
        );
        if failure.found.is_empty() {
            let _ = writeln!(out, "       instead: nothing");
        } else {
            let _ = writeln!(out, "       instead:");
        }
        for line in &failure.found {
            let _ = writeln!(out, "         {}", printable(line));
        }
        for remark in &one.remarks {
            let _ = writeln!(out, "       the host says: {}", printable(remark));
        }
        if let Some(hint) = &failure.hint {
            let _ = writeln!(out, "       {hint}");
        }
    }
    out
}

fn counted(webhooks: usize) -> String {
    format!("{webhooks} webhook{}", if webhooks == 1 { "" } else { "s" })
}

fn first_line(text: &str) -> String {
    printable(text.trim().lines().next().unwrap_or_default())
}

/// The last two parts of a path: `calls/menu.toml`.
fn short(file: &str) -> String {
    let path = Path::new(file);
    let mut parts: Vec<_> =
        path.components().rev().take(2).map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.reverse();
    parts.join("/")
}

/// The same for programs, with everything that happened.
#[must_use]
pub fn json(handler: &str, outcome: Outcome<'_>) -> Value {
    let scripts: Vec<Value> = outcome
        .unwrap_or_default()
        .iter()
        .map(|one| {
            json!({
                "name": one.name,
                "file": one.file,
                "line": one.line,
                "passed": one.failure.is_none(),
                "failure": one.failure,
                "webhooks": one.webhooks(),
                "took_us": u64::try_from(one.took.as_micros()).unwrap_or(u64::MAX),
                "log": one.log,
                "remarks": one.remarks,
                "events": one.events,
            })
        })
        .collect();
    json!({ "handler": handler, "error": outcome.err(), "scripts": scripts })
}

/// One `<testsuite>` of JUnit XML. A handler that could not be played is one test case with an `<error>`, so that whoever
/// reads only this file sees it, too.
#[must_use]
pub fn junit(handler: &str, outcome: Outcome<'_>) -> String {
    let name = attribute(handler);
    let played = match outcome {
        Ok(played) => played,
        Err(why) => {
            return format!(
                "<testsuite name=\"{name}\" tests=\"1\" failures=\"0\" errors=\"1\" time=\"0\">\n  \
                 <testcase classname=\"{name}\" name=\"build and load\" time=\"0\">\n    \
                 <error message=\"{}\">{}</error>\n  </testcase>\n</testsuite>\n",
                attribute(&first_line(why)),
                attribute(why)
            );
        }
    };
    let failures = played.iter().filter(|one| one.failure.is_some()).count();
    let seconds: f64 = played.iter().map(|one| one.took.as_secs_f64()).sum();
    let mut out = format!(
        "<testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" time=\"{seconds:.6}\">\n",
        played.len()
    );
    for one in played {
        let _ = write!(
            out,
            "  <testcase classname=\"{name}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.6}\"",
            attribute(&one.name),
            attribute(&one.file),
            one.line,
            one.took.as_secs_f64()
        );
        match &one.failure {
            None => out.push_str("/>\n"),
            Some(failure) => {
                let _ = write!(
                    out,
                    ">\n    <failure message=\"{}\">{}</failure>\n  </testcase>\n",
                    attribute(&failure.expected),
                    attribute(&whole(one, failure))
                );
            }
        }
    }
    out.push_str("</testsuite>\n");
    out
}

/// All that is said of a script that failed: what was expected where, what came instead, why as far as the host knows, and
/// what to look at.
fn whole(one: &Played, failure: &Failure) -> String {
    let mut said = format!("{}:{}: {}\ninstead:\n", short(&one.file), failure.line, failure.expected);
    let found = if failure.found.is_empty() { "nothing".to_owned() } else { failure.found.join("\n") };
    said.push_str(&found);
    for remark in &one.remarks {
        let _ = write!(said, "\nthe host says: {remark}");
    }
    if let Some(hint) = &failure.hint {
        let _ = write!(said, "\n{hint}");
    }
    said
}

/// Escaped, and without the control characters that XML cannot hold.
fn attribute(text: &str) -> String {
    escaped(&text.replace(|c: char| c.is_control() && c != '\n' && c != '\t', "\u{fffd}"))
}
