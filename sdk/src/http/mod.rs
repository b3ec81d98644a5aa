//! Requests to other services: a CRM, a calendar, a model.
//!
//! ```no_run
//! # use hookswitch_sdk::prelude::*;
//! # use hookswitch_sdk::http;
//! # fn lead(number: &str) -> Result<Option<String>, Error> {
//! let answer = http::get("https://api.example.com/leads")
//!     .query("number", number)
//!     .bearer("the-token")
//!     .timeout_ms(800)
//!     .send()?;
//! if answer.status() == 404 {
//!     return Ok(None);
//! }
//! let name = answer.ok()?.text()?.to_owned();
//! # Ok(Some(name))
//! # }
//! ```
//!
//! Whom a handler may call stands in its `handler.toml`, as `[outbound] allow = ["https://api.example.com"]`; everything
//! else is refused. Somebody is on the line meanwhile: whatever has not come shortly before the call's deadline is an
//! error, so that the handler can still answer by itself.
//!
//! The host sends a request up to three times where the connection fails or the service answers 429, 502, 503 or 504, and
//! where twice does what once does: GET, HEAD, OPTIONS, PUT and DELETE, and POST with
//! [`idempotency_key`](Request::idempotency_key). [`once`](Request::once) turns that off. Redirects are not followed: where one
//! leads is in the header `location`, and following it is a new request, which has to be allowed, too.

#[cfg(target_arch = "wasm32")]
pub(crate) mod component;
mod error;
mod response;

use std::fmt::Write as _;

pub use error::{Error, ErrorKind};
pub use response::Response;

/// A request on its way to be made; [`send`](Request::send) sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a request does nothing until `send()`"]
pub struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    timeout_ms: Option<u64>,
    /// What can't be sent, found while the request was made.
    wrong: Option<String>,
}

/// Asks for what is at `url`.
pub fn get(url: impl Into<String>) -> Request {
    request("GET", url)
}

/// Asks for the head of what is at `url`.
pub fn head(url: impl Into<String>) -> Request {
    request("HEAD", url)
}

/// Sends something to `url`: not repeated unless it has an [`idempotency_key`](Request::idempotency_key).
pub fn post(url: impl Into<String>) -> Request {
    request("POST", url)
}

/// Puts something at `url`.
pub fn put(url: impl Into<String>) -> Request {
    request("PUT", url)
}

/// Changes what is at `url`: not repeated.
pub fn patch(url: impl Into<String>) -> Request {
    request("PATCH", url)
}

/// Takes away what is at `url`.
pub fn delete(url: impl Into<String>) -> Request {
    request("DELETE", url)
}

/// A request with any method.
pub fn request(method: impl Into<String>, url: impl Into<String>) -> Request {
    Request {
        method: method.into(),
        url: url.into(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout_ms: None,
        wrong: None,
    }
}

impl Request {
    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a parameter to the URL; name and value are escaped.
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        let fragment = self.url.find('#').map(|at| self.url.split_off(at));
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        escape(name, &mut self.url);
        self.url.push('=');
        escape(&value.to_string(), &mut self.url);
        self.url.push_str(fragment.as_deref().unwrap_or_default());
        self
    }

    /// Says who asks, as `Authorization: Bearer …`.
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Names what is done, so that the service does it once however often it hears of it, and the host may repeat a POST.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.header("idempotency-key", key)
    }

    /// How long each attempt may wait for the answer, in milliseconds, and then for each further piece of it. What the call
    /// leaves is the bound of all attempts together; with [`once`](Self::once) there is but one.
    pub fn timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = Some(timeout_ms);
        self
    }

    /// Sends it once, whatever comes.
    pub fn once(self) -> Self {
        self.header("x-hookswitch-retry", "off")
    }

    /// Sends these bytes.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends a form.
    pub fn form<N: AsRef<str>, V: ToString>(self, fields: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut body = String::new();
        for (name, value) in fields {
            if !body.is_empty() {
                body.push('&');
            }
            escape(name.as_ref(), &mut body);
            body.push('=');
            escape(&value.to_string(), &mut body);
        }
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// Sends a value as JSON.
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.header("content-type", "application/json").body(body),
            Err(error) => {
                self.wrong = Some(format!("its body can't be written as JSON: {error}"));
                self
            }
        }
    }

    /// Sends it and waits for the answer, body included.
    ///
    /// # Errors
    /// There is no answer: [`Error::kind`] tells why. An answer that says no (404, 500) is an answer; [`Response::ok`] makes
    /// an error of it.
    pub fn send(self) -> Result<Response, Error> {
        let target = Target::of(&self.url).map_err(|why| self.error(ErrorKind::Request, why))?;
        if let Some(why) = &self.wrong {
            return Err(self.error(ErrorKind::Request, why));
        }
        let sent = Sent {
            method: self.method.clone(),
            url: self.url.split('#').next().unwrap_or_default().to_owned(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            timeout_ms: self.timeout_ms,
        };
        let (status, headers, body) =
            crate::host::send_http(&sent, &target).map_err(|(kind, why)| self.error(kind, &why))?;
        Ok(Response { asked: self.shown(), status, headers, body })
    }

    /// Method and URL, without the parameters, which may be secret.
    fn shown(&self) -> String {
        format!("{} {}", self.method, self.url.split(['?', '#']).next().unwrap_or_default())
    }

    fn error(&self, kind: ErrorKind, why: &str) -> Error {
        Error { kind, asked: self.shown(), why: why.to_owned() }
    }
}

/// A request as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// `GET`, `POST`, …
    pub method: String,
    /// Parameters included.
    pub url: String,
    /// In the order in which they were added.
    pub headers: Vec<(String, String)>,
    /// Empty where there is none.
    pub body: Vec<u8>,
    /// How long to wait for it, in milliseconds.
    pub timeout_ms: Option<u64>,
}

impl Sent {
    /// The value of a header, in whatever case its name is written.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Status, headers and body, or why there are none.
pub(crate) type Answered = Result<(u16, Vec<(String, String)>, Vec<u8>), (ErrorKind, String)>;

/// The parts of a URL.
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "a test's host looks at the whole URL"))]
pub(crate) struct Target<'a> {
    pub https: bool,
    pub authority: &'a str,
    pub path_and_query: &'a str,
}

impl<'a> Target<'a> {
    fn of(url: &'a str) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let https = scheme.eq_ignore_ascii_case("https");
        if !https && !scheme.eq_ignore_ascii_case("http") {
            return Err("the URL does not begin with https:// or http://");
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path_and_query) = rest.split_at(end);
        if authority.is_empty() {
            return Err("the URL names no host");
        }
        Ok(Self { https, authority, path_and_query })
    }
}

/// Escapes everything but letters, digits and `-._~`.
fn escape(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing to a `String` can't fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_request_carries_what_it_was_given() {
        let host = testing::host().answers("POST https://api.test/leads", 201, "made");
        let answer = post("https://api.test/leads#top")
            .query("q", "a b&c")
            .query("n", 7)
            .bearer("secret")
            .idempotency_key("lead-1")
            .form([("name", "Ada L."), ("city", "Zürich")])
            .timeout_ms(500)
            .send()
            .unwrap();
        assert_eq!((answer.status(), answer.text().unwrap()), (201, "made"));
        let sent = &host.requests()[0];
        assert_eq!(sent.url, "https://api.test/leads?q=a%20b%26c&n=7");
        assert_eq!(sent.header("Authorization"), Some("Bearer secret"));
        assert_eq!(sent.header("idempotency-key"), Some("lead-1"));
        assert_eq!(sent.body, b"name=Ada%20L.&city=Z%C3%BCrich");
        assert_eq!(sent.timeout_ms, Some(500));
    }

    #[test]
    fn what_cannot_be_sent_is_named_without_its_parameters() {
        let _host = testing::host();
        for (url, why) in [
            ("api.test/x", "does not begin with https://"),
            ("ftp://api.test/x", "does not begin with https://"),
            ("https:///x", "names no host"),
            ("", "does not begin with https://"),
        ] {
            let error = get(url).query("token", "hunter2").send().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Request, "{url}");
            assert!(error.to_string().contains(why) && !error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn answers_of_a_test_come_in_order_and_the_last_one_stays() {
        let host = testing::host()
            .answers("GET https://api.test/x", 503, "busy")
            .answers("GET https://api.test/x", 200, "ready")
            .fails("GET https://api.test/y", ErrorKind::Timeout);
        let ask = || get("https://api.test/x").query("at", 1).send().unwrap().status();
        assert_eq!([ask(), ask(), ask()], [503, 200, 200]);
        assert_eq!(get("https://api.test/y").send().unwrap_err().kind(), ErrorKind::Timeout);
        let error = post("https://api.test/x").send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(error.to_string().contains("answers(\"POST https://api.test/x\""), "{error}");
        assert_eq!(host.requests().len(), 5);
    }

    #[test]
    fn an_answer_that_says_no_becomes_an_error_where_that_is_wanted() {
        let _host = testing::host().answers("GET https://api.test/x", 404, "nobody\nof that name");
        let error = get("https://api.test/x").send().unwrap().ok().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Status(404));
        assert_eq!(error.to_string(), "GET https://api.test/x: 404, nobody of that name");
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_is_sent_and_read() {
        #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
        struct Lead {
            name: String,
        }
        let host = testing::host().answers("PUT https://api.test/1", 200, r#"{"name":"Ada"}"#).answers(
            "GET https://api.test/1",
            200,
            "<html>",
        );
        let ada = Lead { name: "Ada".into() };
        let answer = put("https://api.test/1").json(&ada).send().unwrap();
        assert_eq!(answer.json::<Lead>().unwrap(), ada);
        assert_eq!(host.requests()[0].body, br#"{"name":"Ada"}"#);
        assert_eq!(host.requests()[0].header("content-type"), Some("application/json"));
        let error = get("https://api.test/1").send().unwrap().json::<Lead>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Answer);
    }
}
