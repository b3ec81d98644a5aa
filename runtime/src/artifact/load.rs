//! Bytes → [`Prepared`], or a refusal that says what to change.
//!
//! Whatever can be found wrong before a caller is on the line is found here: what the bytes are, which imports the host
//! does not offer, which export is missing or has other types, memory beyond the limit. Nothing is filled in for what
//! is missing: a component that loads has all it asked for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use wasmparser::{Parser, Payload};
use wasmtime::component::{Component, InstancePre};

use super::precheck::{Limit, PrecheckError, RefusalKind, StructureLimits, precheck};
use crate::capability::{OFFERED, acts_at_carrier, is_session, may_wait, offers};
use crate::sandbox::{
    Events, Export, Exports, Interface, Limits, Messaging, Prepared, Sandbox, Start, State, Voice, Web,
};

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
        "the component exports nothing that the host calls: expected {}, {}, {} or {}, found {}",
        Voice::NAME,
        Messaging::NAME,
        Events::NAME,
        Web::NAME,
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

impl LoadError {
    /// The stable word for what refused it: `invalid`, `unsupported`, `import`, `export` or `limit:NAME`.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Structure(error) => match error.kind() {
                RefusalKind::Invalid | RefusalKind::Unsupported => error.kind().to_string(),
                RefusalKind::Limit => error.name(),
            },
            Self::Invalid(_) => RefusalKind::Invalid.to_string(),
            Self::UnknownImports { .. } | Self::ImportType(_) => "import".to_owned(),
            Self::NoExport { .. } | Self::ExportType { .. } => "export".to_owned(),
            Self::Memory { .. } => format!("{}:{}", RefusalKind::Limit, Limit::Memory.name()),
        }
    }
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
    /// minute for a language runtime, so call it where blocking is allowed. A sandbox with [`Compile::Never`] refuses.
    ///
    /// [`Compile::Never`]: crate::sandbox::Compile::Never
    ///
    /// # Errors
    /// [`LoadError`], each naming what was found and what is accepted.
    pub fn load(&self, bytes: &[u8]) -> Result<Prepared, LoadError> {
        let (component, facts) = self.compile_here(bytes)?;
        self.prepare(&component, facts)
    }

    /// As [`Sandbox::compile`], in a process that has more to do than that.
    ///
    /// # Errors
    /// As there.
    pub(super) fn compile_here(&self, bytes: &[u8]) -> Result<(Component, Facts), LoadError> {
        // The compiler panics over some components that join others; in a jail that ends the child, here it would end `dev`.
        let compiled = catch_unwind(AssertUnwindSafe(|| self.compile(bytes)));
        compiled.unwrap_or_else(|_| {
            Err(LoadError::Invalid(wasmtime::Error::msg(
                "the compiler can't compile how it joins components",
            )))
        })
    }

    /// Compiles a component whose structure is within the limits and whose imports the host has.
    ///
    /// # Errors
    /// [`LoadError`] for structure, imports and whatever the compiler refuses.
    pub(super) fn compile(&self, bytes: &[u8]) -> Result<(Component, Facts), LoadError> {
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
        let start = start(bytes, &imports);
        let memory_bytes_minimum = structure.found(Limit::Memory);
        Ok((component, Facts { start, memory_bytes_minimum, imports }))
    }

    /// Links a component and finds its exports.
    ///
    /// # Errors
    /// [`LoadError`] for imports and exports of another form, and where there is nothing to call.
    pub(super) fn prepare(&self, component: &Component, facts: Facts) -> Result<Prepared, LoadError> {
        let instance = self.linker.instantiate_pre(component).map_err(LoadError::ImportType)?;
        let prepared = Prepared {
            voice: export::<Voice>(&instance)?,
            messaging: export::<Messaging>(&instance)?,
            events: export::<Events>(&instance)?,
            web: Web::find(&instance)
                .map_err(|cause| LoadError::ExportType { interface: Web::NAME, cause })?,
            start: facts.start,
            instance,
            has_session: facts.imports.iter().any(|import| is_session(import)),
            acts_at_carrier: acts_at_carrier(&facts.imports),
            imports: facts.imports,
            memory_bytes_minimum: facts.memory_bytes_minimum,
        };
        if prepared.exports() == Exports::default() {
            let found =
                component.component_type().exports(&self.engine).map(|(name, _)| name.to_owned()).collect();
            return Err(LoadError::NoExport { found });
        }
        Ok(prepared)
    }
}

/// What loading needs to know and only the component's own bytes tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// How its instances are made.
    pub start: Start,
    /// The memory it starts with, in bytes.
    pub memory_bytes_minimum: u64,
    /// The interfaces it imports, as it names them.
    pub imports: Vec<String>,
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
