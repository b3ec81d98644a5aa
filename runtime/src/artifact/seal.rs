//! A file that proves itself: contents, facts about them, and a keyed digest over both.
//!
//! A compiled component is code: a flipped bit in it may crash the host or, worse, answer wrongly. So nothing is loaded
//! that does not carry a digest which only this host can make. The key lies outside the folder; who can write here but
//! not read there can't make a file that opens.
//!
//! | part | bytes |
//! | --- | --- |
//! | contents | all before the facts |
//! | facts, as JSON | as many as the next part says |
//! | how many | 4, little endian |
//! | HMAC-SHA256 over purpose and all before | 32 |
//!
//! Contents come first and untouched, because an ELF file may be followed by anything and is then mapped as it is. SHA-256
//! runs at 1.6 GB/s where the processor has instructions for it, so an artifact of 300 KiB takes 0.2 ms.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

/// Length of the digest, and of the number before it.
const DIGEST_BYTES: u64 = 32;
const COUNT_BYTES: u64 = 4;
/// Bytes read at a time: they stay in the processor's second cache while they are hashed.
const READ_BYTES: usize = 128 << 10;
/// More facts than any component has: 512 imports of long names are a tenth of it.
const FACTS_BYTES_MAX: u32 = 1 << 20;

/// What a sealed file is for; one for another purpose does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Machine code of a component.
    Artifact,
    /// Machine code of functions, to be used again by the next compile of the same tenant.
    Functions,
}

impl Purpose {
    /// Told apart by the first bytes that are hashed; a changed format gets another number.
    fn label(self) -> &'static [u8] {
        match self {
            Self::Artifact => b"hookswitch artifact 1\n",
            Self::Functions => b"hookswitch functions 1\n",
        }
    }
}

/// The secret behind the seals.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey([redacted])")
    }
}

/// Why a file does not open.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Changed, cut off, or sealed with another key.
    #[error("its keyed digest does not match: it was changed, cut off, or made with another key")]
    Broken,
    /// Ours, and with facts that this version can't read.
    #[error("its facts can't be read: {0}")]
    Facts(#[from] serde_json::Error),
}

impl SealKey {
    /// Takes 32 secret bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Writes `facts` and the digest behind the first `contents_bytes` bytes of `file`.
    ///
    /// # Errors
    /// As the operating system has it.
    pub fn seal(
        &self,
        purpose: Purpose,
        mut file: &File,
        contents_bytes: u64,
        facts: &impl Serialize,
    ) -> io::Result<u64> {
        let mut mac = self.mac(purpose);
        read_through(file, contents_bytes, |bytes| mac.update(bytes))?;
        let mut tail = serde_json::to_vec(facts)?;
        let count = u32::try_from(tail.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        tail.extend(count.to_le_bytes());
        mac.update(&tail);
        tail.extend(mac.finalize().into_bytes());
        io::Seek::seek(&mut file, io::SeekFrom::Start(contents_bytes))?;
        file.write_all(&tail)?;
        Ok(contents_bytes + tail.len() as u64)
    }

    /// Reads the whole file, proves it, and gives the facts and the length of the contents.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open<F: DeserializeOwned>(&self, purpose: Purpose, file: &File) -> Result<(F, u64), SealError> {
        let sealed_bytes = file.metadata()?.len().checked_sub(DIGEST_BYTES).ok_or(SealError::Broken)?;
        let mut mac = self.mac(purpose);
        read_through(file, sealed_bytes, |bytes| mac.update(bytes))?;
        let mut digest = [0; DIGEST_BYTES as usize];
        file.read_exact_at(&mut digest, sealed_bytes)?;
        // In constant time.
        mac.verify_slice(&digest).map_err(|_| SealError::Broken)?;

        let counted = sealed_bytes.checked_sub(COUNT_BYTES).ok_or(SealError::Broken)?;
        let mut count = [0; COUNT_BYTES as usize];
        file.read_exact_at(&mut count, counted)?;
        let count = u32::from_le_bytes(count);
        let contents_bytes = counted.checked_sub(count.into()).ok_or(SealError::Broken)?;
        if count > FACTS_BYTES_MAX {
            return Err(SealError::Broken);
        }
        let mut facts = vec![0; count as usize];
        file.read_exact_at(&mut facts, contents_bytes)?;
        Ok((serde_json::from_slice(&facts)?, contents_bytes))
    }

    fn mac(&self, purpose: Purpose) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose.label());
        mac
    }
}

/// Hands the first `bytes` bytes of `file` to `each`, piece by piece.
fn read_through(file: &File, bytes: u64, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    let mut offset = 0;
    while offset < bytes {
        let wanted = usize::try_from(bytes - offset).unwrap_or(usize::MAX).min(READ_BYTES);
        let Some(piece) = buffer.get_mut(..wanted) else { break };
        let read = file.read_at(piece, offset)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        each(piece.get(..read).unwrap_or_default());
        offset += read as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(key: &SealKey, contents: &[u8]) -> File {
        let file = tempfile::tempfile().unwrap();
        (&file).write_all(contents).unwrap();
        key.seal(Purpose::Artifact, &file, contents.len() as u64, &vec!["a fact"]).unwrap();
        file
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_key_for_the_same_purpose() {
        let key = SealKey::new([1; 32]);
        for bytes in [0, 1, READ_BYTES - 1, READ_BYTES, 3 * READ_BYTES + 7] {
            let file = sealed(&key, &vec![9; bytes]);
            let (facts, contents) = key.open::<Vec<String>>(Purpose::Artifact, &file).unwrap();
            assert_eq!((facts, contents), (vec!["a fact".to_owned()], bytes as u64));
            let other = SealKey::new([2; 32]);
            assert!(matches!(other.open::<Vec<String>>(Purpose::Artifact, &file), Err(SealError::Broken)));
            let purpose = key.open::<Vec<String>>(Purpose::Functions, &file);
            assert!(matches!(purpose, Err(SealError::Broken)));
        }
    }

    #[test]
    fn a_changed_or_shortened_file_does_not_open_wherever_it_was_changed() {
        let key = SealKey::new([1; 32]);
        let file = sealed(&key, &[9; 100]);
        let whole = file.metadata().unwrap().len();
        for at in 0..whole {
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 1], at).unwrap();
            assert!(key.open::<Vec<String>>(Purpose::Artifact, &file).is_err(), "byte {at}");
            file.write_all_at(&byte, at).unwrap();
        }
        assert!(key.open::<Vec<String>>(Purpose::Artifact, &file).is_ok());
        for length in (0..whole).rev() {
            file.set_len(length).unwrap();
            assert!(key.open::<Vec<String>>(Purpose::Artifact, &file).is_err(), "{length} bytes");
        }
    }
}
