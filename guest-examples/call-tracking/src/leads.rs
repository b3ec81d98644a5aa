//! One lead for each call that is over, brought to a CRM sooner or later.
//!
//! A lead is kept before it is sent, under the call's id, and goes when the CRM has it. A CRM that is down gets it from a
//! later run of the schedule; one that takes it and then fails to say so knows it again by the idempotency key.

use hookswitch_sdk::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Kept until the CRM has it: `lead/{call}`.
const WAITING: &str = "lead/";
/// That the CRM has it, for as long as a callback may still come again: `sent/{call}`.
const SENT: &str = "sent/";
/// What the CRM will never take, for somebody to look at: `refused/{call}`.
const REFUSED: &str = "refused/";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Leads of one run; an invocation may make 32 requests.
const AT_ONCE: u32 = 25;

/// Who called because of what, and what came of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Lead {
    pub call: String,
    pub campaign: String,
    pub from: String,
    pub status: String,
    pub seconds: u64,
}

/// Keeps a lead and tries to send it. The second time that a call's end is told, nothing happens.
pub fn take(lead: &Lead) -> Result<(), Error> {
    let (waiting, sent) = (format!("{WAITING}{}", lead.call), format!("{SENT}{}", lead.call));
    if !store::swap(&waiting, None, Some(&serde_json::to_vec(lead)?))? {
        return Ok(());
    }
    // Looked for after the swap: whoever sends a lead writes `sent` before it removes the lead.
    if store::get(&sent)?.is_some() {
        store::delete(&waiting)?;
        return Ok(());
    }
    if let Err(error) = send(lead) {
        log::warn!("the lead of call {} waits: {error:?}", lead.call);
    }
    Ok(())
}

/// Sends what waits, as the schedule asks for it.
pub fn send_waiting() -> Result<(), Error> {
    for key in store::keys(WAITING, None, AT_ONCE)?.keys {
        let Some(lead) = store::get_json::<Lead>(&key)? else { continue };
        if let Err(error) = send(&lead) {
            log::warn!("the CRM takes no leads, the next run tries again: {error:?}");
            break;
        }
    }
    Ok(())
}

fn send(lead: &Lead) -> Result<(), Error> {
    let crm = config::get("crm").context("no `crm` in [config]")?;
    let answer = http::post(format!("{crm}/leads"))
        .bearer(&secrets::get("crm-key")?)
        .idempotency_key(&lead.call) // also lets the host repeat what failed on the way
        .timeout_ms(800)
        .json(lead)
        .send()?;
    match answer.status() {
        409 => {} // it has this lead: we missed its answer
        400 | 422 => {
            log::error!("the CRM refuses the lead of call {}: {}", lead.call, answer.status());
            store::set_for(&format!("{REFUSED}{}", lead.call), serde_json::to_vec(lead)?, MONTH)?;
        }
        _ => drop(answer.ok()?),
    }
    store::set_for(&format!("{SENT}{}", lead.call), "1", DAY)?;
    store::delete(&format!("{WAITING}{}", lead.call))?;
    Ok(())
}
