//! The socket as the protocols see it: watched for stalls, for floods, and for heads that never end.
//!
//! Reads and writes go straight through; a time is noted only when a write blocks. Two refusals are written
//! here, because the HTTP/1 parser gives up before it could say them properly: a first line without an end is 414
//! (or 400 if its first word is no method), and a head that takes too long is 408.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::limits::{IngressLimits, Limit, millis};
use super::progress::{Progress, Protocol};
use super::refusal::Canned;

/// Longest method that is looked at.
pub(super) const METHOD_BYTES_MAX: usize = 16;

/// Where a socket goes when its protocol is done with it, so that it can be closed gently.
pub(super) type Returned = Arc<Mutex<Option<TcpStream>>>;

/// One connection's socket.
pub(super) struct Guarded {
    /// `None` only while being dropped.
    stream: Option<TcpStream>,
    /// What was read to find out the protocol.
    first: Bytes,
    progress: Arc<Progress>,
    limits: Arc<IngressLimits>,
    returned: Returned,
    blocked: Option<Blocked>,
}

/// A write that the peer does not take.
struct Blocked {
    since_ms: u64,
    moved: u64,
}

impl Guarded {
    pub(super) fn new(
        stream: TcpStream,
        first: Bytes,
        progress: Arc<Progress>,
        limits: Arc<IngressLimits>,
    ) -> (Self, Returned) {
        let returned = Returned::default();
        let guarded = Self {
            stream: Some(stream),
            first,
            progress,
            limits,
            returned: Arc::clone(&returned),
            blocked: None,
        };
        (guarded, returned)
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Answers and ends the connection from here; the protocol only learns that reading failed.
    fn refuse(&mut self, canned: Canned) -> io::Error {
        if let Some(stream) = &self.stream {
            // A socket that has no room for these few bytes belongs to nobody who would read them.
            let _written = stream.try_write(canned.bytes());
        }
        self.progress.refuse();
        io::ErrorKind::InvalidData.into()
    }

    /// Asks the socket itself whether the peer has sent more: the runtime hears of it a little later, and closing in
    /// between would lose a request.
    fn note_what_waits(&self, nothing_known: bool) {
        let waits = nothing_known
            && self.stream.as_ref().is_some_and(|stream| {
                let mut byte = [0];
                recv(stream, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT)
                    .is_ok_and(|(_, count)| count > 0)
            });
        self.progress.note_more_waits(waits);
    }

    /// Judges what was just read.
    fn judge(&mut self, read: &[u8]) -> io::Result<()> {
        let unanswered = self.progress.received(read, &self.limits);
        if unanswered > self.limits.unanswered_total_max() {
            Limit::Unanswered.met();
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        // Only on the way to a head's limit is it worth looking for the first line's end.
        if self.progress.protocol() == Protocol::Http1 && unanswered >= self.limits.head_bytes_max as u64 {
            let max = self.limits.head_bytes_max;
            if let Some(Some(canned)) = self.progress.with_head(|head| endless_first_line(head, max)) {
                return Err(self.refuse(canned));
            }
        }
        Ok(())
    }

    /// Notes what a write came to.
    fn wrote(&mut self, outcome: Poll<io::Result<usize>>, wanted: usize) -> Poll<io::Result<usize>> {
        match &outcome {
            Poll::Ready(Ok(count)) => {
                if let Some(blocked) = &mut self.blocked {
                    blocked.moved = blocked.moved.saturating_add(*count as u64);
                    if *count == wanted {
                        self.blocked = None;
                        self.progress.write_due(0);
                    } else {
                        self.write_due();
                    }
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                if self.blocked.is_none() {
                    self.blocked = Some(Blocked { since_ms: self.progress.now_ms(), moved: 0 });
                    self.write_due();
                }
            }
        }
        outcome
    }

    /// A peer must take something within `stall`, and over the whole keep the least pace.
    fn write_due(&self) {
        if let Some(blocked) = &self.blocked {
            let stalled = self.progress.now_ms().saturating_add(millis(self.limits.stall));
            self.progress.write_due(stalled.min(self.limits.pace_due_ms(blocked.since_ms, blocked.moved)));
        }
    }
}

/// What to say of a head of `max` bytes that has not come to the end of its first line.
fn endless_first_line(head: &[u8], max: usize) -> Option<Canned> {
    // Empty lines before a request are allowed, and skipped by the parser too.
    let line =
        head.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).and_then(|start| head.get(start..))?;
    if head.len() < max || line.contains(&b'\n') {
        return None;
    }
    let method = line.iter().position(|byte| *byte == b' ').unwrap_or(usize::MAX);
    Some(if method > METHOD_BYTES_MAX { Canned::BadMethod } else { Canned::UriTooLong })
}

impl AsyncRead for Guarded {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.progress.head_overdue() {
            return Poll::Ready(Err(this.refuse(Canned::HeadTooSlow)));
        }
        let before = buf.filled().len();
        if this.first.is_empty() {
            let read = this.stream()?.poll_read(cx, buf);
            if this.progress.leaving() {
                this.note_what_waits(read.is_pending());
            }
            ready!(read)?;
        } else {
            let count = this.first.len().min(buf.remaining());
            buf.put_slice(&this.first.split_to(count));
        }
        let read = buf.filled().get(before..).unwrap_or_default();
        if read.is_empty() {
            this.progress.peer_ended();
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(this.judge(read))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = this.stream()?.poll_write(cx, buf);
        this.wrote(outcome, buf.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = this.stream()?.poll_write_vectored(cx, bufs);
        let wanted = if this.blocked.is_some() { bufs.iter().map(|buf| buf.len()).sum() } else { 0 };
        this.wrote(outcome, wanted)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_shutdown(cx)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if let Ok(mut returned) = self.returned.lock() {
            *returned = self.stream.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_first_line_without_an_end_is_answered_here() {
        let long = "x".repeat(64);
        let cases: &[(&str, String, Option<Canned>)] = &[
            ("long url", format!("GET /{long}"), Some(Canned::UriTooLong)),
            ("long method", long.clone(), Some(Canned::BadMethod)),
            ("long method with an end", format!("{long} /"), Some(Canned::BadMethod)),
            ("after empty lines", format!("\r\n\r\nGET /{long}"), Some(Canned::UriTooLong)),
            ("long header", format!("GET / HTTP/1.1\r\nx: {long}"), None),
            ("only empty lines", "\r\n".repeat(40), None),
            ("still short", "GET /".to_owned(), None),
        ];
        for (name, head, expected) in cases {
            assert_eq!(endless_first_line(head.as_bytes(), 64), *expected, "{name}");
        }
    }
}
