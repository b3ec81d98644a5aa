// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! SIP: dialling it, and handing a SIP call over.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::{CallEvent, MachineDetection, Method};
use crate::twiml::voice::{Dial, Document};

/// A SIP address to dial.
///
/// `<Sip>`, a noun. Stands in `Dial`. Holds `Headers`, `SipUri`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Sip(Markup);

impl Sip {
    /// `<Sip>` with its text.
    /// `default` makes one without.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self::default();
        element.0.text(text.as_ref());
        element
    }

    /// Adds text behind what is there.
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        self.0.text(text.as_ref());
        self
    }

    /// `amdStatusCallback`: a link.
    pub fn amd_status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(0, " amdStatusCallback=\"", value.into().as_str());
        self
    }

    /// `amdStatusCallbackMethod`: a word. Default: `POST`.
    pub fn amd_status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(1, " amdStatusCallbackMethod=\"", value.as_str());
        self
    }

    /// `machineDetection`: a word.
    pub fn machine_detection(mut self, value: MachineDetection) -> Self {
        self.0.word_attribute(2, " machineDetection=\"", value.as_str());
        self
    }

    /// `machineDetectionSilenceTimeout`: a whole number, 2000 to 10000; milliseconds. Default: `5000`.
    pub fn machine_detection_silence_timeout(mut self, value: u32) -> Self {
        self.0.number_attribute(3, " machineDetectionSilenceTimeout=\"", value);
        self
    }

    /// `machineDetectionSpeechEndThreshold`: a whole number, 500 to 5000; milliseconds. Default:
    /// `1200`.
    pub fn machine_detection_speech_end_threshold(mut self, value: u32) -> Self {
        self.0.number_attribute(4, " machineDetectionSpeechEndThreshold=\"", value);
        self
    }

    /// `machineDetectionSpeechThreshold`: a whole number, 1000 to 6000; milliseconds. Default: `2400`.
    pub fn machine_detection_speech_threshold(mut self, value: u32) -> Self {
        self.0.number_attribute(5, " machineDetectionSpeechThreshold=\"", value);
        self
    }

    /// `machineDetectionTimeout`: a whole number, 3 to 59; seconds. Default: `30`.
    pub fn machine_detection_timeout(mut self, value: u32) -> Self {
        self.0.number_attribute(6, " machineDetectionTimeout=\"", value);
        self
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(7, " method=\"", value.as_str());
        self
    }

    /// `password`: text.
    pub fn password(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(8, " password=\"", value.as_ref());
        self
    }

    /// `statusCallback`: a link.
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(9, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `statusCallbackEvent`: one word or several. Default: `completed`.
    pub fn status_callback_event(mut self, value: impl IntoIterator<Item = CallEvent>) -> Self {
        self.0.words_attribute(10, " statusCallbackEvent=\"", value.into_iter().map(CallEvent::as_str));
        self
    }

    /// `statusCallbackMethod`: a word. Default: `POST`.
    pub fn status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(11, " statusCallbackMethod=\"", value.as_str());
        self
    }

    /// `url`: a link.
    pub fn url<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(12, " url=\"", value.into().as_str());
        self
    }

    /// `username`: text.
    pub fn username(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(13, " username=\"", value.as_ref());
        self
    }

    /// Adds `<Headers>`: a [`Headers`].
    pub fn headers(mut self, child: impl IntoElement<Headers>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Uri>`: text or a [`SipUri`].
    pub fn uri(mut self, child: impl IntoElement<SipUri>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Sip, "Sip", [default, text], in [Dial]);

/// One of several addresses of a SIP destination.
///
/// `<Uri>`, a noun. Stands in `Sip`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct SipUri(Markup);

impl SipUri {
    /// `<Uri>` with its text.
    /// `default` makes one without.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self::default();
        element.0.text(text.as_ref());
        element
    }

    /// Adds text behind what is there.
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        self.0.text(text.as_ref());
        self
    }

    /// `password`: text.
    pub fn password(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " password=\"", value.as_ref());
        self
    }

    /// `priority`: a whole number.
    pub fn priority(mut self, value: u32) -> Self {
        self.0.number_attribute(1, " priority=\"", value);
        self
    }

    /// `username`: text.
    pub fn username(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(2, " username=\"", value.as_ref());
        self
    }

    /// `weight`: a whole number.
    pub fn weight(mut self, value: u32) -> Self {
        self.0.number_attribute(3, " weight=\"", value);
        self
    }
}

element!(SipUri, "Uri", [default, text], in [Sip]);

/// SIP headers to send along.
///
/// `<Headers>`, a noun. Stands in `Sip`. Holds `Header`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Headers(Markup);

impl Headers {
    /// `<Headers>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `<Header>`: a [`Header`].
    pub fn header(mut self, child: impl IntoElement<Header>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Headers, "Headers", [default], in [Sip]);

/// One SIP header.
///
/// `<Header>`, a noun. Stands in `Headers`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Header(Markup);

impl Header {
    /// `<Header>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `name`: text.
    pub fn name(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " name=\"", value.as_ref());
        self
    }

    /// `value`: text.
    pub fn value(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " value=\"", value.as_ref());
        self
    }
}

element!(Header, "Header", [default], in [Headers]);

/// Hands a SIP call over to another address and leaves it.
///
/// `<Refer>`, a verb. Stands in `Document`. Holds `ReferSip`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Refer(Markup);

impl Refer {
    /// `<Refer>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `action`: a link.
    pub fn action<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(0, " action=\"", value.into().as_str());
        self
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(1, " method=\"", value.as_str());
        self
    }

    /// Adds `<Sip>`: text or a [`ReferSip`].
    pub fn sip(mut self, child: impl IntoElement<ReferSip>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Refer, "Refer", [default], in [Document]);

/// Where a SIP call is handed over to.
///
/// `<Sip>`, a noun. Stands in `Refer`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct ReferSip(Markup);

impl ReferSip {
    /// `<Sip>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<Sip", 128));
        element.0.text(text.as_ref());
        element
    }
}

element!(ReferSip, "Sip", [text], in [Refer]);
