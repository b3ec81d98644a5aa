//! `hookswitch outbox`: what handlers want done later, seen and taken back.

use clap::{Args, Subcommand};

use super::deploy::handler_name;
use super::remote::output::{Table, fields, printable};
use super::remote::{RemoteCommand, RemoteError, Session, TenantArgs};
use crate::call::HandlerName;
use crate::control::model::{OutboxCanceled, OutboxState, OutboxView};

/// See and take back what handlers want done later
///
/// Calls and messages that a handler has handed to the host's outbox, at a time or as soon as possible. They are tried
/// with growing pauses for a day; what is done stays listed for a day, what failed for a week.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  hookswitch outbox list --tenant acme\n  \
    hookswitch outbox cancel ob_0123456789abcdef --tenant acme\n  \
    hookswitch outbox cancel --handler campaign --tenant acme")]
pub struct OutboxCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the tenant's outbox, newest first
    #[command(after_help = "Examples:\n  hookswitch outbox list --tenant acme --limit 20\n  \
        hookswitch outbox list --tenant acme --handler campaign --state waiting")]
    List {
        /// Only what this handler asked for
        #[arg(long, value_name = "NAME", value_parser = handler_name)]
        handler: Option<HandlerName>,
        /// Only what is in this state
        #[arg(long, value_parser = OutboxState::ALL.map(OutboxState::as_str))]
        state: Option<String>,
        /// Only what is older than this entry
        #[arg(long, value_name = "ID")]
        before: Option<String>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: TenantArgs,
    },
    /// Show one entry
    #[command(after_help = "Example:\n  hookswitch outbox show ob_0123456789abcdef --tenant acme")]
    Show {
        /// Its id
        id: String,
        /// Print one JSON object instead of text
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        remote: TenantArgs,
    },
    /// Take back an entry that waits, or all that waits of a handler
    #[command(after_help = "Examples:\n  hookswitch outbox cancel ob_0123456789abcdef --tenant acme\n  \
        hookswitch outbox cancel --handler campaign --tenant acme")]
    Cancel {
        /// Its id
        #[arg(required_unless_present = "handler", conflicts_with = "handler")]
        id: Option<String>,
        /// All that this handler asked for and that waits
        #[arg(long, value_name = "NAME", value_parser = handler_name)]
        handler: Option<HandlerName>,
        #[command(flatten)]
        remote: TenantArgs,
    },
}

impl RemoteCommand for OutboxCommand {
    async fn run(self, session: &Session<'_>) -> Result<(), RemoteError> {
        let console = session.console;
        match self.action {
            Action::List { handler, state, before, limit, json, remote } => {
                let client = session.connect_for_tenant(&remote)?;
                let tenant = client.tenant().await?;
                let limit = limit.to_string();
                let mut query = vec![("limit", limit.as_str())];
                query.extend(before.as_deref().map(|id| ("before", id)));
                query.extend(handler.as_ref().map(|handler| ("handler", handler.as_str())));
                query.extend(state.as_deref().map(|state| ("state", state)));
                let entries: Vec<OutboxView> =
                    client.get_with(&["tenants", tenant.as_str(), "outbox"], &query).await?;
                if json {
                    return console.json(&entries);
                }
                if entries.is_empty() {
                    let is_all = before.is_none() && handler.is_none() && state.is_none();
                    let what = if is_all { "is empty" } else { "has nothing like that" };
                    console.note(format_args!("the outbox of {tenant} {what}"));
                    return Ok(());
                }
                let mut table = Table::new(["ID", "STATE", "WHAT", "TO", "HANDLER", ">TRIES", "DUE", "NOTE"]);
                for entry in &entries {
                    table.row([
                        (&entry.id).into(),
                        (&entry.state).into(),
                        (&entry.kind).into(),
                        (&entry.to).into(),
                        (&entry.handler).into(),
                        u64::from(entry.tries).into(),
                        console.moment(&entry.due_at).into(),
                        entry.result.as_deref().unwrap_or(&entry.note).into(),
                    ]);
                }
                console.print(table.render(console, 0));
                Ok(())
            }
            Action::Show { id, json, remote } => {
                let client = session.connect_for_tenant(&remote)?;
                let tenant = client.tenant().await?;
                let entry: OutboxView = client.get(&["tenants", tenant.as_str(), "outbox", &id]).await?;
                if json {
                    return console.json(&entry);
                }
                let rows = [
                    ("state", entry.state.clone()),
                    ("what", format!("{} to {}", entry.kind, entry.to)),
                    ("handler", entry.handler.clone()),
                    ("tries", entry.tries.to_string()),
                    ("result", entry.result.clone().unwrap_or_default()),
                    ("note", entry.note.clone()),
                    ("due", console.moment(&entry.due_at)),
                    ("asked for", console.moment(&entry.created_at)),
                    ("changed", console.moment(&entry.changed_at)),
                ];
                console.print(format_args!("{}\n{}", printable(&entry.id), fields(&rows)));
                Ok(())
            }
            Action::Cancel { id, handler, remote } => {
                let client = session.connect_for_tenant(&remote)?;
                let tenant = client.tenant().await?;
                if let Some(id) = id {
                    client.delete(&["tenants", tenant.as_str(), "outbox", &id]).await?;
                    console.note(format_args!("{id} will not be sent"));
                }
                if let Some(handler) = handler {
                    let path = ["tenants", tenant.as_str(), "outbox"];
                    let OutboxCanceled { canceled } =
                        client.delete_with(&path, &[("handler", handler.as_str())]).await?;
                    match canceled {
                        0 => {
                            console.note(format_args!("nothing of {handler} waits in the outbox of {tenant}"))
                        }
                        1 => console.note(format_args!("1 entry of {handler} will not be sent")),
                        _ => console.note(format_args!("{canceled} entries of {handler} will not be sent")),
                    }
                }
                Ok(())
            }
        }
    }
}
