//! A step as it is written, and how it comes to mean one thing.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::http::{RawForm, asked};
use super::moment::RawMoment;
use super::read::Kind;
use super::steps::{Answered, Author, EndedBy, Expected, Kept, Requested, Step, Stored, TextMatch, sorted};
use crate::phone::messages::{Delivery, Written, media_type};
use crate::phone::{Act, End, Leg, MEDIA_MAX, Outcome, Until, event};
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
    placed: Option<String>,
    sent: Option<String>,
    requested: Option<String>,
    stored: Option<String>,
    answered: Option<u16>,
    lead: Option<String>,
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
    fire: Option<String>,
    web: Option<String>,

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
    form: Option<RawForm>,
    body: Option<String>,
    headers: BTreeMap<String, String>,
    header: BTreeMap<String, String>,
    times: Option<usize>,
    value: Option<String>,
    absent: Option<bool>,
    at: Option<RawMoment>,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Media {
    Types(Vec<String>),
    Count(usize),
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

impl Step {
    /// Which of its keys says what it does, and whether the others belong to it.
    pub(super) fn check(raw: RawStep, kind: Kind) -> Result<Self, String> {
        // They say what more has to be true of what one of these expects.
        let has_lead = raw.answered.is_some() || raw.requested.is_some() || raw.stored.is_some();
        let matches = raw.matches.is_some() && !has_lead;
        let hears = (raw.hear.is_some() && raw.answered.is_none())
            || raw.verb.is_some()
            || !raw.attributes.is_empty()
            || raw.xml.is_some()
            || (matches && raw.reply.is_none() && kind == Kind::Call);
        let replies = raw.reply.is_some() || (matches && kind != Kind::Call);
        let leads = [
            ("hear", hears),
            ("reply", replies),
            ("error", raw.error.is_some()),
            ("ends", raw.ends.is_some()),
            ("no_reply", raw.no_reply.is_some()),
            ("placed", raw.placed.is_some()),
            ("sent", raw.sent.is_some()),
            ("requested", raw.requested.is_some()),
            ("stored", raw.stored.is_some()),
            ("answered", raw.answered.is_some()),
            ("press", raw.press.is_some()),
            ("say", raw.say.is_some()),
            ("record", raw.record.is_some()),
            ("dial", raw.dial.is_some()),
            ("queue", raw.queue.is_some()),
            ("silence", raw.silence.is_some()),
            ("hang_up", raw.hang_up.is_some() && raw.record.is_none()),
            ("write", raw.write.is_some()),
            ("wait_s", raw.wait_s.is_some()),
            ("fire", raw.fire.is_some()),
            ("web", raw.web.is_some()),
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
        let places: &[Kind] = match lead {
            "error" | "placed" | "sent" | "requested" | "stored" => &[Kind::Call, Kind::Messages, Kind::Web],
            "reply" | "no_reply" | "write" => &[Kind::Messages],
            "web" | "answered" | "wait_s" | "fire" => &[Kind::Messages, Kind::Web],
            _ => &[Kind::Call],
        };
        if !places.contains(&kind) {
            let places: Vec<&str> = places.iter().map(|place| place.written()).collect();
            let hint = if lead == "hear" && kind == Kind::Web {
                "; what a page says stands in the step with `answered`"
            } else {
                ""
            };
            return Err(format!("`{lead}` is a step of {}{hint}", places.join(" and ")));
        }
        let flags = [
            ("silence", raw.silence),
            ("hang_up", raw.hang_up),
            ("no_reply", raw.no_reply),
            ("absent", raw.absent),
        ];
        for (name, value) in flags {
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
        let keys: [(&'static str, bool, &[&str]); 24] = [
            ("lead", self.lead.is_some(), &["placed"]),
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
            ("to", self.to.is_some(), &["dial", "sent"]),
            ("matches", self.matches.is_some(), &["hear", "reply", "answered", "requested", "stored"]),
            ("form", self.form.is_some(), &["web"]),
            ("body", self.body.is_some(), &["web", "requested"]),
            ("headers", !self.headers.is_empty(), &["web"]),
            ("header", !self.header.is_empty(), &["answered"]),
            ("times", self.times.is_some(), &["requested"]),
            ("value", self.value.is_some(), &["stored"]),
            ("absent", self.absent.is_some(), &["stored"]),
            ("at", self.at.is_some(), &["fire"]),
            ("media", self.media.is_some(), &["write", "reply"]),
            ("delivery", self.delivery.is_some(), &["write"]),
            ("hang_up", self.hang_up.is_some(), &["record", "hang_up"]),
        ];
        keys.into_iter().find(|(_, given, fits)| *given && !fits.contains(&lead)).map(|(key, ..)| key)
    }

    /// That no value is one that could never be, or means nothing beside the others.
    fn means_something(&self) -> Result<(), String> {
        if let Some(confidence) = self.confidence.filter(|sure| !(0.0..=1.0).contains(sure)) {
            return Err(format!("`confidence` is {confidence}, expected 0 to 1"));
        }
        if let Some(code) = self.sip_code.filter(|code| !(400..700).contains(code)) {
            return Err(format!("`sip_code` is {code}, expected 400 to 699"));
        }
        if self.sip_code.is_some() && !matches!(self.dial, Some(RawDial::Failed)) {
            return Err("`sip_code` says how a dial failed; it belongs to `dial = \"failed\"`".into());
        }
        if let Some(key) = self.key.filter(|key| !key.is_ascii_digit() && !"*#".contains(*key)) {
            return Err(format!("`key` is {key:?}, expected one of 0-9, * and #"));
        }
        if let Some(status) = self.answered.filter(|status| !(100..600).contains(status)) {
            return Err(format!("`answered` is {status}, expected 100 to 599"));
        }
        let talks = match (self.dial, self.queue) {
            (Some(dial), _) => matches!(dial, RawDial::Answered | RawDial::Machine),
            (None, Some(queue)) => queue == RawQueue::Answered,
            (None, None) => true,
        };
        for (name, given) in [("seconds", self.seconds.is_some()), ("until", self.until.is_some())] {
            if given && !talks {
                return Err(format!("`{name}` is about a conversation, and nobody answers here"));
            }
        }
        if let Some(Media::Types(types)) = &self.media {
            if types.len() > MEDIA_MAX {
                return Err(format!("`media` lists {}, and a message has at most {MEDIA_MAX}", types.len()));
            }
            for found in types {
                media_type(found).map_err(|expected| format!("`media` has {found:?}, {expected}"))?;
            }
        }
        Ok(())
    }

    fn meaning(self, lead: &str) -> Result<Step, String> {
        let after_ms = self.after_s.map(|s| milliseconds("after_s", s)).transpose()?;
        let seconds = self.seconds.unwrap_or(20);
        let until = match self.until {
            None | Some(RawUntil::Called) => Until::Called,
            Some(RawUntil::Caller) => Until::Caller,
            Some(RawUntil::Star) => Until::Star,
        };
        let answered = |machine| Outcome::Answered { seconds, until, machine };
        self.means_something()?;
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
            "placed" => Step::Placed { to: self.placed.unwrap_or_default(), lead: self.lead },
            "sent" => Step::Sent { matcher: TextMatch::new(self.sent, None)?, to: self.to },
            "requested" => Step::Requested(Requested {
                request: self
                    .requested
                    .unwrap_or_default()
                    .parse()
                    .map_err(|why| format!("`requested`: {why}"))?,
                body: TextMatch::new(self.body, self.matches.as_deref())?,
                times: self.times,
            }),
            "stored" => {
                let is = match (self.absent, self.value.is_some() || self.matches.is_some()) {
                    (Some(_), true) => return Err("a key is `absent` or has a `value`, not both".into()),
                    (Some(_), false) => Kept::Nothing,
                    (None, _) => Kept::Something(TextMatch::new(self.value, self.matches.as_deref())?),
                };
                Step::Stored(Stored { key: self.stored.unwrap_or_default(), is })
            }
            "answered" => Step::Answered(Box::new(Answered {
                status: self.answered.unwrap_or_default(),
                body: TextMatch::new(self.hear, self.matches.as_deref())?,
                header: self.header,
            })),
            "web" => {
                let web = self.web.unwrap_or_default();
                Step::Web(Box::new(asked(&web, self.form, self.body, &self.headers)?))
            }
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
            "fire" => Step::Fire {
                schedule: self.fire.unwrap_or_default(),
                at: self.at.map(|at| at.check()).transpose()?,
            },
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
