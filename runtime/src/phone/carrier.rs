//! The offline phone as a carrier: takes what handlers ask for, gives ids, and remembers it for whoever looks on.
//!
//! The same trait as a host's outbox, and the same rule: one effect for each key. Nobody's number is asked for here, because
//! nobody's phone rings; a call that a handler places is played by a script of its own, with `outbound` and the link that the
//! handler gave as its `url`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hashbrown::HashMap;
use url::Url;

use super::event::{What, plain_link};
use super::opt_out::{OPTED_OUT, opted_out, refusal};
use super::{Account, Ids, OptOuts};
use crate::call::TenantId;
use crate::carrier::operation::{
    Abilities, AvailableNumber, CallChange, CarrierError, Deferred, Done, Lead, NewCall, NewMessage,
    NumberSearch, Operation, OwnNumber, Recording, Sender, ShortCode, VoiceGrant,
};
use crate::carrier::twilio::rest::token::access_token;
use crate::carrier::{Carrier, EffectKey, Order};
use crate::clock;

/// Effects that are remembered; a longer session forgets all of them and goes on.
const REMEMBERED_MAX: usize = 100_000;

/// Takes what the handlers of a host on this machine ask for.
pub struct OfflineCarrier {
    account: Account,
    opt_outs: OptOuts,
    state: Mutex<State>,
}

struct State {
    ids: Ids,
    /// What came of each effect.
    done: HashMap<EffectKey, Done>,
    /// What waits in the outbox that is none.
    later: HashMap<String, ()>,
    /// What happened that nobody has taken yet, and when.
    happened: Vec<(Instant, What)>,
}

impl OfflineCarrier {
    /// For the handlers of one account.
    #[must_use]
    pub fn new(account: Account, ids: Ids) -> Arc<Self> {
        let state = State { ids, done: HashMap::new(), later: HashMap::new(), happened: Vec::new() };
        Arc::new(Self { account, opt_outs: OptOuts::default(), state: Mutex::new(state) })
    }

    /// Who has opted out of messages: conversations note it there, and what handlers send is held against it.
    #[must_use]
    pub fn opt_outs(&self) -> OptOuts {
        self.opt_outs.clone()
    }

    /// Takes what was done since it was last asked, with the moments at which it was.
    pub fn take(&self) -> Vec<(Instant, What)> {
        std::mem::take(&mut self.state().happened)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn once(&self, order: &Order, operation: &Operation, later: bool) -> Result<Done, CarrierError> {
        let mut state = self.state();
        let key = order.key(operation);
        if let Some(done) = state.done.get(&key) {
            return Ok(done.clone());
        }
        if let Some((sender, receiver)) = self.opted_out(operation) {
            let text = format!("{}: the message is refused", opted_out(receiver, sender));
            state.happens(What::Note { code: Some(OPTED_OUT), text });
            if !later {
                // Not remembered: START lifts it.
                return Err(refusal(receiver));
            }
            // The outbox takes everything, and is refused when it sends it.
            let id = state.ids.next("ob_");
            state.later.insert(id.clone(), ());
            state.done.insert(key, Done::Id(id.clone()));
            return Ok(Done::Id(id));
        }
        if state.done.len() >= REMEMBERED_MAX {
            state.done.clear();
            state.later.clear();
        }
        let (what, done) = state.effect(operation, later);
        state.happens(what);
        state.done.insert(key, done.clone());
        Ok(done)
    }

    /// Who writes to whom, where the latter has opted out of it.
    fn opted_out<'o>(&self, operation: &'o Operation) -> Option<(&'o str, &'o str)> {
        let Operation::Send(NewMessage { to, from, .. }) = operation else { return None };
        let (Sender::Number(sender) | Sender::Service(sender)) = from;
        self.opt_outs.holds(sender, to).then_some((sender, to))
    }
}

impl State {
    fn happens(&mut self, what: What) {
        if self.happened.len() >= REMEMBERED_MAX {
            self.happened.clear();
        }
        self.happened.push((Instant::now(), what));
    }

    fn effect(&mut self, operation: &Operation, later: bool) -> (What, Done) {
        let mut id = |prefix: &str| {
            if later {
                let id = self.ids.next("ob_");
                self.later.insert(id.clone(), ());
                id
            } else {
                self.ids.next(prefix)
            }
        };
        match operation {
            Operation::Place(NewCall { to, from, lead, .. }) => {
                let id = id("CA");
                let lead = match lead {
                    Lead::Link(url) => as_written(url),
                    Lead::Document(document) => document.clone(),
                };
                let what = What::Placed { id: id.clone(), to: to.clone(), from: from.clone(), lead, later };
                (what, Done::Id(id))
            }
            Operation::Send(NewMessage { to, from, body, media, .. }) => {
                let id = id(if media.is_empty() { "SM" } else { "MM" });
                let (Sender::Number(from) | Sender::Service(from)) = from;
                let what = What::Sent {
                    id: id.clone(),
                    to: to.clone(),
                    from: from.clone(),
                    body: body.clone(),
                    media: media.clone(),
                    later,
                };
                (what, Done::Id(id))
            }
            Operation::Update(call, change) => {
                let text = match change {
                    CallChange::Link(url) => format!("call {call} is led to {}", as_written(url)),
                    CallChange::Document(document) => format!("call {call} goes on with {document}"),
                    CallChange::Complete => format!("call {call} is ended"),
                    CallChange::Cancel => format!("call {call} is taken back"),
                };
                (What::Note { code: None, text }, Done::Nothing)
            }
            other => {
                let text = format!("{} {}", other.kind(), other.subject());
                (What::Note { code: None, text }, found(other))
            }
        }
    }
}

/// What is there where nothing is: enough for a handler to go on with.
fn found(operation: &Operation) -> Done {
    let own_number = |number: &str| OwnNumber {
        id: format!("PN{:032x}", 1),
        number: number.to_owned(),
        name: number.to_owned(),
        voice_url: String::new(),
        sms_url: String::new(),
        abilities: Abilities { voice: true, sms: true, mms: true },
    };
    match operation {
        Operation::FindRecording(id) => Done::Recording(Recording {
            id: id.clone(),
            call: String::new(),
            status: "completed".to_owned(),
            duration_s: Some(1),
            channels: 1,
            media_url: format!("https://api.example.com/recordings/{id}"),
        }),
        Operation::RecordingAudio(..) => Done::Audio(Vec::new()),
        Operation::FindNumber(number)
        | Operation::BuyNumber(number, _)
        | Operation::ConfigureNumber(number, _) => Done::Number(Some(own_number(number))),
        Operation::SearchNumbers(search) => {
            Done::Numbers((0..search.most.min(3)).map(|n| for_sale(search, n)).collect())
        }
        Operation::ConfigureShortCode(code, _) => Done::ShortCodes(vec![ShortCode {
            id: format!("SC{:032x}", 1),
            code: code.clone(),
            name: code.clone(),
            sms_url: String::new(),
        }]),
        Operation::ShortCodes => Done::ShortCodes(Vec::new()),
        Operation::Place(_)
        | Operation::Send(_)
        | Operation::Update(..)
        | Operation::DeleteRecording(_)
        | Operation::ReleaseNumber(_) => Done::Nothing,
    }
}

/// A number that nobody has: those that end in 555-01xx are kept for stories.
fn for_sale(search: &NumberSearch, n: u32) -> AvailableNumber {
    AvailableNumber {
        number: format!("+1{}55501{n:02}", search.area_code.unwrap_or(202)),
        name: format!("({}) 555-01{n:02}", search.area_code.unwrap_or(202)),
        locality: search.locality.clone().unwrap_or_default(),
        region: search.region.clone().unwrap_or_default(),
        country: search.country.to_ascii_uppercase(),
        abilities: Abilities { voice: true, sms: true, mms: true },
    }
}

/// A link as its author wrote it: `callback` for an address of his own handler with a pin in it.
fn as_written(address: &str) -> String {
    let Ok(url) = Url::parse(address) else { return address.to_owned() };
    let path = url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let plain = plain_link(&path);
    if plain == path { address.to_owned() } else { plain }
}

impl Carrier for OfflineCarrier {
    fn perform(
        self: Arc<Self>,
        order: Order,
        operation: Operation,
    ) -> BoxFuture<'static, Result<Done, CarrierError>> {
        async move { self.once(&order, &operation, false) }.boxed()
    }

    fn later(
        self: Arc<Self>,
        order: Order,
        what: Deferred,
        _at_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<String, CarrierError>> {
        async move {
            match self.once(&order, &what.into(), true)? {
                Done::Id(id) => Ok(id),
                _ => Err(CarrierError::Invalid("only calls and messages can be done later".to_owned())),
            }
        }
        .boxed()
    }

    fn take_back(
        self: Arc<Self>,
        _order: Order,
        id: String,
    ) -> BoxFuture<'static, Result<bool, CarrierError>> {
        async move {
            let mut state = self.state();
            let taken = state.later.remove(&id).is_some();
            if taken {
                let what = What::Note { code: None, text: format!("{id} is taken back") };
                state.happens(what);
            }
            Ok(taken)
        }
        .boxed()
    }

    fn access_token(&self, _tenant: &TenantId, grant: &VoiceGrant) -> Result<String, CarrierError> {
        // As good as any here: nobody checks it.
        let key = (format!("SK{:032x}", 1), "a key that opens nothing");
        Ok(access_token(&self.account.sid, (&key.0, key.1), grant, clock::unix_ms() / 1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::HandlerName;
    use crate::carrier::Cause;
    use crate::carrier::operation::{Refusal, tests::message};
    use crate::carrier::twilio::signature::AuthToken;
    use crate::config::Config;
    use crate::host::Host;
    use crate::phone::line::{HostLine, Own};
    use crate::phone::messages::{Delivery, MessageSettings, Texting, Written};
    use crate::phone::{Faults, Target};
    use crate::pin::PinKey;

    #[tokio::test]
    async fn whoever_has_opted_out_is_not_written_to_until_he_opts_in() {
        let account = Account { sid: "AC1".into(), token: AuthToken::new("secret").unwrap() };
        let carrier = OfflineCarrier::new(account, Ids::new(1));
        let (tenant, handler) = (TenantId::new("acme").unwrap(), HandlerName::new("desk").unwrap());
        let cause = Arc::new(Cause::new(&tenant, &handler, &["web"], "", "https://h"));
        let order = |place| Order {
            tenant: tenant.clone(),
            handler: handler.clone(),
            cause: Arc::clone(&cause),
            place,
            until: Instant::now(),
        };
        let (number, service) = ("+12025550199".to_owned(), "MG1".to_owned());
        let message = |from| NewMessage { to: "+12025550177".into(), from, ..message() };
        let send = |place, from| Arc::clone(&carrier).perform(order(place), Operation::Send(message(from)));
        let opt_outs = carrier.opt_outs();

        opt_outs.put(&number, "+12025550177", true);
        let refused = send(0, Sender::Number(number.clone())).await;
        assert!(matches!(
            refused,
            Err(CarrierError::Refused(Refusal { status: 400, code: Some(21610), .. }))
        ));
        let noted = carrier.take().into_iter().map(|(_, what)| what).collect::<Vec<_>>();
        assert!(matches!(&*noted, [What::Note { code: Some(21610), .. }]), "nothing was sent: {noted:?}");
        let later = Deferred::Send(message(Sender::Number(number.clone())));
        assert!(Arc::clone(&carrier).later(order(1), later, None).await.is_ok(), "the outbox takes it");
        assert!(send(2, Sender::Number("+12025550198".into())).await.is_ok(), "another number of the tenant");
        assert!(send(3, Sender::Service(service)).await.is_ok(), "a service that has not been opted out of");

        opt_outs.put(&number, "+12025550177", false);
        assert!(send(0, Sender::Number(number)).await.is_ok(), "the same order once more");
        let sent = carrier.take().iter().filter(|(_, what)| matches!(what, What::Sent { .. })).count();
        assert_eq!(sent, 3);
    }

    #[tokio::test]
    async fn who_writes_stop_in_a_conversation_has_opted_out_at_the_carrier() {
        let account = Account { sid: "AC1".into(), token: AuthToken::new("secret").unwrap() };
        let carrier = OfflineCarrier::new(account.clone(), Ids::new(1));
        let host = Host::new(&Config::default(), PinKey::random().unwrap()).unwrap();
        let tenant = TenantId::new("acme").unwrap();
        let base = Url::parse("http://localhost").unwrap();
        let line = HostLine::beside(&host, &tenant, &base, Arc::clone(&carrier), Own::default()).unwrap();
        let service = "MG1".to_owned();
        let settings = MessageSettings {
            from: "+12025550177".into(),
            to: "+12025550199".into(),
            sms: Target::post(Url::parse("http://localhost/acme/desk/sms").unwrap()),
            fallback: None,
            service: Some(service.clone()),
            params: Vec::new(),
            began_unix_ms: 0,
        };
        let mut texting = Texting::new(&line, account, Ids::new(2), Faults::default(), settings);
        for (word, out) in [("hello", false), (" Stop ", true), ("HELP", true), ("unstop", false)] {
            let (media, delivery) = (Vec::new(), Delivery::Delivered);
            texting.write(&Written { body: word.to_owned(), media, delivery }).await;
            for sender in ["+12025550199", &service] {
                assert_eq!(carrier.opt_outs().holds(sender, "+12025550177"), out, "{word} {sender}");
            }
        }
    }
}
