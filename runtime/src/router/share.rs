//! Draws who is in a canary's share.
//!
//! A call is in or out by a keyed hash of its id, so every node and every restart decides alike and nothing is written. The
//! hash does not know the share: whoever is in at 1 % is in at 10 %, and a conversation by message does not jump back when a
//! canary takes its next step. It does know the revision: each canary draws other callers, so nobody is always the first
//! to try.
//!
//! Web requests have no call: all of one address are drawn as one.
//!
//! For voice only a call's first webhook is drawn; after that its links carry a pin. Messages carry none, so each one of a
//! conversation is drawn by both of its numbers, whichever side sent it.

use std::hash::Hasher as _;
use std::net::IpAddr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use siphasher::sip::SipHasher13;

use crate::call::{HandlerName, RevisionId, TenantId};
use crate::pin::PinKey;
use crate::release::Share;

/// Draws for one canary. Made once for each, when it begins.
#[derive(Debug, Clone)]
pub struct Draw {
    /// Keyed; one draw is a copy of it and a few bytes more.
    hasher: SipHasher13,
}

/// What is drawn as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn<'a> {
    /// A call, by its id: a voice webhook without a pin, or a status callback.
    Call(&'a str),
    /// All messages between two numbers, in either direction.
    Conversation(&'a str, &'a str),
    /// All web requests from one address; of IPv6 from one /64, because one machine uses many of it.
    Client(IpAddr),
}

impl Draw {
    /// `key` is shared by all hosts that share calls; nobody else can tell who will be in.
    #[must_use]
    pub fn new(key: &PinKey, tenant: &TenantId, handler: &HandlerName, canary: RevisionId) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
        // `share:` keeps it apart from pins, which begin with a tenant's name and hold no `:`.
        mac.update(format!("share:{tenant}/{handler}/{canary}").as_bytes());
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let (key, _) = full.split_first_chunk().expect("32 bytes have a first 16");
        Self { hasher: SipHasher13::new_with_key(key) }
    }

    /// Whether the canary takes it at this share.
    #[must_use]
    pub fn takes(&self, drawn: Drawn<'_>, share: Share) -> bool {
        self.place(drawn) < share.0
    }

    /// A number of 0 to 9 999, always the same for the same drawn.
    fn place(&self, drawn: Drawn<'_>) -> u16 {
        let hash = match drawn {
            Drawn::Call(id) => self.hasher.hash(id.as_bytes()),
            Drawn::Client(IpAddr::V4(address)) => self.hasher.hash(&address.octets()),
            Drawn::Client(IpAddr::V6(address)) => self.hasher.hash(&(address.to_bits() >> 64).to_be_bytes()),
            Drawn::Conversation(from, to) => {
                let mut hasher = self.hasher;
                let (low, high) = if from <= to { (from, to) } else { (to, from) };
                hasher.write(low.as_bytes());
                // In no number, and so neither two pairs nor a pair and a call are the same bytes.
                hasher.write_u8(0);
                hasher.write(high.as_bytes());
                hasher.finish()
            }
        };
        // The high bits decide, which is even to one part in 10^15 and needs no division.
        let place = (u128::from(hash) * u128::from(Share::ALL.0)) >> 64;
        u16::try_from(place).expect("less than 10 000, by the multiplication")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(canary: u32) -> Draw {
        named("acme", "ivr", canary)
    }

    fn named(tenant: &str, handler: &str, canary: u32) -> Draw {
        let (tenant, handler) = (TenantId::new(tenant).unwrap(), HandlerName::new(handler).unwrap());
        Draw::new(&PinKey::new([7; 32]), &tenant, &handler, RevisionId(canary))
    }

    fn ids() -> impl Iterator<Item = String> {
        // As carriers make them, and as badly as a test may: counted up.
        (0..200_000_u32).map(|number| format!("CA{number:032x}"))
    }

    /// Chi-square of counts that should be equal.
    fn chi_square(counts: &[u32]) -> f64 {
        let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
        counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
    }

    #[test]
    fn every_place_is_as_likely_as_every_other() {
        for canary in 1..=5 {
            let draw = draw(canary);
            let mut calls = [0_u32; 100];
            let mut pairs = [0_u32; 100];
            for (number, id) in ids().enumerate() {
                calls[usize::from(draw.place(Drawn::Call(&id)) / 100)] += 1;
                let from = format!("+1202555{number:04}");
                pairs[usize::from(draw.place(Drawn::Conversation(&from, "+12025550100")) / 100)] += 1;
            }
            for chi in [chi_square(&calls), chi_square(&pairs)] {
                // 99 degrees of freedom: mean 99; beyond 162 once in 20 000 tables.
                assert!((50.0..162.0).contains(&chi), "canary {canary}: {chi}");
            }
        }
    }

    #[test]
    fn a_share_takes_its_part() {
        let draw = draw(3);
        for (share, expected) in [
            (0, 0.0_f64),
            (1, 20.0),
            (100, 2_000.0),
            (1_000, 20_000.0),
            (9_999, 199_980.0),
            (10_000, 200_000.0),
        ] {
            let taken = ids().filter(|id| draw.takes(Drawn::Call(id), Share(share))).count() as f64;
            let spread = (expected * (1.0 - expected / 200_000.0)).sqrt();
            assert!((taken - expected).abs() <= 4.5 * spread, "{share}: {taken} for {expected}");
        }
    }

    #[test]
    fn who_is_in_at_one_percent_is_in_at_ten() {
        let draw = draw(3);
        for id in ids() {
            let taken: Vec<bool> = [0, 1, 100, 1_000, 5_000, 10_000]
                .map(|share| draw.takes(Drawn::Call(&id), Share(share)))
                .into();
            assert!(taken.is_sorted(), "{id}: {taken:?}");
        }
    }

    #[test]
    fn each_canary_handler_tenant_and_host_draws_other_callers() {
        let tenant = TenantId::new("acme").unwrap();
        let handler = HandlerName::new("ivr").unwrap();
        let elsewhere = Draw::new(&PinKey::new([8; 32]), &tenant, &handler, RevisionId(3));
        let one = draw(3);
        for other in [draw(4), named("acme", "sms", 3), named("other", "ivr", 3), elsewhere] {
            let both = ids()
                .filter(|id| [&one, &other].iter().all(|draw| draw.takes(Drawn::Call(id), Share(1_000))))
                .count();
            // Independent draws share 1 % of 200 000; the spread is 44.
            assert!((1_800..2_200).contains(&both), "{both}");
        }
    }

    #[test]
    fn both_sides_of_a_conversation_are_drawn_alike_and_numbers_do_not_run_together() {
        let draw = draw(3);
        let place = |a: &str, b: &str| draw.place(Drawn::Conversation(a, b));
        let mut different = 0;
        for number in 0..1_000 {
            let (a, b) = (format!("+120255501{number:02}"), format!("+442079460{number:03}"));
            assert_eq!(place(&a, &b), place(&b, &a));
            let glued = format!("{a}{b}");
            different += usize::from(place(&a, &b) != place("", &glued));
            different += usize::from(place(&a, &b) != draw.place(Drawn::Call(&glued)));
        }
        assert!(different > 1_990, "{different}");
    }

    #[test]
    fn the_draw_is_the_same_on_every_node_and_after_every_restart() {
        // Changing these numbers moves conversations between revisions during an upgrade of the host.
        let draw = draw(3);
        assert_eq!(draw.place(Drawn::Call("CA00000000000000000000000000000001")), 9_643);
        assert_eq!(draw.place(Drawn::Conversation("+12025550100", "+12025550123")), 7_932);
    }

    #[test]
    fn a_machine_is_drawn_as_one_whichever_of_its_addresses_it_uses() {
        let draw = draw(2);
        let place = |address: &str| draw.place(Drawn::Client(address.parse().unwrap()));
        assert_eq!(place("2001:db8:0:1::1"), place("2001:db8:0:1:ffff::2"));
        let networks = (0..100).map(|n| place(&format!("2001:db8:0:{n:x}::1")));
        let addresses = (0..100).map(|n| place(&format!("192.0.2.{n}")));
        for places in [networks.collect::<Vec<_>>(), addresses.collect()] {
            let low = places.iter().filter(|place| **place < 5_000).count();
            assert!((25..75).contains(&low), "{low} of 100 in the lower half");
        }
    }
}
