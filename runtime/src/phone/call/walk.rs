//! A document, verb by verb.

use super::{Call, Ended, Fetch, Flow, Scope};
use crate::phone::CALL_MS_MAX;
use crate::phone::event::Heard;
use crate::phone::line::Line;
use crate::phone::params::{LegState, Params};
use crate::phone::party::{Act, Party, Presence, Question};
use crate::phone::sender::Target;
use crate::phone::speech::{PLAY_MS, lasts_ms, spoken, tones_ms};
use crate::twiml::Element;

/// A number in an attribute, brought into its range; `default` where it is none.
pub(super) fn number(element: &Element, name: &str, default: u64, min: u64) -> u64 {
    element.attribute(name).and_then(|value| value.trim().parse::<u64>().ok()).map_or(default, |n| n.max(min))
}

pub(super) fn is_true(element: &Element, name: &str) -> bool {
    element.attribute(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The words of an attribute that is a list.
pub(super) fn words(element: &Element, name: &str) -> Vec<String> {
    element.attribute(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// What `<Say>`, `<Play>` and `<Pause>` sound like; once, where they are to go on for ever.
pub(super) fn sound(verb: &Element) -> Heard {
    let (text, once_ms) = match (verb.name.as_str(), verb.attribute("digits")) {
        ("Say", _) => {
            let text = spoken(verb);
            let ms = lasts_ms(&text);
            (text, ms)
        }
        ("Play", Some(digits)) => (digits.to_owned(), tones_ms(digits)),
        ("Play", None) => (verb.text(), PLAY_MS),
        _ => (String::new(), number(verb, "length", 1, 1).saturating_mul(1_000)),
    };
    let times = if verb.name == "Pause" { 1 } else { number(verb, "loop", 1, 0).max(1) };
    Heard::of(verb, text, once_ms.saturating_mul(times).min(CALL_MS_MAX))
}

impl<L: Line, P: Party> Call<'_, L, P> {
    pub(super) async fn walk(
        &mut self,
        leg: &mut LegState,
        scope: Scope,
        page: &Target,
        root: &Element,
    ) -> Flow {
        for verb in root.elements() {
            self.tell_due().await;
            if self.too_long() {
                self.note(scope.leg(), None, "four hours: the carrier ends the call").await;
                return Flow::End(Ended::TooLong);
            }
            if let Some(verbs) = scope.verbs()
                && !verbs.contains(&verb.name.as_str())
            {
                self.out_of_place(scope, verb).await;
                continue;
            }
            // The caller goes on hearing it ring until somebody is there to speak with.
            let rings_on = verb.name == "Dial" && is_true(verb, "answerOnBridge");
            if !rings_on && !matches!(verb.name.as_str(), "Reject" | "Pause" | "Redirect") {
                self.pick_up(leg, scope);
            }
            match self.verb(leg, scope, page, verb).await {
                Flow::Next => {}
                other => return other,
            }
        }
        Flow::Next
    }

    async fn out_of_place(&mut self, scope: Scope, verb: &Element) {
        let (code, place) = match (scope, verb.name.as_str()) {
            (Scope::Called, "Dial") => (13201, "on a dialled leg"),
            (Scope::Called, _) => (12200, "on a dialled leg"),
            (Scope::ConferenceWait, _) => (13238, "in a conference's wait document"),
            (Scope::QueueWait, _) => (12200, "in a queue's wait document"),
            (Scope::Dequeue | Scope::Call, _) => (12200, "before a call leaves a queue"),
        };
        let said = format!("line {}: <{}> is not allowed {place}; it is left out", verb.line, verb.name);
        self.note(scope.leg(), Some(code), said).await;
    }

    async fn verb(&mut self, leg: &mut LegState, scope: Scope, page: &Target, verb: &Element) -> Flow {
        match verb.name.as_str() {
            "Say" | "Play" | "Pause" => self.sound(scope, verb).await,
            "Gather" => self.gather(leg, scope, page, verb).await,
            "Record" => self.record(leg, scope, page, verb).await,
            "Dial" => self.dial(leg, scope, page, verb).await,
            "Enqueue" => self.enqueue(leg, scope, page, verb).await,
            "Redirect" => self.redirect(scope, page, verb).await,
            "Hangup" => self.last(scope, verb, Ended::Hangup).await,
            "Reject" if leg.answered_at_ms.is_some() => {
                let said = format!("line {}: <Reject> after the call was answered hangs up", verb.line);
                self.note(scope.leg(), None, said).await;
                self.last(scope, verb, Ended::Hangup).await
            }
            "Reject" => {
                let busy = verb.attribute("reason") == Some("busy");
                self.last(scope, verb, Ended::Rejected { busy }).await
            }
            "Leave" if scope == Scope::QueueWait => self.last(scope, verb, Ended::Left).await,
            "Leave" => {
                let said = format!("line {}: <Leave> where there is no queue to leave", verb.line);
                self.note(scope.leg(), None, said).await;
                Flow::Next
            }
            "Refer" => self.refer(leg, scope, page, verb).await,
            "Connect" | "Start" => self.connect(leg, scope, page, verb).await,
            "Pay" => self.pay(leg, scope, page, verb).await,
            "Sms" | "Message" => self.sms(leg, scope, page, verb).await,
            "Echo" => self.endless(scope, verb, String::new()).await,
            "Stop" => self.stop(leg, scope, verb).await,
            "Prompt" | "Queue" => {
                let heard = Heard::of(verb, String::new(), 0);
                self.flow(scope, heard).await
            }
            // The check has said that nobody knows it.
            _ => Flow::Next,
        }
    }

    /// Something that is heard; what is behind it is next, unless whoever listens hangs up.
    pub(super) async fn flow(&mut self, scope: Scope, heard: Heard) -> Flow {
        match self.heard(scope, heard).await {
            Presence::Stays | Presence::Interrupts { .. } => Flow::Next,
            Presence::HungUp => Flow::End(Ended::HungUp),
        }
    }

    async fn last(&mut self, scope: Scope, verb: &Element, ended: Ended) -> Flow {
        match self.heard(scope, Heard::of(verb, String::new(), 0)).await {
            Presence::Stays | Presence::Interrupts { .. } => Flow::End(ended),
            Presence::HungUp => Flow::End(Ended::HungUp),
        }
    }

    /// `<Say>`, `<Play>`, `<Pause>`.
    async fn sound(&mut self, scope: Scope, verb: &Element) -> Flow {
        let heard = sound(verb);
        if verb.name != "Pause" && number(verb, "loop", 1, 0) == 0 {
            return self.endless(scope, verb, heard.text).await;
        }
        self.flow(scope, heard).await
    }

    /// Something that only hanging up ends, or the longest call.
    pub(super) async fn endless(&mut self, scope: Scope, verb: &Element, text: String) -> Flow {
        if self.heard(scope, Heard::of(verb, text, 0)).await == Presence::HungUp {
            return Flow::End(Ended::HungUp);
        }
        let question = Question::Endless { verb: verb.name.clone() };
        match self.act(scope.leg(), &question).await {
            Act::HangUp => Flow::End(Ended::HungUp),
            _ => {
                self.clock.pass(CALL_MS_MAX);
                Flow::End(Ended::TooLong)
            }
        }
    }

    async fn redirect(&mut self, scope: Scope, page: &Target, verb: &Element) -> Flow {
        let link = verb.text();
        let shown = crate::phone::plain_link(&link);
        if self.heard(scope, Heard::of(verb, shown, 0)).await == Presence::HungUp {
            return Flow::End(Ended::HungUp);
        }
        match self.link(scope, page, Some(&link), verb.attribute("method")).await {
            Some(target) => Flow::Go(Fetch { purpose: "redirect".into(), target, extra: Params::new() }),
            None => Flow::Next,
        }
    }

    /// Where an `action` leads; without one to the same page again.
    pub(super) async fn action(
        &mut self,
        scope: Scope,
        page: &Target,
        verb: &Element,
        extra: Params,
    ) -> Flow {
        let link = verb.attribute("action").unwrap_or_default();
        match self.link(scope, page, Some(link), verb.attribute("method")).await {
            Some(target) => Flow::Go(Fetch { purpose: verb.name.to_lowercase(), target, extra }),
            None => Flow::Next,
        }
    }
}
