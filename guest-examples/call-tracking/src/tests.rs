use super::{answer, notify};
use hookswitch_sdk::log::Level;
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::testing::{self, Host};

fn agency() -> Host {
    testing::host().config("agent", "+12025550123").config("+12025550110", "spring-mail")
}

#[test]
fn the_number_called_tells_the_campaign() {
    let host = agency();
    let call = testing::call().to("+12025550110").param("FromCity", "SPRINGFIELD").build();
    let heard = answer(&call).unwrap().to_string();
    for part in [
        r#"action="after/spring-mail""#,
        r#"url="whisper/spring-mail""#,
        r#"statusCallback="status/leg/spring-mail""#,
        r#"statusCallbackEvent="ringing answered completed""#,
        ">+12025550123</Number>",
    ] {
        assert!(heard.contains(part), "{part} in {heard}");
    }
    assert!(host.logged(Level::Info, "campaign=spring-mail from=+12025550123 city=SPRINGFIELD"));
}

#[test]
fn a_number_of_no_campaign_is_put_through_and_reported() {
    let host = agency();
    let heard = answer(&testing::call().to("+12025550199").build()).unwrap().to_string();
    assert!(heard.contains(r#"url="whisper/unknown""#), "{heard}");
    assert!(host.logged(Level::Warn, "+12025550199 belongs to no campaign"));
}

#[test]
fn the_agent_hears_the_campaign() {
    let call = testing::call().step("whisper/spring-mail").direction(Direction::OutboundDial).build();
    assert!(answer(&call).unwrap().to_string().contains("<Say>A call from the campaign spring mail.</Say>"));
}

#[test]
fn what_became_of_the_call_is_logged() {
    let host = agency();
    let after = |status| {
        let call = testing::call().step("after/spring-mail").param("DialCallStatus", status);
        answer(&call.param("DialCallDuration", 42).build()).unwrap().to_string()
    };
    assert!(after("completed").contains("<Response><Hangup/></Response>"));
    assert!(host.logged(
        Level::Info,
        "campaign=spring-mail call=CA00000000000000000000000000000001 spoke seconds=42"
    ));
    assert!(after("no-answer").contains("call you back"));
}

#[test]
fn events_become_log_lines() {
    let host = agency();
    let event = |status| testing::event(EventKind::Call).step("leg/spring-mail").status(status);
    notify(&event("completed").param("CallDuration", 7).build()).unwrap();
    assert!(host.logged(Level::Info, "status=completed seconds=7"));
    notify(&event("failed").param("SipResponseCode", 404).build()).unwrap();
    assert!(host.logged(Level::Warn, "SIP code Some(404)"));
}

#[test]
fn a_missing_agent_is_said() {
    let _host = testing::host();
    assert_eq!(answer(&testing::call().build()).unwrap_err().message(), "no `agent` in [config]");
}

const LEADS: &str = "POST https://crm.example.com/leads";

fn crm() -> Host {
    agency().config("crm", "https://crm.example.com").secret("crm-key", "key-of-the-test")
}

/// The end of a call, as it is told.
fn over(call: &str) {
    let event = testing::event(EventKind::Call).step("leg/radio").subject(call).status("completed");
    notify(&event.param("From", "+12025550177").param("CallDuration", 42).build()).unwrap();
}

fn run() {
    notify(&testing::run("send-leads", "2026-11-23T09:00:00Z", "2026-11-23T09:00:00+00:00")).unwrap();
}

fn waiting() -> usize {
    store::keys("lead/", None, 100).unwrap().keys.len()
}

#[test]
fn a_call_that_is_over_becomes_a_lead() {
    let host = crm().answers(LEADS, 201, "{}");
    over("CA1");
    let sent = &host.requests()[0];
    assert_eq!(sent.header("authorization"), Some("Bearer key-of-the-test"));
    assert_eq!(sent.header("idempotency-key"), Some("CA1"));
    let body = r#"{"call":"CA1","campaign":"radio","from":"+12025550177","status":"completed","seconds":42}"#;
    assert_eq!(String::from_utf8_lossy(&sent.body), body);
    assert_eq!(waiting(), 0);
}

#[test]
fn a_call_that_goes_on_is_no_lead() {
    let host = crm().answers(LEADS, 201, "{}");
    for status in ["initiated", "ringing", "in-progress"] {
        notify(&testing::event(EventKind::Call).step("leg/radio").status(status).build()).unwrap();
    }
    assert!(host.requests().is_empty() && waiting() == 0);
}

#[test]
fn an_end_that_is_told_twice_is_one_lead() {
    let host = crm().answers(LEADS, 201, "{}");
    over("CA1");
    over("CA1");
    assert_eq!((host.requests().len(), waiting()), (1, 0));
    drop(host);

    let host = crm().answers(LEADS, 503, "busy");
    over("CA1");
    over("CA1");
    assert_eq!((host.requests().len(), waiting()), (1, 1), "it waits for the schedule");
}

#[test]
fn leads_wait_for_a_crm_that_is_down() {
    let host = crm()
        .answers(LEADS, 503, "busy")
        .answers(LEADS, 503, "busy")
        .answers(LEADS, 503, "busy")
        .answers(LEADS, 201, "{}");
    over("CA1");
    over("CA2");
    assert!(host.logged(Level::Warn, "the lead of call CA1 waits"));
    run();
    assert_eq!((host.requests().len(), waiting()), (3, 2), "one more failed and the rest was left for later");
    run();
    assert_eq!((host.requests().len(), waiting()), (5, 0));
    run();
    assert_eq!(host.requests().len(), 5);
}

#[test]
fn what_the_crm_has_or_will_never_take_waits_no_longer() {
    for (status, refused) in [(409, 0), (400, 1), (422, 1)] {
        let host = crm().answers(LEADS, status, "no");
        over("CA1");
        assert_eq!(waiting(), 0, "{status}");
        assert_eq!(store::keys("refused/", None, 10).unwrap().keys.len(), refused, "{status}");
        assert_eq!(host.logged(Level::Error, "refuses the lead of call CA1"), refused == 1);
    }
    // A wrong key is the operator's mistake, and no reason to lose a lead.
    let _host = crm().answers(LEADS, 401, "who are you?");
    over("CA1");
    assert_eq!(waiting(), 1);
}
