//! One handler: its sources, and what has become of them so far.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::board::{Board, Problem};
use super::problem;
use super::shop::Workshop;
use super::watch::{Watch, WatchError};
use crate::build::{self, BuildError, BuildProgress, Report};
use crate::call::{InvalidName, RevisionId};
use crate::carrier::twilio::signature::AuthToken;
use crate::digest::Digest;
use crate::handler_toml::HandlerSettings;
use crate::host::{Host, LoadFailure, Strict};
use crate::revision::Revision;
use crate::router::Handler;

/// Revisions that are kept for calls in progress. An author saves often, and each revision holds its machine code.
const REVISIONS_KEPT: usize = 10;

/// Lines of a build command's output that are kept for the board.
const OUTPUT_LINES_KEPT: usize = 60;

/// A handler folder (or component) in a [`Workshop`].
pub struct Workbench {
    shop: Arc<Workshop>,
    path: PathBuf,
    made: Option<Made>,
}

/// What was last made of the sources.
struct Made {
    component: Digest,
    settings: HandlerSettings,
    /// Of the file with the values of its secrets; none where there is none.
    secrets: Option<Digest>,
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
    /// Two handlers with one name.
    #[error(
        "{}: the name {name} is taken by {}; give one of them another `name` in its handler.toml",
        path.display(), other.display()
    )]
    NameTaken {
        /// Where it is.
        path: PathBuf,
        /// Its name.
        name: String,
        /// Where the other is.
        other: PathBuf,
    },
    /// Not a name: a defect of ours.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl Workbench {
    /// A handler that is not built yet.
    #[must_use]
    pub fn new(shop: Arc<Workshop>, path: PathBuf) -> Self {
        shop.add(&path);
        Self { shop, path, made: None }
    }

    /// Builds what is at `path` and puts it in force as revision 1 of tenant `dev`, the only handler of `host`.
    ///
    /// # Errors
    /// [`WorkbenchError`], whose text says what to try.
    pub fn open(
        host: Arc<Host>,
        path: PathBuf,
        token: AuthToken,
        report: &mut Report<'_>,
    ) -> Result<Self, WorkbenchError> {
        let mut bench = Self::new(Workshop::new(host, token, Board::default())?, path);
        bench.rebuild(report)?;
        Ok(bench)
    }

    /// Where its sources are.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The revision that takes new calls; none as long as nothing could be built.
    #[must_use]
    pub fn current(&self) -> Option<&Arc<Revision>> {
        self.made.as_ref().map(|made| &made.handler.stable)
    }

    /// Builds and, where that made another component or other settings than before, puts the next revision in force.
    /// `None`: it came out the same.
    ///
    /// # Errors
    /// [`WorkbenchError`]; the revision in force goes on.
    pub fn rebuild(&mut self, report: &mut Report<'_>) -> Result<Option<Arc<Revision>>, WorkbenchError> {
        self.shop.building(&self.path);
        let mut output = Vec::new();
        let outcome = self.make(&mut |progress| {
            if let BuildProgress::Output(line) = &progress {
                if output.len() == OUTPUT_LINES_KEPT {
                    output.remove(0);
                }
                output.push(line.clone());
            }
            report(progress);
        });
        let why = outcome.as_ref().err().map(|error| self.problem(error, &output));
        self.shop.built(&self.path, why);
        outcome
    }

    /// Begins to watch what the handler is made of.
    ///
    /// # Errors
    /// [`WatchError`], where the system can't watch files.
    pub fn watch(&self) -> Result<Watch, WatchError> {
        // As they are now: they say what a build writes.
        Watch::new(&self.path, HandlerSettings::load(&self.path).ok().as_ref())
    }

    fn make(&mut self, report: &mut Report<'_>) -> Result<Option<Arc<Revision>>, WorkbenchError> {
        let made_by = self.made.as_ref().map(|made| &made.settings.build);
        let built = build::build_if_changed(&self.path, made_by, report)?;
        let component = std::fs::read(&built.component)
            .map_err(|cause| WorkbenchError::Unreadable { path: built.component.clone(), cause })?;
        let component = Digest::of(&component);
        let secrets = std::fs::read(built.settings.local_secrets_file()).ok().map(|text| Digest::of(&text));
        if self.made.as_ref().is_some_and(|made| {
            made.component == component && made.settings == built.settings && made.secrets == secrets
        }) {
            return Ok(None);
        }
        let id = RevisionId(self.current().map_or(1, |revision| revision.id.0 + 1));
        let revision = self
            .shop
            .host
            .load(self.shop.tenant(), id, &built, Strict::Yes)
            .map_err(|cause| WorkbenchError::Load { handler: built.settings.name.to_string(), cause })?;
        // A handler that was renamed is another handler: links of the old name lead nowhere any more.
        let before = self.made.as_ref().map(|made| &made.handler);
        let handler = match before.filter(|handler| handler.stable.handler == revision.handler) {
            None => Handler::new(Arc::clone(&revision)),
            Some(handler) => {
                let mut handler = handler.clone();
                handler.put_in_force(Arc::clone(&revision));
                while handler.revisions.len() > REVISIONS_KEPT {
                    handler.revisions.pop_first();
                }
                handler
            }
        };
        self.shop.put(&self.path, handler.clone()).map_err(|other| WorkbenchError::NameTaken {
            path: self.path.clone(),
            name: built.settings.name.to_string(),
            other,
        })?;
        self.made = Some(Made { component, settings: built.settings, secrets, handler });
        Ok(Some(revision))
    }

    fn problem(&self, error: &WorkbenchError, output: &[String]) -> Problem {
        let folder = if self.path.is_dir() { &self.path } else { self.path.parent().unwrap_or(&self.path) };
        match error {
            WorkbenchError::Build(error) => problem::of_build(folder, error, output),
            _ => Problem { text: error.to_string(), places: Vec::new() },
        }
    }
}
