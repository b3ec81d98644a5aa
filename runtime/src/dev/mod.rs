//! Handlers under their author's hands: built, served, and swapped when their sources change.
//!
//! The same host and the same swap as anywhere: a change that builds becomes the next revision and takes new calls, a
//! call in progress stays on the revision it began with, and a change that does not build leaves everything as it was.
//! Each handler is built by a thread of its own ([`keep_up`]), so that one that does not build keeps nobody waiting.
//!
//! What to print about it is `cli`'s business; who else wants to know looks at the [`board`].

mod bench;
pub mod board;
mod keep_up;
pub mod page;
mod problem;
mod shop;
mod watch;

pub use self::bench::{Workbench, WorkbenchError};
pub use self::keep_up::{Keeper, News, keep_up};
pub use self::shop::Workshop;
pub use self::watch::{Watch, WatchError};

/// The tenant that `dev` serves.
pub const TENANT: &str = "dev";
