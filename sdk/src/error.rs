//! What went wrong in a handler, with everything that led to it.
//!
//! An [`Error`] takes any standard error with `?`. Messages are kept, the errors themselves are not:
//! the log wants the chain of causes, and the caller on the line hears the fallback document
//! whatever the type was.

use std::fmt;

/// Why a handler could not answer: one line, and what caused it.
///
/// Made from any `std::error::Error` by `?`, from a text by [`Error::new`] or [`bail!`](crate::bail).
/// It is not a `std::error::Error` itself, so that the conversion from all of them can exist.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    causes: Vec<String>,
}

/// What handlers and their helpers return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without a cause. `message` is one line: what was found, what was expected.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new() }
    }

    /// Puts what was being done in front; what it was so far becomes the first cause.
    #[must_use]
    pub fn context(mut self, doing: impl Into<String>) -> Self {
        let cause = std::mem::replace(&mut self.message, doing.into());
        self.causes.insert(0, cause);
        self
    }

    /// The outermost message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The causes, outermost first; empty where none is known.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// Message and causes, as the contract wants them.
    pub(crate) fn into_parts(self) -> (String, Vec<String>) {
        (self.message, self.causes)
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        Self { message: error.to_string(), causes }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The whole chain, so that a failed `unwrap` in a test tells everything.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, "; because: {cause}")?;
        }
        Ok(())
    }
}

/// Adds what was being done to an error, or makes one of an absent value.
pub trait Context<T> {
    /// Puts `doing` in front of the error: ``config::get_as::<u32>("seats").context("reading seats")?``.
    ///
    /// # Errors
    /// The error that was there, with `doing` as its message; for `None`, `doing` alone.
    fn context(self, doing: impl Into<String>) -> Result<T>;

    /// As [`context`](Self::context), with a text that is only made if it is needed.
    ///
    /// # Errors
    /// As [`context`](Self::context).
    fn with_context<C: Into<String>>(self, doing: impl FnOnce() -> C) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl Into<String>) -> Result<T> {
        self.map_err(|error| error.into().context(doing))
    }

    fn with_context<C: Into<String>>(self, doing: impl FnOnce() -> C) -> Result<T> {
        self.map_err(|error| error.into().context(doing()))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, doing: impl Into<String>) -> Result<T> {
        self.ok_or_else(|| Error::new(doing))
    }

    fn with_context<C: Into<String>>(self, doing: impl FnOnce() -> C) -> Result<T> {
        self.ok_or_else(|| Error::new(doing()))
    }
}

/// Returns an [`Error`] from the function around it: `bail!("no agent speaks {language}")`.
#[macro_export]
macro_rules! bail {
    ($($message:tt)+) => {
        return ::core::result::Result::Err($crate::Error::new(::std::format!($($message)+)).into())
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(text: &str) -> Result<u16> {
        let port: u16 = text.parse().context("reading the port")?;
        if port < 1024 {
            bail!("port {port} is reserved; use 1024 or more");
        }
        Ok(port)
    }

    #[test]
    fn the_chain_of_causes_is_kept_outermost_first() {
        let error = port("many").context("starting").unwrap_err();
        assert_eq!(error.message(), "starting");
        assert_eq!(error.causes(), ["reading the port", "invalid digit found in string"]);
        assert_eq!(
            format!("{error:?}"),
            "starting; because: reading the port; because: invalid digit found in string"
        );
    }

    #[test]
    fn bail_returns_an_error_without_a_cause() {
        let error = port("80").unwrap_err();
        assert_eq!(error.message(), "port 80 is reserved; use 1024 or more");
        assert!(error.causes().is_empty());
        assert_eq!(port("8080").unwrap(), 8080);
    }

    #[test]
    fn an_absent_value_becomes_an_error() {
        assert_eq!(None::<u8>.context("no greeting").unwrap_err().message(), "no greeting");
    }

    #[test]
    fn sources_become_causes() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bad number of seats")
            }
        }
        impl std::error::Error for Outer {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Error::from(Outer("x".parse::<u8>().unwrap_err()));
        assert_eq!(error.causes(), ["invalid digit found in string"]);
    }
}
