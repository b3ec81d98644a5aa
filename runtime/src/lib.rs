//! The host: takes webhooks, runs handlers in sandboxes, answers with documents.
//!
//! ARCHITECTURE.md has the life of a webhook in one picture and a line per folder.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod admission;
pub mod artifact;
/// The attack corpus of the test package, for the tests of the parts that it attacks.
#[cfg(test)]
#[path = "../../tests/src/attack/mod.rs"]
pub mod attack;
pub mod build;
pub mod call;
pub mod capability;
pub mod carrier;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod deploy;
pub mod dev;
pub mod digest;
pub mod handler_toml;
pub mod handover;
pub mod host;
pub mod outbound;
pub mod outbox;
mod pace;
pub mod phone;
pub mod pin;
pub mod recording;
pub mod registry;
pub mod release;
pub mod revision;
pub mod router;
pub mod sandbox;
pub mod schedule;
pub mod secrets;
pub mod serve;
pub mod state;
pub mod telemetry;
pub mod twiml;
pub mod webhook;
