//! Log lines, on their way to standard error without anybody waiting for it.
//!
//! A pipe whose reader has stopped is full after 64 KiB, and a write to it then waits for ever: the host would fall silent
//! because its log does. So lines go into a buffer that a thread of its own empties. The buffer is bounded in bytes,
//! not in lines, because a handler's line may have kilobytes; what does not fit is dropped and counted, the number is
//! at `/metrics`, and the log says it as soon as it can.

use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tracing::warn;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait, in bytes; as many again may be on their way. A burst of 20 000 usual lines fits.
const WAITING_BYTES_MAX: usize = 4 << 20;

/// A buffer that grew beyond this in a burst is given back after it, in bytes.
const KEPT_BYTES_MAX: usize = 256 << 10;

/// How long the end of the process waits for the last lines.
const FLUSH_WAIT: Duration = Duration::from_secs(1);

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Waits for the last lines when it is dropped, a second at most: keep it until the process ends.
pub struct LogGuard(Arc<Lines>);

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.0.flush(FLUSH_WAIT);
    }
}

/// Starts logging to standard error; `RUST_LOG` overrides `filter`. A second start in one process changes nothing.
pub fn log_to_stderr(format: LogFormat, filter: &str) -> LogGuard {
    let lines = Arc::clone(LINES.get_or_init(|| Lines::start(io::stderr(), say_dropped)));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    // Colours are for terminals; in a file they would be noise, and time to write it.
    let colours = io::stderr().is_terminal();
    let written = fmt().with_env_filter(filter).with_writer(ToLines(Arc::clone(&lines))).with_ansi(colours);
    // An earlier subscriber stays: a library user or a test has chosen.
    let _kept = match format {
        LogFormat::Text => written.with_target(false).compact().try_init(),
        LogFormat::Json => written.json().flatten_event(true).try_init(),
    };
    LogGuard(lines)
}

/// The lines of this process.
static LINES: OnceLock<Arc<Lines>> = OnceLock::new();

fn say_dropped(lines: u64) {
    warn!(dropped = lines, "log lines were dropped: whoever reads standard error was too slow");
}

/// Writes how many lines were dropped, as Prometheus reads it.
pub(super) fn write_dropped(text: &mut String) {
    use std::fmt::Write as _;
    let dropped = LINES.get().map_or(0, |lines| lines.dropped.load(Relaxed));
    let _infallible = write!(
        text,
        "# HELP hookswitch_log_lines_dropped_total log lines that nobody read in time\n\
         # TYPE hookswitch_log_lines_dropped_total counter\n\
         hookswitch_log_lines_dropped_total {dropped}\n"
    );
}

/// The lines that wait to be written.
#[derive(Default)]
struct Lines {
    waiting: Mutex<Waiting>,
    /// There is something to write.
    filled: Condvar,
    /// There is nothing left to write.
    drained: Condvar,
    /// Lines that were lost since the process started.
    dropped: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Whether the thread is writing what it took out.
    writing: bool,
    /// Lines that found no room since that was last said.
    dropped: u64,
    /// No thread could be started: lines go straight out.
    no_thread: bool,
}

impl Lines {
    /// Starts the thread that writes lines to `out` and tells `say_dropped` how many were lost, once it gets on again.
    fn start(out: impl Write + Send + 'static, say_dropped: fn(u64)) -> Arc<Self> {
        let lines = Arc::new(Self::default());
        let of_thread = Arc::clone(&lines);
        let thread = std::thread::Builder::new().name("log".into());
        if thread.spawn(move || of_thread.write_to(out, say_dropped)).is_err() {
            lines.lock().no_thread = true;
        }
        lines
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line, or drops it; never waits for what reads them.
    fn push(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.no_thread {
            let _lost = io::stderr().write_all(line);
            return;
        }
        if waiting.bytes.len() + line.len() > WAITING_BYTES_MAX {
            waiting.dropped += 1;
            self.dropped.fetch_add(1, Relaxed);
            return;
        }
        let was_empty = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(line);
        drop(waiting);
        // With something in it before, the thread is awake or about to be.
        if was_empty {
            self.filled.notify_one();
        }
    }

    /// Writes for ever what comes in, as much at a time as there is.
    fn write_to(&self, mut out: impl Write, say_dropped: fn(u64)) {
        let mut taken = Vec::new();
        loop {
            let dropped = self.take(&mut taken);
            if out.write_all(&taken).and_then(|()| out.flush()).is_err() {
                // Its reader is gone. Nobody can be told but those who read the metrics.
                let lines = taken.iter().filter(|byte| **byte == b'\n').count();
                self.dropped.fetch_add(lines as u64, Relaxed);
            } else if dropped > 0 {
                say_dropped(dropped);
            }
            taken.clear();
            if taken.capacity() > KEPT_BYTES_MAX {
                taken = Vec::new();
            }
        }
    }

    /// Waits until there is something, and takes all of it. Says how many lines were dropped behind it.
    fn take(&self, taken: &mut Vec<u8>) -> u64 {
        let mut waiting = self.lock();
        waiting.writing = false;
        if waiting.bytes.is_empty() {
            self.drained.notify_all();
        }
        let mut waiting = self
            .filled
            .wait_while(waiting, |waiting| waiting.bytes.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.bytes, taken);
        waiting.writing = true;
        std::mem::take(&mut waiting.dropped)
    }

    /// Waits until all is written, `most` at most.
    fn flush(&self, most: Duration) {
        let unfinished = |waiting: &mut Waiting| !waiting.bytes.is_empty() || waiting.writing;
        let _waited = self.drained.wait_timeout_while(self.lock(), most, unfinished);
    }
}

/// What the subscriber writes its lines to. It hands over a whole line at a time.
struct ToLines(Arc<Lines>);

impl<'a> MakeWriter<'a> for ToLines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

struct Line<'a>(&'a Lines);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// What reads the log: takes nothing until it is let.
    struct Reader {
        let_in: Receiver<()>,
        open: bool,
        read: Sender<Vec<u8>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.open {
                self.let_in.recv().map_err(io::Error::other)?;
                self.open = true;
            }
            self.read.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn reader() -> (Reader, Sender<()>, Receiver<Vec<u8>>) {
        let ((open, let_in), (read, was_read)) = (channel(), channel());
        (Reader { let_in, open: false, read }, open, was_read)
    }

    #[test]
    fn a_log_that_nobody_reads_stops_nobody_and_its_losses_are_counted_and_said() {
        static SAID: AtomicU64 = AtomicU64::new(0);
        let (out, open, was_read) = reader();
        let lines = Lines::start(out, |dropped| {
            SAID.fetch_add(dropped, Relaxed);
        });
        let line = [b'x'; 1_023].into_iter().chain([b'\n']).collect::<Vec<u8>>();
        // 16 MiB into room for 8, by four at once. That this ends is the promise.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..4_096).for_each(|_| lines.push(&line)));
            }
        });
        let waiting = lines.lock().bytes.len();
        assert!(waiting <= WAITING_BYTES_MAX, "{waiting}");
        let dropped = lines.dropped.load(Relaxed);
        open.send(()).unwrap();
        lines.flush(Duration::from_secs(10));
        let read: usize = was_read.try_iter().map(|bytes| bytes.len() / line.len()).sum();
        assert!(dropped >= 8_000, "{dropped}");
        assert_eq!(read as u64 + dropped, 4 * 4_096, "each line was read or counted");
        assert_eq!(SAID.load(Relaxed), dropped);
        assert!(lines.lock().bytes.capacity() <= WAITING_BYTES_MAX * 2);
    }

    #[test]
    fn the_last_lines_are_written_before_the_end() {
        let (out, open, was_read) = reader();
        open.send(()).unwrap();
        let guard = LogGuard(Lines::start(out, |_| {}));
        for line in 0..1_000 {
            guard.0.push(format!("line {line}\n").as_bytes());
        }
        drop(guard);
        let read: Vec<u8> = was_read.try_iter().flatten().collect();
        assert!(read.ends_with(b"line 999\n") && read.split(|byte| *byte == b'\n').count() == 1_001);
    }

    #[test]
    fn a_log_that_is_closed_counts_its_lines_and_goes_on() {
        let (out, open, was_read) = reader();
        drop(was_read);
        open.send(()).unwrap();
        let lines = Lines::start(out, |_| {});
        lines.push(b"one\n");
        lines.flush(Duration::from_secs(10));
        lines.push(b"two\n");
        lines.flush(Duration::from_secs(10));
        assert_eq!(lines.dropped.load(Relaxed), 2);
    }

    #[test]
    fn numbers_are_logged_as_numbers_and_not_as_texts() {
        // `%` and `?` write texts, and so does whatever has more than 64 bits.
        let texts = [
            r"\b(revision|generation|attempt|tries|dropped|left_out|\w*ms|\w*us|\w*bytes)\s*=\s*[%?][a-z]",
            r"\b\w*ms\s*=\s*[\w.()]*as_millis\(\),",
        ];
        let texts = texts.map(|text| regex::Regex::new(text).unwrap());
        for (path, source) in crate::telemetry::sources().iter().filter(|(path, _)| !path.ends_with(file!()))
        {
            let found = texts.iter().find_map(|text| text.find(source)).map(|found| found.as_str());
            assert_eq!(found, None, "{} logs a text where a number is", path.display());
        }
    }
}
