//! The registry goes and comes back; calls need not know.
//!
//! What is in force is written to a file of its own soon after each change, so that a host can start without its registry.
//! A look every few seconds finds out whether it can be used; when it is back it is told what was changed without it, and
//! all that it has is put in force.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::{DeployError, Deployer, blocking};
use crate::clock;
use crate::registry::{Applied, AppliedAs, MasterKey, write_last_known};

/// How often the registry is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long changes are gathered, at least, before what is in force is written down; and how many times as long as the
/// writing takes, so that a host of many thousands does not write all the time.
const GATHER: Duration = Duration::from_millis(50);
const GATHER_TIMES: u32 = 10;

impl Deployer {
    /// Why the registry can't be used; none while it can.
    #[must_use]
    pub fn unreachable(&self) -> Option<String> {
        let why = self.unreachable.load();
        (!why.is_empty()).then(|| String::clone(&why))
    }

    /// Says that the registry could not be used, until it is found again.
    pub fn lost_registry(&self, why: &str) {
        self.unreachable.store(Arc::new(why.to_owned()));
    }

    /// Looks after the registry for ever.
    pub async fn watch_registry(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let registry = Arc::clone(&self.registry);
            let look = blocking(move || registry.check().map_err(DeployError::from)).await;
            let before = self.unreachable();
            match (look, before) {
                (Err(why), None) => {
                    error!("calls go on, changes wait: {why}");
                    self.lost_registry(&why.to_string());
                }
                (Err(why), Some(_)) => self.lost_registry(&why.to_string()),
                (Ok(()), None) => {}
                (Ok(()), Some(_)) => match self.take_up_registry().await {
                    Ok(()) => {
                        info!("the registry can be used again, and what it has is in force");
                        self.unreachable.store(Arc::default());
                    }
                    Err(why) => warn!("the registry is back and can't be taken up yet: {why}"),
                },
            }
        }
    }

    /// Tells the registry what was changed without it, and puts all that it has in force.
    ///
    /// # Errors
    /// [`DeployError::Unavailable`].
    pub async fn take_up_registry(&self) -> Result<(), DeployError> {
        let _turn = self.turn.lock().await;
        let (registry, journal) = (Arc::clone(&self.registry), Arc::clone(&self.journal));
        let everything = blocking(move || {
            let applied = registry.apply_pending(&journal)?;
            for Applied { change, outcome } in applied {
                let (tenant, handler) = (change.tenant, change.handler);
                match outcome {
                    AppliedAs::Kept => {
                        info!(%tenant, %handler, "the registry was told: {}", change.event.reason)
                    }
                    AppliedAs::Superseded(why) => {
                        warn!(%tenant, %handler, "what was changed without the registry is gone: {why}");
                    }
                }
            }
            Ok::<_, DeployError>(registry.everything(clock::unix_ms())?)
        })
        .await?;
        self.publisher.all(everything);
        Ok(())
    }

    /// Writes down what is in force, soon after each change, for ever.
    pub async fn remember(self: Arc<Self>, data: PathBuf, key: MasterKey) {
        let mut changed: watch::Receiver<u64> = self.publisher.changes();
        let key = Arc::new(key);
        loop {
            let (registry, data, key) = (Arc::clone(&self.registry), data.clone(), Arc::clone(&key));
            let began = Instant::now();
            // While the registry is away the file stays as it is: what it lacks is in the journal.
            if self.unreachable().is_none() {
                let written = blocking(move || {
                    let everything = registry.everything(clock::unix_ms())?;
                    write_last_known(&data, &key, &everything)
                        .map_err(|error| DeployError::Unavailable(error.to_string()))
                });
                if let Err(why) = written.await {
                    warn!(
                        "what is in force could not be written down for a start without the registry: {why}"
                    );
                }
            }
            let took = began.elapsed();
            if changed.changed().await.is_err() {
                return;
            }
            tokio::time::sleep(GATHER.max(took * GATHER_TIMES)).await;
        }
    }
}
