//! The settings of a revision as its handler reads them.
//!
//! Made once per revision and shared by all its invocations: reading a value copies text into the guest and
//! nothing on the host.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmStr};

use super::Capabilities;

/// Keys with their values, sorted by key. Cloning costs a counter.
#[derive(Debug, Clone)]
pub struct ConfigValues(Arc<[(Arc<str>, Arc<str>)]>);

impl Default for ConfigValues {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for ConfigValues {
    /// A key that comes twice has the later value.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(values: I) -> Self {
        let sorted: std::collections::BTreeMap<Arc<str>, Arc<str>> =
            values.into_iter().map(|(key, value)| (key.as_ref().into(), value.as_ref().into())).collect();
        Self(sorted.into_iter().collect())
    }
}

impl ConfigValues {
    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Arc<str>> {
        let at = self.0.binary_search_by(|(found, _)| (**found).cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }
}

/// Defines `hookswitch:handler/config`.
pub(super) fn link<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    let mut config = linker.instance("hookswitch:handler/config@0.1.0")?;
    config.func_wrap("get", |mut store: StoreContextMut<'_, T>, (key,): (WasmStr,)| {
        let capabilities = store.data_mut().as_mut();
        capabilities.touch_clock();
        let values = capabilities.grants.config.clone();
        let key = key.to_str(&store)?;
        Ok((values.get(&key).cloned(),))
    })?;
    config.func_wrap("all", |mut store: StoreContextMut<'_, T>, (): ()| {
        let capabilities = store.data_mut().as_mut();
        capabilities.touch_clock();
        Ok((capabilities.grants.config.0.clone(),))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_key_and_the_later_of_two_wins() {
        let values: ConfigValues = [("b", "2"), ("a", "1"), ("c", "3"), ("a", "4")].into_iter().collect();
        assert_eq!(values.get("a").map(|v| &**v), Some("4"));
        assert_eq!(values.get("c").map(|v| &**v), Some("3"));
        assert_eq!(values.get("d"), None);
        assert_eq!(values.0.len(), 3);
        assert_eq!(ConfigValues::default().get("a"), None);
    }
}
