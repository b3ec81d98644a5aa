//! What a script file may say, and what is said when it may not.

use super::expect::Failure;
use super::read::read_text;
use crate::phone::{Event, Leg, What};

fn problem(text: &str) -> String {
    read_text("calls/a.toml", text).map(|scripts| scripts.len()).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_with_a_script_is_named_with_its_line() {
    for (text, expected) in [
        ("[[call]]\nname = 'x'\nstep = []", "calls/a.toml:3: unknown field `step`"),
        ("[[call]]\nname = 'x'\nsteps = []", "has no steps"),
        ("[[call]]\nname = 'x'\nsteps = [{ replly = 'hi' }]", "did you mean `reply`?"),
        ("[[call]]\nname = 'x'\nsteps = [\n  { heer = 'hi' },\n]", "calls/a.toml:4: unknown field `heer`"),
        (
            "[[call]]\nname = 'x'\nsteps = [\n  { press = '1' },\n  { press = 'A' },\n]",
            "calls/a.toml:5: `press` is \"A\"",
        ),
        ("[[call]]\nname = 'x'\nsteps = [{ press = '1', say = 'x' }]", "has `press` and `say`"),
        ("[[call]]\nname = 'x'\nsteps = [{ within_s = 1 }]", "says nothing to do"),
        (
            "[[call]]\nname = 'x'\nsteps = [{ press = '1', seconds = 4 }]",
            "`seconds` does not belong to a step with `press`",
        ),
        ("[[call]]\nname = 'x'\nsteps = [{ write = 'hi' }]", "`write` is a step of [[messages]]"),
        ("[[messages]]\nname = 'x'\nsteps = [{ hear = 'hi' }]", "`hear` is a step of [[call]]"),
        ("[[call]]\nname = 'x'\nsteps = [{ matches = '(' }]", "`matches`:"),
        ("[[call]]\nname = 'x'\nsteps = [{ xml = '<Pause>' }]", "`xml`:"),
        ("[[call]]\nname = 'x'\nsteps = [{ dial = 'maybe' }]", "unknown variant `maybe`"),
        (
            "[[call]]\nname = 'x'\nstatus_callback = 'status'\nstatus_events = ['done']\nsteps = [{ hang_up = true }]",
            "status_events has \"done\"",
        ),
        ("[[call]]\nname = 'x'\nsteps = [{ record = 1, key = '#', hang_up = true }]", "not both"),
        ("[[call]]\nsteps = [{ hang_up = true }]", "missing field `name`"),
        ("[[web]]\nname = 'x'\nsteps = [{ hear = 'x' }]", "in the step with `answered`"),
        ("[[web]]\nname = 'x'\nsteps = [{ write = 'x' }]", "`write` is a step of [[messages]]"),
        ("[[call]]\nname = 'x'\nsteps = [{ web = 'GET /' }]", "is a step of [[messages]] and [[web]]"),
        (
            "[[web]]\nname = 'x'\nfrom = '+1'\nsteps = [{ web = 'GET /' }]",
            "`from` is for [[call]] and [[messages]], and this is [[web]]",
        ),
        (
            "[[web]]\nname = 'x'\nnever = ['x']\nsteps = [{ web = 'GET /' }]",
            "`never` is for [[call]] and [[messages]], and this is [[web]]",
        ),
        (
            "[[web]]\nname = 'x'\nanswered_within_ms = 5\nsteps = [{ web = 'GET /' }]",
            "`answered_within_ms` is for [[call]] and [[messages]]",
        ),
        (
            "[[messages]]\nname = 'x'\noutbound = 'busy'\nsteps = [{ write = 'x' }]",
            "`outbound` is for [[call]]",
        ),
        ("[[web]]\nname = 'x'\nsteps = [{ web = 'call' }]", "expected a method and a path"),
        ("[[web]]\nname = 'x'\nsteps = [{ web = 'GET /', form = 'a=1' }]", "a GET has no body"),
        ("[[web]]\nname = 'x'\nsteps = [{ web = 'POST /', form = 'a=1', body = 'x' }]", "not both"),
        ("[[web]]\nname = 'x'\nsteps = [{ web = 'GET /', headers = { 'a b' = 'x' } }]", "no header field"),
        ("[[web]]\nname = 'x'\nsteps = [{ web = 'GET /', times = 1 }]", "`times` does not belong"),
        ("[[call]]\nname = 'x'\nsteps = [{ requested = 'https://a.example.com/' }]", "has no method"),
        ("[[call]]\nname = 'x'\nsteps = [{ requested = 'GET ftp://a.example.com/' }]", "neither http://"),
        ("[[call]]\nname = 'x'\nsteps = [{ stored = 'k', value = 'v', absent = true }]", "not both"),
        (
            "[[call]]\nname = 'x'\nhttp = [\n  { request = 'GET https://a.example.com/' },\n  { request = 'GET /a' },\n]\nsteps = [{ hang_up = true }]",
            "calls/a.toml:5: `request`:",
        ),
        (
            "[[call]]\nname = 'x'\nhttp = [{ request = 'GET https://a.example.com/', error = 'timeout', status = 200 }]\nsteps = [{ hang_up = true }]",
            "not both",
        ),
        (
            "[[call]]\nname = 'x'\nhttp = [{ request = 'GET https://a.example.com/', error = 'broken' }]\nsteps = [{ hang_up = true }]",
            "unknown variant `broken`",
        ),
        (
            "\n[secrets]\nkey = ''\n[[call]]\nname = 'x'\nsteps = [{ hang_up = true }]",
            "calls/a.toml:2: `secrets`: key: the value is empty",
        ),
        ("secrets = { key = 7 }", "expected a string"),
        (
            "[[call]]\nname = 'x'\nat = '2026-11-23T09:00'\nsteps = [{ hang_up = true }]",
            "calls/a.toml:3: `at` is 2026-11-23T09:00:00, and by whose clocks",
        ),
        (
            "[[web]]\nname = 'x'\nsteps = [\n  { fire = 'a', at = 'soon' },\n]",
            "calls/a.toml:4: `at` is \"soon\"; expected a date",
        ),
        (
            "[[web]]\nname = 'x'\nsteps = [{ wait_s = 1, at = 'soon' }]",
            "`at` does not belong to a step with `wait_s`",
        ),
        ("[[call]]\nname = ' '\nsteps = [{ hang_up = true }]", "`name` is empty"),
        (
            "[[call]]\nname = 'x'\nfrom = 'banana'\nsteps = [{ hang_up = true }]",
            "calls/a.toml:1: `from` is \"banana\", expected a number in E.164",
        ),
        ("[[messages]]\nname = 'x'\nto = '2025550177'\nsteps = [{ write = 'x' }]", "`to` is \"2025550177\""),
        (
            "[[call]]\nname = 'x'\nstatus_events = ['answered']\nsteps = [{ hang_up = true }]",
            "`status_events` says what `status_callback` hears of",
        ),
        (
            "[[call]]\nname = 'x'\nfaults = { bad_signature_at = 0 }\nsteps = [{ hang_up = true }]",
            "`bad_signature_at` is 0, and webhooks are counted from 1",
        ),
        (
            "[[call]]\nname = 'x'\nfaults = { delay_ms = 60001 }\nsteps = [{ hang_up = true }]",
            "`delay_ms` is 60001, expected at most 60000",
        ),
        (
            "[[call]]\nname = 'x'\nsteps = [\n  { say = 'x', confidence = 7.0 },\n]",
            "calls/a.toml:4: `confidence` is 7, expected 0 to 1",
        ),
        ("[[call]]\nname = 'x'\nsteps = [{ dial = 'failed', sip_code = 9999 }]", "expected 400 to 699"),
        (
            "[[call]]\nname = 'x'\nsteps = [{ dial = 'busy', sip_code = 486 }]",
            "belongs to `dial = \"failed\"`",
        ),
        ("[[call]]\nname = 'x'\nsteps = [{ dial = 'busy', seconds = 4 }]", "nobody answers here"),
        ("[[call]]\nname = 'x'\nsteps = [{ queue = 'full', until = 'caller' }]", "nobody answers here"),
        ("[[call]]\nname = 'x'\nsteps = [{ record = 1, key = 'x' }]", "expected one of 0-9, * and #"),
        ("[[web]]\nname = 'x'\nsteps = [{ answered = 700 }]", "expected 100 to 599"),
        (
            "[[messages]]\nname = 'x'\nsteps = [{ write = 'x', media = ['banana'] }]",
            "`media` has \"banana\", expected a content type such as image/jpeg",
        ),
        (
            "[[messages]]\nname = 'x'\nsteps = [{ write = 'x', media = ['a/b','a/b','a/b','a/b','a/b','a/b','a/b','a/b','a/b','a/b','a/b'] }]",
            "`media` lists 11, and a message has at most 10",
        ),
        (
            "[[call]]\nname = 'x'\nhttp = [{ request = 'GET https://a.example.com/', status = 99 }]\nsteps = [{ hang_up = true }]",
            "expected 200 to 599",
        ),
    ] {
        let found = problem(text);
        assert!(found.contains(expected), "{text}\n  {found}\n  expected {expected}");
    }
}

#[test]
fn every_key_of_the_description_is_a_key() {
    let text = r##"
secrets = { crm-key = "made up" }
at = "2026-11-23T09:00:00-05:00"
[[call]]
name = "all"
secrets = { other = "x" }
at = 2026-11-23T14:00:00Z
from = "+12025550177"
to = "+12025550199"
url = "voice"
fallback_url = "fallback"
status_callback = "status"
status_events = ["initiated", "completed"]
outbound = "answered"
params = { CallerName = "JANE" }
http = [
  { request = "POST https://crm.example.com/*", status = 201, headers = { etag = "1" }, body = "{}", takes_ms = 5 },
  { request = "GET https://crm.example.com/?a=1", error = "denied" },
]
faults = { duplicate = true, timeout_at = 2, bad_signature_at = 1, callbacks = "late" }
never = ["x"]
log = ["y"]
answered_within_ms = 5
steps = [
  { hear = "a", matches = "b", verb = "Say", attributes = { voice = "alice" }, xml = "<Say/>", leg = "called", within_s = 5 },
  { error = "HS209" },
  { press = "12#w", after_s = 1 },
  { say = "x", confidence = 0.3, after_s = 0.5 },
  { record = 7, key = "#", text = "x" },
  { record = 7, hang_up = true },
  { dial = "failed", sip_code = 503, to = "+1" },
  { dial = "answered", seconds = 3, until = "star" },
  { queue = "answered", seconds = 3, until = "caller" },
  { silence = true },
  { hang_up = true },
  { requested = "POST https://crm.example.com/leads", body = "x", matches = "y", times = 2 },
  { stored = "key", value = "x", matches = "y" },
  { stored = "key", absent = true },
  { ends = "nobody" },
]
[[messages]]
name = "more"
service = "MG1"
steps = [
  { write = "x", media = ["image/png"], delivery = "failed" },
  { reply = "x", matches = "y", media = 1, by = "carrier" },
  { no_reply = true },
  { wait_s = 4 },
  { error = "HS202" },
  { fire = "remind" },
  { fire = "remind", at = "2026-11-23T09:00:00" },
]
[[web]]
name = "pages"
http = []
log = ["x"]
steps = [
  { web = "POST /call?a=1", form = "a=1", headers = { accept = "*/*" } },
  { web = "POST /call", form = { a = "1" } },
  { web = "PUT /call", body = "x" },
  { answered = 303, hear = "x", matches = "y", header = { location = "/" } },
  { placed = "+1", lead = "x" },
  { sent = "x", to = "+1" },
  { wait_s = 5 },
]
"##;
    assert_eq!(read_text("a", text).unwrap().len(), 3);
}

#[test]
fn what_is_said_for_a_file_counts_where_a_script_does_not_say_it_itself() {
    let text = r##"
secrets = { one = "file", two = "file" }
at = "2026-11-23T09:00:00Z"
[[web]]
name = "as the file has it"
steps = [{ wait_s = 1 }]
[[web]]
name = "its own"
secrets = { two = "script" }
at = "2026-11-23T10:00:00Z"
steps = [{ wait_s = 1 }]
"##;
    let scripts = read_text("a", text).unwrap().0;
    let found = scripts.iter().map(|script| {
        let values = script.secrets.iter().map(|(name, value)| format!("{name}={}", value.expose()));
        (script.at_unix_ms.unwrap(), values.collect::<Vec<_>>().join(" "))
    });
    let nine = 1_795_424_400_000;
    let expected = [(nine, "one=file two=file"), (nine + 3_600_000, "one=file two=script")];
    assert!(found.eq(expected.map(|(at, values)| (at, values.to_owned()))));
    assert!(!format!("{scripts:?}").contains("\"file\""), "values do not print");
}

#[test]
fn what_nobody_may_hear_nobody_may_read_either() {
    let text = "[[messages]]\nname = 'x'\nnever = ['Not  now']\nsteps = [{ write = 'x' }]";
    let scripts = read_text("a", text).unwrap().0;
    let said = |body: &str| {
        let body = body.to_owned();
        let (id, to, from) = ("SM1".to_owned(), "+1".to_owned(), "+2".to_owned());
        let what = What::Sent { id, to, from, body, media: Vec::new(), later: false };
        Event { at_ms: 0, leg: Leg::Caller, what }
    };
    assert_eq!(scripts[0].forbidden_in(&said("sorry, not NOW")), Some("Not  now"));
    assert_eq!(scripts[0].forbidden_in(&said("sorry, not know")), None);
}

#[test]
fn a_request_to_somebody_who_is_not_there_hides_no_other_failure() {
    let scripts = read_text("a", "[[call]]\nname = 'x'\nsteps = [{ hear = 'x' }]").unwrap().0;
    let asked = "POST https://other.example.com/status";
    let alone = Failure::unreached(&scripts[0], asked, None);
    assert!(alone.expected.contains(asked), "{alone:?}");
    let first =
        Failure { hint: Some("nearest: y".into()), ..Failure::of(&scripts[0], "expected to hear x".into()) };
    let both = Failure::unreached(&scripts[0], asked, Some(first));
    assert_eq!(both.expected, "expected to hear x");
    let hint = both.hint.unwrap();
    assert!(hint.starts_with("nearest: y\n") && hint.contains("add an entry to `http`"), "{hint}");
}
