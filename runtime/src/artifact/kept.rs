//! Compiled code that `dev`, `test` and `call` keep for their user, so that what was compiled once starts at once.
//!
//! One folder for all handlers of a user, shared by however many commands run at a time. The code is compiled in this
//! process, because it is the author's own and he waits for it; the files are sealed, proved and mapped as any other, under a
//! key of this folder's own. All of it can be made again: whatever is missing, damaged or of another engine is compiled, and
//! a folder that can't be written to costs time and nothing else.

use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rustix::time::{ClockId, clock_gettime};
use tracing::warn;
use wasmtime::component::Component;

use super::jail::Functions;
use super::load::{Facts, LoadError};
use super::map::{ArtifactFacts, MapError};
use super::partial::Keep;
use super::seal::{Purpose, SealError};
use super::store::{Store, StoreError};
use crate::digest::Digest;
use crate::sandbox::{Prepared, Sandbox, SandboxSettings, fingerprint};

/// What the folder may hold, in bytes, compiled components and functions each. A Rust handler takes 0.5 MB, a language runtime
/// about 50 MB; the ones used longest ago go.
const BYTES_MAX: u64 = 1 << 30;

/// Functions of language runtimes that are kept to be used again, in bytes; a JavaScript engine takes about a quarter.
const FUNCTIONS_BYTES_MAX: u64 = 192 << 20;

/// Components from this size on hold a language runtime, whose functions the next version has as well.
const REUSE_FROM_BYTES: usize = 1 << 20;

/// The file of functions.
const FUNCTIONS: &str = "functions";

/// Compiled code in a folder of the user's.
pub struct Kept {
    store: Store,
}

impl Kept {
    /// Opens `folder`, which holds nothing else, for components that run in `sandbox`. `key` seals what is kept there.
    ///
    /// # Errors
    /// [`StoreError`], where the folder can't be used or is open to others.
    pub fn open(folder: &Path, key: [u8; 32], sandbox: &Sandbox) -> Result<Self, StoreError> {
        Ok(Self { store: Store::open(folder, key, fingerprint(&sandbox.engine))? })
    }

    /// Maps the code of the component in `bytes`, or compiles it, which takes as long as [`Sandbox::load`], and keeps it.
    ///
    /// # Errors
    /// As [`Sandbox::load`]: what is wrong with the component.
    pub fn load(&self, sandbox: &Sandbox, bytes: &[u8]) -> Result<Prepared, LoadError> {
        let digest = Digest::of(bytes);
        match self.mapped(sandbox, &digest) {
            Ok(prepared) => return Ok(prepared),
            Err(MapError::Missing) => {}
            Err(error) => warn!("{error}; it is compiled again"),
        }
        if bytes.len() >= REUSE_FROM_BYTES {
            match self.compile_reusing(&digest, bytes)? {
                // Another engine made it, so it comes here by its file.
                Ok(()) => match self.mapped(sandbox, &digest) {
                    Ok(prepared) => return Ok(prepared),
                    Err(error) => warn!("{error}; it is compiled again"),
                },
                Err(error) => warn!("compiled code is not kept: {error}"),
            }
        }
        let (component, facts) = sandbox.compile_here(bytes)?;
        let prepared = sandbox.prepare(&component, facts.clone())?;
        if let Err(error) = self.keep(&digest, &component, facts, &prepared) {
            warn!("compiled code is not kept: {error}");
        }
        Ok(prepared)
    }

    fn mapped(&self, sandbox: &Sandbox, digest: &Digest) -> Result<Prepared, MapError> {
        let prepared = self.store.load(sandbox, digest, None)?;
        // So that it is not among those used longest ago.
        let _dated = self.store.artifact(digest, None).and_then(|file| file.set_modified(SystemTime::now()));
        Ok(prepared)
    }

    /// Compiles with the functions that earlier compiles made. The outer error is the component's, the inner one ours.
    fn compile_reusing(&self, digest: &Digest, bytes: &[u8]) -> Result<io::Result<()>, LoadError> {
        let functions = Arc::new(self.functions());
        let settings = SandboxSettings { concurrency_max: 1, ..SandboxSettings::default() };
        let compiler = match Sandbox::reusing(&settings, Some(Arc::clone(&functions) as _)) {
            Ok(compiler) => compiler,
            Err(error) => return Ok(Err(io::Error::other(error.to_string()))),
        };
        let (component, facts) = compiler.compile_here(bytes)?;
        let prepared = compiler.prepare(&component, facts.clone())?;
        let kept = self.keep(digest, &component, facts, &prepared);
        let (_, compiled) = functions.counts();
        if kept.is_ok()
            && compiled > 0
            && let Err(error) = self.keep_functions(&functions)
        {
            warn!("compiled functions are not kept for the next time: {error}");
        }
        Ok(kept)
    }

    /// Seals code and gives it its name; makes room for it.
    fn keep(
        &self,
        digest: &Digest,
        component: &Component,
        facts: Facts,
        prepared: &Prepared,
    ) -> io::Result<()> {
        let code = component.serialize().map_err(|error| io::Error::other(format!("{error:#}")))?;
        let output = self.store.new_artifact()?;
        output.file().write_all(&code)?;
        let facts = ArtifactFacts {
            component: *digest,
            engine: self.store.engine().to_owned(),
            owner: None,
            facts,
            exports: prepared.exports().names(),
            compile_cpu_ms: cpu_ms(),
            started_under: None,
        };
        self.store.key.seal(Purpose::Artifact, output.file(), code.len() as u64, &facts)?;
        output.keep_as(&self.store.artifact_name(digest, None), Keep::ForNow)?;
        self.store.forget_oldest(BYTES_MAX)
    }

    fn functions(&self) -> Functions {
        let read = std::fs::File::open(self.store.functions.join(FUNCTIONS)).map_err(SealError::from);
        let proved = read.and_then(|file| {
            let (engine, bytes) = self.store.key.open::<String>(Purpose::Functions, &file)?;
            let mut contents = vec![0; usize::try_from(bytes).unwrap_or_default()];
            std::os::unix::fs::FileExt::read_exact_at(&file, &mut contents, 0)?;
            Ok((engine, contents))
        });
        match proved {
            Ok((engine, contents)) if engine == self.store.engine() => Functions::new(contents),
            // Of another engine, damaged or not there: they are made anew.
            Ok(_) | Err(_) => Functions::default(),
        }
    }

    fn keep_functions(&self, functions: &Functions) -> io::Result<()> {
        let output = self.store.new_functions()?;
        let bytes = functions.write(BufWriter::new(output.file()), FUNCTIONS_BYTES_MAX)?;
        self.store.key.seal(Purpose::Functions, output.file(), bytes, &self.store.engine())?;
        output.keep_as(FUNCTIONS, Keep::ForNow)
    }
}

/// CPU time of this process, which is about what it has compiled.
fn cpu_ms() -> u64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec.unsigned_abs() * 1_000 + spent.tv_nsec.unsigned_abs() / 1_000_000
}
