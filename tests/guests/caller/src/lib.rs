//! Makes the requests that a test asks for: the step of the URL says how, `SpeechResult` whom.
//!
//! It always answers by itself: what a caller hears of a service that fails is the handler's business, as long as the
//! host leaves it the time.

mod flood;

use hookswitch_sdk::http::{self, Request, Response};
use hookswitch_sdk::prelude::*;

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    let url = call.speech().unwrap_or_default();
    let said = match call.step() {
        "get" => heard(http::get(url)),
        "patient" => heard(http::get(url).timeout_ms(60_000)),
        "impatient" => heard(http::get(url).timeout_ms(100)),
        "once" => heard(http::get(url).once()),
        "post" => heard(
            http::post(url).body("x".repeat(call.param("Bytes").and_then(|n| n.parse().ok()).unwrap_or(5))),
        ),
        "post-then-trap" => {
            let _ = http::post(url).body("done").send();
            panic!("after it acted");
        }
        "get-then-trap" => {
            let _ = http::get(url).send();
            panic!("before it acted");
        }
        "follow" => heard_at_the_end(url),
        "storm" => storm(url),
        "flood" => flood::drop_and_go_on(url),
        "flood-kept" => flood::keep_all(url),
        other => format!("no step {other}"),
    };
    Ok(Document::new().say(said))
}

fn heard(request: Request) -> String {
    tell(request.send())
}

fn tell(answer: Result<Response, http::Error>) -> String {
    match answer {
        Ok(answer) => {
            let body = String::from_utf8_lossy(answer.body());
            format!(
                "{}, {} bytes, {}",
                answer.status(),
                answer.body().len(),
                body.chars().take(80).collect::<String>()
            )
        }
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// Follows redirects as a client library does: each is a request of its own.
fn heard_at_the_end(url: &str) -> String {
    let mut url = url.to_owned();
    for _ in 0..5 {
        match http::get(&*url).send() {
            Ok(answer) if answer.status() == 302 => {
                url = answer.header("location").unwrap_or_default().to_owned();
            }
            other => return tell(other),
        }
    }
    "more than five redirects".into()
}

/// As many requests as it gets, each to a path of its own, one after the other.
fn storm(url: &str) -> String {
    let answered = (0..100).take_while(|number| http::get(format!("{url}/{number}")).send().is_ok()).count();
    format!("{answered} answered")
}
