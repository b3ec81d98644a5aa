//! What the phone does with somebody who takes real time: on the page, and at a terminal.

use std::time::Duration;

use url::Url;

use super::{BASE, answering, settings};
use crate::phone::call::{CallSettings, call};
use crate::phone::{Act, Event, Faults, Ids, Leg, Outcome, Party, Presence, Question, Target, Until};

/// Waits in real time, and then hangs up.
struct Waiting {
    ms: u64,
    ended_at_ms: u64,
}

impl Party for Waiting {
    async fn notice(&mut self, event: &Event) -> Presence {
        self.ended_at_ms = event.at_ms;
        Presence::Stays
    }

    async fn act(&mut self, _leg: Leg, _question: &Question) -> Act {
        tokio::time::sleep(Duration::from_millis(self.ms)).await;
        Act::HangUp
    }

    fn is_live(&self) -> bool {
        true
    }
}

#[test]
fn somebody_who_waits_in_real_time_has_waited_in_the_call_too() {
    let waits = [
        ("<Gather/>", "/status CallDuration"),
        ("<Play loop='0'>music.mp3</Play>", "/status CallDuration"),
        ("<Dial action='after'><Conference>room</Conference></Dial>", "/status CallDuration"),
        ("<Enqueue action='after'>support</Enqueue>", "/after QueueTime"),
    ];
    let waited = waits.map(|(document, told)| async move {
        let (line, account) = answering([("/voice", document), ("/after", ""), ("/status", "")]);
        let status = Target::post(Url::parse(BASE).unwrap().join("status").unwrap());
        let settings = CallSettings { status_callback: Some(status), ..settings() };
        let mut party = Waiting { ms: 1_010, ended_at_ms: 0 };
        call(&line, account, Ids::new(1), Faults::default(), &settings, &mut party).await;
        assert!(party.ended_at_ms >= 1_000, "{document}: {}", party.ended_at_ms);
        let (path, name) = told.split_once(' ').unwrap();
        let seen = line.seen.into_inner().unwrap();
        let seen = seen.iter().find(|seen| seen.path == path).unwrap();
        let seconds = seen.params.iter().find(|(found, _)| found == name).map(|(_, value)| value);
        assert!(seconds.is_some_and(|value| value.parse::<u64>().unwrap() >= 1), "{document}: {seconds:?}");
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(futures_util::future::join_all(waited));
}

/// Answers after a while of real time.
struct Late {
    act: Act,
    ended_at_ms: u64,
}

impl Late {
    const AFTER_MS: u64 = 5_200;
}

impl Party for Late {
    async fn notice(&mut self, event: &Event) -> Presence {
        self.ended_at_ms = event.at_ms;
        Presence::Stays
    }

    async fn act(&mut self, _leg: Leg, _question: &Question) -> Act {
        tokio::time::sleep(Duration::from_millis(Self::AFTER_MS)).await;
        self.act.clone()
    }

    fn is_live(&self) -> bool {
        true
    }
}

#[test]
fn who_answers_after_a_wait_in_real_time_talks_as_long_as_he_says() {
    let talks = |until| Act::Comes(Outcome::Answered { seconds: 20, until, machine: false });
    let number = "<Dial action='after'><Number>+12025550123</Number></Dial>";
    let relay = "<Connect action='after'><ConversationRelay url='wss://example.com'/></Connect>";
    let lasts_s = |talked_s: u64| talked_s + Late::AFTER_MS / 1_000;
    let cases = [
        (number, talks(Until::Called), "DialCallDuration", Some(20..21), lasts_s(20)),
        ("<Dial action='after'><Queue>q</Queue></Dial>", talks(Until::Called), "", None, lasts_s(20)),
        (
            "<Dial action='after'><Conference>c</Conference></Dial>",
            talks(Until::Called),
            "",
            None,
            lasts_s(20),
        ),
        ("<Enqueue action='after'>q</Enqueue>", talks(Until::Called), "QueueTime", Some(25..28), lasts_s(20)),
        (relay, talks(Until::Called), "SessionDuration", Some(20..21), lasts_s(20)),
        (relay, Act::HangUp, "SessionDuration", Some(5..8), lasts_s(0)),
        // Real time is inside of what a ring without an answer lasts.
        ("<Dial timeout='5' action='after'>+12025550123</Dial>", Act::Comes(Outcome::NoAnswer), "", None, 10),
    ];
    let played = cases.map(|(document, act, name, expected, lasts_s)| async move {
        let (line, account) = answering([("/voice", document), ("/after", "<Hangup/>")]);
        let mut party = Late { act, ended_at_ms: 0 };
        call(&line, account, Ids::new(1), Faults::default(), &settings(), &mut party).await;
        // Real time goes on while this machine is busy.
        let found_s = party.ended_at_ms / 1_000;
        assert!((lasts_s..lasts_s + 3).contains(&found_s), "{document}: {found_s} s, expected {lasts_s}");
        let seen = line.seen.into_inner().unwrap();
        let after = seen.iter().find(|seen| seen.path == "/after").unwrap();
        let found = after.params.iter().find(|(found, _)| found == name).map(|(_, value)| value);
        let fits = match (&expected, found) {
            (Some(expected), Some(found)) => expected.contains(&found.parse::<u64>().unwrap()),
            (expected, found) => expected.is_none() && found.is_none(),
        };
        assert!(fits, "{document}: {name} is {found:?}, expected {expected:?}");
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(futures_util::future::join_all(played));
}

/// Waits a few rounds of a queue without taking time for it, as where a call is done again, and then hangs up.
struct Again(u32);

impl Party for Again {
    async fn notice(&mut self, _event: &Event) -> Presence {
        Presence::Stays
    }

    async fn act(&mut self, _leg: Leg, _question: &Question) -> Act {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { Act::HangUp } else { Act::Nothing }
    }

    fn is_live(&self) -> bool {
        true
    }
}

#[test]
fn waiting_in_a_queue_again_lasts_as_long_as_it_did() {
    let (line, account) =
        answering([("/voice", "<Enqueue action='after'>support</Enqueue>"), ("/after", "")]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (settings, mut party) = (settings(), Again(4));
    runtime.block_on(call(&line, account, Ids::new(1), Faults::default(), &settings, &mut party));
    let seen = line.seen.into_inner().unwrap();
    let waited = seen.iter().flat_map(|seen| &seen.params).find(|(name, _)| name == "QueueTime");
    assert_eq!(waited.map(|(_, value)| value.as_str()), Some("30"));
}
