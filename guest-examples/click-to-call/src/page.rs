//! The pages. Nothing a visitor writes comes into them, so nothing has to be escaped.

use hookswitch_sdk::web::Response;

/// The form. `id` tells it from every other, so that it is worth one call.
pub fn form(action: &str, id: &str) -> Response {
    page(&format!(
        r#"<form method="post" action="{action}">
<input type="hidden" name="form" value="{id}">
<label>Your number <input type="tel" name="number" placeholder="+1 202 555 0123" autocomplete="tel" required></label>
<button>Call me</button>
</form>"#
    ))
}

/// One sentence.
pub fn tell(status: u16, sentence: &str) -> Response {
    page(&format!("<p>{sentence}</p>")).with_status(status)
}

fn page(content: &str) -> Response {
    Response::html(format!(
        "<!doctype html><html lang=\"en\"><meta name=\"viewport\" content=\"width=device-width\"><title>Acme calls you</title>\n\
         <h1>We call you</h1>\n{content}\n</html>\n"
    ))
    // A page that is kept would give its form, and its one call, to several visitors.
    .with_header("cache-control", "no-store")
    .with_header("content-security-policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'")
}
