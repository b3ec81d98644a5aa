//! The two listening sockets, and what serves on them.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::error;

use super::parts::Parts;
use super::text;
use crate::config::Config;
use crate::control;
use crate::handover::Offered;
use crate::host::Host;
use crate::webhook::ingress::Ending;

/// The names under which the sockets are handed over.
const WEBHOOKS: &str = "webhooks";
const CONTROL: &str = "control";

/// The listening sockets, kept so that they can be served from again and passed on.
pub struct Ports {
    /// Of the data plane.
    pub webhooks: std::net::TcpListener,
    /// Of the control plane.
    pub control: std::net::TcpListener,
}

impl Ports {
    /// Binds both.
    pub async fn bind(config: &Config) -> Result<Self, String> {
        Ok(Self { webhooks: bind(config.listen).await?, control: bind(config.control).await? })
    }

    /// Takes both over; binds what the other host has not.
    pub async fn offered(offered: &mut Offered, config: &Config) -> Result<Self, String> {
        let mut take = |name| offered.socket(name).map_err(text)?.map(std_listener).transpose();
        let (webhooks, control) = (take(WEBHOOKS)?, take(CONTROL)?);
        Ok(Self {
            webhooks: match webhooks {
                Some(webhooks) => webhooks,
                None => bind(config.listen).await?,
            },
            control: match control {
                Some(control) => control,
                None => bind(config.control).await?,
            },
        })
    }

    /// Copies of both, to be passed on.
    pub fn copies(&self) -> Result<Vec<(String, OwnedFd)>, String> {
        let copy = |name: &str, listener: &std::net::TcpListener| {
            Ok::<_, String>((name.to_owned(), listener.try_clone().map_err(text)?.into()))
        };
        Ok(vec![copy(WEBHOOKS, &self.webhooks)?, copy(CONTROL, &self.control)?])
    }
}

async fn bind(address: SocketAddr) -> Result<std::net::TcpListener, String> {
    let explain = |error: &dyn Display| format!("{address}: {error}");
    let listener = TcpListener::bind(address).await.map_err(|error| explain(&error))?;
    std_listener(listener)
}

fn std_listener(listener: TcpListener) -> Result<std::net::TcpListener, String> {
    listener.into_std().map_err(text)
}

fn copy(listener: &std::net::TcpListener) -> Result<TcpListener, String> {
    listener.try_clone().and_then(TcpListener::from_std).map_err(text)
}

/// Answers webhooks.
pub struct DataPlane {
    /// Where.
    pub address: SocketAddr,
    end: oneshot::Sender<Ending>,
    task: JoinHandle<usize>,
}

impl DataPlane {
    /// Begins to accept connections.
    pub fn start(parts: &Arc<Parts>, ports: &Ports) -> Result<Self, String> {
        Self::on(Arc::clone(&parts.host), copy(&ports.webhooks)?)
    }

    /// The same on a free port that nobody knows of.
    pub async fn on_trial(parts: &Arc<Parts>) -> Result<Self, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(text)?;
        Self::on(Arc::clone(&parts.host), listener)
    }

    fn on(host: Arc<Host>, listener: TcpListener) -> Result<Self, String> {
        let address = listener.local_addr().map_err(text)?;
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(host.serve(listener, async move {
            // Without a word from whoever holds the other end the process is on its way out.
            ended.await.unwrap_or(Ending::Stop)
        }));
        Ok(Self { address, end, task })
    }

    /// Accepts no more and answers what has arrived. Gives the number of connections that had to be cut.
    pub async fn stop(self, ending: Ending) -> usize {
        let _gone_already = self.end.send(ending);
        self.task.await.unwrap_or_else(|why| {
            error!("the data plane ended: {why}");
            0
        })
    }
}

/// Answers commands.
pub struct ControlPlane {
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl ControlPlane {
    /// Begins to accept connections.
    pub fn start(parts: &Arc<Parts>, ports: &Ports) -> Result<Self, String> {
        let listener = copy(&ports.control)?;
        let (end, ended) = oneshot::channel();
        let serving = control::serve(listener, parts.control(), async move {
            let _word_or_gone = ended.await;
        });
        Ok(Self { running: Some((end, tokio::spawn(serving))) })
    }

    /// Accepts no more and finishes what runs.
    pub async fn stop(&mut self) {
        if let Some((end, task)) = self.running.take() {
            let _gone_already = end.send(());
            if let Err(why) = task.await {
                error!("the control plane ended: {why}");
            }
        }
    }
}
