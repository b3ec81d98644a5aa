//! What is in force of all handlers of one `dev`, and what the board says about them.
//!
//! Those who build report here, each for its own path; whatever they report is in the router's snapshot and on the board
//! before they go on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::TENANT;
use super::board::{Board, HandlerView, Problem};
use crate::call::{HandlerName, InvalidName, TenantId};
use crate::carrier::twilio::signature::{AuthToken, Keys};
use crate::host::Host;
use crate::router::{Handler, Snapshot, Tenant};

/// Invocations at one time: as many as the host has, it is the author's alone.
const CONCURRENCY: u32 = 256;

/// All handlers of one `dev`, by where they are.
pub struct Workshop {
    /// Where they run.
    pub host: Arc<Host>,
    /// Whose they are, without handlers.
    tenant: Tenant,
    board: Board,
    benches: Mutex<BTreeMap<PathBuf, Bench>>,
}

struct Bench {
    view: HandlerView,
    handler: Option<Handler>,
}

impl Workshop {
    /// An empty one, whose webhooks are signed with `token`. Handlers of `host` that it had before are gone.
    ///
    /// # Errors
    /// [`InvalidName`]: a defect of ours.
    pub fn new(host: Arc<Host>, token: AuthToken, board: Board) -> Result<Arc<Self>, InvalidName> {
        let keys = Keys { tokens: vec![token], shared: Vec::new() };
        let tenant = Tenant::new(TenantId::new(TENANT)?, keys, None, CONCURRENCY);
        Ok(Arc::new(Self { host, tenant, board, benches: Mutex::default() }))
    }

    /// Whose handlers these are.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant.id
    }

    /// Makes place for the handler at `path`, whose name is not known yet.
    pub(super) fn add(&self, path: &Path) {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let view = HandlerView {
            name,
            path: path.display().to_string(),
            revision: None,
            voice: false,
            messaging: false,
            events: false,
            building: false,
            problem: None,
        };
        let mut benches = self.lock();
        benches.entry(path.to_owned()).or_insert(Bench { view, handler: None });
        self.post(&benches);
    }

    /// Takes the handler at `path` out: its calls are answered no more.
    pub(super) fn remove(&self, path: &Path) {
        let mut benches = self.lock();
        benches.remove(path);
        self.publish(&benches);
        self.post(&benches);
    }

    /// Says that it is being built.
    pub(super) fn building(&self, path: &Path) {
        self.change(path, |bench| bench.view.building = true);
    }

    /// Says that the build is over, and why nothing came of it where that is so.
    pub(super) fn built(&self, path: &Path, problem: Option<Problem>) {
        self.change(path, |bench| {
            bench.view.building = false;
            bench.view.problem = problem;
        });
    }

    /// Puts a handler in force. Not where it was taken out meanwhile.
    ///
    /// # Errors
    /// Where the other handler is that has this name.
    pub(super) fn put(&self, path: &Path, handler: Handler) -> Result<(), PathBuf> {
        let mut benches = self.lock();
        let name: &HandlerName = &handler.stable.handler;
        let same = |bench: &Bench| bench.handler.as_ref().is_some_and(|other| other.stable.handler == *name);
        if let Some((other, _)) = benches.iter().find(|(other, bench)| *other != path && same(bench)) {
            return Err(other.clone());
        }
        if let Some(bench) = benches.get_mut(path) {
            let exports = handler.stable.code().map(|code| code.exports()).unwrap_or_default();
            bench.view.name = name.to_string();
            bench.view.revision = Some(handler.stable.id.0);
            (bench.view.voice, bench.view.messaging, bench.view.events) =
                (exports.voice, exports.messaging, exports.events);
            bench.handler = Some(handler);
        }
        self.publish(&benches);
        self.post(&benches);
        Ok(())
    }

    fn change(&self, path: &Path, change: impl FnOnce(&mut Bench)) {
        let mut benches = self.lock();
        if let Some(bench) = benches.get_mut(path) {
            change(bench);
        }
        self.post(&benches);
    }

    fn publish(&self, benches: &BTreeMap<PathBuf, Bench>) {
        // What `dev` tells to try has the same id each time; its answer shall come from the code of now.
        self.host.duplicates.clear();
        let mut tenant = self.tenant.clone();
        benches.values().filter_map(|bench| bench.handler.clone()).for_each(|handler| tenant.put(handler));
        self.host.router.publish(Snapshot::new([tenant]));
    }

    fn post(&self, benches: &BTreeMap<PathBuf, Bench>) {
        self.board.post(benches.values().map(|bench| bench.view.clone()).collect());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Bench>> {
        // Nothing panics between two halves of a change.
        self.benches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
