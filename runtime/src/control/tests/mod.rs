//! The control port as its clients meet it: a real server on port 0, a real registry, bytes on a socket.

mod connections;
mod logs;
mod problems;
mod rights;
mod tenants;
mod uploads;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::artifact::ArtifactSettings;
use crate::call::TenantId;
use crate::capability::Reach;
use crate::config::Config;
use crate::host::Host;
use crate::outbox::Outbox;
use crate::pin::PinKey;
use crate::recording::{Recorder, RecordingSettings};
use crate::registry::model::Scope;
use crate::registry::{MasterKey, PendingJournal};

/// No answer takes so long.
const PATIENCE: Duration = Duration::from_secs(10);

struct Server {
    address: SocketAddr,
    /// Of the operator.
    token: String,
    registry: Arc<Registry>,
    feed: Feed,
    health: Arc<Health>,
    data: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

/// An answer, read to the end of its connection.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Server {
    async fn start() -> Self {
        Self::start_with(ControlLimits::default()).await
    }

    async fn start_with(limits: ControlLimits) -> Self {
        let data = tempfile::tempdir().unwrap();
        let control = control(data.path(), limits).await;
        Self::serve(data, control).await
    }

    /// With the operator's token in its file, as `hookswitch serve` makes it.
    async fn start_with_operator_file() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut control = control(data.path(), ControlLimits::default()).await;
        let path = data.path().join("operator-token");
        control.registry.ensure_operator_token(&path, 0).unwrap();
        let held = std::fs::read_to_string(&path).unwrap();
        control.operator_token = Some(Secret::new(held.trim().to_owned()));
        Self::serve(data, control).await
    }

    /// With tenants `acme` and `other`.
    async fn serve(data: tempfile::TempDir, control: Control) -> Self {
        let (registry, health, feed) =
            (Arc::clone(&control.registry), Arc::clone(&control.health), control.feed.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve(listener, control, async {
            let _ = stopped.await;
        }));
        let (_, token) = registry.create_token(Scope::Operator, "ops", 0).unwrap();
        let token = token.expose().to_owned();
        let server = Self { address, token, registry, feed, health, data, stop: Some(stop), served };
        for id in ["acme", "other"] {
            let made = server.operator("POST", "/api/v1/tenants", &json!({ "id": id })).await;
            assert_eq!(made.status, 201, "{}", made.body);
        }
        server
    }

    /// A token of one tenant.
    fn token(&self, scope: fn(TenantId) -> Scope, tenant: &str) -> String {
        let scope = scope(TenantId::new(tenant).unwrap());
        self.registry.create_token(scope, "", 0).unwrap().1.expose().to_owned()
    }

    async fn operator(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask(method, path, Some(&self.token), body).await
    }

    /// Asks with a JSON body, or with none where it is null.
    async fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let head = format!("{method} {path} HTTP/1.1\r\n{token}content-type: application/json\r\n");
        self.raw(&format!("{head}content-length: {}\r\n", body.len()), body.as_bytes()).await
    }

    /// Sends a request line with header fields, to which host and `connection: close` are added, and a body.
    async fn raw(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(format!("{head}host: a\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
        // The server may have refused and closed before all is sent.
        let _ = stream.write_all(body).await;
        Answer::read(&mut stream).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Begins to stop.
    fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }
}

/// The control plane of a host with nothing deployed.
async fn control(data: &Path, limits: ControlLimits) -> Control {
    let folder = data.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        let key = MasterKey::open(&folder).unwrap();
        let registry = Arc::new(Registry::open(&folder, &key).unwrap());
        let artifacts = Artifacts::open(&folder, [7; 32], ArtifactSettings::default()).unwrap();
        (key, registry, artifacts)
    });
    let (key, registry, artifacts) = opened.await.unwrap();
    let config = Config::default();
    let pin_key = PinKey::new([7; 32]);
    let host = Host::reaching(&config, pin_key, Some(Arc::clone(&artifacts)), Reach::default()).unwrap();
    let recorder = Recorder::open(data, &key, RecordingSettings::default()).unwrap();
    assert!(host.recorder.set(recorder).is_ok());
    let journal = PendingJournal::new(data, &key);
    let outbox = Outbox::open(data, None).unwrap();
    Control {
        outbox,
        deployer: Deployer::new(&config, host, Arc::clone(&registry), Arc::clone(&artifacts), journal),
        registry,
        artifacts,
        feed: Feed::default(),
        metrics: Arc::new(|| "up 1\n".to_owned()),
        health: Arc::default(),
        limits,
        operator_token: None,
    }
}

impl Answer {
    async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the answer never ended").unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The word of a problem document, after checking that it is one.
    fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.head);
        assert!(self.header("x-request-id").is_some(), "{}", self.head);
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        for key in ["title", "detail"] {
            assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        let word = problem["type"].as_str().and_then(|kind| kind.strip_prefix("urn:hookswitch:problem:"));
        word.unwrap_or_else(|| panic!("{problem}")).to_owned()
    }
}
