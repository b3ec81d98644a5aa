//! One compile: from a kept component, in the jail, to a sealed file under its name.

use std::fs::File;
use std::io;
use std::sync::{Arc, Once};

use metrics::counter;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::artifacts::{AdmitError, Admitted, ArtifactSettings, Made, admitted, disk};
use super::jail::{self, Broken, Compiled, Confined, FunctionFiles, Report, Task};
use super::map::ArtifactFacts;
use super::partial::{Keep, Partial};
use super::seal::{Purpose, SealError};
use super::smoke::SmokeLimits;
use super::store::{Store, blocking};
use crate::call::TenantId;
use crate::digest::Digest;

/// What functions of earlier compiles there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reuse {
    /// The component is small.
    No,
    /// None yet; this compile's are kept.
    First,
    /// Some.
    Known,
}

/// What is known of a file of functions; sealed with it.
#[derive(Debug, Serialize, Deserialize)]
struct FunctionFacts {
    tenant: TenantId,
    engine: String,
}

/// One compile, as the queue runs it.
pub(super) struct Making {
    pub(super) store: Arc<Store>,
    pub(super) settings: ArtifactSettings,
    pub(super) tenant: TenantId,
    pub(super) digest: Digest,
    pub(super) owner: Option<TenantId>,
    pub(super) start_under: Option<SmokeLimits>,
    pub(super) reuse: Reuse,
}

impl Making {
    /// Compiles a component into a sealed file under its name.
    pub(super) async fn make(self) -> Made {
        let component = self.store.component(&self.digest).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => AdmitError::NoComponent(self.digest),
            _ => disk(&error),
        })?;
        let output = self.store.new_artifact().map_err(|error| disk(&error))?;
        let (files, functions) = self.functions().await.map_err(|error| disk(&error))?.unzip();
        let start_under = self.start_under;
        let task = Task { component, output: output.file(), start_under, functions: files };
        let compiled = match jail::compile(&self.settings.jail, task).await {
            Report::Compiled(compiled) => compiled,
            Report::Refused(error) => return Err(AdmitError::Refused(error)),
            Report::Broken(Broken::DiskFull) => return Err(AdmitError::DiskFull),
            Report::Broken(Broken::Other(what)) => return Err(AdmitError::Host(what)),
        };
        if compiled.confined != Confined::Fully {
            static SAID: Once = Once::new();
            SAID.call_once(|| {
                warn!(
                    "this kernel lacks a part of landlock ({:?}); compiles are closed in by limits and a filter on system \
                     calls; Linux 6.12 has all of it",
                    compiled.confined
                );
            });
        }
        if compiled.engine != self.store.engine() {
            return Err(AdmitError::Host(format!(
                "the compiler is of another version: {} compiles for engine {}, this host runs {}",
                self.settings.jail.program.display(),
                compiled.engine,
                self.store.engine()
            )));
        }
        blocking(move || self.keep(compiled, output, functions)).await.map_err(|error| disk(&error))
    }

    /// The files of functions for this compile, and the one that is written.
    async fn functions(&self) -> io::Result<Option<(FunctionFiles, Partial)>> {
        if self.reuse == Reuse::No {
            return Ok(None);
        }
        let (store, tenant) = (Arc::clone(&self.store), self.tenant.clone());
        let bytes_max = self.settings.functions_bytes_max;
        let files = blocking(move || {
            let path = store.functions_path(&tenant);
            let proved = File::open(&path)
                .map_err(SealError::from)
                .and_then(|file| store.key.open::<FunctionFacts>(Purpose::Functions, &file));
            let input = match proved {
                Ok((facts, bytes)) if facts.tenant == tenant && facts.engine == store.engine() => {
                    Some((path, bytes))
                }
                Ok(_) | Err(SealError::Broken | SealError::Facts(_)) => {
                    counter!("hookswitch_artifacts_damaged_total").increment(1);
                    warn!(%tenant, "the file of functions is damaged or another's; it is made anew");
                    None
                }
                Err(SealError::Unreadable(_)) => None,
            };
            let output = store.new_functions()?;
            Ok((FunctionFiles { input, output: output.path().into(), bytes_max }, output))
        });
        files.await.map(Some)
    }

    /// Seals what the child has made and gives it its name.
    fn keep(self, compiled: Compiled, output: Partial, functions: Option<Partial>) -> io::Result<Admitted> {
        let code_bytes = output.file().metadata()?.len();
        if code_bytes != compiled.code_bytes {
            return Err(io::Error::other("the compiler wrote another number of bytes than it says"));
        }
        let facts = ArtifactFacts {
            component: self.digest,
            engine: compiled.engine.clone(),
            owner: self.owner.clone(),
            facts: compiled.facts,
            exports: compiled.exports,
            compile_cpu_ms: compiled.spent.cpu_ms,
            started_under: self.start_under,
        };
        let bytes = self.store.key.seal(Purpose::Artifact, output.file(), code_bytes, &facts)?;
        output.keep_as(&self.store.artifact_name(&self.digest, self.owner.as_ref()), Keep::Durably)?;
        let spent = &compiled.spent;
        counter!("hookswitch_functions_total", "from" => "cache").increment(spent.functions_reused);
        counter!("hookswitch_functions_total", "from" => "compiler").increment(spent.functions_compiled);
        // Nothing is lost with them but time.
        if let Some(functions) = functions
            && compiled.spent.functions_compiled > 0
        {
            let facts = FunctionFacts { tenant: self.tenant.clone(), engine: compiled.engine };
            let kept = functions
                .file()
                .metadata()
                .and_then(|file| {
                    self.store.key.seal(Purpose::Functions, functions.file(), file.len(), &facts)
                })
                .and_then(|_| functions.keep_as(&self.store.functions_name(&self.tenant), Keep::ForNow));
            if let Err(error) = kept {
                warn!(tenant = %self.tenant, "compiled functions are not kept for the next compile: {error}");
            }
        }
        Ok(admitted(facts, bytes, Some(compiled.spent)))
    }
}
