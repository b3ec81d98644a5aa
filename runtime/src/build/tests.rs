//! Builds that need no compiler. What cargo builds is tested end to end.

use std::path::Path;

use super::{BuildProgress, BuiltHandler, build, build_if_changed, component_path, encode, shape};
use crate::attack::voice::{OK_VOICE_CORE, core, typed};
use crate::call::{Call, CallStatus, Direction, Webhook};
use crate::capability::{ConfigValues, Nobody};
use crate::sandbox::{Answer, Limits, Sandbox, SandboxSettings};

/// Builds what is in `dir`; gives the result, or the error's text, and what was reported.
fn try_build(dir: &Path) -> (Result<BuiltHandler, String>, Vec<String>) {
    let mut heard = Vec::new();
    let built = build(dir, &mut |progress: BuildProgress| heard.push(progress.to_string()));
    (built.map_err(|error| error.to_string()), heard)
}

fn handler(toml: &str) -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("handler").rand_bytes(4).tempdir().unwrap();
    // A name in every file: the temporary folder's own may not be fit for one.
    std::fs::write(dir.path().join("handler.toml"), format!("name = \"h\"\n{toml}")).unwrap();
    std::fs::write(dir.path().join("made.wasm"), wat::parse_str("(component)").unwrap()).unwrap();
    std::fs::write(dir.path().join("core.wasm"), wat::parse_str("(module)").unwrap()).unwrap();
    dir
}

#[test]
fn a_command_line_runs_in_the_handlers_folder_and_is_heard() {
    let dir =
        handler("build = 'echo to out; echo to err >&2; cp made.wasm out.wasm'\ncomponent = 'out.wasm'");
    let (built, mut heard) = try_build(dir.path());
    heard.sort();
    let built = built.unwrap();
    assert_eq!(heard, ["to err", "to out"]);
    assert!(built.component.ends_with("out.wasm") && built.component.is_file());
    assert_eq!(component_path(dir.path()).unwrap(), built.component);
}

/// A core module as wit-bindgen's C bindings leave it.
fn voice_module(core_wat: &str) -> Vec<u8> {
    typed(core_wat, &[], "export hookswitch:handler/voice@0.1.0;")
}

#[test]
fn a_core_module_that_carries_the_contract_becomes_a_component_in_its_place() {
    let dir = handler("build = 'cp voice.wasm out.wasm; echo ran'\ncomponent = 'out.wasm'");
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("voice.wasm"), voice_module(OK_VOICE_CORE)).unwrap();
    let (built, heard) = try_build(dir.path());
    let component = std::fs::read(built.unwrap().component).unwrap();
    assert_eq!(heard, ["ran"]);
    assert_eq!(shape(&component).unwrap().exports, ["hookswitch:handler/voice@0.1.0"]);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 5, "no partial file is left");

    // A module that is newer than all sources, as a run leaves it that was interrupted before it became a component.
    std::fs::copy(at("voice.wasm"), at("out.wasm")).unwrap();
    let mut heard = 0;
    build_if_changed(dir.path(), None, &mut |_| heard += 1).unwrap();
    assert_eq!(heard, 0, "the command line is not run");
    assert_eq!(std::fs::read(at("out.wasm")).unwrap(), component);
}

#[tokio::test]
async fn a_handler_may_call_what_a_c_library_needs_of_wasis_first_preview() {
    let now = r#"(import "wasi_snapshot_preview1" "clock_time_get"
        (func $now (param i32 i64 i32) (result i32)))"#;
    // Traps unless the time comes without an error and is later than the first second of 1970.
    let asks = "(if (call $now (i32.const 0) (i64.const 1) (i32.const 64)) (then unreachable))
        (if (i64.lt_u (i64.load (i32.const 64)) (i64.const 1000000000)) (then unreachable))";
    let dir = handler("build = 'true'\ncomponent = 'out.wasm'");
    std::fs::write(dir.path().join("out.wasm"), voice_module(&core(asks, now))).unwrap();
    let component = std::fs::read(try_build(dir.path()).0.unwrap().component).unwrap();
    let imports = shape(&component).unwrap().imports.join(" ");
    assert!(imports.contains("wasi:clocks/wall-clock") && !imports.contains("preview1"), "{imports}");

    let sandbox =
        Sandbox::new(&SandboxSettings { concurrency_max: 4, ..SandboxSettings::default() }).unwrap();
    let prepared = sandbox.load(&component).unwrap();
    let webhook = Webhook::Voice(Call {
        id: "CA00000000000000000000000000000001".into(),
        account: String::new(),
        from: String::new(),
        to: String::new(),
        direction: Direction::Inbound,
        status: CallStatus::Ringing,
        step: String::new(),
        digits: None,
        speech: None,
        form: String::new(),
    });
    let nobody = Nobody::new(ConfigValues::default());
    let outcome = sandbox.run(&prepared, &Limits::default(), nobody.context(), &webhook).await;
    assert_eq!(outcome.result, Ok(Answer::Document("<Response/>".into())));
}

#[test]
fn what_stands_in_the_way_is_named() {
    for (toml, expected) in [
        ("build = 'exit 3'\ncomponent = 'made.wasm'", "build command `exit 3` failed (exit status: 3)"),
        ("build = 'true'\ncomponent = 'gone.wasm'", "gone.wasm: No such file"),
        ("build = 'true'\ncomponent = 'core.wasm'", "core.wasm: the module has no `component-type` section"),
        ("component = 'core.wasm'", "core.wasm: a core module, not a component"),
        ("component = 'handler.toml'", "handler.toml: not WebAssembly"),
        ("", "nothing to build"),
        ("nmae = 'x'", "did you mean `name`?"),
    ] {
        let dir = handler(toml);
        let error = try_build(dir.path()).0.expect_err(toml);
        assert!(error.contains(expected), "{toml}: {error}");
    }
}

#[test]
fn a_wasm_file_is_taken_as_it_is_with_the_settings_beside_it() {
    let dir = handler("build = 'exit 3'\ncomponent = 'other.wasm'");
    let file = dir.path().join("made.wasm");
    let built = try_build(&file).0.unwrap();
    assert_eq!(built.component, file);
    assert_eq!(built.settings.name.as_str(), "h");
}

#[test]
fn a_component_that_did_not_change_is_left_untouched() {
    let dir = handler("");
    let (module, component) = (dir.path().join("made.wasm"), dir.path().join("h.wasm"));
    encode(&module, &component).unwrap();
    let first = std::fs::metadata(&component).unwrap().modified().unwrap();
    encode(&module, &component).unwrap();
    assert_eq!(std::fs::metadata(&component).unwrap().modified().unwrap(), first);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 4, "no partial file is left");
}
