//! Rings a phone for whoever calls.
//!
//! What became of that comes back as a step of its own: `action("after-dial")` makes the carrier ask again.

use hookswitch_sdk::prelude::*;

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    match call.step() {
        "" => ring(),
        "after-dial" => Ok(after_dial(call)),
        step => bail!("there is no step {step:?}; which link leads to it?"),
    }
}

fn ring() -> Result<Document, Error> {
    let number = config::get("number").context("nobody to ring: add `number` to [config]")?;
    let seconds = config::get_as::<u32>("ring_seconds")?.unwrap_or(20);
    Ok(Document::new().dial(Dial::to(number).timeout(seconds).action("after-dial")))
}

fn after_dial(call: &Call) -> Document {
    match call.dial_result().status() {
        Some(DialStatus::Completed | DialStatus::Answered) => Document::new().hangup(),
        Some(DialStatus::Busy) => Document::new().say("The line is busy. Please call again later.").hangup(),
        _ => Document::new().say("Nobody answers. Please call again later.").hangup(),
    }
}

#[cfg(test)]
mod tests;
