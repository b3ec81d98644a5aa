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
