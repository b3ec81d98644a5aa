//! The answers to webhooks that carriers may deliver again.
//!
//! A carrier that saw no answer asks again, sometimes while the first delivery still runs. Running the handler
//! twice would take two payments or send two texts, so the second delivery waits for the first and gets its
//! answer. What identifies a delivery is the carrier's to say ([`DeliveryKey`]); here it is only kept apart by
//! tenant and handler.
//!
//! An answer that asks the carrier to try again (`502`) is not kept: the next delivery shall run.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::Answer;
use crate::call::{HandlerName, TenantId};
use crate::carrier::DeliveryKey;
use crate::revision::Revision;

/// How long an answer is kept. Carriers retry within 15 s; a message may be delivered again after minutes.
const KEPT_FOR: Duration = Duration::from_secs(10 * 60);

/// Most memory for all kept answers, in bytes.
const KEPT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What one entry costs besides its texts: the cache's own nodes and the answer's fields, in bytes.
const ENTRY_OVERHEAD_BYTES: usize = 256;

/// The answers of the last minutes, by delivery.
pub struct Duplicates {
    answers: Cache<Key, Answer>,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    tenant: TenantId,
    handler: HandlerName,
    delivery: DeliveryKey,
}

impl Default for Duplicates {
    fn default() -> Self {
        Self::new(KEPT_BYTES_MAX, KEPT_FOR)
    }
}

impl Duplicates {
    /// Keeps answers for `kept_for`, at most `bytes_max` of them.
    #[must_use]
    pub fn new(bytes_max: u64, kept_for: Duration) -> Self {
        let answers = Cache::builder()
            .weigher(|key: &Key, answer: &Answer| {
                let bytes = ENTRY_OVERHEAD_BYTES + key.delivery.len() + answer.body.len();
                u32::try_from(bytes).unwrap_or(u32::MAX)
            })
            .max_capacity(bytes_max)
            .time_to_live(kept_for)
            .build();
        Self { answers }
    }

    /// The stored answer of this delivery, the one being made right now, or what `run` makes.
    pub async fn answer(
        &self,
        revision: &Revision,
        delivery: DeliveryKey,
        run: impl Future<Output = Answer>,
    ) -> Answer {
        let key = Key { tenant: revision.tenant.clone(), handler: revision.handler.clone(), delivery };
        let mut ran = false;
        let answer = self
            .answers
            .try_get_with(key, async {
                ran = true;
                let answer = run.await;
                if answer.status.is_server_error() { Err(answer) } else { Ok(answer) }
            })
            .await
            .unwrap_or_else(|not_kept: Arc<Answer>| Answer::clone(&not_kept));
        if !ran {
            revision.counters.repeated.increment(1);
        }
        answer
    }
}
