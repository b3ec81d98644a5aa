//! `hookswitch promote`: the canary takes all new calls.

use clap::Args;

use super::deploy::{handler_name, print};
use super::in_force;
use super::remote::{RemoteCommand, RemoteError, Session, TenantArgs};
use crate::call::HandlerName;
use crate::control::model::{HandlerView, Promote};

/// Give a canary all new calls now, whatever step it is on
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hookswitch promote front-desk --tenant acme\n\n\
    `hookswitch status front-desk` says how the canary does and what it waits for.")]
pub struct PromoteArgs {
    /// The handler
    #[arg(value_parser = handler_name)]
    handler: HandlerName,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: TenantArgs,
}

impl RemoteCommand for PromoteArgs {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let client = session.connect_for_tenant(&self.remote)?;
        let tenant = client.tenant().await?;
        // Where a canary is on, it is the one that is meant, whatever the host did before.
        let stops = |view: &HandlerView| match view.canary {
            Some(_) => None,
            None => in_force::overtaken(view),
        };
        let body = |generation| Promote { generation };
        let promoted = in_force::change(&client, (&tenant, &self.handler, "promote"), stops, body).await?;
        print(session.console, &promoted, self.json)
    }
}
