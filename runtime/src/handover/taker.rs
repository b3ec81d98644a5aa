//! The new process's side.

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::timeout;

use super::giver::LOCK;
use super::wire::{Blob, Message, Wire, with_short_path};
use super::{DataLock, HandoverError, PROTOCOL, PROTOCOL_MIN, SOCKET};

/// How long the running host may take to make its offer.
const OFFER_WITHIN: Duration = Duration::from_secs(10);
/// How long the running host may take to bring its control changes to an end.
const GO_WITHIN: Duration = Duration::from_secs(180);

/// A process that is taking over. Its methods are called in the order in which they stand here. Dropped early, it leaves the
/// running host as it was.
#[derive(Debug)]
pub struct Taker {
    wire: Wire,
}

/// What the running host passes on.
#[derive(Debug)]
pub struct Offered {
    /// The data folder, ours and the running host's until one of both is gone.
    pub lock: DataLock,
    /// Version of the running host.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    sockets: HashMap<String, OwnedFd>,
}

impl Offered {
    /// The listening socket of this name, for tokio. `None` where the running host has no such one: bind it.
    ///
    /// # Errors
    /// Where what was passed on is no listening socket.
    pub fn socket(&mut self, name: &str) -> io::Result<Option<tokio::net::TcpListener>> {
        let Some(socket) = self.sockets.remove(name) else { return Ok(None) };
        if !rustix::net::sockopt::socket_acceptconn(&socket)? {
            return Err(io::Error::other(format!("socket {name} of the running host does not listen")));
        }
        let listener = TcpListener::from(socket);
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener).map(Some)
    }
}

impl Taker {
    /// Speaks to the host that serves this data folder, and hears its offer.
    ///
    /// # Errors
    /// [`HandoverError::NobodyServes`], or what else keeps it from taking over.
    pub async fn connect(dir: &Path) -> Result<(Self, Offered), HandoverError> {
        const DOING: &str = "make an offer";
        let stream = with_short_path(dir, SOCKET, |path| {
            let stream = StdUnixStream::connect(path)?;
            stream.set_nonblocking(true)?;
            UnixStream::from_std(stream)
        });
        let stream = stream.map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                HandoverError::NobodyServes { dir: dir.to_owned() }
            }
            _ => HandoverError::File { path: dir.join(SOCKET), cause },
        })?;
        let mut wire = Wire::new(stream)?;
        let hello = Message::Hello {
            protocol: PROTOCOL,
            protocol_min: PROTOCOL_MIN,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
        };
        let offered = async {
            // Where this fails, the running host may have said why before it closed.
            let _said = wire.say(&hello).await;
            let (version, pid, names) = match wire.due(DOING).await? {
                Message::Offer { protocol: _, version, pid, descriptors } => (version, pid, descriptors),
                other => return Err(other.instead_of("offer")),
            };
            let descriptors = wire.receive(names.len()).await?;
            let mut sockets: HashMap<_, _> = names.into_iter().zip(descriptors).collect();
            let lock = sockets.remove(LOCK).ok_or_else(|| HandoverError::OutOfTurn {
                expected: "the lock of the data folder",
                found: "an offer without it".to_owned(),
            })?;
            Ok(Offered { lock: DataLock::passed_on(dir, lock), version, pid, sockets })
        };
        let within = OFFER_WITHIN;
        let offered =
            timeout(within, offered).await.map_err(|_| HandoverError::TooLate { doing: DOING, within })??;
        Ok((Self { wire }, offered))
    }

    /// Says that this process could serve, and waits until it may. What it gives is what the running host knows of
    /// running calls; the registry does not change from now until [`Taker::serving`] returns.
    ///
    /// # Errors
    /// [`HandoverError`]; the running host serves on, and this process is to end.
    pub async fn ready(&mut self) -> Result<Vec<Blob>, HandoverError> {
        const DOING: &str = "bring its changes to an end";
        let _said = self.wire.say(&Message::Ready {}).await;
        let go = async {
            match self.wire.due(DOING).await? {
                Message::Go { blobs } => self.wire.blobs(blobs).await,
                other => Err(other.instead_of("go")),
            }
        };
        let within = GO_WITHIN;
        timeout(within, go).await.map_err(|_| HandoverError::TooLate { doing: DOING, within })?
    }

    /// Says that this process accepts connections, and waits until it is the host. Until then it must change nothing.
    ///
    /// Without a limit of time: as long as the running host has neither let go nor given up nor died, both could be it.
    ///
    /// # Errors
    /// [`HandoverError`]; the running host serves on. Finish what has been accepted, and end.
    pub async fn serving(mut self) -> Result<(), HandoverError> {
        let _said = self.wire.say(&Message::Serving {}).await;
        match self.wire.hear().await {
            Ok(Some(Message::Yours {})) => Ok(()),
            Ok(Some(other)) => Err(other.instead_of("yours")),
            Ok(None) => {
                tracing::warn!(target: "handover", "the host that was to be replaced is gone; this one takes its place");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
