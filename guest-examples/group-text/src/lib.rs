//! A group that writes to one number: what one member writes, all others read, with the name in front.
//!
//! A member is one key in the store, so that two who join at the same moment do not overwrite each other, and who joins
//! twice is in once. Messages go through the outbox: a carrier that is busy delays them and loses none.

use hookswitch_sdk::prelude::*;
use std::time::Duration;

const MEMBER: &str = "member/";
/// Members, the host included. An invocation may ask its carrier for 32 things, and a message is one for each other member.
const MEMBERS_MAX: usize = 30;
const NAME_CHARS_MAX: usize = 20;
/// Each text is paid for by every member, in segments.
const TEXT_CHARS_MAX: usize = 300;

struct Member {
    number: String,
    name: String,
}

#[messaging]
fn receive(message: &Message) -> Result<Reply, Error> {
    let group = members()?;
    let me = group.iter().find(|member| member.number == message.from());
    let text = message.body().trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    // A word of ours counts as one where it is all that was written: "leave me some cake" is for the others.
    let alone = rest.is_empty();
    match (word.to_ascii_lowercase().as_str(), me) {
        // The carrier has answered these and blocks the number: nothing that we send would arrive.
        ("stop" | "stopall" | "unsubscribe" | "cancel" | "end" | "quit" | "revoke" | "optout", _)
            if alone =>
        {
            store::delete(&format!("{MEMBER}{}", message.from()))?;
            Ok(Reply::new())
        }
        ("help" | "info", _) if alone => Ok(Reply::new().message(
            "What you write, all others read. WHO lists them, LEAVE takes you out, STOP blocks this number.",
        )),
        ("who", Some(_)) if alone => {
            let names: Vec<_> = group.iter().map(|member| member.name.as_str()).collect();
            Ok(Reply::new().message(format!("Here are: {}.", names.join(", "))))
        }
        ("leave", Some(me)) if alone => leave(message, &group, me),
        ("remove", Some(me)) if is_host(me) => remove(&group, rest.trim()),
        (_, Some(me)) => relay(message, &group, me, text),
        (word, None) if joins(word) => join(message, &group, rest.trim()),
        (_, None) => Ok(Reply::new().message("This is a closed group: ask one of it how to join.")),
    }
}

/// Numbers that take no messages are taken out; other failures are the network's and may pass.
#[events]
fn notify(event: &Event) -> Result<(), Error> {
    let code = event.delivery().error_code();
    if let (Some(21610 | 30005 | 30006), Some(number)) = (code, event.to())
        && store::delete(&format!("{MEMBER}{number}"))?
    {
        log::warn!("{number} is no member any more: code {}", code.unwrap_or_default());
    }
    Ok(())
}

fn relay(message: &Message, group: &[Member], me: &Member, text: &str) -> Result<Reply, Error> {
    let chars = text.chars().count();
    if chars > TEXT_CHARS_MAX {
        let why = format!("Not sent: it has {chars} characters, and {TEXT_CHARS_MAX} may be sent.");
        return Ok(Reply::new().message(why));
    }
    let a_minute = config::get_as::<i64>("texts_a_minute")?.unwrap_or(6);
    let texts = store::add_for(&format!("pace/{}", me.number), 1, Duration::from_secs(60))?;
    if texts > a_minute {
        // Said once and not for each: two machines that answer each other would never end.
        let why = format!("Not sent: at most {a_minute} texts a minute.");
        return Ok(if texts == a_minute + 1 { Reply::new().message(why) } else { Reply::new() });
    }
    let missed = tell_others(message, group, &me.number, &format!("{}: {text}", me.name));
    Ok(match (missed, group.len()) {
        (_, 1) => Reply::new().message("There is nobody here but you."),
        (0, _) => Reply::new(), // a receipt for each text would cost as much as one more member
        (missed, all) => Reply::new().message(format!("Not sent to {missed} of {}.", all - 1)),
    })
}

/// Whether this is the word that joins, however either is written.
fn joins(word: &str) -> bool {
    config::get("join").is_some_and(|join| !join.is_empty() && join.to_lowercase() == word.to_lowercase())
}

fn join(message: &Message, group: &[Member], name: &str) -> Result<Reply, Error> {
    let is_plain = |c: char| c.is_alphanumeric() || c == ' ' || c == '-';
    let answer = if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || !name.chars().all(is_plain) {
        format!("Please write the word and your name behind it, at most {NAME_CHARS_MAX} letters.")
    } else if group.iter().any(|member| member.name.eq_ignore_ascii_case(name)) {
        format!("There is a {name} already. Please take another name.")
    } else if group.len() >= MEMBERS_MAX {
        format!("The group is full: it has {MEMBERS_MAX} members.")
    } else {
        store::set(&format!("{MEMBER}{}", message.from()), name)?;
        tell_others(message, group, message.from(), &format!("{name} is here."));
        format!(
            "Welcome, {name}. What you write, all others read. LEAVE takes you out. Reply STOP to hear no more."
        )
    };
    Ok(Reply::new().message(answer))
}

fn leave(message: &Message, group: &[Member], me: &Member) -> Result<Reply, Error> {
    if is_host(me) {
        return Ok(Reply::new().message("The host stays."));
    }
    store::delete(&format!("{MEMBER}{}", me.number))?;
    tell_others(message, group, &me.number, &format!("{} has left.", me.name));
    Ok(Reply::new().message("You are out of the group."))
}

/// For the host alone.
fn remove(group: &[Member], name: &str) -> Result<Reply, Error> {
    let found = group.iter().find(|member| member.name.eq_ignore_ascii_case(name) && !is_host(member));
    Ok(Reply::new().message(match found {
        Some(member) => {
            store::delete(&format!("{MEMBER}{}", member.number))?;
            format!("{} is out of the group.", member.name)
        }
        None => format!("There is no {name:?} here."),
    }))
}

/// Sends a text to all but one; says how many will not get it.
fn tell_others(message: &Message, group: &[Member], but: &str, text: &str) -> usize {
    let mut missed = 0;
    for member in group.iter().filter(|member| member.number != but) {
        let mut relayed =
            carrier::message(&member.number).from(message.to()).body(text).told("status/delivery");
        for media in message.media() {
            relayed = relayed.media(media.url);
        }
        if let Err(error) = relayed.later() {
            log::warn!("nothing goes to {}: {error}", member.number);
            missed += 1;
        }
    }
    missed
}

/// Everybody, the host first.
fn members() -> Result<Vec<Member>, Error> {
    let host = config::get("host").context("no `host` in [config]: whose group is it?")?;
    let mut group = vec![Member { number: host, name: "Host".to_owned() }];
    for key in store::keys(MEMBER, None, 100)?.keys {
        let number = key.strip_prefix(MEMBER).unwrap_or(&key).to_owned();
        if let Some(name) = store::get_as::<String>(&key)? {
            group.push(Member { number, name });
        }
    }
    Ok(group)
}

fn is_host(member: &Member) -> bool {
    config::get("host").as_deref() == Some(member.number.as_str())
}

#[cfg(test)]
mod tests;
