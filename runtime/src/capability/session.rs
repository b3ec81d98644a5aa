//! What a handler remembers of one conversation.
//!
//! The session is read before the guest starts, only for components that import it, and changed here in memory: nothing waits.
//! Whoever ran the invocation keeps it, or drops it where the handler failed.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmStr};

use super::storage::{self, Add, Refused, Set, Swap, Value};
use super::{Capabilities, Context};
use crate::call::Webhook;
use crate::state::{Change, Owner, Reply, Session, SessionName, StorageError};

/// The interface as components name it, without version.
pub(crate) const NAME: &str = "hookswitch:handler/session";

/// The session of an invocation.
pub(crate) enum Remembered {
    /// Its component does not import one.
    NotAsked,
    /// As it is for this invocation.
    Session(Box<Session>),
    /// It could not be read, or there is none.
    Refused(StorageError),
}

/// Reads the session that `webhook` belongs to.
pub(crate) async fn open(context: Context<'_>, webhook: &Webhook) -> Remembered {
    let refused = |why: &str| Remembered::Refused(StorageError::unavailable(why));
    let Some(state) = &context.reach.state else {
        return refused("this host keeps no sessions");
    };
    let Some(name) = SessionName::of(Owner::of(context.grants), webhook) else {
        return refused(
            "this webhook belongs to no call and to no conversation, so there is no session for it",
        );
    };
    match state.session(name, context.until).await {
        Ok(session) => Remembered::Session(Box::new(session)),
        Err(why) => Remembered::Refused(why),
    }
}

impl Capabilities {
    /// What was read for this invocation.
    pub(crate) fn remember(&mut self, remembered: Remembered) {
        self.session = remembered;
    }

    /// The session as the invocation left it, for whoever keeps it.
    pub(crate) fn take_session(&mut self) -> Option<Box<Session>> {
        match std::mem::replace(&mut self.session, Remembered::NotAsked) {
            Remembered::Session(session) => Some(session),
            Remembered::NotAsked | Remembered::Refused(_) => None,
        }
    }

    fn session(&mut self) -> Result<&mut Session, StorageError> {
        self.touch_clock();
        match &mut self.session {
            Remembered::Session(session) => Ok(session),
            Remembered::Refused(why) => Err(why.clone()),
            Remembered::NotAsked => Err(StorageError::unavailable("there is no session outside a webhook")),
        }
    }

    fn change_session(
        &mut self,
        key: &str,
        change: impl FnOnce(u64) -> Result<Change, StorageError>,
    ) -> Result<Reply, StorageError> {
        let now = self.unix_ms();
        self.session()?.change(key, change(now)?, now)
    }
}

/// Defines `hookswitch:handler/session`.
pub(super) fn link<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    let mut session = linker.instance("hookswitch:handler/session@0.1.0")?;
    session.func_wrap("get", |mut store: StoreContextMut<'_, T>, (key,): (WasmStr,)| {
        let key = key.to_str(&store)?.into_owned();
        let capabilities = store.data_mut().as_mut();
        let now = capabilities.unix_ms();
        let found = capabilities.session().and_then(|session| session.get(&key, now));
        Ok((found.map_err(Refused::from),) as (Result<Option<Value>, Refused>,))
    })?;
    session.func_wrap("keys", |mut store: StoreContextMut<'_, T>, (prefix,): (WasmStr,)| {
        let prefix = prefix.to_str(&store)?.into_owned();
        let capabilities = store.data_mut().as_mut();
        let now = capabilities.unix_ms();
        let found = capabilities.session().map(|session| session.keys(&prefix, now));
        Ok((found.map_err(Refused::from),))
    })?;
    session.func_wrap("set", |mut store: StoreContextMut<'_, T>, (key, value, ttl_s): Set| {
        let reply = store.data_mut().as_mut().change_session(&key, |now| storage::set(value, ttl_s, now));
        Ok((reply.map(drop).map_err(Refused::from),))
    })?;
    session.func_wrap("delete", |mut store: StoreContextMut<'_, T>, (key,): (String,)| {
        let reply = store.data_mut().as_mut().change_session(&key, |_| Ok(Change::Delete));
        Ok((reply.map(Reply::changed).map_err(Refused::from),))
    })?;
    session.func_wrap("add", |mut store: StoreContextMut<'_, T>, (key, by, ttl_s): Add| {
        let reply = store.data_mut().as_mut().change_session(&key, |now| storage::add(by, ttl_s, now));
        Ok((reply.and_then(storage::sum).map_err(Refused::from),))
    })?;
    session.func_wrap("swap", |mut store: StoreContextMut<'_, T>, (key, expected, new, ttl_s): Swap| {
        let change = |now| storage::swap(expected, new, ttl_s, now);
        let reply = store.data_mut().as_mut().change_session(&key, change);
        Ok((reply.map(Reply::changed).map_err(Refused::from),))
    })
}
