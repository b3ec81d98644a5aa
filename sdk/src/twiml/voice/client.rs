// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Applications that can be dialled, and what they are told.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::{CallEvent, Method};
use crate::twiml::voice::{
    ConversationRelay, Dial, Hangup, Pay, Reject, Siprec, Stream, Transcription, VirtualAgent,
};

/// A client application to dial, by its identity.
///
/// `<Client>`, a noun. Stands in `Dial`. Holds `Identity`, `Parameter`. Parameter children are only
/// used together with an Identity child.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Client(Markup);

impl Client {
    /// `<Client>` with its text.
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

    /// Adds `<Identity>`: text or an [`Identity`].
    pub fn identity(mut self, child: impl IntoElement<Identity>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Parameter>`: a [`Parameter`].
    pub fn parameter(mut self, child: impl IntoElement<Parameter>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Client, "Client", [default, text], in [Dial]);

/// The identity of the client, where parameters are given too.
///
/// `<Identity>`, a noun. Stands in `Client`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Identity(Markup);

impl Identity {
    /// `<Identity>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<Identity", 128));
        element.0.text(text.as_ref());
        element
    }
}

element!(Identity, "Identity", [text], in [Client]);

/// Another TwiML application to dial.
///
/// `<Application>`, a noun. Stands in `Dial`. Holds `ApplicationSid`, `Parameter`. Give the SID as
/// text, or use ApplicationSid with Parameter children.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Application(Markup);

impl Application {
    /// `<Application>` with its text.
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

    /// `copyParentTo`: true or false.
    pub fn copy_parent_to(mut self, value: bool) -> Self {
        self.0.bool_attribute(0, " copyParentTo=\"", value);
        self
    }

    /// `customerId`: text.
    pub fn customer_id(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " customerId=\"", value.as_ref());
        self
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(2, " method=\"", value.as_str());
        self
    }

    /// `statusCallback`: a link.
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(3, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `statusCallbackEvent`: one word or several. Default: `completed`.
    pub fn status_callback_event(mut self, value: impl IntoIterator<Item = CallEvent>) -> Self {
        self.0.words_attribute(4, " statusCallbackEvent=\"", value.into_iter().map(CallEvent::as_str));
        self
    }

    /// `statusCallbackMethod`: a word. Default: `POST`.
    pub fn status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(5, " statusCallbackMethod=\"", value.as_str());
        self
    }

    /// `url`: a link.
    pub fn url<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(6, " url=\"", value.into().as_str());
        self
    }

    /// Adds `<ApplicationSid>`: text or an [`ApplicationSid`].
    pub fn application_sid(mut self, child: impl IntoElement<ApplicationSid>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Parameter>`: a [`Parameter`].
    pub fn parameter(mut self, child: impl IntoElement<Parameter>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Application, "Application", [default, text], in [Dial]);

/// The id of the application, where parameters are given too.
///
/// `<ApplicationSid>`, a noun. Stands in `Application`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct ApplicationSid(Markup);

impl ApplicationSid {
    /// `<ApplicationSid>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<ApplicationSid", 128));
        element.0.text(text.as_ref());
        element
    }
}

element!(ApplicationSid, "ApplicationSid", [text], in [Application]);

/// A name and a value for the other side.
///
/// `<Parameter>`, a noun. Stands in `Application`, `Client`, `ConversationRelay`, `Hangup`, `Pay`,
/// `Reject`, `Siprec`, `Stream`, `Transcription`, `VirtualAgent`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Parameter(Markup);

impl Parameter {
    /// `<Parameter>` with nothing set.
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

element!(Parameter, "Parameter", [default], in [Application, Client, ConversationRelay, Hangup, Pay, Reject, Siprec, Stream, Transcription, VirtualAgent]);
