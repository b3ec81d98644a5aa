use super::answer;
use hookswitch_sdk::http::ErrorKind;
use hookswitch_sdk::log::Level;
use hookswitch_sdk::testing::{self, Host};
use hookswitch_sdk::time::Time;
use std::time::Duration;

const CRM: &str = "GET https://crm.example.com/contacts";
const ACME: &str = r#"{"name":" Acme Garage ","since":2019}"#;

fn company() -> Host {
    testing::host()
        .config("agent", "+12025550123")
        .config("crm", "https://crm.example.com")
        .secret("crm-key", "key-of-the-test")
        .at(Time::from_unix_seconds(1_772_445_600))
}

fn heard(from: &str) -> String {
    answer(&testing::call().from(from).build()).unwrap().to_string()
}

#[test]
fn a_caller_who_is_known_is_greeted_by_name() {
    let host = company().answers(CRM, 200, ACME);
    let heard = heard("+12025550177");
    assert!(heard.contains("<Say>Welcome back, Acme Garage.</Say>"), "{heard}");
    assert!(heard.contains(">+12025550123</Dial>"), "{heard}");
    let asked = &host.requests()[0];
    assert_eq!(asked.url, "https://crm.example.com/contacts?number=%2B12025550177");
    assert_eq!(asked.header("authorization"), Some("Bearer key-of-the-test"));
    assert_eq!(asked.header("x-hookswitch-retry"), Some("off"));
    assert_eq!(asked.timeout_ms, Some(800));
}

#[test]
fn what_was_found_is_kept_for_a_day() {
    for (status, body, greeting) in [(200, ACME, "Welcome back"), (404, "", "<Say>Welcome.</Say>")] {
        let host = company().answers(CRM, status, body);
        for _ in 0..3 {
            assert!(heard("+12025550177").contains(greeting));
        }
        assert_eq!(host.requests().len(), 1, "{status}");
        host.wait(Duration::from_secs(24 * 60 * 60 + 1));
        assert!(heard("+12025550177").contains(greeting));
        assert_eq!(host.requests().len(), 2, "{status}");
    }
}

#[test]
fn a_slow_crm_costs_the_name_and_not_the_call() {
    let host = company().fails(CRM, ErrorKind::Timeout);
    let greeted = heard("+12025550177");
    assert!(greeted.contains("<Say>Welcome.</Say>") && greeted.contains("<Dial "), "{greeted}");
    assert!(host.logged(Level::Warn, "greeted without a name"));
    // The next callers do not wait for it, until it may have come back.
    assert!(heard("+12025550178").contains("Welcome."));
    assert_eq!(host.requests().len(), 1);
    host.wait(Duration::from_secs(31));
    assert!(heard("+12025550178").contains("Welcome."));
    assert_eq!(host.requests().len(), 2);
}

#[test]
fn what_the_crm_says_wrong_is_not_spoken() {
    for (status, body) in [
        (500, "oops"),
        (200, "<html>"),
        (200, r#"{"name":""}"#),
        (200, &format!(r#"{{"name":"{}"}}"#, "x".repeat(61))),
    ] {
        let _host = company().answers(CRM, status, body);
        assert!(heard("+12025550177").contains("<Say>Welcome.</Say>"), "{status} {body}");
    }
    let _host = company().answers(CRM, 200, r#"{"name":"<Hangup/> & Sons"}"#);
    assert!(heard("+12025550177").contains("&lt;Hangup/&gt; &amp; Sons"));
}

#[test]
fn nobody_is_asked_about_a_withheld_number() {
    let host = company();
    assert!(heard("anonymous").contains("Welcome."));
    assert!(host.requests().is_empty());
}

#[test]
fn with_little_time_left_the_crm_gets_half_of_it() {
    let host = company().answers(CRM, 200, ACME);
    let call = testing::call().time_left(Duration::from_millis(500));
    assert!(answer(&call.build()).unwrap().to_string().contains("Acme Garage"));
    assert_eq!(host.requests()[0].timeout_ms, Some(250));
}

#[test]
fn who_reaches_nobody_is_told() {
    let _host = company();
    let after = |status: &str| {
        answer(&testing::call().step("after").param("DialCallStatus", status).build()).unwrap().to_string()
    };
    assert!(after("no-answer").contains("Nobody can take your call"));
    assert!(after("completed").contains("<Response><Hangup/></Response>"));
    assert!(answer(&testing::call().step("attic").build()).is_err());
}
