//! What makes a repeated delivery recognisable.
//!
//! The carrier marks the retries of one webhook with one token. Without it only what names its own event is known
//! again: a message that came in, or a callback that says which happening of which thing it tells. A voice step never
//! is, because a menu may rightly come twice in a call; running a handler once too often is the lesser harm.

use http::{HeaderMap, HeaderName};

use super::super::DeliveryKey;
use super::params::Params;
use crate::call::{Event, EventKind, Webhook};

/// The header that is equal on all deliveries of one webhook.
pub static TOKEN_HEADER: HeaderName = HeaderName::from_static("i-twilio-idempotency-token");

/// Longest token taken, in bytes; the carrier's have some 60. A longer one is as good as none.
const TOKEN_BYTES_MAX: usize = 256;

/// Parameters that tell one event from another of the same kind: ids, states, places in an order, times.
const DISTINGUISHING: &[&str] = &[
    "AnsweredBy",
    "Attempt",
    "CallSid",
    "CallStatus",
    "ConferenceSid",
    "ErrorCode",
    "ErrorType",
    "EventName",
    "EventType",
    "For",
    "MessageSid",
    "MessageStatus",
    "RecordingSid",
    "RecordingStatus",
    "SequenceId",
    "SequenceNumber",
    "SiprecEvent",
    "SiprecSid",
    "SmsSid",
    "SmsStatus",
    "StatusCallbackEvent",
    "StreamEvent",
    "StreamSid",
    "Timestamp",
    "Track",
    "TranscriptionEvent",
    "TranscriptionSid",
    "TranscriptionStatus",
];

/// The key of this delivery, unique within one handler; `None` where nothing tells a repetition from a new webhook.
///
/// The token is not signed, so the thing it is about, the entry and the step stand beside it: at most another webhook of the
/// same call and step could be given its answer.
pub(super) fn key(webhook: &Webhook, headers: &HeaderMap) -> Option<DeliveryKey> {
    let (entry, step, subject) = match webhook {
        // No delivery of the carrier's.
        Webhook::Web(_) => return None,
        Webhook::Voice(call) => ("voice", &call.step, &call.id),
        Webhook::Message(message) => ("sms", &message.step, &message.id),
        Webhook::Event(event) => ("status", &event.step, &event.subject),
    };
    let own_name;
    let name = match (token(headers), webhook) {
        (Some(token), _) => ["token ", token],
        (None, Webhook::Voice(_) | Webhook::Web(_)) => return None,
        // A step of a message conversation is reached by a redirect, which may come back to it.
        (None, Webhook::Message(message)) if message.step.is_empty() => ["received", ""],
        (None, Webhook::Message(_)) => return None,
        (None, Webhook::Event(event)) => {
            own_name = own_name_of(event)?;
            ["event ", &own_name]
        }
    };
    // A step has no line break (its route would not have been taken) and neither has a name, so no two webhooks read alike.
    Some(DeliveryKey::new([entry, "\n", step, "\n", name[0], name[1], "\n", subject].concat()))
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let token = headers.get(&TOKEN_HEADER)?.to_str().ok()?;
    (1..=TOKEN_BYTES_MAX).contains(&token.len()).then_some(token)
}

/// What tells this event from all others about the same thing, if it says enough.
fn own_name_of(event: &Event) -> Option<String> {
    let params = Params::of(&event.form).ok()?;
    let has = |name: &str| params.first_of(&[name]).is_some();
    let named = has("SequenceNumber")
        || match event.kind {
            // Each of these happens once to its thing.
            EventKind::Call => has("CallSid") && has("CallStatus"),
            EventKind::Message => has("MessageSid") || has("SmsSid"),
            EventKind::Recording => has("RecordingSid"),
            EventKind::MachineDetection => has("CallSid"),
            // These may happen again and say in which place or when.
            EventKind::Transcription => {
                has("SequenceId") || has("TranscriptionStatus") && has("TranscriptionSid")
            }
            EventKind::Conference => has("Timestamp"),
            EventKind::Stream => {
                has("Timestamp") || matches!(&*event.status, "stream-started" | "stream-stopped")
            }
            EventKind::Payment => has("Attempt") || has("Timestamp"),
            // The same words may be heard twice, and what we do not know may come as often as it likes.
            EventKind::PartialSpeech | EventKind::Schedule | EventKind::Other => false,
        };
    if event.subject.is_empty() || !named {
        return None;
    }
    let told = DISTINGUISHING.iter().filter_map(|name| Some((*name, params.get(name)?)));
    Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(told).finish())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::super::{body::Body, params};
    use super::*;
    use crate::call::Entry;

    fn key_of(entry: Entry, step: &str, form: &str, token: Option<&str>) -> Option<DeliveryKey> {
        let body =
            Body::read(&http::Method::POST, Some("application/x-www-form-urlencoded"), form.as_bytes())
                .unwrap();
        let webhook = params::read(entry, step, None, &body).unwrap();
        let headers = token.map(|token| (TOKEN_HEADER.clone(), HeaderValue::from_str(token).unwrap()));
        key(&webhook, &headers.into_iter().collect())
    }

    #[test]
    fn a_token_names_a_webhook_of_one_thing_entry_and_step() {
        let voice = |step, form, token| key_of(Entry::Voice, step, form, Some(token)).unwrap();
        let first = voice("menu", "CallSid=CA1&Digits=1", "t1");
        assert_eq!(first, voice("menu", "CallSid=CA1&Digits=1", "t1"));
        let others = [
            voice("menu", "CallSid=CA1&Digits=1", "t2"),
            voice("menu", "CallSid=CA2&Digits=1", "t1"),
            voice("", "CallSid=CA1&Digits=1", "t1"),
            voice("menu/token t1", "CallSid=CA1&Digits=1", "t1"),
            key_of(Entry::Status, "menu", "CallSid=CA1&CallStatus=ringing", Some("t1")).unwrap(),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(first, *other, "{index}");
        }
    }

    #[test]
    fn without_a_token_only_what_names_its_own_event_is_known_again() {
        let long = "x".repeat(TOKEN_BYTES_MAX + 1);
        let cases: &[(Entry, &str, &str, Option<&str>, bool)] = &[
            (Entry::Voice, "", "CallSid=CA1", None, false),
            (Entry::Voice, "menu", "CallSid=CA1&Digits=1&SequenceNumber=3", None, false),
            (Entry::Voice, "menu", "CallSid=CA1", Some(""), false),
            (Entry::Voice, "menu", "CallSid=CA1", Some(&long), false),
            (Entry::Messaging, "", "MessageSid=SM1&Body=hi", None, true),
            (Entry::Messaging, "", "SmsSid=SM1", None, true),
            (Entry::Messaging, "more", "MessageSid=SM1", None, false),
            (Entry::Status, "", "CallSid=CA1&CallStatus=ringing&SequenceNumber=1", None, true),
            (Entry::Status, "", "CallSid=CA1&CallStatus=completed", None, true),
            (Entry::Status, "", "CallStatus=completed", None, false),
            (Entry::Status, "", "MessageSid=SM1&MessageStatus=sent", None, true),
            (Entry::Status, "", "RecordingSid=RE1&RecordingStatus=completed&CallSid=CA1", None, true),
            (Entry::Status, "", "RecordingStatus=completed&CallSid=CA1", None, false),
            (Entry::Status, "", "CallSid=CA1&AnsweredBy=human", None, true),
            (
                Entry::Status,
                "",
                "ConferenceSid=CF1&StatusCallbackEvent=participant-mute&SequenceNumber=4",
                None,
                true,
            ),
            (Entry::Status, "", "ConferenceSid=CF1&StatusCallbackEvent=participant-mute", None, false),
            (
                Entry::Status,
                "",
                "CallSid=CA1&TranscriptionEvent=transcription-content&SequenceId=3",
                None,
                true,
            ),
            (Entry::Status, "", "CallSid=CA1&TranscriptionEvent=transcription-content", None, false),
            (Entry::Status, "", "CallSid=CA1&TranscriptionSid=TR1&TranscriptionStatus=completed", None, true),
            (Entry::Status, "", "CallSid=CA1&StreamSid=MZ1&StreamEvent=stream-started", None, true),
            (Entry::Status, "", "CallSid=CA1&StreamSid=MZ1&StreamEvent=stream-error", None, false),
            (Entry::Status, "", "CallSid=CA1&UnstableSpeechResult=hello", None, false),
            (Entry::Status, "", "CallSid=CA1&UnstableSpeechResult=hello&SequenceNumber=2", None, true),
            (Entry::Status, "", "CallSid=CA1&For=postal-code&ErrorType=input-timeout", None, false),
            (Entry::Status, "", "CallSid=CA1&For=postal-code&ErrorType=input-timeout&Attempt=2", None, true),
            (Entry::Status, "", "Sid=NO1&Level=Error", None, false),
            (Entry::Status, "", "", None, false),
        ];
        for (entry, step, form, token, known) in cases {
            let key = key_of(*entry, step, form, *token);
            assert_eq!(key.is_some(), *known, "{entry:?} {step:?} {form}");
            assert_eq!(key, key_of(*entry, step, form, *token), "{form}");
        }
    }

    #[test]
    fn distinct_events_stay_distinct() {
        let forms = [
            "CallSid=CA1&CallStatus=ringing&SequenceNumber=1",
            "CallSid=CA1&CallStatus=in-progress&SequenceNumber=2",
            "CallSid=CA2&CallStatus=ringing&SequenceNumber=1",
            "CallSid=CA1&CallStatus=ringing",
            "CallSid=CA1&CallStatus=completed",
            "MessageSid=SM1&MessageStatus=sent",
            "MessageSid=SM1&MessageStatus=delivered",
            "MessageSid=SM1&MessageStatus=delivered&EventType=READ",
            "CallSid=CA1&RecordingSid=RE1&RecordingStatus=in-progress",
            "CallSid=CA1&RecordingSid=RE1&RecordingStatus=completed",
            "CallSid=CA1&RecordingSid=RE2&RecordingStatus=completed",
            "ConferenceSid=CF1&CallSid=CA1&StatusCallbackEvent=participant-mute&Timestamp=t1",
            "ConferenceSid=CF1&CallSid=CA2&StatusCallbackEvent=participant-mute&Timestamp=t1",
            "ConferenceSid=CF1&CallSid=CA1&StatusCallbackEvent=participant-mute&Timestamp=t2",
            "CallSid=CA1&TranscriptionSid=GT1&TranscriptionEvent=transcription-content&SequenceId=3&Track=inbound_track",
            "CallSid=CA1&TranscriptionSid=GT1&TranscriptionEvent=transcription-content&SequenceId=3&Track=outbound_track",
            "CallSid=CA1&TranscriptionSid=GT1&TranscriptionEvent=transcription-content&SequenceId=4&Track=inbound_track",
            "CallSid=CA1&StreamSid=MZ1&StreamEvent=stream-started",
            "CallSid=CA1&StreamSid=MZ2&StreamEvent=stream-started",
            "CallSid=CA1&For=postal-code&ErrorType=input-timeout&Attempt=1",
            "CallSid=CA1&For=postal-code&ErrorType=input-timeout&Attempt=2",
        ];
        let keys: std::collections::HashSet<_> =
            forms.iter().map(|form| key_of(Entry::Status, "", form, None).unwrap()).collect();
        assert_eq!(keys.len(), forms.len());
        assert_ne!(key_of(Entry::Status, "a", forms[0], None), key_of(Entry::Status, "b", forms[0], None));
        let message = |sid: &str| key_of(Entry::Messaging, "", &format!("MessageSid={sid}"), None);
        assert_ne!(message("SM1"), message("SM2"));
    }
}
