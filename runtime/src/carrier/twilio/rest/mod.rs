//! The carrier's REST API: does operations, and knows of each try whether it may have had an effect.
//!
//! That is the one question here. The API has no idempotency keys, so what would double a call is repeated only where
//! nothing can have happened: no connection was made, or the answer is 429. After anything else its outcome is unknown and
//! is said to be. What only reads, or comes to the same however often it is done, is repeated as well.
//!
//! Facts are those of the carrier's description of its API, version 2010-04-01. Who may ask for what is `outbox`'s business.

mod answer;
mod request;
pub mod token;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{Method, StatusCode};

use self::request::Request;
use super::super::account::Account;
use super::super::operation::{CarrierError, Done, Limit, Operation, Repetition};
use crate::outbound::address;

/// Where the API is, unless the operator says otherwise.
pub const API_URL: &str = "https://api.twilio.com";

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long a connection is kept that nobody uses: a stale one could leave open whether a request arrived.
const IDLE_FOR: Duration = Duration::from_secs(15);
/// The first pause before another try; it doubles, and each is cut short at random.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// The longest of those pauses.
const PAUSE_MAX: Duration = Duration::from_secs(3);
/// The longest pause that the carrier is believed to want: a header must not stop a tenant's outbox for ever.
const ASKED_FOR_MAX: Duration = Duration::from_secs(24 * 3_600);
/// With less time than this nothing is sent: it would only be in doubt.
const TIME_MIN: Duration = Duration::from_millis(50);
/// Tries within one operation.
const TRIES_MAX: u32 = 5;
/// Largest answer with JSON, in bytes.
const JSON_BYTES_MAX: usize = 1 << 20;
/// Largest recording that is handed to a handler, in bytes.
const AUDIO_BYTES_MAX: usize = 4 << 20;

/// The way to the API.
pub struct Client {
    /// None where this machine has no certificates to trust; with why.
    http: Result<reqwest::Client, String>,
    base: String,
}

/// What came of one try.
enum Tried {
    Answered {
        status: StatusCode,
        retry_after: Option<Duration>,
        body: Bytes,
    },
    /// Nobody can have heard of it.
    NotSent(String),
    /// It was sent, or may have been.
    NoAnswer(String),
    /// It was answered well, and the answer is too large or broke off.
    Broken(String),
}

impl Client {
    /// A client of the API at `base`, scheme and authority without a slash at the end.
    #[must_use]
    pub fn new(base: &str) -> Self {
        // Another part of the process may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .pool_idle_timeout(IDLE_FOR);
        if base.starts_with("http://") {
            // Only for tests on this machine. Otherwise one without certificates could not even speak plain HTTP.
            builder = builder.no_proxy().tls_certs_only([]);
        }
        Self { http: builder.build().map_err(|error| error.to_string()), base: base.to_owned() }
    }

    /// Whether the API is on this machine, or near it: then it reaches what the open internet does not.
    #[must_use]
    pub fn is_near(&self) -> bool {
        !address::is_in_the_open(&self.base)
    }

    /// Does `operation` for `account`, and has ended at `until`.
    ///
    /// # Errors
    /// [`CarrierError`]. With `Limited`, `Unavailable` and `Invalid` nothing was done, with `Unknown` nobody knows.
    pub async fn perform(
        &self,
        account: &Account,
        operation: &Operation,
        until: Instant,
    ) -> Result<Done, CarrierError> {
        let find = match operation {
            Operation::ConfigureNumber(number, _) | Operation::ReleaseNumber(number) => {
                Some((request::find_number(number), number))
            }
            Operation::ConfigureShortCode(code, _) => Some((request::find_short_code(code), code)),
            _ => None,
        };
        let mut id = String::new();
        if let Some((list, number)) = find {
            let (_, body) = self.exchange(account, &list, Repetition::Reads, JSON_BYTES_MAX, until).await?;
            id = answer::id_in_list(&body, number).ok_or_else(|| {
                CarrierError::NotYours(format!(
                    "{number} is not a number of this tenant's account at the carrier"
                ))
            })?;
        }
        let bytes_max =
            if matches!(operation, Operation::RecordingAudio(..)) { AUDIO_BYTES_MAX } else { JSON_BYTES_MAX };
        let repetition = operation.repetition();
        let wanted = request::request(operation, &id);
        match self.exchange(account, &wanted, repetition, bytes_max, until).await {
            Ok((_, body)) => answer::read(operation, &body).map_err(|why| match repetition {
                Repetition::Reads => CarrierError::Unavailable(why),
                Repetition::Harmless | Repetition::Doubles => CarrierError::Unknown(why),
            }),
            // Somebody was quicker, or an earlier try was.
            Err(CarrierError::Refused(refusal))
                if refusal.status == 404 && matches!(operation, Operation::DeleteRecording(_)) =>
            {
                Ok(Done::Nothing)
            }
            Err(error) => Err(error),
        }
    }

    /// What may be `operation` already, of all that was begun since `since_ms` (Unix time): the carrier's ids.
    ///
    /// # Errors
    /// [`CarrierError`]: it can't be said.
    pub async fn look(
        &self,
        account: &Account,
        operation: &Operation,
        since_ms: u64,
        until: Instant,
    ) -> Result<Vec<String>, CarrierError> {
        let since_s = i64::try_from(since_ms / 1_000).unwrap_or(i64::MAX);
        // The filter counts whole days, and the carrier's clock may be behind ours over midnight.
        let day = jiff::Timestamp::from_second(since_s.saturating_sub(60))
            .unwrap_or_default()
            .strftime("%Y-%m-%d")
            .to_string();
        let Some(list) = request::look(operation, &day) else { return Ok(Vec::new()) };
        let (_, body) = self.exchange(account, &list, Repetition::Reads, JSON_BYTES_MAX, until).await?;
        let things: answer::Things = serde_json::from_slice(&body).map_err(|error| {
            CarrierError::Unavailable(format!("the carrier's list can't be read: {error}"))
        })?;
        Ok(things.like(operation, since_s))
    }

    /// Sends until there is a good answer or trying again is no use, not allowed, or too late.
    async fn exchange(
        &self,
        account: &Account,
        request: &Request,
        repetition: Repetition,
        bytes_max: usize,
        until: Instant,
    ) -> Result<(StatusCode, Bytes), CarrierError> {
        let mut pause = PAUSE_FIRST;
        for left in (0..TRIES_MAX).rev() {
            if until.saturating_duration_since(Instant::now()) < TIME_MIN {
                let why = "there was too little time left to ask the carrier; nothing was sent";
                return Err(CarrierError::Unavailable(why.to_owned()));
            }
            let tried = self.once(account, request, bytes_max, until).await;
            let repeats = repetition != Repetition::Doubles;
            let in_doubt = |why: String| match repetition {
                Repetition::Reads => CarrierError::Unavailable(why),
                Repetition::Harmless | Repetition::Doubles => CarrierError::Unknown(why),
            };
            let (again, after, error) = match tried {
                Tried::Answered { status, body, .. } if status.is_success() => return Ok((status, body)),
                // Not processed, by the carrier's own word.
                Tried::Answered { status: StatusCode::TOO_MANY_REQUESTS, retry_after, .. } => {
                    let after = retry_after.unwrap_or_default();
                    let retry_after_ms = u64::try_from(after.max(pause).as_millis()).unwrap_or(u64::MAX);
                    let message = "the carrier answers too many requests at once".to_owned();
                    (true, after, CarrierError::Limited(Limit { message, retry_after_ms }))
                }
                Tried::Answered { status, retry_after, body }
                    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT =>
                {
                    let said = answer::refusal(status.as_u16(), &body);
                    (repeats, retry_after.unwrap_or_default(), in_doubt(said.to_string()))
                }
                Tried::Answered { status, body, .. } => return Err(answer::refusal(status.as_u16(), &body)),
                Tried::NotSent(why) => (
                    true,
                    Duration::ZERO,
                    CarrierError::Unavailable(format!("the carrier can't be reached: {why}")),
                ),
                Tried::NoAnswer(why) => {
                    let why = format!("{} {}: {why}", request.method, request.path);
                    (repeats, Duration::ZERO, in_doubt(why))
                }
                Tried::Broken(why) => return Err(in_doubt(why)),
            };
            let after = after.max(some_of(pause));
            if !again || left == 0 || Instant::now() + after + TIME_MIN >= until {
                return Err(error);
            }
            tokio::time::sleep(after).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        unreachable!("the last try returns")
    }

    async fn once(&self, account: &Account, request: &Request, bytes_max: usize, until: Instant) -> Tried {
        let http = match &self.http {
            Ok(http) => http,
            Err(why) => return Tried::NotSent(why.clone()),
        };
        let params: String =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.params).finish();
        let mut url = format!("{}/2010-04-01/Accounts/{}{}", self.base, account.sid, request.path);
        if request.method == Method::GET && !params.is_empty() {
            url.push('?');
            url.push_str(&params);
        }
        let (name, password) = &account.login;
        let login = STANDARD.encode(format!("{name}:{}", password.expose()));
        let Ok(mut login) = HeaderValue::from_str(&format!("Basic {login}")) else {
            return Tried::NotSent("the account's credentials can't stand in a header".to_owned());
        };
        login.set_sensitive(true);
        let mut sending = http
            .request(request.method.clone(), url)
            .header(AUTHORIZATION, login)
            .header(ACCEPT, "application/json")
            .header("accept-charset", "utf-8")
            .header(USER_AGENT, concat!("hookswitch/", env!("CARGO_PKG_VERSION")));
        if request.method == Method::POST {
            sending = sending.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(params);
        }
        let exchange = async {
            let mut response = match sending.send().await {
                Ok(response) => response,
                Err(error) if error.is_connect() || error.is_builder() => {
                    return Tried::NotSent(innermost(&error));
                }
                Err(error) => return Tried::NoAnswer(innermost(&error)),
            };
            let status = response.status();
            let retry_after = response.headers().get(RETRY_AFTER).and_then(pause_asked_for);
            let mut body = BytesMut::new();
            loop {
                match response.chunk().await {
                    Ok(None) => return Tried::Answered { status, retry_after, body: body.freeze() },
                    Ok(Some(chunk)) if body.len() + chunk.len() <= bytes_max => {
                        body.extend_from_slice(&chunk)
                    }
                    Ok(Some(_)) => {
                        return Tried::Broken(format!(
                            "the carrier's answer has more than {bytes_max} bytes"
                        ));
                    }
                    // A refusal does not become one by its words.
                    Err(_) if !status.is_success() => {
                        return Tried::Answered { status, retry_after, body: body.freeze() };
                    }
                    Err(error) => {
                        return Tried::Broken(format!(
                            "the carrier's answer broke off: {}",
                            innermost(&error)
                        ));
                    }
                }
            }
        };
        match tokio::time::timeout_at(until.into(), exchange).await {
            Ok(tried) => tried,
            Err(_) => Tried::NoAnswer("no answer in time".to_owned()),
        }
    }
}

/// Of `Retry-After`, in seconds or as a date. At most [`ASKED_FOR_MAX`], which can be added to any moment.
fn pause_asked_for(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds).min(ASKED_FOR_MAX));
    }
    let at = jiff::fmt::rfc2822::parse(&text.replace("GMT", "+0000")).ok()?.timestamp().as_millisecond();
    let now = jiff::Timestamp::now().as_millisecond();
    let pause = Duration::from_millis(u64::try_from(at.saturating_sub(now)).unwrap_or_default());
    Some(pause.min(ASKED_FOR_MAX))
}

/// Between half of `pause` and all of it, so that many who wait do not come back together.
fn some_of(pause: Duration) -> Duration {
    let half = pause / 2;
    let share = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
    half + half.mul_f64(share)
}

fn innermost(error: &reqwest::Error) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        said = inner.to_string();
        cause = inner.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_its_forms() {
        let read = |text: &str| pause_asked_for(&HeaderValue::from_str(text).unwrap());
        assert_eq!(read("2"), Some(Duration::from_secs(2)));
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(read("Wed, 21 Oct 2150 07:28:00 GMT").unwrap() > Duration::from_secs(3_600));
        assert_eq!(read("soon"), None);
        let most = read(&u64::MAX.to_string()).unwrap();
        assert!(most <= Duration::from_secs(24 * 3_600) && Instant::now().checked_add(most).is_some());
    }

    #[test]
    fn pauses_are_cut_short_by_half_at_most() {
        for _ in 0..100 {
            let pause = some_of(Duration::from_millis(100));
            assert!((50..=100).contains(&pause.as_millis()), "{pause:?}");
        }
    }
}
