//! Lists as the format writes them: a count, then that many items.
//!
//! A count is a claim. It is held against the bytes that are left before anything else is done with
//! it, since every item takes at least one; and it never sizes an allocation.

use std::ops::Range;

use wasmparser::BinaryReader;

use super::error::Fault;
use super::to_u64;

/// A section's contents, to be read by hand.
pub(super) fn section(bytes: &[u8], range: Range<usize>) -> Result<BinaryReader<'_>, Fault> {
    let start = range.start;
    match bytes.get(range) {
        Some(contents) => Ok(BinaryReader::new(contents, start)),
        None => Err(Fault::invalid("a section reaches beyond the end", start)),
    }
}

/// Reads a count that the bytes left can hold.
pub(super) fn count(reader: &mut BinaryReader<'_>) -> Result<u64, Fault> {
    let offset = reader.original_position();
    let count = u64::from(reader.read_var_u32()?);
    let left = reader.bytes_remaining();
    if count > to_u64(left) {
        return Err(Fault::invalid(
            format!("a list claims {count} items, and only {left} bytes are left for it"),
            offset,
        ));
    }
    Ok(count)
}

/// Refuses what is left over at the end of a section.
pub(super) fn end(reader: &BinaryReader<'_>) -> Result<(), Fault> {
    if reader.eof() {
        return Ok(());
    }
    Err(Fault::invalid("a section is longer than its items", reader.original_position()))
}
