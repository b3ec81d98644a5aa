//! A real host on a free port, real components in it, and a carrier's side to talk to it.
//!
//! The carrier's side signs with the host's own code; that the official libraries agree is a test of its own
//! (`official.rs`).

mod call;
mod client;
mod guests;
mod load;
mod served;
mod stub;
mod upstream;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

use hookswitch::build::{self, BuiltHandler};
use hookswitch::call::{RevisionId, TenantId};
use hookswitch::carrier::twilio::signature::{AuthToken, Keys};
use hookswitch::config::Config;
use hookswitch::host::{Host, LoadFailure, Strict};
use hookswitch::pin::PinKey;
use hookswitch::router::{Handler, Snapshot, Tenant};
use hookswitch::telemetry::Metrics;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use self::call::Call;
pub use self::client::{Client, Heard};
pub use self::guests::{ROOT, example, misbehave, outward};
pub use self::load::{Callers, percentile};
pub use self::served::{Served, Serving, binary, hookswitch, scale, wait_for};
pub use self::stub::{OWN_NUMBER, Stub, Treat};
pub use self::upstream::Upstream;

/// The auth token of every tenant in these tests.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// What the hosts of this process count.
pub static METRICS: LazyLock<Metrics> =
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
    client: Client,
    /// The host itself, to look inside.
    pub host: Arc<Host>,
    loaded: Mutex<HashMap<TenantId, Vec<Handler>>>,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    folder: tempfile::TempDir,
}

impl std::ops::Deref for TestHost {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
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
            client: Client::new(address),
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
        let before = handlers.iter().position(|handler| handler.stable.handler == built.settings.name);
        let id = before.map_or(1, |at| handlers[at].stable.id.0 + 1);
        let revision = self.host.load(&tenant, RevisionId(id), &built, Strict::Yes)?;
        match before {
            None => handlers.push(Handler::new(revision)),
            Some(at) => handlers[at].put_in_force(revision),
        }
        let tenants = loaded.iter().map(|(id, handlers)| {
            let keys = Keys { tokens: vec![AuthToken::new(TOKEN).expect("not empty")], shared: Vec::new() };
            let mut tenant = Tenant::new(id.clone(), keys, None, 256);
            handlers.iter().cloned().for_each(|handler| tenant.put(handler));
            tenant
        });
        self.host.router.publish(Snapshot::new(tenants));
        Ok(())
    }

    /// Tells the host to stop, as SIGTERM does.
    pub fn begin_to_stop(&self) {
        drop(self.stop.lock().expect("no test panicked").take());
    }
}
