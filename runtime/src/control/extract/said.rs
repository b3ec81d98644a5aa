//! What a parser found wrong with a request, in words of JSON: what was found, where, and what was expected.
//!
//! The parsers' own sentences name types of ours. Only their form is known here; a sentence of another form, such as those of our
//! own types, is passed on as it is, with its place. A text is shown only where a number was expected: anywhere else it may be a secret.

use std::borrow::Cow;

use serde_json::error::Category;

/// What the body is in place of an object; none where it may be one.
pub(super) fn no_object(bytes: &[u8]) -> Option<&'static str> {
    match bytes.trim_ascii_start().first() {
        Some(b'{') => None,
        None => Some("is empty"),
        Some(b'[') => Some("is a list"),
        Some(b'"') => Some("is a text"),
        Some(b'0'..=b'9' | b'-') => Some("is a number"),
        Some(_) => Some("does not begin with `{`"),
    }
}

/// What is wrong with a JSON body, at `path`; a dot is the body itself.
pub(super) fn of_json(path: &str, error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let text = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let place = format!("line {line}, column {column}");
    match error.classify() {
        Category::Eof => {
            let within = text.strip_prefix("EOF while parsing ").unwrap_or("its JSON");
            format!("the body ends within {within} ({place})")
        }
        Category::Syntax | Category::Io => format!("the body is not JSON: {text} ({place})"),
        Category::Data => format!("{} ({place})", sentence(Some(path).filter(|path| *path != "."), text)),
    }
}

/// What is wrong with a query, of which the parser says `text`.
pub(super) fn of_query(text: &str, query: &str) -> String {
    let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(text);
    let values = || form_urlencoded::parse(query.as_bytes());
    let Some((key, said)) = text.split_once(": ") else { return sentence(None, text) };
    let Some((_, value)) = values().find(|(found, _)| found == key) else { return sentence(None, text) };
    match no_whole_number(said) {
        Some(expected) => format!("{key} is {value:?}: expected {expected}"),
        None => sentence(Some(key), said),
    }
}

/// What a number of the query should have been.
fn no_whole_number(said: &str) -> Option<&'static str> {
    match said {
        "invalid digit found in string" | "cannot parse integer from empty string" => Some("a whole number"),
        "number too large to fit in target type" => Some("a smaller number"),
        "number too small to fit in target type" => Some("a larger number"),
        _ => None,
    }
}

/// The parser's sentence about what is at `path`, in our words.
fn sentence(path: Option<&str>, text: &str) -> String {
    let it = path.unwrap_or("it");
    if let Some(of) = text.strip_prefix("invalid type: ").or(text.strip_prefix("invalid value: "))
        && let Some((found, wanted)) = of.rsplit_once(", expected ")
    {
        let (wanted, shown) = expected(wanted);
        return format!("{it} is {}: expected {wanted}", as_found(found, shown));
    }
    let field = |text: &str| {
        text.strip_prefix('`')?.split_once('`').map(|(key, rest)| (key.to_owned(), rest.to_owned()))
    };
    let key = |kind: &str| text.strip_prefix(kind).and_then(field);
    if let Some((name, _)) = key("missing field ") {
        // The parser names the place in which it is missing.
        return format!("`{name}` is missing{}", path.map(|path| format!(" in {path}")).unwrap_or_default());
    }
    if let Some((name, _)) = key("duplicate field ") {
        return format!("`{name}` stands twice: leave out one");
    }
    if let Some((name, rest)) = key("unknown field ") {
        return format!("there is no key `{name}`{rest}");
    }
    if let Some((name, rest)) = key("unknown variant ") {
        return format!("{it} is `{name}`{rest}");
    }
    path.map_or_else(|| text.to_owned(), |path| format!("{path}: {text}"))
}

/// A parser's word for what was expected, and whether what was found instead may be shown.
fn expected(word: &str) -> (Cow<'_, str>, Shown) {
    let whole = |max: u64| (Cow::from(format!("a whole number from 0 to {max}")), Shown::Yes);
    match word {
        "u8" => whole(u8::MAX.into()),
        "u16" => whole(u16::MAX.into()),
        "u32" => whole(u32::MAX.into()),
        "u64" | "usize" => ("a whole number, not below 0".into(), Shown::Yes),
        "i8" | "i16" | "i32" | "i64" | "isize" => ("a whole number".into(), Shown::Yes),
        "f32" | "f64" => ("a number".into(), Shown::Yes),
        "a boolean" => ("true or false".into(), Shown::Yes),
        "a string" => ("a text".into(), Shown::No),
        "a sequence" => ("a list".into(), Shown::No),
        "a map" => ("an object".into(), Shown::No),
        _ if word.starts_with("struct ") => ("an object".into(), Shown::No),
        _ if word.starts_with("enum ") => ("one of its words".into(), Shown::No),
        _ => (word.into(), Shown::No),
    }
}

/// Whether a value is repeated to whoever sent it; the answer may stand in a log of theirs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Yes,
    No,
}

/// A parser's words for what it found.
fn as_found(found: &str, shown: Shown) -> String {
    let (kind, value) = found.split_once(' ').unwrap_or((found, ""));
    let bare = value.trim_start_matches("point ").trim_matches('`');
    match (kind, shown) {
        ("sequence", _) => "a list".to_owned(),
        ("map", _) => "an object".to_owned(),
        ("string", Shown::Yes) => format!("the text {value}"),
        ("string", Shown::No) => "a text".to_owned(),
        ("integer" | "floating", Shown::Yes) => bare.to_owned(),
        ("integer" | "floating", Shown::No) => "a number".to_owned(),
        ("boolean", _) => bare.to_owned(),
        _ => found.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::model::{Deploy, NewTenant, NewToken, Replay, TenantChange};

    fn said<T: serde::de::DeserializeOwned>(body: &str) -> String {
        let mut reader = serde_json::Deserializer::from_str(body);
        match serde_path_to_error::deserialize::<_, T>(&mut reader) {
            Ok(_) => reader.end().map_err(|error| of_json(".", &error)).unwrap_err(),
            Err(error) => of_json(&error.path().to_string(), error.inner()),
        }
    }

    #[test]
    fn what_is_wrong_with_a_body_is_said_without_the_names_of_our_types() {
        for (said, expected) in [
            (said::<NewTenant>("{}"), "`id` is missing (line 1, column 2)"),
            (said::<NewTenant>("{\"id\": 7}"), "id is a number: expected a text (line 1, column 8)"),
            (
                said::<NewTenant>("{\"id\": \"a\", \"id\": \"b\"}"),
                "`id` stands twice: leave out one (line 1, column 16)",
            ),
            (
                said::<NewToken>("{\"scope\": \"read\", \"for\": 1}"),
                "there is no key `for`, expected one of `scope`, `tenant`, `label` (line 1, column 23)",
            ),
            (
                said::<NewToken>("{\"scope\": \"root\"}"),
                "scope is `root`, expected one of `operator`, `deploy`, `read` (line 1, column 16)",
            ),
            (
                said::<Replay>("{\"revision\": \"six\"}"),
                "revision is the text \"six\": expected a whole number from 0 to 4294967295 (line 1, column 18)",
            ),
            (
                said::<Replay>("{\"revision\": -1}"),
                "revision is -1: expected a whole number from 0 to 4294967295 (line 1, column 15)",
            ),
            (
                said::<Replay>("{\"revision\": 1.5}"),
                "revision is 1.5: expected a whole number from 0 to 4294967295 (line 1, column 16)",
            ),
            (
                said::<Deploy>("{\"settings\": {}, \"no_canary\": \"no\"}"),
                "no_canary is the text \"no\": expected true or false (line 1, column 34)",
            ),
            (
                said::<TenantChange>("{\"shared_keys\": [{\"id\": \"k\"}]}"),
                "`secret` is missing in shared_keys[0] (line 1, column 28)",
            ),
            (said::<NewTenant>("{\"id\": "), "the body ends within a value (line 1, column 7)"),
            (
                said::<NewTenant>("{\"id\": \"a\",}"),
                "the body is not JSON: trailing comma (line 1, column 12)",
            ),
            (
                said::<NewTenant>("{\"id\": \"a\"} x"),
                "the body is not JSON: trailing characters (line 1, column 13)",
            ),
        ] {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        for body in [
            "{\"twilio_auth_tokens\": \"s3cret\"}",
            "{\"shared_keys\": [\"s3cret\"]}",
            "{\"twilio_account\": {\"api_key\": \"s3cret\"}}",
            "{\"public_url\": [\"s3cret\"]}",
        ] {
            let said = said::<TenantChange>(body);
            assert!(!said.contains("s3cret") && said.contains(": expected "), "{said}");
        }
        assert!(!said::<TenantChange>("{\"twilio_auth_tokens\": [12345678]}").contains("1234"));
    }

    #[test]
    fn what_is_wrong_with_a_query_is_said_with_what_stood_there() {
        for (text, query, expected) in [
            (
                "limit: invalid digit found in string",
                "limit=abc",
                "limit is \"abc\": expected a whole number",
            ),
            (
                "before: number too large to fit in target type",
                "limit=1&before=99999999999",
                "before is \"99999999999\": expected a smaller number",
            ),
            ("unknown field `all`, expected `tenant`", "all=1", "there is no key `all`, expected `tenant`"),
            ("duplicate field `tenant`", "tenant=a&tenant=b", "`tenant` stands twice: leave out one"),
        ] {
            let text = format!("Failed to deserialize query string: {text}");
            assert_eq!(of_query(&text, query), expected);
        }
    }

    #[test]
    fn only_what_may_be_an_object_is_one() {
        for (body, is) in [
            ("{}", None),
            (" \r\n\t{", None),
            ("", Some("is empty")),
            (" ", Some("is empty")),
            ("[\"zeta\",null,[],[],null,null]", Some("is a list")),
            ("\"a\"", Some("is a text")),
            ("-1", Some("is a number")),
            ("null", Some("does not begin with `{`")),
            ("\u{feff}{}", Some("does not begin with `{`")),
        ] {
            assert_eq!(no_object(body.as_bytes()), is, "{body:?}");
        }
    }
}
