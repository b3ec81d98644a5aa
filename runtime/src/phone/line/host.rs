//! Straight into a host in this process: the hot path as it is, without a wire.
//!
//! What only `ingress` checks (heads, framing, odd paths) is not met here.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use futures_util::Stream as _;
use http::uri::PathAndQuery;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use url::{Origin, Url};

use super::{Fired, HttpLine, Line, LineError, Outgoing, Reply};
use crate::call::TenantId;
use crate::capability::Reach;
use crate::carrier::Carrier;
use crate::clock::TimeOfDay;
use crate::config::Secret;
use crate::host::Host;
use crate::outbound;
use crate::outbound::world::{Given, Requested, World};
use crate::phone::carrier::OfflineCarrier;
use crate::phone::{OptOuts, What, Writer};
use crate::router::{Handler, Snapshot, Tenant};
use crate::schedule::Schedule;
use crate::secrets::Found;
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
    time: TimeOfDay,
    log: Mutex<Log>,
    /// Whether lines of the log are told with what the handler did.
    tells_log: bool,
    /// Where the host is, by its own URLs. What is elsewhere is not its to answer.
    origin: Origin,
    /// Where requests to others go; none: `world` answers them.
    others: Option<HttpLine>,
    /// The first request to others that nothing answers: `POST https://…`.
    unreached: Mutex<Option<String>>,
}

/// What a conversation has in the place of what its host has.
#[derive(Debug, Default)]
pub struct Own {
    /// Where requests of handlers go.
    pub world: World,
    /// What time it is. The machine's, where somebody is on the line to whom time passes by itself.
    pub time: TimeOfDay,
    /// The values of secrets, and of no others; none: those that the host has.
    pub secrets: Option<BTreeMap<String, Secret>>,
}

struct Log {
    feed: Subscription,
    /// In the order in which it was written.
    said: Vec<(Writer, String)>,
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

/// Lines of one writer that are kept until somebody takes them. Beyond it nothing is expected.
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
    /// A value for what no handler is granted.
    #[error(
        "there is a value for the secret {name:?}, and handler.toml lists {}; add `secrets = [{name:?}]` there, or take the value out",
        if listed.is_empty() { "none".to_owned() } else { listed.join(", ") }
    )]
    NotListed {
        /// The secret.
        name: String,
        /// Those that are.
        listed: Vec<String>,
    },
}

impl HostLine {
    /// A line to a host beside `host` with empty stores, whose URLs begin as `base` does, on which the handlers of `tenant` act
    /// at `carrier` and have what is in `own`.
    ///
    /// # Errors
    /// [`NoHost`].
    pub fn beside(
        host: &Host,
        tenant: &TenantId,
        base: &Url,
        carrier: Arc<OfflineCarrier>,
        own: Own,
    ) -> Result<Self, NoHost> {
        let Own { world, time, secrets } = own;
        let world = Arc::new(world);
        let host = host.beside(Reach {
            outbound: Some(Arc::new(outbound::Client::into_world(Arc::clone(&world)))),
            state: Some(State::at_time(&time)?),
            carrier: Some(Arc::clone(&carrier) as Arc<dyn Carrier>),
            time: time.clone(),
        });
        if let Some(values) = secrets {
            let snapshot = Snapshot::clone(&host.router.snapshot());
            host.router.publish(with_secrets(snapshot, tenant, &values)?);
        }
        let feed = host.feed.subscribe(tenant, None)?;
        let log = Mutex::new(Log { feed, said: Vec::new(), dropped: 0 });
        Ok(Self {
            host,
            carrier,
            world,
            time,
            log,
            tells_log: false,
            origin: base.origin(),
            others: None,
            unreached: Mutex::new(None),
        })
    }

    /// The same line, which asks other hosts over the wire where a document leads there.
    #[must_use]
    pub fn asking_others(self) -> Self {
        Self { others: Some(HttpLine::default()), ..self }
    }

    /// Takes the first request of the carrier to another host that nothing answered: its method and its URL without a query.
    pub fn take_unreached(&self) -> Option<String> {
        self.unreached.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What another host answers: as it does, or as the rules say.
    async fn elsewhere(&self, request: Outgoing) -> Result<Reply, LineError> {
        if let Some(others) = &self.others {
            return others.send(request).await;
        }
        let within = request.answer_within;
        let Some(rule) = self.world.says(request.method.as_str(), request.url.as_str()) else {
            let mut url = request.url;
            url.set_query(None);
            let asked = format!("{} {url}", request.method);
            let mut unreached = self.unreached.lock().unwrap_or_else(PoisonError::into_inner);
            unreached.get_or_insert_with(|| asked.clone());
            return Err(LineError::Unreached(asked));
        };
        match rule.given {
            Given::Answer { status, headers, body } if rule.takes < within => {
                Ok(Reply { status: status.as_u16(), headers, body, took: rule.takes })
            }
            // A carrier that may not call a private address gives up in the same way.
            // Source: Twilio, error 11205.
            Given::Answer { .. } | Given::Timeout | Given::Denied => {
                Err(LineError::ReadTimeout(within.as_millis()))
            }
            Given::Refused => Err(LineError::Refused(format!("{} (by the script)", request.url))),
        }
    }

    /// The same line, which tells what is logged in the conversation, behind the webhook that it is about; nothing is left to
    /// [`HostLine::take_log`].
    #[must_use]
    pub fn telling_log(self) -> Self {
        Self { tells_log: true, ..self }
    }

    /// The secrets of the handler at this path (`/tenant/handler/`) that have no value.
    #[must_use]
    pub fn secrets_without_value(&self, handler: &str) -> Vec<String> {
        self.handler(handler).map_or(Vec::new(), |(_, handler)| {
            handler.stable.grants.secrets.without_value().map(str::to_owned).collect()
        })
    }

    /// Whether the handler at this path (`/tenant/handler/`) hears of events.
    #[must_use]
    pub fn takes_events(&self, handler: &str) -> bool {
        let code = self.handler(handler).ok().and_then(|(_, handler)| handler.stable.code());
        code.is_some_and(|code| code.exports().events)
    }

    /// Takes what was said so far, and how many lines are missing, because so much was logged at once.
    pub fn take_log(&self) -> (Said, u64) {
        let mut log = self.log();
        log.drain();
        let mut said = Said::default();
        for (by, text) in std::mem::take(&mut log.said) {
            match by {
                Writer::Handler => said.lines.push(text),
                Writer::Host => said.remarks.push(text),
            }
        }
        (said, log.dropped)
    }

    /// What was logged since this was last asked, as events.
    fn logged(&self) -> Vec<What> {
        let mut log = self.log();
        log.drain();
        let mut all = std::mem::take(&mut log.said);
        let dropped = std::mem::take(&mut log.dropped);
        if dropped > 0 {
            all.push((
                Writer::Host,
                format!("{dropped} lines are missing here: too much was logged at once"),
            ));
        }
        all.into_iter().map(|(by, text)| What::Logged { by, text }).collect()
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

/// The same tenants, whose handlers of `tenant` have these values of their secrets.
fn with_secrets(
    mut snapshot: Snapshot,
    tenant: &TenantId,
    values: &BTreeMap<String, Secret>,
) -> Result<Snapshot, NoHost> {
    let Some(before) = snapshot.tenant(tenant.as_str()).map(Arc::clone) else { return Ok(snapshot) };
    let all = || before.handlers.values().map(|handler| &handler.stable.grants.secrets);
    let is_listed = |name: &str| all().any(|secrets| !matches!(secrets.get(name), Found::NotGranted));
    if let Some(name) = values.keys().find(|name| !is_listed(name)) {
        let listed = all().flat_map(|secrets| secrets.names()).map(str::to_owned).collect();
        return Err(NoHost::NotListed { name: name.clone(), listed });
    }
    let mut tenant = Tenant::clone(&before);
    for handler in before.handlers.values() {
        tenant.put(Handler::new(Arc::new(handler.stable.with_secrets(values))));
    }
    snapshot.put(Arc::new(tenant));
    Ok(snapshot)
}

impl Log {
    /// Takes all that waits, without waiting for more.
    fn drain(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(event)) = std::pin::Pin::new(&mut self.feed).poll_next(&mut context) {
            match event {
                FeedEvent::Log { text, source, .. } => {
                    let writer = match source {
                        FeedSource::Handler | FeedSource::Stdout | FeedSource::Stderr => Writer::Handler,
                        FeedSource::Host => Writer::Host,
                    };
                    // Counted apart: a handler that writes much shall not push out why it failed.
                    if self.said.iter().filter(|(by, _)| *by == writer).count() < LINES_MAX {
                        self.said.push((writer, text));
                    }
                }
                FeedEvent::Dropped { count } => self.dropped += count,
                FeedEvent::Webhook { .. } | FeedEvent::Release { .. } => {}
            }
        }
    }
}

impl Line for HostLine {
    fn time(&self) -> TimeOfDay {
        self.time.clone()
    }

    fn opt_outs(&self) -> OptOuts {
        self.carrier.opt_outs()
    }

    fn outward(&self) -> Vec<What> {
        let requested = self.world.take_requested();
        let mut all = self.carrier.take();
        all.extend(requested.into_iter().map(|one| (one.at, self.told(one))));
        all.sort_by_key(|(at, _)| *at);
        let logged = if self.tells_log { self.logged() } else { Vec::new() };
        logged.into_iter().chain(all.into_iter().map(|(_, what)| what)).collect()
    }

    async fn stored(&self, handler: &str, key: &str) -> Result<Option<Vec<u8>>, String> {
        let (_, handler) = self.handler(handler)?;
        let state = self.host.reach.state.as_ref().ok_or("this host keeps no stores")?;
        let found = state.get(Owner::of(&handler.stable.grants), key.to_owned()).await;
        found.map(|value| value.map(|value| value.to_vec())).map_err(|error| error.to_string())
    }

    async fn send(&self, request: Outgoing) -> Result<Reply, LineError> {
        if request.url.origin() != self.origin {
            return self.elsewhere(request).await;
        }
        let reply = send_to(&self.host, request).await;
        // Looked after as they come: the feed keeps a bounded number for each listener.
        self.log().drain();
        let passed = self.world.take_passed();
        reply.map(|reply| Reply { took: reply.took.saturating_add(passed), ..reply })
    }

    fn schedule(&self, handler: &str, name: &str) -> Result<Schedule, String> {
        let (_, handler) = self.handler(handler)?;
        let all = &handler.stable.schedules;
        all.iter().find(|found| *found.name == *name).cloned().ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|schedule| &*schedule.name).collect();
            format!(
                "handler.toml has no [[schedule]] with the name {name:?}; it has: {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            )
        })
    }

    async fn fire(&self, handler: &str, schedule: &Schedule, moment: Timestamp) -> Result<Fired, String> {
        let (tenant, handler) = self.handler(handler)?;
        let answer = fire(&self.host, &tenant, &handler, schedule.event(moment, 1)).await;
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
