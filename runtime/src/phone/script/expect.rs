//! Whether what was expected came true, and how to say it when it did not.

use serde::Serialize;

use super::steps::{Author, EndedBy, Expected, Step, folded, sorted};
use crate::phone::{Act, End, Event, Heard, Outcome, What};
use crate::twiml::Element;

/// Lines of what was heard instead that are shown.
const LINES_MAX: usize = 12;

/// The first thing that did not come true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Of the script file.
    pub line: usize,
    /// What was expected, or what went wrong.
    pub expected: String,
    /// What came instead: one line each.
    pub found: Vec<String>,
    /// What to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Expected {
    /// Whether `heard`, `since_ms` after the last thing done, is this.
    pub(super) fn fits(&self, event: &Event, heard: &Heard, since_ms: u64) -> bool {
        let attribute =
            |name: &str| heard.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        self.leg.is_none_or(|leg| leg == event.leg)
            && self.verb.as_ref().is_none_or(|verb| *verb == heard.verb)
            && self.attributes.iter().all(|(name, value)| attribute(name) == Some(value))
            && self.text.fits(&heard.text)
            && self.within_ms.is_none_or(|most| since_ms <= most)
            && self
                .xml
                .as_ref()
                .is_none_or(|xml| Element::read(&heard.xml).is_ok_and(|found| sorted(&found) == *xml))
    }

    fn shown(&self) -> String {
        let mut parts = Vec::new();
        if let Some(verb) = &self.verb {
            parts.push(format!("<{verb}>"));
        }
        parts.extend(self.attributes.iter().map(|(name, value)| format!("{name}=\"{value}\"")));
        parts.push(self.text.shown());
        if let Some(xml) = &self.xml {
            parts.push(crate::phone::event::xml(xml));
        }
        if let Some(most) = self.within_ms {
            parts.push(format!("within {} s", most as f64 / 1_000.0));
        }
        if let Some(leg) = self.leg {
            parts.push(format!("on the {leg:?} leg").to_lowercase());
        }
        parts.retain(|part| !part.is_empty());
        parts.join(" ")
    }

    /// The one of `heard` that is nearly this, and how it differs.
    pub(super) fn nearest(&self, heard: &[(u64, Event)]) -> Option<String> {
        let wanted = folded(self.text.contains.as_ref()?);
        let words: Vec<&str> = wanted.split(' ').collect();
        let (common, text) = heard
            .iter()
            .filter_map(|(_, event)| match &event.what {
                What::Heard(heard) if !heard.text.is_empty() => {
                    let text = folded(&heard.text);
                    let common =
                        words.iter().filter(|word| text.split(' ').any(|other| other == **word)).count();
                    Some((common, heard.text.clone()))
                }
                _ => None,
            })
            .max_by_key(|(common, _)| *common)?;
        (common * 2 >= words.len() && common > 0).then(|| format!("nearest: \u{201c}{text}\u{201d}"))
    }
}

impl Step {
    /// The step as a sentence of the report: what is expected, or what the script does.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Hear(expected) => format!("hear {}", expected.shown()),
            Self::Error(code) => format!("a webhook that fails with {code}"),
            Self::Ends(by) => format!("the call to be ended by the {}", ended_by(*by)),
            Self::Reply { matcher, media, by } => {
                let media = media.map_or(String::new(), |count| format!(" with {count} media"));
                let by = if *by == Author::Carrier { " by the carrier" } else { "" };
                format!("a reply{by} {}{media}", matcher.shown())
            }
            Self::NoReply => "no reply".into(),
            Self::Gather(act) | Self::Record(act) => act_shown(act),
            Self::Dial { outcome, to } => {
                let to = to.as_ref().map_or(String::new(), |to| format!(" to {to}"));
                format!("the dial{to} to come to: {}", outcome_shown(*outcome))
            }
            Self::Queue(act) => format!("the queue: {}", act_shown(act)),
            Self::Silence => "nothing is pressed or said".into(),
            Self::HangUp => "the caller hangs up".into(),
            Self::Write(written) => format!("write \u{201c}{}\u{201d}", written.body),
            Self::Wait { ms } => format!("{} s pass", ms / 1_000),
        }
    }
}

const fn ended_by(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Handler => "handler",
        EndedBy::Rejected => "handler, which rejects it",
        EndedBy::Caller => "caller",
        EndedBy::Carrier => "carrier",
        EndedBy::Nobody => "fact that it never began",
    }
}

fn act_shown(act: &Act) -> String {
    match act {
        Act::Press { keys, .. } => format!("press {keys}"),
        Act::Say { text, .. } => format!("say \u{201c}{text}\u{201d}"),
        Act::Record { seconds, end, .. } => {
            let end = match end {
                End::Key(key) => format!(", then press {key}"),
                End::Silence => String::new(),
                End::HangUp => ", then hang up".into(),
            };
            format!("leave a message of {seconds} s{end}")
        }
        Act::Nothing => "wait".into(),
        Act::Comes(outcome) => outcome_shown(*outcome).to_owned(),
        Act::HangUp => "hang up".into(),
    }
}

pub(super) const fn outcome_shown(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered { machine: true, .. } => "a machine answers",
        Outcome::Answered { .. } => "answered",
        Outcome::Busy => "busy",
        Outcome::NoAnswer => "no answer",
        Outcome::Failed { .. } => "failed",
        Outcome::QueueFull => "full",
    }
}

/// Things heard, one line each, as a person reads them.
pub(super) fn lines<'e>(events: impl IntoIterator<Item = &'e Event>) -> Vec<String> {
    let mut lines: Vec<String> = events.into_iter().filter_map(line).collect();
    if lines.len() > LINES_MAX {
        let more = lines.len() - LINES_MAX;
        lines.drain(..more);
        lines.insert(0, format!("… {more} more before"));
    }
    lines
}

/// One event as a line; none where it is of no interest to who listens.
pub(super) fn line(event: &Event) -> Option<String> {
    Some(match &event.what {
        What::Heard(heard) => {
            let attributes: String =
                heard.attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
            let text = if heard.text.is_empty() {
                String::new()
            } else {
                format!(" \u{201c}{}\u{201d}", heard.text)
            };
            format!("{:8}{text}{attributes}", heard.verb)
        }
        What::Message { body, media, by_carrier, .. } => {
            let by = if *by_carrier { "the carrier's own" } else { "reply" };
            let media = if media.is_empty() { String::new() } else { format!(" with {} media", media.len()) };
            format!("{by:8} \u{201c}{body}\u{201d}{media}")
        }
        What::Did { text } => format!("         ({text})"),
        What::Note { code, text } => match code {
            Some(code) => format!("note     {code}: {text}"),
            None => format!("note     {text}"),
        },
        What::Ended { how, status } => format!("end      {how} ({status})"),
        What::Webhook(exchange) => {
            let error = exchange.error.as_ref()?;
            format!("failed   {} at the webhook \u{201c}{}\u{201d}", error, exchange.purpose)
        }
    })
}
