// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! The document that answers a fax.

use crate::twiml::element::{IntoElement, element, root};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::{FaxMediaType, FaxPageSize, Method};

/// What happens with an incoming fax.
///
/// `<Response>`, a root. Holds `Receive`. The fax product is retired; the builders still carry it.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Document(Markup);

impl Document {
    /// A document with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds `<Receive>`: a [`Receive`].
    pub fn receive(mut self, child: impl IntoElement<Receive>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

root!(Document);

/// Takes the fax.
///
/// `<Receive>`, a verb. Stands in `Document`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Receive(Markup);

impl Receive {
    /// `<Receive>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `action`: a link.
    pub fn action<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(0, " action=\"", value.into().as_str());
        self
    }

    /// `mediaType`: a word.
    pub fn media_type(mut self, value: FaxMediaType) -> Self {
        self.0.word_attribute(1, " mediaType=\"", value.as_str());
        self
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(2, " method=\"", value.as_str());
        self
    }

    /// `pageSize`: a word.
    pub fn page_size(mut self, value: FaxPageSize) -> Self {
        self.0.word_attribute(3, " pageSize=\"", value.as_str());
        self
    }

    /// `storeMedia`: true or false.
    pub fn store_media(mut self, value: bool) -> Self {
        self.0.bool_attribute(4, " storeMedia=\"", value);
        self
    }
}

element!(Receive, "Receive", [default], in [Document]);
