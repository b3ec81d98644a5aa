//! The body of a webhook, decoded once for signature and parameters alike.
//!
//! A form of twenty parameters is decoded into one buffer with the places of names and values beside it: two
//! allocations, where a list of pairs of strings would make forty.
//!
//! What the parameters mean is `params`' business, what is signed `signature`'s.

use http::Method;

use super::params::ParamsError;

/// Most parameters in one body, and most in one query. A webhook has 20 to 60; sorting a mebibyte of them before
/// the sender is known would let strangers spend our time.
pub const PARAMETERS_MAX: usize = 1_000;

/// A request body by what the signature does with it.
#[derive(Debug)]
pub enum Body<'a> {
    /// None at all, or that of a `GET`, which is never signed and therefore never read.
    Empty,
    /// `application/x-www-form-urlencoded`: its decoded pairs are signed.
    Form(Form<'a>),
    /// `application/json` and `…+json`: its SHA-256 is in the query, as sent.
    Json(&'a [u8]),
    /// Bytes that no signature covers, so they can't be believed; the content type they came with.
    Unsigned(String),
}

impl<'a> Body<'a> {
    /// Decodes `bytes` as `content_type` says.
    ///
    /// # Errors
    /// [`ParamsError::TooMany`] for a form of more than [`PARAMETERS_MAX`] parameters.
    pub fn read(method: &Method, content_type: Option<&str>, bytes: &'a [u8]) -> Result<Self, ParamsError> {
        if matches!(*method, Method::GET | Method::HEAD) {
            return Ok(Self::Empty);
        }
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Ok(Self::Form(Form::parse(bytes)?));
        }
        // Even an empty one: without its hash, a captured JSON webhook could be sent again with the body cut off.
        if is_json(media_type) {
            return Ok(Self::Json(bytes));
        }
        if bytes.is_empty() { Ok(Self::Empty) } else { Ok(Self::Unsigned(media_type.to_owned())) }
    }
}

fn is_json(media_type: &str) -> bool {
    let lower = media_type.to_ascii_lowercase();
    lower.strip_prefix("application/").is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// Parameters of a body or a query, decoded, in the order sent.
#[derive(Debug)]
pub struct Form<'a> {
    raw: &'a [u8],
    /// Decoded `name=value&name=value&`. What stands between the pieces keeps a cut UTF-8 sequence at the end of one from
    /// joining the next.
    decoded: String,
    pairs: Vec<Pair>,
}

/// Where a pair lies in `decoded`: `start..equals` and `equals + 1..end`.
#[derive(Debug, Clone, Copy)]
struct Pair {
    start: usize,
    equals: usize,
    end: usize,
}

impl<'a> Form<'a> {
    /// Decodes `application/x-www-form-urlencoded` as browsers do: `+` is a space, an escape that is none stays as it
    /// is, what is not UTF-8 becomes U+FFFD, a name without `=` has an empty value, empty pieces are skipped.
    ///
    /// # Errors
    /// [`ParamsError::TooMany`] beyond [`PARAMETERS_MAX`].
    pub fn parse(raw: &'a [u8]) -> Result<Self, ParamsError> {
        let mut decoded = Buffer::for_form(raw);
        let mut pairs = Vec::with_capacity(32);
        let (mut start, mut equals) = (0, None);
        let mut input = raw.iter();
        loop {
            let byte = input.next().copied();
            match byte {
                // Letters first: they are most of it.
                Some(byte) if byte > b'=' => _ = decoded.put(byte),
                Some(b'&') | None => {
                    // Every byte of a piece leaves one, so nothing decoded means an empty piece.
                    if decoded.len > start {
                        if pairs.len() == PARAMETERS_MAX {
                            return Err(ParamsError::TooMany);
                        }
                        let equals = equals.take().unwrap_or_else(|| decoded.put(b'='));
                        pairs.push(Pair { start, equals, end: decoded.len });
                        decoded.put(b'&');
                        start = decoded.len;
                    }
                    if byte.is_none() {
                        break;
                    }
                }
                Some(b'=') if equals.is_none() => equals = Some(decoded.put(b'=')),
                Some(b'+') => _ = decoded.put(b' '),
                Some(b'%') => match escaped(input.as_slice()) {
                    Some((byte, after)) => {
                        decoded.put(byte);
                        input = after.iter();
                    }
                    None => _ = decoded.put(b'%'),
                },
                Some(byte) => _ = decoded.put(byte),
            }
        }
        let decoded = decoded.into_bytes();
        match String::from_utf8(decoded) {
            Ok(decoded) => Ok(Self { raw, decoded, pairs }),
            Err(invalid) => Ok(Self::replacing(raw, invalid.as_bytes(), &pairs)),
        }
    }

    /// The same where some piece is not UTF-8.
    fn replacing(raw: &'a [u8], bytes: &[u8], places: &[Pair]) -> Self {
        let piece = |from: usize, to: usize| String::from_utf8_lossy(bytes.get(from..to).unwrap_or_default());
        let mut decoded = String::with_capacity(bytes.len());
        let mut pairs = Vec::with_capacity(places.len());
        for pair in places {
            let start = decoded.len();
            decoded.push_str(&piece(pair.start, pair.equals));
            let equals = decoded.len();
            decoded.push('=');
            decoded.push_str(&piece(pair.equals + 1, pair.end));
            pairs.push(Pair { start, equals, end: decoded.len() });
            decoded.push('&');
        }
        Self { raw, decoded, pairs }
    }

    /// The bytes it was decoded from.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Names and values in the order sent.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> + ExactSizeIterator {
        self.pairs.iter().map(|pair| self.at(*pair))
    }

    /// The last value of `name`.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&str> {
        let bytes = self.decoded.as_bytes();
        // Compares lengths before it looks: nine parameters are looked up in every webhook.
        let is_named = |pair: &&Pair| {
            pair.equals - pair.start == name.len()
                && bytes.get(pair.start..pair.equals) == Some(name.as_bytes())
        };
        self.pairs.iter().rfind(is_named).map(|pair| self.at(*pair).1)
    }

    fn at(&self, pair: Pair) -> (&str, &str) {
        let piece = |from, to| self.decoded.get(from..to).unwrap_or_default();
        (piece(pair.start, pair.equals), piece(pair.equals + 1, pair.end))
    }
}

/// Bytes written one by one into memory taken once.
struct Buffer {
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// Room for a decoded form; it grows at most by half: `a&a` becomes `a=&a=&`.
    fn for_form(raw: &[u8]) -> Self {
        Self { bytes: vec![0; raw.len() + raw.len() / 2 + 2], len: 0 }
    }

    /// Writes `byte` and says where.
    fn put(&mut self, byte: u8) -> usize {
        let at = self.len;
        if let Some(free) = self.bytes.get_mut(at) {
            *free = byte;
            self.len += 1;
        }
        at
    }

    fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }
}

/// The byte whose two hex digits begin `after`, and what follows them.
fn escaped(after: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = after.split_first_chunk::<2>()?;
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    Some((digit(high)? << 4 | digit(low)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded_as_browsers_do() {
        let long = "a=1&".repeat(PARAMETERS_MAX);
        let cases: &[&[u8]] = &[
            b"",
            b"a=1&b=2",
            b"a=1&&b=2&",
            b"&=&==&=x&a=b=c",
            b"flag&empty=&x",
            b"From=%2B12025550123&Body=a+b%20c",
            b"bad=%&bad2=%4&bad3=%zz&bad4=%+1&bad5=%4%41",
            b"u=Gr%C3%BC%C3%9Fe&raw=\xc3\xbc",
            b"cut=%C3&%BC=joined?",
            b"a%C3=%BCb",
            b"latin=gr\xfc&x=%ff%fe",
            b"n%3Dame=v%26alue&nul=%00",
            b"emoji=%F0%9F%91%8B%F0%9F",
            long.as_bytes(),
        ];
        for raw in cases {
            let expected: Vec<_> = form_urlencoded::parse(raw).collect();
            let form = Form::parse(raw).unwrap();
            let found: Vec<_> = form.iter().map(|(n, v)| (n.into(), v.into())).collect();
            assert_eq!(found, expected, "{}", String::from_utf8_lossy(raw));
        }
        assert!(matches!(Form::parse(format!("{long}b=1").as_bytes()), Err(ParamsError::TooMany)));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_decoded_as_browsers_do(raw in "[a-c=&+%0-9A-F\u{fc}]{0,60}", tail: Vec<u8>) {
            let bytes = [raw.as_bytes(), &tail].concat();
            let form = Form::parse(&bytes).unwrap();
            let expected: Vec<_> = form_urlencoded::parse(&bytes).collect();
            let found: Vec<_> = form.iter().map(|(n, v)| (n.into(), v.into())).collect();
            proptest::prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_method_and_content_type_say_what_is_signed() {
        let form = "application/x-www-form-urlencoded";
        let cases: &[(Method, Option<&str>, &[u8], &str)] = &[
            (Method::POST, Some(form), b"a=1", "form"),
            (Method::POST, Some("Application/X-WWW-Form-Urlencoded; charset=UTF-8"), b"a=1", "form"),
            (Method::POST, Some(form), b"", "form"),
            (Method::GET, Some(form), b"a=1", "empty"),
            (Method::GET, None, b"", "empty"),
            (Method::POST, None, b"", "empty"),
            (Method::POST, Some("application/json"), b"{}", "json"),
            (Method::POST, Some("application/JSON ; charset=utf-8"), b"", "json"),
            (Method::POST, Some("application/cloudevents+json"), b"{}", "json"),
            (Method::GET, Some("application/json"), b"{}", "empty"),
            (Method::POST, None, b"a=1", "unsigned"),
            (Method::POST, Some("text/plain"), b"a=1", "unsigned"),
            (Method::POST, Some("application/jsonx"), b"a=1", "unsigned"),
            (Method::POST, Some("applicatioé/json"), b"a=1", "unsigned"),
            (Method::POST, Some("json"), b"a=1", "unsigned"),
            (Method::POST, Some("multipart/form-data; boundary=x"), b"--x--", "unsigned"),
        ];
        for (method, content_type, bytes, expected) in cases {
            let found = match Body::read(method, *content_type, bytes).unwrap() {
                Body::Empty => "empty",
                Body::Form(_) => "form",
                Body::Json(_) => "json",
                Body::Unsigned(_) => "unsigned",
            };
            assert_eq!(found, *expected, "{method} {content_type:?}");
        }
    }
}
