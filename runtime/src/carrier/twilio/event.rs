//! What a status callback tells.
//!
//! Callbacks of every product come to one URL and carry no name of their kind, so the kind is told by a parameter
//! that only this kind has. The order of the questions matters: a recording callback of a conference has the
//! conference's id, a transcription has the recording's, and a call's last callback may have both.

use super::params::Params;
use crate::call::{Event, EventKind};

/// Reads a status callback. Any parameters make one; those that fit no kind are [`EventKind::Other`].
pub(super) fn read(params: &Params<'_>, step: &str) -> Event {
    let kind = kind(params);
    Event {
        kind,
        subject: params.first_of(subject(kind)).unwrap_or_default().to_owned(),
        account: params.owned("AccountSid"),
        status: params.first_of(status(kind)).unwrap_or_default().to_owned(),
        sequence: params.number("SequenceNumber"),
        ends_call: kind == EventKind::Call && params.get("CallStatus").is_some_and(is_last),
        parties: (kind == EventKind::Message).then(|| (params.owned("From"), params.owned("To"))),
        step: step.to_owned(),
        form: params.form(),
    }
}

/// Whether nothing of a call with this status is heard of again.
fn is_last(status: &str) -> bool {
    matches!(status, "completed" | "busy" | "failed" | "no-answer" | "canceled")
}

fn kind(params: &Params<'_>) -> EventKind {
    let any = |names: &[&str]| names.iter().any(|name| params.has(name));
    // The one kind that names itself. Callers from an app bring parameters with names of their own choice.
    if params.get("CallbackSource") == Some("call-progress-events") {
        EventKind::Call
    } else if any(&["TranscriptionEvent", "TranscriptionStatus"]) {
        EventKind::Transcription
    } else if any(&["RecordingStatus"]) {
        EventKind::Recording
    } else if any(&["ConferenceSid"]) {
        EventKind::Conference
    } else if any(&["StreamEvent", "SiprecEvent"]) {
        EventKind::Stream
    } else if any(&["UnstableSpeechResult", "StableSpeechResult"]) {
        EventKind::PartialSpeech
    } else if any(&["MessageStatus", "SmsStatus", "MessageSid", "SmsSid"]) {
        EventKind::Message
    } else if any(&["For"]) {
        EventKind::Payment
    } else if any(&["CallStatus"]) {
        // A call that was asked for machine detection tells `AnsweredBy` with its own progress as well.
        EventKind::Call
    } else if any(&["AnsweredBy"]) {
        EventKind::MachineDetection
    } else {
        EventKind::Other
    }
}

/// Names of what an event is about, best first.
fn subject(kind: EventKind) -> &'static [&'static str] {
    match kind {
        EventKind::Conference => &["ConferenceSid"],
        EventKind::Message => &["MessageSid", "SmsSid"],
        EventKind::Recording => &["CallSid", "ConferenceSid", "RecordingSid"],
        EventKind::Transcription => &["CallSid", "TranscriptionSid", "RecordingSid"],
        EventKind::Call
        | EventKind::Stream
        | EventKind::PartialSpeech
        | EventKind::MachineDetection
        | EventKind::Payment => &["CallSid"],
        EventKind::Schedule | EventKind::Other => &["CallSid", "Sid"],
    }
}

/// Names of what happened, best first. Partial speech has no word for it: the call's own status tells nothing of it.
fn status(kind: EventKind) -> &'static [&'static str] {
    match kind {
        EventKind::Call => &["CallStatus"],
        EventKind::Message => &["MessageStatus", "SmsStatus"],
        EventKind::Recording => &["RecordingStatus"],
        EventKind::Transcription => &["TranscriptionEvent", "TranscriptionStatus"],
        EventKind::Conference => &["StatusCallbackEvent", "EventName"],
        EventKind::Stream => &["StreamEvent", "SiprecEvent"],
        EventKind::PartialSpeech => &[],
        EventKind::MachineDetection => &["AnsweredBy"],
        EventKind::Payment => &["For"],
        EventKind::Schedule | EventKind::Other => &["Level"],
    }
}
