//! `hookswitch rollback`: ends a canary, or goes back to an earlier revision.

use clap::Args;

use super::deploy::{handler_name, print};
use super::remote::{RemoteCommand, RemoteError, Repeat, Session, TenantArgs};
use crate::call::HandlerName;
use crate::control::model::{Deployed, Rollback};

/// End a canary, or put an earlier revision in force
///
/// New calls go to it at once; calls in progress stay on the revision that they began with.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch rollback front-desk --tenant acme\n  \
    hookswitch rollback front-desk --to 7")]
pub struct RollbackArgs {
    /// The handler
    #[arg(value_parser = handler_name)]
    handler: HandlerName,
    /// The revision to go back to; left out, ends the canary, or goes back to what was in force before
    #[arg(long, value_name = "REVISION", value_parser = clap::value_parser!(u32).range(1..))]
    to: Option<u32>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: TenantArgs,
}

impl RemoteCommand for RollbackArgs {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let client = session.connect_for_tenant(&self.remote)?;
        let tenant = client.tenant().await?;
        let path = ["tenants", tenant.as_str(), "handlers", self.handler.as_str(), "rollback"];
        // To a number it ends where it ended the first time; without one, a second time would go one further back.
        let repeat = if self.to.is_some() { Repeat::Safe } else { Repeat::Unsafe };
        let back: Deployed = client.release(repeat, &path, &Rollback { to: self.to }).await?;
        print(session.console, &back, self.json)
    }
}
