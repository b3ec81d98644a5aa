//! Scripted conversations: `calls/*.toml` beside a handler.
//!
//! A script is a list of steps: what is expected to be heard, and what is done. It is played on the real sandbox, in
//! virtual time, and either passes or tells the first step that did not come true, beside what was heard instead.
//! `format.md` beside this file describes the format.

mod expect;
mod party;
mod play;
mod read;
mod report;
mod steps;
#[cfg(test)]
mod tests;

pub use self::expect::Failure;
pub use self::play::{Played, Stage};
#[cfg(test)]
pub(super) use self::play::{Tried, try_script};
pub use self::read::{ScriptError, Scripts, read_folder, read_text};
pub use self::report::{json, junit, text};
