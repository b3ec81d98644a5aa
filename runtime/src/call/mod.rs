//! The carrier-neutral words: a call, a message, an event, and the names of those who own them.
//!
//! A carrier's parameters become one of these before anything else looks at them, so the sandbox, the
//! router and the phone speak of calls and never of a carrier. No I/O here.

mod ids;
mod web;

pub use ids::{HandlerName, InvalidName, RevisionId, TenantId};
pub use web::{WebRequest, WebResponse};

/// One webhook, read and typed; what an invocation gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Webhook {
    /// The carrier asks what the caller hears next.
    Voice(Call),
    /// Somebody sent a message.
    Message(Message),
    /// A status callback, or a run of a schedule.
    Event(Event),
    /// Not the carrier's at all: a request of whomever, for `wasi:http`.
    Web(Box<WebRequest>),
}

impl Webhook {
    /// The call, message or conference it is about, in the carrier's id; the method of a web request.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Self::Voice(call) => &call.id,
            Self::Message(message) => &message.id,
            Self::Event(event) => &event.subject,
            Self::Web(request) => request.method.as_str(),
        }
    }

    /// Where in the conversation it is: the part of the URL after the entry.
    #[must_use]
    pub fn step(&self) -> &str {
        match self {
            Self::Voice(call) => &call.step,
            Self::Message(message) => &message.step,
            Self::Event(event) => &event.step,
            Self::Web(request) => request.path(),
        }
    }

    /// What took it, for people: an entry's URL segment, `web` or `schedule`.
    #[must_use]
    pub fn entry(&self) -> &'static str {
        match self {
            Self::Voice(_) => Entry::Voice.as_str(),
            Self::Message(_) => Entry::Messaging.as_str(),
            Self::Event(Event { kind: EventKind::Schedule, .. }) => "schedule",
            Self::Event(_) => Entry::Status.as_str(),
            Self::Web(_) => "web",
        }
    }

    /// Whether somebody on a line waits for the answer, or the carrier does for them.
    #[must_use]
    pub fn is_the_carriers(&self) -> bool {
        !matches!(self, Self::Web(_) | Self::Event(Event { kind: EventKind::Schedule, .. }))
    }
}

/// What kind of webhook of a carrier a URL takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    /// `voice`: answered with a document that the caller hears.
    Voice,
    /// `sms`: answered with a document of replies.
    Messaging,
    /// `status`: told, answered with `204`.
    Status,
}

impl Entry {
    /// The URL segment.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Messaging => "sms",
            Self::Status => "status",
        }
    }
}

/// Who began a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Somebody called one of our numbers.
    Inbound,
    /// Placed through the carrier's API.
    OutboundApi,
    /// A leg made by a dial.
    OutboundDial,
    /// A word we do not know.
    Other,
}

/// Where a call leg is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStatus {
    /// Waiting to be placed.
    Queued,
    /// Being placed.
    Initiated,
    /// Ringing.
    Ringing,
    /// Answered.
    InProgress,
    /// Over, after having been answered.
    Completed,
    /// The line was busy.
    Busy,
    /// Could not be placed.
    Failed,
    /// Nobody answered.
    NoAnswer,
    /// Taken back before an answer.
    Canceled,
    /// A word we do not know.
    Other,
}

impl CallStatus {
    /// Whether the call is over: nothing that is answered now is heard.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Completed | Self::Busy | Self::Failed | Self::NoAnswer | Self::Canceled => true,
            Self::Queued | Self::Initiated | Self::Ringing | Self::InProgress | Self::Other => false,
        }
    }
}

/// One voice webhook. Fields as in `wit/types.wit`, `record call`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the WIT documents each field
pub struct Call {
    pub id: String,
    pub account: String,
    pub from: String,
    pub to: String,
    pub direction: Direction,
    pub status: CallStatus,
    pub step: String,
    pub digits: Option<String>,
    pub speech: Option<String>,
    pub form: String,
}

/// One message webhook. Fields as in `wit/types.wit`, `record message`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Message {
    pub id: String,
    pub account: String,
    pub from: String,
    pub to: String,
    pub body: String,
    pub media_count: u32,
    pub segments: u32,
    pub step: String,
    pub form: String,
}

/// What a status callback is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum EventKind {
    Call,
    Message,
    Recording,
    Transcription,
    Conference,
    Stream,
    PartialSpeech,
    MachineDetection,
    Payment,
    /// No carrier's: a run of a schedule. To the handler it is an `other` whose status is `schedule`.
    Schedule,
    Other,
}

/// One status callback. Fields as in `wit/types.wit`, `record event`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Event {
    pub kind: EventKind,
    pub subject: String,
    pub account: String,
    pub status: String,
    pub sequence: Option<u32>,
    /// Whether no webhook of the call comes after it.
    pub ends_call: bool,
    /// Both numbers of the conversation that it is about, for an event of a message.
    pub parties: Option<(String, String)>,
    pub step: String,
    pub form: String,
}
