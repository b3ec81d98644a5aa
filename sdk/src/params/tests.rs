//! Every parameter of every webhook has a typed method, and forms are read as browsers write them.

use super::Params;
use crate::bindings::imports::hookswitch::handler::types;
use crate::call::{CallStatus, Direction};
use crate::event::EventKind;
use crate::{Call, Event, Message, testing};

/// A parameter's name, and what its method finds, if anything.
pub(crate) type Reading = (&'static str, Option<String>);

const PARAMETERS: &str = include_str!("../../../tests/cases/twilio/parameters.txt");

/// What the host reads, so that the contract has a typed field for it and the SDK a plain method.
fn fields(entry: &str) -> &'static [&'static str] {
    match entry {
        "voice" => {
            &["CallSid", "AccountSid", "From", "To", "CallStatus", "Direction", "Digits", "SpeechResult"]
        }
        "sms" => &["MessageSid", "AccountSid", "From", "To", "Body", "NumMedia", "NumSegments"],
        _ => &["AccountSid", "SequenceNumber"],
    }
}

fn readings(entry: &str, form: String) -> Vec<Reading> {
    match entry {
        "voice" => {
            let call = call(form);
            let mut readings = call.place_readings();
            readings.extend(call.standard_readings());
            readings.extend(call.input_readings());
            readings.extend(call.recording_readings());
            readings.extend(call.dial_readings());
            readings.extend(call.leg_readings());
            readings.extend(call.session_readings());
            readings.extend(call.payment_readings());
            readings
                .extend(call.sip().header("x-account").map(|value| ("SipHeader_X-Account", quoted(value))));
            readings
        }
        "sms" => {
            let message = message(form);
            let mut readings = message.place_readings();
            readings.extend(message.message_readings());
            readings
        }
        "status" => {
            let event = event(form);
            let mut readings = event.place_readings();
            readings.extend(event.standard_readings());
            readings.extend(event.partial_speech_readings());
            readings.extend(event.recording_readings());
            readings.extend(event.transcription_readings());
            readings.extend(event.leg_readings());
            readings.extend(event.progress_readings());
            readings.extend(event.conference_readings());
            readings.extend(event.session_readings());
            readings.extend(event.payment_readings());
            readings.extend(event.delivery_readings());
            readings.extend(event.debugger_readings());
            readings
                .extend(event.sip().header("X-Account").map(|value| ("SipHeader_X-Account", quoted(value))));
            readings
        }
        _ => panic!("{entry} is no entry"),
    }
}

fn quoted(value: &str) -> Option<String> {
    Some(format!("{value:?}"))
}

fn call(form: String) -> Call {
    let text = String::new;
    Call::new(types::Call {
        id: text(),
        account: text(),
        from: text(),
        to: text(),
        direction: Direction::Other,
        status: CallStatus::Other,
        step: text(),
        digits: None,
        speech: None,
        time_left_ms: 0,
        form,
    })
}

fn message(form: String) -> Message {
    let text = String::new;
    Message::new(types::Message {
        id: text(),
        account: text(),
        from: text(),
        to: text(),
        body: text(),
        media_count: 0,
        segments: 1,
        step: text(),
        time_left_ms: 0,
        form,
    })
}

fn event(form: String) -> Event {
    let text = String::new;
    Event::new(types::Event {
        kind: EventKind::Other,
        subject: text(),
        account: text(),
        status: text(),
        sequence: None,
        step: text(),
        time_left_ms: 0,
        form,
    })
}

#[test]
fn every_parameter_of_every_webhook_has_a_typed_method() {
    let mut entry = "";
    let mut section = "";
    let mut parameters = 0;
    for line in PARAMETERS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(header) = line.strip_prefix('[') {
            (entry, section) = header.split_once("] ").unwrap();
            continue;
        }
        let (name, values) = line.split_once(' ').unwrap();
        parameters += 1;
        if fields(entry).contains(&name) || name.ends_with('0') && name.starts_with("Media") {
            continue;
        }
        for value in values.split('|') {
            let form = testing::form(&[(name, value)], &[]);
            let found: Vec<_> =
                readings(entry, form).into_iter().filter(|(known, _)| *known == name).collect();
            assert!(!found.is_empty(), "{section}: no method reads {name}");
            for (_, read) in found {
                let read = read.unwrap_or_else(|| panic!("{section}: {name}={value} is not read"));
                // A text as it is, a number or flag as it is, a word as one that is known.
                let is_text = read == format!("{value:?}") || read == value;
                let word = read.rsplit("::").next().unwrap_or_default();
                let is_known = word != "Other" && word.chars().all(char::is_alphanumeric);
                assert!(is_text || is_known, "{section}: {name}={value} is read as {read}");
            }
        }
    }
    assert!(parameters > 250, "only {parameters} parameters");
}

#[test]
fn media_come_in_order_with_their_types() {
    let message = testing::message()
        .media("image/jpeg", "https://a.example/0")
        .media("text/vcard", "https://a.example/1");
    let message = message.build();
    let urls: Vec<_> = message.media().map(|media| (media.content_type, media.url)).collect();
    assert_eq!(urls, [("image/jpeg", "https://a.example/0"), ("text/vcard", "https://a.example/1")]);
}

#[test]
fn a_form_is_taken_apart_as_it_was_put_together() {
    for (form, name, value) in [
        ("a=1&b=2", "b", Some("2")),
        ("a=1&b=2", "c", None),
        ("a=1&a=2", "a", Some("2")), // the body stands behind the query
        ("a", "a", Some("")),
        ("a=", "a", Some("")),
        ("=1", "", Some("1")),
        ("&&a=1&", "a", Some("1")),
        ("a=b=c", "a", Some("b=c")),
        ("a=1+2%2B3", "a", Some("1 2+3")),
        ("a%20b=1", "a b", Some("1")),
        ("a=gr%C3%B6%C3%9Fe", "a", Some("größe")),
        ("a=größe+x", "a", Some("größe x")),
        ("a=%", "a", Some("%")),
        ("a=%4", "a", Some("%4")),
        ("a=%zz%41", "a", Some("%zzA")),
        ("a=%ff%41", "a", Some("\u{fffd}A")),
        ("a=%F0%9F%93%9E", "a", Some("📞")),
        ("", "a", None),
    ] {
        assert_eq!(Params::new(form).get(name), value, "{name} in {form}");
    }
    let params = Params::new("x=1&y=2&x=3");
    assert_eq!(params.iter().collect::<Vec<_>>(), [("x", "1"), ("y", "2"), ("x", "3")]);
    assert_eq!(params.form(), "x=1&y=2&x=3");
}

#[test]
fn what_cannot_be_read_is_none_and_still_there_by_name() {
    let call = call("DialCallDuration=long&DialBridged=&DialCallStatus=vanished".into());
    let dial = call.dial_result();
    assert_eq!(dial.duration_seconds(), None);
    assert_eq!(dial.bridged(), None);
    assert_eq!(dial.status(), Some(super::DialStatus::Other));
    assert_eq!(call.param("DialCallStatus"), Some("vanished"));
    assert_eq!(call.param("DialBridged"), Some(""));
}

#[test]
fn statuses_know_when_it_is_over() {
    assert!(CallStatus::NoAnswer.is_final() && !CallStatus::InProgress.is_final());
    assert_eq!(CallStatus::NoAnswer.as_str(), "no-answer");
    assert_eq!(Direction::OutboundDial.as_str(), "outbound-dial");
}
