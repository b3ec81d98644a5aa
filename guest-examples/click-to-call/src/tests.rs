use super::{answer, web};
use hookswitch_sdk::carrier::{CarrierError, Refusal};
use hookswitch_sdk::testing::{self, Host, Outward};
use hookswitch_sdk::web::Response;

const FORM: &str = "00112233445566778899aabbccddeeff";

fn shop() -> Host {
    testing::host().config("from", "+12025550199").config("sales", "+12025550123").config("per_number", 2)
}

fn send(form: &str, number: &str) -> Response {
    web(&testing::request("POST", "/call").form(&[("form", form), ("number", number)]).build()).unwrap()
}

#[test]
fn each_page_has_a_form_of_its_own() {
    let _host = shop();
    let page = || web(&testing::request("GET", "/").build()).unwrap();
    let (one, other) = (page(), page());
    let text = String::from_utf8_lossy(one.body()).into_owned();
    assert!(text.contains(r#"action="/dev/handler/web/call""#), "{text}");
    assert_ne!(one.body(), other.body());
    assert_eq!(one.header("cache-control"), Some("no-store"));
}

#[test]
fn a_form_is_worth_one_call_however_often_it_is_sent() {
    let host = shop();
    for _ in 0..3 {
        let answer = send(FORM, "+1 (202) 555-0177");
        assert_eq!((answer.status(), answer.header("location")), (303, Some("/dev/handler/web/thanks")));
    }
    let placed = Outward::Placed {
        to: "+12025550177".into(),
        from: "+12025550199".into(),
        lead: "voice/visitor".into(),
        later: None,
    };
    assert_eq!(host.outward(), [placed]);
}

#[test]
fn what_is_no_number_of_ours_to_call_is_refused() {
    let host = shop();
    for number in ["", "hello", "911", "2025550177", "+442079460000", "+1202555017712345", "+1202555<b>"] {
        assert_eq!(send(FORM, number).status(), 422, "{number}");
    }
    assert_eq!(send("not a form of ours", "+12025550177").status(), 400);
    assert!(host.outward().is_empty());
}

#[test]
fn a_number_is_called_so_often_in_a_day() {
    let host = shop();
    let form = |n: u32| format!("{n:032x}");
    let statuses: Vec<u16> = (0..4).map(|n| send(&form(n), "+12025550177").status()).collect();
    assert_eq!(statuses, [303, 303, 429, 429]);
    assert_eq!(send(&form(9), "+12025550178").status(), 303, "another number has its own");
    host.wait(super::DAY);
    assert_eq!(send(&form(10), "+12025550177").status(), 303);
    assert_eq!(host.outward().len(), 4);
}

#[test]
fn a_visitor_and_a_day_have_their_limits_too() {
    let _host = shop().config("per_visitor", 2);
    let statuses: Vec<u16> =
        (0..3).map(|n| send(&format!("{n:032x}"), &format!("+1202555010{n}")).status()).collect();
    assert_eq!(statuses, [303, 303, 429]);
}

#[test]
fn what_the_carrier_says_becomes_a_page() {
    let host = shop();
    host.refuse(CarrierError::Unavailable("nobody there".into()));
    assert_eq!(send(FORM, "+12025550177").status(), 503);
    let refusal = Refusal { status: 400, code: Some(21211), message: "no such number".into() };
    host.refuse(CarrierError::Refused(refusal));
    assert_eq!(send(FORM, "+12025550177").status(), 422, "nothing was done, so the form counts again");
    drop(host);

    let host = shop();
    host.refuse(CarrierError::Unknown("it was sent".into()));
    assert_eq!(send(FORM, "+12025550177").status(), 303);
    assert_eq!(send(FORM, "+12025550177").status(), 303);
    host.refuse(CarrierError::NotYours("+12025550199 is not yours".into()));
    let request =
        testing::request("POST", "/call").form(&[("form", &"0".repeat(32)), ("number", "+12025550178")]);
    assert!(web(&request.build()).unwrap_err().message().contains("`from` in [config]"));
}

#[test]
fn only_who_presses_1_is_joined_with_sales() {
    let _host = shop();
    let heard = |call: testing::CallBuilder| answer(&call.build()).unwrap().to_string();
    assert!(heard(testing::call().step("visitor")).contains(r#"action="join""#));
    assert!(heard(testing::call().step("join").digits("1")).contains(">+12025550123</Dial>"));
    assert!(!heard(testing::call().step("join").digits("2")).contains("<Dial"));
    let after = |status: &str| heard(testing::call().step("joined").param("DialCallStatus", status));
    assert!(after("no-answer").contains("will call again"));
    assert!(after("completed").contains("<Response><Hangup/>"));
}
