//! The document: what a handler answers and a carrier plays.
//!
//! [`prepare`] is on the path of every call. It reads a document once, and in that one pass checks it against the
//! grammar and turns the handler's links into paths that come back to the same revision; bytes that need no change
//! are passed through as they are. What a carrier would refuse makes a document [`Unusable`]; what it would only
//! warn about becomes a [`Problem`] and the document is still good. [`check`] is the same pass for people, behind
//! `hookswitch lint`.
//!
//! The grammar comes from `spec/twiml.json`. What to do about a bad document is `webhook`'s business.

mod chars;
mod codes;
mod grammar;
mod links;
mod names;
mod pass;
mod report;
mod rules;
mod scan;
mod tree;
mod value;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use self::links::Links;
use self::pass::pass;
use self::report::Place;
use self::scan::Fault;
pub use self::tree::{Element, Node};

/// Most bytes of a document, ours or a carrier's.
/// Source: Twilio, error 11750, "TwiML response body too large": 64 kB.
pub const DOCUMENT_BYTES_MAX: usize = 65_536;

/// Whose grammar a document follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// What a caller hears.
    Voice,
    /// Replies to a message.
    Messaging,
    /// The retired fax product; known so that old documents can be checked. Its links are never rewritten.
    Fax,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Voice, Self::Messaging, Self::Fax];

    /// Its name in the grammar and in messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Messaging => "messaging",
            Self::Fax => "fax",
        }
    }
}

/// How the carrier takes a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// It refuses the document, or the verb with it.
    Error,
    /// It notes a warning, drops the part or takes the default, and goes on.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// How the carrier takes it.
    pub severity: Severity,
    /// The tag it is about.
    pub element: String,
    /// The carrier's own number for it, such as 12200, where it has one.
    pub code: Option<u16>,
    /// What was found, what would be right, what to try.
    pub message: String,
    /// Whether it breaks the grammar for sure. Deprecated and unreachable parts do not, and neither does an unknown
    /// value where the carrier keeps adding new ones.
    pub certain: bool,
}

/// A document ready to send.
#[derive(Debug)]
pub struct Prepared<'a> {
    /// With links rewritten; borrowed where there were none.
    pub text: Cow<'a, str>,
    /// What the carrier would complain about and still play, in the order of the document; at most 101.
    pub warnings: Vec<Problem>,
}

impl Prepared<'_> {
    /// The first problem that puts the document outside the grammar: what strict mode refuses it for.
    #[must_use]
    pub fn outside_grammar(&self) -> Option<&Problem> {
        self.warnings.iter().find(|problem| problem.certain)
    }
}

/// Why a document cannot be sent at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nothing but white space.
    #[error("the document is empty; to do nothing, answer `<Response/>`")]
    Empty,
    /// Over [`DOCUMENT_BYTES_MAX`], as written or with its links rewritten.
    #[error(
        "the document has {bytes} bytes, at most {DOCUMENT_BYTES_MAX} are allowed; continue behind a `<Redirect>`"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// No parser would read it.
    #[error("the document is not well-formed XML, line {line}, column {column}: {message}")]
    NotWellFormed {
        /// From 1.
        line: u32,
        /// From 1, in characters.
        column: u32,
        /// What is wrong there.
        message: String,
    },
    /// The root is not `Response`.
    #[error("the document's root is `<{found}>`, expected `<Response>` (letter case counts)")]
    WrongRoot {
        /// The root's name.
        found: String,
    },
    /// It has a document type.
    #[error("the document has a DOCTYPE, which could define entities without end; take it out")]
    Doctype,
    /// It is, or says it is, in another encoding.
    #[error("the document is in `{found}`, expected UTF-8")]
    Encoding {
        /// What it says, or what was found.
        found: String,
    },
    /// The XML declaration does not say 1.0.
    #[error("the document is XML `{found}`, expected 1.0")]
    XmlVersion {
        /// What it says.
        found: String,
    },
    /// More than 64 elements inside each other.
    #[error("the document nests more than {} elements", scan::DEPTH_MAX)]
    TooDeep,
}

impl Unusable {
    /// The carrier's own number for it; none where it is our limit and not the carrier's.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        match self {
            Self::Empty | Self::NotWellFormed { .. } | Self::Doctype | Self::Encoding { .. } => {
                Some(codes::NOT_WELL_FORMED)
            }
            Self::TooLarge { .. } => Some(codes::TOO_LARGE),
            Self::WrongRoot { .. } => Some(codes::WRONG_ROOT),
            Self::XmlVersion { .. } => Some(codes::XML_VERSION),
            Self::TooDeep => None,
        }
    }
}

/// Reads the grammar now, so that the first call does not wait for it (some milliseconds).
pub fn warm_up() {
    std::sync::LazyLock::force(&grammar::GRAMMAR);
}

/// Checks a document and points its links at the handler, in one pass.
///
/// What is prepared can be prepared again: with the same links nothing changes any more.
///
/// # Errors
/// [`Unusable`] where the carrier would refuse the document or we do.
pub fn prepare<'a>(text: &'a str, kind: DocumentKind, links: &Links<'_>) -> Result<Prepared<'a>, Unusable> {
    check_size(text)?;
    let passed = match pass(text, kind, Some(links)) {
        Ok(passed) => passed,
        Err((fault, _)) => return Err(placed(text, *fault).0),
    };
    if passed.text.len() > DOCUMENT_BYTES_MAX {
        return Err(Unusable::TooLarge { bytes: passed.text.len() });
    }
    Ok(Prepared { text: passed.text, warnings: passed.report.into_problems() })
}

/// All that is wrong with a document, in its order: for people who write one.
///
/// Without a `kind` it is the one whose grammar fits best, voice if several do.
#[must_use]
pub fn check(text: &[u8], kind: Option<DocumentKind>) -> Vec<Problem> {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => return vec![not_utf_8(text, error.valid_up_to())],
    };
    if let Err(unusable) = check_size(text) {
        return vec![refusal(unusable, 1, 1)];
    }
    let kinds = kind.as_ref().map_or(&DocumentKind::ALL[..], std::slice::from_ref);
    let mut best = None;
    for &kind in kinds {
        match pass(text, kind, None) {
            Ok(passed) => {
                let misfit = (passed.strangers, passed.report.len());
                if best.as_ref().is_none_or(|(least, _)| misfit < *least) {
                    best = Some((misfit, passed.report));
                }
            }
            // Well-formedness does not depend on the kind.
            Err((fault, report)) => {
                let mut problems = report.into_problems();
                let (unusable, line, column) = placed(text, *fault);
                problems.push(refusal(unusable, line, column));
                return problems;
            }
        }
    }
    best.map(|(_, report)| report.into_problems()).unwrap_or_default()
}

fn check_size(text: &str) -> Result<(), Unusable> {
    if text.len() > DOCUMENT_BYTES_MAX {
        return Err(Unusable::TooLarge { bytes: text.len() });
    }
    // The first byte of nearly every document tells that it is not blank.
    if !text.starts_with('<') && scan::is_blank(text) {
        return Err(Unusable::Empty);
    }
    Ok(())
}

/// The fault with its line and column.
fn placed(text: &str, fault: Fault) -> (Unusable, u32, u32) {
    let mut place = Place::start(text);
    place.go_to(text, fault.at);
    let unusable = match fault.unusable {
        Unusable::NotWellFormed { message, .. } => {
            Unusable::NotWellFormed { line: place.line, column: place.column, message }
        }
        other => other,
    };
    (unusable, place.line, place.column)
}

fn refusal(unusable: Unusable, line: u32, column: u32) -> Problem {
    let code = unusable.code();
    let message = match unusable {
        // Line and column stand before the message already.
        Unusable::NotWellFormed { message, .. } => format!("not well-formed XML: {message}"),
        other => other.to_string(),
    };
    Problem {
        line,
        column,
        severity: Severity::Error,
        element: "Response".to_owned(),
        code,
        message,
        certain: true,
    }
}

fn not_utf_8(bytes: &[u8], valid: usize) -> Problem {
    let found = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'<', 0, ..] | [0, b'<', ..] => "UTF-16",
        _ => "bytes that are no UTF-8",
    };
    let before = std::str::from_utf8(bytes.get(..valid).unwrap_or_default()).unwrap_or_default();
    let mut place = Place::start(before);
    place.go_to(before, before.len());
    refusal(Unusable::Encoding { found: found.to_owned() }, place.line, place.column)
}
