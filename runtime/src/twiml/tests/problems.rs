//! What the carrier would complain about.

use serde::Deserialize;

use super::super::{DocumentKind, Problem, check, prepare};
use super::{LINKS, cases, kind};

#[derive(Deserialize)]
struct Case {
    name: String,
    kind: Option<String>,
    text: String,
    problems: Vec<String>,
}

/// `LINE:COLUMN severity code element: message`.
fn written(problem: &Problem) -> String {
    let Problem { line, column, severity, element, code, message, .. } = problem;
    let code = code.map_or("-".to_owned(), |code| code.to_string());
    format!("{line}:{column} {} {code} {element}: {message}", severity.word())
}

#[test]
fn problems_are_found_in_their_places_and_explained() {
    for case in cases::<Case>(include_str!("../../../../tests/cases/twiml/problems.toml")) {
        let kind = kind(case.kind.as_deref());
        let found = prepare(&case.text, kind, &LINKS).unwrap().warnings;
        let shown: Vec<String> = found.iter().map(written).collect();
        assert_eq!(found.len(), case.problems.len(), "{}: {shown:#?}", case.name);
        for (found, expected) in shown.iter().zip(&case.problems) {
            let (place, message) = expected.split_once(": ").unwrap();
            let fits = found.strip_prefix(place).and_then(|rest| rest.strip_prefix(": "));
            assert!(
                fits.is_some_and(|words| words.contains(message)),
                "{}: {found} but expected {expected}",
                case.name
            );
        }
        assert_eq!(check(case.text.as_bytes(), Some(kind)), found, "{}: people see the same", case.name);
    }
}

#[test]
fn the_kind_of_document_is_found_by_what_is_in_it() {
    for (text, problems) in [
        ("<Response><Message to='x' from='y' metod='GET'>hello</Message></Response>", 1),
        ("<Response><Message>a</Message><Redirect>b</Redirect></Response>", 0),
        ("<Response><Redirect>b</Redirect></Response>", 0),
        ("<Response><Receive action='a'/></Response>", 0),
        ("<Response><Say colour='red'>a</Say></Response>", 1),
        ("<Response/>", 0),
    ] {
        let found = check(text.as_bytes(), None);
        assert_eq!(found.len(), problems, "{text}: {found:?}");
    }
}

#[test]
fn strict_mode_refuses_only_what_is_wrong_for_sure() {
    for (text, refused) in [
        ("<Response><Say voice='Polly.Nobody'>a</Say></Response>", false),
        ("<Response><Sms>a</Sms></Response>", false),
        ("<Response><Hangup/><Say>a</Say></Response>", false),
        ("<Response><Say loop='x'>a</Say></Response>", true),
        ("<Response><Redirect>../../x</Redirect></Response>", true),
    ] {
        let prepared = prepare(text, DocumentKind::Voice, &LINKS).unwrap();
        assert_eq!((prepared.outside_grammar().is_some(), prepared.warnings.len()), (refused, 1), "{text}");
    }
}

#[test]
fn a_say_holds_4096_characters_whatever_they_are_written_as() {
    let say = |inside: &str| {
        let text = format!("<Response><Say>{inside}</Say></Response>");
        prepare(&text, DocumentKind::Voice, &LINKS).unwrap().warnings.first().and_then(|problem| problem.code)
    };
    assert_eq!(say(&"€".repeat(4096)), None);
    assert_eq!(say(&"&amp;".repeat(4096)), None);
    assert_eq!(say(&format!("<s>{}</s><!-- not said -->", "a".repeat(4096))), None);
    assert_eq!(say(&"€".repeat(4097)), Some(13521));
    assert_eq!(say(&format!("<p>{}</p><s>a</s>", "a".repeat(4096))), Some(13521));
    assert_eq!(say(&format!("<![CDATA[{}]]>", "<".repeat(4097))), Some(13521));
}

#[test]
fn a_message_holds_1600_characters() {
    let message = |length: usize| {
        let text = format!("<Response><Message><Body>{}</Body></Message></Response>", "ß".repeat(length));
        prepare(&text, DocumentKind::Messaging, &LINKS)
            .unwrap()
            .warnings
            .first()
            .and_then(|problem| problem.code)
    };
    assert_eq!((message(1600), message(1601)), (None, Some(14103)));
}

#[test]
fn a_flood_of_problems_is_told_as_a_hundred() {
    let text = format!("<Response>{}</Response>", "<Sya/>".repeat(5000));
    let found = prepare(&text, DocumentKind::Voice, &LINKS).unwrap().warnings;
    assert_eq!(found.len(), 101);
    assert!(found[100].message.contains("4900 more"), "{:?}", found[100]);
    let lengths: usize = found.iter().map(|problem| problem.message.len()).sum();
    assert!(lengths < 64 * 1024, "{lengths}");
}

#[test]
fn what_a_guest_wrote_is_cut_and_cleaned_in_messages() {
    let text = format!("<Response><Say voice='{}'>a</Say></Response>", "x&#10;".repeat(5000));
    let found = prepare(&text, DocumentKind::Voice, &LINKS).unwrap().warnings;
    assert!(found[0].message.len() < 1000 && !found[0].message.contains('\n'), "{}", found[0].message);
}

#[test]
fn messages_stay_short_however_long_the_names_are() {
    let name = "x".repeat(20_000);
    for text in [
        format!("<{name}/>"),
        format!("<?xml version='{name}'?><Response/>"),
        format!("<Response><{name}>"),
        format!("<Response><{name}></Response>"),
        format!("<Response {name}='1' {name}='2'/>"),
        format!("<Response>&{name};</Response>"),
    ] {
        let refused = prepare(&text, DocumentKind::Voice, &LINKS).unwrap_err().to_string();
        assert!(refused.len() < 600, "{refused}");
    }
    let odd = format!("<Response><{name}/><Say {name}=''/><Play>{name}:</Play></Response>");
    for problem in prepare(&odd, DocumentKind::Voice, &LINKS).unwrap().warnings {
        assert!(problem.message.len() + problem.element.len() < 1200, "{problem:?}");
    }
}
