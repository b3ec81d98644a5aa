//! Pages come and go, and what is saved of a call passes as its test. The rest is tested in a browser.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tokio::sync::{mpsc, watch};
use url::Url;

use super::Page;
use super::desk::{About, Conversation, Desk, Full};
use super::item::{Happened, ToPage};
use super::person::Person;
use super::save;
use crate::carrier::twilio::signature::AuthToken;
use crate::config::Config;
use crate::dev::board::Board;
use crate::host::Host;
use crate::phone::call::{CallSettings, call};
use crate::phone::line::{Line, LineError, Outgoing, Reply};
use crate::phone::script::try_script;
use crate::phone::{Account, Act, End, Faults, Ids, OptOuts, Outcome, Target, Until};
use crate::pin::PinKey;
use crate::twiml::DocumentKind;

const BASE: &str = "http://127.0.0.1:8080/dev/ivr/";

fn account() -> Account {
    Account { sid: "AC00000000000000000000000000000001".into(), token: AuthToken::new("secret").unwrap() }
}

fn desk() -> Arc<Desk> {
    let host = Host::new(&Config::default(), PinKey::random().unwrap()).unwrap();
    let page = Page {
        host,
        board: Board::default(),
        account: account(),
        opt_outs: OptOuts::default(),
        base: Url::parse("http://127.0.0.1:8080").unwrap(),
        data_plane: "127.0.0.1:8080".parse().unwrap(),
        address: "127.0.0.1:8081".parse().unwrap(),
    };
    Desk::new(page, watch::Sender::new(false).subscribe())
}

fn about(id: &str) -> Arc<About> {
    let ends = ("+12025550177".to_owned(), "+12025550199".to_owned());
    About::new(id.into(), "ivr".into(), ends, faults(), DocumentKind::Voice, false)
}

fn faults() -> Faults {
    Faults { timeout_at: Some(70), bad_signature_at: Some(2), ..Faults::default() }
}

/// Answers each path with a document of its own.
struct Pages(&'static [(&'static str, &'static str)]);

impl Line for Pages {
    async fn send(&self, request: Outgoing) -> Result<Reply, LineError> {
        let found = self.0.iter().find(|(path, _)| request.url.path().ends_with(path));
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("text/xml"));
        let (status, body) = match found {
            Some((_, "trap")) => {
                headers.insert("x-hookswitch-error", HeaderValue::from_static("HS202"));
                (200, "<Response><Say>Sorry.</Say><Redirect>voice/last</Redirect></Response>".to_owned())
            }
            Some((_, inside)) => (200, format!("<Response>{inside}</Response>")),
            None => (404, String::new()),
        };
        Ok(Reply { status, headers, body: Bytes::from(body), took: Duration::ZERO })
    }
}

fn settings() -> CallSettings {
    CallSettings {
        from: "+12025550177".into(),
        to: "+12025550199".into(),
        voice: Target::post(Url::parse(BASE).unwrap().join("voice").unwrap()),
        fallback: None,
        status_callback: None,
        status_events: Vec::new(),
        outbound: None,
        params: Vec::new(),
        began_unix_ms: 0,
    }
}

#[tokio::test]
async fn pages_and_calls_are_bounded_and_end_with_their_page() {
    let desk = desk();
    let mut open: Vec<_> = (0..8).map(|n| desk.open(n.to_string()).expect("there is room")).collect();
    assert!(matches!(desk.open("one more".into()), Err(Full::Pages)));
    let talk = |n: usize| {
        let (inputs, received) = mpsc::channel(1);
        let conversation =
            Conversation { about: about(&format!("call {n}")), inputs: Some(inputs), texting: None };
        (desk.begin("0", conversation), received)
    };
    let mut calls: Vec<_> = (0..8).map(talk).collect();
    assert!(calls.iter().all(|(begun, _)| begun.is_ok()));
    assert!(matches!(talk(8).0, Err(Full::Calls)));
    // One that is over makes room.
    desk.conversation("call 3").unwrap().about.kept().over = true;
    calls.push(talk(9));
    let (begun, received) = &mut calls[8];
    let teller = begun.as_ref().unwrap();
    assert!(desk.conversation("call 9").is_some());
    drop(open.remove(0));
    assert!(desk.conversation("call 9").is_none());
    assert_eq!(received.recv().await, None, "nobody listens to whoever is on the line");
    assert!(teller.tell(Happened::Live).await.is_err(), "a closed page is told nothing");
    assert!(desk.open("one more".into()).is_ok());
}

#[tokio::test]
async fn a_call_that_was_saved_passes_as_its_test() {
    const PAGES: Pages = Pages(&[
        ("/voice", "<Gather action='voice/menu'><Say>Press \"1\".</Say></Gather><Redirect>voice</Redirect>"),
        (
            "/menu",
            "<Dial action='voice/after'><Number>+12025550123</Number><Number>+12025550124</Number></Dial>",
        ),
        ("/after", "<Play>/music.mp3</Play><Record action='voice/bad'/>"),
        ("/bad", "trap"),
        ("/last", "<Gather input='speech' action='voice/end'/>"),
        ("/end", "<Sms>See you</Sms><Say>Goodbye.</Say><Hangup/>"),
    ]);
    let acts = [
        Act::Nothing,
        Act::Press { keys: "1#".into(), after_ms: Some(900) },
        Act::Comes(Outcome::Busy),
        Act::Comes(Outcome::Answered { seconds: 7, until: Until::Called, machine: true }),
        Act::Record { seconds: 4, text: "It's \"me\"\\".into(), end: End::Key('#') },
        Act::Say { text: "bye".into(), confidence: 0.5, after_ms: Some(100) },
    ];
    let desk = desk();
    let mut place = desk.open("page".into()).unwrap();
    let (inputs, received) = mpsc::channel(1);
    let conversation = Conversation { about: about("call"), inputs: Some(inputs), texting: None };
    let teller = desk.begin("page", conversation).unwrap();
    let again = Some(VecDeque::from(acts));
    let mut person = Person::new(Arc::clone(&desk), teller, received, again, false);
    let settings = settings();
    let read = async {
        let mut live = false;
        while let Some(told) = place.unread.recv().await {
            let ToPage::Item(item) = told else { continue };
            live |= matches!(item.what, Happened::Live);
            if serde_json::to_string(&item).unwrap().contains("\"kind\":\"ended\"") {
                return live;
            }
        }
        false
    };
    let conducted = call(PAGES, account(), Ids::new(1), faults(), &settings, &mut person);
    let (_, live) = tokio::join!(conducted, read);
    assert!(live, "when all is done again, it is the person's turn");

    let text = save::text(&desk.conversation("call").unwrap().about, "saved");
    let base = Url::parse(BASE).unwrap();
    let tried =
        try_script(&PAGES, account(), &base, &text).await.unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(tried.failure.is_none(), "{:?}\n{text}", tried.failure);
    for step in [
        "silence = true",
        "press = \"1#\"",
        "dial = \"busy\"",
        "dial = \"machine\", seconds = 7",
        "record = 4, key = \"#\"",
        "error = \"HS202\"",
        "say = \"bye\"",
        "sent = \"See you\", to = \"+12025550177\"",
        "ends = \"handler\"",
        // Of the faults that were asked for, the one that came.
        "faults = { bad_signature_at = 2 }",
    ] {
        assert!(text.contains(step), "{step} is missing in\n{text}");
    }
    // It expects what was heard: another handler does not pass.
    const OTHER: Pages = Pages(&[("/voice", "<Gather action='voice/menu'><Say>Press 2.</Say></Gather>")]);
    assert!(try_script(&OTHER, account(), &base, &text).await.unwrap().failure.is_some());
}

#[test]
fn a_page_calls_from_whom_the_terminal_calls_from() {
    for (text, good) in [("+12025550177", true), (" client:ada ", true), ("banana", false), ("", false)] {
        let found = super::api::address("from", text);
        assert_eq!(found.is_ok(), good, "{text:?}: {found:?}");
    }
    assert!(super::api::address("from", &format!("client:{}", "a".repeat(300))).is_err());
}
