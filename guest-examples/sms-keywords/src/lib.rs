//! Answers text messages: HELP, STOP, keywords whose answers are in the settings, and pictures.
//!
//! On long codes the carrier itself answers STOP and blocks the number, so that a reply of ours would
//! never arrive: the right answer is an empty one.

use hookswitch_sdk::prelude::*;

#[messaging]
fn receive(message: &Message) -> Result<Reply, Error> {
    log::info!("{} wrote {} segments, {} media", message.from(), message.segments(), message.media_count());
    if message.media_count() > 0 {
        return Ok(Reply::new().message(acknowledge(message)));
    }
    let word = message.body().trim().to_ascii_lowercase();
    Ok(match word.as_str() {
        "stop" | "stopall" | "unsubscribe" | "cancel" | "end" | "quit" | "revoke" | "optout" => {
            log::info!("{} opted out", message.from());
            Reply::new()
        }
        "start" | "unstop" => Reply::new().message("You are back on our list. Reply STOP to leave it."),
        "help" | "info" => Reply::new().message(help()),
        _ => Reply::new().message(config::get(&format!("{REPLY}{word}")).unwrap_or_else(|| unknown(message))),
    })
}

/// Settings that begin with this hold what is answered to the word behind it.
const REPLY: &str = "reply_";

/// Says what came with the message; links in `media` expire, so fetch what should be kept.
fn acknowledge(message: &Message) -> String {
    let count = message.media().filter(|media| media.content_type.starts_with("image/")).count();
    for media in message.media() {
        log::info!("{} at {}", media.content_type, media.url);
    }
    match (count, message.media_count()) {
        (1, 1) => "Thank you for the picture.".into(),
        (pictures, all) if pictures == all as usize => format!("Thank you for the {pictures} pictures."),
        (_, all) => format!("Thank you, we got {all} files."),
    }
}

fn help() -> String {
    let all = config::all();
    let words: Vec<_> = all.iter().filter_map(|(key, _)| key.strip_prefix(REPLY)).collect();
    format!("Write one of: {}. Reply STOP to hear no more.", words.join(", ").to_ascii_uppercase())
}

fn unknown(message: &Message) -> String {
    match message.segments() {
        0..=1 => "Sorry, I know no such word. Reply HELP for those I know.".into(),
        many => format!("That took {many} messages; I only know single words. Reply HELP for them."),
    }
}

#[cfg(test)]
mod tests;
