//! Components that mean harm, built in memory: the attack corpus for a host.
//!
//! Each builder returns the bytes of one upload. Where it can be, the attack is a whole handler that
//! would answer `<Response/>`, so that a refusal is due to the attack and to nothing that is missing.
//! Numbers are parameters: the same builder makes the one that passes and the one that does not.
//!
//! Attacks at run time are core WAT around [`voice::core`], made a component by [`voice_component`].
//! This module knows nothing of the host, so tests inside the host's package use it, too.

pub mod compile;
pub mod foreign;
pub mod imports;
pub mod memory;
pub mod proposals;
pub mod voice;

pub use voice::{OK_VOICE_CORE, voice_component};

/// A component around one core module, whose text is `fields`; instantiated, without an export.
///
/// For structure alone: it is not a handler, and the encoder does not check what it contains.
pub fn bare_component(fields: &str) -> Vec<u8> {
    component(&format!("(core module $m {fields}) (core instance (instantiate $m))"))
}

/// A component from the text of its fields.
///
/// # Panics
/// Where the text is not that of a component: a mistake in the attack.
pub fn component(fields: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {fields})")).expect("the attack is a component's text")
}
