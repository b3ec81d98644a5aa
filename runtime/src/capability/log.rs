//! The log of one invocation: what the handler writes, and its stdout and stderr line by line.
//!
//! Bounded by [`LogBudget`]. What goes beyond is dropped and counted, never waited for: a handler that floods its
//! log loses log lines, not the call. The last panic message is kept apart, so that it is known even then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, WasmStr};

use super::Capabilities;
use crate::secrets::SecretValues;

/// A panic message that is kept apart from the log is cut here, in bytes.
const PANIC_BYTES_MAX: usize = 4 * 1024;

/// How much one invocation may log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBudget {
    /// Text of all entries together, in bytes.
    pub bytes: usize,
    /// Number of entries.
    pub entries: usize,
}

impl Default for LogBudget {
    /// 64 KiB and 256 entries.
    fn default() -> Self {
        Self { bytes: 64 * 1024, entries: 256 }
    }
}

/// How much an entry matters. The order is that of `wit/log.wit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ComponentType, Lift)]
#[component(enum)]
#[repr(u8)]
pub enum LogLevel {
    /// For whoever looks for a fault.
    #[component(name = "debug")]
    Debug,
    /// What happened.
    #[component(name = "info")]
    Info,
    /// Something to look at.
    #[component(name = "warn")]
    Warn,
    /// Something failed.
    #[component(name = "error")]
    Error,
}

impl LogLevel {
    /// As it is written in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl LogSource {
    /// As it is written in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Host => "host",
        }
    }
}

/// Where an entry came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSource {
    /// `hookswitch:handler/log`.
    Handler,
    /// A line of standard output.
    Stdout,
    /// A line of standard error.
    Stderr,
    /// The host's own remark about this log.
    Host,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// How much it matters.
    pub level: LogLevel,
    /// Where it came from.
    pub source: LogSource,
    /// The text, without the line break that ended it.
    pub text: String,
}

/// What one invocation logged.
#[derive(Debug, Default)]
pub struct LogBuffer {
    /// The entries in the order they were written. Ends with the host's remark where something was dropped.
    pub entries: Vec<LogEntry>,
    /// Text of the entries, in bytes.
    pub bytes: usize,
    /// Entries that were dropped or cut short.
    pub dropped_entries: usize,
    /// Bytes that were dropped.
    pub dropped_bytes: usize,
    /// The last message of a panic, with its place in the source.
    pub panic: Option<String>,
    budget: LogBudget,
    secrets: SecretValues,
}

impl LogBuffer {
    /// Writes one entry as far as the budget goes, with secrets replaced by their names.
    pub(super) fn write(&mut self, level: LogLevel, source: LogSource, text: &str) {
        // Before anything is cut off: a part of a secret would not be found any more.
        let secrets = self.secrets.clone();
        let text = &*secrets.hidden(text);
        self.note_panic(source, text);
        if self.entries.len() >= self.budget.entries {
            self.dropped_entries += 1;
            self.dropped_bytes += text.len();
            return;
        }
        let kept = text.floor_char_boundary(self.budget.bytes - self.bytes);
        if kept < text.len() {
            self.dropped_entries += 1;
            self.dropped_bytes += text.len() - kept;
            if kept == 0 {
                return;
            }
        }
        self.bytes += kept;
        self.entries.push(LogEntry { level, source, text: text[..kept].to_owned() });
    }

    /// Keeps the message of a panic: an SDK logs it as `panicked at PLACE: MESSAGE`, the standard library prints
    /// `thread 'main' panicked at PLACE:` and the message on the next line.
    fn note_panic(&mut self, source: LogSource, text: &str) {
        let message = match source {
            LogSource::Handler => text.starts_with("panicked at ").then_some(text),
            LogSource::Stderr => match text.find("panicked at ") {
                Some(at) if text.starts_with("thread ") => Some(&text[at..]),
                _ => {
                    if let Some(panic) = self.panic.as_mut().filter(|panic| panic.ends_with(':')) {
                        panic.push(' ');
                        panic.push_str(&text[..text.floor_char_boundary(PANIC_BYTES_MAX)]);
                    }
                    None
                }
            },
            LogSource::Stdout | LogSource::Host => None,
        };
        if let Some(message) = message {
            self.panic = Some(message[..message.floor_char_boundary(PANIC_BYTES_MAX)].to_owned());
        }
    }

    /// Adds the remark about what was dropped.
    fn close(&mut self) {
        if self.dropped_entries > 0 {
            let text = format!(
                "log is full: {} entries with {} bytes were dropped or cut; an invocation has {} bytes and {} entries",
                self.dropped_entries, self.dropped_bytes, self.budget.bytes, self.budget.entries
            );
            self.entries.push(LogEntry { level: LogLevel::Warn, source: LogSource::Host, text });
        }
    }
}

/// The log while the invocation runs; shared with its stdout and stderr.
pub(super) struct Log {
    budget: LogBudget,
    secrets: SecretValues,
    buffer: Option<SharedLog>,
}

/// A handle on the log of an invocation.
#[derive(Clone)]
pub(super) struct SharedLog(Arc<Mutex<LogBuffer>>);

impl SharedLog {
    /// The buffer. A panic of ours while it was held leaves whole entries, so it is read all the same.
    pub(super) fn lock(&self) -> MutexGuard<'_, LogBuffer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    pub(super) fn new(budget: LogBudget, secrets: SecretValues) -> Self {
        Self { budget, secrets, buffer: None }
    }

    /// The buffer, made when something is first written.
    pub(super) fn shared(&mut self) -> SharedLog {
        let (budget, secrets) = (self.budget, &self.secrets);
        self.buffer
            .get_or_insert_with(|| {
                let secrets = secrets.clone();
                SharedLog(Arc::new(Mutex::new(LogBuffer { budget, secrets, ..LogBuffer::default() })))
            })
            .clone()
    }

    pub(super) fn take(&mut self) -> LogBuffer {
        let Some(shared) = self.buffer.take() else {
            return LogBuffer::default();
        };
        let mut log = std::mem::take(&mut *shared.lock());
        log.close();
        log
    }
}

/// Defines `hookswitch:handler/log`.
pub(super) fn link<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    linker.instance("hookswitch:handler/log@0.1.0")?.func_wrap(
        "write",
        |mut store: StoreContextMut<'_, T>, (level, message): (LogLevel, WasmStr)| {
            let capabilities = store.data_mut().as_mut();
            capabilities.touch_clock();
            let log = capabilities.log.shared();
            let message = message.to_str(&store)?;
            log.lock().write(level, LogSource::Handler, &message);
            Ok(())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(bytes: usize, entries: usize) -> LogBuffer {
        LogBuffer { budget: LogBudget { bytes, entries }, ..LogBuffer::default() }
    }

    #[test]
    fn what_goes_beyond_the_entries_is_dropped_and_counted() {
        let mut log = log(1000, 2);
        for text in ["one", "two", "three"] {
            log.write(LogLevel::Info, LogSource::Handler, text);
        }
        log.close();
        let texts: Vec<_> = log.entries.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts[..2], ["one", "two"]);
        assert!(texts[2].starts_with("log is full: 1 entries with 5 bytes"), "{}", texts[2]);
        assert_eq!((log.dropped_entries, log.dropped_bytes), (1, 5));
    }

    #[test]
    fn an_entry_is_cut_at_a_character_where_the_bytes_end() {
        let mut log = log(4, 10);
        log.write(LogLevel::Info, LogSource::Handler, "äöü");
        log.write(LogLevel::Info, LogSource::Handler, "more");
        assert_eq!(log.entries.len(), 1);
        assert_eq!(log.entries[0].text, "äö");
        assert_eq!((log.bytes, log.dropped_entries, log.dropped_bytes), (4, 2, 6));
    }

    #[test]
    fn the_message_of_a_panic_is_kept_when_the_log_is_full() {
        let mut log = log(10, 0);
        log.write(LogLevel::Error, LogSource::Handler, "panicked at src/lib.rs:3:5: boom");
        assert_eq!(log.panic.as_deref(), Some("panicked at src/lib.rs:3:5: boom"));
    }

    #[test]
    fn the_message_of_a_panic_is_read_from_stderr() {
        let mut log = log(1000, 10);
        for line in ["thread 'main' (1) panicked at src/lib.rs:3:5:", "boom", "note: run with"] {
            log.write(LogLevel::Warn, LogSource::Stderr, line);
        }
        assert_eq!(log.panic.as_deref(), Some("panicked at src/lib.rs:3:5: boom"));
    }
}
