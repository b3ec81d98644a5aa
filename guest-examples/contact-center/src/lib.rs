//! A contact center: callers wait in a queue, agents are rung, and whoever waits long may ask to be called back.
//!
//! Nothing here runs between webhooks. The waiting itself drives it: each time a caller's hold music has played once, the
//! carrier asks what is next, and the handler rings an agent who is free ([`agents`]). Callbacks ([`callbacks`]) are
//! driven by a schedule. Who is rung and who wants a callback is in the store, for all calls alike.

mod agents;
mod callbacks;

use hookswitch_sdk::params::QueueResult;
use hookswitch_sdk::prelude::*;

/// The carrier's name for the line; it is made when somebody is put into it.
const QUEUE: &str = "support";

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    match call.step().split_once('/').unwrap_or((call.step(), "")) {
        // An agent who calls in takes callers from his own phone.
        ("", _) if agents::all()?.iter().any(|agent| agent == call.from()) => agents::next_caller(call),
        ("", _) if is_open()? => Ok(welcome()),
        ("", _) => Ok(voicemail("You are calling outside our opening hours.")),
        ("wait", _) => wait(call),
        ("choice", _) if call.digits() == Some("1") => Ok(Document::new().leave()),
        ("choice", _) => Ok(Document::new().redirect("wait")),
        ("connecting", _) => Ok(Document::new().say("Thank you for waiting. You are being connected.")),
        ("left", _) => left(call),
        ("agent", task) => Ok(agents::asked(task)),
        ("accept", task) => agents::answered(call, task),
        ("done", task) => agents::done(call, task),
        ("next", _) => agents::next_caller(call),
        ("thanks", _) => Ok(Document::new().say("Thank you. We will call you back. Goodbye.").hangup()),
        (step, _) => bail!("there is no step {step:?}; which link leads to it?"),
    }
}

/// Hears how calls to agents end and how recordings come out, and runs the schedule.
#[events]
fn notify(event: &Event) -> Result<(), Error> {
    if event.run().is_some() {
        return if is_open()? { callbacks::ring_agents() } else { Ok(()) };
    }
    match event.kind() {
        EventKind::Call if event.status() == "completed" => agents::hung_up(event),
        EventKind::Recording => {
            let url = event.recording().url().unwrap_or("none");
            log::info!("voicemail in call {} is {}: {url}", event.subject(), event.status());
            Ok(())
        }
        _ => Ok(()),
    }
}

fn welcome() -> Document {
    Document::new()
        .say("Thank you for calling Acme support. Please hold the line.")
        .enqueue(Enqueue::new(QUEUE).wait_url("wait").action("left"))
}

/// One round of waiting: rings an agent, tells how long it takes, plays the music once.
fn wait(call: &Call) -> Result<Document, Error> {
    if let Err(error) = agents::ring(call.to(), agents::THE_QUEUE) {
        log::warn!("no agent is rung in this round: {error:?}"); // the caller waits for the next one
    }
    let queue = call.queue();
    let mut place = format!("You are number {} in line.", queue.position().unwrap_or(1));
    let average_s = queue.average_wait_seconds().unwrap_or(0);
    if average_s >= 60 {
        place.push_str(&format!(" People wait about {} minutes.", average_s.div_ceil(60)));
    }
    let mut document = Document::new().say(place);
    let long_s = config::get_as::<u64>("callback_after_s")?.unwrap_or(120);
    if callbacks::possible(call) && queue.waited_seconds().unwrap_or(0).max(average_s) >= long_s {
        let offer = "If you would rather be called back, press 1.";
        document = document.gather(Gather::digits(1).timeout(4).action("choice").say(offer));
    }
    Ok(match config::get("music") {
        Some(music) => document.play(Play::new(&music)),
        None => document.pause(Pause::seconds(20)),
    })
}

/// The caller is not in the queue any more.
fn left(call: &Call) -> Result<Document, Error> {
    Ok(match call.queue().result() {
        Some(QueueResult::Leave) => match callbacks::keep(call) {
            Ok(()) => Document::new()
                .say("We call you back at the number that you are calling from. Goodbye.")
                .hangup(),
            Err(error) => {
                log::error!("a callback to {} could not be kept: {error:?}", call.from());
                voicemail("We could not note your number.")
            }
        },
        Some(QueueResult::QueueFull | QueueResult::SystemError | QueueResult::Error) | None => {
            voicemail("All lines are busy.")
        }
        Some(QueueResult::Bridged) => {
            callbacks::forget(call.from())?; // asked for in an earlier call, and not needed now
            Document::new().hangup()
        }
        Some(_) => Document::new().hangup(),
    })
}

fn voicemail(why: &str) -> Document {
    Document::new()
        .say(why)
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
