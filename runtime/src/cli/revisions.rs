//! `hookswitch revisions`: the revisions of a handler that are kept.

use clap::Args;

use super::deploy::{handler_name, short};
use super::remote::output::{self, Cell, Paint, Table};
use super::remote::{RemoteCommand, RemoteError, Session, TenantArgs};
use super::status::{paint_of_state, risk};
use crate::call::HandlerName;
use crate::control::model::RevisionView;

/// List the revisions of a handler, newest first
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hookswitch revisions front-desk --tenant acme\n\n\
    `hookswitch rollback front-desk --to REVISION` puts one of them in force.")]
pub struct RevisionsArgs {
    /// The handler
    #[arg(value_parser = handler_name)]
    handler: HandlerName,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Only those before this one
    #[arg(long, value_name = "REVISION", value_parser = clap::value_parser!(u32).range(1..))]
    before: Option<u32>,
    /// Print a JSON array with everything, settings included
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: TenantArgs,
}

impl RemoteCommand for RevisionsArgs {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let (client, console) = (session.connect_for_tenant(&self.remote)?, session.console);
        let tenant = client.tenant().await?;
        let path = ["tenants", tenant.as_str(), "handlers", self.handler.as_str(), "revisions"];
        let (limit, before) = (self.limit.to_string(), self.before.map(|before| before.to_string()));
        let mut query = vec![("limit", limit.as_str())];
        query.extend(before.as_deref().map(|before| ("before", before)));
        let revisions: Vec<RevisionView> = client.get_with(&path, &query).await?;
        if self.json {
            return console.json(&revisions);
        }
        let mut table = Table::new([
            ">REVISION",
            "STATE",
            ">CALLS",
            "KEPT",
            "CREATED",
            "BY",
            "COMPONENT",
            ">SIZE",
            "RISK",
            "WHY",
        ]);
        for revision in revisions {
            table.row([
                revision.revision.into(),
                Cell::painted(&revision.state, paint_of_state(&revision.state)),
                revision.calls.into(),
                revision.until.as_ref().map(|until| console.moment(until)).unwrap_or_default().into(),
                console.moment(&revision.created_at).into(),
                revision.created_by.into(),
                short(&revision.digest).into(),
                output::bytes(revision.bytes).into(),
                risk(revision.risk).into(),
                Cell::painted(revision.reason, Some(Paint::Dim)),
            ]);
        }
        console.print(table.render(console, 0));
        Ok(())
    }
}
