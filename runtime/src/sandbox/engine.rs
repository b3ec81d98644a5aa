//! The one engine configuration: what compiles a component and what runs it have to agree on every line of it.
//!
//! Code compiled under one configuration may only run under the same, so there is one function. Every limit that the
//! engine itself can hold is set here, to the most that any handler may be given; `limits` holds each handler to its own.

use std::hash::{Hash as _, Hasher};
use std::num::NonZeroUsize;

use sha2::{Digest as _, Sha256};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmFeatures};

use super::{Compile, SandboxSettings};

/// Deepest stack of the guest's own frames, in bytes.
const WASM_STACK_BYTES: usize = 512 * 1024;
/// The stack that guest and host functions together run on, in bytes.
const ASYNC_STACK_BYTES: usize = 2 * 1024 * 1024;
/// The top of that stack which is cleaned rather than given back between two invocations, in bytes. An ordinary
/// handler stays within it; cleaning 16 KiB instead costs 0.5 µs more.
const ASYNC_STACK_RESIDENT_BYTES: usize = 4 * 1024;
/// The start of each table which is cleaned rather than given back, in bytes. Giving back costs a system call and a
/// page fault for each of the two or three tables of an ordinary handler.
const TABLE_RESIDENT_BYTES: usize = 16 * 1024;
/// Core modules in one component.
pub const CORE_INSTANCES_MAX: u32 = 64;
/// Memories in one component.
pub const MEMORIES_MAX: u32 = 8;
/// Tables in one component.
pub const TABLES_MAX: u32 = 16;
/// Elements of one table.
pub const TABLE_ELEMENTS_MAX: usize = 20_000;
/// Frames of a backtrace.
const BACKTRACE_FRAMES_MAX: usize = 20;

/// Proposals that handlers do without. Several memories in one module are not among them only because the engine's own
/// adapters between the parts of a composed component have two; `precheck` refuses them in what is uploaded.
const LEFT_OUT: WasmFeatures = WasmFeatures::MEMORY64
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::GC)
    .union(WasmFeatures::FUNCTION_REFERENCES)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::STACK_SWITCHING)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::WIDE_ARITHMETIC);

/// The configuration of the engine for these settings.
pub fn config(settings: &SandboxSettings) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(false)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(ASYNC_STACK_BYTES)
        .async_stack_zeroing(settings.zero_stacks)
        .memory_init_cow(true)
        .native_unwind_info(false)
        .wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES_MAX))
        // The language a handler may be written in: components of WASI 0.2, nothing that is still being worked out
        // upstream. Fewer features, less code that a hostile module can reach.
        .wasm_features(LEFT_OUT, false)
        .shared_memory(false)
        .gc_support(false)
        .concurrency_support(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(settings)));
    match settings.compile {
        // As it is: an engine compiles unless it is told not to.
        Compile::InProcess => {}
        Compile::Never => {
            config.enable_compiler(false);
        }
    }
    config
}

/// Names what this host compiles to: see [`fingerprint`]. An engine without a compiler does not know the compiler's part, so
/// this makes one that could compile, and drops it.
///
/// # Errors
/// This machine can't be compiled for.
pub fn host_fingerprint() -> wasmtime::Result<String> {
    let settings =
        SandboxSettings { concurrency_max: 1, compile: Compile::InProcess, ..SandboxSettings::default() };
    Ok(fingerprint(&Engine::new(&config(&settings))?))
}

/// Names what an engine that compiles makes: 32 hex digits over the compiler, its flags, this machine's instruction set and
/// every line of [`config`] that code depends on. Code of another name may not be loaded.
pub fn fingerprint(compiling: &Engine) -> String {
    let mut hasher = Fingerprint(Sha256::new());
    compiling.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A hasher whose result is the same in every process.
struct Fingerprint(Sha256);

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let mut first = [0; 8];
        self.0.clone().finalize().iter().zip(&mut first).for_each(|(byte, slot)| *slot = *byte);
        u64::from_le_bytes(first)
    }
}

/// Places for every invocation that may run at once and a quarter more, each as large as the largest handler: running
/// out of them would be a fault of whoever admits invocations, not of a guest.
fn pool(settings: &SandboxSettings) -> PoolingAllocationConfig {
    let invocations = settings.concurrency_max + settings.concurrency_max.div_ceil(4);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(invocations)
        .total_core_instances(invocations.saturating_mul(CORE_INSTANCES_MAX))
        .total_memories(invocations.saturating_mul(MEMORIES_MAX))
        .total_tables(invocations.saturating_mul(TABLES_MAX))
        .total_stacks(invocations)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_tables_per_module(TABLES_MAX)
        .max_memories_per_module(1)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(settings.memory_bytes_max())
        // All of them: a memory that is kept for its handler is reset, one that is given back is mapped anew, at several
        // times the cost. With fewer than there are busy handlers every webhook would pay that.
        .max_unused_warm_slots(invocations.saturating_mul(MEMORIES_MAX))
        .linear_memory_keep_resident(settings.keep_resident_kib * 1024)
        .table_keep_resident(TABLE_RESIDENT_BYTES)
        .async_stack_keep_resident(ASYNC_STACK_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}
