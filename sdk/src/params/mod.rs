//! Every parameter that came with a webhook, by name and in typed groups.
//!
//! The contract hands them over as one form-encoded text, because most handlers never look: it
//! is taken apart when the first one asks. What a handler gets typed is `None` where the carrier
//! sent nothing, nothing but an empty value, or something that cannot be read as that type;
//! [`Params::get`] tells what was really sent.

mod conference;
mod debugger;
mod declare;
mod dial;
mod input;
mod messaging;
mod payment;
mod recording;
mod session;
mod standard;
#[cfg(test)]
mod tests;
mod words;

pub use conference::*;
pub use debugger::*;
pub use dial::*;
pub use input::*;
pub use messaging::*;
pub use payment::*;
pub use recording::*;
pub use session::*;
pub use standard::*;

use std::cell::OnceCell;

/// Every parameter of a webhook, query and body, in the order sent.
#[derive(Debug)]
pub struct Params {
    form: String,
    decoded: OnceCell<Decoded>,
}

/// All names and values in one text, so that 40 parameters are two allocations.
#[derive(Debug)]
struct Decoded {
    text: String,
    pairs: Vec<Pair>,
}

/// Where in [`Decoded::text`] a name and its value are.
#[derive(Debug, Clone, Copy)]
struct Pair {
    name: usize,
    value: usize,
    end: usize,
}

impl Params {
    /// Takes an `application/x-www-form-urlencoded` text.
    #[must_use]
    pub fn new(form: impl Into<String>) -> Self {
        Self { form: form.into(), decoded: OnceCell::new() }
    }

    /// The parameters as they came, form-encoded.
    #[must_use]
    pub fn form(&self) -> &str {
        &self.form
    }

    /// The value of `name`; the last one if it came several times, so that the body beats the query.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let decoded = self.decoded();
        decoded.pairs.iter().rev().find(|pair| decoded.name(**pair) == name).map(|pair| decoded.value(*pair))
    }

    /// All names with their values, in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let decoded = self.decoded();
        decoded.pairs.iter().map(|pair| (decoded.name(*pair), decoded.value(*pair)))
    }

    /// Parameters whose name begins with `prefix`, named without it: `SipHeader_X-` and the like.
    pub fn with_prefix<'a>(
        &'a self,
        prefix: &'static str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value)))
    }

    /// The first of `names` that has a value, read as a `T`.
    pub(crate) fn read<'a, T: words::Read<'a>>(&'a self, names: &[&str]) -> Option<T> {
        names.iter().filter_map(|name| self.get(name)).find(|value| !value.is_empty()).and_then(T::read)
    }

    fn decoded(&self) -> &Decoded {
        self.decoded.get_or_init(|| Decoded::from_form(&self.form))
    }
}

impl Decoded {
    fn from_form(form: &str) -> Self {
        let mut decoded = Self {
            text: String::with_capacity(form.len()),
            pairs: Vec::with_capacity(form.bytes().filter(|byte| *byte == b'&').count() + 1),
        };
        for field in form.split('&').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            let start = decoded.text.len();
            push_decoded(&mut decoded.text, name);
            let middle = decoded.text.len();
            push_decoded(&mut decoded.text, value);
            decoded.pairs.push(Pair { name: start, value: middle, end: decoded.text.len() });
        }
        decoded
    }

    fn name(&self, pair: Pair) -> &str {
        &self.text[pair.name..pair.value]
    }

    fn value(&self, pair: Pair) -> &str {
        &self.text[pair.value..pair.end]
    }
}

/// Appends `encoded` with `+` as a space and `%XX` as that byte. A `%` without two hex digits stands
/// for itself; bytes that are not UTF-8 become U+FFFD.
fn push_decoded(text: &mut String, encoded: &str) {
    if !encoded.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        text.push_str(encoded);
        return;
    }
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, after) {
            (b'+', _) => (b' ', after),
            (b'%', [high, low, behind @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, behind),
                _ => (b'%', after),
            },
            _ => (*first, after),
        };
        decoded.push(byte);
        rest = after;
    }
    text.push_str(&String::from_utf8_lossy(&decoded));
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}
