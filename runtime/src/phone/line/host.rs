//! Straight into a host in this process: the hot path as it is, without a wire.
//!
//! What only `ingress` checks (heads, framing, odd paths) is not met here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use futures_util::Stream as _;
use http::uri::PathAndQuery;
use http_body_util::BodyExt as _;
use jiff::Timestamp;

use super::{Fired, Line, LineError, Outgoing, Reply};
use crate::call::TenantId;
use crate::capability::Reach;
use crate::carrier::Carrier;
use crate::host::Host;
use crate::outbound;
use crate::outbound::world::{Requested, World};
use crate::phone::What;
use crate::phone::carrier::OfflineCarrier;
use crate::router::{Handler, Tenant};
use crate::state::{Owner, State};
use crate::telemetry::FeedEvent;
use crate::telemetry::feed::{FeedSource, Subscription, TooMany};
use crate::webhook::ingress::Incoming;
use crate::webhook::{fire, respond};

/// Sends webhooks to a host in this process, keeps what its handlers log, and sees what they do outward.
///
/// The host is this line's own: what one conversation stores, sends and logs is not another's.
pub struct HostLine {
    host: Arc<Host>,
    carrier: Arc<OfflineCarrier>,
    world: Arc<World>,
    log: Mutex<Log>,
}

struct Log {
    feed: Subscription,
    said: Said,
    dropped: u64,
}

/// What was said in one conversation.
#[derive(Debug, Default)]
pub struct Said {
    /// By the handler.
    pub lines: Vec<String>,
    /// By the host: why something failed.
    pub remarks: Vec<String>,
}

/// Lines of one conversation that are kept. Beyond it nothing is expected.
const LINES_MAX: usize = 1_000;

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub enum NoHost {
    /// Its stores.
    #[error("there is no thread for what handlers store: {0}")]
    State(#[from] std::io::Error),
    /// Its log: a defect of ours, because nobody else listens.
    #[error(transparent)]
    Log(#[from] TooMany),
}

impl HostLine {
    /// A line to a host beside `host` with empty stores, on which the handlers of `tenant` act at `carrier` and send their
    /// requests into `world`.
    ///
    /// # Errors
    /// [`NoHost`].
    pub fn beside(
        host: &Host,
        tenant: &TenantId,
        carrier: Arc<OfflineCarrier>,
        world: World,
    ) -> Result<Self, NoHost> {
        let world = Arc::new(world);
        let host = host.beside(Reach {
            outbound: Some(Arc::new(outbound::Client::into_world(Arc::clone(&world)))),
            state: Some(State::in_memory()?),
            carrier: Some(Arc::clone(&carrier) as Arc<dyn Carrier>),
        });
        let feed = host.feed.subscribe(tenant, None)?;
        Ok(Self { host, carrier, world, log: Mutex::new(Log { feed, said: Said::default(), dropped: 0 }) })
    }

    /// Takes what was said so far, and how many lines are missing, because so much was logged at once.
    pub fn take_log(&self) -> (Said, u64) {
        let mut log = self.log();
        log.drain();
        (std::mem::take(&mut log.said), log.dropped)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handler at a path.
    fn handler(&self, path: &str) -> Result<(Arc<Tenant>, Arc<Handler>), String> {
        let mut names = path.trim_matches('/').split('/');
        let (tenant, name) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        let tenant = self.host.router.tenant(tenant).ok_or("there is no such tenant")?;
        let handler = Arc::clone(tenant.handlers.get(name).ok_or("there is no such handler")?);
        Ok((tenant, handler))
    }

    /// A request as it is told: without the secrets of whoever sent it.
    fn told(&self, requested: Requested) -> What {
        let Requested { method, mut url, mut body, came_to, .. } = requested;
        for tenant in self.host.router.snapshot().tenants() {
            for handler in tenant.handlers.values() {
                handler.stable.grants.secrets.hide(&mut url);
                handler.stable.grants.secrets.hide(&mut body);
            }
        }
        What::Requested { method, url, body, came_to }
    }
}

impl Log {
    /// Takes all that waits, without waiting for more.
    fn drain(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(event)) = std::pin::Pin::new(&mut self.feed).poll_next(&mut context) {
            match event {
                FeedEvent::Log { text, source, .. } => {
                    let lines = match source {
                        FeedSource::Handler | FeedSource::Stdout | FeedSource::Stderr => &mut self.said.lines,
                        FeedSource::Host => &mut self.said.remarks,
                    };
                    if lines.len() < LINES_MAX {
                        lines.push(text);
                    }
                }
                FeedEvent::Dropped { count } => self.dropped += count,
                FeedEvent::Webhook { .. } | FeedEvent::Release { .. } => {}
            }
        }
    }
}

impl Line for HostLine {
    fn outward(&self) -> Vec<What> {
        let requested = self.world.take_requested();
        let mut all = self.carrier.take();
        all.extend(requested.into_iter().map(|one| (one.at, self.told(one))));
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, what)| what).collect()
    }

    async fn stored(&self, handler: &str, key: &str) -> Result<Option<Vec<u8>>, String> {
        let (_, handler) = self.handler(handler)?;
        let state = self.host.reach.state.as_ref().ok_or("this host keeps no stores")?;
        let found = state.get(Owner::of(&handler.stable.grants), key.to_owned()).await;
        found.map(|value| value.map(|value| value.to_vec())).map_err(|error| error.to_string())
    }

    async fn send(&self, request: Outgoing) -> Result<Reply, LineError> {
        let reply = send_to(&self.host, request).await;
        // Looked after as they come: the feed keeps a bounded number for each listener.
        self.log().drain();
        let passed = self.world.take_passed();
        reply.map(|reply| Reply { took: reply.took.saturating_add(passed), ..reply })
    }

    async fn fire(&self, handler: &str, schedule: &str, moment: Timestamp) -> Result<Fired, String> {
        let (tenant, handler) = self.handler(handler)?;
        let all = &handler.stable.schedules;
        let Some(found) = all.iter().find(|found| *found.name == *schedule) else {
            let known: Vec<&str> = all.iter().map(|schedule| &*schedule.name).collect();
            return Err(format!(
                "handler.toml has no [[schedule]] with the name {schedule:?}; it has: {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            ));
        };
        let answer = fire(&self.host, &tenant, &handler, found.event(moment, 1)).await;
        self.log().drain();
        let _of_nobody = self.world.take_passed();
        Ok(Fired { code: answer.code.map(str::to_owned) })
    }
}

/// Sends one request straight into `host`.
///
/// # Errors
/// [`LineError::ReadTimeout`]; the handler may still answer, and nobody hears it.
pub(crate) async fn send_to(host: &Arc<Host>, request: Outgoing) -> Result<Reply, LineError> {
    let began = Instant::now();
    let Outgoing { method, url, headers, body, answer_within, .. } = request;
    let path = url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let uri = PathAndQuery::try_from(path).map_err(|error| LineError::Protocol(error.to_string()))?;
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let incoming = Incoming {
        method,
        uri,
        // Whom the signature names, where no public URL is configured.
        host: authority(&url),
        headers,
        body,
        peer: SocketAddr::new(here, 0),
        client: here,
        forwarded: None,
    };
    let answered = tokio::time::timeout(answer_within, respond(Arc::clone(host), incoming));
    let Ok(response) = answered.await else {
        return Err(LineError::ReadTimeout(answer_within.as_millis()));
    };
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await;
    Ok(Reply {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.to_bytes(),
        took: began.elapsed(),
    })
}

fn authority(url: &url::Url) -> Option<crate::webhook::ingress::Host> {
    let name = url.host_str()?;
    let text = url.port().map_or(name.to_owned(), |port| format!("{name}:{port}"));
    crate::webhook::ingress::Host::parse(text.as_bytes()).ok()
}
