//! Who takes no more messages from whom: what the platform makes of STOP, START and HELP.
//!
//! One list stands behind a conversation's replies and the messages that handlers send of their own accord, because the
//! carrier has one: whoever has opted out gets neither. All handlers of one `dev` that
//! share a number share it, until START is written there or `dev` ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashSet;

use crate::carrier::operation::{CarrierError, Refusal};

/// The carrier's number for a message to somebody who has opted out.
/// Source: Twilio, error 21610.
pub(super) const OPTED_OUT: u16 = 21610;

/// Pairs that are remembered; a longer session forgets all of them and goes on.
const REMEMBERED_MAX: usize = 100_000;

/// Who has opted out of whose messages. Clones are the same list.
#[derive(Debug, Clone, Default)]
pub struct OptOuts(Arc<Mutex<HashSet<(String, String)>>>);

impl OptOuts {
    /// Whether `receiver` takes no messages from `sender`, which is a number or a messaging service.
    #[must_use]
    pub fn holds(&self, sender: &str, receiver: &str) -> bool {
        self.pairs().contains(&(sender.to_owned(), receiver.to_owned()))
    }

    /// Notes that `receiver` takes no more (`out`), or again.
    pub(super) fn put(&self, sender: &str, receiver: &str, out: bool) {
        let mut pairs = self.pairs();
        let pair = (sender.to_owned(), receiver.to_owned());
        if !out {
            pairs.remove(&pair);
            return;
        }
        if pairs.len() >= REMEMBERED_MAX {
            pairs.clear();
        }
        pairs.insert(pair);
    }

    fn pairs(&self) -> MutexGuard<'_, HashSet<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said of a message to somebody who has opted out. `sender` is a number or a messaging service.
pub(super) fn opted_out(receiver: &str, sender: &str) -> String {
    format!("{receiver} has opted out, until START is written here from it to {sender}")
}

/// What the carrier's API says to such a message.
pub(super) fn refusal(receiver: &str) -> CarrierError {
    let message = format!("Attempt to send to unsubscribed recipient: {receiver} has opted out");
    CarrierError::Refused(Refusal { status: 400, code: Some(OPTED_OUT.into()), message })
}

/// A word that the platform acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OptWord {
    Stop,
    Start,
    Help,
}

impl OptWord {
    /// As `OptOutType` has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::Start => "START",
            Self::Help => "HELP",
        }
    }

    /// What a message to `to` means to the platform when it is the whole of it. Other channels than the telephone network
    /// (`whatsapp:+1202…`) have no such words.
    pub(super) fn of(body: &str, to: &str) -> Option<Self> {
        if to.contains(':') {
            return None;
        }
        match body.trim().to_ascii_uppercase().as_str() {
            "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE" | "OPTOUT" => {
                Some(Self::Stop)
            }
            "START" | "YES" | "UNSTOP" => Some(Self::Start),
            "HELP" | "INFO" => Some(Self::Help),
            _ => None,
        }
    }

    /// What the platform writes back by itself.
    pub(super) const fn reply(self) -> &'static str {
        match self {
            Self::Stop => {
                "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe."
            }
            Self::Start => {
                "You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe."
            }
            Self::Help => "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
        }
    }
}

/// Five or six digits: a number whose owner answers these words himself.
pub(super) fn is_short_code(number: &str) -> bool {
    matches!(number.len(), 5 | 6) && number.bytes().all(|byte| byte.is_ascii_digit())
}
