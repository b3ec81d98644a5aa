// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! What the caller hears: speech, sound, silence.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::ssml::{Break, Emphasis, Lang, P, Phoneme, Prosody, S, SayAs, Sub, W};
use crate::twiml::values::{SayLanguage, Voice};
use crate::twiml::voice::{Document, Gather, Prompt};

/// Reads text to the caller. Speech markup may stand between the words.
///
/// `<Say>`, a verb. Stands in `Gather`, `Prompt`, `Document`. Holds `ssml::Break`,
/// `ssml::Emphasis`, `ssml::Lang`, `ssml::P`, `ssml::Phoneme`, `ssml::Prosody`, `ssml::S`,
/// `ssml::SayAs`, `ssml::Sub`, `ssml::W`. Text limit 4096 characters (warning 13521). SSML children
/// are lower-case tags.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Say(Markup);

impl Say {
    /// `<Say>` with its text.
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

    /// `language`: a word.
    pub fn language<'a>(mut self, value: impl Into<SayLanguage<'a>>) -> Self {
        self.0.text_attribute(0, " language=\"", value.into().as_str());
        self
    }

    /// `loop`: a whole number, 0 or more; 0 repeats until hang-up. Default: `1`.
    pub fn loop_(mut self, value: u32) -> Self {
        self.0.number_attribute(1, " loop=\"", value);
        self
    }

    /// `voice`: a word.
    pub fn voice<'a>(mut self, value: impl Into<Voice<'a>>) -> Self {
        self.0.text_attribute(2, " voice=\"", value.into().as_str());
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

element!(Say, "Say", [default, text], in [Document, Gather, Prompt]);

/// Plays a sound file, or sends key tones with `digits`.
///
/// `<Play>`, a verb. Stands in `Gather`, `Prompt`, `Document`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Play(Markup);

impl Play {
    /// `<Play>` with its link.
    /// `default` makes one without.
    pub fn new<'a>(link: impl Into<Link<'a>>) -> Self {
        let mut element = Self::default();
        element.0.text(link.into().as_str());
        element
    }

    /// `digits`: text; DTMF: 0-9 # * and w for a half-second wait.
    pub fn digits(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " digits=\"", value.as_ref());
        self
    }

    /// `loop`: a whole number, 0 or more; 0 repeats until hang-up. Default: `1`.
    pub fn loop_(mut self, value: u32) -> Self {
        self.0.number_attribute(1, " loop=\"", value);
        self
    }
}

element!(Play, "Play", [default, text, link], in [Document, Gather, Prompt]);

/// Waits in silence.
///
/// `<Pause>`, a verb. Stands in `Gather`, `Prompt`, `Document`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Pause(Markup);

impl Pause {
    /// `<Pause>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `length`: a whole number, 1 or more; seconds. Default: `1`.
    pub fn length(mut self, value: u32) -> Self {
        self.0.number_attribute(0, " length=\"", value);
        self
    }
}

element!(Pause, "Pause", [default], in [Document, Gather, Prompt]);
