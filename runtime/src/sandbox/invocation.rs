//! One run of a handler for one webhook: instantiate, call, and an end whatever happens.
//!
//! The guest runs inside a future that this module polls itself, because three things have to hold around every poll:
//! a panic of ours ends this invocation and not the host, time spent is counted, and the wall deadline is looked at
//! even when the guest never waits. The store stays outside that future, so log and counts are there however it ended.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use wasmtime::Store;

use super::contract;
use super::export::{Export, Interface};
use super::limits::Denied;
use super::outcome::{self, Answer, Outcome, RunError, Used};
use super::prepared::Prepared;
use super::store::State;
use super::web::Web;
use super::{Limits, Sandbox, limits, store};
use crate::call::Webhook;
use crate::capability::{ConfigValues, Context, Nobody, session};

/// How the guest's future ended.
enum End<T> {
    Done(T),
    PastDeadline,
    Panicked(Box<dyn Any + Send>),
}

/// Runs `prepared` for `webhook` under `limits`.
pub async fn run(
    sandbox: &Sandbox,
    prepared: &Prepared,
    limits: &Limits,
    context: Context<'_>,
    webhook: &Webhook,
) -> Outcome {
    let mut time = Time::starting_now();
    let mut store = store::new(sandbox, limits, context);
    if prepared.has_session {
        let remembered = session::open(context, webhook).await;
        store.data_mut().capabilities.remember(remembered);
        // It waited for somebody else's work.
        time.resumed = None;
    }
    let end = {
        let guest = pin!(call(&mut store, prepared, limits, webhook));
        bounded(guest, limits.deadline, &mut time).await
    };
    conclude(store, end, limits, &time)
}

/// Makes an instance of `prepared` under `limits`, calls nothing and drops it.
pub async fn start(sandbox: &Sandbox, prepared: &Prepared, limits: &Limits) -> Outcome {
    let nobody = Nobody::new(ConfigValues::default());
    let mut time = Time::starting_now();
    let mut store = store::new(sandbox, limits, nobody.context());
    let end = {
        let guest = pin!(async { prepared.instantiate(&mut store).await.map(|_| Ok(Answer::Noted)) });
        bounded(guest, limits.deadline, &mut time).await
    };
    conclude(store, end, limits, &time)
}

/// The time of one invocation. Reads the clock twice for an invocation that never waits.
struct Time {
    started: Instant,
    /// When it last went on; none while it waits.
    resumed: Option<Instant>,
    /// When it last stopped to wait, or ended.
    paused: Instant,
    busy: Duration,
}

impl Time {
    fn starting_now() -> Self {
        let now = Instant::now();
        Self { started: now, resumed: Some(now), paused: now, busy: Duration::ZERO }
    }

    fn pause(&mut self) {
        self.paused = Instant::now();
        if let Some(resumed) = self.resumed.take() {
            self.busy += self.paused - resumed;
        }
    }

    fn wall(&self) -> Duration {
        self.paused - self.started
    }
}

/// Makes the instance and calls the export that this webhook is for.
async fn call(
    store: &mut Store<State>,
    prepared: &Prepared,
    limits: &Limits,
    webhook: &Webhook,
) -> wasmtime::Result<Result<Answer, RunError>> {
    let time_left_ms = u32::try_from(limits.deadline.as_millis()).unwrap_or(u32::MAX);
    let result = match webhook {
        Webhook::Voice(call) => {
            let call = contract::Call::new(call, time_left_ms);
            answer(store, prepared, prepared.voice.as_ref(), call).await?.map(Answer::Document)
        }
        Webhook::Message(message) => {
            let message = contract::Message::new(message, time_left_ms);
            answer(store, prepared, prepared.messaging.as_ref(), message).await?.map(Answer::Document)
        }
        Webhook::Event(event) => {
            let event = contract::Event::new(event, time_left_ms);
            answer(store, prepared, prepared.events.as_ref(), event).await?.map(|()| Answer::Noted)
        }
        Webhook::Web(request) => match &prepared.web {
            Some(export) => {
                let instance = prepared.instantiate(store).await?;
                export.call(store, &instance, request).await?.map(|response| Answer::Web(Box::new(response)))
            }
            None => Err(RunError::NoExport { interface: Web::NAME }),
        },
    };
    Ok(result)
}

/// Calls one export in a fresh instance.
async fn answer<I: Interface>(
    store: &mut Store<State>,
    prepared: &Prepared,
    export: Option<&Export<I>>,
    parameter: I::Parameter<'_>,
) -> wasmtime::Result<Result<I::Answer, RunError>> {
    let Some(export) = export else {
        return Ok(Err(RunError::NoExport { interface: I::NAME }));
    };
    let instance = prepared.instantiate(store).await?;
    Ok(export.call(store, &instance, parameter).await?.map_err(RunError::from))
}

/// Polls `guest` until it is done, panics, or `deadline` has gone by since it started.
async fn bounded<T>(
    mut guest: Pin<&mut impl Future<Output = T>>,
    deadline: Duration,
    time: &mut Time,
) -> End<T> {
    // Most invocations are done with the first poll: they never get to know a timer.
    let mut timer = pin!(None);
    poll_fn(|context| {
        let resumed = *time.resumed.get_or_insert_with(Instant::now);
        limits::at_work(Some((time.busy, resumed)));
        let polled = catch_unwind(AssertUnwindSafe(|| guest.as_mut().poll(context)));
        limits::at_work(None);
        time.pause();
        match polled {
            Err(panic) => Poll::Ready(End::Panicked(panic)),
            Ok(Poll::Ready(done)) => Poll::Ready(End::Done(done)),
            // Looked at here too: where guests keep the runtime busy its timers come late.
            Ok(Poll::Pending) if time.wall() >= deadline => Poll::Ready(End::PastDeadline),
            Ok(Poll::Pending) => {
                if timer.is_none() {
                    timer.set(Some(tokio::time::sleep_until((time.started + deadline).into())));
                }
                match timer.as_mut().as_pin_mut() {
                    Some(timer) => timer.poll(context).map(|()| End::PastDeadline),
                    None => Poll::Pending,
                }
            }
        }
    })
    .await
}

/// Reads how it ended and what was used, and drops the store.
fn conclude(
    mut store: Store<State>,
    end: End<wasmtime::Result<Result<Answer, RunError>>>,
    limits: &Limits,
    time: &Time,
) -> Outcome {
    let log = store.data_mut().capabilities.take_log();
    let session = store.data_mut().capabilities.take_session();
    let state = store.data();
    let mut result = match end {
        End::Done(Ok(result)) => result,
        End::Done(Err(error)) => Err(outcome::explain(&error, state, limits, &log)),
        End::PastDeadline => Err(RunError::PastDeadline { deadline: limits.deadline, cpu: state.cpu.used() }),
        End::Panicked(panic) => Err(RunError::HostFault { message: panic_message(&*panic) }),
    };
    if let Err(RunError::Failed { message, causes }) = &mut result {
        // Interpreters make an error of their own of it, which names no limit.
        if let Some(Denied::Memory { limit }) = state.limiter.denied() {
            causes.push(format!(
                "it had asked for more than its {} KiB of memory (memory_mib under [limits])",
                limit >> 10
            ));
        }
        causes.iter_mut().chain([message]).for_each(|text| state.capabilities.hide(text));
    }
    let used = Used {
        wall: time.wall(),
        cpu: state.cpu.used(),
        busy: time.busy,
        memory_bytes: state.limiter.bytes_used(),
        log_bytes: log.bytes,
        log_entries: log.entries.len(),
    };
    Outcome {
        result,
        acted: state.capabilities.acted(),
        session,
        used,
        log: log.entries,
        log_dropped_entries: log.dropped_entries,
        log_dropped_bytes: log.dropped_bytes,
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    if let Some(message) = panic.downcast_ref::<&str>() {
        (*message).to_owned()
    } else if let Some(message) = panic.downcast_ref::<String>() {
        message.clone()
    } else {
        "a panic without a message".to_owned()
    }
}
