//! Webhooks in a closed loop, from new connections and from pools of kept ones, with every failure counted.
//!
//! A pool does what a carrier's or a proxy's does: it looks whether a kept connection was closed before it sends on it,
//! and opens another one then. A request that was sent and not answered is a failure; nothing is sent twice.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Failures whose cause is kept; all are counted.
const CAUSES_MAX: usize = 20;

/// How a worker uses its connections.
#[derive(Debug, Clone, Copy)]
enum Habit {
    /// A new one for each webhook.
    New,
    /// One for as long as the server keeps it.
    Kept,
    /// The same, with rests in between: the connection is idle when the host is replaced.
    KeptWithRests,
}

/// Who sends, side by side.
const WORKERS: [Habit; 9] = {
    use Habit::{Kept, KeptWithRests, New};
    [New, New, New, Kept, Kept, KeptWithRests, KeptWithRests, KeptWithRests, KeptWithRests]
};

/// Makes the bytes of the webhook with this number.
pub type Webhooks = dyn Fn(u64) -> Vec<u8> + Send + Sync;
/// Says what is wrong with an answer: its head and its body.
pub type Judge = dyn Fn(&str, &str) -> Result<(), String> + Send + Sync;

/// What came of it.
#[derive(Debug, Default)]
pub struct Tally {
    pub answered: u64,
    pub failed: u64,
    pub causes: Vec<String>,
    /// Connections opened.
    pub connections: u64,
    /// Kept connections that the server ended, by an answer that said so or between two webhooks.
    pub ended_by_server: u64,
    /// From sending to the whole answer, sorted, in microseconds.
    pub latencies_us: Vec<u64>,
}

impl Tally {
    /// The latency that this share of the answers did not exceed.
    pub fn quantile_us(&self, share: f64) -> u64 {
        let at = (self.latencies_us.len() as f64 * share) as usize;
        self.latencies_us.get(at.min(self.latencies_us.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Load that runs until it is told to end.
pub struct Load {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    address: SocketAddr,
    webhooks: Box<Webhooks>,
    judge: Box<Judge>,
    end: AtomicBool,
    sent: AtomicU64,
    tally: Mutex<Tally>,
}

impl Load {
    /// Begins.
    pub fn start(address: SocketAddr, webhooks: Box<Webhooks>, judge: Box<Judge>) -> Self {
        let (end, sent, tally) = (AtomicBool::new(false), AtomicU64::new(0), Mutex::default());
        let shared = Arc::new(Shared { address, webhooks, judge, end, sent, tally });
        let worker = |(seed, habit)| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.work(habit, seed as u64 + 1))
        };
        let workers = WORKERS.into_iter().enumerate().map(worker).collect();
        Self { shared, workers }
    }

    /// Waits until this many more webhooks have been sent.
    pub fn wait_for(&self, more: u64) {
        let until = self.shared.sent.load(Relaxed) + more;
        while self.shared.sent.load(Relaxed) < until
            && self.workers.iter().any(|worker| !worker.is_finished())
        {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How many have been sent.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Relaxed)
    }

    /// Ends, and tells what came of it.
    pub fn end(self) -> Tally {
        self.shared.end.store(true, Relaxed);
        for worker in self.workers {
            worker.join().expect("a worker counts what goes wrong");
        }
        let mut tally = std::mem::take(&mut *self.shared.tally.lock().expect("no worker panicked"));
        tally.latencies_us.sort_unstable();
        tally
    }
}

impl Shared {
    fn work(&self, habit: Habit, mut random: u64) {
        let mut tally = Tally::default();
        let mut kept: Option<TcpStream> = None;
        while !self.end.load(Relaxed) {
            let number = self.sent.fetch_add(1, Relaxed);
            let request = (self.webhooks)(number);
            if kept.as_ref().is_some_and(was_closed) {
                tally.ended_by_server += 1;
                kept = None;
            }
            let began = Instant::now();
            let answered = match kept.take() {
                Some(stream) => Ok(stream),
                None => {
                    tally.connections += 1;
                    connect(self.address)
                }
            };
            let answered = answered.and_then(|mut stream| {
                stream.write_all(&request)?;
                answer(&mut stream).map(|answer| (stream, answer))
            });
            let judged = match answered {
                Ok((stream, Answer { head, body, close })) => {
                    tally.ended_by_server += u64::from(close && !matches!(habit, Habit::New));
                    kept = (!close && !matches!(habit, Habit::New)).then_some(stream);
                    (self.judge)(&head, &body)
                }
                Err(error) => Err(error.to_string()),
            };
            match judged {
                Ok(()) => {
                    tally.answered += 1;
                    tally.latencies_us.push(began.elapsed().as_micros() as u64);
                }
                Err(cause) => {
                    tally.failed += 1;
                    tally.causes.push(format!("webhook {number}, {habit:?}: {cause}"));
                    // Where nobody answers at all, the loop shall not turn empty.
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            if matches!(habit, Habit::KeptWithRests) {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let rest = Instant::now() + Duration::from_millis((random >> 33) % 2_000);
                while Instant::now() < rest && !self.end.load(Relaxed) {
                    std::thread::sleep(Duration::from_millis(10).min(rest - Instant::now().min(rest)));
                }
            }
        }
        let mut all = self.tally.lock().expect("no worker panicked");
        all.answered += tally.answered;
        all.failed += tally.failed;
        all.connections += tally.connections;
        all.ended_by_server += tally.ended_by_server;
        all.latencies_us.append(&mut tally.latencies_us);
        let room = CAUSES_MAX.saturating_sub(all.causes.len());
        all.causes.extend(tally.causes.into_iter().take(room));
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    Ok(stream)
}

/// Whether the server has closed a connection that it owes nothing.
fn was_closed(stream: &TcpStream) -> bool {
    let looked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
    let open = matches!(&looked, Err(error) if error.kind() == ErrorKind::WouldBlock);
    !(open && stream.set_nonblocking(false).is_ok())
}

struct Answer {
    head: String,
    body: String,
    close: bool,
}

/// Reads one answer; all of them tell their length.
fn answer(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut received = Vec::with_capacity(4 << 10);
    let mut buffer = [0; 4 << 10];
    loop {
        if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let length: usize = length.ok_or_else(|| io::Error::other(format!("no length: {head}")))?;
            if let Some(body) = received.get(end + 4..end + 4 + length) {
                let close = head.lines().any(|line| line == "connection: close");
                return Ok(Answer { head, body: String::from_utf8_lossy(body).into_owned(), close });
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) => {
                return Err(io::Error::other(format!("closed after {} bytes of an answer", received.len())));
            }
            Ok(count) => received.extend_from_slice(&buffer[..count]),
            // Starting a process beside this thread may interrupt it.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
