//! `hookswitch rollback`: ends a canary, or goes back to an earlier revision.

use clap::Args;

use super::deploy::{handler_name, print};
use super::in_force;
use super::remote::{RemoteCommand, RemoteError, Repeat, Session, TenantArgs};
use crate::call::HandlerName;
use crate::control::model::Rollback;

/// End a canary, or put an earlier revision in force
///
/// New calls go to it at once; calls in progress stay on the revision that they began with.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch rollback front-desk --tenant acme\n  \
    hookswitch rollback front-desk --to 7\n\n\
    Where the host itself took a canary back or promoted it within the last minute, nothing is changed without --to: what was\n\
    meant is done already, or is another revision by now.")]
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
        let back = if self.to.is_some() {
            // To a number it ends where it ended the first time, whatever happened since.
            let path = ["tenants", tenant.as_str(), "handlers", self.handler.as_str(), "rollback"];
            client.release(Repeat::Safe, &path, &Rollback { to: self.to, generation: None }).await?
        } else {
            let body = |generation| Rollback { to: None, generation };
            in_force::change(&client, (&tenant, &self.handler, "rollback"), in_force::overtaken, body).await?
        };
        print(session.console, &back, self.json)
    }
}
