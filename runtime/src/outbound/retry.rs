//! Whether a request that failed is sent again, and when.
//!
//! Only what is safe to repeat, only for what may pass, at most [`ATTEMPTS_MAX`] times, with full jitter, within the time
//! that is left, and only as long as a tenant's repeats are a small part of its requests: a server that is down shall not
//! be given three times its load by everybody who is waiting for it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, Method, StatusCode, header};

/// Times that one request is sent.
pub const ATTEMPTS_MAX: u32 = 3;
/// The first pause is up to this long, in milliseconds, the second twice that.
const BACKOFF_MS: u64 = 200;
/// What repeating costs, in tenths of a request: each request pays in one tenth.
const REPEAT_COST: u32 = 10;
/// What may be saved up: so many repeats can be made at once after a quiet time.
const SAVED_MAX: u32 = 20 * REPEAT_COST;

/// Whether sending this request twice does what sending it once does.
#[must_use]
pub fn is_idempotent(method: &Method, headers: &HeaderMap) -> bool {
    let by_key = || headers.get("idempotency-key").is_some_and(|key| !key.is_empty());
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
        || (*method == Method::POST && by_key())
}

/// Whether a request may change something where it is sent to.
#[must_use]
pub fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Whether the server says that it may go better later.
#[must_use]
pub fn may_pass(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// How long the server asks to be left alone: seconds, or a moment.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

/// The pause after attempt number `attempt`, from 1: anything up to a bound that doubles. `dice` is uniform over all `u64`.
///
/// Full jitter: whoever failed together does not come back together.
#[must_use]
pub fn backoff(attempt: u32, dice: u64) -> Duration {
    let most = BACKOFF_MS << attempt.saturating_sub(1).min(8);
    Duration::from_millis(dice % (most + 1))
}

/// What a tenant may still repeat.
#[derive(Debug)]
pub struct Budget(AtomicU32);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(SAVED_MAX))
    }
}

impl Budget {
    /// One more request was made.
    pub fn pay_in(&self) {
        // Full is the usual state, and a line of memory that nobody writes is shared by all cores.
        if self.0.load(Ordering::Relaxed) < SAVED_MAX {
            let _ = self
                .0
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |saved| Some((saved + 1).min(SAVED_MAX)));
        }
    }

    /// Takes what one repeat costs, if it is there.
    pub fn take(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |saved| saved.checked_sub(REPEAT_COST))
            .is_ok()
    }
}
