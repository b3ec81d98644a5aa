//! Log streams.

use super::*;
use crate::call::{HandlerName, RevisionId};
use crate::release::ReleaseChange;
use crate::telemetry::FeedEvent;

fn event(handler: &str, reason: &str) -> FeedEvent {
    FeedEvent::Release {
        at: "2026-01-02T03:04:05.678Z".into(),
        handler: HandlerName::new(handler).unwrap(),
        revision: RevisionId(7),
        change: ReleaseChange::Promoted,
        reason: reason.into(),
    }
}

/// Reads until `text` was said; gives all that was said until then.
async fn until(stream: &mut TcpStream, text: &str) -> String {
    let mut said = String::new();
    let read = async {
        while !said.contains(text) {
            let mut bytes = [0; 1024];
            let count = stream.read(&mut bytes).await.unwrap();
            assert!(count > 0, "it ended before {text:?}: {said}");
            said.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    };
    timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("{text:?} was never said"));
    said
}

impl Server {
    async fn follow(&self, path: &str, token: &str) -> TcpStream {
        let mut stream = self.connect().await;
        let head = format!("GET {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

#[tokio::test]
async fn a_tenant_follows_its_own_events_and_those_of_one_handler() {
    let limits = ControlLimits { heartbeat: Duration::from_millis(50), ..ControlLimits::default() };
    let server = Server::start_with(limits).await;
    let token = server.token(Scope::Read, "acme");
    let unknown = server.operator("GET", "/api/v1/tenants/acme/logs?handler=ivr", &Value::Null).await;
    assert_eq!((unknown.status, unknown.problem().as_str()), (404, "not-found"));
    assert!(unknown.body.contains("tenant acme has no handler ivr; `hookswitch deploy` makes one"));
    super::rights::add_handler(&server.registry, "acme", "ivr");
    let mut all = server.follow("/api/v1/tenants/acme/logs", &token).await;
    let mut one = server.follow("/api/v1/tenants/acme/logs?handler=ivr", &token).await;
    let head = until(&mut all, "\r\n\r\n").await.to_lowercase();
    assert!(head.contains("200 ok") && head.contains("content-type: text/event-stream"), "{head}");
    until(&mut one, "\r\n\r\n").await;
    // A comment: the stream is silent and alive.
    until(&mut all, ":\n\n").await;

    let (acme, other) = (TenantId::new("acme").unwrap(), TenantId::new("other").unwrap());
    server.feed.publish(&other, || event("ivr", "of another"));
    server.feed.publish(&acme, || event("sales", "line one\nline two"));
    server.feed.publish(&acme, || event("ivr", "the last"));
    let said = until(&mut all, "the last").await;
    assert!(!said.contains("of another"), "{said}");
    assert!(
        said.contains("event: release\ndata: {\"kind\":\"release\",") && said.contains(r"line one\nline two"),
        "{said}"
    );
    let said = until(&mut one, "the last").await;
    assert!(!said.contains("sales"), "{said}");
}

#[tokio::test]
async fn streams_have_a_most_and_give_their_place_back() {
    let server = Server::start().await;
    let mut open = Vec::new();
    for _ in 0..8 {
        let mut stream = server.follow("/api/v1/tenants/acme/logs", &server.token).await;
        until(&mut stream, "200 OK").await;
        open.push(stream);
    }
    let refused = server.operator("GET", "/api/v1/tenants/acme/logs", &Value::Null).await;
    assert_eq!((refused.status, refused.problem().as_str()), (429, "too-many-streams"));
    let mut neighbour = server.follow("/api/v1/tenants/other/logs", &server.token).await;
    until(&mut neighbour, "200 OK").await;

    open.pop();
    let freed = async {
        while server.feed.listeners() > 8 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, freed).await.expect("a client that hangs up gives its place back");
    let mut again = server.follow("/api/v1/tenants/acme/logs", &server.token).await;
    until(&mut again, "200 OK").await;
}

#[tokio::test]
async fn a_stream_ends_after_its_life_so_that_a_revoked_token_is_noticed() {
    let limits = ControlLimits { stream_life: Duration::from_millis(100), ..ControlLimits::default() };
    let server = Server::start_with(limits).await;
    let answer = server.operator("GET", "/api/v1/tenants/acme/logs", &Value::Null).await;
    assert!(answer.status == 200 && answer.body.ends_with("0\r\n\r\n"), "{}", answer.body);
}

#[tokio::test]
async fn a_reader_that_sleeps_is_told_what_it_missed_or_is_given_up() {
    let limits = ControlLimits { stall_within: Duration::from_millis(500), ..ControlLimits::default() };
    let server = Server::start_with(limits).await;
    let mut slow = server.follow("/api/v1/tenants/acme/logs", &server.token).await;
    until(&mut slow, "200 OK").await;
    let acme = TenantId::new("acme").unwrap();
    let published = async {
        // Until the socket is full, the queue too, and the kernel has lost its patience.
        while server.feed.listeners() > 0 {
            server.feed.publish(&acme, || event("ivr", &"x".repeat(4096)));
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), published).await.expect("a reader that takes nothing is given up");
}

#[tokio::test]
async fn the_log_line_of_a_request_is_json_with_its_numbers_as_numbers() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let lines = Arc::new(file.reopen().unwrap());
    let as_json = tracing_subscriber::fmt().json().flatten_event(true).with_writer(lines).finish();
    // Where there is one subscriber only, another test's thread that comes first to a line of the log decides for all threads
    // that nobody wants it.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let logging = tracing::subscriber::set_default(as_json);
    let server = Server::start().await;
    server.operator("GET", "/api/v1/tenants/ghost", &Value::Null).await;
    drop(logging);
    let text = std::fs::read_to_string(file.path()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = lines.iter().find(|line| line["path"] == "/api/v1/tenants/{tenant}");
    let line = line.unwrap_or_else(|| panic!("{text}"));
    assert!(line["ms"].is_u64() && line["status"] == 404 && line["who"] == "ops", "{line}");
}
