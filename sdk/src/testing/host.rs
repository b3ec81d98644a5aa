//! The host of a test: its config, secrets, clock and log, which end with the test.

use crate::log::Level;
use crate::time::Time;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State::new()) };
}

struct State {
    config: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
    log: Vec<Entry>,
    now: Option<Time>,
    /// The generator's state where the test asked for the same numbers each time.
    random: Option<u64>,
}

impl State {
    const fn new() -> Self {
        Self { config: BTreeMap::new(), secrets: BTreeMap::new(), log: Vec::new(), now: None, random: None }
    }
}

/// One entry of the handler's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// How bad it is.
    pub level: Level,
    /// What was written.
    pub message: String,
}

/// A host for the handlers that this thread runs, until it is dropped.
///
/// Without one, handlers have no config, the real clock and real randomness. The log goes to
/// standard error as well, which `cargo test` shows with a test that fails.
#[must_use = "the settings end when the host is dropped: `let host = testing::host()`"]
#[derive(Debug)]
pub struct Host {
    _private: (),
}

/// Begins a host with empty config and log.
pub fn host() -> Host {
    STATE.replace(State::new());
    Host { _private: () }
}

impl Drop for Host {
    fn drop(&mut self) {
        STATE.replace(State::new());
    }
}

impl Host {
    /// Sets a value of the `[config]` table, as text: `config("open", "9")`.
    pub fn config(self, key: &str, value: impl ToString) -> Self {
        STATE.with_borrow_mut(|state| state.config.insert(key.to_owned(), value.to_string()));
        self
    }

    /// Grants a secret.
    pub fn secret(self, name: &str, value: &str) -> Self {
        STATE.with_borrow_mut(|state| state.secrets.insert(name.to_owned(), value.to_owned()));
        self
    }

    /// Stops the clock at `now`.
    pub fn at(self, now: Time) -> Self {
        STATE.with_borrow_mut(|state| state.now = Some(now));
        self
    }

    /// Makes `random` give the same numbers in each run.
    pub fn seed(self, seed: u64) -> Self {
        STATE.with_borrow_mut(|state| state.random = Some(seed));
        self
    }

    /// What handlers logged so far.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        STATE.with_borrow(|state| state.log.clone())
    }

    /// Whether an entry of this level contains `text`.
    #[must_use]
    pub fn logged(&self, level: Level, text: &str) -> bool {
        self.log().iter().any(|entry| entry.level == level && entry.message.contains(text))
    }
}

pub(crate) fn write_log(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
    let message = message.to_owned();
    STATE.with_borrow_mut(|state| state.log.push(Entry { level, message }));
}

pub(crate) fn config(key: &str) -> Option<String> {
    STATE.with_borrow(|state| state.config.get(key).cloned())
}

pub(crate) fn config_all() -> Vec<(String, String)> {
    STATE.with_borrow(|state| state.config.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}

pub(crate) fn secret(name: &str) -> Result<String, String> {
    STATE.with_borrow(|state| state.secrets.get(name).cloned()).ok_or_else(|| {
        format!("the secret {name:?} is not granted; in a test, `testing::host().secret({name:?}, …)`")
    })
}

pub(crate) fn now() -> Time {
    STATE.with_borrow(|state| state.now).unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::from_unix_ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    })
}

pub(crate) fn random_u64() -> u64 {
    STATE.with_borrow_mut(|state| match &mut state.random {
        Some(random) => split_mix(random),
        // Each `RandomState` has a key of its own: random enough for tests, without a dependency.
        None => split_mix(&mut RandomState::new().hash_one(0)),
    })
}

pub(crate) fn random_bytes(len: usize) -> Vec<u8> {
    let words = std::iter::repeat_with(random_u64).flat_map(u64::to_le_bytes);
    words.take(len).collect()
}

/// The generator SplitMix64 (Steele, Lea and Flood 2014): one step, one output.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, log, random, secrets, time};

    #[test]
    fn a_host_ends_with_its_scope() {
        {
            let host = host().config("seats", 4).at(Time::from_unix_seconds(7)).seed(1);
            assert_eq!(config::get_as::<u32>("seats").unwrap(), Some(4));
            assert_eq!(time::now().unix_seconds(), 7);
            log::warn!("{} left", 1);
            assert!(host.logged(Level::Warn, "1 left"));
            assert!(!host.logged(Level::Info, "1 left"));
        }
        assert_eq!(config::get("seats"), None);
        assert!(time::now().unix_seconds() > 1_700_000_000);
        assert!(host().log().is_empty());
    }

    #[test]
    fn a_secret_is_had_where_it_is_granted() {
        let _host = host().secret("crm-key", "x1");
        assert_eq!(secrets::get("crm-key").unwrap(), "x1");
        assert_eq!(secrets::get("other").unwrap_err().message(), "secrets: other");
    }

    #[test]
    fn a_seed_repeats_itself() {
        let draw = || {
            let _host = host().seed(42);
            (random::u64(), random::bytes(20))
        };
        assert_eq!(draw(), draw());
    }

    #[test]
    fn a_config_value_of_the_wrong_type_is_named() {
        let _host = host().config("seats", "four");
        let error = config::get_as::<u32>("seats").unwrap_err();
        assert_eq!(error.message(), r#"config: seats is "four""#);
        assert_eq!(error.causes(), ["invalid digit found in string"]);
        assert_eq!(config::all(), [("seats".to_owned(), "four".to_owned())]);
    }
}
