//! Agents: who is free, ringing them, and what they hear.
//!
//! An agent is free while the store has no key for his number. Whoever swaps it in has him, so two callers do not ring
//! one agent; it goes when he hangs up, and by itself where nobody tells of it.

use super::{QUEUE, callbacks};
use hookswitch_sdk::prelude::*;
use hookswitch_sdk::twiml::Queue;
use std::time::Duration;

/// What an agent is rung for: the queue, or else the number of somebody to call back.
pub const THE_QUEUE: &str = "queue";
/// How long an agent's phone rings, in seconds.
const RINGS_S: u32 = 20;
/// Whoever was rung and did not take it is left alone until this is over; the next one is rung meanwhile.
const REST: Duration = Duration::from_secs(60);
/// Longer than a conversation: for the case that nobody tells of its end.
const TALK_MAX: Duration = Duration::from_secs(2 * 60 * 60);

/// The numbers of all agents, in the order in which they are rung.
pub fn all() -> Result<Vec<String>, Error> {
    let agents = config::get("agents").context("no `agents` in [config]: \"+1202…, +1202…\"")?;
    Ok(agents.split(',').map(|agent| agent.trim().to_owned()).collect())
}

fn key(agent: &str) -> String {
    format!("agent/{agent}")
}

/// Rings the first agent who is free, showing the number `from`, for `task`; false where nobody is free.
pub fn ring(from: &str, task: &str) -> Result<bool, Error> {
    for agent in all()? {
        if !store::swap_for(&key(&agent), None, b"rung", REST)? {
            continue;
        }
        let placed = carrier::call(&agent)
            .from(from)
            .step(&format!("agent/{task}"))
            .timeout_s(RINGS_S)
            .told("status/agent")
            .place();
        match placed {
            Ok(_) => return Ok(true),
            Err(error) => log::warn!("agent {agent} can't be rung: {error}"),
        }
    }
    Ok(false)
}

/// What an agent hears who was rung. A voicemail box answers, too, so he has to press a key.
pub fn asked(task: &str) -> Document {
    let what = if task == THE_QUEUE { "A caller is waiting." } else { "Somebody wants to be called back." };
    let accept = format!("accept/{task}");
    Document::new()
        .gather(
            Gather::digits(1)
                .timeout(8)
                .action(Link::step(&accept))
                .say(what)
                .say("Press 1 to take the call."),
        )
        .hangup()
}

pub fn answered(call: &Call, task: &str) -> Result<Document, Error> {
    if call.digits() != Some("1") {
        return Ok(Document::new().hangup());
    }
    if task == THE_QUEUE {
        return next_caller(call);
    }
    // Another agent may have been rung for the same callback.
    let Some(wanted) = callbacks::take(call, task)? else {
        return next_caller(call);
    };
    take(call)?;
    let done = format!("done/{task}");
    let dial = Dial::to(task).caller_id(wanted.from).timeout(25).action(Link::step(&done));
    Ok(Document::new().say("Calling.").dial(dial))
}

/// Joins an agent with whoever waits longest; waits a little for one where nobody does.
pub fn next_caller(call: &Call) -> Result<Document, Error> {
    take(call)?;
    let first = Queue::new(QUEUE).url("connecting");
    Ok(Document::new().dial(Dial::new().timeout(15).action("done/queue").queue(first)))
}

/// What the agent was rung for is over. As long as he stays on the line he gets the next caller.
pub fn done(call: &Call, task: &str) -> Result<Document, Error> {
    let spoke = matches!(call.dial_result().status(), Some(DialStatus::Completed | DialStatus::Answered));
    let is_callback = task != THE_QUEUE;
    if is_callback && !spoke {
        callbacks::put_back(task)?;
    }
    if call.status() == CallStatus::Completed || !(spoke || is_callback) {
        store::delete(&key(agent_of(call)))?;
        return Ok(Document::new().say("Nobody is waiting. Goodbye.").hangup());
    }
    let came = if spoke { "That call is over." } else { "Nobody answered. We try again later." };
    Ok(Document::new().say(came).redirect("next"))
}

/// The carrier tells that a leg is over: an agent who spoke is free. One who did not take it keeps his rest.
pub fn hung_up(event: &Event) -> Result<(), Error> {
    for number in [event.from(), event.to()].into_iter().flatten() {
        store::swap(&key(number), Some(b"talks"), None)?;
    }
    Ok(())
}

fn take(call: &Call) -> Result<(), Error> {
    Ok(store::set_for(&key(agent_of(call)), "talks", TALK_MAX)?)
}

/// The agent's number: he was called, or calls in.
fn agent_of(call: &Call) -> &str {
    if call.direction() == Direction::Inbound { call.from() } else { call.to() }
}
