//! A component that is ready to run: compiled, imports resolved, exports found.

use wasmtime::component::{ComponentExportIndex, InstancePre};

use super::store::State;

/// A component that needs nothing but a store to run. `artifact` makes it, [`Sandbox::run`](super::Sandbox::run) runs it.
pub struct Prepared {
    pub(crate) instance: InstancePre<State>,
    pub(crate) voice: Option<ComponentExportIndex>,
    pub(crate) messaging: Option<ComponentExportIndex>,
    pub(crate) events: Option<ComponentExportIndex>,
    pub(crate) imports: Vec<String>,
    pub(crate) memory_bytes_minimum: u64,
}

/// Which webhooks a component answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exports {
    /// Voice webhooks.
    pub voice: bool,
    /// Message webhooks.
    pub messaging: bool,
    /// Status callbacks.
    pub events: bool,
}

impl Prepared {
    /// Which webhooks it answers; at least one.
    #[must_use]
    pub fn exports(&self) -> Exports {
        Exports {
            voice: self.voice.is_some(),
            messaging: self.messaging.is_some(),
            events: self.events.is_some(),
        }
    }

    /// The interfaces it imports, as it names them.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// The memory it starts with, in bytes.
    #[must_use]
    pub fn memory_bytes_minimum(&self) -> u64 {
        self.memory_bytes_minimum
    }
}
