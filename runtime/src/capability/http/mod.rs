//! `wasi:http`: the types that requests and answers are made of, and `outgoing-handler`.
//!
//! The types are wasmtime-wasi-http's; nothing of it sends. A request goes to the allow-list, the address check and the
//! connections of `outbound`, and what that says is given to the guest in the words of `wasi:http`.

mod code;
mod watched;

use std::sync::Arc;
use std::time::Instant;

use http::uri::Scheme;
use http_body_util::BodyExt as _;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, IoError};
use wasmtime_wasi_http::p2::bindings::{LinkOptions, http as bindings};
use wasmtime_wasi_http::{
    Error, RequestOptions, Result, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
};

use super::effects::Effects;
use super::log::{LogLevel, LogSource, SharedLog};
use super::wasi::Wasi;
use super::{Capabilities, Grants, Reach};
use crate::outbound::{Invocation, Patience};

/// Names and values of one set of headers as they lie in memory, about twice what they are on the wire, in bytes.
const FIELDS_BYTES_MAX: usize = 40 * 1024;
/// What a guest may write to a request's body at once, in bytes.
const BODY_CHUNK_BYTES: usize = 64 * 1024;

/// The HTTP state of one invocation, made when it is first asked for.
pub(super) struct Http {
    ctx: WasiHttpCtx,
    hooks: Hooks,
}

impl Http {
    fn new(
        grants: &Grants,
        reach: &Reach,
        until: Instant,
        log: SharedLog,
        effects: Option<&Effects>,
    ) -> Self {
        let mut ctx = WasiHttpCtx::new();
        ctx.set_field_size_limit(FIELDS_BYTES_MAX);
        let note = move |went_well: bool, line: &str| {
            let level = if went_well { LogLevel::Info } else { LogLevel::Warn };
            log.lock().write(level, LogSource::Host, line);
        };
        let outbound = Invocation::new(
            reach.outbound.as_deref(),
            &grants.tenant,
            grants.outbound.clone(),
            until,
            Arc::new(note),
        );
        Self { ctx, hooks: Hooks { outbound, effects: effects.cloned() } }
    }

    /// Ends all requests; whether one of them may have changed something.
    pub(super) fn end(&self) -> bool {
        self.hooks.outbound.end()
    }
}

struct Hooks {
    outbound: Invocation,
    effects: Option<Effects>,
}

/// An answer, and what goes on after it: nothing, connections look after themselves.
type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<()>> + Send>)>;

impl WasiHttpHooks for Hooks {
    fn is_supported_scheme(&mut self, scheme: &Scheme) -> bool {
        *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _received: Box<dyn Future<Output = Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let options = options.unwrap_or_default();
        let patience = Patience {
            head: options
                .first_byte_timeout
                .map(|first| first.saturating_add(options.connect_timeout.unwrap_or_default())),
            between: options.between_bytes_timeout,
        };
        let outbound = self.outbound.clone();
        match self.effects.clone() {
            None => done(sent(outbound, request, patience)),
            Some(Effects::Noted(tape)) => {
                done(watched::noted(tape, request, move |request| outbound.send(request, patience)))
            }
            Some(Effects::Answered(script)) => done(watched::answered(script, outbound, request, patience)),
        }
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK_BYTES
    }
}

/// Sends a request; it is counted now.
fn sent(
    outbound: Invocation,
    request: http::Request<WasiBody>,
    patience: Patience,
) -> impl Future<Output = Result<http::Response<WasiBody>>> + Send {
    let sending = outbound.send(request, patience);
    async move {
        let response = sending.await.map_err(code::of)?;
        Ok(response.map(|body| body.map_err(code::of).boxed_unsync()))
    }
}

/// An answer after which nothing goes on.
fn done(
    sending: impl Future<Output = Result<http::Response<WasiBody>>> + Send + 'static,
) -> Box<dyn Future<Output = Sent> + Send> {
    Box::new(async move {
        let done: Box<dyn Future<Output = Result<()>> + Send> = Box::new(async { Ok(()) });
        Ok((sending.await?, done))
    })
}

impl Capabilities {
    /// What wasmtime-wasi-http works on: its resources are in the same table as WASI's streams.
    pub(crate) fn http(&mut self) -> WasiHttpCtxView<'_> {
        let Self { log, wasi, http, grants, reach, until, effects, .. } = self;
        let wasi = wasi.get_or_insert_with(|| Box::new(Wasi::new(log.shared(), &reach.time)));
        wasi.clock.touch();
        let http = http.get_or_insert_with(|| {
            Box::new(Http::new(grants, reach, *until, wasi.log.clone(), effects.as_ref()))
        });
        WasiHttpCtxView { hooks: &mut http.hooks, table: &mut wasi.table, ctx: &mut http.ctx }
    }
}

fn view<T: AsMut<Capabilities>>(data: &mut T) -> WasiHttpCtxView<'_> {
    data.as_mut().http()
}

/// The instance that wasmtime-wasi-http defines its types in.
const TYPES: &str = "wasi:http/types@0.2.12";

/// Defines `wasi:http/types` and `wasi:http/outgoing-handler`.
pub(super) fn link<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    bindings::types::add_to_linker::<T, WasiHttp>(linker, &LinkOptions::default().into(), view)?;
    bindings::outgoing_handler::add_to_linker::<T, WasiHttp>(linker, view)?;
    // One function of it anew: it does not know the errors of its own bodies, and a guest could not tell a service that
    // was cut off for its size from one that was too slow.
    linker.allow_shadowing(true);
    let defined = linker.instance(TYPES)?.func_wrap("http-error-code", error_code::<T>);
    linker.allow_shadowing(false);
    defined
}

/// What an error of a stream's means for HTTP, if anything.
fn error_code<T>(
    mut store: StoreContextMut<'_, T>,
    (error,): (Resource<IoError>,),
) -> wasmtime::Result<(Option<ErrorCode>,)>
where
    T: AsMut<Capabilities>,
{
    let view = view(store.data_mut());
    let error = view.table.get(&error)?;
    let of_body = || error.downcast_ref::<Error>().and_then(code::of_body);
    Ok((error.downcast_ref::<ErrorCode>().cloned().or_else(of_body),))
}
