//! What a caller hears when a handler fails.
//!
//! Checked when the handler is loaded: a fallback that the carrier would refuse is found by its author, not by a
//! caller on the worst day. One document serves calls and messages where the grammar of both allows it; for the
//! other kind there is a built-in one, because silence is the one answer that nobody wants.

use bytes::Bytes;

use crate::twiml::{self, DocumentKind, Links, Problem, Unusable};

const BUILT_IN_VOICE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say>We are sorry, something went \
     wrong on our side. Please call again later.</Say><Hangup/></Response>";

const BUILT_IN_MESSAGING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Message>Sorry, something went \
     wrong on our side. Please try again later.</Message></Response>";

/// The fallback documents of one revision, links rewritten, ready to send.
#[derive(Debug, Clone)]
pub struct Fallback {
    /// For calls.
    pub voice: Bytes,
    /// For messages.
    pub messaging: Bytes,
}

/// Why a fallback document is refused at load.
#[derive(Debug, thiserror::Error)]
pub enum FallbackError {
    /// The carrier would refuse it.
    #[error("the fallback document can't be used: {0}")]
    Unusable(#[from] Unusable),
    /// The carrier would warn about it, as a document for calls and as one for messages.
    #[error(
        "the fallback document is outside the grammar, line {}: {}; `hookswitch lint` shows all of it", .0.line, .0.message
    )]
    OutsideGrammar(Box<Problem>),
}

impl Fallback {
    /// The author's document, for the kinds of conversation it fits, and the built-in one for the other.
    ///
    /// # Errors
    /// [`FallbackError`] where it is not well-formed, or fits neither calls nor messages without a warning.
    pub fn new(text: &str, prefix: &str, pin: &str) -> Result<Self, FallbackError> {
        let built_in = Self::built_in(prefix, pin)?;
        match (
            prepare(text, DocumentKind::Voice, prefix, pin),
            prepare(text, DocumentKind::Messaging, prefix, pin),
        ) {
            (Err(as_voice), Err(_)) => Err(as_voice),
            (voice, messaging) => Ok(Self {
                voice: voice.unwrap_or(built_in.voice),
                messaging: messaging.unwrap_or(built_in.messaging),
            }),
        }
    }

    /// What a handler without a document of its own gets.
    ///
    /// # Errors
    /// None that a test of ours would not have found.
    pub fn built_in(prefix: &str, pin: &str) -> Result<Self, FallbackError> {
        Ok(Self {
            voice: prepare(BUILT_IN_VOICE, DocumentKind::Voice, prefix, pin)?,
            messaging: prepare(BUILT_IN_MESSAGING, DocumentKind::Messaging, prefix, pin)?,
        })
    }
}

fn prepare(text: &str, kind: DocumentKind, handler: &str, pin: &str) -> Result<Bytes, FallbackError> {
    let prepared = twiml::prepare(text, kind, &Links { handler, pin, step: "" })?;
    match prepared.outside_grammar() {
        Some(problem) => Err(FallbackError::OutsideGrammar(Box::new(problem.clone()))),
        None => Ok(Bytes::from(prepared.text.into_owned())),
    }
}
