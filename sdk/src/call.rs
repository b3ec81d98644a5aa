//! One voice webhook: the carrier asks what the caller hears next.

use crate::bindings::imports::hookswitch::handler::types;
use crate::params::Params;
use std::time::Duration;

pub use types::{CallStatus, Direction};

/// One voice webhook. The parameters that come with it stand in groups: [`gather`](Self::gather),
/// [`dial_result`](Self::dial_result), [`recording`](Self::recording)…; what has no name here is
/// found by its own, with [`param`](Self::param).
#[derive(Debug)]
pub struct Call {
    fields: types::Call,
    params: Params,
}

impl Call {
    pub(crate) fn new(mut fields: types::Call) -> Self {
        let params = Params::new(std::mem::take(&mut fields.form));
        Self { fields, params }
    }

    /// The carrier's id of this leg (`CallSid`).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.fields.id
    }

    /// The carrier account the call belongs to (`AccountSid`).
    #[must_use]
    pub fn account(&self) -> &str {
        &self.fields.account
    }

    /// Who calls (`From`): `+12025550123`, `client:NAME`, `sip:…`, or a word such as `anonymous`.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.fields.from
    }

    /// Who is called (`To`).
    #[must_use]
    pub fn to(&self) -> &str {
        &self.fields.to
    }

    /// Who began the call (`Direction`).
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.fields.direction
    }

    /// Where this leg is (`CallStatus`).
    #[must_use]
    pub fn status(&self) -> CallStatus {
        self.fields.status
    }

    /// Where in the conversation we are: the part of the URL after `/voice/`, empty for the first
    /// webhook of a call. A link written as `action="menu"` leads to the step `menu`.
    #[must_use]
    pub fn step(&self) -> &str {
        &self.fields.step
    }

    /// Keys the caller pressed (`Digits`), without the finishing one. `Some("")` when a gather
    /// ended without input and asked to be told; `None` outside an answer.
    #[must_use]
    pub fn digits(&self) -> Option<&str> {
        self.fields.digits.as_deref()
    }

    /// What the caller said (`SpeechResult`); `None` outside a speech answer.
    #[must_use]
    pub fn speech(&self) -> Option<&str> {
        self.fields.speech.as_deref()
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
