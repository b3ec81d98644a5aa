//! Guests that do what they should not, each with the neighbour's call answered in the same test.

mod faults;
mod guest;
mod kept;
mod load;
mod memory;
mod smoke;
mod time;
mod values;
mod wasi;

use std::sync::Arc;
use std::time::Duration;

use super::{Answer, Limits, Outcome, Prepared, Sandbox, SandboxSettings, State};
use crate::call::{Call, CallStatus, Direction, Webhook};
use crate::capability::{ConfigValues, Nobody};
use guest::Guest;

/// What the plainest guest answers.
const HELLO: &str = "<Response><Say>Hello</Say></Response>";

fn sandbox() -> Arc<Sandbox> {
    sandbox_with(SandboxSettings { concurrency_max: 64, ..SandboxSettings::default() })
}

fn sandbox_with(settings: SandboxSettings) -> Arc<Sandbox> {
    Sandbox::new(&settings).unwrap()
}

fn call() -> Webhook {
    Webhook::Voice(Call {
        id: "CA00000000000000000000000000000001".into(),
        account: "AC00000000000000000000000000000001".into(),
        from: "+12025550123".into(),
        to: "+12025550199".into(),
        direction: Direction::Inbound,
        status: CallStatus::Ringing,
        step: String::new(),
        digits: None,
        speech: None,
        form: "CallSid=CA00000000000000000000000000000001&Direction=inbound".into(),
    })
}

/// A sandbox with a well-behaved tenant in it, and a way to run another beside it.
struct House {
    sandbox: Arc<Sandbox>,
    neighbour: Arc<Prepared>,
}

impl House {
    fn new() -> Self {
        Self::on(sandbox())
    }

    fn on(sandbox: Arc<Sandbox>) -> Self {
        let neighbour = Arc::new(sandbox.load(&Guest::default().build()).unwrap());
        Self { sandbox, neighbour }
    }

    fn load(&self, component: &[u8]) -> Arc<Prepared> {
        Arc::new(self.sandbox.load(component).unwrap())
    }

    async fn run(&self, prepared: &Prepared, limits: &Limits) -> Outcome {
        self.sandbox.run(prepared, limits, Nobody::new(ConfigValues::default()).context(), &call()).await
    }

    /// Runs a component under the default limits and checks that the neighbour is answered afterwards.
    async fn try_out(&self, component: &[u8]) -> Outcome {
        self.try_out_under(component, &Limits::default()).await
    }

    async fn try_out_under(&self, component: &[u8], limits: &Limits) -> Outcome {
        let outcome = self.run(&self.load(component), limits).await;
        self.neighbour_is_answered().await;
        assert_eq!(self.sandbox.guest_memory_bytes(), 0, "memory is counted down again");
        outcome
    }

    async fn neighbour_is_answered(&self) {
        let outcome = self.run(&self.neighbour, &Limits::default()).await;
        assert_eq!(outcome.result, Ok(Answer::Document(HELLO.into())));
    }
}

/// The code of how an invocation ended, `ok` if it answered.
fn code(outcome: &Outcome) -> &'static str {
    outcome.result.as_ref().map_or_else(super::RunError::code, |_| "ok")
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
