//! What a handler may ask of its carrier, and what may come of it: `wit/carrier.wit` as types. No I/O.
//!
//! One record a thing: what is lifted out of the guest is what the carrier is asked for and what the outbox keeps, so the
//! derive macros of the component model and of serde stand here side by side. Links are as the handler wrote them until
//! [`Operation::resolve`] has made them addresses.

mod check;
mod error;
mod links;
#[cfg(test)]
pub(crate) mod tests;

use serde::{Deserialize, Serialize};
use wasmtime::component::{ComponentType, Lift, Lower};

pub use self::error::{CarrierError, Limit, Refusal};
pub use self::links::Entry;

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

    /// Whether its links are asked for calls and messages that have nothing to do with the run that gave them.
    #[must_use]
    pub fn outlives_calls(&self) -> bool {
        match self {
            Self::BuyNumber(..) | Self::ConfigureNumber(..) | Self::ConfigureShortCode(..) => true,
            Self::Place(_)
            | Self::Update(..)
            | Self::Send(_)
            | Self::FindRecording(_)
            | Self::RecordingAudio(..)
            | Self::DeleteRecording(_)
            | Self::FindNumber(_)
            | Self::SearchNumbers(_)
            | Self::ReleaseNumber(_)
            | Self::ShortCodes => false,
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
}
