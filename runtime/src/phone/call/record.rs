//! `<Record>`: a message after the tone, and who is told of it. What a dial records is told by the same code.

use super::walk::{is_true, number, words};
use super::{Call, Ended, Fetch, Flow, Scope};
use crate::phone::event::Heard;
use crate::phone::line::Line;
use crate::phone::params::{LegState, Params, add, params};
use crate::phone::party::{Act, End, Party, Presence, Question, RecordAsk};
use crate::phone::sender::Target;
use crate::twiml::Element;

/// A recording that was made.
pub(super) struct Recording {
    pub(super) sid: String,
    pub(super) url: String,
}

/// What a recording's callbacks tell beside it.
pub(super) struct Told<'a> {
    pub(super) source: &'static str,
    pub(super) channels: &'static str,
    pub(super) seconds: u64,
    pub(super) began: &'a str,
    /// `("CallSid", …)` or `("ConferenceSid", …)`.
    pub(super) of: (&'static str, &'a str),
}

impl<L: Line, P: Party> Call<'_, L, P> {
    pub(super) async fn record(
        &mut self,
        leg: &mut LegState,
        scope: Scope,
        page: &Target,
        verb: &Element,
    ) -> Flow {
        let ask = ask(verb);
        if self.heard(scope, Heard::of(verb, String::new(), 0)).await == Presence::HungUp {
            return Flow::End(Ended::HungUp);
        }
        let began = self.clock.moment();
        let recording = self.new_recording();
        self.tell_recording(scope, page, verb, &recording, "in-progress", &told(leg, 0, &began)).await;
        let act = self.act(scope.leg(), &Question::Record(ask.clone())).await;
        let (seconds, text, end) = match act {
            Act::Record { seconds, text, end } => (seconds, text, end),
            Act::Press { keys, .. } => (0, String::new(), keys.chars().next().map_or(End::Silence, End::Key)),
            Act::HangUp => (0, String::new(), End::HangUp),
            Act::Say { text, .. } => {
                (crate::phone::speech::lasts_ms(&text).div_ceil(1_000), text, End::Silence)
            }
            Act::Nothing | Act::Comes(_) => (0, String::new(), End::Silence),
        };
        let cut = seconds >= ask.max_length_s;
        let seconds = seconds.min(ask.max_length_s);
        let key = match end {
            End::Key(key) if ask.finish_on_key.contains(key) && !cut => Some(key),
            _ => None,
        };
        let hung_up = end == End::HangUp;
        // A key that ends nothing is a sound like others: then it is silence that ends the recording.
        let silence_s = if key.is_some() || hung_up || cut {
            0
        } else if ask.timeout_s == 0 {
            ask.max_length_s - seconds
        } else {
            ask.timeout_s.min(ask.max_length_s - seconds)
        };
        self.clock.pass((seconds + silence_s).saturating_mul(1_000));
        let how = match (key, hung_up) {
            (Some(key), _) => format!(" and pressed {key}"),
            (None, true) => " and hung up".to_owned(),
            (None, false) => String::new(),
        };
        self.did(scope.leg(), format!("left a message of {seconds} s{how}")).await;
        if hung_up {
            leg.status = "completed";
        }
        if seconds == 0 {
            self.tell_recording(scope, page, verb, &recording, "absent", &told(leg, 0, &began)).await;
            // An empty recording is none: the document goes on.
            return if hung_up { Flow::End(Ended::HungUp) } else { Flow::Next };
        }
        let before_trimming = seconds + silence_s;
        let trims = verb.attribute("trim") != Some("do-not-trim");
        let after_trimming = if trims { seconds } else { before_trimming };
        let extra = params(&[
            ("RecordingUrl", &recording.url),
            ("RecordingSid", &recording.sid),
            ("RecordingDuration", &before_trimming.to_string()),
            ("Digits", &if hung_up { "hangup".to_owned() } else { key.map_or(String::new(), String::from) }),
        ]);
        let flow = self.action(scope, page, verb, extra).await;
        let told = told(leg, after_trimming, &began);
        self.tell_recording(scope, page, verb, &recording, "completed", &told).await;
        if is_true(verb, "transcribe") {
            self.transcribe(leg, scope, page, verb, &recording, after_trimming, &text).await;
        }
        match flow {
            Flow::Go(fetch) if hung_up => {
                self.last_action(leg, scope, fetch).await;
                Flow::End(Ended::HungUp)
            }
            other => other,
        }
    }

    /// The action of somebody who has hung up: asked for, and its answer leads nowhere.
    pub(super) async fn last_action(&mut self, leg: &mut LegState, scope: Scope, fetch: Fetch) {
        leg.status = leg.left();
        if self.document(leg, scope, &fetch).await.is_some() {
            let said = "nobody is on the line any more: the answer is not carried out";
            self.note(scope.leg(), None, said).await;
        }
    }

    pub(super) fn new_recording(&mut self) -> Recording {
        let sid = self.sender.ids.next("RE");
        let account = &self.sender.account.sid;
        let url = format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{sid}");
        Recording { sid, url }
    }

    /// Tells `recordingStatusCallback` of `element`, where it wants this event. That it is complete comes after the request of
    /// the action, in which it may not be ready.
    pub(super) async fn tell_recording(
        &mut self,
        scope: Scope,
        page: &Target,
        element: &Element,
        recording: &Recording,
        status: &str,
        told: &Told<'_>,
    ) {
        let wanted = words(element, "recordingStatusCallbackEvent");
        let wanted =
            if wanted.is_empty() { status == "completed" } else { wanted.iter().any(|w| w == status) };
        let link = element.attribute("recordingStatusCallback").filter(|link| wanted && !link.is_empty());
        let method = element.attribute("recordingStatusCallbackMethod");
        let Some(target) = self.link(scope, page, link, method).await else { return };
        let mut params = params(&[
            ("AccountSid", &self.sender.account.sid),
            told.of,
            ("RecordingSid", &recording.sid),
            ("RecordingUrl", &recording.url),
            ("RecordingStatus", status),
            ("RecordingChannels", told.channels),
            ("RecordingStartTime", told.began),
            ("RecordingSource", told.source),
        ]);
        if status != "in-progress" {
            add(&mut params, [("RecordingDuration".to_owned(), told.seconds.to_string())]);
        }
        let purpose = format!("recording: {status}");
        if status == "completed" {
            self.callback_due(scope.leg(), &purpose, target, params);
        } else {
            self.callback(scope.leg(), &purpose, Some(&target), params).await;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of them stand in one webhook")]
    async fn transcribe(
        &mut self,
        leg: &LegState,
        scope: Scope,
        page: &Target,
        verb: &Element,
        recording: &Recording,
        seconds: u64,
        text: &str,
    ) {
        let Some(target) = self.link(scope, page, verb.attribute("transcribeCallback"), None).await else {
            return;
        };
        // Source: Twilio, Record: longer than 2 s, shorter than 120 s.
        let status = if (3..120).contains(&seconds) { "completed" } else { "failed" };
        let sid = self.sender.ids.next("TR");
        let account = self.sender.account.sid.clone();
        let url = format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Transcriptions/{sid}");
        let mut all: Params = leg.standard(&self.sender.account);
        add(
            &mut all,
            params(&[
                ("TranscriptionSid", &sid),
                ("TranscriptionText", if status == "completed" { text } else { "" }),
                ("TranscriptionStatus", status),
                ("TranscriptionUrl", &url),
                ("RecordingSid", &recording.sid),
                ("RecordingUrl", &recording.url),
            ]),
        );
        self.callback_due(scope.leg(), "transcription", target, all);
    }
}

fn told<'a>(leg: &'a LegState, seconds: u64, began: &'a str) -> Told<'a> {
    Told { source: "RecordVerb", channels: "1", seconds, began, of: ("CallSid", &leg.sid) }
}

fn ask(verb: &Element) -> RecordAsk {
    let longest = if is_true(verb, "transcribe") { 120 } else { 3_600 };
    RecordAsk {
        max_length_s: number(verb, "maxLength", longest, 1),
        timeout_s: number(verb, "timeout", 5, 0),
        finish_on_key: verb.attribute("finishOnKey").unwrap_or("1234567890*#").to_owned(),
    }
}
