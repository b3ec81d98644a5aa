//! Connection overrides: what an author writes behind the `#` of a webhook's URL.
//!
//! `ct` and `sni` are let pass: they are about connections, which are the line's.

/// How long and how often the carrier tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Overrides {
    pub(super) read_ms: u64,
    pub(super) total_ms: u64,
    pub(super) retries: u32,
    pub(super) policy: Vec<Retry>,
}

/// What is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    ClientError,
    ServerError,
    Connect,
    Read,
}

impl Default for Overrides {
    fn default() -> Self {
        Self { read_ms: 15_000, total_ms: 15_000, retries: 1, policy: vec![Retry::Connect] }
    }
}

/// Edges that anybody may name; those that end in `-ix` need a line of one's own.
const EDGES: [&str; 8] =
    ["ashburn", "dublin", "frankfurt", "sao-paulo", "singapore", "sydney", "tokyo", "umatilla"];
const EDGES_IX: [&str; 5] = ["ashburn-ix", "frankfurt-ix", "london-ix", "san-jose-ix", "singapore-ix"];

impl Overrides {
    /// Reads the fragment of a URL. A number outside its range is brought into it.
    ///
    /// # Errors
    /// The carrier's code and why: 11240, 11242 for an edge, 11243 for a retry policy.
    pub(super) fn read(fragment: &str) -> Result<Self, (u16, String)> {
        let mut read = Self::default();
        for (key, value) in fragment.split('&').filter_map(|pair| pair.split_once('=')) {
            let within = |low: u64, high: u64, default: u64| {
                value.parse::<u64>().map_or(default, |number| number.clamp(low, high))
            };
            match key {
                "rt" => read.read_ms = within(100, 15_000, read.read_ms),
                "tt" => read.total_ms = within(100, 15_000, read.total_ms),
                "rc" => read.retries = u32::try_from(within(0, 5, 1)).unwrap_or(1),
                "rp" => read.policy = policy(value)?,
                "e" => edges(value)?,
                _ => {}
            }
        }
        Ok(read)
    }
}

fn policy(value: &str) -> Result<Vec<Retry>, (u16, String)> {
    let mut policy = Vec::new();
    for word in value.split(',') {
        match word {
            "4xx" => policy.push(Retry::ClientError),
            "5xx" => policy.push(Retry::ServerError),
            "ct" => policy.push(Retry::Connect),
            "rt" => policy.push(Retry::Read),
            "all" => {
                policy.extend([Retry::ClientError, Retry::ServerError, Retry::Connect, Retry::Read]);
            }
            _ => {
                return Err((11243, format!("`rp={value}`: {word:?} is none of 4xx, 5xx, ct, rt, all")));
            }
        }
    }
    Ok(policy)
}

fn edges(value: &str) -> Result<(), (u16, String)> {
    for word in value.split(',') {
        if EDGES_IX.contains(&word) {
            return Err((11242, format!("`e={word}` needs an interconnect of one's own")));
        }
        if !EDGES.contains(&word) {
            return Err((11240, format!("`e={value}`: there is no edge {word:?}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_read_and_bad_ones_named() {
        let read = Overrides::read("rc=3&rp=ct,rt&tt=12000&rt=1").unwrap();
        assert_eq!((read.retries, read.total_ms, read.read_ms), (3, 12_000, 100));
        assert_eq!(read.policy, [Retry::Connect, Retry::Read]);
        assert_eq!(Overrides::read("").unwrap(), Overrides::default());
        for (fragment, code) in
            [("rp=6xx", 11243), ("e=mars", 11240), ("e=ashburn,london-ix", 11242), ("rp=", 11243)]
        {
            assert_eq!(Overrides::read(fragment).unwrap_err().0, code, "{fragment}");
        }
    }
}
