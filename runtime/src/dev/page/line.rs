//! Where the page's webhooks go: straight into the host, or over the wire where a handler's link leads elsewhere; and what
//! the host and its handlers said about them.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::Stream as _;
use hashbrown::HashMap;
use url::Url;

use crate::call::TenantId;
use crate::dev::TENANT;
use crate::host::Host;
use crate::phone::OptOuts;
use crate::phone::line::{HttpLine, Line, LineError, Outgoing, Reply, send_to};
use crate::telemetry::FeedEvent;
use crate::telemetry::feed::{Subscription, TooMany};

/// Events about one call that wait until somebody looks; and calls of which some wait.
const WAITING_MAX: usize = 256;
/// What carriers send to the same port may be about other calls; nobody here will ask for those.
const SUBJECTS_MAX: usize = 512;

/// One line for all conversations of all pages. Cheap to clone.
#[derive(Clone)]
pub(super) struct PageLine {
    host: Arc<Host>,
    base: Url,
    opt_outs: OptOuts,
    said: Arc<Mutex<Said>>,
}

struct Said {
    /// Taken while somebody is at a page, because others may want to listen too.
    feed: Option<Subscription>,
    about: HashMap<String, Vec<FeedEvent>>,
}

impl PageLine {
    pub(super) fn new(host: Arc<Host>, base: Url, opt_outs: OptOuts) -> Self {
        Self { host, base, opt_outs, said: Arc::new(Mutex::new(Said { feed: None, about: HashMap::new() })) }
    }

    /// Begins to hear what handlers log.
    ///
    /// # Errors
    /// [`TooMany`] where others listen already; calls work all the same.
    pub(super) fn listen(&self) -> Result<(), TooMany> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.feed.is_none() {
            let tenant = TenantId::new(TENANT).expect("`dev` is a name");
            said.feed = Some(self.host.feed.subscribe(&tenant, None)?);
        }
        Ok(())
    }

    /// Hears no more.
    pub(super) fn hang_up(&self) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.feed = None;
        said.about.clear();
    }

    /// Takes what was said about these calls, messages and recordings until now.
    pub(super) fn take<'s>(&self, subjects: impl IntoIterator<Item = &'s str>) -> Vec<FeedEvent> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.drain();
        subjects.into_iter().filter_map(|subject| said.about.remove(subject)).flatten().collect()
    }
}

impl Said {
    /// Takes all that waits, without waiting for more.
    fn drain(&mut self) {
        let Some(feed) = &mut self.feed else { return };
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(event)) = Pin::new(&mut *feed).poll_next(&mut context) {
            let subject = match &event {
                FeedEvent::Webhook { subject, .. } | FeedEvent::Log { subject, .. } => subject.clone(),
                FeedEvent::Release { .. } | FeedEvent::Dropped { .. } => continue,
            };
            if self.about.len() >= SUBJECTS_MAX && !self.about.contains_key(&subject) {
                self.about.clear();
            }
            let waiting = self.about.entry(subject).or_default();
            if waiting.len() < WAITING_MAX {
                waiting.push(event);
            }
        }
    }
}

impl Line for PageLine {
    async fn send(&self, request: Outgoing) -> Result<Reply, LineError> {
        if request.url.origin() == self.base.origin() {
            return send_to(&self.host, request).await;
        }
        let line = HttpLine::to(&request.url).map_err(|error| LineError::Tls(error.to_string()))?;
        line.send(request).await
    }

    fn opt_outs(&self) -> OptOuts {
        self.opt_outs.clone()
    }
}
