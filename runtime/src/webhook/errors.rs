//! The one error table: what failed, whose fault it is, what the carrier is answered, what the caller hears.
//!
//! Codes are a promise: they stand in `x-hookswitch-error`, in the log, in metrics and in ARCHITECTURE.md, and are
//! never given a second meaning. The carrier sees code and one sentence; causes go to the handler's log.

use http::StatusCode;

use crate::admission::places::Full;
use crate::carrier::twilio::params::ParamsError;
use crate::carrier::twilio::signature::Mismatch;
use crate::router::{ForeignPin, Tenant};
use crate::sandbox::RunError;
use crate::state::KeepError;
use crate::twiml::{Problem, Unusable};

/// Why a webhook did not reach a handler. Nothing ran.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The signature is not the carrier's.
    #[error(
        "signature does not match for {url}: {why}; if a proxy rewrites host or scheme, set `public_url`"
    )]
    BadSignature {
        /// The URL it was checked against.
        url: String,
        /// What was tried.
        why: Box<Mismatch>,
    },
    /// Nothing to check a signature with.
    #[error("tenant {tenant} has no auth token, so no webhook of it can be trusted; give it one")]
    NoToken {
        /// Whose.
        tenant: String,
    },
    /// No such tenant, handler or entry.
    #[error(
        "nothing is here; expected /TENANT/HANDLER/voice[/STEP], …/sms or …/status of a deployed handler, or /voice, /sms \
         or /status for a number that a handler answers"
    )]
    NotFound,
    /// A link that we did not write.
    #[error(
        "the `hs` in this link was not written by this host for this handler; links must come from its documents"
    )]
    ForeignPin,
    /// The parameters are not a webhook's.
    #[error(transparent)]
    Parameters(#[from] ParamsError),
}

/// Why a handler's answer can't be used. Somebody is on the line.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The sandbox stopped it, or it failed by itself.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The carrier would refuse the document.
    #[error("the document can't be used: {0}")]
    Unusable(#[from] Unusable),
    /// The carrier would warn, and the handler asked for strictness.
    #[error(
        "the document is outside the grammar: line {}: {} (`dev`, `call` and `test` fail on it, a host warns; `strict = true` or \
         `false` in handler.toml decides for all)",
        .0.line,
        .0.message
    )]
    OutsideGrammar(Box<Problem>),
    /// No place within the time a webhook may wait for one.
    #[error(transparent)]
    Overloaded(Full),
    /// So many webhooks of this revision failed that it is given none for a while.
    #[error(
        "too many webhooks of this revision failed just before, so it was not run; it is tried again in {retry_ms} ms"
    )]
    Broken {
        /// When, in milliseconds.
        retry_ms: u64,
    },
    /// What the handler wanted to remember could not be kept.
    #[error("the session could not be kept: {0}")]
    NotKept(#[from] KeepError),
    /// The code is not in memory and could not be had in time.
    #[error("the component can't be run: {why}")]
    NotLoaded {
        /// Why.
        why: String,
    },
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The stable code.
    pub code: &'static str,
    /// Who has to do something.
    pub fault: Fault,
}

/// Who has to do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Whoever sent the request, or configured the carrier.
    Sender,
    /// The author of the handler.
    Author,
    /// Whoever runs the host.
    Operator,
}

impl Failure {
    /// The row for this failure.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let row = |code, fault| Verdict { code, fault };
        match self {
            Self::Run(RunError::HostFault { .. }) => row("HS212", Fault::Operator),
            Self::Run(error) => row(error.code(), Fault::Author),
            Self::Unusable(Unusable::TooLarge { .. }) => row("HS207", Fault::Author),
            Self::Unusable(_) => row("HS206", Fault::Author),
            Self::OutsideGrammar(_) => row("HS208", Fault::Author),
            Self::Overloaded(_) => row("HS211", Fault::Operator),
            Self::Broken { .. } => row("HS215", Fault::Author),
            Self::NotLoaded { .. } => row("HS216", Fault::Operator),
            Self::NotKept(_) => row("HS217", Fault::Operator),
        }
    }

    /// Whether another revision may do better: not where there was no room for any, nor where it is not known whether
    /// something was kept.
    #[must_use]
    pub fn may_work_elsewhere(&self) -> bool {
        !matches!(self, Self::Overloaded(_) | Self::NotKept(_))
    }
}

impl From<ForeignPin> for Refusal {
    fn from(_: ForeignPin) -> Self {
        Self::ForeignPin
    }
}

impl Refusal {
    /// A signature that could not be proven: for want of a key, or because it is another's.
    #[must_use]
    pub fn unverified(tenant: &Tenant, url: &str, why: Mismatch) -> Self {
        if tenant.keys.is_empty() {
            Self::NoToken { tenant: tenant.id.to_string() }
        } else {
            Self::BadSignature { url: url.to_owned(), why: Box::new(why) }
        }
    }

    /// The row for this refusal and the status that the carrier gets.
    #[must_use]
    pub fn verdict(&self) -> (Verdict, StatusCode) {
        let row = |code, status| (Verdict { code, fault: Fault::Sender }, status);
        match self {
            Self::BadSignature { .. } => row("HS101", StatusCode::FORBIDDEN),
            Self::NoToken { .. } => {
                (Verdict { code: "HS102", fault: Fault::Operator }, StatusCode::FORBIDDEN)
            }
            Self::NotFound => row("HS103", StatusCode::NOT_FOUND),
            Self::ForeignPin => row("HS104", StatusCode::FORBIDDEN),
            Self::Parameters(_) => row("HS105", StatusCode::BAD_REQUEST),
        }
    }

    /// One line for the sender: says nothing of the host's inside and nothing of which tenants exist.
    #[must_use]
    pub fn for_sender(&self) -> String {
        match self {
            Self::BadSignature { .. } => {
                "the signature does not match; `hookswitch signature` explains why".to_owned()
            }
            Self::NoToken { .. } => "webhooks of this tenant can't be checked".to_owned(),
            Self::NotFound | Self::ForeignPin | Self::Parameters(_) => self.to_string(),
        }
    }
}
