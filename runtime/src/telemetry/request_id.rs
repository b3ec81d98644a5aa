//! The short name of one request, by which its log lines are found.
//!
//! A call's own id is the subject of its lines, but a call has many requests, and a refused one has no call.

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Most characters of an id that a proxy gave.
const GIVEN_MAX: usize = 64;

/// Bits that count the requests of one process; those above tell processes apart.
const COUNTER_BITS: u32 = 40;

/// The name of one request: made by this host, or by the proxy before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Repr);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Repr {
    Own(u64),
    Given(Box<str>),
}

impl RequestId {
    /// A new one, shown as 16 hex digits: 24 bits drawn when the process first needs one, then a counter. It names a
    /// request and proves nothing.
    #[must_use]
    pub fn next() -> Self {
        static PROCESS: LazyLock<u64> = LazyLock::new(|| {
            // Without randomness the process id tells two processes of one machine apart, which is what matters.
            getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id())) << COUNTER_BITS
        });
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Relaxed) & ((1 << COUNTER_BITS) - 1);
        Self(Repr::Own(*PROCESS | count))
    }

    /// What a trusted proxy wrote into `x-request-id`: 1 to 64 of letters, digits and `-_.:/+=@`. `None` is anything
    /// else: take [`next`](Self::next) then. Of a peer that is not a trusted proxy the header is not to be read: it would write
    /// what it likes into our log.
    #[must_use]
    pub fn given(header: &[u8]) -> Option<Self> {
        let fine = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
        if !(1..=GIVEN_MAX).contains(&header.len()) || !header.iter().all(fine) {
            return None;
        }
        std::str::from_utf8(header).ok().map(|text| Self(Repr::Given(text.into())))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Own(id) => write!(f, "{id:016x}"),
            Repr::Given(id) => f.write_str(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_requests_of_a_process_share_an_id() {
        let ids: Vec<HashSet<String>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..1_000).map(|_| RequestId::next().to_string()).collect()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let all: HashSet<&String> = ids.iter().flatten().collect();
        assert_eq!(all.len(), 4_000);
        assert!(all.iter().all(|id| id.len() == 16 && id[..6] == all.iter().next().unwrap()[..6]), "{all:?}");
    }

    #[test]
    fn an_id_from_outside_is_taken_only_where_it_can_do_no_harm_in_a_log() {
        let long = "a".repeat(65);
        for (header, taken) in [
            ("b2f1c0de-0000-4000-8000-5f3c1a2b3c4d", true),
            ("Root=1-67891233-abcdef012345678912345678", true),
            ("", false),
            (&long, false),
            ("a b", false),
            ("a\nERROR forged", false),
            ("a\"b", false),
            ("ä", false),
        ] {
            let given = RequestId::given(header.as_bytes());
            assert_eq!(given.is_some(), taken, "{header:?}");
            assert!(given.is_none_or(|id| id.to_string() == header), "{header:?}");
        }
    }
}
