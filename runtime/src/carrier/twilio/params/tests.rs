//! One example of each webhook, and parameters at their edges.

use http::Method;
use toml::{Table, Value};

use super::*;
use crate::call::Event;

const WEBHOOKS: &str = include_str!("../../../../../tests/cases/twilio/webhooks.toml");
const FORM: &str = "application/x-www-form-urlencoded";

fn entry(name: &str) -> Entry {
    [Entry::Voice, Entry::Messaging, Entry::Status].into_iter().find(|entry| entry.as_str() == name).unwrap()
}

/// A webhook as the pairs that the file's `expect` speaks of.
fn described(webhook: &Webhook) -> Table {
    let text = |text: &str| Value::from(text);
    let number = |number: u32| Value::from(i64::from(number));
    let mut fields = match webhook {
        Webhook::Voice(call) => vec![
            ("kind", text("voice")),
            ("id", text(&call.id)),
            ("account", text(&call.account)),
            ("from", text(&call.from)),
            ("to", text(&call.to)),
            ("direction", text(&format!("{:?}", call.direction))),
            ("status", text(&format!("{:?}", call.status))),
            ("step", text(&call.step)),
        ],
        Webhook::Message(message) => vec![
            ("kind", text("messaging")),
            ("id", text(&message.id)),
            ("account", text(&message.account)),
            ("from", text(&message.from)),
            ("to", text(&message.to)),
            ("body", text(&message.body)),
            ("media_count", number(message.media_count)),
            ("segments", number(message.segments)),
            ("step", text(&message.step)),
        ],
        Webhook::Event(event) => vec![
            ("kind", text(&format!("{:?}", event.kind))),
            ("subject", text(&event.subject)),
            ("account", text(&event.account)),
            ("status", text(&event.status)),
            ("step", text(&event.step)),
        ],
        Webhook::Web(_) => panic!("no carrier sends one"),
    };
    match webhook {
        Webhook::Voice(call) => {
            fields.extend(call.digits.iter().map(|digits| ("digits", text(digits))));
            fields.extend(call.speech.iter().map(|speech| ("speech", text(speech))));
        }
        Webhook::Event(Event { sequence: Some(sequence), .. }) => {
            fields.push(("sequence", number(*sequence)))
        }
        Webhook::Message(_) | Webhook::Event(_) | Webhook::Web(_) => {}
    }
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[test]
fn every_webhook_of_the_carrier_is_read() {
    let file: Table = WEBHOOKS.parse().unwrap();
    let webhooks = file["webhook"].as_array().unwrap();
    for case in webhooks {
        let name = case["name"].as_str().unwrap();
        let mut parameters = Table::new();
        if case.get("standard").is_some_and(|standard| standard == &Value::Boolean(true)) {
            parameters.extend(file["standard"].as_table().unwrap().clone());
        }
        parameters.extend(case["parameters"].as_table().unwrap().clone());
        let pairs: Vec<_> = parameters.iter().map(|(n, v)| (n.as_str(), v.as_str().unwrap())).collect();
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let step = case.get("step").map_or("", |step| step.as_str().unwrap());
        let entry = entry(case["entry"].as_str().unwrap());

        // The same parameters by every way they may come.
        let posted = Body::read(&Method::POST, Some(FORM), form.as_bytes()).unwrap();
        let json = serde_json::to_string(&parameters).unwrap();
        let as_json = Body::read(&Method::POST, Some("application/json"), json.as_bytes()).unwrap();
        let got = read(entry, step, Some(&format!("hs=1.x&{form}")), &Body::Empty);
        let ways = [
            ("POST", read(entry, step, Some("hs=1.x"), &posted)),
            ("GET", got),
            ("JSON", read(entry, step, None, &as_json)),
        ];
        for (way, webhook) in ways {
            let webhook = webhook.unwrap_or_else(|error| panic!("{name}, {way}: {error}"));
            let found = described(&webhook);
            for (field, expected) in case["expect"].as_table().unwrap() {
                assert_eq!(found.get(field), Some(expected), "{name}, {way}: {field}");
            }
            for optional in ["digits", "speech", "sequence"] {
                assert_eq!(
                    found.contains_key(optional),
                    case["expect"].get(optional).is_some(),
                    "{name}, {way}: {optional}"
                );
            }
            let kept = match &webhook {
                Webhook::Voice(call) => &call.form,
                Webhook::Message(message) => &message.form,
                Webhook::Event(event) => &event.form,
                Webhook::Web(_) => panic!("no carrier sends one"),
            };
            assert_eq!(*kept, form, "{name}, {way}");
        }
    }
    // Sections 4.1 to 4.25, 5.1 to 5.4 and 6 of the carrier's webhooks.
    let sections = (1..=25)
        .map(|n| format!("4.{n} "))
        .chain((1..=4).map(|n| format!("5.{n} ")))
        .chain(["6 ".to_owned()]);
    for section in sections {
        assert!(
            webhooks.iter().any(|case| case["name"].as_str().unwrap().starts_with(&section)),
            "{section}has no example"
        );
    }
}

fn form_of(query: Option<&str>, content_type: &str, body: &[u8]) -> Result<String, ParamsError> {
    let body = Body::read(&Method::POST, Some(content_type), body)?;
    read(Entry::Status, "", query, &body).map(|webhook| match webhook {
        Webhook::Event(event) => event.form,
        _ => panic!("not an event"),
    })
}

#[test]
fn the_form_is_what_was_sent_without_our_pin() {
    let json = "application/json";
    let cases: &[(Option<&str>, &str, &[u8], &str)] = &[
        (None, FORM, b"B=1&A=%2b2+3", "B=1&A=%2b2+3"),
        (Some("hs=1.x"), FORM, b"B=1", "B=1"),
        (Some("hs=1.x&lang=en"), FORM, b"B=1", "lang=en&B=1"),
        (Some("lang=en&hs=1.x&t=a%20b"), FORM, b"", "lang=en&t=a%20b"),
        (Some("hs"), FORM, b"", ""),
        (Some("hsx=1&a=hs"), FORM, b"", "hsx=1&a=hs"),
        (Some(""), FORM, b"", ""),
        (None, FORM, b"latin=gr\xfcn&x=1+2", "latin=gr%EF%BF%BDn&x=1+2"),
        (None, FORM, b"latin=gr%fcn", "latin=gr%fcn"),
        (
            None,
            json,
            br#"{"s":"a b","n":1.5,"t":true,"z":null,"o":{"a":[1]}}"#,
            "n=1.5&o=%7B%22a%22%3A%5B1%5D%7D&s=a+b&t=true&z=",
        ),
        (None, json, b"[1, 2]", "PayloadType=application%2Fjson&Payload=%5B1%2C+2%5D"),
        (None, json, b"{}", ""),
    ];
    for (query, content_type, body, expected) in cases {
        let found = form_of(*query, content_type, body).unwrap();
        assert_eq!(found, *expected, "{query:?} {}", String::from_utf8_lossy(body));
    }
}

#[test]
fn the_carriers_own_parameters_win() {
    let posted = Body::read(&Method::POST, Some(FORM), b"CallSid=CA1&From=%2B12025550123").unwrap();
    let cases: &[(&str, &Body<'_>)] = &[
        ("From=sales&CallSid=x", &posted),
        ("From=sales&CallSid=x&CallSid=CA1&From=%2B12025550123", &Body::Empty),
    ];
    for (query, body) in cases {
        let Webhook::Voice(call) = read(Entry::Voice, "", Some(query), body).unwrap() else {
            panic!("not a call")
        };
        assert_eq!((&*call.id, &*call.from), ("CA1", "+12025550123"), "{query}");
    }
}

#[test]
fn numbers_that_are_none_are_as_if_not_sent() {
    for (sent, media_count, segments) in
        [("", 0, 1), ("&NumMedia=x&NumSegments=-1", 0, 1), ("&NumMedia=3&NumSegments=0", 3, 1)]
    {
        let form = format!("MessageSid=SM1{sent}");
        let body = Body::read(&Method::POST, Some(FORM), form.as_bytes()).unwrap();
        let Webhook::Message(message) = read(Entry::Messaging, "", None, &body).unwrap() else {
            panic!("not a message")
        };
        assert_eq!((message.media_count, message.segments), (media_count, segments), "{sent}");
    }
}

#[test]
fn what_is_no_webhook_is_refused_and_says_what_it_needs() {
    let many = "a=1&".repeat(PARAMETERS_MAX + 1);
    let many_members =
        format!("{{{}}}", (0..=PARAMETERS_MAX).map(|n| format!("\"{n}\":1")).collect::<Vec<_>>().join(","));
    let deep = "[".repeat(100_000);
    let json = "application/json";
    type Case<'a> = (Entry, Option<&'a str>, &'a str, &'a [u8], &'a str);
    let cases: &[Case<'_>] = &[
        (
            Entry::Voice,
            None,
            FORM,
            b"",
            "a voice webhook has `CallSid`, found no parameters at all (is the method",
        ),
        (
            Entry::Voice,
            None,
            FORM,
            b"MessageSid=SM1&Body=x",
            "found only `MessageSid`, `Body`; …/sms takes messages",
        ),
        (Entry::Voice, None, FORM, b"CallSid=", "found only `CallSid`"),
        (
            Entry::Messaging,
            None,
            FORM,
            b"CallSid=CA1",
            "a message webhook has `MessageSid` (or `SmsSid`), found only `CallSid`; …/voice takes calls",
        ),
        (
            Entry::Voice,
            None,
            "text/plain",
            b"CallSid=CA1",
            "the body is \"text/plain\", which the signature does not cover",
        ),
        (Entry::Voice, Some(&many), FORM, b"CallSid=CA1", "more than 1000 parameters"),
        (Entry::Voice, None, FORM, many.as_bytes(), "more than 1000 parameters"),
        (Entry::Voice, None, json, many_members.as_bytes(), "more than 1000 parameters"),
        (Entry::Voice, None, json, b"{\"CallSid\":", "the body is not JSON: EOF"),
        (Entry::Voice, None, json, b"", "the body is not JSON"),
        (Entry::Voice, None, json, b"\xef\xbb\xbf{}", "the body is not JSON"),
        (Entry::Voice, None, json, b"{\"a\":1e400}", "the body is not JSON: number out of range"),
        (Entry::Voice, None, json, deep.as_bytes(), "the body is not JSON: recursion limit"),
        (Entry::Voice, None, json, b"[]", "found only `PayloadType`, `Payload`"),
    ];
    for (entry, query, content_type, bytes, expected) in cases {
        let read = Body::read(&Method::POST, Some(content_type), bytes)
            .and_then(|body| read(*entry, "", *query, &body));
        let error = read.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
