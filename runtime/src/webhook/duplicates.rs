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
use moka::policy::EvictionPolicy;

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
            // The oldest make room. The cache's own choice would be to turn away what nobody has asked for yet: just the
            // answers that a carrier may ask for again in a second.
            .eviction_policy(EvictionPolicy::lru())
            .max_capacity(bytes_max)
            .time_to_live(kept_for)
            .build();
        Self { answers }
    }

    /// Forgets all answers.
    pub fn clear(&self) {
        self.answers.invalidate_all();
    }

    /// The stored answer of this delivery, the one being made right now, or what `run` makes.
    pub async fn answer(
        &self,
        revision: &Revision,
        delivery: DeliveryKey,
        run: impl Future<Output = Answer>,
    ) -> Answer {
        let key = Key { tenant: revision.tenant.clone(), handler: revision.handler.clone(), delivery };
        let (answer, ran) = self.once(key, run).await;
        if !ran {
            revision.counters.repeated.increment(1);
        }
        answer
    }

    /// The answer for `key`, and whether `run` made it just now.
    async fn once(&self, key: Key, run: impl Future<Output = Answer>) -> (Answer, bool) {
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
        (answer, ran)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::StatusCode;

    use super::*;
    use crate::call::RevisionId;

    fn key(number: u32) -> Key {
        Key {
            tenant: TenantId::new("acme").unwrap(),
            handler: HandlerName::new("ivr").unwrap(),
            delivery: DeliveryKey::new(number.to_string()),
        }
    }

    async fn ran(duplicates: &Duplicates, number: u32, status: StatusCode) -> bool {
        let body = Bytes::from_static(&[b'.'; 400]);
        let answer = Answer { status, body, revision: RevisionId(1), code: None };
        duplicates.once(key(number), async { answer }).await.1
    }

    #[tokio::test]
    async fn when_memory_is_short_the_newest_answers_stay() {
        let duplicates = Duplicates::new(64 * 1024, KEPT_FOR);
        for number in 0..5_000 {
            assert!(ran(&duplicates, number, StatusCode::OK).await, "{number} is new");
            duplicates.answers.run_pending_tasks().await;
            let before = number.saturating_sub(20);
            assert!(
                !ran(&duplicates, before, StatusCode::OK).await,
                "{before} is repeated while {number} is new"
            );
        }
        assert!(duplicates.answers.weighted_size() <= 64 * 1024);
        assert!(ran(&duplicates, 0, StatusCode::OK).await, "the oldest is forgotten");
    }

    #[tokio::test]
    async fn an_answer_that_asks_for_another_try_is_not_kept() {
        let duplicates = Duplicates::default();
        assert!(ran(&duplicates, 1, StatusCode::BAD_GATEWAY).await);
        assert!(ran(&duplicates, 1, StatusCode::OK).await);
        assert!(!ran(&duplicates, 1, StatusCode::OK).await);
    }
}
