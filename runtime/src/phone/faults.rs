//! What goes wrong on request, as it does with real carriers.

/// Faults of one conversation. The default has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Every webhook is delivered twice, with the same idempotency token; two different answers are noted.
    pub duplicate: bool,
    /// The webhook, counted from 1 among those that ask for a document, whose answer the carrier does not wait for.
    pub timeout_at: Option<u32>,
    /// The webhook, counted in the same way, whose signature is wrong.
    pub bad_signature_at: Option<u32>,
    /// Every answer arrives so much later, in milliseconds; what the carrier waits at most stays as it is.
    pub delay_ms: u64,
    /// How status callbacks arrive.
    pub callbacks: CallbackOrder,
}

/// How status callbacks arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallbackOrder {
    /// As things happen.
    #[default]
    InOrder,
    /// All of them after the conversation has ended.
    Late,
    /// After the conversation has ended, the last one first.
    Reversed,
    /// Never.
    Lost,
}
