//! A component with one core instance less: each webhook gets a fresh instance and pays for every part of it.
//!
//! A lowered import writes into the guest's memory, which does not exist before the guest does, which needs its
//! imports first. The encoder unties that knot with two more core modules: a table of stand-ins that the guest
//! imports, and one that fills the table afterwards. Here the memory comes first instead: a small module of its own
//! holds it, with its data and a copy of the guest's `cabi_realloc` (see `realloc`), imports are lowered against that,
//! and the guest, otherwise the same byte for byte, imports its memory.
//!
//! Only what the encoder is known to write is rewritten; for everything else its component stays as it is.

use std::collections::HashMap;

use wasm_encoder::reencode::{Error as ReencodeError, Reencode, ReencodeComponent};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, Component, ComponentAliasSection,
    ComponentExportSection, ComponentInstanceSection, ComponentSectionId, ExportKind, InstanceSection,
    ModuleArg, RawSection,
};
use wasmparser::{CanonicalFunction, Instance, Validator};

use super::componentize::shape;
use parts::{Function, Item, MAIN_MODULE, Parts, Role, SHIM_INSTANCE, SHIM_MODULE};
use split::Split;

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

/// Rewrites `component`, which the encoder wrote. The result is valid, and exports and imports the same.
///
/// # Errors
/// [`Unfamiliar`], when it is not built as expected: `component` is the one to use then.
pub fn lean(component: &[u8]) -> Result<Vec<u8>, Unfamiliar> {
    let parts = Parts::read(component)?;
    let split = split::split(parts.main, parts.realloc)?;
    let lean = Writer::new(&parts, &split).write()?;
    Validator::new()
        .validate_all(&lean)
        .map_err(|_| Unfamiliar("what would not be valid without the shim"))?;
    // Only names are compared: the types behind them are copied as they are.
    match (shape(component), shape(&lean)) {
        (Ok(before), Ok(after)) if before == after => Ok(lean),
        _ => Err(Unfamiliar("exports or imports of another kind")),
    }
}

/// Writes the parts in their new order.
struct Writer<'a> {
    parts: &'a Parts<'a>,
    split: &'a Split,
    component: Component,
    numbers: Numbers,
}

impl<'a> Writer<'a> {
    fn new(parts: &'a Parts<'a>, split: &'a Split) -> Self {
        Self { parts, split, component: Component::new(), numbers: Numbers::default() }
    }

    fn write(mut self) -> Result<Vec<u8>, Unfamiliar> {
        for part in &self.parts.list {
            match part.role {
                Role::MainModule => self.module(&self.split.rest),
                Role::ShimModule => self.module(&self.split.first),
                Role::ShimInstance => self.first_instance()?,
                Role::MainInstance => self.main_instance(&part.item)?,
                Role::StandIn { lower } => self.lower(lower, part.defines)?,
                Role::Knot => {}
                // Imported functions have moved to where they are lowered.
                Role::Other if part.defines.is_some_and(|function| self.numbers.knows(function)) => {}
                Role::Other => self.unchanged(&part.item, part.defines)?,
            }
        }
        Ok(self.component.finish())
    }

    fn module(&mut self, module: &[u8]) {
        self.component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: module });
    }

    /// The memory, where the shim was; its number is 0, as that of the guest's memory was.
    fn first_instance(&mut self) -> Result<(), Unfamiliar> {
        let no_arguments: [(&str, ModuleArg); 0] = [];
        self.component.section(InstanceSection::new().instantiate(SHIM_MODULE, no_arguments));
        let mut aliases = ComponentAliasSection::new();
        let instance = SHIM_INSTANCE;
        aliases.alias(Alias::CoreInstanceExport { instance, kind: ExportKind::Memory, name: split::MEMORY });
        if self.parts.realloc.is_some() {
            aliases.alias(Alias::CoreInstanceExport {
                instance,
                kind: ExportKind::Func,
                name: split::REALLOC,
            });
            self.numbers.realloc = Some(self.numbers.next_core());
        }
        self.component.section(&aliases);
        Ok(())
    }

    /// The guest, which has one import more.
    fn main_instance(&mut self, item: &Item<'_>) -> Result<(), Unfamiliar> {
        let Item::CoreInstance(Instance::Instantiate { args, .. }) = item else {
            return Err(Unfamiliar("a guest that is not instantiated"));
        };
        let mut arguments: Vec<_> =
            args.iter().map(|arg| (arg.name, ModuleArg::Instance(arg.index))).collect();
        arguments.push((split::FIRST, ModuleArg::Instance(SHIM_INSTANCE)));
        self.component.section(InstanceSection::new().instantiate(MAIN_MODULE, arguments));
        Ok(())
    }

    /// A lowered import, in place of its stand-in, whose number it gets.
    fn lower(&mut self, place: usize, stand_in: Option<Function>) -> Result<(), Unfamiliar> {
        let Item::Canonical(CanonicalFunction::Lower { func_index, options }) = &self.parts.list[place].item
        else {
            return Err(Unfamiliar("a stand-in for something other than an import"));
        };
        let imported = Function::Component(*func_index);
        if !self.numbers.knows(imported) {
            let definition =
                self.parts.definition(imported).ok_or(Unfamiliar("an import defined nowhere"))?;
            self.unchanged(&self.parts.list[definition].item, Some(imported))?;
        }
        let mut new_options = Vec::new();
        for option in options {
            new_options.push(match (option, self.numbers.realloc) {
                (wasmparser::CanonicalOption::UTF8, _) => CanonicalOption::UTF8,
                (wasmparser::CanonicalOption::Memory(0), _) => CanonicalOption::Memory(0),
                (wasmparser::CanonicalOption::Realloc(_), Some(copy)) => CanonicalOption::Realloc(copy),
                _ => return Err(Unfamiliar("an import lowered in another way")),
            });
        }
        let function = self.numbers.component_func_index(*func_index);
        self.component.section(CanonicalFunctionSection::new().lower(function, new_options));
        self.numbers.define(stand_in);
        Ok(())
    }

    /// An item as it was, but for the numbers of functions.
    fn unchanged(&mut self, item: &Item<'_>, defines: Option<Function>) -> Result<(), Unfamiliar> {
        let numbers = &mut self.numbers;
        match item {
            Item::Raw { id, data } => {
                self.component.section(&RawSection { id: *id, data });
            }
            Item::Module(module) => self.module(module),
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
        self.numbers.define(defines);
        Ok(())
    }
}

/// New numbers of functions by their old ones. All else keeps its number, because it keeps its order.
#[derive(Default)]
struct Numbers {
    new: HashMap<Function, u32>,
    core_functions: u32,
    component_functions: u32,
    /// The copy of the guest's realloc, a core function.
    realloc: Option<u32>,
}

impl Numbers {
    fn knows(&self, function: Function) -> bool {
        self.new.contains_key(&function)
    }

    /// The number of the core function that is written next.
    fn next_core(&mut self) -> u32 {
        let number = self.core_functions;
        self.core_functions += 1;
        number
    }

    /// Notes that what was written just now is the function with this old number.
    fn define(&mut self, old: Option<Function>) {
        let new = match old {
            None => return,
            Some(Function::Core(_)) => self.next_core(),
            Some(Function::Component(_)) => {
                self.component_functions += 1;
                self.component_functions - 1
            }
        };
        self.new.extend(old.map(|old| (old, new)));
    }
}

impl Reencode for Numbers {
    type Error = Unfamiliar;

    fn function_index(&mut self, old: u32) -> Result<u32, ReencodeError<Unfamiliar>> {
        let new = self.new.get(&Function::Core(old)).copied();
        new.ok_or(ReencodeError::UserError(Unfamiliar("something else that uses what belongs to the shim")))
    }
}

impl ReencodeComponent for Numbers {
    fn component_func_index(&mut self, old: u32) -> u32 {
        // A function that is not there: validation finds it.
        self.new.get(&Function::Component(old)).copied().unwrap_or(u32::MAX)
    }
}
