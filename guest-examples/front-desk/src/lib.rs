//! The front desk of a small company: greeting, opening hours, a menu by keys or speech, dialling with
//! voicemail for when nobody answers.
//!
//! Each step of the conversation is a webhook of its own: `action("menu")` makes the carrier come back
//! with the step `menu`. Nothing is remembered in between; where we are is in the link.

use hookswitch_sdk::prelude::*;

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    match call.step() {
        "" if is_open()? => Ok(greeting()),
        "" => Ok(closed()),
        "menu" => chosen(call),
        "again" => Ok(menu(Document::new(), "Sorry, I did not get that.").redirect("voicemail")),
        "after-dial" => after_dial(call),
        "voicemail" => Ok(voicemail("")),
        "thanks" => Ok(Document::new().say("Thank you. We will call you back. Goodbye.").hangup()),
        step => bail!("there is no step {step:?}; which link leads to it?"),
    }
}

/// The carrier tells later how recordings came out.
#[events]
fn notify(event: &Event) -> Result<(), Error> {
    if event.kind() == EventKind::Recording {
        let recording = event.recording();
        match (recording.url(), recording.duration_seconds()) {
            (Some(url), Some(seconds)) => {
                log::info!("voicemail of {seconds} s in call {}: {url}", event.subject())
            }
            _ => log::warn!("voicemail in call {} is {}", event.subject(), event.status()),
        }
    }
    Ok(())
}

fn greeting() -> Document {
    let greeting = config::get("greeting").unwrap_or_else(|| "Welcome.".into());
    menu(Document::new(), &greeting).redirect("again")
}

/// Asks where to go. Without any input the verb behind this is next.
fn menu(document: Document, first: &str) -> Document {
    document.gather(
        Gather::digits_or_speech()
            .num_digits(1)
            .timeout(6)
            .hints("sales, support, message")
            .action("menu")
            .say(first)
            .say("For sales, press 1 or say sales. For support, press 2. To leave a message, press 3."),
    )
}

fn chosen(call: &Call) -> Result<Document, Error> {
    let said = call.speech().unwrap_or_default().to_ascii_lowercase();
    Ok(match call.digits() {
        Some("1") => connect("sales")?,
        Some("2") => connect("support")?,
        Some("3") => voicemail(""),
        _ if said.contains("sales") => connect("sales")?,
        _ if said.contains("support") => connect("support")?,
        _ if said.contains("message") => voicemail(""),
        _ => Document::new().redirect("again"),
    })
}

/// Rings a department whose number is in the settings; what became of it comes to `after-dial`.
fn connect(department: &str) -> Result<Document, Error> {
    let number = config::get(department)
        .with_context(|| format!("no number for {department}: add `{department}` to [config]"))?;
    Ok(Document::new()
        .say(format!("Connecting you to {department}."))
        .dial(Dial::to(number).timeout(20).action("after-dial")))
}

fn after_dial(call: &Call) -> Result<Document, Error> {
    Ok(match call.dial_result().status().context("no DialCallStatus")? {
        DialStatus::Completed | DialStatus::Answered | DialStatus::Canceled => Document::new().hangup(),
        DialStatus::Busy => voicemail("All lines are busy."),
        _ => voicemail("Nobody can take your call right now."),
    })
}

fn closed() -> Document {
    voicemail("You are calling outside our opening hours.")
}

fn voicemail(why: &str) -> Document {
    let document = if why.is_empty() { Document::new() } else { Document::new().say(why) };
    document
        .say("Please leave a message after the tone, and press the hash key when you are done.")
        .record(
            Record::new()
                .max_length(120)
                .finish_on_key("#")
                .action("thanks")
                .recording_status_callback(Link::status_step("voicemail")),
        )
        .say("I did not hear anything. Goodbye.")
}

/// From `open` to `close` o'clock, where clocks are `utc_offset_hours` ahead of UTC; on weekends only if `weekends` says so.
fn is_open() -> Result<bool, Error> {
    let open = config::get_as::<u8>("open")?.unwrap_or(9);
    let close = config::get_as::<u8>("close")?.unwrap_or(17);
    let weekends = config::get_as::<bool>("weekends")?.unwrap_or(false);
    let utc_offset_hours = config::get_as::<i32>("utc_offset_hours")?.unwrap_or(0);
    let local = time::now().local(utc_offset_hours * 60);
    Ok((weekends || !local.weekday.is_weekend()) && (open..close).contains(&local.hour))
}

#[cfg(test)]
mod tests;
