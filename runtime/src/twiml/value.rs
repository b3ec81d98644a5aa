//! Whether a value is one that an attribute or an element's text takes.
//!
//! A good value costs one look-up or one look at its bytes. Words are only made for a bad one: what is expected
//! there, said so that the author can write it.

use super::chars;
use super::grammar::{GRAMMAR, Takes, TextKind, ValueSet};
use super::links;
use super::names::listed;
use super::report::shortened;

/// A form that the grammar describes in prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One of `0`–`9`, `#`, `*`, or nothing.
    OneKeyOrNone,
    /// Any of `0`–`9`, `#`, `*`.
    Keys,
    /// Keys, and `w` for half a second.
    Tones,
    /// A positive whole number, or `auto`.
    SecondsOrAuto,
    /// Up to 500 phrases of up to 100 characters.
    Hints,
    /// `500ms`, `1.5s`.
    Pause,
    /// `+6dB`.
    Decibels,
    /// `85%`.
    Percent,
    /// `+10%`.
    SignedPercent,
}

/// Why a value is wrong.
#[derive(Debug)]
pub(super) struct Wrong {
    /// What would be right, to go after "expected".
    pub(super) expected: String,
    /// False where the carrier's set grows, so that the value may be a new one.
    pub(super) certain: bool,
    /// The set that the right words are in.
    pub(super) set: Option<&'static ValueSet>,
    /// Of a list, the item that is wrong.
    pub(super) item: Option<String>,
}

fn wrong(expected: impl Into<String>) -> Option<Wrong> {
    Some(Wrong { expected: expected.into(), certain: true, set: None, item: None })
}

/// What is wrong with this attribute value, if anything. `value` has its references resolved.
pub(super) fn of_attribute(takes: &Takes, value: &str) -> Option<Wrong> {
    match takes {
        Takes::Any => None,
        Takes::Bool if matches!(value, "true" | "false") => None,
        Takes::Bool => wrong("`true` or `false`, in lower case"),
        Takes::Int { min, max } => match value.parse::<i64>() {
            Ok(number)
                if whole(value)
                    && min.is_none_or(|min| min <= number)
                    && max.is_none_or(|max| number <= max) =>
            {
                None
            }
            _ => wrong(format!("a whole number{}", range(min.as_ref(), max.as_ref()))),
        },
        Takes::Decimal { min, max } => match value.parse::<f64>() {
            Ok(number)
                if decimal(value)
                    && min.is_none_or(|min| min <= number)
                    && max.is_none_or(|max| number <= max) =>
            {
                None
            }
            _ => wrong(format!("a number{}", range(min.as_ref(), max.as_ref()))),
        },
        Takes::Link { https_only } => link(value, *https_only),
        Takes::Url { schemes, query } => url(value, schemes, *query),
        Takes::OneOf { set, aliases } => {
            let set = GRAMMAR.set(*set);
            if set.values.get(value).is_some()
                || set.measure.is_some_and(|form| of_form(form, value).is_none())
            {
                return None;
            }
            if aliases.iter().any(|alias| alias == value) { None } else { not_in(set) }
        }
        Takes::ListOf { set } => list_of(GRAMMAR.set(*set), value),
        Takes::IntList => {
            if !value.is_empty()
                && value.split_ascii_whitespace().all(|item| whole(item) && !item.starts_with('-'))
            {
                None
            } else {
                python_list(value).or_else(|| wrong("whole numbers with a space between, such as `1 2 3`"))
            }
        }
        Takes::Sid { prefix } => {
            if value.strip_prefix(prefix.as_str()).is_some_and(is_32_hex) {
                None
            } else {
                wrong(format!("`{prefix}` and 32 hexadecimal digits"))
            }
        }
        Takes::Form(form) => of_form(*form, value),
    }
}

/// What is wrong with an element's text, if anything. `text` has its references resolved and is not blank.
pub(super) fn of_text(kind: TextKind, tag: &str, text: &str) -> Option<Wrong> {
    let text = chars::trimmed(text);
    match kind {
        TextKind::Speech | TextKind::String | TextKind::ConferenceName | TextKind::ClientIdentity => None,
        TextKind::PhoneNumber => {
            let number = text.strip_prefix("whatsapp:").unwrap_or(text);
            let punctuation =
                |byte: u8| matches!(byte, b'+' | b'-' | b'.' | b'(' | b')' | b'/' | b' ' | b'*' | b'#');
            let fits = |byte: u8| byte.is_ascii_digit() || punctuation(byte);
            if number.bytes().all(fits) && number.bytes().any(|byte| byte.is_ascii_digit()) {
                None
            } else {
                wrong("a telephone number, best in international form such as `+12025550123`")
            }
        }
        TextKind::Url => link(text, false),
        TextKind::Sid => {
            let fits =
                text.get(..2).is_some_and(|prefix| prefix.bytes().all(|byte| byte.is_ascii_uppercase()));
            if fits && text.get(2..).is_some_and(is_32_hex) {
                None
            } else {
                wrong("a SID: two capitals and 32 hexadecimal digits")
            }
        }
        TextKind::SipUri => {
            let fits = |scheme: &str| {
                text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            };
            if fits("sip:") || fits("sips:") {
                None
            } else {
                wrong("a SIP address such as `sip:alice@example.com`")
            }
        }
        TextKind::QueueName if at_most(text, 64) => None,
        TextKind::QueueName => wrong("a queue name of at most 64 characters"),
        TextKind::MessageText if at_most(text, 1600) => None,
        TextKind::MessageText => wrong("a message of at most 1600 characters"),
        TextKind::Json => match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => None,
            Err(error) => wrong(format!("JSON in {tag}; reading it failed: {error}")),
        },
    }
}

/// Whether `text` has at most `most` characters.
pub(super) fn at_most(text: &str, most: usize) -> bool {
    text.len() <= most || text.chars().count() <= most
}

fn of_form(form: Form, value: &str) -> Option<Wrong> {
    let key = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'#' | b'*');
    let (fits, expected) = match form {
        Form::OneKeyOrNone => (
            value.is_empty() || (value.len() == 1 && value.bytes().all(key)),
            "one of 0–9, `#` and `*`, or an empty value for no key",
        ),
        Form::Keys => (value.bytes().all(key), "any of 0–9, `#` and `*`"),
        Form::Tones => (
            value.bytes().all(|byte| key(byte) || byte == b'w'),
            "digits, `#`, `*`, and `w` to wait half a second",
        ),
        Form::SecondsOrAuto => (
            value == "auto" || (whole(value) && value.parse::<i64>().is_ok_and(|seconds| seconds > 0)),
            "a positive whole number of seconds, or `auto`",
        ),
        Form::Hints => (
            value.split(',').count() <= 500 && value.split(',').all(|hint| at_most(hint.trim(), 100)),
            "up to 500 phrases with commas between, each of up to 100 characters",
        ),
        Form::Pause => (
            value
                .strip_suffix("ms")
                .or_else(|| value.strip_suffix('s'))
                .is_some_and(|number| decimal(number) && !number.starts_with('-')),
            "a number and `s` or `ms`, such as `500ms`",
        ),
        Form::Decibels => (value.strip_suffix("dB").is_some_and(signed), "a signed step such as `+6dB`"),
        Form::Percent => (value.strip_suffix('%').is_some_and(decimal), "a percentage such as `85%`"),
        Form::SignedPercent => {
            (value.strip_suffix('%').is_some_and(signed), "a signed percentage such as `+10%`")
        }
    };
    if fits { None } else { wrong(expected) }
}

fn list_of(set: &'static ValueSet, value: &str) -> Option<Wrong> {
    let known = |item: &str| set.values.get(item).is_some();
    if known(value)
        || (!value.is_empty() && value.split_ascii_whitespace().all(known) && !value.trim().is_empty())
    {
        return None;
    }
    if let Some(python) = python_list(value) {
        return Some(python);
    }
    if value.contains(',') {
        let spaced: Vec<&str> = value.split([',', ' ']).filter(|item| !item.is_empty()).collect();
        return wrong(format!("spaces between the values, not commas: \"{}\"", shortened(&spaced.join(" "))));
    }
    if value.trim().is_empty() {
        return wrong(format!("one or more of {}, with spaces between", listed(set.values.names(), "and")));
    }
    let item = value.split_ascii_whitespace().find(|item| !known(item)).map(str::to_owned);
    let expected = format!("{}, with spaces between if several", listed(set.values.names(), "or"));
    Some(Wrong { expected, certain: !set.open, set: Some(set), item })
}

/// `['dtmf', 'speech']`: what the official Python builder writes for a list.
fn python_list(value: &str) -> Option<Wrong> {
    let inside = value.trim().strip_prefix('[')?.strip_suffix(']')?;
    let items: Vec<&str> = inside.split(',').map(|item| item.trim().trim_matches(['\'', '"'])).collect();
    wrong(format!(
        "the values with spaces between, \"{}\"; this is how Python prints a list, so join it first: \" \".join(values)",
        shortened(&items.join(" "))
    ))
}

fn not_in(set: &'static ValueSet) -> Option<Wrong> {
    let measure =
        set.measure.and_then(|form| of_form(form, "?")).map(|wrong| format!(", or {}", wrong.expected));
    let expected = format!("{}{}", listed(set.values.names(), "or"), measure.unwrap_or_default());
    Some(Wrong { expected, certain: !set.open, set: Some(set), item: None })
}

fn link(value: &str, https_only: bool) -> Option<Wrong> {
    let value = chars::trimmed(value);
    let scheme = links::scheme(value)?;
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    let rest = value.get(scheme.len() + 1..).unwrap_or_default();
    if !(is("https") || is("http")) {
        return wrong(format!(
            "a link of the handler such as `menu`, or a URL with `https://`; what is before the colon, `{}`, is read as a scheme",
            shortened(scheme)
        ));
    }
    if https_only && !is("https") {
        return wrong("a URL with `https://`");
    }
    absolute(rest)
}

fn url(value: &str, schemes: &[String], query: bool) -> Option<Wrong> {
    let fits =
        links::scheme(value).filter(|scheme| schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)));
    let Some(scheme) = fits else {
        let schemes: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}://")).collect();
        return wrong(format!("an absolute URL with {}", listed(schemes.iter().map(String::as_str), "or")));
    };
    if !query && value.contains('?') {
        return wrong("a URL without a query; send values as `Parameter` children");
    }
    absolute(value.get(scheme.len() + 1..).unwrap_or_default())
}

/// What is wrong with an absolute URL after its scheme and colon.
fn absolute(rest: &str) -> Option<Wrong> {
    match rest.strip_prefix("//") {
        None => wrong("two slashes after the scheme"),
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '?', '#']) => {
            wrong("a host name after the slashes")
        }
        Some(rest) if rest.contains(|c: char| c.is_whitespace() || c.is_control()) => {
            wrong("`%20` instead of a space")
        }
        Some(_) => None,
    }
}

fn whole(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn decimal(value: &str) -> bool {
    let number = value.strip_prefix('-').unwrap_or(value);
    let (before, after) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    digits(before) && digits(after) && !after.is_empty() && number.len() > usize::from(before.is_empty())
}

fn signed(value: &str) -> bool {
    value.strip_prefix(['+', '-']).is_some_and(|number| decimal(number) && !number.starts_with('-'))
}

fn is_32_hex(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn range<N: std::fmt::Display>(min: Option<&N>, max: Option<&N>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(", {min} or more"),
        (None, Some(max)) => format!(", {max} or less"),
        (None, None) => String::new(),
    }
}
