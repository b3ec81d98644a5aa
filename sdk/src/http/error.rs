//! Why there is no answer.

use std::fmt;

/// What kept a request from being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request can't be sent as it is.
    Request,
    /// `[outbound] allow` in `handler.toml` does not mean this URL. The log says what to write.
    Denied,
    /// The host's name leads to an address that handlers may not reach.
    Prohibited,
    /// Nobody is there: the name has no address, or nothing listens.
    Unreachable,
    /// No encrypted connection: mostly the certificate.
    Tls,
    /// Not within the time.
    Timeout,
    /// More than an invocation or its tenant may ask for, send, receive or have open. The log says which.
    Limit,
    /// The connection broke, or what came was no HTTP.
    Broken,
    /// The answer is not what was expected.
    Answer,
    /// The service said no, with this status.
    Status(u16),
}

/// A request without an answer. Names method and URL, never parameters or headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub(super) kind: ErrorKind,
    pub(super) asked: String,
    pub(super) why: String,
}

impl Error {
    /// Why.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether it was a matter of time: there may be an answer next time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind == ErrorKind::Timeout
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.asked, self.why)
    }
}

impl std::error::Error for Error {}
