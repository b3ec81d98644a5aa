//! What the feed tells: the JSON of `hookswitch logs`, one object an event.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::{HandlerName, RevisionId};
use crate::release::ReleaseChange;

/// A text in an event is cut here, in bytes.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// Something that a tenant's handlers did. Moments are RFC 3339 in UTC; see [`moment`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FeedEvent {
    /// A webhook was answered.
    Webhook {
        /// When.
        at: String,
        /// By which handler.
        #[schema(value_type = String)]
        handler: HandlerName,
        /// And which revision of it.
        #[schema(value_type = u32)]
        revision: RevisionId,
        /// Names the request in the operator's log.
        #[serde(default)]
        request: String,
        /// `voice`, `sms`, `status`, `web` or `schedule`.
        #[schema(value_type = String)]
        entry: Cow<'static, str>,
        /// The carrier's id of the call or message.
        subject: String,
        /// The step of the conversation; empty at its beginning.
        step: String,
        /// What became of it.
        outcome: FeedOutcome,
        /// The code of what failed, as in `x-hookswitch-error`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        code: Option<Cow<'static, str>>,
        /// From the request to the answer, in microseconds.
        wall_us: u64,
        /// Of this the guest's own running, in microseconds.
        cpu_us: u64,
        /// Memory that the guest used, in KiB.
        memory_kib: u64,
    },
    /// A handler wrote a line, or the host about it.
    Log {
        /// When.
        at: String,
        /// Which handler.
        #[schema(value_type = String)]
        handler: HandlerName,
        /// And which revision of it.
        #[schema(value_type = u32)]
        revision: RevisionId,
        /// Names the request in the operator's log.
        #[serde(default)]
        request: String,
        /// The carrier's id of the call or message.
        subject: String,
        /// How much it matters.
        level: FeedLevel,
        /// Where it came from.
        source: FeedSource,
        /// The line.
        text: String,
    },
    /// It changed who takes new calls.
    Release {
        /// When.
        at: String,
        /// Of which handler.
        #[schema(value_type = String)]
        handler: HandlerName,
        /// The revision that it is about.
        #[schema(value_type = u32)]
        revision: RevisionId,
        /// What changed.
        change: ReleaseChange,
        /// Why.
        reason: String,
    },
    /// Whoever reads was too slow: so many events are missing here.
    Dropped {
        /// How many.
        count: u64,
    },
}

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeedOutcome {
    /// The handler answered.
    Ok,
    /// The same delivery came again and got the stored answer.
    Repeated,
    /// It failed; `code` says how.
    Failed,
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeedLevel {
    /// For whoever looks for a fault.
    Debug,
    /// What happened.
    Info,
    /// Something to look at.
    Warn,
    /// Something failed.
    Error,
}

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeedSource {
    /// The handler's log.
    Handler,
    /// A line of its standard output.
    Stdout,
    /// A line of its standard error.
    Stderr,
    /// The host's own remark: a failure and its cause, a problem in a document, a log that was full.
    Host,
}

/// This moment as events have it: RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn moment() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

impl FeedEvent {
    /// The handler that it is about.
    #[must_use]
    pub fn handler(&self) -> Option<&HandlerName> {
        match self {
            Self::Webhook { handler, .. } | Self::Log { handler, .. } | Self::Release { handler, .. } => {
                Some(handler)
            }
            Self::Dropped { .. } => None,
        }
    }

    /// Cuts texts that are too long, with a mark.
    pub(super) fn cut(mut self) -> Self {
        match &mut self {
            Self::Webhook { subject, step, .. } => [subject, step].into_iter().for_each(cut),
            Self::Log { subject, text, .. } => [subject, text].into_iter().for_each(cut),
            Self::Release { reason, .. } => cut(reason),
            Self::Dropped { .. } => {}
        }
        self
    }

    /// What it costs to keep it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let texts = match self {
            Self::Webhook { at, request, subject, step, .. } => {
                at.capacity() + request.capacity() + subject.capacity() + step.capacity()
            }
            Self::Log { at, request, subject, text, .. } => {
                at.capacity() + request.capacity() + subject.capacity() + text.capacity()
            }
            Self::Release { at, reason, .. } => at.capacity() + reason.capacity(),
            Self::Dropped { .. } => 0,
        };
        // With the two counts of an `Arc` before it.
        2 * size_of::<usize>() + size_of::<Self>() + texts
    }
}

fn cut(text: &mut String) {
    const MARK: &str = "…";
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX - MARK.len()));
        text.push_str(MARK);
        text.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: String) -> FeedEvent {
        FeedEvent::Log {
            at: "2026-01-02T03:04:05.678Z".into(),
            handler: HandlerName::new("ivr").unwrap(),
            revision: RevisionId(7),
            request: "00c0ffee00000001".into(),
            subject: "CA1".into(),
            level: FeedLevel::Warn,
            source: FeedSource::Handler,
            text,
        }
    }

    #[test]
    fn commands_read_what_the_host_writes() {
        let webhook = FeedEvent::Webhook {
            at: "2026-01-02T03:04:05.678Z".into(),
            handler: HandlerName::new("ivr").unwrap(),
            revision: RevisionId(7),
            request: "00c0ffee00000001".into(),
            entry: "voice".into(),
            subject: "CA1".into(),
            step: "menu".into(),
            outcome: FeedOutcome::Failed,
            code: Some("HS202".into()),
            wall_us: 1,
            cpu_us: 2,
            memory_kib: 3,
        };
        let json = serde_json::to_string(&webhook).unwrap();
        assert_eq!(
            json,
            r#"{"kind":"webhook","at":"2026-01-02T03:04:05.678Z","handler":"ivr","revision":7,"request":"00c0ffee00000001","entry":"voice","subject":"CA1","step":"menu","outcome":"failed","code":"HS202","wall_us":1,"cpu_us":2,"memory_kib":3}"#
        );
        let release = FeedEvent::Release {
            at: "2026-01-02T03:04:05.678Z".into(),
            handler: HandlerName::new("ivr").unwrap(),
            revision: RevisionId(7),
            change: ReleaseChange::TakenBack,
            reason: "3 of 20 failed".into(),
        };
        for event in [webhook, release, log("hello".into()), FeedEvent::Dropped { count: 3 }] {
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<FeedEvent>(&json).unwrap(), event, "{json}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let FeedEvent::Log { text, .. } = log("ä".repeat(8 * 1024)).cut() else {
            panic!("a line stays one")
        };
        assert!(text.len() <= TEXT_BYTES_MAX && text.ends_with("ä…"), "{} bytes", text.len());
        let FeedEvent::Log { text, .. } = log("short".into()).cut() else { panic!("a line stays one") };
        assert_eq!(text, "short");
    }

    #[test]
    fn a_moment_is_utc_to_the_millisecond() {
        let moment = moment();
        assert_eq!(moment.len(), "2026-01-02T03:04:05.678Z".len(), "{moment}");
        assert!(moment.ends_with('Z') && moment.parse::<jiff::Timestamp>().is_ok(), "{moment}");
    }
}
