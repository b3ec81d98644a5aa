//! Where this user's things are kept that can always be made again: compilers for guests, compiled code.

use std::path::PathBuf;

/// `HOOKSWITCH_CACHE`; otherwise `hookswitch` in `XDG_CACHE_HOME` or `~/.cache`. None where the environment names no folder.
#[must_use]
pub fn cache_dir() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("HOOKSWITCH_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("hookswitch")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/hookswitch")))
        // Absolute, because cargo runs the compiler in other folders than ours.
        .and_then(|cache| std::path::absolute(cache).ok())
}
