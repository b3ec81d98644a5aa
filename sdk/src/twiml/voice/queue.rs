// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Waiting in a queue, and serving one.

use crate::twiml::element::{IntoElement, element};
use crate::twiml::link::Link;
use crate::twiml::markup::Markup;
use crate::twiml::values::Method;
use crate::twiml::voice::{Dial, Document};

/// Puts the caller into a queue, by its name.
///
/// `<Enqueue>`, a verb. Stands in `Document`. Holds `Task`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Enqueue(Markup);

impl Enqueue {
    /// `<Enqueue>` with its text.
    /// `default` makes one without.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self::default();
        element.0.text(text.as_ref());
        element
    }

    /// Adds text behind what is there.
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        self.0.text(text.as_ref());
        self
    }

    /// `action`: a link.
    pub fn action<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(0, " action=\"", value.into().as_str());
        self
    }

    /// `maxQueueSize`: a whole number; in the builders, not in the public attribute table.
    pub fn max_queue_size(mut self, value: u32) -> Self {
        self.0.number_attribute(1, " maxQueueSize=\"", value);
        self
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(2, " method=\"", value.as_str());
        self
    }

    /// `waitUrl`: a link; empty string means silence.
    pub fn wait_url<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(3, " waitUrl=\"", value.into().as_str());
        self
    }

    /// `waitUrlMethod`: a word. Default: `POST`.
    pub fn wait_url_method(mut self, value: Method) -> Self {
        self.0.word_attribute(4, " waitUrlMethod=\"", value.as_str());
        self
    }

    /// `workflowSid`: text, `WW` and 32 hex digits.
    pub fn workflow_sid(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(5, " workflowSid=\"", value.as_ref());
        self
    }

    /// Adds `<Task>`: text or a [`Task`].
    pub fn task(mut self, child: impl IntoElement<Task>) -> Self {
        child.write_into(&mut self.0);
        self
    }
}

element!(Enqueue, "Enqueue", [default, text], in [Document]);

/// What is known about the caller, for the workflow that picks an agent.
///
/// `<Task>`, a noun. Stands in `Enqueue`. Text is JSON; the Python builder turns a dict into JSON
/// text.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Task(Markup);

impl Task {
    /// `<Task>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<Task", 128));
        element.0.text(text.as_ref());
        element
    }

    /// `priority`: a whole number.
    pub fn priority(mut self, value: u32) -> Self {
        self.0.number_attribute(0, " priority=\"", value);
        self
    }

    /// `timeout`: a whole number.
    pub fn timeout(mut self, value: u32) -> Self {
        self.0.number_attribute(1, " timeout=\"", value);
        self
    }
}

element!(Task, "Task", [text], in [Enqueue]);

/// A queue whose first caller is connected.
///
/// `<Queue>`, a verb. Stands in `Dial`, `Document`. The builders also offer it directly under
/// Response; the public reference describes it only inside Dial.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Queue(Markup);

impl Queue {
    /// `<Queue>` with its text.
    pub fn new(text: impl AsRef<str>) -> Self {
        let mut element = Self(Markup::open("<Queue", 128));
        element.0.text(text.as_ref());
        element
    }

    /// `method`: a word. Default: `POST`.
    pub fn method(mut self, value: Method) -> Self {
        self.0.word_attribute(0, " method=\"", value.as_str());
        self
    }

    /// `postWorkActivitySid`: text, `WA` and 32 hex digits.
    pub fn post_work_activity_sid(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(1, " postWorkActivitySid=\"", value.as_ref());
        self
    }

    /// `reservationSid`: text, `WR` and 32 hex digits.
    pub fn reservation_sid(mut self, value: impl AsRef<str>) -> Self {
        self.0.text_attribute(2, " reservationSid=\"", value.as_ref());
        self
    }

    /// `url`: a link.
    pub fn url<'a>(mut self, value: impl Into<Link<'a>>) -> Self {
        self.0.text_attribute(3, " url=\"", value.into().as_str());
        self
    }
}

element!(Queue, "Queue", [text], in [Dial, Document]);

/// Takes the caller out of the queue.
///
/// `<Leave>`, a verb. Stands in `Document`.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nobody hears it until the handler returns it"]
pub struct Leave(Markup);

impl Leave {
    /// `<Leave>` with nothing set.
    pub fn new() -> Self {
        Self::default()
    }
}

element!(Leave, "Leave", [default], in [Document]);
