//! A core module becomes a component, and what a component offers and needs.
//!
//! The bindings (the hookswitch SDK, or wit-bindgen on its own) leave the types of the contract in a custom section
//! `component-type`; the encoder reads them there, so nothing about the contract is repeated here.
//!
//! C libraries are written for WASI's first preview, whose imports no component has: `time` or `printf` in a handler call these.
//! An adapter, a module that offers them and itself imports WASI 0.2, goes into the component of a handler that names them,
//! and into no other.

use std::borrow::Cow;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as PREVIEW1,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as PREVIEW1_ADAPTER,
};
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};
use wit_component::ComponentEncoder;

use super::lean::lean;

/// Why bytes are no component and cannot become one.
#[derive(Debug, thiserror::Error)]
pub enum ComponentizeError {
    /// Nothing in the file.
    #[error("the file is empty; was the build interrupted? Build again")]
    Empty,
    /// Some other kind of file.
    #[error("not WebAssembly (it does not begin with `\\0asm`); expected a component")]
    NotWasm,
    /// A core module where a component is expected.
    #[error(
        "a core module, not a component; build it for wasm32-wasip2, or make it one with `wasm-tools component new`"
    )]
    CoreModule,
    /// A core module without the contract's types.
    #[error(
        "the module has no `component-type` section: it was not built with the hookswitch SDK or wit-bindgen. \
         In Rust add hookswitch-sdk to its dependencies and mark a function with `#[voice]`, `#[messaging]` or \
         `#[events]`; in C link the `…_component_type.o` that wit-bindgen writes"
    )]
    NoContract,
    /// The module and its types do not fit.
    #[error("the module cannot be encoded as a component: {0}")]
    Encode(String),
    /// A component that cannot be read.
    #[error("the component cannot be read: {0}")]
    Unreadable(#[from] BinaryReaderError),
}

/// Encodes a core module as a component; a component stays as it is.
///
/// # Errors
/// [`ComponentizeError`], when `wasm` is neither a component nor a module that carries its types.
pub fn componentize(wasm: &[u8]) -> Result<Cow<'_, [u8]>, ComponentizeError> {
    match check_head(wasm) {
        Ok(()) => return Ok(Cow::Borrowed(wasm)),
        Err(ComponentizeError::CoreModule) => {}
        Err(other) => return Err(other),
    }
    // The chain of causes on one line: the outermost alone ("failed to decode world") helps nobody.
    let encode_error = |error: &dyn Fn() -> String| ComponentizeError::Encode(error());
    let (stripped, _) =
        wit_component::metadata::decode(wasm).map_err(|error| encode_error(&|| format!("{error:#}")))?;
    if stripped.is_none() {
        return Err(ComponentizeError::NoContract);
    }
    let needs_adapter = imports_preview1(wasm)?;
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(wasm)
        .and_then(
            |encoder| if needs_adapter { encoder.adapter(PREVIEW1, PREVIEW1_ADAPTER) } else { Ok(encoder) },
        )
        .and_then(|encoder| encoder.encode())
        .map_err(|error| encode_error(&|| format!("{error:#}")))?;
    // Either runs; the encoder's own is a tenth slower to answer from.
    let lean = lean(&encoded).inspect_err(|reason| tracing::debug!(%reason, "component stays as encoded"));
    Ok(Cow::Owned(lean.unwrap_or(encoded)))
}

/// Whether a core module names anything of WASI's first preview.
fn imports_preview1(module: &[u8]) -> Result<bool, BinaryReaderError> {
    for payload in Parser::new(0).parse_all(module) {
        let Payload::ImportSection(section) = payload? else { continue };
        for import in section.into_imports() {
            if import?.module == PREVIEW1 {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Looks at the first 8 bytes of a file: are they a component's?
///
/// # Errors
/// [`ComponentizeError`] saying what they are instead.
pub fn check_head(head: &[u8]) -> Result<(), ComponentizeError> {
    if head.is_empty() {
        Err(ComponentizeError::Empty)
    } else if Parser::is_component(head) {
        Ok(())
    } else if Parser::is_core_wasm(head) {
        Err(ComponentizeError::CoreModule)
    } else {
        Err(ComponentizeError::NotWasm)
    }
}

/// What a component offers and needs, by the names in its binary, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// For example `hookswitch:handler/voice@0.1.0`.
    pub exports: Vec<String>,
    /// For example `hookswitch:handler/log@0.1.0`.
    pub imports: Vec<String>,
}

/// Reads the names of a component's exports and imports.
///
/// # Errors
/// [`ComponentizeError`] when `wasm` is not a readable component.
pub fn shape(wasm: &[u8]) -> Result<Shape, ComponentizeError> {
    check_head(wasm)?;
    let mut shape = Shape { exports: Vec::new(), imports: Vec::new() };
    // Components and modules inside come as payloads, too; only the outermost one's names count.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::Version { encoding: Encoding::Module | Encoding::Component, .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    shape.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    shape.imports.push(import?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::{ComponentizeError, componentize, shape};

    #[test]
    fn what_is_no_component_is_named() {
        let module = wat::parse_str("(module)").unwrap();
        for (bytes, expected) in [
            (&b""[..], "is empty"),
            (b"<Response/>", "not WebAssembly"),
            (b"\0asm", "not WebAssembly"),
            (&module, "not built with the hookswitch SDK"),
        ] {
            let error = componentize(bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_component_passes_through() {
        let component = wat::parse_str("(component)").unwrap();
        assert_eq!(*componentize(&component).unwrap(), *component);
    }

    #[test]
    fn only_outer_names_make_the_shape() {
        let component = wat::parse_str(
            r#"(component
                (import "acme:billing/api" (instance))
                (component (import "inner" (func)) (export "inner" (func 0)))
                (core module (memory 1))
                (instance $voice)
                (export "hookswitch:handler/voice@0.1.0" (instance $voice)))"#,
        )
        .unwrap();
        let shape = shape(&component).unwrap();
        assert_eq!(shape.imports, ["acme:billing/api"]);
        assert_eq!(shape.exports, ["hookswitch:handler/voice@0.1.0"]);
    }

    #[test]
    fn a_truncated_component_is_an_error() {
        let component = wat::parse_str("(component (core module (memory 1)))").unwrap();
        for length in 9..component.len() {
            let cut = shape(&component[..length]);
            assert!(
                matches!(cut, Err(ComponentizeError::Unreadable(_)))
                    || cut.is_ok_and(|s| s.exports.is_empty()),
                "{length}"
            );
        }
    }
}
