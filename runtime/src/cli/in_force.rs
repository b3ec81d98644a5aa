//! Binds a promote or a rollback to what was in force when it was asked for.
//!
//! The host changes releases by itself, too, and may do so while somebody types: "end the canary" would then reach a host
//! that has just ended it, and take the next revision away. So the command looks first, stops where the host acted within the
//! last minute, and sends along the generation that it saw; the host refuses the change where that is another by then.

use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Serialize;

use super::remote::{Client, RemoteError, Repeat};
use crate::call::{HandlerName, TenantId};
use crate::control::model::{Deployed, HandlerView};
use crate::release::ReleaseChange;
use crate::release::change::HOST;

/// How long people go on typing what they meant to do before the host did something, in seconds.
const TYPING_S: i64 = 60;

/// How often a change is asked for whose canary only took its next step meanwhile.
const TRIES: usize = 4;

/// Asks for a change of the release that `stops` lets pass, bound to the generation that it saw.
pub(super) async fn change<B: Serialize>(
    client: &Client<'_>,
    (tenant, handler, what): (&TenantId, &HandlerName, &str),
    stops: impl Fn(&HandlerView) -> Option<String>,
    body: impl Fn(Option<u64>) -> B,
) -> Result<Deployed, RemoteError> {
    let path = ["tenants", tenant.as_str(), "handlers", handler.as_str()];
    let change = ["tenants", tenant.as_str(), "handlers", handler.as_str(), what];
    let mut seen: HandlerView = client.get(&path).await?;
    let mut tried = 0;
    loop {
        tried += 1;
        if let Some(why) = stops(&seen) {
            return Err(RemoteError::Overtaken(why));
        }
        // A host of an earlier version knows nothing of it, and says so by leaving its time out.
        let generation = (!seen.at.is_empty()).then_some(seen.generation);
        let refused = match client.release(Repeat::Unsafe, &change, &body(generation)).await {
            Err(error) if error.status() == Some(StatusCode::CONFLICT.as_u16()) => error,
            done => return done,
        };
        let now: HandlerView = client.get(&path).await?;
        if let Some(why) = stops(&now) {
            return Err(RemoteError::Overtaken(why));
        }
        // A canary that took its next step is the one that was meant; where nothing changed, the refusal is about that.
        let revisions =
            |view: &HandlerView| (view.stable, view.canary.as_ref().map(|canary| canary.revision));
        if now.generation == seen.generation || revisions(&now) != revisions(&seen) || tried == TRIES {
            return Err(refused);
        }
        seen = now;
    }
}

/// What the host did to this handler within the last minute, for who wants to do the same or the opposite.
pub(super) fn overtaken(view: &HandlerView) -> Option<String> {
    let last = view.history.first().filter(|last| last.by == HOST)?;
    let (now, at): (Timestamp, Timestamp) = (view.at.parse().ok()?, last.at.parse().ok()?);
    let ago_s = now.as_second() - at.as_second();
    if ago_s > TYPING_S {
        return None;
    }
    let (did, goes) = match last.change {
        ReleaseChange::TakenBack => (format!("took canary {} back", last.revision), "goes further"),
        ReleaseChange::Promoted => (format!("promoted canary {}", last.revision), "takes it back"),
        ReleaseChange::Released
        | ReleaseChange::CanaryStarted
        | ReleaseChange::CanaryStepped
        | ReleaseChange::RolledBack => return None,
    };
    let further = match view.previous {
        Some(previous) => format!("`hookswitch rollback {} --to {previous}` {goes}", view.handler),
        None => "no revision before it is known".to_owned(),
    };
    Some(format!(
        "the host {did} {} s ago, and revision {} takes all new calls; {further}",
        ago_s.max(0),
        view.stable
    ))
}
