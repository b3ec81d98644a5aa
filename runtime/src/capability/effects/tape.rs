//! Notes the effects of one invocation while it runs.
//!
//! An effect takes its place when it is asked for and its answer when that is there: requests may be under way side by side. A
//! tape is bounded. What is torn off is missed by nobody on the line, and whoever replays is told.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

use super::{BODY, Effect, Request, hide};
use crate::secrets::SecretValues;

/// Most effects that are noted of one invocation.
const EFFECTS_MAX: usize = 64;
/// Most bytes of them.
const EFFECTS_BYTES_MAX: usize = 256 * 1024;
/// What an effect takes besides its texts.
const EFFECT_BYTES: usize = 64;

/// The effects of one invocation, in the order in which they were asked for.
pub struct Tape {
    secrets: SecretValues,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    /// None for what is not to be kept after all.
    slots: Vec<Option<Slot>>,
    bytes: usize,
    torn: bool,
}

struct Slot {
    effect: Effect,
    /// The body that belongs to the answer, as far as it was read.
    body: Option<Vec<u8>>,
}

/// Where an effect stands on its tape; nowhere, once that is torn.
#[derive(Debug, Clone, Copy)]
pub struct Place(Option<usize>);

/// What a tape holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Noted {
    /// In the order in which they were asked for.
    pub effects: Vec<Effect>,
    /// Whether there were more than a tape takes.
    pub torn: bool,
    /// About how much memory they take.
    pub bytes: usize,
}

impl Tape {
    /// An empty one, which never holds one of these secrets.
    #[must_use]
    pub fn new(secrets: SecretValues) -> Self {
        Self { secrets, notes: Mutex::default() }
    }

    pub(in crate::capability) fn secrets(&self) -> &SecretValues {
        &self.secrets
    }

    /// Notes what is asked for, before it is done.
    pub(in crate::capability) fn ask(&self, request: Request) -> Place {
        let mut notes = self.notes();
        let bytes = EFFECT_BYTES + request.target.len() + size_of_value(&request.brings);
        if !notes.takes(bytes) || notes.slots.len() >= EFFECTS_MAX {
            notes.torn = true;
            return Place(None);
        }
        notes.slots.push(Some(Slot { effect: Effect { request, answer: Value::Null }, body: None }));
        Place(Some(notes.slots.len() - 1))
    }

    /// Notes what came of it.
    pub(in crate::capability) fn answer(&self, place: Place, answer: &impl Serialize) {
        // All that is answered can be written as JSON; what could not would be missed in a replay, and nowhere else.
        let answer = serde_json::to_value(answer).unwrap_or_default();
        let mut notes = self.notes();
        let fits = notes.takes(size_of_value(&answer));
        match notes.slot(place) {
            Some(slot) if fits => slot.effect.answer = answer,
            Some(_) => notes.tear(place),
            None => {}
        }
    }

    /// Notes a piece of the body that follows an answer.
    pub(in crate::capability) fn more(&self, place: Place, bytes: &[u8]) {
        let mut notes = self.notes();
        let fits = notes.takes(bytes.len());
        match notes.slot(place) {
            Some(slot) if fits => slot.body.get_or_insert_default().extend_from_slice(bytes),
            Some(_) => notes.tear(place),
            None => {}
        }
    }

    /// Forgets an effect that never left the host.
    pub(in crate::capability) fn withdraw(&self, place: Place) {
        self.notes().forget(place);
    }

    /// Takes all that was noted; what comes later is lost.
    #[must_use]
    pub fn take(&self) -> Noted {
        let Notes { slots, bytes, torn } = std::mem::replace(
            &mut *self.notes(),
            // Places of before would be those of others.
            Notes { torn: true, bytes: EFFECTS_BYTES_MAX, slots: Vec::new() },
        );
        let effects = slots.into_iter().flatten().map(|slot| {
            let Slot { effect: Effect { mut request, mut answer }, body } = slot;
            if let (Some(bytes), Some(Value::Object(ok))) = (body, answer.get_mut("Ok")) {
                ok.insert(BODY.to_owned(), text_of(&bytes));
            }
            self.secrets.hide(&mut request.target);
            hide(&self.secrets, &mut request.brings);
            hide(&self.secrets, &mut answer);
            Effect { request, answer }
        });
        Noted { effects: effects.collect(), torn, bytes }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        // A panic leaves what was noted whole.
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notes {
    /// Whether so much more has room, which it then takes.
    fn takes(&mut self, bytes: usize) -> bool {
        let fits = !self.torn && self.bytes.saturating_add(bytes) <= EFFECTS_BYTES_MAX;
        self.bytes += if fits { bytes } else { 0 };
        fits
    }

    fn slot(&mut self, place: Place) -> Option<&mut Slot> {
        self.slots.get_mut(place.0?)?.as_mut()
    }

    /// Half an answer is none.
    fn tear(&mut self, place: Place) {
        self.torn = true;
        self.forget(place);
    }

    fn forget(&mut self, place: Place) {
        if let Some(slot) = place.0.and_then(|at| self.slots.get_mut(at)) {
            *slot = None;
        }
    }
}

/// A text as it is noted; null for bytes that are none, because nothing in them could be redacted.
pub(super) fn text_of(bytes: &[u8]) -> Value {
    std::str::from_utf8(bytes).map_or(Value::Null, |text| Value::String(text.to_owned()))
}

fn size_of_value(value: &Value) -> usize {
    let size = match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size_of_value).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + size_of_value(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + size
}
