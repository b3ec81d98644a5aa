//! The host of a test: its config, secrets, session, store, clock and log, which end with the test.

use super::http::Services;
use super::storage::Table;
use crate::http::{Answered, ErrorKind, Sent, Target};
use crate::log::Level;
use crate::time::Time;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State::new()) };
}

struct State {
    /// Whether a test holds it.
    is_there: bool,
    config: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
    log: Vec<Entry>,
    session: Table,
    store: Table,
    now: Option<Time>,
    /// The generator's state where the test asked for the same numbers each time.
    random: Option<u64>,
    services: Services,
}

impl State {
    const fn new() -> Self {
        Self {
            is_there: false,
            config: BTreeMap::new(),
            secrets: BTreeMap::new(),
            log: Vec::new(),
            session: Table::new(),
            store: Table::new(),
            now: None,
            random: None,
            services: Services::new(),
        }
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

/// Begins a host with empty config and log. There is one at a time on each thread.
///
/// # Panics
/// While an earlier one is there: what it was told would silently be gone.
pub fn host() -> Host {
    let earlier = STATE.replace(State { is_there: true, ..State::new() }).is_there;
    assert!(!earlier, "an earlier testing::host() is still there; drop it before the next one begins");
    super::carrier::reset();
    Host { _private: () }
}

impl Drop for Host {
    fn drop(&mut self) {
        STATE.replace(State::new());
        super::carrier::reset();
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

    /// Lets the clock go on by so much, for values that expire; it stands still from then on.
    pub fn wait(&self, time: Duration) {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let now = Time::from_unix_ms(now().unix_ms().saturating_add(ms));
        STATE.with_borrow_mut(|state| state.now = Some(now));
    }

    /// Begins another conversation: its session is empty, the store is as it was.
    pub fn new_session(&self) {
        STATE.with_borrow_mut(|state| state.session = Table::new());
    }

    /// Makes `random` give the same numbers in each run.
    pub fn seed(self, seed: u64) -> Self {
        STATE.with_borrow_mut(|state| state.random = Some(seed));
        self
    }

    /// Answers a request of the handler: `answers("GET https://api.example.com/leads", 200, "{}")`. Parameters of the URL do
    /// not count here, [`requests`](Self::requests) has them. Of several answers to the same each is given once, in order,
    /// and the last one from then on.
    pub fn answers(self, asked: &str, status: u16, body: impl Into<Vec<u8>>) -> Self {
        STATE.with_borrow_mut(|state| state.services.answer(asked, status, body.into()));
        self
    }

    /// Lets a request of the handler fail: `fails("GET https://api.example.com/leads", ErrorKind::Timeout)`.
    pub fn fails(self, asked: &str, kind: ErrorKind) -> Self {
        STATE.with_borrow_mut(|state| state.services.fail(asked, kind));
        self
    }

    /// The requests that handlers made so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Sent> {
        STATE.with_borrow(|state| state.services.requests.clone())
    }

    /// What handlers asked their carrier for so far.
    #[must_use]
    pub fn outward(&self) -> Vec<super::Outward> {
        super::carrier::asked()
    }

    /// Makes the carrier answer everything that would change something with `error` from now on.
    pub fn refuse(&self, error: crate::carrier::CarrierError) {
        super::carrier::refuse(error);
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

pub(crate) fn send_http(sent: &Sent, target: &Target<'_>) -> Answered {
    STATE.with_borrow_mut(|state| state.services.send(sent, target))
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

/// `session` of this thread's host.
pub(crate) mod session {
    use super::STATE;
    use crate::storage::StorageError;
    use crate::testing::storage::{SESSION, Table, expiry};
    use crate::time::Time;

    fn with<T>(act: impl FnOnce(&mut Table, Time) -> T) -> T {
        let now = super::now();
        STATE.with_borrow_mut(|state| act(state.session.at(now), now))
    }

    pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        with(|table, _| table.get(key))
    }

    pub(crate) fn set(key: &str, value: &[u8], ttl_s: Option<u32>) -> Result<(), StorageError> {
        with(|table, now| table.set(SESSION, key, value, expiry(ttl_s, now)?))
    }

    pub(crate) fn delete(key: &str) -> Result<bool, StorageError> {
        with(|table, _| table.delete(key))
    }

    pub(crate) fn keys(prefix: &str) -> Result<Vec<String>, StorageError> {
        Ok(with(|table, _| table.keys(prefix, None, usize::MAX)).keys)
    }

    pub(crate) fn add(key: &str, by: i64, ttl_s: Option<u32>) -> Result<i64, StorageError> {
        with(|table, now| table.add(SESSION, key, by, expiry(ttl_s, now)?))
    }

    pub(crate) fn swap(
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
        ttl_s: Option<u32>,
    ) -> Result<bool, StorageError> {
        with(|table, now| table.swap(SESSION, key, expected, new, expiry(ttl_s, now)?))
    }
}

/// `store` of this thread's host.
pub(crate) mod store {
    use super::STATE;
    use crate::storage::StorageError;
    use crate::store::Page;
    use crate::testing::storage::{STORE, Table, expiry};
    use crate::time::Time;

    fn with<T>(act: impl FnOnce(&mut Table, Time) -> T) -> T {
        let now = super::now();
        STATE.with_borrow_mut(|state| act(state.store.at(now), now))
    }

    pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        with(|table, _| table.get(key))
    }

    pub(crate) fn set(key: &str, value: &[u8], ttl_s: Option<u32>) -> Result<(), StorageError> {
        with(|table, now| table.set(STORE, key, value, expiry(ttl_s, now)?))
    }

    pub(crate) fn delete(key: &str) -> Result<bool, StorageError> {
        with(|table, _| table.delete(key))
    }

    pub(crate) fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Page, StorageError> {
        if !(1..=1_000).contains(&limit) {
            return Err(StorageError::Invalid(format!("the limit is {limit}; use 1 to 1000")));
        }
        Ok(with(|table, _| table.keys(prefix, after, limit as usize)))
    }

    pub(crate) fn add(key: &str, by: i64, ttl_s: Option<u32>) -> Result<i64, StorageError> {
        with(|table, now| table.add(STORE, key, by, expiry(ttl_s, now)?))
    }

    pub(crate) fn swap(
        key: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
        ttl_s: Option<u32>,
    ) -> Result<bool, StorageError> {
        with(|table, now| table.swap(STORE, key, expected, new, expiry(ttl_s, now)?))
    }
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
    use crate::{config, log, random, secrets, session, store, time};

    #[test]
    #[should_panic(expected = "an earlier testing::host() is still there")]
    fn two_hosts_at_once_are_refused() {
        let _one = host().config("open", 9);
        let _other = host();
    }

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
    fn sessions_and_stores_are_there_and_end_with_the_host() {
        let host = host().at(Time::from_unix_seconds(7));
        session::set("step", "menu").unwrap();
        assert_eq!(session::add_for("tries", 2, Duration::from_secs(60)).unwrap(), 2);
        assert_eq!(session::get_as::<i64>("tries").unwrap(), Some(2));
        assert!(session::swap("step", Some(b"menu"), Some(b"sales")).unwrap());
        assert!(!session::swap("step", Some(b"menu"), None).unwrap());
        assert_eq!(session::keys("").unwrap(), ["step", "tries"]);
        for name in ["a", "b", "c", "x"] {
            store::set(&format!("list/{name}"), name).unwrap();
        }
        let page = store::keys("list/", None, 3).unwrap();
        assert_eq!((page.keys.len(), page.next.as_deref()), (3, Some("list/c")));
        let rest = store::keys("list/", page.next.as_deref(), 3).unwrap();
        assert_eq!((rest.keys, rest.next), (vec!["list/x".to_owned()], None));
        host.wait(Duration::from_secs(60));
        assert_eq!(session::get("tries").unwrap(), None);
        host.new_session();
        assert_eq!(session::get("step").unwrap(), None);
        assert_eq!(store::get("list/a").unwrap().as_deref(), Some(&b"a"[..]));
        let too_large = session::set("large", [0; 65_536]).unwrap_err();
        assert!(matches!(too_large, session::StorageError::TooLarge(_)), "{too_large}");
        for refused in [
            store::set("large", vec![0; 5 << 20]),
            store::set_for("large", vec![0; 65_537], Duration::from_secs(60)),
            store::swap("large", None, Some(&[0; 65_537])).map(|_| ()),
            session::swap("step", Some(&[0; 65_537]), None).map(|_| ()),
        ] {
            let refused = refused.unwrap_err();
            assert!(matches!(refused, session::StorageError::TooLarge(_)), "{refused}");
            assert!(refused.to_string().ends_with("bytes; use 65536 or fewer"), "{refused}");
        }
        drop(host);
        assert_eq!(store::get("list/a").unwrap(), None);
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
