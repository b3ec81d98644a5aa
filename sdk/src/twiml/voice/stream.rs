// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! What runs beside a call: streams, transcriptions, SIPREC.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::{Method, Track};
use crate::twiml::voice::{Config, Connect, Document, Parameter, Recording};

/// Starts something beside the call and goes on at once.
///
/// `<Start>`, a verb. Stands in `Document`. Holds `Recording`, `Siprec`, `Stream`, `Transcription`.
/// Takes one noun.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Start(Markup);

impl Start {
    /// `<Start>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `action`: a link.
    pub fn action<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(0, " action=\"", value.into().as_str());
        self
    }

    /// `method`: a word.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(1, " method=\"", value.as_str());
        self
    }

    /// Adds `<Recording>`: a [`Recording`].
    pub fn recording(mut self, child: impl IntoElement<Recording>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Siprec>`: a [`Siprec`].
    pub fn siprec(mut self, child: impl IntoElement<Siprec>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Stream>`: a [`Stream`].
    pub fn stream(mut self, child: impl IntoElement<Stream>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Transcription>`: a [`Transcription`].
    pub fn transcription(mut self, child: impl IntoElement<Transcription>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Start, "Start", [default], in [Document]);

/// Stops what `Start` began under that name.
///
/// `<Stop>`, a verb. Stands in `Document`. Holds `Siprec`, `Stream`, `Transcription`. Takes one
/// noun; matched by its name attribute.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Stop(Markup);

impl Stop {
    /// `<Stop>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `<Siprec>`: a [`Siprec`].
    pub fn siprec(mut self, child: impl IntoElement<Siprec>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Stream>`: a [`Stream`].
    pub fn stream(mut self, child: impl IntoElement<Stream>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Transcription>`: a [`Transcription`].
    pub fn transcription(mut self, child: impl IntoElement<Transcription>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Stop, "Stop", [default], in [Document]);

/// Sends the call's audio to a WebSocket.
///
/// `<Stream>`, a noun. Stands in `Connect`, `Start`, `Stop`. Holds `Parameter`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Stream(Markup);

impl Stream {
    /// `<Stream>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `audioFormat`: text.
    pub fn audio_format(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " audioFormat=\"", value.as_ref());
        self
    }

    /// `connectorName`: text.
    pub fn connector_name(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " connectorName=\"", value.as_ref());
        self
    }

    /// `name`: text.
    pub fn name(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(2, " name=\"", value.as_ref());
        self
    }

    /// `sampleRate`: text.
    pub fn sample_rate(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(3, " sampleRate=\"", value.as_ref());
        self
    }

    /// `statusCallback`: a link.
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(4, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `statusCallbackMethod`: a word. Default: `POST`.
    pub fn status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(5, " statusCallbackMethod=\"", value.as_str());
        self
    }

    /// `track`: a word. Default: `inbound_track`.
    pub fn track(mut self, value: Track) -> Self {
        self.0.word_attribute(6, " track=\"", value.as_str());
        self
    }

    /// `url`: an address, beginning with `wss://`; wss:// only; no query string, use Parameter instead.
    pub fn url(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(7, " url=\"", value.as_ref());
        self
    }

    /// Adds `<Parameter>`: a [`Parameter`].
    pub fn parameter(mut self, child: impl IntoElement<Parameter>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Stream, "Stream", [default], in [Connect, Start, Stop]);

/// Sends the call's audio to a SIPREC recorder.
///
/// `<Siprec>`, a noun. Stands in `Start`, `Stop`. Holds `Parameter`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Siprec(Markup);

impl Siprec {
    /// `<Siprec>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `connectorName`: text.
    pub fn connector_name(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " connectorName=\"", value.as_ref());
        self
    }

    /// `name`: text.
    pub fn name(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " name=\"", value.as_ref());
        self
    }

    /// `statusCallback`: a link.
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(2, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `statusCallbackMethod`: a word. Default: `POST`.
    pub fn status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(3, " statusCallbackMethod=\"", value.as_str());
        self
    }

    /// `track`: a word. Default: `inbound_track`.
    pub fn track(mut self, value: Track) -> Self {
        self.0.word_attribute(4, " track=\"", value.as_str());
        self
    }

    /// Adds `<Parameter>`: a [`Parameter`].
    pub fn parameter(mut self, child: impl IntoElement<Parameter>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Siprec, "Siprec", [default], in [Start, Stop]);

/// Writes down what is said, while it is said.
///
/// `<Transcription>`, a noun. Stands in `Start`, `Stop`. Holds `Config`, `Parameter`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Transcription(Markup);

impl Transcription {
    /// `<Transcription>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `conversationConfiguration`: text; in the public reference, missing from both builders.
    pub fn conversation_configuration(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " conversationConfiguration=\"", value.as_ref());
        self
    }

    /// `conversationId`: text; in the public reference, missing from both builders.
    pub fn conversation_id(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " conversationId=\"", value.as_ref());
        self
    }

    /// `enableAutomaticPunctuation`: true or false. Default: `true`.
    pub fn enable_automatic_punctuation(mut self, value: bool) -> Self {
        self.0.bool_attribute(2, " enableAutomaticPunctuation=\"", value);
        self
    }

    /// `enableProviderData`: true or false; in the public reference, missing from both builders.
    pub fn enable_provider_data(mut self, value: bool) -> Self {
        self.0.bool_attribute(3, " enableProviderData=\"", value);
        self
    }

    /// `hints`: text.
    pub fn hints(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(4, " hints=\"", value.as_ref());
        self
    }

    /// `inboundTrackLabel`: text.
    pub fn inbound_track_label(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(5, " inboundTrackLabel=\"", value.as_ref());
        self
    }

    /// `intelligenceService`: text.
    pub fn intelligence_service(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(6, " intelligenceService=\"", value.as_ref());
        self
    }

    /// `languageCode`: text.
    pub fn language_code(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(7, " languageCode=\"", value.as_ref());
        self
    }

    /// `name`: text.
    pub fn name(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(8, " name=\"", value.as_ref());
        self
    }

    /// `outboundTrackLabel`: text.
    pub fn outbound_track_label(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(9, " outboundTrackLabel=\"", value.as_ref());
        self
    }

    /// `partialResults`: true or false. Default: `false`.
    pub fn partial_results(mut self, value: bool) -> Self {
        self.0.bool_attribute(10, " partialResults=\"", value);
        self
    }

    /// `profanityFilter`: true or false. Default: `true`.
    pub fn profanity_filter(mut self, value: bool) -> Self {
        self.0.bool_attribute(11, " profanityFilter=\"", value);
        self
    }

    /// `speechModel`: text. Default: `telephony`.
    pub fn speech_model(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(12, " speechModel=\"", value.as_ref());
        self
    }

    /// `statusCallbackMethod`: a word. Default: `POST`.
    pub fn status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(13, " statusCallbackMethod=\"", value.as_str());
        self
    }

    /// `statusCallbackUrl`: a link.
    pub fn status_callback_url<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(14, " statusCallbackUrl=\"", value.into().as_str());
        self
    }

    /// `track`: a word. Default: `both_tracks`.
    pub fn track(mut self, value: Track) -> Self {
        self.0.word_attribute(15, " track=\"", value.as_str());
        self
    }

    /// `transcriptionEngine`: text. Default: `google`.
    pub fn transcription_engine(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(16, " transcriptionEngine=\"", value.as_ref());
        self
    }

    /// Adds `<Config>`: a [`Config`].
    pub fn config(mut self, child: impl IntoElement<Config>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Parameter>`: a [`Parameter`].
    pub fn parameter(mut self, child: impl IntoElement<Parameter>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Transcription, "Transcription", [default], in [Start, Stop]);
