//! What one invocation may use, and the count of what it has used.
//!
//! Memory is counted over all memories and tables of an invocation together, against its own limit and against a budget
//! of the whole host. A denied growth is an answer that a guest can live with (`memory.grow` gives −1), so it is only
//! noted here; if the guest then fails, the note tells why.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, UpdateDeadline};

use super::engine::{CORE_INSTANCES_MAX, MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX};
use super::ticker::TICK;
use crate::capability::LogBudget;

/// Host bytes that one element of a table takes.
const TABLE_ELEMENT_BYTES: u64 = 8;
const MIB: u64 = 1024 * 1024;

/// What one invocation may use. Start-up of the component counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the start of the invocation to its answer, waiting included.
    pub deadline: Duration,
    /// Time the guest itself runs, counted in ticks of 1 ms.
    pub cpu: Duration,
    /// All memories and tables together, in MiB; no more than [`SandboxSettings::memory_mib_max`] counts.
    ///
    /// [`SandboxSettings::memory_mib_max`]: super::SandboxSettings::memory_mib_max
    pub memory_mib: u64,
    /// What may be logged.
    pub log: LogBudget,
}

impl Default for Limits {
    /// 3 s, 100 ms of CPU, 32 MiB, 64 KiB of log in 256 entries.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(3),
            cpu: Duration::from_millis(100),
            memory_mib: 32,
            log: LogBudget::default(),
        }
    }
}

impl Limits {
    /// The memory limit in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_mib.saturating_mul(MIB)
    }
}

/// The memory of all guests together.
#[derive(Debug)]
pub struct MemoryBudget {
    bytes_used: AtomicU64,
    bytes_max: u64,
}

impl MemoryBudget {
    pub fn new(mib: u64) -> Self {
        Self { bytes_used: AtomicU64::new(0), bytes_max: mib.saturating_mul(MIB) }
    }

    pub fn bytes_used(&self) -> u64 {
        self.bytes_used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> bool {
        let before = self.bytes_used.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= self.bytes_max;
        if !fits {
            self.give_back(bytes);
        }
        fits
    }

    fn give_back(&self, bytes: u64) {
        self.bytes_used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A growth that was denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The invocation's own memory limit, in bytes.
    Memory { limit: u64 },
    /// The memory of the whole host, in bytes.
    HostMemory { limit: u64 },
    /// The elements of one table.
    TableElements { limit: u64 },
}

/// Counts one invocation's memory.
pub struct Limiter {
    budget: Arc<MemoryBudget>,
    bytes_max: u64,
    bytes_used: u64,
    denied: Option<Denied>,
}

impl Limiter {
    pub fn new(budget: Arc<MemoryBudget>, bytes_max: u64) -> Self {
        Self { budget, bytes_max, bytes_used: 0, denied: None }
    }

    /// Memories and tables of this invocation, in bytes. They never shrink, so this is the high-water mark too.
    pub fn bytes_used(&self) -> u64 {
        self.bytes_used
    }

    /// The last growth that was denied.
    pub fn denied(&self) -> Option<Denied> {
        self.denied
    }

    fn grow(&mut self, bytes: u64) -> bool {
        let total = self.bytes_used.saturating_add(bytes);
        if total > self.bytes_max {
            self.denied = Some(Denied::Memory { limit: self.bytes_max });
            return false;
        }
        if !self.budget.take(bytes) {
            self.denied = Some(Denied::HostMemory { limit: self.budget.bytes_max });
            return false;
        }
        self.bytes_used = total;
        true
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // A module's own maximum is its own business: no limit of ours was met.
        let beyond_its_own = maximum.is_some_and(|maximum| desired > maximum);
        if beyond_its_own && desired as u64 <= self.bytes_max {
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current) as u64))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS_MAX {
            self.denied = Some(Denied::TableElements { limit: TABLE_ELEMENTS_MAX as u64 });
            return Ok(false);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current) as u64 * TABLE_ELEMENT_BYTES))
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes_used);
    }
}

thread_local! {
    /// Of the invocation that this thread is polling: how long it had worked before, and since when it works again.
    static AT_WORK: Cell<Option<(Duration, Instant)>> = const { Cell::new(None) };
}

/// Says how long the invocation that this thread polls next had worked before, and since when it works again; none when it
/// stops. Not a field of the meter: whoever polls an invocation has lent its store to it.
pub fn at_work(since: Option<(Duration, Instant)>) {
    AT_WORK.set(since);
}

/// Counts one invocation's CPU time.
pub struct CpuMeter {
    ticks: u32,
    ticks_max: u32,
    held: bool,
}

impl CpuMeter {
    pub fn new(cpu: Duration) -> Self {
        let ticks = cpu.as_micros().div_ceil(TICK.as_micros());
        Self { ticks: 0, ticks_max: u32::try_from(ticks).unwrap_or(u32::MAX), held: false }
    }

    /// One tick came while the guest was running: on with it, on after its neighbours had their turn, or an end.
    pub fn tick(&mut self) -> UpdateDeadline {
        let worked = AT_WORK.get().map(|(before, since)| before + since.elapsed());
        if worked.is_some_and(|worked| worked < self.used()) {
            // The epoch went on while it waited for somebody else: this one is not the guest's. A hundred writes to a store,
            // each waiting for the disk, would else have used up 100 ms.
            return UpdateDeadline::Continue(1);
        }
        self.ticks = self.ticks.saturating_add(1);
        if self.is_used_up() && !self.held {
            UpdateDeadline::Interrupt
        } else if self.ticks == 1 || self.held {
            // The first tick may come right after the start. A handler that needs 10 µs would meet one in a hundred
            // times, and behind 32 busy neighbours its turn would come again 16 ms later: everybody's p99.
            UpdateDeadline::Continue(1)
        } else {
            UpdateDeadline::Yield(1)
        }
    }

    /// While held, ticks are counted and nothing else: where the engine's own short work runs, off the guest's stack.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// The first tick may come right after the start, so it takes one more than the limit to have used it whole.
    pub fn is_used_up(&self) -> bool {
        self.ticks > self.ticks_max
    }

    /// Ticks at which the guest was running.
    pub fn used(&self) -> Duration {
        TICK * self.ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(bytes_max: u64, host_mib: u64) -> Limiter {
        Limiter::new(Arc::new(MemoryBudget::new(host_mib)), bytes_max)
    }

    #[test]
    fn memories_and_tables_are_counted_together() {
        let mut limiter = limiter(100_000, 1);
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(limiter.table_growing(0, 4_000, None).unwrap());
        assert_eq!(limiter.bytes_used(), 97_536);
        assert!(!limiter.table_growing(4_000, 5_000, None).unwrap());
        assert_eq!(limiter.denied(), Some(Denied::Memory { limit: 100_000 }));
        assert_eq!(limiter.bytes_used(), 97_536);
    }

    #[test]
    fn the_host_s_budget_is_given_back_when_an_invocation_ends() {
        let budget = Arc::new(MemoryBudget::new(1));
        let mut first = Limiter::new(Arc::clone(&budget), MIB);
        assert!(first.memory_growing(0, MIB as usize, None).unwrap());
        let mut second = Limiter::new(Arc::clone(&budget), MIB);
        assert!(!second.memory_growing(0, 1, None).unwrap());
        assert_eq!(second.denied(), Some(Denied::HostMemory { limit: MIB }));
        drop(first);
        assert!(second.memory_growing(0, 1, None).unwrap());
        drop(second);
        assert_eq!(budget.bytes_used(), 0);
    }

    #[test]
    fn a_module_s_own_maximum_is_no_limit_of_ours() {
        let mut limiter = limiter(MIB, 1);
        assert!(!limiter.memory_growing(0, 131_072, Some(65_536)).unwrap());
        assert_eq!(limiter.denied(), None);
        assert!(!limiter.memory_growing(0, 2 << 20, Some(65_536)).unwrap());
        assert_eq!(limiter.denied(), Some(Denied::Memory { limit: MIB }));
    }

    #[test]
    fn cpu_time_is_used_up_one_tick_after_the_limit() {
        let mut meter = CpuMeter::new(Duration::from_millis(2));
        assert!(matches!(meter.tick(), UpdateDeadline::Continue(1)));
        assert!(matches!(meter.tick(), UpdateDeadline::Yield(1)));
        assert!(matches!(meter.tick(), UpdateDeadline::Interrupt));
        assert_eq!(meter.used(), Duration::from_millis(3));
    }
}
