//! Scripted conversations: `calls/*.toml` beside a handler.
//!
//! A script is a list of steps: what is expected to be heard, and what is done. It is played on the real sandbox, in
//! virtual time, and either passes or tells the first step that did not come true, beside what was heard instead. Each has
//! stores, a carrier, services, secrets and a time of day of its own, so that scripts can play at once, in any order and on any day.
//! `format.md` beside this file describes the format.

mod conversation;
mod expect;
mod http;
mod moment;
mod party;
mod play;
mod read;
mod report;
mod steps;
#[cfg(test)]
mod tests;
mod written;

pub use self::expect::Failure;
pub use self::play::{Played, Stage};
#[cfg(test)]
pub(crate) use self::play::{Tried, try_script};
pub use self::read::{ScriptError, Scripts, read_folder, read_text};
pub use self::report::{json, junit, text};
