//! What is refused before anybody calls, and what the refusal says.

use wasmtime::component::Component;

use super::guest::Guest;
use super::{House, code, sandbox};
use crate::artifact::LoadError;
use crate::attack::{foreign, imports, memory, proposals};
use crate::sandbox::{Limits, Start};

fn refusal(bytes: &[u8]) -> LoadError {
    match sandbox().load(bytes) {
        Ok(_) => panic!("it was loaded"),
        Err(error) => error,
    }
}

#[test]
fn what_is_no_component_is_refused_by_its_structure() {
    for (what, bytes) in [
        ("empty", foreign::empty()),
        ("four bytes", foreign::four_bytes()),
        ("machine code", foreign::native_artifact()),
        ("a core module", foreign::core_module()),
        ("deep types", foreign::nested_types(300_000)),
        ("a section without end", foreign::endless_section()),
    ] {
        let error = refusal(&bytes);
        assert!(matches!(error, LoadError::Structure(_)), "{what}: {error:?}");
    }
}

#[test]
fn a_truncated_component_is_refused_wherever_it_ends() {
    let whole = Guest::default().build();
    let sandbox = sandbox();
    for end in (0..whole.len() - 1).step_by(7) {
        assert!(sandbox.load(&whole[..end]).is_err(), "{end} of {} bytes", whole.len());
    }
}

#[test]
fn a_component_that_lost_a_byte_is_refused_or_a_component() {
    let whole = Guest::default().build();
    let sandbox = sandbox();
    // Whatever a changed byte makes of it: never a panic.
    for at in (8..whole.len()).step_by(5) {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        let _ = sandbox.load(&changed);
    }
}

#[test]
fn what_the_host_leaves_out_is_refused() {
    let sandbox = sandbox();
    for proposal in proposals::all() {
        assert!(sandbox.load(&proposal.bytes).is_err(), "{} ({})", proposal.feature, proposal.what);
    }
}

/// The engine leaves the same out as the pre-check, should that ever miss one.
#[test]
fn the_engine_refuses_what_the_host_leaves_out() {
    let sandbox = sandbox();
    let accepted: Vec<_> = proposals::all()
        .into_iter()
        .filter(|proposal| Component::from_binary(&sandbox.engine, &proposal.bytes).is_ok())
        .map(|proposal| (proposal.feature, proposal.what))
        .collect();
    // Modules that are handed in from outside have no one to hand them in. Several memories are what the engine's own
    // adapters between nested components have; of a module that comes with them the pre-check alone says no.
    let harmless = [
        ("multi-memory", "imported and own"),
        ("imported-modules", "module import"),
        ("imported-modules", "outer module"),
    ];
    assert_eq!(accepted, harmless);
}

#[test]
fn an_unknown_import_is_named_and_what_there_is_is_listed() {
    for (bytes, names) in [
        (imports::key_values(), &["wasi:keyvalue/store@0.2.6"][..]),
        (imports::other_tenants(), &["acme:billing/cards@1.0.0"]),
        (imports::env_bogus(), &["env"]),
        (imports::key_values_and_bogus(), &["wasi:keyvalue/store@0.2.6", "env"]),
    ] {
        let error = refusal(&bytes);
        let LoadError::UnknownImports { missing } = &error else { panic!("{error:?}") };
        for name in names {
            assert!(missing.iter().any(|missing| missing == name), "{name}: {error}");
            assert!(error.to_string().contains(name));
        }
        assert!(error.to_string().contains("hookswitch:handler/log@0.1"), "{error}");
    }
}

#[test]
fn an_import_with_another_form_is_refused() {
    // `probe` is no function of this interface.
    let error = refusal(&imports::importing("wasi:cli/stdin@0.2.6"));
    assert!(matches!(error, LoadError::ImportType(_)), "{error}");
    assert!(error.to_string().contains("wasi:cli/stdin@0.2.6"), "{error}");
}

#[test]
fn a_component_that_exports_nothing_to_call_is_refused() {
    let error = refusal(&imports::only_cli_run());
    let LoadError::NoExport { found } = &error else { panic!("{error:?}") };
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("wasi:cli/run"));
    for name in ["hookswitch:handler/voice", "messaging", "events", "found wasi:cli/run"] {
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn an_export_with_other_types_is_refused() {
    let sandbox = sandbox();
    for (what, function) in [("another parameter", "answer"), ("another name", "reply")] {
        let bytes = crate::attack::component(&format!(
            r#"(core module $m (func (export "f") (param i32) (result i32) (local.get 0)))
               (core instance $i (instantiate $m))
               (func $f (param "x" u32) (result u32) (canon lift (core func $i "f")))
               (instance $voice (export "{function}" (func $f)))
               (export "hookswitch:handler/voice@0.1.0" (instance $voice))"#
        ));
        let Err(error) = sandbox.load(&bytes) else { panic!("{what} was loaded") };
        assert!(matches!(error, LoadError::ExportType { .. }), "{what}: {error:?}");
        assert!(error.to_string().contains("hookswitch:handler/voice@0.1.0"), "{what}: {error}");
    }
}

#[test]
fn more_memory_than_the_limit_at_the_start_is_refused_with_both_numbers() {
    let house = House::new();
    let large = house.load(&memory::initial_pages(2_000));
    let error = large.fits(&Limits::default()).unwrap_err();
    assert!(error.to_string().contains("128000 KiB") && error.to_string().contains("32768 KiB"), "{error}");
    assert!(large.fits(&Limits { memory_mib: 125, ..Limits::default() }).is_ok());
    assert!(matches!(refusal(&memory::initial_pages(4_097)), LoadError::Structure(_)));
}

#[tokio::test]
async fn a_component_of_a_later_patch_of_wasi_is_loaded() {
    let house = House::new();
    let imports = r#"(import "wasi:cli/exit@0.2.6" "exit" (func $exit (param i32)))"#;
    let outcome = house.try_out(&Guest { imports, ..Guest::default() }.build()).await;
    assert_eq!(code(&outcome), "ok");
}

#[test]
fn only_what_may_run_or_wait_at_the_start_gets_a_stack_for_it() {
    let log = r#"(import "hookswitch:handler/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;
    let exit = r#"(import "wasi:cli/exit@0.2.6" "exit" (func $exit (param i32)))"#;
    let poll = r#"(import "wasi:io/poll@0.2.6" "poll" (func $poll (param i32 i32 i32)))"#;
    let start = "(func $start) (start $start)";
    let sandbox = sandbox();
    for (what, imports, fields, expected) in [
        ("the plainest", "", "", Start::Still),
        ("with a log", log, "", Start::Still),
        ("with an exit", exit, "", Start::Still),
        ("with a poll", poll, "", Start::Running),
        ("with a start function", "", start, Start::Running),
    ] {
        let prepared = sandbox.load(&Guest { imports, fields, ..Guest::default() }.build()).unwrap();
        assert_eq!(prepared.start, expected, "{what}");
    }
}
