//! What the whole host costs: against a native program that does the same job, in the same run.
//!
//! `cargo bench --bench webhook [-- --quick] [--rows TEXT]`: only rows with TEXT in their names, besides the native ones
//!
//! Both read the request with hyper, check its signature and read its parameters with the same code, and answer the
//! same greeting with the same headers. The native one (axum) writes the document itself; the host runs
//! `front-desk` in a fresh sandbox, checks the document against the grammar and pins its links. Rounds alternate, and
//! each variant is compared with the native round beside it, so that a noisy neighbour disturbs both alike.

mod load;
#[path = "load/paced.rs"]
mod paced;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::serve::ListenerExt as _;
use hookswitch::call::{Entry, HandlerName, RevisionId, TenantId, Webhook as Incoming};
use hookswitch::carrier::twilio;
use hookswitch::carrier::twilio::delivery::TOKEN_HEADER;
use hookswitch::carrier::twilio::signature::Keys;
use hookswitch::telemetry::{self, LogFormat};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, StatusCode, Uri};

use crate::load::carrier::Webhook;
use crate::load::server::{self, Server};
use crate::load::{Tally, closed_loop, front_desk, machine, median};
use crate::paced::{paced, quantile_us};

const HANDLER: &str = "front-desk";
const WEBHOOKS_PER_SECOND: u32 = 1_000;

/// What is measured, and for how long.
struct Plan {
    rows: Vec<&'static Variant>,
    rounds: usize,
    round: Duration,
    paced: Duration,
}

/// A row of the table: which server, started how, and what it is sent.
struct Variant {
    name: &'static str,
    /// Position in [`SERVERS`].
    server: usize,
    token: Token,
}

/// Whether a webhook carries the header by which its repetition would be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// One of its own each time it is sent, as the carrier does.
    Fresh,
    /// None.
    None,
}

const NATIVE: &[&str] = &["--serve-native"];
const AS_SERVED: &[&str] = &["--serve-host", "--log"];
const QUIET: &[&str] = &["--serve-host"];
const USUAL_INTERVALS: &[&str] = &["--serve-host", "--usual-intervals"];
const SERVERS: [&[&str]; 4] = [NATIVE, AS_SERVED, QUIET, USUAL_INTERVALS];

/// The native rows come first: each other row is compared with the one of them that has the same webhooks.
const VARIANTS: &[Variant] = &[
    Variant { name: "native, with tokens", server: 0, token: Token::Fresh },
    Variant { name: "native", server: 0, token: Token::None },
    Variant { name: "host as served, with tokens", server: 1, token: Token::Fresh },
    Variant { name: "host as served", server: 1, token: Token::None },
    Variant { name: "host, log off, with tokens", server: 2, token: Token::Fresh },
    Variant { name: "host, log off", server: 2, token: Token::None },
    Variant { name: "host, log off, tokio's own intervals", server: 3, token: Token::None },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if has("--serve-native") {
        return serve_native();
    }
    if has("--serve-host") {
        return serve_host(has("--log"), has("--usual-intervals"));
    }
    let chosen = arguments.iter().position(|argument| argument == "--rows");
    let chosen = chosen.and_then(|at| arguments.get(at + 1)).map_or("", String::as_str);
    let rows =
        VARIANTS.iter().filter(|variant| variant.server == 0 || variant.name.contains(chosen)).collect();
    let plan = if has("--quick") {
        Plan { rows, rounds: 2, round: Duration::from_secs(1), paced: Duration::from_secs(3) }
    } else {
        Plan { rows, rounds: 5, round: Duration::from_secs(2), paced: Duration::from_secs(10) }
    };
    match run(&plan) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("some answers were wrong");
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints. Whether every answer was right.
fn run(plan: &Plan) -> Result<bool, String> {
    front_desk::build()?;
    let pinned = machine::pin_carrier();
    machine::print_conditions(pinned);
    let servers =
        SERVERS.iter().map(|arguments| Server::start(arguments, pinned)).collect::<Result<Vec<_>, _>>()?;
    for (arguments, server) in SERVERS.iter().zip(&servers) {
        println!("server      {}: {}", arguments.join(" "), server.note);
    }
    let mut webhooks = Vec::new();
    for variant in &plan.rows {
        let token = (variant.token == Token::Fresh).then_some(&TOKEN_HEADER);
        let mut webhook = Webhook::new(&front_desk::voice_path(HANDLER), token)?;
        webhook.learn_answer(servers[variant.server].address)?;
        webhooks.push([webhook]);
    }
    if let Some(at) = webhooks.iter().position(|webhook| webhook[0].expected != webhooks[0][0].expected) {
        return Err(format!(
            "`{}` and `{}` answer different documents",
            plan.rows[0].name, plan.rows[at].name
        ));
    }
    println!(
        "rounds      {} of {} s for each row, {} kept connections; documents of {} bytes, all checked",
        plan.rounds,
        plan.round.as_secs(),
        load::CONNECTIONS,
        webhooks[0][0].expected.len()
    );

    let mut tallies: Vec<Vec<Tally>> = plan.rows.iter().map(|_| Vec::new()).collect();
    for round in 0..plan.rounds {
        // Turned round each time, so that no row always follows the same one.
        let mut order: Vec<usize> = (0..plan.rows.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            let server = &servers[plan.rows[at].server];
            tallies[at].push(closed_loop(server, &mut webhooks[at], plan.round)?);
        }
    }
    let failed = print_throughput(plan, &tallies);
    let late = print_latencies(&servers, &mut webhooks, plan)?;
    Ok(failed == 0 && late == 0)
}

fn print_throughput(plan: &Plan, tallies: &[Vec<Tally>]) -> u64 {
    println!(
        "\n{:<38} {:>9} {:>7} {:>7} {:>7} {:>18} {:>7}",
        "medians", "answers/s", "CPU µs", "core", "× ans/s", "native CPU ÷ CPU", "failed"
    );
    for (variant, rounds) in plan.rows.iter().zip(tallies) {
        let native = plan.rows.iter().position(|other| other.token == variant.token).unwrap_or_default();
        let beside = || rounds.iter().zip(&tallies[native]);
        let of_cpu: Vec<f64> = beside().map(|(this, native)| native.cpu_us() / this.cpu_us()).collect();
        let worst = of_cpu.iter().copied().fold(f64::INFINITY, f64::min);
        let best = of_cpu.iter().copied().fold(0.0, f64::max);
        println!(
            "{:<38} {:>9.0} {:>7.2} {:>6.0}% {:>7.2} {:>5.2} ({:.2} to {:.2}) {:>7}",
            variant.name,
            median(rounds.iter().map(Tally::per_second)),
            median(rounds.iter().map(Tally::cpu_us)),
            100.0 * median(rounds.iter().map(Tally::core_share)),
            median(beside().map(|(this, native)| this.per_second() / native.per_second())),
            median(of_cpu.iter().copied()),
            worst,
            best,
            rounds.iter().map(|tally| tally.failed).sum::<u64>()
        );
    }
    tallies.iter().flatten().map(|tally| tally.failed).sum()
}

fn print_latencies(servers: &[Server], webhooks: &mut [[Webhook; 1]], plan: &Plan) -> Result<usize, String> {
    println!(
        "\n{:<38} {:>8} {:>8} {:>8} {:>8} {:>22} {:>7}",
        format!("µs at {WEBHOOKS_PER_SECOND}/s for {} s", plan.paced.as_secs()),
        "p50",
        "p99",
        "p99.9",
        "max",
        "carrier late p99, max",
        "failed"
    );
    let mut failed = 0;
    for (variant, webhook) in
        VARIANTS.iter().zip(webhooks).filter(|(variant, _)| variant.token == Token::Fresh)
    {
        let latencies = paced(&servers[variant.server], &mut webhook[0], WEBHOOKS_PER_SECOND, plan.paced)?;
        let of = |share| quantile_us(&latencies.answers, share);
        println!(
            "{:<38} {:>8.0} {:>8.0} {:>8.0} {:>8.0} {:>14.0}, {:>6.0} {:>7}",
            variant.name,
            of(0.5),
            of(0.99),
            of(0.999),
            of(1.0),
            quantile_us(&latencies.lateness, 0.99),
            quantile_us(&latencies.lateness, 1.0),
            latencies.failed
        );
        failed += latencies.failed;
    }
    Ok(failed)
}

/// The host, as `serve` starts it.
fn serve_host(log: bool, usual_intervals: bool) -> ExitCode {
    let _logs = log.then(|| telemetry::log_to_stderr(LogFormat::Text, "info"));
    let host = match front_desk::host([HANDLER.to_owned()]) {
        Ok(host) => host,
        Err(why) => return server::failed(why),
    };
    let runtime = if usual_intervals {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()
    } else {
        hookswitch::host::runtime()
    };
    match runtime {
        Ok(runtime) => server::listen(&runtime, &workers(&runtime), |listener| {
            host.serve(listener, std::future::pending::<()>())
        }),
        Err(error) => server::failed(error),
    }
}

fn workers(runtime: &tokio::runtime::Runtime) -> String {
    format!("{} worker threads", runtime.metrics().num_workers())
}

/// What the native program knows.
struct Native {
    keys: Keys,
    config: Vec<(String, String)>,
    pin: String,
}

/// The same job without a sandbox.
fn serve_native() -> ExitCode {
    let started = native().and_then(|native| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        Ok((native, runtime.map_err(|error| error.to_string())?))
    });
    let (native, runtime) = match started {
        Ok(started) => started,
        Err(why) => return server::failed(why),
    };
    let routes = axum::Router::new()
        .route(&front_desk::voice_path(HANDLER), axum::routing::any(answer))
        .with_state(Arc::new(native));
    server::listen(&runtime, &workers(&runtime), async |listener| {
        let listener = listener.tap_io(|stream| {
            // As the host does; where it fails the benchmark only becomes slower.
            let _set = stream.set_nodelay(true);
        });
        if let Err(error) = axum::serve(listener, routes).await {
            eprintln!("{error}");
        }
    })
}

fn native() -> Result<Native, String> {
    let tenant = TenantId::new(front_desk::TENANT).map_err(|error| error.to_string())?;
    let handler = HandlerName::new(HANDLER).map_err(|error| error.to_string())?;
    Ok(Native {
        keys: front_desk::keys()?,
        config: front_desk::built()?.settings.config,
        pin: front_desk::pin_key().pin(&tenant, &handler, RevisionId(1)),
    })
}

async fn answer(
    State(native): State<Arc<Native>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, StatusCode> {
    let authority = headers.get(HOST).and_then(|host| host.to_str().ok()).ok_or(StatusCode::BAD_REQUEST)?;
    let path = uri.path_and_query().ok_or(StatusCode::BAD_REQUEST)?;
    let url = ["http://", authority, path.as_str()].concat();
    let request =
        twilio::Request::read(&method, &url, &headers, &body).map_err(|_| StatusCode::BAD_REQUEST)?;
    request.verify(&native.keys).map_err(|_| StatusCode::FORBIDDEN)?;
    match request.webhook(Entry::Voice, "").map_err(|_| StatusCode::BAD_REQUEST)? {
        Incoming::Voice(call) if call.step.is_empty() && native.is_open() => {
            let head = [(CONTENT_TYPE.as_str(), "text/xml; charset=utf-8"), ("x-hookswitch-revision", "1")];
            Ok((head, native.greeting()).into_response())
        }
        _ => Err(StatusCode::NOT_FOUND),
    }
}

impl Native {
    fn setting(&self, key: &str) -> Option<&str> {
        self.config.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }

    fn number(&self, key: &str, otherwise: i64) -> i64 {
        self.setting(key).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
    }

    /// Opening hours as the example knows them.
    fn is_open(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64;
        let hours = now / 3_600 + self.number("utc_offset_hours", 0);
        let weekend = matches!((hours.div_euclid(24) + 3).rem_euclid(7), 5 | 6);
        let hour = hours.rem_euclid(24);
        !weekend && (self.number("open", 9)..self.number("close", 17)).contains(&hour)
    }

    fn greeting(&self) -> String {
        let prefix = front_desk::voice_path(HANDLER);
        let pin = &self.pin;
        let greeting = escaped(self.setting("greeting").unwrap_or("Welcome."));
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Gather input=\"dtmf speech\" numDigits=\"1\" timeout=\"6\" \
             hints=\"sales, support, message\" action=\"{prefix}/menu?hs={pin}\"><Say>{greeting}</Say><Say>For sales, \
             press 1 or say sales. For support, press 2. To leave a message, press 3.</Say></Gather>\
             <Redirect>{prefix}/again?hs={pin}</Redirect></Response>"
        )
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    escaped
}
