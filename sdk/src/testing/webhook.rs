//! Webhooks as a carrier would send them, each with what a test cares about and the rest made up.
//!
//! Typed fields and form agree: `.digits("1")` is seen by `call.digits()` and `call.param("Digits")`.

use crate::bindings::imports::hookswitch::handler::types;
use crate::call::{CallStatus, Direction};
use crate::event::EventKind;
use crate::{Call, Event, Message};
use std::time::Duration;

/// Begins a voice webhook: the first one of an incoming call from +1 202 555 0123.
pub fn call() -> CallBuilder {
    let fields = types::Call {
        id: "CA00000000000000000000000000000001".into(),
        account: ACCOUNT.into(),
        from: "+12025550123".into(),
        to: "+12025550100".into(),
        direction: Direction::Inbound,
        status: CallStatus::Ringing,
        step: String::new(),
        digits: None,
        speech: None,
        time_left_ms: 3000,
        form: String::new(),
    };
    CallBuilder { fields, params: Vec::new() }
}

/// Begins a message webhook: a text from +1 202 555 0123.
pub fn message() -> MessageBuilder {
    let fields = types::Message {
        id: "SM00000000000000000000000000000001".into(),
        account: ACCOUNT.into(),
        from: "+12025550123".into(),
        to: "+12025550100".into(),
        body: String::new(),
        media_count: 0,
        segments: 1,
        step: String::new(),
        time_left_ms: 3000,
        form: String::new(),
    };
    MessageBuilder { fields, params: Vec::new() }
}

/// Begins a status callback: `event(EventKind::Recording)`.
pub fn event(kind: EventKind) -> EventBuilder {
    let fields = types::Event {
        kind,
        subject: "CA00000000000000000000000000000001".into(),
        account: ACCOUNT.into(),
        status: String::new(),
        sequence: None,
        step: String::new(),
        time_left_ms: 3000,
        form: String::new(),
    };
    EventBuilder { fields, params: Vec::new() }
}

/// A run of the schedule `name`, its first attempt: `run("remind", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00+01:00")`.
pub fn run(name: &str, scheduled_time: &str, local_time: &str) -> Event {
    // To the minute, as the host writes it.
    let minute = scheduled_time.get(..16).unwrap_or(scheduled_time);
    let sent =
        [("Schedule", name), ("ScheduledTime", scheduled_time), ("LocalTime", local_time), ("Attempt", "1")];
    Event::new(types::Event {
        kind: EventKind::Other,
        subject: format!("schedule:{name}:{minute}Z"),
        account: String::new(),
        status: "schedule".into(),
        sequence: None,
        step: name.into(),
        time_left_ms: 10_000,
        form: form(&sent, &[]),
    })
}

const ACCOUNT: &str = "AC00000000000000000000000000000001";

type Pairs = Vec<(String, String)>;

/// A voice webhook in the making.
#[must_use]
#[derive(Debug, Clone)]
pub struct CallBuilder {
    fields: types::Call,
    params: Pairs,
}

/// A message webhook in the making.
#[must_use]
#[derive(Debug, Clone)]
pub struct MessageBuilder {
    fields: types::Message,
    params: Pairs,
}

/// A status callback in the making.
#[must_use]
#[derive(Debug, Clone)]
pub struct EventBuilder {
    fields: types::Event,
    params: Pairs,
}

/// What the three builders have in common.
macro_rules! common {
    ($($builder:ident)+) => {$(
        impl $builder {
            /// The part of the URL that says where in the conversation we are.
            pub fn step(mut self, step: impl Into<String>) -> Self {
                self.fields.step = step.into();
                self
            }

            /// Any parameter by the carrier's name; a later one of the same name replaces it.
            pub fn param(mut self, name: impl Into<String>, value: impl ToString) -> Self {
                self.params.push((name.into(), value.to_string()));
                self
            }

            /// Wall time that is left; 3 s if nothing is said.
            pub fn time_left(mut self, time: Duration) -> Self {
                self.fields.time_left_ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
                self
            }
        }
    )+};
}

common!(CallBuilder MessageBuilder EventBuilder);

impl CallBuilder {
    /// The id of the call.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.fields.id = id.into();
        self
    }

    /// Who calls.
    pub fn from(mut self, address: impl Into<String>) -> Self {
        self.fields.from = address.into();
        self
    }

    /// Who is called.
    pub fn to(mut self, address: impl Into<String>) -> Self {
        self.fields.to = address.into();
        self
    }

    /// Who began the call.
    pub fn direction(mut self, direction: Direction) -> Self {
        self.fields.direction = direction;
        self
    }

    /// Where the leg is.
    pub fn status(mut self, status: CallStatus) -> Self {
        self.fields.status = status;
        self
    }

    /// The caller pressed these keys.
    pub fn digits(mut self, digits: impl Into<String>) -> Self {
        self.fields.digits = Some(digits.into());
        self
    }

    /// The caller said this.
    pub fn speech(mut self, speech: impl Into<String>) -> Self {
        self.fields.speech = Some(speech.into());
        self
    }

    /// The webhook.
    #[must_use]
    pub fn build(mut self) -> Call {
        let fields = &self.fields;
        let mut sent: Vec<(&str, &str)> = vec![
            ("CallSid", &fields.id),
            ("AccountSid", &fields.account),
            ("From", &fields.from),
            ("To", &fields.to),
            ("Direction", fields.direction.as_str()),
            ("CallStatus", fields.status.as_str()),
            ("ApiVersion", "2010-04-01"),
        ];
        sent.extend(fields.digits.as_deref().map(|digits| ("Digits", digits)));
        sent.extend(fields.speech.as_deref().map(|speech| ("SpeechResult", speech)));
        self.fields.form = form(&sent, &self.params);
        Call::new(self.fields)
    }
}

impl MessageBuilder {
    /// The id of the message.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.fields.id = id.into();
        self
    }

    /// Who sent it.
    pub fn from(mut self, address: impl Into<String>) -> Self {
        self.fields.from = address.into();
        self
    }

    /// Who it was sent to.
    pub fn to(mut self, address: impl Into<String>) -> Self {
        self.fields.to = address.into();
        self
    }

    /// The text.
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.fields.body = body.into();
        self
    }

    /// How many SMS segments the text took.
    pub fn segments(mut self, segments: u32) -> Self {
        self.fields.segments = segments;
        self
    }

    /// One more attachment, by type (`image/jpeg`) and URL.
    pub fn media(mut self, content_type: &str, url: &str) -> Self {
        let index = self.fields.media_count;
        self.fields.media_count += 1;
        self.param(format!("MediaContentType{index}"), content_type).param(format!("MediaUrl{index}"), url)
    }

    /// The webhook.
    #[must_use]
    pub fn build(mut self) -> Message {
        let fields = &self.fields;
        let (media, segments) = (fields.media_count.to_string(), fields.segments.to_string());
        let sent = [
            ("MessageSid", fields.id.as_str()),
            ("AccountSid", &fields.account),
            ("From", &fields.from),
            ("To", &fields.to),
            ("Body", &fields.body),
            ("NumMedia", &media),
            ("NumSegments", &segments),
        ];
        self.fields.form = form(&sent, &self.params);
        Message::new(self.fields)
    }
}

impl EventBuilder {
    /// The call, conference or message it is about.
    pub fn subject(mut self, id: impl Into<String>) -> Self {
        self.fields.subject = id.into();
        self
    }

    /// What happened, in the carrier's word.
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.fields.status = status.into();
        self
    }

    /// Place in the order of happening.
    pub fn sequence(mut self, sequence: u32) -> Self {
        self.fields.sequence = Some(sequence);
        self
    }

    /// The webhook. Subject and status are in the form under the names that this kind has for them.
    #[must_use]
    pub fn build(mut self) -> Event {
        let fields = &self.fields;
        let (subject, status) = match fields.kind {
            EventKind::Message => ("MessageSid", "MessageStatus"),
            EventKind::Recording => ("CallSid", "RecordingStatus"),
            EventKind::Transcription => ("CallSid", "TranscriptionEvent"),
            EventKind::Conference => ("ConferenceSid", "StatusCallbackEvent"),
            EventKind::Stream => ("CallSid", "StreamEvent"),
            EventKind::MachineDetection => ("CallSid", "AnsweredBy"),
            EventKind::Call | EventKind::PartialSpeech | EventKind::Payment | EventKind::Other => {
                ("CallSid", "CallStatus")
            }
        };
        let sequence = fields.sequence.map(|sequence| sequence.to_string());
        let mut sent = vec![(subject, fields.subject.as_str()), ("AccountSid", &fields.account)];
        sent.extend((!fields.status.is_empty()).then_some((status, fields.status.as_str())));
        sent.extend(sequence.as_deref().map(|sequence| ("SequenceNumber", sequence)));
        self.fields.form = form(&sent, &self.params);
        Event::new(self.fields)
    }
}

/// The form-encoded text of what was `sent`, with the test's own `params` in place of the same names.
pub(crate) fn form(sent: &[(&str, &str)], params: &[(String, String)]) -> String {
    let own = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut form = String::new();
    let kept = sent.iter().copied().filter(|(name, _)| !params.iter().any(|(own, _)| own == name));
    for (name, value) in kept.chain(own) {
        if !form.is_empty() {
            form.push('&');
        }
        push_encoded(&mut form, name);
        form.push('=');
        push_encoded(&mut form, value);
    }
    form
}

fn push_encoded(form: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => form.push(byte as char),
            b' ' => form.push('+'),
            _ => form.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_fields_and_form_agree() {
        let call = call().digits("1#").speech("größe & mehr = 100 %").param("CallerName", "A+B").build();
        assert_eq!(call.param("Digits"), Some("1#"));
        assert_eq!(call.param("SpeechResult"), call.speech());
        assert_eq!(call.param("CallerName"), Some("A+B"));
        assert_eq!(call.param("From"), Some(call.from()));
        assert_eq!(call.param("Nothing"), None);
    }

    #[test]
    fn a_run_is_known_from_what_a_carrier_tells() {
        let event = run("remind", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00+01:00");
        let found = event.run().unwrap();
        assert_eq!((found.name(), found.attempt()), ("remind", 1));
        assert_eq!(found.id(), "schedule:remind:2026-11-23T09:00Z");
        assert_eq!(found.local_time(), "2026-11-23T10:00:00+01:00");
        let told = super::event(EventKind::Other).status("schedule").subject("schedule:remind:x").build();
        assert!(told.run().is_none(), "a carrier has an account");
    }

    #[test]
    fn own_parameters_replace_the_made_up_ones() {
        let call = call().param("ApiVersion", "2008-08-01").build();
        assert_eq!(call.params().iter().filter(|(name, _)| *name == "ApiVersion").count(), 1);
        assert_eq!(call.param("ApiVersion"), Some("2008-08-01"));
    }
}
