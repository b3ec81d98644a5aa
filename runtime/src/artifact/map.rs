//! From an artifact's file to a component: proved, then mapped.
//!
//! The file that is mapped is the file that was proved, not one of the same name: it is opened once.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::load::{Facts, LoadError};
use super::seal::{Purpose, SealError};
use super::smoke::SmokeLimits;
use super::store::Store;
use crate::call::TenantId;
use crate::digest::Digest;
use crate::sandbox::{Prepared, Sandbox};

/// What is known of an artifact; sealed with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ArtifactFacts {
    /// Of which component.
    pub component: Digest,
    /// By what it was compiled.
    pub engine: String,
    /// Whose it is alone; none where all tenants share it.
    pub owner: Option<TenantId>,
    /// What loading needs.
    pub facts: Facts,
    /// The interfaces of ours that it exports, sorted.
    pub exports: Vec<String>,
    /// CPU time that compiling took, in milliseconds.
    pub compile_cpu_ms: u64,
    /// Limits under which it was seen to start; none where that was not tried.
    pub started_under: Option<SmokeLimits>,
}

/// Why an artifact can't be loaded. Each is mended by compiling it again.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// There is none for this engine.
    #[error("there is no compiled file for this engine")]
    Missing,
    /// It is not what was written.
    #[error("the compiled file is damaged: {0}")]
    Damaged(#[from] SealError),
    /// It is another's: copied, or renamed.
    #[error("the compiled file is of {0}")]
    Misplaced(String),
    /// The engine does not take it.
    #[error("the compiled file can't be loaded: {0:#}")]
    Engine(wasmtime::Error),
    /// The host's interfaces are others now.
    #[error("the compiled file does not fit this host: {0}")]
    Link(#[from] LoadError),
}

impl From<io::Error> for MapError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::Missing
        } else {
            Self::Damaged(SealError::Unreadable(error))
        }
    }
}

impl Store {
    /// Proves an artifact and reads its facts, and how long it is. Reads the whole file, so call it where blocking is
    /// allowed.
    pub(super) fn prove(
        &self,
        digest: &Digest,
        owner: Option<&TenantId>,
    ) -> Result<(File, ArtifactFacts, u64), MapError> {
        let file = self.artifact(digest, owner)?;
        let (facts, _) = self.key.open::<ArtifactFacts>(Purpose::Artifact, &file)?;
        if facts.component != *digest || facts.engine != self.engine() || facts.owner.as_ref() != owner {
            let whose = facts.owner.map(|owner| format!(" for {owner}")).unwrap_or_default();
            return Err(MapError::Misplaced(format!(
                "component {} by engine {}{whose}",
                facts.component, facts.engine
            )));
        }
        let bytes = file.metadata()?.len();
        Ok((file, facts, bytes))
    }

    /// Loads an artifact. Where blocking is allowed.
    pub(super) fn load(
        &self,
        sandbox: &Sandbox,
        digest: &Digest,
        owner: Option<&TenantId>,
    ) -> Result<Prepared, MapError> {
        let (file, facts, _) = self.prove(digest, owner)?;
        let component = map(&sandbox.engine, &file).map_err(MapError::Engine)?;
        Ok(sandbox.prepare(&component, facts.facts)?)
    }
}

/// Maps a proved artifact.
fn map(engine: &Engine, proved: &File) -> wasmtime::Result<Component> {
    // The engine opens files by name only. This name leads to the very file that is open, whatever has its path now.
    let path = format!("/proc/self/fd/{}", proved.as_raw_fd());
    // JUSTIFICATION: mapping takes a fraction of a millisecond where compiling takes seconds, and serving hosts have no
    // compiler; bench `artifact` has the numbers.
    // SAFETY: `deserialize_file` trusts its bytes. The caller has just proved, by a keyed digest over the whole file, that
    // this host's compile child wrote them for this engine. They lie in a folder that is ours and that nobody else may
    // write to (checked at start); files there are renamed into place complete and never written to afterwards. Uploads are
    // always wasm and do not reach this function.
    #[allow(unsafe_code)]
    let component = unsafe { Component::deserialize_file(engine, path) };
    component
}
