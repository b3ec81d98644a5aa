//! Load at a fixed rate, whatever the server does: what a caller's webhook waits, queueing included.
//!
//! Each webhook has its time, and its latency counts from that time, not from when it could be sent: a server that
//! stands still for a second makes a thousand webhooks late, and all of them are counted.

use std::time::{Duration, Instant};

use crate::load::carrier::{Connection, Webhook};
use crate::load::server::Server;

/// Most webhooks that are with the server at one time; later ones wait, and their latency counts.
const CONNECTIONS: usize = 32;

/// The carrier sleeps only when there is more time than this, and wakes as long before the next webhook is due.
const AWAKE_BEFORE: Duration = Duration::from_micros(200);

/// How long answers may take after the last webhook was sent.
const LAST_ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// What webhooks waited.
pub struct Latencies {
    /// From its time to the whole answer, each, sorted.
    pub answers: Vec<Duration>,
    /// How late the carrier was in sending each, sorted: part of the latency, and no fault of the server.
    pub lateness: Vec<Duration>,
    /// Answers that were not what was expected, or never came.
    pub failed: usize,
}

/// Sends `webhook` `per_second` times a second for `length`.
///
/// # Errors
/// The server is gone.
pub fn paced(
    server: &Server,
    webhook: &mut Webhook,
    per_second: u32,
    length: Duration,
) -> Result<Latencies, String> {
    let interval = Duration::from_secs(1) / per_second;
    let count = (length.as_secs_f64() / interval.as_secs_f64()) as u32;
    let mut connections =
        (0..CONNECTIONS).map(|_| Connection::open(server.address)).collect::<Result<Vec<_>, _>>()?;
    let mut free: Vec<usize> = (0..CONNECTIONS).collect();
    let mut in_flight: Vec<(usize, Instant)> = Vec::with_capacity(CONNECTIONS);
    let mut latencies = Latencies {
        answers: Vec::with_capacity(count as usize),
        lateness: Vec::with_capacity(count as usize),
        failed: 0,
    };

    let start = Instant::now() + Duration::from_millis(10);
    let give_up = start + length + LAST_ANSWERS_WITHIN;
    let mut sent = 0;
    while sent < count || !in_flight.is_empty() {
        let now = Instant::now();
        let due = start + interval * sent;
        if sent < count && now >= due {
            if let Some(at) = free.pop() {
                connections[at].send(webhook.stamped())?;
                in_flight.push((at, due));
                latencies.lateness.push(now - due);
                sent += 1;
            }
        } else if sent < count && in_flight.is_empty() && due - now > AWAKE_BEFORE * 2 {
            std::thread::sleep(due - now - AWAKE_BEFORE);
        }
        let mut position = 0;
        while let Some(&(at, due)) = in_flight.get(position) {
            match connections[at].read(&webhook.expected)? {
                None => position += 1,
                Some(right) => {
                    latencies.answers.push(due.elapsed());
                    latencies.failed += usize::from(!right);
                    in_flight.swap_remove(position);
                    free.push(at);
                }
            }
        }
        if now > give_up {
            latencies.failed += in_flight.len() + (count - sent) as usize;
            break;
        }
    }
    latencies.answers.sort_unstable();
    latencies.lateness.sort_unstable();
    Ok(latencies)
}

/// The value below which `share` of `sorted` lie, in microseconds.
pub fn quantile_us(sorted: &[Duration], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).map_or(f64::NAN, |value| value.as_secs_f64() * 1e6)
}
