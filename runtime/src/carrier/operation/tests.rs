//! What is refused, and that links become addresses.

use super::*;

pub(crate) fn call() -> NewCall {
    NewCall {
        to: "+12025550100".into(),
        from: "+12025550199".into(),
        lead: Lead::Link("callback".into()),
        fallback: None,
        timeout_s: None,
        time_limit_s: None,
        send_digits: None,
        detect: None,
        recording: None,
        told: None,
        told_of: Vec::new(),
        reason: None,
    }
}

pub(crate) fn message() -> NewMessage {
    NewMessage {
        to: "+12025550100".into(),
        from: Sender::Number("+12025550199".into()),
        body: "Your table is ready.".into(),
        media: Vec::new(),
        told: None,
        validity_s: None,
    }
}

#[test]
fn what_the_carrier_would_refuse_is_named() {
    let id = |letters: &str| format!("{letters}{}", "0".repeat(32));
    let settings = || NumberSettings {
        name: None,
        voice: None,
        voice_fallback: None,
        sms: None,
        sms_fallback: None,
        status: None,
    };
    let with_voice = || NumberSettings { voice: Some("voice".into()), ..settings() };
    let with_sms = || NumberSettings { sms: Some("sms".into()), ..settings() };
    let search = || NumberSearch {
        country: "US".into(),
        kind: NumberKind::Local,
        area_code: None,
        contains: None,
        locality: None,
        region: None,
        postal_code: None,
        voice: true,
        sms: false,
        mms: false,
        most: 20,
    };
    let cases: Vec<(Operation, &str)> = vec![
        (Operation::Place(call()), ""),
        (Operation::Place(NewCall { to: String::new(), ..call() }), "to: \"\" is no address"),
        (Operation::Place(NewCall { to: "+1 202".into(), ..call() }), "to: "),
        (
            Operation::Place(NewCall { timeout_s: Some(601), ..call() }),
            "timeout-s: it is 601, expected 1 to 600",
        ),
        (Operation::Place(NewCall { send_digits: Some("1,2".into()), ..call() }), "send-digits: "),
        (Operation::Send(message()), ""),
        (
            Operation::Send(NewMessage { body: "x".repeat(1_601), ..message() }),
            "body: it has 1601 characters",
        ),
        (Operation::Send(NewMessage { body: String::new(), ..message() }), "body: it is empty"),
        (Operation::Send(NewMessage { media: vec!["a.png".into()], ..message() }), "media: "),
        (Operation::Send(NewMessage { from: Sender::Service("MGx".into()), ..message() }), "from: "),
        (Operation::Send(NewMessage { from: Sender::Service(id("MG")), ..message() }), ""),
        (Operation::Update(id("CA"), CallChange::Complete), ""),
        (Operation::Update("../Accounts".into(), CallChange::Complete), "id: "),
        (Operation::DeleteRecording(id("CA")), "expected RE and 32"),
        (Operation::FindNumber("12345".into()), "number: "),
        (
            Operation::Place(NewCall { told_of: vec![Progress::Ringing], ..call() }),
            "told-of: it names stages, and told has no link",
        ),
        (
            Operation::Place(NewCall {
                told: Some("status/x".into()),
                told_of: vec![Progress::Ringing],
                ..call()
            }),
            "",
        ),
        (Operation::BuyNumber("+12025550199".into(), settings()), ""),
        (Operation::ConfigureNumber("+12025550199".into(), settings()), "settings: none is set"),
        (Operation::ConfigureNumber("+12025550199".into(), with_voice()), ""),
        (
            Operation::ConfigureShortCode("22395".into(), with_voice()),
            "settings: none is set that a short code",
        ),
        (Operation::ConfigureShortCode("22395".into(), with_sms()), ""),
        (Operation::SearchNumbers(search()), ""),
        (Operation::SearchNumbers(NumberSearch { country: "U/".into(), ..search() }), "country: "),
        (Operation::SearchNumbers(NumberSearch { most: 0, ..search() }), "most: it is 0"),
    ];
    for (operation, expected) in cases {
        match operation.check() {
            Ok(()) => assert_eq!(expected, "", "{operation:?}"),
            Err(CarrierError::Invalid(why)) => {
                assert!(!expected.is_empty() && why.contains(expected), "{operation:?}: {why}");
            }
            Err(other) => panic!("{operation:?}: {other}"),
        }
    }
}

#[test]
fn every_link_of_a_call_becomes_an_address_and_a_long_document_is_refused() {
    let mut placed = Operation::Place(NewCall {
        told: Some("status/progress".into()),
        fallback: Some("sorry".into()),
        detect: Some(MachineDetection {
            until_greeting_ends: true,
            timeout_s: None,
            told: Some("status/machine".into()),
        }),
        recording: Some(CallRecording { dual: true, trim: false, told: Some("status/recording".into()) }),
        ..call()
    });
    let link = |text: &str, entry: Entry| Ok(format!("https://h/{}/{text}", entry.as_str()));
    placed.resolve(link, |text| Ok(text.into())).unwrap();
    let json = serde_json::to_string(&placed).unwrap();
    for text in ["callback", "status/progress", "sorry", "status/machine", "status/recording"] {
        assert!(json.contains(&format!("\"https://h/voice/{text}\"")), "{text}: {json}");
    }
    assert_eq!(serde_json::from_str::<Operation>(&json).unwrap(), placed);
    let mut inline = Operation::Place(NewCall { lead: Lead::Document("x".repeat(4_001)), ..call() });
    let refused = inline.resolve(link, |text| Ok(text.into())).unwrap_err();
    assert!(refused.to_string().contains("4001 characters"), "{refused}");
}
