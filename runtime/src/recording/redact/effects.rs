//! Takes out of a handler's effects what nobody shall read, and out of what a replay makes.
//!
//! URLs, keys and the words of carriers are texts as documents are: known values go, and what reads like a number. Bodies and
//! stored values were written by others and go by the rule of texts. Of JSON the structure stays, and with it whatever a
//! handler decides by which nobody said or wrote: a handler that is given it again still finds its way.

use serde_json::Value;

use super::numbers::{Found, Looks, Seek, Spans, digits_of};
use super::{Known, NUMBER_DIGITS_MIN, Redactor, form_of};
use crate::call::Webhook;
use crate::capability::effects::{BODY, Effect, Request};
use crate::carrier::{self, Private};
use crate::recording::settings::Redaction;

/// Redacts what is made for one webhook as it is kept: the numbers of the recording, which are pseudonyms already, stay.
pub struct Again {
    redactor: Redactor,
    known: Known,
}

impl Redactor {
    /// For what a handler makes of `kept` and of what it was answered then.
    #[must_use]
    pub fn again(&self, kept: &Webhook, effects: &[Effect]) -> Again {
        let mut numbers: Vec<String> =
            Spans::of(kept.step()).filter(is_certain).map(|found| found.digits).collect();
        for (name, value) in form_urlencoded::parse(form_of(kept).as_bytes()) {
            match carrier::private(&name) {
                Private::Address => numbers.push(digits_of(&value)),
                Private::Text => numbers.extend(Spans::of(&value).map(|found| found.digits)),
                Private::No => numbers.extend(Spans::of(&value).filter(is_certain).map(|found| found.digits)),
                // These were kept as they came, or nothing of them was.
                Private::Digits | Private::Name | Private::Place | Private::Secret => {}
            }
        }
        for effect in effects {
            numbers_in(&effect.answer, &mut numbers);
        }
        numbers.retain(|digits| digits.len() >= NUMBER_DIGITS_MIN);
        Again { redactor: self.clone(), known: Known { kept: numbers, ..Known::default() } }
    }

    /// Of what was done while a webhook was answered.
    pub(super) fn effects(&self, effects: &mut [Effect], known: &Known) {
        for Effect { request, answer } in effects {
            self.request(request, known);
            self.answer(answer, known);
        }
    }

    fn request(&self, request: &mut Request, known: &Known) {
        request.target = self.text(&request.target, Seek::Likely, known);
        self.answer(&mut request.brings, known);
    }

    fn answer(&self, value: &mut Value, known: &Known) {
        match value {
            Value::String(text) => *text = self.text(text, Seek::Likely, known),
            Value::Array(values) => values.iter_mut().for_each(|value| self.answer(value, known)),
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if name == BODY => *text = self.body(text, known),
                        value => self.answer(value, known),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text that others wrote.
    fn body(&self, text: &str, known: &Known) -> String {
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => {
                self.json(&mut value, "", known);
                value.to_string()
            }
            Err(_) if text.trim().is_empty() || self.rules.texts == Redaction::Keep => {
                self.text(text, Seek::Likely, known)
            }
            Err(_) => "[text]".to_owned(),
        }
    }

    /// A part of a body that is called `name`.
    fn json(&self, value: &mut Value, name: &str, known: &Known) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                let digits = self.digits(&number.to_string(), known);
                // A number with other digits in it is one still, if perhaps too large.
                *value = serde_json::from_str(&digits).unwrap_or_default();
            }
            Value::String(text) if text.is_empty() => {}
            Value::String(text) if opens_something(name) => *text = "[secret]".to_owned(),
            Value::String(text) if !digits_of(text).is_empty() => *text = self.digits(text, known),
            Value::String(text) if self.rules.texts == Redaction::Mask => *text = "[text]".to_owned(),
            Value::String(text) => *text = self.text(text, Seek::Likely, known),
            Value::Array(values) => values.iter_mut().for_each(|value| self.json(value, name, known)),
            Value::Object(members) => {
                let redacted = std::mem::take(members).into_iter().map(|(name, mut value)| {
                    self.json(&mut value, &name, known);
                    (self.text(&name, Seek::Likely, known), value)
                });
                members.extend(redacted);
            }
        }
    }

    /// A number of somebody, or one of those that are pressed, counted or paid.
    fn digits(&self, text: &str, known: &Known) -> String {
        let is_short = text.chars().filter(char::is_ascii_digit).count() < NUMBER_DIGITS_MIN;
        if is_short && self.rules.digits == Redaction::Mask {
            return "0".to_owned();
        }
        self.text(text, Seek::Likely, known)
    }
}

impl Again {
    /// What of a document would be kept.
    #[must_use]
    pub fn document(&self, document: &str) -> String {
        self.redactor.text(document, Seek::Likely, &self.known)
    }

    /// Makes `request` what would be kept of it.
    pub fn request(&self, request: &mut Request) {
        self.redactor.request(request, &self.known);
    }
}

fn is_certain(found: &Found) -> bool {
    found.looks == Looks::Certain
}

/// Digits of all that reads like a number in `value`.
fn numbers_in(value: &Value, numbers: &mut Vec<String>) {
    match value {
        Value::String(text) => numbers.extend(Spans::of(text).map(|found| found.digits)),
        Value::Array(values) => values.iter().for_each(|value| numbers_in(value, numbers)),
        Value::Object(members) => members.values().for_each(|value| numbers_in(value, numbers)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether what is called `name` opens something.
fn opens_something(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "secret", "password", "passwd", "authorization", "api_key", "apikey"]
        .iter()
        .any(|word| name.contains(word))
}
