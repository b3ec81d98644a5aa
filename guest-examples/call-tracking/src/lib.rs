//! Tells which campaign a caller comes from: each campaign prints a number of its own.
//!
//! The agent hears the campaign before being joined with the caller (the whisper), and the log gets a line
//! for each thing that happens to the agent's leg. The campaign travels in the links, because a
//! handler remembers nothing from one webhook to the next. When the leg is over it becomes a lead in a
//! CRM: see [`leads`].

mod leads;

use hookswitch_sdk::prelude::*;
use hookswitch_sdk::twiml::CallEvent;
use leads::Lead;

#[voice]
fn answer(call: &Call) -> Result<Document, Error> {
    match call.step().split_once('/').unwrap_or((call.step(), "")) {
        ("", _) => connect(call),
        ("whisper", campaign) => Ok(whisper(campaign)),
        ("after", campaign) => Ok(after(call, campaign)),
        _ => bail!("there is no step {:?}; which link leads to it?", call.step()),
    }
}

#[events]
fn notify(event: &Event) -> Result<(), Error> {
    if event.run().is_some() {
        return leads::send_waiting();
    }
    let campaign = event.step().strip_prefix("leg/").unwrap_or("unknown");
    let progress = event.progress();
    log::info!(
        "campaign={campaign} call={} status={} seconds={}",
        event.subject(),
        event.status(),
        progress.call_duration_seconds().unwrap_or(0),
    );
    if progress.status() == Some(CallStatus::Failed) {
        log::warn!("the agent's number failed with SIP code {:?}", progress.sip_response_code());
    }
    match progress.status() {
        Some(
            CallStatus::Completed
            | CallStatus::Busy
            | CallStatus::NoAnswer
            | CallStatus::Failed
            | CallStatus::Canceled,
        ) => leads::take(&Lead {
            call: event.subject().to_owned(),
            campaign: campaign.to_owned(),
            from: event.from().unwrap_or("unknown").to_owned(),
            status: event.status().to_owned(),
            seconds: progress.call_duration_seconds().unwrap_or(0),
        }),
        _ => Ok(()),
    }
}

fn connect(call: &Call) -> Result<Document, Error> {
    let agent = config::get("agent").context("no `agent` in [config]")?;
    let campaign = config::get(call.to()).unwrap_or_else(|| {
        log::warn!("{} belongs to no campaign: add it to [config]", call.to());
        "unknown".into()
    });
    log::info!("campaign={campaign} from={} city={}", call.from(), call.caller_city().unwrap_or("unknown"));

    let leg = Number::new(agent)
        .url(Link::step(&format!("whisper/{campaign}")))
        .status_callback(Link::status_step(&format!("leg/{campaign}")))
        .status_callback_event([CallEvent::Ringing, CallEvent::Answered, CallEvent::Completed]);
    let after = format!("after/{campaign}");
    Ok(Document::new().dial(Dial::new().timeout(25).action(Link::step(&after)).number(leg)))
}

/// What the agent hears before being joined with the caller, who goes on hearing the ringing.
fn whisper(campaign: &str) -> Document {
    Document::new().say(format!("A call from the campaign {}.", campaign.replace('-', " ")))
}

fn after(call: &Call, campaign: &str) -> Document {
    let dial = call.dial_result();
    let seconds = dial.duration_seconds().unwrap_or(0);
    log::info!("campaign={campaign} call={} spoke seconds={seconds}", call.id());
    match dial.status() {
        Some(DialStatus::Completed | DialStatus::Answered) => Document::new().hangup(),
        _ => Document::new()
            .say("Nobody can take your call. We have your number and will call you back.")
            .hangup(),
    }
}

#[cfg(test)]
mod tests;
