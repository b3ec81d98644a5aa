//! The carrier of a test: it takes everything, gives ids, and remembers what it was asked for.

use crate::bindings::imports::hookswitch::handler::carrier as wire;
use crate::carrier::CarrierError;
use crate::time::Time;
use std::cell::RefCell;

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State::new()) };
}

struct State {
    asked: Vec<Outward>,
    refuses: Option<wire::Error>,
    ids: u32,
}

impl State {
    const fn new() -> Self {
        Self { asked: Vec::new(), refuses: None, ids: 0 }
    }
}

/// What a handler asked its carrier for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outward {
    /// A call.
    Placed {
        /// Whom it is to.
        to: String,
        /// Which number is shown.
        from: String,
        /// The link or the document that whoever answers is led to.
        lead: String,
        /// Whether it is for the outbox, and when it is due there; `Some(None)` as soon as possible.
        later: Option<Option<Time>>,
    },
    /// A message.
    Sent {
        /// Whom it is to.
        to: String,
        /// The number, or the service, that it comes from.
        from: String,
        /// Its text.
        body: String,
        /// What comes with it.
        media: Vec<String>,
        /// As for a call.
        later: Option<Option<Time>>,
    },
    /// A change of a call in progress.
    Changed {
        /// Which.
        call: String,
        /// The link or the document with which it goes on; `completed` or `canceled`.
        to: String,
    },
    /// Anything else that changes something: what, and of which recording, number or short code.
    Other(&'static str, String),
}

pub(super) fn reset() {
    STATE.replace(State::new());
}

pub(super) fn asked() -> Vec<Outward> {
    STATE.with_borrow(|state| state.asked.clone())
}

pub(super) fn refuse(error: CarrierError) {
    let error = match error {
        CarrierError::Refused(refusal) => wire::Error::Refused(refusal),
        CarrierError::Unknown(why) => wire::Error::Unknown(why),
        CarrierError::NotYours(why) => wire::Error::NotYours(why),
        CarrierError::Limited(message, retry_after_ms) => {
            wire::Error::Limited(wire::Limit { message, retry_after_ms })
        }
        CarrierError::Unavailable(why) => wire::Error::Unavailable(why),
        CarrierError::Invalid(why) => wire::Error::Invalid(why),
    };
    STATE.with_borrow_mut(|state| state.refuses = Some(error));
}

/// Takes note of `outward` and gives an id that begins with `prefix`, unless the test wants it refused.
fn take(outward: Outward, prefix: &str) -> Result<String, wire::Error> {
    STATE.with_borrow_mut(|state| {
        if let Some(error) = &state.refuses {
            return Err(error.clone());
        }
        state.asked.push(outward);
        state.ids += 1;
        Ok(format!("{prefix}{:032x}", state.ids))
    })
}

fn call(call: &wire::NewCall, later: Option<Option<Time>>) -> Outward {
    let lead = match &call.lead {
        wire::Lead::Link(text) | wire::Lead::Document(text) => text.clone(),
    };
    Outward::Placed { to: call.to.clone(), from: call.from.clone(), lead, later }
}

fn message(message: &wire::NewMessage, later: Option<Option<Time>>) -> Outward {
    let from = match &message.from {
        wire::Sender::Number(text) | wire::Sender::Service(text) => text.clone(),
    };
    let (to, body, media) = (message.to.clone(), message.body.clone(), message.media.clone());
    Outward::Sent { to, from, body, media, later }
}

pub(crate) fn place(new: &wire::NewCall) -> Result<String, wire::Error> {
    take(call(new, None), "CA")
}

pub(crate) fn send(new: &wire::NewMessage) -> Result<String, wire::Error> {
    take(message(new, None), "SM")
}

pub(crate) fn later(what: &wire::Deferred, at_ms: Option<u64>) -> Result<String, wire::Error> {
    let later = Some(at_ms.map(Time::from_unix_ms));
    match what {
        wire::Deferred::Place(new) => take(call(new, later), "ob_"),
        wire::Deferred::Send(new) => take(message(new, later), "ob_"),
    }
}

pub(crate) fn take_back(id: &str) -> Result<bool, wire::Error> {
    take(Outward::Other("take-back", id.to_owned()), "").map(|_| true)
}

pub(crate) fn update(id: &str, change: &wire::CallChange) -> Result<(), wire::Error> {
    let to = match change {
        wire::CallChange::Link(text) | wire::CallChange::Document(text) => text.clone(),
        wire::CallChange::Complete => "completed".to_owned(),
        wire::CallChange::Cancel => "canceled".to_owned(),
    };
    take(Outward::Changed { call: id.to_owned(), to }, "").map(drop)
}

pub(crate) fn find_recording(id: &str) -> Result<wire::Recording, wire::Error> {
    Ok(wire::Recording {
        id: id.to_owned(),
        call: String::new(),
        status: "completed".to_owned(),
        duration_s: Some(7),
        channels: 1,
        media_url: format!("https://example.com/recordings/{id}"),
    })
}

pub(crate) fn recording_audio(_: &str, _: wire::Audio) -> Result<Vec<u8>, wire::Error> {
    Ok(Vec::new())
}

pub(crate) fn delete_recording(id: &str) -> Result<(), wire::Error> {
    take(Outward::Other("delete-recording", id.to_owned()), "").map(drop)
}

fn own_number(number: &str) -> wire::OwnNumber {
    wire::OwnNumber {
        id: format!("PN{:032x}", 1),
        number: number.to_owned(),
        name: number.to_owned(),
        voice_url: String::new(),
        sms_url: String::new(),
        abilities: wire::Abilities { voice: true, sms: true, mms: false },
    }
}

pub(crate) fn find_number(number: &str) -> Result<Option<wire::OwnNumber>, wire::Error> {
    Ok(Some(own_number(number)))
}

pub(crate) fn search_numbers(search: &wire::NumberSearch) -> Result<Vec<wire::AvailableNumber>, wire::Error> {
    let number = |n: u32| wire::AvailableNumber {
        number: format!("+120255501{n:02}"),
        name: format!("(202) 555-01{n:02}"),
        locality: search.locality.clone().unwrap_or_default(),
        region: search.region.clone().unwrap_or_default(),
        country: search.country.clone(),
        abilities: wire::Abilities { voice: true, sms: true, mms: false },
    };
    Ok((0..search.most.min(3)).map(number).collect())
}

pub(crate) fn buy_number(number: &str, _: &wire::NumberSettings) -> Result<wire::OwnNumber, wire::Error> {
    take(Outward::Other("buy-number", number.to_owned()), "").map(|_| own_number(number))
}

pub(crate) fn configure_number(
    number: &str,
    _: &wire::NumberSettings,
) -> Result<wire::OwnNumber, wire::Error> {
    take(Outward::Other("configure-number", number.to_owned()), "").map(|_| own_number(number))
}

pub(crate) fn release_number(number: &str) -> Result<(), wire::Error> {
    take(Outward::Other("release-number", number.to_owned()), "").map(drop)
}

pub(crate) fn short_codes() -> Result<Vec<wire::ShortCode>, wire::Error> {
    Ok(Vec::new())
}

pub(crate) fn configure_short_code(
    code: &str,
    _: &wire::NumberSettings,
) -> Result<wire::ShortCode, wire::Error> {
    let (id, name) = (format!("SC{:032x}", 1), code.to_owned());
    take(Outward::Other("configure-short-code", code.to_owned()), "").map(|_| wire::ShortCode {
        id,
        code: code.to_owned(),
        name,
        sms_url: String::new(),
    })
}

pub(crate) fn access_token(grant: &wire::VoiceGrant) -> Result<String, wire::Error> {
    Ok(format!("token-of-{}", grant.identity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{carrier, testing};

    #[test]
    fn what_a_handler_asks_for_is_remembered_and_can_be_refused() {
        let host = testing::host();
        let id = carrier::call("+12025550100").from("+12025550199").step("call back").place().unwrap();
        assert!(id.starts_with("CA") && id.len() == 34, "{id}");
        carrier::message("+12025550100")
            .from("+12025550199")
            .body("Hello")
            .at(Time::from_unix_ms(5))
            .unwrap();
        assert_eq!(
            host.outward(),
            [
                Outward::Placed {
                    to: "+12025550100".into(),
                    from: "+12025550199".into(),
                    lead: "voice/call%20back".into(),
                    later: None,
                },
                Outward::Sent {
                    to: "+12025550100".into(),
                    from: "+12025550199".into(),
                    body: "Hello".into(),
                    media: vec![],
                    later: Some(Some(Time::from_unix_ms(5))),
                },
            ]
        );
        host.refuse(CarrierError::NotYours("+1 is not yours".into()));
        let error = carrier::end("CA1").unwrap_err();
        assert_eq!(error.to_string(), "+1 is not yours");
        assert_eq!(host.outward().len(), 2);
        drop(host);
        assert!(testing::host().outward().is_empty());
    }
}
