//! A component that is ready to run: compiled, imports resolved, exports found.

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use super::export::{Events, Export, Interface as _, Messaging, Voice};
use super::store::State;
use super::web::Web;

/// A component that needs nothing but a store to run. `artifact` makes it, [`Sandbox::run`](super::Sandbox::run) runs it.
pub struct Prepared {
    pub(crate) instance: InstancePre<State>,
    /// How its instances are made.
    pub(crate) start: Start,
    pub(crate) voice: Option<Export<Voice>>,
    pub(crate) messaging: Option<Export<Messaging>>,
    pub(crate) events: Option<Export<Events>>,
    pub(crate) web: Option<Web>,
    pub(crate) imports: Vec<String>,
    /// Whether it imports the session, which is then read for each webhook.
    pub(crate) has_session: bool,
    /// Whether one of them is `carrier`.
    pub(crate) acts_at_carrier: bool,
    pub(crate) memory_bytes_minimum: u64,
}

/// How instances of a component are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Start {
    /// At once: no code of the guest's own runs, only tables and memories are filled.
    Still,
    /// On a stack of their own, with turns for the neighbours: it has a start function, or an import that may wait.
    Running,
}

/// Which webhooks a component answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exports {
    /// Voice webhooks.
    pub voice: bool,
    /// Message webhooks.
    pub messaging: bool,
    /// Status callbacks, and runs of schedules.
    pub events: bool,
    /// Web requests.
    pub web: bool,
}

impl Exports {
    /// The names of the interfaces, sorted.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        let all = [
            (self.events, Events::NAME),
            (self.messaging, Messaging::NAME),
            (self.voice, Voice::NAME),
            (self.web, Web::NAME),
        ];
        all.into_iter().filter(|(exported, _)| *exported).map(|(_, name)| name.to_owned()).collect()
    }
}

impl Prepared {
    /// Makes an instance.
    pub(super) async fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Instance> {
        match self.start {
            Start::Still => {
                store.data_mut().cpu.hold(true);
                let instance = self.instance.instantiate(&mut *store);
                store.data_mut().cpu.hold(false);
                instance
            }
            Start::Running => self.instance.instantiate_async(store).await,
        }
    }

    /// Which webhooks it answers; at least one.
    #[must_use]
    pub fn exports(&self) -> Exports {
        Exports {
            voice: self.voice.is_some(),
            messaging: self.messaging.is_some(),
            events: self.events.is_some(),
            web: self.web.is_some(),
        }
    }

    /// The interfaces it imports, as it names them.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Whether its invocations can ask something of their carrier.
    #[must_use]
    pub fn acts_at_carrier(&self) -> bool {
        self.acts_at_carrier
    }

    /// The memory it starts with, in bytes.
    #[must_use]
    pub fn memory_bytes_minimum(&self) -> u64 {
        self.memory_bytes_minimum
    }
}
