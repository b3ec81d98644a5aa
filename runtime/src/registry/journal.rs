//! Changes of releases that were made while the registry could not be reached.
//!
//! A rollback must work when the database is locked or gone. It is written here first, one sealed line each, synced before it
//! is acknowledged, and goes into the registry when that is back. Applying twice does no harm: a generation is kept once.
//!
//! Each line is proven by itself and says all of what is in force since then. So a line that can't be read takes no other one
//! with it: the file as it was is kept beside the journal for whoever wants to know, and the host goes on with the rest.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tracing::error;

use super::files::{self, Present};
use super::key::{MasterKey, Sealer};
use super::local::LocalError;
use super::model::PendingChange;
use super::{Registry, RegistryError};
use crate::clock;

/// The journal's file in the data folder.
const FILE_NAME: &str = "pending";

/// The journal of one data folder.
pub struct PendingJournal {
    path: PathBuf,
    sealer: Sealer,
}

/// What waits, while nobody else reads or changes it.
struct Held {
    file: File,
    /// Each with its line as it stands in the file.
    changes: Vec<(Vec<u8>, PendingChange)>,
    /// Whether lines that can't be read are still in the file.
    has_damage: bool,
}

/// What became of a change when the registry was back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The change.
    pub change: PendingChange,
    /// What became of it.
    pub outcome: AppliedAs,
}

/// As in [`Applied`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppliedAs {
    /// It is in force and in the history.
    Kept,
    /// Something newer is in force, or what it is about is gone; with the reason, for people.
    Superseded(String),
}

impl PendingJournal {
    /// Of this data folder. Nothing is read or written yet.
    #[must_use]
    pub fn new(data: &Path, key: &MasterKey) -> Self {
        Self { path: data.join(FILE_NAME), sealer: Sealer::new(key, "registry: pending changes") }
    }

    /// Adds a change; on the disk when this returns.
    ///
    /// # Errors
    /// [`LocalError`]: nothing was added that will be read.
    pub fn append(&self, change: &PendingChange) -> Result<(), LocalError> {
        let append = || {
            let sealed = self.sealer.seal(&[FILE_NAME], &serde_json::to_vec(change)?)?;
            let mut file = self.locked()?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            // A line that a crash or a full disk cut off was never acknowledged.
            let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end as u64 + 1);
            file.set_len(whole)?;
            file.seek(SeekFrom::Start(whole))?;
            let line = format!("{}\n", STANDARD_NO_PAD.encode(sealed));
            file.write_all(line.as_bytes())?;
            file.sync_all()
        };
        append().map_err(LocalError::io(&self.path))
    }

    /// The changes that wait, oldest first. Lines that can't be read are logged and set aside with the whole file, as
    /// `pending.damaged-` and the moment in Unix milliseconds.
    ///
    /// # Errors
    /// [`LocalError::Io`]; never for what stands in the file.
    pub fn read(&self) -> Result<Vec<PendingChange>, LocalError> {
        let held = self.hold()?;
        Ok(held.map_or_else(Vec::new, |held| held.changes.into_iter().map(|(_, change)| change).collect()))
    }

    /// None where there is no journal.
    fn hold(&self) -> Result<Option<Held>, LocalError> {
        if !self.path.exists() {
            return Ok(None);
        }
        let hold = || {
            let mut file = self.locked()?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok((file, bytes))
        };
        let (file, bytes) = hold().map_err(LocalError::io(&self.path))?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').and_then(|end| bytes.get(..end));
        let lines = whole.into_iter().flat_map(|whole| whole.split(|&byte| byte == b'\n'));
        let (mut changes, mut damaged) = (Vec::new(), Vec::new());
        for (line, number) in lines.zip(1_u64..) {
            match self.parse(line) {
                Some(change) => changes.push((line.to_vec(), change)),
                None => damaged.push(number),
            }
        }
        let mut held = Held { file, changes, has_damage: !damaged.is_empty() };
        if held.has_damage {
            let file = self.path.display();
            match self.set_aside(&mut held, &bytes) {
                Ok(aside) => error!(
                    "{file}: lines {damaged:?} are not what this host wrote under its key, the other {} are used; the file as it was is now {}",
                    held.changes.len(),
                    aside.display()
                ),
                Err(why) => error!(
                    "{file}: lines {damaged:?} are not what this host wrote under its key, the other {} are used; the file can't be set aside: {why}",
                    held.changes.len()
                ),
            }
        }
        Ok(Some(held))
    }

    fn parse(&self, line: &[u8]) -> Option<PendingChange> {
        let sealed = STANDARD_NO_PAD.decode(line).ok()?;
        let plain = self.sealer.open(&[FILE_NAME], &sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// Keeps the file as it was under another name, and in the journal what could be read.
    fn set_aside(&self, held: &mut Held, bytes: &[u8]) -> io::Result<PathBuf> {
        // Twice within a millisecond is possible; nothing is overwritten then. Nobody else makes such names: the lock is held.
        let mut names =
            (clock::unix_ms()..).map(|at| self.path.with_file_name(format!("{FILE_NAME}.damaged-{at}")));
        let aside = names.find(|name| !name.exists()).unwrap_or_else(|| self.path.clone());
        files::write_whole(&aside, bytes, Present::Keep)?;
        held.has_damage = false;
        held.write()?;
        Ok(aside)
    }

    /// The file, made if need be, for us alone among all processes until it is closed.
    fn locked(&self) -> io::Result<File> {
        let is_new = !self.path.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)?;
        if is_new {
            files::sync_folder(&self.path)?;
        }
        file.lock()?;
        Ok(file)
    }
}

impl Held {
    /// Leaves `changes` in the file and nothing else, in place: others may wait for the lock of this very file.
    fn write(&mut self) -> io::Result<()> {
        if self.has_damage {
            // What nobody has looked at is not thrown away; to apply the rest once more does no harm.
            return Ok(());
        }
        let text: Vec<u8> = self.changes.iter().flat_map(|(line, _)| [&line[..], b"\n"].concat()).collect();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&text)?;
        self.file.set_len(text.len() as u64)?;
        self.file.sync_all()
    }
}

impl Registry {
    /// Takes over what waits in the journal and empties it: of two changes of one handler the newer generation wins. A change
    /// of a handler that can't be read is logged and waits on, without holding up others.
    ///
    /// # Errors
    /// Where the registry or the journal can't be used; what was not taken over still waits.
    pub fn apply_pending(&self, journal: &PendingJournal) -> Result<Vec<Applied>, RegistryError> {
        // Held to the end, so that nothing is added between reading and emptying.
        let Some(mut held) = journal.hold()? else { return Ok(Vec::new()) };
        let mut applied = Vec::with_capacity(held.changes.len());
        let mut waiting = Vec::new();
        for (line, change) in std::mem::take(&mut held.changes) {
            let outcome = match self.apply(&change) {
                Ok(_) => AppliedAs::Kept,
                Err(why @ RegistryError::Damaged { .. }) => {
                    let (tenant, handler) = (&change.tenant, &change.handler);
                    error!(%tenant, %handler, "a change that was made without the registry waits on: {why}");
                    waiting.push((line, change));
                    continue;
                }
                Err(error) if error.is_unavailable() => return Err(error),
                Err(error) => AppliedAs::Superseded(error.to_string()),
            };
            applied.push(Applied { change, outcome });
        }
        held.changes = waiting;
        held.write().map_err(LocalError::io(&journal.path))?;
        Ok(applied)
    }
}
