//! How far one connection has come, and since when: what its timers are read from.
//!
//! Arming a timer for every request would cost more than the rest of the ingress. So the hot path only notes times
//! and counts, without locks, and one timer per connection looks at the notes ([`Progress::overdue`]) no sooner than
//! the shortest limit could have run out.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use super::clock::Clock;
use super::limits::{IngressLimits, millis};

/// Which protocol a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// HTTP/1.0 and 1.1.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
}

/// What has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// A head began, or a connection, and no request came of it.
    Head,
    /// The peer does not take its answer.
    Stall,
    /// No request for long, or a connection that is old enough.
    Idle,
}

/// One connection's notes. Times are the clock's milliseconds; 0 stands for "not now".
#[derive(Debug)]
pub(super) struct Progress {
    clock: Arc<Clock>,
    opened: u64,
    protocol: Protocol,
    /// Requests whose head is complete and whose answer is not yet written.
    in_flight: AtomicU32,
    /// HTTP/2, where a peer decides for each answer how fast it may go: answers given to the protocol and not yet
    /// written.
    answers_open: AtomicU32,
    /// Requests that came in.
    requests: AtomicU64,
    /// When `in_flight` last fell to zero.
    quiet_since: AtomicU64,
    /// HTTP/1: when the first byte of the head came that is not complete yet.
    head_since: AtomicU64,
    /// HTTP/2: when the answers that are open now last got on: one was written, or the first of them was given.
    answer_since: AtomicU64,
    /// HTTP/2: bytes of answers written since then.
    answer_moved: AtomicU64,
    /// When a blocked write must have got on; 0 while none is blocked.
    write_by: AtomicU64,
    /// Bytes received since an answer was last written.
    unanswered: AtomicU64,
    /// This connection shall end: answers say so.
    leaving: AtomicBool,
    /// Bytes wait in the socket of which the runtime has not told yet. Only looked for when the connection shall end.
    more_waits: AtomicBool,
    /// The peer was refused, and may still be sending.
    refused: AtomicBool,
    /// The peer has sent its last byte.
    ended: AtomicBool,
    /// The head ran out of time: the next read answers that.
    head_overdue: AtomicBool,
    /// HTTP/1: the bytes of the head as received, where it did not arrive together with an earlier request. Only
    /// this connection's own task takes the lock, so it is never waited for.
    head: Mutex<Vec<u8>>,
}

impl Progress {
    pub(super) fn new(protocol: Protocol, clock: Arc<Clock>) -> Self {
        let opened = clock.exact_ms();
        Self {
            clock,
            opened,
            protocol,
            in_flight: AtomicU32::new(0),
            answers_open: AtomicU32::new(0),
            requests: AtomicU64::new(0),
            quiet_since: AtomicU64::new(opened),
            head_since: AtomicU64::new(0),
            answer_since: AtomicU64::new(0),
            answer_moved: AtomicU64::new(0),
            write_by: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
            leaving: AtomicBool::new(false),
            more_waits: AtomicBool::new(false),
            refused: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            head_overdue: AtomicBool::new(false),
            head: Mutex::default(),
        }
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Notes bytes from the peer. Gives what it has sent since it was last answered.
    pub(super) fn received(&self, bytes: &[u8], limits: &IngressLimits) -> u64 {
        // What comes after a refusal is the rest of what was refused.
        let between = self.in_flight.load(Relaxed) == 0 && !self.refused.load(Relaxed);
        if self.protocol == Protocol::Http1 && between {
            self.received_head(bytes, limits);
        }
        let count = bytes.len() as u64;
        // Only the connection's task adds. An answer that another task finishes in between may be overlooked, which
        // counts a few bytes more until the next.
        let unanswered = self.unanswered.load(Relaxed).saturating_add(count);
        self.unanswered.store(unanswered, Relaxed);
        unanswered
    }

    fn received_head(&self, bytes: &[u8], limits: &IngressLimits) {
        let Ok(mut head) = self.head.lock() else { return };
        if self.head_since.load(Relaxed) == 0 {
            self.head_since.store(self.now_ms(), Relaxed);
            head.clear();
        }
        let room = limits.head_bytes_max.saturating_sub(head.len());
        head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Looks at the head as received so far; `None` unless one is being received, or was until just now.
    pub(super) fn with_head<T>(&self, look: impl FnOnce(&[u8]) -> T) -> Option<T> {
        if self.head_since.load(Relaxed) == 0 {
            return None;
        }
        self.head.lock().ok().map(|head| look(&head))
    }

    /// Notes that the peer will send no more.
    pub(super) fn peer_ended(&self) {
        self.ended.store(true, Relaxed);
    }

    /// Notes a request whose head is complete; called by the connection's own task. Gives how many that makes.
    pub(super) fn request_began(&self) -> u64 {
        self.in_flight.fetch_add(1, Relaxed);
        let requests = self.requests.load(Relaxed) + 1;
        self.requests.store(requests, Relaxed);
        requests
    }

    /// Notes that the head is no longer wanted.
    pub(super) fn head_done(&self) {
        self.head_since.store(0, Relaxed);
    }

    /// Notes an answer on its way.
    pub(super) fn answer_began(&self) {
        if self.protocol == Protocol::Http2 && self.answers_open.fetch_add(1, Relaxed) == 0 {
            self.answer_moved.store(0, Relaxed);
            self.answer_since.store(self.now_ms(), Relaxed);
        }
    }

    /// Notes that bytes of an answer were taken.
    pub(super) fn answer_moved(&self, count: usize) {
        if self.protocol == Protocol::Http2 {
            self.answer_moved.fetch_add(count as u64, Relaxed);
        }
    }

    /// Notes that an answer was written, or given up.
    pub(super) fn answer_ended(&self) {
        if self.protocol == Protocol::Http2 {
            self.answers_open.fetch_sub(1, Relaxed);
        }
    }

    /// Notes the end of a request; `whole` if its answer was written to the end.
    pub(super) fn request_ended(&self, whole: bool) {
        let now = self.now_ms();
        if whole {
            self.unanswered.store(0, Relaxed);
            if self.protocol == Protocol::Http2 {
                self.answer_moved.store(0, Relaxed);
                self.answer_since.store(now, Relaxed);
            }
        }
        if self.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.quiet_since.store(now, Relaxed);
        }
    }

    /// Notes when a blocked write must have got on; 0 for "it has".
    pub(super) fn write_due(&self, ms: u64) {
        self.write_by.store(ms, Relaxed);
    }

    /// Asks for the connection's end.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Relaxed);
    }

    pub(super) fn leaving(&self) -> bool {
        self.leaving.load(Relaxed)
    }

    /// Notes whether there is something to read.
    pub(super) fn note_more_waits(&self, waits: bool) {
        self.more_waits.store(waits, Relaxed);
    }

    pub(super) fn more_waits(&self) -> bool {
        self.more_waits.load(Relaxed)
    }

    /// Nothing is being received and nothing is being answered.
    pub(super) fn quiet(&self) -> bool {
        self.in_flight.load(Relaxed) == 0 && self.head_since.load(Relaxed) == 0
    }

    /// Notes that the peer was refused in the middle of what it sends.
    pub(super) fn refuse(&self) {
        self.refused.store(true, Relaxed);
    }

    /// Whether the peer must be given time to read why it was refused.
    pub(super) fn may_linger(&self) -> bool {
        self.refused.load(Relaxed) && !self.ended.load(Relaxed)
    }

    /// Lets the next read answer that the head took too long. False where there is nothing to answer to.
    pub(super) fn give_up_head(&self) -> bool {
        let begun = self.head_since.load(Relaxed) != 0;
        self.head_overdue.store(begun, Relaxed);
        begun
    }

    pub(super) fn head_overdue(&self) -> bool {
        self.head_overdue.load(Relaxed)
    }

    /// What has run out at `now`; otherwise when to look again.
    ///
    /// Whatever begins after this look ends `shortest` later at the soonest, so looking again after that is enough.
    pub(super) fn overdue(&self, now: u64, limits: &IngressLimits) -> Result<u64, Overdue> {
        let mut again = now.saturating_add(millis(limits.shortest()));
        let mut by = |due: u64, what: Overdue| {
            again = again.min(due);
            if now >= due { Err(what) } else { Ok(()) }
        };

        let write_by = self.write_by.load(Relaxed);
        if write_by != 0 {
            by(write_by, Overdue::Stall)?;
        }
        if self.answers_open.load(Relaxed) > 0 {
            let since = self.answer_since.load(Relaxed);
            by(limits.pace_due_ms(since, self.answer_moved.load(Relaxed)), Overdue::Stall)?;
        }
        if self.in_flight.load(Relaxed) == 0 {
            let head_since = self.head_since.load(Relaxed);
            if head_since != 0 {
                by(head_since.saturating_add(millis(limits.head_within)), Overdue::Head)?;
            } else if self.requests.load(Relaxed) == 0 {
                by(self.opened.saturating_add(millis(limits.head_within)), Overdue::Head)?;
            } else {
                let quiet_since = self.quiet_since.load(Relaxed);
                by(quiet_since.saturating_add(millis(limits.idle_within)), Overdue::Idle)?;
            }
        }
        if !self.leaving() {
            by(self.opened.saturating_add(millis(limits.connection_age)), Overdue::Idle)?;
        }
        Ok(again)
    }
}
