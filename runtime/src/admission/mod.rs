//! The blast walls: who may run now, so that one tenant's trouble ends at its own border.
//!
//! A webhook passes three walls ([`places`]: of its handler, of its tenant, of the host) and the breaker of its revision
//! ([`breaker`]). What is turned away costs microseconds and hears the fallback document; what is let in can't be too much.
//! The usual case is a few atomic operations, without a lock, a clock or an allocation.
//!
//! How large the walls are is the registry's and the operator's to say; what a turned-away caller hears is `webhook`'s.

pub mod breaker;
pub mod places;
