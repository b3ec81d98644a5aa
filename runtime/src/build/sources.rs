//! What of a handler's folder is source, and whether a component is as new as its sources.
//!
//! cargo knows this by itself and better. A command line of another language often takes ten seconds to find out that
//! nothing is to be done, so that is found out here. A component gets the time at which its build *began*: what is saved
//! while a build runs is newer than what it makes.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::handler_toml::HandlerSettings;

/// What compilers and package managers write beside sources.
const NOT_SOURCES: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// Folders of the handler's that no build reads.
const NOT_BUILT: [&str; 1] = ["calls"];

/// Folders deeper than this hold no sources; it ends what a link to itself would make endless.
const DEPTH_MAX: usize = 16;

/// Whether a file or folder of this name may be a source: neither hidden nor made by a tool.
#[must_use]
pub fn is_source(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && !name.ends_with('~') && !NOT_SOURCES.contains(&name.as_ref())
}

/// Whether `component` is newer than every file in the handler's folder that may go into it, its settings among these unless
/// they are known not to (`settings_apart`). When in doubt, it is not.
pub(super) fn is_fresh(settings: &HandlerSettings, settings_apart: bool, component: &Path) -> bool {
    let Ok(made) = modified(component) else { return false };
    let folder = settings.file.parent().unwrap_or(Path::new("."));
    let apart = Apart {
        made: component.parent().filter(|made| *made != folder).unwrap_or(component),
        fallback: settings.fallback.as_ref().map(|fallback| fallback.path.as_path()),
        settings: settings_apart.then_some(settings.file.as_path()),
    };
    all_older(folder, made, &apart, DEPTH_MAX).unwrap_or(false)
}

/// Says that `component` was made from what there was at `began`.
pub(super) fn made_from(component: &Path, began: SystemTime) -> io::Result<()> {
    File::options().append(true).open(component)?.set_modified(began)
}

/// What lies among the sources and is none.
struct Apart<'a> {
    made: &'a Path,
    fallback: Option<&'a Path>,
    settings: Option<&'a Path>,
}

impl Apart<'_> {
    fn has(&self, path: &Path) -> bool {
        path == self.made || [self.fallback, self.settings].contains(&Some(path))
    }
}

fn all_older(folder: &Path, made: SystemTime, apart: &Apart<'_>, depth: usize) -> io::Result<bool> {
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if !is_source(&path) || apart.has(&path) {
            continue;
        }
        if !path.is_dir() {
            if modified(&path)? >= made {
                return Ok(false);
            }
        } else if !NOT_BUILT.iter().any(|name| path.ends_with(name)) {
            // A folder's own time tells of files that were removed.
            let inside = depth > 0 && modified(&path)? < made && all_older(&path, made, apart, depth - 1)?;
            if !inside {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn modified(path: &Path) -> io::Result<SystemTime> {
    std::fs::metadata(path)?.modified()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_component_is_fresh_until_a_source_is_saved_or_removed() {
        let folder = tempfile::Builder::new().prefix("handler").rand_bytes(4).tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        let now = SystemTime::now();
        let write = |path: &str, age_s: u64| {
            std::fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            std::fs::write(at(path), "").unwrap();
            made_from(&at(path), now - Duration::from_secs(age_s)).unwrap();
        };
        let age_folder = |path: &str, age_s: u64| {
            File::open(at(path)).unwrap().set_modified(now - Duration::from_secs(age_s)).unwrap();
        };
        write("handler.toml", 50);
        write("src/app.js", 50);
        write("src/old.js", 50);
        age_folder("src", 50);
        write("dist/app.wasm", 20);
        write("dist/bundle.js", 10);
        let settings = HandlerSettings::load(folder.path()).unwrap();
        let component = settings.file.parent().unwrap().join("dist/app.wasm");
        let fresh = || is_fresh(&settings, false, &component);
        assert!(fresh(), "all is older");

        write("calls/menu.toml", 10);
        write("node_modules/x/index.js", 10);
        write(".venv/x.py", 10);
        assert!(fresh(), "no build reads these");

        write("handler.toml", 10);
        assert!(!fresh(), "the command line may be another");
        assert!(is_fresh(&settings, true, &component), "it is known to be the same");
        write("handler.toml", 50);

        write("src/app.js", 10);
        assert!(!fresh(), "a source was saved");
        write("src/app.js", 50);
        age_folder("src", 50);
        assert!(fresh());

        std::fs::remove_file(at("src/old.js")).unwrap();
        assert!(!fresh(), "a source was removed");
        age_folder("src", 50);
        std::fs::remove_file(&component).unwrap();
        assert!(!fresh(), "there is none");
    }
}
