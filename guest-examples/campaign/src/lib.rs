//! Calls a list: so many a minute, in office hours, nobody twice, and nobody who does not want to be called.
//!
//! In the store a number's `result/` is the truth: it goes from nothing to `calling` and what came of it, each step by a swap
//! that one invocation wins. `list/` is only the way to those that wait, and `never/` is looked at last thing before a
//! call. Where it can't be known whether a call was placed, it counts as placed: a call too few is a nuisance to us, one
//! too many to somebody else.

mod lists;

use hookswitch_sdk::carrier::CarrierError;
use hookswitch_sdk::params::AnsweredBy;
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::schedule::Run;
use std::time::Duration;

/// How long a list and its results are kept.
pub(crate) const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const CALLING: &str = "calling";
const CALLS_A_MINUTE_MAX: i64 = 30;
/// Numbers that one run looks at, most of which may be done already. Each costs three operations on the store at most,
/// of which an invocation has 1 000.
const LOOKED_AT: usize = 200;

#[web]
fn web(request: &web::Request) -> Result<web::Response, Error> {
    lists::answer(request)
}

#[events]
fn notify(event: &Event) -> Result<(), Error> {
    match (event.run(), event.step(), event.to()) {
        (Some(run), ..) => dial(&run),
        (None, "ended", Some(number)) => {
            let word = if event.status() == "completed" { "hung up" } else { event.status() };
            came_to(number, word)
        }
        _ => Ok(()),
    }
}

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    match call.step() {
        "" => Ok(Document::new().gather(offer("Thank you for calling back.")).say("Goodbye.")),
        "answered" => answered(call),
        "key" if call.digits() == Some("9") => {
            // Who called back is `from`, whom we called is `to`.
            let number = if call.direction() == Direction::Inbound { call.from() } else { call.to() };
            opt_out(number)?;
            came_to(number, "opted out")?;
            Ok(Document::new().say("We will not call you again. Goodbye.").hangup())
        }
        "key" => Ok(Document::new().say("Thank you. Goodbye.").hangup()),
        step => bail!("there is no step {step:?}; which link leads to it?"),
    }
}

/// Who writes STOP is not called either. The carrier has answered such a word already, so we do not.
#[messaging]
fn receive(message: &Message) -> Result<Reply, Error> {
    match message.body().trim().to_ascii_lowercase().as_str() {
        "stop" | "stopall" | "unsubscribe" | "cancel" | "end" | "quit" | "revoke" | "optout" => {
            opt_out(message.from())?;
            Ok(Reply::new())
        }
        "start" | "unstop" => {
            store::delete(&format!("never/{}", message.from()))?;
            Ok(Reply::new())
        }
        _ => Ok(Reply::new().message("Write STOP and we will not call you again.")),
    }
}

/// One minute's calls.
fn dial(run: &Run<'_>) -> Result<(), Error> {
    let most = config::get_as::<i64>("calls_per_minute")?.unwrap_or(10).min(CALLS_A_MINUTE_MAX);
    let from = config::get("from").context("no `from` in [config]")?;
    let mut left = LOOKED_AT;
    for key in store::keys("list/", None, 20)?.keys {
        let list = lists::read(&key)?;
        let mut done = 0;
        for number in list.lines().take(left) {
            if !call(number, &from, run, most)? {
                return lists::shorten(&key, &list, done);
            }
            done += 1;
        }
        lists::shorten(&key, &list, done)?;
        left -= done;
        if left == 0 {
            break;
        }
    }
    Ok(())
}

/// Calls a number unless it was called or does not want it; false where this minute has no call left for it.
fn call(number: &str, from: &str, run: &Run<'_>, most: i64) -> Result<bool, Error> {
    let result = result_of(number);
    if store::get(&result)?.is_some() {
        return Ok(true);
    }
    if store::get(&format!("never/{number}"))?.is_some() {
        store::swap_for(&result, None, b"do not call", KEPT)?;
        return Ok(true);
    }
    // Counted in the store, because a run that fails is tried again within its minute.
    if store::add_for(run.id(), 1, Duration::from_secs(3_600))? > most {
        return Ok(false);
    }
    if !store::swap_for(&result, None, CALLING.as_bytes(), KEPT)? {
        return Ok(true);
    }
    place(number, from)
}

/// Places a call at once or not at all: the outbox would try again, and perhaps at night. False where the tenant may place
/// no more now.
fn place(number: &str, from: &str) -> Result<bool, Error> {
    let call = carrier::call(number).from(from).step("answered").detect_machine(true).timeout_s(25);
    match call.told(Link::status_step("ended")).place() {
        Ok(_) => Ok(true),
        // What became of it is told by its callbacks, if there is a call.
        Err(CarrierError::Unknown(why)) => {
            log::warn!("{number} may have been called: {why}");
            Ok(true)
        }
        Err(CarrierError::Refused(why)) => {
            log::warn!("{number} can't be called: {}", why.message);
            came_to(number, "refused")?;
            Ok(true)
        }
        // Nothing was done: the number waits on. A pace that is reached is no failure, the next minute goes on.
        Err(CarrierError::Limited(why, _)) => {
            waits_on(number)?;
            log::info!("{number} is called in a later minute: {why}");
            Ok(false)
        }
        Err(why) => {
            waits_on(number)?;
            Err(why).with_context(|| format!("calling {number}"))
        }
    }
}

/// Lets a number wait that was not called. In a list of its own, too: while it had a result, the next minute's run may have
/// taken it off the list that it stood in. Who stands in two is called once.
fn waits_on(number: &str) -> Result<(), Error> {
    lists::wait(&[number.to_owned()])?;
    store::delete(&result_of(number))?;
    Ok(())
}

/// What whoever answers hears: who calls, what for, and how to hear no more.
fn answered(call: &Call) -> Result<Document, Error> {
    use AnsweredBy::{Fax, MachineEndBeep, MachineEndOther, MachineEndSilence, MachineStart};
    let text = config::get("text").context("no `text` in [config]")?;
    match call.machine_detection().answered_by() {
        Some(Fax) => {
            came_to(call.to(), "fax")?;
            Ok(Document::new().hangup())
        }
        Some(MachineStart | MachineEndBeep | MachineEndSilence | MachineEndOther) => {
            came_to(call.to(), "machine")?;
            let stop = "To hear no more from us, call this number and press 9.";
            Ok(Document::new().say(format!("This is Acme. {text} {stop}")).hangup())
        }
        _ => {
            came_to(call.to(), "answered")?;
            Ok(Document::new().gather(offer(&format!("This is Acme. {text}"))).say("Goodbye."))
        }
    }
}

fn offer(first: &str) -> Gather {
    Gather::digits(1).timeout(5).action("key").say(first).say("If we shall not call you again, press 9.")
}

fn opt_out(number: &str) -> Result<(), Error> {
    log::info!("{number} opted out");
    // For good: there is no time after which somebody wants it again.
    Ok(store::set(&format!("never/{number}"), "opted out")?)
}

/// Takes down what came of a call. `opted out` is never overwritten, and `calling` is all that the end of a call
/// overwrites: its callback may come before the others or after them.
fn came_to(number: &str, word: &str) -> Result<(), Error> {
    let before: &[&str] = match word {
        "opted out" => &[CALLING, "answered", "machine", "hung up"],
        "answered" | "machine" | "fax" => &[CALLING, "hung up"],
        _ => &[CALLING],
    };
    for expected in before {
        if store::swap_for(&result_of(number), Some(expected.as_bytes()), word.as_bytes(), KEPT)? {
            break;
        }
    }
    Ok(())
}

pub(crate) fn result_of(number: &str) -> String {
    format!("result/{number}")
}

#[cfg(test)]
mod tests;
