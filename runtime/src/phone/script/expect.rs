//! Whether what was expected came true, and how to say it when it did not.

use serde::Serialize;

use super::read::Script;
use super::steps::{Answered, Author, EndedBy, Expected, Kept, Requested, Step, Stored, folded, sorted};
use crate::outbound::world::CameTo;
use crate::phone::{Act, End, Event, Exchange, Heard, Outcome, What};
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

impl Failure {
    /// Of a script as a whole.
    pub(super) fn of(script: &Script, expected: String) -> Self {
        Self { line: script.line, expected, found: Vec::new(), hint: None }
    }

    /// The carrier would have to ask somebody who is not there. What `failed` besides may follow from it or not: it is told as
    /// it is.
    pub(super) fn unreached(script: &Script, asked: &str, failed: Option<Self>) -> Self {
        let unreached =
            format!("the carrier would ask {asked}, which a script can't reach; add an entry to `http`");
        let entry = format!(
            "{{ request = \"{asked}\", headers = {{ content-type = \"text/xml\" }}, body = \"<Response/>\" }}"
        );
        let Some(failed) = failed else {
            return Self { hint: Some(entry), ..Self::of(script, unreached) };
        };
        let own = failed.hint.map_or(String::new(), |hint| format!("{hint}\n       "));
        Self { hint: Some(format!("{own}{unreached}\n         {entry}")), ..failed }
    }
}

impl Script {
    /// What of `never` this says, letter case and white space aside.
    pub(super) fn forbidden_in(&self, event: &Event) -> Option<&str> {
        let said = match &event.what {
            What::Heard(heard) => &heard.text,
            What::Message { body, .. } | What::Sent { body, .. } => body,
            _ => return None,
        };
        let said = folded(said);
        self.never.iter().find(|text| said.contains(&folded(text))).map(String::as_str)
    }
}

impl Exchange {
    /// What is to be said where it took longer than `most_ms`, and what came instead.
    pub(super) fn slower_than(&self, most_ms: u64) -> Option<(String, Vec<String>)> {
        let (took_ms, purpose) = (self.took_us / 1_000, &self.purpose);
        let answer = self.status.map_or("no answer".to_owned(), |status| format!("the answer {status}"));
        (took_ms > most_ms).then(|| {
            let said = format!(
                "the webhook \u{201c}{purpose}\u{201d} took {took_ms} ms, expected at most {most_ms} ms"
            );
            (said, vec![format!("{answer} after {took_ms} ms")])
        })
    }
}

impl Expected {
    /// Whether `heard`, `since_ms` after the last thing done, is this.
    pub(super) fn fits(&self, event: &Event, heard: &Heard, since_ms: u64) -> bool {
        self.fits_some_time(event, heard) && self.within_ms.is_none_or(|most| since_ms <= most)
    }

    /// Whether it is this but for the time at which it comes.
    fn fits_some_time(&self, event: &Event, heard: &Heard) -> bool {
        let attribute =
            |name: &str| heard.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        self.leg.is_none_or(|leg| leg == event.leg)
            && self.verb.as_ref().is_none_or(|verb| *verb == heard.verb)
            && self.attributes.iter().all(|(name, value)| attribute(name) == Some(value))
            && self.text.fits(&heard.text)
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
        let late = heard.iter().find_map(|(since_ms, event)| match &event.what {
            What::Heard(heard) if self.fits_some_time(event, heard) => Some((since_ms, heard)),
            _ => None,
        });
        if let (Some((since_ms, late)), Some(most)) = (late, self.within_ms) {
            let what = if late.text.is_empty() { &late.verb } else { &late.text };
            return Some(format!(
                "too late: {} came {} s after the last thing done, expected within {} s",
                quoted(what),
                *since_ms as f64 / 1_000.0,
                most as f64 / 1_000.0
            ));
        }
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

impl Answered {
    fn shown(&self) -> String {
        let mut parts = vec![format!("an answer {}", self.status), self.body.shown()];
        parts.extend(self.header.iter().map(|(name, value)| format!("{name}: {value}")));
        parts.retain(|part| !part.is_empty());
        parts.join(" with ")
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
            Self::Placed { to, lead } => {
                let lead = lead.as_ref().map_or(String::new(), |lead| format!(" that leads to {lead}"));
                format!("have a call placed to {to}{lead}")
            }
            Self::Sent { matcher, to } => {
                let to = to.as_ref().map_or(String::new(), |to| format!(" to {to}"));
                format!("have a message sent{to} {}", matcher.shown())
            }
            Self::Requested(Requested { request, body, times }) => {
                let times = times.map_or(String::new(), |times| format!(", {times} in all"));
                let parts = [format!("have {request} requested"), body.shown()];
                let parts: Vec<&str> =
                    parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
                parts.join(" with ") + &times
            }
            Self::Stored(Stored { key, is }) => match is {
                Kept::Nothing => format!("have nothing stored under {key:?}"),
                Kept::Something(matcher) => {
                    format!("have {key:?} stored {}", matcher.shown()).trim_end().to_owned()
                }
            },
            Self::Answered(answered) => answered.shown(),
            Self::Web(asked) => format!("a web request: {} {}", asked.method, asked.path),
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
            Self::Fire { schedule, at } => {
                let at = at.map_or(String::new(), |at| format!(" for {at}"));
                format!("the schedule {schedule} to be run{at}")
            }
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

const fn outbox(later: bool) -> &'static str {
    if later { "by the outbox: " } else { "" }
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
        What::Message { to, body, media, by_carrier, .. } => {
            let by = if *by_carrier { "the carrier's own" } else { "reply" };
            let media = if media.is_empty() { String::new() } else { format!(" with {} media", media.len()) };
            format!("{by:8} \u{201c}{body}\u{201d}{media} to {to}")
        }
        What::Placed { to, from, lead, later, .. } => {
            format!("placed   {}a call to {to} from {from}, which leads to {lead}", outbox(*later))
        }
        What::Sent { to, from, body, media, later, .. } => {
            let media = if media.is_empty() { String::new() } else { format!(" with {} media", media.len()) };
            format!("sent     {}\u{201c}{body}\u{201d}{media} to {to} from {from}", outbox(*later))
        }
        What::Requested { method, url, body, came_to } => {
            let body = if body.is_empty() { String::new() } else { format!(" with {}", quoted(body)) };
            format!("request  {method} {url}{body}: {}", came(*came_to))
        }
        What::Did { text } => format!("         ({text})"),
        What::Logged { text, .. } => format!("log      {text}"),
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

/// As much of a body as a report shows, in characters.
const SHOWN_CHARS: usize = 300;

/// The beginning of `text` on one line, between quotation marks.
pub(super) fn quoted(text: &str) -> String {
    let text = &text.replace('\n', "\\n");
    match text.char_indices().nth(SHOWN_CHARS) {
        None => format!("\u{201c}{text}\u{201d}"),
        Some((end, _)) => format!("\u{201c}{}\u{2026}\u{201d}", text.get(..end).unwrap_or(text)),
    }
}

fn came(to: CameTo) -> String {
    match to {
        CameTo::Status(status) => status.to_string(),
        CameTo::Timeout => "no answer in time".into(),
        CameTo::Refused => "connection refused".into(),
        CameTo::Denied => "denied".into(),
        CameTo::Unanswered => "no rule of `http` answers it".into(),
    }
}

/// What is wrong with the requests of a whole conversation: there is one that nothing answers, or not as many as a step
/// counts.
pub(super) fn requests(script: &Script, events: &[Event], failure: Option<Failure>) -> Option<Failure> {
    let unanswered = events.iter().find_map(|event| match &event.what {
        What::Requested { method, url, came_to: CameTo::Unanswered, .. } => {
            Some((method, url.split('?').next().unwrap_or(url)))
        }
        _ => None,
    });
    let requested = || lines(events.iter().filter(|event| matches!(event.what, What::Requested { .. })));
    if let Some((method, url)) = unanswered {
        let hint = format!(
            "what {method} {url} is answered is not said; add to `http` of the script\n         {{ request = \"{method} {url}\", status = 200, body = \"\u{2026}\" }}"
        );
        return Some(match failure {
            Some(failure) => Failure { hint: failure.hint.or(Some(hint)), ..failure },
            None => Failure {
                line: script.line,
                expected: format!("a request has no answer: {method} {url}"),
                found: requested(),
                hint: Some(hint),
            },
        });
    }
    failure.or_else(|| {
        script.steps.iter().find_map(|placed| {
            let Step::Requested(Requested { times: Some(times), .. }) = &placed.step else { return None };
            let found = events.iter().filter(|event| placed.step.is_done_by(event)).count();
            (found != *times).then(|| Failure {
                line: placed.line,
                expected: format!("expected to {}, and it is {found} times", placed.step.shown()),
                found: requested(),
                hint: None,
            })
        })
    })
}

/// A fault that was asked for and never came: the script would prove nothing.
pub(super) fn faults(script: &Script, events: &[Event]) -> Option<Failure> {
    let asks = |event: &&Event| matches!(&event.what, What::Webhook(exchange) if exchange.steers);
    let asked = events.iter().filter(asks).count();
    let (timeout, signature) = (script.faults.timeout_at, script.faults.bad_signature_at);
    let (key, at) = [("timeout_at", timeout), ("bad_signature_at", signature)]
        .into_iter()
        .filter_map(|(key, at)| at.map(|at| (key, at)))
        .find(|(_, at)| usize::try_from(*at).is_ok_and(|at| at > asked))?;
    let webhooks = if asked == 1 { "webhook that asks" } else { "webhooks that ask" };
    Some(Failure::of(
        script,
        format!("`{key} = {at}` never came: the conversation had {asked} {webhooks} for a document"),
    ))
}
