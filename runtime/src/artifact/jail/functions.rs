//! Functions that an earlier compile of the same tenant made, so that this one need not make them again.
//!
//! A JavaScript or Python component is 12 to 18 MB of the same engine and a few KB of its own; function by function, nearly
//! all was compiled before. The compiler names each function by a digest over everything its code depends on and asks here.
//!
//! The contents are a run of entries — name, length, code — the latest used first, so that what is cut off at the end is
//! what nobody asked for. The child only reads and writes: that the file is the tenant's own and unchanged has been proved
//! before it gets here (`seal`), and one tenant's file is never another's.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use wasmtime::CacheStore;

const NAME_BYTES: usize = 32;
const LENGTH_BYTES: usize = 4;

type Name = [u8; NAME_BYTES];

/// What was there, and what this compile adds.
#[derive(Debug, Default)]
pub struct Functions {
    bytes: Vec<u8>,
    /// In the order of the file.
    order: Vec<Name>,
    known: HashMap<Name, Range<usize>>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    used: HashSet<Name>,
    made: HashMap<Name, Vec<u8>>,
    reused: u64,
    compiled: u64,
}

impl Functions {
    /// Reads contents that were proved. An entry that is cut off ends them.
    pub fn new(bytes: Vec<u8>) -> Self {
        let (mut order, mut known) = (Vec::new(), HashMap::new());
        let mut at = 0;
        while let Some((name, code)) = entry(&bytes, at) {
            at = code.end;
            if known.insert(name, code).is_none() {
                order.push(name);
            }
        }
        Self { bytes, order, known, seen: Mutex::default() }
    }

    /// How many functions were reused, and how many were compiled.
    pub fn counts(&self) -> (u64, u64) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.reused, seen.compiled)
    }

    /// Writes the contents of the next file, `bytes_max` bytes at most: what this compile made and used, then the rest as it
    /// was. How many bytes.
    pub fn write(&self, mut out: impl Write, bytes_max: u64) -> io::Result<u64> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let old = |name: &Name| Some((*name, self.bytes.get(self.known.get(name)?.clone())?));
        let made = seen.made.iter().map(|(name, code)| (*name, code.as_slice()));
        let used = self.order.iter().filter(|name| seen.used.contains(*name)).filter_map(old);
        let rest = self.order.iter().filter(|name| !seen.used.contains(*name)).filter_map(old);
        let mut written = 0;
        for (name, code) in made.chain(used).chain(rest) {
            let Ok(length) = u32::try_from(code.len()) else { continue };
            let bytes = (NAME_BYTES + LENGTH_BYTES + code.len()) as u64;
            if written + bytes > bytes_max {
                break;
            }
            out.write_all(&name)?;
            out.write_all(&length.to_le_bytes())?;
            out.write_all(code)?;
            written += bytes;
        }
        out.flush()?;
        Ok(written)
    }
}

/// The entry that begins at `at`, and where its code is.
fn entry(bytes: &[u8], at: usize) -> Option<(Name, Range<usize>)> {
    let (name, rest) = bytes.get(at..)?.split_first_chunk::<NAME_BYTES>()?;
    let (length, rest) = rest.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let start = at + NAME_BYTES + LENGTH_BYTES;
    rest.get(..length).map(|_| (*name, start..start + length))
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let name: Name = key.try_into().ok()?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = self.known.get(&name).and_then(|code| self.bytes.get(code.clone())) {
            seen.used.insert(name);
            seen.reused += 1;
            return Some(Cow::Borrowed(code));
        }
        // The same function twice in one component.
        let code = seen.made.get(&name)?.clone();
        seen.reused += 1;
        Some(Cow::Owned(code))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let Ok(name) = key.try_into() else { return false };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.compiled += 1;
        seen.made.insert(name, value);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(functions: &Functions, bytes_max: u64) -> Vec<u8> {
        let mut out = Vec::new();
        assert_eq!(functions.write(&mut out, bytes_max).unwrap(), out.len() as u64);
        out
    }

    #[test]
    fn what_one_compile_makes_the_next_one_finds() {
        let first = Functions::default();
        assert!(first.get(&[1; 32]).is_none());
        assert!(first.insert(&[1; 32], b"one".to_vec()) && first.insert(&[2; 32], b"two".to_vec()));
        assert!(!first.insert(b"no name", Vec::new()));

        let second = Functions::new(written(&first, 1 << 20));
        assert_eq!(second.get(&[1; 32]).as_deref(), Some(&b"one"[..]));
        assert_eq!(second.get(&[2; 32]).as_deref(), Some(&b"two"[..]));
        assert!(second.get(&[3; 32]).is_none());
        assert_eq!(second.counts(), (2, 0));
    }

    #[test]
    fn what_was_not_used_goes_first_when_room_is_short() {
        let first = Functions::default();
        for name in 1..=3 {
            first.insert(&[name; 32], vec![name; 100]);
        }
        let second = Functions::new(written(&first, 1 << 20));
        second.get(&[2; 32]);
        second.insert(&[4; 32], vec![4; 100]);
        let third = Functions::new(written(&second, 2 * 136));
        assert!(third.get(&[4; 32]).is_some() && third.get(&[2; 32]).is_some());
        assert!(third.get(&[1; 32]).is_none() && third.get(&[3; 32]).is_none());
    }

    #[test]
    fn contents_that_are_cut_off_are_read_as_far_as_they_go() {
        let first = Functions::default();
        first.insert(&[1; 32], b"one".to_vec());
        let whole = written(&first, 1 << 20);
        for length in 0..whole.len() {
            assert!(Functions::new(whole[..length].to_vec()).get(&[1; 32]).is_none(), "{length}");
        }
    }
}
