//! One host process of many tenants, from its data folder to its sockets, and to whoever comes after it.
//!
//! A host begins as the only one on its folder, or takes the folder and the listening sockets over from the one that runs.
//! Until a new one has loaded everything and proved itself the old one is the host, and whatever fails leaves it so.
//!
//! What is in the folder is `registry`'s and `artifact`'s, how sockets change hands `handover`'s.

mod background;
mod calls;
mod keys;
mod parts;
mod ports;

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::OwnedMutexGuard;
use tracing::{error, info, warn};

use self::background::Background;
use self::parts::Parts;
use self::ports::{ControlPlane, DataPlane, Ports};
use crate::config::Config;
use crate::control::health::Stage;
use crate::handover::{self, DataLock, Giver, HandoverError, Patience, Program, Takeover, Taker};
use crate::telemetry::Metrics;
use crate::webhook::ingress::Ending;

/// How long a new process may take to get ready: one with another engine compiles all that takes calls, and meanwhile this
/// one serves.
const PATIENCE: Patience = Patience {
    ready_within: Duration::from_secs(30 * 60),
    step_within: Duration::from_secs(30),
    again_after: Duration::from_secs(10),
};

/// How long runs of schedules may go on when no new ones begin: as long as what runs on the data plane.
const RUNS_WITHIN: Duration = Duration::from_secs(15);

/// How a host begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// As the only one on its data folder.
    Alone,
    /// In the place of the host that serves there now.
    TakeOver,
}

/// What to tell the operator once it serves.
#[derive(Debug)]
pub struct Serving {
    /// Where carriers reach it.
    pub webhooks: SocketAddr,
    /// Where commands reach it.
    pub control: SocketAddr,
    /// The operator's token, where it was made just now.
    pub new_operator_token: Option<PathBuf>,
    /// Where the operator's token is.
    pub operator_token: PathBuf,
    /// Whether there is any tenant.
    pub has_tenants: bool,
    /// Why the registry can't be used; calls are answered without it.
    pub without_registry: Option<String>,
}

/// Serves until it is asked to stop or another process has taken over. `started` is told when it takes calls.
///
/// # Errors
/// Why it can't start, for the operator. Nothing was changed for a host that runs already.
pub async fn run(
    config: Config,
    begin: Begin,
    metrics: Metrics,
    started: impl FnOnce(&Serving),
) -> Result<(), String> {
    let mut signals = Signals::listen().map_err(text)?;
    let program = Program::current().map_err(text)?;
    let (lock, ports, taker) = match begin {
        Begin::Alone => {
            let lock = DataLock::take(&config.data).map_err(text)?;
            (lock, Ports::bind(&config).await?, None)
        }
        Begin::TakeOver => {
            let (taker, mut offered) = Taker::connect(&config.data).await.map_err(text)?;
            info!(pid = offered.pid, version = offered.version, "taking over from the host that runs");
            let ports = Ports::offered(&mut offered, &config).await?;
            (offered.lock, ports, Some(taker))
        }
    };
    let parts = Arc::new(Parts::open(&config, metrics, begin)?);
    parts.forget_deleted().await;
    let _set_once = parts.host.own_url.set(format!("http://{}", ports.webhooks.local_addr().map_err(text)?));
    let data_plane = match taker {
        None => DataPlane::start(&parts, &ports)?,
        Some(taker) => take_over(taker, &parts, &ports).await?,
    };
    let control_plane = ControlPlane::start(&parts, &ports)?;
    let background = Background::start(&parts);
    let giver = Giver::listen(lock, ports.copies()?, PATIENCE);
    parts.health.enter(Stage::Ready);
    started(&Serving {
        webhooks: ports.webhooks.local_addr().map_err(text)?,
        control: ports.control.local_addr().map_err(text)?,
        new_operator_token: parts.new_operator_token.clone(),
        operator_token: parts.data.join(parts::OPERATOR_TOKEN),
        has_tenants: parts.host.router.snapshot().tenants().next().is_some(),
        without_registry: parts.deployer.unreachable(),
    });
    let host = Running { parts, ports, data_plane, control_plane, background };
    host.until_the_end(giver, &program, &mut signals).await
}

/// A host that serves.
struct Running {
    parts: Arc<Parts>,
    ports: Ports,
    data_plane: DataPlane,
    control_plane: ControlPlane,
    background: Background,
}

impl Running {
    /// Serves until it is asked to stop, or has been replaced.
    async fn until_the_end(
        mut self,
        mut giver: Giver,
        program: &Program,
        signals: &mut Signals,
    ) -> Result<(), String> {
        // Held until this process is gone: what still runs in it must not change what is another's by then.
        let (ending, _frozen) = loop {
            tokio::select! {
                asked = signals.next() => match asked {
                    Asked::Stop => break (Ending::Stop, None),
                    Asked::Replace => replace(program),
                },
                takeover = giver.next() => {
                    let done = tokio::select! {
                        done = self.hand_over(takeover) => done,
                        () = signals.stop() => break (Ending::Stop, None),
                    };
                    match done {
                        Ok(frozen) => break (Ending::HandedOver, Some(frozen)),
                        Err(why) => warn!("nothing has changed, this process serves on: {why}"),
                    }
                }
            }
        };
        // Before draining: a copy of the listening sockets that nobody accepts from would keep callers waiting.
        giver.close().await;
        self.parts.health.enter(Stage::Draining);
        self.control_plane.stop().await;
        drop(self.ports);
        self.background.stop().await;
        let runs = self.parts.schedules.finish(RUNS_WITHIN);
        let (cut, ()) = tokio::join!(self.data_plane.stop(ending), runs);
        if ending == Ending::Stop {
            self.parts.deployer.keep_last_evidence().await;
        }
        let host = Arc::clone(&self.parts.host);
        let written =
            tokio::task::spawn_blocking(move || host.recorder.get().map(|recorder| recorder.stop()));
        if let Err(why) = written.await {
            error!("kept calls may lack their end: {why}");
        }
        match ending {
            Ending::Stop => info!(cut, "stopped"),
            Ending::HandedOver => info!(cut, "handed over and drained"),
        }
        Ok(())
    }

    /// Hands over to a new process, step by step; what it gives keeps everything as it is. After an error everything is as
    /// it was.
    async fn hand_over(&mut self, mut takeover: Takeover) -> Result<OwnedMutexGuard<()>, String> {
        takeover.offer().await.map_err(text)?;
        takeover.ready().await.map_err(text)?;
        // From here on nothing changes that the new process is about to read.
        self.background.stop().await;
        self.control_plane.stop().await;
        let frozen = self.parts.deployer.freeze().await;
        self.parts.deployer.keep_last_evidence().await;
        let done = async {
            takeover.go(&[calls::to_blob(&self.parts.host)]).await?;
            takeover.serving().await
        };
        let done: Result<(), HandoverError> = done.await;
        let Err(why) = done else { return Ok(frozen) };
        drop(frozen);
        // What was stopped between its commit and its publication is published now.
        self.parts
            .take_up_registry()
            .await
            .unwrap_or_else(|why| warn!("serving what was in force before: {why}"));
        self.control_plane = ControlPlane::start(&self.parts, &self.ports)?;
        self.background = Background::start(&self.parts);
        Err(why.to_string())
    }
}

/// Proves itself to the host that runs and takes its place.
async fn take_over(mut taker: Taker, parts: &Arc<Parts>, ports: &Ports) -> Result<DataPlane, String> {
    // The whole way of a request on a port of its own: it has to say that nobody is here by this name.
    let trial = DataPlane::on_trial(parts).await?;
    handover::answers(trial.address, "/voice", 404).await.map_err(text)?;
    trial.stop(Ending::Stop).await;
    parts.load_code_in_use().await;
    let blobs = taker.ready().await.map_err(text)?;
    // What was deployed while everything was loaded.
    parts.take_up_registry().await?;
    calls::from_blobs(&parts.host, &blobs);
    let data_plane = DataPlane::start(parts, ports)?;
    match taker.serving().await {
        Ok(()) => Ok(data_plane),
        Err(why) => {
            // What was accepted meanwhile is answered; the other host goes on.
            data_plane.stop(Ending::HandedOver).await;
            Err(why.to_string())
        }
    }
}

/// Starts the binary that shall take over, and says what becomes of it.
fn replace(program: &Program) {
    match program.replace() {
        Ok(mut child) => {
            info!(pid = child.id(), "a new process was started to take over");
            tokio::spawn(async move {
                match child.wait().await {
                    Ok(status) => warn!("the process that should take over ended: {status}"),
                    Err(why) => warn!("the process that should take over can't be watched: {why}"),
                }
            });
        }
        Err(why) => error!("no new process could be started, this one serves on: {why}"),
    }
}

/// What an operator tells a process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    replace: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            replace: signal(SignalKind::user_defined2())?,
        })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.replace.recv() => Asked::Replace,
        }
    }
}

/// As in [`Signals`].
enum Asked {
    /// SIGTERM or Ctrl-C.
    Stop,
    /// SIGUSR2: start the binary anew and let it take over.
    Replace,
}

fn text(error: impl Display) -> String {
    error.to_string()
}
