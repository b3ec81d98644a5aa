// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Conferences.

use crate::twiml::element::element;
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::{
    ConferenceBeep, ConferenceEvent, ConferenceRecord, ConferenceRegion, JitterBufferSize, Method,
    RecordingEvent, Trim,
};
use crate::twiml::voice::Dial;

/// A conference to join, by its name.
///
/// `<Conference>`, a noun. Stands in `Dial`. Cannot be mixed with Number nouns in one Dial (warning
/// 13000).
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Conference(Markup);

impl Conference {
    /// `<Conference>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<Conference", 128));
        element.0.text(text.as_ref());
        element
    }

    /// `beep`: a word. Default: `true`.
    pub fn beep(mut self, value: ConferenceBeep) -> Self {
        self.0.word_attribute(0, " beep=\"", value.as_str());
        self
    }

    /// `coach`: text, `CA` and 32 hex digits.
    pub fn coach(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " coach=\"", value.as_ref());
        self
    }

    /// `endConferenceOnExit`: true or false. Default: `false`.
    pub fn end_conference_on_exit(mut self, value: bool) -> Self {
        self.0.bool_attribute(2, " endConferenceOnExit=\"", value);
        self
    }

    /// `eventCallbackUrl`: a link.
    #[deprecated(note = "use recordingStatusCallback")]
    pub fn event_callback_url<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(3, " eventCallbackUrl=\"", value.into().as_str());
        self
    }

    /// `jitterBufferSize`: a word. Default: `large`.
    pub fn jitter_buffer_size(mut self, value: JitterBufferSize) -> Self {
        self.0.word_attribute(4, " jitterBufferSize=\"", value.as_str());
        self
    }

    /// `maxParticipants`: a whole number, 2 to 250. Default: `250`.
    pub fn max_participants(mut self, value: u32) -> Self {
        self.0.number_attribute(5, " maxParticipants=\"", value);
        self
    }

    /// `muted`: true or false. Default: `false`.
    pub fn muted(mut self, value: bool) -> Self {
        self.0.bool_attribute(6, " muted=\"", value);
        self
    }

    /// `participantLabel`: text, at most 128 characters; unique in the conference.
    pub fn participant_label(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(7, " participantLabel=\"", value.as_ref());
        self
    }

    /// `record`: a word. Default: `do-not-record`.
    pub fn record(mut self, value: ConferenceRecord) -> Self {
        self.0.word_attribute(8, " record=\"", value.as_str());
        self
    }

    /// `recordingConfigurationId`: text.
    pub fn recording_configuration_id(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(9, " recordingConfigurationId=\"", value.as_ref());
        self
    }

    /// `recordingStatusCallback`: a link.
    pub fn recording_status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(10, " recordingStatusCallback=\"", value.into().as_str());
        self
    }

    /// `recordingStatusCallbackEvent`: one word or several. Default: `completed`.
    pub fn recording_status_callback_event(
        mut self,
        value: impl IntoIterator<Item = RecordingEvent>,
    ) -> Self {
        self.0.words_attribute(
            11,
            " recordingStatusCallbackEvent=\"",
            value.into_iter().map(RecordingEvent::as_str),
        );
        self
    }

    /// `recordingStatusCallbackMethod`: a word. Default: `POST`.
    pub fn recording_status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(12, " recordingStatusCallbackMethod=\"", value.as_str());
        self
    }

    /// `region`: a word.
    pub fn region<'a>(mut self, value: impl Into<ConferenceRegion<'a>>) -> Self {
        self.0.text_attribute(13, " region=\"", value.into().as_str());
        self
    }

    /// `startConferenceOnEnter`: true or false. Default: `true`.
    pub fn start_conference_on_enter(mut self, value: bool) -> Self {
        self.0.bool_attribute(14, " startConferenceOnEnter=\"", value);
        self
    }

    /// `statusCallback`: a link.
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(15, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `statusCallbackEvent`: one word or several; no events unless listed.
    pub fn status_callback_event(mut self, value: impl IntoIterator<Item = ConferenceEvent>) -> Self {
        self.0.words_attribute(16, " statusCallbackEvent=\"", value.into_iter().map(ConferenceEvent::as_str));
        self
    }

    /// `statusCallbackMethod`: a word. Default: `POST`.
    pub fn status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(17, " statusCallbackMethod=\"", value.as_str());
        self
    }

    /// `trim`: a word. Default: `trim-silence`.
    pub fn trim(mut self, value: Trim) -> Self {
        self.0.word_attribute(18, " trim=\"", value.as_str());
        self
    }

    /// `waitMethod`: a word. Default: `POST`.
    pub fn wait_method(mut self, value: Method) -> Self {
        self.0.word_attribute(19, " waitMethod=\"", value.as_str());
        self
    }

    /// `waitUrl`: a link; empty string means silence.
    pub fn wait_url<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(20, " waitUrl=\"", value.into().as_str());
        self
    }
}

element!(Conference, "Conference", [text], in [Dial]);
