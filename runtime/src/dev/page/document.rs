//! A document as people read it: a line for each tag, indented, problems at the line they are about, links as they were
//! written. Works on what is not well-formed too, because that is when one wants to see it.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde::Serialize;

use crate::phone::plain_link;
use crate::twiml::{self, DocumentKind};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Shown {
    /// How many steps it is indented.
    pub(super) indent: usize,
    /// What stands there.
    pub(super) text: String,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) problems: Vec<Wrong>,
}

/// A problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Wrong {
    /// `error` or `warning`.
    pub(super) severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<u16>,
    pub(super) message: String,
}

/// Deepest indentation: beyond it lines do not move to the right any more.
const INDENT_MAX: usize = 12;

/// The lines of a document.
pub(super) fn shown(text: &str, kind: DocumentKind) -> Vec<Shown> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let pieces = pieces(text);
    let mut lines: Vec<(usize, Shown)> = Vec::new();
    let mut depth: usize = 0;
    // The line that began with the last start tag, as long as only text has followed it.
    let mut open = false;
    for piece in pieces {
        let Piece { at, text, kind } = piece;
        let text = plain(text);
        match kind {
            Kind::End => {
                depth = depth.saturating_sub(1);
                match lines.last_mut().filter(|_| open) {
                    Some((_, line)) => line.text.push_str(&text),
                    None => lines.push((at, line(depth, text))),
                }
                open = false;
            }
            Kind::Text => {
                let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
                match lines.last_mut().filter(|_| open) {
                    Some((_, line)) => line.text.push_str(&folded),
                    None => lines.push((at, line(depth, folded))),
                }
            }
            Kind::Start | Kind::Alone => {
                lines.push((at, line(depth, text)));
                open = kind == Kind::Start;
                depth += usize::from(open);
            }
        }
    }
    mark(text, kind, &mut lines);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn line(depth: usize, text: String) -> Shown {
    Shown { indent: depth.min(INDENT_MAX), text, problems: Vec::new() }
}

/// Puts each problem on the last line that begins at its place or before.
fn mark(text: &str, kind: DocumentKind, lines: &mut [(usize, Shown)]) {
    for problem in twiml::check(text.as_bytes(), Some(kind)) {
        let at = offset(text, problem.line, problem.column);
        let index = lines.iter().rposition(|(begins, _)| *begins <= at).unwrap_or_default();
        if let Some((_, line)) = lines.get_mut(index) {
            line.problems.push(Wrong {
                severity: problem.severity.word(),
                code: problem.code,
                message: problem.message,
            });
        }
    }
}

/// The byte at which a place begins; line and column count from 1, columns in characters.
fn offset(text: &str, line: u32, column: u32) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(usize::try_from(line).unwrap_or_default().saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = text.get(before..).unwrap_or_default();
    let column = usize::try_from(column).unwrap_or_default().saturating_sub(1);
    before + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

struct Piece<'a> {
    at: usize,
    text: &'a str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Start,
    End,
    /// An empty element, a comment, a declaration.
    Alone,
    Text,
}

/// Tags and what is between them; white space alone is left out.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, kind) = if rest.starts_with('<') {
            let end = tag_end(rest);
            let tag = rest.get(..end).unwrap_or(rest);
            let kind = if tag.starts_with("</") {
                Kind::End
            } else if tag.starts_with("<!") || tag.starts_with("<?") || tag.ends_with("/>") {
                Kind::Alone
            } else {
                Kind::Start
            };
            (end, kind)
        } else {
            (rest.find('<').unwrap_or(rest.len()), Kind::Text)
        };
        let piece = rest.get(..length).unwrap_or(rest);
        if kind != Kind::Text || !piece.trim().is_empty() {
            pieces.push(Piece { at, text: piece, kind });
        }
        at += piece.len();
    }
    pieces
}

/// Where the tag ends that `rest` begins with; its whole length where it never does.
fn tag_end(rest: &str) -> usize {
    for (opens, closes) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
        if rest.starts_with(opens) {
            return rest.find(closes).map_or(rest.len(), |at| at + closes.len());
        }
    }
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, '>') => return at + 1,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    rest.len()
}

/// With our pins taken out of its links.
fn plain(text: &str) -> String {
    static LINK: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"/[^"'<>\s?]*\?[^"'<>\s]*hs=[^"'<>\s]*"#).expect("it is a pattern"));
    LINK.replace_all(text, |found: &Captures<'_>| {
        let link = found.get(0).map_or("", |found| found.as_str()).replace("&amp;", "&");
        plain_link(&link).replace('&', "&amp;")
    })
    .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(document: &str) -> String {
        let lines = shown(document, DocumentKind::Voice);
        let one = |line: &Shown| {
            let marks: String = line.problems.iter().map(|_| " !").collect();
            format!("{}{}{marks}", "  ".repeat(line.indent), line.text)
        };
        lines.iter().map(one).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_document_reads_as_one_would_write_it() {
        for (document, expected) in [
            ("", ""),
            ("<Response/>", "<Response/>"),
            (
                "<?xml version=\"1.0\"?><Response><Say>One &lt; two.</Say><Hangup/></Response>",
                "<?xml version=\"1.0\"?>\n<Response>\n  <Say>One &lt; two.</Say>\n  <Hangup/>\n</Response>",
            ),
            (
                "<Response><Gather action=\"/dev/ivr/voice/menu?x=1&amp;hs=1.abc\"><Say>A\n  b</Say></Gather></Response>",
                "<Response>\n  <Gather action=\"menu?x=1\">\n    <Say>A b</Say>\n  </Gather>\n</Response>",
            ),
            (
                "<Response><Say>a <break/> b</Say><!-- > --></Response>",
                "<Response>\n  <Say>a\n    <break/>\n    b\n  </Say>\n  <!-- > -->\n</Response>",
            ),
            // What is wrong stands where it is wrong.
            ("<Response>\n<Sai>x</Sai>\n</Response>", "<Response>\n  <Sai>x</Sai> !\n</Response>"),
            (
                "<Response><Pause length=\"long\"/><Hangup/></Response>",
                "<Response>\n  <Pause length=\"long\"/> !\n  <Hangup/>\n</Response>",
            ),
            ("<Response><Say>x</Response>", "<Response>\n  <Say>x</Response> !"),
            ("not xml", "not xml !"),
            ("<Response><Say a=\"", "<Response>\n  <Say a=\" !"),
        ] {
            assert_eq!(text(document), expected, "{document}");
        }
    }
}
