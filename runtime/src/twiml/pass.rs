//! The one pass over a document: reads it, checks it against the grammar, rewrites its links.
//!
//! A good document leaves nothing behind but its text with new links, so words are only made for what is wrong,
//! in `report`. What is wrong never stops the pass: the carrier, too, drops what it does not know and goes on. Only
//! a [`Fault`](super::scan::Fault) does.
//!
//! Rules that look at several elements or attributes at once are `rules`' business.

use std::borrow::Cow;

use super::DocumentKind;
use super::chars;
use super::grammar::{Attribute, Element, GRAMMAR, Grammar, Takes, TextKind};
use super::links::{Links, Outcome};
use super::report::{Report, shortened};
use super::rules::{self, Seen};
use super::scan::{Fault, Scanned, Scanner, Token};
use super::{Unusable, value};

/// What a pass found.
pub(super) struct Passed<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) report: Report<'a>,
    /// Children of the root that this kind of document does not have at all.
    pub(super) strangers: usize,
}

/// An open element.
pub(super) struct Frame<'a> {
    pub(super) name: &'a str,
    /// Its `<`.
    pub(super) at: usize,
    /// `None` for an unknown element and for all that is inside one.
    pub(super) element: Option<&'static Element>,
    /// Where its content begins; `None` for `<a/>`.
    body_at: Option<usize>,
    /// Its first text that is not blank.
    text_at: Option<usize>,
    /// Whether its content is one piece of text as it stands.
    plain: bool,
    /// Whether there are elements in it, known or not.
    elements_inside: bool,
    pub(super) seen: Seen,
}

pub(super) struct Pass<'a, 'l> {
    text: &'a str,
    kind: DocumentKind,
    grammar: &'static Grammar,
    links: Option<&'l Links<'l>>,
    frames: Vec<Frame<'a>>,
    out: String,
    /// How far `text` has been copied to `out`.
    copied: usize,
    /// Whether any link was rewritten.
    changed: bool,
    report: Report<'a>,
    strangers: usize,
    /// The verb after which nothing of the document is reached.
    ended_by: Option<&'static str>,
}

/// Goes through `text`; rewrites links if told where they lead.
pub(super) fn pass<'a>(
    text: &'a str,
    kind: DocumentKind,
    links: Option<&Links<'_>>,
) -> Result<Passed<'a>, (Box<Fault>, Report<'a>)> {
    let mut pass = Pass {
        text,
        kind,
        grammar: &GRAMMAR,
        links: links.filter(|_| kind != DocumentKind::Fax),
        frames: Vec::with_capacity(8),
        out: String::new(),
        copied: 0,
        changed: false,
        report: Report::new(text),
        strangers: 0,
        ended_by: None,
    };
    match pass.run() {
        Ok(()) => Ok(pass.finish()),
        Err(fault) => Err((fault, pass.report)),
    }
}

impl<'a> Pass<'a, '_> {
    fn run(&mut self) -> Scanned<()> {
        let mut scanner = Scanner::new(self.text)?;
        loop {
            match scanner.next()? {
                Token::Open { name, at } => self.open(name, at)?,
                Token::Attribute { name, at, value, value_at, plain } => {
                    self.attribute(name, at, value, value_at, plain)
                }
                Token::Body { at } => {
                    if let Some(frame) = self.frames.last_mut() {
                        frame.body_at = Some(at);
                    }
                }
                Token::Text { raw, at, plain } => self.character_data(raw, at, plain),
                Token::CData { raw, at } => self.cdata(raw, at),
                Token::Aside => {
                    if let Some(frame) = self.frames.last_mut() {
                        frame.plain = false;
                    }
                }
                Token::Close { at } => self.close(at),
                Token::End => return Ok(()),
            }
        }
    }

    fn finish(mut self) -> Passed<'a> {
        let text = if self.changed {
            self.out.push_str(self.text.get(self.copied..).unwrap_or_default());
            Cow::Owned(self.out)
        } else {
            Cow::Borrowed(self.text)
        };
        Passed { text, report: self.report, strangers: self.strangers }
    }

    fn open(&mut self, name: &'a str, at: usize) -> Scanned<()> {
        let element = match self.frames.last_mut() {
            None if name == "Response" => Some(self.grammar.root(self.kind)),
            None => {
                return Err(Box::new(Fault { at, unusable: Unusable::WrongRoot { found: shortened(name) } }));
            }
            Some(parent) => {
                (parent.plain, parent.elements_inside) = (false, true);
                match parent.element {
                    None => None,
                    Some(above) => match above.children.get(name) {
                        Some(&id) => Some(self.grammar.element(id)),
                        None => {
                            let known = self.grammar.anywhere(self.kind, name);
                            self.strangers += usize::from(known.is_none() && self.frames.len() == 1);
                            self.report.stranger(at, name, above, self.kind, known);
                            known
                        }
                    },
                }
            }
        };
        if self.frames.len() == 1
            && element.is_some()
            && let Some(verb) = self.ended_by.take()
        {
            self.report.unreachable(at, name, verb);
        }
        if let Some(element) = element {
            if let Some(instead) = &element.deprecated {
                self.report.deprecated(at, name, None, instead);
            }
            if let Some(parent) = self.frames.last_mut() {
                rules::child(parent, element, at, &mut self.report);
            }
        }
        self.frames.push(Frame {
            name,
            at,
            element,
            body_at: None,
            text_at: None,
            plain: true,
            elements_inside: false,
            seen: Seen::default(),
        });
        Ok(())
    }

    fn attribute(&mut self, name: &'a str, at: usize, raw: &'a str, value_at: usize, plain: bool) {
        let Some(frame) = self.frames.last_mut() else { return };
        let Some(element) = frame.element else { return };
        let Some(attribute) = element.attributes.get(name) else {
            self.report.unknown_attribute(at, name, element);
            return;
        };
        let value = chars::value_of(raw, plain);
        self.report.value(value_at, name, attribute, element, &value);
        rules::attribute(attribute.watch, &value, &mut frame.seen);
        if let Some(instead) = &attribute.deprecated {
            self.report.deprecated(at, &element.tag, Some(name), instead);
        }
        if is_link(attribute) {
            self.link(&value, value_at, value_at + raw.len(), &element.tag);
        }
    }

    fn character_data(&mut self, raw: &'a str, at: usize, plain: bool) {
        let Some(frame) = self.frames.last_mut() else { return };
        frame.plain &= plain && frame.body_at == Some(at);
        if frame.text_at.is_some() {
            return;
        }
        let Some(before) = raw.bytes().position(|byte| !chars::is_space(byte)) else { return };
        // A reference may stand for a blank.
        let reference = raw.as_bytes().get(before) == Some(&b'&');
        if !(reference && chars::text_of(raw).bytes().all(chars::is_space)) {
            frame.text_at = Some(at + before);
        }
    }

    fn cdata(&mut self, raw: &'a str, at: usize) {
        let Some(frame) = self.frames.last_mut() else { return };
        frame.plain = false;
        if frame.text_at.is_none() && !raw.bytes().all(chars::is_space) {
            frame.text_at = Some(at);
        }
    }

    fn close(&mut self, at: usize) {
        let Some(frame) = self.frames.pop() else { return };
        let Some(element) = frame.element else { return };
        let content = self.text.get(frame.body_at.unwrap_or(at)..at).unwrap_or_default();
        match frame.text_at {
            None if element.text.required && !rules::may_be_empty(element) => {
                self.report.text_missing(frame.at, element);
            }
            None => {}
            Some(text_at) if !element.text.allowed => self.report.text_not_allowed(text_at, element),
            Some(text_at) => self.text(&frame, element, content, text_at),
        }
        rules::close(&frame, element, content, &mut self.report);
        if self.frames.len() == 1 && rules::ends_document(element, &frame.seen) {
            self.ended_by = Some(&element.tag);
        }
    }

    /// Checks the text of an element that takes some, and rewrites it if it is a link.
    fn text(&mut self, frame: &Frame<'a>, element: &'static Element, content: &'a str, text_at: usize) {
        // The common kinds of text take anything.
        if matches!(
            element.text.kind,
            TextKind::Speech | TextKind::String | TextKind::ConferenceName | TextKind::ClientIdentity
        ) {
            return;
        }
        let text = if frame.plain { Cow::Borrowed(content) } else { Cow::Owned(chars::text_of(content)) };
        if let Some(wrong) = value::of_text(element.text.kind, &element.tag, &text) {
            self.report.text(text_at, element, &text, &wrong);
        }
        // A link with elements inside is none that anybody can follow.
        if element.text.kind == TextKind::Url && !frame.elements_inside {
            let body_at = frame.body_at.unwrap_or(text_at);
            let before = content.bytes().take_while(|&byte| chars::is_space(byte)).count();
            let after = content.bytes().rev().take_while(|&byte| chars::is_space(byte)).count();
            self.link(&text, body_at + before, body_at + content.len() - after, &element.tag);
        }
    }

    /// Rewrites the link that stands from `start` to `end` in the text.
    fn link(&mut self, link: &str, start: usize, end: usize, tag: &str) {
        let Some(links) = self.links else { return };
        if self.copied == 0 {
            self.out.reserve(self.text.len() + 512);
        }
        // Also before a link that stays as it is: so each byte is copied once, however many links there are.
        self.out.push_str(self.text.get(self.copied..start).unwrap_or_default());
        self.copied = start;
        let link = chars::trimmed(link);
        match links.rewrite(link, entry(self.kind), &mut self.out) {
            Outcome::Rewritten => (self.copied, self.changed) = (end, true),
            Outcome::Untouched => {}
            Outcome::Astray(reason) => self.report.astray(start, tag, link, reason),
        }
    }
}

fn is_link(attribute: &Attribute) -> bool {
    matches!(attribute.takes, Takes::Link { .. })
}

/// The entry that answers with documents of this kind.
fn entry(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Voice | DocumentKind::Fax => "voice",
        DocumentKind::Messaging => "sms",
    }
}
