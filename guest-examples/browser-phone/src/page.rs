//! The pages. Nothing from outside comes into them, so nothing has to be escaped.

use hookswitch_sdk::prelude::*;
use hookswitch_sdk::web::{Request, Response};

/// Where the carrier's SDK goes: signalling, its own telemetry, and the sounds that it plays.
const CARRIER: &str = "wss://voice-js.roaming.twilio.com https://eventgw.twilio.com https://sdk.twilio.com";

/// Asks for the password. Nothing of the carrier's is loaded here.
pub fn sign_in(request: &Request, status: u16, remark: &str) -> Response {
    let action = request.link("/sign-in");
    let form = format!(
        r#"<p role="alert">{remark}</p>
<form method="post" action="{action}">
<label>Password <input type="password" name="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form>"#
    );
    page("", &form, "default-src 'none'; form-action 'self'; frame-ancestors 'none'").with_status(status)
}

/// The telephone.
pub fn phone(request: &Request) -> Result<Response, Error> {
    let sdk = config::get("sdk").context("no `sdk` in [config]")?;
    let digest = config::get("sdk_digest").context("no `sdk_digest` in [config]")?;
    let [script, token, out] = ["/phone.js", "/token", "/sign-out"].map(|path| request.link(path));
    let head = format!(
        r#"<script defer src="{sdk}" integrity="{digest}" crossorigin="anonymous"></script>
<script defer src="{script}"></script>"#
    );
    let body = format!(
        r#"<p id="state" role="status" data-token="{token}">Not connected.</p>
<button id="on">Connect</button>
<form id="dial"><label>Number <input id="number" type="tel" placeholder="+1 202 555 0123" required></label> <button>Call</button></form>
<button id="answer" hidden>Answer</button> <button id="end" hidden>Hang up</button>
<form method="post" action="{out}"><button>Sign out</button></form>"#
    );
    let policy = format!(
        "default-src 'none'; script-src 'self' {sdk}; connect-src 'self' {CARRIER}; media-src blob: mediastream: \
         https://sdk.twilio.com; form-action 'self'; frame-ancestors 'none'"
    );
    Ok(page(&head, &body, &policy).with_header("permissions-policy", "microphone=(self)"))
}

/// What the page does.
pub fn script() -> Response {
    Response::of("text/javascript; charset=utf-8", include_str!("phone.js"))
        .with_header("cache-control", "no-store")
}

fn page(head: &str, body: &str, policy: &str) -> Response {
    Response::html(format!(
        "<!doctype html><html lang=\"en\"><meta name=\"viewport\" content=\"width=device-width\"><title>Phone</title>\n{head}\n\
         <h1>Phone</h1>\n{body}\n</html>\n"
    ))
    .with_header("cache-control", "no-store")
    .with_header("content-security-policy", policy)
}
