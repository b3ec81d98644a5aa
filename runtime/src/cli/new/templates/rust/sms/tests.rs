use super::receive;
use hookswitch_sdk::log::Level;
use hookswitch_sdk::testing::{self, Host};

fn host() -> Host {
    testing::host().config("reply_hours", "From nine to five.").config("reply_address", "1 Main Street")
}

fn reply(body: &str) -> String {
    receive(&testing::message().body(body).build()).unwrap().to_string()
}

#[test]
fn words_get_the_answer_from_the_settings() {
    let host = host();
    for body in ["hours", "HOURS", " Hours\n"] {
        assert!(reply(body).contains("<Message>From nine to five.</Message>"), "{body}");
    }
    assert!(host.logged(Level::Info, "wrote 1 segments"));
}

#[test]
fn help_lists_the_words_and_others_lead_to_it() {
    let _host = host();
    assert!(reply("help").contains("Write one of: ADDRESS, HOURS."));
    assert!(reply("pizza").contains("Reply HELP"));
    assert!(reply("STOP").ends_with("<Response/>"));
}
