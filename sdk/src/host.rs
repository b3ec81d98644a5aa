//! What stands behind `log`, `config`, `secrets`, `session`, `store`, `carrier`, `time`, `random` and `http`: the host in a component, the values of
//! [`testing`](crate::testing) where a handler is tested natively.

#[cfg(target_arch = "wasm32")]
pub(crate) use crate::http::component::send_http;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::{carrier::*, host::*};
#[cfg(target_arch = "wasm32")]
pub(crate) use component::*;

#[cfg(target_arch = "wasm32")]
mod component {
    use crate::bindings::imports::{hookswitch::handler, wasi};
    use crate::log::Level;
    use crate::time::Time;

    pub(crate) fn write_log(level: Level, message: &str) {
        handler::log::write(level, message);
    }

    pub(crate) fn config(key: &str) -> Option<String> {
        handler::config::get(key)
    }

    pub(crate) fn config_all() -> Vec<(String, String)> {
        handler::config::all()
    }

    pub(crate) use handler::carrier::{
        access_token, buy_number, configure_number, configure_short_code, delete_recording, find_number,
        find_recording, later, place, recording_audio, release_number, search_numbers, send, short_codes,
        take_back, update,
    };

    pub(crate) fn secret(name: &str) -> Result<String, String> {
        handler::secrets::get(name).map_err(|error| match error {
            handler::secrets::Error::NotGranted(why) | handler::secrets::Error::Unavailable(why) => why,
        })
    }

    pub(crate) fn now() -> Time {
        let now = wasi::clocks::wall_clock::now();
        let ms = now.seconds.saturating_mul(1000);
        Time::from_unix_ms(ms.saturating_add(u64::from(now.nanoseconds / 1_000_000)))
    }

    pub(crate) fn random_u64() -> u64 {
        wasi::random::random::get_random_u64()
    }

    pub(crate) fn random_bytes(len: usize) -> Vec<u8> {
        wasi::random::random::get_random_bytes(len as u64)
    }

    pub(crate) mod session {
        use crate::bindings::imports::hookswitch::handler::session;
        use crate::storage::StorageError;

        pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>, StorageError> {
            Ok(session::get(key)?)
        }

        pub(crate) fn set(key: &str, value: &[u8], ttl_s: Option<u32>) -> Result<(), StorageError> {
            Ok(session::set(key, value, ttl_s)?)
        }

        pub(crate) fn delete(key: &str) -> Result<bool, StorageError> {
            Ok(session::delete(key)?)
        }

        pub(crate) fn keys(prefix: &str) -> Result<Vec<String>, StorageError> {
            Ok(session::keys(prefix)?)
        }

        pub(crate) fn add(key: &str, by: i64, ttl_s: Option<u32>) -> Result<i64, StorageError> {
            Ok(session::add(key, by, ttl_s)?)
        }

        pub(crate) fn swap(
            key: &str,
            expected: Option<&[u8]>,
            new: Option<&[u8]>,
            ttl_s: Option<u32>,
        ) -> Result<bool, StorageError> {
            Ok(session::swap(key, expected, new, ttl_s)?)
        }
    }

    pub(crate) mod store {
        use crate::bindings::imports::hookswitch::handler::store;
        use crate::storage::StorageError;
        use crate::store::Page;

        pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>, StorageError> {
            Ok(store::get(key)?)
        }

        pub(crate) fn set(key: &str, value: &[u8], ttl_s: Option<u32>) -> Result<(), StorageError> {
            Ok(store::set(key, value, ttl_s)?)
        }

        pub(crate) fn delete(key: &str) -> Result<bool, StorageError> {
            Ok(store::delete(key)?)
        }

        pub(crate) fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Page, StorageError> {
            let page = store::keys(prefix, after, limit)?;
            Ok(Page { keys: page.keys, next: page.next })
        }

        pub(crate) fn add(key: &str, by: i64, ttl_s: Option<u32>) -> Result<i64, StorageError> {
            Ok(store::add(key, by, ttl_s)?)
        }

        pub(crate) fn swap(
            key: &str,
            expected: Option<&[u8]>,
            new: Option<&[u8]>,
            ttl_s: Option<u32>,
        ) -> Result<bool, StorageError> {
            Ok(store::swap(key, expected, new, ttl_s)?)
        }
    }
}
