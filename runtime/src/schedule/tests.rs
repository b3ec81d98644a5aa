//! What becomes due, what is made up, and that a moment is run once: pure parts by tables, the store on a real file.

use std::sync::Arc;

use jiff::Timestamp;

use super::due::{Due, Found, Missed, due, ended};
use super::keeper::Keeper;
use super::store::{Key, Known, State, Store};
use super::{Schedule, ScheduleSettings, check};
use crate::call::{EventKind, HandlerName, RevisionId, TenantId};
use crate::capability::Reach;
use crate::carrier::twilio::signature::Keys;
use crate::config::Config;
use crate::handler_toml::RevisionSettings;
use crate::host::{Host, Strict};
use crate::pin::PinKey;
use crate::revision::{Revision, RevisionName};
use crate::router::{Handler, Snapshot, Tenant};
use crate::secrets::SecretValues;

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
        let Found { due, next: look_at, .. } = due(&known(moment, *state, 2), &schedule, at(now));
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
        let Found { due, next: look_at, .. } =
            due(&known("2026-11-22T08:00:00Z", State::Done, 1), &daily, at(now));
        assert_eq!(due.is_some(), expected, "a run of 08:00 at {now}");
        assert_eq!(look_at, Some(at("2026-11-24T08:00:00Z")));
    }
}

#[test]
fn what_is_left_out_is_known_by_number_and_moments() {
    let every = |cron: &str| Schedule::new(&written("remind", cron, "UTC")).unwrap();
    let day = "2026-11-23T";
    // Cron, now, and which were missed since 09:00: how many, the first, the last.
    type Case<'a> = (&'a str, &'a str, Option<(u32, &'a str, Option<&'a str>)>);
    let cases: &[Case] = &[
        ("*/5 * * * *", "09:04:59Z", None),
        ("*/5 * * * *", "09:05:30Z", None),
        // The last one is made up.
        ("*/5 * * * *", "09:12:00Z", Some((1, "09:05:00Z", Some("09:05:00Z")))),
        ("*/5 * * * *", "10:02:00Z", Some((11, "09:05:00Z", Some("09:55:00Z")))),
        // None is.
        ("0 * * * *", "11:16:00Z", Some((2, "10:00:00Z", Some("11:00:00Z")))),
        ("0 * * * *", "11:14:59Z", Some((1, "10:00:00Z", Some("10:00:00Z")))),
    ];
    let expected = |(count, first, last): (u32, &str, Option<&str>)| Missed {
        count,
        first: at(&format!("{day}{first}")),
        last: last.map(|last| at(&format!("{day}{last}"))),
    };
    for (cron, now, missed) in cases {
        let known = known("2026-11-23T09:00:00Z", State::Done, 1);
        let found = due(&known, &every(cron), at(&format!("{day}{now}")));
        assert_eq!(found.missed, missed.map(expected), "{cron} at {now}");
    }
    let found =
        due(&known("2025-11-23T09:00:00Z", State::Done, 1), &every("* * * * *"), at("2026-11-23T09:00:30Z"));
    assert_eq!(found.missed, Some(Missed { count: 1_000, first: at("2025-11-23T09:01:00Z"), last: None }));
}

/// A host that has one handler with one schedule, and nothing to run it with.
fn host(schedule: &ScheduleSettings) -> Arc<Host> {
    let host = Host::reaching(&Config::default(), PinKey::random().unwrap(), None, Reach::default()).unwrap();
    let Key { tenant, handler, .. } = key();
    let settings = RevisionSettings { schedule: vec![schedule.clone()], ..RevisionSettings::default() };
    let name = RevisionName { tenant: tenant.clone(), handler, id: RevisionId(1) };
    let revision =
        Revision::new(name, &settings, SecretValues::default(), &host.pin_key, Strict::No).unwrap();
    let mut tenant = Tenant::new(tenant, Keys { tokens: Vec::new(), shared: Vec::new() }, None, 8);
    tenant.put(Handler::new(Arc::new(revision)));
    host.router.publish(Snapshot::new([tenant]));
    host
}

/// What is shown of the last run.
fn last(host: &Host) -> Option<(&'static str, u32, i64)> {
    let Key { tenant, handler, schedule } = key();
    let last = host.last_runs.last(&tenant, &handler, &schedule)?;
    Some((last.state, last.attempts, last.moment.as_second()))
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now + jiff::SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn a_run_that_fails_in_the_process_that_hands_over_is_tried_again_by_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    // No moment of its own comes while the test runs.
    let yearly = written("remind", "0 0 1 1 *", "UTC");
    let (key, now) = (key(), Timestamp::now());
    let (moment_s, now_ms) = (now.as_second(), now.as_millisecond());
    let old = Store::open(folder.path()).unwrap();
    let first = Known { moment_s: moment_s - 60, ..known("2026-11-23T09:00:00Z", State::New, 0) };
    let expression = Schedule::new(&yearly).unwrap().expression();
    old.begin(&key, &Known { expression, ..first }).unwrap();
    assert!(old.claim(&key, moment_s, 1, now_ms).unwrap());

    let host = host(&yearly);
    let keeper = Keeper::new(Arc::clone(&host), folder.path().to_owned());
    let store = keeper.open().await.unwrap();
    keeper.look(&store, now).await;
    assert_eq!(last(&host), Some(("running", 1, moment_s)));
    old.ended(&key, moment_s, State::Again { at_ms: now_ms + 2_000 }).unwrap();
    keeper.look(&store, later(now, 1)).await;
    assert_eq!(last(&host), Some(("again", 1, moment_s)));
    keeper.look(&store, later(now, 2)).await;
    let began = std::time::Instant::now();
    while old.get(&key).unwrap().unwrap().attempts != 2 {
        assert!(began.elapsed().as_secs() < 20, "{:?}", old.get(&key));
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_run_that_nobody_ends_any_more_has_failed_and_one_of_this_process_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let yearly = written("remind", "0 0 1 1 *", "UTC");
    let (key, now) = (key(), at("2026-11-23T09:00:20Z"));
    let dead = Store::open(folder.path()).unwrap();
    let expression = Schedule::new(&yearly).unwrap().expression();
    let first = Known { expression, ..known("2026-11-23T08:59:00Z", State::New, 0) };
    dead.begin(&key, &first).unwrap();
    let moment_s = first.moment_s + 60;
    assert!(dead.claim(&key, moment_s, 1, now.as_millisecond()).unwrap());

    let host = host(&yearly);
    let keeper = Keeper::new(Arc::clone(&host), folder.path().to_owned());
    let store = keeper.open().await.unwrap();
    let own = keeper.own(&key);
    for seconds in [0, 100] {
        keeper.look(&store, later(now, seconds)).await;
        assert_eq!(last(&host), Some(("running", 1, moment_s)), "this process runs it");
    }
    drop(own);
    for (seconds, state) in [(100, "running"), (159, "running"), (160, "failed"), (200, "failed")] {
        keeper.look(&store, later(now, seconds)).await;
        assert_eq!(last(&host), Some((state, 1, moment_s)), "after {seconds} s");
    }
    assert_eq!(dead.get(&key).unwrap().unwrap().state, State::Failed, "and it is not run again");
}

#[tokio::test]
async fn what_was_missed_for_long_is_noted_once_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let daily = written("remind", "0 9 * * *", "UTC");
    let key = key();
    let expression = Schedule::new(&daily).unwrap().expression();
    let before = Known { expression, ..known("2026-11-20T09:00:00Z", State::Again { at_ms: 0 }, 1) };
    let seed = Store::open(folder.path()).unwrap();
    seed.begin(&key, &before).unwrap();
    for (now, moment) in [
        ("2026-11-23T09:20:00Z", "2026-11-23T09:00:00Z"),
        ("2026-11-23T09:20:01Z", "2026-11-23T09:00:00Z"),
        ("2026-11-25T12:00:00Z", "2026-11-25T09:00:00Z"),
    ] {
        // A host that was away until then.
        let host = host(&daily);
        let keeper = Keeper::new(Arc::clone(&host), folder.path().to_owned());
        let store = keeper.open().await.unwrap();
        keeper.look(&store, at(now)).await;
        assert_eq!(last(&host), Some(("missed", 0, at(moment).as_second())), "{now}");
        let known = seed.get(&key).unwrap().unwrap();
        assert_eq!((known.state, known.moment_s), (State::Missed, at(moment).as_second()));
        assert_eq!(due(&known, &Schedule::new(&daily).unwrap(), at(now)).missed, None, "said once");
    }
    assert!(!seed.missed(&key, before.moment_s, 0).unwrap(), "only by whoever knows the newest state");
}

#[tokio::test]
async fn a_failed_run_whose_minute_passed_while_nobody_was_there_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    let yearly = written("remind", "0 0 1 1 *", "UTC");
    let (key, now) = (key(), at("2026-11-23T09:00:00Z"));
    let store = Store::open(folder.path()).unwrap();
    let expression = Schedule::new(&yearly).unwrap().expression();
    let first = Known { expression, ..known("2026-11-23T08:59:00Z", State::New, 0) };
    store.begin(&key, &first).unwrap();
    let moment_s = now.as_second();
    assert!(store.claim(&key, moment_s, 1, now.as_millisecond()).unwrap());
    store.ended(&key, moment_s, State::Again { at_ms: now.as_millisecond() + 2_000 }).unwrap();
    let host = host(&yearly);
    let keeper = Keeper::new(Arc::clone(&host), folder.path().to_owned());
    let opened = keeper.open().await.unwrap();
    keeper.look(&opened, later(now, 61)).await;
    assert_eq!(last(&host), Some(("failed", 1, moment_s)));
    assert_eq!(store.get(&key).unwrap().unwrap().state, State::Failed);
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
