//! Under which limits a component was seen to start.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sandbox::Limits;

/// The limits of a start that is tried: those of the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SmokeLimits {
    /// All memories and tables together, in MiB.
    pub memory_mib: u64,
    /// CPU time, in milliseconds.
    pub cpu_ms: u64,
    /// Wall time, in milliseconds.
    pub deadline_ms: u64,
}

impl SmokeLimits {
    /// Whether what starts under `self` starts under `other`, too.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        self.memory_mib <= other.memory_mib
            && self.cpu_ms <= other.cpu_ms
            && self.deadline_ms <= other.deadline_ms
    }

    /// As the sandbox has it.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            deadline: Duration::from_millis(self.deadline_ms),
            cpu: Duration::from_millis(self.cpu_ms),
            memory_mib: self.memory_mib,
            ..Limits::default()
        }
    }
}
