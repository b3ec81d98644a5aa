//! The component level: what is defined, and what it grows to once nested parts are instantiated.
//!
//! A component that instantiates another ten times, in nine levels, is a few kilobytes and a billion
//! definitions for the engine, which puts the parts together before it compiles. So each part carries
//! its weight, and an instantiation adds the whole of it.

use wasmparser::{
    BinaryReader, CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExport, ComponentExternalKind,
    ComponentImport, ComponentInstantiationArg, ComponentOuterAliasKind, ComponentTypeRef, Export,
    InstantiationArg, Payload,
};

use super::error::{Fault, Feature};
use super::limits::Limit;
use super::reader;
use super::tally::Tally;
use super::types;

/// What one instance of a module or component brings with it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weight {
    pub(super) definitions: u64,
    pub(super) core_instances: u64,
    pub(super) memories: u64,
    pub(super) memory_bytes: u64,
    pub(super) tables: u64,
}

/// A component while it is read.
///
/// Both lists are index spaces: bounded, as each entry was counted against a limit first.
#[derive(Debug, Default)]
pub(super) struct Component {
    pub(super) weight: Weight,
    pub(super) modules: Vec<Weight>,
    pub(super) components: Vec<Weight>,
    imports: u64,
    exports: u64,
}

impl Component {
    /// Takes one section; nested modules and components have a reader of their own.
    pub(super) fn section(
        &mut self,
        bytes: &[u8],
        section: Payload<'_>,
        tally: &mut Tally<'_>,
    ) -> Result<(), Fault> {
        let (read, range): (ReadItem, _) = match section {
            Payload::InstanceSection(items) => (Self::core_instance, items.range()),
            Payload::ComponentInstanceSection(items) => (Self::instance, items.range()),
            Payload::ComponentAliasSection(items) => (Self::alias, items.range()),
            Payload::ComponentCanonicalSection(items) => (Self::canonical, items.range()),
            Payload::ComponentImportSection(items) => (Self::import, items.range()),
            Payload::ComponentExportSection(items) => (Self::export, items.range()),
            Payload::CoreTypeSection(items) => {
                (|_, reader, tally| types::core_type(reader, tally), items.range())
            }
            Payload::ComponentTypeSection(items) => {
                (|_, reader, tally| types::component_type(reader, 1, tally), items.range())
            }
            Payload::ComponentStartSection { range, .. } => {
                return Err(Fault::unsupported(Feature::ComponentStart, range.start));
            }
            other => {
                let offset = other.as_section().map_or(0, |(_, range)| range.start);
                return Err(Fault::invalid("a core section in a component", offset));
            }
        };
        let mut reader = reader::section(bytes, range)?;
        let count = reader::count(&mut reader)?;
        self.define(count, reader.original_position(), tally)?;
        for _ in 0..count {
            read(self, &mut reader, tally)?;
        }
        reader::end(&reader)
    }

    /// Notes `count` definitions of this component's own.
    pub(super) fn define(&mut self, count: u64, offset: usize, tally: &mut Tally<'_>) -> Result<(), Fault> {
        self.instantiate(Weight { definitions: count, ..Weight::default() }, offset, tally)
    }

    /// Adds what an instance brings, and holds the sums against their limits.
    fn instantiate(&mut self, weight: Weight, offset: usize, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let sum = &mut self.weight;
        sum.definitions = sum.definitions.saturating_add(weight.definitions);
        sum.core_instances = sum.core_instances.saturating_add(weight.core_instances);
        sum.memories = sum.memories.saturating_add(weight.memories);
        sum.memory_bytes = sum.memory_bytes.saturating_add(weight.memory_bytes);
        sum.tables = sum.tables.saturating_add(weight.tables);
        tally.peak(Limit::Definitions, sum.definitions, offset)?;
        tally.peak(Limit::CoreModules, sum.core_instances, offset)?;
        tally.peak(Limit::Memories, sum.memories, offset)?;
        tally.peak(Limit::Memory, sum.memory_bytes, offset)?;
        tally.peak(Limit::Tables, sum.tables, offset)
    }

    fn core_instance(&mut self, reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        match reader.read_u8()? {
            0x00 => {
                let index = reader.read_var_u32()?;
                let weight = find(&self.modules, index, "core module", offset)?;
                let weight = Weight { core_instances: weight.core_instances + 1, ..weight };
                self.instantiate(weight, offset, tally)?;
                self.arguments(reader, tally, |reader| {
                    reader.read::<InstantiationArg>()?;
                    Ok(())
                })
            }
            0x01 => self.arguments(reader, tally, |reader| {
                reader.read::<Export>()?;
                Ok(())
            }),
            byte => Err(Fault::invalid(format!("unknown kind {byte:#x} of core instance"), offset)),
        }
    }

    fn instance(&mut self, reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        match reader.read_u8()? {
            0x00 => {
                let index = reader.read_var_u32()?;
                let weight = find(&self.components, index, "component", offset)?;
                self.instantiate(weight, offset, tally)?;
                self.arguments(reader, tally, |reader| {
                    let offset = reader.original_position();
                    let argument: ComponentInstantiationArg<'_> = reader.read()?;
                    refuse_module(argument.kind, offset)
                })
            }
            0x01 => self.arguments(reader, tally, |reader| {
                let offset = reader.original_position();
                reader.read::<wasmparser::ComponentExternName>()?;
                let kind: ComponentExternalKind = reader.read()?;
                reader.read_var_u32()?;
                refuse_module(kind, offset)
            }),
            byte => Err(Fault::invalid(format!("unknown kind {byte:#x} of instance"), offset)),
        }
    }

    /// Arguments and re-exports are definitions, too: each costs the engine an entry.
    fn arguments(
        &mut self,
        reader: &mut BinaryReader<'_>,
        tally: &mut Tally<'_>,
        read: fn(&mut BinaryReader<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let count = reader::count(reader)?;
        self.define(count, reader.original_position(), tally)?;
        for _ in 0..count {
            read(reader)?;
        }
        Ok(())
    }

    fn alias(&mut self, reader: &mut BinaryReader<'_>, _: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        match reader.read()? {
            ComponentAlias::InstanceExport { kind, .. } => refuse_module(kind, offset),
            // What an alias stands for would have to be looked up in other levels; nothing makes these.
            ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::CoreModule | ComponentOuterAliasKind::Component,
                ..
            } => Err(Fault::unsupported(Feature::ImportedModules, offset)),
            ComponentAlias::CoreInstanceExport { .. } | ComponentAlias::Outer { .. } => Ok(()),
        }
    }

    fn canonical(&mut self, reader: &mut BinaryReader<'_>, _: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        match reader.read()? {
            CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. } => {
                options.iter().try_for_each(|option| canonical_option(option, offset))
            }
            CanonicalFunction::ResourceNew { .. }
            | CanonicalFunction::ResourceDrop { .. }
            | CanonicalFunction::ResourceRep { .. } => Ok(()),
            CanonicalFunction::ThreadSpawnRef { .. }
            | CanonicalFunction::ThreadSpawnIndirect { .. }
            | CanonicalFunction::ThreadAvailableParallelism => {
                Err(Fault::unsupported(Feature::Threads, offset))
            }
            // Everything else there is creates, moves or waits for tasks, streams and futures.
            _ => Err(Fault::unsupported(Feature::ComponentModelAsync, offset)),
        }
    }

    fn import(&mut self, reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        let import: ComponentImport<'_> = reader.read()?;
        self.imports += 1;
        tally.peak(Limit::Imports, self.imports, offset)?;
        match import.ty {
            ComponentTypeRef::Module(_) | ComponentTypeRef::Component(_) => {
                Err(Fault::unsupported(Feature::ImportedModules, offset))
            }
            _ => Ok(()),
        }
    }

    fn export(&mut self, reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
        let offset = reader.original_position();
        let export: ComponentExport<'_> = reader.read()?;
        self.exports += 1;
        tally.peak(Limit::Exports, self.exports, offset)?;
        // An exported module would get an index of its own, which nothing here could follow.
        refuse_module(export.kind, offset)
    }
}

type ReadItem = fn(&mut Component, &mut BinaryReader<'_>, &mut Tally<'_>) -> Result<(), Fault>;

fn find(parts: &[Weight], index: u32, what: &str, offset: usize) -> Result<Weight, Fault> {
    let part = usize::try_from(index).ok().and_then(|index| parts.get(index));
    part.copied().ok_or_else(|| {
        Fault::invalid(format!("instantiates {what} {index} where there are {}", parts.len()), offset)
    })
}

/// Modules and components are contained, never handed around: then their weight is always known.
fn refuse_module(kind: ComponentExternalKind, offset: usize) -> Result<(), Fault> {
    match kind {
        ComponentExternalKind::Module | ComponentExternalKind::Component => {
            Err(Fault::unsupported(Feature::ImportedModules, offset))
        }
        ComponentExternalKind::Func
        | ComponentExternalKind::Value
        | ComponentExternalKind::Type
        | ComponentExternalKind::Instance => Ok(()),
    }
}

fn canonical_option(option: &CanonicalOption, offset: usize) -> Result<(), Fault> {
    match option {
        CanonicalOption::UTF8
        | CanonicalOption::UTF16
        | CanonicalOption::CompactUTF16
        | CanonicalOption::Memory(_)
        | CanonicalOption::Realloc(_)
        | CanonicalOption::PostReturn(_) => Ok(()),
        CanonicalOption::Async | CanonicalOption::Callback(_) => {
            Err(Fault::unsupported(Feature::ComponentModelAsync, offset))
        }
        CanonicalOption::CoreType(_) | CanonicalOption::Gc => Err(Fault::unsupported(Feature::Gc, offset)),
    }
}
