//! The last words of a handler that panics.
//!
//! A component has no standard error; without this the host sees nothing but a trap. The entry
//! `panicked at src/lib.rs:12:5: message`, at level error, comes just before the trap, and the host
//! takes a trap after such an entry for a panic. [`PREFIX`] is part of that agreement.

use crate::log;
use std::panic::PanicHookInfo;

/// How the log entry of a panic begins.
pub const PREFIX: &str = "panicked at ";

/// Makes panics speak. Cheap enough for each webhook: the hook is a plain function.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(speak));
}

fn speak(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("(a value that is not a text)");
    match panic.location() {
        Some(location) => log::error!("{PREFIX}{location}: {message}"),
        None => log::error!("{PREFIX}an unknown place: {message}"),
    }
}
