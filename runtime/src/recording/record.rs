//! One webhook as it is kept, and back to what a handler gets.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::call::{Entry, RevisionId, Webhook};
use crate::capability::effects::Effect;
use crate::carrier;

/// One webhook of a call or conversation, redacted, with what it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWebhook {
    /// When it came, in Unix milliseconds.
    pub at: u64,
    /// How long its answer took, in microseconds.
    pub took_us: u64,
    /// `voice`, `sms` or `status`.
    pub entry: Cow<'static, str>,
    /// Where in the conversation it was.
    pub step: String,
    /// All parameters, as a form.
    pub form: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The document; empty for a status callback.
    pub document: String,
    /// Which revision answered.
    pub revision: RevisionId,
    /// What failed, as a code of the error table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the handler did beyond itself, in the order in which it asked for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
    /// Whether it did more than was kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub effects_torn: bool,
}

impl KeptWebhook {
    /// What the handler is given. None for a record that no version of ours wrote.
    #[must_use]
    pub fn webhook(&self) -> Option<Webhook> {
        carrier::webhook_of_form(self.entry()?, &self.step, &self.form)
    }

    /// What kind it was.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        [Entry::Voice, Entry::Messaging, Entry::Status].into_iter().find(|entry| entry.as_str() == self.entry)
    }
}

/// All kept webhooks of one call or conversation, in the order in which they were answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCall {
    /// When it began, in Unix milliseconds.
    pub began_at: u64,
    /// What came.
    pub webhooks: Vec<KeptWebhook>,
}

impl KeptCall {
    /// The carrier's id of what began it.
    #[must_use]
    pub fn id(&self) -> String {
        let first = self.webhooks.first().and_then(KeptWebhook::webhook);
        first.map(|webhook| webhook.subject().to_owned()).unwrap_or_default()
    }
}
