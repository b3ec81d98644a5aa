//! The line in front of the compiler: bounded, fair between tenants, and the same work only once.
//!
//! Compiling takes seconds where a webhook takes microseconds, so few compiles run at a time and the others wait. Tenants
//! take turns: who uploads fifty components waits behind a neighbour's one. Work is named by a key; who asks for a key that
//! is waiting or running waits with the others for the one result. Work whose last asker went away is stopped.
//!
//! What the work is, is the caller's business.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::gauge;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::call::TenantId;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Keys and results are small: they are cloned for each asker.
pub struct Queue<K, T> {
    inner: Arc<Inner<K, T>>,
}

struct Inner<K, T> {
    state: Mutex<State<K, T>>,
    running_max: usize,
    waiting_max: usize,
}

struct State<K, T> {
    running: usize,
    waiting: usize,
    /// What each tenant waits for, in its own order; no empty lines.
    lines: HashMap<TenantId, VecDeque<K>>,
    /// Tenants that wait, who is next in front.
    turns: VecDeque<TenantId>,
    jobs: HashMap<K, Job<T>>,
    jobs_made: u64,
}

struct Job<T> {
    id: u64,
    tenant: TenantId,
    askers: usize,
    stage: Stage<T>,
    result: watch::Sender<Option<T>>,
}

enum Stage<T> {
    Waiting(Work<T>),
    Running(AbortHandle),
}

/// The line is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{waiting} components wait to be compiled already; try again in a minute")]
pub struct QueueFull {
    /// How many wait.
    pub waiting: usize,
}

/// One asker's claim on a result. Dropping it gives up the claim.
pub struct Ticket<K: Clone + Eq + Hash + Send + 'static, T: Clone + Send + Sync + 'static> {
    inner: Arc<Inner<K, T>>,
    key: K,
    id: u64,
    result: watch::Receiver<Option<T>>,
}

impl<K, T> Queue<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// A queue that runs `running_max` at a time and lets `waiting_max` wait.
    pub fn new(running_max: usize, waiting_max: usize) -> Self {
        let state = State {
            running: 0,
            waiting: 0,
            lines: HashMap::new(),
            turns: VecDeque::new(),
            jobs: HashMap::new(),
            jobs_made: 0,
        };
        Self {
            inner: Arc::new(Inner { state: Mutex::new(state), running_max: running_max.max(1), waiting_max }),
        }
    }

    /// Asks for the result of `work`, which is known as `key`. Within a tokio runtime.
    ///
    /// # Errors
    /// [`QueueFull`]; work that is known already is never turned away.
    pub fn ask(
        &self,
        tenant: &TenantId,
        key: K,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<Ticket<K, T>, QueueFull> {
        let mut state = self.inner.lock();
        if let Some(job) = state.jobs.get_mut(&key) {
            job.askers += 1;
            let (id, result) = (job.id, job.result.subscribe());
            return Ok(Ticket { inner: Arc::clone(&self.inner), key, id, result });
        }
        let starts = state.running < self.inner.running_max;
        if !starts && state.waiting >= self.inner.waiting_max {
            return Err(QueueFull { waiting: state.waiting });
        }
        state.jobs_made += 1;
        let id = state.jobs_made;
        let (sender, result) = watch::channel(None);
        let stage = Stage::Waiting(Box::pin(work));
        let job = Job { id, tenant: tenant.clone(), askers: 1, stage, result: sender };
        state.jobs.insert(key.clone(), job);
        let line = state.lines.entry(tenant.clone()).or_default();
        line.push_back(key.clone());
        if line.len() == 1 {
            state.turns.push_back(tenant.clone());
        }
        state.waiting += 1;
        self.inner.start_next(&mut state);
        Ok(Ticket { inner: Arc::clone(&self.inner), key, id, result })
    }
}

impl<K, T> Inner<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    fn lock(&self) -> MutexGuard<'_, State<K, T>> {
        // Nothing panics between two halves of a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts as many as may run, one of each tenant in turn.
    fn start_next(self: &Arc<Self>, state: &mut State<K, T>) {
        while state.running < self.running_max {
            let Some(tenant) = state.turns.pop_front() else { break };
            let Some(line) = state.lines.get_mut(&tenant) else { continue };
            let Some(key) = line.pop_front() else { continue };
            if line.is_empty() {
                state.lines.remove(&tenant);
            } else {
                state.turns.push_back(tenant);
            }
            state.waiting -= 1;
            let Some(job) = state.jobs.get_mut(&key) else { continue };
            let (task, start) = tokio::sync::oneshot::channel::<Work<T>>();
            // A task of its own, so that a panic or an abort of the work ends here and the next one starts.
            let running = tokio::spawn(async move { Some(start.await.ok()?.await) });
            let abort = Stage::Running(running.abort_handle());
            if let Stage::Waiting(work) = std::mem::replace(&mut job.stage, abort) {
                let _received = task.send(work);
            }
            state.running += 1;
            let (inner, id) = (Arc::clone(self), job.id);
            tokio::spawn(async move {
                let result = running.await.ok().flatten();
                inner.finish(&key, id, result);
            });
        }
        gauge!("hookswitch_compile_queue").set(state.waiting as f64);
    }

    fn finish(self: &Arc<Self>, key: &K, id: u64, result: Option<T>) {
        let mut state = self.lock();
        state.running -= 1;
        let ours = state.jobs.get(key).is_some_and(|job| job.id == id);
        let job = if ours { state.jobs.remove(key) } else { None };
        self.start_next(&mut state);
        drop(state);
        // Without a result the sender is dropped, and the askers see that.
        if let (Some(job), Some(result)) = (job, result) {
            let _nobody_waits = job.result.send(Some(result));
        }
    }

    fn give_up(self: &Arc<Self>, key: &K, id: u64) {
        let mut state = self.lock();
        let Some(job) = state.jobs.get_mut(key).filter(|job| job.id == id) else { return };
        job.askers -= 1;
        if job.askers > 0 {
            return;
        }
        let Some(job) = state.jobs.remove(key) else { return };
        match job.stage {
            // Its task sees the abort and calls `finish`.
            Stage::Running(abort) => abort.abort(),
            Stage::Waiting(_) => {
                state.waiting -= 1;
                if let Some(line) = state.lines.get_mut(&job.tenant) {
                    line.retain(|waiting| waiting != key);
                    if line.is_empty() {
                        state.lines.remove(&job.tenant);
                        state.turns.retain(|tenant| *tenant != job.tenant);
                    }
                }
                gauge!("hookswitch_compile_queue").set(state.waiting as f64);
            }
        }
    }
}

impl<K, T> Ticket<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Waits for the result; none if the work panicked.
    pub async fn wait(mut self) -> Option<T> {
        let result = self.result.wait_for(Option::is_some).await.ok()?;
        result.clone()
    }
}

impl<K: Clone + Eq + Hash + Send + 'static, T: Clone + Send + Sync + 'static> Drop for Ticket<K, T> {
    fn drop(&mut self) {
        self.inner.give_up(&self.key, self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::{Semaphore, mpsc};

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    /// Work that waits for a permit and tells when it begins.
    struct Bench {
        queue: Queue<&'static str, &'static str>,
        permits: Arc<Semaphore>,
        begun: mpsc::UnboundedReceiver<&'static str>,
        begins: mpsc::UnboundedSender<&'static str>,
    }

    impl Bench {
        fn new(running_max: usize, waiting_max: usize) -> Self {
            let (begins, begun) = mpsc::unbounded_channel();
            let queue = Queue::new(running_max, waiting_max);
            Self { queue, permits: Arc::new(Semaphore::new(0)), begun, begins }
        }

        fn ask(&self, of: &str, key: &'static str) -> Result<Ticket<&'static str, &'static str>, QueueFull> {
            let (permits, begins) = (Arc::clone(&self.permits), self.begins.clone());
            self.queue.ask(&tenant(of), key, async move {
                begins.send(key).unwrap();
                permits.acquire().await.unwrap().forget();
                key
            })
        }

        async fn order(mut self, tickets: Vec<Ticket<&'static str, &'static str>>) -> Vec<&'static str> {
            self.permits.add_permits(tickets.len());
            for ticket in tickets {
                ticket.wait().await.unwrap();
            }
            let mut order = Vec::new();
            while let Ok(key) = self.begun.try_recv() {
                order.push(key);
            }
            order
        }
    }

    #[tokio::test]
    async fn tenants_take_turns_however_much_one_of_them_asks_for() {
        let bench = Bench::new(1, 32);
        let asked =
            [("a", "a1"), ("a", "a2"), ("a", "a3"), ("a", "a4"), ("b", "b1"), ("c", "c1"), ("b", "b2")];
        let tickets = asked.iter().map(|(of, key)| bench.ask(of, key).unwrap()).collect();
        assert_eq!(bench.order(tickets).await, ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
    }

    #[tokio::test]
    async fn the_same_key_is_worked_on_once_and_every_asker_hears_the_result() {
        let bench = Bench::new(1, 32);
        let tickets =
            vec![bench.ask("a", "x").unwrap(), bench.ask("b", "x").unwrap(), bench.ask("a", "x").unwrap()];
        assert_eq!(bench.order(tickets).await, ["x"]);
    }

    #[tokio::test]
    async fn a_full_line_turns_away_new_work_and_never_what_it_knows() {
        let bench = Bench::new(1, 2);
        let tickets: Vec<_> = ["1", "2", "3"].iter().map(|key| bench.ask("a", key).unwrap()).collect();
        assert_eq!(bench.ask("b", "4").err(), Some(QueueFull { waiting: 2 }));
        let again = bench.ask("b", "3").unwrap();
        drop(tickets);
        // Only what somebody still waits for is left.
        assert_eq!(bench.order(vec![again]).await.last(), Some(&"3"));
    }

    #[tokio::test]
    async fn who_goes_away_stops_the_work_only_if_nobody_else_waits_for_it() {
        struct Stopped(Arc<AtomicUsize>);
        impl Drop for Stopped {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let queue: Queue<&str, &str> = Queue::new(1, 8);
        let stopped = Arc::new(AtomicUsize::new(0));
        let (go_on, wait) = watch::channel(false);
        let ask = |key: &'static str| {
            let (guard, mut wait) = (Stopped(Arc::clone(&stopped)), wait.clone());
            queue.ask(&tenant("a"), key, async move {
                let _guard = guard;
                wait.wait_for(|go_on| *go_on).await.unwrap();
                key
            })
        };
        let (first, second) = (ask("x").unwrap(), ask("x").unwrap());
        assert_eq!(stopped.load(Ordering::Relaxed), 1, "the second work was not taken");
        tokio::task::yield_now().await;
        drop(first);
        tokio::task::yield_now().await;
        assert_eq!(stopped.load(Ordering::Relaxed), 1);
        drop(second);
        // A new asker gets new work, even while the old one is being stopped.
        let third = ask("x").unwrap();
        go_on.send(true).unwrap();
        assert_eq!(third.wait().await, Some("x"));
        assert_eq!(stopped.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn work_that_panics_ends_and_the_next_one_starts() {
        let queue: Queue<u8, u8> = Queue::new(1, 8);
        let bad = queue.ask(&tenant("a"), 1, async { panic!("a defect") }).unwrap();
        let good = queue.ask(&tenant("a"), 2, async { 2 }).unwrap();
        assert_eq!(bad.wait().await, None);
        assert_eq!(good.wait().await, Some(2));
    }
}
