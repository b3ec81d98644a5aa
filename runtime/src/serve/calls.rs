//! What one process knows of running calls, for the one that takes over.
//!
//! A call whose next webhook has no pin is found by its id; without this it would be a new call to the new process. The table
//! knows revisions by numbers of the old process, so the names go with it.

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::call::{HandlerName, RevisionId, TenantId};
use crate::handover::Blob;
use crate::host::{self, Host};
use crate::router::calls::{Calls, SLOTS};

const TABLE: &str = "calls";

/// The table and the names of the revisions in it.
#[derive(Serialize, Deserialize)]
struct Told {
    revisions: Vec<(u32, TenantId, HandlerName, RevisionId)>,
    /// As [`Calls::snapshot`] gives it, in base64.
    table: String,
}

/// What this process knows.
pub fn to_blob(host: &Host) -> Blob {
    use base64::Engine as _;
    let calls = host.calls.load();
    let in_use = calls.counts(host::minute());
    let snapshot = host.router.snapshot();
    let handlers = snapshot.tenants().flat_map(|tenant| tenant.handlers.values());
    let revisions = handlers
        .flat_map(|handler| handler.revisions.values())
        .filter(|revision| in_use.contains_key(&revision.uid))
        .map(|revision| (revision.uid, revision.tenant.clone(), revision.handler.clone(), revision.id));
    let told = Told {
        revisions: revisions.collect(),
        table: base64::engine::general_purpose::STANDARD.encode(calls.snapshot(host::minute())),
    };
    Blob { name: TABLE.to_owned(), bytes: serde_json::to_vec(&told).unwrap_or_default() }
}

/// Takes up what the process before this one knew. Without it calls go on, on the revision that takes new ones.
pub fn from_blobs(host: &Host, blobs: &[Blob]) {
    let Some(blob) = blobs.iter().find(|blob| blob.name == TABLE) else { return };
    match restored(host, &blob.bytes) {
        Ok(calls) => host.calls.store(std::sync::Arc::new(calls)),
        Err(why) => warn!("what was known of running calls is lost: {why}"),
    }
}

fn restored(host: &Host, bytes: &[u8]) -> Result<Calls, String> {
    use base64::Engine as _;
    let told: Told = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let table =
        base64::engine::general_purpose::STANDARD.decode(&told.table).map_err(|error| error.to_string())?;
    let snapshot = host.router.snapshot();
    let new_uid = |old: u32| {
        let (_, tenant, handler, id) = told.revisions.iter().find(|(uid, ..)| *uid == old)?;
        let handler = snapshot.tenant(tenant.as_str())?.handlers.get(handler.as_str())?;
        Some(handler.revisions.get(id)?.uid)
    };
    Calls::restore(SLOTS, &table, new_uid).map_err(|error| error.to_string())
}
