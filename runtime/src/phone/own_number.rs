//! Which number a handler calls and writes from, and whether a host would let it.
//!
//! On this machine nobody knows a tenant's numbers, so nothing is refused: the one number that is the handler's for sure is the
//! one that the conversation is about. Of any other it is said what a host asks for, or it would be met in production only.

use hashbrown::HashSet;

use super::event::What;

/// The numbers that a handler uses in one conversation.
pub(super) struct OwnNumber {
    own: String,
    /// Said once each.
    noted: HashSet<String>,
}

impl OwnNumber {
    /// `own`: the number that is called or written to.
    pub(super) fn new(own: &str) -> Self {
        Self { own: bare(own).to_owned(), noted: HashSet::new() }
    }

    /// What is to be said about the number that `what` comes from; none where it is the handler's, or was spoken of.
    pub(super) fn remark(&mut self, what: &What) -> Option<String> {
        let from = match what {
            What::Placed { from, to, .. } if from.starts_with("client:") && to.starts_with("client:") => None,
            // A messaging service picks one of its own.
            What::Sent { from, .. } if from.starts_with("MG") => None,
            What::Placed { from, .. } | What::Sent { from, .. } => Some(from),
            _ => None,
        }?;
        if bare(from) == self.own || !self.noted.insert(from.clone()) {
            return None;
        }
        Some(format!(
            "from {from}, which is not the number of this conversation: a host refuses that (not-yours) unless it is one of the \
             tenant's numbers (`hookswitch number list`) or a caller's id that its operator has allowed"
        ))
    }
}

/// The number of `channel:+12025550123`.
fn bare(number: &str) -> &str {
    number.rsplit_once(':').map_or(number, |(_, bare)| bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_not_the_handlers_is_remarked_once() {
        let mut numbers = OwnNumber::new("+12025550199");
        let placed = |from: &str, to: &str| What::Placed {
            id: "CA1".into(),
            to: to.into(),
            from: from.into(),
            lead: "voice".into(),
            later: false,
        };
        let sent = |from: &str| What::Sent {
            id: "SM1".into(),
            to: "+12025550177".into(),
            from: from.into(),
            body: "hello".into(),
            media: Vec::new(),
            later: false,
        };
        for (what, remarked) in [
            (placed("+12025550199", "+12025550177"), false),
            (placed("+4930123456", "+12025550177"), true),
            (sent("+4930123456"), false),
            (placed("client:ada", "client:bob"), false),
            (placed("client:ada", "+12025550177"), true),
            (sent("whatsapp:+12025550199"), false),
            (sent("ACME"), true),
            (sent("MG00000000000000000000000000000001"), false),
            (What::Did { text: "pressed 1".into() }, false),
        ] {
            assert_eq!(numbers.remark(&what).is_some(), remarked, "{what:?}");
        }
    }
}
