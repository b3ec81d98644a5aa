//! Rules that look at several elements or attributes at once; the tables hold all others.
//!
//! Each is told in the grammar's notes or in the carrier's own error list. Where the two are silent or contradict
//! each other there is no rule: a check that cries wolf is switched off.

use super::chars;
use super::codes;
use super::grammar::{Element, Role, Watch};
use super::pass::Frame;
use super::report::Report;
use super::value::at_most;

/// Replies to one incoming message.
const REPLIES_MAX: u32 = 10;
/// Nouns of a Dial that ring at once, and media of a message.
const NOUNS_MAX: u32 = 10;
/// Characters of one Say.
const SAY_CHARACTERS_MAX: usize = 4096;
/// Seconds of a recording that can be transcribed.
const TRANSCRIBED_SECONDS_MAX: i64 = 120;

/// What an open element has had so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Known elements in it.
    children: u32,
    replies: u32,
    media: u32,
    numbers: u32,
    conferences: u32,
    mixed: bool,
    action: bool,
    sequential: bool,
    transcribe: bool,
    long_recording: bool,
    auto_timeout: bool,
    default_model: bool,
}

/// Notes an attribute that another rule needs.
pub(super) fn attribute(watch: Watch, value: &str, seen: &mut Seen) {
    match watch {
        Watch::No => {}
        Watch::DialAction => seen.action = true,
        Watch::DialSequential => seen.sequential = value == "true",
        Watch::RecordTranscribe => seen.transcribe = value == "true",
        Watch::RecordMaxLength => {
            seen.long_recording = value.parse::<i64>().is_ok_and(|seconds| seconds > TRANSCRIBED_SECONDS_MAX);
        }
        Watch::GatherSpeechTimeout => seen.auto_timeout = value == "auto",
        Watch::GatherSpeechModel => seen.default_model = value == "default",
    }
}

/// Notes a child, and says so where it is one too many.
pub(super) fn child(parent: &mut Frame<'_>, element: &Element, at: usize, report: &mut Report<'_>) {
    let seen = &mut parent.seen;
    seen.children += 1;
    match element.role {
        Role::Message => {
            seen.replies += 1;
            if seen.replies == REPLIES_MAX + 1 {
                report.rule(
                    at,
                    &element.tag,
                    codes::TOO_MANY_REPLIES,
                    "one incoming message gets at most 10 replies; the rest is not sent",
                );
            }
        }
        Role::Media => {
            seen.media += 1;
            if seen.media == NOUNS_MAX + 1 {
                report.rule(
                    at,
                    &element.tag,
                    codes::SCHEMA,
                    "a message holds at most 10 media; send the rest in another `<Message>`",
                );
            }
        }
        Role::Number => seen.numbers += 1,
        Role::Conference => seen.conferences += 1,
        _ => {}
    }
    match parent.element.map(|element| element.role) {
        Some(Role::OneNoun) if seen.children == 2 => {
            report.rule(
                at,
                &element.tag,
                codes::SCHEMA,
                &format!("`<{}>` takes one noun; use another `<{0}>` for the second", parent.name),
            );
        }
        Some(Role::Dial) => {
            if seen.children == NOUNS_MAX + 1 && !seen.sequential {
                report.rule(
                    at,
                    &element.tag,
                    codes::SCHEMA,
                    "a `<Dial>` rings at most 10 at once; use sequential=\"true\", or another `<Dial>`",
                );
            }
            if !seen.mixed && seen.numbers > 0 && seen.conferences > 0 {
                seen.mixed = true;
                report.rule(
                    at,
                    &element.tag,
                    codes::CONFERENCE_AND_NUMBER,
                    "a `<Dial>` holds numbers or a conference, not both; use one `<Dial>` for each",
                );
            }
        }
        _ => {}
    }
}

/// What can be said of an element once all of it was seen. `content` is as written.
pub(super) fn close(frame: &Frame<'_>, element: &Element, content: &str, report: &mut Report<'_>) {
    let seen = &frame.seen;
    match element.role {
        Role::Say
            if content.len() > SAY_CHARACTERS_MAX
                && !at_most(&chars::text_of(content), SAY_CHARACTERS_MAX) =>
        {
            report.rule(
                frame.at,
                &element.tag,
                codes::SAY_TOO_LONG,
                "the text has more than 4096 characters; split it over several `<Say>`",
            );
        }
        Role::Record if seen.transcribe && seen.long_recording => {
            report.rule(
                frame.at,
                &element.tag,
                codes::TRANSCRIBED_TOO_LONG,
                "only recordings of up to 120 s are transcribed; use a maxLength of 120 or less",
            );
        }
        Role::Gather if seen.auto_timeout && seen.default_model => {
            report.rule(
                frame.at,
                &element.tag,
                codes::AUTO_WITH_DEFAULT_MODEL,
                "speechTimeout=\"auto\" does not work with speechModel=\"default\"; give seconds, or another model",
            );
        }
        _ => {}
    }
}

/// Whether the verb is the last one that is ever reached: it leaves the document for good.
///
/// A Dial does where it has an `action`, which then goes on with the call. A Record nearly does, but an empty
/// recording goes on with the next verb.
pub(super) fn ends_document(element: &Element, seen: &Seen) -> bool {
    match element.role {
        Role::Ends => true,
        Role::Dial => seen.action,
        _ => false,
    }
}

/// Whether text that the grammar requires may be missing all the same: an empty Redirect asks for the current
/// document again.
pub(super) fn may_be_empty(element: &Element) -> bool {
    element.tag == "Redirect"
}
