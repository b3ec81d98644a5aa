//! What stands behind `log`, `config`, `secrets`, `time` and `random`: the host in a component, the values of
//! [`testing`](crate::testing) where a handler is tested natively.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::host::*;
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
}
