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
    /// What it looks like.
    pub looks: Looks,
}

/// How much digits look like a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// They begin with `+` and have no gaps: nothing else looks so.
    Certain,
    /// They stand for themselves.
    Likely,
    /// They are part of a word or of an id, as in a key that is made of a number: only a number that is known is one here.
    Word,
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

/// Most digits of a number (ITU-T E.164); more of them in groups are several numbers.
const DIGITS_MAX: usize = 15;
/// A group of so many digits ends a number: what follows behind a gap is the next one.
const LAST_GROUP_DIGITS_MIN: usize = 7;

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

    /// Whether a percent-encoded character ends at `at`: its digits are none of a number, its letters none of a word.
    fn is_behind_escape(&self, at: usize) -> bool {
        let escape = at.checked_sub(3).and_then(|from| self.text.as_bytes().get(from..at));
        matches!(escape, Some([b'%', one, other]) if one.is_ascii_hexdigit() && other.is_ascii_hexdigit())
    }

    /// Where the digits end that begin at `at`.
    fn end_of_group(&self, at: usize) -> usize {
        (at..).find(|at| !self.byte(*at).is_ascii_digit()).unwrap_or(at)
    }

    /// Where the group of digits behind `end` begins: behind one or two characters that group digits.
    fn next_group(&self, end: usize) -> Option<usize> {
        let gap = |at: usize| matches!(self.byte(at), b' ' | b'-' | b'.' | b'(' | b')');
        (1..=2)
            .take_while(|gaps| gap(end + gaps - 1))
            .map(|gaps| end + gaps)
            .find(|at| self.byte(*at).is_ascii_digit())
    }
}

impl Iterator for Spans<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let is_word = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        while self.at < self.text.len() {
            let start = self.at;
            let plus = self.plus(start);
            let first = start + plus;
            if !self.byte(first).is_ascii_digit() {
                // Of an escape no digit is looked at.
                self.at += if self.is_behind_escape(start + 3) { 3 } else { 1 };
                continue;
            }
            let before = start.checked_sub(1).map(|at| self.byte(at)).unwrap_or_default();
            let inside = plus == 0 && is_word(before) && !self.is_behind_escape(start);
            let mut end = self.end_of_group(first);
            let mut digits = self.text.get(first..end).unwrap_or_default().to_owned();
            let (mut group, mut whole) = (digits.len(), true);
            // A group that a letter touches is a word of its own, and none of a number beside it.
            let is_part = inside || is_word(self.byte(end));
            while let Some(at) = self.next_group(end).filter(|_| !is_part && group < LAST_GROUP_DIGITS_MIN) {
                let next = self.end_of_group(at);
                group = next - at;
                if is_word(self.byte(next)) || digits.len() + group > DIGITS_MAX {
                    break;
                }
                digits.push_str(self.text.get(at..next).unwrap_or_default());
                (end, whole) = (next, false);
            }
            self.at = end;
            let looks = match (plus > 0 && whole, is_part) {
                (true, _) => Looks::Certain,
                (false, true) => Looks::Word,
                (false, false) => Looks::Likely,
            };
            return Some(Found { start, end, digits, looks });
        }
        None
    }
}
