use super::answer;
use hookswitch_sdk::testing::{self, CallBuilder, Host};

fn host() -> Host {
    testing::host()
        .config("greeting", "Welcome.")
        .config("sales", "+12025550123")
        .config("hours", "We are open at nine.")
}

fn heard(call: CallBuilder) -> String {
    answer(&call.build()).unwrap().to_string()
}

#[test]
fn callers_are_greeted_and_asked() {
    let _host = host();
    let heard = heard(testing::call());
    assert!(heard.contains("<Say>Welcome.</Say>") && heard.contains(r#"action="menu""#), "{heard}");
}

#[test]
fn the_menu_understands_keys_and_words() {
    let _host = host();
    let menu = || testing::call().step("menu");
    for call in [menu().digits("1"), menu().speech("Sales, please.")] {
        assert!(heard(call).contains("+12025550123"));
    }
    assert!(heard(menu().digits("2")).contains("We are open at nine."));
    assert!(heard(menu().digits("9")).contains("<Redirect>again</Redirect>"));
}

#[test]
fn what_is_missing_is_said() {
    let _host = testing::host();
    let error = answer(&testing::call().step("menu").digits("1").build()).unwrap_err();
    assert_eq!(error.message(), "no number for sales: add `sales` to [config]");
}
