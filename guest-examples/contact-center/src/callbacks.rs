//! Callbacks: who wants one, and bringing them to agents.
//!
//! The agent is rung first and the customer only when somebody is there to talk. A callback is one key in the store; the agent
//! whose `delete` finds it makes the call, and puts it back where nobody answers.

use super::agents;
use hookswitch_sdk::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const WANTED: &str = "callback/";
/// Who was not reached so often is given up.
const TRIES_MAX: u32 = 3;
/// How long after an attempt the next one is made, in seconds.
const PAUSE_S: u64 = 15 * 60;
/// A callback later than this is of no use to anybody.
const GOOD_FOR: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// Who wants to be called back; the key has the number.
#[derive(Serialize, Deserialize)]
pub struct Callback {
    /// Our number that was called: the one to show.
    pub from: String,
    /// Not before this moment.
    due_unix_s: u64,
    tries: u32,
}

/// Whether the caller has a number that can be called.
pub fn possible(call: &Call) -> bool {
    call.from().starts_with('+')
}

/// Notes the caller. Who asks twice is called once, when it is the first one's turn.
pub fn keep(call: &Call) -> Result<(), Error> {
    let wanted = Callback { from: call.to().to_owned(), due_unix_s: time::now().unix_seconds(), tries: 0 };
    write(call.from(), &wanted)
}

pub fn forget(number: &str) -> Result<(), Error> {
    store::delete(&format!("{WANTED}{number}"))?;
    Ok(())
}

/// Rings an agent for each callback, the oldest first, as long as agents are free.
pub fn ring_agents() -> Result<(), Error> {
    let now_s = time::now().unix_seconds();
    let mut due = Vec::new();
    for key in store::keys(WANTED, None, 200)?.keys {
        let Some(callback) = store::get_json::<Callback>(&key)? else { continue };
        if callback.due_unix_s <= now_s {
            due.push((callback.due_unix_s, callback.from, key));
        }
    }
    due.sort();
    for (_, from, key) in due {
        if !agents::ring(&from, key.strip_prefix(WANTED).unwrap_or(&key))? {
            break;
        }
    }
    Ok(())
}

/// Takes a callback for the agent of this call; none where it was taken already.
pub fn take(call: &Call, number: &str) -> Result<Option<Callback>, Error> {
    let key = format!("{WANTED}{number}");
    let Some(mut wanted) = store::get_json::<Callback>(&key)? else { return Ok(None) };
    if !store::delete(&key)? {
        return Ok(None);
    }
    wanted.tries += 1;
    log::info!("callback to {number}, attempt {}, in call {}", wanted.tries, call.id());
    session::set_json("callback", &wanted)?; // for `put_back`
    Ok(Some(wanted))
}

/// Nobody answered: again later, but not for ever.
pub fn put_back(number: &str) -> Result<(), Error> {
    let mut wanted: Callback = session::get_json("callback")?.context("no callback in this call")?;
    if wanted.tries >= TRIES_MAX {
        log::warn!("{number} was called back {TRIES_MAX} times and not reached");
        return Ok(());
    }
    wanted.due_unix_s = time::now().unix_seconds() + PAUSE_S;
    write(number, &wanted)
}

/// Notes it unless there is one of this number.
fn write(number: &str, wanted: &Callback) -> Result<(), Error> {
    store::swap_for(&format!("{WANTED}{number}"), None, &serde_json::to_vec(wanted)?, GOOD_FOR)?;
    Ok(())
}
