// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Collecting digits and speech.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::{GatherInput, GatherLanguage, Method, SpeechModel};
use crate::twiml::voice::{Document, Pause, Play, Say};

/// Collects keys or speech while what is inside is heard. The result comes with the next webhook,
/// to `action`; without any input the verb after it is next.
///
/// `<Gather>`, a verb. Stands in `Document`. Holds `Pause`, `Play`, `Say`. May nest only Say, Play
/// and Pause.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Gather(Markup);

impl Gather {
    /// `<Gather>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `action`: a link. Default: current document URL.
    pub fn action<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(0, " action=\"", value.into().as_str());
        self
    }

    /// `actionOnEmptyResult`: true or false. Default: `false`.
    pub fn action_on_empty_result(mut self, value: bool) -> Self {
        self.0.bool_attribute(1, " actionOnEmptyResult=\"", value);
        self
    }

    /// `bargeIn`: true or false; in the builders, not in the public attribute table.
    pub fn barge_in(mut self, value: bool) -> Self {
        self.0.bool_attribute(2, " bargeIn=\"", value);
        self
    }

    /// `debug`: true or false; in the builders, not in the public attribute table.
    pub fn debug(mut self, value: bool) -> Self {
        self.0.bool_attribute(3, " debug=\"", value);
        self
    }

    /// `enhanced`: true or false. Default: `false`.
    #[deprecated(note = "tied to the retired first-generation speech model")]
    pub fn enhanced(mut self, value: bool) -> Self {
        self.0.bool_attribute(4, " enhanced=\"", value);
        self
    }

    /// `finishOnKey`: text; one of 0-9 # * or the empty string (no key ends input). Default: `#`.
    pub fn finish_on_key(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(5, " finishOnKey=\"", value.as_ref());
        self
    }

    /// `hints`: text; comma-separated, up to 500 entries of up to 100 characters.
    pub fn hints(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(6, " hints=\"", value.as_ref());
        self
    }

    /// `input`: one word or several. Default: `dtmf`.
    pub fn input(mut self, value: impl IntoIterator<Item = GatherInput>) -> Self {
        self.0.words_attribute(7, " input=\"", value.into_iter().map(GatherInput::as_str));
        self
    }

    /// `language`: a word. Default: `en-US`.
    pub fn language<'a>(mut self, value: impl Into<GatherLanguage<'a>>) -> Self {
        self.0.text_attribute(8, " language=\"", value.into().as_str());
        self
    }

    /// `maxSpeechTime`: a whole number; seconds.
    pub fn max_speech_time(mut self, value: u32) -> Self {
        self.0.number_attribute(9, " maxSpeechTime=\"", value);
        self
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(10, " method=\"", value.as_str());
        self
    }

    /// `numDigits`: a whole number, 1 or more; unlimited when absent.
    pub fn num_digits(mut self, value: u32) -> Self {
        self.0.number_attribute(11, " numDigits=\"", value);
        self
    }

    /// `partialResultCallback`: a link.
    pub fn partial_result_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(12, " partialResultCallback=\"", value.into().as_str());
        self
    }

    /// `partialResultCallbackMethod`: a word. Default: `POST`.
    pub fn partial_result_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(13, " partialResultCallbackMethod=\"", value.as_str());
        self
    }

    /// `profanityFilter`: true or false. Default: `true`.
    pub fn profanity_filter(mut self, value: bool) -> Self {
        self.0.bool_attribute(14, " profanityFilter=\"", value);
        self
    }

    /// `speechModel`: a word. Default: `default`.
    pub fn speech_model<'a>(mut self, value: impl Into<SpeechModel<'a>>) -> Self {
        self.0.text_attribute(15, " speechModel=\"", value.into().as_str());
        self
    }

    /// `speechTimeout`: text; positive integer or the word auto. Default: value of timeout.
    pub fn speech_timeout(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(16, " speechTimeout=\"", value.as_ref());
        self
    }

    /// `timeout`: a whole number, 1 or more; seconds. Default: `5`.
    pub fn timeout(mut self, value: u32) -> Self {
        self.0.number_attribute(17, " timeout=\"", value);
        self
    }

    /// Adds `<Pause>`: a [`Pause`].
    pub fn pause(mut self, child: impl IntoElement<Pause>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Play>`: a link or a [`Play`].
    pub fn play(mut self, child: impl IntoElement<Play>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Say>`: text or a [`Say`].
    pub fn say(mut self, child: impl IntoElement<Say>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Gather, "Gather", [default], in [Document]);
