//! Handlers that ask for more than the host offers (W23), each using what it imports.

use super::voice::{core, encode};

const VOICE: &str = "include hookswitch:handler/voice-handler@0.1.0;";

/// W23: an interface of WASI that the host does not have.
pub fn key_values() -> Vec<u8> {
    importing("wasi:keyvalue/store@0.2.6")
}

/// W23: the directories that the host has opened beforehand.
pub fn preopens() -> Vec<u8> {
    importing("wasi:filesystem/preopens@0.2.6")
}

/// W23: an interface of another tenant.
pub fn other_tenants() -> Vec<u8> {
    importing("acme:billing/cards@1.0.0")
}

/// W23: `bogus` from `env`, as C programs import what was not linked.
pub fn env_bogus() -> Vec<u8> {
    let text = core("call $bogus", r#"(import "env" "bogus" (func $bogus))"#);
    encode(&text, &[], &format!("{VOICE} import env: interface {{ bogus: func(); }}"))
}

/// Two unknown imports at once: a refusal names both.
pub fn key_values_and_bogus() -> Vec<u8> {
    let text = core(
        "call $probe call $bogus",
        r#"(import "wasi:keyvalue/store@0.2.6" "probe" (func $probe)) (import "env" "bogus" (func $bogus))"#,
    );
    let items =
        format!("{VOICE} import wasi:keyvalue/store@0.2.6; import env: interface {{ bogus: func(); }}");
    encode(&text, &[&package("wasi:keyvalue/store@0.2.6")], &items)
}

/// W23: a command, whose only export is `wasi:cli/run`.
pub fn only_cli_run() -> Vec<u8> {
    encode(
        r#"(module (func (export "wasi:cli/run@0.2.6#run") (result i32) i32.const 0))"#,
        &["package wasi:cli@0.2.6; interface run { run: func() -> result; }"],
        "export wasi:cli/run@0.2.6;",
    )
}

/// A handler that calls `probe` of an interface such as `wasi:keyvalue/store@0.2.6`. What it is called
/// with is made up; a host goes by the name.
pub fn importing(interface: &str) -> Vec<u8> {
    let text = core("call $probe", &format!(r#"(import "{interface}" "probe" (func $probe))"#));
    encode(&text, &[&package(interface)], &format!("{VOICE} import {interface};"))
}

/// The package of `namespace:package/interface@version`, with that one interface in it.
fn package(interface: &str) -> String {
    let (path, version) = interface.split_once('@').expect("the interface has a version");
    let (package, name) = path.split_once('/').expect("the interface has a package");
    format!("package {package}@{version}; interface {name} {{ probe: func(); }}")
}
