//! A world that is not there: requests are answered from a table, in time of their own.
//!
//! It stands where the connections stand otherwise, so that allow-list, limits and repeats are the same. What takes time is
//! added up and not waited for: a service that answers after a second uses up a second of an invocation's deadline and none
//! of a test's. Requests are answered one after the other in that time, also those that a guest sends together.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;
use url::Url;

use super::{Error, address};

/// As much of a request's body as is remembered of it, in bytes.
const BODY_BYTES_KEPT: usize = 64 * 1024;

/// Which requests are meant: a method and a URL. A URL without a query means any query, a `*` at its end anything that
/// begins so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    method: Method,
    url: String,
    /// Whether more may follow.
    open: bool,
}

impl Pattern {
    /// Whether a request is meant.
    #[must_use]
    pub fn fits(&self, method: &str, url: &str) -> bool {
        let url = match url.split_once('?') {
            Some((before, _)) if !self.url.contains('?') => before,
            _ => url,
        };
        self.method.as_str() == method && if self.open { url.starts_with(&self.url) } else { url == self.url }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.url, if self.open { "*" } else { "" })
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!(
                "{text:?} {why}; expected a method and a URL, such as \"POST https://crm.example.com/leads\""
            )
        };
        let (method, url) = text.split_once(' ').ok_or_else(|| wrong("has no method"))?;
        let method = Method::from_bytes(method.as_bytes())
            .ok()
            .filter(|_| method.bytes().all(|byte| byte.is_ascii_uppercase()))
            .ok_or_else(|| wrong("does not begin with a method in capitals"))?;
        let (url, open) = url.strip_suffix('*').map_or((url, false), |begins| (begins, true));
        let parsed = Url::parse(url).map_err(|error| wrong(&format!("has no URL ({error})")))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.fragment().is_some() {
            return Err(wrong("is neither http:// nor https://, or has a fragment"));
        }
        // In the spelling in which requests are sent; an open end of a host's name would let any host through.
        Ok(Self { method, url: parsed.into(), open })
    }
}

/// What comes of a request.
#[derive(Debug, Clone)]
pub enum Given {
    /// An answer.
    Answer {
        /// Its status.
        status: StatusCode,
        /// Its header fields.
        headers: HeaderMap,
        /// Its body.
        body: Bytes,
    },
    /// None, for as long as anybody waits.
    Timeout,
    /// Nobody listens there.
    Refused,
    /// The name leads to an address that handlers may not call.
    Denied,
}

/// What comes of the requests that are meant.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Which.
    pub request: Pattern,
    /// What.
    pub given: Given,
    /// How long it takes.
    pub takes: Duration,
}

/// What came of a request, for whoever looks on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CameTo {
    /// An answer with this status.
    Status(u16),
    /// No answer in time.
    Timeout,
    /// Nobody listened.
    Refused,
    /// A prohibited address.
    Denied,
    /// No rule says what, so it was refused.
    Unanswered,
}

/// A request that was sent.
#[derive(Debug, Clone)]
pub struct Requested {
    /// When, to tell what came first.
    pub at: Instant,
    /// Its method.
    pub method: String,
    /// Its URL with its query.
    pub url: String,
    /// Its body as text; the beginning of a very long one.
    pub body: String,
    /// What came of it.
    pub came_to: CameTo,
}

/// All of it.
#[derive(Debug, Default)]
pub struct World {
    /// Those for the same requests together, in the order in which they are given.
    rules: Vec<(Pattern, Vec<Rule>)>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many were given of each.
    given: Vec<usize>,
    requested: Vec<Requested>,
    passed: Duration,
}

impl World {
    /// With these rules. Several for the same requests are given one after the other, the last of them from then on; where
    /// different ones mean a request, the longest counts.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let mut groups: Vec<(Pattern, Vec<Rule>)> = Vec::new();
        for rule in rules {
            match groups.iter_mut().find(|(pattern, _)| *pattern == rule.request) {
                Some((_, group)) => group.push(rule),
                None => groups.push((rule.request.clone(), vec![rule])),
            }
        }
        groups.sort_by_key(|(pattern, _)| (std::cmp::Reverse(pattern.url.len()), pattern.open));
        let given = vec![0; groups.len()];
        Self { rules: groups, state: Mutex::new(State { given, ..State::default() }) }
    }

    /// Takes the requests that were sent since it was last asked.
    pub fn take_requested(&self) -> Vec<Requested> {
        std::mem::take(&mut self.state().requested)
    }

    /// Takes how long the world would have taken since it was last asked.
    pub fn take_passed(&self) -> Duration {
        std::mem::take(&mut self.state().passed)
    }

    /// Time passes in it.
    pub(super) fn pass(&self, time: Duration) {
        let mut state = self.state();
        state.passed = state.passed.saturating_add(time);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers `request`, whose body is `body`, for somebody who waits for `patience`; and how long that took.
    pub(super) fn answer(
        &self,
        request: &Request<Full<Bytes>>,
        body: &Bytes,
        patience: Duration,
    ) -> (Result<Response<Full<Bytes>>, Error>, Duration) {
        let (method, url) = (request.method().to_string(), request.uri().to_string());
        let mut state = self.state();
        let rule = self.rule(&mut state.given, &method, &url);
        let takes = match rule.map(|rule| (&rule.given, rule.takes)) {
            Some((Given::Timeout, _)) => patience,
            Some((_, takes)) => takes.min(patience),
            None => Duration::ZERO,
        };
        let (result, came_to) = match rule.map(|rule| (&rule.given, rule.takes)) {
            Some((Given::Timeout, _)) => (Err(Error::Timeout(patience)), CameTo::Timeout),
            Some((_, takes)) if takes >= patience => (Err(Error::Timeout(patience)), CameTo::Timeout),
            Some((Given::Answer { status, headers, body }, _)) => {
                (Ok(response(*status, headers, body)), CameTo::Status(status.as_u16()))
            }
            Some((Given::Refused, _)) => (Err(refused(request, "connection refused")), CameTo::Refused),
            Some((Given::Denied, _)) => (Err(denied(request)), CameTo::Denied),
            None => (Err(refused(request, "nothing says what it is answered in a test")), CameTo::Unanswered),
        };
        let body = body.get(..BODY_BYTES_KEPT).unwrap_or(body);
        let body = String::from_utf8_lossy(body).into_owned();
        state.requested.push(Requested { at: Instant::now(), method, url, body, came_to });
        (result, takes)
    }

    /// What comes of a request that is none of a handler's, such as one of a carrier that follows a link; none: no rule means
    /// it. It is not among those that are [taken](Self::take_requested).
    pub fn says(&self, method: &str, url: &str) -> Option<Rule> {
        let mut state = self.state();
        self.rule(&mut state.given, method, url).cloned()
    }

    /// The next rule for a request.
    fn rule(&self, given: &mut [usize], method: &str, url: &str) -> Option<&Rule> {
        let place = self.rules.iter().position(|(pattern, _)| pattern.fits(method, url))?;
        let (_, group) = self.rules.get(place)?;
        let turn = given.get_mut(place)?;
        let rule = group.get(*turn).or(group.last());
        *turn += 1;
        rule
    }
}

fn response(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.clone()));
    *response.status_mut() = status;
    *response.headers_mut() = headers.clone();
    // As servers do it, where the table does not say.
    response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from(body.len()));
    response
}

fn authority(request: &Request<Full<Bytes>>) -> (String, u16) {
    let uri = request.uri();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    (uri.host().unwrap_or_default().to_owned(), port)
}

fn refused(request: &Request<Full<Bytes>>, why: &str) -> Error {
    let (host, port) = authority(request);
    Error::Connect { address: format!("{host}:{port}"), why: why.to_owned(), refused: true }
}

/// As if the name led into the operator's network.
fn denied(request: &Request<Full<Bytes>>) -> Error {
    let (host, port) = authority(request);
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), port);
    match address::check(address, &[]) {
        Err(why) => Error::Prohibited { host, address, why },
        Ok(()) => Error::NoWayOut,
    }
}
