//! Which parameters tell who is calling, and from where, and what was said.
//!
//! For whoever keeps webhooks: what may be kept is not decided here.

use super::super::Private;

/// Parameters with the numbers or addresses of people.
const ADDRESSES: &[&str] = &[
    "AddressFrom",
    "AddressTo",
    "Called",
    "Caller",
    "DialedNumber",
    "ForwardedFrom",
    "From",
    "OutgoingCallerId",
    "ReferTransferTarget",
    "ReferredBy",
    "SipSourceIp",
    "To",
    "TransferTarget",
    "WaId",
];

/// What callers said or wrote, or what was heard of it.
const TEXTS: &[&str] = &[
    "Body",
    "ButtonPayload",
    "ButtonText",
    "ListId",
    "ListTitle",
    "Payload",
    "SpeechResult",
    "StableSpeechResult",
    "TranscriptionData",
    "TranscriptionText",
    "UnstableSpeechResult",
];

/// Places, apart from those of `From`, `To`, `Caller` and `Called`.
const PLACES: &[&str] = &["Address", "Label", "Latitude", "Longitude"];

/// What opens something.
const SECRETS: &[&str] = &["CallToken", "PaymentConfirmationCode", "PaymentToken", "StirPassportToken"];

/// What the parameter called `name` tells about people.
pub fn kind(name: &str) -> Private {
    let party = ["Caller", "Called", "From", "To"].iter().find_map(|party| name.strip_prefix(party));
    if ADDRESSES.contains(&name) {
        Private::Address
    } else if matches!(name, "CallerName" | "ProfileName") {
        Private::Name
    } else if matches!(party, Some("City" | "State" | "Zip" | "Country")) || PLACES.contains(&name) {
        Private::Place
    } else if TEXTS.contains(&name) || name.starts_with("Referral") {
        Private::Text
    } else if matches!(name, "Digits" | "FinishedDigits") {
        Private::Digits
    } else if SECRETS.contains(&name) || name == "AddOns" || name.starts_with("PaymentCard") {
        Private::Secret
    } else {
        Private::No
    }
}
