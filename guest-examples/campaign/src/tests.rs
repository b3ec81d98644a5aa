use super::{answer, notify, receive, web};
use hookswitch_sdk::carrier::{CarrierError, Refusal};
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::testing::{self, Host, Outward};
use hookswitch_sdk::web::Response;

const NUMBER: &str = "+12025550177";

fn agency() -> Host {
    let host = testing::host().config("from", "+12025550199").config("text", "We open at 8.");
    host.config("calls_per_minute", 2).secret("campaign-key", "k1")
}

fn ask(method: &str, path: &str, body: &str) -> Response {
    web(&testing::request(method, path).header("authorization", "Bearer k1").body(body).build()).unwrap()
}

fn upload(path: &str, list: &str) {
    assert_eq!(ask("POST", path, list).status(), 200, "{list}");
}

fn opt(word: &str, number: &str) {
    let reply = receive(&testing::message().from(number).body(word).build()).unwrap();
    assert!(reply.to_string().ends_with("<Response/>"), "the carrier has answered");
}

fn results() -> String {
    String::from_utf8_lossy(ask("GET", "/results", "").body()).replace("\r\n", " ")
}

fn run(minute: u32) -> Result<(), Error> {
    notify(&testing::run("dial", &format!("2026-11-23T15:{minute:02}:00Z"), "2026-11-23T10:00:00-05:00"))
}

fn called(host: &Host) -> Vec<String> {
    let all = host.outward().into_iter();
    all.filter_map(|outward| if let Outward::Placed { to, .. } = outward { Some(to) } else { None }).collect()
}

fn heard(call: testing::CallBuilder) -> String {
    answer(&call.to(NUMBER).direction(Direction::OutboundApi).build()).unwrap().to_string()
}

fn ended(status: &str) {
    notify(&testing::event(EventKind::Call).step("ended").status(status).param("To", NUMBER).build())
        .unwrap();
}

#[test]
fn only_who_has_the_key_comes_in() {
    let host = agency();
    assert_eq!(web(&testing::request("POST", "/list").body(NUMBER).build()).unwrap().status(), 401);
    let wrong = testing::request("POST", "/list").header("authorization", "Bearer k2").body(NUMBER);
    assert_eq!(web(&wrong.build()).unwrap().status(), 401);
    run(0).unwrap();
    assert!(called(&host).is_empty());
}

#[test]
fn a_list_is_taken_whole_or_not_at_all() {
    let _host = agency();
    let refused = ask("POST", "/list", "+12025550177\nHello\n");
    assert_eq!((refused.status(), results().as_str()), (422, "number,result "));
    assert!(String::from_utf8_lossy(refused.body()).contains(r#"line 2: "Hello" is no number"#));
    assert_eq!(ask("POST", "/list", &"+12025550177\n".repeat(301)).status(), 413);
    assert_eq!(ask("POST", "/list", "+1 202 555-0177;home\n\n\"+12025550178\",work\n").status(), 200);
    assert_eq!(results(), "number,result +12025550177,waiting +12025550178,waiting ");
}

/// As many as one upload may have.
fn three_hundred() -> Vec<String> {
    (0..300).map(|n| format!("+1202555{n:04}")).collect()
}

#[test]
fn three_hundred_are_taken_at_once_and_called_in_their_order() {
    let host = agency().config("calls_per_minute", 30);
    let numbers = three_hundred();
    upload("/list", &numbers.join("\n"));
    upload("/never", &numbers[..250].join("\n"));
    assert_eq!(results().matches(",waiting").count(), 300);
    // Of those that nobody calls, a run passes 200.
    run(0).unwrap();
    assert_eq!(called(&host).len(), 0);
    run(1).unwrap();
    run(2).unwrap();
    assert_eq!(called(&host), numbers[250..]);
    assert!(store::keys("list/", None, 10).unwrap().keys.is_empty());
    assert_eq!(results().matches(",do not call").count(), 250);
}

#[test]
fn lists_wait_behind_one_another() {
    let host = agency();
    upload("/list", "+12025550171\n");
    upload("/list", "+12025550172\n+12025550173\n");
    run(0).unwrap();
    assert_eq!(called(&host), ["+12025550171", "+12025550172"]);
    assert!(results().ends_with("+12025550173,waiting "), "{}", results());
}

#[test]
fn so_many_are_called_a_minute_and_nobody_twice() {
    let host = agency();
    let list = "+12025550171\n+12025550172\n+12025550173\n";
    upload("/list", list);
    run(0).unwrap();
    run(0).unwrap(); // tried again within its minute
    assert_eq!(called(&host), ["+12025550171", "+12025550172"]);
    upload("/list", list); // the same list again
    assert_eq!(results().matches("+12025550173,waiting").count(), 1);
    run(1).unwrap();
    run(2).unwrap();
    assert_eq!(called(&host), ["+12025550171", "+12025550172", "+12025550173"]);
}

#[test]
fn zero_calls_a_minute_pause_it() {
    let host = agency().config("calls_per_minute", 0);
    upload("/list", NUMBER);
    run(0).unwrap();
    assert!(called(&host).is_empty());
}

#[test]
fn nobody_is_called_who_does_not_want_it() {
    let host = agency();
    let all: Vec<String> = (1..=4).map(|n| format!("+1202555017{n}")).collect();
    upload("/list", &all.join("\n"));
    upload("/never", &all[0]);
    opt(" Stop ", &all[1]);
    let callback = testing::call().from(&all[2]).to("+12025550199").step("key").digits("9").build();
    assert!(answer(&callback).unwrap().to_string().contains("not call you again"));
    run(0).unwrap();
    assert_eq!(called(&host), [all[3].as_str()]);
    assert!(results().contains("+12025550171,do not call"), "{}", results());

    opt("START", &all[1]);
    assert!(store::get(&format!("never/{}", all[1])).unwrap().is_none());
}

#[test]
fn results_do_not_depend_on_the_order_of_callbacks() {
    for late in [true, false] {
        for (steps, kept) in [
            (vec![], "busy"),
            (vec![("answered", "AnsweredBy", "human")], "answered"),
            (vec![("answered", "AnsweredBy", "machine_end_beep")], "machine"),
            (vec![("answered", "AnsweredBy", "human"), ("key", "Digits", "9")], "opted out"),
        ] {
            let _host = agency();
            upload("/list", NUMBER);
            run(0).unwrap();
            let status = if steps.is_empty() { "busy" } else { "completed" };
            if !late {
                ended(status);
            }
            for (step, name, value) in steps {
                let call = testing::call().step(step);
                heard(if name == "Digits" { call.digits(value) } else { call.param(name, value) });
            }
            if late {
                ended(status);
            }
            assert_eq!(results(), format!("number,result {NUMBER},{kept} "), "late: {late}");
        }
    }
}

#[test]
fn what_was_not_done_waits_and_what_is_not_known_does_not() {
    for (error, kept, fails) in [
        (CarrierError::Unavailable("nobody there".into()), "waiting", true),
        // The pace is reached: the next minute goes on, and no run has failed.
        (CarrierError::Limited("calls per second".into(), 500), "waiting", false),
        (CarrierError::Unknown("it was sent".into()), "calling", false),
        (
            CarrierError::Refused(Refusal { status: 400, code: None, message: "no such number".into() }),
            "refused",
            false,
        ),
    ] {
        let host = agency();
        upload("/list", NUMBER);
        host.refuse(error);
        assert_eq!(run(0).is_err(), fails);
        assert_eq!(results(), format!("number,result {NUMBER},{kept} "));
        // While it was `calling`, a run of the next minute may have taken it off its list.
        for list in store::keys("list/", None, 1).unwrap().keys {
            store::delete(&list).unwrap();
        }
        let lists = store::keys("list/", None, 10).unwrap().keys;
        assert_eq!(lists.len(), usize::from(kept == "waiting"), "who waits is found by the next run");
    }
}

#[test]
fn long_results_come_in_pages() {
    let _host = agency();
    for n in 0..1_000 {
        store::set(&super::result_of(&format!("+1202555{n:04}")), "answered").unwrap();
    }
    let page = ask("GET", "/results", "");
    let next = page.header("link").unwrap();
    assert_eq!(next, "</dev/handler/web/results?after=result/%2B12025550899>; rel=\"next\"");
    let rest = ask("GET", "/results?after=result/%2B12025550899", "");
    assert_eq!((String::from_utf8_lossy(rest.body()).lines().count(), rest.header("link")), (101, None));
}

#[test]
fn who_waits_comes_behind_all_results_and_everybody_once() {
    let _host = agency();
    for n in 0..700 {
        store::set(&super::result_of(&format!("+1202666{n:04}")), "answered").unwrap();
    }
    upload("/list", &three_hundred()[..150].join("\n"));
    upload("/list", &three_hundred()[150..].join("\n"));
    let (mut path, mut lines) = ("/results".to_owned(), std::collections::BTreeSet::new());
    for lines_of_page in [850, 150] {
        let page = ask("GET", &path, "");
        let csv = String::from_utf8_lossy(page.body()).into_owned();
        assert_eq!(csv.lines().count() - 1, lines_of_page);
        lines.extend(csv.lines().skip(1).map(str::to_owned));
        let Some(link) = page.header("link") else { continue };
        let next = link.trim_start_matches("</dev/handler/web").split('>').next().unwrap();
        path = next.to_owned();
    }
    assert_eq!(lines.len(), 1_000);
    assert_eq!(lines.iter().filter(|line| line.ends_with(",waiting")).count(), 300);
}

#[test]
fn who_answers_hears_who_calls_and_how_to_hear_no_more() {
    let _host = agency();
    let heard = heard(testing::call().step("answered").param("AnsweredBy", "human"));
    assert!(heard.contains("This is Acme. We open at 8.") && heard.contains("press 9"), "{heard}");
}
