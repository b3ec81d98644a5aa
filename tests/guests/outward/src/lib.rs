//! Asks its carrier for what the step of the URL says, and says what came of it: an id, or the kind of error and its words.

use hookswitch_sdk::carrier::{self, CarrierError};
use hookswitch_sdk::prelude::*;

/// A number that `hookswitch number add` gives to the tenant of the tests.
const OWN: &str = "+12025550199";
const SOMEBODY: &str = "+12025550100";

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    let said = match call.step() {
        "send" => came_to(message().send()),
        "send-twice" => format!("{} {}", came_to(message().send()), came_to(message().send())),
        "send-and-trap" => {
            message().send()?;
            panic!("after it was sent");
        }
        "place" => came_to(
            carrier::call(SOMEBODY)
                .from(OWN)
                .step("callback")
                .told("status/progress")
                .detect_machine(true)
                .place(),
        ),
        "place-from-a-strangers-number" => {
            came_to(carrier::call(SOMEBODY).from("+12025550111").step("x").place())
        }
        "send-from-a-strangers-number" => {
            came_to(carrier::message(SOMEBODY).from("+12025550111").body("Hello").send())
        }
        "end" => came_to(carrier::end(&format!("CA{:032x}", 7)).map(|()| "done".to_owned())),
        "delete" => came_to(carrier::delete_recording(&format!("RE{:032x}", 7)).map(|()| "done".to_owned())),
        "configure" => {
            let settings = carrier::NumberSettings::new().voice("voice").sms("sms?lang=de").status("status");
            came_to(carrier::configure_number(OWN, &settings).map(|_| "done".to_owned()))
        }
        "later" => came_to(message().body("Later").later()),
        "tomorrow" => {
            let day = time::Time::from_unix_ms(time::now().unix_ms() + 86_400_000);
            came_to(message().body("Tomorrow").at(day))
        }
        "storm" => storm(),
        "token" => came_to(carrier::browser_phone("alice").calls_through(format!("AP{:032x}", 3)).token()),
        _ => "nothing".to_owned(),
    };
    Ok(Document::new().say(said))
}

fn message() -> carrier::NewMessage {
    carrier::message(SOMEBODY).from(OWN).body("Your table is ready.")
}

fn came_to(result: carrier::Result<String>) -> String {
    match result {
        Ok(id) => id,
        Err(error) => {
            let kind = match &error {
                CarrierError::Refused(_) => "refused",
                CarrierError::Unknown(_) => "unknown",
                CarrierError::NotYours(_) => "not-yours",
                CarrierError::Limited(..) => "limited",
                CarrierError::Unavailable(_) => "unavailable",
                CarrierError::Invalid(_) => "invalid",
            };
            format!("{kind}: {error}")
        }
    }
}

/// Many more than an invocation may send; says how many were taken, and how it ended.
fn storm() -> String {
    let mut sent = 0;
    let mut last = String::new();
    for _ in 0..200 {
        match message().send() {
            Ok(_) => sent += 1,
            Err(error) => last = came_to(Err(error)),
        }
    }
    format!("{sent} sent, then {last}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use hookswitch_sdk::testing::{self, Outward};

    #[test]
    fn what_it_asks_for_is_what_the_step_says() {
        let host = testing::host();
        assert!(answer(&testing::call().step("send-twice").build()).is_ok());
        assert!(answer(&testing::call().step("place").build()).is_ok());
        assert!(answer(&testing::call().step("later").build()).is_ok());
        let kinds: Vec<bool> = host.outward().iter().map(|one| matches!(one, Outward::Sent { .. })).collect();
        assert_eq!(kinds, [true, true, false, true]);
        host.refuse(CarrierError::NotYours("no".into()));
        assert!(
            String::from(answer(&testing::call().step("send").build()).unwrap()).contains("not-yours: no")
        );
    }
}
