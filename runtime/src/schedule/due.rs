//! What is due of a schedule, what was missed, and what becomes of an attempt that ended: as pure functions of what is known.

use jiff::Timestamp;

use super::Schedule;
use super::store::{Known, State};

/// A moment that was missed by more than this is left out: a reminder that comes hours late is worse than none.
pub(super) const LATE_MAX_S: i64 = 15 * 60;

/// Pauses after the first, second and third failure. With the longest deadline between them they fill the minute.
const PAUSES_MS: [i64; 3] = [2_000, 8_000, 20_000];

/// All attempts at one moment begin within so long after the first.
pub(super) const WITHIN_MS: i64 = 60_000;

/// Missed moments that are counted, at most.
const COUNTED_MAX: u32 = 1_000;

/// A moment whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) moment: Timestamp,
    pub(super) attempt: u32,
    pub(super) began_ms: i64,
}

/// Moments that came and went and are not made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missed {
    /// How many, up to [`COUNTED_MAX`].
    pub(super) count: u32,
    pub(super) first: Timestamp,
    /// None where there are more than were counted.
    pub(super) last: Option<Timestamp>,
}

/// What a look at a schedule finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) due: Option<Due>,
    pub(super) missed: Option<Missed>,
    /// The next moment.
    pub(super) next: Option<Timestamp>,
}

/// What is due of a schedule at `now`, what was missed, and when to look again.
pub(super) fn due(known: &Known, schedule: &Schedule, now: Timestamp) -> Found {
    // Of what was missed the last one only, and only if it is not long ago.
    let since = known.moment_s.max(now.as_second() - LATE_MAX_S);
    let mut last = None;
    let mut next = Timestamp::from_second(since).ok().and_then(|since| schedule.next_after(since));
    while let Some(moment) = next.filter(|moment| *moment <= now) {
        last = Some(moment);
        next = schedule.next_after(moment);
    }
    let due = match (last, known.state) {
        (Some(moment), _) => Some(Due { moment, attempt: 1, began_ms: now.as_millisecond() }),
        // One that waits for its next attempt gives way to the next moment.
        (None, State::Again { at_ms })
            if at_ms <= now.as_millisecond() && now.as_millisecond() - known.began_ms <= WITHIN_MS =>
        {
            Timestamp::from_second(known.moment_s).ok().map(|moment| Due {
                moment,
                attempt: known.attempts.saturating_add(1),
                began_ms: known.began_ms,
            })
        }
        (None, _) => None,
    };
    Found { due, missed: missed(known, schedule, last.unwrap_or(now)), next }
}

/// The moments after the known one and before `until`.
fn missed(known: &Known, schedule: &Schedule, until: Timestamp) -> Option<Missed> {
    let after = |moment| schedule.next_after(moment).filter(|moment| *moment < until);
    let first = Timestamp::from_second(known.moment_s).ok().and_then(after)?;
    let (mut count, mut last) = (1, first);
    while let Some(moment) = after(last) {
        if count == COUNTED_MAX {
            return Some(Missed { count, first, last: None });
        }
        (count, last) = (count + 1, moment);
    }
    Some(Missed { count, first, last: Some(last) })
}

/// How an attempt that ended stands. `code` is what failed.
pub(super) fn ended(code: Option<&str>, due: &Due, now_ms: i64) -> State {
    match code {
        None => State::Done,
        // It has nothing to call, and will not have it in a moment.
        Some("HS210") => State::Failed,
        Some(_) => {
            let pause = usize::try_from(due.attempt - 1).ok().and_then(|place| PAUSES_MS.get(place));
            match pause.map(|pause| now_ms + pause) {
                Some(at_ms) if at_ms - due.began_ms <= WITHIN_MS => State::Again { at_ms },
                _ => State::Failed,
            }
        }
    }
}
