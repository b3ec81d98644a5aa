//! A document as a tree, for those who carry it out.
//!
//! The same strict scanner as on the path of a call reads it, so that what plays here is well-formed everywhere. Whether
//! elements and attributes make sense is not asked: a platform goes on where it does not understand, and so does
//! whoever reads this.

use super::chars::{text_of, value_of};
use super::report::Place;
use super::scan::{Scanned, Scanner, Token, broken};
use super::{Unusable, check_size, placed};

/// One element with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its tag.
    pub name: String,
    /// Names and values, in the order of the document.
    pub attributes: Vec<(String, String)>,
    /// What is between its tags.
    pub children: Vec<Node>,
    /// The line of its start tag, from 1.
    pub line: u32,
}

/// A piece of an element's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Character data with its references resolved; never empty.
    Text(String),
}

impl Element {
    /// Reads a document or a piece of one: whatever has a single root.
    ///
    /// # Errors
    /// [`Unusable`] where no platform would read it; the root may be any element.
    pub fn read(text: &str) -> Result<Self, Unusable> {
        check_size(text)?;
        read(text).map_err(|fault| placed(text, *fault).0)
    }

    /// Reads a document, whose root has to be `Response`.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn read_document(text: &str) -> Result<Self, Unusable> {
        let root = Self::read(text)?;
        if root.name == "Response" { Ok(root) } else { Err(Unusable::WrongRoot { found: root.name }) }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The elements directly inside.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The character data directly inside, trimmed.
    #[must_use]
    pub fn text(&self) -> String {
        let parts = self.children.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        parts.collect::<String>().trim().to_owned()
    }
}

fn read(text: &str) -> Scanned<Element> {
    let mut scanner = Scanner::new(text)?;
    let mut place = Place::start(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        match scanner.next()? {
            Token::Open { name, at } => {
                place.go_to(text, at);
                let (name, line) = (name.to_owned(), place.line);
                open.push(Element { name, attributes: Vec::new(), children: Vec::new(), line });
            }
            Token::Attribute { name, value, plain, .. } => {
                if let Some(element) = open.last_mut() {
                    element.attributes.push((name.to_owned(), value_of(value, plain).into_owned()));
                }
            }
            Token::Text { raw, plain, .. } => {
                let data = if plain { raw.to_owned() } else { text_of(raw) };
                push_text(&mut open, &data);
            }
            Token::CData { raw, .. } => push_text(&mut open, raw),
            Token::Body { .. } | Token::Aside => {}
            Token::Close { .. } => match (open.pop(), open.last_mut()) {
                (Some(element), Some(parent)) => parent.children.push(Node::Element(element)),
                (element, _) => root = element,
            },
            Token::End => {
                return match root {
                    Some(root) => Ok(root),
                    None => broken(0, "there is no root element"),
                };
            }
        }
    }
}

fn push_text(open: &mut [Element], data: &str) {
    let Some(element) = open.last_mut().filter(|_| !data.is_empty()) else { return };
    match element.children.last_mut() {
        Some(Node::Text(text)) => text.push_str(data),
        _ => element.children.push(Node::Text(data.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_holds_what_a_reader_sees() {
        let text = "<?xml version='1.0'?>\n<Response>\n <Say a='1 &amp; 2'>Tom &amp; <!-- x --><![CDATA[<b>]]> <b>c</b></Say><X/></Response>";
        let root = Element::read_document(text).unwrap();
        let say = root.elements().next().unwrap();
        assert_eq!((say.name.as_str(), say.line, say.attribute("a")), ("Say", 3, Some("1 & 2")));
        assert_eq!(say.text(), "Tom & <b>");
        assert_eq!(root.elements().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["Say", "X"]);
    }

    #[test]
    fn what_no_platform_reads_is_refused_with_its_code() {
        for (text, code) in [
            ("<Response>", Some(12100)),
            ("", Some(12100)),
            ("<Result/>", Some(12102)),
            ("<?xml version='1.1'?><Response/>", Some(12101)),
        ] {
            assert_eq!(Element::read_document(text).unwrap_err().code(), code, "{text}");
        }
    }
}
