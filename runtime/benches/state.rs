//! What sessions and stores cost: by themselves, and in a webhook that keeps one session.
//!
//! `cargo bench --bench state [-- DIR]`. DIR is on the disk to measure; without it the system's folder for temporary files.
//!
//! Everything runs in this process, on the host's own runtime: webhooks come signed out of memory and go the whole way of a
//! webhook but for the wire.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hookswitch::build;
use hookswitch::call::{Call, CallStatus, Direction, HandlerName, RevisionId, TenantId, Webhook};
use hookswitch::capability::{ConfigValues, Grants, Reach};
use hookswitch::carrier::twilio::signature::{self, AuthToken, Keys};
use hookswitch::clock;
use hookswitch::config::Config;
use hookswitch::host::{self, Host, Strict};
use hookswitch::outbound::AllowList;
use hookswitch::pin::PinKey;
use hookswitch::router::{Handler, Snapshot, Tenant};
use hookswitch::secrets::SecretValues;
use hookswitch::state::{Change, Owner, SessionName, State};
use hookswitch::telemetry::{self, Metrics};
use hookswitch::webhook::ingress::Incoming;
use hookswitch::webhook::respond;
use http::{HeaderMap, HeaderValue, Method};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const AUTHORITY: &str = "calls.example.com";
/// How long each row runs.
const LENGTH: Duration = Duration::from_secs(3);
/// Conversations at one time.
const AT_ONCE: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let folder =
        folder.map_or_else(std::env::temp_dir, PathBuf::from).join(format!("state-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let measured = host::runtime()?.block_on(measure(&folder));
    std::fs::remove_dir_all(&folder)?;
    measured
}

async fn measure(folder: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let metrics = telemetry::record_metrics()?;
    let state = State::open(folder)?;
    println!("{:<44} {:>9} {:>8} {:>8} {:>7}", folder.display(), "per s", "p50 µs", "p99 µs", "group");
    let owner = owner()?;
    row(&metrics, "a session, new: read, change, keep", AT_ONCE, |turn| keep(&state, &owner, turn)).await?;
    row(&metrics, "a session of 10 000: read, change, keep", AT_ONCE, |turn| {
        keep(&state, &owner, turn % 10_000)
    })
    .await?;
    row(&metrics, "a session of 10 000: read, one at a time", 1, |turn| read(&state, &owner, turn % 10_000))
        .await?;
    for at_once in [1, 16, 256] {
        row(&metrics, &format!("a store: add, {at_once} at once"), at_once, |turn| add(&state, &owner, turn))
            .await?;
    }
    row(&metrics, "a store: get, one at a time", 1, |turn| get(&state, &owner, turn)).await?;
    let host = host(&state)?;
    for (what, step) in [
        ("a webhook that keeps nothing", "session,get,none"),
        ("a webhook that keeps its session", "session,add,n,1"),
        ("a webhook that adds to the store", "store,add,n,1"),
    ] {
        row(&metrics, what, AT_ONCE, |turn| webhook(&host, step, turn)).await?;
    }
    Ok(())
}

/// Runs `work` for a while with `at_once` at one time, each turn with a number of its own, and prints what it came to.
async fn row<F>(
    metrics: &Metrics,
    what: &str,
    at_once: usize,
    work: impl Fn(usize) -> F,
) -> Result<(), Box<dyn Error>>
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let before = counts(metrics);
    let (began, mut turn, mut took_us) = (Instant::now(), 0, Vec::new());
    let mut running = tokio::task::JoinSet::new();
    loop {
        while running.len() < at_once && began.elapsed() < LENGTH {
            let work = work(turn);
            turn += 1;
            running.spawn(async move {
                let began = Instant::now();
                work.await.map(|()| began.elapsed().as_secs_f64() * 1e6)
            });
        }
        match running.join_next().await {
            Some(done) => took_us.push(done??),
            None => break,
        }
    }
    let per_second = took_us.len() as f64 / began.elapsed().as_secs_f64();
    took_us.sort_by(f64::total_cmp);
    let at = |share: f64| took_us.get((took_us.len() as f64 * share) as usize).copied().unwrap_or_default();
    let after = counts(metrics);
    let group = (after.1 - before.1) / (after.0 - before.0).max(1.0);
    println!("{what:<44} {per_second:>9.0} {:>8.0} {:>8.0} {group:>7.1}", at(0.5), at(0.99));
    Ok(())
}

/// Commits and writes so far.
fn counts(metrics: &Metrics) -> (f64, f64) {
    let text = metrics.render();
    let count = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        line.unwrap_or(0.0)
    };
    (count("hookswitch_state_commits_total"), count("hookswitch_state_writes_total"))
}

fn owner() -> Result<Owner, Box<dyn Error>> {
    Ok(Owner::of(&Arc::new(Grants {
        tenant: TenantId::new("bench")?,
        handler: HandlerName::new("alone")?,
        revision: RevisionId(1),
        pin: "1".into(),
        config: ConfigValues::default(),
        outbound: AllowList::default(),
        secrets: SecretValues::default(),
    })))
}

fn session(owner: &Owner, number: usize) -> Result<SessionName, String> {
    let call = Call {
        id: format!("CA{:032x}", scattered(number)),
        account: String::new(),
        from: String::new(),
        to: String::new(),
        direction: Direction::Inbound,
        status: CallStatus::InProgress,
        step: String::new(),
        digits: None,
        speech: None,
        form: String::new(),
    };
    SessionName::of(owner.clone(), &Webhook::Voice(call)).ok_or_else(|| "a call without a name".to_owned())
}

/// Carriers' ids are in no order.
fn scattered(number: usize) -> u64 {
    (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn keep(
    state: &Arc<State>,
    owner: &Owner,
    turn: usize,
) -> impl Future<Output = Result<(), String>> + Send + use<> {
    let (state, name) = (Arc::clone(state), session(owner, turn));
    async move {
        let until = Instant::now() + Duration::from_secs(5);
        let mut session = state.session(name?, until).await.map_err(text)?;
        session.change("n", Change::Add { by: 1, expires_at: None }, clock::unix_ms()).map_err(text)?;
        state.keep(session, until).await.map_err(text)
    }
}

fn read(
    state: &Arc<State>,
    owner: &Owner,
    turn: usize,
) -> impl Future<Output = Result<(), String>> + Send + use<> {
    let (state, name) = (Arc::clone(state), session(owner, turn));
    async move {
        let session = state.session(name?, Instant::now() + Duration::from_secs(5)).await.map_err(text)?;
        let found = session.get("n", clock::unix_ms()).map_err(text)?;
        found.map(drop).ok_or_else(|| "it was not kept".to_owned())
    }
}

fn add(
    state: &Arc<State>,
    owner: &Owner,
    turn: usize,
) -> impl Future<Output = Result<(), String>> + Send + use<> {
    let (state, owner) = (Arc::clone(state), owner.clone());
    async move {
        let change = Change::Add { by: 1, expires_at: None };
        state.change(owner, format!("n-{}", turn % 1_000), change).await.map(drop).map_err(text)
    }
}

fn get(
    state: &Arc<State>,
    owner: &Owner,
    turn: usize,
) -> impl Future<Output = Result<(), String>> + Send + use<> {
    let (state, owner) = (Arc::clone(state), owner.clone());
    async move {
        let found = state.get(owner, format!("n-{}", turn % 1_000)).await.map_err(text)?;
        found.map(drop).ok_or_else(|| "it was not kept".to_owned())
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A host with the guest of the tests that does what the step says.
fn host(state: &Arc<State>) -> Result<Arc<Host>, Box<dyn Error>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/guests/remember");
    let built = build::build(&folder, &mut |progress| eprintln!("{progress}"))?;
    let config = Config { public_url: Some(format!("https://{AUTHORITY}")), ..Config::default() };
    let reach = Reach { state: Some(Arc::clone(state)), ..Reach::default() };
    let host = Host::reaching(&config, PinKey::new([7; 32]), None, reach)?;
    let id = TenantId::new("bench")?;
    let keys = Keys { tokens: vec![AuthToken::new(TOKEN)?], shared: Vec::new() };
    let mut tenant = Tenant::new(id.clone(), keys, None, config.concurrency);
    tenant.put(Handler::new(host.load(&id, RevisionId(1), &built, Strict::Yes)?));
    host.router.publish(Snapshot::new([tenant]));
    Ok(host)
}

/// One webhook of a call of its own; there are 10 000 calls.
fn webhook(
    host: &Arc<Host>,
    step: &str,
    turn: usize,
) -> impl Future<Output = Result<(), String>> + Send + use<> {
    let host = Arc::clone(host);
    let path = format!("/bench/remember/voice/{step}");
    let id = format!("CA{:032x}", scattered(turn % 10_000));
    async move {
        let params = [
            ("CallSid", id.as_str()),
            ("From", "+12025550123"),
            ("To", "+12025550199"),
            ("CallStatus", "in-progress"),
        ];
        let key = AuthToken::new(TOKEN).map_err(text)?;
        let signature = signature::sign(&format!("https://{AUTHORITY}{path}"), params.iter().copied(), &key);
        let mut headers = HeaderMap::new();
        headers.insert("x-twilio-signature", HeaderValue::from_str(&signature).map_err(text)?);
        headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        let here = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
        let incoming = Incoming {
            method: Method::POST,
            uri: path.parse().map_err(text)?,
            host: None,
            headers,
            body: Bytes::from(body),
            peer: (here, 0).into(),
            client: here,
            forwarded: None,
        };
        let answer = respond(host, incoming).await;
        match (answer.status().as_u16(), answer.headers().get("x-hookswitch-error")) {
            (200, None) => Ok(()),
            (status, code) => Err(format!("{status} {code:?}")),
        }
    }
}
