//! The carrier's side: signed webhooks as bytes, and connections that carry them.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hookswitch::carrier::twilio::signature::{self, AuthToken};
use http::HeaderName;

use super::front_desk::AUTH_TOKEN;

/// How long an answer may take before the benchmark gives up.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What the carrier calls. Without a port, as carriers do: the first spelling that a signature is tried with matches.
const AUTHORITY: &str = "calls.example.com";

/// Digits of the number that makes a token fresh.
const TOKEN_DIGITS: usize = 20;

/// One incoming call, ready to send.
pub struct Webhook {
    bytes: Vec<u8>,
    token: Option<Range<usize>>,
    /// The body of the right answer; empty until it is known.
    pub expected: Vec<u8>,
}

impl Webhook {
    /// A webhook for this path. `token` is the header, if any, that gets a new value each time the webhook is sent.
    ///
    /// # Errors
    /// None: the auth token is not empty.
    pub fn new(path: &str, token: Option<&HeaderName>) -> Result<Self, String> {
        let body: String =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(INCOMING_CALL).finish();
        let key = AuthToken::new(AUTH_TOKEN).map_err(|error| error.to_string())?;
        let url = format!("http://{AUTHORITY}{path}");
        let signature = signature::sign(&url, INCOMING_CALL.iter().copied(), &key);
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nHost: {AUTHORITY}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n\
             Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: {}\r\n\
             X-Twilio-Signature: {signature}\r\n",
            body.len()
        );
        let token = token.map(|name| {
            head.push_str(&format!("{name}: 7d1b9c2e-0001-bench-"));
            let start = head.len();
            head.push_str(&"0".repeat(TOKEN_DIGITS));
            head.push_str("\r\n");
            start..start + TOKEN_DIGITS
        });
        Ok(Self { bytes: [head, "\r\n".to_owned(), body].concat().into_bytes(), token, expected: Vec::new() })
    }

    /// The bytes to send, with a token that no other has.
    pub fn stamped(&mut self) -> &[u8] {
        static TOKENS: AtomicU64 = AtomicU64::new(1);
        if let Some(place) = &self.token {
            let mut number = TOKENS.fetch_add(1, Ordering::Relaxed);
            for digit in self.bytes[place.clone()].iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        }
        &self.bytes
    }

    /// Asks `address` once and takes its answer for the right one if it is a document.
    ///
    /// # Errors
    /// No answer, or none with status 200 and a menu in it.
    pub fn learn_answer(&mut self, address: SocketAddr) -> Result<(), String> {
        let mut connection = Connection::open(address)?;
        connection.send(self.stamped())?;
        connection.receive(b"")?;
        let whole = String::from_utf8_lossy(&connection.received);
        let (head, body) = whole.split_once("\r\n\r\n").unwrap_or((&whole, ""));
        if !head.starts_with("HTTP/1.1 200 ")
            || head.contains("x-hookswitch-error")
            || !body.contains("<Gather ")
        {
            return Err(format!("expected 200 and the greeting, found:\n{whole}"));
        }
        self.expected = body.as_bytes().to_vec();
        Ok(())
    }
}

/// A kept connection, opened again whenever the server closes it. Never sleeps: waking a sleeper costs whoever wakes it,
/// and the faster a server is the less it would pay.
pub struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    /// The last answer, or what has come of the next.
    received: Vec<u8>,
}

/// A whole answer in the bytes received.
struct Answer {
    ok: bool,
    body: Range<usize>,
    close: bool,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(address: SocketAddr) -> Result<Self, String> {
        Ok(Self { stream: connect(address)?, address, received: Vec::with_capacity(4 << 10) })
    }

    /// Sends one request.
    ///
    /// # Errors
    /// The server is gone.
    pub fn send(&mut self, request: &[u8]) -> Result<(), String> {
        self.received.clear();
        self.stream.write_all(request).map_err(|error| format!("sending: {error}"))
    }

    /// Waits for the answer. Whether its status is 200 and its body `expected`.
    ///
    /// # Errors
    /// The server is gone, or too late.
    pub fn receive(&mut self, expected: &[u8]) -> Result<bool, String> {
        let asked = Instant::now();
        loop {
            match self.read(expected)? {
                Some(right) => return Ok(right),
                None if asked.elapsed() < ANSWER_WITHIN => std::hint::spin_loop(),
                None => return Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
            }
        }
    }

    /// Reads once. `None`: the answer is not complete. Otherwise as [`Connection::receive`].
    ///
    /// # Errors
    /// The server is gone.
    pub fn read(&mut self, expected: &[u8]) -> Result<Option<bool>, String> {
        let mut buffer = [0; 4 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Err("the server closed a connection in the middle".to_owned()),
            Ok(count) => self.received.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(format!("receiving: {error}")),
        }
        let Some(answer) = whole_answer(&self.received) else { return Ok(None) };
        let right = answer.ok && self.received[answer.body] == *expected;
        if answer.close {
            self.stream = connect(self.address)?;
        }
        Ok(Some(right))
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    let explain = |error: std::io::Error| format!("{address}: {error}");
    let stream = TcpStream::connect(address).map_err(explain)?;
    stream.set_nodelay(true).map_err(explain)?;
    stream.set_nonblocking(true).map_err(explain)?;
    Ok(stream)
}

/// The answer in `bytes`, if all of it is there. All answers here have a `content-length`.
fn whole_answer(bytes: &[u8]) -> Option<Answer> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let (mut length, mut close) = (0, false);
    for line in head.split("\r\n").skip(1) {
        if let Some((name, value)) = line.split_once(": ") {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().ok()?;
            } else if name.eq_ignore_ascii_case("connection") {
                close = value.eq_ignore_ascii_case("close");
            }
        }
    }
    let body = head_end + 4..head_end + 4 + length;
    (bytes.len() >= body.end).then(|| Answer { ok: head.starts_with("HTTP/1.1 200 "), body, close })
}

/// The parameters of an incoming call in the United States, as they come.
const INCOMING_CALL: &[(&str, &str)] = &[
    ("Called", "+12025550199"),
    ("ToState", "DC"),
    ("CallerCountry", "US"),
    ("Direction", "inbound"),
    ("CallerState", "DC"),
    ("ToZip", "20001"),
    ("CallSid", "CA00000000000000000000000000000001"),
    ("To", "+12025550199"),
    ("CallerZip", "20001"),
    ("ToCountry", "US"),
    ("CallToken", "%7B%22parentCallInfoToken%22%3A%22eyJhbGciOiJFUzI1NiJ9.bench%22%7D"),
    ("ApiVersion", "2010-04-01"),
    ("CalledZip", "20001"),
    ("CalledCity", "WASHINGTON"),
    ("CallStatus", "ringing"),
    ("From", "+12025550123"),
    ("AccountSid", "AC00000000000000000000000000000001"),
    ("CalledCountry", "US"),
    ("CallerCity", "WASHINGTON"),
    ("ToCity", "WASHINGTON"),
    ("FromCountry", "US"),
    ("Caller", "+12025550123"),
    ("FromCity", "WASHINGTON"),
    ("CalledState", "DC"),
    ("FromZip", "20001"),
    ("FromState", "DC"),
];
