//! What a handler does at its carrier: calls, messages, recordings, numbers, tokens for browser phones.
//!
//! The host signs in; a handler never sees a credential. Each effect happens once, also when a webhook is delivered again,
//! and what the host can't know it says ([`CarrierError::Unknown`]). Links are written as in documents.
//!
//! ```no_run
//! use hookswitch_sdk::prelude::*;
//!
//! #[voice]
//! fn answer(call: &Call) -> Result<Document, Error> {
//!     // Whoever called hears back as soon as somebody is free.
//!     carrier::message(call.from()).from(call.to()).body("We call you back within the hour.").send()?;
//!     carrier::call(call.from()).from(call.to()).step("callback").told("status/callback").later()?;
//!     Ok(Document::new().say("We call you back.").hangup())
//! }
//! ```

use crate::bindings::imports::hookswitch::handler::carrier as wire;
use crate::time::Time;
use crate::twiml::Link;
use std::fmt;

pub use wire::{
    Abilities, Audio, AvailableNumber, NumberKind, NumberSearch, OwnNumber, Progress, Recording, Refusal,
    ShortCode,
};

/// Why an operation did not come to what was asked for.
#[derive(Debug, Clone)]
pub enum CarrierError {
    /// The carrier said no. Asking again with the same values is of no use.
    Refused(Refusal),
    /// It was sent, and what became of it is not known: it may have been carried out. Look before asking again.
    Unknown(String),
    /// A number that does not belong to this tenant.
    NotYours(String),
    /// More than the tenant may do now; nothing was sent. There is room again in so many milliseconds.
    Limited(String, u64),
    /// The carrier can't be reached, or the host has no credentials for it; nothing was done.
    Unavailable(String),
    /// The values can't be sent.
    Invalid(String),
}

impl From<wire::Error> for CarrierError {
    fn from(error: wire::Error) -> Self {
        match error {
            wire::Error::Refused(refusal) => Self::Refused(refusal),
            wire::Error::Unknown(why) => Self::Unknown(why),
            wire::Error::NotYours(why) => Self::NotYours(why),
            wire::Error::Limited(limit) => Self::Limited(limit.message, limit.retry_after_ms),
            wire::Error::Unavailable(why) => Self::Unavailable(why),
            wire::Error::Invalid(why) => Self::Invalid(why),
        }
    }
}

impl fmt::Display for CarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => match refusal.code {
                Some(code) => {
                    write!(f, "the carrier refused: {} ({}, code {code})", refusal.message, refusal.status)
                }
                None => write!(f, "the carrier refused: {} ({})", refusal.message, refusal.status),
            },
            Self::Unknown(why) => write!(f, "it is not known whether it was done: {why}"),
            Self::Limited(why, ms) => write!(f, "{why}; there is room again in {ms} ms"),
            Self::NotYours(why) | Self::Unavailable(why) | Self::Invalid(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for CarrierError {}

/// What comes of asking a carrier.
pub type Result<T> = std::result::Result<T, CarrierError>;

fn text<'a>(link: impl Into<Link<'a>>) -> String {
    link.into().as_str().to_owned()
}

/// A call to be placed: begin with [`call`].
#[derive(Debug, Clone)]
#[must_use = "a call is placed by `place`, or `later`"]
pub struct NewCall(pub(crate) wire::NewCall);

/// Begins a call to `to`: `+12025550123`, `client:NAME` or `sip:…`.
pub fn call(to: impl Into<String>) -> NewCall {
    NewCall(wire::NewCall {
        to: to.into(),
        from: String::new(),
        lead: wire::Lead::Link("voice".to_owned()),
        fallback: None,
        timeout_s: None,
        time_limit_s: None,
        send_digits: None,
        detect: None,
        recording: None,
        told: None,
        told_of: Vec::new(),
        reason: None,
    })
}

impl NewCall {
    /// The number that is shown: one of this tenant.
    pub fn from(mut self, number: impl Into<String>) -> Self {
        self.0.from = number.into();
        self
    }

    /// Whoever answers is led to this step of this handler.
    pub fn step(self, step: &str) -> Self {
        self.link(Link::voice_step(step))
    }

    /// Whoever answers hears the document that this link answers with.
    pub fn link<'a>(mut self, link: impl Into<Link<'a>>) -> Self {
        self.0.lead = wire::Lead::Link(text(link));
        self
    }

    /// Whoever answers hears this document: at most 4 000 characters.
    pub fn document(mut self, document: impl Into<String>) -> Self {
        self.0.lead = wire::Lead::Document(document.into());
        self
    }

    /// Where whoever answers is led when the first link fails.
    pub fn fallback<'a>(mut self, link: impl Into<Link<'a>>) -> Self {
        self.0.fallback = Some(text(link));
        self
    }

    /// How long it rings, in seconds, 1 to 600.
    pub fn timeout_s(mut self, seconds: u32) -> Self {
        self.0.timeout_s = Some(seconds);
        self
    }

    /// How long it may last, in seconds.
    pub fn time_limit_s(mut self, seconds: u32) -> Self {
        self.0.time_limit_s = Some(seconds);
        self
    }

    /// Keys pressed once it is answered; `w` waits half a second.
    pub fn send_digits(mut self, keys: impl Into<String>) -> Self {
        self.0.send_digits = Some(keys.into());
        self
    }

    /// Finds out whether a machine answers before anybody is led anywhere (`AnsweredBy`). With `until_greeting_ends` a
    /// message can be left.
    pub fn detect_machine(mut self, until_greeting_ends: bool) -> Self {
        self.0.detect = Some(wire::MachineDetection { until_greeting_ends, timeout_s: None, told: None });
        self
    }

    /// The same while the call goes on at once; the result is told at this link.
    pub fn detect_machine_meanwhile<'a>(mut self, told: impl Into<Link<'a>>) -> Self {
        let told = Some(text(told));
        self.0.detect = Some(wire::MachineDetection { until_greeting_ends: false, timeout_s: None, told });
        self
    }

    /// Records it, each side on a channel of its own; told at this link when it is ready.
    pub fn record<'a>(mut self, told: impl Into<Link<'a>>) -> Self {
        self.0.recording = Some(wire::CallRecording { dual: true, trim: false, told: Some(text(told)) });
        self
    }

    /// Where its end is told, such as `status/progress`.
    pub fn told<'a>(mut self, link: impl Into<Link<'a>>) -> Self {
        self.0.told = Some(text(link));
        self
    }

    /// Of which stages it is told; needs [`told`](Self::told).
    pub fn told_of(mut self, stages: impl Into<Vec<Progress>>) -> Self {
        self.0.told_of = stages.into();
        self
    }

    /// Why it is called, shown where networks support it.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.0.reason = Some(reason.into());
        self
    }

    /// Places it; gives its id as soon as the carrier has taken it.
    ///
    /// # Errors
    /// [`CarrierError`].
    pub fn place(self) -> Result<String> {
        Ok(crate::host::place(&self.0)?)
    }

    /// Has the host's outbox place it as soon as possible, however often that has to be tried; gives its id there.
    ///
    /// # Errors
    /// [`CarrierError`].
    pub fn later(self) -> Result<String> {
        Ok(crate::host::later(&wire::Deferred::Place(self.0), None)?)
    }

    /// Has the host's outbox place it at `time`.
    ///
    /// # Errors
    /// [`CarrierError`].
    pub fn at(self, time: Time) -> Result<String> {
        Ok(crate::host::later(&wire::Deferred::Place(self.0), Some(time.unix_ms()))?)
    }
}

/// A message to be sent: begin with [`message`].
#[derive(Debug, Clone)]
#[must_use = "a message is sent by `send`, or `later`"]
pub struct NewMessage(pub(crate) wire::NewMessage);

/// Begins a message to `to`.
pub fn message(to: impl Into<String>) -> NewMessage {
    NewMessage(wire::NewMessage {
        to: to.into(),
        from: wire::Sender::Number(String::new()),
        body: String::new(),
        media: Vec::new(),
        told: None,
        validity_s: None,
    })
}

impl NewMessage {
    /// The number it comes from: one of this tenant.
    pub fn from(mut self, number: impl Into<String>) -> Self {
        self.0.from = wire::Sender::Number(number.into());
        self
    }

    /// The messaging service (`MG…`) that picks the number it comes from.
    pub fn service(mut self, id: impl Into<String>) -> Self {
        self.0.from = wire::Sender::Service(id.into());
        self
    }

    /// Its text, at most 1 600 characters.
    pub fn body(mut self, text: impl Into<String>) -> Self {
        self.0.body = text.into();
        self
    }

    /// Adds a picture or other media by its address; at most 10.
    pub fn media(mut self, url: impl Into<String>) -> Self {
        self.0.media.push(url.into());
        self
    }

    /// Where delivery is told, such as `status/delivery`.
    pub fn told<'a>(mut self, link: impl Into<Link<'a>>) -> Self {
        self.0.told = Some(text(link));
        self
    }

    /// How long it may wait to be sent, in seconds.
    pub fn validity_s(mut self, seconds: u32) -> Self {
        self.0.validity_s = Some(seconds);
        self
    }

    /// Sends it; gives its id as soon as the carrier has taken it.
    ///
    /// # Errors
    /// [`CarrierError`].
    pub fn send(self) -> Result<String> {
        Ok(crate::host::send(&self.0)?)
    }

    /// Has the host's outbox send it as soon as possible; gives its id there.
    ///
    /// # Errors
    /// [`CarrierError`].
    pub fn later(self) -> Result<String> {
        Ok(crate::host::later(&wire::Deferred::Send(self.0), None)?)
    }

    /// Has the host's outbox send it at `time`.
    ///
    /// # Errors
    /// [`CarrierError`].
    pub fn at(self, time: Time) -> Result<String> {
        Ok(crate::host::later(&wire::Deferred::Send(self.0), Some(time.unix_ms()))?)
    }
}

/// Takes something out of the outbox; false where it is done already, or there is no such thing.
///
/// # Errors
/// [`CarrierError`].
pub fn take_back(id: &str) -> Result<bool> {
    Ok(crate::host::take_back(id)?)
}

/// Leads a call in progress to a step of this handler.
///
/// # Errors
/// [`CarrierError`].
pub fn redirect<'a>(call: &str, link: impl Into<Link<'a>>) -> Result<()> {
    Ok(crate::host::update(call, &wire::CallChange::Link(text(link)))?)
}

/// Lets a call in progress go on with this document.
///
/// # Errors
/// [`CarrierError`].
pub fn go_on(call: &str, document: impl Into<String>) -> Result<()> {
    Ok(crate::host::update(call, &wire::CallChange::Document(document.into()))?)
}

/// Ends a call, whatever it is doing.
///
/// # Errors
/// [`CarrierError`].
pub fn end(call: &str) -> Result<()> {
    Ok(crate::host::update(call, &wire::CallChange::Complete)?)
}

/// Ends a call unless it was answered.
///
/// # Errors
/// [`CarrierError`].
pub fn cancel(call: &str) -> Result<()> {
    Ok(crate::host::update(call, &wire::CallChange::Cancel)?)
}

/// A recording's facts.
///
/// # Errors
/// [`CarrierError`].
pub fn recording(id: &str) -> Result<Recording> {
    Ok(crate::host::find_recording(id)?)
}

/// A recording's audio, at most 4 MiB.
///
/// # Errors
/// [`CarrierError`].
pub fn recording_audio(id: &str, audio: Audio) -> Result<Vec<u8>> {
    Ok(crate::host::recording_audio(id, audio)?)
}

/// Deletes a recording for good.
///
/// # Errors
/// [`CarrierError`].
pub fn delete_recording(id: &str) -> Result<()> {
    Ok(crate::host::delete_recording(id)?)
}

/// What a number leads to; what is not said stays as it is. Its later calls and messages go to whatever is deployed then.
#[derive(Debug, Clone)]
#[must_use = "settings are for `buy_number`, `configure_number` and `configure_short_code`"]
pub struct NumberSettings(wire::NumberSettings);

impl Default for NumberSettings {
    fn default() -> Self {
        Self::new()
    }
}

impl NumberSettings {
    /// That change nothing.
    pub const fn new() -> Self {
        Self(wire::NumberSettings {
            name: None,
            voice: None,
            voice_fallback: None,
            sms: None,
            sms_fallback: None,
            status: None,
        })
    }

    /// What it is called.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = Some(name.into());
        self
    }

    /// Who answers its calls, such as `voice`.
    pub fn voice<'a>(mut self, link: impl Into<Link<'a>>) -> Self {
        self.0.voice = Some(text(link));
        self
    }

    /// Who answers them when that fails.
    pub fn voice_fallback<'a>(mut self, link: impl Into<Link<'a>>) -> Self {
        self.0.voice_fallback = Some(text(link));
        self
    }

    /// Who answers its messages, such as `sms`.
    pub fn sms<'a>(mut self, link: impl Into<Link<'a>>) -> Self {
        self.0.sms = Some(text(link));
        self
    }

    /// Who answers them when that fails.
    pub fn sms_fallback<'a>(mut self, link: impl Into<Link<'a>>) -> Self {
        self.0.sms_fallback = Some(text(link));
        self
    }

    /// Where the progress of its calls is told, such as `status`.
    pub fn status<'a>(mut self, link: impl Into<Link<'a>>) -> Self {
        self.0.status = Some(text(link));
        self
    }
}

/// The number of this tenant that reads so, as the carrier has it.
///
/// # Errors
/// [`CarrierError`].
pub fn find_number(number: &str) -> Result<Option<OwnNumber>> {
    Ok(crate::host::find_number(number)?)
}

/// Numbers that are for sale.
///
/// # Errors
/// [`CarrierError`].
pub fn search_numbers(search: &NumberSearch) -> Result<Vec<AvailableNumber>> {
    Ok(crate::host::search_numbers(search)?)
}

/// Buys a number, which costs money at once.
///
/// # Errors
/// [`CarrierError`].
pub fn buy_number(number: &str, settings: &NumberSettings) -> Result<OwnNumber> {
    Ok(crate::host::buy_number(number, &settings.0)?)
}

/// Changes what a number of this tenant leads to.
///
/// # Errors
/// [`CarrierError`].
pub fn configure_number(number: &str, settings: &NumberSettings) -> Result<OwnNumber> {
    Ok(crate::host::configure_number(number, &settings.0)?)
}

/// Gives a number back to the carrier.
///
/// # Errors
/// [`CarrierError`].
pub fn release_number(number: &str) -> Result<()> {
    Ok(crate::host::release_number(number)?)
}

/// The short codes of the tenant's account.
///
/// # Errors
/// [`CarrierError`].
pub fn short_codes() -> Result<Vec<ShortCode>> {
    Ok(crate::host::short_codes()?)
}

/// Changes what a short code of this tenant leads to.
///
/// # Errors
/// [`CarrierError`].
pub fn configure_short_code(code: &str, settings: &NumberSettings) -> Result<ShortCode> {
    Ok(crate::host::configure_short_code(code, &settings.0)?)
}

/// What a browser phone may do: begin with [`browser_phone`].
#[derive(Debug, Clone)]
#[must_use = "a browser phone signs in with its `token`"]
pub struct VoiceGrant(wire::VoiceGrant);

/// Begins the rights of the browser phone called `client:IDENTITY`; without more it can be called for an hour.
pub fn browser_phone(identity: impl Into<String>) -> VoiceGrant {
    VoiceGrant(wire::VoiceGrant {
        identity: identity.into(),
        application: None,
        params: Vec::new(),
        incoming: true,
        ttl_s: 3_600,
    })
}

impl VoiceGrant {
    /// It may place calls, which go to the voice URL of this application (`AP…`).
    pub fn calls_through(mut self, application: impl Into<String>) -> Self {
        self.0.application = Some(application.into());
        self
    }

    /// A parameter that comes with the webhook of its calls.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.params.push((name.into(), value.into()));
        self
    }

    /// It can't be called.
    pub fn not_called(mut self) -> Self {
        self.0.incoming = false;
        self
    }

    /// How long the token is good, in seconds, 1 to 86 400.
    pub fn ttl_s(mut self, seconds: u32) -> Self {
        self.0.ttl_s = seconds;
        self
    }

    /// The token that it signs in with.
    ///
    /// # Errors
    /// [`CarrierError`].
    pub fn token(self) -> Result<String> {
        Ok(crate::host::access_token(&self.0)?)
    }
}
