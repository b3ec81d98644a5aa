//! Who has the password gets a cookie for a working day. The store knows the cookies that are good.

use crate::page;
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::web::{Request, Response};
use std::time::Duration;

const WORKING_DAY: Duration = Duration::from_secs(10 * 60 * 60);
/// An address may be wrong so often in a quarter of an hour.
const TRIES: i64 = 10;
const QUARTER: Duration = Duration::from_secs(15 * 60);

pub fn is_in(request: &Request) -> Result<bool, Error> {
    let Some(key) = key(request) else { return Ok(false) };
    Ok(store::get(&key)?.is_some())
}

pub fn come_in(request: &Request) -> Result<Response, Error> {
    let tries = format!("tries/{}", request.client());
    if store::add_for(&tries, 1, QUARTER)? > TRIES {
        return Ok(page::sign_in(request, 429, "Too many tries. Please wait a quarter of an hour."));
    }
    let form = request.form();
    if !is_same(form.get("password").unwrap_or_default(), &secrets::get("phone-password")?) {
        return Ok(page::sign_in(request, 403, "That is not the password."));
    }
    store::delete(&tries)?;
    let cookie: String = random::bytes(16).iter().map(|byte| format!("{byte:02x}")).collect();
    store::set_for(&format!("in/{cookie}"), "", WORKING_DAY)?;
    Ok(Response::see_other(request.link("/"))
        .with_header("set-cookie", set_cookie(request, &cookie, WORKING_DAY)))
}

pub fn go_out(request: &Request) -> Result<Response, Error> {
    if let Some(key) = key(request) {
        store::delete(&key)?;
    }
    Ok(Response::see_other(request.link("/"))
        .with_header("set-cookie", set_cookie(request, "", Duration::ZERO)))
}

/// The key of the store that this browser's cookie is.
fn key(request: &Request) -> Option<String> {
    let mut cookies = request.header("cookie")?.split(';');
    let cookie = cookies.find_map(|cookie| cookie.trim().strip_prefix("phone="))?;
    let is_ours = cookie.len() == 32 && cookie.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ours.then(|| format!("in/{cookie}"))
}

/// For this handler's pages alone, out of the reach of scripts, and sent by no other site's links and forms.
fn set_cookie(request: &Request, cookie: &str, age: Duration) -> String {
    let place = request.link("/");
    let (place, age_s) = (place.trim_end_matches('/'), age.as_secs());
    format!("phone={cookie}; Path={place}; Max-Age={age_s}; HttpOnly; Secure; SameSite=Strict")
}

/// Looks at every byte, so that the time it takes does not tell how many are right.
fn is_same(given: &str, password: &str) -> bool {
    let differences = given.bytes().zip(password.bytes()).fold(0, |all, (given, own)| all | (given ^ own));
    given.len() == password.len() && differences == 0
}
