//! A handler under its author's hands: built, served, and swapped when its sources change.
//!
//! The same host and the same swap as anywhere: a change that builds becomes the next revision and takes new calls, a
//! call in progress stays on the revision it began with, and a change that does not build leaves everything as it was.
//!
//! What to print about it is `cli`'s business.

pub mod board;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

pub use self::watch::{Watch, WatchError};
use crate::build::{self, BuildError, BuiltHandler, Report};
use crate::call::{InvalidName, RevisionId, TenantId};
use crate::carrier::twilio::signature::{AuthToken, Keys};
use crate::handler_toml::HandlerSettings;
use crate::host::{Host, LoadFailure, Strict};
use crate::revision::Revision;
use crate::router::{Handler, Snapshot, Tenant};

/// Revisions that are kept for calls in progress. An author saves often, and each revision holds its machine code.
const REVISIONS_KEPT: usize = 10;

/// Invocations at one time: as many as the host has, it is the author's alone.
const CONCURRENCY: u32 = 256;

/// The tenant that `dev` serves.
pub const TENANT: &str = "dev";

/// One handler folder (or component) and what has become of it so far.
pub struct Workbench {
    host: Arc<Host>,
    path: PathBuf,
    tenant: TenantId,
    keys: Keys,
    component: Vec<u8>,
    settings: HandlerSettings,
    handler: Handler,
}

/// Why there is no revision, or no new one.
#[derive(Debug, thiserror::Error)]
pub enum WorkbenchError {
    /// It does not build.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It builds and can't be loaded.
    #[error("{handler}: {cause}")]
    Load {
        /// Which handler.
        handler: String,
        /// Why.
        cause: LoadFailure,
    },
    /// The component went away between building and reading it.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// Its file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Not a name: a defect of ours.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl Workbench {
    /// Builds what is at `path` and puts it in force as revision 1 of tenant `dev`.
    ///
    /// # Errors
    /// [`WorkbenchError`], whose text says what to try.
    pub fn open(
        host: Arc<Host>,
        path: PathBuf,
        token: AuthToken,
        report: &mut Report<'_>,
    ) -> Result<Self, WorkbenchError> {
        let tenant = TenantId::new(TENANT)?;
        let built = build::build(&path, report)?;
        let component = read(&built)?;
        let revision = load(&host, &tenant, RevisionId(1), &built)?;
        let keys = Keys { tokens: vec![token], shared: Vec::new() };
        let handler = Handler::new(revision);
        let bench = Self { host, path, tenant, keys, component, settings: built.settings, handler };
        bench.publish();
        Ok(bench)
    }

    /// The revision that takes new calls.
    #[must_use]
    pub fn current(&self) -> &Arc<Revision> {
        &self.handler.stable
    }

    /// Builds again and, where that made another component or other settings, puts the next revision in force.
    /// `None`: it came out the same.
    ///
    /// # Errors
    /// [`WorkbenchError`]; the revision in force goes on.
    pub fn rebuild(&mut self, report: &mut Report<'_>) -> Result<Option<Arc<Revision>>, WorkbenchError> {
        let built = build::build(&self.path, report)?;
        let component = read(&built)?;
        if component == self.component && built.settings == self.settings {
            return Ok(None);
        }
        let id = RevisionId(self.handler.stable.id.0 + 1);
        let revision = load(&self.host, &self.tenant, id, &built)?;
        // A handler that was renamed is another handler: links of the old name lead nowhere any more.
        if revision.handler == self.handler.stable.handler {
            self.handler.put_in_force(Arc::clone(&revision));
            while self.handler.revisions.len() > REVISIONS_KEPT {
                self.handler.revisions.pop_first();
            }
        } else {
            self.handler = Handler::new(Arc::clone(&revision));
        }
        (self.component, self.settings) = (component, built.settings);
        self.publish();
        Ok(Some(revision))
    }

    /// Begins to watch what the handler is made of.
    ///
    /// # Errors
    /// [`WatchError`], where the system can't watch files.
    pub fn watch(&self) -> Result<Watch, WatchError> {
        Watch::new(&self.path, &self.settings)
    }

    fn publish(&self) {
        // What `dev` tells to try has the same id each time; its answer shall come from the code of now.
        self.host.duplicates.clear();
        let mut tenant = Tenant::new(self.tenant.clone(), self.keys.clone(), None, CONCURRENCY);
        tenant.put(self.handler.clone());
        self.host.router.publish(Snapshot::new([tenant]));
    }
}

fn read(built: &BuiltHandler) -> Result<Vec<u8>, WorkbenchError> {
    std::fs::read(&built.component)
        .map_err(|cause| WorkbenchError::Unreadable { path: built.component.clone(), cause })
}

fn load(
    host: &Host,
    tenant: &TenantId,
    id: RevisionId,
    built: &BuiltHandler,
) -> Result<Arc<Revision>, WorkbenchError> {
    host.load(tenant, id, built, Strict::Yes)
        .map_err(|cause| WorkbenchError::Load { handler: built.settings.name.to_string(), cause })
}
