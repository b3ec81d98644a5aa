//! Web requests as a browser would send them.

use super::webhook::form as encoded;
use crate::web::{PREFIX_HEADER, Request};

/// Where a test's handler is.
const PREFIX: &str = "/dev/handler/web";

/// Begins a web request: `request("POST", "/call")`. The path begins behind the handler's place and may have a query.
pub fn request(method: &str, path_and_query: &str) -> RequestBuilder {
    let headers = vec![
        (PREFIX_HEADER.to_owned(), PREFIX.to_owned()),
        ("x-hookswitch-client".to_owned(), "192.0.2.1".to_owned()),
    ];
    RequestBuilder { method: method.into(), target: path_and_query.into(), headers, body: Vec::new() }
}

/// A web request in the making.
#[must_use]
#[derive(Debug, Clone)]
pub struct RequestBuilder {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl RequestBuilder {
    /// One more header field.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_lowercase(), value.into()));
        self
    }

    /// Sends these bytes.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends a form.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        self.header("content-type", "application/x-www-form-urlencoded").body(encoded(fields, &[]))
    }

    /// The request.
    #[must_use]
    pub fn build(self) -> Request {
        Request::new(self.method, format!("{PREFIX}{}", self.target), self.headers, self.body)
    }
}
