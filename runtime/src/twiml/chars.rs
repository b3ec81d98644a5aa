//! XML's characters: which are allowed where, what a reference stands for, and text with references resolved.
//!
//! Source: Extensible Markup Language (XML) 1.0, fifth edition, productions 2, 3, 4, 4a, 66 and 68.

use std::borrow::Cow;

use super::scan::{Scanned, broken};

/// Not allowed anywhere.
const CONTROL: u8 = 1;
/// Asks for a second look in character data.
const IN_TEXT: u8 = 2;
/// Asks for a second look in an attribute value.
const IN_VALUE: u8 = 4;
/// ASCII that a name may hold.
pub(super) const NAME: u8 = 8;
/// ASCII that a name may begin with.
const NAME_START: u8 = 16;

/// What each byte is.
pub(super) static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let c = byte as u8;
        if c < 0x20 && c != b'\t' && c != b'\n' && c != b'\r' {
            class[byte] |= CONTROL | IN_TEXT | IN_VALUE;
        }
        // U+FFFE and U+FFFF, the only other characters that XML forbids, begin with this byte.
        if c == 0xEF {
            class[byte] |= IN_TEXT | IN_VALUE;
        }
        if c == b'<' || c == b'&' {
            class[byte] |= IN_TEXT | IN_VALUE;
        }
        if c == b']' {
            class[byte] |= IN_TEXT;
        }
        if c == b'"' || c == b'\'' || c == b'\t' || c == b'\n' || c == b'\r' {
            class[byte] |= IN_VALUE;
        }
        if c.is_ascii_alphabetic() || c == b'_' || c == b':' {
            class[byte] |= NAME | NAME_START;
        }
        if c.is_ascii_digit() || c == b'-' || c == b'.' {
            class[byte] |= NAME;
        }
        byte += 1;
    }
    class
};

/// White space as XML has it.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Without the white space around it.
pub(super) fn trimmed(text: &str) -> &str {
    let before = text.bytes().take_while(|&byte| is_space(byte)).count();
    let text = text.get(before..).unwrap_or_default();
    let after = text.bytes().rev().take_while(|&byte| is_space(byte)).count();
    text.get(..text.len() - after).unwrap_or_default()
}

/// A character as an error message shows it.
pub(super) fn shown(c: char) -> String {
    if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{feff}') {
        format!("the control character U+{:04X}", u32::from(c))
    } else {
        format!("`{c}`")
    }
}

/// Refuses the character at `at` where XML forbids it.
pub(super) fn check_odd(text: &str, at: usize) -> Scanned<()> {
    match text.get(at..).and_then(|rest| rest.chars().next()) {
        Some(c) if !is_allowed(c) => {
            broken(at, format!("{}, which XML cannot hold, not even as a reference; take it out", shown(c)))
        }
        _ => Ok(()),
    }
}

/// Refuses characters from `start` to `end` that XML forbids.
pub(super) fn check_all(text: &str, start: usize, end: usize) -> Scanned<()> {
    let odd = |&(_, byte): &(usize, u8)| byte == 0xEF || CLASS[usize::from(byte)] & CONTROL != 0;
    let bytes = text.as_bytes().get(start..end).unwrap_or_default();
    bytes
        .iter()
        .copied()
        .zip(start..)
        .map(|(byte, at)| (at, byte))
        .filter(odd)
        .try_for_each(|(at, _)| check_odd(text, at))
}

/// Whether XML 1.0 may hold `c`.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The first byte from `at` on that asks for a second look in character data, or the end.
pub(super) fn skip_plain_text(bytes: &[u8], mut at: usize) -> usize {
    // Speech is most of a document. Written without branches, so that the compiler looks at sixteen bytes at once;
    // white space other than blanks counts as odd here and is cleared below, one by one.
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let mut odd = 0_u8;
        for &byte in chunk {
            odd |= u8::from(byte < b' ')
                | u8::from(byte == b'<')
                | u8::from(byte == b'&')
                | u8::from(byte == b']')
                | u8::from(byte == 0xEF);
        }
        if odd != 0 {
            break;
        }
        at += chunk.len();
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| CLASS[usize::from(byte)] & IN_TEXT != 0).unwrap_or(rest.len())
}

/// The first byte from `at` on that asks for a second look in an attribute value, or the end.
pub(super) fn skip_plain_value(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| CLASS[usize::from(byte)] & IN_VALUE != 0).unwrap_or(rest.len())
}

/// Where the name that begins at `start` ends; `start` itself when none does.
pub(super) fn name_end(text: &str, start: usize) -> usize {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    let begins = rest.first().is_some_and(|&byte| CLASS[usize::from(byte)] & NAME_START != 0 || byte >= 0x80);
    let ascii = rest.iter().position(|&byte| CLASS[usize::from(byte)] & NAME == 0).unwrap_or(rest.len());
    match rest.get(ascii) {
        _ if !begins => start,
        Some(&byte) if byte >= 0x80 => wide_name_end(text, start, start + ascii),
        _ => start + ascii,
    }
}

/// The same for names that go on beyond ASCII at `at`.
fn wide_name_end(text: &str, start: usize, mut at: usize) -> usize {
    for c in text.get(at..).unwrap_or_default().chars() {
        let ascii = u8::try_from(c).is_ok_and(|byte| CLASS[usize::from(byte)] & NAME != 0);
        if !(ascii || begins_name(c) || (at > start && continues_name(c))) {
            break;
        }
        at += c.len_utf8();
    }
    at
}

/// U+FEFF, the byte order mark, is left out: earlier editions refuse it, and in a name it is always a slip.
fn begins_name(c: char) -> bool {
    matches!(c,
        '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

fn continues_name(c: char) -> bool {
    matches!(c, '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// The character that the reference at `at` stands for, and where the reference ends.
pub(super) fn reference(text: &str, at: usize) -> Scanned<(char, usize)> {
    const AMPERSAND: &str = "`&` that begins no reference; a plain ampersand is written `&amp;`";
    let rest = text.get(at + 1..).unwrap_or_default();
    // A number may have any count of leading zeros, a name only what names have: neither looks far without a `;`.
    let length = rest
        .bytes()
        .take_while(|&byte| byte == b'#' || CLASS[usize::from(byte)] & NAME != 0 || byte >= 0x80)
        .count();
    let (name, end) = (rest.get(..length).unwrap_or_default(), at + 1 + length + 1);
    if rest.as_bytes().get(length) != Some(&b';') || name.is_empty() {
        return broken(at, AMPERSAND);
    }
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#') {
            Some(number) => match numbered(number) {
                Some(character) if is_allowed(character) => character,
                _ => return broken(at, format!("`&{name};` is no character that XML can hold")),
            },
            None if name.contains('#') => return broken(at, AMPERSAND),
            None => {
                return broken(
                    at,
                    format!(
                        "`&{name};` is none of XML's own `&amp;`, `&lt;`, `&gt;`, `&quot;`, `&apos;`; write the character itself"
                    ),
                );
            }
        },
    };
    Ok((character, end))
}

fn numbered(number: &str) -> Option<char> {
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    if digits.is_empty() {
        return None;
    }
    let value = digits.chars().try_fold(0_u32, |value, digit| {
        value.checked_mul(radix).and_then(|value| value.checked_add(digit.to_digit(radix)?))
    })?;
    char::from_u32(value)
}

/// An attribute value as its reader sees it. `raw` is well-formed.
pub(super) fn value_of(raw: &str, plain: bool) -> Cow<'_, str> {
    if plain {
        return Cow::Borrowed(raw);
    }
    // A line break of two characters is one, and in a value each is a space.
    let mut value = String::with_capacity(raw.len());
    let mut at = 0;
    while let Some(c) = raw.get(at..).and_then(|rest| rest.chars().next()) {
        match c {
            '&' => at = push_reference(raw, at, &mut value),
            '\r' if raw.as_bytes().get(at + 1) == Some(&b'\n') => at += 1,
            '\t' | '\n' | '\r' => {
                value.push(' ');
                at += 1;
            }
            _ => {
                value.push(c);
                at += c.len_utf8();
            }
        }
    }
    Cow::Owned(value)
}

/// The character data in an element's content: comments, instructions and tags left out. `raw` is well-formed.
pub(super) fn text_of(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut at = 0;
    while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
        let skip = |end: &str| rest.find(end).map_or(raw.len(), |length| at + length + end.len());
        if rest.starts_with('&') {
            at = push_reference(raw, at, &mut text);
        } else if let Some(section) = rest.strip_prefix("<![CDATA[") {
            let length = section.find("]]>").unwrap_or(section.len());
            text.push_str(section.get(..length).unwrap_or_default());
            at = raw.len() - section.len() + length + "]]>".len();
        } else if rest.starts_with("<!--") {
            at = skip("-->");
        } else if rest.starts_with("<?") {
            at = skip("?>");
        } else if rest.starts_with('<') {
            at += tag_length(rest);
        } else {
            let length = rest.find(['<', '&']).unwrap_or(rest.len());
            text.push_str(rest.get(..length).unwrap_or_default());
            at += length;
        }
    }
    text
}

/// Bytes of the tag that `rest` begins with; a `>` inside a quoted value does not end it.
fn tag_length(rest: &str) -> usize {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    rest.len()
}

fn push_reference(raw: &str, at: usize, out: &mut String) -> usize {
    match reference(raw, at) {
        Ok((character, end)) => {
            out.push(character);
            end
        }
        // Not in what the scanner let through; as it stands is then the only faithful reading.
        Err(_) => {
            out.push('&');
            at + 1
        }
    }
}
