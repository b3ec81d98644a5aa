//! What lives in the store of one invocation, and how such a store is made.

use std::sync::Arc;

use wasmtime::Store;

use super::Sandbox;
use super::limits::{CpuMeter, Limiter, Limits};
use crate::capability::{Capabilities, Context};

/// Bytes that one call copies from the guest to the host.
pub const HOST_COPY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Handles that the guest's own tables hold.
pub const HANDLES_MAX: usize = 2_048;

/// One invocation's side of the host.
pub struct State {
    pub capabilities: Capabilities,
    pub limiter: Limiter,
    pub cpu: CpuMeter,
}

impl AsMut<Capabilities> for State {
    fn as_mut(&mut self) -> &mut Capabilities {
        &mut self.capabilities
    }
}

/// A fresh store with every limit in force.
pub fn new(sandbox: &Sandbox, limits: &Limits, context: Context<'_>) -> Store<State> {
    let memory_bytes_max = limits.memory_bytes().min(sandbox.memory_bytes_max);
    let state = State {
        capabilities: Capabilities::new(context, limits.log),
        limiter: Limiter::new(Arc::clone(&sandbox.memory), memory_bytes_max),
        cpu: CpuMeter::new(limits.cpu),
    };
    let mut store = Store::new(&sandbox.engine, state);
    // None of these closures holds anything, so boxing them allocates nothing.
    store.limiter(|state| &mut state.limiter);
    store.epoch_deadline_callback(|mut store| Ok(store.data_mut().cpu.tick()));
    store.set_epoch_deadline(1);
    store.set_hostcall_fuel(HOST_COPY_BYTES_MAX);
    store.set_max_component_handles(HANDLES_MAX);
    store
}
