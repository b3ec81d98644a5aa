//! Answers the effects of one invocation from the record of another.
//!
//! An effect is answered by the first in the record that asked the same of the same and that was not used yet. There is no
//! answer to what is not in the record: nobody knows what would have come of it.
//!
//! A key of the store is left to the store as soon as it is changed otherwise than it was then: what the record says of that key
//! is no longer true.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;

use super::{Effect, Import, Request, hide};
use crate::secrets::SecretValues;

/// Makes a request what it looks like in a record.
type Redact = dyn Fn(&mut Request) + Send + Sync;

/// The record of one webhook, for one run.
pub struct Script {
    secrets: SecretValues,
    redact: Box<Redact>,
    progress: Mutex<Progress>,
}

struct Progress {
    /// What was not used yet, in its order.
    left: Vec<Option<Effect>>,
    /// All that was asked, as it looks in a record.
    asked: Vec<Request>,
    /// Keys of the store that are no longer as they were.
    strayed: HashSet<String>,
}

impl Script {
    /// With the effects of a record, in their order. What is asked is redacted by `redact`, after `secrets` were hidden.
    #[must_use]
    pub fn new(
        effects: Vec<Effect>,
        secrets: SecretValues,
        redact: impl Fn(&mut Request) + Send + Sync + 'static,
    ) -> Self {
        let left = effects.into_iter().map(Some).collect();
        let progress = Progress { left, asked: Vec::new(), strayed: HashSet::new() };
        Self { secrets, redact: Box::new(redact), progress: Mutex::new(progress) }
    }

    pub(in crate::capability) fn secrets(&self) -> &SecretValues {
        &self.secrets
    }

    /// What was answered then; none where the record does not say.
    pub(in crate::capability) fn ask<T: DeserializeOwned>(&self, mut request: Request) -> Option<T> {
        self.secrets.hide(&mut request.target);
        hide(&self.secrets, &mut request.brings);
        (self.redact)(&mut request);
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let effect = progress.next(&request);
        progress.asked.push(request);
        serde_json::from_value(effect?.answer).ok()
    }

    /// All that was asked so far, as it looks in a record.
    #[must_use]
    pub fn asked(&self) -> Vec<Request> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).asked.clone()
    }
}

impl Progress {
    fn next(&mut self, request: &Request) -> Option<Effect> {
        let of_store = request.import == Import::Store;
        if of_store && self.strayed.contains(&request.target) {
            return None;
        }
        let is_it = |effect: &&mut Option<Effect>| {
            effect.as_ref().is_some_and(|effect| effect.request.is_like(request))
        };
        let found = self.left.iter_mut().find(is_it).and_then(Option::take);
        let found = found.filter(|effect| !of_store || effect.request.brings == request.brings);
        if found.is_none() && request.changes_store() {
            self.strayed.insert(request.target.clone());
        }
        found
    }
}
