//! What the load benchmarks share: a server in a process of its own, and a carrier that sends it signed webhooks.
//!
//! Server and carrier have one core each, so that neither takes the other's time.

pub mod carrier;
pub mod front_desk;
pub mod machine;
pub mod server;

use std::time::{Duration, Instant};

use self::carrier::{Connection, Webhook};
use self::server::Server;

/// Connections that a round keeps busy.
pub const CONNECTIONS: usize = 16;

/// Runs before each round and is not measured: wakes the processor and warms what the last round cooled.
const WARM_UP: Duration = Duration::from_millis(150);

/// What a round of load came to.
#[derive(Debug, Clone, Copy)]
pub struct Tally {
    /// Answers that were what was expected.
    pub answered: u64,
    /// All others.
    pub failed: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Processor time of the server, user and system.
    pub cpu: Duration,
}

impl Tally {
    /// Right answers a second.
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.elapsed.as_secs_f64()
    }

    /// Processor time of the server per answer, in microseconds.
    pub fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / (self.answered + self.failed).max(1) as f64
    }

    /// How much of its core the server had: where it is not nearly all, something else was the limit.
    pub fn core_share(&self) -> f64 {
        self.cpu.as_secs_f64() / self.elapsed.as_secs_f64()
    }
}

/// Keeps [`CONNECTIONS`] connections busy for `length`, each sending its next webhook when it has the answer to the last.
/// Goes through `webhooks` in turn, again and again.
///
/// # Errors
/// The server is gone, or does not answer within five seconds.
pub fn closed_loop(server: &Server, webhooks: &mut [Webhook], length: Duration) -> Result<Tally, String> {
    let mut carrier = Carrier::new(server, webhooks)?;
    carrier.run(WARM_UP)?;
    let before = server.cpu()?;
    let start = Instant::now();
    let (answered, failed) = carrier.run(length)?;
    Ok(Tally { answered, failed, elapsed: start.elapsed(), cpu: server.cpu()?.saturating_sub(before) })
}

struct Carrier<'w> {
    connections: Vec<Connection>,
    webhooks: &'w mut [Webhook],
    next: usize,
}

impl<'w> Carrier<'w> {
    fn new(server: &Server, webhooks: &'w mut [Webhook]) -> Result<Self, String> {
        let connections =
            (0..CONNECTIONS).map(|_| Connection::open(server.address)).collect::<Result<_, _>>()?;
        Ok(Self { connections, webhooks, next: 0 })
    }

    /// Waits for the connections in turn; the others have their webhooks with the server meanwhile.
    fn run(&mut self, length: Duration) -> Result<(u64, u64), String> {
        let (mut answered, mut failed) = (0, 0);
        let mut sent = Vec::with_capacity(CONNECTIONS);
        for connection in &mut self.connections {
            sent.push(send_next(connection, self.webhooks, &mut self.next)?);
        }
        let start = Instant::now();
        loop {
            let going_on = start.elapsed() < length;
            for (connection, sent) in self.connections.iter_mut().zip(&mut sent) {
                if connection.receive(&self.webhooks[*sent].expected)? {
                    answered += 1;
                } else {
                    failed += 1;
                }
                if going_on {
                    *sent = send_next(connection, self.webhooks, &mut self.next)?;
                }
            }
            if !going_on {
                return Ok((answered, failed));
            }
        }
    }
}

/// Sends the webhook whose turn it is and says which.
fn send_next(
    connection: &mut Connection,
    webhooks: &mut [Webhook],
    next: &mut usize,
) -> Result<usize, String> {
    let at = *next % webhooks.len();
    *next += 1;
    connection.send(webhooks[at].stamped())?;
    Ok(at)
}

/// The middle of `values`; of an even number, the upper of the two in the middle.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
