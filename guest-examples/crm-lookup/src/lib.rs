//! Greets callers by name: asks a CRM who calls, and greets them all the same where that takes too long.
//!
//! Somebody hears nothing while we ask, so the question has a budget of time and is asked once. What was found is kept for a
//! day, also that there was nobody; and a CRM that has just failed is left alone, so that the next callers do not wait for it.

use hookswitch_sdk::prelude::*;
use serde::Deserialize;
use std::time::Duration;

/// How long a caller waits to be known, in milliseconds.
const BUDGET_MS: u128 = 800;
/// How long an answer is good.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a CRM that has failed is not asked.
const REST: Duration = Duration::from_secs(30);
/// A longer name is not one to be spoken.
const NAME_CHARS_MAX: usize = 60;

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    match call.step() {
        "" => greet(call),
        "after" => Ok(after(call)),
        step => bail!("there is no step {step:?}; which link leads to it?"),
    }
}

fn greet(call: &Call) -> Result<Document, Error> {
    let agent = config::get("agent").context("no `agent` in [config]")?;
    // Whatever goes wrong with the name is for the log: the call goes on without it.
    let name = find_name(call).unwrap_or_else(|error| {
        log::warn!("greeted without a name: {error:?}");
        None
    });
    let greeting = name.map_or("Welcome.".to_owned(), |name| format!("Welcome back, {name}."));
    Ok(Document::new().say(greeting).dial(Dial::to(agent).timeout(20).action("after")))
}

/// The caller's name: as it was kept, or as the CRM has it; none where nobody knows it.
fn find_name(call: &Call) -> Result<Option<String>, Error> {
    if !call.from().starts_with('+') {
        return Ok(None); // a withheld number, or a browser
    }
    let key = format!("name/{}", call.from());
    if let Some(kept) = store::get_as::<String>(&key)? {
        return Ok(Some(kept).filter(|name| !name.is_empty()));
    }
    if store::get("crm-rests")?.is_some() {
        return Ok(None);
    }
    match ask(call) {
        Ok(name) => {
            if let Err(why) = store::set_for(&key, name.as_deref().unwrap_or_default(), KEPT) {
                log::warn!("the name is not kept: {why}");
            }
            Ok(name)
        }
        Err(error) => {
            store::set_for("crm-rests", "1", REST)?;
            Err(error)
        }
    }
}

#[derive(Deserialize)]
struct Contact {
    name: String,
}

fn ask(call: &Call) -> Result<Option<String>, Error> {
    let crm = config::get("crm").context("no `crm` in [config]")?;
    // Never more than half of what is left: the greeting still has to be made.
    let budget_ms = BUDGET_MS.min(call.time_left().as_millis() / 2);
    let answer = http::get(format!("{crm}/contacts"))
        .query("number", call.from())
        .bearer(&secrets::get("crm-key")?)
        .timeout_ms(u64::try_from(budget_ms)?)
        .once() // a second attempt would have a budget of its own
        .send()?;
    if answer.status() == 404 {
        return Ok(None);
    }
    let contact: Contact = answer.ok()?.json()?;
    let name = contact.name.trim();
    Ok((1..=NAME_CHARS_MAX).contains(&name.chars().count()).then(|| name.to_owned()))
}

fn after(call: &Call) -> Document {
    match call.dial_result().status() {
        Some(DialStatus::Completed | DialStatus::Answered) => Document::new().hangup(),
        _ => Document::new().say("Nobody can take your call right now. Please try again later.").hangup(),
    }
}

#[cfg(test)]
mod tests;
