//! Randomness from the host, fit for secrets: codes sent by message, fair choice between agents.

/// 64 random bits.
#[must_use]
pub fn u64() -> u64 {
    crate::host::random_u64()
}

/// `len` random bytes.
#[must_use]
pub fn bytes(len: usize) -> Vec<u8> {
    /// The host refuses to make more at once.
    const AT_ONCE_MAX: usize = 64 * 1024;
    if len <= AT_ONCE_MAX {
        return crate::host::random_bytes(len);
    }
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        bytes.extend(crate::host::random_bytes(AT_ONCE_MAX.min(len - bytes.len())));
    }
    bytes
}

/// A number from 0 up to, not including, `end`, each as likely as the others; 0 if `end` is 0.
#[must_use]
pub fn below(end: u64) -> u64 {
    // The high half of a 128-bit product is even to within `end` / 2⁶⁴, without a loop.
    ((u128::from(u64()) * u128::from(end)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    #[test]
    fn below_stays_below() {
        assert!((0..1000).all(|_| super::below(6) < 6));
        assert!((0..6).all(|face| (0..1000).any(|_| super::below(6) == face)));
        assert_eq!(super::below(0), 0);
    }

    #[test]
    fn as_many_bytes_as_asked_for() {
        for len in [0, 1, 16, 65_536, 65_537, 200_000] {
            assert_eq!(super::bytes(len).len(), len);
        }
    }
}
