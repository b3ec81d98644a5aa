// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Speech as text over a WebSocket.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::markup::Markup;
use crate::twiml::value::Decimal;
use crate::twiml::values::{InterruptMode, InterruptSensitivity, OnOffAuto};
use crate::twiml::voice::{Connect, Parameter};

/// Turns speech into text for a WebSocket and the answers into speech.
///
/// `<ConversationRelay>`, a noun. Stands in `Connect`. Holds `Language`, `Parameter`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct ConversationRelay(Markup);

impl ConversationRelay {
    /// `<ConversationRelay>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `applicationReconnect`: true or false. Default: `false`.
    pub fn application_reconnect(mut self, value: bool) -> Self {
        self.0.bool_attribute(0, " applicationReconnect=\"", value);
        self
    }

    /// `asrSmartFormat`: true or false.
    pub fn asr_smart_format(mut self, value: bool) -> Self {
        self.0.bool_attribute(1, " asrSmartFormat=\"", value);
        self
    }

    /// `backgroundNoiseReduction`: text.
    pub fn background_noise_reduction(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(2, " backgroundNoiseReduction=\"", value.as_ref());
        self
    }

    /// `backgroundnoisereduction`: text. Another spelling of `backgroundNoiseReduction`, which is the
    /// one to prefer.
    pub fn backgroundnoisereduction(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(3, " backgroundnoisereduction=\"", value.as_ref());
        self
    }

    /// `customerName`: text.
    pub fn customer_name(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(4, " customerName=\"", value.as_ref());
        self
    }

    /// `debug`: text.
    pub fn debug(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(5, " debug=\"", value.as_ref());
        self
    }

    /// `deepgramSmartFormat`: true or false; asrSmartFormat wins when both are set.
    pub fn deepgram_smart_format(mut self, value: bool) -> Self {
        self.0.bool_attribute(6, " deepgramSmartFormat=\"", value);
        self
    }

    /// `deepgramsmartformat`: text. Another spelling of `deepgramSmartFormat`, which is the one to
    /// prefer.
    pub fn deepgramsmartformat(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(7, " deepgramsmartformat=\"", value.as_ref());
        self
    }

    /// `dtmfDetection`: true or false.
    pub fn dtmf_detection(mut self, value: bool) -> Self {
        self.0.bool_attribute(8, " dtmfDetection=\"", value);
        self
    }

    /// `eagerEotThreshold`: a decimal number, 0.3 to 0.9.
    pub fn eager_eot_threshold(mut self, value: impl Into<Decimal>) -> Self {
        self.0.decimal_attribute(9, " eagerEotThreshold=\"", value.into());
        self
    }

    /// `echoPromptFiltering`: true or false. Default: `false`.
    pub fn echo_prompt_filtering(mut self, value: bool) -> Self {
        self.0.bool_attribute(10, " echoPromptFiltering=\"", value);
        self
    }

    /// `elevenlabsLanguageTextNormalization`: text.
    #[deprecated(note = "older name of ttsLanguageTextNormalization")]
    pub fn elevenlabs_language_text_normalization(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(11, " elevenlabsLanguageTextNormalization=\"", value.as_ref());
        self
    }

    /// `elevenlabsTextNormalization`: text; ttsTextNormalization wins when both are set.
    pub fn elevenlabs_text_normalization(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(12, " elevenlabsTextNormalization=\"", value.as_ref());
        self
    }

    /// `events`: text.
    pub fn events(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(13, " events=\"", value.as_ref());
        self
    }

    /// `hints`: text.
    pub fn hints(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(14, " hints=\"", value.as_ref());
        self
    }

    /// `ignoreBackchannel`: true or false.
    pub fn ignore_backchannel(mut self, value: bool) -> Self {
        self.0.bool_attribute(15, " ignoreBackchannel=\"", value);
        self
    }

    /// `ignorebackchannel`: text. Another spelling of `ignoreBackchannel`, which is the one to prefer.
    pub fn ignorebackchannel(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(16, " ignorebackchannel=\"", value.as_ref());
        self
    }

    /// `includeInPrompt`: text.
    pub fn include_in_prompt(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(17, " includeInPrompt=\"", value.as_ref());
        self
    }

    /// `intelligenceService`: text.
    pub fn intelligence_service(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(18, " intelligenceService=\"", value.as_ref());
        self
    }

    /// `interruptSensitivity`: a word.
    pub fn interrupt_sensitivity(mut self, value: InterruptSensitivity) -> Self {
        self.0.word_attribute(19, " interruptSensitivity=\"", value.as_str());
        self
    }

    /// `interruptible`: a word.
    pub fn interruptible<'a>(mut self, value: impl Into<InterruptMode<'a>>) -> Self {
        self.0.text_attribute(20, " interruptible=\"", value.into().as_str());
        self
    }

    /// `language`: text.
    pub fn language(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(21, " language=\"", value.as_ref());
        self
    }

    /// `partialPromptOnHangup`: true or false.
    pub fn partial_prompt_on_hangup(mut self, value: bool) -> Self {
        self.0.bool_attribute(22, " partialPromptOnHangup=\"", value);
        self
    }

    /// `partialPrompts`: true or false.
    pub fn partial_prompts(mut self, value: bool) -> Self {
        self.0.bool_attribute(23, " partialPrompts=\"", value);
        self
    }

    /// `preemptible`: true or false.
    pub fn preemptible(mut self, value: bool) -> Self {
        self.0.bool_attribute(24, " preemptible=\"", value);
        self
    }

    /// `profanityFilter`: true or false.
    pub fn profanity_filter(mut self, value: bool) -> Self {
        self.0.bool_attribute(25, " profanityFilter=\"", value);
        self
    }

    /// `reportInputDuringAgentSpeech`: true or false.
    pub fn report_input_during_agent_speech(mut self, value: bool) -> Self {
        self.0.bool_attribute(26, " reportInputDuringAgentSpeech=\"", value);
        self
    }

    /// `speechModel`: text.
    pub fn speech_model(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(27, " speechModel=\"", value.as_ref());
        self
    }

    /// `speechTimeout`: text.
    pub fn speech_timeout(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(28, " speechTimeout=\"", value.as_ref());
        self
    }

    /// `speechtimeout`: text. Another spelling of `speechTimeout`, which is the one to prefer.
    pub fn speechtimeout(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(29, " speechtimeout=\"", value.as_ref());
        self
    }

    /// `transcriptionLanguage`: text.
    pub fn transcription_language(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(30, " transcriptionLanguage=\"", value.as_ref());
        self
    }

    /// `transcriptionProvider`: text.
    pub fn transcription_provider(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(31, " transcriptionProvider=\"", value.as_ref());
        self
    }

    /// `ttsLanguage`: text.
    pub fn tts_language(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(32, " ttsLanguage=\"", value.as_ref());
        self
    }

    /// `ttsLanguageTextNormalization`: true or false.
    pub fn tts_language_text_normalization(mut self, value: bool) -> Self {
        self.0.bool_attribute(33, " ttsLanguageTextNormalization=\"", value);
        self
    }

    /// `ttsProvider`: text.
    pub fn tts_provider(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(34, " ttsProvider=\"", value.as_ref());
        self
    }

    /// `ttsTextNormalization`: a word.
    pub fn tts_text_normalization(mut self, value: OnOffAuto) -> Self {
        self.0.word_attribute(35, " ttsTextNormalization=\"", value.as_str());
        self
    }

    /// `turnDetection`: true or false. Default: `false`.
    pub fn turn_detection(mut self, value: bool) -> Self {
        self.0.bool_attribute(36, " turnDetection=\"", value);
        self
    }

    /// `url`: an address, beginning with `wss://`.
    pub fn url(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(37, " url=\"", value.as_ref());
        self
    }

    /// `voice`: text.
    pub fn voice(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(38, " voice=\"", value.as_ref());
        self
    }

    /// `welcomeGreeting`: text.
    pub fn welcome_greeting(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(39, " welcomeGreeting=\"", value.as_ref());
        self
    }

    /// `welcomeGreetingInterruptible`: a word.
    pub fn welcome_greeting_interruptible<'a>(mut self, value: impl Into<InterruptMode<'a>>) -> Self {
        self.0.text_attribute(40, " welcomeGreetingInterruptible=\"", value.into().as_str());
        self
    }

    /// Adds `<Language>`: a [`Language`].
    pub fn add_language(mut self, child: impl IntoElement<Language>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Parameter>`: a [`Parameter`].
    pub fn parameter(mut self, child: impl IntoElement<Parameter>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(ConversationRelay, "ConversationRelay", [default], in [Connect]);

/// How one language is recognised and spoken.
///
/// `<Language>`, a noun. Stands in `ConversationRelay`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Language(Markup);

impl Language {
    /// `<Language>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `asrSmartFormat`: text.
    pub fn asr_smart_format(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(0, " asrSmartFormat=\"", value.as_ref());
        self
    }

    /// `code`: text.
    pub fn code(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " code=\"", value.as_ref());
        self
    }

    /// `hints`: text.
    pub fn hints(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(2, " hints=\"", value.as_ref());
        self
    }

    /// `speechModel`: text.
    pub fn speech_model(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(3, " speechModel=\"", value.as_ref());
        self
    }

    /// `transcriptionProvider`: text.
    pub fn transcription_provider(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(4, " transcriptionProvider=\"", value.as_ref());
        self
    }

    /// `ttsLanguageTextNormalization`: text.
    pub fn tts_language_text_normalization(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(5, " ttsLanguageTextNormalization=\"", value.as_ref());
        self
    }

    /// `ttsProvider`: text.
    pub fn tts_provider(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(6, " ttsProvider=\"", value.as_ref());
        self
    }

    /// `ttsTextNormalization`: a word.
    pub fn tts_text_normalization(mut self, value: OnOffAuto) -> Self {
        self.0.word_attribute(7, " ttsTextNormalization=\"", value.as_str());
        self
    }

    /// `voice`: text.
    pub fn voice(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(8, " voice=\"", value.as_ref());
        self
    }
}

element!(Language, "Language", [default], in [ConversationRelay]);
