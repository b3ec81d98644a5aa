// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Telephones that can be dialled.

use crate::twiml::element::element;
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::{CallEvent, MachineDetection, Method};
use crate::twiml::voice::Dial;

/// A telephone number to dial.
///
/// `<Number>`, a noun. Stands in `Dial`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Number(Markup);

impl Number {
    /// `<Number>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<Number", 128));
        element.0.text(text.as_ref());
        element
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

    /// `byoc`: text, `BY` and 32 hex digits.
    pub fn byoc(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(2, " byoc=\"", value.as_ref());
        self
    }

    /// `machineDetection`: a word.
    pub fn machine_detection(mut self, value: MachineDetection) -> Self {
        self.0.word_attribute(3, " machineDetection=\"", value.as_str());
        self
    }

    /// `machineDetectionSilenceTimeout`: a whole number, 2000 to 10000; milliseconds. Default: `5000`.
    pub fn machine_detection_silence_timeout(mut self, value: u32) -> Self {
        self.0.number_attribute(4, " machineDetectionSilenceTimeout=\"", value);
        self
    }

    /// `machineDetectionSpeechEndThreshold`: a whole number, 500 to 5000; milliseconds. Default:
    /// `1200`.
    pub fn machine_detection_speech_end_threshold(mut self, value: u32) -> Self {
        self.0.number_attribute(5, " machineDetectionSpeechEndThreshold=\"", value);
        self
    }

    /// `machineDetectionSpeechThreshold`: a whole number, 1000 to 6000; milliseconds. Default: `2400`.
    pub fn machine_detection_speech_threshold(mut self, value: u32) -> Self {
        self.0.number_attribute(6, " machineDetectionSpeechThreshold=\"", value);
        self
    }

    /// `machineDetectionTimeout`: a whole number, 3 to 59; seconds. Default: `30`.
    pub fn machine_detection_timeout(mut self, value: u32) -> Self {
        self.0.number_attribute(7, " machineDetectionTimeout=\"", value);
        self
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(8, " method=\"", value.as_str());
        self
    }

    /// `sendDigits`: text; 0-9 # * and w for a half-second wait.
    pub fn send_digits(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(9, " sendDigits=\"", value.as_ref());
        self
    }

    /// `statusCallback`: a link.
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(10, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `statusCallbackEvent`: one word or several. Default: `completed`.
    pub fn status_callback_event(mut self, value: impl IntoIterator<Item = CallEvent>) -> Self {
        self.0.words_attribute(11, " statusCallbackEvent=\"", value.into_iter().map(CallEvent::as_str));
        self
    }

    /// `statusCallbackMethod`: a word. Default: `POST`.
    pub fn status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(12, " statusCallbackMethod=\"", value.as_str());
        self
    }

    /// `url`: a link.
    pub fn url<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(13, " url=\"", value.into().as_str());
        self
    }
}

element!(Number, "Number", [text], in [Dial]);

/// A WhatsApp number to dial.
///
/// `<WhatsApp>`, a noun. Stands in `Dial`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct WhatsApp(Markup);

impl WhatsApp {
    /// `<WhatsApp>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<WhatsApp", 128));
        element.0.text(text.as_ref());
        element
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(0, " method=\"", value.as_str());
        self
    }

    /// `statusCallback`: a link.
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(1, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `statusCallbackEvent`: one word or several. Default: `completed`.
    pub fn status_callback_event(mut self, value: impl IntoIterator<Item = CallEvent>) -> Self {
        self.0.words_attribute(2, " statusCallbackEvent=\"", value.into_iter().map(CallEvent::as_str));
        self
    }

    /// `statusCallbackMethod`: a word. Default: `POST`.
    pub fn status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(3, " statusCallbackMethod=\"", value.as_str());
        self
    }

    /// `url`: a link.
    pub fn url<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(4, " url=\"", value.into().as_str());
        self
    }
}

element!(WhatsApp, "WhatsApp", [text], in [Dial]);

/// A SIM to dial.
///
/// `<Sim>`, a noun. Stands in `Dial`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Sim(Markup);

impl Sim {
    /// `<Sim>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<Sim", 128));
        element.0.text(text.as_ref());
        element
    }
}

element!(Sim, "Sim", [text], in [Dial]);
