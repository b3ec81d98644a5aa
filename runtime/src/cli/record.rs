//! `hookswitch tenant record`: whether calls of a tenant are kept, and which part of them.

use clap::Args;

use super::remote::output::{bytes, counted, fields, printable};
use super::remote::{Console, HostArgs, RemoteError, Session};
use crate::call::{InvalidName, TenantId};
use crate::control::model::RecordingView;
use crate::recording::{Numbers, RecordingSettings, Redaction};

/// Keep a tenant's calls, so that new revisions can be tried on them; without a flag, show what is kept
///
/// Off until it is switched on. Numbers of callers become other numbers, names, texts and speech are masked, unless the flags
/// say otherwise; only then anything is written, encrypted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch tenant record acme --on\n  \
    hookswitch tenant record acme --texts keep --digits mask --calls 5000\n  hookswitch tenant record acme --off --forget\n\n\
    `hookswitch replay` plays what is kept.")]
pub struct RecordArgs {
    /// Its name
    #[arg(value_name = "TENANT", value_parser = tenant_id)]
    id: TenantId,
    /// Keep calls from now on
    #[arg(long, conflicts_with = "off")]
    on: bool,
    /// Keep no further calls
    #[arg(long)]
    off: bool,
    /// Forget all that is kept
    #[arg(long)]
    forget: bool,
    /// Numbers and addresses of callers
    #[arg(long, value_name = "pseudonym|keep", value_parser = numbers, help_heading = "Redaction")]
    numbers: Option<Numbers>,
    /// Names and places of callers
    #[arg(long, value_name = "mask|keep", value_parser = redaction, help_heading = "Redaction")]
    names: Option<Redaction>,
    /// Bodies of messages and what was said
    #[arg(long, value_name = "mask|keep", value_parser = redaction, help_heading = "Redaction")]
    texts: Option<Redaction>,
    /// Keys that were pressed; mask them where they may be card numbers
    #[arg(long, value_name = "mask|keep", value_parser = redaction, help_heading = "Redaction")]
    digits: Option<Redaction>,
    /// Calls and conversations that are kept; the oldest go first
    #[arg(long, value_name = "N", help_heading = "Bounds")]
    calls: Option<u32>,
    /// For how long one is kept, in hours
    #[arg(long, value_name = "N", help_heading = "Bounds")]
    hours: Option<u32>,
    /// What all of them may take on the host's disk, in MiB
    #[arg(long, value_name = "N", help_heading = "Bounds")]
    mib: Option<u32>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    host: HostArgs,
}

fn tenant_id(text: &str) -> Result<TenantId, InvalidName> {
    TenantId::new(text)
}

fn numbers(text: &str) -> Result<Numbers, String> {
    match text {
        "pseudonym" => Ok(Numbers::Pseudonym),
        "keep" => Ok(Numbers::Keep),
        _ => Err("expected pseudonym or keep".to_owned()),
    }
}

fn redaction(text: &str) -> Result<Redaction, String> {
    match text {
        "mask" => Ok(Redaction::Mask),
        "keep" => Ok(Redaction::Keep),
        _ => Err("expected mask or keep".to_owned()),
    }
}

impl RecordArgs {
    /// Does what the command line says.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let client = session.connect(&self.host)?;
        let path = ["tenants", self.id.as_str(), "recording"];
        // Rules are set whole: what is left out shall stay as it is there, not as it is by default.
        let mut view: RecordingView = client.get(&path).await?;
        let settings = self.changed(view.settings);
        if settings != view.settings || self.on || self.off {
            view = client.put(&path, &settings).await?;
        }
        if self.forget {
            client.delete(&path).await?;
            view = client.get(&path).await?;
        }
        print(session.console, &self.id, &view, self.json)
    }

    fn changed(&self, now: RecordingSettings) -> RecordingSettings {
        RecordingSettings {
            on: (now.on || self.on) && !self.off,
            numbers: self.numbers.unwrap_or(now.numbers),
            names: self.names.unwrap_or(now.names),
            texts: self.texts.unwrap_or(now.texts),
            digits: self.digits.unwrap_or(now.digits),
            calls_max: self.calls.unwrap_or(now.calls_max),
            hours_max: self.hours.unwrap_or(now.hours_max),
            mib_max: self.mib.unwrap_or(now.mib_max),
        }
    }
}

fn print(console: &Console, id: &TenantId, view: &RecordingView, json: bool) -> Result<(), RemoteError> {
    if json {
        return console.json(view);
    }
    let RecordingSettings { on, numbers, names, texts, digits, calls_max, hours_max, mib_max } =
        view.settings;
    let mask = |redaction| match redaction {
        Redaction::Keep => "kept",
        Redaction::Mask => "masked",
    };
    let numbers = match numbers {
        Numbers::Keep => "kept",
        Numbers::Pseudonym => "as pseudonyms, but for its own",
    };
    let oldest = view.oldest_at.as_ref().map(|at| console.moment(at)).unwrap_or_default();
    let rows = [
        ("recording", if on { "on" } else { "off" }.to_owned()),
        ("numbers", numbers.to_owned()),
        ("names", mask(names).to_owned()),
        ("texts", mask(texts).to_owned()),
        ("digits", mask(digits).to_owned()),
        (
            "kept",
            format!("{} of {calls_max}, {}", counted(view.calls, "call"), counted(view.webhooks, "webhook")),
        ),
        ("on disk", format!("{} of {mib_max} MiB", bytes(view.bytes))),
        ("oldest", oldest),
        ("kept for", counted(hours_max.into(), "hour")),
        (
            "lost",
            if view.dropped > 0 {
                format!("{} of all tenants", counted(view.dropped, "webhook"))
            } else {
                String::new()
            },
        ),
    ];
    console.print(format_args!("{}\n{}", printable(id.as_str()), fields(&rows)));
    Ok(())
}
