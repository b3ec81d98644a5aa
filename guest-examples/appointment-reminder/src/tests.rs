use super::{answer, next_day, notify, web};
use hookswitch_sdk::carrier::{CarrierError, Refusal};
use hookswitch_sdk::log::Level;
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::testing::{self, Host, Outward};
use hookswitch_sdk::web::Response;

const WHEN: &str = "2026-11-24T09:30";
const NUMBER: &str = "+12025550177";

fn office() -> Host {
    testing::host().config("from", "+12025550199").config("office", "+12025550123").secret("office-key", "k1")
}

fn ask(method: &str, path: &str, key: &str, fields: &[(&str, &str)]) -> Response {
    let request = testing::request(method, path).header("authorization", format!("Bearer {key}"));
    web(&request.form(fields).build()).unwrap()
}

fn book(when: &str, number: &str) -> u16 {
    ask("POST", "/appointments", "k1", &[("when", when), ("number", number)]).status()
}

fn list() -> String {
    String::from_utf8_lossy(ask("GET", "/?day=2026-11-24", "k1", &[]).body()).into_owned()
}

/// The run of the day before.
fn run(minute: u32) -> Result<(), Error> {
    let [utc, local] = ["14", "09"].map(|hour| format!("2026-11-23T{hour}:{minute:02}:00"));
    notify(&testing::run("remind", &format!("{utc}Z"), &format!("{local}-05:00")))
}

fn heard(call: testing::CallBuilder) -> String {
    answer(&call.to(NUMBER).direction(Direction::OutboundApi).build()).unwrap().to_string()
}

#[test]
fn only_the_office_comes_in() {
    let _host = office();
    assert_eq!(web(&testing::request("GET", "/").build()).unwrap().status(), 401);
    for key in ["", "k", "k2", "k11"] {
        assert_eq!(ask("GET", "/", key, &[]).status(), 401, "{key}");
    }
    assert_eq!(book(WHEN, NUMBER), 201);
    for (when, number) in [("tomorrow", NUMBER), ("2026-11-24", NUMBER), (WHEN, "2025550177"), (WHEN, "")] {
        assert_eq!(book(when, number), 422, "{when} {number}");
    }
    for when in [
        "2026-99-99T99:99",
        "2026-13-01T09:30",
        "2026-00-01T09:30",
        "2026-11-31T09:30",
        "2026-11-00T09:30",
        "2026-02-29T09:30",
        "2026-11-24T24:00",
        "2026-11-24T09:60",
    ] {
        assert_eq!(book(when, NUMBER), 422, "{when}");
    }
    assert_eq!(book("2028-02-29T23:59", NUMBER), 201);
    assert_eq!(list(), "2026-11-24T09:30 +12025550177 not called yet\n");
    assert_eq!(ask("DELETE", "/appointments", "k1", &[("when", WHEN), ("number", NUMBER)]).status(), 204);
    assert_eq!(list(), "");
}

#[test]
fn who_has_an_appointment_tomorrow_is_called_once() {
    let host = office();
    book(WHEN, NUMBER);
    book("2026-11-25T09:30", "+12025550178");
    for minute in [0, 0, 5] {
        run(minute).unwrap();
    }
    let placed = Outward::Placed {
        to: NUMBER.into(),
        from: "+12025550199".into(),
        lead: "voice/remind/2026-11-24T09%3A30".into(),
        later: None,
    };
    assert_eq!(host.outward(), [placed]);
    assert!(list().contains("calling"));
}

#[test]
fn many_are_called_in_portions() {
    let host = office();
    for n in 10..35 {
        book(WHEN, &format!("+120255501{n}"));
    }
    run(0).unwrap();
    assert_eq!(host.outward().len(), 20);
    run(5).unwrap();
    assert_eq!(host.outward().len(), 25);
}

#[test]
fn a_day_of_many_appointments_is_listed_and_called_to_its_end() {
    let host = office();
    for n in 0..900 {
        book(WHEN, &format!("+1202555{n:04}"));
    }
    for n in 0..700 {
        store::set(&super::answer_of(WHEN, &format!("+1202555{n:04}")), "confirmed").unwrap();
    }
    run(0).unwrap();
    assert_eq!(host.outward().len(), 20);
    let list = list();
    assert_eq!((list.lines().count(), list.matches("not called yet").count()), (900, 180));
}

#[test]
fn what_was_not_done_is_tried_again_and_what_is_refused_is_not() {
    let host = office();
    book(WHEN, NUMBER);
    host.refuse(CarrierError::Unavailable("nobody there".into()));
    assert_eq!(run(0).unwrap_err().message(), "calling +12025550177");
    assert!(list().contains("not called yet"));
    // The pace is reached: no run has failed, and the next one goes on.
    host.refuse(CarrierError::Limited("60 of these a minute".into(), 900));
    run(5).unwrap();
    assert!(list().contains("not called yet"));
    let refusal = Refusal { status: 400, code: Some(21211), message: "no such number".into() };
    host.refuse(CarrierError::Refused(refusal));
    run(5).unwrap();
    assert!(list().contains("can't be called"));
    assert!(host.logged(Level::Warn, "no such number"));
}

#[test]
fn keys_and_machines_are_taken_down() {
    for (step, param, says, kept) in [
        ("answer", ("Digits", "1"), "look forward", "confirmed"),
        ("answer", ("Digits", "2"), ">+12025550123</Dial>", "wants another time"),
        ("silent", ("Digits", ""), "We expect you", "heard, no key"),
        ("remind", ("AnsweredBy", "machine_end_beep"), "please call this number", "message left"),
    ] {
        let _host = office();
        book(WHEN, NUMBER);
        run(0).unwrap();
        let call = testing::call().step(format!("{step}/{WHEN}"));
        let call = if param.0 == "Digits" { call.digits(param.1) } else { call.param(param.0, param.1) };
        let heard = heard(call);
        assert!(heard.contains(says), "{heard}");
        assert!(list().contains(kept), "{}", list());
        // The end of the call is told afterwards, and changes nothing.
        let over = testing::event(EventKind::Call).step(format!("call/{WHEN}")).status("completed");
        notify(&over.param("To", NUMBER).build()).unwrap();
        assert!(list().contains(kept), "{}", list());
    }
}

#[test]
fn who_is_not_reached_is_in_the_list() {
    for (status, kept) in [("no-answer", "no-answer"), ("busy", "busy"), ("completed", "hung up")] {
        let _host = office();
        book(WHEN, NUMBER);
        run(0).unwrap();
        let over = testing::event(EventKind::Call).step(format!("call/{WHEN}")).status(status);
        notify(&over.param("To", NUMBER).build()).unwrap();
        assert!(list().contains(kept), "{}", list());
    }
}

#[test]
fn a_person_is_asked_and_a_wrong_key_asked_again() {
    let _host = office();
    let first = heard(testing::call().step(format!("remind/{WHEN}")).param("AnsweredBy", "human"));
    assert!(first.contains("appointment with us tomorrow at 09:30"), "{first}");
    assert!(first.contains(r#"action="answer/2026-11-24T09%3A30""#), "{first}");
    assert!(heard(testing::call().step(format!("answer/{WHEN}")).digits("7")).contains("neither 1 nor 2"));
    assert!(
        heard(testing::call().step("office").param("DialCallStatus", "busy")).contains("We will call you")
    );
}

#[test]
fn the_day_after_is_right_at_the_end_of_months() {
    for (today, tomorrow) in [
        ("2026-11-23T09:00:00-05:00", "2026-11-24"),
        ("2026-11-30T09:00:00-05:00", "2026-12-01"),
        ("2026-12-31T09:00:00-05:00", "2027-01-01"),
        ("2026-02-28T09:00:00-05:00", "2026-03-01"),
        ("2028-02-28T09:00:00-05:00", "2028-02-29"),
        ("2000-02-29T09:00:00-05:00", "2000-03-01"),
        ("2100-02-28T09:00:00-05:00", "2100-03-01"),
    ] {
        assert_eq!(next_day(today).as_deref(), Some(tomorrow));
    }
    assert_eq!(next_day(""), None);
}
