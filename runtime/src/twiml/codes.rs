//! The carrier's own numbers for what it finds wrong in a document, and the forms that its grammar tells in prose.
//!
//! A number that its debugger also shows lets an author search for it. Where the carrier has none of its own for
//! an attribute it uses [`SCHEMA`]. Entries are `(element, attribute, …)`, by tag.

use super::Severity::{self, Error, Warning};
use super::value::Form;

/// Not well-formed.
pub(super) const NOT_WELL_FORMED: u16 = 12100;
/// Not XML 1.0.
pub(super) const XML_VERSION: u16 = 12101;
/// The root is not `Response`.
pub(super) const WRONG_ROOT: u16 = 12102;
/// Unknown or misplaced element or attribute, or a bad value without a number of its own.
pub(super) const SCHEMA: u16 = 12200;
/// Answer over 64 KiB.
pub(super) const TOO_LARGE: u16 = 11750;
/// Conference beside Number in one Dial.
pub(super) const CONFERENCE_AND_NUMBER: u16 = 13000;
/// `speechTimeout="auto"` with the default speech model.
pub(super) const AUTO_WITH_DEFAULT_MODEL: u16 = 13335;
/// Say text over 4096 characters.
pub(super) const SAY_TOO_LONG: u16 = 13521;
/// Transcription of a recording that may grow too long for it.
pub(super) const TRANSCRIBED_TOO_LONG: u16 = 13615;
/// More than ten replies.
pub(super) const TOO_MANY_REPLIES: u16 = 14109;
/// Verb not allowed in messaging.
pub(super) const NOT_IN_MESSAGING: u16 = 14110;

/// What the carrier calls a child that `parent` does not take.
pub(super) fn misplaced_in(parent: &str) -> u16 {
    match parent {
        "Gather" => 13320,
        "Dial" => 13215,
        _ => SCHEMA,
    }
}

/// What the carrier calls bad or missing text in `element`.
pub(super) fn text_of(element: &str) -> (u16, Severity) {
    match element {
        "Number" | "Dial" => (13223, Warning),
        "Conference" => (13237, Warning),
        "Sip" | "Uri" => (13243, Warning),
        "Message" | "Body" => (14103, Warning),
        "Enqueue" => (14205, Error),
        _ => (SCHEMA, Warning),
    }
}

/// What the carrier calls a bad value of an attribute, and whether it carries on (warning) or not (error).
#[rustfmt::skip]
pub(super) const VALUES: &[(&str, &str, u16, Severity)] = &[
    ("Dial", "method", 13210, Warning),
    ("Dial", "timeout", 13212, Warning),
    ("Dial", "hangupOnStar", 13213, Warning),
    ("Dial", "callerId", 13214, Warning),
    ("Dial", "timeLimit", 13216, Warning),
    ("Dial", "record", 13217, Warning),
    ("Dial", "sequential", 13218, Warning),
    ("Dial", "answerOnBridge", 13219, Warning),
    ("Dial", "ringTone", 13220, Warning),
    ("Dial", "recordingStatusCallback", 13256, Warning),
    ("Number", "method", 13221, Warning),
    ("Number", "sendDigits", 13222, Warning),
    ("Conference", "muted", 13230, Warning),
    ("Conference", "endConferenceOnExit", 13231, Error),
    ("Conference", "startConferenceOnEnter", 13232, Warning),
    ("Conference", "waitUrl", 13233, Warning),
    ("Conference", "waitMethod", 13234, Warning),
    ("Conference", "beep", 13235, Warning),
    ("Conference", "coach", 13236, Warning),
    ("Conference", "recordingStatusCallback", 13256, Warning),
    ("Sip", "method", 13241, Warning),
    ("Gather", "finishOnKey", 13310, Warning),
    ("Gather", "method", 13312, Warning),
    ("Gather", "timeout", 13313, Warning),
    ("Gather", "numDigits", 13314, Warning),
    ("Gather", "input", 13326, Warning),
    ("Gather", "speechTimeout", 13327, Warning),
    ("Gather", "maxSpeechTime", 13328, Warning),
    ("Gather", "partialResultCallbackMethod", 13329, Warning),
    ("Gather", "hints", 13330, Warning),
    ("Gather", "language", 13331, Warning),
    ("Gather", "bargeIn", 13332, Warning),
    ("Gather", "profanityFilter", 13333, Warning),
    ("Gather", "speechModel", 13334, Warning),
    ("Gather", "actionOnEmptyResult", 13338, Error),
    ("Play", "loop", 13410, Warning),
    ("Play", "digits", 13430, Warning),
    ("Say", "loop", 13510, Warning),
    ("Say", "voice", 13511, Warning),
    ("Say", "language", 13512, Warning),
    ("prosody", "rate", 13513, Warning),
    ("Record", "method", 13610, Warning),
    ("Record", "timeout", 13611, Warning),
    ("Record", "maxLength", 13612, Warning),
    ("Record", "finishOnKey", 13613, Warning),
    ("Record", "transcribe", 13614, Warning),
    ("Record", "playBeep", 13616, Warning),
    ("Record", "recordingStatusCallback", 13256, Warning),
    ("Record", "transcribeCallback", 13257, Error),
    ("Record", "recordingStatusCallbackEvent", 13621, Error),
    ("Record", "trim", 13699, Warning),
    ("Redirect", "method", 13710, Warning),
    ("Reject", "reason", 13810, Warning),
    ("Pause", "length", 13910, Warning),
    ("Message", "to", 14101, Warning),
    ("Message", "from", 14102, Warning),
    ("Message", "method", 14104, Warning),
    ("Message", "statusCallback", 14105, Warning),
    ("Enqueue", "method", 14201, Error),
    ("Enqueue", "waitUrl", 14202, Error),
    ("Enqueue", "action", 14203, Error),
    ("Enqueue", "waitUrlMethod", 14206, Error),
];

/// Attributes whose form the grammar tells in a note.
#[rustfmt::skip]
pub(super) const FORMS: &[(&str, &str, Form)] = &[
    ("Gather", "finishOnKey", Form::OneKeyOrNone),
    ("Gather", "speechTimeout", Form::SecondsOrAuto),
    ("Gather", "hints", Form::Hints),
    ("Record", "finishOnKey", Form::Keys),
    ("Number", "sendDigits", Form::Tones),
    ("Play", "digits", Form::Tones),
    ("break", "time", Form::Pause),
];

/// Values that an open set takes beside its words, told in the grammar as the reason why it is open.
pub(super) const MEASURES: &[(&str, Form)] = &[
    ("prosody-volume", Form::Decibels),
    ("prosody-rate", Form::Percent),
    ("prosody-pitch", Form::SignedPercent),
];
