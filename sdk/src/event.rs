//! One status callback: the carrier tells what happened and expects no document.

use crate::bindings::imports::hookswitch::handler::types;
use crate::params::Params;
use crate::schedule::Run;
use std::time::Duration;

pub use types::EventKind;

/// One status callback. They may come late, twice or in another order: [`sequence`](Self::sequence)
/// is the order of happening. What was told stands in groups ([`recording`](Self::recording),
/// [`progress`](Self::progress), [`delivery`](Self::delivery)…), the rest is found by name.
#[derive(Debug)]
pub struct Event {
    fields: types::Event,
    params: Params,
}

impl Event {
    pub(crate) fn new(mut fields: types::Event) -> Self {
        let params = Params::new(std::mem::take(&mut fields.form));
        Self { fields, params }
    }

    /// What it tells about.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.fields.kind
    }

    /// The call, conference or message it is about (`CallSid`, `ConferenceSid`, `MessageSid`…).
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.fields.subject
    }

    /// The carrier account (`AccountSid`).
    #[must_use]
    pub fn account(&self) -> &str {
        &self.fields.account
    }

    /// What happened, in the carrier's word (`CallStatus`, `RecordingStatus`,
    /// `StatusCallbackEvent`…); empty if it sent none.
    #[must_use]
    pub fn status(&self) -> &str {
        &self.fields.status
    }

    /// Place in the order of happening, from 0 (`SequenceNumber`).
    #[must_use]
    pub fn sequence(&self) -> Option<u32> {
        self.fields.sequence
    }

    /// The part of the URL after `/status/`; empty without one.
    #[must_use]
    pub fn step(&self) -> &str {
        &self.fields.step
    }

    /// Wall time that is left for this callback when it began.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        Duration::from_millis(u64::from(self.fields.time_left_ms))
    }

    /// The run of a schedule that this is; `None` for what a carrier tells.
    #[must_use]
    pub fn run(&self) -> Option<Run<'_>> {
        Run::of(self)
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
