//! The pages that are open and their conversations.
//!
//! A page is as long open as its stream is read. Everything is bounded, and what a page began ends with it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hashbrown::HashMap;
use tokio::sync::{mpsc, watch};
use tracing::debug;
use url::Url;

use super::Page;
use super::document;
use super::item::{Budget, Happened, Item, Line, Run, Seen, ToPage};
use super::line::PageLine;
use super::person::Input;
use crate::call::RevisionId;
use crate::dev::TENANT;
use crate::dev::board::HandlerView;
use crate::phone::messages::{Texting, Written};
use crate::phone::{Act, Event, Exchange, Faults, Question, What};
use crate::telemetry::FeedEvent;
use crate::twiml::DocumentKind;

/// Pages that may be open at one time.
const PAGES_MAX: usize = 8;
/// Calls of one page in progress at one time.
const CALLS_MAX: usize = 8;
/// Conversations that are kept for one page, those that are over included: the oldest of them are forgotten.
const KEPT_MAX: usize = 24;
/// Items of one conversation, and the bytes of their documents: a handler that redirects in a circle ends there.
const ITEMS_MAX: usize = 5_000;
const BYTES_MAX: usize = 4 << 20;
/// Items that wait for a page; who tells more waits until it has read them.
const UNREAD_MAX: usize = 256;

/// All pages of one `dev`.
pub(super) struct Desk {
    pub(super) page: Page,
    pub(super) line: PageLine,
    pub(super) stopping: watch::Receiver<bool>,
    open: Mutex<HashMap<String, Open>>,
}

struct Open {
    out: mpsc::Sender<ToPage>,
    /// In the order in which they began.
    conversations: Vec<Conversation>,
}

/// A conversation, and how to take part in it.
#[derive(Clone)]
pub(super) struct Conversation {
    pub(super) about: Arc<About>,
    /// To whoever is on the line; nobody is in a conversation by message.
    pub(super) inputs: Option<mpsc::Sender<Input>>,
    pub(super) texting: Option<Arc<tokio::sync::Mutex<Texting<PageLine>>>>,
}

/// What a conversation is and what has happened in it.
pub(super) struct About {
    pub(super) id: String,
    pub(super) handler: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) faults: Faults,
    pub(super) kind: DocumentKind,
    /// Whether the handler hears of the call's progress.
    pub(super) status_callback: bool,
    began: Instant,
    kept: Mutex<Kept>,
}

/// What has happened so far.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) items: Vec<Item>,
    /// What was done, by the item that tells of it.
    pub(super) done: Vec<(u32, Done)>,
    bytes: usize,
    pub(super) over: bool,
}

/// What somebody did.
#[derive(Debug, Clone)]
pub(super) enum Done {
    /// When asked, or while listening.
    Act(Option<Question>, Act),
    Wrote(Written),
}

/// Why something can't be begun.
#[derive(Debug, thiserror::Error)]
pub(super) enum Full {
    #[error("{PAGES_MAX} pages are open already; close one and load this one again")]
    Pages,
    #[error("this page has {CALLS_MAX} calls in progress; hang up one of them")]
    Calls,
    #[error("this page is not open any more; load it again")]
    Gone,
}

/// The page is closed.
#[derive(Debug)]
pub(super) struct Gone;

impl Desk {
    pub(super) fn new(page: Page, stopping: watch::Receiver<bool>) -> Arc<Self> {
        let line = PageLine::new(Arc::clone(&page.host), page.base.clone(), page.opt_outs.clone());
        Arc::new(Self { page, line, stopping, open: Mutex::new(HashMap::new()) })
    }

    /// Opens a page. It closes when the place is dropped.
    pub(super) fn open(self: &Arc<Self>, id: String) -> Result<Place, Full> {
        let mut open = self.pages();
        if open.len() >= PAGES_MAX {
            return Err(Full::Pages);
        }
        if let Err(error) = self.line.listen() {
            debug!("the page shows no log lines: {error}");
        }
        let (out, unread) = mpsc::channel(UNREAD_MAX);
        open.insert(id.clone(), Open { out, conversations: Vec::new() });
        Ok(Place { desk: Arc::clone(self), id, unread })
    }

    /// Puts a conversation on a page.
    pub(super) fn begin(&self, page: &str, conversation: Conversation) -> Result<Teller, Full> {
        let mut open = self.pages();
        let open = open.get_mut(page).ok_or(Full::Gone)?;
        let all = &mut open.conversations;
        let talks = |one: &Conversation| one.inputs.is_some() && !one.about.kept().over;
        if conversation.inputs.is_some() && all.iter().filter(|one| talks(one)).count() >= CALLS_MAX {
            return Err(Full::Calls);
        }
        if all.len() >= KEPT_MAX
            && let Some(oldest) = all.iter().position(|one| !talks(one))
        {
            all.remove(oldest);
        }
        let teller = Teller { about: Arc::clone(&conversation.about), out: open.out.clone() };
        all.push(conversation);
        Ok(teller)
    }

    /// The conversation called `id`, of whatever page.
    pub(super) fn conversation(&self, id: &str) -> Option<Conversation> {
        let open = self.pages();
        let mut all = open.values().flat_map(|open| &open.conversations);
        all.find(|one| one.about.id == id).cloned()
    }

    /// Who tells the page of one of its conversations.
    pub(super) fn teller(&self, page: &str, id: &str) -> Option<Teller> {
        let open = self.pages();
        let open = open.get(page)?;
        let found = open.conversations.iter().find(|one| one.about.id == id)?;
        Some(Teller { about: Arc::clone(&found.about), out: open.out.clone() })
    }

    /// The handler called `name`, as it stands on the board.
    pub(super) fn handler(&self, name: &str) -> Option<HandlerView> {
        self.page.board.watch().borrow().iter().find(|handler| handler.name == name).cloned()
    }

    /// The URL of an entry of a handler.
    pub(super) fn url(&self, handler: &str, entry: &str) -> Result<Url, url::ParseError> {
        self.page.base.join(&format!("/{TENANT}/{handler}/{entry}"))
    }

    /// What there is to say about an event besides itself.
    pub(super) fn happened(&self, event: Event, kind: DocumentKind) -> Happened {
        let webhook = match &event.what {
            What::Webhook(exchange) => Some(Box::new(self.seen(exchange, kind))),
            _ => None,
        };
        Happened::Event { event: Box::new(event), webhook }
    }

    fn seen(&self, exchange: &Exchange, kind: DocumentKind) -> Seen {
        let mut subjects: Vec<&str> = Vec::new();
        for (name, value) in &exchange.params {
            if name.ends_with("Sid") && name != "AccountSid" && !subjects.contains(&value.as_str()) {
                subjects.push(value);
            }
        }
        let (mut runs, mut log) = (Vec::new(), Vec::new());
        for event in self.line.take(subjects) {
            match event {
                FeedEvent::Webhook { outcome, wall_us, cpu_us, memory_kib, .. } => {
                    runs.push(Run { outcome, wall_us, cpu_us, memory_kib });
                }
                FeedEvent::Log { level, source, text, .. } => log.push(Line { level, source, text }),
                FeedEvent::Release { .. } | FeedEvent::Dropped { .. } => {}
            }
        }
        let document = if exchange.steers { document::shown(&exchange.body, kind) } else { Vec::new() };
        Seen { document, runs, limits: self.limits(exchange), log }
    }

    /// What the revision that answered may use.
    fn limits(&self, exchange: &Exchange) -> Option<Budget> {
        let url = Url::parse(&exchange.url).ok().filter(|url| url.origin() == self.page.base.origin())?;
        let handler = url.path_segments()?.nth(1)?.to_owned();
        let revision = RevisionId(exchange.revision.as_deref()?.parse().ok()?);
        let tenant = self.page.host.router.tenant(TENANT)?;
        let limits = tenant.handlers.get(handler.as_str())?.revisions.get(&revision)?.limits;
        Some(Budget {
            deadline_ms: u64::try_from(limits.deadline.as_millis()).unwrap_or(u64::MAX),
            cpu_ms: u64::try_from(limits.cpu.as_millis()).unwrap_or(u64::MAX),
            memory_mib: limits.memory_mib,
        })
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open page: what it is to be told comes out here.
pub(super) struct Place {
    desk: Arc<Desk>,
    pub(super) id: String,
    pub(super) unread: mpsc::Receiver<ToPage>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut pages = self.desk.pages();
        // Who is on the line finds nobody to listen to any more, and hangs up.
        pages.remove(&self.id);
        if pages.is_empty() {
            self.desk.line.hang_up();
        }
    }
}

impl About {
    pub(super) fn new(
        id: String,
        handler: String,
        (from, to): (String, String),
        faults: Faults,
        kind: DocumentKind,
        status_callback: bool,
    ) -> Arc<Self> {
        let kept = Mutex::new(Kept::default());
        Arc::new(Self { id, handler, from, to, faults, kind, status_callback, began: Instant::now(), kept })
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells a page of one conversation.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) about: Arc<About>,
    out: mpsc::Sender<ToPage>,
}

impl Teller {
    /// Tells, and keeps it; gives the item's number.
    ///
    /// # Errors
    /// [`Gone`] where the page is closed, or the conversation has grown beyond its bounds.
    pub(super) async fn tell(&self, what: Happened) -> Result<u32, Gone> {
        self.tell_done(what, None).await
    }

    /// The same for what somebody did.
    pub(super) async fn tell_done(&self, what: Happened, done: Option<Done>) -> Result<u32, Gone> {
        let item = {
            let mut kept = self.about.kept();
            if kept.items.len() >= ITEMS_MAX || kept.bytes >= BYTES_MAX {
                return Err(Gone);
            }
            let seq = u32::try_from(kept.items.len() + 1).unwrap_or(u32::MAX);
            let wall_ms = u64::try_from(self.about.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let item = Item { conversation: self.about.id.clone(), seq, wall_ms, what };
            kept.bytes += bytes(&item.what);
            kept.items.push(item.clone());
            kept.done.extend(done.map(|done| (seq, done)));
            item
        };
        let seq = item.seq;
        self.out.send(ToPage::Item(item)).await.map_err(|_| Gone)?;
        Ok(seq)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.out.is_closed()
    }
}

/// About what an item costs to keep.
fn bytes(what: &Happened) -> usize {
    let extra = match what {
        Happened::Event { event, webhook } => {
            let body = match &event.what {
                What::Webhook(exchange) => exchange.body.len() * 3,
                _ => 0,
            };
            body + webhook.as_ref().map_or(0, |seen| seen.log.iter().map(|line| line.text.len()).sum())
        }
        _ => 0,
    };
    1_024 + extra
}
