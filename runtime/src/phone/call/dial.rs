//! `<Dial>`: other legs, what becomes of them, and what is told of it.

use super::leg::{BUSY_MS, Progress, RING_MS, TIMEOUT_ADDED_S};
use super::record::{Recording, Told};
use super::walk::{is_true, number, words};
use super::{Call, Ended, Fetch, Flow, Scope};
use crate::phone::event::{Heard, Leg};
use crate::phone::line::Line;
use crate::phone::params::{LegState, Params, is_reachable, params};
use crate::phone::party::{Act, Outcome, Party, Presence, Question, Until};
use crate::phone::sender::Target;
use crate::twiml::{Element, Node};

/// Most nouns of one dial.
/// Source: Twilio, Dial: up to 10.
const NOUNS_MAX: usize = 10;

/// What a dial came to.
pub(super) struct Dialled {
    pub(super) status: &'static str,
    pub(super) leg_sid: Option<String>,
    pub(super) seconds: Option<u64>,
    pub(super) bridged: bool,
    pub(super) caller_left: bool,
    /// What else the action is told.
    pub(super) extra: Params,
}

impl Dialled {
    pub(super) const fn of(status: &'static str) -> Self {
        let extra = Params::new();
        Self { status, leg_sid: None, seconds: None, bridged: false, caller_left: false, extra }
    }
}

/// A leg that is dialled.
struct Attempt {
    leg: LegState,
    progress: Progress,
    outcome: Outcome,
}

impl<L: Line, P: Party> Call<'_, L, P> {
    pub(super) async fn dial(
        &mut self,
        leg: &mut LegState,
        scope: Scope,
        page: &Target,
        verb: &Element,
    ) -> Flow {
        let nouns = nouns(verb);
        let whom: Vec<String> = nouns.iter().map(address).collect();
        if self.heard(scope, Heard::of(verb, whom.join(", "), 0)).await == Presence::HungUp {
            return Flow::End(Ended::HungUp);
        }
        let conference = nouns.iter().find(|noun| noun.name == "Conference");
        if conference.is_some() && nouns.len() > 1 {
            self.note(scope.leg(), Some(13000), "a Conference beside other nouns: only it is dialled").await;
        }
        let caller_id = verb.attribute("callerId").filter(|id| !id.is_empty());
        let shown = caller_id.filter(|id| !is_shown(id) && nouns.iter().any(|noun| noun.name == "Number"));
        let dialled = if let Some(shown) = shown {
            self.note(
                scope.leg(),
                Some(13247),
                format!("callerId {shown:?} is no number: nobody is dialled"),
            )
            .await;
            Dialled::of("failed")
        } else if let Some(noun) = conference {
            self.dial_conference(leg, page, verb, noun).await
        } else if let Some(noun) = nouns.iter().find(|noun| noun.name == "Queue") {
            self.dial_queue(leg, page, verb, noun).await
        } else {
            self.dial_legs(leg, page, verb, &nouns).await
        };
        self.after_dial(leg, scope, page, verb, dialled).await
    }

    async fn after_dial(
        &mut self,
        leg: &mut LegState,
        scope: Scope,
        page: &Target,
        verb: &Element,
        dialled: Dialled,
    ) -> Flow {
        let mut extra = params(&[("DialCallStatus", dialled.status)]);
        if let Some(sid) = dialled.leg_sid {
            extra.push(("DialCallSid".into(), sid));
        }
        if let Some(seconds) = dialled.seconds {
            extra.push(("DialCallDuration".into(), seconds.to_string()));
        }
        extra.push(("DialBridged".into(), dialled.bridged.to_string()));
        extra.extend(dialled.extra);
        if dialled.caller_left {
            leg.status = leg.left();
            if verb.attribute("action").is_some()
                && let Flow::Go(fetch) = self.action(scope, page, verb, extra).await
            {
                self.last_action(leg, scope, fetch).await;
            }
            return Flow::End(Ended::HungUp);
        }
        if verb.attribute("action").is_none() {
            return Flow::Next;
        }
        self.action(scope, page, verb, extra).await
    }

    /// Numbers, clients, SIP addresses…: all at once, or one after the other.
    async fn dial_legs(
        &mut self,
        caller: &mut LegState,
        page: &Target,
        verb: &Element,
        nouns: &[Element],
    ) -> Dialled {
        if nouns.is_empty() {
            self.note(Leg::Caller, Some(13224), "<Dial> says nobody to dial").await;
            return Dialled::of("failed");
        }
        let timeout_s = number(verb, "timeout", 30, 5).min(600);
        let groups: Vec<&[Element]> = if is_true(verb, "sequential") {
            nouns.chunks(1).take(NOUNS_MAX).collect()
        } else {
            nouns.chunks(NOUNS_MAX).take(1).collect()
        };
        let mut last = Dialled::of("no-answer");
        for group in groups {
            let mut attempts = Vec::with_capacity(group.len());
            for noun in group {
                attempts.push(self.attempt(caller, page, verb, noun, timeout_s).await);
            }
            let winner =
                attempts.iter().position(|attempt| matches!(attempt.outcome, Outcome::Answered { .. }));
            if let Some(winner) = winner {
                self.clock.pass(RING_MS);
                // What comes after it comes on top of how long it really rang.
                self.waits();
                let won = attempts.remove(winner);
                for lost in &mut attempts {
                    self.give_up(lost, true).await;
                }
                let Some(noun) = group.get(winner) else { break };
                return self.speak(caller, page, verb, noun, won).await;
            }
            let longest_ms = attempts.iter().map(|attempt| rings_ms(attempt.outcome, timeout_s)).max();
            self.clock.pass(longest_ms.unwrap_or_default());
            for lost in &mut attempts {
                last = self.give_up(lost, false).await;
            }
        }
        last
    }

    /// Begins to ring, and asks what becomes of it.
    async fn attempt(
        &mut self,
        caller: &LegState,
        page: &Target,
        verb: &Element,
        noun: &Element,
        timeout_s: u64,
    ) -> Attempt {
        let to = address(noun);
        let sid = self.sender.ids.next("CA");
        let from = verb.attribute("callerId").filter(|id| !id.is_empty()).unwrap_or(&caller.from).to_owned();
        let mut leg = LegState {
            sid,
            parent: Some(caller.sid.clone()),
            from,
            to: to.clone(),
            direction: "outbound-dial",
            status: "initiated",
            own: own_params(noun),
            answered_at_ms: None,
        };
        let link = noun.attribute("statusCallback").filter(|link| !link.is_empty());
        let target = self.link(Scope::Call, page, link, noun.attribute("statusCallbackMethod")).await;
        let mut progress = Progress::new(target, &words(noun, "statusCallbackEvent"));
        self.progress(&leg, Leg::Called, &mut progress, "initiated", Params::new()).await;
        let question = Question::Dial { noun: noun.name.clone(), to, timeout_s };
        let outcome = match self.act(Leg::Caller, &question).await {
            Act::Comes(outcome) => outcome,
            // The caller puts down the receiver while it rings.
            Act::HangUp => Outcome::Answered { seconds: 0, until: Until::Caller, machine: false },
            _ => Outcome::NoAnswer,
        };
        if !matches!(outcome, Outcome::Failed { .. }) {
            leg.status = "ringing";
            self.progress(&leg, Leg::Called, &mut progress, "ringing", Params::new()).await;
        }
        Attempt { leg, progress, outcome }
    }

    /// A leg that nobody speaks on. `canceled`: another one was answered first.
    async fn give_up(&mut self, attempt: &mut Attempt, canceled: bool) -> Dialled {
        let (status, sip_code) = match attempt.outcome {
            _ if canceled => ("canceled", 487),
            Outcome::Busy | Outcome::QueueFull => ("busy", 486),
            Outcome::Failed { sip_code } => ("failed", sip_code),
            Outcome::NoAnswer | Outcome::Answered { .. } => ("no-answer", 487),
        };
        attempt.leg.status = status;
        if !canceled {
            self.did(Leg::Called, format!("{}: {status}", attempt.leg.to)).await;
        }
        self.progress_end(&attempt.leg, Leg::Called, &mut attempt.progress, sip_code, None).await;
        Dialled { leg_sid: Some(attempt.leg.sid.clone()), seconds: Some(0), ..Dialled::of(status) }
    }

    /// A leg that was answered: machine or not, whisper, conversation, end.
    async fn speak(
        &mut self,
        caller: &mut LegState,
        page: &Target,
        verb: &Element,
        noun: &Element,
        attempt: Attempt,
    ) -> Dialled {
        let Attempt { mut leg, mut progress, outcome } = attempt;
        let Outcome::Answered { seconds, until, machine } = outcome else {
            return Dialled::of("no-answer");
        };
        if until == Until::Caller && seconds == 0 {
            // Gone before anybody answered.
            leg.status = "canceled";
            self.did(Leg::Caller, "hung up while it rang").await;
            self.progress_end(&leg, Leg::Called, &mut progress, 487, None).await;
            return Dialled { leg_sid: Some(leg.sid), caller_left: true, ..Dialled::of("canceled") };
        }
        leg.status = "in-progress";
        let answered_at_ms = self.clock.now_ms();
        leg.answered_at_ms = Some(answered_at_ms);
        let who = if machine { "a machine answered" } else { "answered" };
        self.did(Leg::Called, format!("{} {who}", leg.to)).await;
        self.progress(&leg, Leg::Called, &mut progress, "answered", Params::new()).await;
        self.machine_detection(&leg, page, noun, machine).await;

        let began = self.clock.moment();
        let mut recording = None;
        if dial_records(verb) {
            let begun = self.new_recording();
            let told = dial_told(caller, verb, 0, &began);
            self.tell_recording(Scope::Call, page, verb, &begun, "in-progress", &told).await;
            recording = Some(begun);
        }
        let mut joined = true;
        if let Some(target) = self
            .link(
                Scope::Called,
                page,
                noun.attribute("url").filter(|url| !url.is_empty()),
                noun.attribute("method"),
            )
            .await
        {
            let fetch = Fetch { purpose: "called party answered".into(), target, extra: Params::new() };
            let ended = self.conduct(&mut leg, Scope::Called, fetch).await;
            joined = ended == Ended::Document;
        }
        let (mut spoken, mut cut) = (0, false);
        if joined {
            self.pick_up(caller, Scope::Call);
            (spoken, cut) = within_limit(verb, seconds);
            let speaking = format!("both speak for {spoken} s");
            self.did(Leg::Caller, speaking).await;
            self.waits();
            self.clock.pass(spoken.saturating_mul(1_000));
        }
        let caller_left = joined && self.leaves(verb, until, cut).await;
        leg.status = "completed";
        let whole = (self.clock.now_ms() - answered_at_ms).div_ceil(1_000);
        let mut extra = Params::new();
        if let Some(recording) = recording {
            extra = self.dial_recorded(caller, page, verb, &recording, spoken, &began).await;
        }
        self.progress_end(&leg, Leg::Called, &mut progress, 200, Some(&extra)).await;
        Dialled {
            status: "completed",
            leg_sid: Some(leg.sid),
            seconds: Some(whole),
            bridged: joined,
            caller_left,
            extra: extra.into_iter().filter(|(name, _)| name == "RecordingUrl").collect(),
        }
    }

    /// Whether it is the caller who goes, and not on with the document.
    pub(super) async fn leaves(&mut self, verb: &Element, until: Until, cut: bool) -> bool {
        if cut {
            self.note(Leg::Caller, None, "the time limit of the dial ends it").await;
            return false;
        }
        match until {
            Until::Called => {
                self.did(Leg::Called, "hung up").await;
                false
            }
            Until::Star if is_true(verb, "hangupOnStar") => {
                self.did(Leg::Caller, "pressed *").await;
                false
            }
            Until::Star => {
                let said = "* does not end this dial, which has no hangupOnStar; the called party hangs up";
                self.note(Leg::Caller, None, said).await;
                false
            }
            Until::Caller => {
                self.did(Leg::Caller, "hung up").await;
                true
            }
        }
    }

    async fn machine_detection(&mut self, leg: &LegState, page: &Target, noun: &Element, machine: bool) {
        let Some(mode) = noun.attribute("machineDetection") else { return };
        let answered_by = match (machine, mode) {
            (false, _) => "human",
            (true, "DetectMessageEnd") => "machine_end_beep",
            (true, _) => "machine_start",
        };
        let link = noun.attribute("amdStatusCallback");
        let target = self.link(Scope::Called, page, link, noun.attribute("amdStatusCallbackMethod")).await;
        let told = params(&[
            ("CallSid", &leg.sid),
            ("AccountSid", &self.sender.account.sid),
            ("AnsweredBy", answered_by),
            ("MachineDetectionDuration", if machine { "4200" } else { "1800" }),
        ]);
        self.callback(Leg::Called, "machine detection", target.as_ref(), told).await;
    }

    async fn dial_recorded(
        &mut self,
        caller: &LegState,
        page: &Target,
        verb: &Element,
        recording: &Recording,
        seconds: u64,
        began: &str,
    ) -> Params {
        let told = dial_told(caller, verb, seconds, began);
        let status = if seconds > 0 { "completed" } else { "absent" };
        self.tell_recording(Scope::Call, page, verb, recording, status, &told).await;
        let made = params(&[
            ("RecordingUrl", &recording.url),
            ("RecordingSid", &recording.sid),
            ("RecordingDuration", &seconds.to_string()),
        ]);
        self.dial_recording = Some(made.clone());
        made
    }
}

fn dial_records(verb: &Element) -> bool {
    !matches!(verb.attribute("record"), None | Some("false" | "do-not-record"))
}

/// What is told of a recording that begins when the dialled party answers.
fn dial_told<'a>(caller: &'a LegState, verb: &Element, seconds: u64, began: &'a str) -> Told<'a> {
    let dual = verb.attribute("record").is_some_and(|mode| mode.ends_with("-dual"));
    let channels = if dual { "2" } else { "1" };
    Told { source: "DialVerb", channels, seconds, began, of: ("CallSid", &caller.sid) }
}

/// How long a conversation lasts that would last `seconds`, and whether the dial's time limit cuts it.
pub(super) fn within_limit(verb: &Element, seconds: u64) -> (u64, bool) {
    let limit_s = number(verb, "timeLimit", 14_400, 1);
    (seconds.min(limit_s), seconds > limit_s)
}

/// Whether a telephone can show this as the caller: a number, the address of a client, or that it is withheld.
fn is_shown(caller_id: &str) -> bool {
    const WITHHELD: [&str; 5] = ["anonymous", "unknown", "restricted", "unavailable", "private"];
    is_reachable(caller_id) || WITHHELD.contains(&caller_id.to_lowercase().as_str())
}

/// How long it rings before nobody is found, in milliseconds.
fn rings_ms(outcome: Outcome, timeout_s: u64) -> u64 {
    match outcome {
        Outcome::NoAnswer => (timeout_s + TIMEOUT_ADDED_S) * 1_000,
        Outcome::Busy | Outcome::QueueFull | Outcome::Failed { .. } | Outcome::Answered { .. } => BUSY_MS,
    }
}

/// Whom a dial names: its nouns, or its own text as a number.
fn nouns(verb: &Element) -> Vec<Element> {
    let nouns: Vec<Element> = verb.elements().cloned().collect();
    let text = verb.text();
    if !nouns.is_empty() || text.is_empty() {
        return nouns;
    }
    let children = vec![Node::Text(text)];
    vec![Element { name: "Number".into(), attributes: Vec::new(), children, line: verb.line }]
}

/// `To` of a leg to this noun.
pub(super) fn address(noun: &Element) -> String {
    let inner = |name: &str| noun.elements().find(|inner| inner.name == name).map(Element::text);
    match noun.name.as_str() {
        "Client" => format!("client:{}", inner("Identity").unwrap_or_else(|| noun.text())),
        "Sip" => inner("SipUri").or_else(|| inner("Uri")).unwrap_or_else(|| noun.text()),
        "WhatsApp" => format!("whatsapp:{}", noun.text()),
        "Application" => format!("app:{}", inner("ApplicationSid").unwrap_or_else(|| noun.text())),
        _ => noun.text(),
    }
}

/// `<Parameter>` children become parameters of the leg's webhooks.
fn own_params(noun: &Element) -> Params {
    let pairs = noun.elements().filter(|inner| inner.name == "Parameter");
    pairs
        .filter_map(|inner| Some((inner.attribute("name")?.to_owned(), inner.attribute("value")?.to_owned())))
        .collect()
}
