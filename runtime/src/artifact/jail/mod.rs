//! One compile, in a process of its own.
//!
//! Compiling is the softest target a host has: small inputs cost minutes and gigabytes, and running out of memory there ends
//! the process. So that process is another one: the same program, started for one component, closed in by itself
//! ([`confine`]), watched from here and ended with all it has started. Whatever becomes of it is a sentence for the author
//! of the component, and live calls feel nothing of it.
//!
//! What may be compiled when is `queue`'s business; what is done with the machine code is `artifacts`'.

mod child;
mod confine;
mod functions;
mod report;

use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tracing::warn;

pub use child::{FunctionFiles, Orders, run};
pub use confine::Bounds;
pub(super) use functions::Functions;
pub(super) use report::{Broken, Compiled, Report};
pub use report::{CompileError, Confined, Spent};

use super::smoke::SmokeLimits;

/// The hidden subcommand that is the child.
pub const SUBCOMMAND: &str = "compile-component";
/// What is kept of what a child says: its report, and a crash's message before that.
const SAID_BYTES_MAX: usize = 256 << 10;

/// How compiles are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JailSettings {
    /// The program that has the subcommand [`SUBCOMMAND`]; by default this one, even if its file was replaced meanwhile.
    pub program: PathBuf,
    /// CPU time of one compile. A language runtime takes 20 to 30 s; raising it lets an attacker use more.
    pub cpu: Duration,
    /// Memory of one compile, in bytes.
    pub memory_bytes: u64,
    /// From start to end; more than `cpu`, since compiles run at the lowest priority.
    pub wall: Duration,
    /// Machine code of one component, in bytes.
    pub code_bytes: u64,
    /// The largest memory limit that a handler may be given, in MiB; as in the host's sandbox.
    pub memory_mib_max: u64,
}

impl Default for JailSettings {
    /// 120 s of CPU within 300 s, 2 GiB, 256 MiB of code, memories up to 256 MiB.
    fn default() -> Self {
        Self {
            program: PathBuf::from("/proc/self/exe"),
            cpu: Duration::from_secs(120),
            memory_bytes: 2 << 30,
            wall: Duration::from_secs(300),
            code_bytes: 256 << 20,
            memory_mib_max: 256,
        }
    }
}

/// One compile.
pub(super) struct Task<'a> {
    /// What is compiled.
    pub component: File,
    /// Where the machine code goes: an empty file.
    pub output: &'a File,
    /// Limits under which it has to start; none: it is not tried.
    pub start_under: Option<SmokeLimits>,
    /// Functions to use again.
    pub functions: Option<FunctionFiles>,
}

/// Compiles `task.component` into `task.output`. Dropping the future ends the child.
///
/// Call it from a task, not where blocking is allowed: the kernel ends a child with the *thread* that started it, and
/// threads for blocking work end when they are idle.
pub(super) async fn compile(settings: &JailSettings, task: Task<'_>) -> Report {
    let started = Instant::now();
    let mut child = match Group::spawn(settings, task) {
        Ok(child) => child,
        Err(error) => {
            return Report::Broken(Broken::Other(format!("the compiler can't be started: {error}")));
        }
    };
    let ended = tokio::time::timeout(settings.wall, child.end()).await;
    // Whatever it has started goes with it.
    child.kill();
    match ended {
        Ok(Ok((status, said))) => conclude(settings, status, &said, started.elapsed()),
        Ok(Err(error)) => Report::Broken(Broken::Other(format!("the compiler can't be watched: {error}"))),
        Err(_elapsed) => {
            let detail =
                format!("compiling took more than {} s; make the component smaller", settings.wall.as_secs());
            Report::Refused(CompileError::new("compile_timeout", detail, settings.cpu))
        }
    }
}

/// A child and all that it starts.
struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Group {
    fn spawn(settings: &JailSettings, task: Task<'_>) -> io::Result<Self> {
        let mut command = Command::new(&settings.program);
        command.arg(SUBCOMMAND);
        let mut number = |name: &str, value: u64| {
            command.arg(format!("--{name}={value}"));
        };
        number("host", std::process::id().into());
        number("cpu-s", settings.cpu.as_secs().max(1));
        number("memory-bytes", settings.memory_bytes);
        let functions_bytes = task.functions.as_ref().map_or(0, |files| files.bytes_max);
        number("file-bytes", settings.code_bytes.max(functions_bytes));
        number("code-bytes", settings.code_bytes);
        number("memory-mib-max", settings.memory_mib_max);
        if let Some(limits) = task.start_under {
            number("start-memory-mib", limits.memory_mib);
            number("start-cpu-ms", limits.cpu_ms);
            number("start-deadline-ms", limits.deadline_ms);
        }
        if let Some(files) = &task.functions {
            number("functions-bytes-max", files.bytes_max);
            if let Some((_, bytes)) = &files.input {
                number("functions-bytes", *bytes);
            }
            if let Some((path, _)) = &files.input {
                command.arg("--functions").arg(std::path::absolute(path)?);
            }
            // The child begins elsewhere, and the operator's folder may be named from where the host began.
            command.arg("--functions-output").arg(std::path::absolute(&files.output)?);
        }
        let child = command
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(task.component))
            .stdout(Stdio::from(task.output.try_clone()?))
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Self { child, id })
    }

    /// Waits until it has ended, and reads what it says.
    async fn end(&mut self) -> io::Result<(ExitStatus, String)> {
        let said = match self.child.stderr.take() {
            Some(pipe) => listen(pipe).await?,
            None => String::new(),
        };
        Ok((self.child.wait().await?, said))
    }

    fn kill(&mut self) {
        // A group without members is no error worth a word.
        let _gone = self.id.take().map(|id| kill_process_group(id, Signal::KILL));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads to the end and keeps the last part, where the report is.
async fn listen(mut pipe: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut said = Vec::new();
    loop {
        if pipe.read_buf(&mut said).await? == 0 {
            return Ok(String::from_utf8_lossy(&said).into_owned());
        }
        if said.len() > 2 * SAID_BYTES_MAX {
            said.drain(..said.len() - SAID_BYTES_MAX);
        }
    }
}

/// What the end of a child means.
fn conclude(settings: &JailSettings, status: ExitStatus, said: &str, wall: Duration) -> Report {
    let report = said.lines().next_back().and_then(|line| serde_json::from_str::<Report>(line).ok());
    if let (true, Some(report)) = (status.success(), report) {
        return report;
    }
    let cpu = wall.min(settings.cpu);
    let refuse = |reason: &str, detail: String| Report::Refused(CompileError::new(reason, detail, cpu));
    let memory_mib = settings.memory_bytes >> 20;
    let signal = status.signal().and_then(Signal::from_named_raw);
    match signal {
        Some(Signal::XCPU) => refuse(
            "compile_timeout",
            format!(
                "compiling took more than {} s of CPU time; split what is largest or most deeply nested",
                settings.cpu.as_secs()
            ),
        ),
        Some(Signal::XFSZ) => refuse(
            "limit:artifact_bytes",
            format!(
                "the compiled component has more than {} bytes; leave out code that nothing uses",
                settings.code_bytes
            ),
        ),
        Some(Signal::ABORT) if said.contains("memory allocation of") => refuse(
            "compile_memory",
            format!("compiling took more than {memory_mib} MiB of memory; split what is largest"),
        ),
        // Nobody here sent it: the machine itself has run out of memory, and this process had offered to go first.
        Some(Signal::KILL) => refuse(
            "compile_memory",
            "compiling was stopped, most likely because the machine ran out of memory; try again later"
                .to_owned(),
        ),
        // The engine joins components by modules with two memories, which handlers may not have, and panics (48.0.8).
        _ if said.contains("invalid adapter module generated") => refuse(
            "unsupported",
            "the component is composed of components with memories of their own that pass texts or lists to each other; \
             link their code into one component"
                .to_owned(),
        ),
        _ => {
            // For the operator alone: it may name places inside the host.
            let tail: String = said.chars().rev().take(2_000).collect::<Vec<_>>().into_iter().rev().collect();
            warn!(%status, "the compiler failed: {}", tail.trim());
            refuse(
                "compile_crash",
                "the compiler failed on this component; please report it with the component".to_owned(),
            )
        }
    }
}
