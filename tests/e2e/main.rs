//! The real host on a free port, real components in it, and webhooks as a carrier sends them.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod carrier;
mod cli;
mod deploys;
mod dev;
mod examples;
mod handover;
mod jail;
mod limits;
mod loading;
mod neighbours;
mod new;
mod official;
mod outbound;
mod replay;
mod schedule;
mod scripts;
mod secrets;
mod state;
mod support;
mod web;
mod webhooks;
