//! Which compiler builds guests: the installed one, or Debian's.
//!
//! A Rust toolchain that has the standard library for wasm32-unknown-unknown is used as it is. Otherwise
//! Debian's packages serve, fetched by [`debian`]. Neither is ever got through rustup: changing somebody's
//! toolchains is their decision, and the message tells how.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Report;
use super::debian::{self, Debian};

/// The target that Rust guests are built for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Forces one of the two: `installed` or `debian`. For trying each where both would do.
const CHOICE_VARIABLE: &str = "HOOKSWITCH_GUEST_TOOLCHAIN";

/// Why there is no compiler for guests.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// Neither kind can be had.
    #[error(
        "the Rust standard library for {TARGET} is not installed, and Debian's packages cannot be had instead: {why}. \
         Run `rustup target add {TARGET}` (or install your distribution's package for it) and build again"
    )]
    Unavailable {
        /// What stood in the way of Debian's packages.
        why: String,
    },
    /// `HOOKSWITCH_GUEST_TOOLCHAIN=installed`, and it is not.
    #[error(
        "{CHOICE_VARIABLE}=installed, but the Rust standard library for {TARGET} is not installed; \
         run `rustup target add {TARGET}`, or unset the variable"
    )]
    NotInstalled,
    /// `HOOKSWITCH_GUEST_TOOLCHAIN` is something else.
    #[error("{CHOICE_VARIABLE}={found:?}; expected `installed` or `debian`, or leave it unset")]
    UnknownChoice {
        /// Its value.
        found: String,
    },
    /// A file of the cache could not be read or written.
    #[error("{}: {cause}; the guest toolchain is kept there, choose another folder with HOOKSWITCH_CACHE", path.display())]
    Cache {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

/// A compiler for guests.
#[derive(Debug)]
pub enum Toolchain {
    /// What `cargo` finds by itself.
    Installed,
    /// Debian's rustc, with std built from Debian's sources.
    Debian(Debian),
}

impl Toolchain {
    /// Finds the compiler for the package in `dir`; where it is missing, fetches Debian's, which takes a minute.
    ///
    /// # Errors
    /// [`ToolchainError`], whose text says what to try.
    pub fn find(dir: &Path, report: &mut Report<'_>) -> Result<Self, ToolchainError> {
        let choice = std::env::var(CHOICE_VARIABLE).unwrap_or_default();
        match choice.as_str() {
            "" if is_installed(dir) => Ok(Self::Installed),
            "" | "debian" => Ok(Self::Debian(debian::find_or_fetch(report)?)),
            "installed" if is_installed(dir) => Ok(Self::Installed),
            "installed" => Err(ToolchainError::NotInstalled),
            _ => Err(ToolchainError::UnknownChoice { found: choice }),
        }
    }

    /// Makes `cargo` use this compiler.
    pub fn apply(&self, cargo: &mut Command) {
        match self {
            Self::Installed => {}
            Self::Debian(debian) => debian.apply(cargo),
        }
    }
}

/// Whether the rustc that answers in `dir` has std for the target. Asked there, because a
/// `rust-toolchain.toml` may choose another rustc.
fn is_installed(dir: &Path) -> bool {
    let answer = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let Ok(answer) = answer else { return false };
    // rustc names the folder whether it is there or not; std in it is what counts.
    let folder = String::from_utf8_lossy(&answer.stdout);
    let Ok(files) = std::fs::read_dir(folder.trim()) else {
        return false;
    };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
}
