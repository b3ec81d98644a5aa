//! What is asked of the store, noted or answered from a record.
//!
//! A replay has a store of its own, in memory. Whatever the record answers is put into it, so that what the record does not know
//! finds there what the handler has read and written so far.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::debug;

use super::tape::text_of;
use super::{BODY, Effects, Import, Request, Script};
use crate::state::{Change, Entry, Owner, Page, Reply, State, StorageError};

pub(super) const GET: &str = "get";
pub(super) const KEYS: &str = "keys";

/// A value as it is noted: `{"body": "…"}`.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    body: Value,
}

impl Kept {
    fn of(bytes: &[u8]) -> Self {
        Self { body: text_of(bytes) }
    }

    /// Empty where it was no text.
    fn value(&self) -> Arc<[u8]> {
        self.body.as_str().unwrap_or_default().as_bytes().into()
    }
}

impl Effects {
    /// [`State::get`].
    pub(in crate::capability) async fn get(
        &self,
        state: &State,
        owner: Owner,
        key: String,
    ) -> Result<Option<Arc<[u8]>>, StorageError> {
        let request = Request::new(Import::Store, GET, &key);
        match self {
            Self::Noted(tape) => {
                let place = tape.ask(request);
                let found = state.get(owner, key).await;
                tape.answer(place, &found.as_ref().map(|found| found.as_deref().map(Kept::of)));
                found
            }
            Self::Answered(script) => match script.ask::<Result<Option<Kept>, StorageError>>(request) {
                Some(answer) => {
                    let found = answer?.map(|kept| kept.value());
                    let value = found.clone().map(|value| Entry { value, expires_at: None });
                    put(state, owner, key, value.map_or(Change::Delete, Change::Set)).await;
                    Ok(found)
                }
                None => state.get(owner, key).await,
            },
        }
    }

    /// [`State::keys`].
    pub(in crate::capability) async fn keys(
        &self,
        state: &State,
        owner: Owner,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Result<Page, StorageError> {
        let target = match &after {
            Some(after) => format!("{prefix} after {after}"),
            None => prefix.clone(),
        };
        let request = Request::new(Import::Store, KEYS, target);
        match self {
            Self::Noted(tape) => {
                let place = tape.ask(request);
                let found = state.keys(owner, prefix, after, limit).await;
                tape.answer(place, &found);
                found
            }
            Self::Answered(script) => match script.ask(request) {
                Some(answer) => answer,
                None => state.keys(owner, prefix, after, limit).await,
            },
        }
    }

    /// [`State::change`].
    pub(in crate::capability) async fn change(
        &self,
        state: &State,
        owner: Owner,
        key: String,
        change: Change,
    ) -> Result<Reply, StorageError> {
        let request = asked(&key, &change);
        match self {
            Self::Noted(tape) => {
                let place = tape.ask(request);
                let reply = state.change(owner, key, change).await;
                tape.answer(place, &reply);
                reply
            }
            Self::Answered(script) => changed_then(script, request, state, owner, key, change).await,
        }
    }
}

async fn changed_then(
    script: &Script,
    request: Request,
    state: &State,
    owner: Owner,
    key: String,
    change: Change,
) -> Result<Reply, StorageError> {
    let Some(answer) = script.ask::<Result<Reply, StorageError>>(request) else {
        return state.change(owner, key, change).await;
    };
    let reply = answer?;
    if let Some(change) = made(change, reply) {
        put(state, owner, key, change).await;
    }
    Ok(reply)
}

fn asked(key: &str, change: &Change) -> Request {
    let kept = |entry: &Entry| json!({ BODY: text_of(&entry.value) });
    let (operation, brings) = match change {
        Change::Set(entry) => ("set", kept(entry)),
        Change::Delete => ("delete", Value::Null),
        Change::Add { by, .. } => ("add", json!({ "by": by })),
        Change::Swap { expected, new } => {
            let expected = expected.as_deref().map(Kept::of);
            ("swap", json!({ "expected": expected, "new": new.as_ref().map(kept) }))
        }
    };
    Request { brings, ..Request::new(Import::Store, operation, key) }
}

/// What makes a key what it was after `change` had come to `reply`; none where nothing was changed.
fn made(change: Change, reply: Reply) -> Option<Change> {
    match (change, reply) {
        (change @ (Change::Set(_) | Change::Delete), _) => Some(change),
        (Change::Add { expires_at, .. }, Reply::Sum(sum)) => {
            Some(Change::Set(Entry { value: sum.to_string().into_bytes().into(), expires_at }))
        }
        (Change::Swap { new, .. }, Reply::Swapped(true)) => Some(new.map_or(Change::Delete, Change::Set)),
        (Change::Add { .. } | Change::Swap { .. }, _) => None,
    }
}

async fn put(state: &State, owner: Owner, key: String, change: Change) {
    if let Err(why) = state.change(owner, key, change).await {
        debug!("the store of a replay lacks what the record says: {why}");
    }
}
