//! Which revisions have their code in memory.
//!
//! Ten thousand handlers may be deployed and a few hundred be called this hour. Code is mapped when it is first needed, so
//! forgetting some costs its next caller a millisecond or two; keeping all would cost memory for ever.

use std::sync::Arc;

use crate::host::Host;
use crate::revision::Revision;

/// Lets go of what was called longest ago, where more than `loaded_max` revisions have their code in memory.
pub fn bound(host: &Host, loaded_max: usize) {
    let mut loaded = loaded(host);
    let too_many = loaded.len().saturating_sub(loaded_max);
    if too_many > 0 {
        loaded.sort_by_key(|revision| revision.used_at_s());
        loaded.iter().take(too_many).for_each(|revision| revision.drop_code());
    }
}

/// The revisions whose code is in memory.
#[must_use]
pub fn loaded(host: &Host) -> Vec<Arc<Revision>> {
    let snapshot = host.router.snapshot();
    let handlers = snapshot.tenants().flat_map(|tenant| tenant.handlers.values());
    let revisions = handlers.flat_map(|handler| handler.revisions.values());
    revisions.filter(|revision| revision.has_code()).cloned().collect()
}
