//! The handler's log: what its author reads beside the call.
//!
//! Each invocation has 64 KiB and 256 entries; the host drops what goes beyond and says how much.
//! A function takes a finished text, the macro of the same name formats one:
//! `log::info("answered")`, `log::info!("dialled {number}")`.

pub use crate::bindings::imports::hookswitch::handler::log::Level;

/// Writes one entry. Never fails and never waits.
pub fn write(level: Level, message: impl AsRef<str>) {
    crate::host::write_log(level, message.as_ref());
}

/// What only its author wants to know.
pub fn debug(message: impl AsRef<str>) {
    write(Level::Debug, message);
}

/// What happened.
pub fn info(message: impl AsRef<str>) {
    write(Level::Info, message);
}

/// What is odd, though the call goes on as meant.
pub fn warn(message: impl AsRef<str>) {
    write(Level::Warn, message);
}

/// What went wrong.
pub fn error(message: impl AsRef<str>) {
    write(Level::Error, message);
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log_debug {
    ($($message:tt)+) => { $crate::log::debug(::std::format!($($message)+)) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log_info {
    ($($message:tt)+) => { $crate::log::info(::std::format!($($message)+)) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log_warn {
    ($($message:tt)+) => { $crate::log::warn(::std::format!($($message)+)) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log_error {
    ($($message:tt)+) => { $crate::log::error(::std::format!($($message)+)) };
}

#[doc(inline)]
pub use {__log_debug as debug, __log_error as error, __log_info as info, __log_warn as warn};
