//! A look at a component's structure before anything expensive is done with it.
//!
//! Compiling is the softest target a host has, and size is no measure of it. So one pass over the
//! bytes, in time linear in their number and in memory that does not depend on any count the file
//! claims, refuses what is damaged, what the host leaves out, and what has too much of something,
//! each by name and with the place. Nothing here allocates by a number that was read.
//!
//! Types are not checked, indices only where they are followed: that is the engine's business, in
//! the compile that comes after. Whether the host offers the imports is decided there, too.

mod body;
mod component;
mod error;
mod header;
mod limits;
mod module;
mod reader;
mod tally;
mod types;

#[cfg(test)]
mod tests;

use wasmparser::{Chunk, Encoding, Parser, Payload};

use component::Component;
use error::Fault;
use module::Module;
use tally::Tally;

pub use error::{Feature, Place, PrecheckError, RefusalKind};
pub use limits::{Limit, StructureLimits};
pub use tally::Structure;

/// Reads `bytes` once and says what they contain.
///
/// # Errors
/// [`PrecheckError`] for the first thing found that this host cannot or will not compile.
pub fn precheck(bytes: &[u8], limits: &StructureLimits) -> Result<Structure, PrecheckError> {
    header::check(bytes)?;
    let mut tally = Tally::new(limits);
    match walk(bytes, &mut tally) {
        Ok(()) => Ok(tally.structure),
        Err(fault) => Err(fault.at(tally.module, tally.function)),
    }
}

/// What is being read: a component, or a core module inside it.
enum Level {
    Component(Component),
    Module(Module),
}

/// Goes through the sections. Nested components are levels on a stack, whose height is a limit.
fn walk(bytes: &[u8], tally: &mut Tally<'_>) -> Result<(), Fault> {
    tally.peak(Limit::ComponentBytes, to_u64(bytes.len()), 0)?;

    let mut outer: Vec<(Parser, Component)> = Vec::new();
    let mut parser = Parser::new(0);
    let mut level = Level::Component(Component::default());
    let mut rest = bytes;
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            return Err(Fault::invalid("the file ends too early", bytes.len()));
        };
        rest = rest.get(consumed..).unwrap_or_default();

        let inner = match (&mut level, payload) {
            (Level::Component(_), Payload::Version { encoding: Encoding::Component, .. })
            | (Level::Module(_), Payload::Version { encoding: Encoding::Module, .. })
            | (_, Payload::CustomSection(_)) => None,
            (_, Payload::Version { range, .. }) => {
                return Err(Fault::invalid(
                    "a nested module or component is the other of the two",
                    range.start,
                ));
            }
            (_, Payload::UnknownSection { id, range, .. }) => {
                return Err(Fault::invalid(
                    format!("unknown section {id}; are there bytes after the end?"),
                    range.start,
                ));
            }
            (Level::Component(here), Payload::ModuleSection { parser, unchecked_range }) => {
                let index = tally.add(Limit::CoreModules, 1, unchecked_range.start)?;
                here.define(1, unchecked_range.start, tally)?;
                tally.module = u32::try_from(index - 1).ok();
                Some((parser, Level::Module(Module::default())))
            }
            (Level::Component(here), Payload::ComponentSection { parser, unchecked_range }) => {
                tally.add(Limit::Components, 1, unchecked_range.start)?;
                here.define(1, unchecked_range.start, tally)?;
                let nesting = to_u64(outer.len()) + 1;
                tally.peak(Limit::ComponentNesting, nesting, unchecked_range.start)?;
                Some((parser, Level::Component(Component::default())))
            }
            (Level::Component(here), Payload::End(_)) => {
                let Some((parser_outside, mut outside)) = outer.pop() else { return Ok(()) };
                outside.components.push(here.weight);
                parser = parser_outside;
                level = Level::Component(outside);
                None
            }
            (Level::Module(here), Payload::End(_)) => {
                let Some((parser_outside, mut outside)) = outer.pop() else { return Ok(()) };
                outside.modules.push(here.weight);
                tally.module = None;
                tally.function = None;
                parser = parser_outside;
                level = Level::Component(outside);
                None
            }
            (Level::Component(here), section) => {
                here.section(bytes, section, tally)?;
                None
            }
            (Level::Module(here), section) => {
                here.section(bytes, section, tally)?;
                None
            }
        };

        if let Some((parser_inside, inside)) = inner {
            let parser_outside = std::mem::replace(&mut parser, parser_inside);
            if let Level::Component(outside) = std::mem::replace(&mut level, inside) {
                outer.push((parser_outside, outside));
            }
        }
    }
}

/// Lengths fit: the host has at most 64 bits of address.
fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
