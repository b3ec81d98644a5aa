//! The only place that knows a carrier's name.
//!
//! A carrier's folder turns its requests into the words of [`crate::call`] and says which requests are really its
//! own. What follows (routing, sandbox, document) never asks which carrier it was. What handlers ask of a carrier has its
//! words in [`operation`]; [`Carrier`] is whoever does it: a host's outbox, or the offline phone.
//!
//! Answering a repeated delivery is `webhook`'s business; what makes it recognisable is the carrier's.

pub mod account;
pub mod operation;
pub mod twilio;

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use sha2::{Digest as _, Sha256};

use self::operation::{CarrierError, Deferred, Done, Operation, VoiceGrant};
use crate::call::{Entry, HandlerName, TenantId, Webhook};

/// What a parameter tells about people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Private {
    /// Somebody's number or address.
    Address,
    /// Somebody's name.
    Name,
    /// Where somebody is.
    Place,
    /// What somebody said or wrote.
    Text,
    /// Which keys somebody pressed.
    Digits,
    /// What opens something, or what somebody else found out about somebody.
    Secret,
    /// Nothing by itself.
    No,
}

/// What the parameter called `name` tells about people.
#[must_use]
pub fn private(name: &str) -> Private {
    twilio::private::kind(name)
}

/// The webhook that a form makes which was taken from one; none where it holds too little.
#[must_use]
pub fn webhook_of_form(entry: Entry, step: &str, form: &str) -> Option<Webhook> {
    let form = twilio::body::Form::parse(form.as_bytes()).ok()?;
    twilio::params::read(entry, step, None, &twilio::body::Body::Form(form)).ok()
}

/// What two deliveries of one webhook have in common and no two webhooks of one handler share. Cloning costs a counter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeliveryKey(Arc<str>);

impl DeliveryKey {
    /// Takes a text that tells this webhook from every other one of its handler.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
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

/// What an invocation does outward its effects for: two runs with the same one are two tries of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Tells it from every other cause of every handler.
    pub digest: [u8; 32],
    /// The call, message or request that it is about.
    pub subject: String,
    /// Scheme and authority under which the carrier reaches the host.
    pub origin: String,
}

impl Cause {
    /// The cause that `parts` tell from all others of this handler, such as the delivery of a webhook.
    #[must_use]
    pub fn new(
        tenant: &TenantId,
        handler: &HandlerName,
        parts: &[&str],
        subject: &str,
        origin: &str,
    ) -> Self {
        let mut hash = Sha256::new();
        for part in [tenant.as_str(), handler.as_str()].iter().chain(parts) {
            // Each after its length, so that no two lists read the same.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self { digest: hash.finalize().into(), subject: subject.to_owned(), origin: origin.to_owned() }
    }
}

/// The idempotency key of one effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EffectKey(pub [u8; 32]);

/// Something that one handler wants done.
#[derive(Debug, Clone)]
pub struct Order {
    /// Whose handler.
    pub tenant: TenantId,
    /// Which.
    pub handler: HandlerName,
    /// What it is done for.
    pub cause: Arc<Cause>,
    /// How many operations of its kind to the same subject its invocation asked for before.
    pub place: u32,
    /// When whoever asked has to know.
    pub until: Instant,
}

impl Order {
    /// The same in every try of the same thing: made of the cause, what kind of thing it is, to whom, and which of those.
    #[must_use]
    pub fn key(&self, operation: &Operation) -> EffectKey {
        let mut hash = Sha256::new();
        hash.update(self.cause.digest);
        hash.update(self.place.to_le_bytes());
        hash.update((operation.kind().len() as u64).to_le_bytes());
        hash.update(operation.kind());
        hash.update(operation.subject());
        EffectKey(hash.finalize().into())
    }
}

/// Whoever does what handlers ask of their carrier.
///
/// What was begun goes on to its end whether or not anybody still waits for it.
pub trait Carrier: Send + Sync {
    /// Does it, once for each [`Order::key`] where it changes something.
    fn perform(
        self: Arc<Self>,
        order: Order,
        operation: Operation,
    ) -> BoxFuture<'static, Result<Done, CarrierError>>;

    /// Does it at `at_ms` (Unix time) or as soon as possible; gives the id under which it can be taken back.
    fn later(
        self: Arc<Self>,
        order: Order,
        what: Deferred,
        at_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<String, CarrierError>>;

    /// Takes back what is to be done later; false where it is too late.
    fn take_back(self: Arc<Self>, order: Order, id: String)
    -> BoxFuture<'static, Result<bool, CarrierError>>;

    /// A token for a browser phone.
    ///
    /// # Errors
    /// [`CarrierError::Unavailable`] where the tenant has no API key.
    fn access_token(&self, tenant: &TenantId, grant: &VoiceGrant) -> Result<String, CarrierError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_try_has_the_same_key_and_nothing_else_has() {
        let [acme, other] = ["acme", "other"].map(|name| TenantId::new(name).unwrap());
        let handler = HandlerName::new("desk").unwrap();
        let order = |tenant: &TenantId, parts: &[&str], place| Order {
            tenant: tenant.clone(),
            handler: handler.clone(),
            cause: Arc::new(Cause::new(tenant, &handler, parts, "CA1", "https://h")),
            place,
            until: Instant::now(),
        };
        let message = Operation::Send(operation::tests::message());
        let call = Operation::Place(operation::tests::call());
        let somebody_else = Operation::Send(operation::NewMessage {
            to: "+12025550142".to_owned(),
            ..operation::tests::message()
        });
        let first = order(&acme, &["voice", "token a"], 0).key(&message);
        assert_eq!(first, order(&acme, &["voice", "token a"], 0).key(&message), "delivered again");
        for (what, other) in [
            ("the second to the same number", order(&acme, &["voice", "token a"], 1).key(&message)),
            ("to another number", order(&acme, &["voice", "token a"], 0).key(&somebody_else)),
            ("another webhook", order(&acme, &["voice", "token b"], 0).key(&message)),
            ("another split of the same text", order(&acme, &["voicet", "oken a"], 0).key(&message)),
            ("another tenant", order(&other, &["voice", "token a"], 0).key(&message)),
            ("another kind", order(&acme, &["voice", "token a"], 0).key(&call)),
        ] {
            assert_ne!(first, other, "{what}");
        }
    }
}
