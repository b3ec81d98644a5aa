use super::*;
use crate::call::Entry;
use crate::capability::effects::{Import, Request};
use crate::carrier::webhook_of_form;

const CALLER: &str = "+12025550123";
const OWN: &str = "+12025550199";

fn redactor(rules: RecordingSettings) -> Redactor {
    Redactor::new(MasterKey::new([7; 32]), rules)
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A call from [`CALLER`] to [`OWN`] with these parameters besides.
fn call(more: &[(&str, &str)]) -> Webhook {
    let standard = [
        ("CallSid", "CA1"),
        ("From", CALLER),
        ("To", OWN),
        ("Direction", "inbound"),
        ("CallStatus", "ringing"),
    ];
    webhook_of_form(Entry::Voice, "menu", &form(&[&standard[..], more].concat())).unwrap()
}

fn get<'a>(form: &'a str, name: &str) -> Cow<'a, str> {
    form_urlencoded::parse(form.as_bytes()).find(|(found, _)| found == name).unwrap().1
}

#[test]
fn what_tells_who_is_calling_is_redacted_by_rule() {
    let masked = RecordingSettings::default();
    let kept = RecordingSettings {
        numbers: Numbers::Keep,
        names: Redaction::Keep,
        texts: Redaction::Keep,
        ..masked
    };
    let digits = RecordingSettings { digits: Redaction::Mask, ..kept };
    let texts = RecordingSettings { texts: Redaction::Keep, ..masked };
    // Rules, parameter, what came, what is kept; `*` is as many other digits.
    let cases: &[(&RecordingSettings, &str, &str, &str)] = &[
        (&masked, "Caller", CALLER, "+1202*******"),
        (&masked, "ForwardedFrom", "+447700900123", "+44770*******"),
        (&masked, "WaId", "12025550123", "1202*******"),
        (&masked, "Called", OWN, OWN),
        (&masked, "Caller", "anonymous", "anonymous"),
        (&masked, "Caller", "12345", "12345"),
        (&masked, "CallerName", "JANE DOE", "[name]"),
        (&masked, "CallerName", "", ""),
        (&masked, "FromCity", "SPRINGFIELD", "[place]"),
        (&masked, "CalledZip", "20500", "[place]"),
        (&masked, "FromCountry", "US", "[place]"),
        (&masked, "SpeechResult", "I am Jane Doe", "[text]"),
        (&masked, "TranscriptionText", "call me", "[text]"),
        (&masked, "Digits", "4111", "4111"),
        (&masked, "StirPassportToken", "ey.x.y", "[secret]"),
        (&masked, "CallStatus", "ringing", "ringing"),
        (&masked, "Timestamp", "2026-05-04T12:00:00Z", "2026-05-04T12:00:00Z"),
        (&masked, "RecordingDuration", "12345678", "12345678"),
        (&masked, "customer", CALLER, "+1202*******"),
        (&masked, "customer", "12025550123", "1202*******"),
        (
            &masked,
            "ParentCallSid",
            "CA00000000000000000000000000000001",
            "CA00000000000000000000000000000001",
        ),
        (&kept, "CallerName", "JANE DOE", "JANE DOE"),
        (&kept, "Caller", CALLER, CALLER),
        (&kept, "SpeechResult", "sales", "sales"),
        (&kept, "PaymentToken", "tok_1", "[secret]"),
        (&texts, "SpeechResult", "call me at 202-555-0123", "call me at 202-***-****"),
        (&digits, "Digits", "41*1#", "00*0#"),
    ];
    for (rules, name, came, expected) in cases {
        let redacted = redactor(**rules).redact(&call(&[(name, came)]), "", &mut []);
        let found = get(&redacted.form, name);
        let fits = found.chars().count() == expected.chars().count()
            && found.chars().zip(expected.chars()).all(|(found, expected)| {
                found == expected || expected == '*' && *came != "41*1#" && found.is_ascii_digit()
            });
        assert!(fits, "{name}={came}: {found} instead of {expected}");
        assert!(
            !expected.contains('*') || *name == "Digits" || found != *came,
            "{name}: {found} is the number itself"
        );
    }
}

#[test]
fn a_number_has_one_pseudonym_within_a_tenant_in_every_spelling_and_another_elsewhere() {
    let rules = RecordingSettings::default();
    let from = |redactor: &Redactor, number: &str| {
        let redacted = redactor.redact(&call(&[("Caller", number)]), "", &mut []);
        get(&redacted.form, "Caller").into_owned()
    };
    let acme = redactor(rules);
    let whole = from(&acme, CALLER);
    assert_eq!(whole, from(&acme, CALLER), "each time");
    assert_eq!(whole.trim_start_matches('+'), from(&acme, "12025550123"), "without its plus");
    assert_eq!(whole[2..], from(&acme, "2025550123"), "without its country");
    assert_ne!(whole, from(&acme, "+12025550124"), "another number");
    let other = Redactor::new(MasterKey::new([8; 32]), rules);
    assert_ne!(whole, from(&other, CALLER), "another tenant");
    let sip = from(&acme, "sip:jane@example.com");
    assert!(sip.starts_with("sip:") && !sip.contains("jane") && sip.ends_with("@redacted.invalid"), "{sip}");
    let client = from(&acme, "client:jane");
    assert!(client.starts_with("client:") && !client.contains("jane"), "{client}");
    assert_eq!(client, from(&acme, "client:jane"));
}

#[test]
fn what_a_handler_repeats_is_redacted_in_step_and_document_too() {
    let webhook = webhook_of_form(
        Entry::Voice,
        "call/+12025550123",
        &form(&[
            ("CallSid", "CA1"),
            ("From", CALLER),
            ("To", OWN),
            ("Direction", "inbound"),
            ("CallStatus", "in-progress"),
            ("CallerName", "JANE O'NEIL"),
            ("SpeechResult", "the blue & green one"),
        ]),
    )
    .unwrap();
    let document = "<Response><Say>Hello Jane. You called from 202 555 0123 and want the blue &amp; green one.</Say>\
        <Dial action=\"/acme/ivr/voice/call/%2B12025550123?name=JANE%20O%27NEIL&amp;hs=1.abc\" callerId=\"+12025550199\">\
        +12025550177</Dial><Pause length=\"10\"/></Response>";
    let redacted = redactor(RecordingSettings::default()).redact(&webhook, document, &mut []);
    for gone in ["555 0123", "5550123", "5550177", "Jane", "JANE", "NEIL", "blue"] {
        assert!(!redacted.document.contains(gone), "{gone} in {}", redacted.document);
        assert!(!redacted.step.contains(gone), "{gone} in {}", redacted.step);
        assert!(!redacted.form.contains(gone), "{gone} in {}", redacted.form);
    }
    for stays in
        ["Hello [name].", "want [text].", "callerId=\"+12025550199\"", "<Pause length=\"10\"/>", "hs=1.abc"]
    {
        assert!(redacted.document.contains(stays), "{stays} not in {}", redacted.document);
    }
    let pseudonym = get(&redacted.form, "From").into_owned();
    assert_eq!(redacted.step, format!("call/{pseudonym}"));
    let escaped = format!("call/%2B{}?", &pseudonym[1..]);
    assert!(redacted.document.contains(&escaped), "{escaped} not in {}", redacted.document);
}

#[test]
fn a_document_made_of_what_was_kept_is_redacted_to_the_same() {
    let redactor = redactor(RecordingSettings::default());
    // What a handler would answer, whoever calls.
    let answer = |from: &str, name: &str| {
        format!(
            "<Response><Say>{name}, {from}</Say><Dial callerId=\"{from}\">+12025550177</Dial><Dial>{OWN}</Dial></Response>"
        )
    };
    let came = call(&[("CallerName", "JANE")]);
    let kept = redactor.redact(&came, &answer(CALLER, "JANE"), &mut []);
    let webhook = webhook_of_form(Entry::Voice, &kept.step, &kept.form).unwrap();
    let Webhook::Voice(again) = &webhook else { panic!("it was a call") };
    assert_eq!(redactor.again(&webhook, &[]).document(&answer(&again.from, "[name]")), kept.document);
}

#[test]
fn of_a_message_conversation_both_sides_keep_their_numbers_apart() {
    let redactor = redactor(RecordingSettings::default());
    let received = form(&[("MessageSid", "SM1"), ("From", CALLER), ("To", OWN), ("Body", "hi")]);
    let received = redactor.redact(&webhook_of_form(Entry::Messaging, "", &received).unwrap(), "", &mut []);
    let sent = form(&[("MessageSid", "SM2"), ("From", OWN), ("To", CALLER), ("MessageStatus", "sent")]);
    let sent = redactor.redact(&webhook_of_form(Entry::Status, "", &sent).unwrap(), "", &mut []);
    assert_eq!(get(&received.form, "To"), OWN);
    assert_eq!(get(&sent.form, "From"), OWN);
    assert_eq!(get(&received.form, "From"), get(&sent.form, "To"), "the same person");
    assert_eq!(get(&received.form, "Body"), "[text]");
}

#[test]
fn numbers_are_found_and_what_only_looks_like_one_is_not() {
    use numbers::Looks::{Certain, Likely, Word};
    let found = |text: &str| {
        let spans = Spans::of(text).filter(|found| found.digits.len() >= NUMBER_DIGITS_MIN);
        spans.map(|found| (text[found.start..found.end].to_owned(), found.looks)).collect::<Vec<_>>()
    };
    for (text, expected) in [
        ("+12025550123", vec![("+12025550123", Certain)]),
        ("%2B12025550123", vec![("%2B12025550123", Certain)]),
        ("a%2C12025550123%20b", vec![("12025550123", Likely)]),
        ("%20202555012", vec![("202555012", Likely)]),
        ("call (202) 555-0123 now", vec![("202) 555-0123", Likely)]),
        ("2 0 2 5 5 5 0 1 2 3", vec![("2 0 2 5 5 5 0 1 2 3", Likely)]),
        ("press 1. For sales 2", vec![]),
        ("12345678ab", vec![("12345678", Word)]),
        ("caller_12025550123_of", vec![("12025550123", Word)]),
        ("+12025550123 1st", vec![("+12025550123", Certain)]),
        ("202 555 0123 1st", vec![("202 555 0123", Likely)]),
        ("B2 202 555 0123", vec![("202 555 0123", Likely)]),
        ("+12025550123 4", vec![("+12025550123", Certain)]),
        ("2025550123 2025550124", vec![("2025550123", Likely), ("2025550124", Likely)]),
        ("1 2025550123", vec![("1 2025550123", Likely)]),
        ("ä+12025550123ö", vec![("+12025550123", Certain)]),
        ("+1 202 555 0123, +1 202 555 0124", vec![("+1 202 555 0123", Likely), ("+1 202 555 0124", Likely)]),
        ("", vec![]),
        ("+", vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|(text, looks)| (text.to_owned(), looks)).collect();
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn a_known_number_is_found_among_whatever_stands_beside_it() {
    let redactor = redactor(RecordingSettings::default());
    let document = |text: &str| redactor.redact(&call(&[]), text, &mut []).document;
    let pseudonym = document(CALLER);
    let digits = pseudonym.trim_start_matches('+');
    for (before, after) in [
        ("", " 1a"),
        ("", " 1st, 2nd"),
        ("caller_", "_visits"),
        ("call-", "1732350000"),
        ("of=a%2C", "%20b"),
        ("2", " 2025550199"),
        ("A1 ", ""),
        ("id", "x"),
        ("", " 123456"),
    ] {
        let text = |number: &str| format!("{before}{number}{after}");
        assert_eq!(document(&text("12025550123")), text(digits));
        assert_eq!(document(&text("2025550123")), text(&digits[1..]));
    }
    for id in ["CA00000000000000000000000000000001", "hs=1.a12345678", "12345678ab"] {
        assert_eq!(document(id), id, "an id stays");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_redacted_without_a_fault_and_never_shows_the_caller(
        text in "(\\PC|[0-9a-f_ +%.-]){0,80}",
        at in 0usize..80,
        gap in "[ ,]?",
    ) {
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let document = format!("{} {CALLER}{gap}{}", &text[..at], &text[at..]);
        let redacted = redactor(RecordingSettings::default()).redact(&call(&[]), &document, &mut []);
        proptest::prop_assert!(!redacted.document.contains(CALLER));
    }
}

/// What is kept of an effect with this target and this body, while `webhook` is answered.
fn effect(redactor: &Redactor, webhook: &Webhook, target: &str, body: &str) -> (String, String) {
    let request = Request::new(Import::Http, "GET", target);
    let answer = serde_json::json!({ "Ok": { "status": 200, "body": body } });
    let mut effects = [Effect { request, answer }];
    let _ = redactor.redact(webhook, "", &mut effects);
    let [Effect { request, answer }] = effects;
    (request.target, answer["Ok"]["body"].as_str().unwrap().to_owned())
}

#[test]
fn bodies_go_by_the_rule_of_texts_and_keep_the_structure_that_handlers_read() {
    let masked = RecordingSettings::default();
    let kept = RecordingSettings { texts: Redaction::Keep, names: Redaction::Keep, ..masked };
    let digits = RecordingSettings { digits: Redaction::Mask, ..masked };
    // Rules, what came, what is kept; `*` is another digit.
    let cases: &[(&RecordingSettings, &str, &str)] = &[
        (&masked, "", ""),
        (&masked, "Dear Jane", "[text]"),
        (&masked, "41", "41"),
        (
            &masked,
            "{\"name\":\"Jane\",\"vip\":true,\"orders\":3}",
            "{\"name\":\"[text]\",\"orders\":3,\"vip\":true}",
        ),
        (&masked, "[\"a\",null,[1.5,\"\"]]", "[\"[text]\",null,[1.5,\"\"]]"),
        (&masked, "{\"phone\":\"+12025550177\"}", "{\"phone\":\"+1202*******\"}"),
        (&masked, "{\"phone\":12025550177}", "{\"phone\":1202*******}"),
        (&masked, "{\"2025550177\":\"x\"}", "{\"202*******\":\"[text]\"}"),
        (&digits, "{\"pin\":4711,\"code\":\"12\"}", "{\"code\":\"0\",\"pin\":0}"),
        (&kept, "Dear Jane, call 202-555-0177", "Dear Jane, call 202-***-****"),
        (&kept, "{\"name\":\"Jane\"}", "{\"name\":\"Jane\"}"),
        (&kept, "{\"access_token\":\"abc\",\"ttl\":3600}", "{\"access_token\":\"[secret]\",\"ttl\":3600}"),
    ];
    for (rules, came, expected) in cases {
        let (_, found) = effect(&redactor(**rules), &call(&[]), "https://crm.example.com/", came);
        let fits = found.len() == expected.len()
            && found
                .chars()
                .zip(expected.chars())
                .all(|(found, expected)| found == expected || expected == '*' && found.is_ascii_digit());
        assert!(fits, "{came}: {found} instead of {expected}");
        assert!(!expected.contains('*') || found != *came, "{came} is kept");
    }
}

#[test]
fn a_replay_asks_for_what_was_kept_and_makes_no_pseudonyms_of_pseudonyms() {
    let redactor = redactor(RecordingSettings::default());
    let target = |from: &str, said: &str| {
        let query = form(&[("from", from), ("said", said)]);
        format!("https://crm.example.com/people/{}?{query}", utf8_percent_encode(from, NON_ALPHANUMERIC))
    };
    let came = call(&[("SpeechResult", "the blue one")]);
    let (asked, answered) =
        effect(&redactor, &came, &target(CALLER, "the blue one"), "{\"agent\":\"+12025550177\"}");
    for gone in ["5550123", "blue", "5550177"] {
        assert!(!asked.contains(gone) && !answered.contains(gone), "{gone} in {asked} {answered}");
    }

    let Redacted { form, step, document } =
        redactor.redact(&came, "<Response><Dial>+12025550177</Dial></Response>", &mut []);
    let kept = webhook_of_form(Entry::Voice, &step, &form).unwrap();
    let Webhook::Voice(leg) = &kept else { panic!("it was a call") };
    let record = Effect {
        request: Request::new(Import::Http, "GET", asked.clone()),
        answer: serde_json::json!({ "Ok": { "status": 200, "body": answered } }),
    };
    let again = redactor.again(&kept, &[record]);
    let mut request = Request::new(Import::Http, "GET", target(&leg.from, "[text]"));
    again.request(&mut request);
    assert_eq!(request.target, asked);
    // The handler is given the agent's pseudonym, and dials it.
    let agent: serde_json::Value = serde_json::from_str(&answered).unwrap();
    let dialled = format!("<Response><Dial>{}</Dial></Response>", agent["agent"].as_str().unwrap());
    assert_eq!(again.document(&dialled), document);
}
