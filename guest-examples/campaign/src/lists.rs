//! Lists in, results out: for whoever has the key.

use crate::{KEPT, result_of};
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::web::{Request, Response};
use std::collections::BTreeSet;

/// Numbers of one upload, and lines of one page of results: each costs an operation on the store, of which an
/// invocation has 1 000.
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
        ("POST", "/never") => upload(request, never),
        ("GET", "/results") => results(request),
        _ => Ok(Response::not_found()),
    }
}

/// One number in a line, or in the first column. All of it is read before any of it counts.
fn upload(request: &Request, take: fn(&[String]) -> Result<(), Error>) -> Result<Response, Error> {
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
    if !numbers.is_empty() {
        take(&numbers)?;
    }
    Ok(Response::text(format!("{} numbers\n", numbers.len())))
}

/// Lets them wait, behind those that do: one value, so that either all of them count or none. Who was called already is
/// found when it is their turn: a list that is sent twice calls nobody twice.
pub fn wait(numbers: &[String]) -> Result<(), Error> {
    let mut at_ms = time::now().unix_ms();
    // Another list may have come within the same millisecond.
    while !store::swap_for(&format!("list/{at_ms:013}"), None, numbers.join("\n").as_bytes(), KEPT)? {
        at_ms += 1;
    }
    Ok(())
}

/// Lets none of them be called. A value each, because each stays for good; where it breaks off, sending it again is no harm.
fn never(numbers: &[String]) -> Result<(), Error> {
    for number in numbers {
        store::set(&format!("never/{number}"), "listed")?;
    }
    Ok(())
}

/// The numbers that wait in a list, a line each.
pub fn read(key: &str) -> Result<String, Error> {
    // None where another run has come to its end meanwhile.
    Ok(store::get(key)?.map(|list| String::from_utf8_lossy(&list).into_owned()).unwrap_or_default())
}

/// Takes the first `done` numbers off a list. A run that ends before it finds them again, with their results.
pub fn shorten(key: &str, list: &str, done: usize) -> Result<(), Error> {
    let rest = list.lines().skip(done).collect::<Vec<_>>().join("\n");
    if done > 0 && rest.is_empty() {
        store::swap(key, Some(list.as_bytes()), None)?;
    } else if done > 0 {
        store::swap_for(key, Some(list.as_bytes()), rest.as_bytes(), KEPT)?;
    }
    Ok(())
}

/// CSV: what came of calls, then who waits. `link` says where the next page is.
fn results(request: &Request) -> Result<Response, Error> {
    let after = request.query().get("after");
    let (mut csv, mut left) = (String::from("number,result\r\n"), LINES as usize);
    let mut next = None;
    if !after.is_some_and(|after| after.starts_with("list/")) {
        let page = store::keys("result/", after, LINES)?;
        for key in &page.keys {
            // None where it expired just now.
            if let (Some(number), Some(result)) = (key.strip_prefix("result/"), store::get(key)?) {
                csv.push_str(&format!("{number},{}\r\n", String::from_utf8_lossy(&result)));
            }
        }
        left -= page.keys.len();
        next = page.next;
    }
    if next.is_none() {
        next = waiting(after.filter(|after| after.starts_with("list/")), left, &mut csv)?;
    }
    let response = Response::of("text/csv; charset=utf-8", csv).with_header("cache-control", "no-store");
    Ok(match next {
        Some(next) => {
            let next = format!("{}?after={}", request.link("/results"), next.replace('+', "%2B"));
            response.with_header("link", format!("<{next}>; rel=\"next\""))
        }
        None => response,
    })
}

/// Adds who waits in the lists behind the one called `after`, as far as `left` operations go; gives behind which to go on.
fn waiting(after: Option<&str>, mut left: usize, csv: &mut String) -> Result<Option<String>, Error> {
    let mut behind = after.unwrap_or("list/").to_owned();
    // Who stands in two lists is called once.
    let mut shown = BTreeSet::new();
    loop {
        let page = store::keys("list/", Some(&behind), 20)?;
        for key in page.keys {
            let list = read(&key)?;
            let cost = list.lines().count() + 1;
            if cost > left {
                return Ok(Some(behind));
            }
            left -= cost;
            for number in list.lines() {
                // A run that is not at its end has some of them.
                if store::get(&result_of(number))?.is_none() && shown.insert(number.to_owned()) {
                    csv.push_str(&format!("{number},waiting\r\n"));
                }
            }
            behind = key;
        }
        if page.next.is_none() {
            return Ok(None);
        }
    }
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
