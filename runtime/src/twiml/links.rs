//! Turns the links a handler writes into paths that come back to it.
//!
//! A handler writes `action="menu"` and need not know where it is served or which revision it is. The carrier
//! would resolve that against the URL it asked last, which works until two steps lie at different depths or a
//! canary answers the next webhook; an absolute path with the pin works always. Rewriting is idempotent: a link
//! that was rewritten stays as it is under the same pin.
//!
//! | written in a voice document | becomes |
//! | --- | --- |
//! | `menu`, `./menu`, `voice/menu` | `/{tenant}/{handler}/voice/menu?hs={pin}` |
//! | `menu?lang=de#rc=3` | `/{tenant}/{handler}/voice/menu?lang=de&hs={pin}#rc=3` |
//! | `voice`, `.` | `/{tenant}/{handler}/voice?hs={pin}`: begin again |
//! | `status`, `status/voicemail`, `sms`, `web/hello.mp3` | the handler's other entries; `./status` is a step |
//! | `?lang=de`, `#rc=3` | the current step with that query or these connection overrides |
//! | `/{tenant}/{handler}/voice/menu` | the same with the pin |
//! | `https://…`, `//…`, other `/…`, nothing at all | itself |
//!
//! In a messaging document `sms` stands where `voice` does here.

use percent_encoding::percent_decode_str;

/// First segments of a handler's paths; a relative link that begins with one names the entry, not a step.
const ENTRIES: [&str; 4] = ["voice", "sms", "status", "web"];

/// The parameter that carries the pin.
const PIN: &str = "hs";

/// Where a document's relative links lead.
#[derive(Debug, Clone, Copy)]
pub struct Links<'a> {
    /// `/{tenant}/{handler}`, without a slash at the end.
    pub handler: &'a str,
    /// The value of `hs` in each link, in characters that a query holds as they are. Empty leaves every link without
    /// one: what outlives a call, such as the settings of a number, must not hold later calls to a revision.
    pub pin: &'a str,
    /// The step of the webhook being answered, percent-decoded; empty at the beginning of a conversation.
    pub step: &'a str,
}

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Not ours to change.
    Untouched,
    /// Written to `out`.
    Rewritten,
    /// Relative, or with our own prefix, but it leads to nothing that this handler serves; with the reason.
    Astray(&'static str),
}

/// The scheme of an absolute URL: what stands before its colon.
pub(super) fn scheme(link: &str) -> Option<&str> {
    let end = link
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')))?;
    let begins = link.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if begins && link.as_bytes().get(end) == Some(&b':') { link.get(..end) } else { None }
}

impl Links<'_> {
    /// Where `link` leads, as it stands outside of a document. `entry` is the one whose steps it is relative to.
    ///
    /// # Errors
    /// Why a link that is ours leads nowhere.
    pub fn address(&self, link: &str, entry: &str) -> Result<String, &'static str> {
        let mut out = String::new();
        match self.rewrite(link.trim(), entry, &mut out) {
            Outcome::Untouched => Ok(link.trim().to_owned()),
            // It was written for XML, and holds no other reference.
            Outcome::Rewritten => Ok(out.replace("&amp;", "&")),
            Outcome::Astray(reason) => Err(reason),
        }
    }

    /// Appends to `out` what `link` becomes, escaped for XML. `entry` is the document's own, `voice` or `sms`;
    /// `link` has its references resolved and no white space around it.
    pub(super) fn rewrite(&self, link: &str, entry: &str, out: &mut String) -> Outcome {
        if link.is_empty() || link.starts_with("//") || scheme(link).is_some() {
            return Outcome::Untouched;
        }
        let bytes = link.as_bytes();
        let path_end = bytes.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(bytes.len());
        let (path, rest) = link.split_at_checked(path_end).unwrap_or((link, ""));
        let (query, fragment) = match rest.strip_prefix('?') {
            Some(rest) => {
                rest.split_once('#').map_or((rest, None), |(query, fragment)| (query, Some(fragment)))
            }
            None => ("", rest.strip_prefix('#')),
        };
        let inside = match path.strip_prefix('/') {
            None => path,
            Some(_) => match path.strip_prefix(self.handler).and_then(|inside| inside.strip_prefix('/')) {
                Some(inside) => inside,
                None => return Outcome::Untouched,
            },
        };
        let start = out.len();
        out.push_str(self.handler);
        let placed = if path.is_empty() {
            self.push_current(entry, out);
            Ok(())
        } else if is_one_word(path) && !ENTRIES.contains(&path) {
            // Nearly every link: a step and nothing to resolve.
            for part in ["/", entry, "/", path] {
                out.push_str(part);
            }
            Ok(())
        } else {
            let named =
                path.starts_with('/') || ENTRIES.contains(&inside.split('/').next().unwrap_or_default());
            push_resolved(if named { "" } else { entry }, inside, out)
        };
        if let Err(reason) = placed {
            out.truncate(start);
            return Outcome::Astray(reason);
        }
        let mut separator = "?";
        if !query.is_empty() {
            for pair in query.split('&').filter(|pair| !pair.is_empty() && !is_pin(pair)) {
                out.push_str(separator);
                push_encoded(pair, out);
                separator = "&amp;";
            }
        }
        if !self.pin.is_empty() {
            for part in [separator, PIN, "=", self.pin] {
                out.push_str(part);
            }
        }
        if let Some(fragment) = fragment {
            out.push('#');
            push_encoded(fragment, out);
        }
        Outcome::Rewritten
    }

    fn push_current(&self, entry: &str, out: &mut String) {
        out.push('/');
        out.push_str(entry);
        for segment in self.step.split('/').filter(|segment| !segment.is_empty()) {
            out.push('/');
            // The step was decoded, so a `%` or `?` in it is one of its own characters.
            for &byte in segment.as_bytes() {
                push_byte(byte, byte != b'%' && byte != b'?' && is_url_byte(byte), out);
            }
        }
    }
}

/// Whether a path is a single segment that every URL holds as it is.
fn is_one_word(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Appends `path`, resolved against `/{base}/`, to the handler's prefix at the end of `out`.
fn push_resolved(base: &str, path: &str, out: &mut String) -> Result<(), &'static str> {
    let floor = out.len();
    if !base.is_empty() {
        out.push('/');
        out.push_str(base);
    }
    for segment in path.split('/') {
        match dots(segment) {
            // Two spellings of one place would be signed and stored apart, so empty segments go.
            Some(1) => {}
            Some(_) => match out.get(floor..).and_then(|inside| inside.rfind('/')) {
                Some(length) => out.truncate(floor + length),
                None => return Err("it leads outside the handler"),
            },
            None if segment.is_empty() => {}
            None if !is_servable(segment) => {
                return Err(
                    "it holds an escape that a step cannot hold: a slash, a control character, or bytes that are no UTF-8",
                );
            }
            None => {
                out.push('/');
                push_encoded(segment, out);
            }
        }
    }
    let first = out.get(floor + 1..).and_then(|inside| inside.split('/').next());
    if first.is_some_and(|first| ENTRIES.contains(&first)) {
        Ok(())
    } else {
        Err("it leads to none of the handler's entries, which are `voice`, `sms`, `status` and `web`")
    }
}

/// 1 for `.`, 2 for `..`; escaped dots count, because proxies on the way resolve them.
fn dots(segment: &str) -> Option<u8> {
    if !segment.starts_with(['.', '%']) || segment.len() > 6 {
        return None;
    }
    match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
        "." => Some(1),
        ".." => Some(2),
        _ => None,
    }
}

/// Whether ingress takes a path with this segment.
fn is_servable(segment: &str) -> bool {
    if segment.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'%') {
        return true;
    }
    percent_decode_str(segment)
        .decode_utf8()
        .is_ok_and(|step| !step.chars().any(|c| c.is_control() || c == '/'))
}

fn is_pin(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    name == PIN || (name.contains('%') && percent_decode_str(name).eq(PIN.bytes()))
}

/// Appends one part of a URL: what it may hold as it is, the rest percent-encoded, an ampersand as XML wants it.
fn push_encoded(part: &str, out: &mut String) {
    let bytes = part.as_bytes();
    if bytes.iter().all(|&byte| is_url_byte(byte) && byte != b'%' && byte != b'&') {
        out.push_str(part);
        return;
    }
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'&' => out.push_str("&amp;"),
            b'%' => {
                let escape =
                    bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
                push_byte(b'%', escape, out);
            }
            _ => push_byte(byte, is_url_byte(byte), out),
        }
    }
}

fn push_byte(byte: u8, as_it_is: bool, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if as_it_is && byte != b'&' {
        out.push(char::from(byte));
    } else {
        out.push('%');
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

/// RFC 3986 `pchar`, `/` and `?`, but for `'`, which could end an attribute value.
fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
                | b'%'
                | b'/'
                | b'?'
        )
}
