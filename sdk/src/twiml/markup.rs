//! The text that every element is made of while it is being built.
//!
//! An element is not a tree: it is the start of its own XML, and each setter writes on. The start
//! tag stays open until the first content, so most elements are written from front to back once.
//! What arrives late (an attribute after a child, the same attribute twice) takes the slow way
//! and still comes out well-formed.
//!
//! # Escaping
//! In text `&`, `<` and `>` become entities, and a carriage return `&#13;`, as XML readers would
//! turn it into a line feed. In attributes also `"`, tab and line feed, which readers would turn
//! into spaces. Characters that XML 1.0 forbids in any spelling (U+0000 to U+001F except tab, line
//! feed and carriage return; U+FFFE; U+FFFF) are dropped: a stray control character in a name from
//! some database must not keep a caller from hearing the rest.

use std::fmt;
use std::ops::Range;

use super::value::Decimal;

/// The bit that says: attributes unknown to the grammar were set, so look before setting any.
const OTHERS: u64 = 1 << 63;

/// An unfinished element: its start tag, and its content as far as it is known.
#[derive(Clone)]
pub struct Markup {
    text: String,
    /// Length of the start tag without its closing bracket; content begins behind it.
    head: usize,
    /// One bit for each attribute of the grammar that is set.
    set: u64,
}

impl Markup {
    /// Opens an element. `start` is the bracket and the name, `<Say`, for the root with the XML
    /// declaration before it; `capacity` is what it will probably take, in bytes.
    pub(super) fn open(start: &str, capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity);
        text.push_str(start);
        Self { head: text.len(), text, set: 0 }
    }

    /// Sets attribute number `bit` of the grammar. `start` is a space, the name, `="`.
    pub(super) fn text_attribute(&mut self, bit: u32, start: &str, value: &str) {
        let mark = self.begin_attribute(1 << bit, start);
        escape_attribute(&mut self.text, value);
        self.end_attribute(mark);
    }

    /// The same for a word that needs no escaping.
    pub(super) fn word_attribute(&mut self, bit: u32, start: &str, value: &str) {
        let mark = self.begin_attribute(1 << bit, start);
        self.text.push_str(value);
        self.end_attribute(mark);
    }

    /// The same for a truth value.
    pub(super) fn bool_attribute(&mut self, bit: u32, start: &str, value: bool) {
        self.word_attribute(bit, start, if value { "true" } else { "false" });
    }

    /// The same for a number.
    pub(super) fn number_attribute(&mut self, bit: u32, start: &str, value: u32) {
        let mark = self.begin_attribute(1 << bit, start);
        push_number(&mut self.text, value.into());
        self.end_attribute(mark);
    }

    /// The same for a decimal number.
    pub(super) fn decimal_attribute(&mut self, bit: u32, start: &str, value: Decimal) {
        let mark = self.begin_attribute(1 << bit, start);
        value.push_to(&mut self.text);
        self.end_attribute(mark);
    }

    /// The same for words in a row, with a space between them.
    pub(super) fn words_attribute(
        &mut self,
        bit: u32,
        start: &str,
        values: impl Iterator<Item = &'static str>,
    ) {
        let mark = self.begin_attribute(1 << bit, start);
        let first = self.text.len();
        for value in values {
            if self.text.len() > first {
                self.text.push(' ');
            }
            self.text.push_str(value);
        }
        self.end_attribute(mark);
    }

    /// The same for numbers in a row, with a space between them.
    pub(super) fn numbers_attribute(&mut self, bit: u32, start: &str, values: impl Iterator<Item = u32>) {
        let mark = self.begin_attribute(1 << bit, start);
        let first = self.text.len();
        for value in values {
            if self.text.len() > first {
                self.text.push(' ');
            }
            push_number(&mut self.text, value.into());
        }
        self.end_attribute(mark);
    }

    /// Sets an attribute that the grammar need not know, and does nothing where `name` is none.
    pub(super) fn other_attribute(&mut self, name: &str, value: &str) {
        if !is_attribute_name(name) {
            return;
        }
        let mut start = String::with_capacity(name.len() + 3);
        start.push(' ');
        start.push_str(name);
        start.push_str("=\"");
        let mark = self.begin_attribute(OTHERS, &start);
        escape_attribute(&mut self.text, value);
        self.end_attribute(mark);
    }

    /// Adds text.
    pub(super) fn text(&mut self, text: &str) {
        self.close_head();
        escape_text(&mut self.text, text);
    }

    /// Adds an element that is nothing but text, without building it first. The tags are whole.
    pub(super) fn text_element(&mut self, start: &str, text: &str, end: &str) {
        self.close_head();
        self.text.push_str(start);
        escape_text(&mut self.text, text);
        self.text.push_str(end);
    }

    /// Adds a finished child, whose end tag is `end` unless it is empty.
    pub(super) fn child(&mut self, child: &Self, end: &str) {
        self.close_head();
        self.text.push_str(&child.text);
        self.text.push_str(child.end(end));
    }

    /// Adds markup as it is.
    pub(super) fn raw(&mut self, markup: &str) {
        self.close_head();
        self.text.push_str(markup);
    }

    /// The whole element as text.
    pub(super) fn into_string(mut self, end: &str) -> String {
        let end = self.end(end);
        self.text.push_str(end);
        self.text
    }

    /// Writes the whole element.
    pub(super) fn display(&self, f: &mut fmt::Formatter<'_>, end: &str) -> fmt::Result {
        f.write_str(&self.text)?;
        f.write_str(self.end(end))
    }

    /// What is missing behind the text, where `end` is the end tag.
    fn end<'a>(&self, end: &'a str) -> &'a str {
        if self.is_empty() { "/>" } else { end }
    }

    fn is_empty(&self) -> bool {
        self.text.len() == self.head
    }

    fn close_head(&mut self) {
        if self.is_empty() {
            self.text.push('>');
        }
    }

    /// Writes `start` at the end of the text, whatever is there, and says where it began.
    fn begin_attribute(&mut self, bit: u64, start: &str) -> usize {
        // Two attributes of one name are not XML, so the later replaces the earlier. Only where
        // the name can be there already is the start tag searched.
        if self.set & (bit | OTHERS) != 0 || bit == OTHERS {
            self.remove_attribute(start);
        }
        self.set |= bit;
        let mark = self.text.len();
        self.text.push_str(start);
        mark
    }

    /// Closes the value of the attribute that begins at `mark`.
    fn end_attribute(&mut self, mark: usize) {
        self.text.push('"');
        if mark == self.head {
            self.head = self.text.len();
        } else {
            self.move_into_head(mark);
        }
    }

    /// Moves what was written behind the content to where it belongs.
    #[cold]
    fn move_into_head(&mut self, mark: usize) {
        let end = self.text.len();
        self.arrange([0..self.head, mark..end, self.head..mark]);
        self.head += end - mark;
    }

    #[cold]
    fn remove_attribute(&mut self, start: &str) {
        if let Some(span) = self.find_attribute(start) {
            self.arrange([0..span.start, span.end..self.text.len(), 0..0]);
            self.head -= span.len();
        }
    }

    /// Puts the text together anew, of these parts.
    fn arrange(&mut self, parts: [Range<usize>; 3]) {
        let mut text = String::with_capacity(self.text.capacity());
        for part in parts {
            text.push_str(self.text.get(part).unwrap_or_default());
        }
        self.text = text;
    }

    /// Where in the start tag the attribute that begins with `start` stands.
    fn find_attribute(&self, start: &str) -> Option<Range<usize>> {
        let head = self.text.as_bytes().get(..self.head)?;
        // Values hold neither `<` nor `"`: the last bracket is ours and the quotes come in pairs.
        let name = head.iter().rposition(|&byte| byte == b'<')?;
        let mut at = position(head, name, b' ')?;
        loop {
            let value = position(head, at, b'"')? + 1;
            let end = position(head, value, b'"')? + 1;
            if head.get(at..value) == Some(start.as_bytes()) {
                return Some(at..end);
            }
            at = end;
        }
    }
}

/// Where `byte` is next, from `start` on.
fn position(bytes: &[u8], start: usize, byte: u8) -> Option<usize> {
    let rest = bytes.get(start..)?;
    rest.iter().position(|&other| other == byte).map(|at| start + at)
}

impl PartialEq for Markup {
    fn eq(&self, other: &Self) -> bool {
        self.head == other.head && self.text == other.text
    }
}

impl Eq for Markup {}

/// Writes `number` in decimal. `std::fmt` would do the same and weigh more than this whole module.
pub(super) fn push_number(out: &mut String, number: u64) {
    if number >= 10 {
        push_number(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

/// Names are ASCII letters, digits, `.`, `-` and `_`, and begin with a letter or `_`; of prefixes
/// there is only `xml:`, as any other would need a namespace.
fn is_attribute_name(name: &str) -> bool {
    let local = name.strip_prefix("xml:").unwrap_or(name);
    local.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// A set of the bytes below 64, one bit each.
type Bytes = u64;

/// What XML 1.0 cannot hold: every control character, and tab, line feed and carriage return too,
/// for each place to decide.
const CONTROLS: Bytes = 0xFFFF_FFFF;

fn escape_text(out: &mut String, text: &str) {
    const SPECIAL: Bytes = (CONTROLS | bytes(b"&<>")) & !bytes(b"\t\n");
    escape(out, text, SPECIAL, |byte| match byte {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'\r' => "&#13;",
        _ => "",
    });
}

fn escape_attribute(out: &mut String, value: &str) {
    const SPECIAL: Bytes = CONTROLS | bytes(b"&<>\"");
    escape(out, value, SPECIAL, |byte| match byte {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'"' => "&quot;",
        b'\t' => "&#9;",
        b'\n' => "&#10;",
        b'\r' => "&#13;",
        _ => "",
    });
}

const fn bytes(mut list: &[u8]) -> Bytes {
    let mut set = 0;
    while let [byte, rest @ ..] = list {
        set |= 1 << *byte;
        list = rest;
    }
    set
}

/// Writes `text` in as few pieces as there are bytes in `special`; `instead` says what each of
/// them becomes.
#[inline(always)]
fn escape(out: &mut String, text: &str, special: Bytes, instead: impl Fn(u8) -> &'static str) {
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let (instead, length) = if byte < 64 && special >> byte & 1 == 1 {
            (instead(byte), 1)
        } else if byte == 0xEF && matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])) {
            ("", 3) // U+FFFE and U+FFFF
        } else {
            continue;
        };
        out.push_str(text.get(written..at).unwrap_or_default());
        out.push_str(instead);
        written = at + length;
    }
    out.push_str(text.get(written..).unwrap_or_default());
}

#[cfg(test)]
mod tests;
