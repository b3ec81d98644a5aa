//! What came back.

use super::{Error, ErrorKind};

/// As much of an answer's body as an error quotes, in characters.
const QUOTED_CHARS: usize = 120;

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub(super) asked: String,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    /// 200, 404, …
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is one of 200 to 299.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first value of a header, in whatever case its name is written.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// All headers, names in lower case. A value that is no text shows U+FFFD where it is none.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, taken out.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body)
            .map_err(|error| self.error(ErrorKind::Answer, format!("the answer is no text: {error}")))
    }

    /// The body read as JSON.
    ///
    /// # Errors
    /// It is no JSON, or not of this form; the error says where.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let why = format!("{} with a body that can't be read as JSON: {error}", self.status);
            self.error(ErrorKind::Answer, why)
        })
    }

    /// Itself, if the service said yes.
    ///
    /// # Errors
    /// [`ErrorKind::Status`] for every status that is not one of 200 to 299, with the beginning of the body.
    pub fn ok(self) -> Result<Self, Error> {
        if self.is_success() {
            return Ok(self);
        }
        let mut why = self.status.to_string();
        let said = String::from_utf8_lossy(&self.body);
        let said: String =
            said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(QUOTED_CHARS).collect();
        if !said.is_empty() {
            why.push_str(", ");
            why.push_str(&said);
        }
        Err(self.error(ErrorKind::Status(self.status), why))
    }

    fn error(&self, kind: ErrorKind, why: String) -> Error {
        Error { kind, asked: self.asked.clone(), why }
    }
}
