//! The only place that knows a carrier's name.
//!
//! A carrier's folder turns its requests into the words of [`crate::call`] and says which requests are really its
//! own. What follows (routing, sandbox, document) never asks which carrier it was.
//!
//! Answering a repeated delivery is `webhook`'s business; what makes it recognisable is the carrier's.

pub mod twilio;

/// What two deliveries of one webhook have in common and no two webhooks of one handler share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeliveryKey(Box<str>);

impl DeliveryKey {
    /// Takes a text that tells this webhook from every other one of its handler.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }
}

/// As text, so that whoever keeps keys can count their bytes.
impl std::ops::Deref for DeliveryKey {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}
