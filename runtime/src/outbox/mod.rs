//! Does what handlers ask of their carrier: each effect once, at the tenant's pace, now or later.
//!
//! The carrier has no idempotency keys, so the host has them: an effect is claimed in a file before anything is sent, and
//! what came of it is kept there for whoever tries the same again. Between the claim and the result lies the one moment that
//! a crash leaves in the dark; what was in it is reported as not known and never repeated blindly. What is to be done later
//! stands in the same file and is sent by [`Outbox::drain`], which asks the carrier before it repeats what is in doubt.
//!
//! What a handler may ask for is `carrier`'s, how the carrier is asked `carrier/twilio/rest`'s. SQL stands in `ledger`.

mod drain;
mod ledger;
mod rates;
mod sending;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, Notify};
use tracing::{error, warn};

use self::ledger::{Claim, Ledger, Put};
pub use self::ledger::{Entry, Listed};
use self::rates::{Rates, per_minute};
use self::sending::Sending;
pub use self::writer::OutboxError;
use crate::call::{HandlerName, TenantId};
use crate::carrier::account::Account;
use crate::carrier::operation::{
    CarrierError, Deferred, Done, Limit, NewCall, Operation, Repetition, VoiceGrant,
};
use crate::carrier::twilio::rest::{self, Client};
use crate::carrier::{Carrier, EffectKey, Order};
use crate::clock;
use crate::host::Host;
use crate::outbound::address;
use crate::webhook::ingress::LogPace;

/// The outbox's file in the data folder.
pub const FILE_NAME: &str = "outbox.db";

/// What is left of a deadline for the handler to say something about it.
const ANSWER_WITHIN: Duration = Duration::from_millis(150);
/// How long a second try of the same thing waits for the first to end.
const OTHER_WITHIN: Duration = Duration::from_secs(1);
/// How far ahead something may be put into the outbox, in milliseconds.
const AHEAD_MAX_MS: u64 = 90 * 24 * 3_600_000;

/// A number that was bought or given back.
#[derive(Debug, Clone)]
pub struct Trade {
    /// By whom.
    pub tenant: TenantId,
    /// By which handler.
    pub handler: HandlerName,
    /// The number.
    pub number: String,
    /// Whether it is the tenant's now.
    pub bought: bool,
}

/// Told of each trade, so that a number leads to its tenant from then on.
pub type OnTrade = Box<dyn Fn(Trade) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The outbox of a host.
pub struct Outbox {
    ledger: Ledger,
    rates: Rates,
    client: Client,
    /// Knows tenants, their accounts and numbers.
    host: OnceLock<Weak<Host>>,
    on_trade: OnceLock<OnTrade>,
    /// Something may be due sooner than was thought.
    changed: Notify,
    sending: Arc<Sending>,
    /// Held by the loop that takes entries out.
    draining: Mutex<()>,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outbox")
    }
}

impl Outbox {
    /// The outbox of the data folder; what is wrong with its file is told to whoever uses it. `api_url` is scheme and authority
    /// of the carrier's API, where the operator has named one.
    ///
    /// # Errors
    /// Where there is no thread to be had.
    pub fn open(data: &Path, api_url: Option<&str>) -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            ledger: Ledger::open(data.join(FILE_NAME))?,
            rates: Rates::default(),
            client: Client::new(api_url.unwrap_or(rest::API_URL)),
            host: OnceLock::new(),
            on_trade: OnceLock::new(),
            changed: Notify::new(),
            sending: Sending::new(),
            draining: Mutex::default(),
        }))
    }

    /// Says whose tenants it works for, and who has to know of bought numbers. Before that it knows nobody.
    pub fn serve(&self, host: &Arc<Host>, on_trade: OnTrade) {
        let _once = self.host.set(Arc::downgrade(host));
        let _once = self.on_trade.set(on_trade);
    }

    /// The entries of a tenant, newest first; none where there is no entry called `before`.
    ///
    /// # Errors
    /// Where the file can't be used.
    pub async fn list(&self, tenant: &TenantId, listed: Listed) -> Result<Option<Vec<Entry>>, OutboxError> {
        self.ledger.list(tenant, listed).await
    }

    /// One entry of a tenant.
    ///
    /// # Errors
    /// Where the file can't be used.
    pub async fn entry(&self, tenant: &TenantId, id: &str) -> Result<Option<Entry>, OutboxError> {
        self.ledger.entry(tenant, id).await
    }

    /// Takes back an entry that waits; false where it is too late or there is none. `by` is whose wish it is.
    ///
    /// # Errors
    /// Where the file can't be used.
    pub async fn cancel(&self, tenant: &TenantId, id: &str, by: &str) -> Result<bool, OutboxError> {
        self.ledger.cancel(tenant, id, by, clock::unix_ms()).await
    }

    /// Takes back all that waits of a handler, and gives how much that was. `by` is whose wish it is.
    ///
    /// # Errors
    /// Where the file can't be used.
    pub async fn cancel_all(
        &self,
        tenant: &TenantId,
        handler: &HandlerName,
        by: &str,
    ) -> Result<u64, OutboxError> {
        self.ledger.cancel_all(tenant, handler, format!("taken back by {by}"), clock::unix_ms()).await
    }

    /// Takes back what waits of a handler that is gone, whose links lead nowhere any more; forgets what there is of a tenant
    /// that is gone, so that whoever has its name next does not send it.
    pub async fn forget(&self, tenant: &TenantId, handler: Option<&HandlerName>) {
        let forgotten = match handler {
            Some(handler) => {
                let note = "its handler was removed".to_owned();
                self.ledger.cancel_all(tenant, handler, note, clock::unix_ms()).await.map(drop)
            }
            None => self.ledger.forget(tenant).await,
        };
        if let Err(why) = forgotten {
            error!(%tenant, "what it wanted to have done later still waits in the outbox: {why}");
        }
    }

    /// Sees to it that a tenant which was not there before has nothing of another one that had its name.
    ///
    /// # Errors
    /// Where the file can't be used.
    pub async fn begin_anew(&self, tenant: &TenantId) -> Result<(), OutboxError> {
        self.ledger.forget(tenant).await
    }

    fn host(&self) -> Option<Arc<Host>> {
        self.host.get().and_then(Weak::upgrade)
    }

    fn account(&self, tenant: &TenantId) -> Result<Arc<Account>, CarrierError> {
        let tenant = self.host().and_then(|host| host.router.tenant(tenant.as_str()));
        tenant.and_then(|tenant| tenant.account.clone()).ok_or_else(|| {
            CarrierError::Unavailable(
                "this host has no account at the carrier for the tenant; its operator gives it one with `hookswitch tenant \
                 update TENANT --twilio-account-sid …`"
                    .to_owned(),
            )
        })
    }

    /// Whether the tenant may use the number that `operation` uses.
    fn allowed(
        &self,
        tenant: &TenantId,
        account: &Account,
        operation: &Operation,
    ) -> Result<(), CarrierError> {
        let allowance = &account.allowance;
        if matches!(operation, Operation::BuyNumber(..) | Operation::ReleaseNumber(_))
            && !allowance.trades_numbers
        {
            return Err(CarrierError::NotYours(
                "handlers of this tenant may not buy numbers or give them back; its operator allows it with \
                 `hookswitch tenant update TENANT --trades-numbers true`"
                    .to_owned(),
            ));
        }
        let Some(number) = operation.number() else { return Ok(()) };
        if let Operation::Place(NewCall { to, from, .. }) = operation
            && from.starts_with("client:")
            && to.starts_with("client:")
        {
            return Ok(());
        }
        // `channel:+12025550123` is that number on another channel.
        let bare = number.rsplit_once(':').map_or(number, |(_, bare)| bare);
        let speaks = matches!(operation, Operation::Place(_) | Operation::Send(_));
        // What waits must not be given up because the host that knows the numbers is about to end.
        let host = self.host().ok_or_else(|| CarrierError::Unavailable("this host is ending".to_owned()))?;
        let owner = host.router.number(bare).map(|(tenant, _)| tenant);
        if owner.is_some_and(|owner| owner.id == *tenant)
            || (speaks && allowance.caller_ids.iter().any(|id| id == number))
        {
            return Ok(());
        }
        Err(CarrierError::NotYours(format!(
            "{number} does not belong to tenant {tenant}: it is neither among its numbers (`hookswitch number list`) nor a \
             caller's id that its operator has allowed (`hookswitch tenant update TENANT --caller-id …`)"
        )))
    }

    /// Whether the carrier reaches where the links of `operation` lead: it would take the call and then have nobody to ask how it
    /// goes on.
    fn reached(&self, order: &Order, operation: &Operation) -> Result<(), CarrierError> {
        let origin = order.cause.origin.as_str();
        if self.client.is_near() || address::is_in_the_open(origin) {
            return Ok(());
        }
        let unreached = |leads_here: bool| {
            let why = format!(
                "the carrier can't reach {origin}, where the call or message would lead; the operator names this host's public \
                 address as `public_url` in hookswitch.toml, or with `hookswitch tenant update {} --public-url https://…`",
                order.tenant
            );
            if leads_here { Err(why) } else { Ok(()) }
        };
        let mut tried = operation.clone();
        let resolved = tried.resolve(
            |link, _| unreached(link.starts_with(origin)).map(|()| link.to_owned()),
            |document| unreached(document.contains(origin)).map(|()| document.to_owned()),
        );
        resolved.map_err(|why| CarrierError::Unavailable(why.to_string()))
    }

    /// Waits for the tenant's next turn, if there is one before `latest`.
    async fn turn(
        &self,
        tenant: &TenantId,
        account: &Account,
        operation: &Operation,
        latest: Instant,
    ) -> Result<(), CarrierError> {
        let (rate, allowance) = (operation.rate(), &account.allowance);
        match self.rates.turn(tenant, rate, allowance, Instant::now(), latest) {
            Ok(at) => {
                tokio::time::sleep_until(at.into()).await;
                Ok(())
            }
            Err(wait) => Err(CarrierError::Limited(Limit {
                message: format!(
                    "the tenant may do {} of these a minute ({})",
                    per_minute(rate, allowance),
                    operation.kind()
                ),
                retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            })),
        }
    }

    async fn do_now(&self, order: Order, operation: Operation) -> Result<Done, CarrierError> {
        let account = self.account(&order.tenant)?;
        self.allowed(&order.tenant, &account, &operation)?;
        self.reached(&order, &operation)?;
        let until = order.until.checked_sub(ANSWER_WITHIN).unwrap_or(order.until);
        if operation.repetition() == Repetition::Reads {
            self.turn(&order.tenant, &account, &operation, until).await?;
            return self.client.perform(&account, &operation, until).await;
        }
        let key = order.key(&operation);
        if let Some(known) = self.claim(key, &order, &operation, until).await? {
            return known;
        }
        let result = match self.turn(&order.tenant, &account, &operation, until).await {
            Ok(()) => self.client.perform(&account, &operation, until).await,
            Err(limited) => Err(limited),
        };
        let kept = match &result {
            Err(
                CarrierError::Limited(_)
                | CarrierError::Unavailable(_)
                | CarrierError::Invalid(_)
                | CarrierError::NotYours(_),
            ) => self.ledger.release(key).await,
            Ok(_) | Err(CarrierError::Refused(_) | CarrierError::Unknown(_)) => {
                self.ledger.conclude(key, &result, clock::unix_ms()).await
            }
        };
        if let Err(why) = kept {
            // The claim stands, so nothing happens twice; a second try hears that it is not known.
            error!(tenant = %order.tenant, "what came of a {} is not kept: {why}", operation.kind());
        }
        if result.is_ok() {
            self.traded(&order, &operation).await;
        }
        result
    }

    /// None where the effect is ours to cause, otherwise what is known of it.
    async fn claim(
        &self,
        key: EffectKey,
        order: &Order,
        operation: &Operation,
        until: Instant,
    ) -> Result<Option<Result<Done, CarrierError>>, CarrierError> {
        let latest = until.min(Instant::now() + OTHER_WITHIN);
        loop {
            let who = (&order.tenant, &order.handler);
            let claim = self
                .ledger
                .claim(key, who, operation, clock::unix_ms())
                .await
                .map_err(|why| unusable(&why))?;
            match claim {
                Claim::Yours => return Ok(None),
                Claim::Known(result) => return Ok(Some(result)),
                Claim::Unknown(why) => return Ok(Some(Err(CarrierError::Unknown(why)))),
                Claim::UnderWay if Instant::now() < latest => {
                    tokio::time::sleep(Duration::from_millis(20)).await
                }
                Claim::UnderWay => {
                    let why = "an earlier try of the same has not ended yet".to_owned();
                    return Ok(Some(Err(CarrierError::Unknown(why))));
                }
            }
        }
    }

    /// Lets a bought number lead to its tenant, and one that was given back to nobody.
    async fn traded(&self, order: &Order, operation: &Operation) {
        let (number, bought) = match operation {
            Operation::BuyNumber(number, _) => (number.clone(), true),
            Operation::ReleaseNumber(number) => (number.clone(), false),
            _ => return,
        };
        let Some(on_trade) = self.on_trade.get() else { return };
        let (tenant, handler) = (order.tenant.clone(), order.handler.clone());
        if let Err(why) = on_trade(Trade { tenant, handler, number: number.clone(), bought }).await {
            let done = if bought { "bought" } else { "given back" };
            error!(tenant = %order.tenant, "{number} was {done} at the carrier, and the registry does not know: {why}");
        }
    }

    async fn do_later(
        &self,
        order: Order,
        what: Deferred,
        at_ms: Option<u64>,
    ) -> Result<String, CarrierError> {
        let account = self.account(&order.tenant)?;
        let operation = Operation::from(what);
        self.allowed(&order.tenant, &account, &operation)?;
        self.reached(&order, &operation)?;
        let now = clock::unix_ms();
        let due_at = at_ms.unwrap_or(now);
        if due_at > now + AHEAD_MAX_MS {
            let days = AHEAD_MAX_MS / (24 * 3_600_000);
            return Err(CarrierError::Invalid(format!(
                "at-ms: it is more than {days} days ahead; expected Unix milliseconds"
            )));
        }
        let (most, key) = (account.allowance.outbox_entries, order.key(&operation));
        let put =
            self.ledger.put(key, (&order.tenant, &order.handler), &operation, due_at, (now, most)).await;
        match put.map_err(|why| unusable(&why))? {
            Put::There(id) => {
                self.changed.notify_one();
                Ok(id)
            }
            Put::Full(waiting) => Err(CarrierError::Limited(Limit {
                message: format!("{waiting} entries of the tenant wait in the outbox, it may have {most}"),
                retry_after_ms: 60_000,
            })),
        }
    }
}

/// Why nothing is done without the file: nobody could say later whether it was. The path is the operator's.
fn unusable(why: &OutboxError) -> CarrierError {
    static LINES: LogPace = LogPace::new();
    if let Some(left_out) = LINES.line() {
        warn!(left_out, "{why}");
    }
    CarrierError::Unavailable(
        "the host's outbox can't be used now, so nothing was sent; its log says why".to_owned(),
    )
}

/// Runs to its end whether or not anybody still waits: what was sent has to be known.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, CarrierError>> + Send + 'static,
) -> Result<T, CarrierError> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(fault) => {
            error!("a fault of the host while it spoke to the carrier: {fault}");
            Err(CarrierError::Unknown("the host made a mistake on the way".to_owned()))
        }
    }
}

impl Carrier for Outbox {
    fn perform(
        self: Arc<Self>,
        order: Order,
        operation: Operation,
    ) -> BoxFuture<'static, Result<Done, CarrierError>> {
        to_the_end(async move { self.do_now(order, operation).await }).boxed()
    }

    fn later(
        self: Arc<Self>,
        order: Order,
        what: Deferred,
        at_ms: Option<u64>,
    ) -> BoxFuture<'static, Result<String, CarrierError>> {
        to_the_end(async move { self.do_later(order, what, at_ms).await }).boxed()
    }

    fn take_back(
        self: Arc<Self>,
        order: Order,
        id: String,
    ) -> BoxFuture<'static, Result<bool, CarrierError>> {
        async move {
            let by = format!("handler {}", order.handler);
            self.cancel(&order.tenant, &id, &by).await.map_err(|why| unusable(&why))
        }
        .boxed()
    }

    fn access_token(&self, tenant: &TenantId, grant: &VoiceGrant) -> Result<String, CarrierError> {
        let account = self.account(tenant)?;
        let (id, secret) = account.api_key.as_ref().ok_or_else(|| {
            CarrierError::Unavailable(
                "the tenant has no API key, which access tokens are signed with; its operator gives it one with `hookswitch \
                 tenant update TENANT --twilio-api-key SK…=FILE`"
                    .to_owned(),
            )
        })?;
        Ok(rest::token::access_token(&account.sid, (id, secret.expose()), grant, clock::unix_ms() / 1_000))
    }
}
