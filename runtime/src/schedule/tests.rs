//! What becomes due, what is made up, and that a moment is run once: pure parts by tables, the store on a real file.

use jiff::Timestamp;

use super::keeper::{Due, due, ended};
use super::store::{Key, Known, State, Store};
use super::{Schedule, ScheduleSettings, check};
use crate::call::{EventKind, HandlerName, TenantId};

fn written(name: &str, cron: &str, timezone: &str) -> ScheduleSettings {
    ScheduleSettings { name: name.into(), cron: cron.into(), timezone: timezone.into() }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn known(moment: &str, state: State, attempts: u32) -> Known {
    let moment = at(moment);
    Known {
        expression: String::new(),
        moment_s: moment.as_second(),
        state,
        attempts,
        began_ms: moment.as_millisecond() + 500,
    }
}

fn key() -> Key {
    Key {
        tenant: TenantId::new("acme").unwrap(),
        handler: HandlerName::new("ivr").unwrap(),
        schedule: "remind".into(),
    }
}

#[test]
fn what_was_missed_is_made_up_once_and_not_for_long() {
    // Known moment, its state, now → the moment that is due, which attempt.
    type Case<'a> = (&'a str, State, &'a str, Option<(&'a str, u32)>);
    let again = |text: &str| State::Again { at_ms: at(text).as_millisecond() };
    let cases: &[Case] = &[
        ("2026-11-23T09:00:00Z", State::Done, "2026-11-23T09:04:59Z", None),
        ("2026-11-23T09:00:00Z", State::Done, "2026-11-23T09:05:00Z", Some(("2026-11-23T09:05:00Z", 1))),
        ("2026-11-23T09:00:00Z", State::New, "2026-11-23T09:05:01Z", Some(("2026-11-23T09:05:00Z", 1))),
        // Two were missed: the last of them.
        ("2026-11-23T09:00:00Z", State::Done, "2026-11-23T09:12:00Z", Some(("2026-11-23T09:10:00Z", 1))),
        // Cut off by a crash: nobody knows how far it got.
        ("2026-11-23T09:00:00Z", State::Running, "2026-11-23T09:01:00Z", None),
        ("2026-11-23T09:00:00Z", again("2026-11-23T09:00:10Z"), "2026-11-23T09:00:09Z", None),
        (
            "2026-11-23T09:00:00Z",
            again("2026-11-23T09:00:10Z"),
            "2026-11-23T09:00:10Z",
            Some(("2026-11-23T09:00:00Z", 3)),
        ),
        // Its minute is over.
        ("2026-11-23T09:00:00Z", again("2026-11-23T09:00:10Z"), "2026-11-23T09:01:10Z", None),
        // The next moment counts for more than another attempt at the last.
        (
            "2026-11-23T09:00:00Z",
            again("2026-11-23T09:00:10Z"),
            "2026-11-23T09:05:00Z",
            Some(("2026-11-23T09:05:00Z", 1)),
        ),
    ];
    let schedule = Schedule::new(&written("remind", "*/5 * * * *", "UTC")).unwrap();
    for (moment, state, now, expected) in cases {
        let (due, look_at) = due(&known(moment, *state, 2), &schedule, at(now));
        let found = due.map(|due| (due.moment, due.attempt));
        assert_eq!(
            found,
            expected.map(|(moment, attempt)| (at(moment), attempt)),
            "{moment} {state:?} at {now}"
        );
        assert!(look_at.is_some_and(|look_at| look_at > at(now)));
    }

    let daily = Schedule::new(&written("report", "0 9 * * *", "Europe/Berlin")).unwrap();
    for (now, expected) in [("2026-11-23T08:14:59Z", true), ("2026-11-23T08:15:01Z", false)] {
        let (due, look_at) = due(&known("2026-11-22T08:00:00Z", State::Done, 1), &daily, at(now));
        assert_eq!(due.is_some(), expected, "a run of 08:00 at {now}");
        assert_eq!(look_at, Some(at("2026-11-24T08:00:00Z")));
    }
}

#[test]
fn a_failed_run_is_tried_three_times_more_within_its_minute() {
    let start = at("2026-11-23T09:00:00Z");
    let mut due = Due { moment: start, attempt: 1, began_ms: start.as_millisecond() };
    let mut now_ms = start.as_millisecond();
    let mut pauses = Vec::new();
    while let State::Again { at_ms } = ended(Some("HS202"), &due, now_ms) {
        pauses.push(at_ms - now_ms);
        (now_ms, due.attempt) = (at_ms, due.attempt + 1);
    }
    assert_eq!(pauses, [2_000, 8_000, 20_000]);
    let late = Due { attempt: 2, ..due };
    assert_eq!(ended(Some("HS201"), &late, start.as_millisecond() + 55_000), State::Failed);
    assert_eq!(ended(Some("HS210"), &Due { attempt: 1, ..due }, start.as_millisecond()), State::Failed);
    assert_eq!(ended(None, &due, now_ms), State::Done);
}

#[test]
fn a_moment_is_claimed_once_by_whichever_process() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = [(); 2].map(|()| Store::open(folder.path()).unwrap());
    let (key, first) = (key(), known("2026-11-23T09:00:00Z", State::New, 0));
    one.begin(&key, &first).unwrap();
    let next_s = first.moment_s + 300;

    assert!(!one.claim(&key, first.moment_s, 1, 0).unwrap(), "it is in force since then, and not before");
    assert!(one.claim(&key, next_s, 1, 7).unwrap());
    assert!(!other.claim(&key, next_s, 1, 8).unwrap());
    assert!(!other.claim(&key, next_s, 2, 8).unwrap(), "one that runs is not tried again");

    one.ended(&key, next_s, State::Again { at_ms: 99 }).unwrap();
    assert!(!other.claim(&key, next_s, 1, 8).unwrap());
    assert!(other.claim(&key, next_s, 2, 7).unwrap());
    assert!(!one.claim(&key, next_s, 2, 7).unwrap());
    other.ended(&key, next_s, State::Done).unwrap();
    assert!(!one.claim(&key, next_s, 3, 7).unwrap(), "what is done is not tried again");
    // Too late: it is done.
    one.ended(&key, next_s, State::Failed).unwrap();

    drop((one, other));
    let after = Store::open(folder.path()).unwrap();
    let expected = Known { moment_s: next_s, state: State::Done, attempts: 2, began_ms: 7, ..first };
    assert_eq!(after.all().unwrap(), [(key.clone(), expected)]);
    after.forget(&key).unwrap();
    assert_eq!(after.get(&key).unwrap(), None);
}

#[test]
fn a_damaged_store_is_put_aside_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("schedules.db"), "not a database, but as long as one would be")
        .unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.all().unwrap(), []);
    let aside = std::fs::read_dir(folder.path())
        .unwrap()
        .any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with("schedules.db.damaged-"));
    assert!(aside);
}

#[test]
fn a_run_says_what_it_is_and_when_it_was_to_be() {
    let schedule = Schedule::new(&written("remind", "0 9 * * *", "Europe/Berlin")).unwrap();
    let event = schedule.event(at("2026-11-23T08:00:00Z"), 2);
    assert_eq!(event.kind, EventKind::Schedule);
    assert_eq!(event.subject, "schedule:remind:2026-11-23T08:00Z");
    assert_eq!((event.status.as_str(), event.step.as_str()), ("schedule", "remind"));
    assert_eq!(
        event.form,
        "Schedule=remind&ScheduledTime=2026-11-23T08%3A00%3A00Z&LocalTime=2026-11-23T09%3A00%3A00%2B01%3A00\
         &Timezone=Europe%2FBerlin&Attempt=2"
    );
}

#[test]
fn what_is_wrong_with_a_schedule_is_said() {
    let cases = [
        (written("Remind me", "* * * * *", "UTC"), "[[schedule]] name: \"Remind me\" is no name"),
        (
            written("a", "* * * * * *", "UTC"),
            "[[schedule]] cron: \"* * * * * *\" has 6 fields; seconds are not offered",
        ),
        (
            written("a", "* * * * *", "Europe/Atlantis"),
            "[[schedule]] timezone: \"Europe/Atlantis\" is not in the",
        ),
        (written("a", "* * * * *", "+02:00"), "[[schedule]] timezone"),
        (written("a", "* * * * *", ""), "[[schedule]] timezone"),
    ];
    for (schedule, expected) in cases {
        let (place, error) = check(&[written("b", "@daily", "UTC"), schedule.clone()]).unwrap_err();
        assert_eq!(place, 1);
        assert!(error.to_string().starts_with(expected), "{schedule:?}: {error}");
    }
    let (_, twice) = check(&[written("a", "@daily", "UTC"), written("a", "@hourly", "UTC")]).unwrap_err();
    assert!(twice.to_string().contains("\"a\" is there twice"), "{twice}");
    let many: Vec<_> = (0..21).map(|n| written(&format!("s{n}"), "@daily", "UTC")).collect();
    assert!(check(&many).unwrap_err().1.to_string().contains("a handler may have 20"));
}
