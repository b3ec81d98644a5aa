use super::{answer, notify};
use hookswitch_sdk::log::Level;
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::testing::{self, Host};
use hookswitch_sdk::time::Time;

/// Monday, 2 March 2026, at this hour in UTC.
fn monday_at(hour: u64) -> Host {
    testing::host()
        .config("greeting", "Welcome to Acme.")
        .config("sales", "+12025550123")
        .config("support", "+12025550124")
        .at(Time::from_unix_seconds(1_772_409_600 + hour * 3600))
}

fn heard(call: testing::CallBuilder) -> String {
    answer(&call.build()).unwrap().to_string()
}

#[test]
fn callers_are_greeted_and_asked_in_opening_hours() {
    let _host = monday_at(10);
    let heard = heard(testing::call());
    assert!(heard.contains(r#"<Gather input="dtmf speech""#), "{heard}");
    assert!(heard.contains("<Say>Welcome to Acme.</Say>"), "{heard}");
    assert!(heard.ends_with("<Redirect>again</Redirect></Response>"), "{heard}");
}

#[test]
fn callers_reach_voicemail_at_night_and_on_sundays() {
    for hour in [8, 17, 10 + 6 * 24] {
        let _host = monday_at(hour);
        let heard = heard(testing::call());
        assert!(heard.contains("outside our opening hours") && heard.contains("<Record "), "{heard}");
    }
}

#[test]
fn opening_hours_follow_the_settings() {
    let _host = monday_at(3).config("open", 7).config("close", 12).config("utc_offset_hours", 5);
    assert!(heard(testing::call()).contains("Welcome to Acme."));
}

#[test]
fn the_menu_understands_keys_and_words() {
    let _host = monday_at(10);
    let menu = || testing::call().step("menu");
    for (call, number) in [
        (menu().digits("1"), "+12025550123"),
        (menu().digits("2"), "+12025550124"),
        (menu().speech("Sales, please."), "+12025550123"),
        (menu().speech("I need support"), "+12025550124"),
    ] {
        let heard = heard(call);
        let dial = format!(r#"<Dial timeout="20" action="after-dial">{number}</Dial>"#);
        assert!(heard.contains(&dial), "{heard}");
    }
    assert!(heard(menu().digits("3")).contains("<Record "));
    assert!(heard(menu().digits("9")).contains("<Redirect>again</Redirect>"));
    assert!(heard(menu().speech("pizza")).contains("<Redirect>again</Redirect>"));
}

#[test]
fn nobody_answering_leads_to_voicemail() {
    let _host = monday_at(10);
    let after = |status: &str| heard(testing::call().step("after-dial").param("DialCallStatus", status));
    assert!(after("no-answer").contains("Nobody can take your call"));
    assert!(after("busy").contains("All lines are busy"));
    assert!(after("failed").contains("<Record "));
    assert!(after("completed").contains("<Response><Hangup/></Response>"));
}

#[test]
fn a_message_left_is_logged() {
    let host = monday_at(10);
    let recorded = testing::event(EventKind::Recording)
        .status("completed")
        .param("RecordingUrl", "https://api.example.com/RE1")
        .param("RecordingDuration", 12);
    notify(&recorded.build()).unwrap();
    assert!(host.logged(Level::Info, "voicemail of 12 s"));

    notify(&testing::event(EventKind::Recording).status("absent").build()).unwrap();
    assert!(host.logged(Level::Warn, "is absent"));
}

#[test]
fn what_is_wrong_is_said() {
    let _host = testing::host();
    let error = answer(&testing::call().step("menu").digits("1").build()).unwrap_err();
    assert_eq!(error.message(), "no number for sales: add `sales` to [config]");
    assert!(answer(&testing::call().step("attic").build()).is_err());
}
