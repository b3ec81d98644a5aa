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
        let said =
            header("content-type").filter(|value| value.starts_with("text/plain")).map(|_| &*reply.body);
        return Err((
            11200,
            format!("the answer is HTTP {}{}", reply.status, said.map_or(String::new(), why)),
        ));
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

/// The first line of what a host says about a request that it refuses, as far as a timeline has room for it.
fn why(said: &[u8]) -> String {
    const CHARS_MAX: usize = 300;
    let text = String::from_utf8_lossy(said);
    let line = text.trim().lines().next().unwrap_or_default();
    let mut kept: String = line.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect();
    if line.chars().count() > CHARS_MAX {
        kept.push('\u{2026}');
    }
    if kept.is_empty() { kept } else { format!(": {kept}") }
}

fn document(body: &[u8], kind: DocumentKind) -> Result<Answer, (u16, String)> {
    let text = std::str::from_utf8(body).map_err(|_| (12100, "the document is not UTF-8".to_owned()))?;
    match Element::read_document(text) {
        Ok(root) => Ok(Answer::Document(root, twiml::check(body, Some(kind)))),
        Err(unusable) => Err((unusable.code().unwrap_or(12100), unusable.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    #[test]
    fn a_refusal_is_told_with_the_first_line_of_what_was_said() {
        let long = "x".repeat(5_000);
        for (media, body, expected) in [
            (
                "text/plain",
                "HS101: not the carrier's\nmore",
                "the answer is HTTP 403: HS101: not the carrier's",
            ),
            ("text/plain; charset=utf-8", "\r\n\u{1b}[31mred", "the answer is HTTP 403: [31mred"),
            ("text/plain", "", "the answer is HTTP 403"),
            ("text/html", "<h1>Forbidden</h1>", "the answer is HTTP 403"),
            ("text/plain", &long, &format!("the answer is HTTP 403: {}\u{2026}", &long[..300])),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("content-type", media.parse().unwrap());
            let body = Bytes::copy_from_slice(body.as_bytes());
            let reply = Reply { status: 403, headers, body, took: Duration::ZERO };
            let (code, why) = read(&reply, DocumentKind::Voice).unwrap_err();
            assert_eq!((code, &*why), (11200, expected));
        }
    }
}
