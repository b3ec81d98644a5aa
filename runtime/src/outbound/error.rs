//! Why a request of a guest's got no answer. The text goes to the handler's log, so it names no header and no query.

use std::error::Error as _;
use std::time::Duration;

use hyper_util::client::legacy;

use super::address::Prohibited;
use super::limits::{
    BODY_RECEIVED_BYTES_MAX, BODY_SENT_BYTES_MAX, OPEN_MAX, REQUESTS_MAX, TENANT_BYTES_PER_SECOND,
    TENANT_REQUESTS_PER_SECOND,
};

/// Why there is no answer, or no more of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The host was started without a way out.
    #[error("this host sends no requests for handlers")]
    NoWayOut,
    /// The handler's allow-list is empty.
    #[error(
        "refused, this handler may call nobody; if it is to call this, write allow = [\"{origin}\"] under [outbound] in handler.toml"
    )]
    NoList {
        /// What would permit it.
        origin: String,
    },
    /// Nothing in the allow-list means this URL.
    #[error(
        "refused, no entry of [outbound] allow in handler.toml means this URL; add \"{origin}\" if it is to be called"
    )]
    NotAllowed {
        /// What would permit it.
        origin: String,
    },
    /// The URL can't be sent.
    #[error("refused, the URL {0}")]
    Url(&'static str),
    /// Too many in one invocation.
    #[error(
        "refused, an invocation may make {REQUESTS_MAX} requests; further ones are refused without a word"
    )]
    TooManyRequests,
    /// As many as may be are open, and none of them ended in time.
    #[error(
        "not sent: {OPEN_MAX} requests of this invocation, or all that its tenant may have open, did not end in time"
    )]
    TooManyOpen,
    /// The tenant's other requests and bodies leave this one no turn in time.
    #[error(
        "not sent: this tenant makes more than {TENANT_REQUESTS_PER_SECOND} requests a second, or moves more than \
         {TENANT_BYTES_PER_SECOND} bytes; its next turn is in {} ms", .0.as_millis()
    )]
    TooFast(Duration),
    /// The header `x-hookswitch-retry` says something else than `off`.
    #[error("refused, x-hookswitch-retry has to be `off`, or is left out for up to three attempts")]
    RetryHeader,
    /// Headers of the request.
    #[error("refused, its headers have {bytes} bytes, at most {max}")]
    Headers {
        /// What it has.
        bytes: usize,
        /// What it may have.
        max: usize,
    },
    /// Bodies that an invocation sends.
    #[error("refused, the bodies that an invocation sends have {BODY_SENT_BYTES_MAX} bytes together at most")]
    SentTooMuch,
    /// Bodies that an invocation receives.
    #[error(
        "cut off, the bodies that an invocation receives have {BODY_RECEIVED_BYTES_MAX} bytes together at most"
    )]
    ReceivedTooMuch,
    /// The guest gave its own body up, or its length is another than it said.
    #[error("not sent: its body was not finished")]
    BodyUnfinished,
    /// The name has no address.
    #[error("{host} has no address: {why}")]
    NoAddress {
        /// Which.
        host: String,
        /// What the resolver says.
        why: String,
    },
    /// The resolver did not answer.
    #[error("looking {host} up took more than {} ms", .after.as_millis())]
    NameTimeout {
        /// Which.
        host: String,
        /// How long.
        after: Duration,
    },
    /// The address is not of the open internet.
    #[error("refused, the address {address} of {host} is {}; the operator may allow it with outbound_allow_private", .why.0)]
    Prohibited {
        /// The name.
        host: String,
        /// What it leads to.
        address: std::net::SocketAddr,
        /// What that is.
        why: Prohibited,
    },
    /// The connection was refused, or there is no way.
    #[error("{address} can't be connected to: {why}")]
    Connect {
        /// Where.
        address: String,
        /// Why.
        why: String,
        /// Whether the other side said so.
        refused: bool,
    },
    /// The connection did not come about in time.
    #[error("connecting took more than {} ms", .0.as_millis())]
    ConnectTimeout(Duration),
    /// TLS.
    #[error("the encrypted connection failed: {why}")]
    Tls {
        /// Why.
        why: String,
        /// Whether it is about the certificate.
        certificate: bool,
    },
    /// No answer before the time was up.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The body did not come before the time was up.
    #[error("cut off, the rest of the answer did not come in time")]
    BodyTimeout,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// What came was no HTTP.
    #[error("the answer can't be read: {0}")]
    Protocol(String),
}

impl Error {
    /// Whether the request did not get as far as being sent.
    #[must_use]
    pub fn is_before_sending(&self) -> bool {
        !matches!(
            self,
            Self::Timeout(_)
                | Self::BodyTimeout
                | Self::Broken(_)
                | Self::Protocol(_)
                | Self::ReceivedTooMuch
        )
    }

    /// Whether the request and what its handler may do are reason enough: at another time it is refused as well.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::NoWayOut
                | Self::NoList { .. }
                | Self::NotAllowed { .. }
                | Self::TooManyRequests
                | Self::RetryHeader
                | Self::Url(_)
        )
    }

    /// Whether the same request may go better in a moment.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::ConnectTimeout(_) | Self::Broken(_))
    }

    /// What an error of the client's means.
    pub(super) fn of_client(error: &legacy::Error) -> Self {
        let Some(source) = error.source() else { return Self::Broken(error.to_string()) };
        if let Some(own) = source.downcast_ref::<Self>() {
            return own.clone();
        }
        match source.downcast_ref::<hyper::Error>() {
            Some(error) => Self::of_connection(error),
            None => Self::Broken(source.to_string()),
        }
    }

    /// What an error of a connection's means.
    pub(super) fn of_connection(error: &hyper::Error) -> Self {
        let mut innermost: &dyn std::error::Error = error;
        while let Some(cause) = innermost.source() {
            innermost = cause;
        }
        if error.is_parse() || error.is_parse_status() {
            Self::Protocol(error.to_string())
        } else {
            Self::Broken(innermost.to_string())
        }
    }
}
