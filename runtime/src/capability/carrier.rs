//! `carrier`: hands what a handler asks for to whoever does it, as an order that says for whom and what for.
//!
//! A handler says what, never whose: tenant, links and the key of each effect come from here. Before an order leaves, its
//! values are checked and its links are made addresses of this revision. What is done lasts beyond the invocation, so an
//! invocation that has ordered anything is not run a second time elsewhere.
//!
//! Credentials, rates and the carrier itself are behind [`Carrier`].

use std::sync::Arc;
use std::time::Instant;

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use super::log::{LogLevel, LogSource};
use super::{Capabilities, Context, effects};
use crate::carrier::operation::{
    Audio, AvailableNumber, CallChange, CarrierError, Deferred, Done, Limit, NewCall, NewMessage,
    NumberSearch, NumberSettings, Operation, OwnNumber, Recording, Repetition, ShortCode, VoiceGrant,
};
use crate::carrier::{Carrier, Cause, Order};
use crate::twiml::{self, DocumentKind, Links};

/// Operations that one invocation may ask for.
const OPERATIONS_MAX: u32 = 32;

/// What an invocation needs in order to act at its carrier.
pub(super) struct Desk {
    carrier: Option<Arc<dyn Carrier>>,
    cause: Arc<Cause>,
    until: Instant,
    asked: Asked,
}

/// What an invocation has asked for up to now.
#[derive(Default)]
struct Asked {
    operations: u32,
    /// What kind of thing to whom.
    effects: Vec<(&'static str, String)>,
}

impl Asked {
    /// Counts `operation`; gives how many of its kind to the same subject came before. Two tries of one run need not go the same
    /// way, since the second leaves out what the first had noted as done: what comes third in one comes first in the other.
    fn place(&mut self, operation: Option<&Operation>) -> u32 {
        self.operations += 1;
        let Some(operation) = operation else { return 0 };
        let effect = (operation.kind(), operation.subject().to_owned());
        let before = self.effects.iter().filter(|known| **known == effect).count();
        self.effects.push(effect);
        u32::try_from(before).unwrap_or(u32::MAX)
    }
}

impl Desk {
    pub(super) fn new(context: &Context<'_>, cause: &Arc<Cause>) -> Self {
        Self {
            carrier: effects::watched(context.reach.carrier.clone(), context.effects),
            cause: Arc::clone(cause),
            until: context.until,
            asked: Asked::default(),
        }
    }
}

impl Capabilities {
    /// The next order of this invocation: to do `operation`, or something that has no effect to be known again.
    fn order(&mut self, operation: Option<&Operation>) -> Result<(Arc<dyn Carrier>, Order), CarrierError> {
        let unavailable = |why: &str| CarrierError::Unavailable(why.to_owned());
        let desk =
            self.carrier.as_mut().ok_or_else(|| unavailable("nothing is known of what this is done for"))?;
        let carrier = desk.carrier.clone().ok_or_else(|| unavailable("this host has no way to a carrier"))?;
        if desk.asked.operations >= OPERATIONS_MAX {
            return Err(CarrierError::Limited(Limit {
                message: format!("an invocation may ask its carrier for {OPERATIONS_MAX} operations"),
                retry_after_ms: 0,
            }));
        }
        let order = Order {
            tenant: self.grants.tenant.clone(),
            handler: self.grants.handler.clone(),
            cause: Arc::clone(&desk.cause),
            place: desk.asked.place(operation),
            until: desk.until,
        };
        Ok((carrier, order))
    }

    /// Checks `operation` and makes its links addresses of this handler, those of calls in this revision.
    fn ready(&self, operation: &mut Operation, origin: &str) -> Result<(), CarrierError> {
        operation.check()?;
        let grants = &self.grants;
        let handler = format!("{origin}/{}/{}", grants.tenant, grants.handler);
        // A pin is for calls that this run has to do with. A number leads every later call where it was told once: with a
        // pin in its link no deploy, canary or rollback would reach them.
        let pin = if operation.outlives_calls() { "" } else { &*grants.pin };
        let links = Links { handler: &handler, pin, step: "" };
        operation.resolve(
            |link, entry| {
                let address = links.address(link, entry.as_str())?;
                if ["http://", "https://"].iter().any(|scheme| address.starts_with(scheme)) {
                    return Ok(address);
                }
                Err(format!("{link:?} is no link; expected a step such as callback, status/…, or https://…"))
            },
            |document| match twiml::prepare(document, DocumentKind::Voice, &links) {
                Ok(prepared) => Ok(prepared.text.into_owned()),
                Err(why) => Err(why.to_string()),
            },
        )
    }

    /// A line in the handler's log for each operation: what the host did in its name.
    fn note(&mut self, operation: &Operation, came_to: Result<&str, &CarrierError>) {
        let (kind, subject) = (operation.kind(), operation.subject());
        let (level, text) = match came_to {
            Ok(what) => (LogLevel::Info, format!("{kind} {subject}: {what}")),
            Err(why) => (LogLevel::Warn, format!("{kind} {subject}: {why}")),
        };
        self.log.shared().lock().write(level, LogSource::Host, &text);
    }
}

/// Has `operation` done.
async fn perform<T>(
    store: &mut StoreContextMut<'_, T>,
    mut operation: Operation,
) -> Result<Done, CarrierError>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    let capabilities = store.data_mut().as_mut();
    capabilities.touch_clock();
    let ordered = capabilities.order(Some(&operation)).and_then(|(carrier, order)| {
        capabilities.ready(&mut operation, &order.cause.origin)?;
        Ok((carrier, order))
    });
    let result = match ordered {
        Ok((carrier, order)) => {
            // Before it is sent: the invocation may be over before it is known what came of it.
            capabilities.acted |= operation.repetition() != Repetition::Reads;
            carrier.perform(order, operation.clone()).await
        }
        Err(error) => Err(error),
    };
    let capabilities = store.data_mut().as_mut();
    capabilities.touch_clock();
    let what = match &result {
        Ok(Done::Id(id)) => Ok(id.as_str()),
        Ok(_) => Ok("done"),
        Err(why) => Err(why),
    };
    capabilities.note(&operation, what);
    result
}

async fn later<T>(
    store: &mut StoreContextMut<'_, T>,
    what: Deferred,
    at_ms: Option<u64>,
) -> Result<String, CarrierError>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    let capabilities = store.data_mut().as_mut();
    capabilities.touch_clock();
    let mut operation = Operation::from(what);
    let ordered = capabilities.order(Some(&operation)).and_then(|(carrier, order)| {
        capabilities.ready(&mut operation, &order.cause.origin)?;
        Ok((carrier, order))
    });
    let result = match (ordered, operation.clone()) {
        (Ok((carrier, order)), Operation::Place(call)) => {
            capabilities.acted = true;
            carrier.later(order, Deferred::Place(call), at_ms).await
        }
        (Ok((carrier, order)), Operation::Send(message)) => {
            capabilities.acted = true;
            carrier.later(order, Deferred::Send(message), at_ms).await
        }
        (Ok(_), _) => Err(CarrierError::Invalid("only calls and messages can be done later".to_owned())),
        (Err(error), _) => Err(error),
    };
    let capabilities = store.data_mut().as_mut();
    capabilities.touch_clock();
    match &result {
        Ok(id) => capabilities.note(&operation, Ok(&format!("in the outbox as {id}"))),
        Err(why) => capabilities.note(&operation, Err(why)),
    }
    result
}

async fn take_back<T>(store: &mut StoreContextMut<'_, T>, id: String) -> Result<bool, CarrierError>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    let capabilities = store.data_mut().as_mut();
    capabilities.touch_clock();
    let (carrier, order) = capabilities.order(None)?;
    capabilities.acted = true;
    let taken = carrier.take_back(order, id).await;
    store.data_mut().as_mut().touch_clock();
    taken
}

fn access_token<T>(store: &mut StoreContextMut<'_, T>, grant: &VoiceGrant) -> Result<String, CarrierError>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    let capabilities = store.data_mut().as_mut();
    capabilities.touch_clock();
    grant.check()?;
    let (carrier, order) = capabilities.order(None)?;
    carrier.access_token(&order.tenant, grant)
}

/// What came of an operation of another kind: a fault of ours, which the guest hears of without harm.
fn other<T>(_: Done) -> Result<T, CarrierError> {
    Err(CarrierError::Unknown("the host has mixed up what came of it".to_owned()))
}

fn id(done: Done) -> Result<String, CarrierError> {
    if let Done::Id(id) = done { Ok(id) } else { other(done) }
}

fn nothing(_: Done) -> Result<(), CarrierError> {
    Ok(())
}

fn recording(done: Done) -> Result<Recording, CarrierError> {
    if let Done::Recording(recording) = done { Ok(recording) } else { other(done) }
}

fn audio(done: Done) -> Result<Vec<u8>, CarrierError> {
    if let Done::Audio(bytes) = done { Ok(bytes) } else { other(done) }
}

fn maybe_number(done: Done) -> Result<Option<OwnNumber>, CarrierError> {
    if let Done::Number(number) = done { Ok(number) } else { other(done) }
}

fn number(done: Done) -> Result<OwnNumber, CarrierError> {
    if let Done::Number(Some(number)) = done { Ok(number) } else { other(done) }
}

fn numbers(done: Done) -> Result<Vec<AvailableNumber>, CarrierError> {
    if let Done::Numbers(numbers) = done { Ok(numbers) } else { other(done) }
}

fn short_codes(done: Done) -> Result<Vec<ShortCode>, CarrierError> {
    if let Done::ShortCodes(codes) = done { Ok(codes) } else { other(done) }
}

fn short_code(done: Done) -> Result<ShortCode, CarrierError> {
    match done {
        Done::ShortCodes(codes) => codes.into_iter().next().map_or_else(|| other(Done::Nothing), Ok),
        done => other(done),
    }
}

/// Defines `hookswitch:handler/carrier`.
pub(super) fn link<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    let mut carrier = linker.instance("hookswitch:handler/carrier@0.1.0")?;
    // One function of the contract: its name, its parameters, the operation they make, and what is read of what came of it.
    macro_rules! operation {
        ($name:literal, ($($parameter:ident: $type:ty),*) => $operation:expr, $read:path) => {
            carrier.func_wrap_async($name, |mut store: StoreContextMut<'_, T>, ($($parameter,)*): ($($type,)*)| {
                Box::new(async move { Ok((perform(&mut store, $operation).await.and_then($read),)) })
            })?;
        };
    }
    operation!("place", (call: NewCall) => Operation::Place(call), id);
    operation!("update", (id: String, change: CallChange) => Operation::Update(id, change), nothing);
    operation!("send", (message: NewMessage) => Operation::Send(message), id);
    operation!("find-recording", (id: String) => Operation::FindRecording(id), recording);
    operation!("recording-audio", (id: String, coded: Audio) => Operation::RecordingAudio(id, coded), audio);
    operation!("delete-recording", (id: String) => Operation::DeleteRecording(id), nothing);
    operation!("find-number", (number: String) => Operation::FindNumber(number), maybe_number);
    operation!("search-numbers", (search: NumberSearch) => Operation::SearchNumbers(search), numbers);
    operation!("buy-number", (text: String, settings: NumberSettings) => Operation::BuyNumber(text, settings), number);
    operation!(
        "configure-number", (text: String, settings: NumberSettings) => Operation::ConfigureNumber(text, settings), number
    );
    operation!("release-number", (number: String) => Operation::ReleaseNumber(number), nothing);
    operation!("short-codes", () => Operation::ShortCodes, short_codes);
    operation!(
        "configure-short-code",
        (code: String, settings: NumberSettings) => Operation::ConfigureShortCode(code, settings),
        short_code
    );
    carrier.func_wrap_async(
        "later",
        |mut store: StoreContextMut<'_, T>, (what, at_ms): (Deferred, Option<u64>)| {
            Box::new(async move { Ok((later(&mut store, what, at_ms).await,)) })
        },
    )?;
    carrier.func_wrap_async("take-back", |mut store: StoreContextMut<'_, T>, (id,): (String,)| {
        Box::new(async move { Ok((take_back(&mut store, id).await,)) })
    })?;
    carrier.func_wrap("access-token", |mut store: StoreContextMut<'_, T>, (grant,): (VoiceGrant,)| {
        Ok((access_token(&mut store, &grant),))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_try_that_leaves_out_what_is_done_asks_for_the_rest_under_the_same_places() {
        let call = |to: &str| {
            Operation::Place(NewCall { to: to.to_owned(), ..crate::carrier::operation::tests::call() })
        };
        let places = |numbers: &[&str]| {
            let mut asked = Asked::default();
            numbers.iter().map(|to| asked.place(Some(&call(to)))).collect::<Vec<_>>()
        };
        assert_eq!(places(&["+1", "+2", "+3"]), [0, 0, 0]);
        assert_eq!(places(&["+3"]), [0], "two were called before");
        assert_eq!(places(&["+1", "+1", "+2", "+1"]), [0, 1, 0, 2], "each is a call of its own");
    }
}
