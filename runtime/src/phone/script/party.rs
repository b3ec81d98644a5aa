//! Somebody who does what a script says, and listens for what it expects.

use super::expect::{Failure, lines, quoted};
use super::read::Script;
use super::steps::{EndedBy, Kept, Step, Stored};
use crate::phone::line::Line;
use crate::phone::{Act, Event, Leg, Party, Presence, Question, What};

/// A script that is being played.
pub(super) struct Reader<'s, L> {
    script: &'s Script,
    line: &'s L,
    /// Where the handler is.
    handler: &'s str,
    /// The next step.
    at: usize,
    /// What was heard since the last thing done, with how long after it.
    heard: Vec<(u64, Event)>,
    /// When something happened last.
    now_ms: u64,
    /// When something was done last.
    done_at_ms: u64,
    /// What was stored instead of what a step expects.
    stored: Option<String>,
    pub(super) failure: Option<Failure>,
}

impl<'s, L: Line> Reader<'s, L> {
    /// Plays `script` with the handler whose URLs are in the folder `handler`.
    pub(super) fn new(script: &'s Script, line: &'s L, handler: &'s str) -> Self {
        Self {
            script,
            line,
            handler,
            at: 0,
            heard: Vec::new(),
            now_ms: 0,
            done_at_ms: 0,
            stored: None,
            failure: None,
        }
    }

    fn step(&self) -> Option<&'s Step> {
        self.script.steps.get(self.at).map(|placed| &placed.step)
    }

    fn line(&self) -> usize {
        self.script.steps.get(self.at).map_or(self.script.line, |placed| placed.line)
    }

    /// The first failure stands; what follows from it is noise.
    pub(super) fn fail(&mut self, expected: String, hint: Option<String>) {
        let line = self.line();
        let found = lines(self.heard.iter().map(|(_, event)| event));
        self.failure.get_or_insert(Failure { line, expected, found, hint });
    }

    /// The same, because of what a step may have been about already.
    fn fail_of(&mut self, expected: String, found: Vec<String>) {
        let line = self.line();
        self.failure.get_or_insert(Failure { line, expected, found, hint: None });
    }

    fn expected_is_missing(&mut self, step: &Step) {
        let hint = match step {
            Step::Hear(expected) => expected.nearest(&self.heard),
            Step::Stored(_) => self.stored.clone(),
            _ => None,
        };
        self.fail(format!("expected to {}", step.shown()), hint);
    }

    fn done(&mut self) {
        self.at += 1;
        self.heard.clear();
        self.done_at_ms = self.now_ms;
    }

    /// Steps over all expectations that have come true by now.
    async fn advance(&mut self) {
        while let Some(step) = self.step() {
            let came_true = match step {
                Step::Stored(stored) => self.is_stored(stored).await,
                step => self.has_heard(step),
            };
            if !came_true {
                return;
            }
            self.at += 1;
        }
    }

    /// Whether what `step` expects was heard; it is not heard a second time.
    fn has_heard(&mut self, step: &Step) -> bool {
        let fits = |(since_ms, event): &(u64, Event)| match (step, &event.what) {
            (Step::Hear(expected), What::Heard(heard)) => expected.fits(event, heard, *since_ms),
            (step, _) => step.is_done_by(event),
        };
        let waits =
            matches!(step, Step::Hear(_) | Step::Placed { .. } | Step::Sent { .. } | Step::Requested(_));
        let places = self.heard.iter().enumerate().filter(|(_, heard)| fits(heard)).map(|(place, _)| place);
        let places: Vec<usize> = places.take(step.wanted()).collect();
        if !waits || places.len() < step.wanted() {
            return false;
        }
        let last = places.last().copied();
        let mut place = 0;
        // What is heard has its order; what is done outward meanwhile may be expected in any.
        self.heard.retain(|(_, event)| {
            let before = last.is_some_and(|last| place <= last);
            // What `sent` expects, which an `<Sms>` does too.
            let outward =
                event.what.is_outward() || matches!(event.what, What::Message { by_carrier: false, .. });
            let taken = places.contains(&place) || (before && !outward && matches!(step, Step::Hear(_)));
            place += 1;
            !taken
        });
        true
    }

    async fn is_stored(&mut self, stored: &Stored) -> bool {
        match stored.look(self.line, self.handler).await {
            Ok(()) => true,
            Err(instead) => {
                self.stored = Some(instead);
                false
            }
        }
    }

    async fn listen(&mut self, event: &Event) -> Presence {
        self.now_ms = event.at_ms;
        // Webhooks that go well are no news, and long.
        if !matches!(&event.what, What::Webhook(exchange) if exchange.error.is_none()) {
            self.heard.push((event.at_ms.saturating_sub(self.done_at_ms), event.clone()));
        }
        self.advance().await;
        if let Some(text) = self.script.forbidden_in(event) {
            let said = format!("never to hear \u{201c}{text}\u{201d}, and it was heard");
            self.fail_of(said, lines([event]));
        }
        match &event.what {
            What::Heard(_) => {
                if matches!(self.step(), Some(Step::HangUp)) {
                    self.done();
                    return Presence::HungUp;
                }
            }
            What::Webhook(exchange) => {
                if let Some(code) = &exchange.error {
                    match self.step() {
                        Some(Step::Error(wanted)) if wanted == code => self.at += 1,
                        _ => {
                            let said =
                                format!("the webhook \u{201c}{}\u{201d} failed: {code}", exchange.purpose);
                            let hint =
                                "ARCHITECTURE.md has the codes; `{ error = … }` expects one".to_owned();
                            self.fail(said, Some(hint));
                        }
                    }
                }
                let slow = self.script.answered_within_ms.and_then(|most| exchange.slower_than(most));
                if let Some((said, found)) = slow {
                    self.fail_of(said, found);
                }
            }
            What::Note { code: None, text } if text.starts_with("delivered twice") => {
                self.fail(
                    text.clone(),
                    Some("a handler has to answer a repeated delivery as it did at first".into()),
                );
            }
            What::Ended { how, .. } => self.ended(how).await,
            What::Did { .. }
            | What::Note { .. }
            | What::Logged { .. }
            | What::Message { .. }
            | What::Placed { .. }
            | What::Sent { .. }
            | What::Requested { .. } => {}
        }
        if self.failure.is_some() { Presence::HungUp } else { Presence::Stays }
    }

    async fn ended(&mut self, how: &str) {
        let by = match how {
            "the document ended" | "the handler hung up" => EndedBy::Handler,
            "the handler rejected the call" => EndedBy::Rejected,
            "the caller hung up" => EndedBy::Caller,
            "the line was busy" | "nobody answered" | "the number could not be reached" => EndedBy::Nobody,
            _ => EndedBy::Carrier,
        };
        if matches!(self.step(), Some(Step::Ends(wanted)) if *wanted == by) {
            self.at += 1;
            self.advance().await;
        }
        match self.step() {
            None => {}
            Some(
                step @ (Step::Hear(_)
                | Step::Error(_)
                | Step::Ends(_)
                | Step::Placed { .. }
                | Step::Sent { .. }
                | Step::Requested(_)
                | Step::Stored(_)),
            ) => self.expected_is_missing(step),
            Some(step) => {
                let said = format!("the call ended ({how}) before this could happen: {}", step.shown());
                self.fail(said, None);
            }
        }
    }

    fn answer(&mut self, leg: Leg, question: &Question) -> Act {
        if self.failure.is_some() {
            return Act::HangUp;
        }
        // A script that is over, or expects nothing but the end, hangs up.
        let act = match (self.step(), question) {
            (None, _) => return Act::HangUp,
            (Some(Step::Ends(EndedBy::Caller)), _) => return Act::HangUp,
            (Some(Step::HangUp), _) => Act::HangUp,
            (Some(Step::Silence), _) => Act::Nothing,
            (Some(Step::Gather(act)), Question::Gather(_) | Question::Endless { .. }) => act.clone(),
            (Some(Step::Gather(act @ Act::Press { .. })), Question::Record(_)) => act.clone(),
            (Some(Step::Record(act)), Question::Record(_)) => act.clone(),
            (Some(Step::Queue(act)), Question::Queue { .. }) => act.clone(),
            (
                Some(Step::Dial { outcome, to }),
                Question::Dial { to: dialled, .. } | Question::Refer { to: dialled },
            ) => {
                if let Some(to) = to.as_ref().filter(|to| !dialled.contains(to.as_str())) {
                    self.fail(format!("expected a dial to {to}, and {dialled} was dialled"), None);
                    return Act::HangUp;
                }
                Act::Comes(*outcome)
            }
            (Some(Step::Dial { outcome, .. }), Question::Endless { .. }) => Act::Comes(*outcome),
            (
                Some(
                    step @ (Step::Hear(_)
                    | Step::Error(_)
                    | Step::Ends(_)
                    | Step::Placed { .. }
                    | Step::Sent { .. }
                    | Step::Requested(_)
                    | Step::Stored(_)),
                ),
                _,
            ) => {
                self.expected_is_missing(step);
                return Act::HangUp;
            }
            (Some(step), _) => {
                let waits = waits_for(leg, question);
                let (said, hint) = (step.shown(), hint(question));
                self.fail(format!("the script says: {said}. But the carrier waits for {waits}"), Some(hint));
                return Act::HangUp;
            }
        };
        self.done();
        act
    }
}

impl Stored {
    /// Whether it is true now; what is there instead.
    pub(super) async fn look<L: Line>(&self, line: &L, handler: &str) -> Result<(), String> {
        let Self { key, is } = self;
        let found = line.stored(handler, key).await?;
        let text = found.as_ref().map(|value| String::from_utf8_lossy(value));
        let fits = match (is, &text) {
            (Kept::Nothing, None) => true,
            (Kept::Something(matcher), Some(text)) => matcher.fits(text),
            (Kept::Nothing, Some(_)) | (Kept::Something(_), None) => false,
        };
        match text {
            _ if fits => Ok(()),
            Some(text) => Err(format!("the store has under {key:?}: {}", quoted(&text))),
            None => Err(format!("the store has nothing under {key:?}")),
        }
    }
}

fn waits_for(leg: Leg, question: &Question) -> String {
    let who = if leg == Leg::Called { " of the called party" } else { "" };
    match question {
        Question::Gather(ask) => {
            let what = match (ask.dtmf, ask.speech) {
                (true, true) => "keys or words",
                (false, true) => "words",
                _ => "keys",
            };
            format!("{what}{who} (Gather)")
        }
        Question::Record(_) => format!("a message{who} (Record)"),
        Question::Dial { noun, to, .. } => format!("what becomes of the {noun} {to} that is dialled"),
        Question::Queue { name, .. } => format!("somebody to take the call out of queue {name}"),
        Question::Endless { verb } => format!("an end of <{verb}>"),
        Question::Refer { to } => format!("what becomes of the transfer to {to}"),
    }
}

fn hint(question: &Question) -> String {
    match question {
        Question::Gather(_) => "add { press = \"1\" }, { say = \"…\" } or { silence = true }",
        Question::Record(_) => "add { record = 7 } or { silence = true }",
        Question::Dial { .. } | Question::Refer { .. } => {
            "add { dial = \"answered\" }, or busy, no-answer, failed"
        }
        Question::Queue { .. } => "add { queue = \"answered\" }, waits, full or { hang_up = true }",
        Question::Endless { .. } => {
            "add { hang_up = true }, or { dial = \"answered\", seconds = 30 } for a Connect"
        }
    }
    .to_owned()
}

impl<L: Line> Party for Reader<'_, L> {
    async fn notice(&mut self, event: &Event) -> Presence {
        self.listen(event).await
    }

    async fn act(&mut self, leg: Leg, question: &Question) -> Act {
        self.answer(leg, question)
    }
}
