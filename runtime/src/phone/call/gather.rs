//! `<Gather>`: keys or words, and where they lead.

use super::walk::{is_true, number, sound, words};
use super::{Call, Ended, Flow, Scope};
use crate::phone::event::Heard;
use crate::phone::line::Line;
use crate::phone::params::{LegState, add, params};
use crate::phone::party::{Act, GatherAsk, Party, Presence, Question};
use crate::phone::sender::Target;
use crate::phone::speech::{lasts_ms, tones_ms};
use crate::twiml::Element;

/// Most partial results of one answer: enough to see how they come.
const PARTIALS_MAX: usize = 8;

/// How long somebody waits before the first key or word, where nobody says it: in milliseconds.
const PAUSE_MS: u64 = 1_000;

/// How long a `w` among keys waits, in milliseconds.
const WAIT_MS: u64 = 500;

/// What came of listening.
enum Input {
    Nothing,
    Digits { digits: String, finished_on: Option<char> },
    Speech { text: String, confidence: f32 },
}

impl<L: Line, P: Party> Call<'_, L, P> {
    pub(super) async fn gather(
        &mut self,
        leg: &LegState,
        scope: Scope,
        page: &Target,
        verb: &Element,
    ) -> Flow {
        if self.heard(scope, Heard::of(verb, String::new(), 0)).await == Presence::HungUp {
            return Flow::End(Ended::HungUp);
        }
        let ask = ask(verb);
        for prompt in verb.elements().filter(|inner| matches!(inner.name.as_str(), "Say" | "Play" | "Pause"))
        {
            // A prompt without end ends with the first key; the question below is then the same.
            let mut heard = sound(prompt);
            heard.prompts = Some(ask.clone());
            match self.heard(scope, heard).await {
                Presence::Stays => {}
                Presence::Interrupts { .. } => break,
                Presence::HungUp => return Flow::End(Ended::HungUp),
            }
        }
        let timeout_ms = ask.timeout_s.saturating_mul(1_000);
        let act = self.act(scope.leg(), &Question::Gather(ask.clone())).await;
        let input = match act {
            Act::HangUp => {
                self.did(scope.leg(), "hung up").await;
                return Flow::End(Ended::HungUp);
            }
            Act::Press { keys, after_ms } => self.keys(scope, &ask, &keys, after_ms).await,
            Act::Say { text, confidence, after_ms } => {
                self.words(leg, scope, page, verb, &ask, (text, confidence, after_ms)).await
            }
            Act::Nothing | Act::Record { .. } | Act::Comes(_) => {
                self.clock.pass(timeout_ms);
                Input::Nothing
            }
        };
        let language = verb.attribute("language").unwrap_or("en-US");
        let extra = match input {
            Input::Nothing if !is_true(verb, "actionOnEmptyResult") => return Flow::Next,
            Input::Nothing => params(&[("Digits", ""), ("msg", "Gather End")]),
            Input::Digits { digits, finished_on } => {
                let key = finished_on.map_or(String::new(), String::from);
                params(&[("Digits", &digits), ("FinishedOnKey", &key), ("msg", "Gather End")])
            }
            Input::Speech { text, confidence } => params(&[
                ("SpeechResult", &text),
                ("Confidence", &confidence.to_string()),
                ("Language", language),
            ]),
        };
        self.action(scope, page, verb, extra).await
    }

    /// What the platform makes of keys: it takes the finishing one away, and stops at the number that it waits for.
    async fn keys(&mut self, scope: Scope, ask: &GatherAsk, keys: &str, after_ms: Option<u64>) -> Input {
        let timeout_ms = ask.timeout_s.saturating_mul(1_000);
        let mut gap_ms = after_ms.unwrap_or_else(|| {
            let waits = keys.chars().take_while(|key| matches!(key, 'w' | 'W')).count();
            pause_ms(timeout_ms.saturating_sub(WAIT_MS.saturating_mul(waits as u64)))
        });
        let (mut digits, mut finished_on, mut late) = (String::new(), None, String::new());
        let mut rest = keys.chars();
        let mut full = false;
        while !full && finished_on.is_none() {
            let Some(key) = rest.next() else { break };
            if matches!(key, 'w' | 'W') {
                gap_ms += WAIT_MS;
                continue;
            }
            if gap_ms >= timeout_ms {
                late = std::iter::once(key).chain(rest.by_ref()).collect();
                break;
            }
            self.clock.pass(gap_ms + tones_ms("1"));
            gap_ms = 0;
            if ask.finish_on_key == Some(key) {
                finished_on = Some(key);
            } else {
                digits.push(key);
                full = ask.num_digits == Some(digits.chars().count());
            }
        }
        self.did(scope.leg(), format!("pressed {keys}")).await;
        if !full && finished_on.is_none() {
            self.clock.pass(timeout_ms);
        }
        if !late.is_empty() {
            self.too_late(scope, ask, &format!("the keys {late}")).await;
        }
        let lost: String = rest.collect();
        if !lost.is_empty() {
            let said = format!("the keys {lost} came after the last that was asked for and are lost");
            self.note(scope.leg(), None, said).await;
        }
        if !ask.dtmf {
            self.note(scope.leg(), None, "keys do not count here: input is speech").await;
            return Input::Nothing;
        }
        // The finishing key alone is no input: nothing official says so, and nothing else fits `actionOnEmptyResult`.
        if digits.is_empty() { Input::Nothing } else { Input::Digits { digits, finished_on } }
    }

    async fn words(
        &mut self,
        leg: &LegState,
        scope: Scope,
        page: &Target,
        verb: &Element,
        ask: &GatherAsk,
        (text, confidence, after_ms): (String, f32, Option<u64>),
    ) -> Input {
        self.did(scope.leg(), format!("said \u{201c}{text}\u{201d}")).await;
        let timeout_ms = ask.timeout_s.saturating_mul(1_000);
        let after_ms = after_ms.unwrap_or_else(|| pause_ms(timeout_ms));
        if !ask.speech || after_ms >= timeout_ms || text.trim().is_empty() {
            if !ask.speech {
                self.note(scope.leg(), None, "words do not count here: input is dtmf").await;
            } else if after_ms >= timeout_ms {
                self.too_late(scope, ask, "the words").await;
            }
            self.clock.pass(timeout_ms);
            return Input::Nothing;
        }
        self.clock.pass(after_ms + lasts_ms(&text));
        if let Some(link) = verb.attribute("partialResultCallback") {
            let method = verb.attribute("partialResultCallbackMethod");
            let target = self.link(scope, page, Some(link), method).await;
            let all: Vec<&str> = text.split_whitespace().collect();
            for heard in 1..=all.len().min(PARTIALS_MAX) {
                let so_far = all.iter().take(heard).copied().collect::<Vec<_>>().join(" ");
                let mut told = leg.standard(&self.sender.account);
                let sequence = (heard - 1).to_string();
                add(
                    &mut told,
                    params(&[
                        ("UnstableSpeechResult", &so_far),
                        ("Stability", "0.8"),
                        ("SequenceNumber", &sequence),
                    ]),
                );
                self.callback(scope.leg(), "partial speech", target.as_ref(), told).await;
            }
        }
        Input::Speech { text, confidence }
    }

    async fn too_late(&mut self, scope: Scope, ask: &GatherAsk, what: &str) {
        let said = format!("{what} came after the timeout of {} s and are lost", ask.timeout_s);
        self.note(scope.leg(), None, said).await;
    }
}

/// The pause of somebody who is not told how long to wait: always inside of what is `left_ms` of the timeout.
fn pause_ms(left_ms: u64) -> u64 {
    PAUSE_MS.min(left_ms / 2)
}

fn ask(verb: &Element) -> GatherAsk {
    let input = words(verb, "input");
    let takes = |word: &str| input.iter().any(|found| found == word);
    let finish_on_key = match verb.attribute("finishOnKey") {
        None => Some('#'),
        Some(value) => value.chars().next().filter(|key| key.is_ascii_digit() || matches!(key, '#' | '*')),
    };
    GatherAsk {
        dtmf: takes("dtmf") || !takes("speech"),
        speech: takes("speech"),
        timeout_s: number(verb, "timeout", 5, 1),
        num_digits: verb
            .attribute("numDigits")
            .and_then(|value| value.trim().parse::<usize>().ok())
            .filter(|&n| n > 0),
        finish_on_key,
        hints: verb.attribute("hints").unwrap_or_default().to_owned(),
        barge_in: verb.attribute("bargeIn") != Some("false"),
    }
}
