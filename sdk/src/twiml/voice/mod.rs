// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Verbs and nouns of the document that answers a voice webhook.

mod client;
mod conference;
mod connect;
mod conversation_relay;
mod dial;
mod document;
mod flow;
mod gather;
mod number;
mod pay;
mod queue;
mod record;
mod say;
mod sip;
mod stream;

pub use client::{Application, ApplicationSid, Client, Identity, Parameter};
pub use conference::Conference;
pub use connect::{
    AiSession, Autopilot, Config, Connect, Conversation, ConversationRelaySession, Room, VirtualAgent,
};
pub use conversation_relay::{ConversationRelay, Language};
pub use dial::Dial;
pub use document::Document;
pub use flow::{Echo, Hangup, Redirect, Reject, Sms};
pub use gather::Gather;
pub use number::{Number, Sim, WhatsApp};
pub use pay::{Pay, Prompt};
pub use queue::{Enqueue, Leave, Queue, Task};
pub use record::{Record, Recording};
pub use say::{Pause, Play, Say};
pub use sip::{Header, Headers, Refer, ReferSip, Sip, SipUri};
pub use stream::{Siprec, Start, Stop, Stream, Transcription};
