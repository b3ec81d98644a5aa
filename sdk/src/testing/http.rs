//! The services that a test's handlers call: answers made beforehand, and what was asked.

use std::collections::BTreeMap;

use crate::http::{Answered, ErrorKind, Sent, Target};

#[derive(Debug, Clone)]
enum Canned {
    Answer { status: u16, body: Vec<u8> },
    Failure(ErrorKind),
}

/// The answers of one test.
pub(super) struct Services {
    /// By method and URL without parameters.
    answers: BTreeMap<String, Vec<Canned>>,
    pub(super) requests: Vec<Sent>,
}

impl Services {
    pub(super) const fn new() -> Self {
        Self { answers: BTreeMap::new(), requests: Vec::new() }
    }

    pub(super) fn answer(&mut self, asked: &str, status: u16, body: Vec<u8>) {
        self.answers.entry(asked.to_owned()).or_default().push(Canned::Answer { status, body });
    }

    pub(super) fn fail(&mut self, asked: &str, kind: ErrorKind) {
        self.answers.entry(asked.to_owned()).or_default().push(Canned::Failure(kind));
    }

    /// The next answer; the last one stays.
    pub(super) fn send(&mut self, sent: &Sent, _target: &Target<'_>) -> Answered {
        let asked = format!("{} {}", sent.method, sent.url.split('?').next().unwrap_or_default());
        self.requests.push(sent.clone());
        let next = match self.answers.get_mut(&asked) {
            None => {
                let why =
                    format!("the test has no answer for it: testing::host().answers({asked:?}, 200, \"…\")");
                return Err((ErrorKind::Denied, why));
            }
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
        };
        match next {
            Canned::Answer { status, body } => Ok((status, Vec::new(), body)),
            Canned::Failure(kind) => Err((kind, format!("{kind:?}, as the test has it"))),
        }
    }
}
