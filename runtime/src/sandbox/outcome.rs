//! How an invocation ended, what it used, and what it logged.
//!
//! Whatever a guest does ends in one [`RunError`] with a stable code and a cause that tells its author what to change:
//! which limit and its value, where it trapped, what it said when it panicked.

use std::fmt;
use std::time::Duration;

use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, WasmBacktrace};

use super::contract::Failure;
use super::limits::{Denied, Limits};
use super::store::State;
use crate::call::WebResponse;
use crate::capability::{LogBuffer, LogEntry};
use crate::state::Session;

/// How one invocation ended.
#[derive(Debug)]
pub struct Outcome {
    /// What the handler answered, or why not.
    pub result: Result<Answer, RunError>,
    /// Whether something was done that a second run would do again.
    pub acted: bool,
    /// The session as it left it, where it has one. Whoever takes the answer keeps it.
    pub session: Option<Box<Session>>,
    /// What it used.
    pub used: Used,
    /// What it logged, in order. Ends with a remark of the host's where something was dropped.
    pub log: Vec<LogEntry>,
    /// Entries that were dropped or cut because the log was full.
    pub log_dropped_entries: usize,
    /// Bytes that were dropped because the log was full.
    pub log_dropped_bytes: usize,
}

/// What a handler answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A document, not looked at yet.
    Document(String),
    /// An event was taken note of.
    Noted,
    /// The answer to a web request.
    Web(Box<WebResponse>),
}

/// What one invocation used of its budgets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// From start to end.
    pub wall: Duration,
    /// Ticks of 1 ms at which the guest was running; what [`Limits::cpu`] is held against.
    pub cpu: Duration,
    /// Time that guest and host worked on it, measured; finer than `cpu`, and more on a busy machine.
    pub busy: Duration,
    /// Memories and tables together at their largest, in bytes.
    pub memory_bytes: u64,
    /// Text that was kept of the log, in bytes.
    pub log_bytes: usize,
    /// Entries that were kept of the log.
    pub log_entries: usize,
}

/// Where and why a guest trapped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trap {
    /// What happened, causes included, on one line.
    pub message: String,
    /// The guest's call stack, innermost first: `MODULE!FUNCTION`, with the place in the source where the component
    /// tells it.
    pub frames: Vec<String>,
}

impl Trap {
    /// `, in MODULE!FUNCTION`; empty where that is not known.
    fn place(&self) -> String {
        self.frames.first().map_or_else(String::new, |frame| format!(", in {frame}"))
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.message, self.place())
    }
}

/// A bound that an invocation met and that is none of time and memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Elements of one table.
    TableElements,
    /// Resources (streams, pollables, …) that the guest holds.
    Resources,
    /// Bytes that one call copies from the guest to the host.
    HostCopyBytes,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TableElements => "elements of one table",
            Self::Resources => "resources held at once",
            Self::HostCopyBytes => "bytes copied to the host by one call",
        })
    }
}

/// Why an invocation gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// HS201: the wall deadline.
    #[error("the handler ran past its deadline of {} ms (deadline_ms under [limits])", deadline.as_millis())]
    PastDeadline {
        /// The limit.
        deadline: Duration,
        /// CPU time it had used, in ticks; little means that it waited.
        cpu: Duration,
    },
    /// HS202: an instruction or a value that can't be.
    #[error("the handler trapped: {0}")]
    Trapped(Trap),
    /// HS203: CPU time.
    #[error("the handler used up its {} ms of CPU time (cpu_ms under [limits]){}", cpu.as_millis(), trap.place())]
    OutOfCpu {
        /// The limit.
        cpu: Duration,
        /// Where it was.
        trap: Trap,
    },
    /// HS204: it asked for memory beyond its limit, got none, and failed.
    #[error("the handler asked for more than its {} KiB of memory (memory_mib under [limits]) and failed: {trap}", limit_bytes >> 10)]
    OutOfMemory {
        /// The limit, in bytes.
        limit_bytes: u64,
        /// What happened then.
        trap: Trap,
    },
    /// HS205: stack.
    #[error("the handler's calls went deeper than its stack: {0}")]
    StackOverflow(Trap),
    /// HS209: the handler returned a failure.
    #[error("the handler failed: {message}{}", causes.iter().map(|cause| format!(": {cause}")).collect::<String>())]
    Failed {
        /// Its message.
        message: String,
        /// What it was caused by, outermost first.
        causes: Vec<String>,
    },
    /// HS210: the component does not export what this webhook calls.
    #[error("the handler exports no `{interface}`, which answers this kind of webhook")]
    NoExport {
        /// The interface that is missing.
        interface: &'static str,
    },
    /// HS211: the host had no place or no memory for it.
    #[error("the host has no room for another invocation: {cause}")]
    Overloaded {
        /// Which room.
        cause: String,
    },
    /// HS212: a fault of the host's.
    #[error("a fault in the host ended the invocation: {message}")]
    HostFault {
        /// The panic's message.
        message: String,
    },
    /// HS213: the handler panicked.
    #[error("the handler {message}")]
    Panicked {
        /// `panicked at PLACE: MESSAGE`.
        message: String,
        /// Where it was.
        trap: Trap,
    },
    /// HS214: a bound on what is neither time nor memory.
    #[error("the handler went beyond {limit} {bound}{}", trap.place())]
    Beyond {
        /// What is bounded.
        bound: Bound,
        /// How much there may be.
        limit: u64,
        /// What happened then.
        trap: Trap,
    },
    /// HS218: an answer to a web request that HTTP, or this host, does not send.
    #[error("the answer to the web request can't be sent: {problem}")]
    Unsendable {
        /// What was found, what was expected.
        problem: String,
    },
}

impl RunError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::PastDeadline { .. } => "HS201",
            Self::Trapped(_) => "HS202",
            Self::OutOfCpu { .. } => "HS203",
            Self::OutOfMemory { .. } => "HS204",
            Self::StackOverflow(_) => "HS205",
            Self::Failed { .. } => "HS209",
            Self::NoExport { .. } => "HS210",
            Self::Overloaded { .. } => "HS211",
            Self::HostFault { .. } => "HS212",
            Self::Panicked { .. } => "HS213",
            Self::Beyond { .. } => "HS214",
            Self::Unsendable { .. } => "HS218",
        }
    }

    /// Where the guest was, if that is known.
    #[must_use]
    pub fn trap(&self) -> Option<&Trap> {
        match self {
            Self::Trapped(trap)
            | Self::StackOverflow(trap)
            | Self::OutOfCpu { trap, .. }
            | Self::OutOfMemory { trap, .. }
            | Self::Panicked { trap, .. }
            | Self::Beyond { trap, .. } => Some(trap),
            Self::PastDeadline { .. }
            | Self::Failed { .. }
            | Self::NoExport { .. }
            | Self::Overloaded { .. }
            | Self::HostFault { .. }
            | Self::Unsendable { .. } => None,
        }
    }
}

impl From<Failure> for RunError {
    fn from(failure: Failure) -> Self {
        Self::Failed { message: failure.message, causes: failure.causes }
    }
}

/// Reads an error of wasmtime's in the light of what the store had noted.
pub(super) fn explain(error: &wasmtime::Error, state: &State, limits: &Limits, log: &LogBuffer) -> RunError {
    if error.is::<PoolConcurrencyLimitError>() {
        return RunError::Overloaded { cause: error.root_cause().to_string() };
    }
    let trap = trap(error);
    match error.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::Interrupt) if state.cpu.is_used_up() => {
            return RunError::OutOfCpu { cpu: limits.cpu, trap };
        }
        Some(wasmtime::Trap::StackOverflow) => return RunError::StackOverflow(trap),
        _ => {}
    }
    if let Some((bound, limit)) = bound(error) {
        return RunError::Beyond { bound, limit, trap };
    }
    match state.limiter.denied() {
        Some(Denied::Memory { limit }) => RunError::OutOfMemory { limit_bytes: limit, trap },
        Some(Denied::HostMemory { limit }) => {
            RunError::Overloaded { cause: format!("all guests together have {} MiB of memory", limit >> 20) }
        }
        Some(Denied::TableElements { limit }) => {
            RunError::Beyond { bound: Bound::TableElements, limit, trap }
        }
        None => match &log.panic {
            Some(message) => RunError::Panicked { message: message.clone(), trap },
            None => RunError::Trapped(trap),
        },
    }
}

/// The bound that an error is about. wasmtime keeps two of these types to itself, so they are known by their words; a
/// test for each notices when those change.
fn bound(error: &wasmtime::Error) -> Option<(Bound, u64)> {
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return Some((Bound::Resources, crate::capability::RESOURCES_MAX as u64));
    }
    let cause = error.root_cause().to_string();
    if cause.contains("fuel allocated for hostcalls has been exhausted") {
        return Some((Bound::HostCopyBytes, super::store::HOST_COPY_BYTES_MAX as u64));
    }
    if cause.contains("store handle limit exceeded") {
        return Some((Bound::Resources, super::store::HANDLES_MAX as u64));
    }
    None
}

/// Message and call stack of an error.
fn trap(error: &wasmtime::Error) -> Trap {
    let mut message = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        let first = cause.lines().next().unwrap_or_default();
        let first = first.strip_prefix("wasm trap: ").unwrap_or(first);
        // The backtrace is one of the causes; it is told apart, with each frame for itself.
        if first.is_empty() || first.starts_with("error while executing at wasm backtrace") {
            continue;
        }
        if !message.is_empty() {
            message.push_str(": ");
        }
        message.push_str(first);
    }
    let frames = error.downcast_ref::<WasmBacktrace>().map(frames).unwrap_or_default();
    Trap { message, frames }
}

/// Parts of the frames of an interpreter: it tells an author nothing in which of its functions his script was.
const OF_INTERPRETERS: &[&str] = &["<unknown>!<wasm function", "libpython", "libcomponentize", "pyo3::"];

/// The frames of a backtrace, without those of interpreters, function names in the spelling of their language.
fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let text = backtrace.to_string();
    let (mut frames, mut seen): (Vec<String>, bool) = (Vec::new(), false);
    for line in text.lines().skip(1) {
        if let Some((number, frame)) = line.trim_start().split_once(": ")
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            // `0x1f3 - module!function::h0123456789abcdef`: offset and hash say nothing to an author.
            let name = frame.split_once(" - ").map_or(frame, |(_, name)| name).trim();
            seen = !OF_INTERPRETERS.iter().any(|part| name.contains(part));
            if seen {
                frames.push(without_hash(name).to_owned());
            }
        } else if seen
            && let (Some(frame), Some(place)) = (frames.last_mut(), line.trim().strip_prefix("at "))
        {
            frame.push_str(" at ");
            frame.push_str(place);
        }
    }
    frames
}

/// The name of a Rust function without the hash that its mangled name ends with.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => path,
        _ => name,
    }
}
