//! What signatures are checked with: auth tokens and shared keys, kept as keyed hash states.
//!
//! Hashing the key takes two of the dozen blocks that a signature needs, so it is done once per key. Several of each
//! may be held, because a key is replaced while webhooks signed with the old one are under way.

use std::fmt;

use hmac::{Hmac, KeyInit as _};
use sha1::Sha1;
use sha2::Sha256;

use super::{Reason, encoded};

/// An account's auth token: signs with HMAC-SHA1. Prints as `[redacted]`.
#[derive(Clone)]
pub struct AuthToken(Hmac<Sha1>);

/// A key made for signing webhooks: signs with HMAC-SHA256. Its secret prints as `[redacted]`.
#[derive(Clone)]
pub struct SharedKey {
    id: String,
    mac: Hmac<Sha256>,
}

/// A token or secret of no characters: anybody could sign with it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {0} is empty; anybody could sign with it")]
pub struct EmptySecret(&'static str);

/// All keys of one tenant.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Auth tokens: the one in use and those being replaced.
    pub tokens: Vec<AuthToken>,
    /// Shared keys; a webhook names its own.
    pub shared: Vec<SharedKey>,
}

impl AuthToken {
    /// Takes a token as the account shows it: text, whose case matters.
    ///
    /// # Errors
    /// [`EmptySecret`].
    pub fn new(text: &str) -> Result<Self, EmptySecret> {
        if text.is_empty() {
            return Err(EmptySecret("auth token"));
        }
        Ok(Self(Hmac::new_from_slice(text.as_bytes()).expect("HMAC takes keys of any length")))
    }

    /// The signature of `text`, in base64.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        encoded(&self.0, [text])
    }

    pub(super) fn mac(&self) -> &Hmac<Sha1> {
        &self.0
    }
}

impl SharedKey {
    /// Takes a shared key by its id (as in `key=`) and its secret.
    ///
    /// # Errors
    /// [`EmptySecret`].
    pub fn new(id: impl Into<String>, secret: &str) -> Result<Self, EmptySecret> {
        if secret.is_empty() {
            return Err(EmptySecret("secret of the shared key"));
        }
        let mac = Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        Ok(Self { id: id.into(), mac })
    }

    /// The id that webhooks name it by.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The signature of `text`, in base64.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        encoded(&self.mac, [text])
    }

    pub(super) fn mac(&self) -> &Hmac<Sha256> {
        &self.mac
    }
}

impl Keys {
    /// Whether nothing can be checked with these.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.shared.is_empty()
    }

    /// The shared keys called `id`; all of them where a webhook names none.
    pub(super) fn shared_named<'k>(&'k self, id: Option<&'k str>) -> impl Iterator<Item = &'k SharedKey> {
        self.shared.iter().filter(move |key| id.is_none_or(|id| key.id == id))
    }

    /// Whether there is a key for `algorithm`, and the one that the webhook names.
    pub(super) fn can_check(&self, algorithm: Algorithm, id: Option<&str>) -> Result<(), Reason> {
        match (algorithm, id) {
            (Algorithm::HmacSha1, _) if self.tokens.is_empty() => Err(Reason::NoKey(algorithm)),
            (Algorithm::HmacSha256, _) if self.shared.is_empty() => Err(Reason::NoKey(algorithm)),
            (Algorithm::HmacSha256, Some(id)) if self.shared_named(Some(id)).next().is_none() => {
                Err(Reason::UnknownKey(id.chars().take(80).collect()))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthToken([redacted])")
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedKey").field("id", &self.id).field("secret", &"[redacted]").finish()
    }
}

/// How a webhook is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// With an auth token.
    HmacSha1,
    /// With a shared key.
    HmacSha256,
}

impl Algorithm {
    /// The algorithm that the settings header calls `name`, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::HmacSha1, Self::HmacSha256].into_iter().find(|known| known.name().eq_ignore_ascii_case(name))
    }

    /// Its name in the settings header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC_SHA1",
            Self::HmacSha256 => "HMAC_SHA256",
        }
    }

    /// Characters in a signature: base64 of 20 or 32 bytes, padded.
    #[must_use]
    pub fn signature_len(self) -> usize {
        match self {
            Self::HmacSha1 => 28,
            Self::HmacSha256 => 44,
        }
    }

    pub(super) fn needs(self) -> &'static str {
        match self {
            Self::HmacSha1 => "auth token",
            Self::HmacSha256 => "shared key",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
