//! `hookswitch promote`: the canary takes all new calls.

use clap::Args;

use super::deploy::{handler_name, print};
use super::remote::{RemoteCommand, RemoteError, Repeat, Session, TenantArgs};
use crate::call::HandlerName;
use crate::control::model::Deployed;

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
        let path = ["tenants", tenant.as_str(), "handlers", self.handler.as_str(), "promote"];
        // By the time of a second one, another canary may be on.
        let promoted: Deployed = client.release(Repeat::Unsafe, &path, &serde_json::json!({})).await?;
        print(session.console, &promoted, self.json)
    }
}
