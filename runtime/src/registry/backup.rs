//! One file from which a host can answer again: its registry at one moment, its keys, the components that it needs, and what
//! handlers keep in stores. What is under way (outbox, sessions, schedules) is not in it: restored later, it would be done twice.
//!
//! SQLite's own online backup reads a consistent state while a host serves and writes, from any process. The copy is checked
//! before it counts. Compiled files are not in it: they are made again from the components.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};

use super::files::{self, Partial, Present};
use super::{FILE_NAME, KEY_FILE, RegistryError, prune, schema};
use crate::digest::Digest;
use crate::state;

/// Files that belong to a host where they exist: the key of links, and the operator's token.
const BESIDE: [&str; 2] = ["pin-key", "operator-token"];

/// The folder of components, named by digest.
const COMPONENTS: &str = "components";

/// How often a copy is made anew because a component that it names was removed meanwhile.
const ATTEMPTS: usize = 3;

/// How long a writer may keep the copy from beginning.
const WAIT: Duration = Duration::from_secs(10);

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BackupReport {
    /// Its size, in bytes.
    pub bytes: u64,
    /// How many components are in it.
    pub components: usize,
    /// Components that revisions need and that are not in the data folder.
    pub missing: Vec<Digest>,
    /// Components in it that are not what their name says.
    pub damaged: Vec<Digest>,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The registry can't be copied.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The handlers' stores can't be copied.
    #[error("the handlers' stores can't be copied: {0}")]
    Store(String),
    /// A file can't be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// Writes a backup of the data folder to `out`, an uncompressed tar file that only its owner may read. Works beside a host that
/// serves from the folder, in this process or another one.
///
/// # Errors
/// [`BackupError`]; what was at `out` before is still there then.
pub fn backup(data: &Path, out: &Path) -> Result<BackupReport, BackupError> {
    let copy = Partial::beside(out);
    let mut attempts = 1..=ATTEMPTS;
    let digests = loop {
        let digests = copy_registry(&data.join(FILE_NAME), &copy.path, out)?;
        let is_there = |digest: &Digest| component_path(data, digest).exists();
        // A revision that was pruned after the copy took its component along; the next copy does not name it.
        if attempts.next().is_none() || digests.iter().all(is_there) {
            break digests;
        }
    };
    let partial = Partial::beside(out);
    let explain = |cause| BackupError::Io { path: out.to_owned(), cause };
    let file = files::create_private(&partial.path).map_err(explain)?;
    let mut archive = Archive::new(file, data)?;
    archive.file(&copy.path, FILE_NAME)?;
    archive.file(&data.join(KEY_FILE), KEY_FILE)?;
    for name in BESIDE {
        if data.join(name).exists() {
            archive.file(&data.join(name), name)?;
        }
    }
    let store = Partial::beside(out);
    if let Some(stores) =
        state::copy(data, &store.path).map_err(|cause| BackupError::Store(cause.to_string()))?
    {
        archive.file(&store.path, stores)?;
    }
    archive.folder(COMPONENTS).map_err(explain)?;
    let mut report = BackupReport { bytes: 0, components: 0, missing: Vec::new(), damaged: Vec::new() };
    for digest in digests {
        match archive.file(&component_path(data, &digest), &format!("{COMPONENTS}/{digest}.wasm")) {
            Ok(found) => {
                report.components += 1;
                if found != digest {
                    report.damaged.push(digest);
                }
            }
            Err(BackupError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                report.missing.push(digest);
            }
            Err(error) => return Err(error),
        }
    }
    let file = archive.finish().map_err(explain)?;
    file.sync_all().map_err(explain)?;
    report.bytes = file.metadata().map_err(explain)?.len();
    partial.put(out, Present::Replace).map_err(explain)?;
    Ok(report)
}

fn component_path(data: &Path, digest: &Digest) -> PathBuf {
    data.join(COMPONENTS).join(format!("{digest}.wasm"))
}

/// Copies the database as it is at one moment, checks the copy, and gives back the components that it names, sorted.
fn copy_registry(from: &Path, to: &Path, out: &Path) -> Result<Vec<Digest>, BackupError> {
    let explain = |cause| BackupError::Io { path: out.to_owned(), cause };
    // The source is only read: a full disk is the copy's.
    let at_source = |error: RegistryError| match error {
        RegistryError::DiskFull { .. } => error.at(out),
        error => error.at(from),
    };
    if !from.exists() {
        return Err(RegistryError::NotFound(format!(
            "{} is not there; say with --data which folder the host serves from",
            from.display()
        ))
        .into());
    }
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(explain(error)),
        _ => {}
    }
    files::create_private(to).map_err(explain)?;
    let source = schema::read_only(from, "").map_err(at_source)?;
    schema::whose(&source).map_err(at_source)?;
    let mut copy = Connection::open_with_flags(to, schema::flags(OpenFlags::SQLITE_OPEN_READ_WRITE))
        .map_err(|error| RegistryError::from(error).at(to))?;
    copy_pages(&source, &mut copy).map_err(at_source)?;
    let digests = {
        let read = || {
            schema::check(&copy)?;
            prune::digests(&copy)
        };
        read().map_err(at_source)?
    };
    copy.close().map_err(|(_, error)| RegistryError::from(error).at(to))?;
    let mut digests: Vec<Digest> = digests.into_iter().collect();
    digests.sort_unstable();
    Ok(digests)
}

fn copy_pages(source: &Connection, copy: &mut Connection) -> Result<(), RegistryError> {
    let begun = Instant::now();
    let backup = Backup::new(source, copy)?;
    loop {
        // All pages in one step: the copy is of one moment, and in this journal mode no writer waits for a reader.
        match backup.step(-1)? {
            StepResult::Done => return Ok(()),
            _ if begun.elapsed() > WAIT => return Err(RegistryError::Locked { path: FILE_NAME.into() }),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// A tar file in the making. Everything in it belongs to the owner of the data folder and is for that user only.
struct Archive {
    builder: tar::Builder<BufWriter<File>>,
    owner: (u64, u64),
    now: u64,
}

impl Archive {
    fn new(file: File, data: &Path) -> Result<Self, BackupError> {
        let found = fs::metadata(data).map_err(|cause| BackupError::Io { path: data.to_owned(), cause })?;
        let owner = (found.uid().into(), found.gid().into());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Ok(Self { builder: tar::Builder::new(BufWriter::new(file)), owner, now })
    }

    fn header(&self, mode: u32, bytes: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_size(bytes);
        header.set_mtime(self.now);
        header.set_uid(self.owner.0);
        header.set_gid(self.owner.1);
        header
    }

    fn folder(&mut self, name: &str) -> io::Result<()> {
        let mut header = self.header(0o700, 0);
        header.set_entry_type(tar::EntryType::Directory);
        self.builder.append_data(&mut header, format!("{name}/"), io::empty())
    }

    /// Adds the file at `path`; gives back the hash of what was added.
    fn file(&mut self, path: &Path, name: &str) -> Result<Digest, BackupError> {
        let explain = |cause| BackupError::Io { path: path.to_owned(), cause };
        let file = File::open(path).map_err(explain)?;
        let bytes = file.metadata().map_err(explain)?.len();
        // Never longer than the header says, whatever somebody appends meanwhile.
        let mut hashing = Hashing { inner: file.take(bytes), hash: Sha256::new(), bytes: 0 };
        let mut header = self.header(0o600, bytes);
        self.builder.append_data(&mut header, name, &mut hashing).map_err(explain)?;
        if hashing.bytes != bytes {
            return Err(explain(io::Error::other("it became shorter while it was read")));
        }
        Ok(Digest::from_bytes(hashing.hash.finalize().into()))
    }

    fn finish(self) -> io::Result<File> {
        self.builder.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)
    }
}

struct Hashing<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        Ok(read)
    }
}
