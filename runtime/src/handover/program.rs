//! Starting the binary that shall take over: the one at the path where this one was started.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::TAKE_OVER;

/// What the kernel appends to the path of a running binary that was removed or replaced.
const DELETED: &[u8] = b" (deleted)";

/// How this process was started. Made at the start, before anything changes folder or environment.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    args: Vec<OsString>,
    dir: PathBuf,
}

impl Program {
    /// This process's own.
    ///
    /// # Errors
    /// Where the operating system does not tell the current folder or the running binary.
    pub fn current() -> io::Result<Self> {
        let dir = env::current_dir()?;
        let mut args = env::args_os();
        let name = args.next().unwrap_or_default();
        let path = match started_as(&name, &dir, env::var_os("PATH").as_deref()) {
            Some(path) => path,
            None => undeleted(env::current_exe()?),
        };
        Ok(Self { path, args: args.collect(), dir })
    }

    /// Starts what stands at that path now, with the same arguments and [`TAKE_OVER`].
    ///
    /// Wait for the child: it lives on when this process ends, and what it exits with before that is worth a log line.
    ///
    /// # Errors
    /// Where it can't be started; nothing has changed then.
    pub fn replace(&self) -> io::Result<Child> {
        let same = self.args.iter().filter(|arg| *arg != TAKE_OVER);
        Command::new(&self.path)
            .args(same)
            .arg(TAKE_OVER)
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .kill_on_drop(false)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))
    }
}

/// The path behind the name that a process was started by, found as a shell finds it. Links are kept: whoever replaces a
/// binary by moving a link means the link.
fn started_as(name: &OsStr, dir: &Path, search: Option<&OsStr>) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    if name.as_bytes().contains(&b'/') {
        return Some(dir.join(name));
    }
    let found = env::split_paths(search?).map(|folder| dir.join(folder).join(name));
    found.into_iter().find(|path| path.is_file())
}

/// The path of a binary that may have been replaced while it runs.
fn undeleted(path: PathBuf) -> PathBuf {
    match path.as_os_str().as_bytes().strip_suffix(DELETED) {
        Some(before) if !path.exists() => OsString::from_vec(before.to_vec()).into(),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_looked_for_where_it_was_started_from() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        std::fs::write(dir.join("here"), "").unwrap();
        std::os::unix::fs::symlink("here", dir.join("linked")).unwrap();
        let cases: &[(&str, &str, Option<&str>, Option<PathBuf>)] = &[
            ("absolute", "/opt/hookswitch", None, Some("/opt/hookswitch".into())),
            ("relative", "bin/hookswitch", None, Some(dir.join("bin/hookswitch"))),
            ("searched", "here", Some("/nonexistent:."), Some(dir.join("./here"))),
            ("a link stays one", "linked", Some("."), Some(dir.join("./linked"))),
            ("not found", "gone", Some("/nonexistent"), None),
            ("no search path", "here", None, None),
            ("no name", "", Some("."), None),
        ];
        for (name, started, search, expected) in cases {
            let found = started_as(OsStr::new(started), dir, search.map(OsStr::new));
            assert_eq!(&found, expected, "{name}");
        }
        assert_eq!(undeleted("/opt/x (deleted)".into()), Path::new("/opt/x"));
        let honest = dir.join("y (deleted)");
        std::fs::write(&honest, "").unwrap();
        assert_eq!(undeleted(honest.clone()), honest);
    }
}
