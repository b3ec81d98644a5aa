//! The work of the child: read a component, compile it, see whether it starts, write the machine code.
//!
//! Everything that a deploy can be refused for by the component's bytes is found here, by the functions that load it later.
//! The child knows no secret and holds no file but its own three (and a function cache in and out).

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use wasmtime::CacheStore;

use super::confine::{Bounds, confine};
use super::functions::Functions;
use super::report::{Broken, CompileError, Compiled, Report, Spent};
use crate::artifact::load::LoadError;
use crate::artifact::smoke::SmokeLimits;
use crate::artifact::store::is_full;
use crate::sandbox::{Prepared, Sandbox, SandboxSettings, fingerprint};

/// What the host asks for.
#[derive(Debug, Clone)]
pub struct Orders {
    /// What the child may use.
    pub bounds: Bounds,
    /// The process that started it.
    pub host: u32,
    /// Machine code of one component, in bytes.
    pub code_bytes: u64,
    /// The largest memory limit of the operator's, in MiB.
    pub memory_mib_max: u64,
    /// Limits under which it has to start; none: it is not tried.
    pub start_under: Option<SmokeLimits>,
    /// Functions to use again.
    pub functions: Option<FunctionFiles>,
}

/// Where functions to use again come from and go to. Opened before the walls go up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionFiles {
    /// A proved file and how long its contents are; none: there is none yet.
    pub input: Option<(PathBuf, u64)>,
    /// An empty file.
    pub output: PathBuf,
    /// The most that is written there, in bytes.
    pub bytes_max: u64,
}

/// Does the whole work between standard input, a component, and standard output, the machine code. The report is the last
/// line of standard error.
pub fn run(orders: &Orders) {
    let report = work(orders).unwrap_or_else(Report::Broken);
    let mut line = serde_json::to_vec(&report).expect("a report holds texts and numbers");
    line.push(b'\n');
    // Where nobody listens any more, nobody misses it.
    let _unheard = io::stderr().write_all(&line);
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        if is_full(&error) { Self::DiskFull } else { Self::Other(error.to_string()) }
    }
}

fn work(orders: &Orders) -> Result<Report, Broken> {
    let started = Instant::now();
    // Opened while there are files: the kernel keeps count of our memory in it.
    let status = File::open("/proc/self/status").ok();
    let files = orders.functions.as_ref().map(open).transpose()?;
    let confined = confine(&orders.bounds, orders.host).map_err(io::Error::from)?;
    let functions = files.as_ref().map(read).transpose()?.map(Arc::new);
    let settings = SandboxSettings {
        concurrency_max: 1,
        memory_mib_max: orders.memory_mib_max,
        ..SandboxSettings::default()
    };
    let broken = |what: &str, cause: &dyn std::fmt::Display| Broken::Other(format!("{what}: {cause}"));
    let reuse = functions.clone().map(|functions| functions as Arc<dyn CacheStore>);
    let sandbox = Sandbox::reusing(&settings, reuse).map_err(|error| broken("sandbox", &error))?;
    let engine = fingerprint(&sandbox.engine);
    let ready = started.elapsed();

    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let (component, facts) = match sandbox.compile(&bytes) {
        Ok(compiled) => compiled,
        Err(error) => return Ok(Report::Refused(refusal(&error))),
    };
    drop(bytes);
    let prepared = match sandbox.prepare(&component, facts.clone()) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Report::Refused(refusal(&error))),
    };
    if let Some(limits) = &orders.start_under
        && let Some(refused) = start(&sandbox, &prepared, limits)?
    {
        return Ok(Report::Refused(refused));
    }

    let code = component.serialize().map_err(|error| broken("code", &format!("{error:#}")))?;
    let code_bytes = code.len() as u64;
    if code_bytes > orders.code_bytes {
        return Ok(Report::Refused(too_much_code(code_bytes, orders.code_bytes)));
    }
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    output.seek(SeekFrom::Start(0))?;
    output.write_all(&code)?;
    if let (Some(functions), Some(files)) = (&functions, &files) {
        functions.write(BufWriter::new(&files.output), files.bytes_max)?;
    }
    let (functions_reused, functions_compiled) =
        functions.map(|functions| functions.counts()).unwrap_or_default();
    let spent = Spent {
        cpu_ms: u64::try_from(cpu().as_millis()).unwrap_or(u64::MAX),
        memory_kib: status.and_then(memory_kib).unwrap_or_default(),
        ready_ms: u64::try_from(ready.as_millis()).unwrap_or(u64::MAX),
        functions_reused,
        functions_compiled,
    };
    let exports = prepared.exports().names();
    Ok(Report::Compiled(Compiled { engine, facts, exports, code_bytes, spent, confined }))
}

/// The files of functions, open.
struct OpenFunctions {
    input: Option<(File, u64)>,
    output: File,
    bytes_max: u64,
}

fn open(files: &FunctionFiles) -> io::Result<OpenFunctions> {
    let input = match &files.input {
        Some((path, bytes)) => Some((File::open(path)?, *bytes)),
        None => None,
    };
    let output = OpenOptions::new().write(true).open(&files.output)?;
    Ok(OpenFunctions { input, output, bytes_max: files.bytes_max })
}

fn read(files: &OpenFunctions) -> io::Result<Functions> {
    let mut contents = Vec::new();
    if let Some((file, bytes)) = &files.input {
        file.take(*bytes).read_to_end(&mut contents)?;
    }
    Ok(Functions::new(contents))
}

fn refusal(error: &LoadError) -> CompileError {
    match error {
        // Most allocations end the process when they fail, some of the largest come back as an error.
        LoadError::Invalid(cause) if is_out_of_memory(cause) => {
            CompileError::new("compile_memory", OUT_OF_MEMORY, cpu())
        }
        _ => CompileError::new(error.reason(), error, cpu()),
    }
}

const OUT_OF_MEMORY: &str = "compiling took more memory than a compile may have; split what is largest";

fn is_out_of_memory(error: &wasmtime::Error) -> bool {
    error.downcast_ref::<Errno>() == Some(&Errno::NOMEM)
        || error.is::<wasmtime::OutOfMemory>()
        || error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::OutOfMemory)
}

fn too_much_code(found: u64, most: u64) -> CompileError {
    let detail = format!(
        "the compiled component has {found} bytes where at most {most} are allowed; leave out code that \
         nothing uses"
    );
    CompileError::new("limit:artifact_bytes", detail, cpu())
}

/// Makes one instance under the handler's limits. The refusal, if it does not start.
fn start(
    sandbox: &Sandbox,
    prepared: &Prepared,
    limits: &SmokeLimits,
) -> Result<Option<CompileError>, Broken> {
    let limits = limits.limits();
    if let Err(error) = prepared.fits(&limits) {
        return Ok(Some(refusal(&error)));
    }
    // Timers only: whatever else a runtime can do is out of reach here.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    match runtime.block_on(sandbox.start(prepared, &limits)).result {
        Ok(_) => Ok(None),
        Err(error) => {
            let detail = format!("the component does not start: {error}");
            Ok(Some(CompileError::new("smoke", detail, cpu())))
        }
    }
}

/// CPU time of this process.
fn cpu() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or_default())
}

/// The largest resident memory so far, from `/proc/self/status`.
fn memory_kib(mut status: File) -> Option<u64> {
    let mut text = String::new();
    status.read_to_string(&mut text).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
