//! Queues: `<Enqueue>` waits in one, `<Dial><Queue>` takes the first out of one.

use super::dial::{Dialled, address, within_limit};
use super::leg::{RING_MS, TIMEOUT_ADDED_S};
use super::walk::number;
use super::{Call, Ended, Fetch, Flow, Scope};
use crate::phone::event::{Heard, Leg};
use crate::phone::line::Line;
use crate::phone::params::{LegState, Params, params};
use crate::phone::party::{Act, Outcome, Party, Presence, Question, Until};
use crate::phone::sender::Target;
use crate::twiml::Element;

/// Rounds of waiting without anybody coming. Ours: the script has forgotten to say what becomes of the call.
const ROUNDS_MAX: u32 = 100;
/// Most characters of a queue's name.
const NAME_MAX: usize = 64;
/// How long silence is waited through before asking again.
pub(crate) const SILENCE_MS: u64 = 10_000;
/// How long those who wait in the queue that is dialled have waited, in seconds.
const WAITED_S: &str = "40";

impl<L: Line, P: Party> Call<'_, L, P> {
    pub(super) async fn enqueue(
        &mut self,
        leg: &mut LegState,
        scope: Scope,
        page: &Target,
        verb: &Element,
    ) -> Flow {
        let name = verb.text();
        if self.heard(scope, Heard::of(verb, name.clone(), 0)).await == Presence::HungUp {
            return Flow::End(Ended::HungUp);
        }
        if let Some((code, why)) = refused(verb, &name) {
            self.note(scope.leg(), code, format!("{why}: the call is not queued")).await;
            let extra = params(&[("QueueResult", "error")]);
            return match verb.attribute("action") {
                Some(_) => self.action(scope, page, verb, extra).await,
                None => Flow::Next,
            };
        }
        let (queue, began_ms) = (self.sender.ids.next("QU"), self.clock.now_ms());
        let wait = verb.attribute("waitUrl").filter(|link| !link.is_empty());
        let mut wait = self.link(scope, page, wait, verb.attribute("waitUrlMethod")).await;
        let mut result = "hangup";
        let mut caller_left = true;
        for round in 0.. {
            if round >= ROUNDS_MAX && !self.clock.is_real() {
                break;
            }
            let waited_s = (self.clock.now_ms() - began_ms) / 1_000;
            match wait.clone() {
                None => {}
                Some(target) => {
                    let extra = params(&[
                        ("QueuePosition", "1"),
                        ("QueueSid", &queue),
                        ("QueueTime", &waited_s.to_string()),
                        ("AvgQueueTime", &waited_s.to_string()),
                        ("CurrentQueueSize", "1"),
                        ("MaxQueueSize", &number(verb, "maxQueueSize", 1_000, 1).to_string()),
                    ]);
                    let before_ms = self.clock.now_ms();
                    let fetch = Fetch { purpose: "queue wait".into(), target, extra };
                    match self.conduct(leg, Scope::QueueWait, fetch).await {
                        Ended::Document => {}
                        Ended::Left => {
                            (result, caller_left) = ("leave", false);
                            break;
                        }
                        // Silence then, as without a document.
                        Ended::Failed => wait = None,
                        Ended::Hangup
                        | Ended::HungUp
                        | Ended::Rejected { .. }
                        | Ended::TooLong
                        | Ended::Endless => break,
                    }
                    if self.clock.now_ms() == before_ms {
                        // A document without a sound would be asked for without end.
                        self.clock.pass(1_000);
                    }
                }
            }
            let waited_s = (self.clock.now_ms() - began_ms) / 1_000;
            match self.act(scope.leg(), &Question::Queue { name: name.clone(), waited_s }).await {
                Act::Comes(Outcome::Answered { seconds, until, .. }) => {
                    self.did(
                        Leg::Called,
                        format!("took the call out of queue {name}; both speak for {seconds} s"),
                    )
                    .await;
                    self.waits();
                    self.clock.pass(seconds.saturating_mul(1_000));
                    (result, caller_left) = ("bridged", until == Until::Caller);
                    break;
                }
                Act::Comes(Outcome::QueueFull) => {
                    (result, caller_left) = ("queue-full", false);
                    break;
                }
                Act::Comes(Outcome::Failed { .. }) => {
                    (result, caller_left) = ("system-error", false);
                    break;
                }
                Act::HangUp => {
                    self.did(scope.leg(), "hung up in the queue").await;
                    break;
                }
                _ if wait.is_some() => {}
                // For whoever lives in real time, too: what he has waited by himself is inside of it.
                _ => self.clock.pass(SILENCE_MS),
            }
            if self.too_long() {
                break;
            }
        }
        let mut extra = params(&[("QueueResult", result)]);
        if result != "queue-full" {
            let waited_s = (self.clock.now_ms() - began_ms) / 1_000;
            extra.extend(params(&[("QueueSid", &queue), ("QueueTime", &waited_s.to_string())]));
        }
        if verb.attribute("action").is_none() {
            return if caller_left { Flow::End(Ended::HungUp) } else { Flow::Next };
        }
        if caller_left {
            leg.status = "completed";
        }
        match self.action(scope, page, verb, extra).await {
            Flow::Go(fetch) if caller_left => {
                self.last_action(leg, scope, fetch).await;
                Flow::End(Ended::HungUp)
            }
            other => other,
        }
    }

    /// Takes the first out of a queue; an outcome other than *answered* is an empty one.
    pub(super) async fn dial_queue(
        &mut self,
        leg: &mut LegState,
        page: &Target,
        verb: &Element,
        noun: &Element,
    ) -> Dialled {
        let timeout_s = number(verb, "timeout", 30, 5).min(600);
        let question = Question::Dial { noun: "Queue".into(), to: address(noun), timeout_s };
        let act = self.act(Leg::Caller, &question).await;
        let Act::Comes(Outcome::Answered { seconds, until, .. }) = act else {
            self.clock.pass((timeout_s + TIMEOUT_ADDED_S) * 1_000);
            return Dialled { caller_left: act == Act::HangUp, ..Dialled::of("no-answer") };
        };
        let (queue, waiting) = (self.sender.ids.next("QU"), self.sender.ids.next("CA"));
        let mut waiting = LegState {
            sid: waiting,
            parent: None,
            from: WAITING.to_owned(),
            to: leg.to.clone(),
            direction: "inbound",
            status: "in-progress",
            own: Params::new(),
            answered_at_ms: Some(self.clock.now_ms()),
        };
        let url = noun.attribute("url").filter(|url| !url.is_empty());
        if let Some(target) = self.link(Scope::Dequeue, page, url, noun.attribute("method")).await {
            let extra =
                params(&[("QueueSid", &queue), ("QueueTime", WAITED_S), ("DequeingCallSid", &leg.sid)]);
            let fetch = Fetch { purpose: "about to leave the queue".into(), target, extra };
            self.conduct(&mut waiting, Scope::Dequeue, fetch).await;
        }
        self.clock.pass(RING_MS / 4);
        self.pick_up(leg, Scope::Call);
        let (seconds, cut) = within_limit(verb, seconds);
        self.did(Leg::Caller, format!("speaks with the first of queue {} for {seconds} s", address(noun)))
            .await;
        self.waits();
        self.clock.pass(seconds.saturating_mul(1_000));
        let caller_left = self.leaves(verb, until, cut).await;
        Dialled {
            leg_sid: Some(waiting.sid),
            seconds: Some(seconds),
            bridged: true,
            caller_left,
            extra: params(&[("QueueSid", &queue), ("QueueTime", WAITED_S)]),
            ..Dialled::of("completed")
        }
    }
}

/// Why a queue can't have this name, where it can't, and the carrier's number for it.
fn refused(verb: &Element, name: &str) -> Option<(Option<u16>, String)> {
    let count = name.chars().count();
    match count {
        // A workflow finds a queue by itself.
        0 if verb.attribute("workflowSid").is_none() => {
            Some((Some(14204), "the queue has no name".to_owned()))
        }
        // The check of the document has said so, with its code.
        _ if count > NAME_MAX => {
            Some((None, format!("the queue's name has {count} characters, at most are {NAME_MAX}")))
        }
        _ => None,
    }
}

/// Who waits in the queue that is dialled: a number that nobody has.
const WAITING: &str = "+12025550150";
