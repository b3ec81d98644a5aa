//! WASI 0.2 without files, network, environment or arguments.
//!
//! What a standard library needs to start (clocks, random, streams, an empty list of folders) and nothing that
//! reaches outside. File and socket interfaces are there because a standard library names them (Python's does, in every
//! component). With no folder opened beforehand a guest has no handle that it could use files with; a socket or a name
//! that it asks for is refused with `access-denied`, before the operating system hears of it.
//!
//! The stream and poll machinery and the file types are wasmtime-wasi's; what gives information or takes space is ours.

use wasmtime::bail;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtx, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random, sockets};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtx, WasiSocketsCtxView};
use wasmtime_wasi_io::bindings::wasi::io;

use super::Capabilities;
use super::clock::Clock;
use super::log::SharedLog;
use crate::clock::TimeOfDay;

/// Entries of an invocation's resource table: streams, pollables, errors.
pub const RESOURCES_MAX: usize = 1_024;
/// Random bytes for one call.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

/// The WASI state of one invocation.
pub(super) struct Wasi {
    pub(super) table: ResourceTable,
    pub(super) clock: Clock,
    pub(super) log: SharedLog,
    filesystem: WasiFilesystemCtx,
    network: WasiSocketsCtx,
}

impl Wasi {
    pub(super) fn new(log: SharedLog, time: &TimeOfDay) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        // The default contexts have no folder, no leave to block a thread, and no leave to make a socket or look up a name.
        let (filesystem, network) = (WasiFilesystemCtx::default(), WasiSocketsCtx::default());
        Self { table, clock: Clock::new(time), log, filesystem, network }
    }
}

/// The guest called `wasi:cli/exit`; ends the invocation.
#[derive(Debug, thiserror::Error)]
#[error("the handler called exit({0}) instead of answering")]
pub struct Exit(pub u8);

impl cli::exit::Host for Wasi {
    fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
        Err(Exit(u8::from(status.is_err())).into())
    }

    fn exit_with_code(&mut self, code: u8) -> wasmtime::Result<()> {
        Err(Exit(code).into())
    }
}

impl cli::environment::Host for Wasi {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
}

/// `len` bytes from the operating system.
fn random_bytes(len: u64) -> wasmtime::Result<Vec<u8>> {
    match usize::try_from(len) {
        Ok(size) if len <= RANDOM_BYTES_MAX => {
            let mut bytes = vec![0; size];
            getrandom::fill(&mut bytes)?;
            Ok(bytes)
        }
        _ => bail!("{len} random bytes were asked for at once; the limit is {RANDOM_BYTES_MAX}"),
    }
}

impl random::random::Host for Wasi {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        random_bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(getrandom::u64()?)
    }
}

// "Insecure" allows worse numbers; there is no reason to give them.
impl random::insecure::Host for Wasi {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        random_bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(getrandom::u64()?)
    }
}

impl random::insecure_seed::Host for Wasi {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((getrandom::u64()?, getrandom::u64()?))
    }
}

/// Data for the interfaces that are implemented on [`Wasi`] itself.
struct OfWasi;

impl HasData for OfWasi {
    type Data<'a> = &'a mut Wasi;
}

/// Data for wasmtime-wasi's streams and polls, which need the table alone.
struct OfTable;

impl HasData for OfTable {
    type Data<'a> = &'a mut ResourceTable;
}

/// The state, for host functions that let the guest's clock go on.
fn touched<T: AsMut<Capabilities>>(data: &mut T) -> &mut Wasi {
    let wasi = data.as_mut().wasi();
    wasi.clock.touch();
    wasi
}

/// The state, for the clock itself.
fn untouched<T: AsMut<Capabilities>>(data: &mut T) -> &mut Wasi {
    data.as_mut().wasi()
}

fn table<T: AsMut<Capabilities>>(data: &mut T) -> &mut ResourceTable {
    &mut touched(data).table
}

fn files<T: AsMut<Capabilities>>(data: &mut T) -> WasiFilesystemCtxView<'_> {
    let wasi = touched(data);
    WasiFilesystemCtxView { ctx: &mut wasi.filesystem, table: &mut wasi.table }
}

fn network<T: AsMut<Capabilities>>(data: &mut T) -> WasiSocketsCtxView<'_> {
    let wasi = touched(data);
    WasiSocketsCtxView { ctx: &mut wasi.network, table: &mut wasi.table }
}

/// Defines what [`OFFERED`](super::OFFERED) lists of WASI.
pub(super) fn link<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: AsMut<Capabilities> + Send + 'static,
{
    io::error::add_to_linker::<T, OfTable>(linker, table)?;
    io::poll::add_to_linker::<T, OfTable>(linker, table)?;
    io::streams::add_to_linker::<T, OfTable>(linker, table)?;
    clocks::monotonic_clock::add_to_linker::<T, OfWasi>(linker, untouched)?;
    clocks::wall_clock::add_to_linker::<T, OfWasi>(linker, untouched)?;
    filesystem::types::add_to_linker::<T, WasiFilesystem>(linker, files)?;
    filesystem::preopens::add_to_linker::<T, WasiFilesystem>(linker, files)?;
    random::random::add_to_linker::<T, OfWasi>(linker, touched)?;
    random::insecure::add_to_linker::<T, OfWasi>(linker, touched)?;
    random::insecure_seed::add_to_linker::<T, OfWasi>(linker, touched)?;
    sockets::network::add_to_linker::<T, WasiSockets>(
        linker,
        &sockets::network::LinkOptions::default(),
        network,
    )?;
    sockets::instance_network::add_to_linker::<T, WasiSockets>(linker, network)?;
    sockets::ip_name_lookup::add_to_linker::<T, WasiSockets>(linker, network)?;
    sockets::tcp_create_socket::add_to_linker::<T, WasiSockets>(linker, network)?;
    sockets::tcp::add_to_linker::<T, WasiSockets>(linker, network)?;
    sockets::udp_create_socket::add_to_linker::<T, WasiSockets>(linker, network)?;
    sockets::udp::add_to_linker::<T, WasiSockets>(linker, network)?;
    cli::exit::add_to_linker::<T, OfWasi>(linker, touched)?;
    cli::environment::add_to_linker::<T, OfWasi>(linker, touched)?;
    cli::stdin::add_to_linker::<T, OfWasi>(linker, touched)?;
    cli::stdout::add_to_linker::<T, OfWasi>(linker, touched)?;
    cli::stderr::add_to_linker::<T, OfWasi>(linker, touched)?;
    cli::terminal_input::add_to_linker::<T, OfWasi>(linker, touched)?;
    cli::terminal_output::add_to_linker::<T, OfWasi>(linker, touched)?;
    cli::terminal_stdin::add_to_linker::<T, OfWasi>(linker, touched)?;
    cli::terminal_stdout::add_to_linker::<T, OfWasi>(linker, touched)?;
    cli::terminal_stderr::add_to_linker::<T, OfWasi>(linker, touched)
}
