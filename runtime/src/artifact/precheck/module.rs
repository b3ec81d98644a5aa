//! A core module: its sections, counted.

use wasmparser::{
    BinaryReader, Export, ExternalKind, FunctionBody, GlobalType, Imports, MemoryType, Payload, RefType,
    TableType, TypeRef,
};

use super::body::Scanner;
use super::component::Weight;
use super::error::{Fault, Feature};
use super::limits::Limit;
use super::reader;
use super::tally::Tally;
use super::{to_u64, types};

const PAGE_BYTES: u64 = 65_536;

/// A core module while it is read.
#[derive(Default)]
pub(super) struct Module {
    /// What an instance of it brings.
    pub(super) weight: Weight,
    /// The index of the next function body; imported functions come first.
    next_function: u32,
    /// Memories, imported or its own.
    memories: u32,
    scanner: Scanner,
}

/// How the number of a section's items counts.
enum Counts {
    /// Towards a total over the file.
    Total(Limit),
    /// For itself: a module has one such section.
    Each(Limit),
    /// Not here: each item is looked at.
    Not,
}

type ReadItem = fn(&mut Module, &mut BinaryReader<'_>, &mut Tally<'_>) -> Result<(), Fault>;

impl Module {
    /// Takes one section, or one function of the code section.
    pub(super) fn section(
        &mut self,
        bytes: &[u8],
        section: Payload<'_>,
        tally: &mut Tally<'_>,
    ) -> Result<(), Fault> {
        let (read, counts, range): (ReadItem, _, _) = match section {
            Payload::TypeSection(it) => (Self::r#type, Counts::Total(Limit::Types), it.range()),
            Payload::ImportSection(it) => (Self::import, Counts::Each(Limit::CoreImports), it.range()),
            Payload::FunctionSection(it) => (Self::function, Counts::Total(Limit::Functions), it.range()),
            Payload::TableSection(it) => (Self::table, Counts::Not, it.range()),
            Payload::MemorySection(it) => (Self::memory, Counts::Not, it.range()),
            Payload::GlobalSection(it) => (Self::global, Counts::Total(Limit::Globals), it.range()),
            Payload::ExportSection(it) => (Self::export, Counts::Each(Limit::CoreExports), it.range()),
            Payload::ElementSection(it) => (Self::element, Counts::Not, it.range()),
            Payload::DataSection(it) => (Self::data, Counts::Each(Limit::DataSegments), it.range()),
            Payload::TagSection(it) => {
                return Err(Fault::unsupported(Feature::Exceptions, it.range().start));
            }
            Payload::CodeSectionEntry(body) => return self.body(&body, tally),
            // Its count is the function section's, which was held against the limit.
            Payload::CodeSectionStart { .. }
            | Payload::StartSection { .. }
            | Payload::DataCountSection { .. } => return Ok(()),
            other => {
                let offset = other.as_section().map_or(0, |(_, range)| range.start);
                return Err(Fault::invalid("a component's section in a core module", offset));
            }
        };
        let mut reader = reader::section(bytes, range)?;
        let offset = reader.original_position();
        let count = reader::count(&mut reader)?;
        match counts {
            Counts::Total(limit) => {
                tally.add(limit, count, offset)?;
            }
            Counts::Each(limit) => tally.peak(limit, count, offset)?,
            Counts::Not => {}
        }
        for _ in 0..count {
            read(self, &mut reader, tally)?;
        }
        reader::end(&reader)
    }

    fn body(&mut self, body: &FunctionBody<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let range = body.range();
        tally.function = Some(self.next_function);
        self.next_function = self.next_function.saturating_add(1);
        tally.peak(Limit::BodyBytes, to_u64(range.len()), range.start)?;

        let mut reader = body.get_binary_reader();
        let mut locals = 0;
        for _ in 0..reader::count(&mut reader)? {
            let offset = reader.original_position();
            locals += u64::from(reader.read_var_u32()?);
            tally.peak(Limit::Locals, locals, offset)?;
            types::value_type(&mut reader)?;
        }
        self.scanner.expression(&mut reader, tally)?;
        reader::end(&reader)?;
        tally.function = None;
        Ok(())
    }

    fn r#type(&mut self, reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        types::core_function_type(reader, tally)
    }

    fn import(&mut self, reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        let Imports::Single(_, import) = reader.read()? else {
            return Err(Fault::unsupported(Feature::CompactImports, offset));
        };
        match import.ty {
            TypeRef::Func(_) => {
                self.next_function = self.next_function.saturating_add(1);
                Ok(())
            }
            TypeRef::FuncExact(_) => Err(Fault::unsupported(Feature::Gc, offset)),
            TypeRef::Table(table) => table_type(&table, offset, tally),
            TypeRef::Memory(memory) => self.memory_type(&memory, offset, tally).map(drop),
            TypeRef::Global(global) => global_type(&global, offset),
            TypeRef::Tag(_) => Err(Fault::unsupported(Feature::Exceptions, offset)),
        }
    }

    fn function(&mut self, reader: &mut BinaryReader<'_>, _: &mut Tally<'_>) -> Result<(), Fault> {
        reader.read_var_u32()?;
        Ok(())
    }

    fn table(&mut self, reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        self.weight.tables += 1;
        // A module alone can have too many, whether something instantiates it or not.
        tally.peak(Limit::Tables, self.weight.tables, offset)?;
        let mut after = reader.clone();
        let initialised = after.read_u8()? == 0x40;
        if initialised {
            if after.read_u8()? != 0x00 {
                return Err(Fault::invalid("unknown form of table", offset));
            }
            *reader = after;
        }
        let table: TableType = reader.read()?;
        table_type(&table, offset, tally)?;
        if initialised {
            self.scanner.expression(reader, tally)?;
        }
        Ok(())
    }

    fn memory(&mut self, reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        let memory: MemoryType = reader.read()?;
        let bytes = self.memory_type(&memory, offset, tally)?;
        self.weight.memories += 1;
        self.weight.memory_bytes = self.weight.memory_bytes.saturating_add(bytes);
        Ok(())
    }

    /// Looks at a memory, imported or not, and says how many bytes it starts with.
    fn memory_type(
        &mut self,
        memory: &MemoryType,
        offset: usize,
        tally: &mut Tally<'_>,
    ) -> Result<u64, Fault> {
        if memory.memory64 {
            return Err(Fault::unsupported(Feature::Memory64, offset));
        }
        if memory.shared {
            return Err(Fault::unsupported(Feature::Threads, offset));
        }
        if memory.page_size_log2.is_some() {
            return Err(Fault::unsupported(Feature::CustomPageSizes, offset));
        }
        self.memories += 1;
        if self.memories > 1 {
            return Err(Fault::unsupported(Feature::MultiMemory, offset));
        }
        let bytes = memory.initial.saturating_mul(PAGE_BYTES);
        tally.peak(Limit::Memory, bytes, offset)?;
        Ok(bytes)
    }

    fn global(&mut self, reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        let global: GlobalType = reader.read()?;
        global_type(&global, offset)?;
        self.scanner.expression(reader, tally)
    }

    fn export(&mut self, reader: &mut BinaryReader<'_>, _: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        let export: Export<'_> = reader.read()?;
        match export.kind {
            ExternalKind::Tag => Err(Fault::unsupported(Feature::Exceptions, offset)),
            ExternalKind::FuncExact => Err(Fault::unsupported(Feature::Gc, offset)),
            ExternalKind::Func | ExternalKind::Table | ExternalKind::Memory | ExternalKind::Global => Ok(()),
        }
    }

    /// An element segment. Bit 0 of its flags: passive or declared; bit 1: a table or a type is
    /// named; bit 2: items are expressions instead of function indices.
    fn element(&mut self, reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        let flags = reader.read_var_u32()?;
        if flags > 0b111 {
            return Err(Fault::invalid("unknown kind of element segment", offset));
        }
        let expressions = flags & 0b100 != 0;
        if flags & 0b001 == 0 {
            if flags & 0b010 != 0 {
                reader.read_var_u32()?;
            }
            self.scanner.expression(reader, tally)?;
        }
        if flags & 0b011 != 0 {
            let offset = reader.original_position();
            if expressions {
                types::reference_type(reader.read::<RefType>()?, offset)?;
            } else if reader.read_u8()? != 0 {
                return Err(Fault::invalid("an element segment of something else than functions", offset));
            }
        }
        let offset = reader.original_position();
        let count = reader::count(reader)?;
        tally.add(Limit::ElementItems, count, offset)?;
        for _ in 0..count {
            if expressions {
                self.scanner.expression(reader, tally)?;
            } else {
                reader.read_var_u32()?;
            }
        }
        Ok(())
    }

    /// A data segment: passive (1), for memory 0 (0), or for a memory that is named (2).
    fn data(&mut self, reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        tally.add(Limit::DataSegmentsTotal, 1, offset)?;
        match reader.read_var_u32()? {
            0 => self.scanner.expression(reader, tally)?,
            1 => {}
            2 => {
                reader.read_var_u32()?;
                self.scanner.expression(reader, tally)?;
            }
            _ => return Err(Fault::invalid("unknown kind of data segment", offset)),
        }
        reader.read_reader()?;
        Ok(())
    }
}

fn table_type(table: &TableType, offset: usize, tally: &mut Tally<'_>) -> Result<(), Fault> {
    types::reference_type(table.element_type, offset)?;
    if table.table64 {
        return Err(Fault::unsupported(Feature::Memory64, offset));
    }
    if table.shared {
        return Err(Fault::unsupported(Feature::Threads, offset));
    }
    tally.peak(Limit::TableElements, table.initial, offset)
}

fn global_type(global: &GlobalType, offset: usize) -> Result<(), Fault> {
    if global.shared {
        return Err(Fault::unsupported(Feature::Threads, offset));
    }
    match global.content_type {
        wasmparser::ValType::Ref(reference) => types::reference_type(reference, offset),
        _ => Ok(()),
    }
}
