use super::{answer, notify};
use hookswitch_sdk::carrier::CarrierError;
use hookswitch_sdk::log::Level;
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::testing::{self, CallBuilder, Host, Outward};
use hookswitch_sdk::time::Time;
use std::time::Duration;

const OURS: &str = "+12025550100";
const AGENTS: [&str; 2] = ["+12025550123", "+12025550124"];
const CALLER: &str = "+12025550177";

/// Monday, 2 March 2026, at this hour.
fn monday_at(hour: u64) -> Host {
    testing::host()
        .config("agents", AGENTS.join(", "))
        .config("music", "https://example.com/hold.mp3")
        .at(Time::from_unix_seconds(1_772_409_600 + hour * 3600))
}

fn heard(call: CallBuilder) -> String {
    answer(&call.build()).unwrap().to_string()
}

fn caller(step: &str) -> CallBuilder {
    testing::call().from(CALLER).to(OURS).step(step)
}

/// A webhook of a call that we placed to an agent.
fn agent(number: &str, step: &str) -> CallBuilder {
    testing::call().from(OURS).to(number).direction(Direction::OutboundApi).step(step)
}

/// Whom the host was asked to call so far, and where they are led.
fn placed(host: &Host) -> Vec<(String, String)> {
    let calls = host.outward().into_iter().map(|outward| match outward {
        Outward::Placed { to, from, lead, later: None } if from == OURS => (to, lead),
        other => panic!("{other:?}"),
    });
    calls.collect()
}

fn run() {
    notify(&testing::run("callbacks", "2026-03-02T10:00:00Z", "2026-03-02T10:00:00+00:00")).unwrap();
}

#[test]
fn callers_wait_in_the_queue_in_opening_hours_and_leave_a_message_outside() {
    let host = monday_at(10);
    let queue = r#"<Enqueue waitUrl="wait" action="left">support</Enqueue>"#;
    assert!(heard(caller("")).contains(queue), "{}", heard(caller("")));
    drop(host);
    for hour in [8, 17, 10 + 6 * 24] {
        let _host = monday_at(hour);
        let heard = heard(caller(""));
        assert!(heard.contains("outside our opening hours") && heard.contains("<Record "), "{heard}");
    }
}

#[test]
fn each_round_of_waiting_rings_an_agent_who_is_free() {
    let host = monday_at(10);
    let round = || heard(caller("wait").param("QueuePosition", 2).param("AvgQueueTime", 100));
    let first = round();
    assert!(first.contains("You are number 2 in line. People wait about 2 minutes."), "{first}");
    assert!(first.ends_with("<Play>https://example.com/hold.mp3</Play></Response>"), "{first}");
    assert!(!first.contains("<Gather"), "{first}");
    round();
    round();
    let lead = "voice/agent/queue".to_owned();
    assert_eq!(placed(&host), AGENTS.map(|agent| (agent.to_owned(), lead.clone())), "each once");
    host.wait(Duration::from_secs(61));
    round();
    assert_eq!(placed(&host).len(), 3, "who did not take it has rested");
}

#[test]
fn a_carrier_that_places_no_calls_leaves_the_caller_waiting() {
    let host = monday_at(10);
    host.refuse(CarrierError::Unavailable("no credentials".into()));
    assert!(heard(caller("wait")).contains("<Play>"));
    assert!(host.logged(Level::Warn, "agent +12025550124 can't be rung: no credentials"));
}

#[test]
fn an_agent_presses_a_key_and_gets_callers_as_long_as_he_stays() {
    let host = monday_at(10);
    assert!(heard(agent(AGENTS[0], "agent/queue")).contains(r#"action="accept/queue""#));
    assert!(heard(agent(AGENTS[0], "accept/queue").digits("2")).contains("<Response><Hangup/>"));

    let joined = heard(agent(AGENTS[0], "accept/queue").digits("1"));
    assert!(joined.contains(r#"<Queue url="connecting">support</Queue>"#), "{joined}");
    heard(caller("wait"));
    assert_eq!(placed(&host)[0].0, AGENTS[1], "the first one talks");

    let done = |status: &str| {
        let call = agent(AGENTS[0], "done/queue").status(CallStatus::InProgress);
        heard(call.param("DialCallStatus", status))
    };
    assert!(done("completed").contains("<Redirect>next</Redirect>"));
    assert!(heard(agent(AGENTS[0], "next")).contains("<Queue "));
    assert!(done("no-answer").contains("Nobody is waiting."));
    heard(caller("wait"));
    assert_eq!(placed(&host)[1].0, AGENTS[0], "free again");
}

#[test]
fn an_agent_who_hangs_up_is_free_and_one_who_never_answered_rests() {
    let host = monday_at(10);
    let over = |to: &str, status: &str| {
        let event = testing::event(EventKind::Call).step("agent").status(status);
        notify(&event.param("From", OURS).param("To", to).build()).unwrap();
    };
    heard(agent(AGENTS[0], "accept/queue").digits("1"));
    heard(caller("wait")); // rings the other one
    over(AGENTS[0], "completed");
    over(AGENTS[1], "completed"); // his voicemail answered
    heard(caller("wait"));
    heard(caller("wait"));
    let rung: Vec<_> = placed(&host).into_iter().map(|(to, _)| to).collect();
    assert_eq!(rung, [AGENTS[1], AGENTS[0]]);
}

#[test]
fn an_agent_may_call_in() {
    let host = monday_at(20);
    let joined = heard(testing::call().from(AGENTS[1]).to(OURS));
    assert!(joined.contains("<Queue "), "{joined}");
    let event = testing::event(EventKind::Call).status("completed").param("From", AGENTS[1]);
    assert_eq!(store::get_as::<String>("agent/+12025550124").unwrap().as_deref(), Some("talks"));
    notify(&event.build()).unwrap();
    assert_eq!(store::get("agent/+12025550124").unwrap(), None);
    assert!(host.outward().is_empty());
}

#[test]
fn who_waits_long_may_be_called_back() {
    let host = monday_at(10);
    let offered = |from: &str, waited: u64| {
        heard(testing::call().from(from).to(OURS).step("wait").param("QueueTime", waited)).contains("<Gather")
    };
    assert!(offered(CALLER, 120) && !offered(CALLER, 119) && !offered("anonymous", 500));
    assert!(heard(caller("choice").digits("1")).contains("<Response><Leave/>"));
    assert!(heard(caller("choice").digits("2")).contains("<Redirect>wait</Redirect>"));
    host.wait(Duration::from_secs(61)); // the agents who were rung have rested

    let left = || heard(caller("left").param("QueueResult", "leave"));
    assert!(left().contains("We call you back"));
    left();
    let before = placed(&host).len();
    run();
    run();
    let lead = format!("voice/agent/{}", CALLER.replace('+', "%2B"));
    let expected = AGENTS.map(|agent| (agent.to_owned(), lead.clone()));
    assert_eq!(placed(&host)[before..], expected, "one agent a run, for one callback");

    let accept = |number: &str| heard(agent(number, &format!("accept/{CALLER}")).digits("1"));
    let called = accept(AGENTS[0]);
    let dial =
        r#"<Dial action="done/%2B12025550177" callerId="+12025550100" timeout="25">+12025550177</Dial>"#;
    let sorted =
        |text: &str| text.split([' ', '>']).map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert!(sorted(&called).is_superset(&sorted(dial)), "{called}");
    assert!(accept(AGENTS[1]).contains("<Queue "), "it is taken, and the other agent gets the next caller");
}

#[test]
fn a_callback_that_nobody_answers_is_tried_three_times() {
    let host = monday_at(10);
    heard(caller("left").param("QueueResult", "leave"));
    for attempt in 1..=3 {
        assert!(
            heard(agent(AGENTS[0], &format!("accept/{CALLER}")).digits("1")).contains("Calling."),
            "{attempt}"
        );
        let done = agent(AGENTS[0], &format!("done/{CALLER}")).param("DialCallStatus", "no-answer");
        assert!(heard(done.status(CallStatus::InProgress)).contains("We try again later."));
        let hung_up = testing::event(EventKind::Call).status("completed").param("To", AGENTS[0]);
        notify(&hung_up.build()).unwrap();
        run();
        assert_eq!(placed(&host).len(), attempt - 1, "not at once");
        host.wait(Duration::from_secs(15 * 60));
        run();
        assert_eq!(placed(&host).len(), attempt.min(2), "a quarter of an hour later");
        host.wait(Duration::from_secs(61));
        host.new_session();
    }
    assert!(host.logged(Level::Warn, "called back 3 times"));
}

#[test]
fn who_was_served_is_not_called_back_and_nobody_is_at_night() {
    let host = monday_at(10);
    heard(caller("left").param("QueueResult", "leave"));
    assert!(heard(caller("left").param("QueueResult", "hangup")).contains("<Response><Hangup/>"));
    host.wait(Duration::from_secs(10 * 3600));
    run();
    assert!(host.outward().is_empty(), "closed");
    host.wait(Duration::from_secs(14 * 3600));
    heard(caller("left").param("QueueResult", "bridged"));
    run();
    assert!(host.outward().is_empty(), "served");
}

#[test]
fn a_queue_that_fails_leads_to_voicemail() {
    let host = monday_at(10);
    for result in ["queue-full", "system-error", "error"] {
        assert!(
            heard(caller("left").param("QueueResult", result)).contains("All lines are busy."),
            "{result}"
        );
    }
    let recorded = testing::event(EventKind::Recording).status("completed");
    notify(&recorded.param("RecordingUrl", "https://api.example.com/RE1").build()).unwrap();
    assert!(host.logged(Level::Info, "is completed: https://api.example.com/RE1"));
    assert!(answer(&caller("attic").build()).is_err());
}
