//! `hookswitch replay`: what kept calls would hear from another revision.
//!
//! Also prints what a deploy was stopped for, which is the same report.

use std::fmt::Write as _;

use clap::Args;

use super::deploy::handler_name;
use super::remote::output::{Paint, counted, printable};
use super::remote::{Console, RemoteCommand, RemoteError, Repeat, Session, TenantArgs};
use crate::call::HandlerName;
use crate::control::model::Replay;
use crate::recording::replay::{DifferenceGroup, DifferenceKind, ReplayReport};

/// Play kept calls against a revision and show what would be heard that was not
///
/// The host runs the revision's code on the webhooks of recorded calls, beside the calls that are going on; nobody hears it.
/// `hookswitch tenant record` switches recording on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch replay front-desk --revision 7 --tenant acme\n  \
    hookswitch replay front-desk --revision 7 --calls 500 --json\n\n\
    Exit code: 0 all calls sound the same, 1 something differs or could not be played, 2 usage.")]
pub struct ReplayArgs {
    /// The handler
    #[arg(value_parser = handler_name)]
    handler: HandlerName,
    /// The revision to try
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    revision: u32,
    /// How many kept calls, the newest first
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    calls: u32,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: TenantArgs,
}

impl RemoteCommand for ReplayArgs {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let (client, console) = (session.connect_for_tenant(&self.remote)?, session.console);
        let tenant = client.tenant().await?;
        let path = ["tenants", tenant.as_str(), "handlers", self.handler.as_str(), "replay"];
        let asked = Replay { revision: self.revision, calls: self.calls };
        let report: ReplayReport = client.release(Repeat::Safe, &path, &asked).await?;
        if self.json {
            console.json(&report)?;
        } else {
            console.print(text(console, &report));
        }
        if report.passes(&[]) { Ok(()) } else { Err(RemoteError::Differs(report.summary())) }
    }
}

/// A kind of difference on the command line.
pub(super) fn kind(name: &str) -> Result<DifferenceKind, String> {
    DifferenceKind::named(name).ok_or_else(|| {
        let all: Vec<_> = DifferenceKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("expected one of {}", all.join(", "))
    })
}

/// Prints what a deploy was stopped for, where it was stopped by kept calls.
pub(super) fn tell_why(console: &Console, error: &RemoteError, json: bool) -> Result<(), RemoteError> {
    let RemoteError::Refused { problem, .. } = error else { return Ok(()) };
    let Some(report) = &problem.replay else { return Ok(()) };
    if json {
        return console.json(problem);
    }
    console.print(text(console, report));
    Ok(())
}

/// The report for people.
pub(super) fn text(console: &Console, report: &ReplayReport) -> String {
    let name = printable(&format!("{}/{}", report.tenant, report.handler));
    let revision =
        report.revision.map_or_else(|| "the new revision".to_owned(), |number| format!("revision {number}"));
    let paint = if report.passes(&[]) { Paint::Good } else { Paint::Warn };
    let mut out = format!("{name} on {revision}: {}\n", console.paint(paint, &report.summary()));
    for (count, what) in [
        (
            report.followed_in_part,
            "followed only in part: from some step on the recording says nothing about this revision",
        ),
        (
            report.not_compared,
            "left out, because the host and not the handler had failed when it was recorded",
        ),
        (
            report.unstable,
            "compared with what the recorded revision answers today, because it does not repeat itself",
        ),
    ] {
        if count > 0 {
            let unit = if count == report.followed_in_part && what.starts_with("followed") {
                "call"
            } else {
                "webhook"
            };
            // Writing to a String does not fail.
            let _ =
                writeln!(out, "  {}", console.paint(Paint::Dim, &format!("{} {what}", counted(count, unit))));
        }
    }
    for group in &report.groups {
        one(console, group, &mut out);
    }
    if report.more > 0 {
        let _ = writeln!(out, "\n  and {} more", counted(report.more, "difference"));
    }
    out
}

fn one(console: &Console, group: &DifferenceGroup, out: &mut String) {
    let at = if group.at.is_empty() { String::new() } else { format!(" {}", group.at) };
    let headline = format!("{}  {}{at}", group.kind, group.webhook);
    let facts = format!(
        "{} in {}, such as {}",
        counted(group.count, "time"),
        counted(group.calls, "call"),
        group.example
    );
    let bad = matches!(group.kind, DifferenceKind::Fails | DifferenceKind::Unreached);
    let paint = if bad { Paint::Bad } else { Paint::Warn };
    let _ = writeln!(
        out,
        "\n  {}  {}",
        console.paint(paint, &printable(&headline)),
        console.paint(Paint::Dim, &printable(&facts))
    );
    for (sign, line) in [("-", &group.old), ("+", &group.new)] {
        if !line.is_empty() {
            let _ = writeln!(out, "    {sign} {}", printable(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_shows_each_group_with_both_lines() {
        let console =
            Console::new(std::io::sink(), std::io::sink(), || "2026-05-04T12:00:00Z".parse().unwrap());
        let group = |kind, at: &str, old: &str, new: &str| DifferenceGroup {
            kind,
            webhook: "voice/menu".into(),
            at: at.into(),
            count: 3,
            calls: 2,
            example: "CA1".into(),
            old: old.into(),
            new: new.into(),
        };
        let report = ReplayReport {
            tenant: "acme".into(),
            handler: "ivr".into(),
            revision: Some(7),
            calls: 10,
            webhooks: 40,
            same_calls: 8,
            different_calls: 2,
            followed_in_part: 1,
            groups: vec![
                group(DifferenceKind::Fails, "", "<Response/>", "HS202: it trapped"),
                group(DifferenceKind::VerbAdded, "Pause", "", "<Pause\u{1b}/>"),
            ],
            ..ReplayReport::default()
        };
        assert_eq!(
            text(&console, &report),
            "acme/ivr on revision 7: 2 of 10 kept calls differ, 3 × fails, 3 × verb-added\n  \
             1 call followed only in part: from some step on the recording says nothing about this revision\n\n  \
             fails  voice/menu  3 times in 2 calls, such as CA1\n    - <Response/>\n    + HS202: it trapped\n\n  \
             verb-added  voice/menu Pause  3 times in 2 calls, such as CA1\n    + <Pause\\u{1b}/>\n"
        );
    }

    #[test]
    fn every_kind_is_named_as_it_is_shown() {
        for named in DifferenceKind::ALL {
            assert_eq!(kind(named.as_str()), Ok(named));
            assert_eq!(serde_json::to_value(named).unwrap(), named.as_str());
        }
        assert!(kind("words").unwrap_err().contains("verb-added"));
    }
}
