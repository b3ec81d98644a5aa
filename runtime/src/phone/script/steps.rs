//! A step: what was written, and the one thing that it means.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;

use super::read::Kind;
use crate::phone::messages::{Delivery, Written};
use crate::phone::{Act, End, Leg, Outcome, Until, event};
use crate::twiml::Element;

/// Every key that a step may have.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStep {
    hear: Option<String>,
    matches: Option<String>,
    verb: Option<String>,
    attributes: BTreeMap<String, String>,
    xml: Option<String>,
    leg: Option<Leg>,
    within_s: Option<f64>,
    error: Option<String>,
    ends: Option<EndedBy>,
    reply: Option<String>,
    no_reply: Option<bool>,
    by: Option<Author>,

    press: Option<String>,
    say: Option<String>,
    record: Option<u64>,
    dial: Option<RawDial>,
    queue: Option<RawQueue>,
    silence: Option<bool>,
    hang_up: Option<bool>,
    write: Option<String>,
    wait_s: Option<u64>,

    after_s: Option<f64>,
    confidence: Option<f32>,
    key: Option<char>,
    text: Option<String>,
    seconds: Option<u64>,
    until: Option<RawUntil>,
    sip_code: Option<u16>,
    to: Option<String>,
    media: Option<Media>,
    delivery: Option<RawDelivery>,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Media {
    Types(Vec<String>),
    Count(usize),
}

#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum EndedBy {
    Handler,
    Rejected,
    Caller,
    Carrier,
    Nobody,
}

#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Author {
    Handler,
    Carrier,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum RawDial {
    Answered,
    Machine,
    Busy,
    NoAnswer,
    Failed,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum RawQueue {
    Answered,
    Waits,
    Full,
    Failed,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum RawUntil {
    Called,
    Caller,
    Star,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum RawDelivery {
    Delivered,
    Undelivered,
    Failed,
}

/// What a step means.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Hear(Box<Expected>),
    Error(String),
    Ends(EndedBy),
    Reply { matcher: TextMatch, media: Option<usize>, by: Author },
    NoReply,
    Gather(Act),
    Record(Act),
    Dial { outcome: Outcome, to: Option<String> },
    Queue(Act),
    Silence,
    HangUp,
    Write(Written),
    Wait { ms: u64 },
}

/// What has to be true of something heard.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) text: TextMatch,
    pub(super) verb: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) xml: Option<Element>,
    pub(super) leg: Option<Leg>,
    pub(super) within_ms: Option<u64>,
}

/// What has to be true of a text.
#[derive(Debug, Clone, Default)]
pub(super) struct TextMatch {
    pub(super) contains: Option<String>,
    pub(super) matches: Option<Regex>,
}

/// Letter case and runs of white space count for nothing.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl TextMatch {
    fn new(contains: Option<String>, matches: Option<&str>) -> Result<Self, String> {
        let matches = matches.map(Regex::new).transpose().map_err(|error| format!("`matches`: {error}"))?;
        Ok(Self { contains, matches })
    }

    pub(super) fn fits(&self, text: &str) -> bool {
        self.contains.as_ref().is_none_or(|wanted| folded(text).contains(&folded(wanted)))
            && self.matches.as_ref().is_none_or(|pattern| pattern.is_match(text))
    }

    pub(super) fn shown(&self) -> String {
        match (&self.contains, &self.matches) {
            (None, None) => String::new(),
            (Some(text), None) => format!("\u{201c}{text}\u{201d}"),
            (None, Some(pattern)) => format!("/{pattern}/"),
            (Some(text), Some(pattern)) => format!("\u{201c}{text}\u{201d} and /{pattern}/"),
        }
    }
}

impl Step {
    /// Which of its keys says what it does, and whether the others belong to it.
    pub(super) fn check(raw: RawStep, kind: Kind) -> Result<Self, String> {
        let hears = raw.hear.is_some()
            || raw.verb.is_some()
            || !raw.attributes.is_empty()
            || raw.xml.is_some()
            || (raw.matches.is_some() && raw.reply.is_none() && kind == Kind::Call);
        let replies = raw.reply.is_some() || (raw.matches.is_some() && kind == Kind::Messages);
        let leads = [
            ("hear", hears),
            ("reply", replies),
            ("error", raw.error.is_some()),
            ("ends", raw.ends.is_some()),
            ("no_reply", raw.no_reply.is_some()),
            ("press", raw.press.is_some()),
            ("say", raw.say.is_some()),
            ("record", raw.record.is_some()),
            ("dial", raw.dial.is_some()),
            ("queue", raw.queue.is_some()),
            ("silence", raw.silence.is_some()),
            ("hang_up", raw.hang_up.is_some() && raw.record.is_none()),
            ("write", raw.write.is_some()),
            ("wait_s", raw.wait_s.is_some()),
        ];
        let mut given = leads.iter().filter(|(_, given)| *given).map(|(name, _)| *name);
        let lead = match (given.next(), given.next()) {
            (Some(lead), None) => lead,
            (Some(one), Some(other)) => {
                return Err(format!(
                    "a step is one thing, and this has `{one}` and `{other}`; make it two steps"
                ));
            }
            (None, _) => {
                return Err("a step that says nothing to do or to expect; the format knows hear, press, say, record, dial, …".into());
            }
        };
        if let Some(key) = raw.stray(lead) {
            return Err(format!("`{key}` does not belong to a step with `{lead}`"));
        }
        let only_messages = matches!(lead, "reply" | "no_reply" | "write" | "wait_s");
        if lead != "error" && only_messages != (kind == Kind::Messages) {
            let place = if only_messages { "[[messages]]" } else { "[[call]]" };
            return Err(format!("`{lead}` is a step of {place}"));
        }
        for (name, value) in [("silence", raw.silence), ("hang_up", raw.hang_up), ("no_reply", raw.no_reply)]
        {
            if value == Some(false) {
                return Err(format!("`{name} = false` says nothing; leave it out"));
            }
        }
        raw.meaning(lead)
    }
}

impl RawStep {
    /// A key beside `lead` that means nothing there.
    fn stray(&self, lead: &str) -> Option<&'static str> {
        let keys: [(&'static str, bool, &[&str]); 14] = [
            ("leg", self.leg.is_some(), &["hear"]),
            ("within_s", self.within_s.is_some(), &["hear"]),
            ("by", self.by.is_some(), &["reply"]),
            ("after_s", self.after_s.is_some(), &["press", "say"]),
            ("confidence", self.confidence.is_some(), &["say"]),
            ("key", self.key.is_some(), &["record"]),
            ("text", self.text.is_some(), &["record"]),
            ("seconds", self.seconds.is_some(), &["dial", "queue"]),
            ("until", self.until.is_some(), &["dial", "queue"]),
            ("sip_code", self.sip_code.is_some(), &["dial"]),
            ("to", self.to.is_some(), &["dial"]),
            ("media", self.media.is_some(), &["write", "reply"]),
            ("delivery", self.delivery.is_some(), &["write"]),
            ("hang_up", self.hang_up.is_some(), &["record", "hang_up"]),
        ];
        keys.into_iter().find(|(_, given, fits)| *given && !fits.contains(&lead)).map(|(key, ..)| key)
    }

    fn meaning(self, lead: &str) -> Result<Step, String> {
        let after_ms = self.after_s.map_or(Ok(1_000), |s| milliseconds("after_s", s))?;
        let seconds = self.seconds.unwrap_or(20);
        let until = match self.until {
            None | Some(RawUntil::Called) => Until::Called,
            Some(RawUntil::Caller) => Until::Caller,
            Some(RawUntil::Star) => Until::Star,
        };
        let answered = |machine| Outcome::Answered { seconds, until, machine };
        Ok(match lead {
            "hear" => Step::Hear(Box::new(Expected {
                text: TextMatch::new(self.hear, self.matches.as_deref())?,
                verb: self.verb,
                attributes: self.attributes,
                xml: self.xml.as_deref().map(plain_xml).transpose()?,
                leg: self.leg,
                within_ms: self.within_s.map(|s| milliseconds("within_s", s)).transpose()?,
            })),
            "reply" => {
                let media = match self.media {
                    None => None,
                    Some(Media::Count(count)) => Some(count),
                    Some(Media::Types(_)) => return Err("`media` of a reply is a number".into()),
                };
                let matcher = TextMatch::new(self.reply, self.matches.as_deref())?;
                Step::Reply { matcher, media, by: self.by.unwrap_or(Author::Handler) }
            }
            "no_reply" => Step::NoReply,
            "error" => Step::Error(self.error.unwrap_or_default()),
            "ends" => self.ends.map(Step::Ends).ok_or("`ends` is empty")?,
            "press" => {
                let keys = self.press.unwrap_or_default();
                if keys.is_empty() || !keys.chars().all(|c| c.is_ascii_digit() || "*#wW".contains(c)) {
                    return Err(format!("`press` is {keys:?}, expected some of 0-9, *, # and w"));
                }
                Step::Gather(Act::Press { keys, after_ms })
            }
            "say" => {
                let text = self.say.unwrap_or_default();
                Step::Gather(Act::Say { text, confidence: self.confidence.unwrap_or(0.9), after_ms })
            }
            "record" => {
                let end = match (self.key, self.hang_up) {
                    (Some(_), Some(_)) => {
                        return Err("a recording ends by `key` or by `hang_up`, not both".into());
                    }
                    (Some(key), None) => End::Key(key),
                    (None, Some(_)) => End::HangUp,
                    (None, None) => End::Silence,
                };
                let seconds = self.record.unwrap_or_default();
                Step::Record(Act::Record { seconds, text: self.text.unwrap_or_default(), end })
            }
            "dial" => {
                let outcome = match self.dial.ok_or("`dial` is empty")? {
                    RawDial::Answered => answered(false),
                    RawDial::Machine => answered(true),
                    RawDial::Busy => Outcome::Busy,
                    RawDial::NoAnswer => Outcome::NoAnswer,
                    RawDial::Failed => Outcome::Failed { sip_code: self.sip_code.unwrap_or(404) },
                };
                Step::Dial { outcome, to: self.to }
            }
            "queue" => Step::Queue(match self.queue.ok_or("`queue` is empty")? {
                RawQueue::Answered => Act::Comes(answered(false)),
                RawQueue::Waits => Act::Nothing,
                RawQueue::Full => Act::Comes(Outcome::QueueFull),
                RawQueue::Failed => Act::Comes(Outcome::Failed { sip_code: 500 }),
            }),
            "silence" => Step::Silence,
            "hang_up" => Step::HangUp,
            "write" => {
                let media = match self.media {
                    None => Vec::new(),
                    Some(Media::Types(types)) => types,
                    Some(Media::Count(_)) => {
                        return Err("`media` of a message lists content types: [\"image/jpeg\"]".into());
                    }
                };
                let delivery = match self.delivery {
                    None | Some(RawDelivery::Delivered) => Delivery::Delivered,
                    Some(RawDelivery::Undelivered) => Delivery::Undelivered(30003),
                    Some(RawDelivery::Failed) => Delivery::Failed(30008),
                };
                Step::Write(Written { body: self.write.unwrap_or_default(), media, delivery })
            }
            _ => Step::Wait { ms: self.wait_s.unwrap_or_default().saturating_mul(1_000) },
        })
    }
}

fn milliseconds(name: &str, seconds: f64) -> Result<u64, String> {
    if (0.0..=86_400.0).contains(&seconds) {
        // In range, so nothing is cut off but fractions of a millisecond.
        Ok((seconds * 1_000.0) as u64)
    } else {
        Err(format!("`{name}` is {seconds}, expected 0 to 86400"))
    }
}

/// An element as it is compared: links plain, attributes sorted.
fn plain_xml(text: &str) -> Result<Element, String> {
    let element = Element::read(text.trim()).map_err(|error| format!("`xml`: {error}"))?;
    Ok(sorted(&event::plain(&element)))
}

/// With attributes in the order of their names, all the way down.
pub(super) fn sorted(element: &Element) -> Element {
    let mut sorted_one = element.clone();
    sorted_one.line = 0;
    sorted_one.attributes.sort();
    for child in &mut sorted_one.children {
        if let crate::twiml::Node::Element(inner) = child {
            *inner = sorted(inner);
        }
    }
    sorted_one
}
