//! Whether a webhook costs more where many handlers are loaded: time to load, memory, and cost in turn over all of them.
//!
//! `cargo bench --bench handlers [-- --quick] [--handlers 1,100,1000]`
//!
//! Every handler is compiled by itself, as different ones would be, and each webhook is for another handler than the
//! one before: the worst case for everything that is kept warm. The log is off and webhooks carry no token, so that only
//! what depends on the number of handlers differs.

mod load;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::load::carrier::Webhook;
use crate::load::server::{self, Server};
use crate::load::{Tally, closed_loop, front_desk, machine, median};

/// How many handlers the hosts of a full run have.
const COUNTS: &[usize] = &[1, 100, 1_000];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value_of = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        Some(arguments.get(at + 1).cloned().unwrap_or_default())
    };
    if let Some(count) = value_of("--serve-host") {
        return serve_host(count.parse().unwrap_or(1));
    }
    let (rounds, length) = if arguments.iter().any(|argument| argument == "--quick") {
        (2, Duration::from_secs(1))
    } else {
        (5, Duration::from_secs(2))
    };
    let counts = match value_of("--handlers") {
        None => Ok(COUNTS.to_vec()),
        Some(counts) => counts.split(',').map(str::parse).collect(),
    };
    let measured = counts
        .map_err(|_| "--handlers takes numbers, as in 1,100".to_owned())
        .and_then(|counts| run(&counts, rounds, length));
    match measured {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("{failed} answers were wrong");
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// A host and what it is sent.
struct Loaded {
    count: usize,
    server: Server,
    webhooks: Vec<Webhook>,
    memory_mib_loaded: f64,
    tallies: Vec<Tally>,
}

/// Measures and prints. Gives the number of wrong answers.
fn run(counts: &[usize], rounds: usize, length: Duration) -> Result<u64, String> {
    front_desk::build()?;
    let pinned = machine::pin_carrier();
    machine::print_conditions(pinned);
    let mut hosts = Vec::new();
    for &count in counts {
        let server = Server::start(&["--serve-host", &count.to_string()], pinned)?;
        let memory_mib_loaded = memory_mib(&server)?;
        let mut webhooks = Vec::with_capacity(count);
        for number in 0..count {
            let mut webhook = Webhook::new(&front_desk::voice_path(&name(number)), None)?;
            webhook.learn_answer(server.address)?;
            webhooks.push(webhook);
        }
        hosts.push(Loaded { count, server, webhooks, memory_mib_loaded, tallies: Vec::new() });
    }
    println!(
        "rounds      {rounds} of {} s for each row, {} kept connections, handlers in turn; documents all checked\n",
        length.as_secs(),
        load::CONNECTIONS
    );
    for _ in 0..rounds {
        for Loaded { server, webhooks, tallies, .. } in &mut hosts {
            tallies.push(closed_loop(server, webhooks, length)?);
        }
    }
    println!(
        "{:>8} {:>12} {:>12} {:>12} {:>10} {:>8} {:>6} {:>16} {:>7}",
        "handlers",
        "load each ms",
        "MiB loaded",
        "MiB after",
        "answers/s",
        "CPU µs",
        "core",
        "× CPU of row 1",
        "failed"
    );
    let mut failed = 0;
    for host in &hosts {
        let growth =
            host.tallies.iter().zip(&hosts[0].tallies).map(|(this, first)| this.cpu_us() / first.cpu_us());
        let wrong: u64 = host.tallies.iter().map(|tally| tally.failed).sum();
        println!(
            "{:>8} {:>12} {:>12.1} {:>12.1} {:>10.0} {:>8.2} {:>5.0}% {:>16.2} {:>7}",
            host.count,
            host.server.note,
            host.memory_mib_loaded,
            memory_mib(&host.server)?,
            median(host.tallies.iter().map(Tally::per_second)),
            median(host.tallies.iter().map(Tally::cpu_us)),
            100.0 * median(host.tallies.iter().map(Tally::core_share)),
            median(growth),
            wrong
        );
        failed += wrong;
    }
    Ok(failed)
}

fn name(number: usize) -> String {
    format!("front-desk-{number}")
}

/// Resident memory of a server, in MiB.
fn memory_mib(server: &Server) -> Result<f64, String> {
    let path = format!("/proc/{}/status", server.id());
    let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| format!("{path} has no VmRSS"))
}

/// A host with `count` handlers; its note is the time that loading one took, in milliseconds.
fn serve_host(count: usize) -> ExitCode {
    let start = Instant::now();
    let host = match front_desk::host((0..count).map(name)) {
        Ok(host) => host,
        Err(why) => return server::failed(why),
    };
    let load_ms = start.elapsed().as_secs_f64() * 1e3 / count.max(1) as f64;
    match hookswitch::host::runtime() {
        Ok(runtime) => server::listen(&runtime, &format!("{load_ms:.1}"), |listener| {
            host.serve(listener, std::future::pending::<()>())
        }),
        Err(error) => server::failed(error),
    }
}
