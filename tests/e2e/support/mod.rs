//! A real host on a free port, real components in it, and a carrier's side to talk to it.
//!
//! The carrier's side signs with the host's own code; that the official libraries agree is a test of its own
//! (`official.rs`).

mod call;
mod guests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

use bytes::Bytes;
use hookswitch::build::{self, BuiltHandler};
use hookswitch::call::{HandlerName, RevisionId, TenantId};
use hookswitch::carrier::twilio::signature::{self, AuthToken, Keys};
use hookswitch::config::Config;
use hookswitch::host::{Host, LoadFailure, Strict};
use hookswitch::pin::PinKey;
use hookswitch::router::{Handler, Snapshot, Tenant};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

pub use self::call::Call;
pub use self::guests::{ROOT, example, misbehave};

/// The auth token of every tenant in these tests.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// What the hosts of this process count.
pub static METRICS: LazyLock<PrometheusHandle> =
    LazyLock::new(|| hookswitch::telemetry::record_metrics().expect("nobody else records"));

/// Tests that measure time run alone, all others side by side.
static ALONE: RwLock<()> = RwLock::new(());

/// Runs a test on the runtime that hosts run on.
pub fn on_host_runtime<T>(test: impl Future<Output = T>) -> T {
    let _others = ALONE.read().unwrap_or_else(PoisonError::into_inner);
    hookswitch::host::runtime().expect("two threads").block_on(test)
}

/// As [`on_host_runtime`], with no other test beside it.
pub fn alone_on_host_runtime<T>(test: impl Future<Output = T>) -> T {
    let _alone = ALONE.write().unwrap_or_else(PoisonError::into_inner);
    hookswitch::host::runtime().expect("two threads").block_on(test)
}

/// A host that serves on a free port until it is dropped.
pub struct TestHost {
    /// Where it listens.
    pub address: SocketAddr,
    /// The host itself, to look inside.
    pub host: Arc<Host>,
    loaded: Mutex<HashMap<TenantId, Vec<Handler>>>,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Heard {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Heard {
    /// The revision that answered.
    pub fn revision(&self) -> &str {
        self.header("x-hookswitch-revision")
    }

    /// The code of what failed; empty where nothing did.
    pub fn code(&self) -> &str {
        self.header("x-hookswitch-error")
    }

    /// A header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII")).unwrap_or_default()
    }
}

impl TestHost {
    /// A host without tenants.
    pub async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    /// A host as configured; its addresses are free ports whatever `config` says.
    pub async fn start_with(config: Config) -> Self {
        LazyLock::force(&METRICS);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let host = Host::new(&config, PinKey::new([7; 32])).expect("a sandbox");
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&host).serve(listener, async {
            let _dropped = stopped.await;
        });
        tokio::spawn(serving);
        Self {
            address,
            host,
            loaded: Mutex::default(),
            stop: Mutex::new(Some(stop)),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// Loads a component as the next revision of `/{tenant}/{name}`, with a `handler.toml` of these lines.
    pub fn deploy(&self, tenant: &str, name: &str, component: &[u8], toml: &str) -> Result<(), LoadFailure> {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let folder = self.folder.path().join(FOLDERS.fetch_add(1, Ordering::Relaxed).to_string());
        std::fs::create_dir(&folder).expect("a new folder");
        let component_path = folder.join("component.wasm");
        std::fs::write(&component_path, component).expect("space");
        std::fs::write(folder.join("handler.toml"), format!("name = \"{name}\"\n{toml}")).expect("space");
        let settings = hookswitch::handler_toml::HandlerSettings::load(&component_path).expect("settings");
        self.load(tenant, BuiltHandler { component: component_path, settings })
    }

    /// Builds and loads the handler in this folder.
    pub fn deploy_folder(&self, tenant: &str, folder: &std::path::Path) -> Result<(), LoadFailure> {
        self.load(tenant, build::build(folder, &mut |_| {}).expect("it builds"))
    }

    fn load(&self, tenant: &str, built: BuiltHandler) -> Result<(), LoadFailure> {
        let tenant = TenantId::new(tenant).expect("a name");
        let mut loaded = self.loaded.lock().expect("no test panicked");
        let handlers = loaded.entry(tenant.clone()).or_default();
        let before = handlers.iter().position(|handler| handler.current.handler == built.settings.name);
        let id = before.map_or(1, |at| handlers[at].current.id.0 + 1);
        let revision = self.host.load(&tenant, RevisionId(id), &built, Strict::Yes)?;
        match before {
            None => handlers.push(Handler::new(revision)),
            Some(at) => {
                handlers[at].revisions.insert(revision.id, Arc::clone(&revision));
                handlers[at].current = revision;
            }
        }
        let tenants = loaded.iter().map(|(id, handlers)| Tenant {
            id: id.clone(),
            keys: Keys { tokens: vec![AuthToken::new(TOKEN).expect("not empty")], shared: Vec::new() },
            public_url: None,
            handlers: handlers
                .iter()
                .map(|handler| (HandlerName::clone(&handler.current.handler), handler.clone()))
                .collect(),
        });
        self.host.router.publish(Snapshot::new(tenants));
        Ok(())
    }

    /// A call that has not begun.
    pub fn call(&self, handler: &str) -> Call<'_> {
        Call::new(self, handler)
    }

    /// The URL of a path on this host.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Posts a signed form.
    pub async fn post(&self, path: &str, params: &[(&str, &str)]) -> Heard {
        self.post_with(path, params, &[]).await
    }

    /// Posts a signed form with more headers.
    pub async fn post_with(&self, path: &str, params: &[(&str, &str)], headers: &[(&str, &str)]) -> Heard {
        let token = AuthToken::new(TOKEN).expect("not empty");
        let signature = signature::sign(&self.url(path), params.iter().copied(), &token);
        let mut request = Request::post(path).header("x-twilio-signature", signature);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send_form(request, params).await
    }

    /// Posts a form with just these headers.
    pub async fn send_form(&self, request: http::request::Builder, params: &[(&str, &str)]) -> Heard {
        let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("host", self.address.to_string());
        self.send(request.body(Full::new(Bytes::from(body))).expect("a request")).await
    }

    /// Sends a request on a connection of its own.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Heard {
        let stream = TcpStream::connect(self.address).await.expect("the host listens");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a connection");
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        drop(sender);
        connection.abort();
        Heard {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Tells the host to stop, as SIGTERM does.
    pub fn begin_to_stop(&self) {
        drop(self.stop.lock().expect("no test panicked").take());
    }
}
