//! Secrets as a handler reads them. The text crosses the wall and nothing else of it leaves the host.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Linker, Lower, WasmStr};

use super::Capabilities;
use crate::secrets::Found;

/// `variant error` of `wit/secrets.wit`.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
enum Error {
    #[component(name = "not-granted")]
    NotGranted(String),
    #[component(name = "unavailable")]
    Unavailable(String),
}

/// Defines `hookswitch:handler/secrets`.
pub(super) fn link<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    linker.instance("hookswitch:handler/secrets@0.1.0")?.func_wrap(
        "get",
        |mut store: StoreContextMut<'_, T>, (name,): (WasmStr,)| {
            let capabilities = store.data_mut().as_mut();
            capabilities.touch_clock();
            let values = capabilities.grants.secrets.clone();
            let name = name.to_str(&store)?;
            Ok((match values.get(&name) {
                Found::Value(value) => Ok(value.expose().to_owned()),
                Found::Unreadable => Err(Error::Unavailable(values.unreadable(&name))),
                Found::NotGranted => Err(Error::NotGranted(not_granted(&name, values.names()))),
            },))
        },
    )
}

fn not_granted<'a>(name: &str, granted: impl Iterator<Item = &'a str>) -> String {
    let granted: Vec<&str> = granted.collect();
    let has = if granted.is_empty() { "no secret".to_owned() } else { granted.join(", ") };
    let name: String = name.chars().take(80).collect();
    format!(
        "the secret {name:?} is not granted: this handler has {has}; name it in handler.toml, `secrets = [{name:?}]`"
    )
}
