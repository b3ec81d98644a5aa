//! The master key: what secrets at rest, tokens' hashes and compiled files are protected with.
//!
//! 32 random bytes in a file of their own, made at the first start. Nothing is encrypted with them directly: each use has a
//! key derived under its own label, so that what one use gives away helps with no other.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit as _, Nonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::files::{self, Present};
use super::{FILE_NAME, LAST_KNOWN_FILE};
use crate::call::TenantId;
use crate::config::Secret;
use crate::handler_toml::SecretGrant;

/// The key's file in the data folder.
pub const KEY_FILE: &str = "key";

const NONCE_BYTES: usize = 12;

/// The secret behind all of a host's secrets.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can't be read or made.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Not 32 bytes.
    #[error("{}: expected 32 bytes, found {found}; restore the file from a backup", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length, in bytes.
        found: usize,
    },
    /// Others may read it.
    #[error(
        "{} may be read or written by others (mode {mode:03o}, expected 600); run `chmod 600 {}` if nobody had a reason to",
        path.display(), path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What it protects is there, and it is not.
    #[error(
        "{} is gone, and without it the secrets in {} can't be read; restore it from a backup",
        path.display(), protects.display()
    )]
    Lost {
        /// The file.
        path: PathBuf,
        /// What was written with it.
        protects: PathBuf,
    },
}

impl MasterKey {
    /// Reads the key of a data folder; makes folder and key where there is nothing yet.
    ///
    /// # Errors
    /// [`KeyError`]: a new key is never made while anything that the old one protects is there.
    pub fn open(data: &Path) -> Result<Self, KeyError> {
        let path = data.join(KEY_FILE);
        let explain = |cause| KeyError::Io { path: path.clone(), cause };
        match Self::read(&path) {
            Err(KeyError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {}
            read => return read,
        }
        if let Some(protects) =
            [FILE_NAME, LAST_KNOWN_FILE].map(|name| data.join(name)).into_iter().find(|path| path.exists())
        {
            return Err(KeyError::Lost { path, protects });
        }
        files::create_folder(data).map_err(explain)?;
        let mut bytes = [0; 32];
        random(&mut bytes).map_err(explain)?;
        match files::write_whole(&path, &bytes, Present::Keep) {
            // Another process was quicker: its key is the one.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::read(&path),
            written => written.map(|()| Self(bytes)).map_err(explain),
        }
    }

    fn read(path: &Path) -> Result<Self, KeyError> {
        let explain = |cause| KeyError::Io { path: path.to_owned(), cause };
        let mode = fs::metadata(path).map_err(explain)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        let bytes = fs::read(path).map_err(explain)?;
        let found = bytes.len();
        bytes.try_into().map(Self).map_err(|_| KeyError::Length { path: path.to_owned(), found })
    }

    /// Takes 32 secret bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key for one use, named by `label`: HMAC-SHA256 of the label.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        keyed_hash(&self.0, label.as_bytes())
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

/// Fills `bytes` with the operating system's random numbers.
pub(super) fn random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(|error| io::Error::other(format!("no random numbers: {error}")))
}

/// HMAC-SHA256.
pub(super) fn keyed_hash(key: &[u8; 32], text: &[u8]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// Encrypts and authenticates, with ChaCha20-Poly1305 and a random nonce each time.
pub(crate) struct Sealer(ChaCha20Poly1305);

/// Seals and opens tenants' secrets: bound to tenant, name and version, so that none opens in another's place.
#[derive(Clone)]
pub struct SecretsKey(Arc<Sealer>);

impl SecretsKey {
    pub(super) fn new(key: &MasterKey) -> Self {
        Self(Arc::new(Sealer::new(key, "registry: tenants' secrets")))
    }

    /// Encrypted, in base64.
    pub(super) fn seal(
        &self,
        tenant: &TenantId,
        name: &str,
        version: u32,
        value: &Secret,
    ) -> io::Result<String> {
        let sealed = self
            .0
            .seal(&["secret", tenant.as_str(), name, &version.to_string()], value.expose().as_bytes())?;
        Ok(BASE64.encode(sealed))
    }

    /// The value; none where it was sealed for another place or under another key.
    #[must_use]
    pub fn open(&self, tenant: &TenantId, name: &str, grant: &SecretGrant) -> Option<Secret> {
        let sealed = BASE64.decode(&grant.sealed).ok()?;
        let place = ["secret", tenant.as_str(), name, &grant.version.to_string()];
        self.0.open(&place, &sealed).ok().and_then(|plain| String::from_utf8(plain).ok()).map(Secret::new)
    }
}

/// What was sealed is not what is there, or stands in another place than it was sealed for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotGenuine;

impl Sealer {
    pub(crate) fn new(key: &MasterKey, label: &str) -> Self {
        Self(ChaCha20Poly1305::new(&Key::from(key.derive(label))))
    }

    /// Nonce, then ciphertext and proof. `place` says where it belongs: elsewhere it does not open.
    pub(crate) fn seal(&self, place: &[&str], plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce)?;
        let payload = Payload { msg: plain, aad: &bound_to(place) };
        let sealed = self
            .0
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| io::Error::other("too long to be encrypted"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    pub(crate) fn open(&self, place: &[&str], sealed: &[u8]) -> Result<Vec<u8>, NotGenuine> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(NotGenuine)?;
        let payload = Payload { msg: sealed, aad: &bound_to(place) };
        self.0.decrypt(&Nonce::from(*nonce), payload).map_err(|_| NotGenuine)
    }
}

/// The parts, each after its length, so that no two places read the same.
fn bound_to(place: &[&str]) -> Vec<u8> {
    place.iter().flat_map(|part| [&(part.len() as u64).to_le_bytes()[..], part.as_bytes()].concat()).collect()
}
