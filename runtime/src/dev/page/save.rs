//! A conversation as a script: what was heard is expected, what was done is done again.
//!
//! See `phone/script/format.md`. What is written is read by the script's own reader before it reaches the disk.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::desk::{About, Done};
use super::item::Happened;
use crate::phone::messages::{Delivery, Written};
use crate::phone::script::{ScriptError, read_text};
use crate::phone::{Act, CallbackOrder, End, Faults, Heard, Leg, Outcome, Question, Until, What};
use crate::twiml::DocumentKind;

/// Where the script is now.
#[derive(Debug, Serialize)]
pub(super) struct Saved {
    /// Its file.
    file: String,
    /// What it says.
    text: String,
}

/// Why it is not saved.
#[derive(Debug, thiserror::Error)]
pub(super) enum SaveError {
    #[error("{0:?} is no name for a file here: expected 1 to 63 of a-z, 0-9 and -")]
    Name(String),
    #[error("{} is there already and is not overwritten; take another name", .0.display())]
    Exists(PathBuf),
    #[error("{} leads out of the handler's folder", .0.display())]
    Outside(PathBuf),
    #[error("{}: {cause}", path.display())]
    Unwritable { path: PathBuf, cause: std::io::Error },
    #[error("this conversation makes no script: {0}")]
    NoScript(#[from] ScriptError),
}

/// Writes `text` into a new file in `calls` of the handler at `handler`.
pub(super) fn save(handler: &Path, file: &str, text: &str) -> Result<Saved, SaveError> {
    let name = !file.is_empty() && file.len() <= 63 && !file.starts_with('-');
    if !name || !file.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return Err(SaveError::Name(file.chars().take(80).collect()));
    }
    let unwritable = |path: &Path, cause| SaveError::Unwritable { path: path.to_owned(), cause };
    let folder = if handler.is_file() { handler.parent().unwrap_or(Path::new(".")) } else { handler };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let folder = folder.canonicalize().map_err(|cause| unwritable(folder, cause))?;
    let calls = folder.join("calls");
    match std::fs::create_dir(&calls) {
        Err(cause) if cause.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(unwritable(&calls, cause));
        }
        _ => {}
    }
    let real = calls.canonicalize().map_err(|cause| unwritable(&calls, cause))?;
    if !real.starts_with(&folder) {
        return Err(SaveError::Outside(calls));
    }
    let path = real.join(format!("{file}.toml"));
    read_text(&path.display().to_string(), text)?;
    // New or nothing: neither a file nor a link of that name is followed.
    let mut out =
        std::fs::OpenOptions::new().write(true).create_new(true).open(&path).map_err(|cause| match cause
            .kind()
        {
            std::io::ErrorKind::AlreadyExists => SaveError::Exists(path.clone()),
            _ => unwritable(&path, cause),
        })?;
    out.write_all(text.as_bytes()).map_err(|cause| unwritable(&path, cause))?;
    Ok(Saved { file: path.display().to_string(), text: text.to_owned() })
}

/// The script of what has happened so far.
pub(super) fn text(about: &About, name: &str) -> String {
    let kept = about.kept();
    let kind = if about.kind == DocumentKind::Voice { "call" } else { "messages" };
    let name = if name.trim().is_empty() { "saved from the phone page" } else { name.trim() };
    let mut out = format!(
        "# Saved from the phone page. Take out what may change without being wrong.\n\n[[{kind}]]\nname = {}\nfrom = {}\nto = {}\n",
        quoted(name),
        quoted(&about.from),
        quoted(&about.to),
    );
    let asked = kept.items.iter().filter_map(|item| item.what.exchange()).filter(|exchange| exchange.steers);
    if let Some(faults) = faults(&about.faults, asked.count()) {
        out.push_str(&format!("faults = {faults}\n"));
    }
    if about.status_callback {
        out.push_str("status_callback = \"status\"\n");
    }
    out.push_str("steps = [\n");
    for item in &kept.items {
        let done = kept.done.iter().find(|(seq, _)| *seq == item.seq).map(|(_, done)| done);
        let step = match (done, &item.what) {
            (Some(Done::Act(question, act)), _) => Some(acted(question.as_ref(), act)),
            (Some(Done::Wrote(written)), _) => Some(wrote(written)),
            (None, Happened::Event { event, .. }) => happened(about, event.leg, &event.what),
            (None, _) => None,
        };
        if let Some(step) = step {
            out.push_str(&format!("  {{ {step} }},\n"));
        }
    }
    out.push_str("]\n");
    out
}

/// What an event is to expect. What the carrier does on its way is not heard: it may change without harm.
fn happened(about: &About, leg: Leg, what: &What) -> Option<String> {
    match what {
        What::Webhook(exchange) => exchange.error.as_ref().map(|code| format!("error = {}", quoted(code))),
        What::Heard(heard) => heard_step(leg, heard),
        // A reply is one to whoever writes; nobody writes in a call.
        What::Message { to, body, by_carrier: false, .. }
            if about.kind == DocumentKind::Voice || *to != about.from =>
        {
            Some(sent(to, body))
        }
        What::Message { body, media, by_carrier, .. } => {
            let mut step = format!("reply = {}", quoted(body));
            if !media.is_empty() {
                // Writing to a String does not fail.
                let _ = write!(step, ", media = {}", media.len());
            }
            if *by_carrier {
                step.push_str(", by = \"carrier\"");
            }
            Some(step)
        }
        What::Placed { to, lead, .. } => Some(format!("placed = {}, lead = {}", quoted(to), quoted(lead))),
        What::Sent { to, body, .. } => Some(sent(to, body)),
        What::Requested { method, url, .. } => {
            let plain = url.split('?').next().unwrap_or(url);
            Some(format!("requested = {}", quoted(&format!("{method} {plain}"))))
        }
        What::Ended { how, .. } => Some(format!("ends = {}", quoted(ended_by(how)))),
        What::Did { .. } | What::Note { .. } | What::Logged { .. } => None,
    }
}

fn sent(to: &str, body: &str) -> String {
    format!("sent = {}, to = {}", quoted(body), quoted(to))
}

fn heard_step(leg: Leg, heard: &Heard) -> Option<String> {
    let mut step = match heard.verb.as_str() {
        "Say" if !heard.text.is_empty() => format!("hear = {}", quoted(&heard.text)),
        // They lead on, and what they lead to is heard.
        "Say" | "Gather" | "Redirect" | "Pause" | "Hangup" | "Leave" | "Prompt" => return None,
        verb if heard.text.is_empty() => format!("verb = {}", quoted(verb)),
        verb => format!("verb = {}, hear = {}", quoted(verb), quoted(&heard.text)),
    };
    if heard.xml.is_empty() && heard.verb != "Say" {
        return None;
    }
    if leg == Leg::Called {
        step.push_str(", leg = \"called\"");
    }
    Some(step)
}

/// As the reader of scripts understands how a call ended.
fn ended_by(how: &str) -> &'static str {
    match how {
        "the document ended" | "the handler hung up" => "handler",
        "the handler rejected the call" => "rejected",
        "the caller hung up" => "caller",
        "the line was busy" | "nobody answered" | "the number could not be reached" => "nobody",
        _ => "carrier",
    }
}

fn acted(question: Option<&Question>, act: &Act) -> String {
    match (question, act) {
        (_, Act::Press { keys, .. }) => format!("press = {}", quoted(keys)),
        (_, Act::Say { text, .. }) => format!("say = {}", quoted(text)),
        (_, Act::Record { seconds, text, end }) => {
            let mut step = format!("record = {seconds}");
            match end {
                End::Key(key) => step.push_str(&format!(", key = \"{key}\"")),
                End::HangUp => step.push_str(", hang_up = true"),
                End::Silence => {}
            }
            if !text.is_empty() {
                step.push_str(&format!(", text = {}", quoted(text)));
            }
            step
        }
        (Some(Question::Queue { .. }), Act::Nothing) => "queue = \"waits\"".to_owned(),
        (_, Act::Nothing) => "silence = true".to_owned(),
        (_, Act::HangUp) => "hang_up = true".to_owned(),
        (Some(Question::Queue { .. }), Act::Comes(outcome)) => match outcome {
            Outcome::Answered { seconds, until, .. } => {
                format!("queue = \"answered\", seconds = {seconds}{}", until_key(*until))
            }
            Outcome::QueueFull => "queue = \"full\"".to_owned(),
            Outcome::Failed { .. } => "queue = \"failed\"".to_owned(),
            Outcome::Busy | Outcome::NoAnswer => "queue = \"waits\"".to_owned(),
        },
        (_, Act::Comes(outcome)) => match outcome {
            Outcome::Answered { seconds, until, machine } => {
                let word = if *machine { "machine" } else { "answered" };
                format!("dial = \"{word}\", seconds = {seconds}{}", until_key(*until))
            }
            Outcome::Busy => "dial = \"busy\"".to_owned(),
            Outcome::NoAnswer | Outcome::QueueFull => "dial = \"no-answer\"".to_owned(),
            Outcome::Failed { sip_code } => format!("dial = \"failed\", sip_code = {sip_code}"),
        },
    }
}

const fn until_key(until: Until) -> &'static str {
    match until {
        Until::Called => "",
        Until::Caller => ", until = \"caller\"",
        Until::Star => ", until = \"star\"",
    }
}

fn wrote(written: &Written) -> String {
    let mut step = format!("write = {}", quoted(&written.body));
    if !written.media.is_empty() {
        let types: Vec<String> = written.media.iter().map(|kind| quoted(kind)).collect();
        step.push_str(&format!(", media = [{}]", types.join(", ")));
    }
    match written.delivery {
        Delivery::Delivered => {}
        Delivery::Undelivered(_) => step.push_str(", delivery = \"undelivered\""),
        Delivery::Failed(_) => step.push_str(", delivery = \"failed\""),
    }
    step
}

/// Those that came, `asked` being the webhooks that asked for a document: one that never comes fails its script.
fn faults(faults: &Faults, asked: usize) -> Option<String> {
    let came = |n: &u32| usize::try_from(*n).is_ok_and(|n| n <= asked);
    let mut all = Vec::new();
    if faults.duplicate {
        all.push("duplicate = true".to_owned());
    }
    if faults.delay_ms > 0 {
        all.push(format!("delay_ms = {}", faults.delay_ms));
    }
    all.extend(faults.timeout_at.filter(came).map(|n| format!("timeout_at = {n}")));
    all.extend(faults.bad_signature_at.filter(came).map(|n| format!("bad_signature_at = {n}")));
    match faults.callbacks {
        CallbackOrder::InOrder => {}
        CallbackOrder::Late => all.push("callbacks = \"late\"".to_owned()),
        CallbackOrder::Reversed => all.push("callbacks = \"reversed\"".to_owned()),
        CallbackOrder::Lost => all.push("callbacks = \"lost\"".to_owned()),
    }
    (!all.is_empty()).then(|| format!("{{ {} }}", all.join(", ")))
}

/// A TOML string on one line: JSON's escapes are TOML's, but for one character that JSON leaves as it is.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "[[call]]\nname = \"x\"\nsteps = [{ hear = \"x\" }]\n";

    #[test]
    fn a_script_is_written_once_and_only_beside_its_handler() {
        let folder = tempfile::tempdir().unwrap();
        let handler = folder.path().join("ivr");
        std::fs::create_dir(&handler).unwrap();
        for name in ["", "../x", "a/b", "-x", "x.toml", "X", "é", &"x".repeat(64)] {
            assert!(matches!(save(&handler, name, SCRIPT), Err(SaveError::Name(_))), "{name}");
        }
        assert!(matches!(save(&handler, "odd", "[[call]]"), Err(SaveError::NoScript(_))));
        let saved = save(&handler, "menu", SCRIPT).unwrap();
        assert!(saved.file.ends_with("ivr/calls/menu.toml"), "{}", saved.file);
        assert!(matches!(save(&handler, "menu", SCRIPT), Err(SaveError::Exists(_))));
        // A component: beside it.
        let component = handler.join("ivr.wasm");
        std::fs::write(&component, "").unwrap();
        assert!(save(&component, "other", SCRIPT).unwrap().file.ends_with("ivr/calls/other.toml"));

        let elsewhere = folder.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        std::os::unix::fs::symlink(elsewhere.join("x"), handler.join("calls/link.toml")).unwrap();
        assert!(matches!(save(&handler, "link", SCRIPT), Err(SaveError::Exists(_))));
        let other = folder.path().join("other");
        std::fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(&elsewhere, other.join("calls")).unwrap();
        assert!(matches!(save(&other, "menu", SCRIPT), Err(SaveError::Outside(_))));
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn any_text_survives_the_script() {
        for text in ["a\"b\\c", "line\nbreak\ttab", "\u{7f}\u{0}\u{1b}", "'''", "é😀"] {
            let written =
                format!("[[call]]\nname = {}\nsteps = [{{ hear = {} }}]\n", quoted(text), quoted(text));
            let read: toml::Value = toml::from_str(&written).unwrap();
            assert_eq!(read["call"][0]["name"].as_str(), Some(text));
        }
    }
}
