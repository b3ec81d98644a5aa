//! Splits the guest's module: its memory and data go into a first module, the rest imports the memory.
//!
//! The data goes with the memory because the engine maps a memory's first contents, instead of copying them for every
//! instance, only where one module defines both.

use std::collections::HashMap;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{EntityType, ExportKind, ExportSection, ImportSection, Module, RawSection, SectionId};
use wasmparser::{
    DataKind, DataSectionReader, ExternalKind, FunctionBody, KnownCustom, MemorySectionReader, MemoryType,
    Name, Operator, Parser, Payload, TypeRef,
};

use super::Unfamiliar;
use super::realloc::{self, Copied};

/// The name under which the guest imports what the first module exports.
pub const FIRST: &str = "first";
/// The first module's memory.
pub const MEMORY: &str = "memory";
/// The first module's copy of the guest's realloc.
pub const REALLOC: &str = "realloc";

/// The two modules.
pub struct Split {
    /// Memory, data and realloc.
    pub first: Vec<u8>,
    /// The guest.
    pub rest: Vec<u8>,
}

/// Splits the module `main`. `realloc` is the name of the export that imports find room with, if any does.
pub fn split(main: &[u8], realloc: Option<&str>) -> Result<Split, Unfamiliar> {
    let main = Main::read(main)?;
    let copied = realloc.map(|name| main.copy_realloc(name)).transpose()?;
    Ok(Split { first: main.first(copied)?, rest: main.rest()? })
}

/// What is to be known of the guest's module.
#[derive(Default)]
pub struct Main<'a> {
    sections: Vec<RawSection<'a>>,
    memory: Option<MemoryType>,
    imports: Vec<wasmparser::Import<'a>>,
    exported_functions: HashMap<&'a str, u32>,
    /// The number of imported functions, which come first in the counting.
    pub imported_functions: u32,
    /// The type of each function of its own.
    pub types: Vec<u32>,
    /// The code of each function of its own.
    pub bodies: Vec<FunctionBody<'a>>,
    /// Names of functions, imported ones included.
    pub names: HashMap<u32, &'a str>,
}

impl<'a> Main<'a> {
    fn read(module: &'a [u8]) -> Result<Self, Unfamiliar> {
        let mut main = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            if let Some((id, range)) = payload.as_section() {
                let data = module.get(range).ok_or(Unfamiliar("a module cut off"))?;
                main.sections.push(RawSection { id, data });
            }
            match payload {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        main.imports.push(import?);
                    }
                    let functions =
                        main.imports.iter().filter(|import| matches!(import.ty, TypeRef::Func(_))).count();
                    if functions != main.imports.len() {
                        return Err(Unfamiliar("a guest that imports something other than functions"));
                    }
                    main.imported_functions =
                        u32::try_from(functions).map_err(|_| Unfamiliar("too many imports"))?;
                }
                Payload::FunctionSection(section) => {
                    main.types = section.into_iter().collect::<Result<_, _>>()?
                }
                Payload::MemorySection(section) => main.memory = Some(only_memory(section)?),
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.kind == ExternalKind::Func {
                            main.exported_functions.insert(export.name, export.index);
                        }
                    }
                }
                // Instructions name segments by number, which the guest has none of any more.
                Payload::DataCountSection { .. } => return Err(Unfamiliar("data that is copied on command")),
                Payload::DataSection(section) => only_constant_places(section)?,
                Payload::CodeSectionEntry(body) => main.bodies.push(body),
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        main.names = function_names(names);
                    }
                }
                _ => {}
            }
        }
        Ok(main)
    }

    fn copy_realloc(&self, name: &str) -> Result<Copied, Unfamiliar> {
        let function =
            self.exported_functions.get(name).ok_or(Unfamiliar("a realloc that is not exported"))?;
        realloc::copy(self, *function)
    }

    /// The module with the memory.
    fn first(&self, copied: Option<Copied>) -> Result<Vec<u8>, Unfamiliar> {
        let mut exports = ExportSection::new();
        exports.export(MEMORY, ExportKind::Memory, 0);
        let mut module = Module::new();
        if let Some(copied) = &copied {
            self.copy_sections(&mut module, SectionId::Type);
            module.section(&copied.functions);
            exports.export(REALLOC, ExportKind::Func, copied.realloc);
        }
        self.copy_sections(&mut module, SectionId::Memory);
        module.section(&exports);
        if let Some(copied) = &copied {
            module.section(&copied.code);
        }
        self.copy_sections(&mut module, SectionId::Data);
        if let Some(copied) = &copied {
            module.section(&copied.names);
        }
        Ok(module.finish())
    }

    fn copy_sections(&self, module: &mut Module, id: SectionId) {
        for section in self.sections.iter().filter(|section| section.id == u8::from(id)) {
            module.section(section);
        }
    }

    /// The module without its memory. Functions, globals and tables keep their numbers, and code its bytes.
    fn rest(&self) -> Result<Vec<u8>, Unfamiliar> {
        let memory = self.memory.ok_or(Unfamiliar("a guest without memory"))?;
        let mut roundtrip = RoundtripReencoder;
        let mut imports = ImportSection::new();
        let unwritten = |_| Unfamiliar("an import that cannot be written again");
        for import in &self.imports {
            imports.import(import.module, import.name, roundtrip.entity_type(import.ty).map_err(unwritten)?);
        }
        let memory = roundtrip.memory_type(memory).map_err(unwritten)?;
        imports.import(FIRST, MEMORY, EntityType::Memory(memory));
        let mut module = Module::new();
        for section in &self.sections {
            if section.id == u8::from(SectionId::Import) {
                module.section(&imports);
            } else if section.id != u8::from(SectionId::Memory) && section.id != u8::from(SectionId::Data) {
                module.section(section);
            }
        }
        Ok(module.finish())
    }
}

fn only_memory(section: MemorySectionReader<'_>) -> Result<MemoryType, Unfamiliar> {
    let memories = section.into_iter().collect::<Result<Vec<_>, _>>()?;
    match memories.as_slice() {
        [memory] if !memory.memory64 && !memory.shared && memory.page_size_log2.is_none() => Ok(*memory),
        _ => Err(Unfamiliar("several memories, or one of another kind")),
    }
}

/// Other places depend on globals, which stay with the guest.
fn only_constant_places(section: DataSectionReader<'_>) -> Result<(), Unfamiliar> {
    for data in section {
        let constant = match data?.kind {
            DataKind::Active { memory_index: 0, offset_expr } => {
                matches!(offset_expr.get_operators_reader().read()?, Operator::I32Const { .. })
            }
            _ => false,
        };
        if !constant {
            return Err(Unfamiliar("data without a fixed place"));
        }
    }
    Ok(())
}

/// Names are for people: where they cannot be read, there are none.
fn function_names(names: wasmparser::NameSectionReader<'_>) -> HashMap<u32, &str> {
    let mut found = HashMap::new();
    for name in names.into_iter().filter_map(Result::ok) {
        if let Name::Function(map) = name {
            found.extend(map.into_iter().filter_map(Result::ok).map(|naming| (naming.index, naming.name)));
        }
    }
    found
}
