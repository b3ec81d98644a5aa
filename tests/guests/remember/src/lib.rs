//! Reads and writes session and store as the step of the URL, or the text of the message, says; answers what came of it.
//!
//! A step is a few operations, parted by `~`, each of them words parted by `,`: `session,add,tries,1~fail`. With `[config]
//! end` every webhook ends like that operation, so that two revisions of the same code end differently.

use hookswitch_sdk::StorageError;
use hookswitch_sdk::prelude::*;
use std::fmt::Write as _;
use std::time::Duration;

#[voice]
fn answer(call: &Call) -> Result<String, Error> {
    Ok(format!("<Response><Say>{}</Say></Response>", do_all(call.step())?))
}

#[messaging]
fn receive(message: &Message) -> Result<String, Error> {
    Ok(format!("<Response><Message>{}</Message></Response>", do_all(message.body())?))
}

#[events]
fn notify(event: &Event) -> Result<(), Error> {
    do_all(event.step()).map(drop)
}

/// Does what `operations` say, and says what came of them.
fn do_all(operations: &str) -> Result<String, Error> {
    let end = config::get("end");
    let mut said = String::new();
    for operation in operations.split('~').chain(end.as_deref()).filter(|operation| !operation.is_empty()) {
        let words: Vec<&str> = operation.split(',').collect();
        let came = match words.as_slice() {
            ["session", rest @ ..] => in_session(rest)?,
            ["store", rest @ ..] => in_store(rest)?,
            ["until", key] => wait_for(key)?,
            ["fail"] => bail!("failing on purpose"),
            ["panic"] => panic!("panicking on purpose"),
            ["spin"] => loop {
                std::hint::black_box(0);
            },
            ["bad-document"] => "</".to_owned(),
            _ => bail!("there is no operation {operation:?}"),
        };
        write!(said, "[{came}]").context("writing")?;
    }
    Ok(said)
}

fn in_session(words: &[&str]) -> Result<String, Error> {
    Ok(match words {
        ["get", key] => shown(session::get(key)?),
        ["set", key, value] => done(session::set(key, value))?,
        ["set-for", key, value, s] => done(session::set_for(key, value, Duration::from_secs(s.parse()?)))?,
        ["delete", key] => session::delete(key)?.to_string(),
        ["add", key, by] => session::add(key, by.parse()?)?.to_string(),
        ["swap", key, expected, new] => session::swap(key, some(expected), some(new))?.to_string(),
        ["keys"] => session::keys("")?.join(" "),
        ["flood"] => {
            let mut made = 0;
            loop {
                if let Err(why) = session::set(&format!("flood-{made}"), [0; 200]) {
                    break format!("{made} {why}");
                }
                made += 1;
            }
        }
        _ => bail!("a session has no operation {words:?}"),
    })
}

fn in_store(words: &[&str]) -> Result<String, Error> {
    Ok(match words {
        ["get", key] => shown(store::get(key)?),
        ["set", key, value] => done(store::set(key, value))?,
        ["set-for", key, value, s] => done(store::set_for(key, value, Duration::from_secs(s.parse()?)))?,
        ["delete", key] => store::delete(key)?.to_string(),
        ["add", key, by] => store::add(key, by.parse()?)?.to_string(),
        ["swap", key, expected, new] => store::swap(key, some(expected), some(new))?.to_string(),
        ["keys", prefix] => store::keys(prefix, None, 1_000)?.keys.join(" "),
        // As much as it is let, then says what ended it.
        ["flood", bytes] => {
            let value = vec![b'x'; bytes.parse()?];
            let mut made = 0;
            loop {
                if let Err(why) = store::set(&format!("flood-{}", random::u64()), &value) {
                    break format!("{made} {why}");
                }
                made += 1;
            }
        }
        ["list-flood"] => {
            let mut made = 0;
            loop {
                if let Err(why) = store::keys("", None, 1_000) {
                    break format!("{made} {why}");
                }
                made += 1;
            }
        }
        _ => bail!("a store has no operation {words:?}"),
    })
}

/// Waits until somebody has set `key` in the store: about a second of processor time, for as many operations as it has.
fn wait_for(key: &str) -> Result<String, Error> {
    while store::get(key)?.is_none() {
        let mut state = std::hint::black_box(1_u64);
        for _ in 0..500_000 {
            // Each step needs the one before, so it takes its 4 to 6 cycles.
            state = (state ^ (state >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        std::hint::black_box(state);
    }
    Ok("there".to_owned())
}

/// `-` stands for no value.
fn some(word: &str) -> Option<&[u8]> {
    (word != "-").then_some(word.as_bytes())
}

fn shown(value: Option<Vec<u8>>) -> String {
    value.map_or("-".to_owned(), |value| String::from_utf8_lossy(&value).into_owned())
}

fn done(result: Result<(), StorageError>) -> Result<String, Error> {
    Ok(result.map(|()| "ok".to_owned())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hookswitch_sdk::testing;

    #[test]
    fn operations_answer_what_came_of_them() {
        let _host = testing::host();
        for (step, expected) in [
            ("session,add,n,1~session,get,n~session,get,m", "[1][1][-]"),
            ("store,set,k,v~store,keys,k~store,delete,k~store,delete,k", "[ok][k][true][false]"),
            ("session,swap,a,-,x~session,swap,a,-,y~session,get,a", "[true][false][x]"),
        ] {
            let document = answer(&testing::call().step(step).build()).unwrap();
            assert_eq!(document, format!("<Response><Say>{expected}</Say></Response>"), "{step}");
        }
        assert!(answer(&testing::call().step("session,add,n,1~fail").build()).is_err());
    }
}
