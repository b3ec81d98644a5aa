//! Keeps up with the handlers at a path: builds each when its sources change, takes in new ones, lets go of those removed.
//!
//! A thread for each handler and one that looks for handlers. Nobody waits for them at the end: a build may take minutes, and
//! nothing of it is worth keeping.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::bench::{Workbench, WorkbenchError};
use super::shop::Workshop;
use super::watch::WatchError;
use crate::build::{self, BuildProgress, Found};
use crate::call::RevisionId;
use crate::revision::Revision;

/// How often the folder is looked at. Looking costs a few system calls; asking the system to tell would not see a handler whose
/// files come after its folder.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What happens to a handler.
#[derive(Debug)]
pub enum News {
    /// A line of its build.
    Progress(BuildProgress),
    /// It was built, and this takes its new calls.
    Answers {
        /// The new revision.
        revision: Arc<Revision>,
        /// From when its build began.
        took: Duration,
    },
    /// It does not build, or what was built can't be loaded.
    Failed {
        /// Why.
        error: WorkbenchError,
        /// The revision that goes on.
        in_force: Option<RevisionId>,
    },
    /// Its changes are not seen.
    Unwatched(WatchError),
    /// It was removed.
    Gone,
}

/// Who hears what happens, from several threads, with where the handler is.
pub type Keeper = dyn Fn(&Path, News) + Send + Sync;

/// Begins to keep up with what is at `path`, for as long as the process lives.
///
/// # Errors
/// Where the operating system gives no thread.
pub fn keep_up(shop: Arc<Workshop>, path: PathBuf, tell: Arc<Keeper>) -> io::Result<()> {
    let slots = Arc::new(Slots::new(thread::available_parallelism().map_or(4, usize::from).max(4)));
    thread::Builder::new().name("handlers".into()).spawn(move || look_after(&shop, &path, &tell, &slots))?;
    Ok(())
}

fn look_after(shop: &Arc<Workshop>, path: &Path, tell: &Arc<Keeper>, slots: &Arc<Slots>) {
    let mut known: BTreeMap<PathBuf, Arc<AtomicBool>> = BTreeMap::new();
    loop {
        // A folder that is away for a moment, as while it is checked out anew, is not empty.
        if path.exists() {
            let found = match build::find(path) {
                Found::One(handler) => vec![handler],
                Found::Many(handlers) => handlers,
            };
            known.retain(|handler, gone| {
                let stays = found.contains(handler);
                if !stays {
                    gone.store(true, Ordering::Relaxed);
                    shop.remove(handler);
                    tell(handler, News::Gone);
                }
                stays
            });
            for handler in found {
                if known.contains_key(&handler) {
                    continue;
                }
                let gone = Arc::new(AtomicBool::new(false));
                let bench = Workbench::new(Arc::clone(shop), handler.clone());
                let (tell, slots, told) = (Arc::clone(tell), Arc::clone(slots), Arc::clone(&gone));
                let started = thread::Builder::new()
                    .name("build".into())
                    .spawn(move || keep_up_with(bench, &told, &*tell, &slots));
                // Without a thread now: perhaps at the next look.
                if started.is_ok() {
                    known.insert(handler, gone);
                }
            }
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Builds one handler, and again after each change.
fn keep_up_with(mut bench: Workbench, gone: &AtomicBool, tell: &Keeper, slots: &Slots) {
    let path = bench.path().to_owned();
    loop {
        // Before the build: what is saved while it runs is a change, too.
        let watch = bench.watch();
        let began = Instant::now();
        let outcome = {
            let _slot = slots.take();
            bench.rebuild(&mut |progress| tell(&path, News::Progress(progress)))
        };
        if outcome.is_err() && !path.exists() {
            // Whoever looks for handlers will see that it is gone, unless it comes back before that.
            thread::sleep(LOOK_EVERY);
        }
        if gone.load(Ordering::Relaxed) {
            return;
        }
        match outcome {
            Ok(None) => {}
            Ok(Some(revision)) => tell(&path, News::Answers { revision, took: began.elapsed() }),
            Err(error) => {
                let in_force = bench.current().map(|revision| revision.id);
                tell(&path, News::Failed { error, in_force });
            }
        }
        match watch {
            Ok(watch) if watch.wait(gone) => {}
            Ok(_) => return,
            Err(error) if error.is_missing() => thread::sleep(LOOK_EVERY),
            Err(error) => return tell(&path, News::Unwatched(error)),
        }
    }
}

/// Builds at a time: a folder of twenty handlers shall not start twenty compilers, and a slow one or two shall not keep the others
/// waiting.
struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Slots {
    fn new(count: usize) -> Self {
        Self { free: Mutex::new(count), freed: Condvar::new() }
    }

    fn take(&self) -> Slot<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Slot(self)
    }
}

struct Slot<'a>(&'a Slots);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
