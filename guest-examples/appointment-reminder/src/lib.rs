//! Calls people the day before their appointment: 1 confirms, 2 asks for another time, a machine gets a message.
//!
//! The office puts an appointment in the store, the morning's runs find it there, and what came of the call is kept beside
//! it. Whoever sets that answer first, from nothing to `calling`, places the call; so runs that are repeated, or overlap,
//! call nobody twice.

mod office;

use hookswitch_sdk::carrier::CarrierError;
use hookswitch_sdk::params::AnsweredBy;
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::schedule::Run;
use std::time::Duration;

/// Calls of one run: an invocation may ask its carrier for 32 things. The 36 runs of a morning call 720, and looking whom
/// they called stays below the 1 000 operations that an invocation has.
const CALLS_OF_A_RUN: usize = 20;
/// What came of a call is kept for so long.
const KEPT: Duration = Duration::from_secs(60 * 24 * 60 * 60);
/// The answer that nobody has given yet.
const CALLING: &str = "calling";

#[web]
fn web(request: &web::Request) -> Result<web::Response, Error> {
    office::answer(request)
}

#[events]
fn notify(event: &Event) -> Result<(), Error> {
    match (event.run(), event.step().strip_prefix("call/"), event.to()) {
        (Some(run), ..) => remind_all(&run),
        (None, Some(when), Some(number)) => ended(when, number, event.status()),
        _ => Ok(()),
    }
}

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    let number = call.to();
    match call.step().split_once('/').unwrap_or((call.step(), "")) {
        ("", _) => connect("Thank you for calling back. We connect you to our office."),
        ("remind", when) => remind(call, when),
        ("answer", when) => match call.digits() {
            Some("1") => {
                store::set_for(&answer_of(when, number), "confirmed", KEPT)?;
                Ok(Document::new().say("Thank you. We look forward to seeing you.").hangup())
            }
            Some("2") => {
                store::set_for(&answer_of(when, number), "wants another time", KEPT)?;
                connect("We connect you to our office, to find another time.")
            }
            _ => Ok(ask(when, "Sorry, that was neither 1 nor 2.")),
        },
        ("silent", when) => {
            store::swap_for(&answer_of(when, number), Some(CALLING.as_bytes()), b"heard, no key", KEPT)?;
            Ok(Document::new().say("We expect you then. Goodbye.").hangup())
        }
        ("office", _) => Ok(after_office(call)),
        _ => bail!("there is no step {:?}; which link leads to it?", call.step()),
    }
}

/// Calls those who have an appointment on the day after this run's, as many as a run may.
fn remind_all(run: &Run<'_>) -> Result<(), Error> {
    let tomorrow = next_day(run.local_time()).context("the run has no date")?;
    let (mut after, mut called) = (None, 0);
    loop {
        let page = store::keys(&format!("appointment/{tomorrow}T"), after.as_deref(), 200)?;
        for key in &page.keys {
            let Some((when, number)) = key.strip_prefix("appointment/").and_then(|rest| rest.split_once('/'))
            else {
                continue;
            };
            let placed = if called == CALLS_OF_A_RUN { Placed::NoMore } else { place(when, number)? };
            match placed {
                Placed::Yes => called += 1,
                Placed::No => {}
                Placed::NoMore => {
                    log::info!("{called} called; the next run goes on");
                    return Ok(());
                }
            }
        }
        after = page.next;
        if after.is_none() {
            log::info!("{called} called for {tomorrow}");
            return Ok(());
        }
    }
}

/// Whether somebody was called.
enum Placed {
    Yes,
    No,
    /// Nor will anybody be in this run.
    NoMore,
}

/// Calls one of them, unless somebody did already.
fn place(when: &str, number: &str) -> Result<Placed, Error> {
    let answer = answer_of(when, number);
    // Most are called already by the later runs of a morning, and looking is cheaper than trying.
    if store::get(&answer)?.is_some() || !store::swap_for(&answer, None, CALLING.as_bytes(), KEPT)? {
        return Ok(Placed::No);
    }
    let placed = carrier::call(number)
        .from(config::get("from").unwrap_or_default())
        .step(&format!("remind/{when}"))
        .detect_machine(true)
        .timeout_s(30)
        .told(Link::status_step(&format!("call/{when}")))
        .place();
    match placed {
        Ok(_) => Ok(Placed::Yes),
        Err(CarrierError::Unknown(why)) => {
            log::warn!("{number} may have been called: {why}");
            Ok(Placed::Yes)
        }
        Err(CarrierError::Refused(why)) => {
            log::warn!("{number} can't be called: {}", why.message);
            store::set_for(&answer, "can't be called", KEPT)?;
            Ok(Placed::No)
        }
        // The pace of the tenant is reached, which is no failure: whoever was not called is found by the next run.
        Err(CarrierError::Limited(why, _)) => {
            store::delete(&answer)?;
            log::info!("{number} is called by a later run: {why}");
            Ok(Placed::NoMore)
        }
        // Nothing was done: the run is tried again, and the next one comes in five minutes.
        Err(why) => {
            store::delete(&answer)?;
            Err(why).with_context(|| format!("calling {number}"))
        }
    }
}

/// What whoever answers hears first.
fn remind(call: &Call, when: &str) -> Result<Document, Error> {
    use AnsweredBy::{Fax, MachineEndBeep, MachineEndOther, MachineEndSilence, MachineStart};
    match call.machine_detection().answered_by() {
        Some(Fax) => Ok(Document::new().hangup()),
        Some(MachineStart | MachineEndBeep | MachineEndSilence | MachineEndOther) => {
            store::swap_for(&answer_of(when, call.to()), Some(CALLING.as_bytes()), b"message left", KEPT)?;
            let message = format!("{} If you can't come, please call this number. Goodbye.", sentence(when));
            Ok(Document::new().say(message).hangup())
        }
        _ => Ok(ask(when, &sentence(when))),
    }
}

fn ask(when: &str, first: &str) -> Document {
    let gather = Gather::digits(1).timeout(8).action(Link::step(&format!("answer/{when}")));
    Document::new()
        .gather(gather.say(first).say("To confirm, press 1. To ask for another time, press 2."))
        .redirect(Link::step(&format!("silent/{when}")).as_str())
}

fn sentence(when: &str) -> String {
    let (_, time) = when.split_once('T').unwrap_or_default();
    format!("This is Acme. You have an appointment with us tomorrow at {time}.")
}

fn connect(first: &str) -> Result<Document, Error> {
    let office = config::get("office").context("no `office` in [config]")?;
    Ok(Document::new().say(first).dial(Dial::to(office).timeout(20).action("office")))
}

fn after_office(call: &Call) -> Document {
    match call.dial_result().status() {
        Some(DialStatus::Completed | DialStatus::Answered | DialStatus::Canceled) => Document::new().hangup(),
        _ => Document::new().say("Nobody is free right now. We will call you. Goodbye.").hangup(),
    }
}

/// The call is over. An answer that was given stays, in whatever order this comes.
fn ended(when: &str, number: &str, status: &str) -> Result<(), Error> {
    let word = if status == "completed" { "hung up" } else { status };
    store::swap_for(&answer_of(when, number), Some(CALLING.as_bytes()), word.as_bytes(), KEPT)?;
    Ok(())
}

fn answer_of(when: &str, number: &str) -> String {
    format!("answer/{when}/{number}")
}

/// The day after that of `2026-02-28T09:00:00-05:00`.
fn next_day(local_time: &str) -> Option<String> {
    let mut parts = local_time.split('T').next()?.split('-').map(str::parse::<u32>);
    let (Ok(year), Ok(month), Ok(day)) = (parts.next()?, parts.next()?, parts.next()?) else { return None };
    let (year, month, day) = match (month, day) {
        (12, 31) => (year + 1, 1, 1),
        (_, day) if day == days_of(year, month) => (year, month + 1, 1),
        _ => (year, month, day + 1),
    };
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// How many days a month has; none where there is no such month.
fn days_of(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
