//! Links of an operation: steps of a handler as it wrote them, made addresses that a carrier can ask.

use super::check::{bounded, invalid};
use super::{CallChange, CarrierError, Lead, Operation};

/// Most characters of a document that is sent with a call.
/// Source: Twilio, "Calls", parameter `Twiml`.
const DOCUMENT_CHARS_MAX: usize = 4_000;
/// Longest address, in bytes: the carrier's own limit on URLs is about this.
pub(super) const LINK_BYTES_MAX: usize = 4_096;

/// What an entry's own steps are relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// `voice`.
    Voice,
    /// `sms`.
    Messaging,
}

impl Entry {
    /// The URL segment.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Messaging => "sms",
        }
    }
}

impl Operation {
    /// Makes all its links addresses by `link`, and documents' links by `document`.
    ///
    /// # Errors
    /// What these say, with the name of the value before it.
    pub fn resolve(
        &mut self,
        link: impl Fn(&str, Entry) -> Result<String, String>,
        document: impl Fn(&str) -> Result<String, String>,
    ) -> Result<(), CarrierError> {
        let address = |name: &str, text: &mut String, entry: Entry| {
            *text = link(text, entry).map_err(|why| invalid(name, &why))?;
            bounded(name, text, LINK_BYTES_MAX)
        };
        let maybe = |name: &str, text: &mut Option<String>, entry: Entry| match text {
            Some(text) => address(name, text, entry),
            None => Ok(()),
        };
        let written = |text: &mut String| {
            *text = document(text).map_err(|why| invalid("document", &why))?;
            let chars = text.chars().count();
            if chars > DOCUMENT_CHARS_MAX {
                let why = format!(
                    "it has {chars} characters, and the carrier takes {DOCUMENT_CHARS_MAX} with a call; give a link to a step instead"
                );
                return Err(invalid("document", &why));
            }
            Ok(())
        };
        match self {
            Self::Place(call) => {
                match &mut call.lead {
                    Lead::Link(text) => address("link", text, Entry::Voice)?,
                    Lead::Document(text) => written(text)?,
                }
                maybe("fallback", &mut call.fallback, Entry::Voice)?;
                maybe("told", &mut call.told, Entry::Voice)?;
                if let Some(detect) = &mut call.detect {
                    maybe("detect.told", &mut detect.told, Entry::Voice)?;
                }
                if let Some(recording) = &mut call.recording {
                    maybe("recording.told", &mut recording.told, Entry::Voice)?;
                }
            }
            Self::Update(_, CallChange::Link(text)) => address("link", text, Entry::Voice)?,
            Self::Update(_, CallChange::Document(text)) => written(text)?,
            Self::Send(message) => maybe("told", &mut message.told, Entry::Messaging)?,
            Self::BuyNumber(_, settings)
            | Self::ConfigureNumber(_, settings)
            | Self::ConfigureShortCode(_, settings) => {
                maybe("voice", &mut settings.voice, Entry::Voice)?;
                maybe("voice-fallback", &mut settings.voice_fallback, Entry::Voice)?;
                maybe("sms", &mut settings.sms, Entry::Messaging)?;
                maybe("sms-fallback", &mut settings.sms_fallback, Entry::Messaging)?;
                maybe("status", &mut settings.status, Entry::Voice)?;
            }
            Self::Update(..)
            | Self::FindRecording(_)
            | Self::RecordingAudio(..)
            | Self::DeleteRecording(_)
            | Self::FindNumber(_)
            | Self::SearchNumbers(_)
            | Self::ReleaseNumber(_)
            | Self::ShortCodes => {}
        }
        Ok(())
    }
}
