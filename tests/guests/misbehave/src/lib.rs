//! Does what handlers must not do, one misbehaviour at a time: the step of the URL, or the text of the
//! message, names it. The host has to end each of them with its documented outcome.
//!
//! Misbehaviours by what they go against: processor time ([`cpu`]), memory ([`memory`]), the document
//! ([`documents`]), the log and the contract (here).

use hookswitch_sdk::prelude::*;

mod cpu;
mod documents;
mod memory;

#[voice]
fn answer(call: &Call) -> Result<String, Error> {
    misbehave(call.step())
}

#[messaging]
fn receive(message: &Message) -> Result<String, Error> {
    misbehave(message.body().trim())
}

#[events]
fn notify(event: &Event) -> Result<(), Error> {
    misbehave(event.step()).map(drop)
}

/// Misbehaves as told. Where that can be survived, the document is an ordinary one.
fn misbehave(how: &str) -> Result<String, Error> {
    if config::get("trap").as_deref() == Some("always") {
        trap();
    }
    match how {
        "" | "ok" => {}
        // Tells two runs apart.
        "random" => return Ok(format!("<Response><!-- {} --></Response>", random::u64())),

        "spin" => cpu::spin(),
        "spin-log" => cpu::spin_with_host_calls(),
        "backtrack" => cpu::backtrack(),
        "slow-but-ok" => cpu::work_for_about_20_ms(),
        "recurse" => cpu::recurse(),
        "recurse-in-memory" => cpu::recurse_with_large_frames(),

        "grow-small" => memory::grow_page_by_page(),
        "grow-large" => memory::allocate_a_gigabyte(),
        "alloc-until-fail" => memory::allocate_until_it_fails(),
        "memory-touch" => memory::touch(30),
        "memory-fill" => memory::fill_forever(),

        "panic" => panic!("misbehaving on purpose, step {how:?}"),
        "panic-long" => panic!("{}", "a long story ".repeat(10_000)),
        "trap" => trap(),
        "failure" => return failure(),

        // Tells everybody what only it may know.
        "say-secret" => return Ok(format!("<Response><Say>{}</Say></Response>", secrets::get("crm-key")?)),
        "log-secret" => log::info!("the key is {}, I repeat: {0}", secrets::get("crm-key")?),
        "fail-with-secret" => {
            return Err(Error::new(format!("the key {} does not work", secrets::get("crm-key")?)));
        }
        "panic-with-secret" => panic!("the key {} does not work", secrets::get("crm-key")?),
        "foreign-secret" => return secrets::get("other"),

        "log-flood" => {
            flood_with_entries();
            flood_with_bytes();
        }
        "log-flood-entries" => flood_with_entries(),
        "log-flood-bytes" => flood_with_bytes(),

        _ => return documents::named(how).with_context(|| format!("there is no misbehaviour {how:?}")),
    }
    Ok(documents::ORDINARY.into())
}

fn trap() {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort();
}

/// A failure with a chain of causes.
fn failure() -> Result<String, Error> {
    let seats: u32 = "many".parse().context("reading the number of seats").context("placing the caller")?;
    Ok(seats.to_string())
}

/// Many more entries than an invocation has.
fn flood_with_entries() {
    for entry in 0..10_000 {
        log::info!("entry {entry}");
    }
}

/// Few entries, many more bytes than an invocation has.
fn flood_with_bytes() {
    let text = "0123456789abcdef".repeat(4 * 1024);
    for _ in 0..16 {
        log::warn(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hookswitch_sdk::testing;

    #[test]
    fn misbehaviours_that_can_be_survived_are_named_as_the_tests_name_them() {
        let host = testing::host();
        for how in ["", "ok", "slow-but-ok", "memory-touch", "empty", "outside-grammar"] {
            assert!(answer(&testing::call().step(how).build()).is_ok(), "{how}");
            assert!(receive(&testing::message().body(how).build()).is_ok(), "{how}");
            assert!(notify(&testing::event(EventKind::Other).step(how).build()).is_ok(), "{how}");
        }
        answer(&testing::call().step("log-flood").build()).unwrap();
        assert_eq!(host.log().len(), 10_016);
    }

    #[test]
    fn the_failure_has_a_chain_of_causes() {
        let error = misbehave("failure").unwrap_err();
        assert_eq!(error.message(), "placing the caller");
        assert_eq!(error.causes(), ["reading the number of seats", "invalid digit found in string"]);
        assert_eq!(
            misbehave("unheard-of").unwrap_err().message(),
            r#"there is no misbehaviour "unheard-of""#
        );
    }
}
