//! What `dev` knows of its handlers at this moment, for whoever shows it: the phone page, a test.
//!
//! Whoever builds posts here; whoever shows looks when the board has changed. Nothing waits for anybody.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;

/// One handler as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HandlerView {
    /// Its name in URLs; the folder's name as long as it has never been built.
    pub name: String,
    /// Its folder or component.
    pub path: String,
    /// The revision that takes new calls; none as long as nothing could be built.
    pub revision: Option<u32>,
    /// Whether it answers calls.
    pub voice: bool,
    /// Whether it answers messages.
    pub messaging: bool,
    /// Whether it hears status callbacks.
    pub events: bool,
    /// Whether a build is going on.
    pub building: bool,
    /// Why the last build made no revision; none where it did.
    pub problem: Option<Problem>,
}

/// Why there is no new revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What to read: as the terminal shows it.
    pub text: String,
    /// Where to look; may be empty.
    pub places: Vec<Place>,
}

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Relative to the handler's folder where it is in there.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// What is wrong there, in one line.
    pub message: String,
}

/// The handlers of one `dev`, in the order of their names.
#[derive(Debug, Clone)]
pub struct Board(Arc<watch::Sender<Arc<[HandlerView]>>>);

impl Default for Board {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Arc::from([]))))
    }
}

impl Board {
    /// Puts these in the place of all.
    pub fn post(&self, mut handlers: Vec<HandlerView>) {
        handlers.sort_by(|one, other| one.name.cmp(&other.name));
        self.0.send_replace(handlers.into());
    }

    /// What stands there, and later what stands there then.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<[HandlerView]>> {
        self.0.subscribe()
    }
}
