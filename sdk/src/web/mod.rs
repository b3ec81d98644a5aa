//! Web requests and what a handler answers them. See [`web`](macro@crate::web) for the function that takes them.

pub(crate) mod component;
mod response;

pub use response::Response;

use crate::params::Params;
use crate::{Context as _, Result};

/// Tells how much of a path is the handler's place.
pub(crate) const PREFIX_HEADER: &str = "x-hookswitch-prefix";

/// One web request, whole. Anybody may have sent it.
#[derive(Debug)]
pub struct Request {
    method: String,
    prefix: String,
    path: String,
    query: Params,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// `target` is path and query as sent, the handler's place included; names of headers are in lower case.
    pub(crate) fn new(method: String, target: String, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let prefix = headers.iter().find(|(name, _)| name == PREFIX_HEADER);
        let prefix = prefix.map(|(_, value)| value.clone()).unwrap_or_default();
        let path = path.strip_prefix(&*prefix).unwrap_or(path);
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Self { method, prefix, path, query: Params::new(query), headers, body }
    }

    /// `GET`, `POST`, …
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path behind the handler's place, as it was sent; begins with `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Method and path, to match on: `("POST", "/call")`.
    #[must_use]
    pub fn route(&self) -> (&str, &str) {
        (&self.method, &self.path)
    }

    /// The path's segments, to match on: `["calls", id]`. As they were sent; empty for `/`.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    /// A link to another path of this handler: `request.link("/thanks")` for `Location` and for pages.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        format!("{}/{}", self.prefix, path.trim_start_matches('/'))
    }

    /// The parameters of the URL.
    #[must_use]
    pub fn query(&self) -> &Params {
        &self.query
    }

    /// The first value of a header field, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// All header fields, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Who sent it: an address, as the host saw it or a proxy that it trusts.
    #[must_use]
    pub fn client(&self) -> &str {
        self.header("x-hookswitch-client").unwrap_or_default()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.body).context("the body of the request is no text")
    }

    /// The fields of a form in the body; none where it is something else.
    #[must_use]
    pub fn form(&self) -> Params {
        let is_form = self
            .header("content-type")
            .is_some_and(|kind| kind.trim_start().starts_with("application/x-www-form-urlencoded"));
        Params::new(if is_form { String::from_utf8_lossy(&self.body).into_owned() } else { String::new() })
    }

    /// The body read as JSON.
    ///
    /// # Errors
    /// It is no JSON, or not of this form; the error says where.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).context("the body of the request can't be read as JSON")
    }
}

#[cfg(test)]
mod tests {
    use crate::testing;

    #[test]
    fn a_request_is_taken_apart() {
        let request = testing::request("POST", "/calls/42?lang=de&x=a%20b")
            .header("Accept", "text/html")
            .form(&[("to", "+1 202 555 0123"), ("name", "Ada & Co.")])
            .build();
        assert_eq!(request.route(), ("POST", "/calls/42"));
        assert_eq!(request.segments(), ["calls", "42"]);
        assert_eq!((request.query().get("lang"), request.query().get("x")), (Some("de"), Some("a b")));
        assert_eq!(request.form().get("to"), Some("+1 202 555 0123"));
        assert_eq!(request.form().get("name"), Some("Ada & Co."));
        assert_eq!(request.header("ACCEPT"), Some("text/html"));
        assert_eq!(request.client(), "192.0.2.1");
        assert_eq!(request.link("/thanks"), "/dev/handler/web/thanks");

        let bare = testing::request("GET", "").body("to=1").build();
        assert_eq!((bare.route(), bare.segments().len()), (("GET", "/"), 0));
        assert_eq!(bare.form().get("to"), None, "it does not say that it is a form");
    }
}
