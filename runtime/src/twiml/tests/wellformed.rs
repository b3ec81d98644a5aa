//! Which documents can be sent at all.

use std::borrow::Cow;

use serde::Deserialize;

use super::super::{DOCUMENT_BYTES_MAX, DocumentKind, Severity, Unusable, check, prepare};
use super::{LINKS, cases};

#[derive(Deserialize)]
struct Case {
    name: String,
    text: String,
    outcome: String,
    at: Option<(u32, u32)>,
    #[serde(default)]
    says: String,
}

fn variant(unusable: &Unusable) -> &'static str {
    match unusable {
        Unusable::Empty => "Empty",
        Unusable::TooLarge { .. } => "TooLarge",
        Unusable::NotWellFormed { .. } => "NotWellFormed",
        Unusable::WrongRoot { .. } => "WrongRoot",
        Unusable::Doctype => "Doctype",
        Unusable::Encoding { .. } => "Encoding",
        Unusable::XmlVersion { .. } => "XmlVersion",
        Unusable::TooDeep => "TooDeep",
    }
}

#[test]
fn documents_that_cannot_be_sent_are_refused_with_the_reason() {
    for case in cases::<Case>(include_str!("../../../../tests/cases/twiml/unusable.toml")) {
        let unusable = prepare(&case.text, DocumentKind::Voice, &LINKS).expect_err(&case.name);
        assert_eq!(variant(&unusable), case.outcome, "{}: {unusable}", case.name);
        assert!(unusable.to_string().contains(&case.says), "{}: {unusable}", case.name);
        if let Unusable::NotWellFormed { line, column, .. } = unusable {
            assert_eq!(Some((line, column)), case.at.or(Some((line, column))), "{}: {unusable}", case.name);
        }
        // People see the same, as an error in the same place.
        let problems = check(case.text.as_bytes(), None);
        let last = problems.last().unwrap();
        assert_eq!(
            (last.severity, last.code),
            (Severity::Error, unusable.code()),
            "{}: {problems:?}",
            case.name
        );
        if let Some(at) = case.at {
            assert_eq!((last.line, last.column), at, "{}: {problems:?}", case.name);
        }
        assert!(last.message.contains(&case.says), "{}: {problems:?}", case.name);
    }
}

#[test]
fn every_way_to_be_unusable_has_a_case() {
    let here = ["TooLarge", "TooDeep"]; // below; too long to be written down
    let listed = cases::<Case>(include_str!("../../../../tests/cases/twiml/unusable.toml"));
    for outcome in
        ["Empty", "NotWellFormed", "WrongRoot", "Doctype", "Encoding", "XmlVersion"].iter().chain(&here)
    {
        assert!(here.contains(outcome) || listed.iter().any(|case| case.outcome == **outcome), "{outcome}");
    }
}

#[test]
fn what_xml_allows_passes_through_as_it_stands() {
    #[derive(Deserialize)]
    struct File {
        documents: Vec<String>,
    }
    let file: File = toml::from_str(include_str!("../../../../tests/cases/twiml/wellformed.toml")).unwrap();
    for text in file.documents {
        let prepared =
            prepare(&text, DocumentKind::Voice, &LINKS).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert!(matches!(prepared.text, Cow::Borrowed(same) if same == text), "{text:?}: {}", prepared.text);
        assert_eq!(prepared.warnings, [], "{text:?}");
        assert_eq!(check(text.as_bytes(), None), [], "{text:?}");
    }
}

#[test]
fn a_document_may_have_64_kib_and_not_one_byte_more() {
    let of_size = |size: usize| {
        let (start, end) = ("<Response><!--", "--></Response>");
        format!("{start}{}{end}", "x".repeat(size - start.len() - end.len()))
    };
    assert!(prepare(&of_size(DOCUMENT_BYTES_MAX), DocumentKind::Voice, &LINKS).is_ok());
    let over = prepare(&of_size(DOCUMENT_BYTES_MAX + 1), DocumentKind::Voice, &LINKS).unwrap_err();
    assert_eq!(over, Unusable::TooLarge { bytes: DOCUMENT_BYTES_MAX + 1 });
    let problems = check(of_size(DOCUMENT_BYTES_MAX + 1).as_bytes(), None);
    assert_eq!((problems[0].severity, problems[0].code), (Severity::Error, Some(11750)));
}

#[test]
fn links_count_as_they_are_sent() {
    let text = |plays: usize| format!("<Response>{}</Response>", "<Play>a</Play>".repeat(plays));
    let one = prepare(&text(1), DocumentKind::Voice, &LINKS).unwrap().text.len() - text(0).len();
    let most = (DOCUMENT_BYTES_MAX - text(0).len()) / one;
    assert!(prepare(&text(most), DocumentKind::Voice, &LINKS).is_ok());
    let over = prepare(&text(most + 1), DocumentKind::Voice, &LINKS).unwrap_err();
    assert_eq!(over, Unusable::TooLarge { bytes: text(0).len() + (most + 1) * one });
}

#[test]
fn elements_may_be_64_deep_and_no_deeper() {
    let deep = |depth: usize| {
        let inside = depth - 2;
        format!(
            "<Response><Say>{}a{}</Say></Response>",
            "<emphasis>".repeat(inside),
            "</emphasis>".repeat(inside)
        )
    };
    assert_eq!(prepare(&deep(64), DocumentKind::Voice, &LINKS).unwrap().warnings, []);
    assert_eq!(prepare(&deep(65), DocumentKind::Voice, &LINKS).unwrap_err(), Unusable::TooDeep);
    assert_eq!(
        prepare(&"<Response>".repeat(6000), DocumentKind::Voice, &LINKS).unwrap_err(),
        Unusable::TooDeep
    );
}

#[test]
fn other_encodings_are_named() {
    let utf_16: Vec<u8> =
        [0xFEFF_u16].into_iter().chain("<Response/>".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let latin_1 = b"<Response>\n<Say>caf\xE9</Say></Response>";
    for (bytes, says, at) in [(utf_16.as_slice(), "UTF-16", (1, 1)), (latin_1.as_slice(), "no UTF-8", (2, 9))]
    {
        let problems = check(bytes, None);
        assert_eq!(
            (problems[0].severity, problems[0].line, problems[0].column),
            (Severity::Error, at.0, at.1)
        );
        assert!(problems[0].message.contains(says), "{problems:?}");
    }
}

#[test]
fn attributes_given_twice_are_found_however_many_there_are() {
    let many: String = (0..5000).map(|number| format!(" a{number}=''")).collect();
    let twice = format!("<Response{many} a4999=''/>");
    assert!(prepare(&format!("<Response{many}/>"), DocumentKind::Voice, &LINKS).is_ok());
    let refused = prepare(&twice, DocumentKind::Voice, &LINKS).unwrap_err();
    assert!(refused.to_string().contains("`a4999` is given twice"), "{refused}");
}
