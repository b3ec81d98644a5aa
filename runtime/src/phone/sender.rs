//! Sends webhooks as the carrier does: signed, with cookies, following redirects, trying again where it may.
//!
//! What a webhook says is decided by those who walk the document; here it becomes requests. Status callbacks are kept back
//! where the conversation's faults ask for it.

use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{HeaderName, Method};
use url::Url;

use super::answer::{self, Answer};
use super::cookies::Jar;
use super::event::Exchange;
use super::line::{Line, LineError, Outgoing, Reply};
use super::overrides::{Overrides, Retry};
use super::params::Params;
use super::{ANSWER_BYTES_MAX, CallbackOrder, Faults, Ids};
use crate::carrier::twilio::delivery::TOKEN_HEADER;
use crate::carrier::twilio::signature::{self, AuthToken, SIGNATURE_HEADER};
use crate::twiml::DocumentKind;

/// Most redirects of one webhook.
/// Source: Twilio, error 11215.
const REDIRECTS_MAX: usize = 10;

static FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8");
static REVISION: HeaderName = HeaderName::from_static("x-hookswitch-revision");
static ERROR: HeaderName = HeaderName::from_static("x-hookswitch-error");

/// Whose number it is that is called.
#[derive(Debug, Clone)]
pub struct Account {
    /// `AC` and 32 hex digits.
    pub sid: String,
    /// Signs webhooks.
    pub token: AuthToken,
}

/// Where a webhook goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// With its fragment, if any.
    pub url: Url,
    /// `GET` or `POST`.
    pub method: Method,
}

impl Target {
    /// A `POST`.
    #[must_use]
    pub const fn post(url: Url) -> Self {
        Self { url, method: Method::POST }
    }

    /// Where a link of the document at `self` leads; the same place for an empty one.
    pub(super) fn follow(&self, link: &str, method: Option<&str>) -> Result<Self, String> {
        let method = match method {
            Some("GET") => Method::GET,
            _ => Method::POST,
        };
        let link = link.trim();
        if link.is_empty() {
            return Ok(Self { url: self.url.clone(), method });
        }
        // The fragment of the page belongs to the page.
        let url = self.url.join(link).map_err(|error| format!("{link:?} is no URL: {error}"))?;
        if matches!(url.scheme(), "http" | "https") {
            Ok(Self { url, method })
        } else {
            Err(format!("{link:?} is neither http nor https"))
        }
    }
}

/// A callback that is kept back.
pub(super) struct Kept {
    pub(super) purpose: String,
    pub(super) target: Target,
    pub(super) params: Params,
}

/// What became of a webhook.
pub(super) struct Sent {
    pub(super) exchange: Exchange,
    pub(super) result: Result<Reply, (u16, String)>,
    /// Where the answer came from, after redirects.
    pub(super) from: Target,
    /// How long the carrier waited for it, retries and redirects included.
    pub(super) waited: Duration,
    /// What else there is to say.
    pub(super) notes: Vec<(Option<u16>, String)>,
}

/// Sends the webhooks of one conversation.
pub(super) struct Sender<L> {
    pub(super) line: L,
    pub(super) account: Account,
    pub(super) ids: Ids,
    pub(super) jar: Jar,
    pub(super) faults: Faults,
    /// Documents asked for so far.
    pub(super) asked: u32,
    pub(super) kept: Vec<Kept>,
}

impl<L: Line> Sender<L> {
    pub(super) fn new(line: L, account: Account, ids: Ids, faults: Faults) -> Self {
        Self { line, account, ids, jar: Jar::default(), faults, asked: 0, kept: Vec::new() }
    }

    /// Asks for a document.
    pub(super) async fn ask(
        &mut self,
        purpose: &str,
        target: &Target,
        params: &Params,
        kind: DocumentKind,
    ) -> (Sent, Result<Answer, (u16, String)>) {
        self.asked += 1;
        let (n, faults) = (Some(self.asked), self.faults.clone());
        let good = faults.bad_signature_at != n;
        let mut sent = self.deliver(purpose, target, params, good).await;
        sent.exchange.steers = true;
        if faults.timeout_at == n {
            // As long as it waits for anybody; when the handler itself was ready is not touched.
            let overrides = Overrides::read(target.url.fragment().unwrap_or_default()).unwrap_or_default();
            let patience = Duration::from_millis(overrides.read_ms.min(overrides.total_ms));
            sent.waited = sent.waited.max(patience);
            sent.result = Err((11205, "the carrier did not wait for the answer (a fault on request)".into()));
        }
        let answer = match &sent.result {
            Ok(reply) => answer::read(reply, kind),
            Err(failure) => Err(failure.clone()),
        };
        sent.exchange.failure = answer.as_ref().err().map(|(code, why)| format!("{code}: {why}"));
        (sent, answer)
    }

    /// Tells something. `None`: it is kept back, or lost.
    pub(super) async fn tell(&mut self, purpose: &str, target: Target, params: Params) -> Option<Sent> {
        match self.faults.callbacks {
            CallbackOrder::InOrder => Some(self.tell_now(purpose, &target, &params).await),
            CallbackOrder::Late | CallbackOrder::Reversed => {
                self.kept.push(Kept { purpose: purpose.to_owned(), target, params });
                None
            }
            CallbackOrder::Lost => None,
        }
    }

    /// What was kept back, in the order in which it is to be told.
    pub(super) fn take_kept(&mut self) -> Vec<Kept> {
        let mut kept = std::mem::take(&mut self.kept);
        if self.faults.callbacks == CallbackOrder::Reversed {
            kept.reverse();
        }
        kept
    }

    pub(super) async fn tell_now(&mut self, purpose: &str, target: &Target, params: &Params) -> Sent {
        let mut sent = self.deliver(purpose, target, params, true).await;
        match &sent.result {
            Ok(reply) if reply.status >= 400 => {
                let said = format!("the status callback was answered with HTTP {}", reply.status);
                sent.notes.push((Some(15003), said));
            }
            Ok(reply) if reply.body.len() > ANSWER_BYTES_MAX => {
                sent.notes.push((Some(17583), "the answer to the status callback is too large".into()));
            }
            Ok(_) => {}
            Err((code, why)) => sent.notes.push((Some(*code), why.clone())),
        }
        sent
    }

    /// One webhook, delivered twice where that is the fault asked for.
    async fn deliver(&mut self, purpose: &str, target: &Target, params: &Params, good: bool) -> Sent {
        let token = self.ids.next("");
        let mut sent = self.once(purpose, target, params, good, &token).await;
        if self.faults.duplicate {
            let again = self.once(purpose, target, params, good, &token).await;
            let answer = |sent: &Sent| {
                sent.result.as_ref().map(|reply| (reply.status, reply.body.clone())).map_err(Clone::clone)
            };
            if answer(&again) != answer(&sent) {
                let said = "delivered twice with one idempotency token, and the two answers differ";
                sent.notes.push((None, said.to_owned()));
            }
        }
        sent
    }

    async fn once(
        &mut self,
        purpose: &str,
        target: &Target,
        params: &Params,
        good: bool,
        token: &str,
    ) -> Sent {
        let mut from = target.clone();
        let overrides = Overrides::read(target.url.fragment().unwrap_or_default());
        let mut exchange = Exchange {
            purpose: purpose.to_owned(),
            steers: false,
            method: target.method.to_string(),
            url: without_fragment(&target.url).to_string(),
            params: params.clone(),
            status: None,
            body: String::new(),
            revision: None,
            error: None,
            failure: None,
            took_us: 0,
        };
        let mut notes = Vec::new();
        let mut waited = Duration::ZERO;
        let result = match overrides {
            Ok(overrides) => {
                self.tried(&mut from, params, good, token, &overrides, (&mut notes, &mut waited)).await
            }
            Err(failure) => Err(failure),
        };
        exchange.took_us = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        if let Ok(reply) = &result {
            let header =
                |name| reply.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            exchange.status = Some(reply.status);
            exchange.body = String::from_utf8_lossy(&reply.body).into_owned();
            (exchange.revision, exchange.error) = (header(&REVISION), header(&ERROR));
        } else if let Err((code, why)) = &result {
            exchange.failure = Some(format!("{code}: {why}"));
        }
        Sent { exchange, result, from, waited, notes }
    }

    /// Tries as often as the overrides allow; redirects count as the same try. Adds up what it waits.
    async fn tried(
        &mut self,
        from: &mut Target,
        params: &Params,
        good: bool,
        token: &str,
        overrides: &Overrides,
        (notes, spent): (&mut Vec<(Option<u16>, String)>, &mut Duration),
    ) -> Result<Reply, (u16, String)> {
        let first = from.clone();
        for tried in 0.. {
            *from = first.clone();
            let left = Duration::from_millis(overrides.total_ms).saturating_sub(*spent);
            let within = left.min(Duration::from_millis(overrides.read_ms));
            let told = (&mut *notes, &mut *spent);
            let result = self.redirected(from, params, good, token, within, told).await;
            let (again, why) = match &result {
                Ok(reply) => {
                    let wanted = match reply.status {
                        400..500 => Some(Retry::ClientError),
                        500.. => Some(Retry::ServerError),
                        _ => None,
                    };
                    (
                        wanted.is_some_and(|kind| overrides.policy.contains(&kind)),
                        format!("HTTP {}", reply.status),
                    )
                }
                Err(Failed::Line(error)) => {
                    let kind = match error {
                        LineError::ReadTimeout(_) => Retry::Read,
                        _ => Retry::Connect,
                    };
                    let fits = error.is_connect() || kind == Retry::Read;
                    (fits && overrides.policy.contains(&kind), error.to_string())
                }
                Err(Failed::Redirects(..)) => (false, String::new()),
            };
            let out_of_time = *spent >= Duration::from_millis(overrides.total_ms);
            if again && tried < overrides.retries && !out_of_time {
                notes.push((None, format!("{why}: tried again")));
                continue;
            }
            return result.map_err(|failed| match failed {
                Failed::Line(LineError::ReadTimeout(_)) if out_of_time && tried > 0 => {
                    (11203, format!("no answer within {} ms, retries included", overrides.total_ms))
                }
                Failed::Line(error) => (error.code(), error.to_string()),
                Failed::Redirects(code, why) => (code, why),
            });
        }
        // The range has no end; the loop is left above.
        Err((12400, "the carrier lost count".into()))
    }

    async fn redirected(
        &mut self,
        from: &mut Target,
        params: &Params,
        good: bool,
        token: &str,
        within: Duration,
        (notes, spent): (&mut Vec<(Option<u16>, String)>, &mut Duration),
    ) -> Result<Reply, Failed> {
        let mut params = Some(params);
        for _ in 0..=REDIRECTS_MAX {
            let request = self.request(from, params, good, token, within);
            let mut reply = self.line.send(request).await.map_err(|error| {
                if let LineError::ReadTimeout(ms) | LineError::ConnectTimeout(ms) = &error {
                    *spent += Duration::from_millis(u64::try_from(*ms).unwrap_or(u64::MAX));
                }
                Failed::Line(error)
            })?;
            reply.took = reply.took.saturating_add(Duration::from_millis(self.faults.delay_ms));
            *spent += reply.took.min(within);
            if reply.took > within {
                // The handler has answered by now; nobody waits for it any more.
                return Err(Failed::Line(LineError::ReadTimeout(within.as_millis())));
            }
            for cookie in reply.headers.get_all(header::SET_COOKIE) {
                if let Ok(cookie) = cookie.to_str() {
                    self.jar.set(&from.url, cookie);
                }
            }
            if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(reply);
            }
            let location = reply.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
            let Some(location) = location else {
                return Err(Failed::Redirects(11216, format!("HTTP {} without a Location", reply.status)));
            };
            let mut next = from
                .follow(location, Some(from.method.as_str()))
                .map_err(|why| Failed::Redirects(11216, why))?;
            if matches!(reply.status, 301..=303) {
                next.method = Method::GET;
            }
            let mut said = format!("{} to {location}, asked by {}", reply.status, next.method);
            if next.method == Method::GET && params.take().is_some_and(|params| !params.is_empty()) {
                // As every client does it: only a POST that is sent on as one has its parameters again.
                said.push_str(", parameters left out");
            }
            notes.push((None, said));
            *from = next;
        }
        Err(Failed::Redirects(11215, format!("more than {REDIRECTS_MAX} redirects")))
    }

    fn request(
        &mut self,
        to: &Target,
        params: Option<&Params>,
        good: bool,
        token: &str,
        within: Duration,
    ) -> Outgoing {
        let mut url = without_fragment(&to.url);
        let mut headers = HeaderMap::with_capacity(8);
        if !url.username().is_empty() {
            let secret = format!("{}:{}", url.username(), url.password().unwrap_or_default());
            let secret = base64::engine::general_purpose::STANDARD.encode(secret);
            put(&mut headers, header::AUTHORIZATION, &format!("Basic {secret}"));
            // Only fails for URLs that can have no host.
            let _ = url.set_username("").and_then(|()| url.set_password(None));
        }
        let pairs = || params.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()));
        let (signature, body) = if to.method == Method::POST {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs()).finish();
            headers.insert(header::CONTENT_TYPE, FORM.clone());
            (signature::sign(url.as_str(), pairs(), &self.account.token), Bytes::from(body))
        } else {
            if params.is_some_and(|params| !params.is_empty()) {
                url.query_pairs_mut().extend_pairs(pairs());
            }
            (signature::sign(url.as_str(), [], &self.account.token), Bytes::new())
        };
        // Twenty-eight characters, as a right one has, and never the right one.
        let signature = if good { signature } else { self.account.token.sign("wrong on request") };
        put(&mut headers, SIGNATURE_HEADER.clone(), &signature);
        put(&mut headers, TOKEN_HEADER.clone(), token);
        put(&mut headers, header::USER_AGENT, "TwilioProxy/1.1");
        put(&mut headers, header::ACCEPT, "*/*");
        if let Some(cookies) = self.jar.header(&url) {
            put(&mut headers, header::COOKIE, &cookies);
        }
        Outgoing { method: to.method.clone(), url, headers, body, answer_within: within }
    }
}

enum Failed {
    Line(LineError),
    Redirects(u16, String),
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}
