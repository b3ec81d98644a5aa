use super::answer;
use hookswitch_sdk::testing;

fn heard(call: testing::CallBuilder) -> String {
    answer(&call.build()).unwrap().to_string()
}

#[test]
fn the_phone_of_the_settings_rings() {
    let _host = testing::host().config("number", "+12025550124").config("ring_seconds", 15);
    let dial = r#"<Dial timeout="15" action="after-dial">+12025550124</Dial>"#;
    assert!(heard(testing::call()).contains(dial));
}

#[test]
fn a_caller_hears_why_nobody_came() {
    let _host = testing::host();
    let after = |status: &str| heard(testing::call().step("after-dial").param("DialCallStatus", status));
    assert!(after("busy").contains("The line is busy"));
    assert!(after("no-answer").contains("Nobody answers"));
    assert!(after("completed").contains("<Response><Hangup/></Response>"));
}

#[test]
fn what_is_missing_is_said() {
    let _host = testing::host();
    let error = answer(&testing::call().build()).unwrap_err();
    assert_eq!(error.message(), "nobody to ring: add `number` to [config]");
}
