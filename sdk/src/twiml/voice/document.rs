// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! The document that answers a voice webhook.

use crate::twiml::element::{IntoElement, root};
use crate::twiml::markup::Markup;
use crate::twiml::voice::{
    Connect, Dial, Echo, Enqueue, Gather, Hangup, Leave, Pause, Pay, Play, Prompt, Queue, Record, Redirect,
    Refer, Reject, Say, Sms, Start, Stop,
};

/// What the caller hears next: verbs, one after the other.
///
/// `<Response>`, a root. Holds `Connect`, `Dial`, `Echo`, `Enqueue`, `Gather`, `Hangup`, `Leave`,
/// `Pause`, `Pay`, `Play`, `Prompt`, `Queue`, `Record`, `Redirect`, `Refer`, `Reject`, `Say`,
/// `Sms`, `Start`, `Stop`. Empty is allowed: the call ends for an incoming call with nothing to do.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Document(Markup);

impl Document {
    /// A document with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds `<Connect>`: a [`Connect`].
    pub fn connect(mut self, child: impl IntoElement<Connect>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Dial>`: text or a [`Dial`].
    pub fn dial(mut self, child: impl IntoElement<Dial>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Echo>`. With more to it: `child(Echo::new())`.
    pub fn echo(self) -> Self {
        self.child(Echo::new())
    }

    /// Adds `<Enqueue>`: text or an [`Enqueue`].
    pub fn enqueue(mut self, child: impl IntoElement<Enqueue>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Gather>`: a [`Gather`].
    pub fn gather(mut self, child: impl IntoElement<Gather>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Hangup>`. With more to it: `child(Hangup::new())`.
    pub fn hangup(self) -> Self {
        self.child(Hangup::new())
    }

    /// Adds `<Leave>`. With more to it: `child(Leave::new())`.
    pub fn leave(self) -> Self {
        self.child(Leave::new())
    }

    /// Adds `<Pause>`: a [`Pause`].
    pub fn pause(mut self, child: impl IntoElement<Pause>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Pay>`: a [`Pay`].
    pub fn pay(mut self, child: impl IntoElement<Pay>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Play>`: a link or a [`Play`].
    pub fn play(mut self, child: impl IntoElement<Play>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Prompt>`: a [`Prompt`].
    pub fn prompt(mut self, child: impl IntoElement<Prompt>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Queue>`: text or a [`Queue`].
    pub fn queue(mut self, child: impl IntoElement<Queue>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Record>`: a [`Record`].
    pub fn record(mut self, child: impl IntoElement<Record>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Redirect>`: a link or a [`Redirect`].
    pub fn redirect(mut self, child: impl IntoElement<Redirect>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Refer>`: a [`Refer`].
    pub fn refer(mut self, child: impl IntoElement<Refer>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Reject>`: a [`Reject`].
    pub fn reject(mut self, child: impl IntoElement<Reject>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Say>`: text or a [`Say`].
    pub fn say(mut self, child: impl IntoElement<Say>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Sms>`: text or a [`Sms`].
    #[deprecated(note = "superseded by the messaging API; not available in every region")]
    pub fn sms(mut self, child: impl IntoElement<Sms>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Start>`: a [`Start`].
    pub fn start(mut self, child: impl IntoElement<Start>) -> Self {
        child.write_into(&mut self.0);
        self
    }

    /// Adds `<Stop>`: a [`Stop`].
    pub fn stop(mut self, child: impl IntoElement<Stop>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

root!(Document);
