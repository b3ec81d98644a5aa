//! Everything that a host of many tenants is made of, opened in the order in which it depends on each other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use tracing::{error, info, warn};

use super::{Begin, keys, text};
use crate::artifact::{ArtifactSettings, Artifacts};
use crate::call::{HandlerName, TenantId};
use crate::capability::Reach;
use crate::carrier::Carrier;
use crate::clock;
use crate::config::{Config, Secret};
use crate::control::health::Health;
use crate::control::{Control, ControlLimits};
use crate::deploy::Deployer;
use crate::host::Host;
use crate::outbound;
use crate::outbox::{OnTrade, Outbox, Trade};
use crate::recording::Recorder;
use crate::registry::model::{Everything, NumberRecord};
use crate::registry::{MasterKey, OperatorToken, PendingJournal, Registry, RegistryError, read_last_known};
use crate::schedule::Keeper;
use crate::state::State;
use crate::telemetry::{self, Metrics};

/// The file of the operator's token in the data folder.
pub const OPERATOR_TOKEN: &str = "operator-token";

/// A host's parts.
pub struct Parts {
    /// Answers webhooks.
    pub host: Arc<Host>,
    /// Tenants, releases, tokens.
    pub registry: Arc<Registry>,
    /// Components and what was compiled from them.
    pub artifacts: Arc<Artifacts>,
    /// Changes who answers.
    pub deployer: Arc<Deployer>,
    /// Runs handlers at their times.
    pub schedules: Arc<Keeper>,
    /// Does what handlers ask of their carrier, now and later.
    pub outbox: Arc<Outbox>,
    /// What `/readyz` says.
    pub health: Arc<Health>,
    /// The data folder.
    pub data: PathBuf,
    /// Of everything that is encrypted in it.
    pub key: MasterKey,
    /// The operator's token, where it was made just now.
    pub new_operator_token: Option<PathBuf>,
    /// All handlers there are; none where that is not known for certain, or another host may be making one.
    handlers: Option<BTreeSet<(TenantId, HandlerName)>>,
    metrics: Metrics,
    component_bytes_max: u64,
}

impl Parts {
    /// Opens everything and puts it in force. Takes no calls yet.
    pub fn open(config: &Config, metrics: Metrics, begin: Begin) -> Result<Self, String> {
        let data = config.data.clone();
        let key = MasterKey::open(&data).map_err(text)?;
        let pin_key = keys::pin_key(&data)?;
        let artifacts = Artifacts::open(&data, key.derive("artifacts"), settings(config)).map_err(text)?;
        let outbound = Arc::new(outbound::Client::new(config.outbound_allow_private.clone()));
        let state = Some(State::open(&data).map_err(text)?);
        let outbox = Outbox::open(&data, config.carrier_api_url.as_deref()).map_err(text)?;
        let carrier = Some(Arc::clone(&outbox) as Arc<dyn Carrier>);
        let reach = Reach { outbound: Some(outbound), state, carrier, ..Reach::default() };
        let host = Host::reaching(config, pin_key, Some(Arc::clone(&artifacts)), reach).map_err(text)?;
        match Recorder::open(&data, &key, config.recording) {
            Ok(recorder) => drop(host.recorder.set(recorder)),
            Err(why) => error!("no call is kept: {why}"),
        }
        let journal = PendingJournal::new(&data, &key);
        let (registry, everything, without) = match from_registry(&data, &key, &journal) {
            Ok((registry, everything)) => (registry, everything, None),
            // The one that runs does without it already, and knows of what was changed meanwhile.
            Err(why) if begin == Begin::TakeOver => return Err(why.to_string()),
            Err(why) => {
                let Some(known) = read_last_known(&data, &key).map_err(text)? else {
                    return Err(why.to_string());
                };
                error!("starting from what was last known, changes wait: {why}");
                (Registry::unopened(&data, &key).map_err(text)?, known, Some(why.to_string()))
            }
        };
        let registry = Arc::new(registry);
        let deployer =
            Deployer::new(config, Arc::clone(&host), Arc::clone(&registry), Arc::clone(&artifacts), journal);
        outbox.serve(&host, on_trade(&registry, &deployer));
        let mut new_operator_token = None;
        match &without {
            Some(why) => deployer.lost_registry(why),
            None => {
                let path = data.join(OPERATOR_TOKEN);
                match registry.ensure_operator_token(&path, clock::unix_ms()) {
                    Ok(made) => new_operator_token = (made == OperatorToken::Made).then_some(path),
                    Err(why) => error!("there may be no operator's token: {why}"),
                }
            }
        }
        let certain = begin == Begin::Alone && without.is_none() && everything.unreadable.is_empty();
        let names = everything.handlers.iter().map(|one| (one.tenant.clone(), one.name.clone()));
        let all = certain.then(|| names.collect());
        let (tenants, handlers) = (everything.tenants.len(), everything.handlers.len());
        deployer.put_in_force(everything);
        info!("{tenants} tenants and {handlers} handlers are in force");
        Ok(Self {
            schedules: Keeper::new(Arc::clone(&host), data.clone()),
            host,
            registry,
            artifacts,
            deployer,
            outbox,
            health: Arc::default(),
            data,
            key,
            new_operator_token,
            handlers: all,
            metrics,
            component_bytes_max: config.component_bytes_max,
        })
    }

    /// What the control plane is made of.
    pub fn control(&self) -> Control {
        Control {
            registry: Arc::clone(&self.registry),
            deployer: Arc::clone(&self.deployer),
            artifacts: Arc::clone(&self.artifacts),
            outbox: Arc::clone(&self.outbox),
            feed: self.host.feed.clone(),
            metrics: {
                let (metrics, host) = (self.metrics.clone(), Arc::clone(&self.host));
                Arc::new(move || {
                    let mut text = metrics.render();
                    telemetry::write_tenants(&mut text, host.tenants_at_their_walls());
                    text
                })
            },
            health: Arc::clone(&self.health),
            limits: ControlLimits {
                component_bytes_max: self.component_bytes_max,
                ..ControlLimits::default()
            },
            operator_token: operator_token(&self.data),
        }
    }

    /// Maps the code of what takes new calls, and compiles what this engine needs anew: a process that takes over is warm when
    /// it begins.
    pub async fn load_code_in_use(&self) {
        let snapshot = self.host.router.snapshot();
        let handlers = snapshot.tenants().flat_map(|tenant| tenant.handlers.values());
        for handler in handlers.take(self.deployer.loaded_max()) {
            let canary = handler.canary.as_ref().map(|canary| &canary.revision);
            for revision in [Some(&handler.stable), canary].into_iter().flatten() {
                if let Err(why) = self.host.fetch(revision).await {
                    warn!("{revision:?} is not ready: {why}");
                }
            }
        }
    }

    /// Deletes what handlers had stored that are gone, where that could not be done when they went.
    pub async fn forget_deleted(&self) {
        if let (Some(state), Some(handlers)) = (&self.host.reach.state, &self.handlers)
            && let Err(why) = state.retain(handlers.clone()).await
        {
            warn!("what deleted handlers had stored is still there: {why}");
        }
    }

    /// Puts in force what was changed since everything was opened.
    ///
    /// # Errors
    /// Why the registry can't be read.
    pub async fn take_up_registry(&self) -> Result<(), String> {
        let host = Arc::clone(&self.host);
        let read = tokio::task::spawn_blocking(move || host.recorder.get().map(|recorder| recorder.reload()));
        if let Ok(Some(Err(why))) = read.await {
            error!("calls are kept by the rules of before: {why}");
        }
        self.deployer.take_up_registry().await.map_err(text)
    }
}

/// The operator's token as it stands in its file.
fn operator_token(data: &Path) -> Option<Secret> {
    let text = std::fs::read_to_string(data.join(OPERATOR_TOKEN)).ok()?;
    Some(text.trim()).filter(|token| !token.is_empty()).map(|token| Secret::new(token.to_owned()))
}

fn settings(config: &Config) -> ArtifactSettings {
    ArtifactSettings { compiles_max: config.compiles, ..ArtifactSettings::default() }
}

/// Lets a number that a handler has bought lead to it, and one that was given back to nobody.
fn on_trade(registry: &Arc<Registry>, deployer: &Arc<Deployer>) -> OnTrade {
    let (registry, deployer) = (Arc::clone(registry), Arc::clone(deployer));
    Box::new(move |trade| {
        let (registry, deployer) = (Arc::clone(&registry), Arc::clone(&deployer));
        async move {
            let tenant = trade.tenant.clone();
            let change = move || {
                let Trade { tenant, handler, number, bought } = trade;
                if bought {
                    registry.put_number(&NumberRecord { number, tenant, handler })
                } else {
                    registry.delete_number(&tenant, &number)
                }
            };
            tokio::task::spawn_blocking(change).await.map_err(text)?.map_err(text)?;
            deployer.tenant_changed(&tenant).await.map_err(text)
        }
        .boxed()
    })
}

/// What the registry has, once it was told what was changed without it.
fn from_registry(
    data: &Path,
    key: &MasterKey,
    journal: &PendingJournal,
) -> Result<(Registry, Everything), RegistryError> {
    let registry = Registry::open(data, key)?;
    registry.apply_pending(journal)?;
    let mut everything = registry.everything(clock::unix_ms())?;
    if !everything.unreadable.is_empty()
        && let Ok(Some(known)) = read_last_known(data, key)
    {
        everything.fill_from(&known);
    }
    Ok((registry, everything))
}
