//! What the child tells the host, in one line of JSON, and what the host makes of a child's end.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::load::Facts;

/// A component that was refused. For its author: nothing of the host's inside is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct CompileError {
    /// The stable word: `invalid`, `unsupported`, `import`, `export`, `limit:NAME`, `compile_timeout`, `compile_memory`,
    /// `compile_crash` or `smoke`.
    pub reason: String,
    /// What was found, what was expected, what to try.
    pub detail: String,
    /// CPU time that it cost, in milliseconds; an upper bound where the child was ended.
    pub cpu_ms: u64,
}

/// What came of one compile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::artifact) enum Report {
    /// The machine code is in the output.
    Compiled(Compiled),
    /// The component is refused.
    Refused(CompileError),
    /// A fault of the host's.
    Broken(Broken),
}

/// A compile that went well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::artifact) struct Compiled {
    /// What compiled it; has to be what the host expects.
    pub engine: String,
    /// What loading needs.
    pub facts: Facts,
    /// The interfaces of ours that it exports, sorted.
    pub exports: Vec<String>,
    /// Bytes of machine code in the output.
    pub code_bytes: u64,
    /// What it took.
    pub spent: Spent,
    /// How far the child was closed in.
    pub confined: Confined,
}

/// What a compile took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// CPU time of the child, in milliseconds.
    pub cpu_ms: u64,
    /// Its largest resident memory, in KiB.
    pub memory_kib: u64,
    /// From the child's start until it was ready to compile, in milliseconds.
    pub ready_ms: u64,
    /// Functions that were not compiled, because an earlier compile of the tenant had.
    pub functions_reused: u64,
    /// Functions that were compiled.
    pub functions_compiled: u64,
}

/// How far landlock, which older kernels lack, closes the child in. The filter on system calls is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confined {
    /// No file, no network, no signal or abstract socket outward.
    Fully,
    /// As far as this kernel can.
    Partly,
    /// By the filter on system calls alone.
    ByFilterOnly,
}

/// A fault of the host's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::artifact) enum Broken {
    /// No room for the output.
    DiskFull,
    /// Anything else.
    Other(String),
}

impl CompileError {
    /// A refusal.
    pub(in crate::artifact) fn new(
        reason: impl Into<String>,
        detail: impl fmt::Display,
        cpu: Duration,
    ) -> Self {
        let cpu_ms = u64::try_from(cpu.as_millis()).unwrap_or(u64::MAX);
        Self { reason: reason.into(), detail: shortened(&detail.to_string()), cpu_ms }
    }
}

/// No author reads more, and no compiler's message has to be longer.
const DETAIL_BYTES_MAX: usize = 4_096;

fn shortened(detail: &str) -> String {
    match detail.char_indices().find(|(at, _)| *at >= DETAIL_BYTES_MAX) {
        None => detail.to_owned(),
        Some((end, _)) => format!("{} …", detail.get(..end).unwrap_or_default()),
    }
}
