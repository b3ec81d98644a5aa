//! One message webhook: somebody sent a text or a picture and may get an answer.

use crate::bindings::imports::hookswitch::handler::types;
use crate::params::Params;
use std::time::Duration;

/// One message webhook. The parameters of other channels stand in groups
/// ([`whatsapp`](Self::whatsapp), [`location`](Self::location)…); what has no name here is found by
/// its own, with [`param`](Self::param).
#[derive(Debug)]
pub struct Message {
    fields: types::Message,
    params: Params,
}

impl Message {
    pub(crate) fn new(mut fields: types::Message) -> Self {
        let params = Params::new(std::mem::take(&mut fields.form));
        Self { fields, params }
    }

    /// The carrier's id of the message (`MessageSid`).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.fields.id
    }

    /// The carrier account (`AccountSid`).
    #[must_use]
    pub fn account(&self) -> &str {
        &self.fields.account
    }

    /// Who sent it (`From`): `+12025550123`, `12345`, or `channel:address` such as `whatsapp:+…`.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.fields.from
    }

    /// Who it was sent to (`To`).
    #[must_use]
    pub fn to(&self) -> &str {
        &self.fields.to
    }

    /// The text as sent (`Body`), up to 1 600 characters; may be empty.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.fields.body
    }

    /// Number of attached media (`NumMedia`), 0 to 10.
    #[must_use]
    pub fn media_count(&self) -> u32 {
        self.fields.media_count
    }

    /// Number of SMS segments the text took (`NumSegments`), at least 1; each is paid for.
    #[must_use]
    pub fn segments(&self) -> u32 {
        self.fields.segments
    }

    /// The part of the URL after `/sms/`; empty for a message that came in.
    #[must_use]
    pub fn step(&self) -> &str {
        &self.fields.step
    }

    /// Wall time that is left for this webhook when it began.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        Duration::from_millis(u64::from(self.fields.time_left_ms))
    }

    /// Every parameter the carrier sent.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// One parameter by the carrier's name, as it was sent; `None` if it was not.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name)
    }
}
