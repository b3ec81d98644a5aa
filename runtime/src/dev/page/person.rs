//! Somebody at the page, in real time.
//!
//! Listens as long as a thing lasts, or until the browser says that it has read it out; presses and speaks into prompts;
//! answers when the carrier asks. What was done in an earlier call can be done again first, without waiting.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::desk::{Desk, Done, Teller};
use super::item::{Happened, told};
use crate::phone::call::SILENCE_MS;
use crate::phone::{
    Act, End, Event, GatherAsk, Heard, Leg, Outcome, Party, Presence, Question, RecordAsk, Until, What,
};

/// How long the browser's voice is waited for, beyond what was reckoned.
const VOICE_SLACK: Duration = Duration::from_secs(6);
/// How long somebody who waits in a queue waits until the wait document goes on: as long as the carrier reckons for it.
const QUEUE_ROUND: Duration = Duration::from_millis(SILENCE_MS);

/// What the page says that its person does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Input {
    /// Presses one key.
    Press { key: char },
    /// Says something.
    Say { text: String, confidence: Option<f32> },
    /// Decides what becomes of a leg, a queue, a connection.
    Decide { becomes: Becomes, seconds: Option<u64>, until: Option<WhoEnds> },
    /// Says and presses nothing more until the carrier gives up.
    Silence,
    /// Has heard enough of this.
    Skip,
    /// The browser has read out what this item tells.
    Spoken { seq: u32 },
    /// Whether the browser reads aloud.
    Voice { on: bool },
    /// Hangs up.
    HangUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Becomes {
    Answered,
    Machine,
    Busy,
    NoAnswer,
    Failed,
    QueueFull,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WhoEnds {
    Called,
    Caller,
    Star,
}

/// A party in real time.
pub(super) struct Person {
    desk: Arc<Desk>,
    teller: Teller,
    inputs: mpsc::Receiver<Input>,
    /// Done again before anybody is asked.
    again: VecDeque<Act>,
    /// Whether what was done before has to be done again still.
    fast: bool,
    /// Whether the browser reads aloud.
    voice: bool,
    /// Keys pressed into prompts, until the carrier asks for them.
    ahead: String,
    /// Words said into prompts.
    said: Option<(String, f32)>,
    delay: Duration,
}

impl Person {
    pub(super) fn new(
        desk: Arc<Desk>,
        teller: Teller,
        inputs: mpsc::Receiver<Input>,
        again: Option<VecDeque<Act>>,
        voice: bool,
    ) -> Self {
        let delay = Duration::from_millis(teller.about.faults.delay_ms);
        let fast = again.as_ref().is_some_and(|again| !again.is_empty());
        let again = again.unwrap_or_default();
        Self { desk, teller, inputs, again, fast, voice, ahead: String::new(), said: None, delay }
    }

    /// The next thing that the person does; nothing within `most` is `None`, a closed page hangs up.
    async fn input(&mut self, most: Duration) -> Option<Input> {
        match timeout(most, self.inputs.recv()).await {
            Ok(Some(Input::Voice { on })) => {
                self.voice = on;
                Some(Input::Voice { on })
            }
            Ok(Some(input)) => Some(input),
            Ok(None) => Some(Input::HangUp),
            Err(_) => None,
        }
    }

    async fn remark(&self, text: impl Into<String>) {
        // A closed page is found out by whoever waits for the next input.
        let _ = self.teller.tell(Happened::Remark { text: text.into() }).await;
    }

    /// Hears something for as long as it lasts.
    async fn listen(&mut self, heard: &Heard, seq: u32) -> Presence {
        if heard.verb == "Gather" {
            self.ahead.clear();
            self.said = None;
        }
        let began = Instant::now();
        let reckoned = Duration::from_millis(heard.lasts_ms);
        let spoken = heard.verb == "Say" && !heard.text.is_empty();
        loop {
            let lasts = if spoken && self.voice { reckoned * 2 + VOICE_SLACK } else { reckoned };
            let Some(left) = lasts.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) else {
                return Presence::Stays;
            };
            let after_ms = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            match self.input(left).await {
                None | Some(Input::Skip) => return Presence::Stays,
                Some(Input::Spoken { seq: said }) if said == seq => return Presence::Stays,
                Some(Input::HangUp) => {
                    self.hung_up().await;
                    return Presence::HungUp;
                }
                Some(Input::Press { key }) => match &heard.prompts {
                    Some(ask) if ask.dtmf => {
                        self.ahead.push(key);
                        if ask.barge_in {
                            return Presence::Interrupts { after_ms: after_ms() };
                        }
                    }
                    Some(_) => {
                        self.remark(format!("{key} does not count: this Gather takes words only")).await
                    }
                    None => self.remark(format!("{key} is lost: nothing gathers keys now")).await,
                },
                Some(Input::Say { text, confidence }) => match &heard.prompts {
                    Some(ask) if ask.speech => {
                        self.said = Some((text, confidence.unwrap_or(SURE)));
                        if ask.barge_in {
                            return Presence::Interrupts { after_ms: after_ms() };
                        }
                    }
                    Some(_) => self.remark("words do not count: this Gather takes keys only").await,
                    None => self.remark("nobody listens to words now").await,
                },
                Some(Input::Spoken { .. } | Input::Voice { .. } | Input::Decide { .. } | Input::Silence) => {}
            }
        }
    }

    /// What was done while nobody asked.
    async fn hung_up(&self) {
        let done = Done::Act(None, Act::HangUp);
        // As in `remark`.
        let _ = self.teller.tell_done(Happened::Answered { act: told(&Act::HangUp) }, Some(done)).await;
    }

    async fn asked(&mut self, question: &Question) -> Act {
        match question {
            Question::Gather(ask) => self.gather(ask).await,
            Question::Record(ask) => self.record(ask).await,
            Question::Dial { noun, timeout_s, .. } => {
                // A conference has no timeout: one waits until somebody comes.
                let most = match noun.as_str() {
                    "Conference" => HOUR,
                    _ => Duration::from_secs(timeout_s.saturating_add(5)),
                };
                self.decide(most, Act::Comes(Outcome::NoAnswer)).await
            }
            Question::Refer { .. } => self.decide(HOUR, Act::Comes(Outcome::NoAnswer)).await,
            Question::Queue { .. } => self.decide(QUEUE_ROUND, Act::Nothing).await,
            Question::Endless { verb } => self.endless(verb).await,
        }
    }

    /// Keys or words, those pressed into the prompt first.
    async fn gather(&mut self, ask: &GatherAsk) -> Act {
        let most = Duration::from_secs(ask.timeout_s);
        let began = Instant::now();
        // Just within the time, even where this machine was slow.
        let most_ms = ask.timeout_s.saturating_mul(1_000).saturating_sub(1);
        let within = |ms: u128| u64::try_from(ms).unwrap_or(u64::MAX).min(most_ms);
        if let Some((text, confidence)) = self.said.take() {
            return Act::Say { text, confidence, after_ms: Some(0) };
        }
        let mut keys = std::mem::take(&mut self.ahead);
        let mut first_ms = 0;
        let mut last = Instant::now();
        loop {
            let full = ask.num_digits.is_some_and(|wanted| keys.chars().count() >= wanted);
            let finished = ask.finish_on_key.is_some_and(|key| keys.contains(key));
            let left = most.checked_sub(last.elapsed()).filter(|left| !left.is_zero() && !full && !finished);
            let Some(left) = left else { break };
            match self.input(left).await {
                Some(Input::HangUp) => return Act::HangUp,
                None | Some(Input::Silence) => break,
                Some(Input::Press { key }) if ask.dtmf => {
                    if keys.is_empty() {
                        first_ms = within(began.elapsed().as_millis());
                    }
                    keys.push(key);
                    last = Instant::now();
                }
                Some(Input::Press { key }) => {
                    self.remark(format!("{key} does not count: this Gather takes words only")).await;
                }
                Some(Input::Say { text, confidence }) if ask.speech => {
                    let after_ms = Some(within(began.elapsed().as_millis()));
                    return Act::Say { text, confidence: confidence.unwrap_or(SURE), after_ms };
                }
                Some(Input::Say { .. }) => {
                    self.remark("words do not count: this Gather takes keys only").await;
                }
                Some(Input::Skip | Input::Spoken { .. } | Input::Voice { .. } | Input::Decide { .. }) => {}
            }
        }
        if keys.is_empty() { Act::Nothing } else { Act::Press { keys, after_ms: Some(first_ms) } }
    }

    /// A message: its length is real, its words are what was typed or recognised meanwhile.
    async fn record(&mut self, ask: &RecordAsk) -> Act {
        let began = Instant::now();
        let most = Duration::from_secs(ask.max_length_s);
        let mut text = String::new();
        let end = loop {
            let Some(left) = most.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) else {
                break End::Silence;
            };
            match self.input(left).await {
                None | Some(Input::Silence) => break End::Silence,
                Some(Input::HangUp) => break End::HangUp,
                Some(Input::Press { key }) if ask.finish_on_key.contains(key) => break End::Key(key),
                Some(Input::Press { key }) => self.remark(format!("{key} does not end this recording")).await,
                Some(Input::Say { text: said, .. }) => {
                    if !text.is_empty() {
                        text.push(' ');
                    }
                    text.push_str(&said);
                }
                Some(Input::Skip | Input::Spoken { .. } | Input::Voice { .. } | Input::Decide { .. }) => {}
            }
        };
        let lasted_s = (began.elapsed().as_millis() + 500) / 1_000;
        // Typing is quicker than speaking.
        let spoken_s = text.chars().count() as u64 / 15 + u64::from(!text.is_empty());
        let seconds = u64::try_from(lasted_s).unwrap_or(u64::MAX).max(spoken_s).min(ask.max_length_s);
        Act::Record { seconds, text, end }
    }

    /// What becomes of something; `otherwise` after `most`.
    async fn decide(&mut self, most: Duration, otherwise: Act) -> Act {
        let began = Instant::now();
        loop {
            let Some(left) = most.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) else {
                return otherwise;
            };
            match self.input(left).await {
                None | Some(Input::Silence) => return otherwise,
                Some(Input::HangUp) => return Act::HangUp,
                Some(Input::Decide { becomes, seconds, until }) => {
                    return Act::Comes(outcome(becomes, seconds, until));
                }
                Some(Input::Press { key }) => {
                    self.remark(format!("{key} is lost: nothing gathers keys now")).await;
                }
                Some(Input::Say { .. } | Input::Skip | Input::Spoken { .. } | Input::Voice { .. }) => {}
            }
        }
    }

    /// Something that goes on until somebody ends it. Sounds end with the call only.
    async fn endless(&mut self, verb: &str) -> Act {
        let sound = matches!(verb, "Say" | "Play" | "Echo");
        loop {
            match self.input(HOUR).await {
                None | Some(Input::HangUp) => return Act::HangUp,
                Some(Input::Decide { becomes, seconds, until }) if !sound => {
                    return Act::Comes(outcome(becomes, seconds, until));
                }
                Some(Input::Press { key }) if verb == "Pay" => {
                    return Act::Press { keys: key.to_string(), after_ms: None };
                }
                Some(_) => {}
            }
        }
    }

    /// What was done before, as long as it fits what is asked now.
    fn repeated(&mut self, question: &Question) -> Option<Act> {
        let act = self.again.pop_front()?;
        let fits = match question {
            Question::Gather(_) => matches!(act, Act::Press { .. } | Act::Say { .. } | Act::Nothing),
            Question::Record(_) => matches!(act, Act::Record { .. }),
            Question::Dial { .. } | Question::Refer { .. } => matches!(act, Act::Comes(_)),
            Question::Queue { .. } => matches!(act, Act::Comes(_) | Act::Nothing),
            Question::Endless { .. } => matches!(act, Act::Comes(_) | Act::Press { .. }),
        };
        if fits {
            return Some(act);
        }
        self.again.clear();
        None
    }
}

/// How sure a recognition is that is none.
const SURE: f32 = 0.9;
const HOUR: Duration = Duration::from_secs(3_600);

fn outcome(becomes: Becomes, seconds: Option<u64>, until: Option<WhoEnds>) -> Outcome {
    let seconds = seconds.unwrap_or(20).min(14_400);
    let until = match until {
        None | Some(WhoEnds::Called) => Until::Called,
        Some(WhoEnds::Caller) => Until::Caller,
        Some(WhoEnds::Star) => Until::Star,
    };
    match becomes {
        Becomes::Answered => Outcome::Answered { seconds, until, machine: false },
        Becomes::Machine => Outcome::Answered { seconds, until, machine: true },
        Becomes::Busy => Outcome::Busy,
        Becomes::NoAnswer => Outcome::NoAnswer,
        Becomes::Failed => Outcome::Failed { sip_code: 404 },
        Becomes::QueueFull => Outcome::QueueFull,
    }
}

impl Party for Person {
    async fn notice(&mut self, event: &Event) -> Presence {
        if matches!(event.what, What::Webhook(_)) && !self.delay.is_zero() && !self.fast {
            sleep(self.delay).await;
        }
        let happened = self.desk.happened(event.clone(), self.teller.about.kind);
        let Ok(seq) = self.teller.tell(happened).await else { return Presence::HungUp };
        match &event.what {
            What::Heard(heard) if !self.fast => self.listen(heard, seq).await,
            _ if self.teller.is_closed() => Presence::HungUp,
            _ => Presence::Stays,
        }
    }

    async fn act(&mut self, leg: Leg, question: &Question) -> Act {
        let repeated = self.repeated(question);
        if repeated.is_none() && self.fast {
            self.fast = false;
            self.remark("the call takes another way here than before; go on from where it is").await;
            let _ = self.teller.tell(Happened::Live).await;
        }
        let act = match repeated {
            Some(act) => act,
            None => {
                // As in `remark`.
                let _ = self.teller.tell(Happened::Asked { leg, question: question.clone() }).await;
                self.asked(question).await
            }
        };
        let done = Done::Act(Some(question.clone()), act.clone());
        let _ = self.teller.tell_done(Happened::Answered { act: told(&act) }, Some(done)).await;
        if self.fast && self.again.is_empty() {
            self.fast = false;
            let _ = self.teller.tell(Happened::Live).await;
        }
        act
    }

    fn is_live(&self) -> bool {
        true
    }
}
