//! Answers calls with a menu.
//!
//! Each step of the conversation is a webhook of its own: `action("menu")` makes the carrier come back with the step
//! `menu`. Nothing is remembered in between; where we are is in the link.

use hookswitch_sdk::prelude::*;

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    match call.step() {
        "" => Ok(menu(&config::get("greeting").unwrap_or_default()).redirect("again")),
        "menu" => chosen(call),
        "again" => Ok(menu("Sorry, I did not get that.").say("Goodbye.").hangup()),
        "after-dial" => Ok(after_dial(call)),
        step => bail!("there is no step {step:?}; which link leads to it?"),
    }
}

/// Asks where to go. Without any input the verb behind this is next.
fn menu(first: &str) -> Document {
    Document::new().gather(
        Gather::digits_or_speech()
            .num_digits(1)
            .hints("sales, hours")
            .action("menu")
            .say(first)
            .say("For sales, press 1 or say sales. For our hours, press 2."),
    )
}

fn chosen(call: &Call) -> Result<Document, Error> {
    let said = call.speech().unwrap_or_default().to_lowercase();
    match call.digits() {
        Some("1") => sales(),
        Some("2") => hours(),
        _ if said.contains("sales") => sales(),
        _ if said.contains("hours") => hours(),
        _ => Ok(Document::new().redirect("again")),
    }
}

fn sales() -> Result<Document, Error> {
    let number = config::get("sales").context("no number for sales: add `sales` to [config]")?;
    Ok(Document::new()
        .say("Connecting you to sales.")
        .dial(Dial::to(number).timeout(20).action("after-dial")))
}

fn hours() -> Result<Document, Error> {
    let hours = config::get("hours").context("no hours: add `hours` to [config]")?;
    Ok(Document::new().say(hours).hangup())
}

/// What became of the call to sales.
fn after_dial(call: &Call) -> Document {
    match call.dial_result().status() {
        Some(DialStatus::Completed | DialStatus::Answered) => Document::new().hangup(),
        _ => Document::new().say("Nobody can take your call right now. Please call again.").hangup(),
    }
}

#[cfg(test)]
mod tests;
