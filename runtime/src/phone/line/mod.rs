//! Where webhooks go: over the wire to any host, or straight into one in this process.

mod host;
mod http;

use std::future::Future;
use std::time::Duration;

use ::http::{HeaderMap, Method};
use bytes::Bytes;
use jiff::Timestamp;
use url::Url;

pub(crate) use self::host::send_to;
pub use self::host::{HostLine, NoHost, Own, Said};
pub use self::http::{HttpLine, NoLine};
use super::{OptOuts, What};
use crate::clock::TimeOfDay;
use crate::schedule::Schedule;

/// One request, ready to send.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// `GET` or `POST`.
    pub method: Method,
    /// Where to; without fragment, user and password.
    pub url: Url,
    /// With the signature.
    pub headers: HeaderMap,
    /// The form, where it is a `POST`.
    pub body: Bytes,
    /// Longest wait for the answer.
    pub answer_within: Duration,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body; a little over the limit of answers where it was longer still.
    pub body: Bytes,
    /// From request to answer.
    pub took: Duration,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// There is no such host name.
    #[error("the host name does not resolve: {0}")]
    Name(String),
    /// Nobody listens there.
    #[error("the connection is refused: {0}")]
    Refused(String),
    /// No connection in time.
    #[error("no connection within {0} ms")]
    ConnectTimeout(u128),
    /// No answer in time.
    #[error("no answer within {0} ms")]
    ReadTimeout(u128),
    /// No secure connection.
    #[error("the TLS handshake fails: {0}")]
    Tls(String),
    /// A secure connection to whom it should not be.
    #[error("the certificate is not to be trusted: {why}")]
    Certificate {
        /// The carrier's number for it.
        code: u16,
        /// What is wrong with it.
        why: String,
    },
    /// A host that is not in this process, and no rule says what it answers.
    #[error("{0} is asked, which a script can't reach")]
    Unreached(String),
    /// Not HTTP, or cut off.
    #[error("the answer is not HTTP or breaks off: {0}")]
    Protocol(String),
}

impl LineError {
    /// The carrier's number for it.
    #[must_use]
    pub const fn code(&self) -> u16 {
        match self {
            Self::Name(_) => 11210,
            Self::Refused(_) => 11202,
            Self::ConnectTimeout(_) => 11201,
            Self::ReadTimeout(_) => 11205,
            Self::Tls(_) => 11220,
            Self::Certificate { code, .. } => *code,
            Self::Unreached(_) => 11200,
            Self::Protocol(_) => 11206,
        }
    }

    /// Whether the request may not have been begun.
    #[must_use]
    pub const fn is_connect(&self) -> bool {
        match self {
            Self::Name(_)
            | Self::Refused(_)
            | Self::ConnectTimeout(_)
            | Self::Tls(_)
            | Self::Certificate { .. } => true,
            // Asking again would not help.
            Self::ReadTimeout(_) | Self::Protocol(_) | Self::Unreached(_) => false,
        }
    }
}

/// Takes requests to where they belong.
pub trait Line: Send + Sync {
    /// Sends one request and waits for its answer. Follows no redirect.
    fn send(&self, request: Outgoing) -> impl Future<Output = Result<Reply, LineError>> + Send;

    /// The time of day that its host goes by; a conversation sets it, where it is not the machine's.
    fn time(&self) -> TimeOfDay {
        TimeOfDay::default()
    }

    /// Who has opted out of messages, where the carrier of its host is known; else each conversation has a list of its own.
    fn opt_outs(&self) -> OptOuts {
        OptOuts::default()
    }

    /// What the handler did outward since this was last asked, as far as this line can know, and what was logged, where this
    /// line tells it.
    fn outward(&self) -> Vec<What> {
        Vec::new()
    }

    /// What the handler at this path (`/tenant/handler/`) has stored under `key`.
    ///
    /// # Errors
    /// Why it can't be said, for people.
    fn stored(
        &self,
        _handler: &str,
        _key: &str,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, String>> + Send {
        std::future::ready(Err("what is stored is known of a host in this process only".to_owned()))
    }

    /// The schedule called `name` of the handler at this path (`/tenant/handler/`).
    ///
    /// # Errors
    /// What there is instead, for people: only a host in this process lets itself be told what time it is.
    fn schedule(&self, _handler: &str, _name: &str) -> Result<Schedule, String> {
        Err("a schedule can be fired on a host in this process only".to_owned())
    }

    /// Runs a schedule of the handler at this path (`/tenant/handler/`) as if it were `moment`.
    ///
    /// # Errors
    /// As [`Line::schedule`].
    fn fire(
        &self,
        _handler: &str,
        _schedule: &Schedule,
        _moment: Timestamp,
    ) -> impl Future<Output = Result<Fired, String>> + Send {
        std::future::ready(Err("a schedule can be fired on a host in this process only".to_owned()))
    }
}

/// A run of a schedule that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// What failed, by the code of the host's error table.
    pub code: Option<String>,
}

impl<L: Line> Line for &L {
    fn send(&self, request: Outgoing) -> impl Future<Output = Result<Reply, LineError>> + Send {
        (**self).send(request)
    }

    fn time(&self) -> TimeOfDay {
        (**self).time()
    }

    fn schedule(&self, handler: &str, name: &str) -> Result<Schedule, String> {
        (**self).schedule(handler, name)
    }

    fn fire(
        &self,
        handler: &str,
        schedule: &Schedule,
        moment: Timestamp,
    ) -> impl Future<Output = Result<Fired, String>> + Send {
        (**self).fire(handler, schedule, moment)
    }

    fn opt_outs(&self) -> OptOuts {
        (**self).opt_outs()
    }

    fn outward(&self) -> Vec<What> {
        (**self).outward()
    }

    fn stored(
        &self,
        handler: &str,
        key: &str,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, String>> + Send {
        (**self).stored(handler, key)
    }
}
