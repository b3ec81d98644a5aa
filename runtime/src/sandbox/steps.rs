//! The steps of an invocation one by one, for bench `sandbox`.
//!
//! The same functions that [`Sandbox::run`](super::Sandbox::run) calls, with a clock between them.

use std::time::{Duration, Instant};

use wasmtime::Store;
use wasmtime::component::Instance;

use super::contract;
use super::store::{self, State};
use super::{Limits, Prepared, Sandbox};
use crate::call::Call;
use crate::capability::Context;

/// How long each step of one invocation took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Steps {
    /// Making the store with its limits.
    pub store: Duration,
    /// Making the instance.
    pub instantiate: Duration,
    /// Finding the export and calling it.
    pub call: Duration,
    /// Dropping the store: the memory is cleaned for the next one.
    pub drop: Duration,
}

/// Runs one voice webhook step by step.
///
/// # Errors
/// Whatever the guest does but answer.
pub async fn steps(
    sandbox: &Sandbox,
    prepared: &Prepared,
    limits: &Limits,
    context: Context<'_>,
    call: &Call,
) -> Result<Steps, String> {
    let start = Instant::now();
    let mut store = store::new(sandbox, limits, context);
    let made = Instant::now();
    let instance = prepared.instantiate(&mut store).await.map_err(|error| format!("{error:?}"))?;
    let instantiated = Instant::now();
    answer(&mut store, &instance, prepared, call).await?;
    let called = Instant::now();
    drop(store);
    let dropped = Instant::now();
    Ok(Steps {
        store: made - start,
        instantiate: instantiated - made,
        call: called - instantiated,
        drop: dropped - called,
    })
}

/// An instance that is called again and again, as no webhook ever is.
pub struct Reused {
    store: Store<State>,
    instance: Instance,
}

impl Reused {
    /// Makes the instance.
    ///
    /// # Errors
    /// It does not start.
    pub async fn new(
        sandbox: &Sandbox,
        prepared: &Prepared,
        limits: &Limits,
        context: Context<'_>,
    ) -> Result<Self, String> {
        let mut store = store::new(sandbox, limits, context);
        let instance = prepared.instantiate(&mut store).await.map_err(|error| format!("{error:?}"))?;
        Ok(Self { store, instance })
    }

    /// Calls it once more.
    ///
    /// # Errors
    /// Whatever the guest does but answer.
    pub async fn call(&mut self, prepared: &Prepared, call: &Call) -> Result<String, String> {
        answer(&mut self.store, &self.instance, prepared, call).await
    }
}

async fn answer(
    store: &mut Store<State>,
    instance: &Instance,
    prepared: &Prepared,
    call: &Call,
) -> Result<String, String> {
    let export = prepared.voice.as_ref().ok_or("it answers no voice webhooks")?;
    let call = contract::Call::new(call, 3_000);
    let result = export.call(store, instance, call).await.map_err(|error| format!("{error:?}"))?;
    result.map_err(|failure| failure.message)
}
