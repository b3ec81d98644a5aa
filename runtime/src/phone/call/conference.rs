//! `<Conference>`: a room that begins when the second one comes.
//!
//! The outcome says what the room is like: *answered* is one where others are or come, any other one is empty, and
//! the caller waits in it until he hangs up.

use super::dial::{Dialled, address, within_limit};
use super::record::Told;
use super::walk::words;
use super::{Call, Ended, Fetch, Scope};
use crate::phone::event::Leg;
use crate::phone::line::Line;
use crate::phone::params::{LegState, Params, params};
use crate::phone::party::{Act, Outcome, Party, Question, Until};
use crate::phone::sender::Target;
use crate::twiml::Element;

/// Who hears of the conference, and of what.
struct Room<'a> {
    sid: String,
    name: String,
    noun: &'a Element,
    target: Option<Target>,
    wanted: Vec<String>,
    sequence: u32,
}

impl<L: Line, P: Party> Call<'_, L, P> {
    pub(super) async fn dial_conference(
        &mut self,
        leg: &mut LegState,
        page: &Target,
        verb: &Element,
        noun: &Element,
    ) -> Dialled {
        // Whoever is in a conference is joined, with or without others.
        self.pick_up(leg, Scope::Call);
        let link = noun.attribute("statusCallback").filter(|link| !link.is_empty());
        let target = self.link(Scope::Call, page, link, noun.attribute("statusCallbackMethod")).await;
        let (sid, name) = (self.sender.ids.next("CF"), address(noun));
        let wanted = words(noun, "statusCallbackEvent");
        let mut room = Room { sid, name: name.clone(), noun, target, wanted, sequence: 0 };
        self.tell_room(&mut room, leg, "join", "participant-join", Params::new()).await;

        let wait = noun.attribute("waitUrl").filter(|link| !link.is_empty());
        if let Some(target) = self.link(Scope::ConferenceWait, page, wait, noun.attribute("waitMethod")).await
        {
            let fetch = Fetch { purpose: "conference wait".into(), target, extra: Params::new() };
            match self.conduct(leg, Scope::ConferenceWait, fetch).await {
                Ended::Failed => {
                    self.note(Leg::Caller, None, "the wait document fails: there is no conference").await;
                    return Dialled::of("failed");
                }
                Ended::HungUp => return self.alone(leg, &mut room).await,
                _ => {}
            }
        }
        let question = Question::Dial { noun: "Conference".into(), to: name, timeout_s: 0 };
        let act = self.act(Leg::Caller, &question).await;
        let Act::Comes(Outcome::Answered { seconds, until, .. }) = act else {
            return self.alone(leg, &mut room).await;
        };
        let began = self.clock.moment();
        self.tell_room(&mut room, leg, "start", "conference-start", Params::new()).await;
        let recording = (noun.attribute("record") == Some("record-from-start")).then(|| self.new_recording());
        let sid = room.sid.clone();
        let (seconds, cut) = within_limit(verb, seconds);
        let told =
            Told { source: "Conference", channels: "1", seconds, began: &began, of: ("ConferenceSid", &sid) };
        if let Some(recording) = &recording {
            self.tell_recording(Scope::Call, page, noun, recording, "in-progress", &told).await;
        }
        self.did(Leg::Caller, format!("speaks in conference {} for {seconds} s", room.name)).await;
        self.waits();
        self.clock.pass(seconds.saturating_mul(1_000));
        let caller_left = self.leaves(verb, until, cut).await;
        let (left, reason) = match until {
            _ if cut => ("participant_hung_up", "last-participant-left"),
            Until::Caller => ("participant_hung_up", "last-participant-left"),
            Until::Star => ("participant_hung_up", "last-participant-left"),
            Until::Called => ("moderator_ended_conference", "participant-with-end-conference-on-exit-left"),
        };
        self.leave(&mut room, leg, left, reason, caller_left).await;
        if let Some(recording) = &recording {
            self.tell_recording(Scope::Call, page, noun, recording, "completed", &told).await;
        }
        Dialled { bridged: true, caller_left, ..Dialled::of("answered") }
    }

    /// Nobody else comes, and the caller gives up.
    async fn alone(&mut self, leg: &LegState, room: &mut Room<'_>) -> Dialled {
        self.did(Leg::Caller, "hung up, alone in the conference").await;
        self.leave(room, leg, "participant_hung_up", "last-participant-left", true).await;
        Dialled { caller_left: true, ..Dialled::of("answered") }
    }

    async fn leave(
        &mut self,
        room: &mut Room<'_>,
        leg: &LegState,
        left: &str,
        reason: &str,
        caller_left: bool,
    ) {
        let status = if caller_left { "completed" } else { "in-progress" };
        let more = params(&[("ParticipantCallStatus", status), ("ReasonParticipantLeft", left)]);
        self.tell_room(room, leg, "leave", "participant-leave", more).await;
        let more = params(&[("ReasonConferenceEnded", reason), ("CallSidEndingConference", &leg.sid)]);
        self.tell_room(room, leg, "end", "conference-end", more).await;
    }

    async fn tell_room(
        &mut self,
        room: &mut Room<'_>,
        leg: &LegState,
        word: &str,
        event: &str,
        more: Params,
    ) {
        if room.target.is_none() || !room.wanted.iter().any(|wanted| wanted == word) {
            return;
        }
        let mut told = params(&[
            ("ConferenceSid", &room.sid),
            ("FriendlyName", &room.name),
            ("AccountSid", &self.sender.account.sid),
            ("SequenceNumber", &room.sequence.to_string()),
            ("Timestamp", &self.clock.moment()),
            ("StatusCallbackEvent", event),
        ]);
        if event.starts_with("participant-") {
            let noun = room.noun;
            let flag = |name: &str, default: bool| {
                noun.attribute(name).map_or(default, |value| value == "true").to_string()
            };
            told.extend(params(&[
                ("CallSid", &leg.sid),
                ("Muted", &flag("muted", false)),
                ("Hold", "false"),
                ("Coaching", if noun.attribute("coach").is_some() { "true" } else { "false" }),
                ("EndConferenceOnExit", &flag("endConferenceOnExit", false)),
                ("StartConferenceOnEnter", &flag("startConferenceOnEnter", true)),
            ]));
            if let Some(label) = noun.attribute("participantLabel") {
                told.push(("ParticipantLabel".into(), label.to_owned()));
            }
        }
        told.extend(more);
        room.sequence += 1;
        let target = room.target.clone();
        self.callback(Leg::Caller, &format!("conference: {event}"), target.as_ref(), told).await;
    }
}
