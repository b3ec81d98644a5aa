//! What a handler may ask of its carrier, and what may come of it: `wit/carrier.wit` as types. No I/O.
//!
//! One record a thing: what is lifted out of the guest is what the carrier is asked for and what the outbox keeps, so the
//! derive macros of the component model and of serde stand here side by side. Links are as the handler wrote them until
//! [`Operation::resolve`] has made them addresses.

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

/// Most characters of a document that is sent with a call.
/// Source: Twilio, "Calls", parameter `Twiml`.
const DOCUMENT_CHARS_MAX: usize = 4_000;
/// Longest text message, in characters.
/// Source: Twilio, "Messages", parameter `Body`.
const BODY_CHARS_MAX: usize = 1_600;
/// Most media of a message.
const MEDIA_MAX: usize = 10;
/// Longest address, in bytes: the carrier's own limit on URLs is about this.
const LINK_BYTES_MAX: usize = 4_096;
/// Longest of all other texts, in bytes.
const TEXT_BYTES_MAX: usize = 512;

/// Why an operation did not come to what was asked for. As in `wit/carrier.wit`, `variant error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, ComponentType, Lower)]
#[component(variant)]
#[serde(rename_all = "snake_case")]
pub enum CarrierError {
    /// The carrier said no.
    #[component(name = "refused")]
    #[error("the carrier refused: {} ({}{})", .0.message, .0.status, .0.code.map_or(String::new(), |code| format!(", code {code}")))]
    Refused(Refusal),
    /// It was sent, and what became of it is not known.
    #[component(name = "unknown")]
    #[error("it is not known whether it was done: {0}")]
    Unknown(String),
    /// A number of somebody else.
    #[component(name = "not-yours")]
    #[error("{0}")]
    NotYours(String),
    /// Nothing was sent: a rate or a count is used up.
    #[component(name = "limited")]
    #[error("{}; there is room again in {} ms", .0.message, .0.retry_after_ms)]
    Limited(Limit),
    /// Nothing was done: there is no way to the carrier.
    #[component(name = "unavailable")]
    #[error("{0}")]
    Unavailable(String),
    /// Nothing was sent: a value can't be.
    #[component(name = "invalid")]
    #[error("{0}")]
    Invalid(String),
}

/// What the carrier said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lower)]
#[component(record)]
pub struct Refusal {
    /// HTTP status.
    #[component(name = "status")]
    pub status: u16,
    /// The carrier's own code.
    #[component(name = "code")]
    pub code: Option<u32>,
    /// Its words.
    #[component(name = "message")]
    pub message: String,
}

/// A rate or a count that is used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lower)]
#[component(record)]
pub struct Limit {
    /// Which, and how much it is.
    #[component(name = "message")]
    pub message: String,
    /// After how many milliseconds there is room again.
    #[component(name = "retry-after-ms")]
    pub retry_after_ms: u64,
}

/// A record or enum of `wit/carrier.wit`, which documents every part of it.
macro_rules! contract {
    ($(#[$doc:meta])* record $name:ident { $($wit:literal $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
        #[component(record)]
        #[allow(missing_docs)]
        pub struct $name { $(#[component(name = $wit)] pub $field: $type),* }
    };
    ($(#[$doc:meta])* enum $name:ident { $($wit:literal $case:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
        #[component(enum)]
        #[repr(u8)]
        #[allow(missing_docs)]
        pub enum $name { $(#[component(name = $wit)] #[serde(rename = $wit)] $case),* }
    };
    ($(#[$doc:meta])* variant $name:ident { $($wit:literal $case:ident $(($type:ty))?),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ComponentType, Lift, Lower)]
        #[component(variant)]
        #[allow(missing_docs)]
        pub enum $name { $(#[component(name = $wit)] #[serde(rename = $wit)] $case $(($type))?),* }
    };
}

contract! { /// What whoever answers hears.
variant Lead { "link" Link(String), "document" Document(String) } }
contract! { /// A stage of a call.
enum Progress { "initiated" Initiated, "ringing" Ringing, "answered" Answered, "completed" Completed } }
contract! { /// How it is found out whether a machine answers.
record MachineDetection {
    "until-greeting-ends" until_greeting_ends: bool, "timeout-s" timeout_s: Option<u32>, "told" told: Option<String>,
} }
contract! { /// How a call is recorded.
record CallRecording { "dual" dual: bool, "trim" trim: bool, "told" told: Option<String> } }
contract! { /// A call to be placed.
record NewCall {
    "to" to: String, "from" from: String, "lead" lead: Lead, "fallback" fallback: Option<String>,
    "timeout-s" timeout_s: Option<u32>, "time-limit-s" time_limit_s: Option<u32>,
    "send-digits" send_digits: Option<String>, "detect" detect: Option<MachineDetection>,
    "recording" recording: Option<CallRecording>, "told" told: Option<String>, "told-of" told_of: Vec<Progress>,
    "reason" reason: Option<String>,
} }
contract! { /// What becomes of a call in progress.
variant CallChange { "link" Link(String), "document" Document(String), "complete" Complete, "cancel" Cancel } }
contract! { /// Who sends a message.
variant Sender { "number" Number(String), "service" Service(String) } }
contract! { /// A message to be sent.
record NewMessage {
    "to" to: String, "from" from: Sender, "body" body: String, "media" media: Vec<String>,
    "told" told: Option<String>, "validity-s" validity_s: Option<u32>,
} }
contract! { /// What is done later.
variant Deferred { "place" Place(NewCall), "send" Send(NewMessage) } }
contract! { /// A recording.
record Recording {
    "id" id: String, "call" call: String, "status" status: String, "duration-s" duration_s: Option<u32>,
    "channels" channels: u32, "media-url" media_url: String,
} }
contract! { /// How a recording's audio is coded.
enum Audio { "wav" Wav, "mp3" Mp3 } }
contract! { /// What a number can do.
record Abilities { "voice" voice: bool, "sms" sms: bool, "mms" mms: bool } }
contract! { /// A number of the tenant's account.
record OwnNumber {
    "id" id: String, "number" number: String, "name" name: String, "voice-url" voice_url: String,
    "sms-url" sms_url: String, "abilities" abilities: Abilities,
} }
contract! { /// What kind of number.
enum NumberKind {
    "local" Local, "toll-free" TollFree, "mobile" Mobile, "national" National, "shared-cost" SharedCost, "voip" Voip,
} }
contract! { /// Numbers that are for sale.
record NumberSearch {
    "country" country: String, "kind" kind: NumberKind, "area-code" area_code: Option<u32>,
    "contains" contains: Option<String>, "locality" locality: Option<String>, "region" region: Option<String>,
    "postal-code" postal_code: Option<String>, "voice" voice: bool, "sms" sms: bool, "mms" mms: bool, "most" most: u32,
} }
contract! { /// A number that is for sale.
record AvailableNumber {
    "number" number: String, "name" name: String, "locality" locality: String, "region" region: String,
    "country" country: String, "abilities" abilities: Abilities,
} }
contract! { /// What a number leads to.
record NumberSettings {
    "name" name: Option<String>, "voice" voice: Option<String>, "voice-fallback" voice_fallback: Option<String>,
    "sms" sms: Option<String>, "sms-fallback" sms_fallback: Option<String>, "status" status: Option<String>,
} }
contract! { /// A short code of the tenant's account.
record ShortCode { "id" id: String, "code" code: String, "name" name: String, "sms-url" sms_url: String } }
contract! { /// What a browser phone may do with its token.
record VoiceGrant {
    "identity" identity: String, "application" application: Option<String>, "params" params: Vec<(String, String)>,
    "incoming" incoming: bool, "ttl-s" ttl_s: u32,
} }

/// What is asked of a carrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the WIT documents each
pub enum Operation {
    Place(NewCall),
    Update(String, CallChange),
    Send(NewMessage),
    FindRecording(String),
    RecordingAudio(String, Audio),
    DeleteRecording(String),
    FindNumber(String),
    SearchNumbers(NumberSearch),
    BuyNumber(String, NumberSettings),
    ConfigureNumber(String, NumberSettings),
    ReleaseNumber(String),
    ShortCodes,
    ConfigureShortCode(String, NumberSettings),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Done {
    /// The carrier's id of the call or message.
    Id(String),
    Nothing,
    Recording(Recording),
    Audio(Vec<u8>),
    Number(Option<OwnNumber>),
    Numbers(Vec<AvailableNumber>),
    ShortCodes(Vec<ShortCode>),
}

/// What a repetition would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// Nothing: it only asks.
    Reads,
    /// The same again, which changes nothing more.
    Harmless,
    /// A second call, message or purchase.
    Doubles,
}

/// What a rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Calls that are placed.
    Calls,
    /// Messages that are sent.
    Messages,
    /// Everything else.
    Requests,
}

impl From<Deferred> for Operation {
    fn from(deferred: Deferred) -> Self {
        match deferred {
            Deferred::Place(call) => Self::Place(call),
            Deferred::Send(message) => Self::Send(message),
        }
    }
}

impl Operation {
    /// One word for it, as it stands in listings.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Place(_) => "call",
            Self::Update(..) => "change of a call",
            Self::Send(_) => "message",
            Self::FindRecording(_) => "look at a recording",
            Self::RecordingAudio(..) => "audio of a recording",
            Self::DeleteRecording(_) => "deletion of a recording",
            Self::FindNumber(_) => "look at a number",
            Self::SearchNumbers(_) => "search for numbers",
            Self::BuyNumber(..) => "purchase of a number",
            Self::ConfigureNumber(..) => "change of a number",
            Self::ReleaseNumber(_) => "release of a number",
            Self::ShortCodes => "list of short codes",
            Self::ConfigureShortCode(..) => "change of a short code",
        }
    }

    /// Whom or what it is about.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Self::Place(call) => &call.to,
            Self::Send(message) => &message.to,
            Self::Update(id, _)
            | Self::FindRecording(id)
            | Self::RecordingAudio(id, _)
            | Self::DeleteRecording(id) => id,
            Self::FindNumber(number)
            | Self::BuyNumber(number, _)
            | Self::ConfigureNumber(number, _)
            | Self::ReleaseNumber(number)
            | Self::ConfigureShortCode(number, _) => number,
            Self::SearchNumbers(search) => &search.country,
            Self::ShortCodes => "",
        }
    }

    /// The number that has to be the tenant's: the one it speaks with, or the one that it changes.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        match self {
            Self::Place(call) => Some(&call.from),
            Self::Send(NewMessage { from: Sender::Number(number), .. })
            | Self::FindNumber(number)
            | Self::ConfigureNumber(number, _)
            | Self::ReleaseNumber(number)
            | Self::ConfigureShortCode(number, _) => Some(number),
            Self::Send(_)
            | Self::Update(..)
            | Self::FindRecording(_)
            | Self::RecordingAudio(..)
            | Self::DeleteRecording(_)
            | Self::SearchNumbers(_)
            | Self::BuyNumber(..)
            | Self::ShortCodes => None,
        }
    }

    /// What a repetition would do.
    #[must_use]
    pub fn repetition(&self) -> Repetition {
        match self {
            Self::Place(_) | Self::Send(_) | Self::BuyNumber(..) => Repetition::Doubles,
            Self::Update(..)
            | Self::DeleteRecording(_)
            | Self::ConfigureNumber(..)
            | Self::ReleaseNumber(_)
            | Self::ConfigureShortCode(..) => Repetition::Harmless,
            Self::FindRecording(_)
            | Self::RecordingAudio(..)
            | Self::FindNumber(_)
            | Self::SearchNumbers(_)
            | Self::ShortCodes => Repetition::Reads,
        }
    }

    /// Which rate it counts against.
    #[must_use]
    pub fn rate(&self) -> Rate {
        match self {
            Self::Place(_) => Rate::Calls,
            Self::Send(_) => Rate::Messages,
            _ => Rate::Requests,
        }
    }

    /// Makes all its links addresses by `link`, and documents' links by `document`.
    ///
    /// # Errors
    /// What these say, with the name of the value before it.
    pub fn resolve(
        &mut self,
        link: impl Fn(&str, Entry) -> Result<String, String>,
        document: impl Fn(&str) -> Result<String, String>,
    ) -> Result<(), CarrierError> {
        let address = |name: &str, text: &mut String, entry: Entry| {
            *text = link(text, entry).map_err(|why| invalid(name, &why))?;
            bounded(name, text, LINK_BYTES_MAX)
        };
        let maybe = |name: &str, text: &mut Option<String>, entry: Entry| match text {
            Some(text) => address(name, text, entry),
            None => Ok(()),
        };
        let written = |text: &mut String| {
            *text = document(text).map_err(|why| invalid("document", &why))?;
            let chars = text.chars().count();
            if chars > DOCUMENT_CHARS_MAX {
                let why = format!(
                    "it has {chars} characters, and the carrier takes {DOCUMENT_CHARS_MAX} with a call; give a link to a step instead"
                );
                return Err(invalid("document", &why));
            }
            Ok(())
        };
        match self {
            Self::Place(call) => {
                match &mut call.lead {
                    Lead::Link(text) => address("link", text, Entry::Voice)?,
                    Lead::Document(text) => written(text)?,
                }
                maybe("fallback", &mut call.fallback, Entry::Voice)?;
                maybe("told", &mut call.told, Entry::Voice)?;
                if let Some(detect) = &mut call.detect {
                    maybe("detect.told", &mut detect.told, Entry::Voice)?;
                }
                if let Some(recording) = &mut call.recording {
                    maybe("recording.told", &mut recording.told, Entry::Voice)?;
                }
            }
            Self::Update(_, CallChange::Link(text)) => address("link", text, Entry::Voice)?,
            Self::Update(_, CallChange::Document(text)) => written(text)?,
            Self::Send(message) => maybe("told", &mut message.told, Entry::Messaging)?,
            Self::BuyNumber(_, settings)
            | Self::ConfigureNumber(_, settings)
            | Self::ConfigureShortCode(_, settings) => {
                maybe("voice", &mut settings.voice, Entry::Voice)?;
                maybe("voice-fallback", &mut settings.voice_fallback, Entry::Voice)?;
                maybe("sms", &mut settings.sms, Entry::Messaging)?;
                maybe("sms-fallback", &mut settings.sms_fallback, Entry::Messaging)?;
                maybe("status", &mut settings.status, Entry::Voice)?;
            }
            Self::Update(..)
            | Self::FindRecording(_)
            | Self::RecordingAudio(..)
            | Self::DeleteRecording(_)
            | Self::FindNumber(_)
            | Self::SearchNumbers(_)
            | Self::ReleaseNumber(_)
            | Self::ShortCodes => {}
        }
        Ok(())
    }

    /// Finds what the carrier would refuse, or what would lead its API elsewhere.
    ///
    /// # Errors
    /// [`CarrierError::Invalid`], naming the value, what was found and what was expected.
    pub fn check(&self) -> Result<(), CarrierError> {
        match self {
            Self::Place(call) => check_call(call),
            Self::Send(message) => check_message(message),
            Self::Update(id, _) => check_id("id", id, "CA"),
            Self::FindRecording(id) | Self::RecordingAudio(id, _) | Self::DeleteRecording(id) => {
                check_id("id", id, "RE")
            }
            Self::FindNumber(number)
            | Self::BuyNumber(number, _)
            | Self::ConfigureNumber(number, _)
            | Self::ReleaseNumber(number) => {
                let digits = number.strip_prefix('+').unwrap_or_default();
                if (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
                    return Ok(());
                }
                Err(invalid(
                    "number",
                    &format!("{:?} is no number; expected E.164 such as +12025550123", shown(number)),
                ))
            }
            Self::ConfigureShortCode(code, _) => {
                if (3..=8).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit()) {
                    return Ok(());
                }
                Err(invalid("code", &format!("{:?} is no short code; expected 3 to 8 digits", shown(code))))
            }
            Self::SearchNumbers(search) => {
                if search.country.len() != 2 || !search.country.bytes().all(|b| b.is_ascii_alphabetic()) {
                    let found = shown(&search.country);
                    return Err(invalid(
                        "country",
                        &format!("{found:?} is none; expected two letters such as US"),
                    ));
                }
                in_range("most", Some(search.most), 1, 100)?;
                [&search.contains, &search.locality, &search.region, &search.postal_code]
                    .into_iter()
                    .flatten()
                    .try_for_each(|text| bounded("search", text, TEXT_BYTES_MAX))
            }
            Self::ShortCodes => Ok(()),
        }
    }
}

/// What an entry's own steps are relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// `voice`.
    Voice,
    /// `sms`.
    Messaging,
}

impl Entry {
    /// The URL segment.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Messaging => "sms",
        }
    }
}

impl VoiceGrant {
    /// Finds what no browser phone could sign in with.
    ///
    /// # Errors
    /// [`CarrierError::Invalid`].
    pub fn check(&self) -> Result<(), CarrierError> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if !(1..=121).contains(&self.identity.len()) || !self.identity.bytes().all(fits) {
            let found = shown(&self.identity);
            return Err(invalid(
                "identity",
                &format!("{found:?} can't be one; expected 1 to 121 letters, digits and _"),
            ));
        }
        if let Some(application) = &self.application {
            check_id("application", application, "AP")?;
        }
        let bytes: usize = self.params.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > TEXT_BYTES_MAX {
            return Err(invalid(
                "params",
                &format!("{bytes} bytes are too many; expected at most {TEXT_BYTES_MAX}"),
            ));
        }
        in_range("ttl-s", Some(self.ttl_s), 1, 86_400)
    }
}

fn check_call(call: &NewCall) -> Result<(), CarrierError> {
    address("to", &call.to)?;
    address("from", &call.from)?;
    in_range("timeout-s", call.timeout_s, 1, 600)?;
    in_range("time-limit-s", call.time_limit_s, 1, 86_400)?;
    if let Some(detect) = &call.detect {
        in_range("detect.timeout-s", detect.timeout_s, 3, 59)?;
    }
    if let Some(keys) = &call.send_digits {
        let fits = |c: char| c.is_ascii_digit() || "ABCD#*wW".contains(c);
        if keys.is_empty() || keys.len() > 32 || !keys.chars().all(fits) {
            let found = shown(keys);
            return Err(invalid(
                "send-digits",
                &format!("{found:?} can't be pressed; expected up to 32 of 0-9, A-D, #, *, w and W"),
            ));
        }
    }
    call.reason.as_ref().map_or(Ok(()), |reason| bounded("reason", reason, TEXT_BYTES_MAX))
}

fn check_message(message: &NewMessage) -> Result<(), CarrierError> {
    address("to", &message.to)?;
    match &message.from {
        Sender::Number(number) => address("from", number)?,
        Sender::Service(service) => check_id("from", service, "MG")?,
    }
    if message.body.is_empty() && message.media.is_empty() {
        return Err(invalid("body", "it is empty, and there are no media; a message needs one of them"));
    }
    let chars = message.body.chars().count();
    if chars > BODY_CHARS_MAX {
        return Err(invalid(
            "body",
            &format!("it has {chars} characters, expected at most {BODY_CHARS_MAX}"),
        ));
    }
    if message.media.len() > MEDIA_MAX {
        return Err(invalid(
            "media",
            &format!("{} are too many, expected at most {MEDIA_MAX}", message.media.len()),
        ));
    }
    for url in &message.media {
        bounded("media", url, LINK_BYTES_MAX)?;
        if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(invalid("media", &format!("{:?} is no address; expected https://…", shown(url))));
        }
    }
    in_range("validity-s", message.validity_s, 1, 36_000)
}

/// An address of a phone: nothing that a listing or a log line would be broken by.
fn address(name: &str, text: &str) -> Result<(), CarrierError> {
    if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(invalid(
            name,
            &format!("{:?} is no address; expected +12025550123, client:NAME or the like", shown(text)),
        ));
    }
    bounded(name, text, TEXT_BYTES_MAX)
}

/// Ids become part of a path, so that nothing else may pass.
fn check_id(name: &str, id: &str, prefix: &str) -> Result<(), CarrierError> {
    let rest = id.strip_prefix(prefix).unwrap_or_default();
    if rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(invalid(name, &format!("{:?} is no id of this kind; expected {prefix} and 32 hex digits", shown(id))))
}

fn in_range(name: &str, value: Option<u32>, least: u32, most: u32) -> Result<(), CarrierError> {
    match value {
        Some(value) if !(least..=most).contains(&value) => {
            Err(invalid(name, &format!("it is {value}, expected {least} to {most}")))
        }
        _ => Ok(()),
    }
}

fn bounded(name: &str, text: &str, most: usize) -> Result<(), CarrierError> {
    if text.len() <= most {
        return Ok(());
    }
    Err(invalid(name, &format!("it has {} bytes, expected at most {most}", text.len())))
}

fn invalid(name: &str, why: &str) -> CarrierError {
    CarrierError::Invalid(format!("{name}: {why}"))
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn call() -> NewCall {
        NewCall {
            to: "+12025550100".into(),
            from: "+12025550199".into(),
            lead: Lead::Link("callback".into()),
            fallback: None,
            timeout_s: None,
            time_limit_s: None,
            send_digits: None,
            detect: None,
            recording: None,
            told: None,
            told_of: Vec::new(),
            reason: None,
        }
    }

    pub(crate) fn message() -> NewMessage {
        NewMessage {
            to: "+12025550100".into(),
            from: Sender::Number("+12025550199".into()),
            body: "Your table is ready.".into(),
            media: Vec::new(),
            told: None,
            validity_s: None,
        }
    }

    #[test]
    fn what_the_carrier_would_refuse_is_named() {
        let id = |letters: &str| format!("{letters}{}", "0".repeat(32));
        let settings = || NumberSettings {
            name: None,
            voice: None,
            voice_fallback: None,
            sms: None,
            sms_fallback: None,
            status: None,
        };
        let search = || NumberSearch {
            country: "US".into(),
            kind: NumberKind::Local,
            area_code: None,
            contains: None,
            locality: None,
            region: None,
            postal_code: None,
            voice: true,
            sms: false,
            mms: false,
            most: 20,
        };
        let cases: Vec<(Operation, &str)> = vec![
            (Operation::Place(call()), ""),
            (Operation::Place(NewCall { to: String::new(), ..call() }), "to: \"\" is no address"),
            (Operation::Place(NewCall { to: "+1 202".into(), ..call() }), "to: "),
            (
                Operation::Place(NewCall { timeout_s: Some(601), ..call() }),
                "timeout-s: it is 601, expected 1 to 600",
            ),
            (Operation::Place(NewCall { send_digits: Some("1,2".into()), ..call() }), "send-digits: "),
            (Operation::Send(message()), ""),
            (
                Operation::Send(NewMessage { body: "x".repeat(1_601), ..message() }),
                "body: it has 1601 characters",
            ),
            (Operation::Send(NewMessage { body: String::new(), ..message() }), "body: it is empty"),
            (Operation::Send(NewMessage { media: vec!["a.png".into()], ..message() }), "media: "),
            (Operation::Send(NewMessage { from: Sender::Service("MGx".into()), ..message() }), "from: "),
            (Operation::Send(NewMessage { from: Sender::Service(id("MG")), ..message() }), ""),
            (Operation::Update(id("CA"), CallChange::Complete), ""),
            (Operation::Update("../Accounts".into(), CallChange::Complete), "id: "),
            (Operation::DeleteRecording(id("CA")), "expected RE and 32"),
            (Operation::FindNumber("12345".into()), "number: "),
            (Operation::ConfigureNumber("+12025550199".into(), settings()), ""),
            (Operation::ConfigureShortCode("22395".into(), settings()), ""),
            (Operation::SearchNumbers(search()), ""),
            (Operation::SearchNumbers(NumberSearch { country: "U/".into(), ..search() }), "country: "),
            (Operation::SearchNumbers(NumberSearch { most: 0, ..search() }), "most: it is 0"),
        ];
        for (operation, expected) in cases {
            match operation.check() {
                Ok(()) => assert_eq!(expected, "", "{operation:?}"),
                Err(CarrierError::Invalid(why)) => {
                    assert!(!expected.is_empty() && why.contains(expected), "{operation:?}: {why}");
                }
                Err(other) => panic!("{operation:?}: {other}"),
            }
        }
    }

    #[test]
    fn every_link_of_a_call_becomes_an_address_and_a_long_document_is_refused() {
        let mut placed = Operation::Place(NewCall {
            told: Some("status/progress".into()),
            fallback: Some("sorry".into()),
            detect: Some(MachineDetection {
                until_greeting_ends: true,
                timeout_s: None,
                told: Some("status/machine".into()),
            }),
            recording: Some(CallRecording { dual: true, trim: false, told: Some("status/recording".into()) }),
            ..call()
        });
        let link = |text: &str, entry: Entry| Ok(format!("https://h/{}/{text}", entry.as_str()));
        placed.resolve(link, |text| Ok(text.into())).unwrap();
        let json = serde_json::to_string(&placed).unwrap();
        for text in ["callback", "status/progress", "sorry", "status/machine", "status/recording"] {
            assert!(json.contains(&format!("\"https://h/voice/{text}\"")), "{text}: {json}");
        }
        assert_eq!(serde_json::from_str::<Operation>(&json).unwrap(), placed);
        let mut inline = Operation::Place(NewCall { lead: Lead::Document("x".repeat(4_001)), ..call() });
        let refused = inline.resolve(link, |text| Ok(text.into())).unwrap_err();
        assert!(refused.to_string().contains("4001 characters"), "{refused}");
    }
}
