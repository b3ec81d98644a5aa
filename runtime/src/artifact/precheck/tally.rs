//! Counting, and comparing each count with its limit as it grows.

use std::fmt;

use super::error::Fault;
use super::limits::{Limit, StructureLimits};

/// What a component contains: for each [`Limit`] the total, or the largest of its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Structure {
    found: [u64; Limit::ALL.len()],
}

impl Structure {
    /// How much of `limit` was found, in its unit.
    pub fn found(&self, limit: Limit) -> u64 {
        self.found.get(limit as usize).copied().unwrap_or(0)
    }

    /// Everything that was counted, in the order of [`Limit::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Limit, u64)> + '_ {
        Limit::ALL.into_iter().map(|limit| (limit, self.found(limit)))
    }
}

/// One line for people: `12021960 bytes, 4 core modules, 12708 functions (largest 171628 bytes), …`.
impl fmt::Display for Structure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} bytes, {} core modules, {} functions (largest {} bytes), {} bytes of memory at start",
            self.found(Limit::ComponentBytes),
            self.found(Limit::CoreModules),
            self.found(Limit::Functions),
            self.found(Limit::BodyBytes),
            self.found(Limit::Memory),
        )
    }
}

/// The counts so far, their limits, and where we are.
pub(super) struct Tally<'l> {
    limits: &'l StructureLimits,
    pub(super) structure: Structure,
    /// The core module being read, counted over the whole file.
    pub(super) module: Option<u32>,
    /// The function being read, by its index in that module.
    pub(super) function: Option<u32>,
}

impl<'l> Tally<'l> {
    pub(super) fn new(limits: &'l StructureLimits) -> Self {
        Tally { limits, structure: Structure::default(), module: None, function: None }
    }

    /// Adds to a total and returns it.
    pub(super) fn add(&mut self, limit: Limit, more: u64, offset: usize) -> Result<u64, Fault> {
        let total = self.structure.found(limit).saturating_add(more);
        self.peak(limit, total, offset)?;
        Ok(total)
    }

    /// Notes a value of which the largest counts.
    pub(super) fn peak(&mut self, limit: Limit, value: u64, offset: usize) -> Result<(), Fault> {
        let most = self.limits.most(limit);
        if value > most {
            return Err(Fault::Limit { limit, found: value, most, offset });
        }
        if let Some(found) = self.structure.found.get_mut(limit as usize) {
            *found = value.max(*found);
        }
        Ok(())
    }
}
