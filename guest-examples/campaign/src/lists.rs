//! Lists in, results out: for whoever has the key.

use crate::{KEPT, WAITING, result_of};
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::web::{Request, Response};

/// Numbers of one upload, and lines of one page of results: each costs an operation or three, of which an invocation
/// has 1 000.
const NUMBERS: usize = 300;
const LINES: u32 = 900;

pub fn answer(request: &Request) -> Result<Response, Error> {
    if !has_key(request)? {
        return Ok(Response::text("Send the header `authorization: Bearer` with the campaign's key.\n")
            .with_status(401)
            .with_header("www-authenticate", "Bearer"));
    }
    match request.route() {
        ("POST", "/list") => upload(request, wait),
        ("POST", "/never") => upload(request, |number| Ok(store::set(&format!("never/{number}"), "listed")?)),
        ("GET", "/results") => results(request),
        _ => Ok(Response::not_found()),
    }
}

/// One number in a line, or in the first column. All of it is read before any of it counts.
fn upload(request: &Request, take: impl Fn(&str) -> Result<(), Error>) -> Result<Response, Error> {
    let mut numbers = Vec::new();
    let list = String::from_utf8_lossy(request.body());
    for (index, line) in list.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let written = line.split([',', ';']).next().unwrap_or_default();
        match number(written) {
            Some(number) => numbers.push(number),
            None => {
                let problem =
                    format!("line {}: {written:?} is no number; expected +12025550177\n", index + 1);
                return Ok(Response::text(problem).with_status(422));
            }
        }
    }
    if numbers.len() > NUMBERS {
        let problem = format!("{} numbers at once; send {NUMBERS} at a time\n", numbers.len());
        return Ok(Response::text(problem).with_status(413));
    }
    for number in &numbers {
        take(number)?;
    }
    Ok(Response::text(format!("{} numbers\n", numbers.len())))
}

/// Puts a number among those that wait, unless it is there or was called: a list that is sent twice calls nobody twice.
fn wait(number: &str) -> Result<(), Error> {
    let result = result_of(number);
    let is_new = store::swap_for(&result, None, WAITING.as_bytes(), KEPT)?;
    // An upload that broke off between the two is made whole by the next.
    if is_new || store::get(&result)?.as_deref() == Some(WAITING.as_bytes()) {
        store::set_for(&format!("todo/{number}"), "", KEPT)?;
    }
    Ok(())
}

/// CSV. `link` says where the next page is.
fn results(request: &Request) -> Result<Response, Error> {
    let page = store::keys("result/", request.query().get("after"), LINES)?;
    let mut csv = String::from("number,result\r\n");
    for key in &page.keys {
        // None where it expired just now.
        if let (Some(number), Some(result)) = (key.strip_prefix("result/"), store::get(key)?) {
            csv.push_str(&format!("{number},{}\r\n", String::from_utf8_lossy(&result)));
        }
    }
    let response = Response::of("text/csv; charset=utf-8", csv).with_header("cache-control", "no-store");
    Ok(match page.next {
        Some(next) => {
            let next = format!("{}?after={}", request.link("/results"), next.replace('+', "%2B"));
            response.with_header("link", format!("<{next}>; rel=\"next\""))
        }
        None => response,
    })
}

fn has_key(request: &Request) -> Result<bool, Error> {
    let Some(given) = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "))
    else {
        return Ok(false);
    };
    let key = secrets::get("campaign-key")?;
    // Looks at every byte, so that the time it takes does not tell how many are right.
    let differences = given.bytes().zip(key.bytes()).fold(0, |all, (given, key)| all | (given ^ key));
    Ok(given.len() == key.len() && differences == 0)
}

/// As it is dialled, so that a number has one spelling in every list.
fn number(written: &str) -> Option<String> {
    let plain: String = written.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '"')).collect();
    let digits = plain.strip_prefix('+')?;
    let is_one = (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then_some(plain)
}
