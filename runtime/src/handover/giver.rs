//! The running host's side: it waits for a new process, and hands over to it step by step.

use std::future::Future;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::wire::{Blob, Message, Wire, ended, with_short_path};
use super::{DataLock, HandoverError, PROTOCOL, PROTOCOL_MIN, SOCKET};

/// The name under which the lock is offered; listening sockets have all other names.
pub(super) const LOCK: &str = "lock";
/// How long the running host waits for the new process.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the offer until it says that it could serve: it opens and loads everything meanwhile.
    pub ready_within: Duration,
    /// For every other step.
    pub step_within: Duration,
    /// Until it tries again to be found by new processes, where there is no file descriptor or the disk is full.
    pub again_after: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self { ready_within: 60 * second, step_within: 5 * second, again_after: 10 * second }
    }
}

/// Waits for a new process, for as long as this one is the host. Holds the lock on the data folder.
///
/// [`Giver::close`] it when the host stops or was handed over.
#[derive(Debug)]
pub struct Giver {
    takeovers: mpsc::Receiver<Takeover>,
    waiting: JoinHandle<()>,
}

/// What a takeover gets.
#[derive(Debug)]
struct Estate {
    lock: DataLock,
    sockets: Vec<(String, OwnedFd)>,
}

impl Giver {
    /// Begins to wait, in place of whoever waited in this data folder before. `sockets` are copies of the listening
    /// sockets, each with the name that it is asked for by.
    ///
    /// Call it when this process is the host: after it has bound its ports, or after [`super::Taker::serving`]. Never fails,
    /// because nobody would take its place: where the data folder can't be written the host serves, says so in the log,
    /// and tries again.
    #[must_use]
    pub fn listen(lock: DataLock, sockets: Vec<(String, OwnedFd)>, patience: Patience) -> Self {
        let listener = listen_in(lock.dir());
        if let Err(error) = lock.sign() {
            tracing::warn!(target: "handover", %error, "the lock of the data folder names another process");
        }
        let estate = Arc::new(Estate { lock, sockets });
        // One place: a takeover that nobody has asked for yet is the one that is under way.
        let (sender, takeovers) = mpsc::channel(1);
        let waiting = tokio::spawn(wait(listener, estate, patience, sender));
        Self { takeovers, waiting }
    }

    /// The next new process that wants to take over. Can be dropped and called again.
    pub async fn next(&mut self) -> Takeover {
        match self.takeovers.recv().await {
            Some(takeover) => takeover,
            // The task behind it never ends by itself; without it nobody can take over, and the host serves on.
            None => std::future::pending().await,
        }
    }

    /// Ends the waiting, and closes this host's copies of the listening sockets and of the lock before it returns. Call it
    /// before draining: connections would otherwise wait at a copy that nobody accepts from, should the new host end first.
    pub async fn close(mut self) {
        self.waiting.abort();
        let _aborted = (&mut self.waiting).await;
    }
}

impl Drop for Giver {
    fn drop(&mut self) {
        self.waiting.abort();
    }
}

/// Makes the socket under another name first, so that its own name never leads to one that others may use.
fn listen_in(dir: &Path) -> io::Result<UnixListener> {
    let partial = format!("{SOCKET}.partial");
    match std::fs::remove_file(dir.join(&partial)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = with_short_path(dir, &partial, |path| UnixListener::bind(path))?;
    std::fs::set_permissions(dir.join(&partial), std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(dir.join(&partial), dir.join(SOCKET))?;
    Ok(listener)
}

/// Takes new processes in, one after the other, and hands the first that is free to do so to the host.
async fn wait(
    mut listener: io::Result<UnixListener>,
    estate: Arc<Estate>,
    patience: Patience,
    takeovers: mpsc::Sender<Takeover>,
) {
    let only_one = Arc::new(Semaphore::new(1));
    loop {
        let accepted = match &listener {
            Ok(listener) => listener.accept().await,
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                let path = estate.lock.dir().join(SOCKET);
                tracing::warn!(target: "handover", path = %path.display(), %error, "no new process can take over now; trying again");
                tokio::time::sleep(patience.again_after).await;
                if listener.is_err() {
                    listener = listen_in(estate.lock.dir());
                }
                continue;
            }
        };
        match takeover(stream, &only_one, &estate, patience).await {
            Ok(takeover) => {
                tracing::info!(target: "handover", pid = takeover.pid, version = takeover.version, "a new process wants to take over");
                // There is room, because there is a permit; an error is the host's end.
                let _unless_gone = takeovers.send(takeover).await;
            }
            Err(error) => tracing::warn!(target: "handover", %error, "a new process was turned away"),
        }
    }
}

/// Hears a new process's `hello`.
async fn takeover(
    stream: UnixStream,
    only_one: &Arc<Semaphore>,
    estate: &Arc<Estate>,
    patience: Patience,
) -> Result<Takeover, HandoverError> {
    const DOING: &str = "say hello";
    let mut wire = Wire::new(stream)?;
    let hello = in_time(DOING, patience.step_within, wire.due(DOING)).await?;
    let Message::Hello { protocol, protocol_min, version, pid } = hello else {
        let error = hello.instead_of("hello");
        wire.say_no(&error.to_string());
        return Err(error);
    };
    if protocol < PROTOCOL_MIN || protocol_min > PROTOCOL {
        let error = HandoverError::NoCommonProtocol {
            version,
            oldest: protocol_min,
            newest: protocol,
            our_oldest: PROTOCOL_MIN,
            our_newest: PROTOCOL,
        };
        wire.say_no(&error.to_string());
        return Err(error);
    }
    let Ok(permit) = Arc::clone(only_one).try_acquire_owned() else {
        let why = "another new process is taking over just now; try again when it is done";
        wire.say_no(why);
        return Err(HandoverError::GivenUp(why.to_owned()));
    };
    let (estate, protocol) = (Arc::clone(estate), protocol.min(PROTOCOL));
    Ok(Takeover { wire, estate, patience, protocol, version, pid, settled: false, _only_one: permit })
}

/// One new process that wants to take over. Its methods are called in the order in which they stand here; after an error
/// it is over, the new process has been told, and the host serves on.
#[derive(Debug)]
pub struct Takeover {
    wire: Wire,
    estate: Arc<Estate>,
    patience: Patience,
    protocol: u32,
    version: String,
    pid: u32,
    /// Nothing is left to say: it has been told that it failed, or it is the host.
    settled: bool,
    _only_one: OwnedSemaphorePermit,
}

impl Takeover {
    /// Version and process id of the new process, as it says itself.
    #[must_use]
    pub fn by(&self) -> (&str, u32) {
        (&self.version, self.pid)
    }

    /// Passes on the lock and the listening sockets.
    ///
    /// # Errors
    /// [`HandoverError`]; the host serves on.
    pub async fn offer(&mut self) -> Result<(), HandoverError> {
        let Estate { lock, sockets } = &*self.estate;
        let names = [LOCK].into_iter().chain(sockets.iter().map(|(name, _)| name.as_str()));
        let offer = Message::Offer {
            protocol: self.protocol,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            descriptors: names.map(str::to_owned).collect(),
        };
        let passed = in_time("take the listening sockets", self.patience.step_within, async {
            self.wire.say(&offer).await?;
            let sockets = sockets.iter().map(|(_, socket)| socket.as_fd());
            let descriptors: Vec<_> = [lock.as_fd()].into_iter().chain(sockets).collect();
            Ok(self.wire.pass(&descriptors).await?)
        });
        let passed = passed.await;
        self.noted(passed)
    }

    /// Waits until the new process has loaded everything and proved itself.
    ///
    /// # Errors
    /// [`HandoverError`]; the host serves on.
    pub async fn ready(&mut self) -> Result<(), HandoverError> {
        const DOING: &str = "get ready";
        let ready = in_time(DOING, self.patience.ready_within, async {
            match self.wire.due(DOING).await? {
                Message::Ready {} => Ok(()),
                other => Err(other.instead_of("ready")),
            }
        });
        let ready = ready.await;
        self.noted(ready)
    }

    /// Lets the new process begin. Call it when nothing changes any more that the new process is about to read.
    ///
    /// # Errors
    /// [`HandoverError`]; the host serves on, and changes may go on.
    pub async fn go(&mut self, blobs: &[Blob]) -> Result<(), HandoverError> {
        let said = in_time("take over the state", self.patience.step_within, self.wire.say_go(blobs)).await;
        self.noted(said)
    }

    /// Waits until the new process accepts connections. After `Ok` it is the host: stop accepting, close the [`Giver`],
    /// drain, exit.
    ///
    /// # Errors
    /// [`HandoverError`]; the host serves on, and changes may go on.
    pub async fn serving(mut self) -> Result<(), HandoverError> {
        const DOING: &str = "begin to serve";
        let serving = in_time(DOING, self.patience.step_within, async {
            match self.wire.due(DOING).await? {
                Message::Serving {} => Ok(self.wire.say(&Message::Yours {}).await?),
                other => Err(other.instead_of("serving")),
            }
        });
        let serving = serving.await;
        self.settled = serving.is_ok();
        self.noted(serving)
    }

    /// Tells the new process that it is over where a step failed.
    fn noted<T>(&mut self, outcome: Result<T, HandoverError>) -> Result<T, HandoverError> {
        if let Err(error) = &outcome
            && !self.settled
        {
            self.settled = true;
            self.wire.say_no(&error.to_string());
        }
        outcome
    }
}

impl Drop for Takeover {
    fn drop(&mut self) {
        if !self.settled {
            self.wire.say_no("the running host gave up and serves on; its log says why");
        }
    }
}

/// Takes one step within its time.
async fn in_time<T>(
    doing: &'static str,
    within: Duration,
    step: impl Future<Output = Result<T, HandoverError>>,
) -> Result<T, HandoverError> {
    match timeout(within, step).await {
        Ok(Err(HandoverError::Connection(error))) if ended(&error) => Err(HandoverError::Gone { doing }),
        Ok(outcome) => outcome,
        Err(_) => Err(HandoverError::TooLate { doing, within }),
    }
}
