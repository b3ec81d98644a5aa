//! W27: proposals that the host leaves out, each in the smallest core module that uses it.

use super::component;

/// One upload and the proposal that the refusal is to name.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The proposal's name, such as `memory64`.
    pub feature: &'static str,
    /// What of it is used.
    pub what: &'static str,
    /// The component.
    pub bytes: Vec<u8>,
}

/// All of W27, and its siblings.
pub fn all() -> Vec<Proposal> {
    let mut all: Vec<Proposal> = CORE
        .iter()
        .map(|(feature, what, fields)| Proposal {
            feature,
            what,
            bytes: component(&format!("(core module {fields})")),
        })
        .collect();
    all.extend(COMPONENT.iter().map(|(feature, what, fields)| Proposal {
        feature,
        what,
        bytes: component(fields),
    }));
    all
}

/// Feature, what of it, fields of a core module.
const CORE: &[(&str, &str, &str)] = &[
    ("memory64", "64-bit memory", "(memory i64 1)"),
    ("memory64", "64-bit table", "(table i64 1 funcref)"),
    ("memory64", "imported 64-bit memory", r#"(import "m" "m" (memory i64 1))"#),
    ("threads", "shared memory", "(memory 1 1 shared)"),
    ("threads", "imported shared memory", r#"(import "m" "m" (memory 1 1 shared))"#),
    ("threads", "atomic instruction", "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))"),
    ("threads", "fence", "(func atomic.fence)"),
    ("gc", "struct type", "(type (struct (field i32)))"),
    ("gc", "array type", "(type (array i8))"),
    ("gc", "recursive group", "(rec (type (func)) (type (func)))"),
    ("gc", "subtype", "(type (sub (func)))"),
    ("gc", "i31", "(func (drop (ref.i31 (i32.const 1))))"),
    ("gc", "anyref local", "(func (local anyref))"),
    ("gc", "externref parameter", "(func (param externref))"),
    ("gc", "externref global", "(global externref (ref.null extern))"),
    ("exceptions", "tag", "(tag)"),
    ("exceptions", "imported tag", r#"(import "m" "t" (tag))"#),
    ("exceptions", "throw_ref", "(func unreachable throw_ref)"),
    ("exceptions", "try_table", "(func (block (try_table (catch_all 0))))"),
    ("exceptions", "legacy try", "(func try end)"),
    ("tail-call", "return_call", "(func $f return_call $f)"),
    ("tail-call", "return_call_indirect", "(table 1 funcref) (func i32.const 0 return_call_indirect)"),
    ("multi-memory", "two memories", "(memory 1) (memory 1)"),
    ("multi-memory", "imported and own", r#"(import "m" "m" (memory 1)) (memory 1)"#),
    (
        "relaxed-simd",
        "relaxed madd",
        "(func (param v128) local.get 0 local.get 0 local.get 0 f32x4.relaxed_madd drop)",
    ),
    ("stack-switching", "continuation type", "(type $f (func)) (type (cont $f))"),
    ("custom-page-sizes", "pages of one byte", "(memory 1 (pagesize 1))"),
    (
        "function-references",
        "call_ref",
        "(type $f (func)) (func $g (type $f)) (elem declare func $g) (func ref.func $g call_ref $f)",
    ),
    ("function-references", "typed reference", "(type $f (func)) (func (param (ref $f)))"),
    (
        "wide-arithmetic",
        "i64.add128",
        "(func (param i64) local.get 0 local.get 0 local.get 0 local.get 0 i64.add128 drop drop)",
    ),
];

/// Feature, what of it, fields of a component.
const COMPONENT: &[(&str, &str, &str)] = &[
    ("component-model-async", "stream", "(type (stream u8))"),
    ("component-model-async", "future", "(type (future u8))"),
    ("component-model-async", "error-context", "(type error-context)"),
    ("component-model-async", "async function", "(type (func async))"),
    ("component-model-async", "task.cancel", "(core func (canon task.cancel))"),
    ("component-model-async", "waitable set", "(core func (canon waitable-set.new))"),
    ("imported-modules", "module import", r#"(core type $m (module)) (import "m" (core module (type $m)))"#),
    ("imported-modules", "component import", r#"(type $c (component)) (import "c" (component (type $c)))"#),
    ("imported-modules", "outer module", "(core module $m) (component (alias outer 1 $m (core module)))"),
    ("threads", "parallelism", "(core func (canon thread.available_parallelism))"),
];
