//! What a handler remembers for as long as it is deployed.
//!
//! Each function waits for the host's store and is done when it returns. Whose store it is comes from the revision's grants;
//! all that a guest names is a key within it. An invocation has so many operations and bytes, because whoever else has a
//! store on this host waits for the same disk.

use std::future::Future;
use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Linker, Lower};

use super::Capabilities;
use super::storage::{self, Add, Refused, Set, Swap, Value};
use crate::state::{self, Change, Owner, Reply, State, StorageError};

/// Operations of one invocation.
pub const OPERATIONS_MAX: u32 = 1_000;
/// Keys and values that one invocation writes, in bytes.
pub const WRITTEN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Keys that a listing may give for the price of one operation.
const LISTED_FOR_ONE: u32 = 20;

/// What an invocation may still do.
pub(super) struct Budget {
    operations: u32,
    bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { operations: OPERATIONS_MAX, bytes: WRITTEN_BYTES_MAX }
    }
}

impl Budget {
    fn take(&mut self, operations: u32, bytes: usize) -> Result<(), StorageError> {
        let Some(operations) = self.operations.checked_sub(operations) else {
            return Err(StorageError::TooMany(format!(
                "an invocation has {OPERATIONS_MAX} operations on its store, and this would be more; a listing counts as one \
                 for every {LISTED_FOR_ONE} keys of its limit"
            )));
        };
        let Some(bytes) = self.bytes.checked_sub(bytes) else {
            return Err(StorageError::TooLarge(format!(
                "an invocation writes at most {WRITTEN_BYTES_MAX} bytes to its store, and this would be more"
            )));
        };
        *self = Self { operations, bytes };
        Ok(())
    }
}

/// `record page`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
struct Page {
    keys: Vec<String>,
    next: Option<String>,
}

impl Capabilities {
    /// The store to ask, and who asks; what it costs is taken from the budget.
    fn store(&mut self, operations: u32, bytes: usize) -> Result<(Arc<State>, Owner), StorageError> {
        self.store.take(operations, bytes)?;
        let state = self.reach.state.as_ref();
        let state = state.ok_or_else(|| StorageError::unavailable("this host keeps no stores"))?;
        Ok((Arc::clone(state), Owner::of(&self.grants)))
    }
}

/// What a host function that waits gives to wasmtime.
type Waiting<'a, T> = Box<dyn Future<Output = wasmtime::Result<(Result<T, Refused>,)>> + Send + 'a>;

/// Changes `key`.
async fn change<T: AsMut<Capabilities>>(
    store: &mut StoreContextMut<'_, T>,
    key: String,
    change: impl FnOnce(u64) -> Result<Change, StorageError>,
) -> Result<Reply, StorageError> {
    let capabilities = store.data_mut().as_mut();
    let change = change(capabilities.unix_ms())?;
    let (state, owner) = capabilities.store(1, key.len() + change.value_bytes())?;
    // What can't be known counts as done, and the invocation may end while this waits.
    let acted = std::mem::replace(&mut capabilities.acted, true);
    let reply = match capabilities.effects.clone() {
        None => state.change(owner, key, change).await,
        Some(effects) => effects.change(&state, owner, key, change).await,
    };
    let capabilities = store.data_mut().as_mut();
    capabilities.touch_clock();
    capabilities.acted = match &reply {
        Ok(reply) => acted || reply.changed(),
        Err(StorageError::Unavailable(_)) => true,
        Err(_) => acted,
    };
    reply
}

async fn get<T: AsMut<Capabilities>>(
    store: &mut StoreContextMut<'_, T>,
    key: String,
) -> Result<Option<Value>, StorageError> {
    let capabilities = store.data_mut().as_mut();
    let (state, owner) = capabilities.store(1, 0)?;
    let found = match capabilities.effects.clone() {
        None => state.get(owner, key).await,
        Some(effects) => effects.get(&state, owner, key).await,
    };
    store.data_mut().as_mut().touch_clock();
    found
}

async fn keys<T: AsMut<Capabilities>>(
    store: &mut StoreContextMut<'_, T>,
    prefix: String,
    after: Option<String>,
    limit: u32,
) -> Result<Page, StorageError> {
    let price = limit.min(state::LISTING_MAX).div_ceil(LISTED_FOR_ONE).max(1);
    let capabilities = store.data_mut().as_mut();
    let (state, owner) = capabilities.store(price, 0)?;
    let found = match capabilities.effects.clone() {
        None => state.keys(owner, prefix, after, limit).await,
        Some(effects) => effects.keys(&state, owner, prefix, after, limit).await,
    };
    store.data_mut().as_mut().touch_clock();
    found.map(|page| Page { keys: page.keys, next: page.next })
}

/// Defines `hookswitch:handler/store`.
pub(super) fn link<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    let mut functions = linker.instance("hookswitch:handler/store@0.1.0")?;
    functions.func_wrap_async(
        "get",
        |mut store: StoreContextMut<'_, T>, (key,): (String,)| -> Waiting<'_, Option<Value>> {
            Box::new(async move { Ok((get(&mut store, key).await.map_err(Refused::from),)) })
        },
    )?;
    functions.func_wrap_async(
        "keys",
        |mut store: StoreContextMut<'_, T>,
         (prefix, after, limit): (String, Option<String>, u32)|
         -> Waiting<'_, Page> {
            Box::new(
                async move { Ok((keys(&mut store, prefix, after, limit).await.map_err(Refused::from),)) },
            )
        },
    )?;
    functions.func_wrap_async(
        "set",
        |mut store: StoreContextMut<'_, T>, (key, value, ttl_s): Set| -> Waiting<'_, ()> {
            Box::new(async move {
                let reply = change(&mut store, key, |now| storage::set(value, ttl_s, now)).await;
                Ok((reply.map(drop).map_err(Refused::from),))
            })
        },
    )?;
    functions.func_wrap_async(
        "delete",
        |mut store: StoreContextMut<'_, T>, (key,): (String,)| -> Waiting<'_, bool> {
            Box::new(async move {
                let reply = change(&mut store, key, |_| Ok(Change::Delete)).await;
                Ok((reply.map(Reply::changed).map_err(Refused::from),))
            })
        },
    )?;
    functions.func_wrap_async(
        "add",
        |mut store: StoreContextMut<'_, T>, (key, by, ttl_s): Add| -> Waiting<'_, i64> {
            Box::new(async move {
                let reply = change(&mut store, key, |now| storage::add(by, ttl_s, now)).await;
                Ok((reply.and_then(storage::sum).map_err(Refused::from),))
            })
        },
    )?;
    functions.func_wrap_async(
        "swap",
        |mut store: StoreContextMut<'_, T>, (key, expected, new, ttl_s): Swap| -> Waiting<'_, bool> {
            Box::new(async move {
                let swap = |now| storage::swap(expected, new, ttl_s, now);
                let reply = change(&mut store, key, swap).await;
                Ok((reply.map(Reply::changed).map_err(Refused::from),))
            })
        },
    )
}
