//! A web form that rings its visitor: whoever answers and presses 1 is joined with sales.
//!
//! Anybody can fill in the form, with anybody's number and as often as he likes. So a form is worth one call, however
//! often it is sent; a number, a visitor and a day have so many calls; only numbers of one country are called; and nobody is
//! joined before he has pressed a key, which neither a machine nor someone who asked for nothing does.

mod page;

use hookswitch_sdk::carrier::CarrierError;
use hookswitch_sdk::prelude::*;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[web]
fn web(request: &web::Request) -> Result<web::Response, Error> {
    match request.route() {
        ("GET", "/") => Ok(page::form(&request.link("/call"), &form_id())),
        ("POST", "/call") => ask(request),
        ("GET", "/thanks") => Ok(page::tell(200, "Your phone will ring in a moment.")),
        _ => Ok(web::Response::not_found()),
    }
}

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    match call.step() {
        "" => Ok(Document::new().say("Please visit our web page, and we will call you.").hangup()),
        "visitor" => Ok(Document::new()
            .gather(
                Gather::digits(1)
                    .timeout(8)
                    .action("join")
                    .say("This is Acme. You asked us to call. To talk to sales, press 1."),
            )
            .say("Goodbye.")
            .hangup()),
        "join" if call.digits() == Some("1") => join(),
        "join" => Ok(Document::new().say("Then we will not keep you. Goodbye.").hangup()),
        "joined" => Ok(joined(call)),
        step => bail!("there is no step {step:?}; which link leads to it?"),
    }
}

/// One form: checked, counted, and worth one call.
fn ask(request: &web::Request) -> Result<web::Response, Error> {
    let fields = request.form();
    let Some(number) = fields.get("number").and_then(number) else {
        return Ok(page::tell(
            422,
            "That is no number that we can call. Please write it as +1 202 555 0123.",
        ));
    };
    let Some(form) =
        fields.get("form").filter(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))
    else {
        return Ok(page::tell(400, "Please open our page again and fill in the form there."));
    };
    // Whoever sets this first places the call. A browser that sends the form again is thanked again, and that is all.
    let claim = format!("form/{form}");
    if !store::swap_for(&claim, None, b"", DAY)? {
        return Ok(web::Response::see_other(request.link("/thanks")));
    }
    if let Some(what) = too_many(&number, request.client())? {
        log::warn!("no call: the limit {what} is used up");
        return Ok(page::tell(429, "We have called a lot already. Please try again tomorrow."));
    }
    match place(&number) {
        // Of a call that nobody knows of, it may be that it rings: not asking again is what keeps it one call.
        Ok(_) | Err(CarrierError::Unknown(_)) => Ok(web::Response::see_other(request.link("/thanks"))),
        Err(CarrierError::Refused(why)) => {
            log::warn!("{number} was refused: {}", why.message);
            Ok(page::tell(422, "This number can't be called."))
        }
        // Nothing was done, so the same form may try again.
        Err(why @ (CarrierError::Limited(..) | CarrierError::Unavailable(_))) => {
            log::error!("no call: {why}");
            store::delete(&claim)?;
            Ok(page::tell(503, "We can't call right now. Please try again in a few minutes."))
        }
        Err(why) => Err(why).context("`from` in [config] has to be a number of this tenant"),
    }
}

fn place(number: &str) -> carrier::Result<String> {
    let from = config::get("from").unwrap_or_default();
    carrier::call(number).from(from).step("visitor").timeout_s(25).place()
}

/// Which limit is used up, after one call more. The widest comes last, so that one visitor does not use it up for all.
fn too_many(number: &str, client: &str) -> Result<Option<&'static str>, Error> {
    let all = [
        ("per_number", format!("calls/to/{number}"), 3),
        ("per_visitor", format!("calls/for/{client}"), 5),
        ("per_day", "calls/all".to_owned(), 200),
    ];
    for (limit, key, default) in all {
        let most = config::get_as::<i64>(limit)?.unwrap_or(default);
        if store::add_for(&key, 1, DAY)? > most {
            return Ok(Some(limit));
        }
    }
    Ok(None)
}

/// A number as it is dialled, of those that are called.
fn number(written: &str) -> Option<String> {
    let plain: String = written.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let digits = plain.strip_prefix('+')?;
    let is_one = (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let calls_to = config::get("calls_to").unwrap_or_else(|| "+1".into());
    (is_one && plain.starts_with(&calls_to)).then_some(plain)
}

fn form_id() -> String {
    random::bytes(16).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn join() -> Result<Document, Error> {
    let sales = config::get("sales").context("no `sales` in [config]")?;
    Ok(Document::new().say("One moment, please.").dial(Dial::to(sales).timeout(20).action("joined")))
}

fn joined(call: &Call) -> Document {
    match call.dial_result().status() {
        Some(DialStatus::Completed | DialStatus::Answered | DialStatus::Canceled) => Document::new().hangup(),
        _ => {
            log::warn!("nobody in sales took the call to {}", call.to());
            Document::new().say("All of us are talking. We have your number and will call again.").hangup()
        }
    }
}

#[cfg(test)]
mod tests;
