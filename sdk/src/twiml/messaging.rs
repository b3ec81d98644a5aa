// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! The document that answers a message, and what it holds.

use crate::twiml::element::{IntoElement, element, root};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::Method;

/// What a message is answered: nothing, or messages one after the other.
///
/// `<Response>`, a root. Holds `Message`, `Redirect`. Empty is allowed: no reply is sent.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Reply(Markup);

impl Reply {
    /// A document with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds `<Message>`: text or a [`Message`].
    pub fn message(mut self, child: impl IntoElement<Message>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Redirect>`: a link or a [`Redirect`].
    pub fn redirect(mut self, child: impl IntoElement<Redirect>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

root!(Reply);

/// Sends a message, to who wrote unless `to` says otherwise.
///
/// `<Message>`, a verb. Stands in `Reply`. Holds `Body`, `Media`. At most 10 Message replies to one
/// incoming message (warning 14109). Give the body as text or as a Body child.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Message(Markup);

impl Message {
    /// `<Message>` with its text.
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

    /// `action`: a link; set action and statusCallback to the same URL; see webhooks.md, Message
    /// action.
    pub fn action<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(0, " action=\"", value.into().as_str());
        self
    }

    /// `from`: text.
    pub fn from(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " from=\"", value.as_ref());
        self
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(2, " method=\"", value.as_str());
        self
    }

    /// `statusCallback`: a link.
    #[deprecated(note = "use action")]
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(3, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `to`: text.
    pub fn to(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(4, " to=\"", value.as_ref());
        self
    }

    /// Adds `<Body>`: text or a [`Body`].
    pub fn body(mut self, child: impl IntoElement<Body>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Media>`: a link or a [`Media`].
    pub fn media(mut self, child: impl IntoElement<Media>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Message, "Message", [default, text], in [Reply]);

/// The text of a message that has media too.
///
/// `<Body>`, a noun. Stands in `Message`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Body(Markup);

impl Body {
    /// `<Body>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<Body", 128));
        element.0.text(text.as_ref());
        element
    }
}

element!(Body, "Body", [text], in [Message]);

/// A picture or another file, by its address.
///
/// `<Media>`, a noun. Stands in `Message`. Up to 10 per Message.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Media(Markup);

impl Media {
    /// `<Media>` with its link.
    pub fn new<'a>(link: impl Into<Link<'a>>) -> Self {
        let mut element = Self(Markup::open("<Media", 128));
        element.0.text(link.into().as_str());
        element
    }
}

element!(Media, "Media", [text, link], in [Message]);

/// Goes on with the document at a link.
///
/// `<Redirect>`, a verb. Stands in `Reply`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Redirect(Markup);

impl Redirect {
    /// `<Redirect>` with its link.
    pub fn new<'a>(link: impl Into<Link<'a>>) -> Self {
        let mut element = Self(Markup::open("<Redirect", 128));
        element.0.text(link.into().as_str());
        element
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(0, " method=\"", value.as_str());
        self
    }
}

element!(Redirect, "Redirect", [text, link], in [Reply]);
