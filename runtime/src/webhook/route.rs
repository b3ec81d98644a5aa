//! Which handler and entry a URL names.
//!
//! `/{tenant}/{handler}/{voice|sms|status}[/{step}]`, or `/{voice|sms|status}` alone, where the number called tells the
//! handler; and `/{tenant}/{handler}/web` with whatever path the handler likes behind it. Ingress has already refused paths that could be read in two
//! ways (empty or dot segments, escaped slashes), so a split at `/` is the whole parser. Tenant, handler and
//! entry are compared as sent; only the step is percent-decoded, because it is the author's own word.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::call::Entry;

/// A URL taken apart; borrows from it.
#[derive(Debug, PartialEq, Eq)]
pub struct Route<'a> {
    /// Whose it is.
    pub target: Target<'a>,
    /// What is asked for there.
    pub wanted: Wanted,
    /// All that follows the entry, percent-decoded; empty at the start of a conversation.
    pub step: Cow<'a, str>,
    /// The value of `hs` in the query, as sent.
    pub pin: Pinned<'a>,
}

/// What is asked of a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A carrier's webhook.
    Webhook(Entry),
    /// `web`: anybody's request. The first so many bytes of the path are the handler's place.
    Web {
        /// Of `/{tenant}/{handler}/web`.
        mount_len: usize,
    },
}

/// What a URL says about the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// Its names, not yet known to be those of a tenant and a handler.
    Named {
        /// First segment.
        tenant: &'a str,
        /// Second segment.
        handler: &'a str,
    },
    /// Nothing: it is the handler of the number that was called.
    ByNumber,
}

/// Whether a URL says which revision it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinned<'a> {
    /// The first webhook of a call, or a link that somebody wrote by hand.
    No,
    /// A link that we wrote.
    To(&'a str),
    /// More than one `hs`: nothing that we wrote.
    Ambiguous,
}

impl<'a> Route<'a> {
    /// Takes apart `path` (as sent, beginning with `/`) and `query`. `None`: no such entry.
    #[must_use]
    pub fn parse(path: &'a str, query: Option<&'a str>) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        if let Some(entry) = entry(path) {
            let (wanted, step) = (Wanted::Webhook(entry), Cow::Borrowed(""));
            return Some(Self { target: Target::ByNumber, wanted, step, pin: pin(query) });
        }
        let mut segments = path.splitn(4, '/');
        let (tenant, handler) = (segments.next()?, segments.next()?);
        let target = Target::Named { tenant, handler };
        let entry = match segments.next()? {
            WEB => {
                let wanted = Wanted::Web { mount_len: tenant.len() + handler.len() + WEB.len() + 3 };
                return Some(Self { target, wanted, step: Cow::Borrowed(""), pin: pin(query) });
            }
            segment => entry(segment)?,
        };
        // `voice/` is no step: two spellings of one place would be signed and cached apart.
        let step = match segments.next() {
            None => Cow::Borrowed(""),
            Some("") => return None,
            Some(step) => percent_decode_str(step).decode_utf8().ok()?,
        };
        if step.chars().any(char::is_control) {
            return None;
        }
        Some(Self { target, wanted: Wanted::Webhook(entry), step, pin: pin(query) })
    }
}

/// Whether a path is one whose methods are the handler's own affair: `/…/…/web` and all behind it.
#[must_use]
pub fn is_web(path: &str) -> bool {
    path.strip_prefix('/').and_then(|path| path.split('/').nth(2)) == Some(WEB)
}

/// The segment of web requests.
const WEB: &str = "web";

fn entry(segment: &str) -> Option<Entry> {
    match segment {
        "voice" => Some(Entry::Voice),
        "sms" => Some(Entry::Messaging),
        "status" => Some(Entry::Status),
        _ => None,
    }
}

fn pin(query: Option<&str>) -> Pinned<'_> {
    let mut pins = query.unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("hs="));
    match (pins.next(), pins.next()) {
        (None, _) => Pinned::No,
        (Some(pin), None) => Pinned::To(pin),
        (Some(_), Some(_)) => Pinned::Ambiguous,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_behind_web_is_the_handlers_own() {
        let cases: &[(&str, Option<&str>)] = &[
            ("/acme/ivr/web", Some("")),
            ("/acme/ivr/web/", Some("/")),
            ("/acme/ivr/web/a/b/", Some("/a/b/")),
            ("/acme/ivr/web/caf%C3%A9", Some("/caf%C3%A9")),
            ("/acme/ivr/webs", None),
            ("/acme/ivr/voice/web", None),
            ("/acme/web", None),
            ("/web", None),
        ];
        for (path, expected) in cases {
            let found = match Route::parse(path, None).map(|route| route.wanted) {
                Some(Wanted::Web { mount_len }) => Some(&path[mount_len..]),
                _ => None,
            };
            assert_eq!(found, *expected, "{path}");
            assert_eq!(is_web(path), expected.is_some(), "{path}");
        }
    }

    #[test]
    fn urls_name_a_handler_an_entry_and_a_step() {
        type Expected<'a> = Option<(&'a str, Entry, &'a str)>; // the handler's name, empty where the number tells it
        let cases: &[(&str, Expected)] = &[
            ("/acme/ivr/voice", Some(("ivr", Entry::Voice, ""))),
            ("/acme/ivr/voice/menu", Some(("ivr", Entry::Voice, "menu"))),
            ("/acme/ivr/voice/a/b", Some(("ivr", Entry::Voice, "a/b"))),
            ("/acme/ivr/voice/caf%C3%A9", Some(("ivr", Entry::Voice, "café"))),
            ("/acme/ivr/sms", Some(("ivr", Entry::Messaging, ""))),
            ("/acme/ivr/status/voicemail", Some(("ivr", Entry::Status, "voicemail"))),
            ("/voice", Some(("", Entry::Voice, ""))),
            ("/sms", Some(("", Entry::Messaging, ""))),
            ("/status", Some(("", Entry::Status, ""))),
            ("/voice/menu", None),
            ("/acme/ivr/voice/", None),
            ("/acme/ivr/Voice", None),
            ("/acme/ivr", None),
            ("/acme", None),
            ("/", None),
            ("", None),
            ("/acme/ivr/voice/%ff", None),
            ("/acme/ivr/voice/a%0Ab", None),
        ];
        for (path, expected) in cases {
            let route = Route::parse(path, None);
            let found = route.as_ref().and_then(|r| {
                let handler = if let Target::Named { handler, .. } = r.target { handler } else { "" };
                match r.wanted {
                    Wanted::Webhook(entry) => Some((handler, entry, r.step.as_ref())),
                    Wanted::Web { .. } => None,
                }
            });
            assert_eq!(found, *expected, "{path}");
        }
    }

    #[test]
    fn the_pin_is_read_from_anywhere_in_the_query_and_only_once() {
        let cases: &[(Option<&str>, Pinned)] = &[
            (None, Pinned::No),
            (Some(""), Pinned::No),
            (Some("x=1"), Pinned::No),
            (Some("ahs=1"), Pinned::No),
            (Some("hs=3.abc"), Pinned::To("3.abc")),
            (Some("x=1&hs=3.abc&CallSid=CA1"), Pinned::To("3.abc")),
            (Some("hs="), Pinned::To("")),
            (Some("hs=1&hs=2"), Pinned::Ambiguous),
        ];
        for (query, expected) in cases {
            assert_eq!(pin(*query), *expected, "{query:?}");
        }
    }
}
