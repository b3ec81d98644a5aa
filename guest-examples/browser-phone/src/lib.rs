//! A telephone in a web page: it calls out, and rings when somebody calls in.
//!
//! The page and the carrier's SDK are only for who has signed in, and so is the token, which the host makes: the browser sees
//! no credential of the account. What the phone dials comes here as a webhook like any other call, so who may be
//! called, and with which number shown, is decided in [`dial_out`] and not in the browser.

mod page;
mod sign_in;

use hookswitch_sdk::prelude::*;
use hookswitch_sdk::twiml::Client;

#[web]
fn web(request: &web::Request) -> Result<web::Response, Error> {
    let is_in = sign_in::is_in(request)?;
    match request.route() {
        ("GET", "/") if is_in => page::phone(request),
        ("GET", "/") => Ok(page::sign_in(request, 200, "")),
        ("POST", "/sign-in") => sign_in::come_in(request),
        ("POST", "/sign-out") => sign_in::go_out(request),
        ("GET", "/phone.js") if is_in => Ok(page::script()),
        ("GET", "/token") if is_in => token(),
        ("GET", "/phone.js" | "/token") => Ok(web::Response::text("Please sign in.\n").with_status(401)),
        _ => Ok(web::Response::not_found()),
    }
}

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    match call.step() {
        "" => {
            Ok(Document::new()
                .dial(Dial::new().timeout(20).action("missed").client(Client::new(identity()?))))
        }
        "missed" => Ok(missed(call)),
        "thanks" => Ok(Document::new().say("Thank you. We will call you back. Goodbye.").hangup()),
        "out" => dial_out(call),
        "over" => Ok(over(call)),
        step => bail!("there is no step {step:?}; which link leads to it?"),
    }
}

#[events]
fn notify(event: &Event) -> Result<(), Error> {
    if let (EventKind::Recording, Some(url)) = (event.kind(), event.recording().url()) {
        log::info!("a message in call {}: {url}", event.subject());
    }
    Ok(())
}

/// What the phone in the browser dials.
fn dial_out(call: &Call) -> Result<Document, Error> {
    // Only who has a token of ours calls as our client; the webhook is signed, so nobody else can say so.
    if call.from() != format!("client:{}", identity()?) {
        log::warn!("{} is no phone of ours", call.from());
        return Ok(Document::new().reject(Reject::new()));
    }
    let calls_to = config::get("calls_to").unwrap_or_else(|| "+1".into());
    match call.param("Number").and_then(number) {
        Some(number) if number.starts_with(&calls_to) => {
            let shown = config::get("number").context("no `number` in [config]")?;
            Ok(Document::new().dial(Dial::to(number).caller_id(shown).timeout(30).action("over")))
        }
        _ => Ok(Document::new().say(format!("We only call numbers that begin with {calls_to}.")).hangup()),
    }
}

fn over(call: &Call) -> Document {
    match call.dial_result().status() {
        Some(DialStatus::Busy) => Document::new().say("The line is busy.").hangup(),
        Some(DialStatus::NoAnswer) => Document::new().say("Nobody answers.").hangup(),
        Some(DialStatus::Failed) => Document::new().say("That number can't be reached.").hangup(),
        _ => Document::new().hangup(),
    }
}

/// The browser is closed, or nobody sits before it.
fn missed(call: &Call) -> Document {
    if let Some(DialStatus::Completed | DialStatus::Answered | DialStatus::Canceled) =
        call.dial_result().status()
    {
        return Document::new().hangup();
    }
    Document::new().say("Nobody is at the phone. Please leave a message after the tone.").record(
        Record::new()
            .max_length(120)
            .action("thanks")
            .recording_status_callback(Link::status_step("message")),
    )
}

fn token() -> Result<web::Response, Error> {
    let application = config::get("application").context("no `application` in [config]")?;
    match carrier::browser_phone(identity()?).calls_through(application).ttl_s(3_600).token() {
        // Letters, digits and dots, so the JSON needs no escaping.
        Ok(token) => Ok(web::Response::of("application/json", format!("{{\"token\":\"{token}\"}}"))
            .with_header("cache-control", "no-store")),
        Err(why) => {
            log::error!("no token: {why}");
            Ok(web::Response::text("There is no token right now.\n").with_status(503))
        }
    }
}

fn identity() -> Result<String, Error> {
    config::get("identity").context("no `identity` in [config]")
}

/// A number as it is dialled.
fn number(written: &str) -> Option<String> {
    let plain: String = written.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let digits = plain.strip_prefix('+')?;
    let is_one = (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then_some(plain)
}

#[cfg(test)]
mod tests;
