//! Finds what reads like a telephone number.

/// How sure one has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seek {
    /// It begins with `+`, or is known from elsewhere: other parameters hold ids and times, too.
    Certain,
    /// Seven digits and more, also in groups: as documents read them out.
    Likely,
}

/// A number in a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it begins, with its `+` (or `%2B`).
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Its digits.
    pub digits: String,
    /// Whether it begins with `+` and has no gaps: nothing else looks so.
    pub certain: bool,
}

/// The digits of a number or an address.
pub fn digits_of(text: &str) -> String {
    let is_number = text.chars().any(|c| c.is_ascii_digit())
        && text
            .rsplit(':')
            .next()
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || "+-. ()".contains(c)));
    if is_number { text.chars().filter(char::is_ascii_digit).collect() } else { String::new() }
}

/// Whether two numbers are one, of which either may lack its country or area.
pub fn same(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    short.len() >= 7 && long.ends_with(short)
}

/// The numbers of a text, in its order.
pub struct Spans<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Spans<'a> {
    /// Of `text`.
    pub fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or_default()
    }

    /// How many bytes the plus sign at `at` has; 0 where there is none.
    fn plus(&self, at: usize) -> usize {
        match self.text.as_bytes().get(at..) {
            Some([b'+', ..]) => 1,
            Some([b'%', b'2', b'B' | b'b', ..]) => 3,
            _ => 0,
        }
    }

    /// Where the next digit of a number is after `at`: at once, or behind one or two characters that group digits.
    fn next_digit(&self, at: usize) -> Option<usize> {
        let gap = |byte: u8| matches!(byte, b' ' | b'-' | b'.' | b'(' | b')');
        let gaps = (0..3).take_while(|gaps| *gaps == 0 || gap(self.byte(at + gaps - 1)));
        gaps.map(|gaps| at + gaps).find(|at| self.byte(*at).is_ascii_digit())
    }
}

impl Iterator for Spans<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        while self.at < self.text.len() {
            let start = self.at;
            let plus = self.plus(start);
            let first = start + plus;
            if !self.byte(first).is_ascii_digit() {
                self.at += 1;
                continue;
            }
            let before = start.checked_sub(1).map(|at| self.byte(at)).unwrap_or_default();
            // In the middle of a word or of an id.
            let inside = plus == 0 && (before.is_ascii_alphanumeric() || before == b'_');
            let (mut end, mut digits, mut whole) = (first, String::new(), true);
            while let Some(at) = self.next_digit(end) {
                whole &= at == end;
                digits.push(char::from(self.byte(at)));
                end = at + 1;
            }
            self.at = end;
            let after = self.byte(end);
            if inside || after.is_ascii_alphabetic() || after == b'_' {
                continue;
            }
            return Some(Found { start, end, digits, certain: plus > 0 && whole });
        }
        None
    }
}
