// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Connecting a call to a machine or a conversation.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::{ConversationEvent, ConversationRecord, Method, RecordingEvent, Trim};
use crate::twiml::voice::{ConversationRelay, Document, Parameter, Stream, Transcription};

/// Hands the call to what is named inside, until that lets it go.
///
/// `<Connect>`, a verb. Stands in `Document`. Holds `AiSession`, `Autopilot`, `Conversation`,
/// `ConversationRelay`, `ConversationRelaySession`, `Room`, `Stream`, `VirtualAgent`. Takes exactly
/// one noun.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Connect(Markup);

impl Connect {
    /// `<Connect>` with nothing set.
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

    /// Adds `<AiSession>`: an [`AiSession`].
    pub fn ai_session(mut self, child: impl IntoElement<AiSession>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Autopilot>`: text or an [`Autopilot`].
    #[deprecated(note = "product retired; the builders still carry the noun")]
    pub fn autopilot(mut self, child: impl IntoElement<Autopilot>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Conversation>`: a [`Conversation`].
    pub fn conversation(mut self, child: impl IntoElement<Conversation>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<ConversationRelay>`: a [`ConversationRelay`].
    pub fn conversation_relay(mut self, child: impl IntoElement<ConversationRelay>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<ConversationRelaySession>`: a [`ConversationRelaySession`].
    pub fn conversation_relay_session(mut self, child: impl IntoElement<ConversationRelaySession>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Room>`: text or a [`Room`].
    pub fn room(mut self, child: impl IntoElement<Room>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Stream>`: a [`Stream`].
    pub fn stream(mut self, child: impl IntoElement<Stream>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<VirtualAgent>`: a [`VirtualAgent`].
    pub fn virtual_agent(mut self, child: impl IntoElement<VirtualAgent>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Connect, "Connect", [default], in [Document]);

/// A conversation, with its own way of reaching agents.
///
/// `<Conversation>`, a noun. Stands in `Connect`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Conversation(Markup);

impl Conversation {
    /// `<Conversation>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `inboundAutocreation`: true or false.
    pub fn inbound_autocreation(mut self, value: bool) -> Self {
        self.0.bool_attribute(0, " inboundAutocreation=\"", value);
        self
    }

    /// `inboundTimeout`: a whole number.
    pub fn inbound_timeout(mut self, value: u32) -> Self {
        self.0.number_attribute(1, " inboundTimeout=\"", value);
        self
    }

    /// `method`: a word.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(2, " method=\"", value.as_str());
        self
    }

    /// `record`: a word.
    pub fn record(mut self, value: ConversationRecord) -> Self {
        self.0.word_attribute(3, " record=\"", value.as_str());
        self
    }

    /// `recordingStatusCallback`: a link.
    pub fn recording_status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(4, " recordingStatusCallback=\"", value.into().as_str());
        self
    }

    /// `recordingStatusCallbackEvent`: one word or several.
    pub fn recording_status_callback_event(
        mut self,
        value: impl IntoIterator<Item = RecordingEvent>,
    ) -> Self {
        self.0.words_attribute(
            5,
            " recordingStatusCallbackEvent=\"",
            value.into_iter().map(RecordingEvent::as_str),
        );
        self
    }

    /// `recordingStatusCallbackMethod`: a word.
    pub fn recording_status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(6, " recordingStatusCallbackMethod=\"", value.as_str());
        self
    }

    /// `routingAssignmentTimeout`: a whole number.
    pub fn routing_assignment_timeout(mut self, value: u32) -> Self {
        self.0.number_attribute(7, " routingAssignmentTimeout=\"", value);
        self
    }

    /// `serviceInstanceSid`: text.
    pub fn service_instance_sid(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(8, " serviceInstanceSid=\"", value.as_ref());
        self
    }

    /// `statusCallback`: a link.
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(9, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `statusCallbackEvent`: one word or several.
    pub fn status_callback_event(mut self, value: impl IntoIterator<Item = ConversationEvent>) -> Self {
        self.0.words_attribute(
            10,
            " statusCallbackEvent=\"",
            value.into_iter().map(ConversationEvent::as_str),
        );
        self
    }

    /// `statusCallbackMethod`: a word.
    pub fn status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(11, " statusCallbackMethod=\"", value.as_str());
        self
    }

    /// `trim`: a word.
    pub fn trim(mut self, value: Trim) -> Self {
        self.0.word_attribute(12, " trim=\"", value.as_str());
        self
    }

    /// `url`: a link.
    pub fn url<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(13, " url=\"", value.into().as_str());
        self
    }
}

element!(Conversation, "Conversation", [default], in [Connect]);

/// A video room to join, by its name.
///
/// `<Room>`, a noun. Stands in `Connect`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Room(Markup);

impl Room {
    /// `<Room>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<Room", 128));
        element.0.text(text.as_ref());
        element
    }

    /// `participantIdentity`: text.
    pub fn participant_identity(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " participantIdentity=\"", value.as_ref());
        self
    }
}

element!(Room, "Room", [text], in [Connect]);

/// A virtual agent of a provider.
///
/// `<VirtualAgent>`, a noun. Stands in `Connect`. Holds `Config`, `Parameter`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct VirtualAgent(Markup);

impl VirtualAgent {
    /// `<VirtualAgent>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `connectorName`: text.
    pub fn connector_name(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " connectorName=\"", value.as_ref());
        self
    }

    /// `language`: text.
    pub fn language(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " language=\"", value.as_ref());
        self
    }

    /// `sentimentAnalysis`: true or false.
    pub fn sentiment_analysis(mut self, value: bool) -> Self {
        self.0.bool_attribute(2, " sentimentAnalysis=\"", value);
        self
    }

    /// `statusCallback`: a link.
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(3, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `statusCallbackMethod`: a word.
    pub fn status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(4, " statusCallbackMethod=\"", value.as_str());
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

element!(VirtualAgent, "VirtualAgent", [default], in [Connect]);

/// A setting of the provider, by name and value.
///
/// `<Config>`, a noun. Stands in `Transcription`, `VirtualAgent`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Config(Markup);

impl Config {
    /// `<Config>` with nothing set.
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

element!(Config, "Config", [default], in [Transcription, VirtualAgent]);

/// A session with an AI connector.
///
/// `<AiSession>`, a noun. Stands in `Connect`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct AiSession(Markup);

impl AiSession {
    /// `<AiSession>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `aiConnector`: text.
    pub fn ai_connector(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " aiConnector=\"", value.as_ref());
        self
    }

    /// `aiSessionConfiguration`: text.
    pub fn ai_session_configuration(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " aiSessionConfiguration=\"", value.as_ref());
        self
    }
}

element!(AiSession, "AiSession", [default], in [Connect]);

/// A configured session of ConversationRelay.
///
/// `<ConversationRelaySession>`, a noun. Stands in `Connect`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct ConversationRelaySession(Markup);

impl ConversationRelaySession {
    /// `<ConversationRelaySession>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `connector`: text.
    pub fn connector(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " connector=\"", value.as_ref());
        self
    }

    /// `sessionConfiguration`: text.
    pub fn session_configuration(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " sessionConfiguration=\"", value.as_ref());
        self
    }
}

element!(ConversationRelaySession, "ConversationRelaySession", [default], in [Connect]);

/// An Autopilot assistant.
///
/// `<Autopilot>`, a noun. Stands in `Connect`.
///
/// Outdated: product retired; the builders still carry the noun.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Autopilot(Markup);

impl Autopilot {
    /// `<Autopilot>` with its text.
    #[deprecated(note = "product retired; the builders still carry the noun")]
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<Autopilot", 128));
        element.0.text(text.as_ref());
        element
    }
}

element!(Autopilot, "Autopilot", [text], in [Connect]);
