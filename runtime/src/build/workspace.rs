//! Where a guest's build artifacts go.
//!
//! Guests have a target folder of their own inside their workspace's: the compiler and flags are not those
//! of the author's other cargo runs, and two that share one folder wait for each other's lock (an
//! editor holds it often) and rebuild what the other built.

use std::path::{Path, PathBuf};

use super::cache::cache_dir;

/// The target folder for the guest package in `dir`: `target/hookswitch` of its workspace.
pub fn target_dir(dir: &Path) -> PathBuf {
    root(dir).join("target").join("hookswitch")
}

/// Where what a guest depends on is compiled once for all guests of this user that are no members of a larger workspace: the
/// second handler of an author builds in a tenth of the first one's time. The module itself goes to [`target_dir`].
pub fn shared_build_dir(dir: &Path) -> Option<PathBuf> {
    let alone = std::fs::canonicalize(root(dir)).ok()? == std::fs::canonicalize(dir).ok()?;
    alone.then(cache_dir)?.map(|cache| cache.join("guests"))
}

/// Whether the guest's workspace sets `key` in its release profile.
pub fn sets_in_release_profile(dir: &Path, key: &str) -> bool {
    let manifest = manifest(&root(dir)).unwrap_or_default();
    let profile = manifest.get("profile").and_then(|profile| profile.get("release"));
    profile.is_some_and(|release| release.get(key).is_some())
}

/// The workspace's folder by cargo's rule: the one that the package names, or the nearest at or above `dir` whose
/// manifest has a `[workspace]` that does not exclude it, or `dir` itself. Asking cargo would cost every
/// build a process.
fn root(dir: &Path) -> PathBuf {
    let package = manifest(dir).unwrap_or_default();
    let named =
        package.get("package").and_then(|package| package.get("workspace")).and_then(toml::Value::as_str);
    if let Some(named) = named {
        let named = dir.join(named);
        // Without the `..` in between, so that messages and comparisons show one path for one folder.
        return std::fs::canonicalize(&named).unwrap_or(named);
    }
    dir.ancestors().find(|above| is_workspace_of(above, dir)).unwrap_or(dir).to_owned()
}

fn is_workspace_of(above: &Path, dir: &Path) -> bool {
    let manifest = manifest(above).unwrap_or_default();
    let Some(workspace) = manifest.get("workspace") else { return false };
    let excluded = workspace.get("exclude").and_then(toml::Value::as_array);
    !excluded
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .any(|path| dir.starts_with(above.join(path)))
}

fn manifest(dir: &Path) -> Option<toml::Table> {
    std::fs::read_to_string(dir.join("Cargo.toml")).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::cache::cache_dir;
    use super::{sets_in_release_profile, shared_build_dir, target_dir};

    #[test]
    fn a_guest_builds_into_its_own_workspace() {
        let dir = tempfile::tempdir().unwrap();
        // The temporary folder may be a link.
        let root = std::fs::canonicalize(dir.path()).unwrap();
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("Cargo.toml", "[workspace]\nexclude = [\"guests\", \"alone\"]");
        write("guests/a/Cargo.toml", "[package]\nname = \"a\"");
        write("alone/Cargo.toml", "[package]\nname = \"alone\"");
        write("guests/Cargo.toml", "[workspace]\nmembers = [\"*\"]\n[profile.release]\nlto = false");
        write("far/away/Cargo.toml", "[package]\nname = \"away\"\nworkspace = \"../../guests\"");
        write("member/Cargo.toml", "[package]\nname = \"member\"");

        for (guest, workspace) in
            [("guests/a", "guests"), ("alone", "alone"), ("member", ""), ("not/there", "")]
        {
            let expected = root.join(workspace).join("target/hookswitch");
            assert_eq!(target_dir(&root.join(guest)), expected, "{guest}");
        }
        let shared = cache_dir().map(|cache| cache.join("guests"));
        for (guest, expected) in
            [("alone", &shared), ("guests/a", &None), ("member", &None), ("not/there", &None)]
        {
            assert_eq!(&shared_build_dir(&root.join(guest)), expected, "{guest}");
        }
        assert!(sets_in_release_profile(&root.join("far/away"), "lto"));
        assert!(!sets_in_release_profile(&root.join("far/away"), "codegen-units"));
        assert!(!sets_in_release_profile(&root.join("alone"), "lto"));
    }
}
