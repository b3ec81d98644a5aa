//! A component with one core instance less: each webhook gets a fresh instance and pays for every part of it.
//!
//! A lowered import writes into the guest's memory, which does not exist before the guest does, which needs its
//! imports first. The encoder unties that knot with two more core modules: a table of stand-ins that the guest imports, and
//! one that fills the table afterwards. Here the memory comes first instead: a small module of its own holds it, with its
//! data and a copy of the guest's `cabi_realloc` (see `realloc`), imports are lowered against that, and the guest, which
//! is otherwise the same byte for byte, imports its memory. Three core instances and two tables become two and one.
//!
//! Only what the encoder is known to write is rewritten; whoever calls keeps the encoder's component for everything else.

use wasm_encoder::reencode::{Error as ReencodeError, Reencode, ReencodeComponent};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, Component, ComponentAliasSection, ComponentExportSection,
    ComponentInstanceSection, ExportKind, InstanceSection, ModuleArg, RawSection,
};
use wasmparser::{CanonicalFunction, Validator};

use super::componentize::shape;
use parts::{FIRST_INSTANCE, Item, MAIN_MODULE, Parts, Role, SHIM_MODULE};
use split::{MEMORY, REALLOC, Split};

mod parts;
mod realloc;
mod split;
#[cfg(test)]
mod tests;

/// Why a component stays as the encoder wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfamiliar(&'static str);

impl From<wasmparser::BinaryReaderError> for Unfamiliar {
    fn from(_: wasmparser::BinaryReaderError) -> Self {
        Self("a part that cannot be read")
    }
}

impl From<ReencodeError<Unfamiliar>> for Unfamiliar {
    fn from(error: ReencodeError<Unfamiliar>) -> Self {
        match error {
            ReencodeError::UserError(reason) => reason,
            _ => Self("a part that cannot be written again"),
        }
    }
}

/// Rewrites `component`, which comes from the encoder. The result is valid, and exports and imports the same.
///
/// # Errors
/// [`Unfamiliar`], when it is not built as expected: then `component` is the one to use.
pub fn lean(component: &[u8]) -> Result<Vec<u8>, Unfamiliar> {
    let parts = Parts::read(component)?;
    let split = split::split(parts.main, parts.realloc)?;
    let lean = Writer::new(&parts).write(&split)?;
    Validator::new().validate_all(&lean).map_err(|_| Unfamiliar("it would not be valid any more"))?;
    // Their types cannot have changed: imports and types are copied as they are.
    let (Ok(before), Ok(after)) = (shape(component), shape(&lean)) else {
        return Err(Unfamiliar("exports that cannot be read"));
    };
    if before != after {
        return Err(Unfamiliar("it would export something else"));
    }
    Ok(lean)
}

/// Writes the parts in their new order. What moves changes its number, and all others behind it.
struct Writer<'p, 'a> {
    parts: &'p Parts<'a>,
    component: Component,
    numbers: Numbers,
    /// Which items are written already, before their turn.
    written: Vec<bool>,
}

/// New numbers by the old ones. Only functions get new ones: all other kinds keep their order.
#[derive(Default)]
struct Numbers {
    core_functions: Vec<Option<u32>>,
    functions: Vec<Option<u32>>,
    next_core_function: u32,
    next_function: u32,
}

impl<'p, 'a> Writer<'p, 'a> {
    fn new(parts: &'p Parts<'a>) -> Self {
        let numbers = Numbers {
            core_functions: vec![None; parts.core_functions.len()],
            functions: vec![None; parts.functions.len()],
            ..Numbers::default()
        };
        Self { parts, component: Component::new(), numbers, written: vec![false; parts.items.len()] }
    }

    fn write(mut self, split: &Split) -> Result<Vec<u8>, Unfamiliar> {
        for (place, item) in self.parts.items.iter().enumerate() {
            match self.parts.role(place) {
                Role::Module(MAIN_MODULE) => self.module(&split.rest),
                Role::Module(SHIM_MODULE) => self.module(&split.first),
                // The fixup module, its instance and what it is given.
                Role::Module(_) | Role::Fixup => {}
                Role::FirstInstance => self.first_instance(),
                Role::MainInstance => self.main_instance(item)?,
                // The first instance has given the memory its number.
                Role::MainMemory => {}
                Role::StandIn { old, lower } => self.lower(old, lower)?,
                // Its stand-in was written, at the place where the guest's import is put together.
                Role::Lowered => {}
                Role::Other => self.item(place)?,
            }
        }
        Ok(self.component.finish())
    }

    fn module(&mut self, module: &[u8]) {
        let id = wasm_encoder::ComponentSectionId::CoreModule.into();
        self.component.section(&RawSection { id, data: module });
    }

    /// The memory, in place of the table of stand-ins: core instance 0, as that was, and core memory 0.
    fn first_instance(&mut self) {
        let no_arguments: [(&str, ModuleArg); 0] = [];
        self.component.section(InstanceSection::new().instantiate(SHIM_MODULE, no_arguments));
        let mut aliases = ComponentAliasSection::new();
        aliases.alias(core_export(ExportKind::Memory, MEMORY));
        if self.parts.realloc.is_some() {
            aliases.alias(core_export(ExportKind::Func, REALLOC));
            // Nothing has this number so far: it is the first core function.
            self.numbers.next_core_function += 1;
        }
        self.component.section(&aliases);
    }

    /// The guest, which now imports its memory.
    fn main_instance(&mut self, item: &Item<'_>) -> Result<(), Unfamiliar> {
        let Item::CoreInstance(wasmparser::Instance::Instantiate { args, .. }) = item else {
            return Err(Unfamiliar("a guest that is not instantiated"));
        };
        let mut arguments: Vec<_> = args.iter().map(|arg| (arg.name, ModuleArg::Instance(arg.index))).collect();
        arguments.push((split::FIRST, ModuleArg::Instance(FIRST_INSTANCE)));
        self.component.section(InstanceSection::new().instantiate(MAIN_MODULE, arguments));
        Ok(())
    }

    /// A lowered import takes the place of its stand-in, core function `old`.
    fn lower(&mut self, old: u32, lower: usize) -> Result<(), Unfamiliar> {
        let Some(Item::Canonical(CanonicalFunction::Lower { func_index, options })) = self.parts.items.get(lower)
        else {
            return Err(Unfamiliar("a stand-in for something that is no import"));
        };
        let definition = self.parts.functions.get(*func_index as usize).copied().flatten();
        let definition = definition.ok_or(Unfamiliar("an import that is defined nowhere"))?;
        if !self.written[definition] {
            self.item(definition)?;
            self.written[definition] = true;
        }
        let function = self.numbers.component_func_index(*func_index);
        let options: Vec<_> = options
            .iter()
            .map(|option| match option {
                wasmparser::CanonicalOption::UTF8 => Ok(CanonicalOption::UTF8),
                wasmparser::CanonicalOption::Memory(0) => Ok(CanonicalOption::Memory(0)),
                // `Parts` has seen that it is the guest's `cabi_realloc`; the copy is the first core function.
                wasmparser::CanonicalOption::Realloc(_) => Ok(CanonicalOption::Realloc(0)),
                _ => Err(Unfamiliar("an import lowered in another way")),
            })
            .collect::<Result<_, _>>()?;
        self.component.section(CanonicalFunctionSection::new().lower(function, options));
        self.numbers.core_function(old);
        Ok(())
    }

    /// An item as it was, but for the numbers of functions in it.
    fn item(&mut self, place: usize) -> Result<(), Unfamiliar> {
        let Some(item) = self.parts.items.get(place).filter(|_| !self.written[place]) else {
            return Ok(());
        };
        let numbers = &mut self.numbers;
        match item {
            Item::Raw { id, data } => {
                self.component.section(&RawSection { id: *id, data });
            }
            // Modules and their like have roles, so that these are never reached; if they were, nothing is lost.
            Item::Module(_) => return Err(Unfamiliar("a module too many")),
            Item::CoreInstance(instance) => {
                let mut section = InstanceSection::new();
                numbers.parse_instance(&mut section, instance.clone())?;
                self.component.section(&section);
            }
            Item::Alias(alias) => {
                let mut section = ComponentAliasSection::new();
                section.alias(numbers.component_alias(alias.clone())?);
                self.component.section(&section);
            }
            Item::Canonical(function) => {
                let mut section = CanonicalFunctionSection::new();
                numbers.parse_component_canonical(&mut section, function.clone())?;
                self.component.section(&section);
            }
            Item::Instance(instance) => {
                let mut section = ComponentInstanceSection::new();
                numbers.parse_component_instance(&mut section, instance.clone())?;
                self.component.section(&section);
            }
            Item::Export(export) => {
                let mut section = ComponentExportSection::new();
                numbers.parse_component_export(&mut section, export.clone())?;
                self.component.section(&section);
            }
        }
        let (core_functions, functions) = self.parts.defined_by(place);
        for old in core_functions {
            self.numbers.core_function(old);
        }
        for old in functions {
            self.numbers.function(old);
        }
        Ok(())
    }
}

fn core_export(kind: ExportKind, name: &'static str) -> Alias<'static> {
    Alias::CoreInstanceExport { instance: FIRST_INSTANCE, kind, name }
}
