use super::{answer, notify, web};
use hookswitch_sdk::log::Level;
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::testing::{self, Host};
use hookswitch_sdk::web::Response;

fn desk() -> Host {
    testing::host()
        .config("identity", "desk")
        .config("number", "+12025550199")
        .config("application", "AP00000000000000000000000000000001")
        .config("sdk", "https://cdn.example.com/phone-sdk.js")
        .config("sdk_digest", "sha384-abc")
        .secret("phone-password", "open sesame")
}

fn get(path: &str, cookie: &str) -> Response {
    web(&testing::request("GET", path).header("cookie", format!("a=b; {cookie}")).build()).unwrap()
}

fn sign_in(password: &str) -> Response {
    web(&testing::request("POST", "/sign-in").form(&[("password", password)]).build()).unwrap()
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(response.body()).into_owned()
}

fn heard(call: testing::CallBuilder) -> String {
    answer(&call.build()).unwrap().to_string()
}

#[test]
fn nothing_is_loaded_before_the_password_is_given() {
    let _host = desk();
    let page = get("/", "phone=0123456789abcdef0123456789abcdef");
    assert!(text(&page).contains("Password") && !text(&page).contains("script"), "{}", text(&page));
    assert!(!page.header("content-security-policy").unwrap().contains("cdn.example.com"));
    for path in ["/token", "/phone.js"] {
        assert_eq!(get(path, "").status(), 401, "{path}");
    }
    assert_eq!(sign_in("open").status(), 403);
}

#[test]
fn who_has_the_password_gets_page_and_token_for_a_working_day() {
    let host = desk();
    let answer = sign_in("open sesame");
    assert_eq!((answer.status(), answer.header("location")), (303, Some("/dev/handler/web/")));
    let set = answer.header("set-cookie").unwrap();
    assert!(
        set.ends_with("; Path=/dev/handler/web; Max-Age=36000; HttpOnly; Secure; SameSite=Strict"),
        "{set}"
    );
    let cookie = set.split(';').next().unwrap();

    let page = get("/", cookie);
    let sdk = r#"src="https://cdn.example.com/phone-sdk.js" integrity="sha384-abc" crossorigin="anonymous""#;
    assert!(text(&page).contains(sdk), "{}", text(&page));
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("script-src 'self' https://cdn.example.com/")
    );
    assert_eq!(text(&get("/token", cookie)), r#"{"token":"token-of-desk"}"#);
    assert_eq!(get("/phone.js", cookie).status(), 200);

    let out = web(&testing::request("POST", "/sign-out").header("cookie", cookie).build()).unwrap();
    assert!(out.header("set-cookie").unwrap().starts_with("phone=; "));
    assert_eq!(get("/token", cookie).status(), 401);

    let answer = sign_in("open sesame");
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
    host.wait(std::time::Duration::from_secs(36_001));
    assert_eq!(get("/token", cookie).status(), 401);
}

#[test]
fn guessing_is_slow() {
    let host = desk();
    for _ in 0..10 {
        assert_eq!(sign_in("guess").status(), 403);
    }
    assert_eq!(sign_in("open sesame").status(), 429, "right, but too late");
    host.wait(std::time::Duration::from_secs(15 * 60));
    assert_eq!(sign_in("open sesame").status(), 303);
}

#[test]
fn the_phone_calls_out_with_our_number_and_nowhere_else() {
    let host = desk();
    let dial = |number: &str| testing::call().step("out").from("client:desk").param("Number", number);
    let heard_of = heard(dial("+1 (202) 555-0177"));
    assert!(heard_of.contains(r#"callerId="+12025550199""#), "{heard_of}");
    assert!(heard_of.contains(">+12025550177</Dial>"), "{heard_of}");
    for number in ["", "911", "+442079460000", "client:other", "+1202<Dial>"] {
        assert!(heard(dial(number)).contains("We only call numbers"), "{number}");
    }
    for stranger in ["client:other", "+12025550177", "client:desk2"] {
        let refused = heard(testing::call().step("out").from(stranger).param("Number", "+12025550177"));
        assert!(refused.contains("<Reject/>"), "{refused}");
    }
    assert!(host.logged(Level::Warn, "client:other is no phone of ours"));
    assert!(heard(testing::call().step("over").param("DialCallStatus", "busy")).contains("busy"));
}

#[test]
fn the_phone_rings_and_a_missed_call_leaves_a_message() {
    let host = desk();
    assert!(heard(testing::call()).contains("<Client>desk</Client>"));
    let after = |status: &str| heard(testing::call().step("missed").param("DialCallStatus", status));
    assert!(after("no-answer").contains("<Record "));
    assert!(after("completed").contains("<Response><Hangup/>"));
    let recorded = testing::event(EventKind::Recording).param("RecordingUrl", "https://api.example.com/RE1");
    notify(&recorded.build()).unwrap();
    assert!(host.logged(Level::Info, "https://api.example.com/RE1"));
}
