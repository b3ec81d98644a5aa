//! A tenant that spins does not make another tenant's callers wait.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hookswitch::carrier::twilio::signature::{self, AuthToken};

use crate::support::{TOKEN, TestHost, alone_on_host_runtime, misbehave, wait_for};

const PARAMS: &[(&str, &str)] = &[
    ("CallSid", "CA00000000000000000000000000000042"),
    ("From", "+12025550123"),
    ("To", "+12025550199"),
    ("CallStatus", "ringing"),
];

/// Tries at most: so many times in a row it is not by chance that it is missed.
const TRIES: u32 = 8;

/// Round trips of 300 webhooks, one after the other on one connection, sorted. From a thread of its own: a client that
/// shared the host's runtime would wait for its own turns there and measure them as the host's.
fn round_trips(host: &TestHost) -> Vec<Duration> {
    let path = "/other/guest/voice/ok";
    let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(PARAMS).finish();
    let signature = signature::sign(&host.url(path), PARAMS.iter().copied(), &AuthToken::new(TOKEN).unwrap());
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         x-twilio-signature: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
        host.address,
        body.len()
    );
    let mut stream = TcpStream::connect(host.address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut times = Vec::new();
    for _ in 0..300 {
        let started = Instant::now();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"</Response>") {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).unwrap();
            assert!(read > 0, "the host closed: {}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..read]);
        }
        times.push(started.elapsed());
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    }
    times.sort();
    times
}

fn p99(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() * 99 / 100]
}

/// Aim: neighbour's p99 within the larger of three times the undisturbed one and 10 ms. Where hogs outnumber the cores by far it
/// is missed in some tries (PROMISES.md), and the machine may be busy itself, so the best of them counts.
fn a_neighbour_of(hogs: usize) {
    alone_on_host_runtime(async {
        let host = Arc::new(TestHost::start().await);
        host.deploy("other", "guest", misbehave(), "").expect("it loads");
        let mut tries = Vec::new();
        for number in 0..TRIES {
            // Another handler for each try: one that only fails is soon not run any more.
            let name = format!("guest-{number}");
            host.deploy("acme", &name, misbehave(), "[limits]\ncpu_ms = 5000\ndeadline_ms = 14000")
                .expect("it loads");
            let undisturbed = p99(&round_trips(&host));
            let spinning: Vec<_> = (0..hogs)
                .map(|_| {
                    let (host, path) = (Arc::clone(&host), format!("/acme/{name}/voice/spin"));
                    tokio::spawn(async move { host.post(&path, PARAMS).await })
                })
                .collect();
            tokio::time::sleep(Duration::from_millis(50)).await;
            let disturbed = p99(&round_trips(&host));
            let still_spinning = spinning.iter().filter(|spinning| !spinning.is_finished()).count();
            let mut ended = Vec::new();
            for spinning in spinning {
                if spinning.is_finished() {
                    ended.push(spinning.await.map(|heard| heard.code().to_owned()));
                } else {
                    spinning.abort();
                }
            }
            tries.push((undisturbed, disturbed, still_spinning, ended));
            println!("{hogs} hogs: p99 {undisturbed:?} undisturbed, {disturbed:?} disturbed");
            if still_spinning == hogs && disturbed <= (undisturbed * 3).max(Duration::from_millis(10)) {
                return;
            }
            // Those of this try shall not disturb the next one.
            wait_for("the end of the hogs", 20, || {
                (host.host.sandbox.guest_memory_bytes() == 0).then_some(())
            });
        }
        panic!(
            "p99 undisturbed, p99 beside {hogs} hogs, hogs at the end, how the others ended; all tries: {tries:?}"
        );
    });
}

#[test]
fn two_spinning_guests_do_not_delay_a_neighbour() {
    a_neighbour_of(2);
}

#[test]
fn thirty_two_spinning_guests_do_not_delay_a_neighbour() {
    a_neighbour_of(32);
}
