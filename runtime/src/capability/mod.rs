//! What a handler may import: one file per interface of `wit/`, and WASI 0.2 without its reach outward.
//!
//! Everything an invocation holds on the host's side is in [`Capabilities`], which lives in its store and is gone with
//! it. A part that is not used is not made: a handler that only logs has no WASI table, one that does not log no buffer.
//! [`OFFERED`] is the whole list; what is not in it is refused when a component is loaded, and nothing is ever stubbed.
//!
//! Limits on memory and time are `sandbox`'s business.

mod carrier;
mod clock;
pub mod config;
mod context;
pub mod effects;
mod http;
pub mod log;
mod secrets;
pub(crate) mod session;
mod stdio;
mod storage;
pub mod store;
mod wasi;

pub use clock::at_time;
pub use config::ConfigValues;
pub use context::{Context, Grants, Nobody, Reach};
pub use effects::Effects;
pub use log::{LogBudget, LogBuffer, LogEntry, LogLevel, LogSource};
pub(crate) use wasi::RESOURCES_MAX;

use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::Linker;

/// An interface that handlers may import: its name without version, and the version line that is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    /// `package:name/interface`.
    pub name: &'static str,
    /// The first numbers of the version, which have to be equal: `0.2` takes 0.2.0 and every later 0.2.
    pub version: &'static str,
    /// Whether a function of it may wait.
    pub waits: bool,
}

impl Interface {
    const fn new(name: &'static str, version: &'static str) -> Self {
        Self { name, version, waits: false }
    }

    const fn waiting(name: &'static str, version: &'static str) -> Self {
        Self { name, version, waits: true }
    }
}

/// Every interface that handlers may import.
pub const OFFERED: &[Interface] = &[
    Interface::new("hookswitch:handler/log", "0.1"),
    Interface::new("hookswitch:handler/config", "0.1"),
    Interface::new("hookswitch:handler/secrets", "0.1"),
    Interface::new(session::NAME, "0.1"),
    Interface::waiting("hookswitch:handler/store", "0.1"),
    Interface::new("hookswitch:handler/types", "0.1"),
    Interface::waiting(CARRIER, "0.1"),
    Interface::new("wasi:cli/environment", "0.2"),
    Interface::new("wasi:cli/exit", "0.2"),
    Interface::new("wasi:cli/stdin", "0.2"),
    Interface::new("wasi:cli/stdout", "0.2"),
    Interface::new("wasi:cli/stderr", "0.2"),
    Interface::new("wasi:cli/terminal-input", "0.2"),
    Interface::new("wasi:cli/terminal-output", "0.2"),
    Interface::new("wasi:cli/terminal-stdin", "0.2"),
    Interface::new("wasi:cli/terminal-stdout", "0.2"),
    Interface::new("wasi:cli/terminal-stderr", "0.2"),
    Interface::new("wasi:clocks/monotonic-clock", "0.2"),
    Interface::new("wasi:clocks/wall-clock", "0.2"),
    Interface::new("wasi:filesystem/preopens", "0.2"),
    Interface::waiting("wasi:filesystem/types", "0.2"),
    Interface::waiting("wasi:http/outgoing-handler", "0.2"),
    Interface::waiting("wasi:http/types", "0.2"),
    Interface::new("wasi:io/error", "0.2"),
    Interface::waiting("wasi:io/poll", "0.2"),
    Interface::waiting("wasi:io/streams", "0.2"),
    Interface::new("wasi:random/random", "0.2"),
    Interface::new("wasi:random/insecure", "0.2"),
    Interface::new("wasi:random/insecure-seed", "0.2"),
    Interface::new("wasi:sockets/network", "0.2"),
    Interface::new("wasi:sockets/instance-network", "0.2"),
    Interface::new("wasi:sockets/ip-name-lookup", "0.2"),
    Interface::new("wasi:sockets/tcp-create-socket", "0.2"),
    Interface::waiting("wasi:sockets/tcp", "0.2"),
    Interface::waiting("wasi:sockets/udp-create-socket", "0.2"),
    Interface::waiting("wasi:sockets/udp", "0.2"),
];

/// The interface whose invocations have a [`Cause`](crate::carrier::Cause).
const CARRIER: &str = "hookswitch:handler/carrier";

/// Whether one of these imports lets an invocation act at its carrier.
pub(crate) fn acts_at_carrier(imports: &[String]) -> bool {
    imports.iter().any(|import| import.split('@').next() == Some(CARRIER))
}

/// Finds an import by its name as a component writes it (`wasi:cli/exit@0.2.6`).
fn find(import: &str) -> Option<&'static Interface> {
    let (name, version) = import.split_once('@')?;
    OFFERED.iter().find(|offered| {
        offered.name == name
            && version.strip_prefix(offered.version).is_some_and(|patch| patch.starts_with('.'))
    })
}

/// Whether an import of this name is offered.
#[must_use]
pub fn offers(import: &str) -> bool {
    find(import).is_some()
}

/// Whether a function of the import of this name may wait.
#[must_use]
pub fn may_wait(import: &str) -> bool {
    find(import).is_some_and(|interface| interface.waits)
}

/// Whether the import of this name is the session, which is read before a handler starts.
#[must_use]
pub fn is_session(import: &str) -> bool {
    find(import).is_some_and(|interface| interface.name == session::NAME)
}

/// What one invocation holds on the host's side of its imports.
pub struct Capabilities {
    log: log::Log,
    grants: Arc<Grants>,
    reach: Arc<Reach>,
    until: Instant,
    /// Where its effects go; none: they are done, and nobody takes note of them.
    effects: Option<Effects>,
    session: session::Remembered,
    store: store::Budget,
    carrier: Option<Box<carrier::Desk>>,
    acted: bool,
    wasi: Option<Box<wasi::Wasi>>,
    http: Option<Box<http::Http>>,
}

impl Capabilities {
    /// For one invocation with this context and this much log.
    #[must_use]
    pub fn new(context: Context<'_>, budget: LogBudget) -> Self {
        Self {
            log: log::Log::new(budget, context.grants.secrets.clone()),
            grants: Arc::clone(context.grants),
            reach: Arc::clone(context.reach),
            until: context.until,
            effects: context.effects.cloned(),
            session: session::Remembered::NotAsked,
            store: store::Budget::default(),
            carrier: context.cause.map(|cause| Box::new(carrier::Desk::new(&context, cause))),
            acted: false,
            wasi: None,
            http: None,
        }
    }

    /// Whether something was done that a second run would do again: a request sent, a value stored, a call placed.
    #[must_use]
    pub fn acted(&self) -> bool {
        self.acted
    }

    /// Ends everything that reaches outward and takes what was logged, stdout and stderr included; what is written later goes
    /// nowhere.
    #[must_use]
    pub fn take_log(&mut self) -> LogBuffer {
        // Streams hand over a line that has not ended when they are dropped, and requests end with their handles.
        self.acted |= self.http.take().is_some_and(|http| http.end());
        self.wasi = None;
        self.log.take()
    }

    /// Replaces the secrets in a text that leaves the host.
    pub fn hide(&self, text: &mut String) {
        self.grants.secrets.hide(text);
    }

    /// The WASI state, made when it is first asked for.
    fn wasi(&mut self) -> &mut wasi::Wasi {
        let (log, time) = (&mut self.log, &self.reach.time);
        self.wasi.get_or_insert_with(|| Box::new(wasi::Wasi::new(log.shared(), time)))
    }

    /// What time it is for what the handler remembers, in milliseconds of Unix time.
    fn unix_ms(&self) -> u64 {
        self.reach.time.unix_ms()
    }

    /// Lets the guest's clock go on: called by every host function but those of the clock.
    fn touch_clock(&mut self) {
        if let Some(wasi) = &mut self.wasi {
            wasi.clock.touch();
        }
    }
}

/// Defines every offered interface in `linker`.
///
/// # Errors
/// An interface is defined twice, which is a fault of ours.
pub fn link<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    log::link(linker)?;
    config::link(linker)?;
    carrier::link(linker)?;
    secrets::link(linker)?;
    session::link(linker)?;
    store::link(linker)?;
    wasi::link(linker)?;
    http::link(linker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_offered_by_name_and_version_line() {
        for (import, offered) in [
            ("wasi:cli/exit@0.2.0", true),
            ("wasi:cli/exit@0.2.12", true),
            ("wasi:cli/exit@0.20.1", false),
            ("wasi:cli/exit@0.3.0", false),
            ("wasi:cli/exit", false),
            ("wasi:sockets/tcp@0.2.0", true),
            ("wasi:http/incoming-handler@0.2.0", false),
            ("hookswitch:handler/log@0.1.0", true),
            ("hookswitch:handler/log@0.1.7", true),
            ("hookswitch:handler/log@1.0.0", false),
            ("acme:handler/log@0.1.0", false),
        ] {
            assert_eq!(offers(import), offered, "{import}");
        }
    }
}
