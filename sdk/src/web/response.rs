//! What a handler answers a web request.

/// An answer, at most 1 MiB of it. The host frames it: lengths and what belongs to a connection are not the handler's.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    /// An answer without a body: `Response::empty(204)`.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Plain text, status 200.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of("text/plain; charset=utf-8", text.into())
    }

    /// A page, status 200. Whatever comes from elsewhere has to be escaped by whoever writes it into the page.
    pub fn html(page: impl Into<String>) -> Self {
        Self::of("text/html; charset=utf-8", page.into())
    }

    /// Bytes of this content type, status 200.
    pub fn of(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::empty(200) }.with_header("content-type", content_type)
    }

    /// A value as JSON, status 200.
    ///
    /// # Errors
    /// It can't be written as JSON.
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> crate::Result<Self> {
        use crate::Context as _;
        let body = serde_json::to_vec(value).context("the answer can't be written as JSON")?;
        Ok(Self::of("application/json", body))
    }

    /// Sends a browser elsewhere with a GET (303), as after a form.
    pub fn see_other(link: impl Into<String>) -> Self {
        Self::empty(303).with_header("location", link)
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::text("There is nothing here.\n").with_status(404)
    }

    /// With another status, 200 to 599.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With one more header field.
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first value of a header field, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }
}

#[cfg(test)]
mod tests {
    use super::Response;

    #[test]
    fn an_answer_says_what_it_is() {
        let page = Response::html("<p>").with_header("Cache-Control", "no-store").with_status(201);
        assert_eq!((page.status(), page.body()), (201, &b"<p>"[..]));
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(Response::see_other("/a").header("location"), Some("/a"));
    }
}
