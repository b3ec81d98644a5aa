//! How fast each tenant may go: so many calls, messages and other requests a minute, spread evenly after a small burst.
//!
//! One lock over a table of a few numbers for each tenant, taken only by those who ask something of a carrier.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use crate::call::TenantId;
use crate::carrier::account::Allowance;
use crate::carrier::operation::Rate;
use crate::pace::Pace;

/// Requests that are neither calls nor messages, within a minute.
const REQUESTS_PER_MINUTE: u32 = 1_200;
/// After a pause so much of a minute's worth may go at once.
const BURST: Duration = Duration::from_secs(5);

/// All tenants' turns.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<HashMap<(TenantId, Rate), Pace>>);

impl Rates {
    /// The next turn of `tenant`, not later than `latest`; otherwise how long until there is one.
    pub(super) fn turn(
        &self,
        tenant: &TenantId,
        rate: Rate,
        allowance: &Allowance,
        now: Instant,
        latest: Instant,
    ) -> Result<Instant, Duration> {
        let per_minute = per_minute(rate, allowance);
        if per_minute == 0 {
            return Err(Duration::from_secs(3_600));
        }
        let step = Duration::from_secs(60) / per_minute;
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = paces.entry((tenant.clone(), rate)).or_insert(Pace::new(now));
        pace.turn(step, BURST, now, latest)
    }

    /// Gives a turn back that was not used.
    pub(super) fn give_back(&self, tenant: &TenantId, rate: Rate, allowance: &Allowance) {
        let step = Duration::from_secs(60) / per_minute(rate, allowance).max(1);
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pace) = paces.get_mut(&(tenant.clone(), rate)) {
            pace.give_back(step);
        }
    }
}

/// How many a minute.
pub(super) fn per_minute(rate: Rate, allowance: &Allowance) -> u32 {
    match rate {
        Rate::Calls => allowance.calls_per_minute,
        Rate::Messages => allowance.messages_per_minute,
        Rate::Requests => REQUESTS_PER_MINUTE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_goes_as_fast_as_it_may_and_its_neighbour_does_not_wait() {
        let (rates, now) = (Rates::default(), Instant::now());
        let [acme, other] = ["acme", "other"].map(|name| TenantId::new(name).unwrap());
        let allowance = Allowance { calls_per_minute: 60, ..Allowance::default() };
        let turn = |tenant: &TenantId, wait_ms| {
            let latest = now + Duration::from_millis(wait_ms);
            rates.turn(tenant, Rate::Calls, &allowance, now, latest).map(|turn| (turn - now).as_millis())
        };
        for n in 0..5 {
            assert_eq!(turn(&acme, 0), Ok(0), "call {n} of the burst");
        }
        assert_eq!(turn(&acme, 500), Err(Duration::from_secs(1)), "counted for nobody");
        assert_eq!(turn(&acme, 1_500), Ok(1_000));
        assert_eq!(turn(&acme, 2_500), Ok(2_000));
        assert_eq!(turn(&other, 0), Ok(0));
        rates.give_back(&acme, Rate::Calls, &allowance);
        assert_eq!(turn(&acme, 2_500), Ok(2_000));
        let nothing = Allowance { calls_per_minute: 0, ..Allowance::default() };
        assert!(rates.turn(&other, Rate::Calls, &nothing, now, now + Duration::from_secs(60)).is_err());
        let slow = Allowance { messages_per_minute: 1, ..Allowance::default() };
        let messages = |latest| rates.turn(&other, Rate::Messages, &slow, now, latest);
        assert_eq!(messages(now), Ok(now), "one may always go at once");
        assert_eq!(messages(now), Err(Duration::from_secs(60)));
    }
}
