//! Just under and just over every limit, the corpus of attacks, and damage without end.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use wasmparser::WasmFeatures;

use super::*;
use crate::attack::{self, compile, foreign, imports, memory, proposals};

fn check(bytes: &[u8]) -> Result<Structure, PrecheckError> {
    precheck(bytes, &StructureLimits::default())
}

/// The outcome in one word; `ok` for none.
fn outcome(bytes: &[u8]) -> String {
    check(bytes).map_or_else(|error| error.name(), |_| "ok".to_owned())
}

#[test]
fn every_upload_of_the_corpus_has_its_outcome() {
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("the handler that answers", attack::voice_component(attack::OK_VOICE_CORE), "ok"),
        ("W01 100", compile::nested_loops(100), "ok"),
        ("W01 101", compile::nested_loops(101), "limit:loop_nesting"),
        ("W01 500", compile::nested_loops(500), "limit:loop_nesting"),
        ("W01 1000", compile::nested_loops(1_000), "limit:loop_nesting"),
        ("W01 2000", compile::nested_loops(2_000), "limit:loop_nesting"),
        ("W01 5000", compile::nested_loops(5_000), "limit:loop_nesting"),
        ("W03 4000", compile::merged_locals(4_000), "ok"),
        ("W03 20000", compile::merged_locals(20_000), "limit:locals"),
        ("W05", compile::deep_operand_stack(20_000), "ok"),
        ("W07", compile::indirect_calls(50_000), "ok"),
        ("W09", compile::br_tables(10, 65_000), "limit:br_table_total"),
        ("W09 one too large", compile::br_tables(1, 65_521), "limit:br_table"),
        ("W11", compile::functions(100_000), "limit:functions"),
        ("W13 33000", compile::data_segments(33_000), "limit:data_segments"),
        ("W13 40000", compile::data_segments(40_000), "limit:data_segments"),
        ("W13 100000", compile::data_segments(100_000), "limit:data_segments"),
        ("W15", compile::adapters(1_000, 1_000), "limit:memories"),
        ("W15 within", compile::adapters(7, 1_000), "ok"),
        ("W15 exponential", compile::exponential_instances(8, 10), "limit:core_modules"),
        ("W17 empty", foreign::empty(), "invalid"),
        ("W17 four bytes", foreign::four_bytes(), "invalid"),
        ("W17 version 2", foreign::version_2(), "invalid"),
        ("W17 core module", foreign::core_module(), "unsupported:core-module"),
        ("W19 section", foreign::endless_section(), "invalid"),
        ("W19 number", foreign::overlong_number(), "invalid"),
        ("W19 count", foreign::claimed_types(), "invalid"),
        ("W19 types in types", foreign::nested_types(300_000), "limit:component_nesting"),
        ("W21", foreign::native_artifact(), "invalid"),
        ("W23 key values", imports::key_values(), "ok"),
        ("W23 preopens", imports::preopens(), "ok"),
        ("W23 other tenant", imports::other_tenants(), "ok"),
        ("W23 env", imports::env_bogus(), "ok"),
        ("W23 two", imports::key_values_and_bogus(), "ok"),
        ("W23 only run", imports::only_cli_run(), "ok"),
        ("W25 minimum", memory::initial_pages(2_000), "limit:memory"),
        ("W25 unbounded", memory::empty_and_unbounded(), "ok"),
        ("W25 two", memory::two_memories(), "unsupported:multi-memory"),
        ("W25 nine", memory::memories(9, 1), "limit:memories"),
        ("W41 within", memory::memories(8, 64), "ok"),
        ("W41", memory::memories(8, 512), "limit:memory"),
        ("W41 one module", memory::instances(8, 512), "limit:memory"),
        ("gzip", foreign::gzip(), "invalid"),
        ("zip", foreign::zip(), "invalid"),
        ("text", foreign::text(), "invalid"),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(outcome(&bytes), expected, "{name}: {:?}", check(&bytes));
        if expected == "ok" {
            let valid = wasmparser::Validator::new().validate_all(&bytes).map(drop);
            assert!(valid.is_ok(), "{name}: the builder is wrong: {valid:?}");
        }
    }
}

#[test]
fn every_proposal_that_is_left_out_is_named() {
    for case in proposals::all() {
        let expected = format!("unsupported:{}", case.feature);
        assert_eq!(outcome(&case.bytes), expected, "{}: {:?}", case.what, check(&case.bytes));
        let mut everything = wasmparser::Validator::new_with_features(WasmFeatures::all());
        let valid = everything.validate_all(&case.bytes).map(drop);
        assert!(valid.is_ok(), "{}: the builder is wrong: {valid:?}", case.what);
    }
}

#[test]
fn what_ordinary_compilers_emit_passes() {
    let cases = [
        ("mutable global", r#"(global (export "g") (mut i32) (i32.const 1))"#),
        ("sign extension", "(func (drop (i32.extend8_s (i32.const 1))))"),
        ("saturating conversion", "(func (drop (i32.trunc_sat_f32_s (f32.const 1))))"),
        ("many results", "(func (result i32 i32) i32.const 1 i32.const 2)"),
        ("block type with parameters", "(func i32.const 1 (block (param i32) drop))"),
        ("bulk memory", "(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 9)))"),
        ("passive data", "(memory 1) (data $d \"x\") (func data.drop $d)"),
        ("reference types", "(table 1 funcref) (func (drop (table.get (i32.const 0))))"),
        ("table operations", "(table $t 1 funcref) (func (drop (table.grow (ref.null func) (i32.const 1))))"),
        ("vectors", "(func (drop (i32x4.add (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0))))"),
        ("extended constants", "(global i32 (i32.add (i32.const 1) (i32.const 2)))"),
        ("typed select", "(func (drop (select (result i32) (i32.const 1) (i32.const 2) (i32.const 0))))"),
        (
            "element expressions",
            "(table 1 funcref) (func $f) (elem (i32.const 0) funcref (ref.func $f) (ref.null func))",
        ),
        ("named table", "(table $t 1 funcref) (func $f) (elem (table $t) (i32.const 0) func $f)"),
        ("start function", "(func $f) (start $f)"),
        ("else", "(func (if (i32.const 1) (then) (else (loop))))"),
    ];
    for (name, fields) in cases {
        let bytes = attack::bare_component(fields);
        assert!(check(&bytes).is_ok(), "{name}: {:?}", check(&bytes));
    }
}

/// A component with exactly `n` of `limit`, and of everything else less than its limit.
fn with_exactly(limit: Limit, n: usize) -> Vec<u8> {
    let bare = attack::bare_component;
    let each = |text: fn(usize) -> String| (0..n).map(text).collect::<String>();
    match limit {
        Limit::ComponentBytes => {
            let mut bytes = foreign::HEADER.to_vec();
            bytes.push(0);
            // The length in four bytes, padded as linkers do: the rest is the section's.
            let length = n - bytes.len() - 4;
            bytes.extend(
                [7_u32, 14, 21]
                    .iter()
                    .map(|shift| u8::try_from(length >> (shift - 7) & 0x7f).unwrap() | 0x80),
            );
            bytes.push(u8::try_from(length >> 21).unwrap());
            bytes.push(1);
            bytes.push(b'n');
            bytes.resize(n, 0);
            bytes
        }
        Limit::CoreModules => attack::component(&"(core module)".repeat(n)),
        Limit::Components => attack::component(&"(component)".repeat(n)),
        Limit::ComponentNesting => attack::component(&format!("{}{}", "(component".repeat(n), ")".repeat(n))),
        Limit::ComponentTypes => attack::component(&"(type u8)".repeat(n)),
        Limit::ComponentTypeMembers => attack::component(&format!("(type (tuple {}))", "u8 ".repeat(n))),
        Limit::Definitions => attack::component(&"(core instance)".repeat(n)),
        Limit::Imports => attack::component(&format!(
            "(type (func)) {}",
            each(|i| format!("(import \"i{i}\" (func (type 0)))"))
        )),
        Limit::Exports => attack::component(&format!(
            "(type (func)) (import \"f\" (func $f (type 0))) {}",
            each(|i| format!("(export \"e{i}\" (func $f))"))
        )),
        Limit::CoreImports => attack::component(&format!(
            "(core module (type (func)) {})",
            each(|i| format!("(import \"\" \"{i}\" (func (type 0)))"))
        )),
        Limit::CoreExports => bare(&format!("(func) {}", each(|i| format!("(export \"{i}\" (func 0))")))),
        Limit::Functions => bare(&"(func)".repeat(n)),
        Limit::Types => bare(&"(type (func))".repeat(n)),
        Limit::ParamsResults => bare(&format!("(type (func (param {}) (result i32)))", "i32 ".repeat(n - 1))),
        Limit::Globals => bare(&"(global i32 (i32.const 0))".repeat(n)),
        Limit::DataSegments => bare(&format!("(memory 1) {}", "(data \"\")".repeat(n))),
        Limit::DataSegmentsTotal => {
            let full = format!("(core module {})", "(data \"\")".repeat(5_000));
            let rest = format!("(core module {})", "(data \"\")".repeat(n % 5_000));
            attack::component(&format!("{}{rest}", full.repeat(n / 5_000)))
        }
        Limit::ElementItems => bare(&format!("(func) (elem declare func {})", "0 ".repeat(n))),
        // One byte says that there are no locals, one ends the body.
        Limit::BodyBytes => bare(&format!("(func {})", "nop ".repeat(n - 2))),
        Limit::Locals => bare(&format!("(func (local {}))", "i32 ".repeat(n))),
        Limit::BlockNesting => bare(&format!("(func {} {})", "block ".repeat(n), "end ".repeat(n))),
        Limit::LoopNesting => bare(&format!("(func {} {})", "loop ".repeat(n), "end ".repeat(n))),
        Limit::BrTable => bare(&format!("(func i32.const 0 br_table {} 0)", "0 ".repeat(n))),
        Limit::BrTableTotal => {
            let table = |targets| format!("i32.const 0 br_table {} 0 ", "0 ".repeat(targets));
            bare(&format!("(func {}{})", table(50_000).repeat(n / 50_000), table(n % 50_000)))
        }
        Limit::Memories => memory::instances(n, 0),
        Limit::Memory => memory::instances(1, u64::try_from(n / 65_536).unwrap()),
        Limit::Tables => bare(&"(table 0 funcref)".repeat(n)),
        Limit::TableElements => bare(&format!("(table {n} funcref)")),
    }
}

#[test]
fn each_limit_lets_the_last_one_in_and_the_next_one_out() {
    let limits = StructureLimits::default();
    for limit in Limit::ALL {
        let step = if limit == Limit::Memory { 65_536 } else { 1 };
        let most = limits.most(limit);
        let count = usize::try_from(most).unwrap();

        match check(&with_exactly(limit, count)) {
            Ok(structure) => assert_eq!(structure.found(limit), most, "{}", limit.name()),
            Err(error) => panic!("{} just under: {error}", limit.name()),
        }
        match check(&with_exactly(limit, count + step)) {
            Err(PrecheckError::Limit { limit: named, found, most: allowed, .. }) => {
                assert_eq!(named, limit, "{} just over", limit.name());
                assert_eq!((found, allowed), (most + u64::try_from(step).unwrap(), most));
            }
            other => panic!("{} just over: {other:?}", limit.name()),
        }
    }
}

#[test]
fn limits_keep_their_order_and_their_names() {
    let mut names = std::collections::HashSet::new();
    for (index, limit) in Limit::ALL.into_iter().enumerate() {
        assert_eq!(limit as usize, index, "{}", limit.name());
        assert!(names.insert(limit.name()), "{} twice", limit.name());
        let raised = StructureLimits::default().with(limit, 7);
        assert_eq!(raised.most(limit), 7);
    }
    let deep = StructureLimits::default().with(Limit::ComponentNesting, u64::MAX);
    assert_eq!(deep.most(Limit::ComponentNesting), 64);
}

#[test]
fn nested_components_count_as_often_as_they_are_instantiated() {
    // No core module, so only the definitions grow.
    let mut text = "(core instance) ".repeat(50);
    for _ in 0..3 {
        text = format!("(component {text}) {}", "(instance (instantiate 0)) ".repeat(20));
    }
    assert_eq!(outcome(&attack::component(&text)), "limit:definitions");

    let within = compile::exponential_instances(3, 3);
    assert_eq!(check(&within).unwrap().found(Limit::CoreModules), 27);
}

#[test]
fn refusals_say_what_where_and_what_to_do() {
    let cases: &[(&[u8], &[&str])] = &[
        (&foreign::empty(), &["empty", "hookswitch build"]),
        (&foreign::four_bytes(), &["ends after 4 bytes", "whole"]),
        (&foreign::version_2(), &["version 0x2", "byte 4"]),
        (&foreign::core_module(), &["core-module", "hookswitch build"]),
        (&foreign::native_artifact(), &["precompiled artifact (ELF)", "compiled itself"]),
        (&foreign::gzip(), &["compressed", "decompress"]),
        (&foreign::zip(), &["zip archive", "unpack"]),
        (&foreign::text(), &["WebAssembly text", "wasm-tools parse"]),
        (b"MZ\x90\0\x03\0", &["native program"]),
        (b"export default {}", &["a text file", "hookswitch build"]),
        (b"\xff\xfe\0\0\0\0\0\0\0", &["does not begin as WebAssembly"]),
        (b"\0as", &["inside its header", "whole"]),
        (b"\0asm\x0a\0\x01\0", &["version 10 of the component format", "current tools"]),
        (&foreign::endless_section(), &["end-of-file", "byte 14"]),
        (&foreign::overlong_number(), &["representation too long"]),
        (&foreign::claimed_types(), &["claims 4294967295 items", "10 bytes"]),
        (
            &compile::nested_loops(101),
            &["limit loop_nesting: 101 nested loops where at most 100", "core module 0, function 0, byte"],
        ),
        (
            &memory::memories(3, 513),
            &["33619968 bytes of memory", "at most 33554432", "core module 0", "memory_mib"],
        ),
    ];
    for (bytes, parts) in cases {
        let error = check(bytes).unwrap_err().to_string();
        for part in *parts {
            assert!(error.contains(part), "{error:?} lacks {part:?}");
        }
    }
}

#[test]
fn the_place_is_the_function_that_offends() {
    // Two imported functions and one that is fine come first, in the second module.
    let bytes = attack::component(&format!(
        "(core module) (core module (type (func)) (import \"\" \"a\" (func (type 0)))
         (import \"\" \"b\" (func (type 0))) (func) (func (local {})))",
        "i32 ".repeat(10_001)
    ));
    let place = check(&bytes).unwrap_err().place();
    assert_eq!((place.module, place.function), (Some(1), Some(3)));
    assert!(place.offset > 0 && place.offset < bytes.len());
}

#[test]
fn damage_is_invalid() {
    let sound = attack::voice_component(attack::OK_VOICE_CORE);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("zeros after the end", [&sound[..], &[0; 16]].concat()),
        ("text after the end", [&sound[..], b"\n-- boundary --"].concat()),
        ("a second component after the end", [&sound[..], &sound[..]].concat()),
        ("unknown section", [&foreign::HEADER[..], b"\x63\x00"].concat()),
        ("a component where a module is due", [&foreign::HEADER[..], b"\x01\x08", &foreign::HEADER].concat()),
        ("a module where a component is due", [&foreign::HEADER[..], b"\x04\x08\0asm\x01\0\0\0"].concat()),
        ("an instance of no module", [&foreign::HEADER[..], b"\x02\x04\x01\x00\x05\x00"].concat()),
        ("left-over bytes in a section", [&foreign::HEADER[..], b"\x07\x03\x01\x7f\x7f"].concat()),
    ];
    for (name, bytes) in cases {
        assert_eq!(outcome(&bytes), "invalid", "{name}: {:?}", check(&bytes));
    }
    for id in 1..=11 {
        let bytes = foreign::claimed_core_entries(id);
        assert_eq!(outcome(&bytes), "invalid", "section {id}: {:?}", check(&bytes));
    }
}

#[test]
fn a_cut_off_upload_is_refused_or_ends_between_two_sections() {
    let sound = attack::voice_component(attack::OK_VOICE_CORE);
    let mut passed = 0;
    for end in 0..sound.len() {
        match check(&sound[..end]) {
            Ok(_) => passed += 1,
            Err(error) => assert_eq!(error.kind(), RefusalKind::Invalid, "{end}: {error}"),
        }
    }
    // A component says nowhere how many sections it has; what is missing then shows at load.
    assert!(passed < 60, "{passed} of {} prefixes pass", sound.len());
}

/// Far above what a slow machine needs for these sizes, far below what any attack wants.
const QUICK: Duration = Duration::from_secs(2);

#[test]
fn the_worst_of_each_kind_is_quick() {
    let instructions = "i32.const 0 drop ".repeat(80_000);
    let many = format!("(func {instructions}) ").repeat(10);
    let cases = [
        ("small instructions", attack::bare_component(&many)),
        ("members", with_exactly(Limit::ComponentTypeMembers, 200_000)),
        ("types in types", foreign::nested_types(300_000)),
        ("element items", with_exactly(Limit::ElementItems, 1_000_000)),
    ];
    for (name, bytes) in cases {
        let began = Instant::now();
        let _ = check(&bytes);
        assert!(began.elapsed() < QUICK, "{name}: {:?} for {} bytes", began.elapsed(), bytes.len());
    }
}

/// Sound components of several shapes, to be damaged.
fn sound() -> impl Strategy<Value = Vec<u8>> {
    let sound = [
        attack::voice_component(attack::OK_VOICE_CORE),
        compile::adapters(3, 4),
        compile::exponential_instances(2, 2),
        compile::indirect_calls(20),
        compile::br_tables(2, 20),
        imports::key_values_and_bogus(),
        memory::empty_and_unbounded(),
    ];
    proptest::sample::select(sound.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_panics_and_stays_quick(
        mut bytes in sound(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
        inserted in prop::option::of((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..24))),
    ) {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some((at, more)) = inserted {
            let at = at.index(bytes.len());
            bytes.splice(at..at, more);
        }
        if let Some(end) = cut {
            bytes.truncate(end.index(bytes.len()));
        }
        let began = Instant::now();
        if let Err(error) = check(&bytes) {
            prop_assert!(!error.to_string().is_empty());
            prop_assert!(error.place().offset <= bytes.len());
        }
        prop_assert!(began.elapsed() < QUICK);
    }

    #[test]
    fn random_bytes_after_the_header_never_panic(more in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [&foreign::HEADER[..], &more].concat();
        let _ = check(&bytes);
    }
}
