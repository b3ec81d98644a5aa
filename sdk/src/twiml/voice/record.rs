// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Recordings.

use crate::twiml::element::element;
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::{Method, RecordingChannels, RecordingEvent, RecordingTrack, Trim};
use crate::twiml::voice::{Document, Start};

/// Records the caller, for a voicemail or an answer.
///
/// `<Record>`, a verb. Stands in `Document`. Verbs after it are unreachable: the action request
/// always happens (empty recordings excepted).
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Record(Markup);

impl Record {
    /// `<Record>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `action`: a link. Default: current document URL.
    pub fn action<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(0, " action=\"", value.into().as_str());
        self
    }

    /// `finishOnKey`: text; any subset of 0-9 # *. Default: `1234567890*#`.
    pub fn finish_on_key(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " finishOnKey=\"", value.as_ref());
        self
    }

    /// `maxLength`: a whole number, 1 or more; seconds; 120 when transcribing. Default: `3600`.
    pub fn max_length(mut self, value: u32) -> Self {
        self.0.number_attribute(2, " maxLength=\"", value);
        self
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(3, " method=\"", value.as_str());
        self
    }

    /// `playBeep`: true or false. Default: `true`.
    pub fn play_beep(mut self, value: bool) -> Self {
        self.0.bool_attribute(4, " playBeep=\"", value);
        self
    }

    /// `recordingConfigurationId`: text.
    pub fn recording_configuration_id(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(5, " recordingConfigurationId=\"", value.as_ref());
        self
    }

    /// `recordingStatusCallback`: a link.
    pub fn recording_status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(6, " recordingStatusCallback=\"", value.into().as_str());
        self
    }

    /// `recordingStatusCallbackEvent`: one word or several. Default: `completed`.
    pub fn recording_status_callback_event(
        mut self,
        value: impl IntoIterator<Item = RecordingEvent>,
    ) -> Self {
        self.0.words_attribute(
            7,
            " recordingStatusCallbackEvent=\"",
            value.into_iter().map(RecordingEvent::as_str),
        );
        self
    }

    /// `recordingStatusCallbackMethod`: a word. Default: `POST`.
    pub fn recording_status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(8, " recordingStatusCallbackMethod=\"", value.as_str());
        self
    }

    /// `timeout`: a whole number, 0 or more; seconds of silence; 0 turns it off. Default: `5`.
    pub fn timeout(mut self, value: u32) -> Self {
        self.0.number_attribute(9, " timeout=\"", value);
        self
    }

    /// `transcribe`: true or false. Default: `false`.
    pub fn transcribe(mut self, value: bool) -> Self {
        self.0.bool_attribute(10, " transcribe=\"", value);
        self
    }

    /// `transcribeCallback`: a link; needs transcribe=true.
    pub fn transcribe_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(11, " transcribeCallback=\"", value.into().as_str());
        self
    }

    /// `trim`: a word. Default: `trim-silence`.
    pub fn trim(mut self, value: Trim) -> Self {
        self.0.word_attribute(12, " trim=\"", value.as_str());
        self
    }
}

element!(Record, "Record", [default], in [Document]);

/// Records the call in the background from now on.
///
/// `<Recording>`, a noun. Stands in `Start`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Recording(Markup);

impl Recording {
    /// `<Recording>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `channels`: a word.
    pub fn channels(mut self, value: RecordingChannels) -> Self {
        self.0.word_attribute(0, " channels=\"", value.as_str());
        self
    }

    /// `recordingConfigurationId`: text.
    pub fn recording_configuration_id(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " recordingConfigurationId=\"", value.as_ref());
        self
    }

    /// `recordingStatusCallback`: a link.
    pub fn recording_status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(2, " recordingStatusCallback=\"", value.into().as_str());
        self
    }

    /// `recordingStatusCallbackEvent`: one word or several.
    pub fn recording_status_callback_event(
        mut self,
        value: impl IntoIterator<Item = RecordingEvent>,
    ) -> Self {
        self.0.words_attribute(
            3,
            " recordingStatusCallbackEvent=\"",
            value.into_iter().map(RecordingEvent::as_str),
        );
        self
    }

    /// `recordingStatusCallbackMethod`: a word.
    pub fn recording_status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(4, " recordingStatusCallbackMethod=\"", value.as_str());
        self
    }

    /// `track`: a word.
    pub fn track(mut self, value: RecordingTrack) -> Self {
        self.0.word_attribute(5, " track=\"", value.as_str());
        self
    }

    /// `trim`: a word.
    pub fn trim(mut self, value: Trim) -> Self {
        self.0.word_attribute(6, " trim=\"", value.as_str());
        self
    }
}

element!(Recording, "Recording", [default], in [Start]);
