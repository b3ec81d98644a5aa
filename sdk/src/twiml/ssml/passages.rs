// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! How longer passages are read.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::markup::Markup;
use crate::twiml::ssml::{Break, Emphasis, Phoneme, SayAs, Sub, W};
use crate::twiml::values::{ProsodyPitch, ProsodyRate, ProsodyVolume, SsmlLanguage};
use crate::twiml::voice::Say;

/// A paragraph.
///
/// `<p>`, speech markup. Stands in `Say`, `Lang`, `Prosody`. Holds `Break`, `Emphasis`, `Lang`,
/// `Phoneme`, `Prosody`, `S`, `SayAs`, `Sub`, `W`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct P(Markup);

impl P {
    /// `<p>` with its text.
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

    /// Adds `<break>`. With more to it: `child(Break::new())`.
    pub fn break_(self) -> Self {
        self.child(Break::new())
    }

    /// Adds `<emphasis>`: text or an [`Emphasis`].
    pub fn emphasis(mut self, child: impl IntoElement<Emphasis>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<lang>`: text or a [`Lang`].
    pub fn lang(mut self, child: impl IntoElement<Lang>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<phoneme>`: text or a [`Phoneme`].
    pub fn phoneme(mut self, child: impl IntoElement<Phoneme>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<prosody>`: text or a [`Prosody`].
    pub fn prosody(mut self, child: impl IntoElement<Prosody>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<s>`: text or a [`S`].
    pub fn s(mut self, child: impl IntoElement<S>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<say-as>`: text or a [`SayAs`].
    pub fn say_as(mut self, child: impl IntoElement<SayAs>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<sub>`: text or a [`Sub`].
    pub fn sub_(mut self, child: impl IntoElement<Sub>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<w>`: text or a [`W`].
    pub fn w(mut self, child: impl IntoElement<W>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(P, "p", [default, text], in [Lang, Prosody, Say]);

/// A sentence.
///
/// `<s>`, speech markup. Stands in `Say`, `Lang`, `P`, `Prosody`. Holds `Break`, `Emphasis`,
/// `Lang`, `Phoneme`, `Prosody`, `SayAs`, `Sub`, `W`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct S(Markup);

impl S {
    /// `<s>` with its text.
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

    /// Adds `<break>`. With more to it: `child(Break::new())`.
    pub fn break_(self) -> Self {
        self.child(Break::new())
    }

    /// Adds `<emphasis>`: text or an [`Emphasis`].
    pub fn emphasis(mut self, child: impl IntoElement<Emphasis>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<lang>`: text or a [`Lang`].
    pub fn lang(mut self, child: impl IntoElement<Lang>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<phoneme>`: text or a [`Phoneme`].
    pub fn phoneme(mut self, child: impl IntoElement<Phoneme>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<prosody>`: text or a [`Prosody`].
    pub fn prosody(mut self, child: impl IntoElement<Prosody>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<say-as>`: text or a [`SayAs`].
    pub fn say_as(mut self, child: impl IntoElement<SayAs>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<sub>`: text or a [`Sub`].
    pub fn sub_(mut self, child: impl IntoElement<Sub>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<w>`: text or a [`W`].
    pub fn w(mut self, child: impl IntoElement<W>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(S, "s", [default, text], in [Lang, P, Prosody, Say]);

/// Words in another language.
///
/// `<lang>`, speech markup. Stands in `Say`, `Emphasis`, `Lang`, `P`, `Prosody`, `S`. Holds
/// `Break`, `Emphasis`, `Lang`, `P`, `Phoneme`, `Prosody`, `S`, `SayAs`, `Sub`, `W`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Lang(Markup);

impl Lang {
    /// `<lang>` with its text.
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

    /// `xml:lang`: a word.
    pub fn xml_lang<'a>(mut self, value: impl Into<SsmlLanguage<'a>>) -> Self {
        self.0.text_attribute(0, " xml:lang=\"", value.into().as_str());
        self
    }

    /// Adds `<break>`. With more to it: `child(Break::new())`.
    pub fn break_(self) -> Self {
        self.child(Break::new())
    }

    /// Adds `<emphasis>`: text or an [`Emphasis`].
    pub fn emphasis(mut self, child: impl IntoElement<Emphasis>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<lang>`: text or a [`Lang`].
    pub fn lang(mut self, child: impl IntoElement<Lang>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<p>`: text or a [`P`].
    pub fn p(mut self, child: impl IntoElement<P>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<phoneme>`: text or a [`Phoneme`].
    pub fn phoneme(mut self, child: impl IntoElement<Phoneme>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<prosody>`: text or a [`Prosody`].
    pub fn prosody(mut self, child: impl IntoElement<Prosody>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<s>`: text or a [`S`].
    pub fn s(mut self, child: impl IntoElement<S>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<say-as>`: text or a [`SayAs`].
    pub fn say_as(mut self, child: impl IntoElement<SayAs>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<sub>`: text or a [`Sub`].
    pub fn sub_(mut self, child: impl IntoElement<Sub>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<w>`: text or a [`W`].
    pub fn w(mut self, child: impl IntoElement<W>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Lang, "lang", [default, text], in [Emphasis, Lang, P, Prosody, S, Say]);

/// Words louder, higher or faster.
///
/// `<prosody>`, speech markup. Stands in `Say`, `Emphasis`, `Lang`, `P`, `Prosody`, `S`, `W`. Holds
/// `Break`, `Emphasis`, `Lang`, `P`, `Phoneme`, `Prosody`, `S`, `SayAs`, `Sub`, `W`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Prosody(Markup);

impl Prosody {
    /// `<prosody>` with its text.
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

    /// `pitch`: a word.
    pub fn pitch<'a>(mut self, value: impl Into<ProsodyPitch<'a>>) -> Self {
        self.0.text_attribute(0, " pitch=\"", value.into().as_str());
        self
    }

    /// `rate`: a word.
    pub fn rate<'a>(mut self, value: impl Into<ProsodyRate<'a>>) -> Self {
        self.0.text_attribute(1, " rate=\"", value.into().as_str());
        self
    }

    /// `volume`: a word.
    pub fn volume<'a>(mut self, value: impl Into<ProsodyVolume<'a>>) -> Self {
        self.0.text_attribute(2, " volume=\"", value.into().as_str());
        self
    }

    /// Adds `<break>`. With more to it: `child(Break::new())`.
    pub fn break_(self) -> Self {
        self.child(Break::new())
    }

    /// Adds `<emphasis>`: text or an [`Emphasis`].
    pub fn emphasis(mut self, child: impl IntoElement<Emphasis>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<lang>`: text or a [`Lang`].
    pub fn lang(mut self, child: impl IntoElement<Lang>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<p>`: text or a [`P`].
    pub fn p(mut self, child: impl IntoElement<P>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<phoneme>`: text or a [`Phoneme`].
    pub fn phoneme(mut self, child: impl IntoElement<Phoneme>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<prosody>`: text or a [`Prosody`].
    pub fn prosody(mut self, child: impl IntoElement<Prosody>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<s>`: text or a [`S`].
    pub fn s(mut self, child: impl IntoElement<S>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<say-as>`: text or a [`SayAs`].
    pub fn say_as(mut self, child: impl IntoElement<SayAs>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<sub>`: text or a [`Sub`].
    pub fn sub_(mut self, child: impl IntoElement<Sub>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<w>`: text or a [`W`].
    pub fn w(mut self, child: impl IntoElement<W>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Prosody, "prosody", [default, text], in [Emphasis, Lang, P, Prosody, S, Say, W]);
