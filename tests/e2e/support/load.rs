//! Callers by the dozen: whole calls to the front desk, one after the other, each webhook signed and each answer looked at.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hookswitch::carrier::twilio::signature::{self, AuthToken};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::TOKEN;

/// What the callers met.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Webhooks that were answered.
    pub webhooks: u64,
    /// Calls that came to their end.
    pub calls: u64,
    /// What went wrong, the first few in words.
    pub failed: Vec<String>,
    /// Calls that were answered by more than one revision.
    pub torn: Vec<String>,
    /// Time of each webhook, in microseconds.
    pub took_us: Vec<u32>,
    /// Time of each call's first webhook.
    pub first_us: Vec<u32>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.webhooks += other.webhooks;
        self.calls += other.calls;
        self.failed.extend(other.failed);
        self.torn.extend(other.torn);
        self.took_us.extend(other.took_us);
        self.first_us.extend(other.first_us);
    }

    /// Asserts that no caller met anything else than one revision that works.
    pub fn assert_clean(&self) {
        assert!(self.webhooks > 0, "nobody called");
        assert!(self.failed.is_empty(), "{} failed, such as {}", self.failed.len(), self.failed[0]);
        assert!(
            self.torn.is_empty(),
            "{} calls saw two revisions, such as {}",
            self.torn.len(),
            self.torn[0]
        );
    }

    /// The share of webhooks that took no longer, in microseconds.
    pub fn percentile_us(&self, percent: f64) -> u32 {
        percentile(&self.took_us, percent)
    }
}

/// The value that `percent` of `values` do not exceed.
pub fn percentile(values: &[u32], percent: f64) -> u32 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = ((sorted.len() as f64 * percent / 100.0).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(at).copied().unwrap_or_default()
}

/// Callers that call until they are told to stop.
pub struct Callers {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    callers: Vec<JoinHandle<Tally>>,
}

impl Callers {
    /// `count` callers of `/{handler}` (`tenant/name`), each on a connection of its own that it opens anew every
    /// `calls_per_connection` calls. Nobody calls longer than two minutes.
    pub fn start(address: SocketAddr, handler: &str, count: usize, calls_per_connection: u64) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let callers = (0..count)
            .map(|_| {
                let caller = Caller { address, handler: handler.to_owned(), calls_per_connection };
                tokio::spawn(caller.call_until(Arc::clone(&stop), Arc::clone(&answered)))
            })
            .collect();
        Self { stop, answered, callers }
    }

    /// Webhooks that were answered so far.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Lets every caller finish the call it is in.
    pub async fn stop(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for caller in self.callers {
            all.add(caller.await.expect("callers do not panic"));
        }
        all
    }
}

struct Caller {
    address: SocketAddr,
    handler: String,
    calls_per_connection: u64,
}

impl Caller {
    async fn call_until(self, stop: Arc<AtomicBool>, answered: Arc<AtomicU64>) -> Tally {
        let (began, mut tally) = (Instant::now(), Tally::default());
        while !stop.load(Ordering::Relaxed) && began.elapsed() < Duration::from_secs(120) {
            let mut connection = match connect(self.address).await {
                Ok(connection) => connection,
                Err(why) => {
                    tally.failed.push(format!("connecting: {why}"));
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            };
            for _ in 0..self.calls_per_connection {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                match self.call(&mut connection, &mut tally, &answered).await {
                    Ok(true) => tally.calls += 1,
                    // The host is about to go, and said so with its last answer on this connection.
                    Ok(false) => break,
                    Err(why) => {
                        tally.failed.push(why);
                        break;
                    }
                }
            }
        }
        tally
    }

    /// One call of five webhooks. False: the host ended the connection in between; the call goes on with the next one.
    async fn call(
        &self,
        connection: &mut SendRequest<Full<Bytes>>,
        tally: &mut Tally,
        answered: &AtomicU64,
    ) -> Result<bool, String> {
        static CALLS: AtomicU64 = AtomicU64::new(1);
        let id = format!("CAf{:031x}", CALLS.fetch_add(1, Ordering::Relaxed));
        let (mut path, mut digits) = (format!("/{}/voice", self.handler), None);
        let (mut revision, mut kept) = (None, true);
        for step in 0..5 {
            if !kept {
                *connection =
                    connect(self.address).await.map_err(|why| format!("connecting again: {why}"))?;
            }
            let began = Instant::now();
            let heard = self.post(connection, &path, &id, digits).await;
            let heard = heard.map_err(|why| format!("webhook {step} to {path}: {why}"))?;
            let took = u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX);
            if heard.status != StatusCode::OK || heard.code.is_some() {
                return Err(format!(
                    "webhook {step} to {path}: {} {:?} {}",
                    heard.status, heard.code, heard.body
                ));
            }
            tally.webhooks += 1;
            answered.fetch_add(1, Ordering::Relaxed);
            tally.took_us.push(took);
            if step == 0 {
                tally.first_us.push(took);
            }
            let first = revision.get_or_insert_with(|| heard.revision.clone());
            if *first != heard.revision {
                tally.torn.push(format!("{id}: {first}, then {} at webhook {step}", heard.revision));
            }
            kept = !heard.closes;
            // A wrong key leads to a redirect, that to the menu again.
            let gather = heard.body.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
            let redirect = heard.body.split("<Redirect>").nth(1).and_then(|rest| rest.split('<').next());
            (path, digits) = match (gather, redirect) {
                (Some(action), _) => (action.replace("&amp;", "&"), Some("9")),
                (None, Some(link)) => (link.replace("&amp;", "&"), None),
                (None, None) => return Err(format!("webhook {step}: no link in {}", heard.body)),
            };
        }
        Ok(kept)
    }

    async fn post(
        &self,
        connection: &mut SendRequest<Full<Bytes>>,
        path: &str,
        id: &str,
        digits: Option<&str>,
    ) -> Result<Answer, String> {
        let mut params = vec![
            ("CallSid", id),
            ("AccountSid", "AC00000000000000000000000000000001"),
            ("From", "+12025550123"),
            ("To", "+12025550199"),
            ("CallStatus", "in-progress"),
            ("Direction", "inbound"),
        ];
        params.extend(digits.map(|digits| ("Digits", digits)));
        let token = AuthToken::new(TOKEN).map_err(|error| error.to_string())?;
        let url = format!("http://{}{path}", self.address);
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&params).finish();
        let request = Request::post(path)
            .header("host", self.address.to_string())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-twilio-signature", signature::sign(&url, params.iter().copied(), &token))
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())?;
        connection.ready().await.map_err(|error| format!("not ready: {error}"))?;
        let sent = connection.send_request(request);
        let response = tokio::time::timeout(Duration::from_secs(20), sent)
            .await
            .map_err(|_| "no answer within 20 s".to_owned())?
            .map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let header = |name: &str| parts.headers.get(name)?.to_str().ok().map(str::to_owned);
        Ok(Answer {
            status: parts.status,
            revision: header("x-hookswitch-revision").unwrap_or_default(),
            code: header("x-hookswitch-error"),
            closes: header("connection").is_some_and(|value| value == "close"),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

struct Answer {
    status: StatusCode,
    revision: String,
    code: Option<String>,
    closes: bool,
    body: String,
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    Ok(sender)
}
