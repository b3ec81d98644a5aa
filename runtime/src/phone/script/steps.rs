//! A step: the one thing that it means.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method};
use regex::Regex;
use serde::Deserialize;

use super::moment::Moment;
use crate::outbound::world::Pattern;
use crate::phone::messages::Written;
use crate::phone::{Act, Event, Leg, Outcome, What};
use crate::twiml::Element;

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

/// What a step means.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Hear(Box<Expected>),
    Error(String),
    Ends(EndedBy),
    Reply { matcher: TextMatch, media: Option<usize>, by: Author },
    NoReply,
    Placed { to: String, lead: Option<String> },
    Sent { matcher: TextMatch, to: Option<String> },
    Requested(Requested),
    Stored(Stored),
    Answered(Box<Answered>),
    Gather(Act),
    Record(Act),
    Dial { outcome: Outcome, to: Option<String> },
    Queue(Act),
    Silence,
    HangUp,
    Write(Written),
    Wait { ms: u64 },
    Fire { schedule: String, at: Option<Moment> },
    Web(Box<WebAsked>),
}

/// What has to be true of a request that the handler has sent.
#[derive(Debug, Clone)]
pub(super) struct Requested {
    pub(super) request: Pattern,
    pub(super) body: TextMatch,
    /// How many of it there are in the whole conversation; none: one or more.
    pub(super) times: Option<usize>,
}

/// What has to be true of a key in the handler's store.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) key: String,
    pub(super) is: Kept,
}

/// What is under a key.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    Nothing,
    Something(TextMatch),
}

/// What has to be true of the answer to a web request.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: TextMatch,
    /// Header fields and what each contains.
    pub(super) header: BTreeMap<String, String>,
}

/// A web request that somebody makes.
#[derive(Debug, Clone)]
pub(super) struct WebAsked {
    pub(super) method: Method,
    /// With its query, from the handler's place for web requests on.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) form: Vec<(String, String)>,
    pub(super) body: Bytes,
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
    pub(super) fn new(contains: Option<String>, matches: Option<&str>) -> Result<Self, String> {
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
    /// Whether `event` is what a handler has to have done outward; false for every other step.
    pub(super) fn is_done_by(&self, event: &Event) -> bool {
        match (self, &event.what) {
            (Self::Placed { to, lead }, What::Placed { to: called, lead: led, .. }) => {
                called.contains(to.as_str()) && lead.as_ref().is_none_or(|lead| lead == led)
            }
            (
                Self::Sent { matcher, to },
                What::Sent { to: receiver, body, .. }
                | What::Message { to: receiver, body, by_carrier: false, .. },
            ) => matcher.fits(body) && to.as_ref().is_none_or(|to| receiver.contains(to.as_str())),
            (Self::Requested(wanted), What::Requested { method, url, body, .. }) => {
                wanted.request.fits(method, url) && wanted.body.fits(body)
            }
            _ => false,
        }
    }

    /// How many events have to be what this step expects.
    pub(super) fn wanted(&self) -> usize {
        match self {
            Self::Requested(Requested { times, .. }) => times.unwrap_or(1),
            _ => 1,
        }
    }
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
