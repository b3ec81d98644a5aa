//! `wit/types.wit` as wasmtime lowers and lifts it.
//!
//! The texts of a webhook are borrowed: they are copied once, into the guest. Field names and their order are the
//! contract's; a component that has them otherwise is refused when it is loaded.

use wasmtime::component::{ComponentType, Lift, Lower};

use crate::call;

/// `record failure`.
#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub struct Failure {
    pub message: String,
    pub causes: Vec<String>,
}

/// `enum direction`.
#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum Direction {
    #[component(name = "inbound")]
    Inbound,
    #[component(name = "outbound-api")]
    OutboundApi,
    #[component(name = "outbound-dial")]
    OutboundDial,
    #[component(name = "other")]
    Other,
}

impl From<call::Direction> for Direction {
    fn from(direction: call::Direction) -> Self {
        match direction {
            call::Direction::Inbound => Self::Inbound,
            call::Direction::OutboundApi => Self::OutboundApi,
            call::Direction::OutboundDial => Self::OutboundDial,
            call::Direction::Other => Self::Other,
        }
    }
}

/// `enum call-status`.
#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum CallStatus {
    #[component(name = "queued")]
    Queued,
    #[component(name = "initiated")]
    Initiated,
    #[component(name = "ringing")]
    Ringing,
    #[component(name = "in-progress")]
    InProgress,
    #[component(name = "completed")]
    Completed,
    #[component(name = "busy")]
    Busy,
    #[component(name = "failed")]
    Failed,
    #[component(name = "no-answer")]
    NoAnswer,
    #[component(name = "canceled")]
    Canceled,
    #[component(name = "other")]
    Other,
}

impl From<call::CallStatus> for CallStatus {
    fn from(status: call::CallStatus) -> Self {
        match status {
            call::CallStatus::Queued => Self::Queued,
            call::CallStatus::Initiated => Self::Initiated,
            call::CallStatus::Ringing => Self::Ringing,
            call::CallStatus::InProgress => Self::InProgress,
            call::CallStatus::Completed => Self::Completed,
            call::CallStatus::Busy => Self::Busy,
            call::CallStatus::Failed => Self::Failed,
            call::CallStatus::NoAnswer => Self::NoAnswer,
            call::CallStatus::Canceled => Self::Canceled,
            call::CallStatus::Other => Self::Other,
        }
    }
}

/// `record call`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub struct Call<'a> {
    id: &'a str,
    account: &'a str,
    from: &'a str,
    to: &'a str,
    direction: Direction,
    status: CallStatus,
    step: &'a str,
    digits: Option<&'a str>,
    speech: Option<&'a str>,
    #[component(name = "time-left-ms")]
    time_left_ms: u32,
    form: &'a str,
}

impl<'a> Call<'a> {
    pub fn new(call: &'a call::Call, time_left_ms: u32) -> Self {
        Self {
            id: &call.id,
            account: &call.account,
            from: &call.from,
            to: &call.to,
            direction: call.direction.into(),
            status: call.status.into(),
            step: &call.step,
            digits: call.digits.as_deref(),
            speech: call.speech.as_deref(),
            time_left_ms,
            form: &call.form,
        }
    }
}

/// `record message`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub struct Message<'a> {
    id: &'a str,
    account: &'a str,
    from: &'a str,
    to: &'a str,
    body: &'a str,
    #[component(name = "media-count")]
    media_count: u32,
    segments: u32,
    step: &'a str,
    #[component(name = "time-left-ms")]
    time_left_ms: u32,
    form: &'a str,
}

impl<'a> Message<'a> {
    pub fn new(message: &'a call::Message, time_left_ms: u32) -> Self {
        Self {
            id: &message.id,
            account: &message.account,
            from: &message.from,
            to: &message.to,
            body: &message.body,
            media_count: message.media_count,
            segments: message.segments,
            step: &message.step,
            time_left_ms,
            form: &message.form,
        }
    }
}

/// `enum event-kind`.
#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum EventKind {
    #[component(name = "call")]
    Call,
    #[component(name = "message")]
    Message,
    #[component(name = "recording")]
    Recording,
    #[component(name = "transcription")]
    Transcription,
    #[component(name = "conference")]
    Conference,
    #[component(name = "stream")]
    Stream,
    #[component(name = "partial-speech")]
    PartialSpeech,
    #[component(name = "machine-detection")]
    MachineDetection,
    #[component(name = "payment")]
    Payment,
    #[component(name = "other")]
    Other,
}

impl From<call::EventKind> for EventKind {
    fn from(kind: call::EventKind) -> Self {
        match kind {
            call::EventKind::Call => Self::Call,
            call::EventKind::Message => Self::Message,
            call::EventKind::Recording => Self::Recording,
            call::EventKind::Transcription => Self::Transcription,
            call::EventKind::Conference => Self::Conference,
            call::EventKind::Stream => Self::Stream,
            call::EventKind::PartialSpeech => Self::PartialSpeech,
            call::EventKind::MachineDetection => Self::MachineDetection,
            call::EventKind::Payment => Self::Payment,
            // One value more in the enum would be another type, and every component that exports `events` would no longer fit.
            call::EventKind::Schedule | call::EventKind::Other => Self::Other,
        }
    }
}

/// `record event`.
#[derive(ComponentType, Lower)]
#[component(record)]
pub struct Event<'a> {
    kind: EventKind,
    subject: &'a str,
    account: &'a str,
    status: &'a str,
    sequence: Option<u32>,
    step: &'a str,
    #[component(name = "time-left-ms")]
    time_left_ms: u32,
    form: &'a str,
}

impl<'a> Event<'a> {
    pub fn new(event: &'a call::Event, time_left_ms: u32) -> Self {
        Self {
            kind: event.kind.into(),
            subject: &event.subject,
            account: &event.account,
            status: &event.status,
            sequence: event.sequence,
            step: &event.step,
            time_left_ms,
            form: &event.form,
        }
    }
}
