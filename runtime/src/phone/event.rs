//! What happened, for whoever looks on: a timeline, a test report, a terminal.

use serde::Serialize;

use super::GatherAsk;
use crate::outbound::world::CameTo;
use crate::twiml::{Element, Node};

/// One thing that happened in a conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Since the conversation began, in milliseconds of its own clock.
    pub at_ms: u64,
    /// Whose line it was on.
    pub leg: Leg,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// Whose line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leg {
    /// The one that the conversation began with.
    Caller,
    /// One that was dialled.
    Called,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A webhook went out and was answered, or not.
    Webhook(Exchange),
    /// Somebody heard or met this.
    Heard(Heard),
    /// Somebody did this.
    Did {
        /// As a sentence without its subject: `pressed 1`.
        text: String,
    },
    /// The carrier remarks something.
    Note {
        /// Its number for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        /// What.
        text: String,
    },
    /// A message arrived at a phone.
    Message {
        /// Who sent it.
        from: String,
        /// Who has it now.
        to: String,
        /// Its text.
        body: String,
        /// Addresses of what came with it.
        media: Vec<String>,
        /// Whether the carrier wrote it and not the handler.
        by_carrier: bool,
    },
    /// A handler has placed a call.
    Placed {
        /// The carrier's id of it.
        id: String,
        /// Whom it is to.
        to: String,
        /// Which number is shown.
        from: String,
        /// The link, as the handler wrote it, or the document that whoever answers is led to.
        lead: String,
        /// Whether the outbox does it.
        later: bool,
    },
    /// A handler has sent a message, which is not a reply.
    Sent {
        /// The carrier's id of it.
        id: String,
        /// Whose phone it appears on.
        to: String,
        /// Which number, or service, it comes from.
        from: String,
        /// Its text.
        body: String,
        /// Addresses of what came with it.
        media: Vec<String>,
        /// Whether the outbox does it.
        later: bool,
    },
    /// A handler has sent a request.
    Requested {
        /// Its method.
        method: String,
        /// Its URL.
        url: String,
        /// Its body as text.
        body: String,
        /// What came of it.
        came_to: CameTo,
    },
    /// A line was logged.
    Logged {
        /// By whom.
        by: Writer,
        /// The line.
        text: String,
    },
    /// The conversation is over.
    Ended {
        /// Who ended it, and how: `the document ended`, `the caller hung up`.
        how: String,
        /// `CallStatus` at the end.
        status: &'static str,
    },
}

/// Who wrote a line of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Writer {
    /// The handler.
    Handler,
    /// The host, about the handler: why something failed or was refused.
    Host,
}

impl What {
    /// Whether it is something that a handler did, and nobody on the line hears.
    #[must_use]
    pub const fn is_outward(&self) -> bool {
        matches!(self, Self::Placed { .. } | Self::Sent { .. } | Self::Requested { .. })
    }
}

/// One webhook, or a web request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exchange {
    /// What it is about: `incoming call`, `gather`, `status: completed`, `web request`.
    pub purpose: String,
    /// Whether its answer steers the conversation.
    pub steers: bool,
    /// `GET` or `POST`.
    pub method: String,
    /// Where it went, fragment left out; our pin left in, so that it can be sent again.
    pub url: String,
    /// Its parameters.
    pub params: Vec<(String, String)>,
    /// Status of the answer; none where there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The answer.
    pub body: String,
    /// The revision that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// What failed, by the code of the host's error table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the carrier makes of it when it can't be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// From request to answer, in microseconds; where none came, how long the carrier waited.
    pub took_us: u64,
}

/// A verb that was carried out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Heard {
    /// Its tag.
    pub verb: String,
    /// What is said, played or dialled.
    pub text: String,
    /// Its attributes; links without our pin.
    pub attributes: Vec<(String, String)>,
    /// As written, on one line; links without our pin.
    pub xml: String,
    /// How long it lasts, in milliseconds.
    pub lasts_ms: u64,
    /// The Gather whose prompt it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts: Option<GatherAsk>,
}

impl Heard {
    /// What `element` is to whoever meets it.
    pub(super) fn of(element: &Element, text: String, lasts_ms: u64) -> Self {
        let plain = plain(element);
        Self {
            verb: plain.name.clone(),
            text,
            xml: xml(&plain),
            attributes: plain.attributes,
            lasts_ms,
            prompts: None,
        }
    }

    /// What comes from the carrier itself.
    pub(super) fn from_carrier(verb: &str, text: &str, lasts_ms: u64) -> Self {
        let attributes = Vec::new();
        Self { verb: verb.into(), text: text.into(), attributes, xml: String::new(), lasts_ms, prompts: None }
    }
}

/// A copy with links as the author wrote them, as far as that can be told, and white space between elements left out.
pub(crate) fn plain(element: &Element) -> Element {
    let attributes =
        element.attributes.iter().map(|(name, value)| (name.clone(), plain_link(value))).collect();
    let has_elements = element.elements().next().is_some();
    let child = |node: &Node| match node {
        Node::Element(inner) => Some(Node::Element(plain(inner))),
        Node::Text(text) if text.trim().is_empty() => None,
        Node::Text(text) if has_elements => Some(Node::Text(text.clone())),
        Node::Text(text) => Some(Node::Text(plain_link(text.trim()))),
    };
    Element {
        name: element.name.clone(),
        attributes,
        children: element.children.iter().filter_map(child).collect(),
        line: 0,
    }
}

/// A link without our pin; where it has one, without the handler's path too: `/acme/ivr/voice/menu?hs=1.x` is `menu`.
/// Anything else stays as it is.
#[must_use]
pub fn plain_link(link: &str) -> String {
    let Some((path, query)) = link.split_once('?').filter(|(path, _)| path.starts_with('/')) else {
        return link.to_owned();
    };
    let (query, fragment) = query.split_once('#').map_or((query, None), |(query, end)| (query, Some(end)));
    let rest: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("hs=")).collect();
    if rest.len() == query.split('&').count() {
        return link.to_owned();
    }
    let mut segments = path.splitn(5, '/').skip(3);
    let short = match (segments.next(), segments.next()) {
        (Some("voice"), Some(step)) => step.to_owned(),
        (Some(entry), Some(step)) => format!("{entry}/{step}"),
        (Some(entry), None) => entry.to_owned(),
        _ => path.to_owned(),
    };
    let query = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    let fragment = fragment.map_or(String::new(), |end| format!("#{end}"));
    short + &query + &fragment
}

/// An element as XML on one line.
pub(crate) fn xml(element: &Element) -> String {
    let mut out = String::new();
    write(element, &mut out);
    out
}

fn write(element: &Element, out: &mut String) {
    out.push('<');
    out.push_str(&element.name);
    for (name, value) in &element.attributes {
        out.push_str(&format!(" {name}=\"{}\"", escaped(value)));
    }
    if element.children.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    for child in &element.children {
        match child {
            Node::Element(inner) => write(inner, out),
            Node::Text(text) => out.push_str(&escaped(text)),
        }
    }
    out.push_str(&format!("</{}>", element.name));
}

/// `text` for a terminal: what a stranger's answer holds shall not move its cursor.
#[must_use]
pub fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control(), "\u{fffd}")
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_as_its_author_wrote_it() {
        for (link, plain) in [
            ("/acme/ivr/voice/menu?hs=1.abc", "menu"),
            ("/acme/ivr/voice/menu/2?lang=de&hs=1.abc#rc=3", "menu/2?lang=de#rc=3"),
            ("/acme/ivr/status/voicemail?hs=1.abc", "status/voicemail"),
            ("/acme/ivr/voice?hs=1.abc", "voice"),
            ("/elsewhere?x=1", "/elsewhere?x=1"),
            ("https://example.com/a?hs=1", "https://example.com/a?hs=1"),
            ("For sales, press 1?", "For sales, press 1?"),
        ] {
            assert_eq!(plain_link(link), plain, "{link}");
        }
    }

    #[test]
    fn xml_is_written_so_that_it_reads_the_same() {
        let text = "<Gather action=\"menu\"><Say>1 &lt; 2 &amp; \u{201c}x\u{201d}</Say><Pause/></Gather>";
        let element = Element::read(text).unwrap();
        assert_eq!(xml(&plain(&element)), text);
    }
}
