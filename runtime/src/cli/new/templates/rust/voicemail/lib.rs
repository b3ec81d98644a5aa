//! Takes messages: greets, records, thanks, and logs where the recording is.
//!
//! The recording is ready only after the call, so the carrier tells of it in a webhook of its own (`notify`).

use hookswitch_sdk::prelude::*;

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    match call.step() {
        "" => greeting(),
        "thanks" => Ok(Document::new().say("Thank you. We will call you back. Goodbye.").hangup()),
        step => bail!("there is no step {step:?}; which link leads to it?"),
    }
}

fn greeting() -> Result<Document, Error> {
    let longest = config::get_as::<u32>("longest_seconds")?.unwrap_or(60);
    Ok(Document::new()
        .say(config::get("greeting").unwrap_or_else(|| "Hello.".into()))
        .say("Please leave a message after the tone, and press the hash key when you are done.")
        .record(
            Record::new()
                .max_length(longest)
                .finish_on_key("#")
                .action("thanks")
                .recording_status_callback(Link::status_step("recording")),
        )
        .say("I did not hear anything. Goodbye."))
}

/// Hears from the carrier how recordings came out.
#[events]
fn notify(event: &Event) -> Result<(), Error> {
    let recording = event.recording();
    match (recording.url(), recording.duration_seconds()) {
        (Some(url), Some(seconds)) => {
            log::info!("a message of {seconds} s in call {}: {url}", event.subject())
        }
        _ => log::warn!("the message in call {} is {}", event.subject(), event.status()),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
