//! What the platform makes of an answer: a document, words to read aloud, a sound, or a failure.

use super::ANSWER_BYTES_MAX;
use super::line::Reply;
use super::speech::folded;
use crate::twiml::{self, DocumentKind, Element, Problem};

/// An answer that can be carried out.
#[derive(Debug)]
pub(super) enum Answer {
    /// A document, with what the carrier would warn about.
    Document(Element, Vec<Problem>),
    /// To be read aloud, or sent back as a message.
    Text(String),
    /// To be played.
    Audio,
}

/// Reads an answer.
///
/// # Errors
/// The carrier's code and why.
pub(super) fn read(reply: &Reply, kind: DocumentKind) -> Result<Answer, (u16, String)> {
    let header = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok());
    if reply.status >= 400 {
        return Err((11200, format!("the answer is HTTP {}", reply.status)));
    }
    if reply.body.len() > ANSWER_BYTES_MAX {
        return Err((11750, format!("the answer has more than {ANSWER_BYTES_MAX} bytes")));
    }
    let chunked = header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
    if reply.body.is_empty() && chunked {
        return Err((11770, "the answer is chunked and empty".into()));
    }
    let Some(content_type) = header("content-type").filter(|value| !value.trim().is_empty()) else {
        return Err((12300, "the answer has no Content-Type; expected text/xml".into()));
    };
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        "text/xml" | "application/xml" | "text/html" => document(&reply.body, kind),
        "text/plain" => match document(&reply.body, kind) {
            Ok(answer) => Ok(answer),
            Err(_) => Ok(Answer::Text(folded(&String::from_utf8_lossy(&reply.body)))),
        },
        _ if media.starts_with("audio/") && kind == DocumentKind::Voice => Ok(Answer::Audio),
        _ => Err((12300, format!("the answer's Content-Type is {content_type:?}; expected text/xml"))),
    }
}

fn document(body: &[u8], kind: DocumentKind) -> Result<Answer, (u16, String)> {
    let text = std::str::from_utf8(body).map_err(|_| (12100, "the document is not UTF-8".to_owned()))?;
    match Element::read_document(text) {
        Ok(root) => Ok(Answer::Document(root, twiml::check(body, Some(kind)))),
        Err(unusable) => Err((unusable.code().unwrap_or(12100), unusable.to_string())),
    }
}
