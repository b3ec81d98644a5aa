//! Whether this host is alive and whether it should be sent calls.
//!
//! Losing the registry or a disk stops deploys and leaves calls alone, so a degraded host stays ready and says what is
//! wrong: taking it out of rotation would turn a late deploy into lost calls.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use http::StatusCode;

/// Where a host is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Loads its handlers; takes no calls.
    #[default]
    Starting,
    /// Takes calls.
    Ready,
    /// Finishes its calls, takes no new connections.
    Draining,
}

/// What `/readyz` says. Begins as [`Stage::Starting`].
#[derive(Debug, Default)]
pub struct Health {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stage: Stage,
    degraded: BTreeMap<&'static str, &'static str>,
}

impl Health {
    /// Moves on to `stage`.
    pub fn enter(&self, stage: Stage) {
        self.state().stage = stage;
    }

    /// `part` does not work: `effect` says to anybody who asks what that means, and nothing of the host's inside. Whether
    /// that is news.
    pub fn degraded(&self, part: &'static str, effect: &'static str) -> bool {
        self.state().degraded.insert(part, effect).is_none()
    }

    /// `part` works again. Whether that is news.
    pub fn healed(&self, part: &'static str) -> bool {
        self.state().degraded.remove(part).is_some()
    }

    /// `200` while calls may be sent here, `503` otherwise; the stage, then a line for each part that does not work.
    pub(super) fn readyz(&self) -> (StatusCode, String) {
        let state = self.state();
        let (status, word) = match state.stage {
            Stage::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
            Stage::Ready => (StatusCode::OK, "ready"),
            Stage::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        };
        let mut text = format!("{word}\n");
        for (part, effect) in &state.degraded {
            // Writing to a String can't fail.
            let _ = writeln!(text, "degraded: {part}: {effect}");
        }
        (status, text)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Both fields are whole after a panic between them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
