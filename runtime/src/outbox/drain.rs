//! Sends what is due: the one loop that takes entries out of the outbox.
//!
//! Only one process drains a file: a host that hands over stops its loop and waits for what it was sending, then the other
//! one begins with whatever a dead process left behind. Where the handover fails the loop begins again in the old process, with
//! what the stopped one had taken and not begun. No entry is `sending` for ever: the loop looks for those that no task of this
//! process holds, and leaves alone those that one does. An entry is tried with growing pauses until it is done, refused, or
//! a day has gone by. Where it is not known whether a try was carried out, the carrier's own list is looked at before the next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::Outbox;
use super::ledger::{Due, Tried};
use super::writer::OutboxError;
use crate::carrier::operation::{CarrierError, Done};
use crate::clock;

/// The pause after the first failure, in milliseconds; each further one is three times as long.
const PAUSE_FIRST_MS: u64 = 2_000;
/// The longest pause, in milliseconds.
const PAUSE_MAX_MS: u64 = 3_600_000;
/// Tries of one entry: with those pauses, a day.
const TRIES_MAX: u32 = 30;
/// How long the carrier has to show in its list what it was sent, in milliseconds.
const LOOK_AFTER_MS: u64 = 10_000;
/// How long one try may take.
const TRY_WITHIN: Duration = Duration::from_secs(20);
/// How long a file that can't be used is left alone.
const REST: Duration = Duration::from_secs(5);
/// The longest sleep; a clock that was set shall not make anything late for long.
const SLEEP_MAX: Duration = Duration::from_secs(30);
/// How often entries are looked for that are being sent by nobody.
const LOST_EVERY: Duration = Duration::from_secs(30);
/// How long another process may be silent about what it is sending, in milliseconds, while this one drains the file: longer
/// than any try takes.
const SILENT_MAX_MS: u64 = 60_000;
/// How often results that nobody asks for any more are forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(10 * 60);

impl Outbox {
    /// Sends what is due, until it is dropped; then call [`Outbox::settled`].
    pub async fn drain(self: Arc<Self>) {
        // One loop at a time: an entry that one has taken and does not hold yet would be lost and found by the other.
        let _alone = self.draining.lock().await;
        let mut failing = false;
        let (mut recovered, mut pruned): (Option<Instant>, Option<Instant>) = (None, None);
        loop {
            let round = async {
                if recovered.is_none_or(|at| at.elapsed() >= LOST_EVERY) {
                    let now = clock::unix_ms();
                    // Whoever sent for this file before has ended by the time that a loop begins.
                    let silent_since = recovered.is_some().then(|| now.saturating_sub(SILENT_MAX_MS));
                    let times = (now, now + LOOK_AFTER_MS);
                    let count = self.ledger.recover(self.sending.held(), silent_since, times).await?;
                    recovered = Some(Instant::now());
                    metrics::gauge!("hookswitch_outbox_waiting").set(self.ledger.waiting().await? as f64);
                    if count > 0 {
                        warn!(
                            "{count} entries of the outbox were being sent when that was cut off; the carrier is asked about them"
                        );
                    }
                }
                if pruned.is_none_or(|at| at.elapsed() >= PRUNE_EVERY) {
                    while self.ledger.prune(clock::unix_ms()).await? {}
                    pruned = Some(Instant::now());
                }
                self.round().await
            };
            let sleep = match round.await {
                Ok(sleep) => {
                    failing = false;
                    sleep
                }
                Err(why) => {
                    if !std::mem::replace(&mut failing, true) {
                        error!("what is to be done later waits: {why}");
                    }
                    REST
                }
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep(sleep.min(SLEEP_MAX)) => {}
            }
        }
    }

    /// Waits until everything that was taken out of the outbox has ended, at most as long as one try may take.
    pub async fn settled(&self) {
        if !self.sending.settled(TRY_WITHIN + Duration::from_secs(1)).await {
            warn!(
                "some entries of the outbox are still being sent; whoever comes next asks the carrier about them"
            );
        }
    }

    /// Begins to send all that is due and may be sent now; gives how long there is nothing more to do.
    async fn round(self: &Arc<Self>) -> Result<Duration, OutboxError> {
        let now = clock::unix_ms();
        let next = self.ledger.next_due(now).await?;
        let mut sleep = next.map_or(SLEEP_MAX, |at| Duration::from_millis(at.saturating_sub(now)));
        let mut tenants = self.ledger.due(now).await?;
        // Those first of whom least is being sent: several slow tenants together keep no further one waiting.
        tenants.sort_by_key(|(tenant, _)| self.sending.held_by(tenant));
        for (tenant, rate) in tenants {
            let Ok(account) = self.account(&tenant) else {
                // Its account was taken away; what it wanted waits for another.
                sleep = sleep.min(REST);
                continue;
            };
            // Where none is free, whoever ends wakes this loop.
            let mut places = self.sending.places(&tenant);
            let moment = Instant::now();
            let turn = || self.rates.turn(&tenant, rate, &account.allowance, moment, moment);
            for place in 0..places.len() {
                if let Err(wait) = turn() {
                    places.truncate(place);
                    sleep = sleep.min(wait);
                    break;
                }
            }
            let most = u32::try_from(places.len()).unwrap_or(u32::MAX);
            if most == 0 {
                continue;
            }
            let taken = self.ledger.take(&tenant, rate, most, now).await;
            let count = taken.as_ref().map_or(0, Vec::len);
            for _ in count..places.len() {
                self.rates.give_back(&tenant, rate, &account.allowance);
            }
            if count == places.len() {
                sleep = Duration::ZERO;
            }
            for (due, place) in taken?.into_iter().zip(places) {
                let (outbox, held) = (Arc::clone(self), self.sending.hold(due.key, &due.tenant, place));
                // A task of its own: it goes on when this loop is stopped.
                tokio::spawn(async move {
                    outbox.send(due).await;
                    drop(held);
                    outbox.changed.notify_one();
                });
            }
        }
        Ok(sleep)
    }

    async fn send(&self, due: Due) {
        let tried = self.attempt(&due).await;
        let (kind, about) = (due.operation.kind(), due.operation.subject());
        match &tried {
            Tried::Ended(Ok(Done::Id(id))) => {
                info!(target: "outbox", tenant = %due.tenant, tries = due.attempts, "{kind} to {about} is done: {id}");
            }
            Tried::Ended(Ok(_)) => {}
            Tried::Ended(Err(why)) => {
                warn!(target: "outbox", tenant = %due.tenant, tries = due.attempts, "{kind} to {about} is given up: {why}");
            }
            Tried::Again { due_at, note, .. } => {
                let pause_ms = due_at.saturating_sub(clock::unix_ms());
                warn!(target: "outbox", tenant = %due.tenant, tries = due.attempts, "{kind} to {about} in {pause_ms} ms again: {note}");
            }
        }
        let mut said = false;
        // Until it is kept the entry stays this task's: whoever found it would not know what came of it.
        while let Err(why) = self.ledger.tried(due.key, &tried, clock::unix_ms()).await {
            if !std::mem::replace(&mut said, true) {
                error!(tenant = %due.tenant, "what came of a {kind} in the outbox can't be kept yet: {why}");
            }
            tokio::time::sleep(REST).await;
        }
    }

    async fn attempt(&self, due: &Due) -> Tried {
        let account = match self.account(&due.tenant) {
            Ok(account) => account,
            Err(why) => return again(due, why, due.doubted_since),
        };
        let until = Instant::now() + TRY_WITHIN;
        if let Some(since) = due.doubted_since {
            match self.found(due, since, until).await {
                Ok(Some(id)) => return Tried::Ended(Ok(Done::Id(id))),
                Ok(None) => {}
                Err(why) => return again(due, why, due.doubted_since),
            }
        }
        // It was the tenant's when this was asked for, which may be months ago. Whoever has the number now does not speak here.
        match self.allowed(&due.tenant, &account, &due.operation) {
            Ok(()) => {}
            Err(error @ CarrierError::Unavailable(_)) => return again(due, error, None),
            Err(error) => return Tried::Ended(Err(error)),
        }
        let began = clock::unix_ms();
        match self.client.perform(&account, &due.operation, until).await {
            Ok(done) => Tried::Ended(Ok(done)),
            Err(
                error @ (CarrierError::Refused(_) | CarrierError::Invalid(_) | CarrierError::NotYours(_)),
            ) => Tried::Ended(Err(error)),
            Err(error @ CarrierError::Unknown(_)) => again(due, error, Some(began)),
            // Looked for just now and not found: the doubt is over.
            Err(error @ (CarrierError::Limited(_) | CarrierError::Unavailable(_))) => again(due, error, None),
        }
    }

    /// The carrier's id of what an earlier try since `since` has done after all.
    async fn found(&self, due: &Due, since: u64, until: Instant) -> Result<Option<String>, CarrierError> {
        let account = self.account(&due.tenant)?;
        let unusable = |why: OutboxError| CarrierError::Unavailable(why.to_string());
        for id in self.client.look(&account, &due.operation, since, until).await? {
            if !self.ledger.is_anothers(due.key, &id).await.map_err(unusable)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// Another try, after a pause that grows with their number; the end where there were enough.
fn again(due: &Due, why: CarrierError, doubted_since: Option<u64>) -> Tried {
    if due.attempts >= TRIES_MAX {
        let note = format!("given up after {} tries: {why}", due.attempts);
        return Tried::Ended(Err(match doubted_since {
            Some(_) => CarrierError::Unknown(note),
            None => CarrierError::Unavailable(note),
        }));
    }
    let asked_for = match &why {
        CarrierError::Limited(limit) => limit.retry_after_ms,
        _ if doubted_since.is_some() => LOOK_AFTER_MS,
        _ => 0,
    };
    let grown =
        3_u64.saturating_pow(due.attempts.saturating_sub(1)).saturating_mul(PAUSE_FIRST_MS).min(PAUSE_MAX_MS);
    // Up to a quarter less, so that many who failed together do not come back together.
    let less = getrandom::u64().map_or(0, |random| random % (grown / 4).max(1));
    let due_at = clock::unix_ms().saturating_add((grown - less).max(asked_for));
    Tried::Again { due_at, note: why.to_string(), doubted_since }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::TenantId;
    use crate::carrier::EffectKey;
    use crate::carrier::operation::{Operation, tests::message};

    #[test]
    fn pauses_grow_to_an_hour_and_end_after_a_day() {
        let due = |attempts| Due {
            key: EffectKey([1; 32]),
            tenant: TenantId::new("acme").unwrap(),
            operation: Operation::Send(message()),
            attempts,
            doubted_since: None,
        };
        let why = || CarrierError::Unavailable("gone".into());
        let mut all_ms = 0;
        for (attempts, most_ms) in
            [(1, 2_000), (2, 6_000), (3, 18_000), (7, 1_458_000), (8, 3_600_000), (29, 3_600_000)]
        {
            let Tried::Again { due_at, .. } = again(&due(attempts), why(), None) else {
                panic!("{attempts}")
            };
            let pause_ms = due_at - clock::unix_ms();
            assert!(pause_ms <= most_ms && pause_ms + 100 >= most_ms * 3 / 4, "{attempts}: {pause_ms}");
        }
        for attempts in 1..TRIES_MAX {
            all_ms += 3_u64.saturating_pow(attempts - 1).saturating_mul(PAUSE_FIRST_MS).min(PAUSE_MAX_MS);
        }
        assert!((20..=26).contains(&(all_ms / 3_600_000)), "{all_ms} ms in all");
        assert!(matches!(again(&due(30), why(), None), Tried::Ended(Err(CarrierError::Unavailable(_)))));
        assert!(matches!(again(&due(30), why(), Some(1)), Tried::Ended(Err(CarrierError::Unknown(_)))));
    }
}
