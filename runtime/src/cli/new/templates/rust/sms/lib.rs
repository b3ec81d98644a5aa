//! Answers text messages: each word that `[config]` in handler.toml has an answer to, and HELP, which lists them.
//!
//! The carrier itself answers STOP and blocks the number, so that a reply of ours would never arrive.

use hookswitch_sdk::prelude::*;

/// Settings that begin with this hold what is answered to the word behind it.
const REPLY: &str = "reply_";

#[messaging]
fn receive(message: &Message) -> Result<Reply, Error> {
    log::info!("{} wrote {} segments", message.from(), message.segments());
    let word = message.body().trim().to_lowercase();
    Ok(match word.as_str() {
        "stop" => Reply::new(),
        "help" => Reply::new().message(help()),
        _ => Reply::new().message(config::get(&format!("{REPLY}{word}")).unwrap_or_else(unknown)),
    })
}

fn help() -> String {
    let all = config::all();
    let words: Vec<&str> = all.iter().filter_map(|(key, _)| key.strip_prefix(REPLY)).collect();
    format!("Write one of: {}.", words.join(", ").to_uppercase())
}

fn unknown() -> String {
    "Sorry, I know no such word. Reply HELP for those I know.".into()
}

#[cfg(test)]
mod tests;
