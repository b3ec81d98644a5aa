//! Words for what is wrong: what was found, what would be right, and what to try.
//!
//! Messages cost far more than checks, and a guest decides how many there are: so their number is capped, and
//! so is the number of searches for a name that was meant.

use super::codes;
use super::grammar::{Attribute, Element, GRAMMAR, TextKind};
use super::names::{LISTED_MAX, listed, nearest};
use super::value::{self, Wrong};
use super::{DocumentKind, Problem, Severity};

/// Problems of one document that are told one by one.
const PROBLEMS_MAX: usize = 100;
/// Names of one document for which the nearest right one is looked for.
const SEARCHES_MAX: usize = 16;

/// The problems found so far.
pub(super) struct Report<'a> {
    text: &'a str,
    found: Vec<(usize, Problem)>,
    untold: usize,
    searches: usize,
}

impl<'a> Report<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, found: Vec::new(), untold: 0, searches: 0 }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.found.len() + self.untold
    }

    /// All of them in the order of the document, with their lines and columns.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        if self.found.is_empty() {
            return Vec::new();
        }
        self.found.sort_by_key(|(at, _)| *at);
        let mut place = Place::start(self.text);
        let mut problems: Vec<Problem> = Vec::with_capacity(self.found.len() + 1);
        for (at, mut problem) in self.found {
            place.go_to(self.text, at);
            (problem.line, problem.column) = (place.line, place.column);
            problems.push(problem);
        }
        if self.untold > 0 {
            problems.push(Problem {
                line: place.line,
                column: place.column,
                severity: Severity::Warning,
                element: "Response".to_owned(),
                code: None,
                message: format!("{} more problems are not listed; mend these first", self.untold),
                certain: true,
            });
        }
        problems
    }

    /// Adds one; `message` is only called while there is room for it.
    fn add(
        &mut self,
        at: usize,
        severity: Severity,
        element: &str,
        code: Option<u16>,
        certain: bool,
        message: impl FnOnce(&mut Self) -> String,
    ) {
        if self.found.len() == PROBLEMS_MAX {
            self.untold += 1;
            return;
        }
        let message = message(self);
        self.found.push((
            at,
            Problem { line: 0, column: 0, severity, element: shortened(element), code, message, certain },
        ));
    }

    fn nearest<'n>(&mut self, found: &str, candidates: impl Iterator<Item = &'n str>) -> Option<&'n str> {
        self.searches += 1;
        if self.searches > SEARCHES_MAX { None } else { nearest(found, candidates) }
    }

    /// `name` sits in `parent`, which does not take it; `known` if this kind of document has it elsewhere.
    pub(super) fn stranger(
        &mut self,
        at: usize,
        name: &str,
        parent: &Element,
        kind: DocumentKind,
        known: Option<&Element>,
    ) {
        let code = match kind {
            DocumentKind::Messaging if parent.parents.is_empty() => codes::NOT_IN_MESSAGING,
            _ => codes::misplaced_in(&parent.tag),
        };
        self.add(at, Severity::Warning, name, Some(code), true, |report| {
            let takes = if parent.children.is_empty() {
                format!("`<{}>` takes no elements", parent.tag)
            } else {
                format!("`<{}>` takes {}", parent.tag, listed(parent.children.names(), "and"))
            };
            let name_shown = shortened(name);
            if let Some(known) = known {
                let places = listed(known.parents.iter().map(String::as_str), "or");
                return match places.as_str() {
                    "" => {
                        format!("`<{name_shown}>` is the root and cannot be inside another element; {takes}")
                    }
                    _ => format!(
                        "`<{name_shown}>` cannot be in `<{}>`; it belongs in {places}, and {takes}",
                        parent.tag
                    ),
                };
            }
            let near = report
                .nearest(name, parent.children.names())
                .or_else(|| report.nearest(name, GRAMMAR.tags(kind)));
            if let Some(near) = near {
                let case = if near.eq_ignore_ascii_case(name) { " (letter case counts)" } else { "" };
                return format!("there is no element `<{name_shown}>`; did you mean `<{near}>`{case}?");
            }
            match DocumentKind::ALL.into_iter().find(|&other| GRAMMAR.anywhere(other, name).is_some()) {
                Some(other) => format!(
                    "`<{name_shown}>` is for {} documents, and this is a {} one; {takes}",
                    other.word(),
                    kind.word()
                ),
                None => format!("there is no element `<{name_shown}>`; {takes}"),
            }
        });
    }

    /// `element` has no attribute `name`.
    pub(super) fn unknown_attribute(&mut self, at: usize, name: &str, element: &Element) {
        self.add(at, Severity::Warning, &element.tag, Some(codes::SCHEMA), true, |report| {
            let (tag, shown) = (&element.tag, shortened(name));
            if element.attributes.is_empty() {
                return format!("`<{tag}>` has no attributes, so `{shown}` means nothing here; take it out");
            }
            match report.nearest(name, element.attributes.names()) {
                Some(near) if near.eq_ignore_ascii_case(name) => {
                    format!(
                        "`<{tag}>` has no attribute `{shown}`; did you mean `{near}` (letter case counts)?"
                    )
                }
                Some(near) => format!("`<{tag}>` has no attribute `{shown}`; did you mean `{near}`?"),
                None => format!(
                    "`<{tag}>` has no attribute `{shown}`; it has {}",
                    listed(element.attributes.names(), "and")
                ),
            }
        });
    }

    /// Checks the value of a known attribute.
    pub(super) fn value(
        &mut self,
        at: usize,
        name: &str,
        attribute: &Attribute,
        element: &Element,
        found: &str,
    ) {
        if let Some(wrong) = value::of_attribute(&attribute.takes, found) {
            let (severity, code) = (attribute.severity, Some(attribute.code).filter(|_| wrong.certain));
            let severity = if wrong.certain { severity } else { Severity::Warning };
            self.add(at, severity, &element.tag, code, wrong.certain, |report| {
                format!("`{name}` is \"{}\", {}", shortened(found), report.expected(&wrong, found))
            });
        }
        if let Some(most) = attribute.length_max.filter(|&most| !value::at_most(found, most)) {
            self.add(at, attribute.severity, &element.tag, Some(attribute.code), true, |_| {
                format!("`{name}` has {} characters, at most {most} are allowed", found.chars().count())
            });
        }
    }

    fn expected(&mut self, wrong: &Wrong, found: &str) -> String {
        let doubt =
            if wrong.certain { "" } else { "; the carrier keeps adding to these, so this may be a new one" };
        // Only sets of words are worth a search; other forms have one right shape.
        let near = wrong
            .set
            .and_then(|set| self.nearest(wrong.item.as_deref().unwrap_or(found), set.values.names()));
        let long = wrong.set.is_some_and(|set| set.values.names().nth(LISTED_MAX).is_some());
        match near {
            Some(near) if long => format!("did you mean `{near}`?{doubt}"),
            Some(near) => format!("did you mean `{near}`? Expected {}{doubt}", wrong.expected),
            None => format!("expected {}{doubt}", wrong.expected),
        }
    }

    /// The text of `element` is not what it takes.
    pub(super) fn text(&mut self, at: usize, element: &Element, found: &str, wrong: &Wrong) {
        let (code, severity) = codes::text_of(&element.tag);
        self.add(at, severity, &element.tag, Some(code), true, |_| {
            format!("the text is \"{}\", expected {}", shortened(found.trim()), wrong.expected)
        });
    }

    /// `element` needs text and has none.
    pub(super) fn text_missing(&mut self, at: usize, element: &Element) {
        let (code, severity) = codes::text_of(&element.tag);
        self.add(at, severity, &element.tag, Some(code), true, |_| {
            format!("`<{}>` is empty, expected {} as its text", element.tag, described(element.text.kind))
        });
    }

    /// `element` takes no text and has some.
    pub(super) fn text_not_allowed(&mut self, at: usize, element: &Element) {
        self.add(at, Severity::Warning, &element.tag, Some(codes::SCHEMA), true, |_| {
            let advice = match (element.children.get("Say"), element.children.get("Message")) {
                (Some(_), _) => "; to have it read aloud, put it into a `<Say>`",
                (_, Some(_)) => "; to send it, put it into a `<Message>`",
                _ if element.children.is_empty() => "; take it out",
                _ => "; put it into an element",
            };
            format!("text directly in `<{}>` is ignored{advice}", element.tag)
        });
    }

    /// One of the rules over several elements.
    pub(super) fn rule(&mut self, at: usize, element: &str, code: u16, message: &str) {
        self.add(at, Severity::Warning, element, Some(code), true, |_| message.to_owned());
    }

    /// A verb that no call reaches.
    pub(super) fn unreachable(&mut self, at: usize, name: &str, verb: &str) {
        self.add(at, Severity::Warning, name, None, false, |_| {
            let why = if verb == "Dial" {
                "a `<Dial>` with an `action` goes on there".to_owned()
            } else {
                format!("`<{verb}>` leaves the document")
            };
            format!("`<{}>` and what follows it are never reached: {why}", shortened(name))
        });
    }

    /// An element, or one of its attributes, that the carrier wants to be rid of.
    pub(super) fn deprecated(&mut self, at: usize, element: &str, attribute: Option<&str>, instead: &str) {
        self.add(at, Severity::Warning, element, None, false, |_| match attribute {
            Some(attribute) => format!("`{attribute}` of `<{element}>` is deprecated: {instead}"),
            None => format!("`<{element}>` is deprecated: {instead}"),
        });
    }

    /// A link that leads nowhere.
    pub(super) fn astray(&mut self, at: usize, element: &str, link: &str, reason: &str) {
        self.add(at, Severity::Warning, element, None, true, |_| {
            format!(
                "the link `{}` is left as it is: {reason}; write a step such as `menu`, or a whole URL",
                shortened(link)
            )
        });
    }
}

fn described(kind: TextKind) -> &'static str {
    match kind {
        TextKind::PhoneNumber => "a telephone number",
        TextKind::Url => "a link or URL",
        TextKind::Sid => "a SID",
        TextKind::SipUri => "a SIP address",
        TextKind::QueueName => "the queue's name",
        TextKind::ConferenceName => "the conference's name",
        TextKind::ClientIdentity => "the client's identity",
        TextKind::Speech => "what to say",
        TextKind::MessageText => "the message",
        TextKind::Json => "JSON",
        TextKind::String => "a name",
    }
}

/// As much of what somebody wrote as a message can bear.
pub(super) fn shortened(text: &str) -> String {
    cut(text, 80)
}

/// The first `most` characters, on one line.
pub(super) fn cut(text: &str, most: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    if text.chars().nth(most).is_none() {
        return text.chars().map(clean).collect();
    }
    text.chars().take(most).map(clean).chain(['…']).collect()
}

/// A line and a column, walked forward through a text.
pub(super) struct Place {
    at: usize,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Place {
    pub(super) fn start(text: &str) -> Self {
        // A byte order mark is no character of the first line.
        Self { at: if text.starts_with('\u{feff}') { 3 } else { 0 }, line: 1, column: 1 }
    }

    /// Walks on to the byte `at`; stays where it is when that lies behind.
    pub(super) fn go_to(&mut self, text: &str, at: usize) {
        let between = text.get(self.at..at).unwrap_or_default();
        for c in between.chars() {
            if c == '\n' {
                (self.line, self.column) = (self.line + 1, 1);
            } else {
                self.column += 1;
            }
        }
        self.at += between.len();
    }
}
