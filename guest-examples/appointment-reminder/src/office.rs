//! The office's side: appointments in, answers out. Only who has the key comes in.

use crate::{answer_of, days_of};
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::web::{Request, Response};
use std::fmt::Write as _;
use std::time::Duration;

/// An appointment is at most a year ahead.
const AHEAD: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// Lines of one list: each costs an operation, of which an invocation has 1 000.
const LINES: u32 = 900;

pub fn answer(request: &Request) -> Result<Response, Error> {
    if !is_office(request)? {
        return Ok(Response::text("Send the header `authorization: Bearer` with the office's key.\n")
            .with_status(401)
            .with_header("www-authenticate", "Bearer"));
    }
    match request.route() {
        ("GET", "/") => list(request.query().get("day").unwrap_or_default()),
        ("POST" | "DELETE", "/appointments") => change(request),
        _ => Ok(Response::not_found()),
    }
}

/// One appointment, put in or taken out. Doing it twice does no more than once.
fn change(request: &Request) -> Result<Response, Error> {
    let form = request.form();
    let (when, number) = (form.get("when").unwrap_or_default(), form.get("number").unwrap_or_default());
    if !is_time(when) || !is_number(number) {
        let problem = format!(
            "when is {when:?} and number is {number:?}; expected a form such as when=2026-11-24T09:30&number=%2B12025550177\n"
        );
        return Ok(Response::text(problem).with_status(422));
    }
    let key = format!("appointment/{when}/{number}");
    if request.method() == "POST" {
        store::set_for(&key, "", AHEAD)?;
        return Ok(Response::text(format!("{when} {number}\n")).with_status(201));
    }
    store::delete(&key)?;
    store::delete(&answer_of(when, number))?;
    Ok(Response::empty(204))
}

/// Appointments and answers, one in a line: of a day, or all.
fn list(day: &str) -> Result<Response, Error> {
    let page = store::keys(&format!("appointment/{day}"), None, LINES)?;
    let mut text = String::new();
    for (when, number) in page.keys.iter().filter_map(|key| key.strip_prefix("appointment/")?.split_once('/'))
    {
        let answer = store::get(&answer_of(when, number))?.unwrap_or_else(|| b"not called yet".to_vec());
        writeln!(text, "{when} {number} {}", String::from_utf8_lossy(&answer)).context("writing the list")?;
    }
    if page.next.is_some() {
        text.push_str("and more: ask for one day, with ?day=2026-11-24\n");
    }
    Ok(Response::text(text).with_header("cache-control", "no-store"))
}

fn is_office(request: &Request) -> Result<bool, Error> {
    let Some(given) = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "))
    else {
        return Ok(false);
    };
    let key = secrets::get("office-key")?;
    // Looks at every byte, so that the time it takes does not tell how many are right.
    let differences = given.bytes().zip(key.bytes()).fold(0, |all, (given, key)| all | (given ^ key));
    Ok(given.len() == key.len() && differences == 0)
}

/// `2026-11-24T09:30`, by the office's clock: a day that there is, so that a morning's run comes to it.
fn is_time(text: &str) -> bool {
    let shape = text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    if !shape.eq(*b"0000-00-00T00:00") {
        return false;
    }
    let number = |at| text.get(at).and_then(|digits: &str| digits.parse::<u32>().ok()).unwrap_or(u32::MAX);
    let days = days_of(number(0..4), number(5..7));
    (1..=days).contains(&number(8..10)) && number(11..13) < 24 && number(14..16) < 60
}

/// `+12025550177`.
fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}
