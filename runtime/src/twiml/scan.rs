//! Reads XML as strictly as a conforming parser: what passes here is well-formed for everybody (names beyond
//! ASCII aside, where the editions of XML differ; TwiML has none).
//!
//! One pass over the bytes, borrowing from the text, without the parts of XML that only ever hurt: a document
//! type is refused at sight, so there are no entities beyond the five and nothing can expand. Pull parsers at hand
//! leave half of well-formedness to their caller (characters, names, duplicate attributes, `]]>` in text), and
//! checking that a second time would cost more than reading it once.
//!
//! Which elements and attributes make sense is `pass`'s business.

use std::collections::HashSet;

use super::Unusable;
use super::chars::{self, CLASS, NAME};
use super::report::{cut, shortened};

/// Elements open at once. TwiML needs 3, speech markup a few more; the stack of whoever reads it next is finite.
pub(super) const DEPTH_MAX: usize = 64;

/// What makes a document unusable, and the byte where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) unusable: Unusable,
}

/// A fault is the rare end of a document, so it is boxed: tokens stay small.
pub(super) type Scanned<T> = Result<T, Box<Fault>>;

/// Not well-formed at `at`. Names in `message` are the guest's, and can be as long as a document.
pub(super) fn broken<T>(at: usize, message: impl AsRef<str>) -> Scanned<T> {
    let message = cut(message.as_ref(), 400);
    Err(Box::new(Fault { at, unusable: Unusable::NotWellFormed { line: 0, column: 0, message } }))
}

/// A piece of a document. Offsets are bytes from its beginning.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token<'a> {
    /// `<name`. Its attributes follow, then `Body` or `Close`.
    Open { name: &'a str, at: usize },
    /// One attribute of the element just opened; `plain` when `value` holds no reference and no white space but spaces.
    Attribute { name: &'a str, at: usize, value: &'a str, value_at: usize, plain: bool },
    /// The `>` of a start tag; the content begins at `at`.
    Body { at: usize },
    /// Character data; `plain` when it holds no reference.
    Text { raw: &'a str, at: usize, plain: bool },
    /// A CDATA section, by its content.
    CData { raw: &'a str, at: usize },
    /// A comment or processing instruction inside an element.
    Aside,
    /// The end of the innermost element; its content ends at `at`.
    Close { at: usize },
    /// The end of the document.
    End,
}

enum State {
    /// Before or after the root.
    Outside,
    /// After `<name`, between attributes.
    Tag,
    /// In an element's content.
    Content,
}

/// Reads one document token by token.
pub(super) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    state: State,
    /// Names of the open elements and where they begin.
    open: Vec<(&'a str, usize)>,
    root_seen: bool,
    /// Attribute names of the current start tag.
    attributes: Vec<&'a str>,
    /// The same, once there are so many that comparing each with each would take long.
    attribute_set: HashSet<&'a str>,
}

impl<'a> Scanner<'a> {
    /// Begins to read `text`, past its byte order mark and XML declaration.
    pub(super) fn new(text: &'a str) -> Scanned<Self> {
        let mut scanner = Self {
            text,
            bytes: text.as_bytes(),
            at: if text.starts_with('\u{feff}') { 3 } else { 0 },
            state: State::Outside,
            open: Vec::with_capacity(8),
            root_seen: false,
            attributes: Vec::with_capacity(8),
            attribute_set: HashSet::new(),
        };
        // Nearly every document begins so, letter by letter.
        const USUAL: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        if scanner.rest().starts_with(USUAL) {
            scanner.at += USUAL.len();
            return Ok(scanner);
        }
        let follows = |byte: u8| byte.is_ascii() && CLASS[usize::from(byte)] & NAME == 0;
        if scanner.rest().starts_with("<?xml") && scanner.byte(5).is_some_and(follows) {
            scanner.declaration()?;
        }
        Ok(scanner)
    }

    /// The next piece.
    pub(super) fn next(&mut self) -> Scanned<Token<'a>> {
        match self.state {
            State::Content => self.content(),
            State::Tag => self.tag(),
            State::Outside => self.outside(),
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The byte `ahead` of the current one.
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn skip_space(&mut self) -> bool {
        let start = self.at;
        while self.byte(0).is_some_and(chars::is_space) {
            self.at += 1;
        }
        self.at > start
    }

    fn outside(&mut self) -> Scanned<Token<'a>> {
        loop {
            self.skip_space();
            match (self.byte(0), self.byte(1)) {
                (None, _) if self.root_seen => return Ok(Token::End),
                (None, _) => {
                    return broken(
                        self.at,
                        "there is no root element; a document is `<Response>…</Response>`",
                    );
                }
                (Some(b'<'), Some(b'!' | b'?')) => {
                    if let Some(Token::CData { at, .. }) = self.markup()? {
                        return broken(at, "a CDATA section outside the root element");
                    }
                }
                (Some(b'<'), Some(b'/')) => return broken(self.at, "an end tag, but no element is open"),
                (Some(b'<'), _) if self.root_seen => {
                    return broken(self.at, "a second root element; put everything into one `<Response>`");
                }
                (Some(b'<'), _) => {
                    self.root_seen = true;
                    return self.open_tag();
                }
                (Some(_), _) => {
                    let place =
                        if self.root_seen { "after the root element" } else { "before the root element" };
                    return broken(
                        self.at,
                        format!("text {place}; take it out, or put it into an element such as `<Say>`"),
                    );
                }
            }
        }
    }

    fn content(&mut self) -> Scanned<Token<'a>> {
        match self.byte(0) {
            Some(b'<') => match self.byte(1) {
                Some(b'/') => self.end_tag(),
                Some(b'!' | b'?') => Ok(self.markup()?.unwrap_or(Token::Aside)),
                _ => self.open_tag(),
            },
            Some(_) => self.character_data(),
            None => {
                let (name, at) = self.open.last().copied().unwrap_or_default();
                broken(at, format!("`<{name}>` is never closed; end it with `</{name}>`"))
            }
        }
    }

    fn character_data(&mut self) -> Scanned<Token<'a>> {
        let start = self.at;
        let mut plain = true;
        let mut at = start;
        loop {
            at = chars::skip_plain_text(self.bytes, at);
            let Some(&byte) = self.bytes.get(at) else { break };
            match byte {
                b'<' => break,
                b'&' => {
                    at = chars::reference(self.text, at)?.1;
                    plain = false;
                    continue;
                }
                b']' if self.bytes.get(at..).is_some_and(|rest| rest.starts_with(b"]]>")) => {
                    return broken(at, "`]]>` in text; write `]]&gt;`");
                }
                b']' => {}
                _ => chars::check_odd(self.text, at)?,
            }
            at += 1;
        }
        self.at = at;
        Ok(Token::Text { raw: self.slice(start, at), at: start, plain })
    }

    fn name(&mut self, what: &str) -> Scanned<&'a str> {
        let start = self.at;
        let end = chars::name_end(self.text, start);
        if end == start {
            let found = self.rest().chars().next();
            return match found {
                None => broken(start, format!("the document ends where {what} should be")),
                Some('<') => {
                    broken(start, format!("`<` where {what} should be; a `<` in text is written `&lt;`"))
                }
                Some(c) => broken(start, format!("{} where {what} should be", chars::shown(c))),
            };
        }
        self.at = end;
        Ok(self.slice(start, end))
    }

    fn open_tag(&mut self) -> Scanned<Token<'a>> {
        let at = self.at;
        self.at += 1;
        let name = self.name("the name of an element (a `<` in text is written `&lt;`)")?;
        if self.open.len() == DEPTH_MAX {
            return Err(Box::new(Fault { at, unusable: Unusable::TooDeep }));
        }
        self.open.push((name, at));
        self.attributes.clear();
        self.attribute_set.clear();
        self.state = State::Tag;
        Ok(Token::Open { name, at })
    }

    fn tag(&mut self) -> Scanned<Token<'a>> {
        let spaced = self.skip_space();
        match self.byte(0) {
            Some(b'>') => {
                self.at += 1;
                self.state = State::Content;
                Ok(Token::Body { at: self.at })
            }
            Some(b'/') if self.byte(1) == Some(b'>') => {
                self.at += 2;
                self.closed(self.at)
            }
            Some(_) if spaced => self.attribute(),
            Some(byte) if CLASS[usize::from(byte)] & NAME != 0 => {
                broken(self.at, "an attribute without a space before it")
            }
            _ => {
                let (name, at) = self.open.last().copied().unwrap_or_default();
                match self.rest().chars().next() {
                    None => broken(at, format!("the tag `<{name}` is never finished; its `>` is missing")),
                    Some(c) => broken(self.at, format!("{} in the tag `<{name}`", chars::shown(c))),
                }
            }
        }
    }

    fn attribute(&mut self) -> Scanned<Token<'a>> {
        let at = self.at;
        let name = self.name("the name of an attribute")?;
        self.distinct(name, at)?;
        self.skip_space();
        if self.byte(0) != Some(b'=') {
            return broken(self.at, format!("attribute `{name}` has no value; write {name}=\"…\""));
        }
        self.at += 1;
        self.skip_space();
        let quote = match self.byte(0) {
            Some(quote @ (b'"' | b'\'')) => quote,
            _ => return broken(self.at, format!("the value of `{name}` has no quotes; write {name}=\"…\"")),
        };
        self.at += 1;
        let (start, mut plain) = (self.at, true);
        let mut end = start;
        loop {
            end = chars::skip_plain_value(self.bytes, end);
            let Some(&byte) = self.bytes.get(end) else {
                return broken(
                    start,
                    format!("the value of `{name}` is never finished; its closing quote is missing"),
                );
            };
            match byte {
                b'"' | b'\'' if byte == quote => break,
                b'"' | b'\'' => {}
                b'\t' | b'\n' | b'\r' => plain = false,
                b'<' => {
                    return broken(
                        end,
                        format!("`<` in the value of `{name}`; write `&lt;`, or close the value"),
                    );
                }
                b'&' => {
                    end = chars::reference(self.text, end)?.1;
                    plain = false;
                    continue;
                }
                _ => chars::check_odd(self.text, end)?,
            }
            end += 1;
        }
        self.at = end + 1;
        Ok(Token::Attribute { name, at, value: self.slice(start, end), value_at: start, plain })
    }

    fn distinct(&mut self, name: &'a str, at: usize) -> Scanned<()> {
        /// Comparing is quicker than hashing for as many attributes as honest elements have.
        const COMPARED: usize = 48;
        let twice = if self.attributes.len() < COMPARED {
            self.attributes.contains(&name)
        } else {
            if self.attribute_set.is_empty() {
                self.attribute_set.extend(&self.attributes);
            }
            !self.attribute_set.insert(name)
        };
        if twice {
            return broken(at, format!("attribute `{name}` is given twice"));
        }
        self.attributes.push(name);
        Ok(())
    }

    fn end_tag(&mut self) -> Scanned<Token<'a>> {
        let at = self.at;
        let (open, opened_at) = self.open.last().copied().unwrap_or_default();
        self.at += 2;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.strip_prefix(open.as_bytes()).is_some_and(|after| after.first() == Some(&b'>')) {
            self.at += open.len() + 1;
            return self.closed(at);
        }
        let name = self.name("the name of the element that ends")?;
        if name != open {
            let line = 1 + self.slice(0, opened_at).matches('\n').count();
            return broken(
                at,
                format!("`</{name}>` where `</{open}>` should be; `<{open}>` was opened in line {line}"),
            );
        }
        self.skip_space();
        if self.byte(0) != Some(b'>') {
            return broken(self.at, format!("the end tag `</{name}` is never finished; its `>` is missing"));
        }
        self.at += 1;
        self.closed(at)
    }

    fn closed(&mut self, at: usize) -> Scanned<Token<'a>> {
        self.open.pop();
        self.state = if self.open.is_empty() { State::Outside } else { State::Content };
        Ok(Token::Close { at })
    }

    /// Comments, CDATA sections, processing instructions; `None` for what nobody needs to see.
    fn markup(&mut self) -> Scanned<Option<Token<'a>>> {
        let (start, rest) = (self.at, self.rest());
        if rest.starts_with("<!--") {
            self.comment(start)?;
            return Ok(None);
        }
        if rest.starts_with("<![CDATA[") {
            let at = start + "<![CDATA[".len();
            let raw = self.up_to(at, "]]>", "CDATA section")?;
            return Ok(Some(Token::CData { raw, at }));
        }
        if rest.starts_with("<?") {
            self.instruction(start)?;
            return Ok(None);
        }
        if rest.get(..9).is_some_and(|word| word.eq_ignore_ascii_case("<!DOCTYPE")) {
            return Err(Box::new(Fault { at: start, unusable: Unusable::Doctype }));
        }
        broken(start, "`<!` begins neither a comment (`<!--`) nor a CDATA section (`<![CDATA[`)")
    }

    fn comment(&mut self, start: usize) -> Scanned<()> {
        let body = start + 4;
        let length = self.slice(body, self.text.len()).find("--");
        let Some(end) = length.map(|length| body + length) else {
            return broken(start, "the comment is never finished; its `-->` is missing");
        };
        if self.bytes.get(end + 2) != Some(&b'>') {
            return broken(end, "`--` inside a comment, where only its end `-->` may have it");
        }
        chars::check_all(self.text, body, end)?;
        self.at = end + 3;
        Ok(())
    }

    fn instruction(&mut self, start: usize) -> Scanned<()> {
        self.at += 2;
        let target = self.name("the target of a processing instruction")?;
        if target.eq_ignore_ascii_case("xml") {
            return broken(
                start,
                "the XML declaration `<?xml …?>` is not at the very beginning; take out what stands before it, even blanks",
            );
        }
        if !self.rest().starts_with("?>") && !self.byte(0).is_some_and(chars::is_space) {
            return broken(self.at, "a processing instruction needs a space after its target");
        }
        self.up_to(self.at, "?>", "processing instruction").map(|_| ())
    }

    /// The text from `from` up to `end`, which is stepped over.
    fn up_to(&mut self, from: usize, end: &str, what: &str) -> Scanned<&'a str> {
        let Some(length) = self.slice(from, self.text.len()).find(end) else {
            return broken(self.at, format!("the {what} is never finished; its `{end}` is missing"));
        };
        chars::check_all(self.text, from, from + length)?;
        self.at = from + length + end.len();
        Ok(self.slice(from, from + length))
    }

    fn declaration(&mut self) -> Scanned<()> {
        let start = self.at;
        self.at += "<?xml".len();
        let mut expected: &[&str] = &["version", "encoding", "standalone"];
        loop {
            let spaced = self.skip_space();
            if self.rest().starts_with("?>") {
                self.at += 2;
                // Still holding all three: not even the version was there.
                return if expected.len() == 3 {
                    broken(start, "the XML declaration has no version")
                } else {
                    Ok(())
                };
            }
            if !spaced {
                return broken(
                    self.at,
                    "the XML declaration is not written as `<?xml version=\"1.0\" encoding=\"UTF-8\"?>`",
                );
            }
            let at = self.at;
            // It has the form of an attribute, so read it as one; references mean nothing in it and are refused below.
            let Token::Attribute { name, value, value_at, .. } = self.attribute()? else {
                return broken(at, "the XML declaration is not finished");
            };
            let Some(place) = expected
                .iter()
                .position(|&word| word == name)
                .filter(|&place| place == 0 || expected.len() < 3)
            else {
                return broken(
                    at,
                    format!(
                        "`{name}` in the XML declaration; it holds version, encoding and standalone, in this order"
                    ),
                );
            };
            expected = expected.get(place + 1..).unwrap_or_default();
            let fault = |unusable| Err(Box::new(Fault { at: value_at, unusable }));
            match name {
                "version" if value != "1.0" => {
                    return fault(Unusable::XmlVersion { found: shortened(value) });
                }
                "encoding" if !value.eq_ignore_ascii_case("UTF-8") => {
                    return fault(Unusable::Encoding { found: shortened(value) });
                }
                "standalone" if value != "yes" && value != "no" => {
                    return broken(value_at, "`standalone` in the XML declaration is neither `yes` nor `no`");
                }
                _ => {}
            }
        }
    }
}

/// Whether `text` holds nothing but white space and perhaps a byte order mark.
pub(super) fn is_blank(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.bytes().all(chars::is_space)
}
