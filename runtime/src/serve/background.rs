//! What goes on beside the calls. Stopped whole, so that nothing changes while another process takes over.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::parts::Parts;
use crate::deploy::loaded;
use crate::outbox::Outbox;
use crate::telemetry::{Gauges, HostFacts};

/// How often the host's own state is sampled.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// Tasks that run until they are stopped.
pub struct Background {
    tasks: JoinSet<()>,
    outbox: Arc<Outbox>,
}

impl Background {
    /// Starts all of them.
    pub fn start(parts: &Arc<Parts>) -> Self {
        let mut tasks = JoinSet::new();
        let deployer = &parts.deployer;
        tasks.spawn(Arc::clone(deployer).watch_canaries());
        tasks.spawn(Arc::clone(deployer).keep_evidence());
        tasks.spawn(Arc::clone(deployer).watch_registry());
        tasks.spawn(Arc::clone(deployer).remember(parts.data.clone(), parts.key.clone()));
        tasks.spawn(Arc::clone(deployer).bound_loaded());
        tasks.spawn(Arc::clone(deployer).prune());
        tasks.spawn(compile_missing(Arc::clone(parts)));
        tasks.spawn(Arc::clone(&parts.schedules).keep());
        tasks.spawn(Arc::clone(&parts.outbox).drain());
        tasks.spawn(sample(Arc::clone(parts)));
        Self { tasks, outbox: Arc::clone(&parts.outbox) }
    }

    /// Stops all of them and waits until they have. What they have given to threads for blocking work goes on to its end,
    /// under the deployer's turn; what is being sent out of the outbox is waited for, because whoever comes next would not know
    /// what became of it.
    pub async fn stop(&mut self) {
        self.tasks.shutdown().await;
        self.outbox.settled().await;
    }
}

/// Compiles what has no file that fits, and says so for as long as it goes on.
async fn compile_missing(parts: Arc<Parts>) {
    let missing = parts.deployer.uncompiled();
    if missing.is_empty() {
        return;
    }
    let part = "compiled code";
    parts.health.degraded(part, "some handlers are being compiled; whoever calls them hears the fallback");
    parts.deployer.compile(missing).await;
    parts.health.healed(part);
}

/// Samples the host's own state for `/metrics`.
async fn sample(parts: Arc<Parts>) {
    let gauges = Gauges::new();
    loop {
        let host = &parts.host;
        let unreachable = parts.deployer.unreachable();
        match &unreachable {
            None => parts.health.healed("registry"),
            Some(_) => parts.health.degraded("registry", "calls go on; deploys and other changes wait"),
        };
        let (stored_answers, stored_answers_bytes) = host.duplicates.kept();
        gauges.set(&HostFacts {
            running: host.places.running() as usize,
            waiting: host.places.waiting() as usize,
            guest_memory_bytes: host.sandbox.guest_memory_bytes(),
            loaded_revisions: loaded::loaded(host).len(),
            stored_answers,
            stored_answers_bytes,
            feed_subscribers: host.feed.listeners(),
            ticker_lateness: host.sandbox.take_ticker_lateness(),
            registry_up: unreachable.is_none(),
        });
        tokio::time::sleep(SAMPLE_EVERY).await;
    }
}
