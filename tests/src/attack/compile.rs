//! Small uploads that cost a compiler seconds, or gigabytes. Each is a whole handler.

use std::fmt::Write;

use super::voice::{self, voice_component};

/// W01: `n` nested loops, each adding 1 to a local, with a `br_if` on the way out.
/// Measured without limits: 17 s of CPU at 2 000 (27 KiB).
pub fn nested_loops(n: usize) -> Vec<u8> {
    let open = "loop local.get 0 i32.const 1 i32.add local.set 0 ".repeat(n);
    let close = "local.get 0 br_if 0 end ".repeat(n);
    with(&format!("(func (local i32) {open} {close})"))
}

/// W03: `n` locals, `n` times an `if` that sets one of them, and their sum: n² block parameters.
/// Measured without limits: 5.1 s and 520 MiB at 4 000.
pub fn merged_locals(n: usize) -> Vec<u8> {
    let locals = "i32 ".repeat(n);
    let mut body = String::new();
    for local in 0..n {
        append(&mut body, format_args!("local.get 0 if i32.const 1 local.set {local} end "));
    }
    body.push_str("i32.const 0 ");
    for local in 0..n {
        append(&mut body, format_args!("local.get {local} i32.add "));
    }
    with(&format!("(func (result i32) (local {locals}) {body})"))
}

/// W05: `n` loads left on the operand stack, then n − 1 additions. 11 s at 20 000.
pub fn deep_operand_stack(n: usize) -> Vec<u8> {
    // Each from an address of its own: equal loads would be merged into one.
    let mut body = String::new();
    for load in 0..n {
        append(&mut body, format_args!("local.get 0 i32.load offset={} ", load * 4));
    }
    body.push_str(&"i32.add ".repeat(n.saturating_sub(1)));
    with(&format!("(func (param i32) (result i32) {body})"))
}

/// W07: `n` indirect calls in one body. 13 s and 867 MiB at 50 000.
pub fn indirect_calls(n: usize) -> Vec<u8> {
    let calls = "i32.const 0 call_indirect (type $none) ".repeat(n);
    with(&format!(
        "(type $none (func)) (table 1 funcref) (elem (i32.const 0) func $victim) (func $victim) (func {calls})"
    ))
}

/// W09: `tables` functions with one `br_table` of `targets` targets each. 0.8 s and 395 MiB at 10 of
/// 65 000.
pub fn br_tables(tables: usize, targets: usize) -> Vec<u8> {
    let labels = "0 ".repeat(targets);
    let one = format!("(func (param i32) block local.get 0 br_table {labels} 0 end) ");
    with(&one.repeat(tables))
}

/// W11: `n` empty functions. 5.2 s and 547 MiB at 100 000 (390 KiB).
pub fn functions(n: usize) -> Vec<u8> {
    with(&"(func) ".repeat(n))
}

/// W13: `n` active data segments, nearly all of one byte. 930 MiB at 40 000 (273 KiB).
pub fn data_segments(n: usize) -> Vec<u8> {
    // Two are the answer's.
    let segments = "(data (i32.const 64) \"x\") ".repeat(n.saturating_sub(2));
    with(&segments)
}

/// W15: `instances` instances of three components, each calling the one before through an adapter
/// that converts a tuple of `fields` strings from one encoding to another.
///
/// Not a handler: it exports the end of the chain as `last`. Strings need a memory in every instance,
/// so a limit on memories stops it as well as one on core modules.
pub fn adapters(instances: usize, fields: usize) -> Vec<u8> {
    let strings = "string ".repeat(fields);
    let mut text = String::new();
    for (number, encoding) in ENCODINGS.iter().enumerate() {
        append(
            &mut text,
            format_args!(
                r#"(component $part{number}
  (type $call (func (param "all" (tuple {strings}))))
  (import "before" (func $before (type $call)))
  (core module $libc
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024))
  (core instance $libc (instantiate $libc))
  (core func $before (canon lower (func $before) string-encoding={encoding} (memory (core memory $libc "memory"))))
  (core module $code
    (import "" "before" (func $before (param i32)))
    (func (export "next") (param i32) local.get 0 call $before))
  (core instance $code (instantiate $code (with "" (instance (export "before" (func $before))))))
  (func (export "next") (type $call) (canon lift (core func $code "next") string-encoding={encoding}
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))
"#
            ),
        );
    }
    append(
        &mut text,
        format_args!(
            r#"(component $end
  (type $call (func (param "all" (tuple {strings}))))
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
    (func (export "next") (param i32)))
  (core instance $m (instantiate $m))
  (func (export "next") (type $call) (canon lift (core func $m "next") (memory (core memory $m "memory"))
    (realloc (core func $m "realloc")))))
(instance $i0 (instantiate $end))
"#
        ),
    );
    for (number, part) in (1..=instances).zip((0..ENCODINGS.len()).cycle()) {
        let before = number - 1;
        append(
            &mut text,
            format_args!(
                "(instance $i{number} (instantiate $part{part} (with \"before\" (func $i{before} \"next\"))))\n"
            ),
        );
    }
    append(&mut text, format_args!("(export \"last\" (func $i{instances} \"next\"))"));
    super::component(&text)
}

const ENCODINGS: [&str; 3] = ["utf8", "utf16", "latin1+utf16"];

/// A sibling of W15: `levels` components, each instantiating the one inside it `width` times. The
/// innermost instantiates an empty core module, so widthˡᵉᵛᵉˡˢ instances come from a few bytes.
pub fn exponential_instances(levels: usize, width: usize) -> Vec<u8> {
    let instances = "(instance (instantiate 0)) ".repeat(width);
    let mut text = String::from("(core module) (core instance (instantiate 0))");
    for _ in 0..levels {
        text = format!("(component {text}) {instances}");
    }
    super::component(&text)
}

/// The handler that answers, with more `fields` in its core module.
fn with(fields: &str) -> Vec<u8> {
    voice_component(&voice::core("", fields))
}

fn append(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more).expect("a String takes everything");
}
