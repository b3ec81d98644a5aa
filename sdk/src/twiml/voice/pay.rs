// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Payments.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::value::Decimal;
use crate::twiml::values::{
    CardType, Method, PayBankAccountType, PayInput, PayLanguage, PayPaymentMethod, PayTokenType,
    PromptErrorType, PromptFor,
};
use crate::twiml::voice::{Document, Parameter, Pause, Play, Say};

/// Takes card or bank data from the caller and has them charged or kept.
///
/// `<Pay>`, a verb. Stands in `Document`. Holds `Parameter`, `Prompt`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Pay(Markup);

impl Pay {
    /// `<Pay>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `action`: a link; https only. Default: current document URL.
    pub fn action<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(0, " action=\"", value.into().as_str());
        self
    }

    /// `bankAccountType`: a word. Default: `consumer-checking`.
    pub fn bank_account_type(mut self, value: PayBankAccountType) -> Self {
        self.0.word_attribute(1, " bankAccountType=\"", value.as_str());
        self
    }

    /// `chargeAmount`: a decimal number, 0 to 1000000.
    pub fn charge_amount(mut self, value: impl Into<Decimal>) -> Self {
        self.0.decimal_attribute(2, " chargeAmount=\"", value.into());
        self
    }

    /// `currency`: text. Default: `usd`.
    pub fn currency(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(3, " currency=\"", value.as_ref());
        self
    }

    /// `description`: text.
    pub fn description(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(4, " description=\"", value.as_ref());
        self
    }

    /// `input`: a word. Default: `dtmf`.
    pub fn input(mut self, value: PayInput) -> Self {
        self.0.word_attribute(5, " input=\"", value.as_str());
        self
    }

    /// `language`: a word. Default: `en-US`.
    pub fn language<'a>(mut self, value: impl Into<PayLanguage<'a>>) -> Self {
        self.0.text_attribute(6, " language=\"", value.into().as_str());
        self
    }

    /// `maxAttempts`: a whole number, 1 to 3.
    pub fn max_attempts(mut self, value: u32) -> Self {
        self.0.number_attribute(7, " maxAttempts=\"", value);
        self
    }

    /// `minPostalCodeLength`: a whole number.
    pub fn min_postal_code_length(mut self, value: u32) -> Self {
        self.0.number_attribute(8, " minPostalCodeLength=\"", value);
        self
    }

    /// `paymentConnector`: text. Default: `Default`.
    pub fn payment_connector(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(9, " paymentConnector=\"", value.as_ref());
        self
    }

    /// `paymentMethod`: a word. Default: `credit-card`.
    pub fn payment_method(mut self, value: PayPaymentMethod) -> Self {
        self.0.word_attribute(10, " paymentMethod=\"", value.as_str());
        self
    }

    /// `postalCode`: text; true, false, or a default postal code. Default: `true`.
    pub fn postal_code(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(11, " postalCode=\"", value.as_ref());
        self
    }

    /// `securityCode`: true or false. Default: `true`.
    pub fn security_code(mut self, value: bool) -> Self {
        self.0.bool_attribute(12, " securityCode=\"", value);
        self
    }

    /// `statusCallback`: a link.
    pub fn status_callback<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(13, " statusCallback=\"", value.into().as_str());
        self
    }

    /// `statusCallbackMethod`: a word.
    pub fn status_callback_method(mut self, value: Method) -> Self {
        self.0.word_attribute(14, " statusCallbackMethod=\"", value.as_str());
        self
    }

    /// `timeout`: a whole number, 1 or more. Default: `5`.
    pub fn timeout(mut self, value: u32) -> Self {
        self.0.number_attribute(15, " timeout=\"", value);
        self
    }

    /// `tokenType`: a word. Default: `reusable`.
    pub fn token_type(mut self, value: PayTokenType) -> Self {
        self.0.word_attribute(16, " tokenType=\"", value.as_str());
        self
    }

    /// `validCardTypes`: one word or several; space-separated on the wire, although the builders
    /// describe it as comma-separated. Default: `visa mastercard amex`.
    pub fn valid_card_types(mut self, value: impl IntoIterator<Item = CardType>) -> Self {
        self.0.words_attribute(17, " validCardTypes=\"", value.into_iter().map(CardType::as_str));
        self
    }

    /// Adds `<Parameter>`: a [`Parameter`].
    pub fn parameter(mut self, child: impl IntoElement<Parameter>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Prompt>`: a [`Prompt`].
    pub fn prompt(mut self, child: impl IntoElement<Prompt>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Pay, "Pay", [default], in [Document]);

/// What the caller hears at one step of a payment.
///
/// `<Prompt>`, a verb. Stands in `Pay`, `Document`. Holds `Pause`, `Play`, `Say`. The builders also
/// offer it directly under Response; the public reference describes it only inside Pay.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Prompt(Markup);

impl Prompt {
    /// `<Prompt>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// `attempt`: whole numbers.
    pub fn attempt(mut self, value: impl IntoIterator<Item = u32>) -> Self {
        self.0.numbers_attribute(0, " attempt=\"", value.into_iter());
        self
    }

    /// `cardType`: one word or several.
    pub fn card_type(mut self, value: impl IntoIterator<Item = CardType>) -> Self {
        self.0.words_attribute(1, " cardType=\"", value.into_iter().map(CardType::as_str));
        self
    }

    /// `errorType`: one word or several.
    pub fn error_type(mut self, value: impl IntoIterator<Item = PromptErrorType>) -> Self {
        self.0.words_attribute(2, " errorType=\"", value.into_iter().map(PromptErrorType::as_str));
        self
    }

    /// `for`: a word.
    pub fn for_(mut self, value: PromptFor) -> Self {
        self.0.word_attribute(3, " for=\"", value.as_str());
        self
    }

    /// `requireMatchingInputs`: true or false.
    pub fn require_matching_inputs(mut self, value: bool) -> Self {
        self.0.bool_attribute(4, " requireMatchingInputs=\"", value);
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

element!(Prompt, "Prompt", [default], in [Document, Pay]);
