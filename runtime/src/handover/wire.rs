//! What both processes say to each other, and how it crosses the socket.
//!
//! A frame is its length (four bytes, big-endian) and a JSON object. What a reader does not know in one it ignores, so that
//! a newer process can tell an older one more than that understands. Descriptors ride on a single byte of their own
//! behind the frame that names them; blobs follow the frame that tells their lengths.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::UnixStream;

use super::HandoverError;

/// The longest frame. What is said is a few hundred bytes; a reason may be a long sentence.
const FRAME_BYTES_MAX: u32 = 64 << 10;
/// All blobs of one handover.
pub(super) const STATE_BYTES_MAX: u64 = 64 << 20;
/// Descriptors of one handover: two ports and a lock today.
const DESCRIPTORS_MAX: usize = 16;
/// The longest path that a unix socket's address holds, with some room.
const SOCKET_PATH_BYTES_MAX: usize = 100;
/// The longest reason that is sent.
const WHY_BYTES_MAX: usize = 4 << 10;

/// Something the new process shall know, under a name by which it finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// What it is; a process that does not know the name ignores it.
    pub name: String,
    /// The thing itself, in an encoding that carries its own version.
    pub bytes: Vec<u8>,
}

/// One frame.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub(super) enum Message {
    /// The new process: who it is and what it speaks.
    Hello { protocol: u32, protocol_min: u32, version: String, pid: u32 },
    /// The running host: the protocol of both, and the names of the descriptors that follow.
    Offer { protocol: u32, version: String, pid: u32, descriptors: Vec<String> },
    /// The new process: it could serve now.
    Ready {},
    /// The running host: changes nothing any more; the blobs follow.
    Go { blobs: Vec<BlobHead> },
    /// The new process: it accepts connections.
    Serving {},
    /// The running host: it is no longer the host.
    Yours {},
    /// Either: it gives up.
    No { why: String },
}

/// A blob that follows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BlobHead {
    name: String,
    bytes: u64,
}

impl Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Offer { .. } => "offer",
            Self::Ready {} => "ready",
            Self::Go { .. } => "go",
            Self::Serving {} => "serving",
            Self::Yours {} => "yours",
            Self::No { .. } => "no",
        }
    }

    /// The error that this is where `expected` was due.
    pub(super) fn instead_of(self, expected: &'static str) -> HandoverError {
        match self {
            Self::No { why } => HandoverError::GivenUp(why),
            other => HandoverError::OutOfTurn { expected, found: other.name().to_owned() },
        }
    }

    fn frame(&self) -> io::Result<Vec<u8>> {
        let json = serde_json::to_vec(self)?;
        let length = u32::try_from(json.len()).ok().filter(|length| *length <= FRAME_BYTES_MAX);
        let length = length.ok_or_else(|| io::Error::other("a frame of the handover is too long"))?;
        Ok([&length.to_be_bytes(), json.as_slice()].concat())
    }
}

/// One end of the connection between both processes.
#[derive(Debug)]
pub(super) struct Wire {
    stream: UnixStream,
}

impl Wire {
    /// Takes a connection whose other end is a process of our own user.
    pub(super) fn new(stream: UnixStream) -> Result<Self, HandoverError> {
        let (found, expected) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
        if found != expected {
            return Err(HandoverError::OtherUser { found, expected });
        }
        Ok(Self { stream })
    }

    pub(super) async fn say(&mut self, message: &Message) -> io::Result<()> {
        self.stream.write_all(&message.frame()?).await
    }

    /// Says `no` without waiting. Best effort: where there is no room for it, the other end hears that we are gone.
    pub(super) fn say_no(&self, why: &str) {
        let end = why
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take_while(|end| *end <= WHY_BYTES_MAX)
            .last();
        let why = why.get(..end.unwrap_or(0)).unwrap_or_default().to_owned();
        if let Ok(frame) = (Message::No { why }).frame() {
            let _written = self.stream.try_write(&frame);
        }
    }

    /// The next frame; `None` at the end of the connection.
    pub(super) async fn hear(&mut self) -> io::Result<Option<Message>> {
        let mut length = [0; 4];
        match self.stream.read_exact(&mut length).await {
            Err(error) if ended(&error) => return Ok(None),
            read => read?,
        };
        let length = u32::from_be_bytes(length);
        if length > FRAME_BYTES_MAX {
            return Err(io::Error::other(format!(
                "a frame of {length} bytes, at most {FRAME_BYTES_MAX} are taken"
            )));
        }
        let mut json = vec![0; length as usize];
        match self.stream.read_exact(&mut json).await {
            Err(error) if ended(&error) => return Ok(None),
            read => read?,
        };
        Ok(Some(serde_json::from_slice(&json)?))
    }

    /// The next frame, where one is due; `doing` is what the other process is to do for it.
    pub(super) async fn due(&mut self, doing: &'static str) -> Result<Message, HandoverError> {
        match self.hear().await? {
            Some(Message::No { why }) => Err(HandoverError::GivenUp(why)),
            Some(message) => Ok(message),
            None => Err(HandoverError::Gone { doing }),
        }
    }

    /// Sends descriptors.
    pub(super) async fn pass(&self, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.stream
            .async_io(Interest::WRITABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
                let mut control = SendAncillaryBuffer::new(&mut space);
                if !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
                    return Err(io::Error::other("too many descriptors"));
                }
                let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
                Ok(sendmsg(&self.stream, &[IoSlice::new(&[0])], &mut control, flags)?)
            })
            .await
            .map(|_one| ())
    }

    /// Receives `count` descriptors; they are not inherited by what this process starts.
    pub(super) async fn receive(&self, count: usize) -> io::Result<Vec<OwnedFd>> {
        let received = self
            .stream
            .async_io(Interest::READABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
                let mut control = RecvAncillaryBuffer::new(&mut space);
                let mut byte = [0];
                let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
                let message = recvmsg(&self.stream, &mut [IoSliceMut::new(&mut byte)], &mut control, flags)?;
                if message.bytes == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                if message.flags.contains(ReturnFlags::CTRUNC) {
                    return Err(io::Error::other(
                        "the descriptors did not all arrive; is the limit of open files met?",
                    ));
                }
                let mut descriptors = Vec::new();
                for message in control.drain() {
                    if let RecvAncillaryMessage::ScmRights(passed) = message {
                        descriptors.extend(passed);
                    }
                }
                Ok(descriptors)
            })
            .await?;
        if received.len() == count {
            Ok(received)
        } else {
            Err(io::Error::other(format!("{count} descriptors were announced and {} came", received.len())))
        }
    }

    /// Says `go`, with these blobs.
    pub(super) async fn say_go(&mut self, blobs: &[Blob]) -> Result<(), HandoverError> {
        let bytes = blobs.iter().map(|blob| blob.bytes.len() as u64).sum();
        if bytes > STATE_BYTES_MAX {
            return Err(HandoverError::TooMuch { bytes, max: STATE_BYTES_MAX });
        }
        let head = |blob: &Blob| BlobHead { name: blob.name.clone(), bytes: blob.bytes.len() as u64 };
        self.say(&Message::Go { blobs: blobs.iter().map(head).collect() }).await?;
        for blob in blobs {
            self.stream.write_all(&blob.bytes).await?;
        }
        Ok(())
    }

    /// Reads the blobs behind `go`.
    pub(super) async fn blobs(&mut self, heads: Vec<BlobHead>) -> Result<Vec<Blob>, HandoverError> {
        let bytes = heads.iter().fold(0_u64, |sum, head| sum.saturating_add(head.bytes));
        if bytes > STATE_BYTES_MAX {
            return Err(HandoverError::TooMuch { bytes, max: STATE_BYTES_MAX });
        }
        let mut blobs = Vec::with_capacity(heads.len());
        for head in heads {
            let mut bytes = vec![0; usize::try_from(head.bytes).unwrap_or(usize::MAX)];
            self.stream.read_exact(&mut bytes).await?;
            blobs.push(Blob { name: head.name, bytes });
        }
        Ok(blobs)
    }
}

/// Whether an error is just the other process's end.
pub(super) fn ended(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

/// Calls `then` with a path to `name` in `dir` that fits in a socket's address.
pub(super) fn with_short_path<T>(
    dir: &Path,
    name: &str,
    then: impl FnOnce(&Path) -> io::Result<T>,
) -> io::Result<T> {
    let path = dir.join(name);
    if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        return then(&path);
    }
    let folder = rustix::fs::open(dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let number = folder.as_raw_fd();
    then(&Path::new("/proc/self/fd").join(number.to_string()).join(name))
}
