use super::{answer, notify};
use hookswitch_sdk::log::Level;
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::testing;

#[test]
fn callers_are_greeted_and_recorded() {
    let _host = testing::host().config("greeting", "Hello from us.").config("longest_seconds", 30);
    let heard = answer(&testing::call().build()).unwrap().to_string();
    assert!(heard.contains("<Say>Hello from us.</Say>") && heard.contains(r#"maxLength="30""#), "{heard}");
}

#[test]
fn a_message_is_logged() {
    let host = testing::host();
    let recorded = testing::event(EventKind::Recording)
        .status("completed")
        .param("RecordingUrl", "https://api.example.com/RE1")
        .param("RecordingDuration", 12);
    notify(&recorded.build()).unwrap();
    assert!(host.logged(Level::Info, "a message of 12 s"));

    notify(&testing::event(EventKind::Recording).status("absent").build()).unwrap();
    assert!(host.logged(Level::Warn, "is absent"));
}
