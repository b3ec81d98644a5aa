use super::receive;
use hookswitch_sdk::log::Level;
use hookswitch_sdk::testing::{self, Host};

fn shop() -> Host {
    testing::host()
        .config("reply_hours", "We are open from 9 to 5.")
        .config("reply_address", "1 Main Street")
        .config("owner", "Acme")
}

fn reply(message: testing::MessageBuilder) -> String {
    receive(&message.build()).unwrap().to_string()
}

#[test]
fn keywords_get_the_answer_from_the_settings() {
    let _host = shop();
    for body in ["hours", "HOURS", " Hours\n"] {
        let reply = reply(testing::message().body(body));
        assert!(reply.contains("<Message>We are open from 9 to 5.</Message>"), "{body}: {reply}");
    }
}

#[test]
fn help_lists_the_keywords() {
    let _host = shop();
    let reply = reply(testing::message().body("help"));
    assert!(reply.contains("Write one of: ADDRESS, HOURS."), "{reply}");
}

#[test]
fn stop_is_not_answered() {
    let host = shop();
    for body in ["STOP", "stop", "Unsubscribe"] {
        assert!(reply(testing::message().body(body)).ends_with("<Response/>"), "{body}");
    }
    assert!(host.logged(Level::Info, "+12025550123 opted out"));
}

#[test]
fn pictures_are_acknowledged_and_logged() {
    let host = shop();
    let message = testing::message()
        .media("image/jpeg", "https://api.example.com/ME1")
        .media("image/png", "https://api.example.com/ME2");
    assert!(reply(message.clone()).contains("Thank you for the 2 pictures."));
    assert!(host.logged(Level::Info, "image/png at https://api.example.com/ME2"));
    let message = message.media("text/vcard", "https://api.example.com/ME3");
    assert!(reply(message).contains("we got 3 files"));
}

#[test]
fn segments_are_counted() {
    let host = shop();
    let long = testing::message().body("a long story ".repeat(20)).segments(2);
    assert!(reply(long).contains("That took 2 messages"));
    assert!(host.logged(Level::Info, "2 segments, 0 media"));
    assert!(reply(testing::message().body("pizza")).contains("Reply HELP"));
}
