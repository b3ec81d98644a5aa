//! The behaviour of the platform, case by case: `tests/cases/phone/*.toml`, each with the section of `spec/webhooks.md`
//! that it is taken from.
//!
//! A case has pages (what a host would answer), a script of the person on the line, and the webhooks that the carrier has
//! to send, in their order. Every webhook's signature is checked with the host's own check.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use url::Url;

use super::call::{CallSettings, call};
use super::line::{Line, LineError, Outgoing, Reply};
use super::script::{Tried, try_script};
use super::{Account, Act, Event, Faults, Ids, Leg, Party, Presence, Question, Target, What};
use crate::carrier::twilio::Request;
use crate::carrier::twilio::signature::{AuthToken, Keys};

mod live;

const BASE: &str = "http://phone.test/";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Section of `spec/webhooks.md`.
    fact: String,
    name: String,
    pages: BTreeMap<String, Pages>,
    call: Option<toml::Table>,
    messages: Option<toml::Table>,
    /// `POST /menu Digits=12 !SpeechResult`, values percent-encoded; a value that ends in `…` is a beginning.
    webhooks: Vec<String>,
    /// Codes of the carrier that are noted, in their order.
    #[serde(default)]
    notes: Vec<u16>,
    /// What is heard: verb, then text.
    heard: Option<Vec<String>>,
    /// How it ends, and with which status.
    ended: Option<String>,
    /// How long it lasts, in seconds of its own time.
    lasts_s: Option<u64>,
}

/// What a path answers: one page always, or one after the other, the last of them from then on.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Pages {
    One(Page),
    InTurn(Vec<Page>),
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum Page {
    /// What is inside `<Response>`.
    Document(String),
    Answer(Answer),
}

#[derive(Deserialize, Clone, Default)]
#[serde(deny_unknown_fields, default)]
struct Answer {
    status: Option<u16>,
    content_type: Option<String>,
    body: String,
    /// The body, so many times.
    times: Option<usize>,
    location: Option<String>,
    cookie: Option<String>,
    chunked: bool,
    /// No answer: `refused`, `name`, `connect`, `read`, `tls`.
    fails: Option<String>,
}

/// Answers from pages, and writes down what was asked.
struct Pretend {
    pages: BTreeMap<String, Pages>,
    keys: Keys,
    seen: Mutex<Vec<Seen>>,
    turns: Mutex<HashMap<String, usize>>,
}

struct Seen {
    method: String,
    path: String,
    params: Vec<(String, String)>,
    cookie: String,
    authorization: String,
    token: String,
    signed: bool,
}

impl Line for Pretend {
    async fn send(&self, request: Outgoing) -> Result<Reply, LineError> {
        let read =
            Request::read(&request.method, request.url.as_str(), &request.headers, &request.body).unwrap();
        let header = |name: &str| {
            request.headers.get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned())
        };
        let query = request.url.query_pairs().map(|(n, v)| (n.into_owned(), v.into_owned()));
        let form = form_urlencoded::parse(&request.body).map(|(n, v)| (n.into_owned(), v.into_owned()));
        let path = request.url.path().to_owned();
        self.seen.lock().unwrap().push(Seen {
            method: request.method.to_string(),
            path: path.clone(),
            params: query.chain(form).collect(),
            cookie: header("cookie"),
            authorization: header("authorization"),
            token: header("i-twilio-idempotency-token"),
            signed: read.verify(&self.keys).is_ok(),
        });
        let page = match self.pages.get(&path) {
            None => Page::Answer(Answer { status: Some(404), ..Answer::default() }),
            Some(Pages::One(page)) => page.clone(),
            Some(Pages::InTurn(pages)) => {
                let mut turns = self.turns.lock().unwrap();
                let turn = turns.entry(path).or_default();
                *turn += 1;
                pages[(*turn - 1).min(pages.len() - 1)].clone()
            }
        };
        page.reply()
    }
}

impl Page {
    fn reply(self) -> Result<Reply, LineError> {
        let answer = match self {
            Self::Document(inside) => Answer {
                content_type: Some("text/xml".into()),
                body: format!("<Response>{inside}</Response>"),
                ..Answer::default()
            },
            Self::Answer(answer) => answer,
        };
        match answer.fails.as_deref() {
            None => {}
            Some("refused") => return Err(LineError::Refused("on purpose".into())),
            Some("name") => return Err(LineError::Name("on purpose".into())),
            Some("connect") => return Err(LineError::ConnectTimeout(5_000)),
            Some("read") => return Err(LineError::ReadTimeout(15_000)),
            Some("tls") => return Err(LineError::Tls("on purpose".into())),
            Some(other) => panic!("no such failure: {other}"),
        }
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: Option<String>| {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        };
        put("content-type", answer.content_type);
        put("location", answer.location);
        put("set-cookie", answer.cookie);
        put("transfer-encoding", answer.chunked.then(|| "chunked".into()));
        let body = Bytes::from(answer.body.repeat(answer.times.unwrap_or(1)));
        Ok(Reply { status: answer.status.unwrap_or(200), headers, body, took: Duration::ZERO })
    }
}

fn played(case: &Case) -> (Tried, Vec<Seen>) {
    let (kind, script) = match (&case.call, &case.messages) {
        (Some(call), None) => ("call", call),
        (None, Some(messages)) => ("messages", messages),
        _ => panic!("{}: one of `call` and `messages`", case.name),
    };
    let mut script = script.clone();
    script.insert("name".into(), case.name.clone().into());
    let mut file = toml::Table::new();
    file.insert(kind.into(), vec![toml::Value::Table(script)].into());
    let token = AuthToken::new(TOKEN).unwrap();
    let line = Pretend {
        pages: case.pages.clone(),
        keys: Keys { tokens: vec![token.clone()], shared: Vec::new() },
        seen: Mutex::default(),
        turns: Mutex::default(),
    };
    let account = Account { sid: "AC00000000000000000000000000000001".into(), token };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let base = Url::parse(BASE).unwrap();
    let text = toml::to_string(&file).unwrap();
    let tried = runtime
        .block_on(try_script(&line, account, &base, &text))
        .unwrap_or_else(|error| panic!("{}: {error}", case.name));
    (tried, line.seen.into_inner().unwrap())
}

/// Why `seen` is not what `expected` says.
fn differs(expected: &str, seen: &Seen) -> Option<String> {
    let mut parts = expected.split(' ');
    let (method, path) = (parts.next().unwrap(), parts.next().unwrap());
    if (method, path) != (&*seen.method, &*seen.path) {
        return Some(format!("{} {}", seen.method, seen.path));
    }
    for part in parts {
        if let Some(absent) = part.strip_prefix('!') {
            if seen.params.iter().any(|(name, _)| name == absent) {
                return Some(format!("{absent} is there"));
            }
            continue;
        }
        let (name, value) = part.split_once('=').unwrap_or_else(|| panic!("{part:?} in {expected:?}"));
        let wanted = percent_encoding::percent_decode_str(value).decode_utf8().unwrap();
        let found = match name {
            "cookie:" => Some(seen.cookie.clone()),
            "authorization:" => Some(seen.authorization.clone()),
            "signed:" => Some(seen.signed.to_string()),
            _ => seen.params.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.clone()),
        };
        let fits = match (&found, wanted.strip_suffix('…')) {
            (Some(found), Some(start)) => found.starts_with(start),
            (Some(found), None) => *found == wanted,
            (None, _) => false,
        };
        if !fits {
            return Some(format!("{name} is {found:?}"));
        }
    }
    None
}

fn cases() -> Vec<Case> {
    let files = [
        include_str!("../../../tests/cases/phone/transport.toml"),
        include_str!("../../../tests/cases/phone/voice.toml"),
        include_str!("../../../tests/cases/phone/legs.toml"),
        include_str!("../../../tests/cases/phone/messages.toml"),
    ];
    files.iter().flat_map(|text| toml::from_str::<File>(text).unwrap().case).collect()
}

#[test]
fn the_phone_does_what_the_carrier_does() {
    let cases = cases();
    assert!(cases.len() >= 80, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (tried, seen) = played(case);
        let mut say = |what: String| wrong.push(format!("{} ({}): {what}", case.name, case.fact));
        if let Some(failure) = &tried.failure {
            say(format!("{failure:?}"));
        }
        let bad_at = tried.bad_signature_at;
        let asked = seen.iter().map(|one| format!("\n      {} {}", one.method, one.path)).collect::<String>();
        if seen.len() != case.webhooks.len() {
            say(format!("{} webhooks, expected {}:{asked}", seen.len(), case.webhooks.len()));
        }
        for (n, (expected, seen)) in case.webhooks.iter().zip(&seen).enumerate() {
            if let Some(why) = differs(expected, seen) {
                say(format!("webhook {}: expected {expected:?}, but {why}; all:{asked}", n + 1));
            }
            if seen.signed != (bad_at != Some(n + 1)) {
                say(format!("webhook {}: signature is {}", n + 1, seen.signed));
            }
        }
        let codes = |what: &What| if let What::Note { code, .. } = what { *code } else { None };
        let notes: Vec<u16> = tried.events.iter().filter_map(|event| codes(&event.what)).collect();
        if notes != case.notes {
            say(format!("notes {notes:?}, expected {:?}", case.notes));
        }
        if let Some(expected) = &case.heard {
            let heard: Vec<String> = tried
                .events
                .iter()
                .filter_map(|event| match &event.what {
                    What::Heard(heard) => Some(format!("{} {}", heard.verb, heard.text).trim().to_owned()),
                    What::Message { body, by_carrier: false, .. } => Some(format!("Message {body}")),
                    What::Message { body, by_carrier: true, .. } => Some(format!("carrier {}", &body[..10])),
                    _ => None,
                })
                .collect();
            if heard != *expected {
                say(format!("heard {heard:?}, expected {expected:?}"));
            }
        }
        let ended = tried.events.iter().rev().find_map(|event| match &event.what {
            What::Ended { how, status } => Some((format!("{how}: {status}"), event.at_ms / 1_000)),
            _ => None,
        });
        if let Some(expected) = &case.ended {
            let found = ended.as_ref().map(|(how, _)| how);
            if found != Some(expected) {
                say(format!("ended {found:?}, expected {expected:?}"));
            }
        }
        if let Some(expected) = case.lasts_s
            && ended.as_ref().map(|(_, at)| *at) != Some(expected)
        {
            say(format!("lasts {ended:?}, expected {expected} s"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n  {}", wrong.len(), cases.len(), wrong.join("\n  "));
}

#[test]
fn a_repeated_delivery_has_the_token_of_the_first_and_every_other_one_its_own() {
    let case: File = toml::from_str(
        r#"[[case]]
fact = "1"
name = "tokens"
pages = { "/voice" = "<Redirect>two</Redirect>", "/two" = "<Hangup/>" }
call = { faults = { duplicate = true }, steps = [{ ends = "handler" }] }
webhooks = []"#,
    )
    .unwrap();
    let (_, seen) = played(&case.case[0]);
    let tokens: Vec<&str> = seen.iter().map(|one| one.token.as_str()).collect();
    assert_eq!(tokens.len(), 4);
    assert!(tokens[0] == tokens[1] && tokens[2] == tokens[3] && tokens[1] != tokens[2], "{tokens:?}");
    assert!(!tokens[0].is_empty());
}

#[test]
fn a_redirect_a_circle_and_a_fault_that_never_comes_are_told() {
    for (pages, call, notes, ended, failed) in [
        (
            r#""/voice" = { status = 302, location = "/b" }, "/b" = { status = 307, location = "/c?d=1" }, "/c" = "<Hangup/>""#,
            "",
            &["302 to /b, asked by GET, parameters left out", "307 to /c?d=1, asked by GET"][..],
            "the handler hung up",
            None,
        ),
        (
            r#""/voice" = { status = 308, location = "/b" }, "/b" = "<Hangup/>""#,
            "faults = { bad_signature_at = 1 }, ",
            &["308 to /b, asked by POST"],
            "the handler hung up",
            None,
        ),
        (
            r#""/voice" = "<Hangup/>""#,
            "faults = { timeout_at = 7 }, ",
            &[],
            "the handler hung up",
            Some("`timeout_at = 7` never came: the conversation had 1 webhook that asks for a document"),
        ),
        (
            r#""/voice" = "<Redirect>voice</Redirect>""#,
            "",
            &["1000 documents and no end: does a link lead back to itself?"],
            super::ENDLESS,
            None,
        ),
    ] {
        let by = if ended == super::ENDLESS { "carrier" } else { "handler" };
        let text = format!(
            "[[case]]\nfact = \"1\"\nname = \"x\"\npages = {{ {pages} }}\ncall = {{ {call}steps = [{{ ends = \"{by}\" }}] }}\nwebhooks = []"
        );
        let case: File = toml::from_str(&text).unwrap();
        let (tried, _) = played(&case.case[0]);
        let told = tried.events.iter().filter_map(|event| match &event.what {
            What::Note { text, .. } => Some(text.as_str()),
            _ => None,
        });
        assert_eq!(told.collect::<Vec<_>>(), notes, "{pages}");
        let last = tried.events.last().map(|event| &event.what);
        assert!(matches!(last, Some(What::Ended { how, .. }) if how == ended), "{pages}: {last:?}");
        let failure = tried.failure.map(|failure| failure.expected);
        assert_eq!(failure.as_deref(), failed, "{pages}");
    }
}

/// Presses a key some time into each prompt that it is told of.
struct Impatient {
    heard: Vec<String>,
    at_ms: Vec<u64>,
}

impl Party for Impatient {
    async fn notice(&mut self, event: &Event) -> Presence {
        match &event.what {
            What::Heard(heard) if heard.verb == "Say" => {
                self.heard.push(heard.text.clone());
                self.at_ms.push(event.at_ms);
                Presence::Interrupts { after_ms: 300 }
            }
            _ => Presence::Stays,
        }
    }

    async fn act(&mut self, _leg: Leg, _question: &Question) -> Act {
        Act::Press { keys: "1".into(), after_ms: Some(0) }
    }
}

#[test]
fn a_key_ends_the_prompts_of_a_gather_that_lets_it_and_nothing_else() {
    let prompts = "<Say>One, which is long.</Say><Say>Two, which is long.</Say>";
    for (name, document, heard, next_at_ms) in [
        ("a Gather lets it", format!("<Gather numDigits='1' action='next'>{prompts}</Gather>"), 1, 500),
        (
            "bargeIn is false",
            format!("<Gather numDigits='1' action='next' bargeIn='false'>{prompts}</Gather>"),
            2,
            2_670,
        ),
        ("nothing gathers", format!("{prompts}<Redirect>next</Redirect>"), 2, 2_470),
    ] {
        let (line, account) = answering([("/voice", &*document), ("/next", "<Say>Next</Say>")]);
        let settings = settings();
        let mut party = Impatient { heard: Vec::new(), at_ms: Vec::new() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(call(&line, account, Ids::new(1), Faults::default(), &settings, &mut party));
        assert_eq!(party.heard.len(), heard + 1, "{name}: {:?}", party.heard);
        assert_eq!(party.at_ms.last(), Some(&next_at_ms), "{name}: {:?}", party.at_ms);
    }
}

#[test]
fn a_message_of_a_call_may_be_expected_behind_what_is_heard_after_it() {
    let (line, account) = answering([("/voice", "<Sms>See you</Sms><Say>Goodbye</Say><Hangup/>")]);
    let script =
        "[[call]]\nname = 'x'\nsteps = [{ hear = 'goodbye' }, { sent = 'see you' }, { ends = 'handler' }]";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let base = Url::parse(BASE).unwrap();
    let tried = runtime.block_on(try_script(&line, account, &base, script)).unwrap();
    assert_eq!(tried.failure, None);
}

/// A host that answers these paths, each with what is inside `<Response>`.
fn answering<'p>(pages: impl IntoIterator<Item = (&'p str, &'p str)>) -> (Pretend, Account) {
    let document = |inside: &str| Pages::One(Page::Document(inside.to_owned()));
    let token = AuthToken::new(TOKEN).unwrap();
    let line = Pretend {
        pages: pages.into_iter().map(|(path, inside)| (path.to_owned(), document(inside))).collect(),
        keys: Keys { tokens: vec![token.clone()], shared: Vec::new() },
        seen: Mutex::default(),
        turns: Mutex::default(),
    };
    (line, Account { sid: "AC00000000000000000000000000000001".into(), token })
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

#[test]
fn a_script_that_fails_says_what_came_instead() {
    let call = |keys: &str| format!("[[call]]\nname = 'x'\nurl = 'page'\n{keys}");
    let messages = |keys: &str| format!("[[messages]]\nname = 'x'\nurl = 'page'\n{keys}");
    for (script, page, expected, found, hint) in [
        (
            messages("never = ['sorry  NOT']\nsteps = [{ write = 'hi' }]"),
            "<Message>Sorry not now</Message>",
            "never to read \u{201c}sorry  NOT\u{201d}",
            "\u{201c}Sorry not now\u{201d}",
            "",
        ),
        (
            messages("never = ['now']\nsteps = [{ write = 'hi' }]"),
            "<Message to='+12025550100'>NOW</Message>",
            "never to read",
            "to +12025550100",
            "",
        ),
        (
            messages("steps = [{ write = 'hi' }, { reply = 'ann' }]"),
            "<Message to='+12025550100'>Ann</Message>",
            "expected a reply \u{201c}ann\u{201d}",
            "to +12025550100",
            "",
        ),
        (
            messages("steps = [{ write = 'hi' }, { no_reply = true }]"),
            "<Message>Ann</Message>",
            "expected no reply",
            "\u{201c}Ann\u{201d}",
            "",
        ),
        (
            messages("answered_within_ms = 100\nfaults = { delay_ms = 4000 }\nsteps = [{ write = 'hi' }]"),
            "",
            "took 4000 ms, expected at most 100 ms",
            "the answer 200 after 4000 ms",
            "",
        ),
        (
            call("never = ['SO  long']\nsteps = [{ hear = 'so' }, { ends = 'handler' }]"),
            "<Say>So long</Say>",
            "never to hear",
            "\u{201c}So long\u{201d}",
            "",
        ),
        (
            call("answered_within_ms = 100\nfaults = { delay_ms = 4000 }\nsteps = [{ ends = 'handler' }]"),
            "",
            "took 4000 ms, expected at most 100 ms",
            "the answer 200 after 4000 ms",
            "",
        ),
        (
            call("steps = [{ hear = 'hello', within_s = 5 }]"),
            "<Pause length='7'/><Say>Hello</Say>",
            "expected to hear \u{201c}hello\u{201d} within 5 s",
            "\u{201c}Hello\u{201d}",
            "too late: \u{201c}Hello\u{201d} came 7 s after the last thing done, expected within 5 s",
        ),
        (
            call(
                "fallback_url = 'page'\nfaults = { timeout_at = 1 }\nsteps = [{ hear = 'hello', within_s = 14.5 }]",
            ),
            "<Say>Hello</Say>",
            "within 14.5 s",
            "did not wait",
            "came 15 s after",
        ),
        (
            call("steps = [{ press = '1#2', after_s = 3 }, { hear = 'thanks' }]"),
            "<Gather timeout='3' action='page'/>",
            "expected to hear",
            "the keys 1#2 came after the timeout of 3 s",
            "",
        ),
        (
            call("steps = [{ say = 'one', after_s = 3.5 }, { hear = 'thanks' }]"),
            "<Gather input='speech' timeout='3' action='page'/>",
            "expected to hear",
            "the words came after the timeout of 3 s",
            "",
        ),
    ] {
        let (line, account) = answering([("/page", page)]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let base = Url::parse(BASE).unwrap();
        let tried = runtime.block_on(try_script(&line, account, &base, &script)).unwrap();
        let failure = tried.failure.unwrap_or_else(|| panic!("{script}\n  passes"));
        let said = format!("{script}\n  {failure:?}");
        assert!(failure.expected.contains(expected), "{said}");
        assert!(failure.found.iter().any(|line| line.contains(found)), "{said}");
        assert!(failure.hint.unwrap_or_default().contains(hint), "{said}");
    }
}
