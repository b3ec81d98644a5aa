//! What commands print: results on standard output, what they say on the way on standard error.
//!
//! Tables and named fields are aligned, moments are relative, and colour is only for terminals. Whatever came from a
//! host or a guest goes through [`printable`], so that nobody's log line moves somebody's cursor.

use std::cell::RefCell;
use std::fmt::{Display, Write as _};
use std::io::{IsTerminal, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::RemoteError;

/// The two streams of a command, and what it may do on them.
pub struct Console {
    out: RefCell<Box<dyn Write>>,
    notes: RefCell<Box<dyn Write>>,
    colour: bool,
    /// Whether a person watches standard error, so that progress may move.
    pub animated: bool,
    /// Whether a person can be asked.
    pub interactive: bool,
    now: fn() -> Timestamp,
    zone: TimeZone,
}

impl Console {
    /// On the process's own streams.
    pub fn of_process() -> Console {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Console {
            out: RefCell::new(Box::new(std::io::stdout())),
            notes: RefCell::new(Box::new(std::io::stderr())),
            colour: std::io::stdout().is_terminal() && !set("NO_COLOR"),
            animated: std::io::stderr().is_terminal(),
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            now: Timestamp::now,
            zone: TimeZone::system(),
        }
    }

    /// On other streams, without colour, at a moment of the caller's choice.
    #[cfg(test)]
    pub fn new(out: impl Write + 'static, notes: impl Write + 'static, now: fn() -> Timestamp) -> Self {
        Self {
            out: RefCell::new(Box::new(out)),
            notes: RefCell::new(Box::new(notes)),
            colour: false,
            animated: false,
            interactive: false,
            now,
            zone: TimeZone::UTC,
        }
    }

    /// Prints a part of the result. False when nobody reads it any more: a reader that has seen enough, such as `head`,
    /// closes the pipe.
    pub fn print(&self, text: impl Display) -> bool {
        let mut out = self.out.borrow_mut();
        write!(out, "{text}").and_then(|()| out.flush()).is_ok()
    }

    /// Prints a result as JSON.
    ///
    /// # Errors
    /// When it can't be written as JSON.
    pub fn json(&self, value: &impl Serialize) -> Result<(), RemoteError> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| RemoteError::Local(format!("the result can't be written as JSON: {error}")))?;
        self.print(format_args!("{text}\n"));
        Ok(())
    }

    /// Says a line that is not part of the result. Nobody is left to tell when standard error is closed.
    pub fn note(&self, line: impl Display) {
        let _ = writeln!(self.notes.borrow_mut(), "{line}");
    }

    /// Asks a question; the answer is read by the caller.
    pub fn ask(&self, question: impl Display) {
        let mut notes = self.notes.borrow_mut();
        let _ = write!(notes, "{question} ").and_then(|()| notes.flush());
    }

    /// `text` in a colour, on a terminal.
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        if self.colour { format!("\x1b[{}m{text}\x1b[0m", paint.code()) } else { text.to_owned() }
    }

    /// An RFC 3339 moment as people say it: `3 min ago`, `in 23 h`. Anything else stays as it is.
    pub fn moment(&self, text: &str) -> String {
        match text.parse::<Timestamp>() {
            Ok(moment) => relative(moment.as_second() - (self.now)().as_second()),
            Err(_) => printable(text),
        }
    }

    /// An RFC 3339 moment as a clock on this machine's wall shows it. Anything else stays as it is.
    pub fn clock(&self, text: &str) -> String {
        match text.parse::<Timestamp>() {
            Ok(moment) => moment.to_zoned(self.zone.clone()).strftime("%H:%M:%S%.3f").to_string(),
            Err(_) => printable(text),
        }
    }
}

/// `delta_s` seconds from now, in its two-digit unit.
fn relative(delta_s: i64) -> String {
    let seconds = delta_s.unsigned_abs();
    let (count, unit) = match seconds {
        0..10 => return "just now".to_owned(),
        10..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    if delta_s < 0 { format!("{count} {unit} ago") } else { format!("in {count} {unit}") }
}

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// In force, done, healthy.
    Good,
    /// On trial, to be looked at.
    Warn,
    /// Failed.
    Bad,
    /// Less important.
    Dim,
}

impl Paint {
    fn code(self) -> u8 {
        match self {
            Self::Good => 32,
            Self::Warn => 33,
            Self::Bad => 31,
            Self::Dim => 2,
        }
    }
}

/// One cell of a table.
pub struct Cell {
    text: String,
    paint: Option<Paint>,
}

impl Cell {
    /// In a colour.
    pub fn painted(text: impl Display, paint: Option<Paint>) -> Self {
        Self { text: printable(&text.to_string()), paint }
    }
}

impl<T: Display> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::painted(text, None)
    }
}

/// Rows under names; a column that is empty in every row is left out.
pub struct Table<const COLUMNS: usize> {
    /// A name that begins with `>` heads a column of numbers, which stand to the right.
    head: [&'static str; COLUMNS],
    rows: Vec<[Cell; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// With these names over its columns.
    pub fn new(head: [&'static str; COLUMNS]) -> Self {
        Self { head, rows: Vec::new() }
    }

    /// One more row.
    pub fn row(&mut self, cells: [Cell; COLUMNS]) {
        self.rows.push(cells);
    }

    /// The lines, each indented by `indent` spaces.
    pub fn render(&self, console: &Console, indent: usize) -> String {
        let columns = self.head.map(|name| {
            let right = name.starts_with('>');
            (name.trim_start_matches('>'), right)
        });
        let mut widths = [0; COLUMNS];
        for cells in &self.rows {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(cell.text.chars().count());
            }
        }
        let last = widths.iter().rposition(|width| *width > 0);
        for (width, (name, _)) in widths.iter_mut().zip(&columns) {
            if *width > 0 {
                *width = (*width).max(name.chars().count());
            }
        }
        let mut text = String::new();
        let mut line = |cells: &[(&str, Option<Paint>); COLUMNS]| {
            let mut gap = indent;
            for (index, (((cell, paint), (_, right)), width)) in
                cells.iter().zip(&columns).zip(&widths).enumerate().filter(|(_, (_, width))| **width > 0)
            {
                let fill = width.saturating_sub(cell.chars().count());
                let (before, after) = if *right { (fill, 0) } else { (0, fill) };
                let painted = paint.map_or_else(|| (*cell).to_owned(), |paint| console.paint(paint, cell));
                let after = if Some(index) == last { 0 } else { after };
                let _ = write!(text, "{:gap$}{:before$}{painted}{:after$}", "", "", "");
                gap = 2;
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        };
        line(&columns.map(|(name, _)| (name, Some(Paint::Dim))));
        for cells in &self.rows {
            line(&cells.each_ref().map(|cell| (cell.text.as_str(), cell.paint)));
        }
        text
    }
}

/// Names and values below each other; a value with several lines hangs below its first.
pub fn fields(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in rows {
        for (index, line) in value.lines().enumerate() {
            let name = if index == 0 { name } else { "" };
            let _ = writeln!(text, "  {name:width$}  {}", printable(line));
        }
    }
    text
}

/// A share: `10 %`, `0.25 %`.
pub fn percent(share: f64) -> String {
    let text = format!("{share:.2}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A number of bytes: `46.1 kB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1_000 {
        return format!("{count} B");
    }
    let mut value = count as f64;
    let mut unit = "B";
    for larger in UNITS {
        // As it will be printed: 999 960 are 1.0 MB and not 1000.0 kB.
        if value < 999.95 {
            break;
        }
        value /= 1e3;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

/// `1 call`, `2 calls`.
pub fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What others wrote, without what would move a terminal's cursor.
pub fn printable(text: &str) -> String {
    let unsafe_on_terminals = |c: char| {
        // Beside the control characters those that turn the direction of writing.
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if unsafe_on_terminals(c) { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console() -> Console {
        Console::new(std::io::sink(), std::io::sink(), || "2026-05-04T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn moments_are_relative_and_anything_else_stays() {
        for (moment, said) in [
            ("2026-05-04T12:00:00Z", "just now"),
            ("2026-05-04T12:00:09Z", "just now"),
            ("2026-05-04T11:59:30Z", "30 s ago"),
            ("2026-05-04T11:57:00.9Z", "3 min ago"),
            ("2026-05-04T12:00:00+02:00", "2 h ago"),
            ("2026-05-01T12:00:00Z", "3 days ago"),
            ("2026-05-05T11:30:00Z", "in 23 h"),
            ("never", "never"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
        ] {
            assert_eq!(console().moment(moment), said, "{moment}");
        }
    }

    #[test]
    fn tables_align_and_leave_empty_columns_out() {
        let mut table = Table::new(["NAME", ">CALLS", "UNTIL", "WHY"]);
        table.row(["front-desk".into(), 7.into(), "".into(), "".into()]);
        table.row(["ivr".into(), 12_000.into(), "".into(), "code\u{7} changed".into()]);
        assert_eq!(
            table.render(&console(), 0),
            "NAME        CALLS  WHY\nfront-desk      7\nivr         12000  code\\u{7} changed\n"
        );
        let coloured = Console { colour: true, ..console() };
        let mut table = Table::new(["STATE", "X"]);
        table.row([Cell::painted("stable", Some(Paint::Good)), "1".into()]);
        assert_eq!(
            table.render(&coloured, 1),
            " \x1b[2mSTATE\x1b[0m   \x1b[2mX\x1b[0m\n \x1b[32mstable\x1b[0m  1\n"
        );
    }

    #[test]
    fn quantities_read_well() {
        for (count, said) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (46_123, "46.1 kB"),
            (999_960, "1.0 MB"),
            (4 << 30, "4.3 GB"),
        ] {
            assert_eq!(bytes(count), said);
        }
        for (share, said) in
            [(10.0, "10 %"), (0.25, "0.25 %"), (100.0, "100 %"), (0.0, "0 %"), (33.333, "33.33 %")]
        {
            assert_eq!(percent(share), said);
        }
        assert_eq!((counted(1, "call"), counted(2, "call")), ("1 call".to_owned(), "2 calls".to_owned()));
    }

    #[test]
    fn fields_hang_their_further_lines() {
        let rows = [("risk", "code".to_owned()), ("changed", "one\ntwo".to_owned()), ("gone", String::new())];
        assert_eq!(fields(&rows), "  risk     code\n  changed  one\n           two\n");
    }
}
