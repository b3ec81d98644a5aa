use super::{MEMBERS_MAX, notify, receive};
use hookswitch_sdk::carrier::CarrierError;
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::testing::{self, Host, Outward};
use std::time::Duration;

const HOST: &str = "+12025550123";
const BLUE: &str = "+12025550171";
const GREEN: &str = "+12025550172";

/// A group of the host alone.
fn group() -> Host {
    testing::host().config("host", HOST).config("join", "picnic")
}

/// What whoever writes is answered; empty where it is nothing.
fn write(from: &str, text: &str) -> String {
    let reply = receive(&testing::message().from(from).body(text).build()).unwrap().to_string();
    let texts: Vec<_> = reply.split("<Message>").skip(1).filter_map(|rest| rest.split("</").next()).collect();
    texts.join("|")
}

/// What was sent since `before`, as number and text.
fn sent(host: &Host, before: usize) -> Vec<(String, String)> {
    let texts = host.outward().into_iter().skip(before).map(|outward| match outward {
        Outward::Sent { to, body, later: Some(None), .. } => (to, body),
        other => panic!("{other:?}"),
    });
    texts.collect()
}

fn two_members() -> Host {
    let host = group();
    write(BLUE, "Picnic Blue");
    write(GREEN, "PICNIC  Green");
    host
}

#[test]
fn what_one_writes_all_others_read() {
    let host = two_members();
    let before = host.outward().len();
    assert_eq!(write(BLUE, "Who brings cups?"), "");
    let expected = [HOST, GREEN].map(|to| (to.to_owned(), "Blue: Who brings cups?".to_owned()));
    assert_eq!(sent(&host, before), expected);
    assert_eq!(write(HOST, "I do."), "");
    assert_eq!(sent(&host, before + 2)[0], (BLUE.to_owned(), "Host: I do.".to_owned()));
}

#[test]
fn members_join_by_the_word_and_leave_by_another() {
    let host = group();
    assert!(write(BLUE, "Hello").contains("closed group"));
    assert!(write(BLUE, "picnic").contains("your name behind it"));
    assert!(write(BLUE, "picnic <Blue>").contains("your name behind it"));
    assert!(write(BLUE, "picnic Host").contains("There is a Host already"));
    assert!(host.outward().is_empty());
    assert!(write(BLUE, "picnic Blue").contains("Welcome, Blue."));
    assert_eq!(sent(&host, 0), [(HOST.to_owned(), "Blue is here.".to_owned())]);
    assert!(write(GREEN, "picnic blue").contains("There is a blue already"));
    assert_eq!(write(BLUE, "who"), "Here are: Host, Blue.");

    assert_eq!(write(BLUE, "Leave"), "You are out of the group.");
    assert_eq!(sent(&host, 1), [(HOST.to_owned(), "Blue has left.".to_owned())]);
    assert!(write(BLUE, "who").contains("closed group"));
    assert_eq!(write(HOST, "leave"), "The host stays.");
    assert_eq!(write(HOST, "Anybody?"), "There is nobody here but you.");
}

#[test]
fn the_word_is_the_same_however_the_setting_is_written() {
    for (join, word) in [("Picnic", "picnic"), ("picnic", "PICNIC"), ("\u{c4}PFEL", "\u{e4}pfel")] {
        let _host = group().config("join", join);
        assert!(write(BLUE, &format!("{word} Blue")).contains("Welcome, Blue."), "{join} {word}");
    }
    let _host = group().config("join", "");
    assert!(write(BLUE, "").contains("closed group"));
}

#[test]
fn a_word_within_a_sentence_is_only_a_word() {
    let host = two_members();
    for text in ["Leave me some cake", "stop by at noon", "picnic at noon", "remove the lid"] {
        let before = host.outward().len();
        write(BLUE, text);
        assert_eq!(sent(&host, before)[0].1, format!("Blue: {text}"));
    }
    assert!(write(BLUE, "WHO").contains("Blue"));
}

#[test]
fn who_opts_out_is_no_member_any_more() {
    let host = two_members();
    let before = host.outward().len();
    assert_eq!(write(BLUE, "STOP"), "", "the carrier has answered");
    assert!(sent(&host, before).is_empty());
    write(GREEN, "Hello");
    assert_eq!(sent(&host, before).len(), 1, "the host alone");
}

#[test]
fn numbers_that_take_no_messages_are_taken_out() {
    let _host = two_members();
    let delivery = |to: &str, code| {
        let event = testing::event(EventKind::Message).step("delivery").status("undelivered");
        notify(&event.param("To", to).param("ErrorCode", code).build()).unwrap();
    };
    delivery(BLUE, 30003); // switched off
    delivery(GREEN, 30005);
    assert_eq!(write(HOST, "who"), "Here are: Host, Blue.");
}

#[test]
fn the_host_can_remove_members() {
    let _host = two_members();
    assert!(write(HOST, "REMOVE host").contains("There is no"));
    assert_eq!(write(HOST, "remove green"), "Green is out of the group.");
    assert_eq!(write(BLUE, "who"), "Here are: Host, Blue.");
}

#[test]
fn there_are_limits_and_who_meets_one_is_told() {
    let host = two_members();
    let before = host.outward().len();
    assert_eq!(write(BLUE, &"x".repeat(301)), "Not sent: it has 301 characters, and 300 may be sent.");
    for _ in 0..6 {
        assert_eq!(write(BLUE, "again"), "");
    }
    assert_eq!(write(BLUE, "again"), "Not sent: at most 6 texts a minute.");
    assert_eq!(write(BLUE, "again"), "");
    assert_eq!(sent(&host, before).len(), 12);
    host.wait(Duration::from_secs(61));
    write(BLUE, "again");
    assert_eq!(sent(&host, before).len(), 14);

    for number in 3..MEMBERS_MAX {
        write(&format!("+1202555{number:04}"), &format!("picnic No {number}"));
    }
    assert!(write("+12025559999", "picnic Late").contains("The group is full"));
}

#[test]
fn what_the_carrier_does_not_take_is_said() {
    let host = two_members();
    host.refuse(CarrierError::Unavailable("no credentials".into()));
    assert_eq!(write(BLUE, "Hello"), "Not sent to 2 of 2.");
}

#[test]
fn pictures_are_relayed() {
    let host = two_members();
    let picture = testing::message().from(BLUE).media("image/jpeg", "https://api.example.com/ME1");
    assert!(receive(&picture.build()).unwrap().to_string().ends_with("<Response/>"));
    let last = host.outward().pop();
    assert!(matches!(last, Some(Outward::Sent { media, .. }) if media == ["https://api.example.com/ME1"]));
}
