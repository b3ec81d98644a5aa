//! Debian's Rust compiler as a guest toolchain, unpacked into the user's cache.
//!
//! Debian ships rustc, the sources of std and a linker for wasm; std is built from these once ([`library`]).
//! The packages are downloaded by apt-get, which checks their signatures, and unpacked into one folder
//! of our own rather than installed: that needs no root, conflicts with nothing, and is undone by deleting
//! the folder. `HOOKSWITCH_CACHE` chooses where; otherwise `hookswitch` in `XDG_CACHE_HOME` or `~/.cache`.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

mod library;

use super::toolchain::ToolchainError;
use super::{BuildProgress, Report};

/// How the folder of an unpacked toolchain begins; the version of `rustc-web` follows.
const PREFIX: &str = "guest-toolchain-";

/// The folder that is being filled. Its name does not begin like that of a whole one.
const PARTIAL: &str = "partial-guest-toolchain";

/// An unpacked toolchain.
#[derive(Debug)]
pub struct Debian {
    usr: PathBuf,
    rustc: PathBuf,
    linker: PathBuf,
    libraries: PathBuf,
}

impl Debian {
    /// The toolchain unpacked in `root`, if it is whole.
    fn open(root: &Path) -> Option<Self> {
        let usr = root.join("usr");
        let linker = find(&usr.join("bin"), |name| name.starts_with("wasm-ld-"))?;
        // The multiarch folder (`x86_64-linux-gnu`, …) is the one with the compiler's library.
        let libraries = find(&usr.join("lib"), |name| name.ends_with("-linux-gnu"))?;
        find(&libraries, |name| name.starts_with("librustc_driver-"))?;
        let rustc = usr.join("bin/rustc");
        rustc.is_file().then_some(Self { usr, rustc, linker, libraries })
    }

    /// Makes `cargo` use this compiler.
    pub fn apply(&self, cargo: &mut Command) {
        cargo
            .env("RUSTC", &self.rustc)
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &self.linker)
            .env("LD_LIBRARY_PATH", self.library_path());
    }

    fn with_library(self, cache: &Path, report: &mut Report<'_>) -> Result<Self, ToolchainError> {
        if !library::is_there(&self.usr) {
            library::build(cache, &self.usr, |cargo| self.apply(cargo), report)?;
        }
        Ok(self)
    }

    /// Our libraries first, what was there behind them.
    fn library_path(&self) -> OsString {
        let mut path = self.libraries.clone().into_os_string();
        if let Some(before) = std::env::var_os("LD_LIBRARY_PATH").filter(|before| !before.is_empty()) {
            path.push(":");
            path.push(before);
        }
        path
    }

    /// Runs compiler and linker once: a library that is missing shows here and not in the middle of a build.
    fn try_out(&self) -> Result<(), ToolchainError> {
        for program in [&self.rustc, &self.linker] {
            run(Command::new(program).arg("--version").env("LD_LIBRARY_PATH", self.library_path()))?;
        }
        Ok(())
    }
}

/// The unpacked toolchain; fetched if there is none.
///
/// # Errors
/// [`ToolchainError::Unavailable`] and [`ToolchainError::Cache`].
pub fn find_or_fetch(report: &mut Report<'_>) -> Result<Debian, ToolchainError> {
    let cache = cache_dir()?;
    if let Some(ready) = newest(&cache).filter(|ready| library::is_there(&ready.usr)) {
        return Ok(ready);
    }
    fs::create_dir_all(&cache).map_err(|cause| cache_error(&cache, cause))?;
    let _lock = lock(&cache, report)?;
    // Another build may have fetched it while we waited for the lock.
    let compiler = match newest(&cache) {
        Some(ready) => ready,
        None => fetch(&cache, report)?,
    };
    compiler.with_library(&cache, report)
}

fn cache_dir() -> Result<PathBuf, ToolchainError> {
    super::cache_dir()
        .ok_or_else(|| unavailable("there is no folder to keep them in; set HOOKSWITCH_CACHE to one"))
}

/// The newest whole toolchain in `cache`. Names are compared as text, which is right until a version grows a digit;
/// then an older one is used, which works as well.
fn newest(cache: &Path) -> Option<Debian> {
    let mut names: Vec<PathBuf> = fs::read_dir(cache)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .map(|entry| entry.path())
        .collect();
    names.sort();
    names.iter().rev().find_map(|path| Debian::open(path))
}

/// Keeps two builds from fetching at once; let go of when dropped, also when the process dies.
fn lock(cache: &Path, report: &mut Report<'_>) -> Result<File, ToolchainError> {
    let path = cache.join("guest-toolchain.lock");
    let error = |cause| cache_error(&path, cause);
    let file = File::create(&path).map_err(error)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            note(report, "waiting for another build, which is fetching the guest toolchain")
        }
        Err(TryLockError::Error(cause)) => return Err(error(cause)),
    }
    file.lock().map_err(error)?;
    Ok(file)
}

/// Downloads and unpacks the packages beside their final place, tries them out, and only then gives the folder
/// its name: an interrupted fetch leaves nothing that looks like a toolchain.
fn fetch(cache: &Path, report: &mut Report<'_>) -> Result<Debian, ToolchainError> {
    note(
        report,
        &format!(
            "no Rust standard library for {} is installed; fetching Debian's compiler to build guests with, once",
            super::toolchain::TARGET
        ),
    );
    let partial = cache.join(PARTIAL);
    remove(&partial)?;
    let root = partial.join("root");
    fs::create_dir_all(&root).map_err(|cause| cache_error(&root, cause))?;
    let packages = download(&partial, report)?;
    let ready = cache.join(format!("{PREFIX}{}", packages.version.replace(['/', ':'], "_")));
    remove(&ready)?;

    note(report, &format!("unpacking into {}", ready.display()));
    for package in &packages.files {
        let file = partial.join(&package.file);
        run(Command::new("dpkg").arg("-x").arg(&file).arg(&root))?;
        fs::remove_file(&file).map_err(|cause| cache_error(&file, cause))?;
    }
    keep_only_std(&root)?;
    Debian::open(&root)
        .ok_or_else(|| unavailable("the packages lack rustc, its library or wasm-ld"))?
        .try_out()?;

    fs::rename(&root, &ready).map_err(|cause| cache_error(&ready, cause))?;
    remove(&partial)?;
    Debian::open(&ready).ok_or_else(|| unavailable("the unpacked toolchain disappeared; build again"))
}

/// The packages to fetch.
struct Packages {
    /// Debian's version of `rustc-web`.
    version: String,
    files: Vec<PackageFile>,
}

/// One `.deb`, as apt-get names it.
struct PackageFile {
    name: String,
    file: String,
    bytes: u64,
}

/// Asks apt which packages make up the toolchain. Names with versions in them come from the dependencies, so that
/// Debian's next compiler is found as well.
fn packages() -> Result<Packages, ToolchainError> {
    let version = apt_cache("rustc-web", "Version")?
        .ok_or_else(|| unavailable("this system's package sources have no rustc-web"))?;
    let library = dependency("libstd-rust-web-dev", "libstd-rust-web-")?;
    let llvm = dependency(&library, "libllvm")?;
    let linker = llvm.replace("libllvm", "lld-");
    let named = ["rustc-web", "libstd-rust-web-dev", &library, "rust-web-src", &llvm, &linker];

    let mut files =
        package_files(Command::new("apt-get").args(["download", "--print-uris", "-qq"]).args(named))?;
    // What the linker and LLVM need beyond what is installed; usually nothing, or a few small libraries.
    let needed = package_files(
        Command::new("apt-get")
            .args(["install", "--print-uris", "-qq", "--no-install-recommends"])
            .args([&llvm, &linker, &library]),
    )?;
    for file in needed {
        if !files.iter().any(|known| known.name == file.name) {
            files.push(file);
        }
    }
    Ok(Packages { version, files })
}

/// The first package that `package` depends on whose name begins with `prefix`.
fn dependency(package: &str, prefix: &str) -> Result<String, ToolchainError> {
    let depends = apt_cache(package, "Depends")?.unwrap_or_default();
    depends
        .split([',', '|'])
        .filter_map(|entry| entry.split_whitespace().next())
        .find(|name| name.starts_with(prefix))
        .map(str::to_owned)
        .ok_or_else(|| unavailable(&format!("package {package} depends on no {prefix}…")))
}

/// One field of what apt knows about `package`; none if it does not know it.
fn apt_cache(package: &str, field: &str) -> Result<Option<String>, ToolchainError> {
    let text = run(Command::new("apt-cache").args(["show", "--no-all-versions", package]))?;
    Ok(text.lines().find_map(|line| Some(line.strip_prefix(field)?.strip_prefix(": ")?.to_owned())))
}

/// Runs apt-get with `--print-uris`; each line of its answer is `'URI' FILE BYTES [HASH]`.
fn package_files(apt_get: &mut Command) -> Result<Vec<PackageFile>, ToolchainError> {
    let answer = run(apt_get)?;
    Ok(answer.lines().filter_map(package_file).collect())
}

fn package_file(line: &str) -> Option<PackageFile> {
    let (_, rest) = line.strip_prefix('\'')?.split_once("' ")?;
    let mut words = rest.split_whitespace();
    let file = words.next()?.to_owned();
    let bytes = words.next()?.parse().ok()?;
    let name = file.split('_').next()?.to_owned();
    Some(PackageFile { name, file, bytes })
}

/// Downloads the packages. A machine whose package lists are missing or old (the files they name are gone from
/// the mirror then) gets new lists first.
fn download(into: &Path, report: &mut Report<'_>) -> Result<Packages, ToolchainError> {
    let has_apt = || Command::new("apt-get").arg("--version").output().is_ok();
    match download_once(into, report) {
        Err(ToolchainError::Unavailable { why }) if has_apt() => {
            note(report, &format!("{why}; updating the package lists (apt-get update) and trying once more"));
            run(Command::new("apt-get").args(["update", "-qq"]))?;
            download_once(into, report)
        }
        done => done,
    }
}

fn download_once(into: &Path, report: &mut Report<'_>) -> Result<Packages, ToolchainError> {
    let packages = packages()?;
    let total: u64 = packages.files.iter().map(|file| file.bytes).sum();
    note(report, &format!("downloading {} Debian packages, {}:", packages.files.len(), megabytes(total)));
    for package in &packages.files {
        note(report, &format!("  {:9} {}", megabytes(package.bytes), package.file));
    }
    let names = packages.files.iter().map(|file| &file.name);
    run(Command::new("apt-get").args(["download", "-qq"]).args(names).current_dir(into))?;
    Ok(packages)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Of the compiler's sources only std's are needed to build std; the rest is four fifths of the folder.
fn keep_only_std(root: &Path) -> Result<(), ToolchainError> {
    let Some(sources) = find(&root.join("usr/src"), |name| name.starts_with("rustc-")) else {
        return Err(unavailable("package rust-web-src has no sources in it"));
    };
    let list = fs::read_dir(&sources).map_err(|cause| cache_error(&sources, cause))?;
    for entry in list.flatten().filter(|entry| entry.file_name() != "library") {
        let path = entry.path();
        let removed = if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(|cause| cache_error(&path, cause))?;
    }
    Ok(())
}

/// Runs a command that must succeed and gives what it printed to standard output.
fn run(command: &mut Command) -> Result<String, ToolchainError> {
    let (status, out, err) = output(command)?;
    if status.success() {
        return Ok(out);
    }
    let program = command.get_program().to_string_lossy();
    let said: Vec<&str> = err.lines().filter(|line| !line.starts_with("W:")).map(str::trim).collect();
    Err(unavailable(&format!("`{program}` failed ({status}): {}", said.join(" "))))
}

/// Runs a command to its end; its standard output and error as text.
fn output(command: &mut Command) -> Result<(ExitStatus, String, String), ToolchainError> {
    // apt's words are read, so they must be English ones.
    command.env("LC_ALL", "C").env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    let output = command.output().map_err(|cause| {
        unavailable(&format!("`{}` could not be started ({cause})", command.get_program().to_string_lossy()))
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status, text(&output.stdout), text(&output.stderr)))
}

/// Removes a folder and what is in it, if it is there.
fn remove(folder: &Path) -> Result<(), ToolchainError> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => Err(cache_error(folder, cause)),
        _ => Ok(()),
    }
}

/// The entry of `dir` whose name `fits`; the last by name if there are several.
fn find(dir: &Path, fits: impl Fn(&str) -> bool) -> Option<PathBuf> {
    fs::read_dir(dir)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(&fits))
        .map(|entry| entry.path())
        .max()
}

fn note(report: &mut Report<'_>, text: &str) {
    report(BuildProgress::Note(text.to_owned()));
}

fn unavailable(why: &str) -> ToolchainError {
    ToolchainError::Unavailable { why: why.trim().to_owned() }
}

fn cache_error(path: &Path, cause: std::io::Error) -> ToolchainError {
    ToolchainError::Cache { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use super::{PARTIAL, PREFIX, newest, package_file};

    #[test]
    fn apt_gets_answer_is_read() {
        let line = "'http://mirror/l/lld-22_1%3a22.1.8-1_amd64.deb' lld-22_1%3a22.1.8-1_amd64.deb 1488000 SHA256:00ff";
        let file = package_file(line).unwrap();
        assert_eq!((file.name.as_str(), file.bytes), ("lld-22", 1_488_000));
        assert_eq!(file.file, "lld-22_1%3a22.1.8-1_amd64.deb");
        for line in ["", "Reading package lists...", "'http://mirror/x'", "'http://mirror/x' x.deb many"] {
            assert!(package_file(line).is_none(), "{line}");
        }
    }

    #[test]
    fn half_a_toolchain_is_none() {
        let cache = tempfile::tempdir().unwrap();
        let fill = |name: &str, files: &[&str]| {
            for file in files {
                let path = cache.path().join(name).join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "").unwrap();
            }
        };
        let whole = ["usr/bin/rustc", "usr/bin/wasm-ld-22", "usr/lib/x86_64-linux-gnu/librustc_driver-1.so"];

        assert!(newest(cache.path()).is_none());
        fill(PARTIAL, &whole);
        fill(&format!("{PREFIX}8"), &whole[..2]);
        assert!(newest(cache.path()).is_none());
        fill(&format!("{PREFIX}7"), &whole);
        assert!(newest(cache.path()).unwrap().rustc.ends_with(format!("{PREFIX}7/usr/bin/rustc")));
    }
}
