//! Where links lead.

use serde::Deserialize;

use super::super::{DocumentKind, Links, prepare};
use super::{LINKS, cases, kind};

#[derive(Deserialize)]
struct Case {
    written: String,
    kind: Option<String>,
    becomes: Option<String>,
    problem: Option<String>,
}

#[test]
fn links_lead_to_the_handler_under_its_pin() {
    for case in cases::<Case>(include_str!("../../../../tests/cases/twiml/links.toml")) {
        let kind = kind(case.kind.as_deref());
        // Each kind of document has a place for a link as text and as an attribute.
        let document = |link: &str| match kind {
            DocumentKind::Voice => {
                format!("<Response><Gather action=\"{link}\"/><Redirect>{link}</Redirect></Response>")
            }
            DocumentKind::Messaging => format!(
                "<Response><Message action='{link}'>a</Message><Redirect>{link}</Redirect></Response>"
            ),
            DocumentKind::Fax => format!("<Response><Receive action=\"{link}\"/></Response>"),
        };
        let written = document(&case.written);
        let prepared = prepare(&written, kind, &LINKS).unwrap();
        let expected = case.becomes.as_deref().map_or(written.clone(), |becomes| {
            // White space around a text stays where it is; that around a value goes.
            let text_link = format!("<Redirect>{}", case.written);
            document(becomes)
                .replace(&format!("<Redirect>{becomes}"), &text_link.replace(case.written.trim(), becomes))
        });
        assert_eq!(prepared.text, expected, "{:?}", case.written);
        let told =
            |part: &str| prepared.warnings.iter().filter(|problem| problem.message.contains(part)).count();
        match &case.problem {
            Some(problem) => assert_eq!(told(problem), 2, "{:?}: {:?}", case.written, prepared.warnings),
            None => assert_eq!(prepared.warnings, [], "{:?}", case.written),
        }
    }
}

#[test]
fn only_what_the_grammar_calls_a_link_is_rewritten() {
    let text = "<?xml version=\"1.0\"?>\n<!-- menu -->\n<Response>\n  <Say>menu</Say>\n  <Gather hints='menu'   action = 'menu' ><Play>web/a.mp3</Play></Gather>\n  \
                <Dial><Conference waitUrl=''>menu</Conference></Dial>\n  <Sya action='menu'/><Start><Stream url='menu'/></Start>\n</Response>\n";
    let prepared = prepare(text, DocumentKind::Voice, &LINKS).unwrap();
    let expected = text
        .replace("action = 'menu'", "action = '/acme/desk/voice/menu?hs=7.abc'")
        .replace("web/a.mp3", "/acme/desk/web/a.mp3?hs=7.abc");
    assert_eq!(prepared.text, expected);
}

#[test]
fn a_link_in_pieces_is_put_together() {
    let text = "<Response><Redirect>\n <![CDATA[menu?a=1&b]]>=<!-- which? -->2 \n</Redirect></Response>";
    let prepared = prepare(text, DocumentKind::Voice, &LINKS).unwrap();
    let expected =
        "<Response><Redirect>\n /acme/desk/voice/menu?a=1&amp;b=2&amp;hs=7.abc \n</Redirect></Response>";
    assert_eq!(prepared.text, expected);
}

#[test]
fn a_link_with_elements_inside_is_left_alone() {
    let text = "<Response><Redirect>menu<Say>a</Say></Redirect><Play>a<Sya/></Play></Response>";
    assert_eq!(prepare(text, DocumentKind::Voice, &LINKS).unwrap().text, text);
}

#[test]
fn the_current_step_is_written_as_a_path_holds_it() {
    for (step, path) in
        [("", ""), ("menu", "/menu"), ("caf\u{e9} 100%?#/a&b", "/caf%C3%A9%20100%25%3F%23/a%26b")]
    {
        let links = Links { step, ..LINKS };
        let prepared =
            prepare("<Response><Redirect>?x=1</Redirect></Response>", DocumentKind::Voice, &links).unwrap();
        let expected =
            format!("<Response><Redirect>/acme/desk/voice{path}?x=1&amp;hs=7.abc</Redirect></Response>");
        assert_eq!(prepared.text, expected, "{step:?}");
    }
}

#[test]
fn a_link_that_outlives_calls_has_no_pin() {
    let links = Links { pin: "", ..LINKS };
    for (link, address) in [
        ("voice", "/acme/desk/voice"),
        ("menu?lang=de&hs=6.old#rc=3", "/acme/desk/voice/menu?lang=de#rc=3"),
        ("sms?hs=6.old", "/acme/desk/sms"),
        ("https://calls.example.com/voice", "https://calls.example.com/voice"),
    ] {
        assert_eq!(links.address(link, "voice").as_deref(), Ok(address));
    }
}
