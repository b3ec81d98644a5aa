//! Whether a request was made by the holder of a key: `X-Twilio-Signature`.
//!
//! The carrier signs the URL *it* requested and the decoded form parameters, sorted; of a JSON body only the hash in
//! the query is signed. What is uncertain is the port: voice over https leaves it out, messaging keeps it. So two
//! spellings of the URL are tried and one match is enough; anything wider would accept what nobody signed.
//!
//! Which public URL a request was made to is `webhook`'s to know. Explaining a mismatch at length is `cli`'s.

mod keys;
mod url;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use http::{HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

pub use self::keys::{Algorithm, AuthToken, EmptySecret, Keys, SharedKey};
pub(super) use self::url::query_of;
use super::body::{Body, Form};

/// The header that carries the signature: base64 of the digest.
pub static SIGNATURE_HEADER: HeaderName = HeaderName::from_static("x-twilio-signature");

/// The header that comes with shared keys: `key=<key id>,algorithm=<name>`. It is not signed itself.
pub static SETTINGS_HEADER: HeaderName = HeaderName::from_static("x-twilio-webhooks-signature-settings");

/// The query parameter that holds the lower-case hex SHA-256 of a JSON body.
pub const BODY_HASH: &str = "bodySHA256";

/// What a signature is checked over.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The public URL as the carrier requested it, query included. Fragment, user and password are left out of account.
    pub url: &'a str,
    /// The headers that came with it.
    pub headers: &'a HeaderMap,
    /// Its body, decoded.
    pub body: &'a Body<'a>,
}

/// A request that no key of ours signed. Names no digest, so that a log line of it helps nobody to forge one.
#[derive(Debug)]
pub struct Mismatch {
    /// Which part failed.
    pub reason: Reason,
    /// The URLs that were tried, in this order; none where the headers alone decided.
    pub urls: Vec<String>,
    /// What was signed after the URL: names and values of the form, sorted. Holds what people said and wrote, so it is no
    /// part of the message.
    pub parameters: String,
}

/// Which part of a signature failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Nothing to check it with.
    #[error("there is no key for {0}, so nothing can be trusted; an {0} webhook needs {needs}", needs = .0.needs())]
    NoKey(Algorithm),
    /// No signature, or an empty one.
    #[error("the request has no `X-Twilio-Signature`")]
    NoSignature,
    /// More than one signature: somebody added one on the way.
    #[error("the request has {0} `X-Twilio-Signature` headers, expected one")]
    SeveralSignatures(usize),
    /// The settings header names a hash that we do not know.
    #[error(
        "`X-Twilio-Webhooks-Signature-Settings` names algorithm {0:?}, expected `HMAC_SHA1` or `HMAC_SHA256`"
    )]
    UnknownAlgorithm(String),
    /// The settings header names a shared key that we do not hold.
    #[error("`X-Twilio-Webhooks-Signature-Settings` names shared key {0:?}, which this host does not hold")]
    UnknownKey(String),
    /// The header can't be a digest.
    #[error("`X-Twilio-Signature` is {found} characters that are no base64 of an {algorithm} digest, expected {} ending in `=`", .algorithm.signature_len())]
    NotADigest {
        /// Characters in the header.
        found: usize,
        /// What it should be a digest of.
        algorithm: Algorithm,
    },
    /// The signature is another one for every URL tried.
    #[error("no URL tried gives this signature with any {} held: another key, another URL, or another body", .0.needs())]
    Digest(Algorithm),
    /// The URL is signed, and the body is not the one whose hash it holds.
    #[error("the URL is signed, but the body is not: `bodySHA256` is {in_url}, the body's hash is {of_body}")]
    BodyHash {
        /// What the query holds.
        in_url: String,
        /// What was received.
        of_body: String,
    },
    /// The URL is signed, and holds no hash of the JSON body.
    #[error("the URL is signed, but has no `bodySHA256`, so the JSON body is not")]
    NoBodyHash,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        for (index, url) in self.urls.iter().enumerate() {
            write!(f, "{}{url}", if index == 0 { "; tried " } else { " and " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Mismatch {}

impl From<Reason> for Mismatch {
    fn from(reason: Reason) -> Self {
        Self { reason, urls: Vec::new(), parameters: String::new() }
    }
}

/// Checks a request against every key that may have signed it.
///
/// Compares digests in constant time. The settings header may choose among the keys we hold; it never makes an auth token
/// answer for SHA-256 or a shared key for SHA-1, because it is not signed itself.
///
/// # Errors
/// [`Mismatch`]: which part failed and what was tried.
pub fn verify(keys: &Keys, request: &SignedRequest<'_>) -> Result<(), Mismatch> {
    let signature = the_signature(request.headers)?;
    let Settings { key, algorithm } = Settings::read(request.headers)?;
    keys.can_check(algorithm, key)?;
    let matches = |url: &str, parameters: &str| match algorithm {
        Algorithm::HmacSha1 => keys.tokens.iter().any(|key| same(key.mac(), url, parameters, signature)),
        Algorithm::HmacSha256 => {
            keys.shared_named(key).any(|key| same(key.mac(), url, parameters, signature))
        }
    };

    let parameters = match request.body {
        Body::Form(form) => sorted(form),
        Body::Empty | Body::Json(_) | Body::Unsigned(_) => String::new(),
    };
    // The second spelling is only made when the first one failed.
    if matches(&url::without_port(request.url), &parameters)
        || matches(&url::with_port(request.url), &parameters)
    {
        return body_is_signed(request).map_err(Mismatch::from);
    }
    let reason = match STANDARD.decode(signature) {
        Ok(_) if signature.len() == algorithm.signature_len() => Reason::Digest(algorithm),
        _ => Reason::NotADigest { found: signature.len(), algorithm },
    };
    Err(Mismatch { reason, urls: candidates(request.url).map(String::from).into(), parameters })
}

/// The URLs that a request for `url` may have been signed with, likeliest first.
#[must_use]
pub fn candidates(url: &str) -> [std::borrow::Cow<'_, str>; 2] {
    [url::without_port(url), url::with_port(url)]
}

/// What the carrier makes of a request's form: for each name, sorted, each of its different values, sorted, name and
/// value with nothing between.
#[must_use]
pub fn sorted(form: &Form<'_>) -> String {
    concatenated(&form.iter().collect::<Vec<_>>())
}

/// The text that the carrier signs for `url` (as it stands, but for its fragment, user and password) and `parameters`.
#[must_use]
pub fn text_to_sign<'p>(url: &str, parameters: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    url::signed_part(url).into_owned() + &concatenated(&parameters.into_iter().collect::<Vec<_>>())
}

/// The `X-Twilio-Signature` that a request to `url` with these form parameters has.
#[must_use]
pub fn sign<'p>(
    url: &str,
    parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
    token: &AuthToken,
) -> String {
    token.sign(&text_to_sign(url, parameters))
}

/// The value of `bodySHA256` for `body`: 64 lower-case hex digits.
#[must_use]
pub fn body_hash(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn concatenated(pairs: &[(&str, &str)]) -> String {
    // UTF-8 sorts by code point, as the carrier does. The first eight bytes of a name decide nearly every comparison.
    let mut order: Vec<(u64, &(&str, &str))> = pairs.iter().map(|pair| (first_bytes(pair.0), pair)).collect();
    order.sort_unstable();
    let mut text = String::with_capacity(pairs.iter().map(|(name, value)| name.len() + value.len()).sum());
    let mut last = None;
    for (_, pair) in order {
        if last.replace(pair) != Some(pair) {
            text.push_str(pair.0);
            text.push_str(pair.1);
        }
    }
    text
}

/// The first eight bytes as one number that sorts as they do; a shorter name ends in zeros.
fn first_bytes(name: &str) -> u64 {
    match name.as_bytes().first_chunk() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let shifted = name.bytes().fold(0, |number, byte| number << 8 | u64::from(byte));
            if name.is_empty() { 0 } else { shifted << (8 * (8 - name.len())) }
        }
    }
}

fn same<M: Mac + Clone>(key: &M, url: &str, parameters: &str, signature: &[u8]) -> bool {
    encoded(key, [url, parameters]).as_bytes().ct_eq(signature).into()
}

fn encoded<M: Mac + Clone, const N: usize>(key: &M, texts: [&str; N]) -> String {
    let mut mac = key.clone();
    for text in texts {
        mac.update(text.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

fn the_signature(headers: &HeaderMap) -> Result<&[u8], Reason> {
    let mut found = headers.get_all(&SIGNATURE_HEADER).iter();
    let first = found.next().map(|value| value.as_bytes()).filter(|value| !value.is_empty());
    match found.count() {
        0 => first.ok_or(Reason::NoSignature),
        more => Err(Reason::SeveralSignatures(more + 1)),
    }
}

/// What the settings header asks for.
struct Settings<'a> {
    key: Option<&'a str>,
    algorithm: Algorithm,
}

impl<'a> Settings<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self, Reason> {
        let Some(header) = headers.get(&SETTINGS_HEADER) else {
            return Ok(Self { key: None, algorithm: Algorithm::HmacSha1 });
        };
        let text = header
            .to_str()
            .map_err(|_| Reason::UnknownAlgorithm(String::from_utf8_lossy(header.as_bytes()).into_owned()))?;
        let part = |wanted: &str| {
            let parts = text.split(',').filter_map(|part| part.split_once('='));
            let mut values = parts.filter(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim());
            values.find(|value| !value.is_empty())
        };
        let algorithm = match part("algorithm") {
            None => Algorithm::HmacSha1,
            Some(name) => Algorithm::named(name)
                .ok_or_else(|| Reason::UnknownAlgorithm(name.chars().take(40).collect()))?,
        };
        Ok(Self { key: part("key"), algorithm })
    }
}

/// Whether the hash in a signed URL is that of the body, where the signature itself does not cover the body.
fn body_is_signed(request: &SignedRequest<'_>) -> Result<(), Reason> {
    let bytes: &[u8] = match request.body {
        // Its parameters are signed, so the hash adds nothing. One without any could be a JSON webhook cut off.
        Body::Form(form) if !form.is_empty() => return Ok(()),
        Body::Form(_) | Body::Empty => b"",
        Body::Json(bytes) => bytes,
        // Not signed and therefore not read: `params` refuses it.
        Body::Unsigned(_) => return Ok(()),
    };
    let query = query_of(request.url).unwrap_or_default();
    let in_url =
        form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == BODY_HASH).map(|(_, value)| value);
    match (in_url, request.body) {
        (Some(in_url), _) if !in_url.is_empty() => {
            let of_body = body_hash(bytes);
            if *in_url == of_body {
                Ok(())
            } else {
                Err(Reason::BodyHash { in_url: in_url.chars().take(80).collect(), of_body })
            }
        }
        (_, Body::Json(_)) => Err(Reason::NoBodyHash),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
