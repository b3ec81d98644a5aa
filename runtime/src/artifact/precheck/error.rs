//! Why a file is refused: what was found, where, and what its author can do.

use std::fmt;

use super::limits::Limit;

/// Where in the file something was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Which core module, counted from 0 in the order of the file; `None` at component level.
    pub module: Option<u32>,
    /// Which function, by its index in that module (imported functions come first).
    pub function: Option<u32>,
    /// Byte offset from the start of the file.
    pub offset: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(module) = self.module {
            write!(out, "core module {module}, ")?;
        }
        if let Some(function) = self.function {
            write!(out, "function {function}, ")?;
        }
        write!(out, "byte {}", self.offset)
    }
}

/// The three ways to be refused; each is an outcome of a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// Not a component at all, or a damaged one.
    Invalid,
    /// A sound file that uses something this host leaves out.
    Unsupported,
    /// More of something than is allowed.
    Limit,
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            RefusalKind::Invalid => "invalid",
            RefusalKind::Unsupported => "unsupported",
            RefusalKind::Limit => "limit",
        })
    }
}

/// What the host leaves out, by the name of the proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// A core module where a component is due.
    CoreModule,
    /// 64-bit memories and tables.
    Memory64,
    /// Shared memories and atomic instructions.
    Threads,
    /// Struct, array and other collected types, `externref` among them.
    Gc,
    /// Tags, throwing and catching.
    Exceptions,
    /// `return_call` and its kin.
    TailCall,
    /// More than one memory in a core module.
    MultiMemory,
    /// Vector instructions whose result depends on the machine.
    RelaxedSimd,
    /// Continuations.
    StackSwitching,
    /// Memories with pages of another size than 64 KiB.
    CustomPageSizes,
    /// References to functions of a stated type.
    FunctionReferences,
    /// 128-bit arithmetic.
    WideArithmetic,
    /// `memory.discard`.
    MemoryControl,
    /// Imports grouped by module.
    CompactImports,
    /// Async functions, streams, futures and what belongs to them.
    ComponentModelAsync,
    /// Modules and components as imports, aliases or arguments.
    ImportedModules,
    /// A start function of a component.
    ComponentStart,
}

impl Feature {
    /// The stable name, as in `this host does not support memory64`.
    pub fn name(self) -> &'static str {
        match self {
            Feature::CoreModule => "core-module",
            Feature::Memory64 => "memory64",
            Feature::Threads => "threads",
            Feature::Gc => "gc",
            Feature::Exceptions => "exceptions",
            Feature::TailCall => "tail-call",
            Feature::MultiMemory => "multi-memory",
            Feature::RelaxedSimd => "relaxed-simd",
            Feature::StackSwitching => "stack-switching",
            Feature::CustomPageSizes => "custom-page-sizes",
            Feature::FunctionReferences => "function-references",
            Feature::WideArithmetic => "wide-arithmetic",
            Feature::MemoryControl => "memory-control",
            Feature::CompactImports => "compact-imports",
            Feature::ComponentModelAsync => "component-model-async",
            Feature::ImportedModules => "imported-modules",
            Feature::ComponentStart => "component-start",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Feature::CoreModule => {
                "this is a core module; make it a component with `hookswitch build` (or `wasm-tools component new`)"
            }
            Feature::Memory64 => "build for wasm32",
            Feature::Threads => "build without threads and atomics",
            Feature::ComponentModelAsync => "build for WASI 0.2 with synchronous exports",
            Feature::ImportedModules => "contain the module or component instead of importing it",
            Feature::ComponentStart => "start in the first call instead",
            Feature::MultiMemory => "link into one memory",
            Feature::Exceptions => "build with panics that abort and without C++ exceptions",
            Feature::Gc
            | Feature::TailCall
            | Feature::RelaxedSimd
            | Feature::StackSwitching
            | Feature::CustomPageSizes
            | Feature::FunctionReferences
            | Feature::WideArithmetic
            | Feature::MemoryControl
            | Feature::CompactImports => "turn the target feature off in the compiler",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Why a file cannot be a handler's component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrecheckError {
    /// Empty, cut off, damaged, or another kind of file.
    #[error("not a sound WebAssembly component ({place}): {what}; {advice}")]
    Invalid {
        /// What was found.
        what: String,
        /// What to do about it.
        advice: &'static str,
        /// Where.
        place: Place,
    },
    /// A feature that this host leaves out.
    #[error("this host does not support {feature} ({place}); {}", feature.advice())]
    Unsupported {
        /// Which.
        feature: Feature,
        /// Where it was met first.
        place: Place,
    },
    /// More than a limit allows.
    #[error(
        "limit {}: {found} {} where at most {most} are allowed ({place}); {}",
        limit.name(), limit.unit(), limit.advice()
    )]
    Limit {
        /// Which.
        limit: Limit,
        /// The number at which counting stopped: the file may have more.
        found: u64,
        /// The most that is allowed.
        most: u64,
        /// Where the limit was passed.
        place: Place,
    },
}

impl PrecheckError {
    /// Which of the three ways to be refused.
    pub fn kind(&self) -> RefusalKind {
        match self {
            PrecheckError::Invalid { .. } => RefusalKind::Invalid,
            PrecheckError::Unsupported { .. } => RefusalKind::Unsupported,
            PrecheckError::Limit { .. } => RefusalKind::Limit,
        }
    }

    /// The outcome in one word: `invalid`, `unsupported:memory64`, `limit:loop_nesting`.
    pub fn name(&self) -> String {
        match self {
            PrecheckError::Invalid { .. } => RefusalKind::Invalid.to_string(),
            PrecheckError::Unsupported { feature, .. } => {
                format!("{}:{feature}", RefusalKind::Unsupported)
            }
            PrecheckError::Limit { limit, .. } => format!("{}:{}", RefusalKind::Limit, limit.name()),
        }
    }

    /// Where it was found.
    pub fn place(&self) -> Place {
        match self {
            PrecheckError::Invalid { place, .. }
            | PrecheckError::Unsupported { place, .. }
            | PrecheckError::Limit { place, .. } => *place,
        }
    }
}

/// What goes wrong while reading, before it is known in which module and function.
#[derive(Debug)]
pub(super) enum Fault {
    Invalid { what: String, offset: usize },
    Unsupported { feature: Feature, offset: usize },
    Limit { limit: Limit, found: u64, most: u64, offset: usize },
}

impl Fault {
    pub(super) fn invalid(what: impl Into<String>, offset: usize) -> Self {
        Fault::Invalid { what: what.into(), offset }
    }

    pub(super) fn unsupported(feature: Feature, offset: usize) -> Self {
        Fault::Unsupported { feature, offset }
    }

    /// Adds where we were.
    pub(super) fn at(self, module: Option<u32>, function: Option<u32>) -> PrecheckError {
        let place = |offset| Place { module, function, offset };
        match self {
            Fault::Invalid { what, offset } => PrecheckError::Invalid {
                what,
                advice: "build it again and upload it whole",
                place: place(offset),
            },
            Fault::Unsupported { feature, offset } => {
                PrecheckError::Unsupported { feature, place: place(offset) }
            }
            Fault::Limit { limit, found, most, offset } => {
                PrecheckError::Limit { limit, found, most, place: place(offset) }
            }
        }
    }
}

impl From<wasmparser::Error> for Fault {
    fn from(error: wasmparser::Error) -> Self {
        Fault::Invalid { what: error.message().to_owned(), offset: error.offset() }
    }
}
