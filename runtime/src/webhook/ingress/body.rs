//! Takes in a request's body, within size, time, pace and the memory that all bodies share.
//!
//! A handler runs for bodies that arrived, never for one that is on its way. A body that came with its head is passed
//! on as it lies in the read buffer: no copy, no timer, no accounting.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming as HyperBody};
use tokio::time::{Instant, Sleep, sleep_until};

use super::limits::{IngressLimits, millis};
use super::refusal::Refusal;

/// Room that is set aside at once for a body that announces its length; more follows as it arrives, so that
/// announcing costs a stranger nothing and us little.
const FIRST_ROOM_BYTES: usize = 64 << 10;

/// Memory of bodies that did not arrive in one piece, of one connection or of all.
#[derive(Debug)]
pub(super) struct BodiesMemory {
    taken: AtomicUsize,
    max: usize,
}

impl BodiesMemory {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { taken: AtomicUsize::new(0), max })
    }
}

/// One body's share of its connection's memory and of everybody's, given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    of: [Arc<BodiesMemory>; 2],
    bytes: usize,
}

impl Share {
    fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
        let more = bytes.saturating_sub(self.bytes);
        self.bytes += more;
        let mut fits = true;
        for memory in &self.of {
            fits &= memory.taken.fetch_add(more, Relaxed).saturating_add(more) <= memory.max;
        }
        if fits { Ok(()) } else { Err(Refusal::BodiesFull) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        for memory in &self.of {
            memory.taken.fetch_sub(self.bytes, Relaxed);
        }
    }
}

/// The whole body, and its share of memory to hold on to for as long as the body is held.
///
/// # Errors
/// Too large, too slow, broken off, or no memory for it.
pub(super) async fn collect(
    mut body: HyperBody,
    limits: &IngressLimits,
    memory: &[Arc<BodiesMemory>; 2],
) -> Result<(Bytes, Option<Share>), Refusal> {
    if body.is_end_stream() {
        return Ok((Bytes::new(), None));
    }
    let max = limits.body_bytes_max;
    let announced = body.size_hint().exact();
    // Before reading, and so before a `100 Continue` that would ask for it.
    if announced.is_some_and(|length| length > max as u64) {
        return Err(Refusal::BodyTooLarge { max });
    }

    let mut pace = Pace { limits, timer: None };
    let Some(first) = next_data(&mut body, &mut pace, 0).await? else { return Ok((Bytes::new(), None)) };
    if first.len() > max {
        return Err(Refusal::BodyTooLarge { max });
    }
    if body.is_end_stream() {
        return Ok((first, None));
    }

    let mut share = Share { of: memory.clone(), bytes: 0 };
    let announced = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or(first.len() * 2);
    let mut whole = BytesMut::with_capacity(announced.clamp(first.len(), FIRST_ROOM_BYTES.max(first.len())));
    share.grow_to(whole.capacity())?;
    whole.extend_from_slice(&first);
    drop(first);
    while let Some(data) = next_data(&mut body, &mut pace, whole.len()).await? {
        if whole.len() + data.len() > max {
            return Err(Refusal::BodyTooLarge { max });
        }
        whole.extend_from_slice(&data);
        share.grow_to(whole.capacity())?;
    }
    Ok((whole.freeze(), Some(share)))
}

/// The next piece of data; `None` at the end. Trailers are dropped: nothing that verifies a webhook covers them.
async fn next_data(
    body: &mut HyperBody,
    pace: &mut Pace<'_>,
    received: usize,
) -> Result<Option<Bytes>, Refusal> {
    loop {
        let mut frame = body.frame();
        let frame = poll_fn(|cx| match Pin::new(&mut frame).poll(cx) {
            Poll::Ready(frame) => Poll::Ready(Ok(frame)),
            Poll::Pending => pace.poll_overdue(cx, received).map(|()| Err(Refusal::BodyTooSlow)),
        });
        match frame.await? {
            None => return Ok(None),
            Some(Err(_)) => return Err(Refusal::BodyBroken),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// The timer of a body that has to be waited for.
struct Pace<'a> {
    limits: &'a IngressLimits,
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Pace<'_> {
    /// Ready when the body is too late, given what has been received of it.
    fn poll_overdue(&mut self, cx: &mut Context<'_>, received: usize) -> Poll<()> {
        let (since, timer) = self.timer.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Box::pin(sleep_until(now)))
        });
        let due = self.limits.pace_due_ms(0, received as u64).min(millis(self.limits.body_within));
        let due = *since + std::time::Duration::from_millis(due);
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        timer.as_mut().poll(cx)
    }
}
