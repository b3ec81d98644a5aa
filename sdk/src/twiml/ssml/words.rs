// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! How single words are read, and pauses between them.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::markup::Markup;
use crate::twiml::ssml::{Lang, P, Prosody, S};
use crate::twiml::values::{
    SsmlBreakStrength, SsmlEmphasisLevel, SsmlPhonemeAlphabet, SsmlSayAsFormat, SsmlSayAsInterpretAs,
};
use crate::twiml::voice::Say;

/// A pause between words.
///
/// `<break>`, speech markup. Stands in `Say`, `Emphasis`, `Lang`, `P`, `Prosody`, `S`, `W`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Break(Markup);

impl Break {
    /// `<break>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `strength`: a word.
    pub fn strength(mut self, value: SsmlBreakStrength) -> Self {
        self.0.word_attribute(0, " strength=\"", value.as_str());
        self
    }

    /// `time`: text; a number then s or ms.
    pub fn time(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " time=\"", value.as_ref());
        self
    }
}

element!(Break, "break", [default], in [Emphasis, Lang, P, Prosody, S, Say, W]);

/// Words with weight.
///
/// `<emphasis>`, speech markup. Stands in `Say`, `Emphasis`, `Lang`, `P`, `Prosody`, `S`, `W`.
/// Holds `Break`, `Emphasis`, `Lang`, `Phoneme`, `Prosody`, `SayAs`, `Sub`, `W`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Emphasis(Markup);

impl Emphasis {
    /// `<emphasis>` with its text.
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

    /// `level`: a word.
    pub fn level(mut self, value: SsmlEmphasisLevel) -> Self {
        self.0.word_attribute(0, " level=\"", value.as_str());
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

element!(Emphasis, "emphasis", [default, text], in [Emphasis, Lang, P, Prosody, S, Say, W]);

/// A word whose part of speech is told.
///
/// `<w>`, speech markup. Stands in `Say`, `Emphasis`, `Lang`, `P`, `Prosody`, `S`. Holds `Break`,
/// `Emphasis`, `Phoneme`, `Prosody`, `SayAs`, `Sub`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct W(Markup);

impl W {
    /// `<w>` with its text.
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

    /// `role`: text.
    pub fn role(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " role=\"", value.as_ref());
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
}

element!(W, "w", [default, text], in [Emphasis, Lang, P, Prosody, S, Say]);

/// Words with their pronunciation.
///
/// `<phoneme>`, speech markup. Stands in `Say`, `Emphasis`, `Lang`, `P`, `Prosody`, `S`, `W`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Phoneme(Markup);

impl Phoneme {
    /// `<phoneme>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<phoneme", 128));
        element.0.text(text.as_ref());
        element
    }

    /// `alphabet`: a word.
    pub fn alphabet(mut self, value: SsmlPhonemeAlphabet) -> Self {
        self.0.word_attribute(0, " alphabet=\"", value.as_str());
        self
    }

    /// `ph`: text.
    pub fn ph(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " ph=\"", value.as_ref());
        self
    }
}

element!(Phoneme, "phoneme", [text], in [Emphasis, Lang, P, Prosody, S, Say, W]);

/// Something that is read as a date, digits, letters and so on.
///
/// `<say-as>`, speech markup. Stands in `Say`, `Emphasis`, `Lang`, `P`, `Prosody`, `S`, `W`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct SayAs(Markup);

impl SayAs {
    /// `<say-as>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<say-as", 128));
        element.0.text(text.as_ref());
        element
    }

    /// `format`: a word.
    pub fn format(mut self, value: SsmlSayAsFormat) -> Self {
        self.0.word_attribute(0, " format=\"", value.as_str());
        self
    }

    /// `interpret-as`: a word.
    pub fn interpret_as(mut self, value: SsmlSayAsInterpretAs) -> Self {
        self.0.word_attribute(1, " interpret-as=\"", value.as_str());
        self
    }
}

element!(SayAs, "say-as", [text], in [Emphasis, Lang, P, Prosody, S, Say, W]);

/// Something that is read as something else: `alias`.
///
/// `<sub>`, speech markup. Stands in `Say`, `Emphasis`, `Lang`, `P`, `Prosody`, `S`, `W`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Sub(Markup);

impl Sub {
    /// `<sub>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<sub", 128));
        element.0.text(text.as_ref());
        element
    }

    /// `alias`: text.
    pub fn alias(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " alias=\"", value.as_ref());
        self
    }
}

element!(Sub, "sub", [text], in [Emphasis, Lang, P, Prosody, S, Say, W]);
