//! The mark in a link that keeps a call on its revision.
//!
//! `hs=7.kq3…` names revision 7 and proves that we wrote it: without the proof a caller's carrier settings, or a
//! tenant's mistake, could send a call to any revision that was ever deployed. A pin holds no state and expires
//! with its revision, so every node that has the key can honour it and nothing is written per call.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::call::{HandlerName, RevisionId, TenantId};

/// Bytes of the proof that a pin carries: 96 bits, 16 characters, far beyond guessing by signed requests.
const PROOF_BYTES: usize = 12;

/// The secret behind all pins of a host, or of all hosts that share calls.
#[derive(Clone)]
pub struct PinKey([u8; 32]);

impl std::fmt::Debug for PinKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PinKey([redacted])")
    }
}

impl PinKey {
    /// Takes 32 secret bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new key from the operating system's random numbers.
    ///
    /// # Errors
    /// When the operating system has none to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The key as bytes, to be kept in a file that only the host reads.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The pin of one revision: `{number}.{16 characters}`, fit for a URL as it is.
    #[must_use]
    pub fn pin(&self, tenant: &TenantId, handler: &HandlerName, revision: RevisionId) -> String {
        format!("{revision}.{}", URL_SAFE_NO_PAD.encode(self.proof(tenant, handler, revision)))
    }

    /// The revision that `pin` names, if we wrote it for this handler. Compares in constant time.
    #[must_use]
    pub fn read(&self, pin: &str, tenant: &TenantId, handler: &HandlerName) -> Option<RevisionId> {
        let revision = RevisionId(pin.split_once('.')?.0.parse().ok()?);
        let ours = self.pin(tenant, handler, revision);
        bool::from(ours.as_bytes().ct_eq(pin.as_bytes())).then_some(revision)
    }

    fn proof(&self, tenant: &TenantId, handler: &HandlerName, revision: RevisionId) -> [u8; PROOF_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        // Names hold no `/`, so the three parts can't be shifted into one another.
        mac.update(format!("{tenant}/{handler}/{revision}").as_bytes());
        let full = mac.finalize().into_bytes();
        let mut proof = [0; PROOF_BYTES];
        proof.copy_from_slice(&full[..PROOF_BYTES]);
        proof
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_back_only_by_the_handler_and_host_it_was_made_for() {
        let key = PinKey::new([7; 32]);
        let [acme, other] = ["acme", "other"].map(|name| TenantId::new(name).unwrap());
        let [ivr, sms] = ["ivr", "sms"].map(|name| HandlerName::new(name).unwrap());
        let pin = key.pin(&acme, &ivr, RevisionId(12));

        assert_eq!(key.read(&pin, &acme, &ivr), Some(RevisionId(12)));
        assert_eq!(key.read(&pin, &other, &ivr), None, "another tenant");
        assert_eq!(key.read(&pin, &acme, &sms), None, "another handler");
        assert_eq!(PinKey::new([8; 32]).read(&pin, &acme, &ivr), None, "another host");
        for forged in
            ["", ".", "12", "12.", "13.aaaaaaaaaaaaaaaa", "x.y", "012.aaaaaaaaaaaaaaaa", "4294967296.a"]
        {
            assert_eq!(key.read(forged, &acme, &ivr), None, "{forged}");
        }
        let renumbered = pin.replace("12.", "13.");
        assert_eq!(key.read(&renumbered, &acme, &ivr), None, "number changed");
        let spelt = pin.replace("12.", "+12.");
        assert_eq!(key.read(&spelt, &acme, &ivr), None, "the same number in another spelling");
    }
}
