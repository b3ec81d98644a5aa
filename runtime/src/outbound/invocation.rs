//! The requests of one invocation: each is checked, waits for its place, is sent, and sent again where that helps.
//!
//! A body is taken whole before anything is sent, so that it can be sent again, and a guest that stops in the middle of
//! one has sent nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout_at};
use url::Url;

use super::body::{Counts, Open, Received, Source};
use super::limits::{
    BODY_RECEIVED_BYTES_MAX, BODY_SENT_BYTES_MAX, HEAD_BYTES_MAX, OPEN_MAX, REQUESTS_MAX, RESERVE_MAX,
    RESERVE_MIN, RESERVE_PART,
};
use super::target::{show, target};
use super::tenant::{Tenant, Way};
use super::{AllowList, Client, Error, retry};
use crate::call::TenantId;

/// The header with which a handler asks for one attempt only (`off`); it is not sent.
pub const RETRY_HEADER: &str = "x-hookswitch-retry";
/// Who we say we are, where a handler does not.
const USER_AGENT: &str = concat!("hookswitch/", env!("CARGO_PKG_VERSION"));
/// With less time than this left after a pause, another attempt is not begun.
const ATTEMPT_MIN: Duration = Duration::from_millis(30);
/// What stands for chance in a world that is not there: pauses of 100 ms.
const WORLD_DICE: u64 = 100;

/// Takes a line for the handler's log, and whether what it tells of went well.
pub type Note = dyn Fn(bool, &str) + Send + Sync;

/// How long a guest is ready to wait; what the call leaves is the bound in any case.
#[derive(Debug, Clone, Copy, Default)]
pub struct Patience {
    /// For the connection and the answer's head together, each attempt.
    pub head: Option<Duration>,
    /// For the next piece of the answer's body.
    pub between: Option<Duration>,
}

/// What an invocation has used of its way out.
#[derive(Debug, Default)]
pub(super) struct Used {
    requests: AtomicU32,
    /// Requests that may have changed something.
    acting: AtomicU32,
    /// Nothing is sent any more: what acted has been read.
    ended: AtomicBool,
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
    /// What passed in a world that is not there, in microseconds.
    passed_us: AtomicU64,
}

impl Used {
    fn pass(&self, time: Duration) {
        self.passed_us.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn passed(&self) -> Duration {
        Duration::from_micros(self.passed_us.load(Ordering::Relaxed))
    }

    fn send(&self, bytes: usize) -> Result<(), Error> {
        let before = self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if before.saturating_add(bytes as u64) > BODY_SENT_BYTES_MAX {
            Err(Error::SentTooMuch)
        } else {
            Ok(())
        }
    }

    pub(super) fn receive(&self, bytes: usize) -> Result<(), Error> {
        let before = self.received_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if before.saturating_add(bytes as u64) > BODY_RECEIVED_BYTES_MAX {
            Err(Error::ReceivedTooMuch)
        } else {
            Ok(())
        }
    }
}

/// One invocation's way out. Cloning shares its counts.
#[derive(Clone)]
pub struct Invocation {
    tenant: Option<Arc<Tenant>>,
    allow: AllowList,
    /// When every request has to be over, a little before the call.
    until: Instant,
    places: Arc<Semaphore>,
    used: Arc<Used>,
    note: Arc<Note>,
}

/// A request that may be sent.
struct Checked {
    method: Method,
    uri: Uri,
    headers: http::HeaderMap,
    body: Bytes,
    repeat: bool,
    /// Method and URL as the log has them.
    shown: String,
}

impl Invocation {
    /// For an invocation of `tenant` that has to answer at `until`; without a `client` every request is refused.
    #[must_use]
    pub fn new(
        client: Option<&Client>,
        tenant: &TenantId,
        allow: AllowList,
        until: Instant,
        note: Arc<Note>,
    ) -> Self {
        let left = until.saturating_duration_since(Instant::now());
        let reserve = (left / RESERVE_PART).clamp(RESERVE_MIN, RESERVE_MAX);
        Self {
            // An empty list permits nobody, so there is nothing to prepare.
            tenant: client.filter(|_| !allow.is_empty()).map(|client| client.tenant(tenant)),
            allow,
            until: until.checked_sub(reserve).unwrap_or(until),
            places: Arc::new(Semaphore::new(OPEN_MAX)),
            used: Arc::default(),
            note,
        }
    }

    /// Ends it: what is not on its way by now is not sent. Gives whether a request that may have changed something may have
    /// arrived.
    pub fn end(&self) -> bool {
        self.used.ended.store(true, Ordering::SeqCst);
        self.used.acting.load(Ordering::SeqCst) > 0
    }

    /// Sends a request and gives the answer's head; its body follows. What became of it is noted, too.
    ///
    /// It is counted now, in the order in which the guest makes its requests, and not when its turn to be sent comes.
    ///
    /// # Errors
    /// [`Error`]; nothing was sent where [`Error::is_before_sending`] says so.
    pub fn send<B>(
        self,
        request: Request<B>,
        patience: Patience,
    ) -> impl Future<Output = Result<Response<Received>, Error>> + Send
    where
        B: Body<Data = Bytes> + Send,
    {
        let count = self.used.requests.fetch_add(1, Ordering::Relaxed);
        // Said once: ten thousand of these would fill the log of the handler.
        if count == REQUESTS_MAX {
            let error = Error::TooManyRequests;
            (self.note)(false, &format!("{} request {}: {error}", request.method(), count + 1));
        }
        async move {
            if count >= REQUESTS_MAX {
                return Err(Error::TooManyRequests);
            }
            self.sent(request, patience).await
        }
    }

    async fn sent<B>(self, request: Request<B>, patience: Patience) -> Result<Response<Received>, Error>
    where
        B: Body<Data = Bytes> + Send,
    {
        let (parts, body) = request.into_parts();
        let mut shown = parts.method.to_string();
        let sending = async {
            let url = target(&parts.uri)?;
            shown = format!("{} {}", parts.method, show(&url));
            let tenant = self.permitted(&url)?;
            let request = self.checked(parts, url, &shown, body).await?;
            let open = self.place(tenant).await?;
            tenant.used();
            Ok((request, tenant, open))
        };
        let (request, tenant, open) = match sending.await {
            Ok(ready) => ready,
            Err(error) => {
                (self.note)(false, &format!("{shown}: {error}"));
                return Err(error);
            }
        };
        let response = self.attempts(&request, tenant, patience).await?;
        let counts = Counts {
            used: Arc::clone(&self.used),
            tenant: Arc::clone(tenant),
            note: Arc::clone(&self.note),
            shown: request.shown,
        };
        Ok(response.map(|source| Received::new(source, open, counts, self.until, patience.between)))
    }

    /// When every request has to be over, less what has passed without being waited for.
    fn until(&self) -> Instant {
        self.until.checked_sub(self.used.passed()).unwrap_or(self.until)
    }

    fn permitted(&self, url: &Url) -> Result<&Arc<Tenant>, Error> {
        let origin = || url.origin().ascii_serialization();
        if self.allow.is_empty() {
            return Err(Error::NoList { origin: origin() });
        }
        if !self.allow.permits(url) {
            return Err(Error::NotAllowed { origin: origin() });
        }
        self.tenant.as_ref().ok_or(Error::NoWayOut)
    }

    /// Checks the head and takes the whole body.
    async fn checked<B>(
        &self,
        parts: http::request::Parts,
        url: Url,
        shown: &str,
        body: B,
    ) -> Result<Checked, Error>
    where
        B: Body<Data = Bytes> + Send,
    {
        let http::request::Parts { method, mut headers, .. } = parts;
        let repeat = match headers.remove(RETRY_HEADER) {
            None => true,
            Some(value) if value == "off" => false,
            Some(_) => return Err(Error::RetryHeader),
        };
        // Both are made anew, from what is really sent.
        headers.remove(header::HOST);
        let said = headers.remove(header::CONTENT_LENGTH);
        let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if bytes > HEAD_BYTES_MAX {
            return Err(Error::Headers { bytes, max: HEAD_BYTES_MAX });
        }
        headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
        let uri = Uri::try_from(url.as_str()).map_err(|_| Error::Url("has characters that can't be sent"))?;
        let waited = timeout_at(self.until().into(), self.whole(body)).await;
        let body = waited.map_err(|_| Error::BodyUnfinished)??;
        let said = said.and_then(|said| said.to_str().ok()?.parse::<u64>().ok());
        if said.is_some_and(|said| said != body.len() as u64) {
            return Err(Error::BodyUnfinished);
        }
        Ok(Checked { method, uri, headers, body, repeat, shown: shown.to_owned() })
    }

    async fn whole<B>(&self, body: B) -> Result<Bytes, Error>
    where
        B: Body<Data = Bytes> + Send,
    {
        let mut body = std::pin::pin!(body);
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            // Trailers are not sent: what they would mean here is known to nobody.
            let Ok(data) = frame.map_err(|_| Error::BodyUnfinished)?.into_data() else { continue };
            self.used.send(data.len())?;
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    }

    async fn place(&self, tenant: &Tenant) -> Result<Open, Error> {
        let (own, tenants) = (Arc::clone(&self.places), Arc::clone(&tenant.places));
        // One's own first: whoever waits for that keeps nothing from its neighbours.
        let both = async { Some([own.acquire_owned().await.ok()?, tenants.acquire_owned().await.ok()?]) };
        timeout_at(self.until().into(), both).await.ok().flatten().ok_or(Error::TooManyOpen)
    }

    /// Sends the request until it is answered, or further attempts make no sense.
    async fn attempts(
        &self,
        request: &Checked,
        tenant: &Tenant,
        patience: Patience,
    ) -> Result<Response<Source>, Error> {
        let mut attempt = 1;
        loop {
            let turn = tenant.turn(request.body.len(), self.until()).await;
            let (started, passed) = (Instant::now(), self.used.passed());
            let result = match turn {
                Ok(()) => self.attempt(request, tenant, patience, started).await,
                Err(error) => Err(error),
            };
            let passed = self.used.passed().saturating_sub(passed);
            let took_ms = started.elapsed().saturating_add(passed).as_millis();
            let what = match &result {
                Ok(response) => format!("{} after {took_ms} ms", response.status().as_u16()),
                Err(error @ (Error::Timeout(_) | Error::ConnectTimeout(_))) => error.to_string(),
                Err(error) => format!("{error}, after {took_ms} ms"),
            };
            let shown = &request.shown;
            let repeating = match self.again(request, tenant, &result, attempt) {
                Again::In(pause) => pause,
                Again::No(why) => {
                    let well = result.as_ref().is_ok_and(|response| !retry::may_pass(response.status()));
                    let number = if attempt > 1 {
                        format!(" ({attempt} of {})", retry::ATTEMPTS_MAX)
                    } else {
                        String::new()
                    };
                    (self.note)(well, &format!("{shown}: {what}{number}{why}"));
                    return result;
                }
            };
            (self.note)(
                false,
                &format!(
                    "{shown}: {what}, trying again in {} ms ({attempt} of {})",
                    repeating.as_millis(),
                    retry::ATTEMPTS_MAX
                ),
            );
            drop(result);
            match &tenant.way {
                Way::Network(_) => sleep(repeating).await,
                Way::World(world) => {
                    self.used.pass(repeating);
                    world.pass(repeating);
                }
            }
            attempt += 1;
        }
    }

    /// Sends it once.
    async fn attempt(
        &self,
        request: &Checked,
        tenant: &Tenant,
        patience: Patience,
        started: Instant,
    ) -> Result<Response<Source>, Error> {
        let mut once = Request::new(Full::new(request.body.clone()));
        *once.method_mut() = request.method.clone();
        *once.uri_mut() = request.uri.clone();
        *once.headers_mut() = request.headers.clone();
        let until = patience
            .head
            .and_then(|head| started.checked_add(head))
            .map_or(self.until(), |until| until.min(self.until()));
        let acts = retry::changes(&request.method);
        if acts {
            // Before it is sent: an invocation that is dropped in the middle has acted.
            self.used.acting.fetch_add(1, Ordering::SeqCst);
        }
        // The task that sends outlives its guest by a moment; whoever reads what has acted has to have the last word.
        if self.used.ended.load(Ordering::SeqCst) {
            return Err(Error::Timeout(Duration::ZERO));
        }
        let result = match &tenant.way {
            Way::Network(client) => match timeout_at(until.into(), client.request(once)).await {
                Ok(Ok(response)) => Ok(response.map(Source::Network)),
                Ok(Err(error)) => Err(Error::of_client(&error)),
                Err(_) => Err(Error::Timeout(until.saturating_duration_since(started))),
            },
            Way::World(world) => {
                let patience = until.saturating_duration_since(started);
                let (result, took) = world.answer(&once, &request.body, patience);
                self.used.pass(took);
                world.pass(took);
                result.map(|response| response.map(Source::World))
            }
        };
        if acts && result.as_ref().is_err_and(Error::is_before_sending) {
            self.used.acting.fetch_sub(1, Ordering::SeqCst);
        }
        result
    }

    fn again(
        &self,
        request: &Checked,
        tenant: &Tenant,
        result: &Result<Response<Source>, Error>,
        attempt: u32,
    ) -> Again {
        let (may_pass, is_unsent, asked) = match result {
            Ok(response) => {
                let asked = retry::retry_after(response.headers(), SystemTime::now());
                (retry::may_pass(response.status()), false, asked)
            }
            Err(error) => (error.may_pass(), error.is_before_sending(), None),
        };
        if !may_pass || !request.repeat || attempt >= retry::ATTEMPTS_MAX {
            return Again::No(String::new());
        }
        if !is_unsent && !retry::is_idempotent(&request.method, &request.headers) {
            let why = match request.method {
                Method::POST => ", not tried again: a POST may be repeated when it has an Idempotency-Key",
                _ => ", not tried again: it may have changed something already",
            };
            return Again::No(why.to_owned());
        }
        let dice = match &tenant.way {
            // Without random numbers everybody waits for the longest time, which is safe.
            Way::Network(_) => getrandom::u64().unwrap_or(u64::MAX),
            // A test shall come to the same each time.
            Way::World(_) => WORLD_DICE,
        };
        let pause = retry::backoff(attempt, dice);
        let pause = asked.map_or(pause, |asked| asked.saturating_add(pause / 4));
        let left = self.until().saturating_duration_since(Instant::now());
        if pause.saturating_add(ATTEMPT_MIN) > left {
            let why = match asked {
                Some(asked) => format!("the server asks for {} ms", asked.as_millis()),
                None => format!("the pause would be {} ms", pause.as_millis()),
            };
            return Again::No(format!(", not tried again: {why}, and {} ms are left", left.as_millis()));
        }
        if !tenant.repeats.take() {
            return Again::No(
                ", not tried again: this tenant's repeats are used up, one request in ten may be one"
                    .to_owned(),
            );
        }
        Again::In(pause)
    }
}

/// Whether there is another attempt.
enum Again {
    In(Duration),
    /// Why not, where that is not plain.
    No(String),
}
