// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Connecting the caller to somebody.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::{DialEvent, DialRecord, Method, RecordingEvent, RecordingTrack, RingTone, Trim};
use crate::twiml::voice::{Application, Client, Conference, Document, Number, Queue, Sim, Sip, WhatsApp};

/// Connects the caller to a number or to what is named inside. Afterwards `action` is asked, if
/// there is one.
///
/// `<Dial>`, a verb. Stands in `Document`. Holds `Application`, `Client`, `Conference`, `Number`,
/// `Queue`, `Sim`, `Sip`, `WhatsApp`. Takes either plain text or nouns. Up to 10 simultaneous
/// nouns. First to answer wins unless sequential.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Dial(Markup);

impl Dial {
    /// `<Dial>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text behind what is there.
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        self.0.text(text.as_ref());
        self
    }

    /// `action`: a link.
    pub fn action<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(0, " action=\"", value.into().as_str());
        self
    }

    /// `answerOnBridge`: true or false. Default: `false`.
    pub fn answer_on_bridge(mut self, value: bool) -> Self {
        self.0.bool_attribute(1, " answerOnBridge=\"", value);
        self
    }

    /// `callReason`: text, at most 50 characters; in the public reference, missing from both builders.
    pub fn call_reason(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(2, " callReason=\"", value.as_ref());
        self
    }

    /// `callerId`: text. Default: the caller's own id.
    pub fn caller_id(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(3, " callerId=\"", value.as_ref());
        self
    }

    /// `events`: a word.
    pub fn events(mut self, value: DialEvent) -> Self {
        self.0.word_attribute(4, " events=\"", value.as_str());
        self
    }

    /// `hangupOnStar`: true or false. Default: `false`.
    pub fn hangup_on_star(mut self, value: bool) -> Self {
        self.0.bool_attribute(5, " hangupOnStar=\"", value);
        self
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(6, " method=\"", value.as_str());
        self
    }

    /// `passports`: text; comma-separated base64 text, carried as one string.
    pub fn passports(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(7, " passports=\"", value.as_ref());
        self
    }

    /// `record`: a word. Default: `do-not-record`.
    pub fn record(mut self, value: DialRecord) -> Self {
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

    /// `recordingTrack`: a word. Default: `both`.
    pub fn recording_track(mut self, value: RecordingTrack) -> Self {
        self.0.word_attribute(13, " recordingTrack=\"", value.as_str());
        self
    }

    /// `referMethod`: a word. Default: `POST`.
    pub fn refer_method(mut self, value: Method) -> Self {
        self.0.word_attribute(14, " referMethod=\"", value.as_str());
        self
    }

    /// `referUrl`: a link.
    pub fn refer_url<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(15, " referUrl=\"", value.into().as_str());
        self
    }

    /// `ringTone`: a word.
    pub fn ring_tone<'a>(mut self, value: impl Into<RingTone<'a>>) -> Self {
        self.0.text_attribute(16, " ringTone=\"", value.into().as_str());
        self
    }

    /// `sequential`: true or false. Default: `false`.
    pub fn sequential(mut self, value: bool) -> Self {
        self.0.bool_attribute(17, " sequential=\"", value);
        self
    }

    /// `timeLimit`: a whole number, 1 or more; seconds. Default: `14400`.
    pub fn time_limit(mut self, value: u32) -> Self {
        self.0.number_attribute(18, " timeLimit=\"", value);
        self
    }

    /// `timeout`: a whole number, 5 to 600; seconds; the platform adds about 5 s. Default: `30`.
    pub fn timeout(mut self, value: u32) -> Self {
        self.0.number_attribute(19, " timeout=\"", value);
        self
    }

    /// `trim`: a word. Default: `do-not-trim`.
    pub fn trim(mut self, value: Trim) -> Self {
        self.0.word_attribute(20, " trim=\"", value.as_str());
        self
    }

    /// Adds `<Application>`: text or an [`Application`].
    pub fn application(mut self, child: impl IntoElement<Application>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Client>`: text or a [`Client`].
    pub fn client(mut self, child: impl IntoElement<Client>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Conference>`: text or a [`Conference`].
    pub fn conference(mut self, child: impl IntoElement<Conference>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Number>`: text or a [`Number`].
    pub fn number(mut self, child: impl IntoElement<Number>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Queue>`: text or a [`Queue`].
    pub fn queue(mut self, child: impl IntoElement<Queue>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Sim>`: text or a [`Sim`].
    pub fn sim(mut self, child: impl IntoElement<Sim>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Sip>`: text or a [`Sip`].
    pub fn sip(mut self, child: impl IntoElement<Sip>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<WhatsApp>`: text or a [`WhatsApp`].
    pub fn whats_app(mut self, child: impl IntoElement<WhatsApp>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Dial, "Dial", [default, text], in [Document]);
