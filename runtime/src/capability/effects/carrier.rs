//! A carrier whose operations are noted, and one that answers them from a record.

use std::sync::Arc;

use futures_util::future::{BoxFuture, ready};
use serde::de::DeserializeOwned;

use super::{Effects, Import, Request, Script, Tape};
use crate::call::TenantId;
use crate::carrier::operation::{CarrierError, Deferred, Done, Operation, VoiceGrant};
use crate::carrier::{Carrier, Order};

/// What an invocation with these effects has for a carrier, where its host has `carrier`.
pub(in crate::capability) fn watched(
    carrier: Option<Arc<dyn Carrier>>,
    effects: Option<&Effects>,
) -> Option<Arc<dyn Carrier>> {
    match effects {
        None => carrier,
        Some(Effects::Noted(tape)) => Some(Arc::new(Watched { carrier: carrier?, tape: Arc::clone(tape) })),
        Some(Effects::Answered(script)) => Some(Arc::new(Remembered { script: Arc::clone(script) })),
    }
}

/// Does what it is asked and notes what came of it.
struct Watched {
    carrier: Arc<dyn Carrier>,
    tape: Arc<Tape>,
}

/// Does nothing, and answers as it was answered then.
struct Remembered {
    script: Arc<Script>,
}

impl Remembered {
    fn answer<T: DeserializeOwned>(&self, request: Request) -> Result<T, CarrierError> {
        self.script.ask(request).unwrap_or_else(|| {
            let why = "this is a replay, which does nothing at a carrier, and there is no such operation in the record";
            Err(CarrierError::Unavailable(why.to_owned()))
        })
    }
}

fn request(operation: &Operation) -> Request {
    Request::new(Import::Carrier, operation.kind(), operation.subject())
}

fn later(what: &Deferred) -> Request {
    let (kind, target) = match what {
        Deferred::Place(call) => ("call, later", &call.to),
        Deferred::Send(message) => ("message, later", &message.to),
    };
    Request::new(Import::Carrier, kind, target)
}

fn take_back(id: &str) -> Request {
    Request::new(Import::Carrier, "take back", id)
}

fn token(grant: &VoiceGrant) -> Request {
    Request::new(Import::Carrier, "token of a browser phone", &grant.identity)
}

impl Carrier for Watched {
    fn perform(
        self: Arc<Self>,
        order: Order,
        operation: Operation,
    ) -> BoxFuture<'static, Result<Done, CarrierError>> {
        let place = self.tape.ask(request(&operation));
        Box::pin(async move {
            let came = Arc::clone(&self.carrier).perform(order, operation).await;
            // Of a recording only that there was one: it is somebody's voice, and nothing in it could be redacted.
            let silence = Done::Audio(Vec::new());
            let noted =
                came.as_ref().map(|done| if matches!(done, Done::Audio(_)) { &silence } else { done });
            self.tape.answer(place, &noted);
            came
        })
    }

    fn later(
        self: Arc<Self>,
        order: Order,
        what: Deferred,
        at_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<String, CarrierError>> {
        let place = self.tape.ask(later(&what));
        Box::pin(async move {
            let came = Arc::clone(&self.carrier).later(order, what, at_ms).await;
            self.tape.answer(place, &came);
            came
        })
    }

    fn take_back(
        self: Arc<Self>,
        order: Order,
        id: String,
    ) -> BoxFuture<'static, Result<bool, CarrierError>> {
        let place = self.tape.ask(take_back(&id));
        Box::pin(async move {
            let came = Arc::clone(&self.carrier).take_back(order, id).await;
            self.tape.answer(place, &came);
            came
        })
    }

    fn access_token(&self, tenant: &TenantId, grant: &VoiceGrant) -> Result<String, CarrierError> {
        let place = self.tape.ask(token(grant));
        let came = self.carrier.access_token(tenant, grant);
        // Whoever has it can call.
        self.tape.answer(place, &came.as_ref().map(|_| "[secret]"));
        came
    }
}

impl Carrier for Remembered {
    fn perform(
        self: Arc<Self>,
        _order: Order,
        operation: Operation,
    ) -> BoxFuture<'static, Result<Done, CarrierError>> {
        Box::pin(ready(self.answer(request(&operation))))
    }

    fn later(
        self: Arc<Self>,
        _order: Order,
        what: Deferred,
        _at_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<String, CarrierError>> {
        Box::pin(ready(self.answer(later(&what))))
    }

    fn take_back(
        self: Arc<Self>,
        _order: Order,
        id: String,
    ) -> BoxFuture<'static, Result<bool, CarrierError>> {
        Box::pin(ready(self.answer(take_back(&id))))
    }

    fn access_token(&self, _tenant: &TenantId, grant: &VoiceGrant) -> Result<String, CarrierError> {
        self.answer(token(grant))
    }
}
