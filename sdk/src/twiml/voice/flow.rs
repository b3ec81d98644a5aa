// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Where a call goes on, and where it ends.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::{Method, RejectReason};
use crate::twiml::voice::{Document, Parameter};

/// Goes on with the document at a link.
///
/// `<Redirect>`, a verb. Stands in `Document`. Verbs after it are unreachable. Empty text
/// re-requests the current document.
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

element!(Redirect, "Redirect", [text, link], in [Document]);

/// Ends the call.
///
/// `<Hangup>`, a verb. Stands in `Document`. Holds `Parameter`. Ends the call.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Hangup(Markup);

impl Hangup {
    /// `<Hangup>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `<Parameter>`: a [`Parameter`].
    pub fn parameter(mut self, child: impl IntoElement<Parameter>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Hangup, "Hangup", [default], in [Document]);

/// Refuses the call without answering it.
///
/// `<Reject>`, a verb. Stands in `Document`. Holds `Parameter`. Must be the first verb to avoid
/// billing; ends the call.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Reject(Markup);

impl Reject {
    /// `<Reject>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `reason`: a word. Default: `rejected`.
    pub fn reason(mut self, value: RejectReason) -> Self {
        self.0.word_attribute(0, " reason=\"", value.as_str());
        self
    }

    /// Adds `<Parameter>`: a [`Parameter`].
    pub fn parameter(mut self, child: impl IntoElement<Parameter>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Reject, "Reject", [default], in [Document]);

/// Sends the caller's own voice back, as a test.
///
/// `<Echo>`, a verb. Stands in `Document`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Echo(Markup);

impl Echo {
    /// `<Echo>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }
}

element!(Echo, "Echo", [default], in [Document]);

/// Sends a text message.
///
/// `<Sms>`, a verb. Stands in `Document`.
///
/// Outdated: superseded by the messaging API; not available in every region.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Sms(Markup);

impl Sms {
    /// `<Sms>` with its text.
    #[deprecated(note = "superseded by the messaging API; not available in every region")]
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<Sms", 128));
        element.0.text(text.as_ref());
        element
    }

    /// `action`: a link.
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
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(3, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `to`: text.
    pub fn to(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(4, " to=\"", value.as_ref());
        self
    }
}

element!(Sms, "Sms", [text], in [Document]);
