//! Takes out of a webhook what nobody shall read, before anything of it is kept.
//!
//! A number becomes another number, always the same one within a tenant, so that whoever called twice still does. Its last
//! seven digits are replaced, country and area stay. What is taken out of the parameters is also taken out of the step
//! and the document, because handlers repeat it there: whole values, and in documents whatever reads like a number.
//!
//! What a replay makes is redacted by the same rules; the numbers of the recording, which are pseudonyms already, are left as
//! they are then. So what was equal stays equal.

mod effects;
mod numbers;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub use self::effects::Again;
use self::numbers::{Found, Looks, Seek, Spans, digits_of};
use super::settings::{Numbers, RecordingSettings, Redaction};
use crate::call::{CallStatus, Direction, EventKind, Webhook};
use crate::capability::effects::Effect;
use crate::carrier::{self, Private};
use crate::registry::MasterKey;

/// Shortest number that is somebody's own, in digits; shorter ones are services.
const NUMBER_DIGITS_MIN: usize = 7;
/// Shortest value that is looked for in documents, in characters: `CA` is in every other word.
const NEEDLE_CHARS_MIN: usize = 3;

/// Redacts by the rules of one tenant.
#[derive(Clone)]
pub struct Redactor {
    /// Of this tenant only: its pseudonyms are of no use with another's.
    key: MasterKey,
    rules: RecordingSettings,
}

/// What is left.
#[derive(Debug, PartialEq, Eq)]
pub struct Redacted {
    /// All parameters.
    pub form: String,
    /// The step.
    pub step: String,
    /// The document.
    pub document: String,
}

/// What is known of one webhook: what to look for elsewhere in it.
#[derive(Default)]
struct Known {
    /// Digits that stay: the tenant's own numbers, and pseudonyms. An address of its own that is no number stands here whole.
    kept: Vec<String>,
    /// Digits of people's numbers.
    numbers: Vec<String>,
    /// Values and what stands in their place.
    values: Vec<(String, String)>,
}

impl Redactor {
    /// With `key`, which is this tenant's own.
    #[must_use]
    pub fn new(key: MasterKey, rules: RecordingSettings) -> Self {
        Self { key, rules }
    }

    /// What may be kept of `webhook` and its answer. `effects`, which were done meanwhile, are redacted where they are.
    #[must_use]
    pub fn redact(&self, webhook: &Webhook, document: &str, effects: &mut [Effect]) -> Redacted {
        let form = form_of(webhook);
        let pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = form_urlencoded::parse(form.as_bytes()).collect();
        let known = self.known(webhook, &pairs);
        let mut redacted = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &pairs {
            redacted.append_pair(name, &self.value(name, value, &known));
        }
        self.effects(effects, &known);
        Redacted {
            form: redacted.finish(),
            step: self.text(webhook.step(), Seek::Certain, &known),
            document: self.text(document, Seek::Likely, &known),
        }
    }

    /// Goes through the parameters once for all that has to be found elsewhere.
    fn known(&self, webhook: &Webhook, pairs: &[(Cow<'_, str>, Cow<'_, str>)]) -> Known {
        let own = own_party(webhook);
        let mut known = Known::default();
        for (name, value) in pairs {
            let kind = carrier::private(name);
            let number = digits_of(value);
            match kind {
                Private::Address if own.contains(&&**name) => {
                    known.kept.push(if number.is_empty() { value.to_string() } else { number });
                }
                Private::Address if number.len() >= NUMBER_DIGITS_MIN => known.numbers.push(number),
                _ => {}
            }
        }
        // Whoever calls himself from the tenant's own number is not hidden by it: it stays in all of its places.
        known.numbers.retain(|number| !known.kept.contains(number));
        for (name, value) in pairs {
            let kind = carrier::private(name);
            let instead = self.value(name, value, &known);
            if instead == *value {
                continue;
            }
            match kind {
                // Numbers are found by their digits.
                Private::Address if digits_of(value).len() >= NUMBER_DIGITS_MIN => {}
                Private::Address => {
                    let bare = |text: &str| text.split_once(':').map(|(_, rest)| rest.to_owned());
                    known.values.extend(bare(value).zip(bare(&instead)));
                    known.values.push((value.to_string(), instead));
                }
                Private::Name => {
                    for word in value.split_whitespace() {
                        known.values.push((word.to_owned(), instead.clone()));
                    }
                    known.values.push((value.to_string(), instead));
                }
                Private::Place | Private::Text | Private::Digits | Private::Secret => {
                    known.values.push((value.trim().to_owned(), instead));
                }
                Private::No => {}
            }
        }
        known.values.retain(|(value, _)| value.chars().count() >= NEEDLE_CHARS_MIN);
        // A whole name before its parts.
        known.values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        known
    }

    /// One parameter's value.
    fn value(&self, name: &str, value: &str, known: &Known) -> String {
        let mask = |redaction, word: &str| match redaction {
            Redaction::Mask if !value.trim().is_empty() => word.to_owned(),
            _ => value.to_owned(),
        };
        match carrier::private(name) {
            Private::Address => self.address(value, known),
            Private::Name => mask(self.rules.names, "[name]"),
            Private::Place => mask(self.rules.names, "[place]"),
            Private::Text if self.rules.texts == Redaction::Keep => self.text(value, Seek::Likely, known),
            Private::Text => mask(Redaction::Mask, "[text]"),
            Private::Digits => match self.rules.digits {
                Redaction::Keep => value.to_owned(),
                // As many as there were: how many keys were pressed is what a menu looks at first.
                Redaction::Mask => {
                    value.chars().map(|key| if key.is_ascii_digit() { '0' } else { key }).collect()
                }
            },
            Private::Secret => mask(Redaction::Mask, "[secret]"),
            Private::No => self.text(value, Seek::Certain, known),
        }
    }

    /// A number, a name behind a scheme, or a word such as `anonymous`.
    fn address(&self, value: &str, known: &Known) -> String {
        if self.rules.numbers == Numbers::Keep || matches!(value.trim(), "" | "anonymous" | "Anonymous") {
            return value.to_owned();
        }
        let (scheme, rest) = value.split_once(':').map_or(("", value), |(scheme, rest)| (scheme, rest));
        let is_number = rest.chars().all(|c| c.is_ascii_digit() || "+-. ()".contains(c));
        if is_number && (scheme.is_empty() || digits_of(rest).len() >= NUMBER_DIGITS_MIN) {
            return self.text(value, Seek::Likely, known);
        }
        if known.kept.iter().any(|kept| kept == value) {
            return value.to_owned();
        }
        let name = hex(&self.key.derive(rest.split(';').next().unwrap_or(rest)));
        match scheme {
            "" if matches!(rest, "unknown" | "unavailable" | "restricted" | "private" | "blocked") => {
                value.to_owned()
            }
            "" => name,
            "sip" | "sips" => format!("{scheme}:{name}@redacted.invalid"),
            _ => format!("{scheme}:{name}"),
        }
    }

    /// Free text: known values go, and what reads like a number.
    fn text(&self, text: &str, seek: Seek, known: &Known) -> String {
        let mut text = Cow::Borrowed(text);
        for (value, instead) in &known.values {
            for (value, instead) in spellings(value, instead) {
                if let Some(replaced) = replace_words(&text, &value, &instead) {
                    text = Cow::Owned(replaced);
                }
            }
        }
        if self.rules.numbers == Numbers::Keep {
            return text.into_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for Found { start, end, digits, looks } in Spans::of(&text) {
            let is = |other: &String| numbers::same(other, &digits);
            let holds = |other: &String| digits.contains(tail(other));
            let reads_so = looks == Looks::Certain || looks == Looks::Likely && seek == Seek::Likely;
            let wanted = digits.len() >= NUMBER_DIGITS_MIN
                && (reads_so || known.numbers.iter().any(|number| is(number) || holds(number)));
            if !wanted || known.kept.iter().any(is) {
                continue;
            }
            let instead = self.instead(&digits, known);
            let mut instead = instead.chars();
            out.push_str(text.get(copied..start).unwrap_or_default());
            let span = text.get(start..end).unwrap_or_default();
            // The `2B` of an escaped plus sign is no digit of the number.
            let from = if span.starts_with('%') { 3 } else { 0 };
            let (sign, rest) = span.split_at_checked(from).unwrap_or(("", span));
            out.push_str(sign);
            out.extend(
                rest.chars().map(|c| if c.is_ascii_digit() { instead.next().unwrap_or(c) } else { c }),
            );
            copied = end;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        out
    }

    /// What stands for `digits`, as many: their pseudonym, or where a known number stands among more of them, as in an id that
    /// is made of it, that one's in its place.
    fn instead(&self, digits: &str, known: &Known) -> String {
        let is = |number: &&String| numbers::same(number, digits);
        if let Some(whole) = known.numbers.iter().find(is) {
            let whole = if whole.len() > digits.len() { whole } else { digits };
            return self.pseudonym(whole).split_off(whole.len() - digits.len());
        }
        match known.numbers.iter().map(|number| tail(number)).find(|tail| digits.contains(tail)) {
            Some(tail) => digits.replace(tail, &self.pseudonym(tail)),
            None => self.pseudonym(digits),
        }
    }

    /// As many digits, of which the last seven are others. Made of the last ten, so that a number with its country and
    /// the same without it stay the same; the first new one is 2 to 9, as it is in numbers that can be dialled.
    fn pseudonym(&self, digits: &str) -> String {
        let hash = self.key.derive(tail(digits));
        let number = hash.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let kept = digits.get(..digits.len().saturating_sub(NUMBER_DIGITS_MIN)).unwrap_or_default();
        format!("{kept}{}", 2_000_000 + number % 8_000_000)
    }
}

/// The parameters in which the tenant's own number stands.
fn own_party(webhook: &Webhook) -> &'static [&'static str] {
    const CALLED: &[&str] = &["To", "Called"];
    const CALLING: &[&str] = &["From", "Caller"];
    match webhook {
        Webhook::Voice(call) => match call.direction {
            Direction::Inbound => CALLED,
            Direction::OutboundApi => CALLING,
            Direction::OutboundDial => &[],
            // Carriers that leave it out mean a call that came in.
            Direction::Other if call.status != CallStatus::Other => CALLED,
            Direction::Other => &[],
        },
        Webhook::Message(_) => CALLED,
        Webhook::Event(event) if event.kind == EventKind::Message => CALLING,
        Webhook::Event(event) => {
            let direction =
                form_urlencoded::parse(event.form.as_bytes()).find(|(name, _)| name == "Direction");
            match direction.as_ref().map(|(_, value)| &**value) {
                Some("inbound") => CALLED,
                Some("outbound-api") => CALLING,
                _ => &[],
            }
        }
        Webhook::Web(_) => &[],
    }
}

fn form_of(webhook: &Webhook) -> &str {
    match webhook {
        Webhook::Voice(call) => &call.form,
        Webhook::Message(message) => &message.form,
        Webhook::Event(event) => &event.form,
        Webhook::Web(_) => "",
    }
}

/// A value as it may stand in a document and in its links.
fn spellings(value: &str, instead: &str) -> Vec<(String, String)> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quotes = |text: &str| escape(text).replace('"', "&quot;").replace('\'', "&apos;");
    let percent = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let plus = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut all = vec![(value.to_owned(), instead.to_owned())];
    for (value, instead) in [
        (escape(value), escape(instead)),
        (quotes(value), quotes(instead)),
        (percent(value), percent(instead)),
        (plus(value), plus(instead)),
    ] {
        if !all.iter().any(|(known, _)| *known == value) {
            all.push((value, instead));
        }
    }
    all
}

/// `text` with `value` replaced wherever it stands as words of its own, whatever its case. None where it does not.
fn replace_words(text: &str, value: &str, instead: &str) -> Option<String> {
    // Only letters whose other case has as many bytes, so that places in one are places in the other.
    let lower = |text: &str| text.to_ascii_lowercase();
    let (haystack, needle) = (lower(text), lower(value));
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut out: Option<String> = None;
    let (mut copied, mut from) = (0, 0);
    while let Some(at) = haystack.get(from..).and_then(|rest| rest.find(&needle)).map(|at| from + at) {
        let end = at + needle.len();
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(end..).and_then(|after| after.chars().next());
        let inside = is_word(before) && is_word(value.chars().next())
            || is_word(after) && is_word(value.chars().next_back());
        if !inside {
            let out = out.get_or_insert_with(String::new);
            out.push_str(text.get(copied..at).unwrap_or_default());
            out.push_str(instead);
            copied = end;
        }
        from = end;
    }
    out.map(|out| out + text.get(copied..).unwrap_or_default())
}

/// What of a number its country does not change: its last ten digits.
fn tail(digits: &str) -> &str {
    digits.get(digits.len().saturating_sub(10)..).unwrap_or(digits)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(5).map(|byte| format!("{byte:02x}")).collect()
}
