//! Tells when a handler's sources have changed, once for each burst of changes.
//!
//! Editors write a file in several strokes and `git checkout` writes many, so a change counts when it has been quiet
//! for a moment. What a build itself writes must not count, or one build would follow the other for ever.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::build::is_source;
use crate::handler_toml::{BuildMethod, FILE_NAME, HandlerSettings, LOCAL_SECRETS};

/// How long nothing may change before a change counts.
const QUIET: Duration = Duration::from_millis(80);

/// How often whoever waits looks whether there is still something to wait for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why files can't be watched.
#[derive(Debug, thiserror::Error)]
#[error("changes can't be watched ({0}); start again after each change")]
pub struct WatchError(#[from] notify::Error);

impl WatchError {
    /// Whether there is nothing to watch, for now.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match &self.0.kind {
            ErrorKind::PathNotFound => true,
            ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
    }
}

/// Watches the sources of one handler until it is dropped.
pub struct Watch {
    changes: Receiver<()>,
    // Watching ends with it.
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Begins to watch the folder at `path`, or the component there and the settings and secrets beside it. `settings` say what a
    /// build writes; where they can't be read yet, everything counts.
    pub(super) fn new(path: &Path, settings: Option<&HandlerSettings>) -> Result<Self, WatchError> {
        let (changed, changes) = channel();
        // The real path, as events have it.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let only = path.is_file().then(|| path.clone());
        let folder = if only.is_some() { path.parent().unwrap_or(&path).to_owned() } else { path };
        let made = settings.and_then(|settings| match &settings.build {
            // Its folder, where it has one of its own: a build leaves more than the component there.
            BuildMethod::Command { component, .. } => match component.parent() {
                Some(made) if made.starts_with(&folder) && made != folder => Some(made.to_owned()),
                _ => Some(component.clone()),
            },
            BuildMethod::Cargo | BuildMethod::Ready { .. } => None,
        });
        let settings = [FILE_NAME, LOCAL_SECRETS].map(|name| folder.join(name));
        let sources = Sources { settings, folder: folder.clone(), only, made };
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error of the watcher is a reason to look again: it may have missed a change.
            let counts = event.map_or(true, |event| {
                !matches!(event.kind, EventKind::Access(_))
                    && event.paths.iter().any(|path| sources.hold(path))
            });
            if counts {
                // Nobody listens any more only when the process ends.
                let _ended = changed.send(());
            }
        })?;
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
        // Folder by folder, because a target folder may hold more files than the system lets one watch.
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            if entry.path().is_dir() && is_source(&entry.path()) {
                watcher.watch(&entry.path(), RecursiveMode::Recursive)?;
            }
        }
        Ok(Self { changes, _watcher: watcher })
    }

    /// Waits for the next burst of changes to end. `false`: there will be none, or `gone` was set.
    #[must_use]
    pub fn wait(&self, gone: &AtomicBool) -> bool {
        loop {
            match self.changes.recv_timeout(LOOK_EVERY) {
                Ok(()) => break,
                Err(RecvTimeoutError::Timeout) if gone.load(Ordering::Relaxed) => return false,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        loop {
            match self.changes.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }
}

/// Which files a handler is made of.
struct Sources {
    folder: PathBuf,
    /// The component, where there is nothing to build.
    only: Option<PathBuf>,
    /// What the build command writes.
    made: Option<PathBuf>,
    /// What stands beside it, whatever it is.
    settings: [PathBuf; 2],
}

impl Sources {
    fn hold(&self, path: &Path) -> bool {
        if self.settings.iter().any(|settings| path == settings) {
            return true;
        }
        if let Some(only) = &self.only {
            return path == only;
        }
        if self.made.as_deref().is_some_and(|made| path.starts_with(made)) {
            return false;
        }
        path.strip_prefix(&self.folder)
            .is_ok_and(|inside| inside.iter().all(|part| is_source(Path::new(part))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_from_what_tools_write() {
        let sources = Sources {
            folder: "/h".into(),
            only: None,
            made: Some("/h/dist".into()),
            settings: ["/h/handler.toml".into(), "/h/.secrets.toml".into()],
        };
        for (path, expected) in [
            ("/h/src/lib.rs", true),
            ("/h/handler.toml", true),
            ("/h/.secrets.toml", true),
            ("/h/src/.secrets.toml", false),
            ("/h/fallback.xml", true),
            ("/h/target/debug/x", false),
            ("/h/node_modules/a/b.js", false),
            ("/h/.git/index", false),
            ("/h/src/.lib.rs.swp", false),
            ("/h/src/lib.rs~", false),
            ("/h/dist/ivr.wasm", false),
            ("/h/dist/bundle.js", false),
            ("/elsewhere/lib.rs", false),
        ] {
            assert_eq!(sources.hold(Path::new(path)), expected, "{path}");
        }
        let ready = Sources { only: Some("/h/ivr.wasm".into()), made: None, ..sources };
        assert!(ready.hold(Path::new("/h/ivr.wasm")) && ready.hold(Path::new("/h/handler.toml")));
        assert!(!ready.hold(Path::new("/h/notes.txt")));
    }
}
