//! What the page is told of a conversation, one object after the other.

use serde::Serialize;

use super::document::Shown;
use crate::dev::board::HandlerView;
use crate::phone::{Act, End, Event, Exchange, Leg, Outcome, Question, Until, What};
use crate::telemetry::feed::{FeedLevel, FeedOutcome, FeedSource};

/// What a page's stream carries.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToPage {
    /// First of all.
    Hello {
        /// What the page's requests name.
        page: String,
        /// What the carrier calls.
        base: String,
    },
    /// The handlers as they stand now.
    Board {
        /// In the order of their names.
        handlers: Vec<HandlerView>,
    },
    /// Something in a conversation.
    Item(Item),
}

/// Something in a conversation.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Item {
    /// Which.
    pub(super) conversation: String,
    /// From 1.
    pub(super) seq: u32,
    /// Of real time since it began, in milliseconds.
    pub(super) wall_ms: u64,
    #[serde(flatten)]
    pub(super) what: Happened,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "item", rename_all = "snake_case")]
pub(super) enum Happened {
    /// The engine's word.
    Event {
        event: Box<Event>,
        #[serde(skip_serializing_if = "Option::is_none")]
        webhook: Option<Box<Seen>>,
    },
    /// The carrier waits for somebody.
    Asked { leg: Leg, question: Question },
    /// He has answered.
    Answered { act: String },
    /// Whoever serves the page remarks something.
    Remark { text: String },
    /// What was done before is done again; from here on the person is asked.
    Live,
}

/// A webhook as one looks at it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Seen {
    /// The document, a line each; nothing where the answer is none.
    pub(super) document: Vec<Shown>,
    /// What the runs took: two where it was delivered twice.
    pub(super) runs: Vec<Run>,
    /// What they might take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limits: Option<Budget>,
    /// What the handler and the host said.
    pub(super) log: Vec<Line>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Run {
    pub(super) outcome: FeedOutcome,
    pub(super) wall_us: u64,
    pub(super) cpu_us: u64,
    pub(super) memory_kib: u64,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Budget {
    pub(super) deadline_ms: u64,
    pub(super) cpu_ms: u64,
    pub(super) memory_mib: u64,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Line {
    pub(super) level: FeedLevel,
    pub(super) source: FeedSource,
    pub(super) text: String,
}

/// What somebody did, in a few words.
pub(super) fn told(act: &Act) -> String {
    match act {
        Act::Press { keys, .. } => format!("pressed {keys}"),
        Act::Say { text, .. } => format!("said \u{201c}{text}\u{201d}"),
        Act::Record { seconds, end, .. } => {
            let end = match end {
                End::Key(key) => format!(", then {key}"),
                End::Silence => String::new(),
                End::HangUp => ", then hung up".to_owned(),
            };
            format!("spoke for {seconds} s{end}")
        }
        Act::Nothing => "did nothing".to_owned(),
        Act::HangUp => "hung up".to_owned(),
        Act::Comes(outcome) => match outcome {
            Outcome::Answered { seconds, until, machine } => {
                let who = if *machine { "a machine answered" } else { "answered" };
                let until = match until {
                    Until::Called => "they hang up",
                    Until::Caller => "the caller hangs up",
                    Until::Star => "the caller presses *",
                };
                format!("{who}; after {seconds} s {until}")
            }
            Outcome::Busy => "busy".to_owned(),
            Outcome::NoAnswer => "no answer".to_owned(),
            Outcome::Failed { sip_code } => format!("failed with {sip_code}"),
            Outcome::QueueFull => "the queue is full".to_owned(),
        },
    }
}

impl Happened {
    /// The webhook that it tells of.
    pub(super) fn exchange(&self) -> Option<&Exchange> {
        match self {
            Self::Event { event, .. } => match &event.what {
                What::Webhook(exchange) => Some(exchange),
                _ => None,
            },
            _ => None,
        }
    }
}
