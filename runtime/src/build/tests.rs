//! Builds that need no compiler. What cargo builds is tested end to end.

use std::path::Path;

use super::{BuildProgress, BuiltHandler, build, component_path, encode};

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

#[test]
fn what_stands_in_the_way_is_named() {
    for (toml, expected) in [
        ("build = 'exit 3'\ncomponent = 'made.wasm'", "build command `exit 3` failed (exit status: 3)"),
        ("build = 'true'\ncomponent = 'gone.wasm'", "gone.wasm: No such file"),
        ("build = 'true'\ncomponent = 'core.wasm'", "core.wasm: a core module, not a component"),
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
