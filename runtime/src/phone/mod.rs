//! A carrier that is not there: the offline phone.
//!
//! It sends the webhooks that the real platform sends, with all their parameters and a valid signature, and carries out
//! the documents that come back. One engine stands behind `hookswitch call`, scripted calls and the phone page: what
//! differs is who is on the line ([`Party`]) and where webhooks go ([`Line`]). Time is the engine's own: it adds up how
//! long things would last, so a timeout of thirty seconds costs nothing; a party that lives in real time waits by itself, and
//! what it waits for lasts at least as long as that.
//!
//! The facts are in `spec/`; where they leave something open, the comment beside the code says what was chosen.
//! What it does not do: sound, and the products behind Connect and Pay, which are shown and stepped over.
//!
//! Checking signatures is `carrier`'s business; what a document may hold, `twiml`'s.

mod address;
mod answer;
pub mod call;
pub mod carrier;
mod clock;
mod cookies;
mod event;
mod faults;
mod ids;
pub mod line;
pub mod messages;
mod opt_out;
mod overrides;
mod own_number;
mod params;
mod party;
pub mod script;
mod sender;
mod speech;
#[cfg(test)]
mod tests;

pub use self::address::address;
pub use self::clock::{Clock, rfc_2822};
pub use self::event::{Event, Exchange, Heard, Leg, What, Writer, plain_link, printable};
pub(crate) use self::event::{plain, xml};
pub use self::faults::{CallbackOrder, Faults};
pub use self::ids::Ids;
pub use self::line::Line;
pub use self::opt_out::OptOuts;
pub use self::party::{Act, End, GatherAsk, Outcome, Party, Presence, Question, RecordAsk, Until};
pub use self::sender::{Account, Target};

/// Most bytes of an answer.
/// Source: Twilio, error 11750: 64 kB.
pub const ANSWER_BYTES_MAX: usize = crate::twiml::DOCUMENT_BYTES_MAX;

/// The longest call, in milliseconds.
/// Source: Twilio, "call length": 4 hours unless the account allows 24.
pub const CALL_MS_MAX: u64 = 4 * 3_600_000;

/// Most things that come with one message.
/// Source: Twilio, "Send and receive media messages": 10.
pub const MEDIA_MAX: usize = 10;

/// How a call ended whose documents led on and on, as its last event has it.
pub const ENDLESS: &str = "the documents led on without end";

/// Most documents of one call. Ours: a circle of redirects takes no time, so the length of the call does not end it.
pub const DOCUMENTS_MAX: u32 = 1_000;
