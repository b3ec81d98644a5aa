//! The first bytes: is this a component, and if not, what did the author upload instead?
//!
//! Strangers upload all sorts of files by mistake, and native code on purpose. Each gets a sentence
//! of its own; none but a component's header goes on.

use super::error::{Feature, Place, PrecheckError};

const MAGIC: &[u8] = b"\0asm";
const CORE_MODULE: &[u8] = &[1, 0, 0, 0];
const COMPONENT: &[u8] = &[0x0d, 0, 1, 0];

/// Accepts what begins with a component's header and nothing else.
pub(super) fn check(bytes: &[u8]) -> Result<(), PrecheckError> {
    let head = bytes.get(..8).unwrap_or(bytes);
    let (magic, version) = head.split_at(head.len().min(4));
    if magic != MAGIC {
        return Err(foreign(bytes));
    }
    match version {
        COMPONENT => Ok(()),
        CORE_MODULE => Err(PrecheckError::Unsupported {
            feature: Feature::CoreModule,
            place: Place { offset: 4, ..Place::default() },
        }),
        [a, b, 1, 0] => Err(invalid(
            format!("version {} of the component format", u16::from_le_bytes([*a, *b])),
            "build it with current tools: this host reads version 13",
            4,
        )),
        [a, b, c, d] => Err(invalid(
            format!("unknown version {:#x}", u32::from_le_bytes([*a, *b, *c, *d])),
            "build it again: a component's version is 0x1000d",
            4,
        )),
        _ => {
            Err(invalid(format!("the file ends after {} bytes", bytes.len()), "upload it whole", bytes.len()))
        }
    }
}

/// Names a file that does not begin as WebAssembly does.
fn foreign(bytes: &[u8]) -> PrecheckError {
    const BUILD: &str = "upload the `.wasm` that `hookswitch build` leaves";
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let (what, advice) = if bytes.is_empty() {
        ("the file is empty", BUILD)
    } else if starts(b"\x7fELF") {
        (
            "a native program or a precompiled artifact (ELF)",
            "upload WebAssembly: this host runs only native code that it compiled itself",
        )
    } else if starts(b"MZ") || starts(b"\xcf\xfa\xed\xfe") || starts(b"\xca\xfe\xba\xbe") {
        ("a native program", "upload WebAssembly: this host runs no native code")
    } else if starts(b"\x1f\x8b") || starts(b"\x28\xb5\x2f\xfd") || starts(b"\xfd7zXZ") || starts(b"BZh") {
        ("a compressed file", "decompress it and upload the `.wasm` itself")
    } else if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        ("a zip archive", "unpack it and upload the `.wasm` itself")
    } else if MAGIC.starts_with(bytes) {
        ("the file ends inside its header", "upload it whole")
    } else if looks_like_wat(bytes) {
        ("WebAssembly text (WAT)", "translate it first, for example with `wasm-tools parse`")
    } else if looks_like_text(bytes) {
        ("a text file", BUILD)
    } else {
        ("it does not begin as WebAssembly does (`\\0asm`)", BUILD)
    };
    invalid(what.to_owned(), advice, 0)
}

fn looks_like_wat(bytes: &[u8]) -> bool {
    let mut rest = bytes.trim_ascii_start();
    while rest.starts_with(b";;") {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        rest = rest.get(end..).unwrap_or_default().trim_ascii_start();
    }
    let Some(inner) = rest.strip_prefix(b"(") else { return false };
    let inner = inner.trim_ascii_start();
    inner.starts_with(b"component") || inner.starts_with(b"module") || inner.starts_with(b";")
}

fn looks_like_text(bytes: &[u8]) -> bool {
    let head = bytes.get(..256).unwrap_or(bytes);
    let utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(), // a character that our 256 bytes cut in two
    };
    utf8 && head.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..))
}

fn invalid(what: String, advice: &'static str, offset: usize) -> PrecheckError {
    PrecheckError::Invalid { what, advice, place: Place { offset, ..Place::default() } }
}
