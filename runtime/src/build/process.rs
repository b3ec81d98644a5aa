//! Runs a child process and hands on what it prints, line by line, while it runs.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// One line of a child's output, without its line end; bytes that are not UTF-8 are replaced.
pub enum Line {
    /// From standard output.
    Out(String),
    /// From standard error.
    Err(String),
}

impl Line {
    /// The text, whichever stream it came from.
    pub fn into_text(self) -> String {
        match self {
            Self::Out(text) | Self::Err(text) => text,
        }
    }
}

/// Runs `command` to its end without standard input; `hear` gets each line as it comes.
///
/// # Errors
/// When the child cannot be started or waited for.
pub fn run(command: &mut Command, hear: &mut dyn FnMut(Line)) -> std::io::Result<ExitStatus> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (lines, heard) = channel();
    thread::scope(|scope| {
        // Two threads, because a child that fills one pipe while we read the other would wait for ever.
        let out_lines = lines.clone();
        scope.spawn(move || out.map(|out| read_lines(out, Line::Out, &out_lines)));
        scope.spawn(move || err.map(|err| read_lines(err, Line::Err, &lines)));
        for line in heard {
            hear(line);
        }
    });
    child.wait()
}

fn read_lines(from: impl Read, wrap: fn(String) -> Line, lines: &Sender<Line>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
        let text = String::from_utf8_lossy(&line);
        if lines.send(wrap(text.trim_end_matches(['\r', '\n']).to_owned())).is_err() {
            return;
        }
        line.clear();
    }
}
