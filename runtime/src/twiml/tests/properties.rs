//! What holds for every document, however odd.

use proptest::prelude::*;

use super::super::{DocumentKind, Links, Unusable, check, prepare};
use super::LINKS;

/// Pieces that documents are made of, right and wrong.
const PIECES: &[&str] = &[
    "<Response>",
    "</Response>",
    "<Response/>",
    "<Say>",
    "</Say>",
    "<Gather action='menu'>",
    "<Gather ",
    "</Gather>",
    "<Redirect>",
    "</Redirect>",
    "<Play>",
    "</Play>",
    "<Sya/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<?xml version='1.0'?>",
    "&amp;",
    "&#x41;",
    "&#0;",
    "&nbsp;",
    "&",
    "<",
    ">",
    "'",
    "\"",
    "=",
    "/",
    " ",
    "\n",
    "\u{feff}",
    "\0",
    "é",
    "\u{ffff}",
    "menu",
    "../x",
    "?a=1&amp;hs=2",
    "#rc=3",
    "%2e",
    "http://",
    " action=\"a b\"",
    " x='1'",
    "<!DOCTYPE",
    "]",
    "-",
];

fn any_kind() -> impl Strategy<Value = DocumentKind> {
    prop::sample::select(&DocumentKind::ALL[..])
}

/// A document of links that `prepare` takes.
fn with_link(link: &str) -> String {
    let escaped =
        link.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;").replace('>', "&gt;");
    format!("<Response><Gather action='{escaped}'/><Redirect>{escaped}</Redirect></Response>")
}

/// Characters that XML can hold.
fn text() -> impl Strategy<Value = String> {
    "[\\t\\n\\r -\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{0,60}"
}

/// What reads as XML for somebody else, too, and the text of its only `Say`.
fn said(document: &str) -> String {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(document);
    let mut said = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Text(text) => said.push_str(&text),
            Event::GeneralRef(reference) => {
                said.push_str(&match reference.resolve_char_ref().unwrap() {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&reference).unwrap().to_owned(),
                });
            }
            Event::Eof => return said,
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in any_kind()) {
        let _ = check(&bytes, None);
        let _ = prepare(&String::from_utf8_lossy(&bytes), kind, &LINKS);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), kind in any_kind()) {
        let _ = check(text.as_bytes(), Some(kind));
        let _ = prepare(&format!("<Response><Say>{text}</Say></Response>"), kind, &LINKS);
        let _ = prepare(&format!("<Response><Play>{text}</Play></Response>"), kind, &LINKS);
    }

    #[test]
    fn what_is_prepared_can_be_prepared_again(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30), kind in any_kind()) {
        for text in [pieces.concat(), format!("<Response>{}</Response>", pieces.concat())] {
            if let Ok(prepared) = prepare(&text, kind, &LINKS) {
                let again = prepare(&prepared.text, kind, &LINKS).unwrap();
                prop_assert_eq!(&again.text, &prepared.text);
                let _ = said(&prepared.text);
            }
        }
    }

    #[test]
    fn any_link_is_rewritten_once_and_for_all(link in text()) {
        let written = with_link(&link);
        let prepared = prepare(&written, DocumentKind::Voice, &LINKS).unwrap();
        let again = prepare(&prepared.text, DocumentKind::Voice, &LINKS).unwrap();
        prop_assert_eq!(&again.text, &prepared.text);
        // Under another pin it leads to the same place.
        let other = Links { pin: "8.xyz", ..LINKS };
        let moved = prepare(&prepared.text, DocumentKind::Voice, &other).unwrap();
        let direct = prepare(&written, DocumentKind::Voice, &other).unwrap();
        prop_assert_eq!(moved.text, direct.text);
    }

    #[test]
    fn a_rewritten_link_stays_inside_the_handler(link in "[a-z./%2eE?#:&=\\\\ é]{0,20}") {
        let written = with_link(&link);
        let prepared = prepare(&written, DocumentKind::Voice, &LINKS).unwrap();
        let action = prepared.text.split('\'').nth(1).unwrap().to_owned();
        if action.contains("hs=7.abc") {
            let path = action.split(['?', '#']).next().unwrap();
            prop_assert!(path.starts_with("/acme/desk/"), "{}", action);
            prop_assert!(path.split('/').skip(1).all(|segment| !matches!(segment, "" | "." | "..")), "{}", action);
            prop_assert!(action.is_ascii() && !action.contains(['\\', ' ', '<', '>', '"']), "{}", action);
            prop_assert!(!path.to_lowercase().contains("%2f"), "{}", action);
        }
    }

    #[test]
    fn any_text_survives(text in text()) {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace("]]>", "]]&gt;");
        let document = format!("<Response><Say>{escaped}</Say></Response>");
        let prepared = prepare(&document, DocumentKind::Voice, &LINKS).unwrap();
        prop_assert_eq!(&prepared.text, &document);
        prop_assert_eq!(said(&prepared.text).replace("\r\n", "\n").replace('\r', "\n"), text.replace("\r\n", "\n").replace('\r', "\n"));
    }

    #[test]
    fn characters_that_xml_forbids_are_found_wherever_they_are(before in text(), after in text(), odd in prop::sample::select(&['\0', '\u{1}', '\u{8}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'][..])) {
        let clean = |text: &str| text.replace(['&', '<', '\'', ']', '-', '?', '>'], " ");
        let inside = format!("{}{odd}{}", clean(&before), clean(&after));
        for text in [
            format!("<Response><Say>{inside}</Say></Response>"),
            format!("<Response><Say voice='{inside}'/></Response>"),
            format!("<Response><!--{inside}--></Response>"),
            format!("<Response><Say><![CDATA[{inside}]]></Say></Response>"),
            format!("<Response><?a {inside}?></Response>"),
        ] {
            let refused = prepare(&text, DocumentKind::Voice, &LINKS).unwrap_err();
            let not_well_formed = matches!(refused, Unusable::NotWellFormed { .. });
            prop_assert!(not_well_formed, "{:?}", text);
        }
    }
}
