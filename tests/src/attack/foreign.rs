//! Uploads that are no components: by mistake, or to reach a parser's weak spots (W17, W19, W21).

/// The first eight bytes of every component.
pub const HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// W17: nothing.
pub fn empty() -> Vec<u8> {
    Vec::new()
}

/// W17: the magic number and no more.
pub fn four_bytes() -> Vec<u8> {
    b"\0asm".to_vec()
}

/// W17: a core module of version 2.
pub fn version_2() -> Vec<u8> {
    b"\0asm\x02\0\0\0".to_vec()
}

/// W17: a sound core module where a component is due.
pub fn core_module() -> Vec<u8> {
    wat::parse_str(super::OK_VOICE_CORE).expect("the constant parses")
}

/// W19: a section that claims 4 GiB.
pub fn endless_section() -> Vec<u8> {
    with_header(b"\x07\xff\xff\xff\xff\x0f\x01")
}

/// W19: a section whose length takes six bytes to write.
pub fn overlong_number() -> Vec<u8> {
    with_header(b"\x07\x81\x80\x80\x80\x80\x00\x00")
}

/// W19: 2³² − 1 component types in ten bytes.
pub fn claimed_types() -> Vec<u8> {
    with_header(b"\x07\x0f\xff\xff\xff\xff\x0f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f")
}

/// A sibling of W19: a core module that claims 2³² − 1 entries in the section `id` (1 to 11), in ten
/// bytes.
pub fn claimed_core_entries(id: u8) -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    module.extend([id, 15]);
    module.extend(b"\xff\xff\xff\xff\x0f\x60\x60\x60\x60\x60\x60\x60\x60\x60\x60");
    let mut bytes = with_header(&[1, u8::try_from(module.len()).expect("25 bytes")]);
    bytes.extend(module);
    bytes
}

/// A sibling of W19: `levels` component types inside one another, three bytes each. A reader that
/// recurses without a bound runs out of stack, which no handler of errors survives.
pub fn nested_types(levels: usize) -> Vec<u8> {
    let mut contents = vec![1];
    for _ in 0..levels {
        contents.extend([0x42, 0x01, 0x01]);
    }
    contents.push(0x7f);
    let mut bytes = with_header(&[7]);
    let mut length = contents.len();
    while length >= 0x80 {
        bytes.push(0x80 | u8::try_from(length & 0x7f).expect("seven bits"));
        length >>= 7;
    }
    bytes.push(u8::try_from(length).expect("seven bits"));
    bytes.extend(contents);
    bytes
}

/// W21: what a precompiled artifact begins with: an ELF header for this machine's kind.
pub fn native_artifact() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\x3e\0\x01\0\0\0".to_vec();
    bytes.resize(4096, 0);
    bytes
}

/// A file compressed with gzip.
pub fn gzip() -> Vec<u8> {
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x63\x48\x2c\xce\xe5\x65\x60\x64\0\0".to_vec()
}

/// A zip archive.
pub fn zip() -> Vec<u8> {
    b"PK\x03\x04\x14\0\0\0\x08\0voice.wasm".to_vec()
}

/// A component's text instead of its binary.
pub fn text() -> Vec<u8> {
    b";; a handler\n(component (core module))".to_vec()
}

fn with_header(more: &[u8]) -> Vec<u8> {
    [&HEADER, more].concat()
}
