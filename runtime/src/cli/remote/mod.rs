//! What every command that talks to a host shares: where the host is, how it is asked, how answers are printed.
//!
//! A command is a plain function of what surrounds it: flags, environment, files and the two streams come in through
//! [`Session`], so that tests run the very commands that people run. What a command asks and prints is its own file's
//! business.

mod access;
mod client;
pub mod contexts;
mod error;
mod network;
pub mod output;
pub mod sse;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

pub use access::{Access, HostArgs, Surroundings, TenantArgs, control_url, read_secret};
pub use client::{Client, Repeat};
pub use error::RemoteError;
pub use network::jitter;
pub use output::Console;

/// A command that talks to a host.
pub trait RemoteCommand {
    /// Does what the command line says.
    ///
    /// # Errors
    /// [`RemoteError`]; it has not been printed then.
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError>;
}

/// What surrounds a command.
pub struct Session<'a> {
    /// Where it says what it has to say.
    pub console: &'a Console,
    /// Environment variables and folders.
    pub surroundings: &'a Surroundings,
}

impl<'a> Session<'a> {
    /// The host that flags, environment and contexts name. Sends nothing yet.
    ///
    /// # Errors
    /// [`RemoteError`] for a file that can't be read or a context that is not there.
    pub fn connect(&self, args: &HostArgs) -> Result<Client<'a>, RemoteError> {
        self.client(Access::find(args, None, self.surroundings)?)
    }

    /// As [`connect`](Self::connect), for a command about one tenant.
    ///
    /// # Errors
    /// As there.
    pub fn connect_for_tenant(&self, args: &TenantArgs) -> Result<Client<'a>, RemoteError> {
        self.client(Access::find(&args.host, args.tenant.clone(), self.surroundings)?)
    }

    fn client(&self, access: Access) -> Result<Client<'a>, RemoteError> {
        Client::new(access, self.console, self.surroundings.patience)
    }
}

/// Runs a command with the process's own environment and streams.
pub fn run(command: impl RemoteCommand) -> ExitCode {
    let console = Console::of_process();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return super::failed(&error),
    };
    let surroundings = Surroundings::of_process();
    let session = Session { console: &console, surroundings: &surroundings };
    match runtime.block_on(command.run(&session)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.note(format_args!("error: {error}"));
            error.exit_code()
        }
    }
}
