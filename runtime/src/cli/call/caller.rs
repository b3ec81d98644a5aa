//! Who is on the line: whoever sits at the terminal, or what the command line says in his place.

use std::collections::VecDeque;

use super::screen::Screen;
use super::{Dial, is_key};
use crate::phone::{Act, End, Event, Leg, Outcome, Party, Presence, Question};

/// Whoever sits at the terminal, or what the command line says in his place.
pub(super) struct Caller {
    pub(super) digits: VecDeque<String>,
    pub(super) says: VecDeque<String>,
    pub(super) dial: Outcome,
    pub(super) asks: bool,
    pub(super) screen: Screen,
}

impl Caller {
    async fn asked(&self, question: &Question) -> Act {
        let act = match question {
            Question::Gather(_) => self.screen.ask("keys or words>").await.map(|line| match line.as_str() {
                "" => Act::Nothing,
                keys if keys.chars().all(is_key) => Act::Press { keys: keys.to_owned(), after_ms: None },
                words => Act::Say { text: words.to_owned(), confidence: 0.9, after_ms: None },
            }),
            Question::Record(_) => {
                self.screen.ask("your message (Enter: none)>").await.map(|text| match text.as_str() {
                    "" => Act::Nothing,
                    _ => Act::Record { seconds: 1 + text.len() as u64 / 15, text, end: End::Key('#') },
                })
            }
            Question::Dial { .. } | Question::Refer { .. } | Question::Queue { .. } => {
                self.screen.ask("answered, busy, no-answer or failed? [answered]>").await.map(|line| {
                    Act::Comes(match line.as_str() {
                        "busy" | "b" => Outcome::Busy,
                        "no-answer" | "n" => Outcome::NoAnswer,
                        "failed" | "f" => Outcome::Failed { sip_code: 404 },
                        _ => Dial::Answered.outcome(),
                    })
                })
            }
            Question::Endless { verb } => self
                .screen
                .ask(&format!("{verb} goes on; Enter ends it>"))
                .await
                .map(|_| Act::Comes(Dial::Answered.outcome())),
        };
        act.unwrap_or(Act::HangUp)
    }

    fn planned(&mut self, question: &Question) -> Act {
        match question {
            Question::Gather(_) => {
                if let Some(keys) = self.digits.pop_front() {
                    return Act::Press { keys, after_ms: None };
                }
                match self.says.pop_front() {
                    Some(text) => Act::Say { text, confidence: 0.9, after_ms: None },
                    None => Act::HangUp,
                }
            }
            Question::Record(_) => {
                let text = self.says.pop_front().unwrap_or_else(|| "Please call me back.".to_owned());
                Act::Record { seconds: 5, text, end: End::Key('#') }
            }
            Question::Dial { .. } | Question::Refer { .. } | Question::Queue { .. } => Act::Comes(self.dial),
            Question::Endless { verb } if matches!(verb.as_str(), "Play" | "Say" | "Echo") => Act::HangUp,
            Question::Endless { .. } => Act::Comes(Dial::Answered.outcome()),
        }
    }
}

impl Party for Caller {
    async fn notice(&mut self, event: &Event) -> Presence {
        self.screen.show(event);
        Presence::Stays
    }

    async fn act(&mut self, _leg: Leg, question: &Question) -> Act {
        if self.asks { self.asked(question).await } else { self.planned(question) }
    }

    fn is_live(&self) -> bool {
        self.asks
    }
}
