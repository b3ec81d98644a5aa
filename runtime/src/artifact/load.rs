//! Bytes → [`Prepared`], or a refusal that says what to change.
//!
//! Whatever can be found wrong before a caller is on the line is found here: what the bytes are, which imports the host
//! does not offer, which export is missing or has other types, memory beyond the limit. Nothing is filled in for what
//! is missing: a component that loads has all it asked for.

use wasmparser::{Parser, Payload};
use wasmtime::component::{Component, InstancePre};

use super::precheck::{Limit, PrecheckError, StructureLimits, precheck};
use crate::capability::{OFFERED, may_wait, offers};
use crate::sandbox::{Events, Export, Interface, Limits, Messaging, Prepared, Sandbox, Start, State, Voice};

/// Why a component can't be loaded. The text is for its author.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are no component, or one whose structure is beyond the limits.
    #[error(transparent)]
    Structure(#[from] PrecheckError),
    /// The structure is sound and the compiler refuses what it holds.
    #[error("the component is not valid: {0:#}")]
    Invalid(wasmtime::Error),
    /// Imports that the host does not offer.
    #[error(
        "the component imports what the host does not offer: {}; a handler may import {}",
        .missing.join(", "),
        offered()
    )]
    UnknownImports {
        /// Each of them.
        missing: Vec<String>,
    },
    /// An import of a known name with other functions or types.
    #[error("an import does not have the form that the host offers: {0:#}")]
    ImportType(wasmtime::Error),
    /// Nothing to call.
    #[error(
        "the component exports nothing that the host calls: expected {}, {} or {}, found {}",
        Voice::NAME,
        Messaging::NAME,
        Events::NAME,
        list(.found)
    )]
    NoExport {
        /// What it exports instead.
        found: Vec<String>,
    },
    /// An export of a known name with another function or other types.
    #[error("the export {interface} does not have the form of the contract: {cause:#}")]
    ExportType {
        /// Which.
        interface: &'static str,
        /// How it differs.
        cause: wasmtime::Error,
    },
    /// It would not even start.
    #[error(
        "the component starts with {needed_kib} KiB of memory, its limit is {limit_kib} KiB; raise `memory_mib` or \
         build it with less initial memory"
    )]
    Memory {
        /// What it starts with, in KiB.
        needed_kib: u64,
        /// What it may have, in KiB.
        limit_kib: u64,
    },
}

fn offered() -> String {
    let names: Vec<String> =
        OFFERED.iter().map(|offered| format!("{}@{}", offered.name, offered.version)).collect();
    names.join(", ")
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

impl Sandbox {
    /// Compiles and links a component. Takes as long as a compiler takes: milliseconds for a small handler, half a
    /// minute for a language runtime, so call it where blocking is allowed.
    ///
    /// # Errors
    /// [`LoadError`], each naming what was found and what is accepted.
    pub fn load(&self, bytes: &[u8]) -> Result<Prepared, LoadError> {
        // Before anything else reads the bytes: the parser behind the compiler recurses without a bound of its own.
        let most = StructureLimits::default().with(Limit::Memory, self.memory_bytes_max);
        let structure = precheck(bytes, &most)?;
        let component = Component::from_binary(&self.engine, bytes).map_err(LoadError::Invalid)?;
        let component_type = component.component_type();
        let imports: Vec<String> =
            component_type.imports(&self.engine).map(|(name, _)| name.to_owned()).collect();
        let missing: Vec<String> = imports.iter().filter(|name| !offers(name)).cloned().collect();
        if !missing.is_empty() {
            return Err(LoadError::UnknownImports { missing });
        }
        let instance = self.linker.instantiate_pre(&component).map_err(LoadError::ImportType)?;
        let prepared = Prepared {
            voice: export::<Voice>(&instance)?,
            messaging: export::<Messaging>(&instance)?,
            events: export::<Events>(&instance)?,
            start: start(bytes, &imports),
            instance,
            imports,
            memory_bytes_minimum: structure.found(Limit::Memory),
        };
        if prepared.voice.is_none() && prepared.messaging.is_none() && prepared.events.is_none() {
            let found = component_type.exports(&self.engine).map(|(name, _)| name.to_owned()).collect();
            return Err(LoadError::NoExport { found });
        }
        Ok(prepared)
    }
}

impl Prepared {
    /// Whether it starts within these limits.
    ///
    /// # Errors
    /// [`LoadError::Memory`] with what it needs and what it may have.
    pub fn fits(&self, limits: &Limits) -> Result<(), LoadError> {
        if self.memory_bytes_minimum > limits.memory_bytes() {
            return Err(LoadError::Memory {
                needed_kib: self.memory_bytes_minimum >> 10,
                limit_kib: limits.memory_bytes() >> 10,
            });
        }
        Ok(())
    }
}

/// Finds an export, and says which one it was that is not as the contract has it.
fn export<I: Interface>(instance: &InstancePre<State>) -> Result<Option<Export<I>>, LoadError> {
    Export::find(instance).map_err(|cause| LoadError::ExportType { interface: I::NAME, cause })
}

/// Whether making an instance runs code of the guest's own.
fn start(bytes: &[u8], imports: &[String]) -> Start {
    let runs = Parser::new(0).parse_all(bytes).any(|payload| {
        // What can't be read here would not have been compiled; and to be careful costs a fraction of a microsecond.
        matches!(payload, Err(_) | Ok(Payload::StartSection { .. } | Payload::ComponentStartSection { .. }))
    });
    if runs || imports.iter().any(|name| may_wait(name)) { Start::Running } else { Start::Still }
}
