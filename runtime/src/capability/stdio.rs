//! Standard input, output and error of a guest: nothing to read, and lines that go to the log.
//!
//! A line goes to the log when it ends, when it has grown to [`LINE_BYTES_MAX`], or with the invocation. A write never
//! waits, so a flood costs the guest its own CPU time and the log its budget.

use bytes::Bytes;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::cli::{
    stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr, terminal_stdin, terminal_stdout,
};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, StreamError, StreamResult,
};

use super::log::{LogLevel, LogSource, SharedLog};
use super::wasi::Wasi;

/// The longest line that is kept whole, in bytes.
const LINE_BYTES_MAX: usize = 4 * 1024;
/// What a guest may write at once, in bytes. A write beyond it is a fault of the guest and traps.
const WRITE_BYTES_MAX: usize = 64 * 1024;

impl stdin::Host for Wasi {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        let stream: DynInputStream = Box::new(Nothing);
        Ok(self.table.push(stream)?)
    }
}

impl stdout::Host for Wasi {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.lines(LogSource::Stdout)
    }
}

impl stderr::Host for Wasi {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.lines(LogSource::Stderr)
    }
}

impl Wasi {
    fn lines(&mut self, source: LogSource) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(Lines { source, log: self.log.clone(), line: Vec::new() });
        Ok(self.table.push(stream)?)
    }
}

/// Standard input: at its end from the start.
struct Nothing;

#[async_trait]
impl Pollable for Nothing {
    async fn ready(&mut self) {}
}

impl InputStream for Nothing {
    fn read(&mut self, _size: usize) -> StreamResult<Bytes> {
        Err(StreamError::Closed)
    }
}

/// Standard output or error.
struct Lines {
    source: LogSource,
    log: SharedLog,
    line: Vec<u8>,
}

impl Lines {
    /// Hands the line so far to the log. A guest may write any bytes: what is not UTF-8 becomes U+FFFD.
    fn end_line(&mut self) {
        let level = match self.source {
            LogSource::Stderr => LogLevel::Warn,
            LogSource::Stdout | LogSource::Handler | LogSource::Host => LogLevel::Info,
        };
        let line = String::from_utf8_lossy(&self.line);
        self.log.lock().write(level, self.source, line.trim_end_matches('\r'));
        self.line.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }
}

#[async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE_BYTES_MAX {
            return Err(StreamError::trap("a write of more bytes than check-write permitted"));
        }
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                _ => self.line.push(byte),
            }
            if self.line.len() >= LINE_BYTES_MAX {
                self.end_line();
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

// No stream is a terminal, so no handle on one ever exists and none can be dropped.
impl terminal_input::Host for Wasi {}
impl terminal_input::HostTerminalInput for Wasi {
    fn drop(&mut self, handle: Resource<terminal_input::TerminalInput>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
impl terminal_output::Host for Wasi {}
impl terminal_output::HostTerminalOutput for Wasi {
    fn drop(&mut self, handle: Resource<terminal_output::TerminalOutput>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
impl terminal_stdin::Host for Wasi {
    fn get_terminal_stdin(&mut self) -> wasmtime::Result<Option<Resource<terminal_input::TerminalInput>>> {
        Ok(None)
    }
}
impl terminal_stdout::Host for Wasi {
    fn get_terminal_stdout(&mut self) -> wasmtime::Result<Option<Resource<terminal_output::TerminalOutput>>> {
        Ok(None)
    }
}
impl terminal_stderr::Host for Wasi {
    fn get_terminal_stderr(&mut self) -> wasmtime::Result<Option<Resource<terminal_output::TerminalOutput>>> {
        Ok(None)
    }
}
