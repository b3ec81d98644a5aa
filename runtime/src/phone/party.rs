//! Who is on the line: a script, a person at a terminal, a person at the page.

use std::future::Future;

use serde::Serialize;

use super::{Event, Leg};

/// Whoever is called, calls, presses and speaks. One party acts for all legs of a conversation.
///
/// A party in real time waits where something lasts: as long as [`super::Heard::lasts_ms`] says in `notice`, and until
/// somebody does something in `act`.
pub trait Party: Send {
    /// Something happened. The answer counts where somebody heard something.
    fn notice(&mut self, event: &Event) -> impl Future<Output = Presence> + Send;

    /// What does the party on `leg` do?
    fn act(&mut self, leg: Leg, question: &Question) -> impl Future<Output = Act> + Send;

    /// Whether it lives in real time: what it waits for lasts at least as long as it does for the party.
    fn is_live(&self) -> bool {
        false
    }
}

/// Whether somebody is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Listens on.
    Stays,
    /// Presses or speaks already: where this was a prompt of a Gather that lets it, nothing more of it is heard.
    Interrupts {
        /// After so much of it, in milliseconds.
        after_ms: u64,
    },
    /// Has hung up.
    HungUp,
}

/// What the platform waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Question {
    /// Keys or words.
    Gather(GatherAsk),
    /// A message after the tone.
    Record(RecordAsk),
    /// What becomes of a leg that is dialled.
    Dial {
        /// The noun's tag: `Number`, `Client`, `Sip`, `Conference`, `Queue`…
        noun: String,
        /// Whom.
        to: String,
        /// How long it rings at most, in seconds.
        timeout_s: u64,
    },
    /// Whether somebody takes the call out of the queue. Asked after each round of the wait document.
    Queue {
        /// Its name.
        name: String,
        /// Since the call was queued, in seconds.
        waited_s: u64,
    },
    /// What ends something that has no end of its own: music that repeats, an echo, a stream.
    Endless {
        /// The verb.
        verb: String,
    },
    /// What the other end makes of a transfer by REFER.
    Refer {
        /// Where to.
        to: String,
    },
}

/// A gather that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatherAsk {
    /// Whether keys count.
    pub dtmf: bool,
    /// Whether words count.
    pub speech: bool,
    /// Seconds of silence that end it.
    pub timeout_s: u64,
    /// Keys that it waits for.
    pub num_digits: Option<usize>,
    /// The key that ends it.
    pub finish_on_key: Option<char>,
    /// Words that are likely.
    pub hints: String,
    /// Whether keys and words end its prompts.
    pub barge_in: bool,
}

/// A recording that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordAsk {
    /// Most seconds.
    pub max_length_s: u64,
    /// Seconds of silence that end it; 0: never.
    pub timeout_s: u64,
    /// Keys that end it.
    pub finish_on_key: String,
}

/// What somebody does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Presses these keys; `w` waits half a second.
    Press {
        /// `0`–`9`, `*`, `#`, `w`.
        keys: String,
        /// Before the first, in milliseconds; none: a second, or half the timeout where that is shorter.
        after_ms: Option<u64>,
    },
    /// Says this.
    Say {
        /// The words.
        text: String,
        /// How sure the recognition is, 0 to 1.
        confidence: f32,
        /// Before the first word, in milliseconds; none: as with keys.
        after_ms: Option<u64>,
    },
    /// Leaves a message.
    Record {
        /// How long it is, in seconds.
        seconds: u64,
        /// What it says, for a transcription.
        text: String,
        /// What ends it.
        end: End,
    },
    /// Does nothing until the platform gives up.
    Nothing,
    /// This becomes of a leg, of a place in a queue, of whatever goes on.
    Comes(Outcome),
    /// Puts down the receiver.
    HangUp,
}

/// What ends a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// This key.
    Key(char),
    /// Silence.
    Silence,
    /// The caller hangs up.
    HangUp,
}

/// What becomes of something that another party decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered, and they speak for so long.
    Answered {
        /// In seconds.
        seconds: u64,
        /// What ends it.
        until: Until,
        /// Whether a machine answered.
        machine: bool,
    },
    /// The line is busy.
    Busy,
    /// It rings until the timeout.
    NoAnswer,
    /// It can't be reached.
    Failed {
        /// Why, as SIP says it: 404, 503…
        sip_code: u16,
    },
    /// The queue takes no more.
    QueueFull,
}

/// How a conversation of two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The called one hangs up; the caller stays.
    Called,
    /// The caller hangs up.
    Caller,
    /// The caller presses `*`, where the dial heeds it.
    Star,
}
