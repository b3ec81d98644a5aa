//! Where the carrier goes next: the value of `action`, `url`, `statusCallback` and their like.
//!
//! A handler names its own entries by short relative links, and the host makes them addresses that
//! stay on this revision. Everything with a scheme leads elsewhere and is passed on as it is.

use std::borrow::Cow;

/// A link: to a step of this handler, to another of its entries, or to anywhere by its address.
///
/// Any text is a link: `"menu"` is a step, `"https://example.com/a.mp3"` an address. As the first
/// part of a relative link `voice`, `sms`, `status` and `web` are taken: they lead to that entry.
///
/// ```
/// use hookswitch_sdk::twiml::{Dial, Link, Record};
///
/// let record = Record::new()
///     .action("thanks")                                   // the step of that name
///     .recording_status_callback(Link::status_step("voicemail"));
/// assert_eq!(
///     record.to_string(),
///     r#"<Record action="thanks" recordingStatusCallback="status/voicemail"/>"#,
/// );
/// let dial = Dial::to("+12025550123").action(Link::step("no answer")); // escaped for you
/// assert_eq!(dial.to_string(), r#"<Dial action="no%20answer">+12025550123</Dial>"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link<'a>(Cow<'a, str>);

impl<'a> Link<'a> {
    /// A step of this handler, in the entry (voice or messages) that the document answers. `step`
    /// is any text, with `/` between its parts; in the handler it arrives as it was given here,
    /// without a `/` at its beginning. The beginning of a call has no step: see [`Link::voice`].
    pub fn step(step: &'a str) -> Self {
        let mut step = step;
        while let Some(rest) = step.strip_prefix('/') {
            step = rest; // with it, this would be a path from the host's root
        }
        // The entries' names are taken: alone they would lead there, behind `./` they do not.
        let is_taken = ["voice", "sms", "status", "web"].iter().any(|entry| {
            step.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        Self::to_step(if is_taken { "./" } else { "" }, step)
    }

    /// The voice entry of this handler: the beginning of a call.
    pub fn voice() -> Self {
        Self(Cow::Borrowed("voice"))
    }

    /// A step of the voice entry.
    pub fn voice_step(step: &'a str) -> Self {
        Self::to_step("voice/", step)
    }

    /// The message entry of this handler.
    pub fn sms() -> Self {
        Self(Cow::Borrowed("sms"))
    }

    /// A step of the message entry.
    pub fn sms_step(step: &'a str) -> Self {
        Self::to_step("sms/", step)
    }

    /// The status entry of this handler, where its `events` handler listens.
    pub fn status() -> Self {
        Self(Cow::Borrowed("status"))
    }

    /// A step of the status entry, to tell callbacks apart.
    pub fn status_step(step: &'a str) -> Self {
        Self::to_step("status/", step)
    }

    /// A path of the web entry of this handler, where it answers ordinary requests.
    pub fn web(path: &'a str) -> Self {
        Self::to_step("web/", path)
    }

    /// The link as it will be written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn to_step(entry: &str, step: &'a str) -> Self {
        if entry.is_empty() && step.bytes().all(is_plain) {
            return Self(Cow::Borrowed(step));
        }
        let mut link = String::with_capacity(entry.len() + step.len() + 16);
        link.push_str(entry);
        for byte in step.bytes() {
            if is_plain(byte) {
                link.push(char::from(byte));
            } else {
                link.push('%');
                link.push(hex_digit(byte >> 4));
                link.push(hex_digit(byte & 15));
            }
        }
        Self(Cow::Owned(link))
    }
}

/// The characters that mean nothing but themselves in a path, and `/`.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte)
}

/// `digit` is below 16.
fn hex_digit(digit: u8) -> char {
    char::from(if digit < 10 { b'0' + digit } else { b'A' + digit - 10 })
}

impl<'a> From<&'a str> for Link<'a> {
    fn from(link: &'a str) -> Self {
        Self(Cow::Borrowed(link))
    }
}

impl<'a> From<&'a String> for Link<'a> {
    fn from(link: &'a String) -> Self {
        Self(Cow::Borrowed(link))
    }
}

impl From<String> for Link<'_> {
    fn from(link: String) -> Self {
        Self(Cow::Owned(link))
    }
}

impl<'a> From<Cow<'a, str>> for Link<'a> {
    fn from(link: Cow<'a, str>) -> Self {
        Self(link)
    }
}

#[cfg(test)]
mod tests {
    use super::Link;

    #[test]
    fn links_are_written_as_the_host_reads_them() {
        let cases = [
            (Link::step("menu"), "menu"),
            (Link::step("menu/2"), "menu/2"),
            (Link::step("über 1?x=2#3"), "%C3%BCber%201%3Fx%3D2%233"),
            (Link::step("/menu"), "menu"),
            (Link::step("https://example.com"), "https%3A//example.com"),
            (Link::step("statuses"), "statuses"),
            (Link::step("status"), "./status"),
            (Link::step("voice/1"), "./voice/1"),
            (Link::voice(), "voice"),
            (Link::voice_step("menu"), "voice/menu"),
            (Link::sms(), "sms"),
            (Link::sms_step("a b"), "sms/a%20b"),
            (Link::status(), "status"),
            (Link::status_step("voicemail"), "status/voicemail"),
            (Link::step("web"), "./web"),
            (Link::web("hello.mp3"), "web/hello.mp3"),
            (Link::from("https://example.com/a?b=c&d"), "https://example.com/a?b=c&d"),
            (Link::from(String::from("menu?retry=2")), "menu?retry=2"),
        ];
        for (link, expected) in cases {
            assert_eq!(link.as_str(), expected);
        }
    }
}
