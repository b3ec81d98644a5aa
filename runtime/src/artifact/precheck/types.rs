//! Types, walked without being built.
//!
//! The library's own reader builds them, by recursion without a bound and in memory sized by what
//! the file claims: a megabyte of opening bytes ends the process. Here the depth is a limit, and an
//! item is forgotten when the next one is read.

use wasmparser::{
    AbstractHeapType, BinaryReader, ComponentAlias, ComponentExternName, ComponentImport, ComponentTypeRef,
    ComponentValType, HeapType, Import, PrimitiveValType, RefType, TypeRef, ValType,
};

use super::error::{Fault, Feature};
use super::limits::Limit;
use super::reader;
use super::tally::Tally;

/// Reads a type at component level; `depth` counts the types it is inside of, itself included.
pub(super) fn component_type(
    reader: &mut BinaryReader<'_>,
    depth: u64,
    tally: &mut Tally<'_>,
) -> Result<(), Fault> {
    let offset = reader.original_position();
    tally.add(Limit::ComponentTypes, 1, offset)?;
    tally.peak(Limit::ComponentNesting, depth, offset)?;
    match reader.read_u8()? {
        // A resource: its representation, perhaps a destructor.
        0x3f => {
            value_type(reader)?;
            if reader.read()? {
                reader.read_var_u32()?;
            }
            Ok(())
        }
        0x40 => function_type(reader, tally),
        0x41 | 0x42 => {
            for _ in 0..members(reader, tally)? {
                declaration(reader, depth, tally)?;
            }
            Ok(())
        }
        0x43 => Err(Fault::unsupported(Feature::ComponentModelAsync, offset)),
        byte => defined_type(byte, reader, offset, tally),
    }
}

/// Reads a core type at component level: a function's or a module's.
pub(super) fn core_type(reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
    let offset = reader.original_position();
    tally.add(Limit::ComponentTypes, 1, offset)?;
    let mut after = reader.clone();
    // Here 0x50 means the type of a module; the one that belongs to GC is written 0x00 0x50.
    match after.read_u8()? {
        0x00 => Err(Fault::unsupported(Feature::Gc, offset)),
        0x50 => {
            *reader = after;
            for _ in 0..members(reader, tally)? {
                module_declaration(reader, tally)?;
            }
            Ok(())
        }
        _ => core_function_type(reader, tally),
    }
}

/// Reads a core function type; everything else that may stand here is refused by name.
pub(super) fn core_function_type(reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
    let offset = reader.original_position();
    match reader.read_u8()? {
        0x60 => {}
        0x4c..=0x50 | 0x5e | 0x5f => return Err(Fault::unsupported(Feature::Gc, offset)),
        0x5d => return Err(Fault::unsupported(Feature::StackSwitching, offset)),
        0x65 => return Err(Fault::unsupported(Feature::Threads, offset)),
        byte => return Err(Fault::invalid(format!("unknown form {byte:#x} of type"), offset)),
    }
    let params = reader::count(reader)?;
    tally.peak(Limit::ParamsResults, params, offset)?;
    for _ in 0..params {
        value_type(reader)?;
    }
    let results = reader::count(reader)?;
    tally.peak(Limit::ParamsResults, params + results, offset)?;
    for _ in 0..results {
        value_type(reader)?;
    }
    Ok(())
}

/// Reads a core value type and refuses references that need what the host leaves out.
pub(super) fn value_type(reader: &mut BinaryReader<'_>) -> Result<(), Fault> {
    let offset = reader.original_position();
    match reader.read::<ValType>()? {
        ValType::Ref(reference) => reference_type(reference, offset),
        ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 | ValType::V128 => Ok(()),
    }
}

/// Accepts `funcref`, names the proposal of every other reference.
pub(super) fn reference_type(reference: RefType, offset: usize) -> Result<(), Fault> {
    let feature = match reference.heap_type() {
        HeapType::Abstract { shared: true, .. } => Feature::Threads,
        HeapType::Abstract { shared: false, ty } => match ty {
            AbstractHeapType::Func if reference.is_nullable() => return Ok(()),
            AbstractHeapType::Func => Feature::FunctionReferences,
            AbstractHeapType::Exn | AbstractHeapType::NoExn => Feature::Exceptions,
            AbstractHeapType::Cont | AbstractHeapType::NoCont => Feature::StackSwitching,
            _ => Feature::Gc,
        },
        HeapType::Concrete(_) | HeapType::Exact(_) => Feature::FunctionReferences,
    };
    Err(Fault::unsupported(feature, offset))
}

/// The count of a type's members, which are counted in all.
fn members(reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<u64, Fault> {
    let offset = reader.original_position();
    let count = reader::count(reader)?;
    tally.add(Limit::ComponentTypeMembers, count, offset)?;
    Ok(count)
}

fn function_type(reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
    let offset = reader.original_position();
    let params = members(reader, tally)?;
    // One more for the result, of which a function has at most one.
    tally.peak(Limit::ParamsResults, params + 1, offset)?;
    for _ in 0..params {
        reader.read_string()?;
        component_value_type(reader)?;
    }
    let offset = reader.original_position();
    match (reader.read_u8()?, reader.clone().read_u8()?) {
        (0x00, _) => component_value_type(reader),
        (0x01, 0x00) => {
            reader.read_u8()?;
            Ok(())
        }
        _ => Err(Fault::invalid("unknown form of a function's result", offset)),
    }
}

fn defined_type(
    byte: u8,
    reader: &mut BinaryReader<'_>,
    offset: usize,
    tally: &mut Tally<'_>,
) -> Result<(), Fault> {
    match byte {
        0x73..=0x7f => Ok(()),
        0x72 => {
            for _ in 0..members(reader, tally)? {
                reader.read_string()?;
                component_value_type(reader)?;
            }
            Ok(())
        }
        0x71 => {
            for _ in 0..members(reader, tally)? {
                reader.read_string()?;
                optional_value_type(reader)?;
                let offset = reader.original_position();
                if reader.read_u8()? != 0 {
                    return Err(Fault::invalid("a variant's case does not end in zero", offset));
                }
            }
            Ok(())
        }
        0x6f => {
            for _ in 0..members(reader, tally)? {
                component_value_type(reader)?;
            }
            Ok(())
        }
        0x6d | 0x6e => {
            for _ in 0..members(reader, tally)? {
                reader.read_string()?;
            }
            Ok(())
        }
        0x6b | 0x70 => component_value_type(reader),
        0x6a => {
            optional_value_type(reader)?;
            optional_value_type(reader)
        }
        0x68 | 0x69 => {
            reader.read_var_u32()?;
            Ok(())
        }
        0x67 => {
            component_value_type(reader)?;
            reader.read_var_u32()?;
            Ok(())
        }
        0x63 => {
            component_value_type(reader)?;
            component_value_type(reader)
        }
        0x64..=0x66 => Err(Fault::unsupported(Feature::ComponentModelAsync, offset)),
        _ => Err(Fault::invalid(format!("unknown form {byte:#x} of component type"), offset)),
    }
}

fn component_value_type(reader: &mut BinaryReader<'_>) -> Result<(), Fault> {
    let offset = reader.original_position();
    match reader.read()? {
        ComponentValType::Primitive(PrimitiveValType::ErrorContext) => {
            Err(Fault::unsupported(Feature::ComponentModelAsync, offset))
        }
        ComponentValType::Primitive(_) | ComponentValType::Type(_) => Ok(()),
    }
}

fn optional_value_type(reader: &mut BinaryReader<'_>) -> Result<(), Fault> {
    if reader.read()? {
        component_value_type(reader)?;
    }
    Ok(())
}

/// A line of a component's or an instance's type. Only the former may have imports, which the
/// engine checks.
fn declaration(reader: &mut BinaryReader<'_>, depth: u64, tally: &mut Tally<'_>) -> Result<(), Fault> {
    let offset = reader.original_position();
    match reader.read_u8()? {
        0x00 => core_type(reader, tally),
        0x01 => component_type(reader, depth + 1, tally),
        0x02 => {
            reader.read::<ComponentAlias>()?;
            Ok(())
        }
        0x03 => {
            reader.read::<ComponentImport>()?;
            Ok(())
        }
        0x04 => {
            reader.read::<ComponentExternName>()?;
            reader.read::<ComponentTypeRef>()?;
            Ok(())
        }
        byte => Err(Fault::invalid(format!("unknown declaration {byte:#x} in a type"), offset)),
    }
}

/// A line of a module's type.
fn module_declaration(reader: &mut BinaryReader<'_>, tally: &mut Tally<'_>) -> Result<(), Fault> {
    let offset = reader.original_position();
    match reader.read_u8()? {
        0x00 => {
            reader.read::<Import>()?;
            Ok(())
        }
        0x01 => core_function_type(reader, tally),
        0x02 => match (reader.read_u8()?, reader.read_u8()?) {
            (0x10, 0x01) => {
                reader.read_var_u32()?;
                reader.read_var_u32()?;
                Ok(())
            }
            _ => Err(Fault::invalid("unknown alias in a module's type", offset)),
        },
        0x03 => {
            reader.read_string()?;
            reader.read::<TypeRef>()?;
            Ok(())
        }
        byte => Err(Fault::invalid(format!("unknown declaration {byte:#x} in a module's type"), offset)),
    }
}
