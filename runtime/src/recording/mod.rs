//! Keeps the webhooks of real calls, so that a new revision can be tried on them before anybody hears it.
//!
//! Off until an operator switches it on for a tenant. The path of a call only hands over what it has anyway, to a bounded
//! queue; a thread of its own redacts, seals and writes. Where the queue is full the call is not kept, and that is counted:
//! nobody on the line waits for a record. A call of which a part is missing would be told wrongly, so it is forgotten whole.
//!
//! What is kept is played by [`replay`]; who may switch it on is `control`'s business.

pub mod record;
pub mod redact;
pub mod replay;
pub mod settings;
mod store;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;

pub use self::record::{KeptCall, KeptWebhook};
pub use self::redact::Redactor;
pub use self::settings::{Numbers, OutOfRange, RecordingSettings, Redaction};
use self::store::{Begins, Store};
pub use self::store::{FILE_NAME, Kept, StoreError};
use self::writer::Writer;
use crate::call::{HandlerName, TenantId, Webhook};
use crate::capability::effects::Noted;
use crate::clock;
use crate::registry::MasterKey;
use crate::webhook::Answer;

/// Webhooks that wait to be written, and losses that wait to be noticed.
const QUEUE_MAX: usize = 4_096;
/// Bytes of what waits: the most memory that recording takes.
const QUEUE_BYTES_MAX: usize = 32 << 20;

/// Keeps calls. Where no tenant records, a webhook costs it one look at a number.
pub struct Recorder {
    shared: Arc<Shared>,
    queue: SyncSender<Job>,
    /// Names of calls of which a webhook was lost.
    losses: SyncSender<[u8; 32]>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the path of calls, the writer and the control plane share.
struct Shared {
    store: Store,
    /// By which pseudonyms and names are made.
    key: MasterKey,
    /// For tenants that have set nothing themselves.
    default: RecordingSettings,
    rules: ArcSwap<HashMap<TenantId, RecordingSettings>>,
    /// Whether anybody records.
    any: AtomicBool,
    queued_bytes: AtomicUsize,
    /// More was lost than can be told one by one.
    lost_many: AtomicBool,
    dropped: AtomicU64,
}

enum Job {
    Webhook(Box<Raw>),
    /// Says when all before it is written.
    Flush(SyncSender<()>),
    Stop,
}

/// A webhook that was answered just now.
pub struct Answered<'a> {
    /// As it came.
    pub webhook: &'a Webhook,
    /// What it was answered.
    pub answer: &'a Answer,
    /// What its handler did beyond itself.
    pub effects: Noted,
    /// Whether a call or a conversation began with it.
    pub begins: bool,
    /// How long its answer took.
    pub took: Duration,
}

/// A webhook as it came; never written like this.
struct Raw {
    tenant: TenantId,
    handler: HandlerName,
    webhook: Webhook,
    answer: Answer,
    effects: Noted,
    begins: bool,
    at: u64,
    took: Duration,
}

impl Raw {
    fn bytes(&self) -> usize {
        let form = match &self.webhook {
            Webhook::Voice(call) => call.form.len(),
            Webhook::Message(message) => message.form.len() + message.body.len(),
            Webhook::Event(event) => event.form.len(),
            Webhook::Web(request) => request.body.len(),
        };
        form + self.answer.body.len() + self.effects.bytes + size_of::<Self>()
    }
}

impl Recorder {
    /// Opens the file of a data folder and starts the thread that writes to it. `default` is for tenants that have set nothing
    /// themselves.
    ///
    /// # Errors
    /// [`StoreError`]; calls go on without.
    pub fn open(data: &Path, key: &MasterKey, default: RecordingSettings) -> Result<Self, StoreError> {
        let (queue, jobs) = sync_channel(QUEUE_MAX);
        let (losses, lost) = sync_channel(QUEUE_MAX);
        let shared = Arc::new(Shared {
            store: Store::open(data, key)?,
            key: MasterKey::new(key.derive("recording: pseudonyms")),
            default,
            rules: ArcSwap::default(),
            any: AtomicBool::new(default.on),
            queued_bytes: AtomicUsize::new(0),
            lost_many: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
        });
        shared.reload()?;
        let writer = Writer::new(Arc::clone(&shared), jobs, lost);
        let writer = std::thread::Builder::new().name("recording".into()).spawn(move || writer.run())?;
        Ok(Self { shared, queue, losses, writer: Mutex::new(Some(writer)) })
    }

    /// Whether calls of `tenant` are kept.
    #[must_use]
    pub fn records(&self, tenant: &TenantId) -> bool {
        self.shared.any.load(Relaxed) && self.shared.rules_of(tenant).on
    }

    /// Keeps a webhook of a handler. Never waits.
    pub fn keep(&self, tenant: &TenantId, handler: &HandlerName, answered: Answered<'_>) {
        let Answered { webhook, answer, effects, begins, took } = answered;
        let at = clock::unix_ms().saturating_sub(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let raw = Raw {
            tenant: tenant.clone(),
            handler: handler.clone(),
            webhook: webhook.clone(),
            answer: answer.clone(),
            effects,
            begins,
            at,
            took,
        };
        let bytes = raw.bytes();
        let queued = self.shared.queued_bytes.fetch_add(bytes, Relaxed);
        let full = queued.saturating_add(bytes) > QUEUE_BYTES_MAX;
        if full || self.queue.try_send(Job::Webhook(Box::new(raw))).is_err() {
            self.shared.queued_bytes.fetch_sub(bytes, Relaxed);
            self.lose(tenant, handler, webhook);
        }
    }

    fn lose(&self, tenant: &TenantId, handler: &HandlerName, webhook: &Webhook) {
        self.shared.dropped.fetch_add(1, Relaxed);
        metrics::counter!("hookswitch_recordings_dropped_total").increment(1);
        if let Some((name, _)) = self.shared.name(tenant, handler, webhook, false)
            && self.losses.try_send(name).is_err()
        {
            self.shared.lost_many.store(true, Relaxed);
        }
    }

    /// What is kept by for `tenant`: what it has set, or the operator's default.
    #[must_use]
    pub fn settings(&self, tenant: &TenantId) -> RecordingSettings {
        self.shared.rules_of(tenant)
    }

    /// Keeps by `settings` from now on, also after a restart. Blocks for as long as a disk does, as all below.
    ///
    /// # Errors
    /// [`StoreError`]; nothing has changed then.
    pub fn set(&self, tenant: &TenantId, settings: &RecordingSettings) -> Result<(), StoreError> {
        self.shared.store.set(tenant, settings)?;
        self.shared.reload()?;
        self.shared.store.bound(tenant, settings, clock::unix_ms()).map(drop)
    }

    /// Reads anew what tenants have set: another process may have been told.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reload(&self) -> Result<(), StoreError> {
        self.shared.reload()
    }

    /// What is kept of `tenant`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn kept(&self, tenant: &TenantId) -> Result<Kept, StoreError> {
        self.flush();
        self.shared.store.kept(tenant)
    }

    /// The newest `most` calls of a handler, the oldest of them first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn calls(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        most: u32,
    ) -> Result<Vec<KeptCall>, StoreError> {
        self.flush();
        self.shared.store.calls(tenant, handler, most)
    }

    /// Forgets all calls of `tenant`, or of one handler of it. Gives how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget(&self, tenant: &TenantId, handler: Option<&HandlerName>) -> Result<u64, StoreError> {
        self.flush();
        self.shared.store.forget_all(tenant, handler)
    }

    /// Forgets all of a tenant that is no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_tenant(&self, tenant: &TenantId) -> Result<(), StoreError> {
        self.flush();
        self.shared.store.forget_tenant(tenant)?;
        self.shared.reload()
    }

    /// The redactor by which the calls of `tenant` are kept now.
    #[must_use]
    pub fn redactor(&self, tenant: &TenantId) -> Redactor {
        self.shared.redactor(tenant)
    }

    /// Webhooks that were not kept since this process began, because they came faster than the disk takes them.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Relaxed)
    }

    /// Writes what waits and ends. Further webhooks are not kept.
    pub fn stop(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Waits for a place in the queue: the writer is there to make one.
        if let Some(writer) = writer
            && self.queue.send(Job::Stop).is_ok()
            && writer.join().is_err()
        {
            tracing::error!("the thread that keeps calls had panicked");
        }
    }

    /// Waits until what was handed over before is written.
    fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.queue.send(Job::Flush(done)).is_ok() {
            // An error says that the writer has ended, and then nothing waits.
            let _ = written.recv();
        }
    }
}

impl Shared {
    fn rules_of(&self, tenant: &TenantId) -> RecordingSettings {
        self.rules.load().get(tenant).copied().unwrap_or(self.default)
    }

    fn reload(&self) -> Result<(), StoreError> {
        let rules = self.store.settings()?;
        self.any.store(self.default.on || rules.values().any(|rules| rules.on), Relaxed);
        self.rules.store(Arc::new(rules));
        Ok(())
    }

    fn redactor(&self, tenant: &TenantId) -> Redactor {
        Redactor::new(MasterKey::new(self.key.derive(tenant.as_str())), self.rules_of(tenant))
    }

    /// What tells the call or conversation of a webhook from all others, and what may begin with it. None for what belongs to
    /// neither.
    fn name(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        webhook: &Webhook,
        begins: bool,
    ) -> Option<([u8; 32], Begins)> {
        let call = |id: &str| format!("call\n{id}");
        let pair = |one: &str, other: &str| {
            let (first, second) = if one < other { (one, other) } else { (other, one) };
            format!("pair\n{first}\n{second}")
        };
        let begun = |what| if begins { what } else { Begins::Nothing };
        let (subject, begins) = match webhook {
            // A leg that a dial made belongs to the call that dialled.
            Webhook::Voice(leg) => {
                let parent = form_urlencoded::parse(leg.form.as_bytes())
                    .find(|(name, value)| name == "ParentCallSid" && !value.is_empty());
                match parent {
                    Some((_, parent)) => (call(&parent), Begins::Nothing),
                    None => (call(&leg.id), begun(Begins::Call)),
                }
            }
            Webhook::Message(message) => (pair(&message.from, &message.to), begun(Begins::Conversation)),
            Webhook::Event(event) => match &event.parties {
                Some((from, to)) => (pair(from, to), Begins::Nothing),
                None if event.subject.is_empty() => return None,
                None => (call(&event.subject), Begins::Nothing),
            },
            // Of no conversation.
            Webhook::Web(_) => return None,
        };
        Some((self.key.derive(&format!("{tenant}\n{handler}\n{subject}")), begins))
    }
}
