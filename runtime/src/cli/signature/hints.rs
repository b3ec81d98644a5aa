//! The usual reasons why a genuine signature does not match.
//!
//! Each is a change to one of three things: the URL, the text made of the body, the key. Every change is tried
//! alone, then every two together, and the fewest that give the signature are told. Nothing here widens what the
//! host accepts.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::HeaderName;
use percent_encoding::percent_decode;

use super::Given;
use crate::carrier::twilio::body::{Body, Form};
use crate::carrier::twilio::signature::{
    AuthToken, BODY_HASH, Reason, SharedKey, body_hash, candidates, sorted,
};

/// Most explanations told; beyond that they are variations of one another.
const HINTS_MAX: usize = 3;

/// Most query parameters that are tried to leave out one by one.
const LEFT_OUT_MAX: usize = 30;

/// One way to spell a part of what is signed.
struct Variant<T> {
    /// Completes "it would match if …"; empty for the part as it is.
    change: Vec<String>,
    part: T,
}

/// Why `given` does not match, in sentences; never empty.
pub(super) fn hints(given: &Given, reason: &Reason, body: &Body<'_>) -> Vec<String> {
    let found = match reason {
        Reason::BodyHash { in_url, of_body } => about_hash(given, in_url, of_body),
        Reason::NoBodyHash => vec![format!(
            "a JSON webhook needs `{BODY_HASH}={}` in its query; did a proxy cut the query?",
            body_hash(&given.body)
        )],
        Reason::SeveralSignatures(_) => vec!["a proxy may have added or repeated the header".to_owned()],
        Reason::NoSignature
        | Reason::NoKey(_)
        | Reason::UnknownAlgorithm(_)
        | Reason::UnknownKey(_)
        | Reason::NotADigest { .. }
        | Reason::Digest(_) => explanations(given, body),
    };
    if !found.is_empty() {
        return found;
    }
    vec![
        "no usual mistake explains it. Is the token that of the account in `AccountSid` (each subaccount has its own), \
         and the primary one? Is the URL what the carrier was told, and the body untouched?"
            .to_owned(),
    ]
}

fn about_hash(given: &Given, in_url: &str, of_body: &str) -> Vec<String> {
    if in_url.eq_ignore_ascii_case(of_body) {
        return vec![format!("it would match if `{BODY_HASH}` were in lower case")];
    }
    let trimmed = given.body.trim_ascii_end();
    if body_hash(trimmed) == in_url {
        return vec!["it would match if the white space at the end of the body were left out; was it saved by an editor?".to_owned()];
    }
    vec![
        "the body is not the one that was sent, to the byte; parsing JSON and writing it again changes it"
            .to_owned(),
    ]
}

fn explanations(given: &Given, body: &Body<'_>) -> Vec<String> {
    let Some(header) = given.headers.get(&crate::carrier::twilio::signature::SIGNATURE_HEADER) else {
        return Vec::new();
    };
    let written = String::from_utf8_lossy(header.as_bytes());
    let Some((digest, header_change)) = digest(&written) else { return Vec::new() };
    let header_change: Vec<_> = header_change.into_iter().collect();

    let urls = urls(given);
    let texts = texts(given, body);
    let keys = keys(given);
    let mut found: Vec<(usize, String)> = Vec::new();
    for key in &keys {
        for text in &texts {
            for url in &urls {
                let changes: Vec<_> =
                    [&header_change, &key.change, &text.change, &url.change].into_iter().flatten().collect();
                if changes.is_empty() || changes.len() > 2 {
                    continue;
                }
                let fits = |spelled: &str| (key.part)(&format!("{spelled}{}", text.part)) == digest;
                if url.part.iter().any(|spelled| fits(spelled)) {
                    let changes: Vec<_> = changes.into_iter().map(String::as_str).collect();
                    found.push((changes.len(), format!("it would match if {}", changes.join(", and "))));
                }
            }
        }
    }
    let fewest = found.iter().map(|(changes, _)| *changes).min();
    let mut hints: Vec<_> =
        found.into_iter().filter(|(changes, _)| Some(*changes) == fewest).map(|(_, hint)| hint).collect();
    hints.dedup();
    hints.truncate(HINTS_MAX);
    hints
}

/// The bytes that a header means, and what is wrong with how it is written.
fn digest(written: &str) -> Option<(Vec<u8>, Option<String>)> {
    let bare = written.trim().trim_matches(['"', '\'']);
    if matches!(bare.len(), 40 | 64) && bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let bytes = bare
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        return Some((
            bytes.collect::<Option<_>>()?,
            Some("the header were base64 instead of hex".to_owned()),
        ));
    }
    let unpadded = bare.trim_end_matches('=');
    if let Ok(bytes) = STANDARD_NO_PAD.decode(unpadded) {
        let padded = base64::engine::general_purpose::STANDARD.encode(&bytes);
        return Some((bytes, (padded != written).then(|| format!("the header were written {padded}"))));
    }
    let bytes = URL_SAFE_NO_PAD.decode(unpadded).ok()?;
    Some((
        bytes,
        Some("the header were standard base64 (`+` and `/`) instead of the URL-safe kind".to_owned()),
    ))
}

type Signer = Box<dyn Fn(&str) -> Vec<u8>>;

fn keys(given: &Given) -> Vec<Variant<Signer>> {
    let mut keys: Vec<Variant<Signer>> = Vec::new();
    let mut push = |change: &str, sha256: bool, secret: &str| {
        let change: Vec<_> = (!change.is_empty()).then(|| change.to_owned()).into_iter().collect();
        let decoded = |text: String| STANDARD_NO_PAD.decode(text.trim_end_matches('=')).unwrap_or_default();
        let signer: Option<Signer> = if sha256 {
            SharedKey::new("", secret)
                .ok()
                .map(|key| Box::new(move |text: &str| decoded(key.sign(text))) as Signer)
        } else {
            AuthToken::new(secret)
                .ok()
                .map(|key| Box::new(move |text: &str| decoded(key.sign(text))) as Signer)
        };
        keys.extend(signer.map(|part| Variant { change, part }));
    };
    if let Some(token) = &given.auth_token {
        push("", false, token);
        let bare = token.trim().trim_matches(['"', '\'']).trim();
        if bare != token {
            push("the token had no white space or quotes around it", false, bare);
        }
        if token.to_ascii_lowercase() != *token {
            push("the token were in lower case", false, &token.to_ascii_lowercase());
        }
        push(
            "`X-Twilio-Webhooks-Signature-Settings` said HMAC_SHA256 and the token were given as a shared key",
            true,
            token,
        );
    }
    if let Some((_, secret)) = &given.shared_key {
        push(
            "`X-Twilio-Webhooks-Signature-Settings` said HMAC_SHA256 and named this shared key",
            true,
            secret,
        );
        push("the secret were given as the auth token, and the algorithm were HMAC_SHA1", false, secret);
    }
    keys
}

/// What may stand after the URL.
fn texts(given: &Given, body: &Body<'_>) -> Vec<Variant<String>> {
    let as_it_is = if let Body::Form(form) = body { sorted(form) } else { String::new() };
    let mut texts = vec![Variant { change: Vec::new(), part: as_it_is.clone() }];
    let mut push = |change: &str, part: String| {
        if part != as_it_is && texts.iter().all(|other| other.part != part) {
            texts.push(Variant { change: vec![change.to_owned()], part });
        }
    };
    let bytes = &*given.body;
    let form = |bytes: &[u8]| Form::parse(bytes).map(|form| sorted(&form)).unwrap_or_default();
    if !matches!(body, Body::Form(_)) {
        push("the body were signed as a form (`Content-Type`, method)", form(bytes));
    }
    push("the body were not signed, as that of a GET or of JSON is not", String::new());
    push("the white space at the end of the body were left out", form(bytes.trim_ascii_end()));

    let Body::Form(parsed) = body else { return texts };
    let pairs: Vec<_> = parsed.iter().collect();
    let sent =
        |pairs: &[(&str, &str)]| pairs.iter().flat_map(|(name, value)| [*name, *value]).collect::<String>();
    let sorted_all = |mut pairs: Vec<(&str, &str)>| {
        pairs.sort_unstable();
        sent(&pairs)
    };
    push("repeated values counted each time", sorted_all(pairs.clone()));
    push("the parameters were signed in the order sent, not sorted", sent(&pairs));
    push(
        "empty parameters were left out",
        sorted_all(pairs.iter().copied().filter(|(_, value)| !value.is_empty()).collect()),
    );
    push(
        "values had no white space around them",
        sorted_all(pairs.iter().map(|(name, value)| (*name, value.trim())).collect()),
    );
    push(
        "`+` in the body meant a plus, not a space",
        decoded_pairs(bytes, |piece| percent_decode(piece).decode_utf8_lossy().into_owned()),
    );
    push(
        "the body were signed as sent, not decoded",
        decoded_pairs(bytes, |piece| String::from_utf8_lossy(piece).into_owned()),
    );
    push("the body were decoded as Latin-1, not UTF-8", decoded_pairs(bytes, latin1));
    push("the body had been decoded twice", form(as_form(&pairs).as_bytes()));
    if let Some(query) = query(&given.url) {
        let both = [query.as_bytes(), b"&", bytes].concat();
        push("the parameters of the query were signed with those of the body", form(&both));
    }
    texts
}

/// The decoded pairs written as if they were a form themselves.
fn as_form(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// What would be signed if names and values were read by `decode`.
fn decoded_pairs(bytes: &[u8], decode: impl Fn(&[u8]) -> String) -> String {
    let pieces = bytes.split(|&byte| byte == b'&').filter(|piece| !piece.is_empty());
    let mut pairs: Vec<_> = pieces
        .map(|piece| {
            let at = piece.iter().position(|&byte| byte == b'=').unwrap_or(piece.len());
            let (name, value) = piece.split_at(at);
            (decode(name), decode(value.get(1..).unwrap_or_default()))
        })
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

fn latin1(piece: &[u8]) -> String {
    let spaces: Vec<u8> = piece.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    percent_decode(&spaces).map(char::from).collect()
}

fn query(url: &str) -> Option<&str> {
    url.split('#').next()?.split_once('?').map(|(_, query)| query)
}

/// The URLs that the carrier may have been told instead, each in the spellings that the host tries.
fn urls(given: &Given) -> Vec<Variant<Vec<String>>> {
    let once = changed_urls(given, &given.url);
    let mut urls = vec![Variant { change: Vec::new(), part: spellings(&given.url) }];
    let fragment = given.url.contains('#').then(|| Variant {
        change: vec!["the fragment were signed too".to_owned()],
        part: vec![given.url.clone()],
    });
    urls.extend(fragment);
    for (change, url) in &once {
        urls.push(Variant { change: vec![said(change, url)], part: spellings(url) });
    }
    for (first, url) in &once {
        for (second, url) in changed_urls(given, url) {
            let part = spellings(&url);
            // The same two changes in the other order, or one that undoes the first.
            if urls.iter().all(|other| other.part != part) {
                urls.push(Variant { change: vec![first.to_string(), said(&second, &url)], part });
            }
        }
    }
    urls
}

fn said(change: &str, url: &str) -> String {
    format!("{change} ({url})")
}

fn spellings(url: &str) -> Vec<String> {
    candidates(url).map(String::from).into()
}

/// Each URL that is one usual mistake away.
fn changed_urls(given: &Given, url: &str) -> Vec<(Cow<'static, str>, String)> {
    let mut found: Vec<(Cow<'static, str>, String)> = Vec::new();
    let mut push = |change: Cow<'static, str>, changed: String| {
        if changed != url && found.iter().all(|(_, other)| *other != changed) {
            found.push((change, changed));
        }
    };
    let url = url.split('#').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return found };
    let (authority, path_and_query) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (path, query) =
        path_and_query.split_once('?').map_or((path_and_query, None), |(path, query)| (path, Some(query)));
    let question = |query: &str| if query.is_empty() { String::new() } else { format!("?{query}") };
    let tail = query.map(|query| format!("?{query}")).unwrap_or_default();

    for other in ["https", "http", "wss", "ws"] {
        push(format!("the scheme were {other}").into(), format!("{other}://{rest}"));
    }
    for name in ["host", "x-forwarded-host"] {
        let value = given.headers.get(HeaderName::from_static(name)).and_then(|value| value.to_str().ok());
        if let Some(host) = value {
            push(
                format!("the host were that of `{name}`").into(),
                format!("{scheme}://{host}{path_and_query}"),
            );
        }
    }
    if let Some(prefix) = given.headers.get("x-forwarded-prefix").and_then(|value| value.to_str().ok()) {
        push(
            "the path began as `x-forwarded-prefix` says".into(),
            format!("{scheme}://{authority}{}{path_and_query}", prefix.trim_end_matches('/')),
        );
    }
    push(
        "the host were in lower case".into(),
        format!("{scheme}://{}{path_and_query}", authority.to_ascii_lowercase()),
    );
    match path.strip_suffix('/') {
        Some(shorter) => {
            push("the path had no `/` at its end".into(), format!("{scheme}://{authority}{shorter}{tail}"))
        }
        None => push("the path had a `/` at its end".into(), format!("{scheme}://{authority}{path}/{tail}")),
    }
    if let Some((_, shorter)) = path.strip_prefix('/').and_then(|path| path.split_once('/')) {
        push("the path lacked its first part".into(), format!("{scheme}://{authority}/{shorter}{tail}"));
    }
    if let Some(query) = query {
        let with = |query: &str| format!("{scheme}://{authority}{path}{}", question(query));
        push("there were no query".into(), with(""));
        let pairs: Vec<_> = query.split('&').collect();
        for left_out in pairs.iter().take(LEFT_OUT_MAX) {
            let others: Vec<_> = pairs.iter().filter(|pair| *pair != left_out).copied().collect();
            push(format!("`{left_out}` were not in the query").into(), with(&others.join("&")));
        }
        let mut in_order = pairs.clone();
        in_order.sort_unstable();
        push("the query were sorted".into(), with(&in_order.join("&")));
        push("spaces in the query were `%20`".into(), with(&query.replace('+', "%20")));
        push("spaces in the query were `+`".into(), with(&query.replace("%20", "+")));
        push("`'` in the query were not escaped".into(), with(&query.replace("%27", "'")));
    } else {
        push("there were a `?` at its end".into(), format!("{url}?"));
    }
    if let Ok(normal) = url::Url::parse(url) {
        push("it were normalised as browsers do".into(), normal.into());
    }
    push("its escapes were decoded".into(), percent_decode(url.as_bytes()).decode_utf8_lossy().into_owned());
    found
}
