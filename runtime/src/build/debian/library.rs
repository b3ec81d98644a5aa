//! The standard library of the guests' target, built once and kept with the compiler.
//!
//! Debian ships its sources only. Building it with each handler would cost every new project a minute, so it is built once, by
//! cargo as for a handler, and put where the compiler looks for an installed one. Bitcode is kept in it, because a handler is
//! optimised together with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::process::{self, Line};
use super::super::toolchain::{TARGET, ToolchainError};
use super::super::{BuildProgress, Report};
use super::{cache_error, find, note, remove, unavailable};

/// Where it is built.
const PARTIAL: &str = "partial-guest-std";

const MANIFEST: &str = "\
[package]\nname = \"nothing\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n\
[profile.release]\nopt-level = 3\ncodegen-units = 1\npanic = \"abort\"\n";

/// Where the compiler unpacked in `usr` looks for it.
pub(super) fn folder(usr: &Path) -> PathBuf {
    usr.join("lib/rustlib").join(TARGET).join("lib")
}

/// Whether it is there.
pub(super) fn is_there(usr: &Path) -> bool {
    find(&folder(usr), |name| name.starts_with("libstd-")).is_some()
}

/// Builds it with `apply`'s compiler and puts it in its place in `usr`, whole or not at all.
pub(super) fn build(
    cache: &Path,
    usr: &Path,
    apply: impl FnOnce(&mut Command),
    report: &mut Report<'_>,
) -> Result<(), ToolchainError> {
    note(report, &format!("building the Rust standard library for {TARGET}, once"));
    let partial = cache.join(PARTIAL);
    remove(&partial)?;
    let package = partial.join("nothing");
    let io = |path: &Path| {
        let path = path.to_owned();
        move |cause| cache_error(&path, cause)
    };
    fs::create_dir_all(package.join("src")).map_err(io(&package))?;
    fs::write(package.join("src/lib.rs"), "#![no_std]\n").map_err(io(&package))?;
    fs::write(package.join("Cargo.toml"), MANIFEST).map_err(io(&package))?;

    let target = partial.join("target");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&package).args([
        "build",
        "--release",
        "--target",
        TARGET,
        "--color=never",
        "--target-dir",
    ]);
    cargo.arg(&target).args(["-Zbuild-std=std,panic_abort"]);
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-C embed-bitcode=yes");
    // Building std is an unstable option of cargo, and std uses unstable features.
    cargo.env("RUSTC_BOOTSTRAP", "1");
    apply(&mut cargo);
    let mut said = String::new();
    let status = process::run(&mut cargo, &mut |line: Line| {
        let text = line.into_text();
        if text.contains("error") && said.is_empty() {
            said.clone_from(&text);
        }
        report(BuildProgress::Output(text));
    })
    .map_err(|cause| unavailable(&format!("`cargo` could not be started ({cause})")))?;
    if !status.success() {
        return Err(unavailable(&format!("the standard library does not build with it ({status}): {said}")));
    }
    let made = target.join(TARGET).join("release/deps");
    let ready = partial.join("lib");
    fs::create_dir_all(&ready).map_err(io(&ready))?;
    for entry in fs::read_dir(&made).map_err(io(&made))?.flatten() {
        let name = entry.file_name();
        let is_library = entry.path().extension().is_some_and(|ending| ending == "rlib");
        if is_library && !name.as_encoded_bytes().starts_with(b"libnothing-") {
            fs::rename(entry.path(), ready.join(&name)).map_err(io(&entry.path()))?;
        }
    }
    let place = folder(usr);
    remove(&place)?;
    fs::create_dir_all(place.parent().unwrap_or(usr)).map_err(io(&place))?;
    fs::rename(&ready, &place).map_err(io(&place))?;
    remove(&partial)
}
