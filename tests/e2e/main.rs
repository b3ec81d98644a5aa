//! The real host on a free port, real components in it, and webhooks as a carrier sends them.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod cli;
mod deploys;
mod dev;
mod examples;
mod handover;
mod jail;
mod limits;
mod loading;
mod neighbours;
mod official;
mod secrets;
mod support;
mod webhooks;
